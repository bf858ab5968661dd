//! A branch's runbooks as the tool would use them: what changes, what each does, which faults it would answer.
//!
//! *Invariant:* pure: git, incidents and snapshots are handed in. All that a branch says is text of others: it is cleaned
//! before it is kept, and nothing of it is followed. What is reviewed is used by no diagnosis.

#![warn(clippy::disallowed_methods)]

mod commands;
mod differ;
mod fits;
mod markdown;
mod text;
mod words;

use serde::Serialize;

pub use commands::{Class, Step};
pub use fits::{By, Fit, Fits};

use crate::model::runbook::{Level, Risk, Status};
use crate::model::{Cause, Runbook, Severity};
use crate::printable::one_line;
use crate::runbook::repo::Difference;
use crate::runbook::{Gravity, Problem};

/// Counts breaking changes of the output for programs.
pub const SCHEMA_VERSION: &str = "kubectl-react/review/v1";
/// The longest text that is shown of one thing, in characters.
const LONGEST: usize = 300;

/// A runbook's file; without a runbook where it can't be read as one.
#[derive(Clone, Debug)]
pub struct File {
    /// Its path.
    pub path: String,
    /// What it says.
    pub runbook: Option<Runbook>,
}

/// A stored incident or a saved snapshot, to try signatures on.
#[derive(Clone, Debug, Default)]
pub struct Case {
    /// What it is called: `incident 20261126-101500-7f3a`, `outage.json.gz`.
    pub name: String,
    /// Its causes.
    pub causes: Vec<Cause>,
    /// The runbooks that are known to have helped there.
    pub helped: Vec<Helped>,
}

/// A runbook that helped with a cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Helped {
    /// Its path.
    pub path: String,
    /// The fingerprint of the cause; of the whole case where absent.
    pub fingerprint: Option<String>,
}

/// What is to be reviewed.
pub struct Proposed<'a> {
    /// What it is: "branch `x`".
    pub title: String,
    /// Where it is from.
    pub source: String,
    /// The trusted branch, and the commit of it that this left.
    pub trusted: String,
    /// That commit; empty where it is not known.
    pub base: String,
    /// The commit that is reviewed; empty for a working copy.
    pub commit: String,
    /// What differs.
    pub differences: Vec<Difference>,
    /// All files as they are proposed.
    pub head: &'a [File],
    /// All files as they are trusted.
    pub before: &'a [File],
    /// The runbooks that come with the plugin.
    pub builtin: &'a [Runbook],
    /// What lint says of the files as proposed.
    pub problems: &'a [Problem],
    /// What it says of them as trusted.
    pub known: &'a [Problem],
    /// What to try the signatures on; none where that is not asked for.
    pub cases: Option<&'a [Case]>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// A review.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    /// [`SCHEMA_VERSION`].
    pub schema_version: &'static str,
    /// What is reviewed.
    pub title: String,
    /// Where it is from.
    pub source: String,
    /// The trusted branch.
    pub trusted: String,
    /// The commit of it that this left.
    pub base: String,
    /// The commit that is reviewed.
    pub commit: String,
    /// The runbooks that differ, by path.
    pub runbooks: Vec<Reviewed>,
    /// What is wrong in other files now, and was not before.
    pub elsewhere: Vec<Problem>,
    /// How many errors there are.
    pub errors: usize,
    /// How many warnings there are.
    pub warnings: usize,
    /// How many incidents and snapshots were tried; absent where that was not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cases: Option<usize>,
    /// How many causes they have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causes: Option<usize>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// A runbook that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reviewed {
    /// `added`, `changed`, `removed` or `renamed`.
    pub what: &'static str,
    /// Its path.
    pub path: String,
    /// Where it was, if elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What it says of itself; none where it can't be read, or is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<About>,
    /// What is another than before, in words.
    pub changes: Vec<String>,
    /// What lint says.
    pub problems: Vec<Problem>,
    /// What it would answer; absent where nothing was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fits: Option<Fits>,
}

/// What a runbook says of itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct About {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// When to use it.
    pub description: String,
    /// How far it has come.
    pub status: Status,
    /// How much the fault hurts.
    pub severity: Severity,
    /// What a program may do with it.
    pub level: Level,
    /// How bad it is when the fix is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk: Option<Risk>,
    /// Whether it is a file of a collection, without front matter of ours.
    pub derived: bool,
    /// What it matches, in words.
    pub matches: Vec<String>,
    /// Its sections, each with its first words.
    pub sections: Vec<Brief>,
    /// Its commands.
    pub steps: Vec<Step>,
    /// Placeholders that nothing but a person fills, with what to put there.
    pub open: Vec<Open>,
    /// Manifests that its commands apply.
    pub manifests: Vec<String>,
}

/// A section in brief.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Brief {
    /// Its heading.
    pub heading: String,
    /// Its first words.
    pub text: String,
}

/// A placeholder for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Open {
    /// Its name.
    pub name: String,
    /// What `params` says of it; empty where nothing.
    pub says: String,
}

/// How a review is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// For the summary of a workflow, or a comment.
    Markdown,
}

