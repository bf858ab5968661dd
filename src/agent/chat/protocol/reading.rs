//! Reads calls out of a model's words, in whatever form it put them.
//!
//! *Invariant:* JSON is a call only where it names a tool that was offered, or where there was no choice.

use serde_json::{Map, Value};

use super::text::OBSERVATION;
use super::{CALLS, Mode, offered};
use crate::model::chat::{Call, ChatRequest, ToolSpec};

/// Reads one form of calls: the words, and the calls.
type Form = fn(&ChatRequest, &str) -> Option<(String, Vec<Call>)>;

/// So many braces are looked at in one text: each costs a walk through the rest.
const MOST: usize = 200;

/// The words, and the calls that they hold.
pub(super) fn read(request: &ChatRequest, mode: Mode, text: &str) -> (String, Vec<Call>) {
    let text = without_thinking(text);
    if request.tools.is_empty() {
        return (text.to_owned(), Vec::new());
    }
    let forms: [Form; 3] = match mode {
        Mode::Native | Mode::Schema => [tagged, json, react],
        Mode::Text => [tagged, react, json],
    };
    let read = forms.iter().find_map(|form| form(request, text));
    let read = read.or_else(|| if mode == Mode::Native { None } else { lone(request, text) });
    read.unwrap_or_else(|| (text.to_owned(), Vec::new()))
}

/// Without what a model that reasons aloud wrote for itself.
pub(super) fn without_thinking(text: &str) -> &str {
    let text = text.trim();
    if text.starts_with("<think>") {
        return text.split_once("</think>").map_or("", |(_, rest)| rest.trim_start());
    }
    // Some templates open it before the model speaks.
    text.split_once("</think>").map_or(text, |(_, rest)| rest.trim_start())
}

/// `<tool_call>{…}</tool_call>`, as the models write that are taught so, on servers that don't read it.
fn tagged(request: &ChatRequest, text: &str) -> Option<(String, Vec<Call>)> {
    const OPEN: &str = "<tool_call>";
    let (before, _) = text.split_once(OPEN)?;
    let calls: Vec<Call> = text
        .split(OPEN)
        .skip(1)
        .filter_map(|rest| {
            let inside = rest.split("</tool_call>").next().unwrap_or(rest);
            let (start, end) = object(inside)?;
            call(request, inside.get(start..end)?)
        })
        .map(|(_, call)| call)
        .take(CALLS)
        .collect();
    (!calls.is_empty()).then(|| (before.trim().to_owned(), calls))
}

/// JSON objects that are calls, alone or in a text.
fn json(request: &ChatRequest, text: &str) -> Option<(String, Vec<Call>)> {
    let (mut calls, mut thought, mut before) = (Vec::new(), String::new(), None);
    let mut done = 0;
    for _ in 0..MOST {
        let Some(rest) = text.get(done..) else { break };
        let Some((start, end)) = object(rest) else {
            // A brace that never closes may be a word.
            let Some(brace) = rest.find('{') else { break };
            done += brace + 1;
            continue;
        };
        match rest.get(start..end).and_then(|found| call(request, found)) {
            Some((why, call)) => {
                before = before.or_else(|| text.get(..done + start));
                calls.push(call);
                if thought.is_empty() {
                    thought = why;
                }
                done += end;
            }
            // A call may stand inside of it: `{"tool_calls": [{…}]}`.
            None => done += start + 1,
        }
    }
    if calls.is_empty() {
        return None;
    }
    let before = before.unwrap_or_default();
    let before = before.rsplit_once("```").map_or(before, |(words, _)| words);
    let before = before.trim().trim_end_matches(['[', '{']).trim();
    // What stands before is said, but not the opening of an envelope.
    let words = if before.contains("tool_calls") { "" } else { before };
    let said = [words, thought.as_str()].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("\n");
    Some((said, calls))
}

