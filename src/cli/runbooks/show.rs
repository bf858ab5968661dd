//! `kubectl react runbooks show`: one runbook, as it is in use or as it was at a commit.

use std::process::ExitCode;

use clap::Args;

use super::{open, tell, word};
use crate::cli::error::CommandError;
use crate::cli::global::GlobalArgs;
use crate::cli::library::{Freshness, LibraryArgs, options, team};
use crate::cli::{Reply, terminal};
use crate::model::runbook::Section;
use crate::model::{Place, Runbook};
use crate::near::nearest;
use crate::output;
use crate::printable::printable;
use crate::retriever::Retriever;
use crate::runbook;

/// Show a runbook
///
/// NAME is the name or the path that `list` and `diagnose` print; with @COMMIT, as it was then.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct ShowArgs {
    /// Its name or path, with @COMMIT as it was at a commit
    #[arg(value_name = "NAME[@COMMIT]")]
    name: String,

    #[command(flatten)]
    library: LibraryArgs,

    /// How to write it: text for a terminal, markdown as it is in the file, json
    #[arg(short, long, value_name = "FORMAT", value_parser = ["text", "markdown", "json"], default_value = "text")]
    output: String,
}

pub(super) fn run(args: ShowArgs, global: &GlobalArgs) -> Reply {
    let settings = args.library.settings(global, None)?;
    let options = options(&settings, Freshness::Brief, true)?;
    let retriever = open(&options)?;
    let (name, commit) = match args.name.rsplit_once('@') {
        Some((name, commit)) => (name, Some(commit)),
        None => (args.name.as_str(), None),
    };
    let builtin = format!("v{}", env!("CARGO_PKG_VERSION"));
    let (place, bytes) = match commit.filter(|commit| *commit != builtin) {
        None => now(&retriever, name)?,
        Some(commit) => {
            let wanted = team(&settings).ok_or_else(|| {
                CommandError::new("there is no repository of the team's to look for a commit in")
                    .hinted("name one with --runbooks, or `runbooks.repo` in the config file")
            })?;
            then(&retriever, &wanted, name, commit)?
        }
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let style = terminal::style(&settings, false);
    let shown = match args.output.as_str() {
        "markdown" => printable(&text).into_owned(),
        "json" => output::json(&parsed(&place, &bytes)?),
        _ => page(&parsed(&place, &bytes)?, &style),
    };
    terminal::print(&shown, &style)?;
    tell(&retriever.states());
    Ok(ExitCode::SUCCESS)
}

fn parsed(place: &Place, bytes: &[u8]) -> Result<Runbook, CommandError> {
    let parsed = runbook::sealed(place.clone(), bytes);
    parsed.runbook.ok_or_else(|| {
        let why = parsed.problems.first().map_or("it can't be read".to_owned(), |problem| problem.message.clone());
        CommandError::new(format!("{}: {why}", place.path)).hinted("see it as it is with -o markdown")
    })
}

fn now(retriever: &Retriever, name: &str) -> Result<(Place, Vec<u8>), CommandError> {
    let documents = retriever.documents()?;
    let found = documents.iter().find(|document| is(name, &document.name, &document.place.path));
    let Some(document) = found else {
        let near = nearest(name, documents.iter().map(|document| document.name.as_str()));
        let error = CommandError::new(format!("there is no runbook `{name}`"));
        return Err(match near {
            Some(near) => error.hinted(format!("did you mean `{near}`?")),
            None => error.hinted("`kubectl react runbooks list` has all of them"),
        });
    };
    let bytes = retriever.bytes(&document.place);
    let bytes = bytes.ok_or_else(|| CommandError::new(format!("can't read {}", document.place.path)))?;
    Ok((document.place.clone(), bytes))
}

fn then(
    retriever: &Retriever,
    wanted: &runbook::repo::Wanted,
    name: &str,
    commit: &str,
) -> Result<(Place, Vec<u8>), CommandError> {
    let tip = retriever.collections().first().ok_or_else(|| CommandError::new("there is no repository"))?;
    let library = tip.at(wanted, commit)?;
    if let Some(note) = &library.stale {
        terminal::report(&format!("note: {note}\n"));
    }
    let stem =
        |path: &str| path.rsplit('/').next().and_then(|file| file.rsplit_once('.')).map(|(stem, _)| stem.to_owned());
    let entry = library.entries.iter().find(|entry| is(name, &stem(&entry.path).unwrap_or_default(), &entry.path));
    let entry = entry.ok_or_else(|| CommandError::new(format!("there is no runbook `{name}` at {commit}")))?;
    let bytes = library.read(&[entry])?.pop().unwrap_or_default();
    Ok((library.place(entry), bytes))
}

fn is(wanted: &str, name: &str, path: &str) -> bool {
    wanted == name || wanted == path || path.strip_suffix(wanted).is_some_and(|rest| rest.ends_with('/'))
}

fn page(runbook: &Runbook, style: &output::Style) -> String {
    let place = &runbook.place;
    let facts = format!(
        "{} ({}), {}, automation {:?}{}",
        place.citation(),
        word(place.library),
        super::list::status(runbook.front.status),
        runbook.front.automation.level,
        runbook.front.reviewed.as_ref().map(|date| format!(", reviewed {date}")).unwrap_or_default(),
    );
    let section = |section: &Section| match section.heading.as_str() {
        "" => section.text.clone(),
        heading => format!("{} {heading}\n\n{}", "#".repeat(usize::from(section.level)), section.text.trim()),
    };
    let body = runbook.sections.iter().map(section).collect::<Vec<_>>().join("\n\n");
    output::prose::page(&printable(&format!("{}\n\n{body}", facts.to_lowercase())), style)
}
