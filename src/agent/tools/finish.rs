//! The tool `finish`: the answer, as a schema.
//!
//! *Invariant:* what a model writes is read with patience and believed in nothing: [`crate::agent::verify`] decides.

use futures::future::BoxFuture;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::{FINISH, Output, Tool, ToolError};
use crate::model::Confidence;
use crate::model::chat::ToolSpec;

/// The tool; the run itself takes its call.
pub(super) struct Finish;

impl Tool for Finish {
    fn spec(&self) -> ToolSpec {
        let text = |description: &str| json!({"type": "string", "description": description});
        let claim = json!({
            "type": "object",
            "properties": {
                "text": text("the statement"),
                "step": {"type": "integer", "description": "the step whose observation has the quote; 0 is the start"},
                "quote": text("words copied exactly from that observation"),
            },
            "required": ["text", "step", "quote"],
            "additionalProperties": false,
        });
        let cause = json!({
            "type": "object",
            "properties": {
                "statement": text("the cause in one sentence"),
                "object": text("the object to blame: `deployment/web -n shop`"),
                "explains": {"type": "integer", "description": "the number of the detectors' cause that this is, or lies behind; 0 for none"},
                "claims": {"type": "array", "items": claim},
            },
            "required": ["statement", "object", "explains", "claims"],
            "additionalProperties": false,
        });
        let change = json!({
            "type": "object",
            "properties": {
                "line": text("one kubectl line"),
                "purpose": text("what it is for"),
            },
            "required": ["line", "purpose"],
            "additionalProperties": false,
        });
        ToolSpec {
            name: FINISH.to_owned(),
            description: "Gives the answer and ends the run.".to_owned(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "summary": text("the answer in two to four sentences of markdown; to the question where one was asked"),
                    "causes": {"type": "array", "items": cause},
                    "changes": {"type": "array", "items": change, "description": "what would fix it; nothing is executed"},
                    "not_checked": {"type": "array", "items": {"type": "string"}},
                    "undecided": text("what would decide it, where you can't tell; else empty"),
                    "confidence": {"type": "string", "enum": ["low", "medium", "high"]},
                },
                "required": ["summary", "causes", "changes", "not_checked", "undecided", "confidence"],
                "additionalProperties": false,
            }),
        }
    }

    fn told(&self, _: &Value) -> String {
        FINISH.to_owned()
    }

    fn call<'a>(&'a self, _: &'a Value) -> BoxFuture<'a, Result<Output, ToolError>> {
        Box::pin(async { Err(ToolError::new("`finish` ends the run")) })
    }

    fn proves(&self) -> bool {
        false
    }
}

/// An answer as a model wrote it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Finished {
    /// The answer in a few sentences.
    #[serde(deserialize_with = "words")]
    pub summary: String,
    /// The causes.
    #[serde(deserialize_with = "list")]
    pub causes: Vec<FinishedCause>,
    /// Lines of kubectl.
    #[serde(deserialize_with = "list", alias = "suggested_changes")]
    pub changes: Vec<FinishedChange>,
    /// What was not looked at.
    #[serde(deserialize_with = "texts", alias = "notChecked")]
    pub not_checked: Vec<String>,
    /// What would decide it.
    #[serde(deserialize_with = "words")]
    pub undecided: String,
    /// How sure it is.
    #[serde(deserialize_with = "sure")]
    pub confidence: Confidence,
}

/// A cause as a model wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct FinishedCause {
    /// One sentence.
    #[serde(deserialize_with = "words")]
    pub statement: String,
    /// The object.
    #[serde(deserialize_with = "words")]
    pub object: String,
    /// The number of the detectors' cause, or its fingerprint; empty for none.
    #[serde(deserialize_with = "words")]
    pub explains: String,
    /// What proves it.
    #[serde(deserialize_with = "list")]
    pub claims: Vec<FinishedClaim>,
}

/// A claim as a model wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct FinishedClaim {
    /// The statement.
    #[serde(deserialize_with = "words", alias = "claim")]
    pub text: String,
    /// The step: `3`, `step 3`.
    #[serde(deserialize_with = "words")]
    pub step: String,
    /// The words.
    #[serde(deserialize_with = "words")]
    pub quote: String,
}

/// A change as a model wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct FinishedChange {
    /// The line.
    #[serde(deserialize_with = "words", alias = "command")]
    pub line: String,
    /// What it is for.
    #[serde(deserialize_with = "words")]
    pub purpose: String,
}

/// Reads the arguments of `finish`.
///
/// # Errors
/// When they are no JSON object, or hold neither a summary nor a cause.
pub fn read(arguments: &str) -> Result<Finished, String> {
    let value = super::arguments(arguments)?;
    let finished: Finished = serde_json::from_value(value).map_err(|error| error.to_string())?;
    if finished.summary.trim().is_empty() && finished.causes.is_empty() && finished.undecided.trim().is_empty() {
        return Err("it has neither a `summary` nor `causes`".to_owned());
    }
    Ok(finished)
}

/// A text, or a number as text; nothing else.
fn words<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => String::new(),
    })
}

/// A list; one thing is a list of one, what can't be read is left out.
fn list<'de, D: Deserializer<'de>, T: serde::de::DeserializeOwned>(from: D) -> Result<Vec<T>, D::Error> {
    Ok(items(Value::deserialize(from)?).into_iter().filter_map(|item| serde_json::from_value(item).ok()).collect())
}

fn texts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let text = |item: Value| item.as_str().map(str::to_owned);
    Ok(items(Value::deserialize(from)?).into_iter().filter_map(text).filter(|text| !text.trim().is_empty()).collect())
}

fn items(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

/// `high`, `High`, 0.9, `90%`.
fn sure<'de, D: Deserializer<'de>>(from: D) -> Result<Confidence, D::Error> {
    let text = words(from)?.to_lowercase();
    let share = text.trim_end_matches('%').parse::<f64>().ok();
    let share = share.map(|share| if share > 1.0 { share / 100.0 } else { share });
    Ok(match (text.as_str(), share) {
        ("high", _) => Confidence::High,
        ("medium", _) => Confidence::Medium,
        (_, Some(share)) if share >= 0.85 => Confidence::High,
        (_, Some(share)) if share >= 0.5 => Confidence::Medium,
        _ => Confidence::Low,
    })
}
