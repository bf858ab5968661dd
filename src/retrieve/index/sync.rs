//! Brings the index up to the runbooks of a commit, by difference.
//!
//! *Invariant:* nothing is removed, so a reader of another commit keeps what it reads; what is there already is not made
//! again, whoever made it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use rayon::prelude::*;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use sha2::{Digest, Sha256};

use super::{Deriver, Embedded, IndexError, integer, schema};
use crate::model::{Place, Runbook};
use crate::retrieve::{Chunk, Derived, Embedder, Terms};

/// Documents that are written at once: each time, most pages of the postings are written anew.
const BATCH: usize = 1000;
/// Documents that are held as runbooks at once.
const PART: usize = 200;

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is done.
    pub phase: Phase,
    /// So many documents are done.
    pub done: usize,
    /// Of so many.
    pub total: usize,
}

/// What is done to documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// They are read, and terms and chunks derived.
    Read,
    /// Their chunks get vectors.
    Embed,
}

/// What it came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Documents that are new.
    pub added: usize,
    /// Documents that were there.
    pub kept: usize,
    /// Documents that could not be read, and are not found.
    pub unread: usize,
    /// Documents that got vectors.
    pub embedded: usize,
    /// Documents that have none, and are found by their words only.
    pub without_vectors: usize,
    /// Why not all have vectors: the embedder failed.
    pub failure: Option<String>,
    /// Documents of other commits or versions that lie in the index too; [`Embedded::prune`] removes them.
    pub unused: usize,
}

