//! A reader of a Chroma server: documents and terms from the file, vectors from the server.
//!
//! *Invariant:* the server's distances are not used: what is near is fetched and scored as the file's vectors are.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use serde_json::json;

use super::chroma::{Chroma, ChromaError};
use super::chroma_sync::prefix;
use super::packed::{cosine, pack, scale, unpack};
use super::{Embedded, EmbeddedShelf};
use crate::model::Place;
use crate::model::runbook::{FrontMatter, Signature};
use crate::retrieve::{Chunk, Document, Near, Shelf, ShelfError};

/// Chunks that are asked for at first, for each document that is wanted: its best one is among them.
const CHUNKS: usize = 6;

/// Packed vectors of a document's chunks.
type Vectors = Vec<Option<Vec<u8>>>;

/// A reader of a [`Chroma`] index.
pub struct ChromaShelf<'a> {
    chroma: &'a Chroma,
    index: &'a Embedded,
    shelf: EmbeddedShelf<'a>,
    by_prefix: HashMap<String, Vec<u32>>,
    prefixes: Vec<(String, u32)>,
    fetched: Mutex<BTreeMap<u32, Vectors>>,
}

impl Chroma {
    /// The documents of `places` that are in `index`, with the vectors that the server has.
    pub fn shelf<'a>(&'a self, index: &'a Embedded, places: &[Place]) -> Result<ChromaShelf<'a>, ChromaError> {
        let shelf = index.shelf(places, None)?;
        let mut by_prefix: HashMap<String, Vec<u32>> = HashMap::new();
        let mut prefixes = Vec::new();
        for (number, (document, stored)) in (0..).zip(shelf.documents().iter().zip(shelf.all_stored())) {
            let prefix = prefix(self, index.deriver().version, &document.place, &stored.texts);
            by_prefix.entry(prefix.clone()).or_default().push(number);
            prefixes.push((prefix, stored.chunks));
        }
        Ok(ChromaShelf { chroma: self, index, shelf, by_prefix, prefixes, fetched: Mutex::default() })
    }
}

