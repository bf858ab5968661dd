//! A reader of the file: the documents of some places, and no others.
//!
//! *Invariant:* no row is looked at that is not of a place that was named; two readers of the same rows give the same
//! numbers to the last bit.

use std::collections::{BTreeSet, HashMap};
use std::io::Read;
use std::sync::{Arc, OnceLock};

use flate2::read::ZlibDecoder;
use rayon::prelude::*;
use rusqlite::{Connection, OptionalExtension, Row};

use super::embedding::{Texts, model_number, sum};
use super::packed::{cosine, scale, unpack};
use super::{Embedded, IndexError};
use crate::model::Place;
use crate::model::runbook::{FrontMatter, Signature};
use crate::retrieve::{Chunk, Document, ModelId, Near, Shelf, ShelfError};

/// The chunks of a document are no longer than this, unpacked: a runbook of a megabyte has been refused long before.
const LARGEST: u64 = 64 << 20;
/// Below so many vectors one thread is as fast.
const WORTH_A_THREAD: usize = 4096;

/// The documents of some places. What is read of a file once serves many questions.
#[derive(Default)]
pub struct Catalog {
    documents: Vec<Document>,
    /// By their number: the row, and what its vectors are found by.
    rows: Vec<Stored>,
    /// Rows in order, with the document's number.
    by_row: Vec<(i64, u32)>,
}

impl Catalog {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.documents.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }
}

/// A reader of an [`Embedded`] index.
pub struct EmbeddedShelf<'a> {
    index: &'a Embedded,
    catalog: Arc<Catalog>,
    model: Option<Model>,
    matrix: OnceLock<Matrix>,
}

/// Where a document lies.
pub(super) struct Stored {
    pub(super) row: i64,
    pub(super) texts: Texts,
    pub(super) chunks: u32,
}

struct Model {
    number: i64,
    dimensions: usize,
}

/// All vectors of the documents.
#[derive(Default)]
struct Matrix {
    steps: Vec<u8>,
    scales: Vec<f32>,
    owners: Vec<(u32, u32)>,
}

impl Embedded {
    /// The documents of `places` that are in the index, with the vectors of `model`.
    pub fn shelf(&self, places: &[Place], model: Option<&ModelId>) -> Result<EmbeddedShelf<'_>, IndexError> {
        self.shelf_of(&self.catalog(places)?, model)
    }

    /// The documents of a catalog, with the vectors of `model`.
    pub fn shelf_of(&self, catalog: &Arc<Catalog>, model: Option<&ModelId>) -> Result<EmbeddedShelf<'_>, IndexError> {
        let catalog = Arc::clone(catalog);
        let mut shelf = EmbeddedShelf { index: self, catalog, model: None, matrix: OnceLock::new() };
        shelf.set_model(model)?;
        Ok(shelf)
    }

    /// The documents of `places` that are in the index.
    pub fn catalog(&self, places: &[Place]) -> Result<Arc<Catalog>, IndexError> {
        let mut wanted: HashMap<(&str, &str), Vec<&Place>> = HashMap::with_capacity(places.len());
        for place in places {
            wanted.entry((&place.blob, &place.path)).or_default().push(place);
        }
        let mut found = Vec::with_capacity(places.len());
        {
            let db = self.lock();
            let mut all = db.prepare(
                "SELECT id, blob, path, texts, chunks, name, title, status, superseded_by, kinds, platforms, length
                 FROM document WHERE derivation = ?1",
            )?;
            let mut rows = all.query([self.deriver().version])?;
            while let Some(row) = rows.next()? {
                let places = wanted.get(&(row.get_ref(1)?.as_str()?, row.get_ref(2)?.as_str()?));
                for place in places.into_iter().flatten() {
                    found.push((document(row, place)?, stored(row)?));
                }
            }
        }
        found.sort_by(|(a, _), (b, _)| a.place.cmp(&b.place));
        found.dedup_by(|(a, _), (b, _)| a.place == b.place);
        let (documents, rows): (Vec<Document>, Vec<Stored>) = found.into_iter().unzip();
        let mut by_row: Vec<(i64, u32)> = rows.iter().map(|stored| stored.row).zip(0..).collect();
        by_row.sort_unstable();
        Ok(Arc::new(Catalog { documents, rows, by_row }))
    }
}

