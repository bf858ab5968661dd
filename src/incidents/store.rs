//! The folder of all incidents.
//!
//! *Invariant:* an incident is deleted by giving it another name first, so that one that is half gone is never listed;
//! one whose run goes on is never deleted.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::masks::Masks;
use super::{Head, Incident, Listed, State, StoreError, Writer, export, id, reading};
use crate::redact::Redactor;

/// How many ids are named where several fit.
const SOME: usize = 5;

/// The folder of all incidents. It is made when there is something to put into it.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
    masks: Masks,
    keep: usize,
}

impl Store {
    /// The store in this folder, without a bound.
    pub fn open(root: impl Into<PathBuf>, redactor: Redactor) -> Store {
        Store { root: root.into(), masks: Masks { redactor, as_recorded: false }, keep: usize::MAX }
    }

    /// The same, which keeps this many incidents: the oldest give way to new ones.
    #[must_use]
    pub fn keeping(self, keep: usize) -> Store {
        Store { keep, ..self }
    }

    /// The same, which reads an incident with the addresses that it was recorded with, whatever is masked today: for who
    /// replays it, and masks what comes of that.
    #[must_use]
    pub fn as_recorded(self) -> Store {
        Store { masks: Masks { as_recorded: true, ..self.masks }, ..self }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.root
    }

    /// Begins an incident.
    ///
    /// # Errors
    /// When its folder can't be made: the disk is full, or the state directory is not ours.
    pub fn begin(&self, head: Head) -> Result<Writer, StoreError> {
        let writer = Writer::begin(&self.root, head, &self.masks.redactor)?;
        self.prune();
        Ok(writer)
    }

    /// All incidents, the newest first.
    ///
    /// # Errors
    /// When the folder is there and can't be read.
    pub fn list(&self) -> Result<Vec<Listed>, StoreError> {
        let found = self.found()?;
        let listed = |(id, folder): &(String, PathBuf)| {
            self.settled(id, folder, &|folder| reading::listed(id, folder, &self.masks))
        };
        Ok(found.iter().rev().filter_map(listed).collect())
    }

    /// The ids of all incidents, the newest first.
    ///
    /// # Errors
    /// When the folder is there and can't be read.
    pub fn ids(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.found()?.into_iter().rev().map(|(id, _)| id).collect())
    }

    /// An incident by its id, the beginning of it, or `latest`; without its snapshot.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub fn load(&self, wanted: &str) -> Result<Incident, StoreError> {
        self.read(wanted, false)
    }

    /// The same with its snapshot.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub fn load_whole(&self, wanted: &str) -> Result<Incident, StoreError> {
        self.read(wanted, true)
    }

    fn read(&self, wanted: &str, whole: bool) -> Result<Incident, StoreError> {
        let (id, folder) = self.find(wanted)?;
        let read = |folder: &Path| reading::incident(&id, folder, &self.masks, whole);
        self.settled(&id, &folder, &read).ok_or_else(|| StoreError::NotFound(wanted.to_owned()))
    }

    /// Reads a folder; where it got its name meanwhile, once more. None where it was deleted.
    fn settled<T>(&self, id: &str, folder: &Path, read: &dyn Fn(&Path) -> T) -> Option<T> {
        let first = read(folder);
        if folder.is_dir() {
            return Some(first);
        }
        let named = self.root.join(id);
        named.is_dir().then(|| read(&named))
    }

    /// Deletes an incident, and says which.
    ///
    /// # Errors
    /// When there is none, its run goes on, or the system refuses.
    pub fn delete(&self, wanted: &str) -> Result<String, StoreError> {
        let (id, folder) = self.find(wanted)?;
        if reading::state(&folder) == State::Running {
            return Err(StoreError::Running(id));
        }
        self.remove(&id, &folder).map_err(|source| StoreError::Delete { path: folder, source })?;
        Ok(id)
    }

    /// Reads what [`Incident::export`] gave, here or elsewhere.
    ///
    /// # Errors
    /// When it is something else, cut off, or larger than any incident.
    pub fn import(&self, bytes: &[u8]) -> Result<Incident, StoreError> {
        export::read(bytes, &self.masks)
    }

    /// The folders, sorted by id; of two with one id the finished one.
    fn found(&self) -> Result<Vec<(String, PathBuf)>, StoreError> {
        let failed = |source| StoreError::Read { path: self.root.clone(), source };
        let entries = match fs::read_dir(&self.root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(failed)?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let id = name.strip_suffix(id::PARTIAL).unwrap_or(&name);
            if id::is(id) && entry.path().is_dir() {
                found.push((id.to_owned(), entry.path()));
            }
        }
        found.sort();
        found.dedup_by(|later, first| later.0 == first.0);
        Ok(found)
    }

    fn find(&self, wanted: &str) -> Result<(String, PathBuf), StoreError> {
        let mut found = self.found()?;
        if wanted == "latest" {
            return found.pop().ok_or_else(|| StoreError::Empty(self.root.clone()));
        }
        found.retain(|(id, _)| !wanted.is_empty() && id.starts_with(wanted));
        if found.len() > 1 {
            let some = found.iter().rev().take(SOME).map(|(id, _)| id.clone()).collect();
            return Err(StoreError::Ambiguous { prefix: wanted.to_owned(), count: found.len(), some });
        }
        found.pop().ok_or_else(|| StoreError::NotFound(wanted.to_owned()))
    }

    /// Deletes the oldest of what is too many, and what an earlier run began to delete. What can't be deleted now is
    /// tried again by the next run.
    fn prune(&self) {
        let Ok(found) = self.found() else { return };
        let many = found.len().saturating_sub(self.keep.max(1));
        for (id, folder) in found.iter().take(many) {
            if reading::state(folder) != State::Running {
                let _ = self.remove(id, folder);
            }
        }
        let Ok(entries) = fs::read_dir(&self.root) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.strip_suffix(id::TRASH).is_some_and(id::is) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }

    fn remove(&self, id: &str, folder: &Path) -> io::Result<()> {
        let trash = self.root.join(format!("{id}{}", id::TRASH));
        if trash.exists() {
            fs::remove_dir_all(&trash)?;
        }
        fs::rename(folder, &trash)?;
        fs::remove_dir_all(&trash)
    }
}
