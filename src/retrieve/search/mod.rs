//! Finds runbooks: by signature first, then by words and meaning; or says that none matches.
//!
//! *Invariant:* the same query on the same shelf gives the same answer. A signature that matches is first, and no model
//! is asked for it. An answer that abstains still has its hits, so that a person can look.

use std::sync::Arc;

use serde::Serialize;

use crate::model::Place;
use crate::model::runbook::{Library, Signature, Status};

use super::dense::{self, Dense};
use super::lexical::Lexical;
use super::query::{Filter, Query};
use super::signature::{self, Match};
use super::{Document, Embedder, Shelf, ShelfError, passage};

/// The lexical part of a score; the rest is dense. The best is flat from 0.3 to 0.6.
const LEXICAL: f32 = 0.45;
/// How much being like the best document adds: two runbooks for one fault are found together.
const ALIKE: f32 = 0.1;
/// A deprecated runbook's score, so that what is in use stands before it.
const DEPRECATED: f32 = 0.5;
/// Confidence below this: no runbook matches. About nine of ten questions that a runbook answers are above it, and about
/// nine of ten that none answers are below. See [`confidence`].
const THRESHOLD: f32 = 0.43;
/// The same where there is no model.
const THRESHOLD_LEXICAL: f32 = 0.4;
/// From this on a signature is a match of its own right.
const SIGNED: f32 = 0.5;

/// From this on a signature is of one fault: a detector, an alert, a line of a log, a reason with its exit code.
const SURE: f32 = 0.85;

/// Steps of how well words fit, where two documents have the same signature.
const STEPS: f32 = 5.0;

/// Gives the model when it is needed, if there is one.
pub type Lazy<'a> = &'a dyn Fn() -> Option<Arc<dyn Embedder>>;

/// How well a document did so far, 0 to 1: asked of two that are equal in all that is found out by reading.
pub type Standing<'a> = &'a dyn Fn(&Document) -> f32;

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// Runbooks, the best first.
    #[serde(rename = "results")]
    pub hits: Vec<Hit>,
    /// How sure it is that the first one is about what was asked, 0 to 1.
    pub confidence: f32,
    /// What confidence must reach.
    pub threshold: f32,
    /// Whether it does not: then no runbook matches, and the hits are only the nearest.
    pub abstained: bool,
    /// What made the answer smaller.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A runbook that was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hit {
    /// Its number on the shelf.
    #[serde(skip)]
    pub document: u32,
    /// Which bytes it is.
    #[serde(flatten)]
    pub place: Place,
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// How far it has come.
    pub status: Status,
    /// The name of what took its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<String>,
    /// The heading of the best passage; empty where it stands under none.
    pub heading: String,
    /// The best passage, quoted.
    pub passage: String,
    /// Where the passage's part of the file begins, from 1.
    pub line: usize,
    /// 0 to 1, to compare within an answer.
    pub score: f32,
    /// Why it was found.
    pub why: Why,
}

/// Why a runbook was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Why {
    /// What of its signature matched: `detector oom-killed`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signature: Vec<String>,
    /// How well the words fit, 0 to 1.
    pub lexical: f32,
    /// How near the meaning is, a cosine; nothing without a model, or where none was needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dense: Option<f32>,
    /// The query's words that it has, the rarest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<String>,
}

impl Why {
    /// In words: `detector oom-killed`; `meaning (0.71) and words (0.52): evict, diskpressur`.
    pub fn told(&self) -> String {
        if !self.signature.is_empty() {
            return self.signature.join("; ");
        }
        let terms = self.terms.iter().take(4).map(|term| format!("`{term}`")).collect::<Vec<_>>().join(", ");
        let terms = if terms.is_empty() { String::new() } else { format!(": {terms}") };
        match self.dense {
            Some(dense) => format!("meaning ({dense:.2}) and words ({:.2}){terms}", self.lexical),
            None => format!("words ({:.2}){terms}", self.lexical),
        }
    }
}

/// A document with what speaks for it.
struct Candidate {
    document: u32,
    signed: Option<Match>,
    /// Lexical and dense, without what it is ranked down for.
    fit: f32,
    score: f32,
}

