//! `kubectl react incidents replay`: derives an incident's diagnosis once more from what is stored.
//!
//! *Invariant:* nobody is asked: no cluster, no model. What is printed comes from the stored snapshot and the recorded
//! turns, so the same version gives the same bytes, whatever the settings of today are: addresses are masked as when it was
//! recorded, and what is printed of it as they are to be masked now.

use std::process::ExitCode;

use clap::Args;

use super::{Which, store};
use crate::agent::Start;
use crate::agent::replay::Recording;
use crate::cli::error::CommandError;
use crate::cli::scope::ScopeArgs;
use crate::cli::{Reply, formats, runtime, terminal};
use crate::config::Settings;
use crate::diagnose;
use crate::incidents::{Incident, State};
use crate::model::{Cause, Diagnosis, Exploration, Selector};
use crate::output::{self, Format};
use crate::printable::one_line;
use crate::redact::Redactor;

/// Derive an incident's diagnosis once more, from its snapshot and its recorded turns
///
/// Where this version comes to other causes than the one that recorded it, the difference is told on standard error.
#[derive(Args, Clone, Debug)]
pub(super) struct ReplayArgs {
    #[command(flatten)]
    which: Which,

    /// How to write it
    #[arg(short, long, value_name = "FORMAT", value_parser = formats(), default_value = "text")]
    output: Format,

    /// Show all causes in full, all that belongs to them, and what each step read
    #[arg(short, long)]
    verbose: bool,
}

pub(super) fn run(args: ReplayArgs, settings: &Settings) -> Reply {
    let incident = args.which.load(&store(settings)?.as_recorded(), true)?;
    let redactor = crate::cli::redactor(settings)?;
    let replayed = replay(&incident, &redactor.clone().hiding(incident.record.masked))?;
    let style = terminal::style(settings, args.verbose);
    let diagnosis = redactor.leaving(replayed.diagnosis)?;
    terminal::print(&output::render(&diagnosis, args.output, &style), &style)?;
    for difference in incident.damage.into_iter().chain(replayed.differences) {
        let difference = redactor.seal_texts(difference);
        terminal::report(&format!("note: {}\n", one_line(&difference)));
    }
    Ok(ExitCode::SUCCESS)
}

/// What a replay gave.
pub(super) struct Replayed {
    /// The diagnosis.
    pub(super) diagnosis: Diagnosis,
    /// Where it is not what was recorded.
    pub(super) differences: Vec<String>,
}

/// Derives the diagnosis of an incident from its snapshot, and takes from the record what can't be derived from that:
/// the runbooks and libraries of that day.
fn replay(incident: &Incident, redactor: &Redactor) -> Result<Replayed, CommandError> {
    let Some(snapshot) = &incident.snapshot else {
        let why = incident.damage.first().map(|damage| format!(": {damage}")).unwrap_or_default();
        return Err(CommandError::new(format!("incident {} has no snapshot{why}", incident.id))
            .hinted(format!("`kubectl react incidents show {}` shows what is there", incident.id)));
    };
    let record = &incident.record;
    let selector = match &record.selector {
        Some(text) => Some(Selector::parse(text).map_err(|part| {
            CommandError::new(format!("the incident's selector `{text}` can't be read at `{part}`"))
        })?),
        None => None,
    };
    let scope = ScopeArgs { all_namespaces: false, selector };
    let request = scope.request(record.namespace.clone(), &record.targets)?;
    let mut diagnosis = diagnose::derive(snapshot, &request)?;
    let mut differences = Vec::new();
    match &record.diagnosis {
        Some(recorded) => {
            compare(recorded, &diagnosis, &mut differences);
            for cause in &mut diagnosis.causes {
                if let Some(old) = recorded.causes.iter().find(|old| old.fingerprint == cause.fingerprint) {
                    cause.runbooks.clone_from(&old.runbooks);
                    cause.no_runbook.clone_from(&old.no_runbook);
                }
            }
            diagnosis.libraries.clone_from(&recorded.libraries);
            diagnosis.exploration = explore(incident, recorded, redactor, &mut differences)?;
        }
        None => diagnosis.exploration = unfinished(incident, redactor, &mut differences)?,
    }
    Ok(Replayed { diagnosis, differences })
}

