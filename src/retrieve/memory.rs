//! A shelf in memory, for tests and for the evaluation.
//!
//! *Invariant:* it answers as an index in a file does.

use std::collections::BTreeMap;

use crate::model::Runbook;

use super::{Chunk, Derived, Document, EmbedError, Embedder, Near, Shelf, ShelfError};

/// Documents with what was derived from them.
#[derive(Debug, Default)]
pub struct Memory {
    documents: Vec<Document>,
    chunks: Vec<Vec<Chunk>>,
    vectors: Vec<Vec<Vec<f32>>>,
    postings: BTreeMap<String, Vec<(u32, f32)>>,
}

impl Memory {
    /// A shelf of these runbooks, sorted by place.
    pub fn new<'a>(runbooks: impl IntoIterator<Item = &'a Runbook>, derive: super::Derive) -> Memory {
        let mut runbooks: Vec<&Runbook> = runbooks.into_iter().collect();
        runbooks.sort_by(|a, b| a.place.cmp(&b.place));
        let mut memory = Memory::default();
        for (number, runbook) in (0_u32..).zip(runbooks) {
            let Derived { terms, chunks } = derive(runbook);
            for (term, count) in terms.counts {
                memory.postings.entry(term).or_default().push((number, count));
            }
            memory.documents.push(Document::new(runbook, terms.length));
            memory.chunks.push(chunks);
        }
        memory
    }

    /// Embeds every chunk.
    pub fn embed(&mut self, model: &dyn Embedder) -> Result<(), EmbedError> {
        self.vectors.clear();
        for chunks in &self.chunks {
            let texts: Vec<&str> = chunks.iter().map(|chunk| chunk.text.as_str()).collect();
            self.vectors.push(model.embed(&texts)?);
        }
        Ok(())
    }

    /// The chunks' texts, document by document.
    pub fn texts(&self) -> &[Vec<Chunk>] {
        &self.chunks
    }

    /// Takes vectors that were made elsewhere, for all chunks of all documents.
    pub fn set_vectors(&mut self, vectors: Vec<Vec<Vec<f32>>>) {
        self.vectors = vectors;
    }
}

impl Shelf for Memory {
    fn documents(&self) -> &[Document] {
        &self.documents
    }

    fn postings(&self, terms: &[String]) -> Result<Vec<Vec<(u32, f32)>>, ShelfError> {
        Ok(terms.iter().map(|term| self.postings.get(term).cloned().unwrap_or_default()).collect())
    }

    fn vocabulary(&self, prefix: &str) -> Result<Vec<String>, ShelfError> {
        let from = self.postings.range(prefix.to_owned()..).map(|(term, _)| term);
        Ok(from.take_while(|term| term.starts_with(prefix)).cloned().collect())
    }

    fn nearest(&self, query: &[f32], _candidates: usize) -> Result<Vec<Near>, ShelfError> {
        self.cosines(query, &(0_u32..).zip(&self.documents).map(|(number, _)| number).collect::<Vec<_>>())
    }

    fn cosines(&self, query: &[f32], documents: &[u32]) -> Result<Vec<Near>, ShelfError> {
        let mut near = Vec::new();
        for document in documents {
            for (chunk, vector) in (0_u32..).zip(self.vectors.get(*document as usize).into_iter().flatten()) {
                let cosine = query.iter().zip(vector).map(|(a, b)| a * b).sum();
                near.push(Near { document: *document, chunk, cosine });
            }
        }
        Ok(near)
    }

    fn vector(&self, document: u32) -> Result<Option<Vec<f32>>, ShelfError> {
        Ok(self.vectors.get(document as usize).and_then(|vectors| vectors.first()).cloned())
    }

    fn chunk(&self, document: u32, chunk: u32) -> Result<Chunk, ShelfError> {
        let chunks = self.chunks.get(document as usize);
        let found = chunks.and_then(|chunks| chunks.get(chunk as usize)).cloned();
        found.ok_or_else(|| ShelfError(format!("no chunk {chunk} of document {document}")))
    }

    fn chunks(&self, document: u32) -> Result<Vec<Chunk>, ShelfError> {
        Ok(self.chunks.get(document as usize).cloned().unwrap_or_default())
    }
}
