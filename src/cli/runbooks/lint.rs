//! `kubectl react runbooks lint`: the check of a pull request.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use rayon::prelude::*;

use crate::cli::error::CommandError;
use crate::cli::global::GlobalArgs;
use crate::cli::{Reply, terminal};
use crate::config::{Flags, Settings};
use crate::detect;
use crate::model::runbook::FrontMatter;
use crate::model::{Library, Place, Time};
use crate::retrieve;
use crate::runbook::lint::{self, Options, Pair};
use crate::runbook::repo;
use crate::runbook::report::{Form, Report};
use crate::runbook::{self, Parsed, Problem};

/// Something is wrong with the runbooks.
pub(super) const BROKEN: u8 = 1;
/// Runbooks that are nearer than that say the same.
const NEAR: f32 = 0.9;

const EXIT_CODES: &str = "\
Exit codes:
  0    nothing is wrong, or nothing worse than a warning
  1    there are errors; with --strict, warnings too
  2    it could not run";

/// Check runbooks: their front matter, headings, commands, parameters, links, dates, and that no secret is in them
///
/// Reads the files as they lie there, committed or not: folders (the current one where none is named) or single
/// files.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = EXIT_CODES)]
pub(in crate::cli) struct LintArgs {
    /// Folders or files; the current folder where none is named
    #[arg(value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    paths: Vec<PathBuf>,

    /// A folder, as the other commands name it; the same as PATH
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    runbooks: Option<PathBuf>,

    /// How to write it: text, github (annotations of a workflow), sarif (code scanning), json
    #[arg(long, value_name = "FORMAT", value_parser = ["text", "github", "sarif", "json"], default_value = "text")]
    format: String,

    /// Fail on warnings too
    #[arg(long)]
    strict: bool,

    /// A review may be so old, in days
    #[arg(long, value_name = "DAYS", default_value_t = 365)]
    max_age_days: u16,
}

pub(super) fn run(args: LintArgs, global: &GlobalArgs) -> Reply {
    let settings = Settings::resolve(&Flags { color: global.color, ..Flags::default() })?;
    let paths: Vec<PathBuf> = args.paths.iter().chain(&args.runbooks).cloned().collect();
    let (files, unread) = read(&paths)?;
    let problems = problems(&files, &|path| Path::new(path).exists(), args.max_age_days);
    let report = Report::new(files.len(), problems);
    let form: Form = args.format.parse().map_err(CommandError::new)?;
    terminal::print(&report.render(form), &terminal::style(&settings, false))?;
    for note in unread {
        terminal::report(&format!("note: {}\n", crate::printable::one_line(&note)));
    }
    let broken = report.counts.error > 0 || args.strict && report.counts.warning > 0;
    Ok(if broken { ExitCode::from(BROKEN) } else { ExitCode::SUCCESS })
}

/// What is wrong with these files, near duplicates with it.
pub(super) fn problems(files: &[Parsed], exists: &(dyn Fn(&str) -> bool + Sync), max_age_days: u16) -> Vec<Problem> {
    let detectors: Vec<&str> = detect::detectors().iter().map(|detector| detector.id).collect();
    let builtin = builtin_names();
    let others: Vec<&str> = builtin.iter().map(String::as_str).collect();
    let options = Options {
        detectors: &detectors,
        others: &others,
        exists,
        today: Time::now().to_zoned(jiff::tz::TimeZone::UTC).date(),
        max_age_days: i32::from(max_age_days),
    };
    let mut problems = lint::lint(files, &options);
    problems.extend(lint::near_duplicates(&pairs(files)));
    problems.sort_by(|a, b| (&a.path, a.line, a.column).cmp(&(&b.path, b.line, b.column)));
    problems
}

/// The files, and notes on what is none.
fn read(paths: &[PathBuf]) -> Result<(Vec<Parsed>, Vec<String>), CommandError> {
    let here = [PathBuf::from(".")];
    let paths = if paths.is_empty() { &here } else { paths };
    let (mut files, mut notes) = (Vec::new(), Vec::new());
    for path in paths {
        if path.is_dir() {
            let folder = repo::folder(path)?;
            let entries: Vec<&repo::Entry> = folder.entries.iter().collect();
            let bytes = folder.read(&entries)?;
            let parsed = entries.par_iter().zip(&bytes);
            files.par_extend(parsed.map(|(entry, bytes)| parse(&path.join(&entry.path), &entry.blob, bytes)));
            notes.extend(folder.notes);
        } else {
            let bytes = std::fs::read(path)
                .map_err(|error| CommandError::new(format!("can't read `{}`: {error}", path.display())))?;
            files.push(parse(path, &repo::blob_id(&bytes), &bytes));
        }
    }
    Ok((files, notes))
}

fn parse(path: &Path, blob: &str, bytes: &[u8]) -> Parsed {
    let words: Vec<_> = path
        .components()
        .filter(|part| !matches!(part, std::path::Component::CurDir))
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    let place = Place { library: Library::Team, path: words.join("/"), commit: String::new(), blob: blob.to_owned() };
    runbook::parse(place, bytes)
}

fn builtin_names() -> Vec<String> {
    let stem = |path: &str| Some(path.rsplit('/').next()?.strip_suffix(".md")?.to_owned());
    repo::builtin().entries.iter().filter_map(|entry| stem(&entry.path)).collect()
}

/// Runbooks that say nearly the same, by the terms that the index has of them.
fn pairs(files: &[Parsed]) -> Vec<Pair> {
    let in_use = |front: &FrontMatter| front.status != crate::model::runbook::Status::Deprecated;
    let runbooks: Vec<_> =
        files.iter().filter_map(|file| file.runbook.as_ref()).filter(|runbook| in_use(&runbook.front)).collect();
    let near = retrieve::near_duplicates(&runbooks, NEAR);
    let path = |at: usize| runbooks.get(at).map(|runbook| runbook.place.path.clone());
    near.into_iter().filter_map(|(a, b, cosine)| Some(Pair { path: path(a)?, other: path(b)?, cosine })).collect()
}
