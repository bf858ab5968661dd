//! The tool `read_more`: the lines of an observation that were cut.
//!
//! *Invariant:* what is paged was read and redacted before; nothing is read again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{Output, Tool, ToolError, number};
use crate::model::chat::ToolSpec;

/// What is kept of all observations together, in bytes.
const MOST: usize = 64 << 20;

/// Observations in full, by step.
#[derive(Debug, Default)]
pub struct Pages {
    texts: BTreeMap<usize, String>,
    bytes: usize,
}

impl Pages {
    /// Keeps a text; the oldest go where there are too many.
    pub(super) fn keep(&mut self, step: usize, text: String) {
        self.bytes += text.len();
        self.texts.insert(step, text);
        while self.bytes > MOST
            && let Some((_, text)) = self.texts.pop_first()
        {
            self.bytes -= text.len();
        }
    }
}

/// The tool.
pub(super) struct ReadMore(pub(super) Arc<Mutex<Pages>>);

impl Tool for ReadMore {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "read_more".to_owned(),
            description: "Shows lines of an observation that were left out.".to_owned(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "step": {"type": "integer", "description": "the step whose observation was cut"},
                    "from": {"type": "integer", "description": "the first line to show, from 1"},
                },
                "required": ["step", "from"],
                "additionalProperties": false,
            }),
        }
    }

    fn told(&self, arguments: &Value) -> String {
        let part = |name| number(arguments, name).map_or_else(|| "?".to_owned(), |number| number.to_string());
        format!("read_more of step {} from line {}", part("step"), part("from"))
    }

    fn call<'a>(&'a self, arguments: &'a Value) -> BoxFuture<'a, Result<Output, ToolError>> {
        let pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = number(arguments, "step").and_then(|step| pages.texts.get(&step));
        let from = number(arguments, "from").unwrap_or(1).max(1);
        let reply = match found {
            None => {
                let steps: Vec<String> = pages.texts.keys().map(usize::to_string).collect();
                let steps = if steps.is_empty() { "none so far".to_owned() } else { steps.join(", ") };
                Err(ToolError::new("nothing of this step was left out").hinted(format!("steps that were cut: {steps}")))
            }
            Some(text) => {
                let of = text.lines().count();
                let rest: Vec<&str> = text.lines().skip(from - 1).collect();
                if rest.is_empty() {
                    Err(ToolError::new(format!("it has {of} lines")))
                } else {
                    Ok(Output { text: rest.join("\n"), note: Some(format!("from line {from} of {of}")) })
                }
            }
        };
        Box::pin(async move { reply })
    }
}