impl Review {
    /// Reviews what is proposed.
    pub fn of(proposed: Proposed<'_>) -> Review {
        let fits = proposed.cases.map(|cases| fits::fits(&proposed, cases));
        let mut runbooks: Vec<Reviewed> =
            proposed.differences.iter().map(|difference| reviewed(difference, &proposed)).collect();
        for reviewed in &mut runbooks {
            reviewed.fits = fits.as_ref().and_then(|fits| fits.get(&reviewed.path).cloned());
        }
        let touched = |path: &str| proposed.differences.iter().any(|difference| difference.path == path);
        let same = |a: &Problem, b: &Problem| (a.rule, &a.path, &a.message) == (b.rule, &b.path, &b.message);
        let new = proposed
            .problems
            .iter()
            .filter(|problem| !touched(&problem.path) && !proposed.known.iter().any(|known| same(known, problem)));
        let elsewhere: Vec<Problem> = new.map(plain).collect();
        let count = |gravity: Gravity| {
            let all = runbooks.iter().flat_map(|reviewed| &reviewed.problems).chain(&elsewhere);
            all.filter(|problem| problem.severity == gravity).count()
        };
        let (errors, warnings) = (count(Gravity::Error), count(Gravity::Warning));
        let cases = proposed.cases;
        Review {
            schema_version: SCHEMA_VERSION,
            title: line(&proposed.title),
            source: line(&proposed.source),
            trusted: line(&proposed.trusted),
            base: proposed.base,
            commit: proposed.commit,
            runbooks,
            elsewhere,
            errors,
            warnings,
            cases: cases.map(<[Case]>::len),
            causes: cases.map(|cases| cases.iter().map(|case| case.causes.len()).sum()),
            notes: proposed.notes.iter().map(|note| line(note)).collect(),
        }
    }

    /// The review as it is printed.
    pub fn render(&self, form: Form) -> String {
        match form {
            Form::Text => text::render(self),
            Form::Markdown => markdown::render(self),
        }
    }

    /// `2 added, 1 changed; 1 error, 3 warnings`.
    fn counts(&self) -> String {
        let count = |what: &str| self.runbooks.iter().filter(|reviewed| reviewed.what == what).count();
        let kinds = ["added", "changed", "renamed", "removed", "as it is"].map(|what| (what, count(what)));
        let kinds: Vec<String> =
            kinds.iter().filter(|(_, count)| *count > 0).map(|(what, count)| format!("{count} {what}")).collect();
        let kinds = if kinds.is_empty() { "no runbook differs".to_owned() } else { kinds.join(", ") };
        format!("{kinds}; {}, {}", number(self.errors, "error"), number(self.warnings, "warning"))
    }
}

fn reviewed(difference: &Difference, proposed: &Proposed<'_>) -> Reviewed {
    let at =
        |files: &'_ [File], path: &str| files.iter().find(|file| file.path == path).and_then(|f| f.runbook.clone());
    let now = at(proposed.head, &difference.path).filter(|_| difference.what != "removed");
    let before = difference.from.as_ref().and_then(|path| at(proposed.before, path));
    let changes = match (&before, &now) {
        (Some(before), Some(now)) => differ::changes(before, now),
        _ => Vec::new(),
    };
    let problems = proposed.problems.iter().filter(|problem| problem.path == difference.path);
    Reviewed {
        what: difference.what,
        path: line(&difference.path),
        from: difference.from.as_ref().filter(|from| **from != difference.path).map(|from| line(from)),
        about: now.as_ref().map(|now| about(now, before.as_ref())),
        changes: changes.iter().map(|change| line(change)).collect(),
        problems: problems.map(plain).collect(),
        fits: None,
    }
}

fn about(runbook: &Runbook, before: Option<&Runbook>) -> About {
    let front = &runbook.front;
    let steps = commands::steps(runbook, before);
    let says = |name: &String| front.params.get(name).map(|says| line(says)).unwrap_or_default();
    let open = commands::open(runbook).into_iter().map(|name| Open { says: says(&name), name });
    About {
        name: line(&front.name),
        title: line(&front.title),
        description: line(&front.description),
        status: front.status,
        severity: front.severity,
        level: front.automation.level,
        risk: front.automation.risk,
        derived: runbook.derived,
        matches: words::signature(&front.signature).iter().map(|words| line(words)).collect(),
        sections: words::sections(runbook),
        steps,
        open: open.collect(),
        manifests: runbook.manifests.iter().map(|manifest| line(&manifest.name)).collect(),
    }
}

/// A problem that quotes nothing that moves a cursor.
fn plain(problem: &Problem) -> Problem {
    Problem {
        path: line(&problem.path),
        message: line(&problem.message),
        hint: problem.hint.as_deref().map(line),
        ..problem.clone()
    }
}

/// Text of others: one line, without what is invisible, and not without end. A workflow that prints it takes no command
/// from it.
fn line(text: &str) -> String {
    let plain = one_line(text.trim()).replace("##vso[", "## vso[").replace("##[", "## [");
    if plain.chars().count() <= LONGEST {
        return plain;
    }
    plain.chars().take(LONGEST - 1).chain(['…']).collect()
}

/// `1 error`, `3 errors`, `no error`.
fn number(count: usize, word: &str) -> String {
    match count {
        0 => format!("no {word}"),
        1 => format!("1 {word}"),
        _ => format!("{count} {word}s"),
    }
}

#[cfg(test)]
mod tests;
