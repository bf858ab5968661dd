//! What the agent found out: its steps, its answer, and what that answer cost.
//!
//! *Invariant:* a [`Claim`] names the step and the words that prove it; whether they stand there is said by
//! [`Standing`], which only `agent::verify` decides, never a model.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Time;

/// When a model is asked about a case that is clear without one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Explain {
    /// Once, to put it into words.
    #[default]
    Auto,
    /// As if it were not clear.
    Always,
    /// Not at all: a proven cause stands as it is.
    Never,
}

impl Explain {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Explain::Auto => "auto",
            Explain::Always => "always",
            Explain::Never => "never",
        }
    }
}

impl FromStr for Explain {
    type Err = String;

    fn from_str(text: &str) -> Result<Explain, String> {
        let known = [Explain::Auto, Explain::Always, Explain::Never].into_iter().find(|word| word.as_str() == text);
        known.ok_or_else(|| format!("`{text}` is none of auto, always, never"))
    }
}

/// One Thought, Action and Observation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Step {
    /// Its number, from 1. Number 0 is what the agent started from: causes, evidence, passages, gaps.
    pub number: usize,
    /// What the model said before it acted, cut to a sentence or two.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub thought: String,
    /// The tool's name: `kubectl`.
    pub tool: String,
    /// What it was asked, as a person would write it: `kubectl get pods -n shop`.
    pub action: String,
    /// What the call returned, also its error; redacted, as it was sent to the model.
    pub observation: Observation,
    /// How long the call took, in milliseconds.
    pub millis: u64,
}

/// What a call returned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Observation {
    /// The text.
    pub text: String,
    /// Whether it says why the call failed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// What was left out, and how to see it: `showing 40 of 312 lines; …`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Whether a content filter refused it, so that the model never saw it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub withheld: bool,
}

/// The answer of the agent, each claim held against what was read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Answer {
    /// The answer in a few sentences of markdown; to the question where one was asked.
    pub summary: String,
    /// Whether the summary names what was not read; said only where it does.
    #[serde(skip_serializing_if = "Standing::is_unchecked")]
    pub summary_standing: Standing,
    /// The causes as the model sees them, the deepest first.
    pub causes: Vec<StatedCause>,
    /// What would help, as lines of kubectl. Nothing of this was executed.
    pub changes: Vec<SuggestedChange>,
    /// What was not looked at, or could not be.
    pub not_checked: Vec<String>,
    /// What would decide it, where it can't be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undecided: Option<String>,
    /// How sure the model says it is.
    pub confidence: Confidence,
    /// Where it contradicts what the detectors proved, in a sentence for each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contradictions: Vec<String>,
}

/// A cause in the model's words.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct StatedCause {
    /// One sentence.
    pub statement: String,
    /// The object to blame, `deployment/web` with its namespace; as the model wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The fingerprint of the detectors' cause that it explains, where it is one of those.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explains: Option<String>,
    /// What proves it.
    pub claims: Vec<Claim>,
    /// Whether its claims hold.
    pub standing: Standing,
}

/// A statement with the words that prove it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Claim {
    /// The statement.
    pub text: String,
    /// The step whose observation has the quote; 0 for what the agent started from.
    pub step: usize,
    /// The words, as they stand there.
    pub quote: String,
    /// Whether they do.
    pub standing: Standing,
}

/// Whether something is proven by what was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum Standing {
    /// The quote stands there, and what is named was read.
    Supported,
    /// It is not.
    Unsupported {
        /// Why: `the quote does not stand in step 3`.
        why: String,
    },
    /// Not looked at yet.
    #[default]
    Unchecked,
}

impl Standing {
    /// Whether nobody has anything to say of it.
    fn is_unchecked(&self) -> bool {
        *self == Standing::Unchecked
    }
}

/// How sure a model says it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// A guess.
    #[default]
    Low,
    /// Likely.
    Medium,
    /// Proven.
    High,
}

/// A change that a model suggests; nobody executes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SuggestedChange {
    /// The line, with the context in use where it parses.
    pub line: String,
    /// What it is for.
    pub purpose: String,
    /// Why the grammar of commands refuses it; such a line is text, to be read and not to be pasted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// What makes it dangerous.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub risks: Vec<String>,
    /// What the server said when it was asked to pretend, with `--check-changes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<DryRun>,
}

/// What a server-side dry run gave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DryRun {
    /// Whether the server would take it.
    pub accepted: bool,
    /// What it said.
    pub said: String,
}

/// Why the agent stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Ended {
    /// It answered.
    #[default]
    Answered,
    /// Its steps were used up.
    Steps,
    /// Its tokens were.
    Tokens,
    /// Its time was.
    Time,
    /// Its money was.
    Cost,
    /// It went in circles.
    Circles,
    /// A person stopped it.
    Interrupted,
    /// The model could not be reached, or gave nothing that could be read.
    ModelFailed,
}

/// What a run of the agent did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Exploration {
    /// The question, where one was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// Its steps, in order.
    pub steps: Vec<Step>,
    /// Its answer; none where it gave none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// Why it stopped.
    pub ended: Ended,
    /// What went wrong on the way, for people.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What it cost.
    pub usage: Usage,
    /// The incident that keeps it: `20261126-101500-7f3a`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
}

/// What the model was asked, and what it cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Usage {
    /// The model as the server was asked for it.
    pub model: String,
    /// The server's host, without credentials.
    pub server: String,
    /// Which prompt and tools it was given.
    pub prompt_version: String,
    /// Requests, those that were repeated included.
    pub requests: usize,
    /// Tokens sent.
    pub input_tokens: u64,
    /// Of these, those that the server had cached.
    pub cached_tokens: u64,
    /// Tokens that came back, those of reasoning included.
    pub output_tokens: u64,
    /// Whether the tokens are our guess, since the server did not say.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
    /// Bytes sent to the server.
    pub bytes_sent: u64,
    /// In the currency of the price table; none where the model has no price there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
    /// That currency: `USD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// From the first request to the last answer, in milliseconds.
    pub millis: u64,
    /// When the first request was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<Time>,
}
