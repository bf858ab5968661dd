//! The talk with a model: what is said to it, and what it says; the same whatever the server speaks.
//!
//! *Invariant:* nothing of this is sent but as `Redacted<ChatRequest>`; what came back is recorded as it came, so
//! that an incident can be replayed.

use serde::{Deserialize, Serialize};

/// A message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "lowercase")]
pub enum Message {
    /// What the model is, and the rules.
    System {
        /// The text.
        text: String,
    },
    /// What is asked, or told.
    User {
        /// The text.
        text: String,
    },
    /// What the model said.
    Assistant {
        /// Its words.
        text: String,
        /// The tools that it called.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        calls: Vec<Call>,
    },
    /// What a tool returned.
    Tool {
        /// The call that it answers, [`Call::id`].
        id: String,
        /// The tool's name.
        name: String,
        /// The text.
        text: String,
    },
}

impl Message {
    /// Its text.
    pub fn text(&self) -> &str {
        match self {
            Message::System { text }
            | Message::User { text }
            | Message::Assistant { text, .. }
            | Message::Tool { text, .. } => text,
        }
    }
}

/// A call of a tool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Call {
    /// Its id; unique in the conversation.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// Its arguments as the model wrote them: JSON, where all went well.
    pub arguments: String,
}

/// A tool as a model is told of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolSpec {
    /// Its name: `[a-z_]+`.
    pub name: String,
    /// What it is for, and how to use it.
    pub description: String,
    /// The JSON Schema of its arguments: an object.
    pub parameters: serde_json::Value,
}

/// What a model is asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ChatRequest {
    /// The conversation.
    pub messages: Vec<Message>,
    /// The tools that it may call now.
    pub tools: Vec<ToolSpec>,
    /// The tool that it has to call, where it has no choice.
    pub must_call: Option<String>,
    /// The most tokens that it may say.
    pub max_output_tokens: Option<u32>,
}

/// What a model said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ChatReply {
    /// Its words.
    pub text: String,
    /// The tools that it called.
    pub calls: Vec<Call>,
    /// Why it stopped.
    pub finish: Finish,
    /// What the server says it cost; none where it does not say.
    pub tokens: Option<Tokens>,
    /// Bytes of the request's body, all tries together.
    pub bytes_sent: u64,
    /// How often it was asked until it answered.
    pub tries: usize,
}

/// Why a model stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Finish {
    /// It was done, or called a tool.
    #[default]
    Stop,
    /// It may not say more: what it said is cut.
    Length,
    /// A content filter stopped it.
    Filtered,
}

/// What a turn has cost the wire, whether it is answered or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spent {
    /// Requests, those that were repeated included.
    pub requests: usize,
    /// Bytes of their bodies.
    pub bytes_sent: u64,
}

impl Spent {
    /// Whether nothing was sent.
    pub fn is_nothing(&self) -> bool {
        *self == Spent::default()
    }
}

/// Tokens of one turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Tokens {
    /// Sent.
    pub input: u64,
    /// Of these, cached by the server.
    pub cached: u64,
    /// Came back, those of reasoning included.
    pub output: u64,
}
