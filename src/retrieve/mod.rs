//! Finds the runbook for a cause: by signature first, then by words and meaning, or says that there is none.
//!
//! *Invariant:* what is derived from a runbook (terms, chunks, vectors) depends on its bytes, the versions here and
//! the model alone, so an index can always be thrown away and made again. A search sees the blobs of its own
//! commit and no others.

pub mod chunk;
mod clean;
mod concept;
mod dense;
pub mod embed;
pub mod eval;
mod http;
pub mod index;
mod lexical;
pub mod memory;
mod near;
mod passage;
mod prose;
pub mod query;
mod search;
#[cfg(test)]
mod serving;
pub mod signature;
mod spell;
#[cfg(test)]
pub(crate) mod testing;
mod text;

pub use near::near_duplicates;
pub use query::{Filter, Query, Signals};
pub use search::{Answer, Hit, Lazy, Standing, Why, search};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::runbook::Status;
use crate::model::{Place, Runbook};

/// A part of a runbook that has a vector of its own. Number 0 stands for the whole document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// The heading that it stands under; empty for the whole document.
    pub heading: String,
    /// What is embedded: the title, then the text.
    pub text: String,
    /// Where it begins in the file, from 1.
    pub line: usize,
}

/// The terms of a document with what each weighs: fields are weighted before anything is known of the corpus.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// Weighted count of each term.
    pub counts: BTreeMap<String, f32>,
    /// Their weighted sum, the length that BM25 normalises by.
    pub length: f32,
}

/// What an index knows of a document without its terms and vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Which bytes it is.
    pub place: Place,
    /// Its title.
    pub title: String,
    /// How far it has come.
    pub status: Status,
    /// The name of what took its place.
    pub superseded_by: Option<String>,
    /// Its name.
    pub name: String,
    /// Kinds that it is about.
    pub kinds: Vec<String>,
    /// Platforms that it is for; empty for any.
    pub platforms: Vec<String>,
    /// [`Terms::length`].
    pub length: f32,
}

impl Document {
    /// Of a runbook whose terms weigh `length` together.
    pub fn new(runbook: &Runbook, length: f32) -> Document {
        let front = &runbook.front;
        Document {
            place: runbook.place.clone(),
            title: front.title.clone(),
            status: front.status,
            superseded_by: front.superseded_by.clone(),
            name: front.name.clone(),
            kinds: front.signature.kinds.clone(),
            platforms: front.applies_to.platforms.clone(),
            length,
        }
    }
}

/// What a search reads of an index. Documents are known by their number in [`Shelf::documents`].
pub trait Shelf {
    /// All documents of the commits in use, sorted by place.
    fn documents(&self) -> &[Document];

    /// For each of `terms`, the documents that have it, with its weighted count.
    fn postings(&self, terms: &[String]) -> Result<Vec<Vec<(u32, f32)>>, ShelfError>;

    /// Chunks with their cosine to `query` (a unit vector): all of them, or, where a server holds the vectors, those of its
    /// nearest `candidates` documents. Exact in either case. Empty where there are no vectors.
    fn nearest(&self, query: &[f32], candidates: usize) -> Result<Vec<Near>, ShelfError>;

    /// The cosines of all chunks of `documents`.
    fn cosines(&self, query: &[f32], documents: &[u32]) -> Result<Vec<Near>, ShelfError>;

    /// A chunk's text, to quote.
    fn chunk(&self, document: u32, chunk: u32) -> Result<Chunk, ShelfError>;

    /// All chunks of a document, in order.
    fn chunks(&self, document: u32) -> Result<Vec<Chunk>, ShelfError>;

    /// The terms that begin with `prefix`, for words that are misspelt. A shelf that can't tell has none.
    fn vocabulary(&self, _prefix: &str) -> Result<Vec<String>, ShelfError> {
        Ok(Vec::new())
    }

    /// The vector of a whole document, to find what is like it. A shelf that can't tell has none.
    fn vector(&self, _document: u32) -> Result<Option<Vec<f32>>, ShelfError> {
        Ok(None)
    }
}

/// How near a chunk is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Near {
    /// The document's number.
    pub document: u32,
    /// The chunk's number in it.
    pub chunk: u32,
    /// Cosine, -1 to 1.
    pub cosine: f32,
}

/// Why an index could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ShelfError(pub String);

/// Turns text into unit vectors.
pub trait Embedder: Send + Sync {
    /// What tells its vectors from those of others: name, digest of the weights, dimensions.
    fn id(&self) -> &ModelId;

    /// One unit vector of [`ModelId::dimensions`] for each text.
    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError>;
}

/// What tells a model's vectors from those of others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelId {
    /// For people: `all-MiniLM-L6-v2 (int8)`.
    pub name: String,
    /// SHA-256 over weights and tokenizer; of a server, over its address and model name.
    pub digest: String,
    /// Length of a vector.
    pub dimensions: usize,
}

/// Why a text could not be embedded.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct EmbedError(pub String);

/// What an index derives from one runbook.
#[derive(Clone, Debug, PartialEq)]
pub struct Derived {
    /// For the lexical part.
    pub terms: Terms,
    /// For the dense part; the first is the whole document.
    pub chunks: Vec<Chunk>,
}

/// Derives what an index keeps of a runbook.
pub type Derive = fn(&Runbook) -> Derived;
