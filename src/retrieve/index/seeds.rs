//! Vectors that come with the program: those of the library it ships, so that nobody waits for them to be made.
//!
//! *Invariant:* they are found by the texts that they are of, as all vectors are: those of a text that has changed since
//! are never used.

use std::collections::BTreeSet;

use rusqlite::params;

use super::embedding::{Texts, model_number};
use super::{Embedded, IndexError};
use crate::model::Place;
use crate::retrieve::{EmbedError, ModelId};

/// How long what texts are known by is.
const TEXTS: usize = 16;

impl Embedded {
    /// The vectors of `places` in one piece, to ship.
    pub fn export_vectors(&self, places: &[Place], model: &ModelId) -> Result<Vec<u8>, IndexError> {
        let mut bytes = serde_json::to_vec(model).unwrap_or_default();
        bytes.push(b'\n');
        let shelf = self.shelf(places, Some(model))?;
        let texts: BTreeSet<&Texts> = shelf.all_stored().iter().map(|stored| &stored.texts).collect();
        let Some(number) = model_number(&self.lock(), model)? else { return Ok(bytes) };
        let lacking = self.lacking(number, texts.iter().copied())?;
        for texts in texts.difference(&lacking) {
            let data = self.vector(number, texts, model.dimensions)?;
            bytes.extend_from_slice(texts);
            bytes.extend_from_slice(&u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes());
            bytes.extend_from_slice(&data);
        }
        Ok(bytes)
    }

    /// Keeps what [`export_vectors`](Embedded::export_vectors) gave, once; gives the number of documents that it is of.
    pub fn import_vectors(&self, bytes: &[u8]) -> Result<usize, IndexError> {
        let key = format!("seeds:{:08x}:{}", super::embedding::sum(bytes), bytes.len());
        if let Some(number) = self.memo(&key)? {
            return Ok(number.parse().unwrap_or(0));
        }
        let rows = read(bytes).map_err(|error| IndexError::Damaged(error.to_string()))?;
        let number = self.model(&rows.0)?;
        self.keep_vectors(number, rows.1.iter().map(|(texts, data)| (texts, data)))?;
        self.remember(&key, &rows.1.len().to_string())?;
        Ok(rows.1.len())
    }

    /// Whether any vectors of a model are there.
    pub fn has_model(&self, model: &ModelId) -> Result<bool, IndexError> {
        let db = self.lock();
        let Some(number) = model_number(&db, model)? else { return Ok(false) };
        Ok(db.prepare_cached("SELECT 1 FROM vector WHERE model = ?1 LIMIT 1")?.exists(params![number])?)
    }
}

/// The model, and the vectors by their texts.
type Seeds = (ModelId, Vec<(Texts, Vec<u8>)>);

fn read(bytes: &[u8]) -> Result<Seeds, EmbedError> {
    let bad = || EmbedError("the vectors that are shipped can't be read".to_owned());
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(bad)?;
    let (head, rest) = bytes.split_at(end);
    let model: ModelId = serde_json::from_slice(head).map_err(|_| bad())?;
    let mut rest = rest.get(1..).unwrap_or_default();
    let mut rows = Vec::new();
    while !rest.is_empty() {
        let (texts, more) = rest.split_at_checked(TEXTS).ok_or_else(bad)?;
        let (length, more) = more.split_first_chunk::<4>().ok_or_else(bad)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| bad())?;
        let (data, more) = more.split_at_checked(length).ok_or_else(bad)?;
        if !data.len().is_multiple_of(model.dimensions.max(1)) {
            return Err(bad());
        }
        rows.push((texts.to_vec(), data.to_vec()));
        rest = more;
    }
    Ok((model, rows))
}
