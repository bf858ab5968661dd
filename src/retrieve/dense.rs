//! How near documents are to a query in meaning.
//!
//! *Invariant:* without a model, or where it fails, there is nothing here, and the answer says so. Cosines are exact, and
//! only documents are compared that every kind of shelf tells of: the nearest, and those that words found.

use std::collections::{BTreeMap, BTreeSet};

use super::query::Query;
use super::search::Lazy;
use super::{Embedder, Near, Shelf, ShelfError};

/// The part of the vector of the whole document; the rest is its nearest chunk's.
const WHOLE: f32 = 0.7;
/// How many of the nearest documents are compared, and how many of those that words found.
pub(super) const CANDIDATES: usize = 64;

/// Cosines to one query.
pub(super) struct Dense {
    /// Of each document, by its number.
    near: Vec<Cosines>,
    /// Those of which all that counts is known, whichever shelf it is.
    looked_at: BTreeSet<u32>,
}

/// Of one document.
#[derive(Clone, Copy, Debug, Default)]
struct Cosines {
    whole: Option<f32>,
    /// Its nearest chunk, with the chunk's number.
    chunk: Option<(f32, u32)>,
}

impl Dense {
    /// Embeds the query and asks the shelf.
    pub(super) fn ask(
        query: &Query,
        shelf: &dyn Shelf,
        words: &[u32],
        model: Lazy<'_>,
        notes: &mut Vec<String>,
    ) -> Result<Option<Dense>, ShelfError> {
        let text = query.asked();
        if text.is_empty() {
            return Ok(None);
        }
        let Some(model) = model() else {
            notes.push("no embedding model: found by words alone".to_owned());
            return Ok(None);
        };
        let vector = match embed(&*model, &text) {
            Ok(vector) => vector,
            Err(problem) => {
                notes.push(format!("the embedding model failed, found by words alone: {problem}"));
                return Ok(None);
            }
        };
        let near = shelf.nearest(&vector, CANDIDATES)?;
        if near.is_empty() {
            notes.push("the index has no vectors yet: found by words alone".to_owned());
            return Ok(None);
        }
        let mut dense = Dense { near: vec![Cosines::default(); shelf.documents().len()], looked_at: BTreeSet::new() };
        for near in near {
            dense.take(near);
        }
        let nearest = dense.nearest();
        let unseen: Vec<u32> = words.iter().copied().filter(|document| !nearest.contains(document)).collect();
        if !unseen.is_empty() {
            for near in shelf.cosines(&vector, &unseen)? {
                dense.take(near);
            }
        }
        dense.looked_at = nearest.into_iter().chain(unseen).collect();
        Ok(Some(dense))
    }

    /// The documents with the nearest chunks.
    fn nearest(&self) -> BTreeSet<u32> {
        let best = |near: &Cosines| near.chunk.map(|(cosine, _)| cosine).into_iter().chain(near.whole).reduce(f32::max);
        let all = (0_u32..).zip(&self.near).filter_map(|(document, near)| Some((best(near)?, document)));
        let mut all: Vec<(f32, u32)> = all.collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        all.into_iter().take(CANDIDATES).map(|(_, document)| document).collect()
    }

    /// Whether a document is one of those that are compared.
    pub(super) fn looks_at(&self, document: u32) -> bool {
        self.looked_at.contains(&document)
    }

    fn take(&mut self, near: Near) {
        let Some(Cosines { whole, chunk: best }) = self.near.get_mut(near.document as usize) else { return };
        if near.chunk == 0 {
            *whole = Some(near.cosine);
        } else if best.is_none_or(|(cosine, chunk)| (near.cosine, chunk) > (cosine, near.chunk)) {
            *best = Some((near.cosine, near.chunk));
        }
    }

    /// How near a document is, at least 0.
    pub(super) fn score(&self, document: u32) -> f32 {
        let near = self.near.get(document as usize).copied().unwrap_or_default();
        let cosine = match (near.whole, near.chunk) {
            (Some(whole), Some((chunk, _))) => WHOLE * whole + (1.0 - WHOLE) * chunk,
            (Some(cosine), None) | (None, Some((cosine, _))) => cosine,
            (None, None) => 0.0,
        };
        cosine.max(0.0)
    }

    /// The nearest chunk of a document, if it has chunks.
    pub(super) fn chunk(&self, document: u32) -> Option<u32> {
        self.near.get(document as usize)?.chunk.map(|(_, chunk)| chunk)
    }

    /// How near each of them is to one, where the shelf can tell.
    pub(super) fn near_to(&self, document: u32, on: &dyn Shelf) -> Result<BTreeMap<u32, f32>, ShelfError> {
        let Some(vector) = on.vector(document)? else { return Ok(BTreeMap::new()) };
        let all: Vec<u32> = self.looked_at.iter().copied().collect();
        let near = on.cosines(&vector, &all)?.into_iter().filter(|near| near.chunk == 0);
        Ok(near.map(|near| (near.document, near.cosine)).collect())
    }
}

fn embed(model: &dyn Embedder, text: &str) -> Result<Vec<f32>, String> {
    let vectors = model.embed(&[text]).map_err(|error| error.to_string())?;
    vectors.into_iter().next().ok_or_else(|| "it gave no vector".to_owned())
}
