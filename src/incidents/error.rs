//! Why an incident can't be stored or read.

use std::io;
use std::path::PathBuf;

use super::SCHEMA_VERSION;

/// What goes wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system refuses to read.
    #[error("can't read `{}`: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The system refuses to write.
    #[error("can't write `{}`: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The system refuses to delete.
    #[error("can't delete `{}`: {source}", path.display())]
    Delete {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Nothing is stored.
    #[error("there are no incidents in `{}`", .0.display())]
    Empty(PathBuf),
    /// No id is, or begins with, what was asked for.
    #[error("there is no incident `{0}`")]
    NotFound(String),
    /// Several begin with it.
    #[error("`{prefix}` is the beginning of {count} incidents")]
    Ambiguous {
        /// What was asked for.
        prefix: String,
        /// How many.
        count: usize,
        /// Some of them.
        some: Vec<String>,
    },
    /// Its run goes on.
    #[error("the run of incident `{0}` goes on")]
    Running(String),
    /// A file that should be an exported incident is none.
    #[error("it is no exported incident: {0}")]
    NotExported(String),
    /// Its format is not ours.
    #[error("it is an incident of the format `{0}`; this version reads `{SCHEMA_VERSION}`")]
    OtherVersion(String),
}

impl StoreError {
    /// What is wrong and what to do, in one line.
    pub fn told(&self) -> String {
        match self.hint() {
            Some(hint) => format!("{self} ({hint})"),
            None => self.to_string(),
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Read { .. } | Self::Delete { .. } => return None,
            Self::Write { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "make room on the disk, or delete old incidents: `kubectl react incidents delete ID`"
            }
            Self::Write { .. } => "look at the rights of the folder; XDG_STATE_HOME names another one",
            Self::Empty(_) => "each `kubectl react diagnose` that asks a model is kept as one",
            Self::NotFound(_) => "`kubectl react incidents list` shows them",
            Self::Ambiguous { some, .. } => return Some(format!("write more of it: {}", some.join(", "))),
            Self::Running(_) => "wait until it ends, or stop it",
            Self::NotExported(_) => "`kubectl react incidents export ID -f FILE` writes one",
            Self::OtherVersion(_) => "update the plugin: `kubectl krew upgrade react`",
        };
        Some(hint.to_owned())
    }
}
