//! `kubectl react runbooks stats`: what there is, what is missing, what is old.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use clap::Args;

use super::{open, table, tell, word};
use crate::cli::global::GlobalArgs;
use crate::cli::library::{Freshness, LibraryArgs, options};
use crate::cli::{Reply, outcomes, terminal};
use crate::detect;
use crate::model::Library;
use crate::model::runbook::{Level, Status};
use crate::outcomes::{Key, Tally};
use crate::output;
use crate::printable::one_line;
use crate::retriever::Retriever;

/// A review that is older is told, in days.
const OLD: i64 = 365;

/// Say what there is: how many runbooks, which detectors have none, which reviews are old
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct StatsArgs {
    #[command(flatten)]
    library: LibraryArgs,

    /// How to write it
    #[arg(short, long, value_name = "FORMAT", value_parser = ["text", "json"], default_value = "text")]
    output: String,
}

#[derive(Debug, Default, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Stats {
    libraries: Vec<Shelf>,
    /// Detectors that no runbook names.
    detectors_without: Vec<&'static str>,
    /// Detectors that a runbook of the team names.
    detectors_of_team: usize,
    /// The team's runbooks whose last review is older than a year, or unknown.
    old_reviews: Vec<String>,
    /// The model whose vectors are used.
    model: Option<String>,
    /// What became of the runbooks that were shown, the best first; as far as this machine knows.
    outcomes: Vec<Did>,
    /// How many lines of the memory can't be read.
    damaged_outcomes: usize,
}

/// What became of a runbook.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Did {
    #[serde(flatten)]
    key: Key,
    #[serde(flatten)]
    tally: Tally,
}

#[derive(Debug, Default, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Shelf {
    library: &'static str,
    source: String,
    commit: String,
    runbooks: usize,
    active: usize,
    draft: usize,
    deprecated: usize,
    /// How many have each level of automation.
    automation: BTreeMap<Level, usize>,
}

pub(super) fn run(args: StatsArgs, global: &GlobalArgs) -> Reply {
    let settings = args.library.settings(global, None)?;
    let options = options(&settings, Freshness::Brief, true)?;
    let retriever = open(&options)?;
    let mut stats = count(
        &retriever,
        options.embedder.as_ref().and_then(|lazy| lazy.get().ok().map(|model| model.id().name.clone())),
    )?;
    remember(&mut stats, &retriever)?;
    let text = if args.output == "json" { output::json(&stats) } else { page(&stats) };
    terminal::print(&text, &terminal::style(&settings, false))?;
    tell(&retriever.states());
    Ok(ExitCode::SUCCESS)
}

fn count(retriever: &Retriever, model: Option<String>) -> Result<Stats, crate::cli::error::CommandError> {
    let mut stats = Stats { model, ..Stats::default() };
    let (mut named, mut by_team) = (BTreeSet::new(), BTreeSet::new());
    let today = crate::model::Time::now();
    for state in retriever.states() {
        let mut shelf =
            Shelf { library: word(state.library), source: state.source, commit: state.commit, ..Shelf::default() };
        for (document, front) in
            retriever.fronts()?.iter().filter(|(document, _)| document.place.library == state.library)
        {
            shelf.runbooks += 1;
            match front.status {
                Status::Active => shelf.active += 1,
                Status::Draft => shelf.draft += 1,
                Status::Deprecated => shelf.deprecated += 1,
            }
            *shelf.automation.entry(front.automation.level).or_default() += 1;
            named.extend(front.signature.detectors.iter().cloned());
            if state.library == Library::Team {
                by_team.extend(front.signature.detectors.iter().cloned());
                if is_old(front.reviewed.as_deref(), today) {
                    stats.old_reviews.push(document.place.path.clone());
                }
            }
        }
        stats.libraries.push(shelf);
    }
    let detectors = detect::detectors();
    stats.detectors_without = detectors.iter().map(|detector| detector.id).filter(|id| !named.contains(*id)).collect();
    stats.detectors_of_team = detectors.iter().filter(|detector| by_team.contains(detector.id)).count();
    Ok(stats)
}

