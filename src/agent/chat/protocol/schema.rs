//! A reply that is JSON by a schema: `{"thought": …, "tool": …, "arguments": {…}}`.
//!
//! *Invariant:* the schema allows the tools that are there, and nothing else.

use serde_json::{Map, Value, json};

use super::{listed, offered, plain};
use crate::model::chat::{Call, ChatRequest};

pub(super) fn encode(request: &ChatRequest) -> Map<String, Value> {
    let section = format!(
        "Reply with one JSON object and nothing else: {{\"thought\": \"why\", \"tool\": \"NAME\", \"arguments\": {{…}}}}. \
         It calls one tool; what the tool returns comes back as an Observation. The tools:\n{}",
        listed(request)
    );
    let mut body = Map::new();
    body.insert("messages".to_owned(), plain(request, Some(&section), said).into());
    body.insert("response_format".to_owned(), format(request));
    body
}

/// A reply as it was given.
fn said(text: &str, calls: &[Call]) -> String {
    if calls.is_empty() {
        return text.to_owned();
    }
    let line = |call: &Call| {
        let arguments = serde_json::from_str(&call.arguments).unwrap_or_else(|_| Value::String(call.arguments.clone()));
        json!({"thought": text, "tool": call.name, "arguments": arguments}).to_string()
    };
    calls.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn format(request: &ChatRequest) -> Value {
    let names: Vec<&str> = offered(request).map(|tool| tool.name.as_str()).collect();
    let mut arguments: Vec<&Value> = offered(request).map(|tool| &tool.parameters).collect();
    let strict = arguments.iter().all(|schema| is_strict(schema));
    let arguments = match (arguments.pop(), arguments.is_empty()) {
        (Some(only), true) => only.clone(),
        (last, _) => {
            arguments.extend(last);
            json!({"anyOf": arguments})
        }
    };
    let schema = json!({
        "type": "object",
        "properties": {
            "thought": {"type": "string"},
            "tool": {"type": "string", "enum": names},
            "arguments": arguments,
        },
        "required": ["thought", "tool", "arguments"],
        "additionalProperties": false,
    });
    json!({"type": "json_schema", "json_schema": {"name": "step", "strict": strict, "schema": schema}})
}

/// Whether OpenAI takes it as strict: each object closed, and all of its properties required.
fn is_strict(schema: &Value) -> bool {
    match schema {
        Value::Object(map) => {
            let is_object = map.get("type").is_some_and(|kind| kind == "object");
            let properties = map.get("properties").and_then(Value::as_object);
            let required = map.get("required").and_then(Value::as_array);
            let all = properties.is_none_or(|properties| {
                properties.keys().all(|key| required.is_some_and(|required| required.iter().any(|name| name == key)))
            });
            (!is_object || all && map.get("additionalProperties") == Some(&Value::Bool(false)))
                && map.values().all(is_strict)
        }
        Value::Array(list) => list.iter().all(is_strict),
        _ => true,
    }
}
