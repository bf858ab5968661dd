//! The tools of the agent: each one file with its name, description, schema, call and tests.
//!
//! *Invariant:* a tool reads and nothing else. What a call returns is an observation, also its error. To add one is a
//! file here, and a line where [`Toolbox`] is filled.

mod alerts;
mod finish;
pub mod kubectl;
mod metrics;
mod page;
mod prometheus;
mod runbooks;

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use futures::future::BoxFuture;
use serde_json::Value;

use super::shape;
use crate::model::Observation;
use crate::model::chat::{Call, ToolSpec};
use crate::printable::printable;
use crate::redact::Redactor;

pub use alerts::{ListAlerts, alerts};
pub use finish::{Finished, FinishedCause, FinishedChange, FinishedClaim, read as read_finish};
pub use metrics::Server as MetricsServer;
pub use page::Pages;
pub use prometheus::{QueryPrometheus, targets};
pub use runbooks::{ReadRunbook, SearchRunbooks};

/// The tool that ends a run.
pub const FINISH: &str = "finish";

/// A tool.
pub trait Tool: Send + Sync {
    /// What a model is told of it.
    fn spec(&self) -> ToolSpec;

    /// A call as a person would write it, on one line.
    fn told(&self, arguments: &Value) -> String;

    /// Calls it.
    fn call<'a>(&'a self, arguments: &'a Value) -> BoxFuture<'a, Result<Output, ToolError>>;

    /// Whether what it returns proves something about the cluster.
    fn proves(&self) -> bool {
        true
    }
}

/// What a tool returns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The text.
    pub text: String,
    /// What was left out, and how to see it.
    pub note: Option<String>,
}

/// Why a call failed; a model reads it and tries something else.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ToolError {
    /// What is wrong.
    pub message: String,
    /// What to do instead.
    pub hint: Option<String>,
}

impl ToolError {
    /// An error without a hint.
    pub fn new(message: impl Into<String>) -> ToolError {
        ToolError { message: message.into(), hint: None }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hinted(self, hint: impl Into<String>) -> ToolError {
        ToolError { hint: Some(hint.into()), ..self }
    }

    fn text(&self) -> String {
        let hint = self.hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        format!("error: {}{hint}", self.message)
    }
}

/// Who carries out what a model asks for: tools, or a recording of them.
pub trait Hands: Send + Sync {
    /// What a model is told of the tools.
    fn specs(&self) -> Vec<ToolSpec>;

    /// A call as a person would write it, on one line.
    fn told(&self, call: &Call) -> String;

    /// Whether what this tool returns proves something about the cluster.
    fn proves(&self, tool: &str) -> bool;

    /// Carries out the call that makes step `number`; gives the milliseconds that it took.
    fn act<'a>(&'a self, number: usize, call: &'a Call) -> BoxFuture<'a, (Observation, u64)>;
}

/// The tools of a run.
pub struct Toolbox {
    tools: Vec<Box<dyn Tool>>,
    redactor: Redactor,
    pages: Arc<Mutex<Pages>>,
    /// Bytes of one observation.
    cap: usize,
}

impl Toolbox {
    /// Tools for a model whose window holds this many tokens.
    pub fn new(tools: Vec<Box<dyn Tool>>, redactor: Redactor, window: u32) -> Toolbox {
        let pages = Arc::new(Mutex::new(Pages::default()));
        let mut tools = tools;
        // A sixth of the window, and never more than a person would scroll through.
        let cap = (window as usize / 2).clamp(2_000, 12_000);
        tools.push(Box::new(page::ReadMore { pages: Arc::clone(&pages), cap }));
        tools.push(Box::new(finish::Finish));
        Toolbox { tools, redactor, pages, cap }
    }

    fn tool(&self, name: &str) -> Option<&dyn Tool> {
        self.tools.iter().find(|tool| tool.spec().name == name).map(|tool| &**tool)
    }

