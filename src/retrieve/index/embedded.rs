//! The index in one SQLite file.
//!
//! *Invariant:* every write is a transaction that leaves the file usable, whatever ends the process; what two processes
//! write at once is the same, so whoever comes second leaves it.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, params};

use super::{Deriver, IndexError, opening, schema};
use crate::model::Place;
use crate::retrieve::ModelId;

/// An index in one file. Several commits and libraries may have their documents in it.
pub struct Embedded {
    db: Mutex<Connection>,
    path: Option<PathBuf>,
    deriver: Deriver,
    note: Option<String>,
}

impl Embedded {
    /// Opens the index at `path`, or makes it. What is damaged there is put aside; where nothing can be kept, the index is
    /// in memory: [`note`](Embedded::note) says so.
    pub fn open(path: &Path, deriver: Deriver) -> Result<Embedded, IndexError> {
        let opened = opening::open(path)?;
        Ok(Embedded { db: Mutex::new(opened.db), path: Some(path.to_owned()), deriver, note: opened.note })
    }

    /// An index that lives as long as this value.
    pub fn in_memory(deriver: Deriver) -> Result<Embedded, IndexError> {
        let opened = opening::memory(None)?;
        Ok(Embedded { db: Mutex::new(opened.db), path: None, deriver, note: None })
    }

    /// What a person should know of how it was opened: it was damaged, or can't be kept.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// What derives its rows.
    pub fn deriver(&self) -> Deriver {
        self.deriver
    }

    /// Puts the file aside and begins with an empty one: after an error that says it is damaged.
    pub fn begin_anew(&mut self, damage: &str) -> Result<(), IndexError> {
        let db = self.db.get_mut().unwrap_or_else(PoisonError::into_inner);
        // Closes the file: an open one can't be renamed everywhere.
        *db = Connection::open_in_memory()?;
        let opened = match &self.path {
            Some(path) => opening::anew(path, damage)?,
            None => opening::memory(None)?,
        };
        *db = opened.db;
        self.note = opened.note;
        Ok(())
    }

    /// Removes the documents that are not in `keep`, those of other versions, the vectors that nothing has any more, and,
    /// where `model` is known, those of other models. Gives the number of documents that went.
    pub fn prune(&self, keep: &[Place], model: Option<&ModelId>) -> Result<usize, IndexError> {
        let mut db = self.lock();
        let work = schema::writing(&mut db)?;
        work.execute_batch(
            "CREATE TEMP TABLE IF NOT EXISTS keep (blob TEXT, path TEXT, PRIMARY KEY (blob, path)) WITHOUT ROWID;
             DELETE FROM keep;",
        )?;
        {
            let mut insert = work.prepare("INSERT OR IGNORE INTO keep VALUES (?1, ?2)")?;
            for place in keep {
                insert.execute(params![place.blob, place.path])?;
            }
        }
        let gone = "SELECT id FROM document WHERE derivation <> ?1
                    OR NOT EXISTS (SELECT 1 FROM keep k WHERE k.blob = document.blob AND k.path = document.path)";
        let derivation = [self.deriver.version];
        work.execute(&format!("DELETE FROM posting WHERE document IN ({gone})"), derivation)?;
        work.execute(&format!("DELETE FROM body WHERE document IN ({gone})"), derivation)?;
        let removed = work.execute(&format!("DELETE FROM document WHERE id IN ({gone})"), derivation)?;
        work.execute("DELETE FROM vector WHERE texts NOT IN (SELECT texts FROM document)", [])?;
        if let Some(model) = model {
            let others = "SELECT id FROM model WHERE digest <> ?1";
            work.execute(&format!("DELETE FROM vector WHERE model IN ({others})"), [&model.digest])?;
            work.execute("DELETE FROM model WHERE digest <> ?1", [&model.digest])?;
        }
        work.execute("DELETE FROM term WHERE id NOT IN (SELECT term FROM posting)", [])?;
        work.execute("DELETE FROM keep", [])?;
        work.commit()?;
        // Gives the space back; another process that reads is no reason to fail.
        let _ = db.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);");
        Ok(removed)
    }

    /// What was kept under a key.
    pub(super) fn memo(&self, key: &str) -> Result<Option<String>, IndexError> {
        let db = self.lock();
        Ok(db.query_row("SELECT value FROM memo WHERE key = ?1", [key], |row| row.get(0)).optional()?)
    }

    /// Keeps a word under a key.
    pub(super) fn remember(&self, key: &str, value: &str) -> Result<(), IndexError> {
        self.lock().execute("INSERT OR REPLACE INTO memo VALUES (?1, ?2)", [key, value])?;
        Ok(())
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Connection> {
        // A thread that panicked has rolled its transaction back.
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
