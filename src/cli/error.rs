//! What goes wrong, as a person reads it: one line that says what, one that says what to do.

use crate::cluster::snapshot_file::SnapshotFileError;
use crate::cluster::{CollectError, ConnectError};
use crate::config::ConfigError;
use crate::diagnose::DiagnoseError;
use crate::incidents::StoreError;
use crate::model::reference::KINDS;
use crate::near::nearest;
use crate::outcomes::MemoryError;
use crate::printable::one_line;
use crate::record::RecordError;
use crate::retrieve::index::IndexError;
use crate::retriever::RetrieveError;
use crate::runbook::repo::RepoError;
use crate::runbook::repo::propose::ProposeError;

/// An error of a command.
#[derive(Debug)]
pub(super) enum CommandError {
    /// It could not do its work.
    Failed {
        /// What is wrong, without a full stop.
        message: String,
        /// What to do next.
        hint: Option<String>,
    },
    /// No one reads the output any more.
    BrokenPipe,
    /// Ctrl-C.
    Interrupted,
}

impl CommandError {
    pub(super) fn new(message: impl Into<String>) -> CommandError {
        CommandError::Failed { message: one_line(&message.into()).into_owned(), hint: None }
    }

    /// Says what to do next.
    pub(super) fn hinted(self, text: impl Into<String>) -> CommandError {
        match self {
            CommandError::Failed { message, .. } => {
                CommandError::Failed { message, hint: Some(one_line(&text.into()).into_owned()) }
            }
            other => other,
        }
    }

    /// What is wrong and what to do, in one line.
    pub(super) fn told(&self) -> String {
        match self {
            CommandError::Failed { message, hint: Some(hint) } => format!("{message} ({hint})"),
            CommandError::Failed { message, hint: None } => message.clone(),
            CommandError::BrokenPipe => "nobody reads the output".to_owned(),
            CommandError::Interrupted => "interrupted".to_owned(),
        }
    }

    fn from_parts(message: String, hint: Option<String>) -> CommandError {
        let error = CommandError::new(message);
        match hint {
            Some(hint) => error.hinted(hint),
            None => error,
        }
    }
}

impl From<ConnectError> for CommandError {
    fn from(error: ConnectError) -> CommandError {
        CommandError::from_parts(error.to_string(), error.hint())
    }
}

impl From<CollectError> for CommandError {
    fn from(error: CollectError) -> CommandError {
        CommandError::from_parts(error.to_string(), error.hint())
    }
}

impl From<SnapshotFileError> for CommandError {
    fn from(error: SnapshotFileError) -> CommandError {
        CommandError::from_parts(error.to_string(), error.hint())
    }
}

impl From<ConfigError> for CommandError {
    fn from(error: ConfigError) -> CommandError {
        CommandError::from_parts(error.to_string(), error.hint())
    }
}

impl From<DiagnoseError> for CommandError {
    fn from(error: DiagnoseError) -> CommandError {
        let near = match &error {
            DiagnoseError::UnknownKind(word) => nearest(word, KINDS.iter().map(|info| info.plural)),
            _ => None,
        };
        let hint = near.map(|near| format!("did you mean `{near}`?")).or_else(|| error.hint());
        CommandError::from_parts(error.to_string(), hint)
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> CommandError {
        CommandError::from_parts(error.to_string(), error.hint())
    }
}

impl From<MemoryError> for CommandError {
    fn from(error: MemoryError) -> CommandError {
        CommandError::from_parts(error.to_string(), error.hint())
    }
}

impl From<RepoError> for CommandError {
    fn from(error: RepoError) -> CommandError {
        CommandError::from_parts(error.to_string(), error.hint())
    }
}

impl From<ProposeError> for CommandError {
    fn from(error: ProposeError) -> CommandError {
        CommandError::from_parts(error.to_string(), error.hint())
    }
}

impl From<RecordError> for CommandError {
    fn from(error: RecordError) -> CommandError {
        match error {
            RecordError::Diagnose(error) => error.into(),
            error => CommandError::from_parts(error.to_string(), error.hint()),
        }
    }
}

impl From<RetrieveError> for CommandError {
    fn from(error: RetrieveError) -> CommandError {
        CommandError::new(error.to_string())
    }
}

impl From<IndexError> for CommandError {
    fn from(error: IndexError) -> CommandError {
        CommandError::new(error.to_string())
    }
}

impl From<serde_json::Error> for CommandError {
    fn from(error: serde_json::Error) -> CommandError {
        CommandError::new(format!("can't mask what leaves: {error}"))
    }
}

impl From<std::io::Error> for CommandError {
    fn from(error: std::io::Error) -> CommandError {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => CommandError::BrokenPipe,
            _ => CommandError::new(format!("can't write the output: {error}")),
        }
    }
}

/// Clap's complaint about `command` in our form.
pub(super) fn from_clap(error: &clap::Error, command: &str) -> CommandError {
    use clap::error::ErrorKind;
    let text = error.render().to_string();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let mut message = first.strip_prefix("error: ").unwrap_or(first).replace('\'', "`");
    let mut hint = None;
    for line in lines {
        if let Some(tip) = line.strip_prefix("tip: ") {
            hint = hint.or_else(|| Some(tip.replace('\'', "`")));
        } else if line.starts_with("Usage: ") || line.starts_with("For more") {
            break;
        } else if let Some(values) = line.strip_prefix("[possible values: ") {
            hint = hint.or_else(|| Some(format!("one of {}", values.trim_end_matches(']'))));
        } else if error.kind() == ErrorKind::MissingRequiredArgument {
            message = format!("{message} {line}");
        }
    }
    CommandError::new(message).hinted(hint.unwrap_or_else(|| format!("see `{command} --help`")))
}
