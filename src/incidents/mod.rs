//! Keeps every run that used a model, and every outage that was found: what was seen, asked, answered and concluded, to show, replay and record.
//!
//! An incident is a folder of the state directory, named by its id:
//!
//! | file | what |
//! |---|---|
//! | `incident.json` | what was asked, where and by which version, and the diagnosis ([`Record`]) |
//! | `snapshot.json.gz` | the snapshot, as `kubectl react snapshot` writes it |
//! | `turns.jsonl` | a line for each turn with the model |
//! | `observations.jsonl` | a line for each step |
//!
//! *Invariant:* while a run goes its folder is `ID.partial`, and lines are only appended; it gets its name when all of it is
//! on the disk. So whenever a run ends, by itself or killed, what is stored can be read and replayed: its snapshot is there
//! before a model is asked, a line that was cut is left out, and a run that did not come to its end is listed as
//! unfinished. What can't be stored is a note, never the end of
//! a diagnosis. Folders are for their owner alone (0700), files too (0600), and all content has been through the
//! redactor.

mod error;
mod export;
mod files;
mod id;
mod masks;
mod reading;
mod store;
mod texts;
mod writer;

use serde::{Deserialize, Serialize};

pub use error::StoreError;
pub use export::exported;
pub use store::Store;
pub use writer::{Ending, Writer};

use crate::model::{Diagnosis, Snapshot, Step, Time, Turn};
use crate::redact::{Addresses, Redacted};

/// Counts breaking changes of `incident.json` and of exported files.
pub const SCHEMA_VERSION: &str = "kubectl-react/incident/v1";

/// What is known when a run begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// When it began.
    pub time: Time,
    /// The kubeconfig context.
    pub context: String,
    /// The namespace that was asked for; absent for all.
    pub namespace: Option<String>,
    /// The objects that were asked for, as they were written: `deploy/web`.
    pub targets: Vec<String>,
    /// The selector that was asked for.
    pub selector: Option<String>,
    /// The question, where one was asked.
    pub question: Option<String>,
    /// Which prompt and tools the model was given.
    pub prompt_version: String,
    /// The model as the server was asked for it.
    pub model: String,
    /// The server's host, without credentials.
    pub server: String,
    /// What the run begins with, so that it can be replayed.
    pub start: serde_json::Value,
}

/// `incident.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Record {
    /// [`SCHEMA_VERSION`].
    pub schema_version: String,
    /// Its id, `20261126-101500-7f3a`: sorts by time.
    pub id: String,
    /// When it began; none where the run was killed before it could say so.
    pub time: Option<Time>,
    /// The kubeconfig context.
    pub context: String,
    /// The namespace that was asked for; absent for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The objects that were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// The selector that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// The question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// The version of the plugin.
    pub plugin_version: String,
    /// Which prompt and tools the model was given.
    pub prompt_version: String,
    /// The model.
    pub model: String,
    /// The server's host.
    pub server: String,
    /// What the run began with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<serde_json::Value>,
    /// Which addresses were masked while it was recorded: a replay masks the same ones, or it would ask something else.
    pub masked: Addresses,
    /// What was found out, the agent's steps and answer with it; none of a run that did not come to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diagnosis: Option<Diagnosis>,
    /// What could not be stored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// How far a run came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// To its end.
    Finished,
    /// It was killed, or failed.
    Unfinished,
    /// It goes on.
    Running,
}

impl State {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Finished => "finished",
            State::Unfinished => "unfinished",
            State::Running => "running",
        }
    }
}

/// An incident in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// How far the run came.
    pub state: State,
    /// What `incident.json` says.
    pub record: Record,
    /// How many steps were taken.
    pub steps: usize,
    /// What of it can't be read.
    pub damage: Vec<String>,
}

/// An incident as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// Its id.
    pub id: String,
    /// How far the run came.
    pub state: State,
    /// What `incident.json` says.
    pub record: Record,
    /// The turns with the model, in order.
    pub turns: Vec<Turn>,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The snapshot, where it was asked for and is there.
    pub snapshot: Option<Redacted<Snapshot>>,
    /// What of it can't be read.
    pub damage: Vec<String>,
}

impl Incident {
    /// It as one file: JSON, compressed. It should have been loaded whole.
    ///
    /// # Errors
    /// When it can't be written as JSON.
    pub fn export(&self) -> Result<Vec<u8>, StoreError> {
        export::write(self)
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
