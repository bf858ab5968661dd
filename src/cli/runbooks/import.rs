//! `kubectl react runbooks import`: a collection of runbooks, brought into the team's repository.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::files::{root, write_new};
use crate::cli::error::CommandError;
use crate::cli::global::GlobalArgs;
use crate::cli::{Reply, terminal};
use crate::config::{Flags, Settings};
use crate::printable::one_line;
use crate::runbook::import::{Import, import};
use crate::runbook::repo;

/// Bring a collection of runbooks into the repository around the current folder
///
/// Takes markdown as prometheus-operator and OpenShift write it: each file gets front matter of ours (a draft without
/// automation, matched by the alert that it is named after), and keeps its text. What is there already stays.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct ImportArgs {
    /// The folder with the collection
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    dir: PathBuf,

    /// The folder below runbooks/ that they go to; the collection's name where absent
    #[arg(long, value_name = "AREA")]
    area: Option<String>,

    /// The repository to write to
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    into: Option<PathBuf>,

    /// The address of the collection, to refer to
    #[arg(long, value_name = "URL")]
    source: Option<String>,

    /// Say what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: ImportArgs, global: &GlobalArgs) -> Reply {
    let settings = Settings::resolve(&Flags { color: global.color, ..Flags::default() })?;
    let into = args.into.clone().map_or_else(root, Ok)?;
    let collection = repo::folder(&args.dir)?;
    let entries: Vec<&repo::Entry> = collection.entries.iter().collect();
    let bytes = collection.read(&entries)?;
    let files: Vec<(&str, &[u8])> =
        entries.iter().map(|entry| entry.path.as_str()).zip(bytes.iter().map(Vec::as_slice)).collect();
    let area = args.area.clone().unwrap_or_else(|| area(&args.dir));
    let taken = taken(&into)?;
    let (imported, skipped) = import(&files, &Import { area: &area, origin: args.source.as_deref(), taken });
    let mut out = String::new();
    for made in &imported {
        let word = match args.dry_run {
            true => "would write",
            false if write_new(&into, &made.path, &made.text)? => "wrote",
            false => "kept",
        };
        out += &format!("{word}  {}\n", one_line(&made.path));
        out.extend(made.notes.iter().map(|note| format!("       {}\n", one_line(note))));
    }
    out += &format!("{} imported, {} left out\n", imported.len(), skipped.len());
    terminal::print(&out, &terminal::style(&settings, false))?;
    for left in &skipped {
        terminal::report(&format!("note: {}: {}\n", one_line(&left.from), one_line(&left.why)));
    }
    for note in &collection.notes {
        terminal::report(&format!("note: {}\n", one_line(note)));
    }
    if imported.is_empty() {
        return Err(CommandError::new(format!("there is no runbook in `{}`", args.dir.display()))
            .hinted("name the folder that has the markdown files"));
    }
    Ok(ExitCode::SUCCESS)
}

/// The collection's name as a folder.
fn area(dir: &Path) -> String {
    let name = dir.canonicalize().ok().and_then(|dir| Some(dir.file_name()?.to_string_lossy().into_owned()));
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = name.unwrap_or_default().chars().map(plain).collect();
    let name = name.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    if name.is_empty() { "imported".to_owned() } else { name }
}

/// Paths and names that the repository has.
fn taken(into: &Path) -> Result<std::collections::BTreeSet<String>, CommandError> {
    let stem =
        |path: &str| path.rsplit('/').next().and_then(|file| file.rsplit_once('.')).map(|(stem, _)| stem.to_owned());
    let there = repo::folder(into)?;
    Ok(there.entries.iter().flat_map(|entry| [Some(entry.path.clone()), stem(&entry.path)]).flatten().collect())
}
