//! Puts the vectors of documents on a Chroma server, by difference.
//!
//! *Invariant:* what is there is not sent again, whoever put it there; of several writers all send the same entries.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::chroma::{Chroma, ChromaError, Entries};
use super::embedding::{Texts, vectors};
use super::packed::unpack;
use super::shelf::Stored;
use super::sync::{Phase, Progress, Report};
use super::{Embedded, EmbeddedShelf};
use crate::model::Place;
use crate::retrieve::{Chunk, Document, Embedder, Shelf};
use crate::runbook::repo::hex;

/// Chunks that are embedded and sent at once.
const BATCH: usize = 256;

/// The ids of a document's entries, without the number of the chunk.
pub(super) fn prefix(chroma: &Chroma, derivation: &str, place: &Place, texts: &Texts) -> String {
    let texts = hex(texts.get(..4).unwrap_or(texts));
    format!("{}:{}:{texts}:", generation(chroma, derivation), place.blob)
}

/// Which model and derivation an entry is of.
fn generation(chroma: &Chroma, derivation: &str) -> String {
    format!("{}:{derivation}", chroma.model.digest.get(..12).unwrap_or(&chroma.model.digest))
}

/// A document whose entries should be there.
struct Wanted {
    number: u32,
    prefix: String,
    chunks: u32,
}

