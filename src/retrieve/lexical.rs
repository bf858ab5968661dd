//! The terms of a query, and BM25 over a shelf.
//!
//! *Invariant:* how rare a term is and how long documents are is taken from the shelf in use, from nothing else.

use std::collections::BTreeMap;

use super::text::{self, AS_WRITTEN, Form};
use super::{Shelf, ShelfError, clean, concept, query, spell};

/// When a term that comes again stops to count. High, since the weights of fields are counts too.
const SATURATION: f32 = 3.0;
/// How much length is held against a document.
const LENGTH: f32 = 0.6;
/// A query is cut to its rarest terms: a pasted log has hundreds.
const MOST_TERMS: usize = 96;
/// What is read of a query.
const MOST_TEXT: usize = 16 * 1024;
/// What the first and the last part of a message of several parts weigh.
const FIRST: f32 = 0.7;
const LAST: f32 = 1.3;
/// How much more a name weighs: an alert, a reason, an exit code that says something.
const NAME: f32 = 1.5;
/// Weight of another name for what the query names.
const OTHER_NAME: f32 = 0.15;
/// Weight of a word that was probably meant.
const MEANT: f32 = 0.6;
/// How much a word that was probably meant counts as found.
const MEANT_FOUND: f32 = 0.8;
/// How many times its own rarity a query's score is when it is found in full: an observed value, for the scale.
const FULL: f32 = 1.5;

/// Why a term is in a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// A word of it.
    Word,
    /// Neighbours, or a word in the form in which it was written.
    Detail,
    /// Another name for what it names.
    OtherName,
    /// Probably meant by the word of this number.
    Meant(usize),
}

struct Term {
    /// Its number, by which [`Origin::Meant`] knows it.
    number: usize,
    text: String,
    weight: f32,
    origin: Origin,
    postings: Vec<(u32, f32)>,
    rarity: f32,
}

/// What the words of a query say of each document.
pub(super) struct Lexical {
    terms: Vec<Term>,
    /// BM25 of each document.
    scores: Vec<f32>,
    /// What the scores are divided by.
    scale: f32,
}

impl Lexical {
    /// Asks the shelf.
    pub(super) fn ask(query: &str, shelf: &dyn Shelf) -> Result<Lexical, ShelfError> {
        let documents = shelf.documents();
        let mut terms = terms(&clean::clean(super::chunk::head(query, MOST_TEXT)));
        let names: Vec<String> = terms.iter().map(|term| term.text.clone()).collect();
        for (term, postings) in terms.iter_mut().zip(shelf.postings(&names)?) {
            term.take(postings);
        }
        meant(&mut terms, shelf)?;
        for term in &mut terms {
            term.rarity = rarity(term.postings.len(), documents.len());
            if term.postings.is_empty() {
                term.rarity *= absence(documents.len());
            }
        }
        terms.sort_by(|a, b| (b.weight * b.rarity).total_cmp(&(a.weight * a.rarity)));
        terms.truncate(MOST_TERMS);
        let average = documents.iter().map(|document| document.length).sum::<f32>() / documents.len().max(1) as f32;
        let mut scores = vec![0.0_f32; documents.len()];
        for term in &terms {
            for (number, count) in &term.postings {
                let (Some(score), Some(document)) = (scores.get_mut(*number as usize), documents.get(*number as usize))
                else {
                    continue;
                };
                let length = 1.0 - LENGTH + LENGTH * document.length / average.max(f32::MIN_POSITIVE);
                *score += term.weight * term.rarity * count * (SATURATION + 1.0) / (count + SATURATION * length);
            }
        }
        let own: f32 = terms
            .iter()
            .filter(|term| matches!(term.origin, Origin::Word | Origin::Detail))
            .map(|term| term.weight * term.rarity)
            .sum();
        let best = scores.iter().copied().fold(0.0, f32::max);
        Ok(Lexical { terms, scores, scale: best.max(FULL * own).max(f32::MIN_POSITIVE) })
    }

    /// 0 to 1: how well the words fit. 1 is rare, a query that is found in part stays low.
    pub(super) fn score(&self, document: u32) -> f32 {
        self.scores.get(document as usize).map_or(0.0, |score| score / self.scale)
    }

