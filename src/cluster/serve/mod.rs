//! Answers lines that only read, as kubectl would, without a kubectl: from the cluster, or from a snapshot.
//!
//! It is the main tool of a model that diagnoses, so what it says is shaped for one: tables and projections rather
//! than dumps, logs with equal lines counted, and a note where something was left out and how to see it.
//!
//! *Invariant:* nothing leaves but [`Redacted`] text; nothing waits, watches or changes; what could not be read is an
//! error and never an empty answer.

mod api;
mod can_i;
mod columns;
mod describe;
mod discovery;
mod error;
mod events;
mod explain;
mod filter;
mod get;
mod jsonpath;
mod live;
mod logs;
mod pod;
mod references;
mod rollout;
mod saved;
mod source;
mod table;
#[cfg(test)]
mod tests;
mod top;
mod value;
mod wait;
mod yaml;

use std::sync::Arc;

pub use error::ServeError;
use filter::Grep;
use source::{Source, Type, Which};

use super::connect::Connection;
use crate::kubectl::{Line, Read};
use crate::model::Snapshot;
use crate::redact::{Redacted, Redactor};

/// Serves lines that only read.
pub struct Server {
    source: Source,
    context: String,
    namespace: String,
    redactor: Redactor,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("context", &self.context).finish_non_exhaustive()
    }
}

/// What is asked beside kubectl's line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Keeps the lines that this regular expression finds, in any case. It is applied before any bound, and to
    /// redacted text, so that it can't ask about a secret.
    pub grep: Option<String>,
    /// Lines kept before and after each of them.
    pub context_lines: usize,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Served {
    /// What kubectl would print.
    pub text: Redacted<String>,
    /// What was left out or chosen, and how to see the rest: `showing 100 of 4,213 lines; narrow with --since`.
    pub note: Option<String>,
}

/// An answer before it is filtered and sealed.
#[derive(Debug, Default)]
struct Answer {
    text: String,
    notes: Vec<String>,
    /// Whether its lines are sentences rather than settings.
    prose: bool,
    /// Whether the first line is a head, which stays whatever is looked for.
    head: bool,
    /// Whether it was looked through already.
    searched: bool,
}

impl Answer {
    fn of(text: impl Into<String>) -> Answer {
        Answer { text: text.into(), ..Answer::default() }
    }

    fn noted(mut self, note: impl Into<String>) -> Answer {
        self.notes.push(note.into());
        self
    }

    fn headed(mut self, head: bool) -> Answer {
        self.head = head;
        self
    }
}

impl Server {
    /// Serves from a cluster.
    pub fn live(connection: &Connection, redactor: Redactor) -> Server {
        Server {
            source: Source::Live(live::Live::new(connection.client.clone(), redactor.clone())),
            context: connection.context.clone(),
            namespace: connection.namespace.clone(),
            redactor,
        }
    }

    /// Serves from a snapshot; its namespace, or `default`, is where a line without one looks.
    pub fn saved(snapshot: Arc<Redacted<Snapshot>>, redactor: Redactor) -> Server {
        Server {
            context: snapshot.context.clone(),
            namespace: snapshot.scope.namespace.clone().unwrap_or_else(|| "default".to_owned()),
            source: Source::Saved(saved::Saved::new(snapshot, redactor.clone())),
            redactor,
        }
    }

    /// Answers a line.
    pub async fn serve(&self, line: &Read, options: &Options) -> Result<Served, ServeError> {
        line.check_context(&self.context).map_err(ServeError::Context)?;
        let grep = Grep::new(options)?;
        let mut answer = match (line.verb(), line.subcommand()) {
            ("get", _) => get::get(self, line).await,
            ("describe", _) => describe::describe(self, line).await,
            ("logs", _) => logs::logs(self, line, grep.as_ref()).await,
            ("events", _) => events::events(self, line).await,
            ("top", Some("node")) => top::nodes(self, line).await,
            ("top", _) => top::pods(self, line).await,
            ("rollout", Some("history")) => rollout::history(self, line).await,
            ("rollout", _) => rollout::status(self, line).await,
            ("auth", _) => can_i::can_i(self, line).await,
            ("api-resources", _) => api::resources(self, line).await,
            ("version", _) => api::version(self, line).await,
            ("explain", _) => explain::explain(self, line).await,
            ("wait", _) => wait::wait(self, line).await,
            (verb, _) => Err(ServeError::unsupported(format!("`kubectl {verb}`"), "use get, describe, logs or events")),
        }?;
        let seal =
            |text: &str| if answer.prose { self.redactor.seal_prose(text) } else { self.redactor.seal_text(text) };
        let mut text = seal(&answer.text);
        if let Some(grep) = grep.as_ref().filter(|_| !answer.searched) {
            let (found, note) = grep.apply(&text, answer.head);
            text = seal(&found);
            answer.notes.push(note);
        }
        let note = (!answer.notes.is_empty()).then(|| self.redactor.text(&answer.notes.join("; ")).into_owned());
        Ok(Served { text, note })
    }

    /// Where a line looks: its namespace, all, or ours.
    fn namespace_of(&self, line: &Line) -> Option<String> {
        (!line.all_namespaces()).then(|| self.own_namespace(line).to_owned())
    }

    fn own_namespace<'s>(&'s self, line: &'s Line) -> &'s str {
        line.namespace().unwrap_or(&self.namespace)
    }

    /// Which objects of a type a line means.
    fn which(&self, line: &Line) -> Which {
        let text = |flag| line.flag(flag).map(str::to_owned).filter(|text| !text.is_empty());
        Which { namespace: self.namespace_of(line), labels: text("selector"), fields: text("field-selector") }
    }

    /// What is said where there is nothing.
    fn nothing(of: &[Type], namespace: Option<&str>) -> String {
        match namespace.filter(|_| of.iter().any(|of| of.namespaced)) {
            Some(namespace) => format!("No resources found in {namespace} namespace.\n"),
            None => "No resources found\n".to_owned(),
        }
    }

    /// Refuses flags that are not served: name, and what to use instead.
    fn refuse(line: &Line, flags: &[(&str, &str)]) -> Result<(), ServeError> {
        match flags.iter().find(|(flag, _)| line.has(flag)) {
            Some((flag, instead)) => Err(ServeError::unsupported(format!("`--{flag}`"), *instead)),
            None => Ok(()),
        }
    }
}
