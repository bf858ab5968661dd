//! A model behind a real socket: what is sent, what is made of the answers, and what happens when it goes wrong.

mod errors;
mod modes;
mod wire;

use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};

use super::model_server::{Asked, ModelServer, Piece, Reply, Said, Turn, calls, text};
use super::*;
use crate::model::chat::{Call, ChatReply, ChatRequest, Finish, Message, Tokens, ToolSpec};
use crate::redact::{Redacted, Redactor};

fn request() -> Redacted<ChatRequest> {
    let parameters = json!({"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]});
    let tool = |name: &str| ToolSpec { name: name.into(), description: "d".into(), parameters: parameters.clone() };
    let messages = vec![Message::System { text: "rules".into() }, Message::User { text: "why?".into() }];
    let request = ChatRequest { messages, tools: vec![tool("kubectl"), tool("finish")], ..ChatRequest::default() };
    Redactor::new([7; 32]).seal_texts(request)
}

/// A server that is known to call tools, and is not patient.
fn native(server: &ModelServer) -> Server {
    Server {
        tools: Tools::Always(Mode::Native),
        timeout: Duration::from_secs(20),
        idle: Duration::from_millis(1500),
        ..Server::new(format!("{}/v1", server.url()), "m")
    }
}

fn auto(server: &ModelServer) -> Server {
    Server { tools: Tools::Auto, ..native(server) }
}

/// The answer of one turn, and what was said while it came.
async fn ask(server: Server) -> Result<(ChatReply, String), ModelError> {
    let model = OpenAi::open(server)?;
    turn(&model).await
}

async fn turn(model: &OpenAi) -> Result<(ChatReply, String), ModelError> {
    let heard = Mutex::new(String::new());
    let hearing = |piece: Heard<'_>| {
        if let Heard::Said(text) = piece {
            heard.lock().unwrap().push_str(text);
        }
    };
    let reply = model.turn(&request(), &hearing).await?;
    Ok((reply, heard.into_inner().unwrap()))
}

fn kubectl() -> Said {
    calls(&[("kubectl", json!({"command": "kubectl get pods"}))])
}

fn pong() -> Said {
    calls(&[("ping", json!({"word": "pong"}))])
}

fn refusal(status: u16, error: Value) -> Reply {
    Reply::json(status, &json!({ "error": error }))
}
