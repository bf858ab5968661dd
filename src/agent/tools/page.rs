//! The tool `read_more`: the lines of an observation, those that were cut and those that have to be seen again.
//!
//! *Invariant:* what is paged was read and redacted before; nothing is read again. What is kept is bounded, and the
//! newest observation is always among it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{Output, Tool, ToolError, number};
use crate::model::chat::ToolSpec;

/// What is kept of all observations together, in bytes, and of one of them.
const MOST: usize = 64 << 20;
const LONGEST: usize = 16 << 20;

/// Observations in full, by step.
#[derive(Debug, Default)]
pub struct Pages {
    texts: BTreeMap<usize, String>,
    bytes: usize,
}

impl Pages {
    /// Keeps a text, of a very long one the head; the oldest go where there are too many.
    pub(super) fn keep(&mut self, step: usize, mut text: String) {
        if text.len() > LONGEST {
            text.truncate(text.floor_char_boundary(LONGEST));
            text.push_str("\n[… the rest is not kept: ask for less …]");
        }
        self.bytes += text.len();
        if let Some(before) = self.texts.insert(step, text) {
            self.bytes -= before.len();
        }
        while self.bytes > MOST
            && let Some((_, text)) = self.texts.pop_first()
        {
            self.bytes -= text.len();
        }
    }
}

/// The tool.
pub(super) struct ReadMore {
    pub(super) pages: Arc<Mutex<Pages>>,
    /// Bytes of one page.
    pub(super) cap: usize,
}

impl Tool for ReadMore {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "read_more".to_owned(),
            description: "Shows the lines of an observation again, those too that were left out.".to_owned(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "step": {"type": "integer", "description": "the step whose observation is wanted"},
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
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let found = number(arguments, "step").and_then(|step| pages.texts.get(&step));
        let from = number(arguments, "from").unwrap_or(1).max(1);
        let reply = match found {
            None => {
                let steps: Vec<String> = pages.texts.keys().map(usize::to_string).collect();
                let steps = if steps.is_empty() { "none so far".to_owned() } else { steps.join(", ") };
                Err(ToolError::new("nothing of this step is kept").hinted(format!("steps that are: {steps}")))
            }
            Some(text) => {
                let of = text.lines().count();
                let mut page = String::new();
                let mut to = from - 1;
                for line in text.lines().skip(to) {
                    if to >= from && page.len() + line.len() >= self.cap {
                        break;
                    }
                    page.push_str(line);
                    page.push('\n');
                    to += 1;
                }
                let more = if to < of { format!("; more from {}", to + 1) } else { String::new() };
                if to < from {
                    Err(ToolError::new(format!("it has {of} lines")))
                } else {
                    Ok(Output { text: page, note: Some(format!("lines {from} to {to} of {of}{more}")) })
                }
            }
        };
        Box::pin(async move { reply })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_and_the_newest_stays() {
        let mut pages = Pages::default();
        pages.keep(1, "é".repeat(MOST));
        assert!(pages.texts[&1].len() < LONGEST + 100, "the head of what is too long");
        (2..20).for_each(|step| pages.keep(step, "x".repeat(LONGEST / 2)));
        assert!(pages.bytes <= MOST && pages.bytes == pages.texts.values().map(String::len).sum::<usize>());
        assert!(pages.texts.contains_key(&19) && !pages.texts.contains_key(&1));
        pages.keep(19, "short".to_owned());
        assert_eq!(pages.bytes, pages.texts.values().map(String::len).sum::<usize>());
    }
}
