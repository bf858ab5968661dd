//! The libraries: the team's, at a commit, and the built-in one.
//!
//! *Invariant:* one that can't be opened is told of, and the other one serves.

use std::sync::Arc;

use super::Options;
use crate::model::{Library, LibraryState, Place};
use crate::runbook::repo::{self, Collection, RepoError};

/// Notes of a library that are kept.
const NOTES: usize = 20;

/// The opened libraries. Nothing is read of them but what files there are.
pub struct Libraries {
    pub(super) options: Arc<Options>,
    pub(super) collections: Vec<Collection>,
    /// The team's library, where it can't be read.
    pub(super) failed: Option<RepoError>,
}

impl Libraries {
    /// Opens them, and brings the team's clone up to date.
    pub fn open(options: Arc<Options>) -> Libraries {
        let (mut collections, mut failed) = (Vec::new(), None);
        match options.team.as_ref().map(|wanted| repo::open(wanted, options.sync)) {
            Some(Ok(collection)) => collections.push(collection),
            Some(Err(error)) => failed = Some(error),
            None => {}
        }
        if options.builtin {
            collections.push(repo::builtin());
        }
        Libraries { options, collections, failed }
    }

    /// All files of all libraries.
    pub(super) fn places(&self) -> Vec<Place> {
        let places =
            self.collections.iter().flat_map(|library| library.entries.iter().map(|entry| library.place(entry)));
        places.collect()
    }

    /// As an answer tells of them; `unread` are files that are no runbooks, with the reason.
    pub(super) fn states(&self, unread: &[(Library, String)]) -> Vec<LibraryState> {
        let mut states: Vec<LibraryState> =
            self.collections.iter().map(|collection| state(collection, unread)).collect();
        if let (Some(error), Some(wanted)) = (&self.failed, &self.options.team) {
            let notes = std::iter::once(error.to_string()).chain(error.hint()).collect();
            let source = repo::shown(&wanted.source);
            let commit = String::new();
            let state = LibraryState { library: Library::Team, source, commit, runbooks: 0, synced: None, notes };
            states.insert(0, state);
        }
        states
    }
}

/// What an answer tells where there is no library at all.
pub fn lost(trouble: String) -> LibraryState {
    LibraryState {
        library: Library::Builtin,
        source: "all libraries".to_owned(),
        commit: String::new(),
        runbooks: 0,
        synced: None,
        notes: vec![trouble],
    }
}

fn state(collection: &Collection, unread: &[(Library, String)]) -> LibraryState {
    let stale = collection.stale.iter().map(|reason| format!("not up to date: {reason}"));
    let unread: Vec<&String> =
        unread.iter().filter(|(library, _)| *library == collection.library).map(|(_, note)| note).collect();
    let notes = stale.chain(collection.notes.iter().cloned()).chain(unread.iter().map(|note| (*note).clone()));
    let mut notes: Vec<String> = notes.collect();
    if notes.len() > NOTES {
        let more = notes.len() - NOTES;
        notes.truncate(NOTES);
        notes.push(format!("and {more} more"));
    }
    LibraryState {
        library: collection.library,
        source: collection.source.clone(),
        commit: collection.commit.clone(),
        runbooks: collection.entries.len() - unread.len().min(collection.entries.len()),
        synced: collection.synced,
        notes,
    }
}
