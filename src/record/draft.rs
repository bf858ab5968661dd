//! What is written down: a new runbook, an addition to one, or nothing, where all is known.
//!
//! *Invariant:* what comes out has been through lint, as a file of the tree that it goes to.

use std::path::Path;

use jiff::civil::Date;

use super::general::General;
use super::page::{self, Done, Material, Page};
use super::update::{self, Update};
use super::{Proof, case::Case};
use crate::detect;
use crate::graph;
use crate::model::runbook::{FrontMatter, Runbook, Status};
use crate::model::{Cause, Place};
use crate::retrieve;
use crate::runbook::lint::{self, Options};
use crate::runbook::{self, Gravity, Parsed};

/// Runbooks that are nearer than that say the same.
const NEAR: f32 = 0.9;

/// The team's runbooks as they are on the branch that the draft goes to, and the built-in ones.
#[derive(Clone)]
pub struct Library {
    /// The team's files.
    pub team: Vec<(Place, Vec<u8>)>,
    /// The folder of the team's runbooks, without a slash at its end.
    pub folder: String,
    /// The built-in runbooks.
    pub builtin: Vec<Runbook>,
    /// Who answers for new runbooks.
    pub owners: Vec<String>,
    /// Today.
    pub today: Date,
}

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
}

/// Writes down what was learned of a cause.
pub fn draft(case: &Case, proof: &Proof, done: &[Done], words: Option<&str>, library: &Library) -> Option<Drafted> {
    let cause = case.diagnosis.causes.get(proof.cause)?;
    let (before, after) = (graph::build(&case.before), graph::build(&proof.after));
    let general = General::of(cause, &[&before, &after]);
    let parsed: Vec<(Parsed, &[u8])> =
        library.team.iter().map(|(place, bytes)| (runbook::parse(place.clone(), bytes), bytes.as_slice())).collect();
    let team: Vec<(&Runbook, &[u8])> =
        parsed.iter().filter_map(|(file, bytes)| Some((file.runbook.as_ref()?, *bytes))).collect();
    let builtin = library.builtin.iter().find(|runbook| names(&runbook.front, cause));
    let existing = team.iter().find(|(runbook, _)| {
        !runbook.derived && runbook.front.status != Status::Deprecated && names(&runbook.front, cause)
    });
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
            name,
            owners: &library.owners,
            today: &today,
        };
        page::write(&material)
    };
    let mut drafted = match existing {
        Some((runbook, bytes)) => addition(runbook, bytes, &material(&runbook.front.name), &general, done, words),
        None => new_file(cause, library, &team, &material),
    };
    check(&mut drafted, library);
    near(&mut drafted, &team);
    Some(drafted)
}

fn names(front: &FrontMatter, cause: &Cause) -> bool {
    front.signature.detectors.contains(&cause.detector)
}

fn addition(
    runbook: &Runbook,
    bytes: &[u8],
    page: &Page,
    general: &General,
    done: &[Done],
    words: Option<&str>,
) -> Drafted {
    let text = String::from_utf8_lossy(bytes).into_owned();
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

fn new_file(cause: &Cause, library: &Library, team: &[(&Runbook, &[u8])], material: &dyn Fn(&str) -> Page) -> Drafted {
    let area = page::area(&cause.detector);
    let path = |name: &str| match library.folder.as_str() {
        "" => format!("{area}/{name}.md"),
        folder => format!("{folder}/{area}/{name}.md"),
    };
    let taken = |name: &str| {
        library.team.iter().any(|(place, _)| place.path == path(name))
            || team.iter().any(|(runbook, _)| runbook.front.name == name)
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
    }
}

impl Drafted {
    /// The same with the text that a library has of it already.
    #[must_use]
    pub fn as_it_is(mut self, library: &Library) -> Drafted {
        let Some((place, bytes)) = library.team.iter().find(|(place, _)| place.path == self.path) else { return self };
        self.blob = Some(place.blob.clone());
        self.edited(String::from_utf8_lossy(bytes).into_owned(), library)
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
    let place = |path: &str| Place {
        library: crate::model::Library::Team,
        path: path.to_owned(),
        commit: String::new(),
        blob: String::new(),
    };
    let mut files: Vec<Parsed> = library
        .team
        .iter()
        .filter(|(place, _)| place.path != drafted.path)
        .map(|(place, bytes)| runbook::parse(place.clone(), bytes))
        .collect();
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
    library.team.iter().any(|(place, _)| place.path == path || place.path.starts_with(&format!("{path}/")))
}

/// The team's runbooks that say nearly what this one says.
fn near(drafted: &mut Drafted, team: &[(&Runbook, &[u8])]) {
    let place = Place {
        library: crate::model::Library::Team,
        path: drafted.path.clone(),
        commit: String::new(),
        blob: String::new(),
    };
    let own = runbook::parse(place, drafted.text.as_bytes());
    let Some(own) = own.runbook else { return };
    let others = team.iter().map(|(runbook, _)| *runbook).filter(|runbook| runbook.place.path != drafted.path);
    let all: Vec<&Runbook> = others.chain(std::iter::once(&own)).collect();
    let last = all.len() - 1;
    for (a, b, cosine) in retrieve::near_duplicates(&all, NEAR) {
        let other = if a == last {
            b
        } else if b == last {
            a
        } else {
            continue;
        };
        if let Some(other) = all.get(other) {
            drafted.near.push(format!("{} (similarity {cosine:.2})", other.place.path));
        }
    }
}