/// Searches. `signatures` are those of the shelf's documents, by their number; who has none there is found by words.
/// `standing` decides between equals; without it the order of the shelf does.
pub fn search(
    query: &Query,
    shelf: &dyn Shelf,
    signatures: &[(u32, &Signature)],
    model: Lazy<'_>,
    standing: Option<Standing<'_>>,
) -> Result<Answer, ShelfError> {
    let documents = shelf.documents();
    let mut notes = Vec::new();
    let allowed: Vec<bool> = documents.iter().map(|document| passes(document, &query.filter)).collect();
    let may = |document: u32| allowed.get(document as usize).copied().unwrap_or(false);
    let mut signed: Vec<(u32, Match)> = Vec::new();
    for (document, signature) in signatures.iter().filter(|(document, _)| may(*document)) {
        let found = signature::matches(signature, &query.signals, &mut |problem| {
            let path = documents.get(*document as usize).map_or("", |document| document.place.path.as_str());
            notes.push(format!("{path}: {problem}"));
        });
        signed.extend(found.map(|found| (*document, found)));
    }
    let lexical = Lexical::ask(&query.text, shelf)?;
    let dense = if signed.is_empty() {
        Dense::ask(query, shelf, &lexical.top(dense::CANDIDATES), model, &mut notes)?
    } else {
        None
    };
    let mut candidates = Vec::new();
    for (document, _) in (0_u32..).zip(documents).filter(|(document, _)| may(*document)) {
        if dense.as_ref().is_some_and(|dense| !dense.looks_at(document)) {
            continue;
        }
        let words = lexical.score(document);
        let fit = dense.as_ref().map_or(words, |dense| LEXICAL * words + (1.0 - LEXICAL) * dense.score(document));
        let signed = signed.iter().find(|(signed, _)| *signed == document).map(|(_, found)| found.clone());
        candidates.push(Candidate { document, signed, fit, score: fit });
    }
    if let Some(dense) = &dense {
        alike(&mut candidates, dense, shelf)?;
    }
    rank(&mut candidates, documents, standing);
    let confidence = confidence(&candidates, &lexical, dense.as_ref());
    let threshold = if dense.is_some() { THRESHOLD } else { THRESHOLD_LEXICAL };
    candidates.retain(|candidate| candidate.score > 0.0);
    candidates.truncate(query.limit);
    let hits: Result<Vec<Hit>, ShelfError> =
        candidates.into_iter().map(|candidate| hit(candidate, &lexical, dense.as_ref(), shelf)).collect();
    Ok(Answer { hits: hits?, confidence, threshold, abstained: confidence < threshold, notes })
}

fn passes(document: &Document, filter: &Filter) -> bool {
    let same = |a: &String, b: &String| a.eq_ignore_ascii_case(b);
    let kind = filter.kinds.is_empty()
        || document.kinds.is_empty()
        || document.kinds.iter().any(|kind| filter.kinds.iter().any(|wanted| same(kind, wanted)));
    let status = filter.statuses.is_empty() || filter.statuses.contains(&document.status);
    let platform = filter.platform.as_ref().is_none_or(|wanted| {
        document.platforms.is_empty() || document.platforms.iter().any(|own| own == "any" || same(own, wanted))
    });
    kind && status && platform
}

/// Adds to each what it has in common with the best one.
fn alike(candidates: &mut [Candidate], dense: &Dense, shelf: &dyn Shelf) -> Result<(), ShelfError> {
    let best = candidates.iter().max_by(|a, b| a.fit.total_cmp(&b.fit).then(b.document.cmp(&a.document)));
    let Some(best) = best.map(|best| best.document) else { return Ok(()) };
    let near = dense.near_to(best, shelf)?;
    for candidate in candidates {
        let near = near.get(&candidate.document).copied().unwrap_or_default();
        candidate.score = candidate.fit + ALIKE * near.max(0.0);
    }
    Ok(())
}

