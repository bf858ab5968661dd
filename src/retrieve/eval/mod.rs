//! Measures retrieval: judged queries against a shelf, beside the common methods.
//!
//! *Invariant:* nothing here is read by a search; it only asks. Documents are judged by the stem of their file's name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::sync::Arc;

use serde::Deserialize;

use crate::model::Runbook;
use crate::model::runbook::Signature;

use super::memory::Memory;
use super::query::Query;
use super::{EmbedError, Embedder, Shelf, ShelfError, search};

/// A query with what answers it.
#[derive(Clone, Debug, Deserialize)]
pub struct Judged {
    /// Its id.
    pub id: String,
    /// The text.
    pub query: String,
    /// The documents that answer it; empty for one that none answers.
    #[serde(default)]
    pub relevant: Vec<String>,
    /// Documents that help.
    #[serde(default)]
    pub partial: Vec<String>,
}

impl Judged {
    /// Reads one query from each line of JSON.
    ///
    /// # Errors
    /// With the number of the first line that is none.
    pub fn read(lines: &str) -> Result<Vec<Judged>, String> {
        let lines = lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        lines.map(|(at, line)| serde_json::from_str(line).map_err(|e| format!("line {}: {e}", at + 1))).collect()
    }
}

/// A way to find documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// The simplest common one: a vector for each whole document, the nearest three.
    Common,
    /// BM25 over the words of whole documents.
    Bm25,
    /// The nearest chunk by its vector.
    Dense,
    /// Ours, without a model.
    Lexical,
    /// Ours.
    Ours,
}

impl Method {
    /// All of them.
    pub const ALL: &[Method] = &[Method::Common, Method::Bm25, Method::Dense, Method::Lexical, Method::Ours];

    fn wants_model(self) -> bool {
        matches!(self, Method::Common | Method::Dense | Method::Ours)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Method::Common => "whole document, vector, top 3",
            Method::Bm25 => "BM25, whole document",
            Method::Dense => "vectors, best chunk",
            Method::Lexical => "this, without a model",
            Method::Ours => "this",
        })
    }
}

/// How well a method finds. `hit@k`: a relevant document is among the first k; `recall@k`: the share of them that could
/// be there; the rest as usual. `auroc`: does confidence tell what is answerable; `abstained`: of what is not, the
/// share that is refused where 95% of what is are kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scores {
    /// hit@1, hit@3.
    pub hit: [f64; 2],
    /// recall@1, recall@3.
    pub recall: [f64; 2],
    /// MRR@10.
    pub mrr: f64,
    /// nDCG@10; what helps counts half.
    pub ndcg: f64,
    /// Area under the ROC curve of confidence.
    pub auroc: f64,
    /// abst@95.
    pub abstained: f64,
    /// Of the answerable, the share that is answered at the method's own threshold; of the others, the share refused.
    pub at_threshold: Option<[f64; 2]>,
}

impl fmt::Display for Scores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [hit1, hit3] = self.hit;
        let [recall1, recall3] = self.recall;
        write!(f, "{hit1:.3} {hit3:.3} {recall1:.3} {recall3:.3} {:.3} {:.3}", self.mrr, self.ndcg)?;
        write!(f, " {:.3} {:.2}", self.auroc, self.abstained)?;
        self.at_threshold.map_or(Ok(()), |[kept, refused]| write!(f, "  {kept:.2} {refused:.2}"))
    }
}

/// What stands above the columns of [`Scores`].
pub const COLUMNS: &str = "hit@1 hit@3 rec@1 rec@3 mrr   ndcg  auroc abst  kept refused";

/// What a method says to one query.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// Stems of files, the best first.
    pub documents: Vec<String>,
    /// How sure it is.
    pub confidence: f32,
    /// Whether it answers, where it decides that.
    pub answers: Option<bool>,
}

/// Documents to measure on.
pub struct Bench {
    shelf: Memory,
    signatures: Vec<Signature>,
    names: Vec<String>,
    words: Words,
}

/// How many results are looked at.
const DEPTH: usize = 10;

impl Bench {
    /// Puts runbooks on a shelf.
    pub fn new(runbooks: &[Runbook]) -> Bench {
        let mut runbooks: Vec<&Runbook> = runbooks.iter().collect();
        runbooks.sort_by(|a, b| a.place.cmp(&b.place));
        let stem = |runbook: &&Runbook| {
            let file = runbook.place.path.rsplit('/').next().unwrap_or_default();
            file.strip_suffix(".md").unwrap_or(file).to_owned()
        };
        Bench {
            shelf: Memory::new(runbooks.iter().copied(), super::chunk::derive),
            signatures: runbooks.iter().map(|runbook| runbook.front.signature.clone()).collect(),
            names: runbooks.iter().map(stem).collect(),
            words: Words::new(&runbooks),
        }
    }

