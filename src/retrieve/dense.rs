//! How near documents are to a query in meaning.
//!
//! *Invariant:* without a model, or where it fails, there is nothing here, and the answer says so. Cosines are exact.

use super::lexical::Lexical;
use super::query::Query;
use super::search::Lazy;
use super::{Embedder, Near, Shelf, ShelfError};

/// The part of the vector of the whole document; the rest is its nearest chunk's.
const WHOLE: f32 = 0.7;
/// How many documents a server is asked for, and how many that the words found are added.
const CANDIDATES: usize = 64;

/// Cosines of one query.
pub(super) struct Dense {
    /// Of each document: the whole, the nearest chunk with its number.
    near: Vec<(Option<f32>, Option<(f32, u32)>)>,
}

impl Dense {
    /// Embeds the query and asks the shelf.
    pub(super) fn ask(
        query: &Query,
        shelf: &dyn Shelf,
        lexical: &Lexical,
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
        let mut near = shelf.nearest(&vector, CANDIDATES)?;
        if near.is_empty() {
            notes.push("the index has no vectors yet: found by words alone".to_owned());
            return Ok(None);
        }
        let count = shelf.documents().len();
        let mut dense = Dense { near: vec![(None, None); count] };
        near.drain(..).for_each(|near| dense.take(near));
        let unseen: Vec<u32> = lexical.top(CANDIDATES).into_iter().filter(|document| !dense.seen(*document)).collect();
        if !unseen.is_empty() {
            shelf.cosines(&vector, &unseen)?.into_iter().for_each(|near| dense.take(near));
        }
        Ok(Some(dense))
    }

    fn take(&mut self, near: Near) {
        let Some((whole, best)) = self.near.get_mut(near.document as usize) else { return };
        if near.chunk == 0 {
            *whole = Some(near.cosine);
        } else if best.is_none_or(|(cosine, chunk)| (near.cosine, chunk) > (cosine, near.chunk)) {
            *best = Some((near.cosine, near.chunk));
        }
    }

    fn seen(&self, document: u32) -> bool {
        self.near.get(document as usize).is_some_and(|(whole, best)| whole.is_some() || best.is_some())
    }

    /// How near a document is, at least 0.
    pub(super) fn score(&self, document: u32) -> f32 {
        let cosine = match self.near.get(document as usize) {
            Some((Some(whole), Some((chunk, _)))) => WHOLE * whole + (1.0 - WHOLE) * chunk,
            Some((Some(cosine), None) | (None, Some((cosine, _)))) => *cosine,
            _ => 0.0,
        };
        cosine.max(0.0)
    }

    /// The nearest chunk of a document, if it has chunks.
    pub(super) fn chunk(&self, document: u32) -> Option<u32> {
        self.near.get(document as usize)?.1.map(|(_, chunk)| chunk)
    }

    /// How near every document is to this one, where the shelf can tell.
    pub(super) fn like(&self, document: u32, shelf: &dyn Shelf) -> Result<Option<Vec<f32>>, ShelfError> {
        let Some(vector) = shelf.vector(document)? else { return Ok(None) };
        let mut like = vec![0.0; self.near.len()];
        for near in shelf.nearest(&vector, CANDIDATES)?.into_iter().filter(|near| near.chunk == 0) {
            if let Some(cosine) = like.get_mut(near.document as usize) {
                *cosine = near.cosine;
            }
        }
        Ok(Some(like))
    }
}

fn embed(model: &dyn Embedder, text: &str) -> Result<Vec<f32>, String> {
    let vectors = model.embed(&[text]).map_err(|error| error.to_string())?;
    vectors.into_iter().next().ok_or_else(|| "it gave no vector".to_owned())
}
