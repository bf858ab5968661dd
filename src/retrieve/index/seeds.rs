//! Vectors that come with the program: those of the library it ships, so that nobody waits for them to be made.
//!
//! The file is a line of JSON (the model, and the digest of what follows), then for each document what its texts are
//! known by, and its vectors.
//!
//! *Invariant:* none is taken from a file that is not whole or of another model, and each is found by the texts that
//! it is of, as all vectors are: those of a text that has changed since are never used.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::embedding::{Texts, model_number};
use super::{Embedded, IndexError};
use crate::model::Place;
use crate::retrieve::ModelId;
use crate::runbook::repo::hex;

/// How long what texts are known by is.
const TEXTS: usize = 16;
/// Of this form.
const FORM: u32 = 1;

/// Why shipped vectors are not used.
#[derive(Debug, thiserror::Error)]
pub enum ShippedError {
    /// It is no such file, or not what was written.
    #[error("the vectors that came with the plugin are damaged")]
    Damaged,
    /// Another model made them.
    #[error("the vectors that came with the plugin are of another model ({0})")]
    Foreign(String),
    /// The index can't take them.
    #[error(transparent)]
    Index(#[from] IndexError),
}

impl ShippedError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            ShippedError::Damaged | ShippedError::Foreign(_) => {
                "the model makes them now, once; installing the plugin again mends it"
            }
            ShippedError::Index(_) => "see that the cache folder can be written",
        }
    }
}

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    form: u32,
    model: ModelId,
    /// SHA-256 of all that follows the line.
    sha256: String,
}

impl Embedded {
    /// The vectors of `places` in one piece, to ship.
    pub fn export_vectors(&self, places: &[Place], model: &ModelId) -> Result<Vec<u8>, IndexError> {
        let mut rows = Vec::new();
        let shelf = self.shelf(places, Some(model))?;
        let texts: BTreeSet<&Texts> = shelf.all_stored().iter().map(|stored| &stored.texts).collect();
        let number = model_number(&self.lock(), model)?;
        if let Some(number) = number {
            let lacking = self.lacking(number, texts.iter().copied())?;
            for texts in texts.difference(&lacking) {
                let data = self.vector(number, texts, model.dimensions)?;
                rows.extend_from_slice(texts);
                rows.extend_from_slice(&u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes());
                rows.extend_from_slice(&data);
            }
        }
        let head = Head { form: FORM, model: model.clone(), sha256: hex(&Sha256::digest(&rows)) };
        let mut bytes = serde_json::to_vec(&head).unwrap_or_default();
        bytes.push(b'\n');
        bytes.append(&mut rows);
        Ok(bytes)
    }

    /// Keeps what [`export_vectors`](Embedded::export_vectors) gave of the documents of `places`, where `model` made it;
    /// gives the number of documents.
    pub fn import_vectors(&self, bytes: &[u8], places: &[Place], model: &ModelId) -> Result<usize, ShippedError> {
        let rows = read(bytes, model)?;
        let shelf = self.shelf(places, None)?;
        let wanted: BTreeMap<&[u8], u32> =
            shelf.all_stored().iter().map(|stored| (stored.texts.as_slice(), stored.chunks)).collect();
        let fits =
            |chunks: &u32, data: &[u8]| usize::try_from(*chunks).is_ok_and(|n| n * model.dimensions == data.len());
        let rows: Vec<(Texts, Vec<u8>)> = rows
            .into_iter()
            .filter(|(texts, data)| wanted.get(texts).is_some_and(|chunks| fits(chunks, data)))
            .map(|(texts, data)| (texts.to_vec(), data.to_vec()))
            .collect();
        let number = self.model(model)?;
        self.keep_vectors(number, rows.iter().map(|(texts, data)| (texts, data)))?;
        Ok(rows.len())
    }

    /// Whether every document of `places` that is in the index has vectors of a model.
    pub fn has_vectors(&self, places: &[Place], model: &ModelId) -> Result<bool, IndexError> {
        let shelf = self.shelf(places, None)?;
        let number = model_number(&self.lock(), model)?;
        let Some(number) = number else { return Ok(shelf.all_stored().is_empty()) };
        Ok(self.lacking(number, shelf.all_stored().iter().map(|stored| &stored.texts))?.is_empty())
    }
}

/// What the texts of a document are known by, and its vectors.
type Row<'a> = (&'a [u8], &'a [u8]);

fn read<'a>(bytes: &'a [u8], model: &ModelId) -> Result<Vec<Row<'a>>, ShippedError> {
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or(ShippedError::Damaged)?;
    let (head, rest) = bytes.split_at(end);
    let mut rest = rest.get(1..).unwrap_or_default();
    let head: Head = serde_json::from_slice(head).map_err(|_| ShippedError::Damaged)?;
    if head.form != FORM || head.sha256 != hex(&Sha256::digest(rest)) {
        return Err(ShippedError::Damaged);
    }
    if head.model.digest != model.digest || head.model.dimensions != model.dimensions {
        return Err(ShippedError::Foreign(head.model.name));
    }
    let mut rows = Vec::new();
    while !rest.is_empty() {
        let (texts, more) = rest.split_at_checked(TEXTS).ok_or(ShippedError::Damaged)?;
        let (length, more) = more.split_first_chunk::<4>().ok_or(ShippedError::Damaged)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| ShippedError::Damaged)?;
        let (data, more) = more.split_at_checked(length).ok_or(ShippedError::Damaged)?;
        rows.push((texts, data));
        rest = more;
    }
    Ok(rows)
}
