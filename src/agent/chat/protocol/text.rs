//! Calls as text: Thought, Action, Action Input.
//!
//! *Invariant:* the model stops before it makes up an observation, where the server heeds `stop`.

use serde_json::{Map, Value, json};

use super::{listed, offered, plain};
use crate::model::chat::{Call, ChatRequest};

/// Before a model writes down what only a tool can know.
pub(super) const OBSERVATION: &str = "Observation";

pub(super) fn encode(request: &ChatRequest) -> Map<String, Value> {
    let mut body = Map::new();
    let tools = offered(request).next().is_some().then(|| section(request));
    body.insert("messages".to_owned(), plain(request, tools.as_deref(), said).into());
    if tools.is_some() {
        body.insert("stop".to_owned(), json!([format!("{OBSERVATION}:"), format!("\n{OBSERVATION} (")]));
    }
    body
}

fn section(request: &ChatRequest) -> String {
    let must = request.must_call.as_ref().map_or(String::new(), |name| format!(" Call {name} now."));
    format!(
        "Reply in this form, with one call, and stop after it:\n\
         Thought: why\n\
         Action: the name of a tool\n\
         Action Input: its arguments as one JSON object\n\
         What the tool returns comes back as an Observation; never write one yourself.{must} The tools:\n{}",
        listed(request)
    )
}

/// A reply as it was given.
fn said(text: &str, calls: &[Call]) -> String {
    let thought = if text.is_empty() || calls.is_empty() { text.to_owned() } else { format!("Thought: {text}") };
    let called = calls.iter().map(|call| format!("Action: {}\nAction Input: {}", call.name, call.arguments));
    std::iter::once(thought).filter(|thought| !thought.is_empty()).chain(called).collect::<Vec<_>>().join("\n")
}
