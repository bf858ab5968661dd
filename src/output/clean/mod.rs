//! A diagnosis without what a terminal would obey.
//!
//! *Invariant:* every string of a diagnosis passes through here; a new field that is not cleaned does
//! not compile, since the structs are taken apart by name.

mod exploration;

use std::sync::Arc;

use crate::model::{
    Advice, Cause, Change, Command, Consequence, Diagnosis, Evidence, Gap, Kind, LibraryState, ObjectRef, Place, Source,
};
use crate::printable::{one_line, printable};

pub(super) fn diagnosis(diagnosis: &Diagnosis) -> Diagnosis {
    let Diagnosis {
        schema_version,
        context,
        namespace,
        taken_at,
        verdict,
        causes,
        gaps,
        silenced,
        counts,
        libraries,
        exploration,
    } = diagnosis;
    Diagnosis {
        schema_version: line(schema_version),
        context: line(context),
        namespace: namespace.as_deref().map(line),
        taken_at: *taken_at,
        verdict: *verdict,
        causes: causes.iter().map(cause).collect(),
        gaps: gaps.iter().map(gap).collect(),
        silenced: *silenced,
        counts: *counts,
        libraries: libraries.iter().map(library).collect(),
        exploration: exploration.as_ref().map(exploration::exploration),
    }
}

fn library(state: &LibraryState) -> LibraryState {
    let LibraryState { library, source, commit, runbooks, synced, notes } = state;
    LibraryState {
        library: *library,
        source: line(source),
        commit: line(commit),
        runbooks: *runbooks,
        synced: *synced,
        notes: notes.iter().map(|note| line(note)).collect(),
    }
}

fn advice(advice: &Advice) -> Advice {
    let Advice { place, name, title, status, score, why, passage, superseded_by, commands } = advice;
    let Place { library, path, commit, blob } = place;
    Advice {
        place: Place { library: *library, path: line(path), commit: line(commit), blob: line(blob) },
        name: line(name),
        title: line(title),
        status: *status,
        score: *score,
        why: line(why),
        passage: line(passage),
        superseded_by: superseded_by.as_deref().map(line),
        commands: commands.iter().map(command).collect(),
    }
}

fn cause(cause: &Cause) -> Cause {
    let Cause {
        fingerprint,
        detector,
        severity,
        stage,
        object,
        culprit,
        summary,
        since,
        count,
        members,
        evidence,
        consequences,
        changes,
        commands,
        unknown,
        runbooks,
        no_runbook,
    } = cause;
    Cause {
        fingerprint: line(fingerprint),
        detector: line(detector),
        severity: *severity,
        stage: *stage,
        object: reference(object),
        culprit: culprit.as_ref().map(reference),
        summary: line(summary),
        since: *since,
        count: *count,
        members: members.iter().map(reference).collect(),
        evidence: evidence.iter().map(self::evidence).collect(),
        consequences: consequences.iter().map(consequence).collect(),
        changes: changes.iter().map(change).collect(),
        commands: commands.iter().map(command).collect(),
        unknown: unknown.iter().map(|text| line(text)).collect(),
        runbooks: runbooks.iter().map(advice).collect(),
        no_runbook: no_runbook.as_deref().map(line),
    }
}

fn evidence(evidence: &Evidence) -> Evidence {
    let Evidence { quote, source, time } = evidence;
    let source = match source {
        Source::Field { object, path } => Source::Field { object: reference(object), path: line(path) },
        Source::Event { object, reason } => Source::Event { object: reference(object), reason: line(reason) },
        Source::Log { object, container, previous } => {
            Source::Log { object: reference(object), container: line(container), previous: *previous }
        }
    };
    // A quote may have lines of its own.
    Evidence { quote: printable(quote).trim_end().to_owned(), source, time: *time }
}

fn consequence(consequence: &Consequence) -> Consequence {
    let Consequence { detector, object, summary, severity, path } = consequence;
    Consequence {
        detector: line(detector),
        object: reference(object),
        summary: line(summary),
        severity: *severity,
        path: path.iter().map(reference).collect(),
    }
}

fn change(change: &Change) -> Change {
    let Change { time, object, what, by } = change;
    Change { time: *time, object: reference(object), what: line(what), by: by.as_deref().map(line) }
}

fn command(command: &Command) -> Command {
    let Command { changes, purpose, line: text } = command;
    Command { changes: *changes, purpose: line(purpose), line: line(text) }
}

fn gap(gap: &Gap) -> Gap {
    let Gap { what, namespace, reason, kind } = gap;
    Gap {
        what: line(what),
        namespace: namespace.as_deref().map(line),
        reason: line(reason),
        kind: kind.map(self::kind),
    }
}

fn reference(object: &ObjectRef) -> ObjectRef {
    let ObjectRef { kind, namespace, name } = object;
    let text = |text: &Arc<str>| Arc::from(line(text));
    ObjectRef { kind: self::kind(*kind), namespace: namespace.as_ref().map(text), name: text(name) }
}

fn kind(kind: Kind) -> Kind {
    match kind {
        Kind::Custom(name) if one_line(name.as_str()) != name.as_str() => Kind::parse(&line(name.as_str())),
        kind => kind,
    }
}

fn line(text: &str) -> String {
    one_line(text).into_owned()
}

fn text(text: &str) -> String {
    printable(text).into_owned()
}