    /// The shelf.
    pub fn shelf(&self) -> &Memory {
        &self.shelf
    }

    /// Takes vectors that were made elsewhere.
    pub fn set_vectors(&mut self, vectors: Vec<Vec<Vec<f32>>>) {
        self.shelf.set_vectors(vectors);
    }

    /// Embeds all chunks.
    ///
    /// # Errors
    /// When the model fails.
    pub fn embed(&mut self, model: &dyn Embedder) -> Result<(), EmbedError> {
        self.shelf.embed(model)
    }

    /// What a method says to a query.
    ///
    /// # Errors
    /// When the shelf can't be read, or there is no model for a method that is nothing without.
    pub fn ask(&self, method: Method, text: &str, model: Option<&Arc<dyn Embedder>>) -> Result<Reply, ShelfError> {
        let scores = match method {
            Method::Lexical | Method::Ours => return self.own(text, model.filter(|_| method == Method::Ours)),
            Method::Bm25 => self.words.score(text),
            Method::Common | Method::Dense => {
                let model = model.ok_or_else(|| ShelfError("this method needs a model".to_owned()))?;
                let vectors = model.embed(&[text]).map_err(|error| ShelfError(error.to_string()))?;
                let vector = vectors.into_iter().next().unwrap_or_default();
                let mut scores = vec![-1.0_f32; self.names.len()];
                for near in self.shelf.nearest(&vector, DEPTH)? {
                    let counts = method == Method::Dense || near.chunk == 0;
                    if let Some(score) = scores.get_mut(near.document as usize).filter(|_| counts) {
                        *score = score.max(near.cosine);
                    }
                }
                scores
            }
        };
        let mut order: Vec<(&String, f32)> = self.names.iter().zip(scores).collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
        order.truncate(if method == Method::Common { 3 } else { DEPTH });
        Ok(Reply {
            confidence: order.first().map_or(0.0, |(_, score)| *score),
            documents: order.into_iter().map(|(name, _)| name.clone()).collect(),
            answers: None,
        })
    }

    fn own(&self, text: &str, model: Option<&Arc<dyn Embedder>>) -> Result<Reply, ShelfError> {
        let query = Query { limit: DEPTH, ..Query::from_text(text) };
        let signatures: Vec<(u32, &Signature)> = (0_u32..).zip(&self.signatures).collect();
        let answer = search(&query, &self.shelf, &signatures, &|| model.cloned(), None)?;
        let name = |document: u32| self.names.get(document as usize).cloned().unwrap_or_default();
        Ok(Reply {
            documents: answer.hits.iter().map(|hit| name(hit.document)).collect(),
            confidence: answer.confidence,
            answers: Some(!answer.abstained),
        })
    }

    /// Asks all queries.
    ///
    /// # Errors
    /// As [`Bench::ask`].
    pub fn run(
        &self,
        method: Method,
        queries: &[Judged],
        model: Option<&Arc<dyn Embedder>>,
    ) -> Result<Scores, ShelfError> {
        let replies: Result<Vec<Reply>, ShelfError> =
            queries.iter().map(|query| self.ask(method, &query.query, model)).collect();
        Ok(score(queries, &replies?))
    }

    /// A table of all methods; those that need a model only with one.
    ///
    /// # Errors
    /// As [`Bench::ask`].
    pub fn table(&self, queries: &[Judged], model: Option<&Arc<dyn Embedder>>) -> Result<String, ShelfError> {
        let mut table = format!("{:30} {COLUMNS}\n", "");
        for method in Method::ALL.iter().filter(|method| model.is_some() || !method.wants_model()) {
            let scores = self.run(*method, queries, model)?;
            let _ = writeln!(table, "{method:30} {scores}");
        }
        Ok(table)
    }
}

