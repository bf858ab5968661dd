//! What is written down: a new runbook, an addition to one, or nothing, where all is known.
//!
//! *Invariant:* what comes out has been through lint, as a file of the tree that it goes to.

use std::path::Path;

use super::general::General;
use super::library::{File, Library};
use super::page::{self, Done, Material, Page};
use super::update::{self, Update};
use super::{Proof, case::Case};
use crate::detect;
use crate::graph;
use crate::model::runbook::{FrontMatter, Runbook, Status};
use crate::model::{Cause, Place};
use crate::runbook::lint::{self, Options};
use crate::runbook::{self, Gravity, Parsed};

/// What is proposed.
#[derive(Clone, Debug)]
pub struct Drafted {
    /// The path of the file.
    pub path: String,
    /// Its text.
    pub text: String,
    /// The blob that it was made from, where it was there.
    pub blob: Option<String>,
    /// Its front matter.
    pub front: FrontMatter,
    /// What is new in a file that was there; empty for a new one.
    pub news: Vec<String>,
    /// Whether all of it was known.
    pub known: bool,
    /// The lines that it suggests.
    pub fixes: Vec<String>,
    /// What lint says: no errors, or it is a fault of ours.
    pub lint: Vec<String>,
    /// How many of that are errors.
    pub errors: usize,
    /// Runbooks that say nearly the same, with how near.
    pub near: Vec<String>,
    /// The model whose words are new in it.
    pub model: Option<String>,
}

/// Writes down what was learned of a cause.
pub fn draft(case: &Case, proof: &Proof, done: &[Done], words: Option<&str>, library: &Library) -> Option<Drafted> {
    let cause = case.diagnosis.causes.get(proof.cause)?;
    let (before, after) = (graph::build(&case.before), graph::build(&proof.after));
    let general = General::of(cause, &[&before, &after]);
    let builtin = library.builtin.iter().find(|runbook| names(&runbook.front, cause));
    let alike = alike(cause, library);
    let fixed = !matches!(proof.verdict, super::Verdict::NotFixed);
    let today = library.today.to_string();
    let material = |name: &str| {
        let holds: &[String] = if fixed { &proof.seen.holds } else { &[] };
        let material = Material {
            incident: &case.id,
            cause,
            done,
            words,
            holds,
            builtin,
            general: &general,
            alike: &alike,
            name,
            owners: &library.owners,
            today: &today,
        };
        page::write(&material)
    };
    let added = |(runbook, file): (&Runbook, &File)| {
        let drafted = addition(runbook, file, &material(&runbook.front.name), &general, done, words);
        let near = library.near(&drafted.path, &drafted.text);
        (drafted, near)
    };
    let (mut drafted, near) = if let Some(known) = library.named(cause) {
        added(known)
    } else {
        let fresh = new_file(cause, library, &material);
        let near = library.near(&fresh.path, &fresh.text);
        let same = near.first().and_then(|(path, _)| library.open().find(|(runbook, _)| runbook.place.path == *path));
        same.map_or((fresh, near), added)
    };
    check(&mut drafted, library);
    drafted.near = near.iter().map(|(path, cosine)| format!("{path} (similarity {cosine:.2})")).collect();
    Some(drafted)
}

/// The team's runbooks that were shown for a cause and are not about it: by name and title.
fn alike(cause: &Cause, library: &Library) -> Vec<(String, String)> {
    let others = library.runbooks().map(|(runbook, _)| runbook).filter(|runbook| {
        !runbook.derived
            && runbook.front.status == Status::Active
            && cause.was_shown(&runbook.place)
            && !names(&runbook.front, cause)
    });
    others.map(|runbook| (runbook.front.name.clone(), runbook.front.title.clone())).collect()
}

fn names(front: &FrontMatter, cause: &Cause) -> bool {
    front.signature.detectors.contains(&cause.detector)
}

