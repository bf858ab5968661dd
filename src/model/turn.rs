//! A turn with a model as it is recorded, so that it can be played again.
//!
//! *Invariant:* of what was asked only the digest is kept: the conversation is made anew from the snapshot and the
//! answers, and the digest says whether it is the same one.

use serde::{Deserialize, Serialize};

use super::chat::{ChatReply, Spent};

/// One question to a model, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Turn {
    /// Its number, from 1.
    pub number: usize,
    /// Milliseconds from the begin of the run until it was asked.
    #[serde(default)]
    pub elapsed: u64,
    /// How often somebody had interrupted by then.
    #[serde(default)]
    pub interrupts: u8,
    /// SHA-256 of the sealed request, in hex digits.
    pub request: String,
    /// What it had cost where there is no reply to say it.
    #[serde(default, skip_serializing_if = "Spent::is_nothing")]
    pub spent: Spent,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: TurnOutcome,
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TurnOutcome {
    /// An answer.
    Reply(ChatReply),
    /// None.
    Error(TurnError),
    /// Somebody interrupted it.
    Cancelled,
    /// It was cut off when the time of the run was over.
    TimeUp,
}

/// Why there was no answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TurnError {
    /// Which error: `unreachable`, `overloaded`.
    pub kind: String,
    /// Host and port of the server, where it names one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub server: String,
    /// The model, where it names one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// Why.
    pub reason: String,
    /// The window, where the server named it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<u32>,
}