impl Embedded {
    /// Adds what is not there of `wanted`: `load` reads a runbook, `embedder` gives its vectors. A document that can't be
    /// read is left out. An embedder that fails leaves documents without vectors, which is not an error: they are
    /// found by their words, and the next time they get their vectors.
    pub fn sync(
        &self,
        wanted: &[Place],
        load: &mut dyn FnMut(&Place) -> Option<Runbook>,
        embedder: Option<&dyn Embedder>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Report, IndexError> {
        let mut report = Report::default();
        let wanted: Vec<&Place> = distinct(wanted);
        let known = self.known()?;
        let missing: Vec<&Place> = wanted.iter().copied().filter(|place| !known.contains(&key(place))).collect();
        report.kept = wanted.len() - missing.len();
        report.unused = known.len().saturating_sub(report.kept);
        let total = missing.len();
        for batch in missing.chunks(BATCH) {
            // Derived before the file is held.
            let (mut rows, mut words) = (Vec::with_capacity(batch.len()), Words::default());
            for (at, part) in batch.chunks(PART).enumerate() {
                progress(Progress { phase: Phase::Read, done: report.added + report.unread + at * PART, total });
                let loaded: Vec<(&Place, Runbook)> =
                    part.iter().filter_map(|place| Some((*place, load(place)?))).collect();
                let derived: Vec<(Row<'_>, Terms)> =
                    loaded.into_par_iter().map(|(place, runbook)| Row::new(place, &runbook, self.deriver())).collect();
                rows.extend(derived.into_iter().map(|(row, terms)| (row, words.numbered(terms))));
            }
            report.unread += batch.len() - rows.len();
            report.added += rows.len();
            self.insert(&rows, &words)?;
        }
        if total > 0 {
            progress(Progress { phase: Phase::Read, done: total, total });
        }
        if let Some(embedder) = embedder {
            self.embed(&wanted, embedder, progress, &mut report)?;
        }
        Ok(report)
    }

    /// The places whose documents are not there: [`sync`](Embedded::sync) will ask for them, in this order.
    pub fn missing(&self, wanted: &[Place]) -> Result<Vec<Place>, IndexError> {
        let known = self.known()?;
        Ok(distinct(wanted).into_iter().filter(|place| !known.contains(&key(place))).cloned().collect())
    }

    /// Blob and path of each document of this version.
    fn known(&self) -> Result<BTreeSet<(String, String)>, IndexError> {
        let db = self.lock();
        let mut all = db.prepare("SELECT blob, path FROM document WHERE derivation = ?1")?;
        let rows = all.query_map([self.deriver().version], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn insert(&self, rows: &[(Row<'_>, Vec<(usize, f32)>)], words: &Words) -> Result<(), IndexError> {
        let mut db = self.lock();
        let work = schema::writing(&mut db)?;
        let ids: Vec<i64> = words.texts.iter().map(|text| term_id(&work, text)).collect::<Result<_, _>>()?;
        let mut postings = Vec::new();
        for (row, terms) in rows {
            if let Some(document) = row.insert(&work, self.deriver())? {
                postings.extend(terms.iter().filter_map(|(word, weight)| Some((*ids.get(*word)?, document, *weight))));
            }
        }
        // In the order of the table, so that its pages are filled one after the other.
        postings.sort_unstable_by_key(|(term, document, _)| (*term, *document));
        {
            let mut insert = work.prepare_cached("INSERT OR IGNORE INTO posting VALUES (?1, ?2, ?3)")?;
            for (term, document, weight) in postings {
                insert.execute(params![term, document, weight])?;
            }
        }
        Ok(work.commit()?)
    }
}

/// The terms of many documents, each once, by a number of ours.
#[derive(Default)]
struct Words {
    numbers: HashMap<String, usize>,
    texts: Vec<String>,
}

impl Words {
    /// The terms of one document by their numbers.
    fn numbered(&mut self, terms: Terms) -> Vec<(usize, f32)> {
        let mut number = |term: String| {
            if let Some(number) = self.numbers.get(&term) {
                return *number;
            }
            self.texts.push(term.clone());
            self.numbers.insert(term, self.texts.len() - 1);
            self.texts.len() - 1
        };
        terms.counts.into_iter().map(|(term, weight)| (number(term), weight)).collect()
    }
}

fn key(place: &Place) -> (String, String) {
    (place.blob.clone(), place.path.clone())
}

/// Each document once, in order: two libraries may have the same one.
fn distinct(places: &[Place]) -> Vec<&Place> {
    let all: BTreeMap<(&str, &str), &Place> =
        places.iter().map(|place| ((place.path.as_str(), place.blob.as_str()), place)).collect();
    all.into_values().collect()
}

fn term_id(work: &Transaction<'_>, text: &str) -> Result<i64, rusqlite::Error> {
    let known = work.prepare_cached("SELECT id FROM term WHERE text = ?1")?.query_row([text], |row| row.get(0));
    match known.optional()? {
        Some(id) => Ok(id),
        None => work.prepare_cached("INSERT INTO term (text) VALUES (?1)")?.insert([text]),
    }
}

/// A document as it is written, which is a part of what the runbook takes in memory.
struct Row<'a> {
    place: &'a Place,
    name: String,
    title: String,
    status: String,
    superseded_by: Option<String>,
    kinds: String,
    platforms: String,
    signature: String,
    length: f32,
    texts: Vec<u8>,
    number: i64,
    front: String,
    chunks: Vec<u8>,
}

impl<'a> Row<'a> {
    /// With its terms.
    fn new(place: &'a Place, runbook: &Runbook, deriver: Deriver) -> (Row<'a>, Terms) {
        let Derived { terms, chunks } = (deriver.derive)(runbook);
        let front = &runbook.front;
        let row = Row {
            place,
            name: front.name.clone(),
            title: front.title.clone(),
            status: json(&front.status),
            superseded_by: front.superseded_by.clone(),
            kinds: json(&front.signature.kinds),
            platforms: json(&front.applies_to.platforms),
            signature: json(&front.signature),
            length: terms.length,
            texts: texts(&chunks),
            number: integer(chunks.len()),
            front: json(front),
            chunks: squeeze(json(&chunks).as_bytes()),
        };
        (row, terms)
    }

    /// Inserts it, if nobody has, and gives its number.
    fn insert(&self, work: &Connection, deriver: Deriver) -> Result<Option<i64>, IndexError> {
        let new = work
            .prepare_cached(
                "INSERT OR IGNORE INTO document (derivation, blob, path, name, title, status, superseded_by, kinds,
                 platforms, signature, length, texts, chunks)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            )?
            .execute(params![
                deriver.version,
                self.place.blob,
                self.place.path,
                self.name,
                self.title,
                self.status,
                self.superseded_by,
                self.kinds,
                self.platforms,
                self.signature,
                self.length,
                self.texts,
                self.number,
            ])?;
        if new == 0 {
            return Ok(None);
        }
        let document = work.last_insert_rowid();
        let mut insert = work.prepare_cached("INSERT OR REPLACE INTO body VALUES (?1, ?2, ?3)")?;
        insert.execute(params![document, self.front, self.chunks])?;
        Ok(Some(document))
    }
}

/// What tells the texts of a document's chunks from others: equal texts have equal vectors.
pub(super) fn texts(chunks: &[Chunk]) -> Vec<u8> {
    let mut digest = Sha256::new();
    for chunk in chunks {
        digest.update(chunk.text.len().to_le_bytes());
        digest.update(&chunk.text);
    }
    digest.finalize().into_iter().take(16).collect()
}

fn json(value: &impl serde::Serialize) -> String {
    // Plain data of strings, lists and numbers: there is nothing that JSON can't say.
    serde_json::to_string(value).unwrap_or_default()
}

fn squeeze(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}
