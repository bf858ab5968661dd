//! What is another than before, in words: what a reviewer must not miss.

use std::collections::BTreeSet;

use crate::model::Runbook;
use crate::model::runbook::{Level, Risk, Status};

/// What two versions of a runbook differ in; texts are git's to compare.
pub(super) fn changes(before: &Runbook, now: &Runbook) -> Vec<String> {
    let (a, b) = (&before.front, &now.front);
    let mut changes = Vec::new();
    let mut say = |what: &str, old: &str, new: &str| {
        if old != new {
            changes.push(format!("{what}: `{old}` → `{new}`"));
        }
    };
    say("automation level", level(a.automation.level), level(b.automation.level));
    say("risk", risk(a.automation.risk), risk(b.automation.risk));
    say("status", status(a.status), status(b.status));
    say("name", &a.name, &b.name);
    say("title", &a.title, &b.title);
    if a.description != b.description {
        changes.push("the description is another".to_owned());
    }
    let codes = |codes: &[u8]| codes.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (x, y) = (&a.signature, &b.signature);
    for (what, old, new) in [
        ("detectors", &x.detectors, &y.detectors),
        ("alerts", &x.alerts, &y.alerts),
        ("reasons", &x.reasons, &y.reasons),
        ("logs", &x.logs, &y.logs),
        ("kinds", &x.kinds, &y.kinds),
        ("exit codes", &codes(&x.exit_codes), &codes(&y.exit_codes)),
        ("labels", &x.labels.iter().cloned().collect(), &y.labels.iter().cloned().collect()),
        ("params", &a.params.keys().cloned().collect(), &b.params.keys().cloned().collect()),
        ("owners", &a.owners, &b.owners),
        ("commands", &commands(before), &commands(now)),
        ("manifests", &manifests(before), &manifests(now)),
    ] {
        changes.extend(list(what, old, new));
    }
    changes
}

/// What a list has now, and what it no longer has.
fn list(what: &str, old: &[String], new: &[String]) -> Option<String> {
    let (old, new): (BTreeSet<&String>, BTreeSet<&String>) = (old.iter().collect(), new.iter().collect());
    let quoted = |items: Vec<&&String>| items.iter().map(|item| format!("`{item}`")).collect::<Vec<_>>().join(", ");
    let (more, less) = (quoted(new.difference(&old).collect()), quoted(old.difference(&new).collect()));
    match (more.is_empty(), less.is_empty()) {
        (true, true) => None,
        (false, true) => Some(format!("{what}: now with {more}")),
        (true, false) => Some(format!("{what}: no longer {less}")),
        (false, false) => Some(format!("{what}: now with {more}; no longer {less}")),
    }
}

fn commands(runbook: &Runbook) -> Vec<String> {
    runbook.blocks.iter().flat_map(|block| &block.lines).map(|line| line.text.clone()).collect()
}

fn manifests(runbook: &Runbook) -> Vec<String> {
    runbook.manifests.iter().map(|manifest| manifest.name.clone()).collect()
}

/// The word of the front matter.
pub(super) fn level(level: Level) -> &'static str {
    match level {
        Level::None => "none",
        Level::Suggest => "suggest",
        Level::Approve => "approve",
        Level::Auto => "auto",
    }
}

/// The word of the front matter.
pub(super) fn risk(risk: Option<Risk>) -> &'static str {
    match risk {
        None => "not said",
        Some(Risk::Low) => "low",
        Some(Risk::Medium) => "medium",
        Some(Risk::High) => "high",
    }
}

/// The word of the front matter.
pub(super) fn status(status: Status) -> &'static str {
    match status {
        Status::Draft => "draft",
        Status::Active => "active",
        Status::Deprecated => "deprecated",
    }
}
