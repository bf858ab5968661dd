//! `kubectl react runbooks review`: what a branch's runbooks would do, before they are merged.
//!
//! *Invariant:* nothing that is reviewed becomes trusted: it is read, shown and forgotten.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use rayon::prelude::*;

use super::lint::{BROKEN, problems};
use super::sync::no_repository;
use crate::cli::error::CommandError;
use crate::cli::global::GlobalArgs;
use crate::cli::library::{LibraryArgs, team};
use crate::cli::{Reply, incidents, outcomes, terminal};
use crate::cluster::snapshot_file;
use crate::config::Settings;
use crate::diagnose::{self, Request};
use crate::model::Runbook;
use crate::outcomes::Kind;
use crate::output;
use crate::review::{Case, File, Form, Helped, Proposed, Review};
use crate::runbook::repo::{self, Collection, Difference, Entry, Proposal, Sync};
use crate::runbook::{self, Parsed};

/// A review of a runbook may be so old, in days, as `lint` has it.
const MAX_AGE: u16 = 365;
/// So many snapshots are diagnosed.
const SNAPSHOTS: usize = 200;
/// Where a workflow says into which branch it would be merged; the last is a commit.
const BASES: [&str; 4] = [
    "GITHUB_BASE_REF",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
    "SYSTEM_PULLREQUEST_TARGETBRANCH",
    "CI_MERGE_REQUEST_DIFF_BASE_SHA",
];

const EXAMPLES: &str = "\
Examples:
  # the checkout you are in, against its trusted branch
  kubectl react runbooks review
  # a pull or merge request of runbooks.repo
  kubectl react runbooks review 12
  kubectl react runbooks review fix/oom --incidents
  # for the summary of a workflow
  kubectl react runbooks review --snapshots outages/ -o markdown

Exit codes:
  0    it was reviewed, and lint has no errors
  1    lint has errors
  2    it could not run";

/// Show what a branch's runbooks would do: what they match, run and break
///
/// Shows which runbooks a branch or a pull request adds, changes and removes against the trusted branch: what each matches, its
/// commands with their risk, what lint says, and, on request, which incidents and snapshots it would answer, rightly and
/// wrongly. Nothing of it is used by a diagnosis before it is merged.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(in crate::cli) struct ReviewArgs {
    /// A branch of the repository, or a pull request's number or URL; the checkout around the current folder where absent
    #[arg(value_name = "PR|BRANCH")]
    proposal: Option<String>,

    #[command(flatten)]
    library: LibraryArgs,

    /// Try them on the incidents that are kept
    #[arg(long)]
    incidents: bool,

    /// Try them on saved snapshots: files, or folders of them
    #[arg(long, value_name = "PATH", num_args = 1.., value_hint = clap::ValueHint::AnyPath)]
    snapshots: Vec<PathBuf>,

    /// How to write it; markdown is for the summary of a workflow
    #[arg(short, long, value_name = "FORMAT", value_parser = ["text", "markdown", "json"], default_value = "text")]
    output: String,
}

pub(super) fn run(args: ReviewArgs, global: &GlobalArgs) -> Reply {
    let settings = args.library.settings(global, None)?;
    let proposal = proposal(&args, &settings)?;
    let redactor = crate::cli::redactor(&settings)?;
    let mut notes = proposal.notes.clone();
    notes.extend(proposal.head.notes.iter().cloned());
    let mut cases = Vec::new();
    if args.incidents {
        cases.extend(stored(&settings, &mut notes)?);
    }
    cases.extend(saved(&args.snapshots, &redactor, &mut notes)?);
    let (head, checked) = files(&proposal.head)?;
    let (before, known) = match &proposal.base {
        Some(base) => files(base)?,
        None => (Vec::new(), Vec::new()),
    };
    let lint = problems(&checked, &|path| proposal.head.has(path), MAX_AGE);
    let base = proposal.base.as_ref();
    let known = base.map(|base| problems(&known, &|path| base.has(path), MAX_AGE)).unwrap_or_default();
    let tried = args.incidents || !args.snapshots.is_empty();
    let builtin = if tried { builtin()? } else { Vec::new() };
    let review = Review::of(Proposed {
        differences: differences(&proposal),
        source: proposal.head.source.clone(),
        title: proposal.title,
        trusted: proposal.trusted,
        base: base.map(|base| base.commit.clone()).unwrap_or_default(),
        commit: proposal.head.commit.clone(),
        head: &head,
        before: &before,
        builtin: &builtin,
        problems: &lint,
        known: &known,
        cases: tried.then_some(cases.as_slice()),
        notes,
    });
    let text = match args.output.as_str() {
        "json" => output::json(&review),
        "markdown" => review.render(Form::Markdown),
        _ => review.render(Form::Text),
    };
    terminal::print(&text, &terminal::style(&settings, false))?;
    Ok(if review.errors > 0 { ExitCode::from(BROKEN) } else { ExitCode::SUCCESS })
}

