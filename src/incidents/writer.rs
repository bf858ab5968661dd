//! Writes an incident while its run goes.
//!
//! *Invariant:* nothing here fails a run: the first thing that can't be stored becomes a note, and what still can be
//! stored is.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::files::{self, Journal};
use super::reading::{LOCK, RECORD, SNAPSHOT, STEPS, TURNS};
use super::{Head, Record, SCHEMA_VERSION, StoreError, id};
use crate::model::{Diagnosis, Snapshot, Step, Turn};
use crate::redact::{Redacted, Redactor};

/// How often another id is tried before that is given up: in one second there are 65,536.
const TRIES: usize = 64;

/// An incident that is being written. Dropped without an end, or killed, it stays as an unfinished one.
#[derive(Debug)]
pub struct Writer {
    id: String,
    /// Where it is while the run goes, and where when it is over.
    partial: PathBuf,
    folder: PathBuf,
    redactor: Redactor,
    state: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    record: Record,
    turns: Journal,
    steps: Journal,
    lock: Option<File>,
    notes: Vec<String>,
    ended: bool,
}

/// How an incident was stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ending {
    /// Its id; none where it could not be brought to its end.
    pub id: Option<String>,
    /// What could not be stored, for people.
    pub notes: Vec<String>,
}

impl Writer {
    /// Makes the folder of a new incident in `root`.
    pub(super) fn begin(root: &Path, head: Head, redactor: &Redactor) -> Result<Writer, StoreError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| StoreError::Write { path, source }
        };
        files::make_folder(root).map_err(failed(root))?;
        let (id, partial) = claim(root, &head).map_err(failed(root))?;
        let lock = files::to_write().open(partial.join(LOCK)).and_then(|file| file.lock().map(|()| file)).ok();
        let record = Record {
            schema_version: SCHEMA_VERSION.to_owned(),
            id: id.clone(),
            time: Some(head.time),
            context: head.context,
            namespace: head.namespace,
            targets: head.targets,
            selector: head.selector,
            question: head.question,
            plugin_version: env!("CARGO_PKG_VERSION").to_owned(),
            prompt_version: head.prompt_version,
            model: head.model,
            server: head.server,
            start: Some(head.start).filter(|start| !start.is_null()),
            masked: redactor.hidden(),
            diagnosis: None,
            notes: Vec::new(),
        };
        let record = redactor.seal_texts(record).into_inner();
        let path = partial.join(RECORD);
        let written = redactor.leaving(record.clone()).map_err(io::Error::from);
        if let Err(source) = written.and_then(|record| write_record(&path, &record)) {
            // Nothing is in it that anybody could want.
            let _ = fs::remove_dir_all(&partial);
            return Err(StoreError::Write { path, source });
        }
        files::sync_folder(&partial);
        let state = Open {
            record,
            turns: Journal::new(partial.join(TURNS)),
            steps: Journal::new(partial.join(STEPS)),
            lock,
            notes: Vec::new(),
            ended: false,
        };
        let (folder, redactor) = (root.join(&id), redactor.clone());
        Ok(Writer { id, partial, folder, redactor, state: Mutex::new(state) })
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Stores what the run begins with, so that it can be replayed though it is killed.
    pub fn saw(&self, snapshot: &Redacted<Snapshot>) {
        let mut open = self.open();
        if !open.ended {
            let written = self.keep(snapshot);
            open.note(written, SNAPSHOT);
        }
    }

    /// Writes the snapshot, or leaves the one that was there.
    fn keep(&self, snapshot: &Redacted<Snapshot>) -> io::Result<()> {
        let left = self.redactor.leaving_snapshot(snapshot)?;
        files::replace(&self.partial.join(SNAPSHOT), |out| files::zip(out, &**left))
    }

    /// Adds a turn with the model.
    pub fn turn(&self, turn: Turn) {
        let turn = self.redactor.seal_texts(turn);
        let mut open = self.open();
        if !open.ended {
            let added = open.turns.add(&*turn);
            open.note(added, TURNS);
        }
    }

    /// Adds a step with its observation.
    pub fn observation(&self, step: &Step) {
        let step = self.redactor.seal_texts(step.clone());
        let mut open = self.open();
        if !open.ended {
            let added = open.steps.add(&*step);
            open.note(added, STEPS);
        }
    }

    /// What could not be stored so far.
    pub fn notes(&self) -> Vec<String> {
        self.open().notes.clone()
    }

    /// Brings it to its end. What comes later is not stored. Without a snapshot the one that it [saw](Writer::saw) stays.
    pub fn finish(&self, diagnosis: &Diagnosis, snapshot: Option<&Redacted<Snapshot>>) -> Ending {
        let mut open = self.open();
        if open.ended {
            return Ending { id: Some(self.id.clone()), notes: Vec::new() };
        }
        open.ended = true;
        if let Some(snapshot) = snapshot {
            let written = self.keep(snapshot);
            open.note(written, SNAPSHOT);
        }
        let mut diagnosis = diagnosis.clone();
        if let Some(exploration) = &mut diagnosis.exploration {
            exploration.incident = Some(self.id.clone());
        }
        open.record.diagnosis = Some(diagnosis);
        let notes = open.notes.clone();
        open.record.notes = notes;
        open.record = self.redactor.seal_texts(std::mem::take(&mut open.record)).into_inner();
        let path = self.partial.join(RECORD);
        let record = match self.redactor.leaving(open.record.clone()) {
            Ok(record) => record,
            Err(error) => {
                open.note(Err(error.into()), RECORD);
                return Ending { id: None, notes: open.notes.clone() };
            }
        };
        let mut written = write_record(&path, &record);
        if written.is_err() && fs::remove_file(self.partial.join(SNAPSHOT)).is_ok() {
            // The diagnosis is worth more than what it was made from.
            written = write_record(&path, &record);
            if written.is_ok() {
                open.notes.push(format!("the incident can't be kept whole: there is no room for {SNAPSHOT}"));
            }
        }
        if let Err(error) = written {
            open.note(Err(error), RECORD);
            return Ending { id: None, notes: open.notes.clone() };
        }
        let named = self.name(&mut open);
        open.note(named, &self.id);
        let id = self.folder.is_dir().then(|| self.id.clone());
        Ending { id, notes: open.notes.clone() }
    }

    /// Gives the folder its name. Whoever looks meanwhile sees an unfinished incident, with all that it has.
    fn name(&self, open: &mut Open) -> io::Result<()> {
        // Open files can't be moved everywhere.
        open.turns = Journal::new(open.turns.path().to_owned());
        open.steps = Journal::new(open.steps.path().to_owned());
        let _ = fs::remove_file(self.partial.join(LOCK));
        open.lock = None;
        files::sync_folder(&self.partial);
        fs::rename(&self.partial, &self.folder)?;
        if let Some(root) = self.folder.parent() {
            files::sync_folder(root);
        }
        Ok(())
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Open> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// Makes a note of an error; of each file one.
    fn note(&mut self, done: io::Result<()>, name: &str) {
        if let Err(error) = done {
            let begin = format!("the incident can't be kept whole: {name}: ");
            if !self.notes.iter().any(|note| note.starts_with(&begin)) {
                self.notes.push(begin + &error.to_string());
            }
        }
    }
}

fn write_record(path: &Path, record: &Record) -> io::Result<()> {
    files::replace(path, |out| {
        serde_json::to_writer_pretty(&mut *out, record)?;
        out.write_all(b"\n")
    })
}

/// How much of the second has passed.
fn thousandths() -> u16 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u16::try_from(since.subsec_millis()).unwrap_or_default()
}

/// Makes a folder for which there is no other, and says what the incident is called.
fn claim(root: &Path, head: &Head) -> io::Result<(String, PathBuf)> {
    for _ in 0..TRIES {
        let mut chance = [0; 2];
        getrandom::fill(&mut chance).map_err(|error| io::Error::other(error.to_string()))?;
        let id = id::make(head.time, id::suffix(thousandths(), u16::from_ne_bytes(chance)));
        let partial = root.join(format!("{id}{}", id::PARTIAL));
        match files::new_folder(&partial) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            other => other?,
        }
        // Looked for only now: one that was being written before has its name since.
        if !root.join(&id).exists() {
            return Ok((id, partial));
        }
        fs::remove_dir(&partial)?;
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "no id is free"))
}