/// A JSON object as a call, and the thought in it.
fn call(request: &ChatRequest, text: &str) -> Option<(String, Call)> {
    let Value::Object(map) = serde_json::from_str(text).ok()? else { return None };
    let map = match map.get("function") {
        Some(Value::Object(function)) => function,
        _ => &map,
    };
    let get = |keys: &[&str]| keys.iter().find_map(|key| map.get(*key));
    let thought = get(&["thought", "reasoning", "thoughts"]).and_then(Value::as_str).unwrap_or_default().to_owned();
    let name = get(&["tool", "name", "action", "tool_name", "function"]).and_then(Value::as_str);
    let tool = name.and_then(|name| request.tools.iter().find(|tool| tool.name == name.trim()));
    let given = get(&["arguments", "args", "parameters", "input", "action_input", "tool_input"]);
    let (tool, arguments) = match (tool, given) {
        (Some(tool), Some(given)) => (tool, given.clone()),
        (Some(tool), None) => {
            // The arguments stand beside the name.
            let mut rest = map.clone();
            for key in ["tool", "name", "action", "tool_name", "function", "thought", "reasoning", "thoughts"] {
                if tool.parameters.pointer(&format!("/properties/{key}")).is_none() {
                    rest.remove(key);
                }
            }
            (tool, Value::Object(rest))
        }
        // There was no choice, so it did not name it.
        (None, _) if name.is_none() && request.must_call.is_some() => {
            let tool = offered(request).next()?;
            let properties = tool.parameters.get("properties")?.as_object()?;
            let fits = map.keys().any(|key| properties.contains_key(key));
            (tool, fits.then(|| Value::Object(map.clone()))?)
        }
        _ => return None,
    };
    let arguments = match arguments {
        Value::String(text) => argument(tool, &text),
        other => other.to_string(),
    };
    Some((thought, Call { id: String::new(), name: tool.name.clone(), arguments }))
}

/// Thought, Action, Action Input; or Final Answer, which is a call of `finish`.
fn react(request: &ChatRequest, text: &str) -> Option<(String, Vec<Call>)> {
    let own = before_observation(text);
    let action = label(own, &["Action"]);
    let answer = label(own, &["Final Answer"]);
    if let Some((at, after)) = action {
        let (line, rest) = after.split_once('\n').unwrap_or((after, ""));
        let line = line.trim().trim_matches(['`', '*', '"', '[', ']']).trim();
        // `Action: kubectl get pods`, `Action: kubectl(…)`
        let end = line.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(line.len());
        let (name, beside) = line.split_at_checked(end)?;
        if let Some(tool) = request.tools.iter().find(|tool| tool.name == name) {
            let input = label(rest, &["Action Input", "Input", "Arguments"]).map(|(_, input)| input);
            let beside = beside.trim().trim_start_matches('(').trim_end_matches(')');
            let whole = if name == "kubectl" && !beside.is_empty() { line } else { beside };
            let input = match input {
                Some(input) => input,
                None if !whole.is_empty() => whole,
                None => rest,
            };
            let call = Call { id: String::new(), name: tool.name.clone(), arguments: argument(tool, input) };
            return Some((thought(own.get(..at).unwrap_or_default()), vec![call]));
        }
    }
    let (at, answer) = answer?;
    let tool = request.tools.iter().find(|tool| tool.name == "finish")?;
    let call = Call { id: String::new(), name: tool.name.clone(), arguments: argument(tool, answer) };
    Some((thought(own.get(..at).unwrap_or_default()), vec![call]))
}