    fn names(&self) -> String {
        self.tools.iter().map(|tool| tool.spec().name).collect::<Vec<_>>().join(", ")
    }

    async fn called(&self, number: usize, call: &Call) -> Observation {
        let failed = |error: &ToolError| Observation { text: error.text(), failed: true, ..Observation::default() };
        let Some(tool) = self.tool(&call.name) else {
            return failed(&ToolError::new(format!("there is no tool `{}`", call.name)).hinted(self.names()));
        };
        let arguments = match arguments(&call.arguments) {
            Ok(arguments) => arguments,
            Err(reason) => {
                let error = ToolError::new(format!("the arguments are no JSON object: {reason}"));
                return failed(&error.hinted(tool.spec().parameters.to_string()));
            }
        };
        match tool.call(&arguments).await {
            Ok(output) => {
                let text = self.clean(&output.text);
                let whole = shape::broken(&text, self.cap);
                let pieces = matches!(whole, Cow::Owned(_)).then(|| "long lines are in numbered pieces".to_owned());
                let text = whole.into_owned();
                let cut = shape::cut(&text, self.cap, number);
                self.pages.lock().unwrap_or_else(PoisonError::into_inner).keep(number, text);
                let note = [output.note, pieces, cut.note].into_iter().flatten().collect::<Vec<_>>().join("; ");
                Observation {
                    text: cut.text,
                    note: Some(note).filter(|note| !note.is_empty()),
                    ..Observation::default()
                }
            }
            Err(error) => {
                let mut observation = failed(&error);
                observation.text = shape::cut(&self.clean(&observation.text), self.cap, number).text;
                observation
            }
        }
    }

    /// Without secrets, control characters, and what could end the frame around it.
    fn clean(&self, text: &str) -> String {
        let text = self.redactor.seal_texts(printable(text).into_owned()).into_inner();
        shape::unframed(&text)
    }
}

impl Hands for Toolbox {
    fn specs(&self) -> Vec<ToolSpec> {
        self.tools.iter().map(|tool| tool.spec()).collect()
    }

    fn told(&self, call: &Call) -> String {
        let arguments = arguments(&call.arguments).unwrap_or_default();
        let told = self.tool(&call.name).map(|tool| tool.told(&arguments));
        let told = told.unwrap_or_else(|| format!("{} {}", call.name, call.arguments));
        self.clean(&shape::head(&told.replace('\n', " "), 300))
    }

    fn proves(&self, tool: &str) -> bool {
        self.tool(tool).is_some_and(Tool::proves)
    }

    fn act<'a>(&'a self, number: usize, call: &'a Call) -> BoxFuture<'a, (Observation, u64)> {
        Box::pin(async move {
            let started = Instant::now();
            let observation = self.called(number, call).await;
            (observation, u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX))
        })
    }
}

/// What a model wrote as arguments, read with patience: a fence around it, nothing at all, a JSON string that holds the JSON.
pub fn arguments(text: &str) -> Result<Value, String> {
    let text = text.trim();
    let text = text.strip_prefix("```json").or_else(|| text.strip_prefix("```")).unwrap_or(text);
    let text = text.strip_suffix("```").unwrap_or(text).trim();
    if text.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Ok(Value::Object(map)),
        Ok(Value::String(inner)) => match serde_json::from_str(&inner) {
            Ok(Value::Object(map)) => Ok(Value::Object(map)),
            _ => Err("it is a string".to_owned()),
        },
        Ok(Value::Null) => Ok(Value::Object(serde_json::Map::new())),
        Ok(_) => Err("it is no object".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// The text of an argument; nothing where it is absent or empty.
fn text<'a>(arguments: &'a Value, name: &str) -> Option<&'a str> {
    arguments.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
}

/// The number of an argument, also where it is written as text.
fn number(arguments: &Value, name: &str) -> Option<usize> {
    let value = arguments.get(name)?;
    let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())?;
    usize::try_from(number).ok()
}

#[cfg(test)]
mod tests;
