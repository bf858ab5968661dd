//! Runbooks, a derivation and an embedder to test an index with, none of them the real ones.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Deriver;
use crate::model::runbook::{
    AppliesTo, Automation, FrontMatter, RUNBOOK_SCHEMA, RootCause, Section, Signature, Status,
};
use crate::model::{Library, Place, Runbook, Severity};
use crate::retrieve::embed::unit;
use crate::retrieve::{Chunk, Derived, EmbedError, Embedder, ModelId, Terms};

/// Derives every word as a term, and a chunk for each section.
pub(super) const WORDS: Deriver = Deriver { version: "words-1", derive: words };

fn words(runbook: &Runbook) -> Derived {
    let mut terms = Terms::default();
    let title = runbook.front.title.as_str();
    let texts = runbook.sections.iter().map(|section| section.text.as_str());
    for (text, weight) in [(title, 3.0)].into_iter().chain(texts.map(|text| (text, 1.0))) {
        for word in text.split_whitespace() {
            *terms.counts.entry(word.to_lowercase()).or_default() += weight;
            terms.length += weight;
        }
    }
    let whole = Chunk { heading: String::new(), text: title.to_owned(), line: 1 };
    let sections = runbook.sections.iter().map(|section| Chunk {
        heading: section.heading.clone(),
        text: format!("{title}\n{}", section.text),
        line: section.line,
    });
    Derived { terms, chunks: [whole].into_iter().chain(sections).collect() }
}

/// A place at `commit`.
pub(super) fn place(path: &str, commit: &str, blob: &str) -> Place {
    Place { library: Library::Team, path: path.to_owned(), commit: commit.to_owned(), blob: blob.to_owned() }
}

/// A runbook of a title and one section for each text.
pub(super) fn runbook(place: &Place, title: &str, texts: &[&str]) -> Runbook {
    let sections = texts.iter().zip(1..).map(|(text, number)| Section {
        heading: format!("Part {number}"),
        level: 2,
        text: (*text).to_owned(),
        line: number * 10,
    });
    Runbook {
        place: place.clone(),
        front: FrontMatter {
            json_schema: None,
            schema: RUNBOOK_SCHEMA.to_owned(),
            name: place.path.trim_end_matches(".md").to_owned(),
            title: title.to_owned(),
            description: String::new(),
            status: Status::Active,
            superseded_by: None,
            severity: Severity::Critical,
            root_cause: RootCause::Unknown,
            signature: Signature { kinds: vec!["Pod".into()], exit_codes: vec![137], ..Signature::default() },
            applies_to: AppliesTo::default(),
            automation: Automation::default(),
            params: BTreeMap::new(),
            owners: Vec::new(),
            reviewed: None,
            provenance: None,
            references: Vec::new(),
            tags: Vec::new(),
        },
        derived: false,
        sections: sections.collect(),
        blocks: Vec::new(),
        manifests: Vec::new(),
    }
}

/// A repository of runbooks: what stands in each blob.
#[derive(Clone, Default)]
pub(super) struct Books(pub(super) BTreeMap<String, (String, Vec<String>)>);

impl Books {
    /// So many runbooks that differ.
    pub(super) fn many(number: usize) -> (Books, Vec<Place>) {
        let mut books = Books::default();
        let mut places = Vec::new();
        for n in 0..number {
            let blob = format!("{n:040x}");
            let texts = (0..3).map(|part| format!("section{part} word{} all{}", n % 7, n % 3)).collect();
            books.0.insert(blob.clone(), (format!("title{n} common"), texts));
            places.push(place(&format!("runbooks/{n:05}.md"), "c1", &blob));
        }
        (books, places)
    }

    pub(super) fn load(&self, place: &Place) -> Option<Runbook> {
        let (title, texts) = self.0.get(&place.blob)?;
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        Some(runbook(place, title, &texts))
    }
}

/// An embedder that gives each word a direction of its own, and counts what it embedded.
pub(super) struct Hash {
    id: ModelId,
    pub(super) embedded: AtomicUsize,
    /// After so many texts it fails.
    pub(super) limit: usize,
}

impl Hash {
    pub(super) fn new(name: &str) -> Hash {
        let id = ModelId { name: name.to_owned(), digest: format!("digest-of-{name}"), dimensions: 48 };
        Hash { id, embedded: AtomicUsize::new(0), limit: usize::MAX }
    }

    pub(super) fn count(&self) -> usize {
        self.embedded.swap(0, Ordering::Relaxed)
    }
}

impl Embedder for Hash {
    fn id(&self) -> &ModelId {
        &self.id
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        if self.embedded.fetch_add(texts.len(), Ordering::Relaxed) + texts.len() > self.limit {
            return Err(EmbedError("the model is tired".to_owned()));
        }
        let direction = |text: &str| {
            let mut vector = vec![0.001; self.id.dimensions];
            for word in text.split_whitespace() {
                for turn in 0..4_u64 {
                    let seed = word.bytes().chain(self.id.name.bytes()).fold(turn + 5, |hash, byte| {
                        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23)
                    });
                    let at = usize::try_from(seed % 48).unwrap();
                    vector[at] += if seed & (1 << 40) == 0 { 1.0 } else { -1.0 };
                }
            }
            unit(vector).unwrap()
        };
        Ok(texts.iter().map(|text| direction(text)).collect())
    }
}
