//! The question by which a server shows how its model calls tools.
//!
//! *Invariant:* it is the smallest that only a call answers, and nothing of a cluster is in it.

use serde_json::json;

use super::assemble::Gathered;
use super::protocol::{self, Mode};
use crate::model::chat::{ChatRequest, Finish, Message, ToolSpec};

/// The tool that a server is tried with.
const PING: &str = "ping";
/// Tokens for the answer: enough for most that think first, and then for nearly all.
pub(super) const ROOMS: [u32; 2] = [1_000, 4_000];

/// What an answer shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// It calls tools so.
    Calls,
    /// It does not.
    Words,
    /// It was cut before it came to a call: that tells nothing.
    Nothing,
}

/// The question, with so much room for the answer.
pub(super) fn question(room: u32) -> ChatRequest {
    let parameters = json!({
        "type": "object",
        "properties": {"word": {"type": "string"}},
        "required": ["word"],
        "additionalProperties": false,
    });
    ChatRequest {
        messages: vec![
            Message::System { text: "You are a program that calls tools.".to_owned() },
            Message::User { text: "Call the tool ping with the word \"pong\".".to_owned() },
        ],
        tools: vec![ToolSpec { name: PING.to_owned(), description: "Says a word.".to_owned(), parameters }],
        must_call: None,
        max_output_tokens: Some(room),
    }
}

/// What the answer in this mode shows of it.
pub(super) fn shown(mode: Mode, answer: &Gathered) -> Shown {
    let calls = match mode {
        Mode::Native => answer.calls(),
        Mode::Schema => protocol::decode(&question(0), mode, &answer.text, Vec::new()).1,
        // Whoever can write can do that.
        Mode::Text => return Shown::Calls,
    };
    match answer.finish() {
        _ if calls.iter().any(|call| call.name == PING) => Shown::Calls,
        Finish::Length => Shown::Nothing,
        Finish::Stop | Finish::Filtered => Shown::Words,
    }
}
