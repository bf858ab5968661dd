//! How calls of tools are written and read: as the server's own calls, as JSON by a schema, or as text.
//!
//! *Invariant:* pure. What can't be read is text without calls, never an error; no reply has more than [`CALLS`] calls.

mod native;
mod reading;
mod schema;
mod text;

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::chat::{Call, ChatRequest, Message};

/// The most calls of one reply that are read; a run carries out fewer.
pub(super) const CALLS: usize = 32;

/// How tools are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// `tools` and `tool_calls` of the API.
    Native,
    /// A reply that is JSON by a schema.
    Schema,
    /// Thought, Action, Action Input.
    Text,
}

impl Mode {
    /// What is tried where this one is refused.
    pub(super) fn next(self) -> Option<Mode> {
        match self {
            Mode::Native => Some(Mode::Schema),
            Mode::Schema => Some(Mode::Text),
            Mode::Text => None,
        }
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Native => "native",
            Mode::Schema => "schema",
            Mode::Text => "text",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Mode, String> {
        let all = [Mode::Native, Mode::Schema, Mode::Text];
        let known = all.into_iter().find(|mode| mode.as_str() == text);
        known.ok_or_else(|| format!("`{text}` is none of native, schema, text"))
    }
}

/// The part of a request's body that depends on the mode: messages, tools, and how the reply must look.
pub(super) fn encode(request: &ChatRequest, mode: Mode) -> Map<String, Value> {
    match mode {
        Mode::Native => native::encode(request),
        // Without tools there is nothing to write in a form.
        Mode::Schema if offered(request).next().is_some() => schema::encode(request),
        Mode::Schema | Mode::Text => text::encode(request),
    }
}

/// Words and calls of a reply: `calls` are those that the server itself read.
pub(super) fn decode(request: &ChatRequest, mode: Mode, text: &str, calls: Vec<Call>) -> (String, Vec<Call>) {
    let (text, mut calls) = if calls.is_empty() {
        reading::read(request, mode, text)
    } else {
        (reading::without_thinking(text).to_owned(), calls)
    };
    calls.truncate(CALLS);
    number(request, &mut calls);
    (text, calls)
}

/// The tools that may be called: all of them, or the one that has to be.
fn offered(request: &ChatRequest) -> impl Iterator<Item = &crate::model::chat::ToolSpec> {
    let must = request.must_call.as_deref();
    request.tools.iter().filter(move |tool| must.is_none_or(|name| tool.name == name))
}

/// Gives an id to calls that have none, or one that was there before.
fn number(request: &ChatRequest, calls: &mut [Call]) {
    let mut taken: HashSet<String> = HashSet::new();
    for message in &request.messages {
        if let Message::Assistant { calls, .. } = message {
            taken.extend(calls.iter().map(|call| call.id.clone()));
        }
    }
    for call in calls {
        if call.id.is_empty() || taken.contains(&call.id) {
            let free = (taken.len() + 1..=2 * taken.len() + 1)
                .map(|number| format!("call_{number}"))
                .find(|id| !taken.contains(id));
            call.id = free.unwrap_or_default();
        }
        taken.insert(call.id.clone());
    }
}

/// A conversation for servers that know no tools: observations are what the user says, and neighbours of one role are
/// one message, since some models want the two to take turns.
fn plain(request: &ChatRequest, section: Option<&str>, said: fn(&str, &[Call]) -> String) -> Vec<Value> {
    let mut messages: Vec<(&'static str, String)> = Vec::new();
    let mut add = |role: &'static str, text: String| match messages.last_mut() {
        Some((last, before)) if *last == role => *before = format!("{before}\n\n{text}"),
        _ => messages.push((role, text)),
    };
    let mut section = section;
    for message in &request.messages {
        match message {
            Message::System { text } => add("system", text.clone()),
            Message::User { text } => add("user", text.clone()),
            Message::Assistant { text, calls } => add("assistant", said(text, calls)),
            Message::Tool { name, text, .. } => add("user", format!("Observation ({name}):\n{text}")),
        }
    }
    if let Some(section) = section.take() {
        match messages.iter_mut().find(|(role, _)| *role == "system") {
            Some((_, text)) => *text = format!("{text}\n\n{section}"),
            None => messages.insert(0, ("system", section.to_owned())),
        }
    }
    let written = |(role, text)| serde_json::json!({"role": role, "content": text});
    messages.into_iter().map(written).collect()
}

/// The tools as text: a name, what it is for, and the schema of its arguments.
fn listed(request: &ChatRequest) -> String {
    let line = |tool: &crate::model::chat::ToolSpec| {
        format!("- {}: {}\n  arguments: {}", tool.name, tool.description, tool.parameters)
    };
    offered(request).map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