impl EmbeddedShelf<'_> {
    /// Takes the vectors of another model, or of none.
    pub fn set_model(&mut self, model: Option<&ModelId>) -> Result<(), IndexError> {
        self.matrix = OnceLock::new();
        self.model = None;
        let Some(id) = model else { return Ok(()) };
        let number = model_number(&self.index.lock(), id)?;
        self.model = number.map(|number| Model { number, dimensions: id.dimensions });
        Ok(())
    }

    /// The signatures of all documents, by their number.
    pub fn signatures(&self) -> Result<Vec<(u32, Signature)>, ShelfError> {
        let db = self.index.lock();
        let mut all = db.prepare("SELECT id, signature FROM document WHERE derivation = ?1")?;
        let mut rows = all.query([self.index.deriver().version])?;
        let mut signatures = Vec::with_capacity(self.catalog.rows.len());
        while let Some(row) = rows.next()? {
            for document in self.of_row(row.get(0)?) {
                signatures.push((document, json(row.get_ref(1)?.as_str()?)?));
            }
        }
        signatures.sort_by_key(|(document, _)| *document);
        Ok(signatures)
    }

    /// What stands at the head of a document.
    pub fn front(&self, document: u32) -> Result<FrontMatter, ShelfError> {
        let stored = self.stored(document)?;
        let db = self.index.lock();
        let mut one = db.prepare_cached("SELECT front FROM body WHERE document = ?1")?;
        let text: Option<String> = one.query_row([stored.row], |row| row.get(0)).optional()?;
        Ok(json(&text.ok_or_else(|| damaged("a body"))?)?)
    }

    /// Where the documents lie, by their number.
    pub(super) fn all_stored(&self) -> &[Stored] {
        &self.catalog.rows
    }

    pub(super) fn document_and_stored(&self, document: u32) -> Option<(&Document, &Stored)> {
        let number = usize::try_from(document).ok()?;
        Some((self.catalog.documents.get(number)?, self.catalog.rows.get(number)?))
    }

    fn stored(&self, document: u32) -> Result<&Stored, ShelfError> {
        let stored = usize::try_from(document).ok().and_then(|number| self.catalog.rows.get(number));
        stored.ok_or_else(|| ShelfError(format!("there is no document {document}")))
    }

    /// The documents that a row is of: one, or more where libraries have the same file.
    fn of_row(&self, row: i64) -> impl Iterator<Item = u32> {
        let first = self.catalog.by_row.partition_point(|(other, _)| *other < row);
        let from = self.catalog.by_row.get(first..).unwrap_or_default();
        from.iter().take_while(move |(other, _)| *other == row).map(|(_, document)| *document)
    }

    fn matrix(&self) -> Result<&Matrix, ShelfError> {
        if let Some(matrix) = self.matrix.get() {
            return Ok(matrix);
        }
        let matrix = match &self.model {
            Some(model) => self.read(model)?,
            None => Matrix::default(),
        };
        Ok(self.matrix.get_or_init(|| matrix))
    }

    /// Reads all vectors of the documents, in one pass over the table.
    fn read(&self, model: &Model) -> Result<Matrix, IndexError> {
        let mut by_texts: HashMap<&[u8], Vec<u32>> = HashMap::with_capacity(self.catalog.rows.len());
        for (stored, document) in self.catalog.rows.iter().zip(0..) {
            by_texts.entry(&stored.texts).or_default().push(document);
        }
        let mut matrix = Matrix::default();
        let db = self.index.lock();
        // In the order of the file, not of an index.
        let mut all = db.prepare_cached("SELECT texts, sum, data FROM vector NOT INDEXED WHERE model = ?1")?;
        let mut rows = all.query([model.number])?;
        while let Some(row) = rows.next()? {
            for document in by_texts.get(row.get_ref(0)?.as_blob()?).into_iter().flatten() {
                let data = row.get_ref(2)?.as_blob()?;
                matrix.push(*document, data, row.get(1)?, model.dimensions)?;
            }
        }
        Ok(matrix)
    }
}

