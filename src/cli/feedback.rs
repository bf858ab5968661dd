//! `kubectl react feedback`: a person says whether a runbook helped.
//!
//! *Invariant:* it is kept on this machine only; no runbook changes by it.

use std::process::ExitCode;

use clap::Args;

use super::error::CommandError;
use super::global::GlobalArgs;
use super::library::{Freshness, LibraryArgs, options};
use super::{Reply, incidents, outcomes, terminal};
use crate::model::{Advice, Cause, Diagnosis, Time};
use crate::outcomes::{By, Kind, Outcome};
use crate::printable::one_line;
use crate::retriever::Retriever;

const EXAMPLES: &str = "\
Examples:
  # the runbook that the latest incident was shown first
  kubectl react feedback --helped
  kubectl react feedback latest --did-not-help --note 'the pool was full'
  kubectl react feedback 20261126-101500 --helped --runbook disk-full

`kubectl react runbooks stats` shows what came of it. Of two runbooks that fit
equally, the one that helped goes first.";

/// Say whether a runbook helped
///
/// Without --runbook it is the one that was shown first for the incident's first cause. It is kept in the state
/// directory, for you only.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct FeedbackArgs {
    /// The incident: its id, the beginning of it, or `latest`
    #[arg(value_name = "INCIDENT", default_value = "latest")]
    incident: String,

    #[command(flatten)]
    verdict: Verdict,

    /// Another runbook, by its path or its name
    #[arg(long, value_name = "PATH|NAME")]
    runbook: Option<String>,

    /// What there is to say of it
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,

    #[command(flatten)]
    library: LibraryArgs,
}

/// Whether it did.
#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = false)]
struct Verdict {
    /// The fault is gone with it
    #[arg(long)]
    helped: bool,

    /// It is not
    #[arg(long)]
    did_not_help: bool,
}

pub(super) fn run(args: FeedbackArgs, global: &GlobalArgs) -> Reply {
    let settings = args.library.settings(global, None)?;
    let memory = outcomes::needed()?;
    let incident = incidents::store(&settings)?.load(&args.incident)?;
    let id = incident.id.as_str();
    let diagnosis = incident.record.diagnosis.as_ref().ok_or_else(|| {
        CommandError::new(format!("incident `{id}` has no diagnosis: its run did not come to its end"))
            .hinted("name another one: `kubectl react incidents list` shows them")
    })?;
    let kind = if args.verdict.helped { Kind::Helped } else { Kind::Failed };
    let (now, said) = (Time::now(), (kind, By::Person));
    let (cause, mut outcome) = if let Some((cause, advice)) = choose(diagnosis, args.runbook.as_deref()) {
        (cause, outcomes::outcome(advice, cause, Some(id), said, now))
    } else {
        let (cause, wanted) = missing(diagnosis, args.runbook.as_deref(), id)?;
        let retriever = Retriever::open(options(&settings, Freshness::Kept, true)?)?;
        (cause, found(&retriever, wanted, cause, id, said, now)?)
    };
    let redactor = super::redactor(&settings)?;
    outcome.note = args.note.as_deref().map(|note| redactor.text(note).into_owned());
    let again = |known: &Outcome| {
        known.by == By::Person
            && (known.kind, known.key(), &known.incident, &known.fingerprint)
                == (outcome.kind, outcome.key(), &outcome.incident, &outcome.fingerprint)
            && known.note == outcome.note
    };
    let known = memory.history().is_ok_and(|history| history.outcomes.iter().any(again));
    let text = told(&outcome, cause, diagnosis.causes.len(), known);
    if !known {
        memory.note(outcome)?;
    }
    terminal::print(&text, &terminal::style(&settings, false))?;
    Ok(ExitCode::SUCCESS)
}

/// The runbook that was shown, and for which cause: the one that is wanted, else the first.
fn choose<'a>(diagnosis: &'a Diagnosis, wanted: Option<&str>) -> Option<(&'a Cause, &'a Advice)> {
    let mut shown = diagnosis.causes.iter().flat_map(|cause| cause.runbooks.iter().map(move |advice| (cause, advice)));
    match wanted {
        None => shown.next(),
        Some(wanted) => shown.find(|(_, advice)| is(wanted, &advice.place.path, &outcomes::name(advice))),
    }
}

fn is(wanted: &str, path: &str, name: &str) -> bool {
    wanted == path || wanted == name
}

/// The cause of what was not shown, and what is wanted then; an error where nothing is.
fn missing<'a, 'w>(
    diagnosis: &'a Diagnosis,
    wanted: Option<&'w str>,
    id: &str,
) -> Result<(&'a Cause, &'w str), CommandError> {
    let cause = diagnosis.causes.first().ok_or_else(|| {
        CommandError::new(format!("incident `{id}` has no cause, so no runbook was shown"))
            .hinted("name another one: `kubectl react incidents list` shows them")
    })?;
    let wanted = wanted.ok_or_else(|| {
        CommandError::new(format!("incident `{id}` was shown no runbook"))
            .hinted("name one with `--runbook`; `kubectl react runbooks list` shows them")
    })?;
    Ok((cause, wanted))
}

/// An outcome of a runbook that was not shown, and helped all the same, or did not.
fn found(
    retriever: &Retriever,
    wanted: &str,
    cause: &Cause,
    id: &str,
    (kind, by): (Kind, By),
    now: Time,
) -> Result<Outcome, CommandError> {
    let documents = retriever.documents()?;
    let document = documents.iter().find(|document| is(wanted, &document.place.path, &document.name));
    let document = document.ok_or_else(|| {
        let near = crate::near::nearest(wanted, documents.iter().map(|document| document.name.as_str()));
        let hint = near.map_or_else(
            || "`kubectl react runbooks list` shows them".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        CommandError::new(format!("there is no runbook `{wanted}`")).hinted(hint)
    })?;
    Ok(Outcome {
        incident: Some(id.to_owned()),
        fingerprint: Some(cause.fingerprint.clone()),
        detector: Some(cause.detector.clone()),
        ..Outcome::of(&document.place, &document.name, kind, by, now)
    })
}

fn told(outcome: &Outcome, cause: &Cause, causes: usize, known: bool) -> String {
    let did = if outcome.kind == Kind::Helped { "helped" } else { "did not help" };
    let noted = if known { "noted before" } else { "noted" };
    let incident = outcome.incident.as_deref().unwrap_or_default();
    let mut text = format!("{noted}: `{}` {did} (incident {incident})\n", outcome.path);
    if causes > 1 {
        text += &format!(
            "of its {causes} causes this is about: {} {}; `--runbook` names the runbook of another\n",
            cause.object, cause.summary
        );
    }
    text.lines().map(|line| one_line(line).into_owned() + "\n").collect()
}
