//! How a model is asked, whatever server it is on and whatever that server can.
//!
//! *Invariant:* what is sent is [`Redacted`]; the agent sees calls of tools and never how they were written on the wire.

mod assemble;
mod azure;
mod known;
mod openai;
mod probe;
mod protocol;
mod refusal;
mod retry;
mod room;
mod server;
mod sse;
pub(super) mod turn;
mod window;
mod wire;

#[cfg(test)]
#[path = "../../../tests/support/model_server.rs"]
pub(crate) mod model_server;
#[cfg(test)]
mod tests;

use std::time::Duration;

use futures::future::BoxFuture;

pub use azure::Entra;
pub use openai::OpenAi;
pub use protocol::Mode;
pub use server::{Access, Api, Server, Tools};
pub use window::window;

use crate::model::chat::{ChatReply, ChatRequest, Spent};
use crate::redact::Redacted;

/// A model that can be asked.
pub trait Model: Send + Sync {
    /// Who it is.
    fn identity(&self) -> &Identity;

    /// How it calls tools; none where that was not found out yet, or can't be.
    fn mode(&self) -> Option<Mode> {
        None
    }

    /// One turn. `heard` is called with what comes of it on the way: it is all that is known of a turn that is dropped.
    fn turn<'a>(
        &'a self,
        request: &'a Redacted<ChatRequest>,
        heard: &'a Hearing<'a>,
    ) -> BoxFuture<'a, Result<ChatReply, ModelError>>;
}

/// Who is told what comes of a turn on the way.
pub type Hearing<'a> = dyn Fn(Heard<'_>) + Send + Sync + 'a;

/// What comes of a turn before it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard<'a> {
    /// A piece of the model's text.
    Said(&'a str),
    /// A piece of an answer that comes as a stream, whatever is in it.
    Streamed,
    /// The server is asked: what the turn has cost by now, this request included. What was said before counts no more.
    Asked(Spent),
    /// The server is busy, or the connection broke: it is asked again after a pause.
    Waits {
        /// Why.
        reason: &'a str,
        /// How long.
        pause: Duration,
    },
}

/// Which model, where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The model, of Azure the deployment.
    pub model: String,
    /// Host and port of its server.
    pub server: String,
    /// How many tokens it can hold, question and answer together.
    pub window: u32,
}

/// Why a turn failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// No connection, or no answer in time.
    #[error("the model at {server} can't be reached: {reason}")]
    Unreachable {
        /// Host and port.
        server: String,
        /// Why.
        reason: String,
    },
    /// The key or token is not accepted.
    #[error("the model at {server} refuses our key: {reason}")]
    Unauthorized {
        /// Host and port.
        server: String,
        /// What it said.
        reason: String,
    },
    /// No such model or deployment there.
    #[error("{server} has no model `{model}`: {reason}")]
    NoModel {
        /// Host and port.
        server: String,
        /// The model.
        model: String,
        /// What it said.
        reason: String,
    },
    /// Too much was asked of it for now, also after waiting.
    #[error("the model at {server} is overloaded: {reason}")]
    Overloaded {
        /// Host and port.
        server: String,
        /// What it said.
        reason: String,
    },
    /// The conversation is longer than its window.
    #[error("the conversation is too long for the model: {reason}")]
    TooLong {
        /// What it said.
        reason: String,
        /// The window, where the server named it.
        window: Option<u32>,
    },
    /// A content filter refuses the conversation.
    #[error("the content filter of {server} refuses the conversation: {reason}")]
    Filtered {
        /// Host and port.
        server: String,
        /// What it said.
        reason: String,
    },
    /// An answer that can't be read, or an error that is none of the others.
    #[error("the model at {server} answered what can't be used: {reason}")]
    Unusable {
        /// Host and port.
        server: String,
        /// What.
        reason: String,
    },
    /// Recorded turns are at their end, or another question was recorded.
    #[error("{0}")]
    Replay(String),
}

impl ModelError {
    /// Whether the server may have read the question, and bill it, though there is no answer.
    pub fn may_be_billed(&self) -> bool {
        matches!(self, ModelError::Unreachable { .. } | ModelError::Unusable { .. })
    }

    /// What to do next.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            ModelError::Unreachable { .. } => {
                Some("look at `model.url`, at `model.caFile` where its certificate is a private one, and at the proxy")
            }
            ModelError::Unauthorized { .. } => Some("`kubectl react config` shows where the key was taken from"),
            ModelError::NoModel { .. } => {
                Some("look at `model.name`: on Azure it is the deployment; `kubectl react config` shows what is used")
            }
            ModelError::Overloaded { .. } => Some("try again later, or look at the quota"),
            ModelError::TooLong { .. } => Some("set `model.window` to what the model can hold"),
            ModelError::Unusable { .. } => Some("look at `model.url` and `model.tools`"),
            ModelError::Filtered { .. } => Some("look at the settings of its content filter"),
            ModelError::Replay(_) => None,
        }
    }
}
