//! Runbooks that are made up, what is derived from them, and an embedder without a model.

use std::collections::BTreeMap;

use kubectl_react::model::runbook::{AppliesTo, Automation, FrontMatter, RootCause, Section, Signature, Status};
use kubectl_react::model::{Library, Place, Runbook, Severity};
use kubectl_react::retrieve::embed::unit;
use kubectl_react::retrieve::index::Deriver;
use kubectl_react::retrieve::{Chunk, Derived, EmbedError, Embedder, ModelId, Terms};

/// Every word a term, and a chunk for each section.
pub(crate) const WORDS: Deriver = Deriver { version: "words-1", derive };

fn derive(runbook: &Runbook) -> Derived {
    let mut terms = Terms::default();
    let title = runbook.front.title.as_str();
    for text in runbook.sections.iter().map(|section| section.text.as_str()).chain([title]) {
        for word in text.split_whitespace() {
            *terms.counts.entry(word.to_lowercase()).or_default() += 1.0;
            terms.length += 1.0;
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

/// Faults with what a runbook may say of them: a title, and three sections.
const FAULTS: &[(&str, &str)] = &[
    ("Container is killed for its memory", "The kernel kills the process since it needs more memory than its limit."),
    ("Image can't be pulled", "The registry does not know the tag, or wants a login that the pod does not have."),
    ("Node has no space on its disk", "The kubelet evicts pods until images and logs leave enough room."),
    ("Certificate of the webhook has expired", "The API server refuses objects, since it can't trust the webhook."),
    ("DNS does not answer", "CoreDNS pods are down or overloaded, and names are not resolved."),
    ("Quota is used up", "No more pods are admitted to the namespace until something is deleted."),
    ("Volume can't be attached", "The disk is still attached to the node on which the pod ran before."),
    ("Liveness probe restarts the pod", "The program starts slowly, and the probe does not wait for it."),
    ("Service has no endpoints", "Its selector finds no pod, because a label was changed."),
    ("Rollout stands still", "New pods don't become ready, so the old ones are not removed."),
];

/// A repository: what stands in each blob.
#[derive(Clone, Default)]
pub(crate) struct Books(pub(crate) BTreeMap<String, (String, Vec<String>)>);

impl Books {
    /// So many runbooks that differ; `salt` makes other blobs.
    pub(crate) fn many(number: usize, salt: &str) -> (Books, Vec<Place>) {
        let mut books = Books::default();
        let mut places = Vec::new();
        for n in 0..number {
            let (title, text) = FAULTS[n % FAULTS.len()];
            let system = format!("system-{}", n / FAULTS.len());
            let sections = ["see", "mend", "verify"].map(|part| format!("To {part} it on {system}: {text}")).to_vec();
            let blob = format!("{:0>40}", format!("{salt}{n:x}"));
            books.0.insert(blob.clone(), (format!("{title} ({system})"), sections));
            places.push(Books::place(&format!("runbooks/{n:05}.md"), "c1", &blob));
        }
        (books, places)
    }

    pub(crate) fn place(path: &str, commit: &str, blob: &str) -> Place {
        Place { library: Library::Team, path: path.to_owned(), commit: commit.to_owned(), blob: blob.to_owned() }
    }

    pub(crate) fn load(&self, place: &Place) -> Option<Runbook> {
        let (title, texts) = self.0.get(&place.blob)?;
        let sections = texts.iter().zip(1..).map(|(text, number)| Section {
            heading: format!("Part {number}"),
            level: 2,
            text: text.clone(),
            line: number * 10,
        });
        let front = FrontMatter {
            json_schema: None,
            schema: "runbook/v1".to_owned(),
            name: place.path.clone(),
            title: title.clone(),
            description: String::new(),
            status: Status::Active,
            superseded_by: None,
            severity: Severity::Critical,
            root_cause: RootCause::Unknown,
            signature: Signature::default(),
            applies_to: AppliesTo::default(),
            automation: Automation::default(),
            params: BTreeMap::new(),
            owners: Vec::new(),
            reviewed: None,
            provenance: None,
            references: Vec::new(),
            tags: Vec::new(),
        };
        let sections = sections.collect();
        Some(Runbook { place: place.clone(), front, derived: false, sections, blocks: vec![], manifests: vec![] })
    }
}

/// Gives each word a direction of its own.
pub(crate) struct Hash(ModelId);

impl Hash {
    pub(crate) fn new(name: &str, dimensions: usize) -> Hash {
        Hash(ModelId { name: name.to_owned(), digest: format!("{name:0<16}-{dimensions}"), dimensions })
    }
}

impl Embedder for Hash {
    fn id(&self) -> &ModelId {
        &self.0
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let direction = |text: &&str| {
            let mut vector = vec![0.01; self.0.dimensions];
            for word in text.split_whitespace() {
                for turn in 0..8_u64 {
                    let seed = word.bytes().chain(self.0.name.bytes()).fold(turn + 5, |hash, byte| {
                        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23)
                    });
                    let at = usize::try_from(seed % self.0.dimensions as u64).unwrap();
                    vector[at] += if seed & (1 << 40) == 0 { 1.0 } else { -1.0 };
                }
            }
            unit(vector).unwrap()
        };
        Ok(texts.iter().map(direction).collect())
    }
}
