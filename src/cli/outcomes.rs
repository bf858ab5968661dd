//! The memory of outcomes as commands use it: what was shown, and what that says of two equals.
//!
//! *Invariant:* a memory that can't be read or written costs no answer, and is read only where two runbooks are equal.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::error::CommandError;
use crate::config;
use crate::model::{Advice, Cause, Diagnosis, Time};
use crate::outcomes::{By, Key, Kind, Memory, MemoryError, Outcome, Tally};
use crate::retriever::Standing;

/// The memory of this user; none where there is no folder for it.
pub(super) fn memory() -> Option<Memory> {
    config::state_dir().map(Memory::open)
}

/// The same, where it must be there.
pub(super) fn needed() -> Result<Memory, CommandError> {
    memory().ok_or_else(|| {
        CommandError::new("there is no folder for outcomes: HOME is not set").hinted("set XDG_STATE_HOME")
    })
}

/// How well each runbook did so far.
pub(super) fn standing() -> Option<Standing> {
    let memory = memory()?;
    let tallies: LazyLock<BTreeMap<Key, Tally>, _> = LazyLock::new(move || memory.tally());
    Some(Arc::new(move |place, name| {
        let key = Key { library: place.library, path: place.path.clone(), name: name.to_owned() };
        tallies.get(&key).copied().unwrap_or_default().worth()
    }))
}

/// Notes what a diagnosis of a cluster cited first for each cause.
pub(super) fn note_shown(diagnosis: &Diagnosis, time: Time) -> Result<(), MemoryError> {
    let Some(memory) = memory() else { return Ok(()) };
    let incident = diagnosis.exploration.as_ref().and_then(|found| found.incident.as_deref());
    let shown = diagnosis.causes.iter().filter_map(|cause| {
        let first = cause.runbooks.first()?;
        Some(outcome(first, cause, incident, (Kind::Shown, By::Diagnose), time))
    });
    memory.note_shown(shown.collect()).map(drop)
}

/// An outcome of a runbook that was shown for a cause.
pub(super) fn outcome(
    advice: &Advice,
    cause: &Cause,
    incident: Option<&str>,
    (kind, by): (Kind, By),
    time: Time,
) -> Outcome {
    Outcome {
        incident: incident.map(str::to_owned),
        fingerprint: Some(cause.fingerprint.clone()),
        detector: Some(cause.detector.clone()),
        ..Outcome::of(&advice.place, &name(advice), kind, by, time)
    }
}

/// Its name; what an older version kept has none, and is called as its file is.
pub(super) fn name(advice: &Advice) -> String {
    if advice.name.is_empty() { crate::runbook::name(&advice.place.path) } else { advice.name.clone() }
}
