//! Reads what a run left, whole or not.
//!
//! *Invariant:* no state in which a run can leave its folder is an error: what can't be read is said in
//! [`Incident::damage`], and the rest is there.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::id;
use super::masks::Masks;
use super::{Incident, Listed, Record, SCHEMA_VERSION, State, files};
use crate::model::{Snapshot, Step, Turn};
use crate::redact::{Redacted, Redactor};

pub(super) const RECORD: &str = "incident.json";
pub(super) const SNAPSHOT: &str = "snapshot.json.gz";
pub(super) const TURNS: &str = "turns.jsonl";
pub(super) const STEPS: &str = "observations.jsonl";
pub(super) const LOCK: &str = "lock";

/// How far the run of this folder came.
pub(super) fn state(folder: &Path) -> State {
    if !folder.to_string_lossy().ends_with(id::PARTIAL) {
        return State::Finished;
    }
    // Whoever writes holds the lock, and loses it when it ends, however it ends.
    match File::open(folder.join(LOCK)).map(|file| file.try_lock_shared()) {
        Ok(Err(std::fs::TryLockError::WouldBlock)) => State::Running,
        _ => State::Unfinished,
    }
}

/// An incident as a list shows it.
pub(super) fn listed(id: &str, folder: &Path, masks: &Masks) -> Listed {
    let state = state(folder);
    let mut damage = Vec::new();
    let (record, _) = record(id, folder, masks, &mut damage);
    let steps = match record.diagnosis.as_ref().and_then(|diagnosis| diagnosis.exploration.as_ref()) {
        Some(exploration) => exploration.steps.len(),
        None => lines::<Step>(folder, STEPS, &mut damage).len(),
    };
    Listed { id: id.to_owned(), state, record, steps, damage }
}

/// All of an incident; the snapshot only where it is `wanted`.
pub(super) fn incident(id: &str, folder: &Path, masks: &Masks, wanted: bool) -> Incident {
    let state = state(folder);
    let mut damage = Vec::new();
    let (record, redactor) = record(id, folder, masks, &mut damage);
    let turns: Vec<Turn> = lines(folder, TURNS, &mut damage);
    let mut steps: Vec<Step> = lines(folder, STEPS, &mut damage);
    if let Some(exploration) = record.diagnosis.as_ref().and_then(|diagnosis| diagnosis.exploration.as_ref())
        && exploration.steps.len() > steps.len()
    {
        steps.clone_from(&exploration.steps);
    }
    let snapshot = if wanted { snapshot(folder, &redactor, &mut damage) } else { None };
    sealed(Incident { id: id.to_owned(), state, record, turns, steps, snapshot, damage }, &redactor)
}

/// The same with every text masked once more: a file may have been made by hand, or kept before addresses were masked.
pub(super) fn sealed(mut incident: Incident, redactor: &Redactor) -> Incident {
    let record = redactor.leaving(redactor.seal_texts(std::mem::take(&mut incident.record)).into_inner());
    incident.record = record.unwrap_or_else(|error| {
        incident.damage.push(format!("{RECORD} can't be masked: {error}"));
        Record { id: incident.id.clone(), schema_version: SCHEMA_VERSION.to_owned(), ..Record::default() }
    });
    let snapshot = incident.snapshot.take().map(|snapshot| redactor.leaving_snapshot(&snapshot).map(Cow::into_owned));
    incident.snapshot = match snapshot.transpose() {
        Ok(snapshot) => snapshot,
        Err(error) => {
            incident.damage.push(format!("{SNAPSHOT} can't be masked: {error}"));
            None
        }
    };
    let Incident { turns, steps, damage, .. } = incident;
    Incident {
        damage: damage.into_iter().map(|damage| redactor.seal_texts(damage).into_inner()).collect(),
        turns: turns.into_iter().map(|turn| redactor.seal_texts(turn).into_inner()).collect(),
        steps: steps.into_iter().map(|step| redactor.seal_texts(step).into_inner()).collect(),
        ..incident
    }
}

/// What the run left of its record, and who masks it.
fn record(id: &str, folder: &Path, masks: &Masks, damage: &mut Vec<String>) -> (Record, Redactor) {
    let nothing = || Record {
        schema_version: SCHEMA_VERSION.to_owned(),
        id: id.to_owned(),
        time: id::time(id),
        ..Record::default()
    };
    let parsed = files::read(&folder.join(RECORD), files::LARGEST).map_err(|error| reason(&error));
    let record = parsed.and_then(|bytes| parse(&bytes, damage)).unwrap_or_else(|why| {
        damage.push(format!("{RECORD} can't be read: {why}"));
        nothing()
    });
    let redactor = masks.of(&record);
    (redactor.seal_texts(Record { id: id.to_owned(), ..record }).into_inner(), redactor)
}

/// Reads a record; a diagnosis that this version can't read is left out.
pub(super) fn parse(bytes: &[u8], damage: &mut Vec<String>) -> Result<Record, String> {
    let mut value: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    match value.get("schemaVersion").and_then(serde_json::Value::as_str) {
        Some(SCHEMA_VERSION) => {}
        Some(other) => return Err(format!("it is of the format `{other}`")),
        None => return Err("it has no `schemaVersion`".to_owned()),
    }
    match serde_json::from_slice(bytes) {
        Ok(record) => Ok(record),
        Err(error) => {
            value.as_object_mut().and_then(|object| object.remove("diagnosis"));
            damage.push(format!("the diagnosis can't be read: {error}"));
            serde_json::from_value(value).map_err(|error| error.to_string())
        }
    }
}

/// The lines of a journal; it ends before the first one that can't be read.
fn lines<T: DeserializeOwned>(folder: &Path, name: &str, damage: &mut Vec<String>) -> Vec<T> {
    let bytes = match files::read(&folder.join(name), files::LARGEST) {
        Ok(bytes) => bytes,
        // A run that asked nothing has no file.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            damage.push(format!("{name} can't be read: {}", reason(&error)));
            return Vec::new();
        }
    };
    let mut read = Vec::new();
    let mut rest = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).peekable();
    while let Some(line) = rest.next() {
        match serde_json::from_slice(line) {
            Ok(line) => read.push(line),
            Err(_) if rest.peek().is_none() => damage.push(format!("the last line of {name} is cut off")),
            Err(error) => {
                damage.push(format!("{name} can be read up to line {} only: {error}", read.len()));
                break;
            }
        }
    }
    read
}

fn snapshot(folder: &Path, redactor: &Redactor, damage: &mut Vec<String>) -> Option<Redacted<Snapshot>> {
    let stored = files::read(&folder.join(SNAPSHOT), files::LARGEST);
    let read = stored.and_then(|stored| files::unzip(&stored, files::LARGEST));
    let plain = match read {
        Ok(plain) => plain,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => {
            damage.push(format!("{SNAPSHOT} can't be read: {}", reason(&error)));
            return None;
        }
    };
    match serde_json::from_slice(&plain) {
        Ok(snapshot) => Some(redactor.seal(snapshot)),
        Err(error) => {
            damage.push(format!("{SNAPSHOT} can't be read: {error}"));
            None
        }
    }
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it is not there".to_owned(),
        io::ErrorKind::UnexpectedEof => "it is cut off".to_owned(),
        _ => error.to_string(),
    }
}