impl ChromaShelf<'_> {
    /// The signatures of all documents, by their number.
    pub fn signatures(&self) -> Result<Vec<(u32, Signature)>, ShelfError> {
        self.shelf.signatures()
    }

    /// What stands at the head of a document.
    pub fn front(&self, document: u32) -> Result<FrontMatter, ShelfError> {
        self.shelf.front(document)
    }

    /// Fetches the vectors of documents that were not fetched before.
    fn fetch(&self, documents: &[u32]) -> Result<(), ChromaError> {
        let known: BTreeSet<u32> = self.fetched().keys().copied().collect();
        let missing: BTreeSet<u32> = documents.iter().copied().filter(|document| !known.contains(document)).collect();
        let mut wanted: BTreeMap<String, (u32, usize)> = BTreeMap::new();
        let mut vectors: BTreeMap<u32, Vectors> = BTreeMap::new();
        for document in missing {
            let of = usize::try_from(document).ok().and_then(|number| self.prefixes.get(number));
            let Some((prefix, chunks)) = of else { continue };
            // Where libraries have the same file, one of them stands for all.
            let first = self.by_prefix.get(prefix).and_then(|all| all.first()).copied().unwrap_or(document);
            let chunks = usize::try_from(*chunks).unwrap_or(0);
            vectors.insert(first, vec![None; chunks]);
            wanted.extend((0..chunks).map(|chunk| (format!("{prefix}{chunk}"), (first, chunk))));
        }
        let ids: Vec<&String> = wanted.keys().collect();
        let mut found = 0;
        for ids in ids.chunks(self.chroma.batch) {
            let entries = self.chroma.entries(&json!({"ids": ids, "include": ["embeddings"]}))?;
            let embeddings = entries.embeddings.unwrap_or_default();
            for (id, embedding) in entries.ids.iter().zip(embeddings) {
                let (Some((document, chunk)), Some(embedding)) = (wanted.get(id), embedding) else { continue };
                if embedding.len() != self.chroma.model.dimensions {
                    return Err(self.chroma.nonsense(format!("a vector of {} dimensions", embedding.len())));
                }
                if let Some(slot) = vectors.get_mut(document).and_then(|vectors| vectors.get_mut(*chunk)) {
                    *slot = Some(pack(&embedding));
                    found += 1;
                }
            }
        }
        if found < wanted.len() {
            // Someone deleted them: the next time they are put there again.
            self.chroma.forget(self.index)?;
        }
        let mut fetched = self.fetched();
        for (first, vectors) in vectors {
            let prefix = usize::try_from(first).ok().and_then(|number| self.prefixes.get(number));
            let twins = prefix.and_then(|(prefix, _)| self.by_prefix.get(prefix));
            fetched.extend(twins.into_iter().flatten().map(|twin| (*twin, vectors.clone())));
        }
        Ok(())
    }

    fn fetched(&self) -> std::sync::MutexGuard<'_, BTreeMap<u32, Vectors>> {
        self.fetched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The documents of ours that are nearest, by their nearest chunk. What the collection holds of other commits, models
    /// and libraries is passed over: more is asked for until there are enough, or there is no more.
    fn candidates(&self, query: &[f32], number: usize) -> Result<BTreeSet<u32>, ChromaError> {
        let number = number.min(self.prefixes.len()).max(1);
        let mut asked = number * CHUNKS;
        loop {
            let ids = self.chroma.near(query, asked)?;
            let prefixes = ids.iter().filter_map(|id| id.get(..=id.rfind(':')?));
            let mut documents = BTreeSet::new();
            for prefix in prefixes {
                if documents.len() < number {
                    documents.extend(self.by_prefix.get(prefix).into_iter().flatten());
                }
            }
            if documents.len() >= number || ids.len() < asked {
                return Ok(documents);
            }
            asked *= 4;
        }
    }
}

impl Shelf for ChromaShelf<'_> {
    fn documents(&self) -> &[Document] {
        self.shelf.documents()
    }

    fn postings(&self, terms: &[String]) -> Result<Vec<Vec<(u32, f32)>>, ShelfError> {
        self.shelf.postings(terms)
    }

    fn nearest(&self, query: &[f32], candidates: usize) -> Result<Vec<Near>, ShelfError> {
        if self.prefixes.is_empty() {
            return Ok(Vec::new());
        }
        let documents: Vec<u32> = self.candidates(query, candidates)?.into_iter().collect();
        self.cosines(query, &documents)
    }

    fn cosines(&self, query: &[f32], documents: &[u32]) -> Result<Vec<Near>, ShelfError> {
        self.fetch(documents)?;
        let fetched = self.fetched();
        let mut all = Vec::new();
        for document in documents.iter().collect::<BTreeSet<_>>() {
            let vectors = fetched.get(document).into_iter().flatten();
            all.extend(vectors.zip(0..).filter_map(|(steps, chunk)| {
                let steps = steps.as_ref()?;
                Some(Near { document: *document, chunk, cosine: cosine(query, steps, scale(steps)) })
            }));
        }
        Ok(all)
    }

    fn chunk(&self, document: u32, chunk: u32) -> Result<Chunk, ShelfError> {
        self.shelf.chunk(document, chunk)
    }

    fn chunks(&self, document: u32) -> Result<Vec<Chunk>, ShelfError> {
        self.shelf.chunks(document)
    }

    fn vocabulary(&self, prefix: &str) -> Result<Vec<String>, ShelfError> {
        self.shelf.vocabulary(prefix)
    }

    fn vector(&self, document: u32) -> Result<Option<Vec<f32>>, ShelfError> {
        self.fetch(&[document])?;
        let fetched = self.fetched();
        let first = fetched.get(&document).and_then(|vectors| vectors.first());
        Ok(first.and_then(Option::as_ref).map(|steps| unpack(steps)))
    }
}
