//! Keeps what was derived from runbooks: terms, chunks and vectors, in one file ([`Embedded`]) or with the vectors on a
//! ChromaDB server ([`Chroma`]).
//!
//! *Invariant:* an index is made from runbooks and can be made again: what is damaged or of another version is put aside,
//! never read. A document is known by its blob, its path and the version of what derives it, so a row never
//! changes; a reader names the places of its own commit and sees no others.

mod chroma;
mod chroma_shelf;
mod chroma_sync;
mod embedded;
mod embedding;
mod opening;
mod packed;
mod schema;
mod seeds;
mod shelf;
mod sync;

pub use chroma::{Chroma, ChromaError, Settings as ChromaSettings};
pub use chroma_shelf::ChromaShelf;
pub use embedded::Embedded;
pub use seeds::ShippedError;
pub use shelf::{Catalog, EmbeddedShelf};
pub use sync::{Phase, Progress, Report};

use super::{Derive, ShelfError};

/// What derives terms and chunks from a runbook.
#[derive(Clone, Copy)]
pub struct Deriver {
    /// Says what is derived and how: another version makes other rows.
    pub version: &'static str,
    /// Derives.
    pub derive: Derive,
}

/// Why an index can't be used.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// What it holds is not what was put in.
    #[error("the index is damaged: {0}")]
    Damaged(String),
    /// SQLite says no: the disk is full, another process holds the file for too long.
    #[error("can't use the index: {0}")]
    Sqlite(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for IndexError {
    fn from(error: rusqlite::Error) -> IndexError {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match &error {
            rusqlite::Error::SqliteFailure(failure, _) if matches!(failure.code, DatabaseCorrupt | NotADatabase) => {
                IndexError::Damaged(error.to_string())
            }
            // A column or a table is not what it was made as.
            rusqlite::Error::SqlInputError { .. }
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..) => IndexError::Damaged(error.to_string()),
            _ => IndexError::Sqlite(error),
        }
    }
}

impl From<rusqlite::types::FromSqlError> for IndexError {
    fn from(error: rusqlite::types::FromSqlError) -> IndexError {
        IndexError::Damaged(error.to_string())
    }
}

impl From<IndexError> for ShelfError {
    fn from(error: IndexError) -> ShelfError {
        ShelfError(error.to_string())
    }
}

impl From<rusqlite::Error> for ShelfError {
    fn from(error: rusqlite::Error) -> ShelfError {
        IndexError::from(error).into()
    }
}

impl From<rusqlite::types::FromSqlError> for ShelfError {
    fn from(error: rusqlite::types::FromSqlError) -> ShelfError {
        IndexError::from(error).into()
    }
}

/// A number as SQLite has it.
fn integer(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod seeds_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