    /// The documents that fit best, the best first.
    pub(super) fn top(&self, count: usize) -> Vec<u32> {
        let mut top: Vec<(u32, f32)> = (0_u32..).zip(self.scores.iter().copied()).filter(|top| top.1 > 0.0).collect();
        top.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        top.into_iter().take(count).map(|(document, _)| document).collect()
    }

    /// The share of what the query says, by rarity, that a document has; 0 to 1.
    pub(super) fn coverage(&self, document: u32) -> f32 {
        let has = |term: &Term| term.postings.binary_search_by_key(&document, |posting| posting.0).is_ok();
        let (mut found, mut all) = (0.0, 0.0);
        for (at, term) in self.words() {
            all += term.rarity;
            if has(term) {
                found += term.rarity;
            } else if self.terms.iter().any(|other| other.origin == Origin::Meant(at) && has(other)) {
                found += MEANT_FOUND * term.rarity;
            }
        }
        if all > 0.0 { found / all } else { 0.0 }
    }

    /// The query's words that a document has, the rarest first.
    pub(super) fn matched(&self, document: u32) -> Vec<&str> {
        let has = |term: &&Term| term.postings.binary_search_by_key(&document, |posting| posting.0).is_ok();
        let own = |term: &&Term| matches!(term.origin, Origin::Word | Origin::Meant(_));
        self.terms.iter().filter(own).filter(has).map(|term| term.text.as_str()).collect()
    }

    /// How much a text says of what the query says.
    pub(super) fn fit(&self, text: &str) -> f32 {
        let mut found: BTreeMap<&str, f32> = BTreeMap::new();
        let mut bag = text::Bag::default();
        bag.add(text, 1.0);
        for term in &self.terms {
            if bag.0.contains_key(&term.text) {
                found.insert(&term.text, term.weight * term.rarity);
            }
        }
        found.values().sum()
    }

    fn words(&self) -> impl Iterator<Item = (usize, &Term)> {
        self.terms.iter().filter_map(|term| match term.origin {
            Origin::Word => Some((term.number, term)),
            _ => None,
        })
    }
}

impl Term {
    fn new(number: usize, text: String, weight: f32, origin: Origin) -> Term {
        Term { number, text, weight, origin, postings: Vec::new(), rarity: 0.0 }
    }

    fn take(&mut self, mut postings: Vec<(u32, f32)>) {
        postings.sort_unstable_by_key(|posting| posting.0);
        self.postings = postings;
    }
}

/// The terms of a query that has been cleaned.
fn terms(query: &str) -> Vec<Term> {
    let mut own: BTreeMap<String, (f32, Origin)> = BTreeMap::new();
    for (part, weight) in parts(query) {
        add(&mut own, part, weight);
    }
    // Pairs over the ends of parts.
    let mut whole = BTreeMap::new();
    add(&mut whole, query, 1.0);
    for (term, said) in whole {
        own.entry(term).or_insert(said);
    }
    let code = query::exit_code(query).filter(|code| *code > 2);
    let code = code.into_iter().flat_map(|code| [code.to_string(), format!("code{code}")]);
    for name in names(query).into_iter().chain(code) {
        for term in [text::stem(&name), format!("{AS_WRITTEN}{name}")] {
            if let Some((weight, _)) = own.get_mut(&term) {
                *weight *= NAME;
            }
        }
    }
    let mut bag = text::Bag::default();
    for name in concept::others(query) {
        bag.add(name, OTHER_NAME);
    }
    for (term, weight) in bag.0 {
        own.entry(term).or_insert((weight.min(OTHER_NAME), Origin::OtherName));
    }
    let numbered = own.into_iter().enumerate();
    numbered.map(|(number, (term, (weight, origin)))| Term::new(number, term, weight, origin)).collect()
}

