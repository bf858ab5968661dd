//! Puts an answer together from its pieces: deltas of a stream, or the whole at once.
//!
//! *Invariant:* unknown fields are passed over; what is there is never lost because something else is missing. What is kept
//! is bounded, in calls and in bytes: a reply beyond that is cut, as by the model's own limit.

use serde_json::Value;

use super::protocol::CALLS;
use crate::model::chat::{Call, Finish, Tokens};

/// The most bytes of words and arguments that are kept: no model says as much in one turn.
const SAID: usize = 256 << 10;

/// What has come so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Gathered {
    /// Its words.
    pub(super) text: String,
    calls: Vec<Partial>,
    finish: Option<String>,
    /// The last that was said of costs.
    pub(super) tokens: Option<Tokens>,
    /// Bytes of words and arguments.
    said: usize,
    /// Whether there was any choice at all.
    chosen: bool,
    /// Whether the model has begun to say, call or think something.
    begun: bool,
    /// Whether there was more than is kept.
    full: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Partial {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
}

impl Gathered {
    /// Takes one event, and gives the text that it added.
    pub(super) fn take(&mut self, event: &Value) -> String {
        self.count(event.get("usage"));
        let Some(choice) = event.pointer("/choices/0") else { return String::new() };
        self.chosen = true;
        if self.full {
            return String::new();
        }
        // Some servers have an empty reason, or the word for none, in all that comes before the end.
        let finish = choice.get("finish_reason").and_then(Value::as_str);
        if let Some(finish) = finish.filter(|finish| !matches!(*finish, "" | "null")) {
            self.finish = Some(finish.to_owned());
        }
        let Some(said) = choice.get("delta").or_else(|| choice.get("message")) else {
            // The older API of completions, which some servers mix in.
            return self.say(choice.get("text"));
        };
        let thinks = |key| said.get(key).and_then(Value::as_str).is_some_and(|thought| !thought.is_empty());
        self.begun |= thinks("reasoning_content") || thinks("reasoning");
        for call in said.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
            self.call(call);
        }
        if let Some(function) = said.get("function_call").filter(|function| function.is_object()) {
            self.piece(Some(0), "", function);
        }
        let mut added = self.say(said.get("content"));
        added.push_str(&self.say(said.get("refusal")));
        added
    }

    /// Whether it came to an end, as far as it says.
    pub(super) fn has_ended(&self) -> bool {
        self.finish.is_some()
    }

    /// Whether the model has begun to say, call or think something.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Whether more of it would not be kept.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    /// Whether it is an answer.
    pub(super) fn is_answer(&self) -> bool {
        self.chosen
    }

    /// Why it stopped.
    pub(super) fn finish(&self) -> Finish {
        match self.finish.as_deref() {
            _ if self.full => Finish::Length,
            Some("length" | "max_tokens" | "model_length") => Finish::Length,
            Some("content_filter") => Finish::Filtered,
            _ => Finish::Stop,
        }
    }

    /// The tools that it called; where a server gave no id, there is none.
    pub(super) fn calls(&self) -> Vec<Call> {
        let named = self.calls.iter().filter(|call| !call.name.is_empty());
        named
            .map(|call| Call { id: call.id.clone(), name: call.name.clone(), arguments: call.arguments.clone() })
            .collect()
    }

    fn say(&mut self, content: Option<&Value>) -> String {
        let added = match content {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(parts)) => {
                parts.iter().filter_map(|part| part.get("text")?.as_str()).collect::<Vec<_>>().concat()
            }
            _ => String::new(),
        };
        self.begun |= !added.is_empty();
        if !self.fits(added.len()) {
            return String::new();
        }
        self.text.push_str(&added);
        added
    }

    /// Counts so many bytes, where they are kept.
    fn fits(&mut self, bytes: usize) -> bool {
        self.said += bytes;
        self.full |= self.said > SAID;
        !self.full
    }

    fn call(&mut self, call: &Value) {
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let index = call.get("index").and_then(Value::as_u64);
        self.piece(index, &text(call, "id"), call.get("function").unwrap_or(call));
    }

    /// A piece of a call: index, id and name may stand in the first one only, and some servers send no index at all, or
    /// the same for each of several whole calls.
    fn piece(&mut self, index: Option<u64>, id: &str, function: &Value) {
        let name = function.get("name").and_then(Value::as_str).unwrap_or_default();
        let arguments = match function.get("arguments") {
            Some(Value::String(text)) => text.clone(),
            None | Some(Value::Null) => String::new(),
            Some(whole) => whole.to_string(),
        };
        self.begun = true;
        if !self.fits(arguments.len()) {
            return;
        }
        let goes_on = |call: &Partial| {
            let other = !id.is_empty() && !call.id.is_empty() && call.id != id && !name.is_empty();
            match index {
                Some(_) => call.index == index && !other,
                None if !id.is_empty() => call.id == id,
                None => name.is_empty(),
            }
        };
        let place = match index {
            Some(_) => self.calls.iter().rposition(goes_on),
            None if !id.is_empty() => self.calls.iter().rposition(goes_on),
            None => self.calls.len().checked_sub(1).filter(|last| self.calls.get(*last).is_some_and(goes_on)),
        };
        if place.is_none() {
            if self.calls.len() >= CALLS {
                self.full = true;
                return;
            }
            self.calls.push(Partial { index, ..Partial::default() });
        }
        let call = match place {
            Some(place) => self.calls.get_mut(place),
            None => self.calls.last_mut(),
        };
        let Some(call) = call else { return };
        if call.id.is_empty() {
            id.clone_into(&mut call.id);
        }
        if call.name.is_empty() {
            name.clone_into(&mut call.name);
        }
        call.arguments.push_str(&arguments);
    }

    fn count(&mut self, usage: Option<&Value>) {
        let Some(usage) = usage.filter(|usage| usage.is_object()) else { return };
        let number = |path: &str| usage.pointer(path).and_then(Value::as_u64);
        let input = number("/prompt_tokens").or_else(|| number("/input_tokens"));
        let output = number("/completion_tokens").or_else(|| number("/output_tokens"));
        if input.is_none() && output.is_none() {
            return;
        }
        let cached = number("/prompt_tokens_details/cached_tokens").or_else(|| number("/prompt_cache_hit_tokens"));
        self.tokens = Some(Tokens {
            input: input.unwrap_or_default(),
            cached: cached.unwrap_or_default(),
            output: output.unwrap_or_default(),
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn gather(events: &[Value]) -> Gathered {
        let mut gathered = Gathered::default();
        for event in events {
            gathered.take(event);
        }
        gathered
    }

    fn calls(deltas: &[Value]) -> Vec<(String, String, String)> {
        let events: Vec<Value> =
            deltas.iter().map(|calls| json!({"choices": [{"delta": {"tool_calls": calls}}]})).collect();
        gather(&events).calls().into_iter().map(|call| (call.id, call.name, call.arguments)).collect()
    }

    /// What it is, the deltas, and the calls: id, name, arguments.
    type Row<'a> = (&'a str, Value, &'a [(&'a str, &'a str, &'a str)]);

    #[test]
    fn calls_are_put_together_however_they_are_sent() {
        let table: &[Row<'_>] = &[
            (
                "OpenAI: the head first, then pieces by index",
                json!([
                    [{"index": 0, "id": "a", "type": "function", "function": {"name": "get", "arguments": ""}}],
                    [{"index": 0, "function": {"arguments": "{\"x\""}}],
                    [{"index": 1, "id": "b", "function": {"name": "logs", "arguments": "{}"}}],
                    [{"index": 0, "function": {"arguments": ":1}"}}],
                ]),
                &[("a", "get", "{\"x\":1}"), ("b", "logs", "{}")],
            ),
            (
                "all at once, no ids, arguments as an object",
                json!([[
                    {"function": {"name": "get", "arguments": {"x": 1}}},
                    {"function": {"name": "get", "arguments": {"x": 2}}},
                ]]),
                &[("", "get", "{\"x\":1}"), ("", "get", "{\"x\":2}")],
            ),
            (
                "each with index 0 and an id of its own",
                json!([
                    [{"index": 0, "id": "a", "function": {"name": "get", "arguments": "{}"}}],
                    [{"index": 0, "id": "b", "function": {"name": "get", "arguments": "[]"}}],
                ]),
                &[("a", "get", "{}"), ("b", "get", "[]")],
            ),
            (
                "no index; name and id repeated in each piece",
                json!([
                    [{"id": "a", "function": {"name": "get", "arguments": "{\"x\""}}],
                    [{"id": "a", "function": {"name": "get", "arguments": ":1}"}}],
                ]),
                &[("a", "get", "{\"x\":1}")],
            ),
            (
                "no index, no id in what follows",
                json!([
                    [{"id": "a", "function": {"name": "get", "arguments": "{"}}],
                    [{"function": {"arguments": "}"}}],
                ]),
                &[("a", "get", "{}")],
            ),
            ("a call without a name is none", json!([[{"index": 0, "function": {"arguments": "{}"}}]]), &[]),
        ];
        for (what, deltas, expected) in table {
            let found = calls(deltas.as_array().unwrap());
            let found: Vec<(&str, &str, &str)> =
                found.iter().map(|(id, name, arguments)| (id.as_str(), name.as_str(), arguments.as_str())).collect();
            assert_eq!(found, *expected, "{what}");
        }
    }

    #[test]
    fn a_whole_answer_and_a_stream_give_the_same() {
        let whole = gather(&[json!({
            "id": "x", "unknown": {"a": 1},
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello", "annotations": []}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}},
        })]);
        let stream = gather(&[
            json!({"choices": [], "prompt_filter_results": []}),
            json!({"choices": [{"delta": {"role": "assistant", "content": ""}}]}),
            json!({"choices": [{"delta": {"content": "Hel"}}], "usage": null}),
            json!({"choices": [{"delta": {"content": "lo"}}]}),
            json!({"choices": [{"delta": {}, "finish_reason": "stop"}]}),
            json!({"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}}),
        ]);
        assert_eq!(whole, stream);
        assert_eq!((whole.text.as_str(), whole.finish()), ("Hello", Finish::Stop));
        assert_eq!(whole.tokens, Some(Tokens { input: 10, cached: 4, output: 2 }));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let call = |number: usize| json!({"index": number, "id": format!("c{number}"), "function": {"name": "get", "arguments": "{}"}});
        let mut streamed = Gathered::default();
        for number in 0..100_000 {
            streamed.take(&json!({"choices": [{"delta": {"tool_calls": [call(number)]}}]}));
        }
        let all: Vec<Value> = (0..10_000).map(call).collect();
        let whole = json!({"choices": [{"message": {"tool_calls": all}, "finish_reason": "tool_calls"}]});
        for many in [streamed, gather(&[whole])] {
            assert_eq!((many.calls().len(), many.finish()), (CALLS, Finish::Length));
            assert_eq!(many.calls().last().unwrap().id, format!("c{}", CALLS - 1));
            assert!(many.is_full());
        }
        let long = "x".repeat(SAID / 4);
        let words = json!({"choices": [{"delta": {"content": long}}]});
        let arguments = json!({"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"name": "get", "arguments": long}}]}}]});
        let kept = gather(&[words.clone(), arguments.clone(), words.clone(), arguments.clone()]);
        assert_eq!((kept.text.len(), kept.calls()[0].arguments.len(), kept.is_full()), (SAID / 2, SAID / 2, false));
        for more in [words, arguments] {
            let mut kept = kept.clone();
            assert_eq!(kept.take(&more), "");
            assert_eq!((kept.text.len(), kept.calls()[0].arguments.len()), (SAID / 2, SAID / 2));
            assert_eq!(kept.finish(), Finish::Length);
        }
    }

    #[test]
    fn a_model_begins_with_what_it_says_calls_or_thinks() {
        let begun = |choice: Value| gather(&[json!({ "choices": [choice] })]).has_begun();
        for silent in [
            json!({"delta": {"role": "assistant", "content": "", "reasoning_content": ""}}),
            json!({"delta": {"content": null}, "content_filter_results": {}}),
        ] {
            assert!(!begun(silent.clone()), "{silent}");
        }
        assert!(!gather(&[json!({"choices": [], "prompt_filter_results": [{}]})]).has_begun());
        for delta in [
            json!({"content": "a"}),
            json!({"reasoning_content": "hm"}),
            json!({"reasoning": "hm"}),
            json!({"tool_calls": [{"index": 0, "function": {"name": "get"}}]}),
        ] {
            assert!(begun(json!({ "delta": delta })), "{delta}");
        }
    }

    #[test]
    fn odd_answers() {
        let finish = |reason: &str| gather(&[json!({"choices": [{"delta": {}, "finish_reason": reason}]})]).finish();
        assert_eq!(
            (finish("length"), finish("content_filter"), finish("eos")),
            (Finish::Length, Finish::Filtered, Finish::Stop)
        );
        for none in ["", "null"] {
            assert!(!gather(&[json!({"choices": [{"delta": {"content": "a"}, "finish_reason": none}]})]).has_ended());
        }
        let parts =
            gather(&[json!({"choices": [{"message": {"content": [{"type": "text", "text": "a"}, {"text": "b"}]}}]})]);
        assert_eq!((parts.text.as_str(), parts.tokens, parts.has_ended()), ("ab", None, false));
        let refused =
            gather(&[json!({"choices": [{"message": {"content": null, "refusal": "I can't"}}], "usage": {}})]);
        assert_eq!((refused.text.as_str(), refused.tokens), ("I can't", None));
        for nothing in [json!({}), json!([]), json!({"choices": []}), json!("x")] {
            assert!(!gather(&[nothing]).is_answer());
        }
        let old = gather(&[json!({"choices": [{"message": {"function_call": {"name": "get", "arguments": "{}"}}}]})]);
        assert_eq!(old.calls()[0].name, "get");
    }
}