/// What is proposed: a branch of the repository, or the checkout here.
fn proposal(args: &ReviewArgs, settings: &Settings) -> Result<Proposal, CommandError> {
    if let Some(name) = &args.proposal {
        let wanted = team(settings).ok_or_else(no_repository)?;
        let interactive = std::io::IsTerminal::is_terminal(&std::io::stdin());
        let sync = Sync { skip: false, limit: None, interactive };
        return Ok(repo::open(&wanted, sync)?.proposal(&wanted, name, sync)?);
    }
    let here = match args.library.repository() {
        None => PathBuf::from("."),
        Some(folder) if Path::new(&folder).is_dir() => PathBuf::from(folder),
        Some(url) => {
            return Err(CommandError::new(format!("which branch of `{}`?", repo::shown(&url)))
                .hinted("name a branch or a pull request: `kubectl react runbooks review 12`"));
        }
    };
    let set = BASES.iter().filter_map(|name| std::env::var(name).ok()).filter(|base| !base.is_empty());
    let bases: Vec<String> = set.chain(settings.runbooks.branch.value.clone()).collect();
    Ok(repo::checkout(&here, settings.runbooks.path.value.as_deref(), &bases)?)
}

/// What differs; all files where there is nothing to compare with.
fn differences(proposal: &Proposal) -> Vec<Difference> {
    let whole = |entry: &Entry| Difference { what: "as it is", path: entry.path.clone(), from: None };
    match &proposal.base {
        Some(base) => repo::differences(base, &proposal.head),
        None => proposal.head.entries.iter().map(whole).collect(),
    }
}

/// The files to show, without secrets; and as lint wants them.
fn files(collection: &Collection) -> Result<(Vec<File>, Vec<Parsed>), CommandError> {
    let entries: Vec<&Entry> = collection.entries.iter().collect();
    let bytes = collection.read(&entries)?;
    let both = entries.par_iter().zip(&bytes).map(|(entry, bytes)| {
        let place = collection.place(entry);
        let runbook = runbook::sealed(place.clone(), bytes).runbook;
        (File { path: entry.path.clone(), runbook }, runbook::parse(place, bytes))
    });
    Ok(both.collect::<Vec<_>>().into_iter().unzip())
}

/// The runbooks that come with the plugin.
fn builtin() -> Result<Vec<Runbook>, CommandError> {
    let (files, _) = files(&repo::builtin())?;
    Ok(files.into_iter().filter_map(|file| file.runbook).collect())
}

/// The incidents that are kept, with what is known to have helped there.
fn stored(settings: &Settings, notes: &mut Vec<String>) -> Result<Vec<Case>, CommandError> {
    let history = outcomes::memory().map(|memory| memory.history()).transpose();
    let history = history.unwrap_or_else(|error| {
        notes.push(format!("what helped is not known: {error}"));
        None
    });
    let outcomes = history.unwrap_or_default().outcomes;
    let cases = incidents::store(settings)?.list()?.into_iter().filter_map(|listed| {
        let causes = listed.record.diagnosis?.causes;
        let helped = outcomes
            .iter()
            .filter(|outcome| outcome.kind == Kind::Helped && outcome.incident.as_deref() == Some(listed.id.as_str()));
        let helped =
            helped.map(|outcome| Helped { path: outcome.path.clone(), fingerprint: outcome.fingerprint.clone() });
        Some(Case { name: format!("incident {}", listed.id), causes, helped: helped.collect() })
    });
    Ok(cases.collect())
}

/// Saved snapshots, diagnosed. One that a person names must be there; one in a folder is left out with a note.
fn saved(
    paths: &[PathBuf],
    redactor: &crate::redact::Redactor,
    notes: &mut Vec<String>,
) -> Result<Vec<Case>, CommandError> {
    let mut cases = Vec::new();
    for path in paths {
        if path.is_dir() {
            for file in inside(path)? {
                match case(&file, redactor) {
                    Ok(case) => cases.push(case),
                    Err(error) => notes.push(format!("{}: {}", file.display(), error.told())),
                }
            }
        } else {
            cases.push(case(path, redactor)?);
        }
    }
    if cases.len() > SNAPSHOTS {
        notes.push(format!("{} snapshots are more than {SNAPSHOTS}; the rest is left out", cases.len()));
        cases.truncate(SNAPSHOTS);
    }
    Ok(cases)
}

fn case(path: &Path, redactor: &crate::redact::Redactor) -> Result<Case, CommandError> {
    let snapshot = snapshot_file::read(path, redactor)?;
    let causes = diagnose::derive(&snapshot, &Request::default())?.causes;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    Ok(Case { name, causes, helped: Vec::new() })
}

/// The files of a folder that may be snapshots, sorted.
fn inside(folder: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let failed = |error| CommandError::new(format!("can't read `{}`: {error}", folder.display()));
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let mut found: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    found.retain(|path| {
        let is = |path: &Path, wanted: &str| path.extension().is_some_and(|extension| extension == wanted);
        let zipped = is(path, "gz") && path.file_stem().is_some_and(|stem| is(Path::new(stem), "json"));
        path.is_file() && (is(path, "json") || zipped)
    });
    found.sort();
    Ok(found)
}
