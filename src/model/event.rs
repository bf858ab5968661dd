//! What happens while a diagnosis is made: one schema for the terminal, for `--events` and for the API.
//!
//! *Invariant:* events go one way. The last one of a diagnosis is [`Event::Diagnosis`]; what a model or a cluster wrote
//! in them is redacted.

use serde::{Deserialize, Serialize};

use super::Diagnosis;

/// Counts breaking changes of the events.
pub const SCHEMA_VERSION: &str = "kubectl-react/event/v1";

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Event {
    /// Lists are read.
    Collecting {
        /// Lists that are complete.
        lists: usize,
        /// Lists in all.
        of: usize,
        /// Objects so far.
        objects: usize,
    },
    /// Logs and the like are read.
    Fetching {
        /// Done.
        done: usize,
        /// In all.
        of: usize,
    },
    /// Reading is done.
    Explaining,
    /// What the detectors proved; before any model is asked.
    Causes {
        /// The answer so far.
        diagnosis: Box<Diagnosis>,
    },
    /// A model thinks.
    Thinking {
        /// The request, from 1.
        request: usize,
    },
    /// A piece of what the model says, as it comes.
    AiMessage {
        /// The piece.
        text: String,
    },
    /// A tool is called.
    StartToolCalling {
        /// The step's number.
        step: usize,
        /// What the model said before.
        thought: String,
        /// The tool.
        tool: String,
        /// What it is asked.
        action: String,
    },
    /// A tool has answered.
    ToolCallingResult {
        /// The step's number.
        step: usize,
        /// What it returned, as the model reads it.
        text: String,
        /// How much that is.
        bytes: usize,
        /// How long it took.
        millis: u64,
        /// Whether it says why the call failed.
        failed: bool,
        /// What was left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// What it cost so far.
    TokenCount {
        /// Tokens sent.
        input: u64,
        /// Tokens that came back.
        output: u64,
        /// Of the price table's currency.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cost: Option<f64>,
    },
    /// Something a person should know: a model that can't be reached, a budget that is used up.
    Note {
        /// It.
        text: String,
    },
    /// The model is done.
    AiAnswerEnd,
    /// The end.
    Diagnosis {
        /// The answer.
        diagnosis: Box<Diagnosis>,
    },
    /// There is no answer.
    Error {
        /// Why.
        message: String,
        /// What to do next.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
    },
}

/// One line of `--events`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// [`SCHEMA_VERSION`].
    pub schema_version: String,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
}

impl Line {
    /// The line of an event.
    pub fn of(event: Event) -> Line {
        Line { schema_version: SCHEMA_VERSION.to_owned(), event }
    }
}