impl Shelf for EmbeddedShelf<'_> {
    fn documents(&self) -> &[Document] {
        &self.catalog.documents
    }

    fn postings(&self, terms: &[String]) -> Result<Vec<Vec<(u32, f32)>>, ShelfError> {
        let db = self.index.lock();
        let mut postings = db.prepare_cached(
            "SELECT document, weight FROM posting WHERE term = (SELECT id FROM term WHERE text = ?1)",
        )?;
        let mut all = Vec::with_capacity(terms.len());
        for term in terms {
            let mut found = Vec::new();
            let mut rows = postings.query([term])?;
            while let Some(row) = rows.next()? {
                let weight: f32 = row.get(1)?;
                found.extend(self.of_row(row.get(0)?).map(|document| (document, weight)));
            }
            found.sort_unstable_by_key(|(document, _)| *document);
            all.push(found);
        }
        Ok(all)
    }

    fn nearest(&self, query: &[f32], _candidates: usize) -> Result<Vec<Near>, ShelfError> {
        let Some(model) = &self.model else { return Ok(Vec::new()) };
        fits(query, model.dimensions)?;
        Ok(self.matrix()?.cosines(query))
    }

    fn cosines(&self, query: &[f32], documents: &[u32]) -> Result<Vec<Near>, ShelfError> {
        let Some(model) = &self.model else { return Ok(Vec::new()) };
        fits(query, model.dimensions)?;
        let mut matrix = Matrix::default();
        let db = self.index.lock();
        let mut one = db.prepare_cached("SELECT sum, data FROM vector WHERE model = ?1 AND texts = ?2")?;
        for document in documents.iter().collect::<BTreeSet<_>>() {
            let mut rows = one.query((model.number, &self.stored(*document)?.texts))?;
            if let Some(row) = rows.next()? {
                matrix.push(*document, row.get_ref(1)?.as_blob()?, row.get(0)?, model.dimensions)?;
            }
        }
        Ok(matrix.cosines(query))
    }

    fn chunk(&self, document: u32, chunk: u32) -> Result<Chunk, ShelfError> {
        let chunks = self.chunks(document)?;
        let one = usize::try_from(chunk).ok().and_then(|number| chunks.into_iter().nth(number));
        one.ok_or_else(|| ShelfError(format!("document {document} has no chunk {chunk}")))
    }

    fn chunks(&self, document: u32) -> Result<Vec<Chunk>, ShelfError> {
        Ok(chunks_of(&self.index.lock(), self.stored(document)?.row)?)
    }

    fn vocabulary(&self, prefix: &str) -> Result<Vec<String>, ShelfError> {
        let db = self.index.lock();
        let mut terms = db.prepare_cached("SELECT id, text FROM term WHERE text >= ?1 ORDER BY text")?;
        let mut postings = db.prepare_cached("SELECT document FROM posting WHERE term = ?1")?;
        let mut rows = terms.query([prefix])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let text = row.get_ref(1)?.as_str()?;
            if !text.starts_with(prefix) {
                break;
            }
            // The file knows terms of other commits too.
            let mut documents = postings.query([row.get::<_, i64>(0)?])?;
            while let Some(document) = documents.next()? {
                if self.of_row(document.get(0)?).next().is_some() {
                    found.push(text.to_owned());
                    break;
                }
            }
        }
        Ok(found)
    }

    fn vector(&self, document: u32) -> Result<Option<Vec<f32>>, ShelfError> {
        let Some(model) = &self.model else { return Ok(None) };
        let db = self.index.lock();
        let mut one = db.prepare_cached("SELECT sum, data FROM vector WHERE model = ?1 AND texts = ?2")?;
        let mut rows = one.query((model.number, &self.stored(document)?.texts))?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let mut matrix = Matrix::default();
        matrix.push(document, row.get_ref(1)?.as_blob()?, row.get(0)?, model.dimensions)?;
        Ok(matrix.steps.get(..model.dimensions).map(unpack))
    }
}

impl Matrix {
    fn push(&mut self, document: u32, data: &[u8], expected: u32, dimensions: usize) -> Result<(), IndexError> {
        if sum(data) != expected || !data.len().is_multiple_of(dimensions.max(1)) {
            return Err(damaged("a vector"));
        }
        for (steps, chunk) in data.chunks_exact(dimensions.max(1)).zip(0..) {
            self.steps.extend_from_slice(steps);
            self.scales.push(scale(steps));
            self.owners.push((document, chunk));
        }
        Ok(())
    }

    /// The cosine of every vector, sorted by document and chunk.
    fn cosines(&self, query: &[f32]) -> Vec<Near> {
        let dimensions = query.len().max(1);
        let rows = self.owners.par_iter().zip(&self.scales).zip(self.steps.par_chunks_exact(dimensions));
        let mut all: Vec<Near> = rows
            .with_min_len(WORTH_A_THREAD)
            .map(|(((document, chunk), scale), steps)| Near {
                document: *document,
                chunk: *chunk,
                cosine: cosine(query, steps, *scale),
            })
            .collect();
        all.sort_unstable_by_key(|near| (near.document, near.chunk));
        all
    }
}

fn fits(query: &[f32], dimensions: usize) -> Result<(), ShelfError> {
    if query.len() == dimensions {
        return Ok(());
    }
    Err(ShelfError(format!("the query has {} dimensions, the index {dimensions}", query.len())))
}

fn document(row: &Row<'_>, place: &Place) -> Result<Document, IndexError> {
    Ok(Document {
        place: place.clone(),
        name: row.get(5)?,
        title: row.get(6)?,
        status: json(row.get_ref(7)?.as_str()?)?,
        superseded_by: row.get(8)?,
        kinds: json(row.get_ref(9)?.as_str()?)?,
        platforms: json(row.get_ref(10)?.as_str()?)?,
        length: row.get(11)?,
    })
}

fn stored(row: &Row<'_>) -> Result<Stored, IndexError> {
    Ok(Stored { row: row.get(0)?, texts: row.get(3)?, chunks: row.get(4)? })
}

/// The chunks of a document.
pub(super) fn chunks_of(db: &Connection, row: i64) -> Result<Vec<Chunk>, IndexError> {
    let mut one = db.prepare_cached("SELECT chunks FROM body WHERE document = ?1")?;
    let bytes: Vec<u8> = one.query_row([row], |row| row.get(0)).optional()?.ok_or_else(|| damaged("a body"))?;
    let mut text = String::new();
    let read = ZlibDecoder::new(bytes.as_slice()).take(LARGEST).read_to_string(&mut text);
    read.map_err(|_| damaged("a body"))?;
    json(&text)
}

fn json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, IndexError> {
    serde_json::from_str(text).map_err(|_| damaged("a field"))
}

fn damaged(what: &str) -> IndexError {
    IndexError::Damaged(format!("{what} is not what was written"))
}