/// Signatures first; what is deprecated behind its successor and behind what is in use; the team's before the built-in
/// library; of equals the one that did better so far, then by path, which is the order of the shelf.
fn rank(candidates: &mut [Candidate], documents: &[Document], standing: Option<Standing<'_>>) {
    let status = |candidate: &Candidate| documents.get(candidate.document as usize).map(|document| document.status);
    for candidate in candidates.iter_mut() {
        let factor = if status(candidate) == Some(Status::Deprecated) { DEPRECATED } else { 1.0 };
        candidate.score = match &candidate.signed {
            // Of two with the same signature the words decide, within what no other signature reaches.
            Some(found) => found.score * factor,
            None => (candidate.score / (1.0 + ALIKE)).clamp(0.0, 1.0) * factor,
        };
    }
    let library = |candidate: &Candidate| {
        documents.get(candidate.document as usize).map_or(Library::Builtin, |document| document.place.library)
    };
    // What the team wrote for just this stands before what comes with the plugin.
    let tier =
        |candidate: &Candidate, found: &Match| u8::from(library(candidate) == Library::Builtin || found.score < SURE);
    // What does not fit at all is asked nothing.
    let did = |candidate: &Candidate| {
        let document = documents.get(candidate.document as usize).filter(|_| candidate.score > 0.0);
        document.zip(standing).map_or(0.0, |(document, standing)| standing(document))
    };
    candidates.sort_by(|a, b| {
        let deprecated = |candidate: &Candidate| status(candidate) == Some(Status::Deprecated);
        let signed = |candidate: &Candidate| candidate.signed.is_none() || deprecated(candidate);
        let order = signed(a).cmp(&signed(b));
        let order = order.then_with(|| match (&a.signed, &b.signed) {
            (Some(x), Some(y)) => tier(a, x)
                .cmp(&tier(b, y))
                .then(b.score.total_cmp(&a.score))
                .then_with(|| library(a).cmp(&library(b)))
                .then_with(|| x.order(y))
                .then(step(b.fit).total_cmp(&step(a.fit)))
                .then_with(|| did(b).total_cmp(&did(a)))
                .then(b.fit.total_cmp(&a.fit)),
            _ => b.score.total_cmp(&a.score).then_with(|| did(b).total_cmp(&did(a))),
        });
        order.then(a.document.cmp(&b.document))
    });
}

/// How well the words fit, in steps: between two of one signature less than a step says nothing.
fn step(fit: f32) -> f32 {
    (fit * STEPS).floor()
}

/// How sure it is that the best document is about what was asked.
///
/// A signature is sure by itself. Else it is half the nearest meaning, and half the words: the share of the query, by
/// rarity, that one of the best three has, and how well the best fits. A score alone only orders; these two
/// also tell when nothing fits, each where the other is misled.
fn confidence(candidates: &[Candidate], lexical: &Lexical, dense: Option<&Dense>) -> f32 {
    let signed = candidates.iter().filter_map(|candidate| candidate.signed.as_ref()).map(|found| found.score);
    let signed = signed.fold(0.0, f32::max);
    if signed >= SIGNED {
        return signed;
    }
    let covered = candidates.iter().take(3).map(|candidate| lexical.coverage(candidate.document)).fold(0.0, f32::max);
    let words = candidates.iter().map(|candidate| lexical.score(candidate.document)).fold(0.0, f32::max);
    let confidence = match dense {
        Some(dense) => {
            let nearest = candidates.iter().map(|candidate| dense.score(candidate.document)).fold(0.0, f32::max);
            0.5 * nearest + 0.3 * covered + 0.2 * words
        }
        None => 0.5 * covered + 0.5 * words,
    };
    confidence.clamp(0.0, 1.0)
}

fn hit(candidate: Candidate, lexical: &Lexical, dense: Option<&Dense>, shelf: &dyn Shelf) -> Result<Hit, ShelfError> {
    let number = candidate.document;
    let missing = || ShelfError(format!("the index has no document {number}"));
    let document = shelf.documents().get(number as usize).ok_or_else(missing)?;
    let passage = passage::best(number, lexical, dense, shelf)?;
    Ok(Hit {
        document: number,
        place: document.place.clone(),
        name: document.name.clone(),
        title: document.title.clone(),
        status: document.status,
        superseded_by: document.superseded_by.clone(),
        heading: passage.heading,
        passage: passage.text,
        line: passage.line,
        score: candidate.score,
        why: Why {
            signature: candidate.signed.map(|found| found.why).unwrap_or_default(),
            lexical: lexical.score(number),
            dense: dense.map(|dense| dense.score(number)),
            terms: lexical.matched(number).into_iter().take(8).map(str::to_owned).collect(),
        },
    })
}

#[cfg(test)]
mod tests;