fn add(terms: &mut BTreeMap<String, (f32, Origin)>, text: &str, factor: f32) {
    let mut own: BTreeMap<String, (f32, Origin)> = BTreeMap::new();
    let mut say = |term: String, weight: f32, origin| {
        let (sum, was) = own.entry(term).or_insert((0.0, origin));
        // Saying it twice does not ask for it twice.
        *sum = (*sum + weight).min(weight.max(1.0));
        if origin == Origin::Word {
            *was = origin;
        }
    };
    text::words(text, |word, form, weight| {
        let stem = text::stem(word);
        if stem != word {
            say(format!("{AS_WRITTEN}{word}"), weight, Origin::Detail);
        }
        say(stem, weight, if form == Form::Word { Origin::Word } else { Origin::Detail });
    });
    for (term, (weight, origin)) in own {
        let (most, was) = terms.entry(term).or_insert((0.0, origin));
        *most = most.max(weight * factor);
        if origin == Origin::Word {
            *was = origin;
        }
    }
}

/// A message of several parts, `could not do this: that failed: no such file`, with what each weighs: programs put the
/// deepest cause last.
fn parts(query: &str) -> Vec<(&str, f32)> {
    let parts: Vec<&str> = query.split([':', ';']).collect();
    let mut joined: Vec<&str> = Vec::new();
    let mut start = 0;
    let mut at = 0;
    for part in &parts {
        at += part.len() + 1;
        // `x509:443` and `a::b` are no ends of a part.
        if query.get(at..).is_none_or(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace)) {
            joined.extend(query.get(start..at.min(query.len())).filter(|part| !part.trim().is_empty()));
            start = at;
        }
    }
    let steps = joined.len().saturating_sub(1);
    let weight = |at: usize| if steps < 2 { 1.0 } else { FIRST + (LAST - FIRST) * at as f32 / steps as f32 };
    joined.into_iter().enumerate().map(|(at, part)| (part, weight(at))).collect()
}

/// Words that are names of things in programs, in lower case: alerts, reasons, kinds.
fn names(query: &str) -> Vec<String> {
    let words = query.split(|c: char| !c.is_alphanumeric());
    let inner = |word: &&str| {
        let mut pairs = word.chars().zip(word.chars().skip(1));
        pairs.any(|(a, b)| a.is_lowercase() && b.is_uppercase())
    };
    words.filter(inner).map(str::to_lowercase).collect()
}

/// At most this many unknown words are looked up: a log of another system is full of them.
const MOST_UNKNOWN: usize = 8;

/// Adds what was probably meant by words that no document has.
fn meant(terms: &mut Vec<Term>, shelf: &dyn Shelf) -> Result<(), ShelfError> {
    let known = |term: &str| terms.iter().any(|other| other.text == term && !other.postings.is_empty());
    let mut found: Vec<(String, f32, Origin)> = Vec::new();
    let unknown = terms.iter().filter(|term| term.origin == Origin::Word && term.postings.is_empty());
    for term in unknown.take(MOST_UNKNOWN) {
        let Some(prefix) = spell::prefix(&term.text) else { continue };
        let near = spell::nearest(&term.text, &shelf.vocabulary(prefix)?);
        let weight = MEANT / (near.len() as f32).sqrt();
        found.extend(near.into_iter().filter(|word| !known(word)).map(|w| (w, weight, Origin::Meant(term.number))));
    }
    let names: Vec<String> = found.iter().map(|(term, ..)| term.clone()).collect();
    let postings = if names.is_empty() { Vec::new() } else { shelf.postings(&names)? };
    for ((term, weight, origin), postings) in found.into_iter().zip(postings) {
        let mut term = Term::new(terms.len(), term, weight, origin);
        term.take(postings);
        terms.push(term);
    }
    Ok(())
}

/// How much it says that a document has a term which `having` of `all` have.
fn rarity(having: usize, all: usize) -> f32 {
    (1.0 + (all.saturating_sub(having) as f32 + 0.5) / (having as f32 + 0.5)).ln()
}

/// Of a library this large it says half of what it can say that a word is in none of its documents. A small one lacks
/// everyday words too.
const HALF_SAID: f32 = 30.0;

/// How much it says that a word is in no document of a library of `all`, 0 to 1.
fn absence(all: usize) -> f32 {
    all as f32 / (all as f32 + HALF_SAID)
}
