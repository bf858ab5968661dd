//! Reads the files that an index misses, many at once.
//!
//! *Invariant:* a file that is no runbook is left out with the reason; the rest is read all the same.

use std::collections::HashMap;

use crate::model::{Library, Place, Runbook};
use crate::runbook;
use crate::runbook::repo::{Collection, Entry};

/// Files that are read at once.
const BATCH: usize = 256;

/// Reads what an index misses.
pub(super) struct Loader<'a> {
    collections: &'a [Collection],
    missing: Vec<Place>,
    at: usize,
    read: HashMap<Place, Vec<u8>>,
    /// Files that are no runbooks, with the reason.
    pub(super) unread: Vec<(Library, String)>,
}

impl<'a> Loader<'a> {
    /// Of what is `missing`, in this order.
    pub(super) fn new(collections: &'a [Collection], missing: Vec<Place>) -> Loader<'a> {
        Loader { collections, missing, at: 0, read: HashMap::new(), unread: Vec::new() }
    }

    /// The runbook at a place; none where it can't be read.
    pub(super) fn load(&mut self, place: &Place) -> Option<Runbook> {
        while !self.read.contains_key(place) && self.at < self.missing.len() {
            let batch = self.missing.get(self.at..).unwrap_or_default();
            let batch: Vec<Place> = batch.iter().take(BATCH).cloned().collect();
            self.at += batch.len();
            self.fetch(&batch);
        }
        let parsed = runbook::sealed(place.clone(), &self.read.remove(place)?);
        if parsed.runbook.is_none() {
            let why = parsed.problems.first().map_or("it can't be read".to_owned(), |problem| problem.message.clone());
            self.unread.push((place.library, format!("{}: {why}", place.path)));
        }
        parsed.runbook
    }

    fn fetch(&mut self, batch: &[Place]) {
        for collection in self.collections {
            let paths: HashMap<&str, &Entry> =
                collection.entries.iter().map(|entry| (entry.path.as_str(), entry)).collect();
            let wanted: Vec<(&Place, &Entry)> = batch
                .iter()
                .filter(|place| place.library == collection.library)
                .filter_map(|place| Some((place, *paths.get(place.path.as_str())?)))
                .collect();
            let entries: Vec<&Entry> = wanted.iter().map(|(_, entry)| *entry).collect();
            match collection.read(&entries) {
                Ok(all) => {
                    self.read.extend(wanted.into_iter().map(|(place, _)| place.clone()).zip(all));
                }
                Err(error) => self.unread.push((collection.library, error.to_string())),
            }
        }
    }
}