fn addition(
    runbook: &Runbook,
    file: &File,
    page: &Page,
    general: &General,
    done: &[Done],
    words: Option<&str>,
) -> Drafted {
    let text = String::from_utf8_lossy(&file.bytes).into_owned();
    let general = general.with(done);
    let told = match words {
        Some(words) => general.text(words),
        None => done.iter().map(|done| general.text(&done.what)).collect::<Vec<_>>().join("; ") + ".",
    };
    let (text, news, known) = match update::merge(runbook, &text, page, &told) {
        Update::Changed { text, news } => (text, news, false),
        Update::Known => (text, Vec::new(), true),
    };
    let place = &runbook.place;
    Drafted { known, ..drafted(&place.path, text, Some(place.blob.clone()), page, news) }
}

fn new_file(cause: &Cause, library: &Library, material: &dyn Fn(&str) -> Page) -> Drafted {
    let area = page::area(&cause.detector);
    let path = |name: &str| match library.folder.as_str() {
        "" => format!("{area}/{name}.md"),
        folder => format!("{folder}/{area}/{name}.md"),
    };
    let taken = |name: &str| {
        library.at(&path(name)).is_some() || library.runbooks().any(|(runbook, _)| runbook.front.name == name)
    };
    let mut name = cause.detector.clone();
    let mut number = 2;
    while taken(&name) && number < 1000 {
        name = format!("{}-{number}", cause.detector);
        number += 1;
    }
    let page = material(&name);
    let text = page.to_markdown();
    drafted(&path(&name), text, None, &page, Vec::new())
}

fn drafted(path: &str, text: String, blob: Option<String>, page: &Page, news: Vec<String>) -> Drafted {
    Drafted {
        path: path.to_owned(),
        text,
        blob,
        front: page.front.clone(),
        news,
        known: false,
        fixes: page.fixes.clone(),
        lint: Vec::new(),
        errors: 0,
        near: Vec::new(),
        model: None,
    }
}

impl Drafted {
    /// The same with the text that a library has of it already.
    #[must_use]
    pub fn as_it_is(mut self, library: &Library) -> Drafted {
        let Some(file) = library.at(&self.path) else { return self };
        self.blob = Some(file.place().blob.clone());
        self.edited(String::from_utf8_lossy(&file.bytes).into_owned(), library)
    }

    /// The same with another text, as a person edited it; checked anew.
    #[must_use]
    pub fn edited(mut self, text: String, library: &Library) -> Drafted {
        self.text = text;
        check(&mut self, library);
        self
    }
}

/// Lint, as a file of the tree that it goes to; its front matter as it reads there.
fn check(drafted: &mut Drafted, library: &Library) {
    let others = library.team.iter().filter(|file| file.place().path != drafted.path);
    let mut files: Vec<Parsed> = others.map(|file| file.parsed.clone()).collect();
    let own = runbook::parse(place(&drafted.path), drafted.text.as_bytes());
    if let Some(runbook) = &own.runbook {
        drafted.front = runbook.front.clone();
    }
    files.push(own);
    let detectors: Vec<&str> = detect::detectors().iter().map(|detector| detector.id).collect();
    let others: Vec<&str> = library.builtin.iter().map(|runbook| runbook.front.name.as_str()).collect();
    let exists = |path: &str| files_have(library, path) || Path::new(path) == Path::new(&drafted.path);
    let options =
        Options { detectors: &detectors, others: &others, exists: &exists, today: library.today, max_age_days: 365 };
    let problems = lint::lint(&files, &options);
    let own: Vec<_> = problems.iter().filter(|problem| problem.path == drafted.path).collect();
    drafted.errors = own.iter().filter(|problem| problem.severity == Gravity::Error).count();
    drafted.lint = own.iter().map(|problem| format!("line {}: {}", problem.line, problem.message)).collect();
}

fn files_have(library: &Library, path: &str) -> bool {
    let below = format!("{path}/");
    library.team.iter().any(|file| file.place().path == path || file.place().path.starts_with(&below))
}

/// A file of the team's that is in no commit yet.
pub(super) fn place(path: &str) -> Place {
    Place { library: crate::model::Library::Team, path: path.to_owned(), commit: String::new(), blob: String::new() }
}