/// A line of kubectl, alone or in a code fence, where nothing else is a call.
fn lone(request: &ChatRequest, text: &str) -> Option<(String, Vec<Call>)> {
    let tool = offered(request).find(|tool| tool.name == "kubectl")?;
    let own = before_observation(text);
    let line = own.lines().map(|line| line.trim().trim_matches('`').trim_start_matches("$ "));
    let line = line.clone().find(|line| line.starts_with("kubectl "))?;
    let before = own.split_once(line).map_or("", |(before, _)| before);
    let before = before.trim().trim_end_matches('$').trim_end();
    let before = before.rsplit_once("```").map_or(before, |(words, _)| words);
    let call = Call { id: String::new(), name: tool.name.clone(), arguments: argument(tool, line) };
    Some((thought(before), vec![call]))
}

/// What a model wrote before it began to make up what a tool returned.
fn before_observation(text: &str) -> &str {
    let end = text.find(&format!("\n{OBSERVATION}")).unwrap_or(text.len());
    text.get(..end).unwrap_or(text)
}

/// The place of a label that begins a line, and what stands after its colon: `**Action:** x`.
fn label<'a>(text: &'a str, names: &[&str]) -> Option<(usize, &'a str)> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_start().trim_start_matches(['*', '#', '-', ' ']);
        let offset = line.len() - bare.len();
        for name in names {
            let is_it = bare.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
            let rest = bare.get(name.len()..).filter(|_| is_it).map(|rest| rest.trim_start_matches('*'));
            if let Some(rest) = rest.and_then(|rest| rest.strip_prefix(':')) {
                let rest = rest.trim_start_matches('*');
                let start = at + offset + (bare.len() - rest.len());
                return Some((at, text.get(start..)?.trim_start_matches(' ')));
            }
        }
        at += line.len();
    }
    None
}

fn thought(text: &str) -> String {
    let text = text.trim();
    label(text, &["Thought"]).map_or(text, |(_, rest)| rest.trim()).to_owned()
}

/// A tool's arguments out of text: a JSON object where there is one, else the text as its first argument.
fn argument(tool: &ToolSpec, text: &str) -> String {
    let text = text.trim();
    if let Some((start, end)) = object(text) {
        let found = text.get(start..end).unwrap_or_default();
        // A command may hold JSON: `-o jsonpath={.items}`.
        let alone = text.get(..start).is_none_or(|before| {
            let before = before.trim().trim_start_matches('`');
            before.is_empty() || before == "json"
        });
        if alone && serde_json::from_str::<Map<String, Value>>(found).is_ok() {
            return found.to_owned();
        }
    }
    let inside = match text.strip_prefix("```") {
        Some(fenced) => {
            let fenced = fenced.split_once('\n').map_or(fenced, |(_, rest)| rest);
            fenced.split("```").next().unwrap_or(fenced)
        }
        None => text,
    };
    let plain = inside.trim().trim_matches('`').trim_matches('"').trim();
    let Some(first) = first_argument(tool).filter(|_| !plain.is_empty()) else { return "{}".to_owned() };
    // What only has one line takes no more of it.
    let plain = if tool.name == "kubectl" { plain.lines().next().unwrap_or(plain).trim() } else { plain };
    serde_json::json!({ first: plain }).to_string()
}

/// The argument that text is meant for: the first required one that is text, else the first that is.
fn first_argument(tool: &ToolSpec) -> Option<&str> {
    let properties = tool.parameters.get("properties")?.as_object()?;
    let is_text =
        |name: &str| properties.get(name).and_then(|schema| schema.get("type")).is_some_and(|kind| kind == "string");
    let required = tool.parameters.get("required").and_then(Value::as_array);
    let mut required = required.into_iter().flatten().filter_map(Value::as_str);
    required.find(|name| is_text(name)).or_else(|| properties.keys().map(String::as_str).find(|name| is_text(name)))
}

/// Where the first whole JSON object stands, by its braces outside of strings.
fn object(text: &str) -> Option<(usize, usize)> {
    let start = text.find('{')?;
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate().skip(start) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' if !in_string => depth += 1,
            b'}' if !in_string => {
                depth -= 1;
                if depth == 0 {
                    return Some((start, at + 1));
                }
            }
            _ => {}
        }
    }
    None
}