impl Chroma {
    /// Puts there what is missing of `wanted`, which `index` has already: [`Embedded::sync`] goes first, without an embedder.
    /// Vectors that the file has are sent as they are; others are embedded, and kept in the file too.
    pub fn sync(
        &self,
        index: &Embedded,
        wanted: &[Place],
        embedder: &dyn Embedder,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Report, ChromaError> {
        let shelf = index.shelf(wanted, None)?;
        let derivation = index.deriver().version;
        let mut all: Vec<Wanted> = Vec::new();
        let mut seen = BTreeSet::new();
        for (number, (document, stored)) in (0..).zip(shelf.documents().iter().zip(shelf.all_stored())) {
            let prefix = prefix(self, derivation, &document.place, &stored.texts);
            if stored.chunks > 0 && seen.insert(prefix.clone()) {
                all.push(Wanted { number, prefix, chunks: stored.chunks });
            }
        }
        let mut report = Report { kept: all.len(), ..Report::default() };
        let set = set_of(&all);
        if index.memo(&self.memo_key())?.is_some_and(|memo| is_as_remembered(&memo, &set, self.count().unwrap_or(0))) {
            return Ok(report);
        }
        // A document is sent whole, so the last of its entries speaks for all.
        let last: Vec<String> = all.iter().map(|wanted| format!("{}{}", wanted.prefix, wanted.chunks - 1)).collect();
        let there = self.present(&last)?;
        let missing: Vec<&Wanted> =
            all.iter().zip(&last).filter(|(_, last)| !there.contains(*last)).map(|(wanted, _)| wanted).collect();
        report.kept = all.len() - missing.len();
        self.put(index, &shelf, &missing, embedder, progress, &mut report)?;
        if report.failure.is_none() {
            index.remember(&self.memo_key(), &format!("{} {set}", self.count()?))?;
        }
        Ok(report)
    }

    fn put(
        &self,
        index: &Embedded,
        shelf: &EmbeddedShelf<'_>,
        missing: &[&Wanted],
        embedder: &dyn Embedder,
        progress: &mut dyn FnMut(Progress),
        report: &mut Report,
    ) -> Result<(), ChromaError> {
        let (mut done, total) = (0, missing.len());
        let mut rest = missing;
        while !rest.is_empty() && report.failure.is_none() {
            progress(Progress { phase: Phase::Embed, done, total });
            let mut chunks = 0;
            let taken = rest.iter().take_while(|wanted| {
                chunks += usize::try_from(wanted.chunks).unwrap_or(BATCH);
                chunks <= BATCH.min(self.batch)
            });
            let (batch, later) = rest.split_at(taken.count().max(1));
            rest = later;
            done += batch.len();
            match self.send_batch(index, shelf, batch, embedder)? {
                Ok(embedded) => {
                    report.added += batch.len();
                    report.embedded += embedded;
                }
                Err(failure) => {
                    report.without_vectors = total - done + batch.len();
                    report.failure = Some(failure);
                }
            }
        }
        if total > 0 {
            progress(Progress { phase: Phase::Embed, done, total });
        }
        Ok(())
    }

    /// Sends some documents, and gives how many of them had to be embedded; or says why they could not be.
    fn send_batch(
        &self,
        index: &Embedded,
        shelf: &EmbeddedShelf<'_>,
        batch: &[&Wanted],
        embedder: &dyn Embedder,
    ) -> Result<Result<usize, String>, ChromaError> {
        let model = index.model(&self.model)?;
        let mut rows: Vec<(&Document, &Stored, Vec<Chunk>)> = Vec::new();
        for wanted in batch {
            let Some((document, stored)) = shelf.document_and_stored(wanted.number) else { continue };
            rows.push((document, stored, index.chunks(stored.row)?));
        }
        let lacking = index.lacking(model, rows.iter().map(|(_, stored, _)| &stored.texts))?;
        let new: Vec<&(&Document, &Stored, Vec<Chunk>)> =
            rows.iter().filter(|(_, stored, _)| lacking.contains(&stored.texts)).collect();
        match vectors(embedder, new.iter().map(|(.., chunks)| chunks.as_slice())) {
            Ok(vectors) => index.keep_vectors(model, new.iter().map(|(_, stored, _)| &stored.texts).zip(&vectors))?,
            Err(error) => return Ok(Err(error.to_string())),
        }
        let derivation = index.deriver().version;
        let (mut ids, mut embeddings, mut metadatas, mut documents) = (vec![], vec![], vec![], vec![]);
        for (document, stored, chunks) in &rows {
            let prefix = prefix(self, derivation, &document.place, &stored.texts);
            let data = index.vector(model, &stored.texts, self.model.dimensions)?;
            for (number, (chunk, steps)) in chunks.iter().zip(data.chunks_exact(self.model.dimensions)).enumerate() {
                ids.push(format!("{prefix}{number}"));
                embeddings.push(unpack(steps));
                metadatas.push(metadata(self, derivation, document, chunk, number));
                documents.push(chunk.text.as_str());
            }
        }
        let body = json!({"ids": ids, "embeddings": embeddings, "metadatas": metadatas, "documents": documents});
        self.upsert(&body)?;
        Ok(Ok(new.len()))
    }

    /// Deletes entries that `keep` does not have, and those of other models and versions. An entry of a commit that
    /// `knows` does not know stays: it may be newer than this clone. Gives the number of entries that went.
    pub fn prune(&self, index: &Embedded, keep: &[Place], knows: &dyn Fn(&str) -> bool) -> Result<usize, ChromaError> {
        let blobs: BTreeSet<&str> = keep.iter().map(|place| place.blob.as_str()).collect();
        let generation = generation(self, index.deriver().version);
        let mut gone = Vec::new();
        let mut seen = 0;
        loop {
            let page: Entries =
                self.entries(&json!({"limit": self.batch, "offset": seen, "include": ["metadatas"]}))?;
            if page.ids.is_empty() {
                break;
            }
            seen += page.ids.len();
            let metadatas = page.metadatas.unwrap_or_default();
            for (id, metadata) in page.ids.into_iter().zip(metadatas) {
                // What we did not put there is not ours to delete.
                let Some(metadata) = metadata.filter(|metadata| !metadata.index.is_empty()) else { continue };
                let kept = blobs.contains(metadata.blob.as_str()) && metadata.index == generation;
                if !kept && knows(&metadata.commit) {
                    gone.push(id);
                }
            }
        }
        self.delete(&gone)?;
        self.forget(index)?;
        Ok(gone.len())
    }
}

/// What makes an entry traceable.
fn metadata(chroma: &Chroma, derivation: &str, document: &Document, chunk: &Chunk, number: usize) -> Value {
    json!({
        "index": generation(chroma, derivation),
        "model": chroma.model.name,
        "library": document.place.library,
        "path": document.place.path,
        "commit": document.place.commit,
        "blob": document.place.blob,
        "title": document.title,
        "heading": chunk.heading,
        "line": chunk.line,
        "chunk": number,
    })
}

fn set_of(all: &[Wanted]) -> String {
    let mut digest = Sha256::new();
    for wanted in all {
        digest.update(&wanted.prefix);
    }
    hex(&digest.finalize())
}

/// Whether the same documents were put there before, and the server has not lost entries since.
fn is_as_remembered(memo: &str, set: &str, count: usize) -> bool {
    let Some((number, then)) = memo.split_once(' ') else { return false };
    then == set && number.parse().is_ok_and(|number: usize| count >= number)
}
