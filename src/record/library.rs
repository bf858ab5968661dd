//! The runbooks that a draft is held against.
//!
//! *Invariant:* each file is parsed once, however often it is looked at.

use jiff::civil::Date;

use crate::model::runbook::{Runbook, Status};
use crate::model::{Cause, Place};
use crate::retrieve::{self, Query};
use crate::runbook::{self, Parsed};

/// A signature that matches that well names the fault: by a detector, an alert or a line of a log. A reason or an exit code
/// is shared by many faults.
const NAMED: f32 = 0.9;
/// Runbooks that are nearer than that say the same.
const NEAR: f32 = 0.9;

/// The team's runbooks as they are on the branch that the draft goes to, and the built-in ones.
#[derive(Clone)]
pub struct Library {
    /// The team's files.
    pub team: Vec<File>,
    /// The folder of the team's runbooks, without a slash at its end.
    pub folder: String,
    /// The built-in runbooks.
    pub builtin: Vec<Runbook>,
    /// Who answers for new runbooks.
    pub owners: Vec<String>,
    /// Today.
    pub today: Date,
}

/// A file, and what it says.
#[derive(Clone)]
pub struct File {
    /// As it is in the repository.
    pub bytes: Vec<u8>,
    /// As it is read.
    pub parsed: Parsed,
}

impl File {
    /// Reads a file.
    pub fn new(place: Place, bytes: Vec<u8>) -> File {
        File { parsed: runbook::parse(place, &bytes), bytes }
    }

    /// Which file it is.
    pub fn place(&self) -> &Place {
        &self.parsed.place
    }

    /// The runbook, where it is one.
    pub fn runbook(&self) -> Option<&Runbook> {
        self.parsed.runbook.as_ref()
    }
}

impl Library {
    /// The team's runbooks, with their files.
    pub(super) fn runbooks(&self) -> impl Iterator<Item = (&Runbook, &File)> {
        self.team.iter().filter_map(|file| Some((file.runbook()?, file)))
    }

    /// The team's file at a path.
    pub(super) fn at(&self, path: &str) -> Option<&File> {
        self.team.iter().find(|file| file.place().path == path)
    }

    /// Those that may learn: written as runbooks, and in use.
    pub(super) fn open(&self) -> impl Iterator<Item = (&Runbook, &File)> {
        self.runbooks().filter(|(runbook, _)| !runbook.derived && runbook.front.status != Status::Deprecated)
    }

    /// The team's runbook whose signature names this fault.
    pub(super) fn named(&self, cause: &Cause) -> Option<(&Runbook, &File)> {
        let signals = Query::from_cause(cause).signals;
        let score = |runbook: &Runbook| {
            let found = retrieve::signature::matches(&runbook.front.signature, &signals, &mut |_| {});
            found.map(|found| found.score).filter(|score| *score >= NAMED)
        };
        let named = self.open().filter_map(|known| Some((score(known.0)?, known)));
        named.max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, best)| best)
    }

    /// The paths of the team's runbooks that say nearly what the text of a file says, with how near; the nearest first.
    pub(super) fn near(&self, path: &str, text: &str) -> Vec<(String, f32)> {
        let own = runbook::parse(super::draft::place(path), text.as_bytes());
        let Some(own) = own.runbook else { return Vec::new() };
        let others = self.runbooks().map(|(runbook, _)| runbook).filter(|runbook| runbook.place.path != path);
        let all: Vec<&Runbook> = others.chain(std::iter::once(&own)).collect();
        let last = all.len() - 1;
        let pairs = retrieve::near_duplicates(&all, NEAR).into_iter();
        let others = pairs.filter_map(|(a, b, cosine)| match (a == last, b == last) {
            (true, false) => Some((b, cosine)),
            (false, true) => Some((a, cosine)),
            _ => None,
        });
        others.filter_map(|(at, cosine)| Some((all.get(at)?.place.path.clone(), cosine))).collect()
    }
}
