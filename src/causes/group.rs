//! The same cause in forty replicas is one cause with a count.

use std::collections::BTreeMap;

use super::fold::Links;
use crate::graph::View;
use crate::model::{Consequence, Finding, Kind, ObjectRef};

/// A root with all that hangs under it.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// The root; its object is the workload where its members are pods.
    pub(super) root: Finding,
    /// What follows.
    pub(super) consequences: Vec<Consequence>,
}

/// How much evidence of one cause is shown.
const EVIDENCE: usize = 5;

/// Groups roots by workload and by the object they blame, and puts under each what follows from it.
pub(super) fn group(view: &View<'_>, findings: &[Finding], links: &Links) -> Vec<Group> {
    let mut groups: BTreeMap<(String, ObjectRef, String), Group> = BTreeMap::new();
    let mut place: Vec<Option<(String, ObjectRef, String)>> = vec![None; findings.len()];
    for (number, finding) in findings.iter().enumerate() {
        if links.get(number).is_some_and(Option::is_some) {
            continue;
        }
        let object = lift(view, &finding.object);
        let key = (finding.detector.clone(), object.clone(), finding.key.clone());
        if let Some(slot) = place.get_mut(number) {
            *slot = Some(key.clone());
        }
        if let Some(group) = groups.get_mut(&key) {
            merge(&mut group.root, finding);
            continue;
        }
        let mut root = finding.clone();
        if object != finding.object || finding.object.kind == Kind::Pod {
            root.members.push(finding.object.clone());
        }
        root.object = object;
        groups.insert(key, Group { root, consequences: Vec::new() });
    }
    for (number, finding) in findings.iter().enumerate() {
        let Some(Some(link)) = links.get(number) else { continue };
        let Some(group) = place.get(link.parent).and_then(Option::as_ref).and_then(|key| groups.get_mut(key)) else {
            continue;
        };
        add_consequence(view, group, finding, &link.path);
    }
    merge_by_culprit(groups.into_values().collect())
}

/// The workload of a pod; any other object itself.
fn lift(view: &View<'_>, object: &ObjectRef) -> ObjectRef {
    match view.meta(object) {
        Some(meta) if matches!(object.kind, Kind::Pod | Kind::ReplicaSet | Kind::Job) => {
            view.top_owner(object.clone(), meta)
        }
        // A claim that is made with a pod has the pod's name in its own, and goes with it.
        Some(meta)
            if object.kind == Kind::PersistentVolumeClaim
                && meta.controller().is_some_and(|owner| owner.kind == "Pod") =>
        {
            view.top_owner(object.clone(), meta)
        }
        _ => object.clone(),
    }
}

fn merge(root: &mut Finding, finding: &Finding) {
    root.members.push(finding.object.clone());
    root.since = match (root.since, finding.since) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    if finding.severity > root.severity {
        root.severity = finding.severity;
    }
    // A replica that failed with more to show makes the better example.
    if finding.evidence.len() > root.evidence.len() {
        root.evidence.clone_from(&finding.evidence);
        root.summary.clone_from(&finding.summary);
        root.commands.clone_from(&finding.commands);
    }
    root.evidence.truncate(EVIDENCE);
}

fn add_consequence(view: &View<'_>, group: &mut Group, finding: &Finding, path: &[ObjectRef]) {
    let object = lift(view, &finding.object);
    let known = group
        .consequences
        .iter()
        .any(|c| c.object == object && c.detector == finding.detector && c.summary == finding.summary);
    if known || (object == group.root.object && finding.detector == group.root.detector) {
        return;
    }
    group.consequences.push(Consequence {
        detector: finding.detector.clone(),
        object,
        summary: finding.summary.clone(),
        severity: finding.severity,
        path: shorten(view, path),
    });
    group.consequences.sort_by(|a, b| {
        (std::cmp::Reverse(a.severity), &a.object, &a.detector).cmp(&(
            std::cmp::Reverse(b.severity),
            &b.object,
            &b.detector,
        ))
    });
}

/// A path for people: what makes pods is left out between a workload and its pod.
fn shorten(view: &View<'_>, path: &[ObjectRef]) -> Vec<ObjectRef> {
    let mut short: Vec<ObjectRef> = Vec::new();
    for object in path.iter().map(|object| lift(view, object)) {
        if short.last() != Some(&object) {
            short.push(object);
        }
    }
    short
}

/// Roots of one detector that blame the same object for the same reason are one cause: the first
/// stands for it, the others follow.
fn merge_by_culprit(groups: Vec<Group>) -> Vec<Group> {
    let mut merged: Vec<Group> = Vec::new();
    for group in groups {
        let same = |other: &&mut Group| {
            group.root.culprit.is_some()
                && other.root.culprit == group.root.culprit
                && other.root.detector == group.root.detector
                && other.root.key == group.root.key
        };
        match merged.iter_mut().find(same) {
            Some(first) => {
                let root = group.root;
                let path = [Some(root.object.clone()), root.culprit.clone()].into_iter().flatten().collect();
                first.root.severity = first.root.severity.max(root.severity);
                first.root.members.extend(root.members);
                first.consequences.push(Consequence {
                    detector: root.detector,
                    object: root.object,
                    summary: root.summary,
                    severity: root.severity,
                    path,
                });
                first.consequences.extend(group.consequences);
            }
            None => merged.push(group),
        }
    }
    merged
}
