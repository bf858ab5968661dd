//! From findings to causes: what follows from what, how much it takes down, what changed before.
//!
//! *Invariant:* pure; nothing is folded that no reference proves. Each finding is either a root or
//! hangs under one, so none is lost.

mod changes;
mod fold;
mod group;
pub mod path;
mod scope;
mod silence;
mod table;

use sha2::{Digest, Sha256};

use crate::graph::View;
use crate::model::finding::quote;
use crate::model::{Cause, Command, Finding, ObjectRef};

pub use scope::Focus;

/// The causes of a cluster's findings, and how many were silenced by people.
pub struct Explained {
    /// The worst first.
    pub causes: Vec<Cause>,
    /// How many were left out because a person said so, with a reason and an expiry.
    pub silenced: usize,
}

/// Explains findings: folds, groups, ranks, and completes each cause.
pub fn explain(view: &View<'_>, findings: Vec<Finding>, focus: &Focus) -> Explained {
    let links = fold::fold(view, &findings);
    let mut groups = group::group(view, &findings, &links);
    groups.retain(|group| focus.takes(view, group));
    let before = groups.len();
    groups.retain(|group| !silence::silenced(view, group));
    let silenced = before - groups.len();
    let mut causes: Vec<Cause> = groups.into_iter().map(|group| complete(view, group)).collect();
    causes.sort_by(|a, b| {
        // Of causes that hurt alike, one that takes more down comes first, then the older one.
        let weight = |cause: &Cause| {
            (!focus.inside(cause), std::cmp::Reverse(cause.severity), std::cmp::Reverse(cause.consequences.len()))
        };
        let age = |cause: &Cause| (cause.since.is_none(), cause.since);
        weight(a)
            .cmp(&weight(b))
            .then_with(|| age(a).cmp(&age(b)))
            .then_with(|| (&a.object, &a.detector, &a.fingerprint).cmp(&(&b.object, &b.detector, &b.fingerprint)))
    });
    Explained { causes, silenced }
}

/// Makes a group the cause that a person reads.
fn complete(view: &View<'_>, group: group::Group) -> Cause {
    let root = group.root;
    let changes = changes::before(view, &root);
    let severity = group.consequences.iter().map(|consequence| consequence.severity).fold(root.severity, Ord::max);
    Cause {
        fingerprint: fingerprint(&root.detector, &root.object, &root.key),
        detector: root.detector,
        severity,
        stage: root.stage,
        object: root.object,
        culprit: root.culprit,
        summary: root.summary,
        since: root.since,
        count: root.members.len().max(1),
        members: root.members,
        evidence: root.evidence,
        consequences: group.consequences,
        changes,
        commands: root.commands.into_iter().map(|command| with_context(view, command)).collect(),
        unknown: root.unknown,
        runbooks: Vec::new(),
        no_runbook: None,
    }
}

/// Makes a command complete, so that it does the same in whatever context it is pasted.
fn with_context(view: &View<'_>, command: Command) -> Command {
    let context = &view.snapshot.context;
    let place = if context.is_empty() { String::new() } else { format!("--context {} ", quote(context)) };
    Command { line: format!("kubectl {place}{}", command.line), ..command }
}

/// The id of a cause across runs: no counters, no pod hashes.
fn fingerprint(detector: &str, object: &ObjectRef, key: &str) -> String {
    let digest = Sha256::digest(format!("{detector}\0{object}\0{key}"));
    let number = digest.iter().take(6).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("{number:012x}")
}