/// What the run began with.
fn start(incident: &Incident) -> Option<Start> {
    incident.record.start.clone().and_then(|start| serde_json::from_value(start).ok())
}

/// The loop once more, with the recorded turns as its model and the recorded steps as its tools.
fn play(incident: &Incident, start: Start, millis: u64, redactor: &Redactor) -> Result<Exploration, CommandError> {
    let recording = Recording { start, turns: incident.turns.clone(), steps: incident.steps.clone(), millis };
    let now = runtime::run(async { Ok(recording.replay(redactor, &|_| {}).await) })?;
    Ok(redactor.leaving(now)?)
}

/// The agent's part of a run that has no diagnosis, up to its last turn.
fn unfinished(
    incident: &Incident,
    redactor: &Redactor,
    differences: &mut Vec<String>,
) -> Result<Option<Exploration>, CommandError> {
    let why = match incident.state {
        State::Unfinished => "the run did not come to its end",
        State::Running => "the run goes on",
        State::Finished => "there is no diagnosis to compare with",
    };
    let (Some(start), Some(last)) = (start(incident), incident.turns.last()) else {
        differences.push(format!("{why}: of the agent nothing can be replayed"));
        return Ok(None);
    };
    differences.push(format!("{why}: it is replayed up to turn {}", last.number));
    let mut now = play(incident, start, last.elapsed, redactor)?;
    // Of what was under way nothing is known.
    now.steps.truncate(incident.steps.len());
    now.incident = Some(incident.id.clone());
    Ok(Some(now))
}

/// The agent's part.
fn explore(
    incident: &Incident,
    recorded: &Diagnosis,
    redactor: &Redactor,
    differences: &mut Vec<String>,
) -> Result<Option<Exploration>, CommandError> {
    let Some(old) = &recorded.exploration else { return Ok(None) };
    let Some(start) = start(incident) else {
        differences.push("what the run began with can't be read: its record is shown as it is".to_owned());
        return Ok(Some(old.clone()));
    };
    let mut now = play(incident, start, old.usage.millis, redactor)?;
    // What no run can find out again: where it was kept, and what a server said of its changes.
    now.incident.clone_from(&old.incident);
    let rehearsed = old.answer.iter().flat_map(|answer| &answer.changes);
    for (change, old) in now.answer.iter_mut().flat_map(|answer| &mut answer.changes).zip(rehearsed) {
        change.dry_run.clone_from(&old.dry_run);
    }
    let kept: Vec<String> = old.notes.iter().filter(|note| !now.notes.contains(note)).cloned().collect();
    differences.extend(now.notes.iter().filter(|note| !old.notes.contains(note)).cloned());
    now.notes.extend(kept);
    if now != *old {
        differences.push("the agent's part is not what was recorded".to_owned());
    }
    Ok(Some(now))
}

/// Says what one diagnosis has and the other has not.
fn compare(recorded: &Diagnosis, now: &Diagnosis, differences: &mut Vec<String>) {
    let lacks = |causes: &[Cause], cause: &Cause| !causes.iter().any(|other| other.fingerprint == cause.fingerprint);
    for cause in recorded.causes.iter().filter(|cause| lacks(&now.causes, cause)) {
        differences.push(format!("recorded, and not found any more: {}", cause.summary));
    }
    for cause in now.causes.iter().filter(|cause| lacks(&recorded.causes, cause)) {
        differences.push(format!("found now, and not recorded: {}", cause.summary));
    }
    if recorded.verdict != now.verdict {
        differences.push(format!("the verdict was {:?} and is {:?}", recorded.verdict, now.verdict).to_lowercase());
    }
}