/// Scores replies.
pub fn score(queries: &[Judged], replies: &[Reply]) -> Scores {
    let mut scores = Scores::default();
    let (mut answerable, mut others) = (Vec::new(), Vec::new());
    let mut decided = [(0_usize, 0_usize); 2];
    for (query, reply) in queries.iter().zip(replies) {
        let other = query.relevant.is_empty();
        let (sure, right) = if other { (&mut others, Some(false)) } else { (&mut answerable, Some(true)) };
        sure.push(f64::from(reply.confidence));
        if let (Some((right_ones, all)), Some(answers)) = (decided.get_mut(usize::from(other)), reply.answers) {
            *right_ones += usize::from(Some(answers) == right);
            *all += 1;
        }
        if !other {
            add(&mut scores, query, &reply.documents);
        }
    }
    let count = answerable.len().max(1) as f64;
    let averaged = scores.hit.iter_mut().chain(&mut scores.recall).chain([&mut scores.mrr, &mut scores.ndcg]);
    averaged.for_each(|sum| *sum /= count);
    scores.auroc = auroc(&answerable, &others);
    scores.abstained = abstained(&mut answerable, &others);
    let share = |(right, all): (usize, usize)| right as f64 / all.max(1) as f64;
    let [kept, refused] = decided;
    scores.at_threshold = (kept.1 > 0).then(|| [share(kept), share(refused)]);
    scores
}

fn add(scores: &mut Scores, query: &Judged, documents: &[String]) {
    let mut seen = BTreeSet::new();
    let documents: Vec<&String> = documents.iter().filter(|document| seen.insert(*document)).take(DEPTH).collect();
    let relevant = |document: &&&String| query.relevant.contains(**document);
    for ((hit, recall), depth) in scores.hit.iter_mut().zip(&mut scores.recall).zip([1, 3]) {
        let found = documents.iter().take(depth).filter(relevant).count();
        *hit += f64::from(u8::from(found > 0));
        *recall += found as f64 / depth.min(query.relevant.len()) as f64;
    }
    let first = documents.iter().position(|document| relevant(&document));
    scores.mrr += first.map_or(0.0, |at| 1.0 / (at + 1) as f64);
    let gain = |document: &&String| {
        if relevant(&document) {
            2.0
        } else if query.partial.contains(*document) {
            1.0
        } else {
            0.0
        }
    };
    let discounted = |gains: &mut dyn Iterator<Item = f64>| -> f64 {
        gains.enumerate().take(DEPTH).map(|(at, gain)| gain / ((at + 2) as f64).log2()).sum()
    };
    let ideal = query.relevant.iter().map(|_| 2.0).chain(query.partial.iter().map(|_| 1.0));
    scores.ndcg += discounted(&mut documents.iter().map(gain)) / discounted(&mut { ideal });
}

/// How often an answerable query is surer than one that is not; ties count half.
fn auroc(answerable: &[f64], others: &[f64]) -> f64 {
    let pairs = answerable.iter().flat_map(|a| others.iter().map(move |b| (a, b)));
    let won: f64 = pairs.map(|(a, b)| if a > b { 1.0 } else { 0.5 * f64::from(u8::from(a >= b)) }).sum();
    won / (answerable.len() * others.len()).max(1) as f64
}

fn abstained(answerable: &mut [f64], others: &[f64]) -> f64 {
    answerable.sort_by(f64::total_cmp);
    let Some(threshold) = answerable.get(answerable.len() / 20) else { return 0.0 };
    others.iter().filter(|sure| *sure < threshold).count() as f64 / others.len().max(1) as f64
}

/// Plain BM25, as libraries have it: lower-case words, no fields.
struct Words {
    postings: BTreeMap<String, Vec<(usize, f32)>>,
    lengths: Vec<f32>,
}

impl Words {
    fn new(runbooks: &[&Runbook]) -> Words {
        let mut words = Words { postings: BTreeMap::new(), lengths: Vec::new() };
        for (number, runbook) in runbooks.iter().enumerate() {
            let mut counts: BTreeMap<String, f32> = BTreeMap::new();
            let sections = runbook.sections.iter().flat_map(|section| [&section.heading, &section.text]);
            for word in sections.chain([&runbook.front.title]).flat_map(|text| plain(text)) {
                *counts.entry(word).or_default() += 1.0;
            }
            words.lengths.push(counts.values().sum());
            for (word, count) in counts {
                words.postings.entry(word).or_default().push((number, count));
            }
        }
        words
    }

    fn score(&self, query: &str) -> Vec<f32> {
        let all = self.lengths.len();
        let average = self.lengths.iter().sum::<f32>() / all.max(1) as f32;
        let mut scores = vec![0.0; all];
        for word in plain(query) {
            let Some(postings) = self.postings.get(&word) else { continue };
            let rare = (1.0 + ((all - postings.len()) as f32 + 0.5) / (postings.len() as f32 + 0.5)).ln();
            for (number, count) in postings {
                if let (Some(score), Some(length)) = (scores.get_mut(*number), self.lengths.get(*number)) {
                    *score += rare * count * 2.5 / (count + 1.5 * (0.25 + 0.75 * length / average));
                }
            }
        }
        scores
    }
}

fn plain(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| word.len() > 1);
    words.map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests;