/// Adds what became of the runbooks that there are.
fn remember(stats: &mut Stats, retriever: &Retriever) -> Result<(), crate::cli::error::CommandError> {
    let Some(memory) = outcomes::memory() else { return Ok(()) };
    let history = match memory.history() {
        Ok(history) => history,
        Err(error) => {
            terminal::report(&format!("note: what came of the runbooks is not known: {error}\n"));
            return Ok(());
        }
    };
    let there: BTreeSet<Key> = retriever
        .documents()?
        .into_iter()
        .map(|document| Key { library: document.place.library, path: document.place.path, name: document.name })
        .collect();
    let tallies = history.tally().into_iter().filter(|(key, _)| there.contains(key));
    stats.outcomes = tallies.map(|(key, tally)| Did { key, tally }).collect();
    stats.outcomes.sort_by(|a, b| {
        let (x, y) = (&a.tally, &b.tally);
        let order = y.worth().total_cmp(&x.worth()).then(y.helped.cmp(&x.helped)).then(y.used.cmp(&x.used));
        order.then(y.shown.cmp(&x.shown)).then_with(|| a.key.cmp(&b.key))
    });
    stats.damaged_outcomes = history.damaged;
    Ok(())
}

/// Whether a review is older than a year, or there is none.
fn is_old(reviewed: Option<&str>, today: crate::model::Time) -> bool {
    let date = reviewed.and_then(|date| date.parse::<jiff::civil::Date>().ok());
    let today = today.to_zoned(jiff::tz::TimeZone::UTC).date();
    date.and_then(|date| date.until(today).ok()).is_none_or(|age| i64::from(age.get_days()) > OLD)
}

fn page(stats: &Stats) -> String {
    let rows: Vec<Vec<String>> = stats
        .libraries
        .iter()
        .map(|shelf| {
            let commit = shelf.commit.get(..12).unwrap_or(&shelf.commit);
            let numbers =
                [shelf.runbooks, shelf.active, shelf.draft, shelf.deprecated].map(|number| number.to_string());
            let levels = shelf.automation.iter().map(|(level, count)| format!("{count} {level:?}").to_lowercase());
            let mut row = vec![shelf.library.to_owned()];
            row.extend(numbers);
            row.push(levels.collect::<Vec<_>>().join(", "));
            row.push(one_line(&format!("{} {commit}", shelf.source)).into_owned());
            row
        })
        .collect();
    let mut out = table(&["LIBRARY", "ALL", "ACTIVE", "DRAFT", "DEPRECATED", "AUTOMATION", "SOURCE"], &rows);
    out += &match stats.detectors_without.len() {
        0 => "\nevery detector has a runbook".to_owned(),
        _ => format!("\nwithout a runbook: {}", stats.detectors_without.join(", ")),
    };
    out += &format!("; {} of them one of the team's\n", stats.detectors_of_team);
    if !stats.old_reviews.is_empty() {
        out += "\nnot reviewed within a year:\n";
        out.extend(stats.old_reviews.iter().map(|path| format!("  {}\n", one_line(path))));
    }
    if !stats.outcomes.is_empty() {
        let rows = stats.outcomes.iter().map(|did| {
            let Tally { shown, used, helped, failed } = did.tally;
            let mut row = vec![one_line(&did.key.path).into_owned(), word(did.key.library).to_owned()];
            row.extend([shown, used, helped, failed].map(|count| count.to_string()));
            row
        });
        let head = ["RUNBOOK", "LIBRARY", "SHOWN", "USED", "HELPED", "FAILED"];
        out += &format!("\nwhat came of them, the best first:\n{}\n", table(&head, &rows.collect::<Vec<_>>()));
    }
    if stats.damaged_outcomes > 0 {
        out += &format!("{} outcomes can't be read, and are left out\n", stats.damaged_outcomes);
    }
    out += &match &stats.model {
        Some(model) => format!("model: {model}\n"),
        None => "model: none; runbooks are found by signature and words\n".to_owned(),
    };
    out
}
