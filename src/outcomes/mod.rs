//! Remembers which runbook was shown, used, and helped or not: what the next choice between two equals is made by.
//!
//! One file of the state directory, `outcomes.jsonl`, a line for each outcome. Nothing of it goes into a runbook: a file
//! that counted would change with every run.
//!
//! *Invariant:* lines are only appended, whole or not at all, and by one process at a time; a line that can't be read is
//! left out and counted. What is old becomes sums, so the file is bounded and no count is lost. A memory that can't be
//! read or written makes the answer smaller, never fails it.

mod error;
mod file;
mod fold;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use error::MemoryError;
pub use file::Patience;

use crate::model::{Library, Place, Time};
use crate::printable::one_line;

/// The name of the file.
pub const FILE: &str = "outcomes.jsonl";
/// The longest text that is kept of a note or a name, in characters.
const LONGEST: usize = 500;

/// What became of a runbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A diagnosis cited it first for a cause.
    Shown,
    /// Its fix was applied.
    Used,
    /// The fault was gone with it.
    Helped,
    /// It did not help.
    Failed,
}

/// Who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// A person, with `feedback`.
    Person,
    /// `record`, by what it proved.
    Record,
    /// `diagnose`, of what it showed.
    Diagnose,
}

/// One line of the memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// When.
    pub time: Time,
    /// What became of it.
    pub kind: Kind,
    /// Who says so.
    pub by: By,
    /// Whose library the runbook is of.
    pub library: Library,
    /// Its path there.
    pub path: String,
    /// Its bytes, as they were then.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub blob: String,
    /// Its name.
    pub name: String,
    /// The incident, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// The fingerprint of the cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// The detector of the cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detector: Option<String>,
    /// What a person says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// How many outcomes the line stands for: more than one where old lines were summed.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub count: u64,
}

fn one() -> u64 {
    1
}

fn is_one(count: &u64) -> bool {
    *count == 1
}

impl Outcome {
    /// An outcome of the runbook at a place; the rest is added by hand.
    pub fn of(place: &Place, name: &str, kind: Kind, by: By, time: Time) -> Outcome {
        Outcome {
            time,
            kind,
            by,
            library: place.library,
            path: place.path.clone(),
            blob: place.blob.clone(),
            name: name.to_owned(),
            incident: None,
            fingerprint: None,
            detector: None,
            note: None,
            count: 1,
        }
    }

    /// Which runbook it is about.
    pub fn key(&self) -> Key {
        Key { library: self.library, path: self.path.clone(), name: self.name.clone() }
    }

    /// Text of others on one line, and of bounded length.
    fn bounded(mut self) -> Outcome {
        let texts = [&mut self.path, &mut self.blob, &mut self.name].into_iter();
        let further = [&mut self.incident, &mut self.fingerprint, &mut self.detector, &mut self.note];
        for text in texts.chain(further.into_iter().flatten()) {
            let plain: String = one_line(text).chars().take(LONGEST).collect();
            *text = plain;
        }
        self
    }
}

/// A runbook, whatever its bytes are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Key {
    /// Whose library it is of.
    pub library: Library,
    /// Its path there.
    pub path: String,
    /// Its name.
    pub name: String,
}

/// How often each outcome was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// How often it was cited first.
    pub shown: u64,
    /// How often its fix was applied.
    pub used: u64,
    /// How often the fault was gone with it.
    pub helped: u64,
    /// How often it did not help.
    pub failed: u64,
}

impl Tally {
    /// Its worth, 0 to 1; one half of what nothing is known of. Smoothed (Laplace), so that one success does not stand
    /// above nine of ten.
    pub fn worth(&self) -> f32 {
        (self.helped + 1) as f32 / (self.helped + self.failed + 2) as f32
    }

    fn add(&mut self, kind: Kind, count: u64) {
        let number = match kind {
            Kind::Shown => &mut self.shown,
            Kind::Used => &mut self.used,
            Kind::Helped => &mut self.helped,
            Kind::Failed => &mut self.failed,
        };
        *number = number.saturating_add(count);
    }
}

/// All that is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The outcomes, in the order in which they were noted.
    pub outcomes: Vec<Outcome>,
    /// How many lines can't be read.
    pub damaged: usize,
}

impl History {
    /// How often each outcome was, by runbook.
    pub fn tally(&self) -> BTreeMap<Key, Tally> {
        let mut tallies: BTreeMap<Key, Tally> = BTreeMap::new();
        for outcome in &self.outcomes {
            tallies.entry(outcome.key()).or_default().add(outcome.kind, outcome.count);
        }
        tallies
    }
}

/// The memory of one user.
#[derive(Clone, Debug)]
pub struct Memory {
    folder: PathBuf,
    most: usize,
}

impl Memory {
    /// The memory in this state directory; it is made when there is something to remember.
    pub fn open(state: impl Into<PathBuf>) -> Memory {
        Memory { folder: state.into(), most: fold::MOST }
    }

    /// The file.
    pub fn path(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Adds an outcome.
    ///
    /// # Errors
    /// When the file can't be written, or another process holds it for long.
    pub fn note(&self, outcome: Outcome) -> Result<(), MemoryError> {
        self.add(vec![outcome], Patience::Person).map(drop)
    }

    /// Adds what a diagnosis showed; what was noted of the same cause and runbook on the same day (UTC) is not noted again,
    /// so that who looks every minute counts once. Says how many were new.
    ///
    /// # Errors
    /// When the file can't be written, or another process holds it now.
    pub fn note_shown(&self, outcomes: Vec<Outcome>) -> Result<usize, MemoryError> {
        if outcomes.is_empty() {
            return Ok(0);
        }
        self.add(outcomes, Patience::Hurry)
    }

    fn add(&self, outcomes: Vec<Outcome>, patience: Patience) -> Result<usize, MemoryError> {
        let held = file::hold(&self.folder, patience)?;
        let failed = |source| MemoryError::Write { path: self.path(), source };
        let mut outcomes: Vec<Outcome> = outcomes.into_iter().map(Outcome::bounded).collect();
        if outcomes.iter().any(|outcome| outcome.kind == Kind::Shown) {
            fold::drop_repeated(&mut outcomes, &self.path());
        }
        let lines = file::append(&self.path(), &outcomes).map_err(failed)?;
        if lines > self.most {
            fold::compact(&self.path(), self.most).map_err(failed)?;
        }
        drop(held);
        Ok(outcomes.len())
    }

    /// All that is remembered; nothing where there is no file.
    ///
    /// # Errors
    /// When the file is there and can't be read.
    pub fn history(&self) -> Result<History, MemoryError> {
        file::read(&self.path()).map_err(|source| MemoryError::Read { path: self.path(), source })
    }

    /// How often each outcome was, by runbook; nothing where the file can't be read.
    pub fn tally(&self) -> BTreeMap<Key, Tally> {
        self.history().unwrap_or_default().tally()
    }
}

#[cfg(test)]
mod tests;
