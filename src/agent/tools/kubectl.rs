//! The tool `kubectl`: a line that only reads, answered in the process.
//!
//! *Invariant:* it takes a [`Read`](crate::kubectl::Read), so a change can't be expressed; there is no shell and no
//! program.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{Output, Tool, ToolError, text};
use crate::kubectl::{self, Command, Read, Reason};
use crate::model::chat::ToolSpec;

/// Answers lines that only read: a cluster, or a snapshot.
pub trait Reads: Send + Sync {
    /// The answer; with `grep`, only lines that it matches.
    fn read<'a>(&'a self, line: &'a Read, grep: Option<&'a str>) -> BoxFuture<'a, Result<Output, ToolError>>;
}

/// The tool.
pub struct Kubectl {
    reads: Arc<dyn Reads>,
}

impl Kubectl {
    /// Asks these.
    pub fn new(reads: Arc<dyn Reads>) -> Kubectl {
        Kubectl { reads }
    }
}

/// What it is called.
pub const NAME: &str = "kubectl";

const DESCRIPTION: &str = "\
Runs one kubectl line that only reads: get, describe, logs, events, top, rollout status, rollout history, auth can-i, \
api-resources, explain, version. No pipes, no other program. `grep` filters lines on our side before anything is cut: \
use it to search logs (`kubectl logs deploy/x -n y` with grep `error|timeout` reads the whole log). Prefer names and \
-n over -A, tables over -o yaml; -o jsonpath picks a field.";

/// The line as the grammar wants it: models leave the first word out, or begin with a prompt's sign.
fn line(arguments: &Value) -> Option<String> {
    let line = text(arguments, "command").or_else(|| text(arguments, "cmd")).or_else(|| text(arguments, "line"))?;
    let line = line.trim_start_matches("$ ").trim_matches('`').trim();
    Some(if line.split_whitespace().next() == Some("kubectl") { line.to_owned() } else { format!("kubectl {line}") })
}

/// The line and the pattern of a call in one form, however they were written; none where the line does not only read.
pub fn canonical(arguments: &Value) -> Option<String> {
    match kubectl::parse(&line(arguments)?) {
        Ok(Command::Read(read)) => {
            Some([&read.canonical(), "\n|", text(arguments, "grep").unwrap_or_default()].concat())
        }
        _ => None,
    }
}

/// Whether a line is piped into a program that filters lines.
fn greps(line: &str) -> bool {
    let program = line.split('|').nth(1).and_then(|rest| rest.split_whitespace().next());
    program.is_some_and(|program| matches!(program, "grep" | "egrep" | "rg"))
}

impl Tool for Kubectl {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: NAME.to_owned(),
            description: DESCRIPTION.to_owned(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "command": {"type": "string", "description": "the line, such as `kubectl get pods -n shop`"},
                    "grep": {"type": "string", "description": "a regular expression; only lines that match are shown"},
                },
                "required": ["command"],
                "additionalProperties": false,
            }),
        }
    }

    fn told(&self, arguments: &Value) -> String {
        let line = line(arguments).unwrap_or_else(|| "kubectl".to_owned());
        match text(arguments, "grep") {
            Some(grep) => format!("{line} (grep {grep})"),
            None => line,
        }
    }

    fn call<'a>(&'a self, arguments: &'a Value) -> BoxFuture<'a, Result<Output, ToolError>> {
        Box::pin(async move {
            let line = line(arguments).ok_or_else(|| {
                ToolError::new("no `command`").hinted("such as {\"command\": \"kubectl get pods -n shop\"}")
            })?;
            match kubectl::parse(&line) {
                Ok(Command::Read(read)) if read.params().is_empty() => {
                    self.reads.read(&read, text(arguments, "grep")).await
                }
                Ok(Command::Read(_)) => Err(ToolError::new("the line has placeholders").hinted("write names in full")),
                Ok(Command::Change(_)) => {
                    Err(ToolError::new("this line changes the cluster, and here is only reading")
                        .hinted("put it into `changes` of `finish`"))
                }
                Err(refusal) if refusal.reason == Reason::Pipe && greps(&line) => Err(ToolError::new(refusal.message)
                    .hinted("leave `| grep …` out of the line and give the pattern as the argument `grep`")),
                Err(refusal) => Err(ToolError { message: refusal.message, hint: refusal.hint }),
            }
        })
    }
}
