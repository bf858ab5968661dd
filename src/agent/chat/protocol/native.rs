//! Calls as the API has them.
//!
//! *Invariant:* what is sent as arguments is a JSON object, since servers parse what they get back.

use serde_json::{Map, Value, json};

use crate::model::chat::{Call, ChatRequest, Message};

pub(super) fn encode(request: &ChatRequest) -> Map<String, Value> {
    let mut body = Map::new();
    let messages: Vec<Value> = request.messages.iter().map(message).collect();
    body.insert("messages".to_owned(), messages.into());
    if request.tools.is_empty() {
        return body;
    }
    let tool = |tool: &crate::model::chat::ToolSpec| json!({"type": "function", "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters}});
    body.insert("tools".to_owned(), request.tools.iter().map(tool).collect::<Vec<_>>().into());
    let choice = match &request.must_call {
        Some(name) => json!({"type": "function", "function": {"name": name}}),
        None => "auto".into(),
    };
    body.insert("tool_choice".to_owned(), choice);
    body
}

fn message(message: &Message) -> Value {
    match message {
        Message::System { text } => json!({"role": "system", "content": text}),
        Message::User { text } => json!({"role": "user", "content": text}),
        Message::Assistant { text, calls } if calls.is_empty() => json!({"role": "assistant", "content": text}),
        Message::Assistant { text, calls } => {
            json!({"role": "assistant", "content": text, "tool_calls": calls.iter().map(call).collect::<Vec<_>>()})
        }
        Message::Tool { id, text, .. } => json!({"role": "tool", "tool_call_id": id, "content": text}),
    }
}

fn call(call: &Call) -> Value {
    let arguments = match serde_json::from_str(&call.arguments) {
        Ok(Value::Object(_)) => call.arguments.clone(),
        _ if call.arguments.trim().is_empty() => "{}".to_owned(),
        _ => json!({"input": call.arguments}).to_string(),
    };
    json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}})
}
