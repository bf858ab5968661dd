//! What keeps the memory small: what a day repeats is not noted, and what is old is summed.
//!
//! *Invariant:* no count is lost by it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use super::{By, Key, Kind, Outcome, file};
use crate::model::Time;

/// More lines are summed.
pub(super) const MOST: usize = 20_000;
/// How much of the end is read first to find a day's lines, in bytes.
const END: u64 = 64 << 10;

/// What makes two showings one.
type Showing = (String, Key);

fn showing(outcome: &Outcome) -> Option<Showing> {
    let fingerprint = outcome.fingerprint.clone()?;
    (outcome.kind == Kind::Shown).then(|| (fingerprint, outcome.key()))
}

fn day(time: Time) -> i64 {
    time.as_second().div_euclid(24 * 60 * 60)
}

/// Takes out what was shown for the same cause on the same day. A file that can't be read has shown nothing.
pub(super) fn drop_repeated(outcomes: &mut Vec<Outcome>, path: &Path) {
    let Some(first) = outcomes.iter().map(|outcome| day(outcome.time)).min() else { return };
    let mut seen: BTreeSet<(i64, Showing)> = BTreeSet::new();
    for outcome in since(path, first) {
        seen.extend(showing(&outcome).map(|shown| (day(outcome.time), shown)));
    }
    outcomes.retain(|outcome| showing(outcome).is_none_or(|shown| seen.insert((day(outcome.time), shown))));
}

/// The lines from a day on. They were appended in order, so only the end of the file is read.
fn since(path: &Path, first: i64) -> Vec<Outcome> {
    let mut bytes = END;
    loop {
        let Ok((end, all)) = file::end(path, bytes) else { return Vec::new() };
        let lines = end.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let outcomes: Vec<Outcome> = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
        if all || outcomes.first().is_some_and(|outcome| day(outcome.time) < first) {
            return outcomes;
        }
        bytes = bytes.saturating_mul(4);
    }
}

/// Sums the older half: one line for each runbook, outcome and speaker. The caller holds the lock.
pub(super) fn compact(path: &Path, most: usize) -> io::Result<()> {
    let mut outcomes = file::read(path)?.outcomes;
    let newer = outcomes.split_off(outcomes.len().saturating_sub(most / 2));
    let mut sums: BTreeMap<(Key, Kind, By), Outcome> = BTreeMap::new();
    for outcome in outcomes {
        let sum = sums.entry((outcome.key(), outcome.kind, outcome.by)).or_insert_with(|| Outcome {
            incident: None,
            fingerprint: None,
            detector: None,
            note: None,
            count: 0,
            ..outcome.clone()
        });
        sum.count = sum.count.saturating_add(outcome.count);
        sum.time = sum.time.max(outcome.time);
        sum.blob = outcome.blob;
    }
    let mut lines: Vec<Outcome> = sums.into_values().collect();
    lines.sort_by_key(|sum| sum.time);
    lines.extend(newer);
    file::replace(path, &lines)
}
