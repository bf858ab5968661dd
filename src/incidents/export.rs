//! An incident as one file, for a colleague or a ticket.
//!
//! *Invariant:* it holds what the folder holds and nothing else, and reading it masks all of it again. The same incident
//! gives the same bytes. What of it could not be read is told in the file too, so that nobody takes a part for the whole.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::masks::Masks;
use super::{Incident, Record, SCHEMA_VERSION, State, StoreError, files, reading};
use crate::model::{Snapshot, Step, Turn};

/// More than this is no incident that anybody passes on, compressed or not.
const LARGEST: u64 = 256 << 20;

/// The form of the file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    schema_version: &'static str,
    state: State,
    incident: &'a Record,
    turns: &'a [Turn],
    observations: &'a [Step],
    snapshot: Option<&'a Snapshot>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    damage: &'a [String],
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read<'a> {
    state: State,
    #[serde(borrow)]
    incident: &'a serde_json::value::RawValue,
    #[serde(default)]
    turns: Vec<Turn>,
    #[serde(default)]
    observations: Vec<Step>,
    #[serde(default)]
    snapshot: Option<Snapshot>,
    #[serde(default)]
    damage: Vec<String>,
}

/// JSON, compressed.
pub(super) fn write(incident: &Incident) -> Result<Vec<u8>, StoreError> {
    let written = Written {
        schema_version: SCHEMA_VERSION,
        state: if incident.state == State::Finished { State::Finished } else { State::Unfinished },
        incident: &incident.record,
        turns: &incident.turns,
        observations: &incident.steps,
        snapshot: incident.snapshot.as_deref(),
        damage: &incident.damage,
    };
    let mut bytes = Vec::new();
    let zipped = files::zip(&mut bytes, &written);
    zipped.map_err(|source| StoreError::Write { path: incident.id.clone().into(), source })?;
    Ok(bytes)
}

/// The bytes of a file that may be an exported incident.
///
/// # Errors
/// When the system refuses, or there are more than any incident has.
pub fn exported(path: &Path) -> Result<Vec<u8>, StoreError> {
    files::read(path, LARGEST).map_err(|source| StoreError::Read { path: path.to_owned(), source })
}

/// Reads an exported incident, compressed or not.
pub(super) fn read(bytes: &[u8], masks: &Masks) -> Result<Incident, StoreError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Head {
        schema_version: String,
    }
    let no = |error: &dyn std::fmt::Display| StoreError::NotExported(error.to_string());
    let plain = files::unzip(bytes, LARGEST).map_err(|error| no(&error))?;
    let head: Head = serde_json::from_slice(&plain).map_err(|error| no(&error))?;
    if head.schema_version != SCHEMA_VERSION {
        let ours = head.schema_version.starts_with("kubectl-react/incident/");
        return Err(if ours {
            StoreError::OtherVersion(head.schema_version)
        } else {
            no(&format!("it says that it is `{}`", head.schema_version))
        });
    }
    let read: Read<'_> = serde_json::from_slice(&plain).map_err(|error| no(&error))?;
    let mut damage = read.damage;
    let record = reading::parse(read.incident.get().as_bytes(), &mut damage).map_err(|error| no(&error))?;
    let redactor = masks.of(&record);
    let incident = Incident {
        id: record.id.clone(),
        state: read.state,
        record,
        turns: read.turns,
        steps: read.observations,
        snapshot: read.snapshot.map(|snapshot| redactor.seal(snapshot)),
        damage,
    };
    Ok(reading::sealed(incident, &redactor))
}
