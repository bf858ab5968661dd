//! Keeps what was found broken, so that it can be shown, and recorded when it is mended.
//!
//! *Invariant:* keeping comes after the answer and never changes it; what can't be kept is a note. A cluster that is looked
//! at again and again in one state is kept once.

use std::sync::Arc;

use super::{Context, Outcome, Request, Source};
use crate::causes::path;
use crate::cluster::{self, Bounds, Connection};
use crate::graph;
use crate::incidents::{Head, Incident, Store};
use crate::model::{Cause, Diagnosis, Snapshot, Verdict};
use crate::redact::{Redacted, Redactor};

/// How long the same causes are the same incident, in seconds.
const SAME: i64 = 600;
/// Incidents that are looked through for it.
const RECENT: usize = 5;

/// What became of an incident.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Its id.
    pub id: Option<String>,
    /// Whether it was kept before.
    pub before: bool,
    /// What could not be stored.
    pub notes: Vec<String>,
}

/// Keeps an outcome of a cluster in which something is broken, where no model's run has kept it already.
pub async fn keep(context: &Context, request: &Request, outcome: &Outcome, store: &Store) -> Kept {
    let diagnosis = &outcome.diagnosis;
    let Source::Live(connection) = &context.source else { return Kept::default() };
    if diagnosis.verdict != Verdict::Unhealthy {
        return Kept::default();
    }
    if let Some(id) = diagnosis.exploration.as_ref().and_then(|found| found.incident.clone()) {
        return Kept { id: Some(id), ..Kept::default() };
    }
    if let Some(id) = same(store, diagnosis, request) {
        return Kept { id: Some(id), before: true, notes: Vec::new() };
    }
    let writer = match store.begin(head(request, diagnosis)) {
        Ok(writer) => writer,
        Err(error) => {
            return Kept { notes: vec![format!("this incident is not kept: {}", error.told())], ..Kept::default() };
        }
    };
    let snapshot = whole(connection, &context.redactor, &outcome.snapshot, &diagnosis.causes).await;
    let ending = writer.finish(diagnosis, Some(&snapshot));
    Kept { id: ending.id, before: false, notes: ending.notes }
}

/// What is known of a run without a model.
fn head(request: &Request, diagnosis: &Diagnosis) -> Head {
    Head {
        time: diagnosis.taken_at,
        context: diagnosis.context.clone(),
        namespace: diagnosis.namespace.clone(),
        targets: request.written(),
        selector: request.selector.as_ref().map(ToString::to_string),
        question: None,
        prompt_version: String::new(),
        model: String::new(),
        server: String::new(),
        start: serde_json::Value::Null,
    }
}

/// The incident that was kept minutes ago for the same causes.
fn same(store: &Store, diagnosis: &Diagnosis, request: &Request) -> Option<String> {
    let ids = store.ids().ok()?;
    let marks = |diagnosis: &Diagnosis| {
        let mut marks: Vec<String> = diagnosis.causes.iter().map(|cause| cause.fingerprint.clone()).collect();
        marks.sort();
        marks
    };
    ids.iter().take(RECENT).find_map(|id| {
        let Incident { record, .. } = store.load(id).ok()?;
        let found = record.diagnosis.as_ref()?;
        let asked = record.targets == request.written()
            && record.selector == request.selector.as_ref().map(ToString::to_string)
            && record.namespace == diagnosis.namespace;
        let near = (0..SAME).contains(&(diagnosis.taken_at.as_second() - found.taken_at.as_second()));
        let equal = record.context == diagnosis.context && marks(found) == marks(diagnosis);
        (near && equal && asked).then(|| id.clone())
    })
}

/// A snapshot with the values on the path of its causes, by which a later one can tell what changed. A diagnosis does not
/// need them, so what can't be read of them is no gap.
pub async fn whole(
    connection: &Connection,
    redactor: &Redactor,
    snapshot: &Arc<Redacted<Snapshot>>,
    causes: &[Cause],
) -> Arc<Redacted<Snapshot>> {
    let mut wants = path::wants(&graph::build(snapshot), causes);
    wants.retain(|want| !cluster::is_known(snapshot, want));
    if wants.is_empty() {
        return Arc::clone(snapshot);
    }
    let mut more = Snapshot::new(snapshot.taken_at, &snapshot.context, snapshot.scope.clone());
    cluster::fetch(&connection.client, &wants, &Bounds::default(), redactor, &mut more, &|_| {}).await;
    Arc::new(snapshot.with_values(redactor.seal(more)))
}
