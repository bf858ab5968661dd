//! What goes wrong with the memory.

use std::io;
use std::path::PathBuf;

/// Why the memory can't be used.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// It can't be read.
    #[error("can't read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It can't be written.
    #[error("can't write `{}`: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process holds it.
    #[error("another process holds `{}`", .0.display())]
    Held(PathBuf),
}

impl MemoryError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            MemoryError::Read { .. } => return None,
            MemoryError::Write { source, .. } if source.kind() == io::ErrorKind::StorageFull => "make room on the disk",
            MemoryError::Write { .. } => "look at the rights of the folder; XDG_STATE_HOME names another one",
            MemoryError::Held(_) => "wait until it ends, and try again",
        };
        Some(hint.to_owned())
    }
}
