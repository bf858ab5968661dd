//! What changed on a cause's path in the hour before it showed.
//!
//! *Invariant:* only what the API dates is told: creation, rollouts (by comparing the templates of
//! two revisions), field managers, taints, events of nodes.

use std::collections::BTreeSet;

use crate::graph::{View, configuration};
use crate::model::kinds::{Container, Node, PodSpec, ReplicaSet};
use crate::model::{Change, Finding, Kind, ObjectRef, Resource, Time};

/// How long before a cause a change still counts, in seconds.
const WINDOW: i64 = 3600;

/// How long after a cause was first seen a change may still have come before it: what is seen is
/// often the second failure.
const SLACK: i64 = 60;

/// How many changes are told.
const MOST: usize = 5;

/// The changes on the path of a root finding, the newest first.
pub(super) fn before(view: &View<'_>, root: &Finding) -> Vec<Change> {
    let until = root.since.unwrap_or(view.now()).min(view.now());
    let dated = |time: Time| {
        let before = until.as_second().saturating_sub(time.as_second());
        (-SLACK..=WINDOW).contains(&before)
    };
    let mut changes: Vec<Change> = Vec::new();
    for object in path(view, root) {
        changes.extend(rollout(view, &object));
        changes.extend(edits(view, &object));
        changes.extend(node(view, &object));
    }
    changes.retain(|change| dated(change.time));
    // That an object was made is no news where it was changed since.
    let edited: BTreeSet<ObjectRef> =
        changes.iter().filter(|change| change.what != "created").map(|change| change.object.clone()).collect();
    changes.retain(|change| change.what != "created" || !edited.contains(&change.object));
    changes.sort_by(|a, b| b.time.cmp(&a.time).then_with(|| a.cmp(b)));
    changes.dedup_by(|a, b| a.object == b.object && a.what == b.what);
    changes.truncate(MOST);
    changes
}

/// The objects on a cause's path: itself, whom it blames, the members' configuration and nodes.
fn path(view: &View<'_>, root: &Finding) -> BTreeSet<ObjectRef> {
    let mut path: BTreeSet<ObjectRef> =
        [Some(root.object.clone()), root.culprit.clone()].into_iter().flatten().collect();
    for member in root.members.iter().take(20) {
        let Some(pod) = view.get::<crate::model::kinds::Pod>(member.ns(), &member.name) else { continue };
        path.extend(view.node_of(pod));
        path.extend(
            configuration(&pod.spec).into_iter().map(|(kind, name, _)| ObjectRef::new(kind, member.ns(), name)),
        );
    }
    path
}

/// The newest rollout of a Deployment: what its template has that the one before had not.
fn rollout(view: &View<'_>, object: &ObjectRef) -> Option<Change> {
    if object.kind != Kind::Deployment {
        return None;
    }
    let mut sets: Vec<&ReplicaSet> = view
        .within::<ReplicaSet>(object.ns())
        .iter()
        .filter(|set| {
            set.metadata.controller().is_some_and(|owner| owner.kind == "Deployment" && owner.name == *object.name)
        })
        .collect();
    let revision = |set: &ReplicaSet| {
        let text = set.metadata.annotations.get("deployment.kubernetes.io/revision");
        text.and_then(|text| text.parse::<i64>().ok()).unwrap_or_default()
    };
    sets.sort_by_key(|set| (revision(set), *set.metadata.creation_timestamp));
    let (new, old) = (sets.pop()?, sets.pop()?);
    let time = (*new.metadata.creation_timestamp)?;
    let differences = differences(&old.spec.template.spec, &new.spec.template.spec);
    let restarted = || {
        let key = "kubectl.kubernetes.io/restartedAt";
        let at = |set: &ReplicaSet| set.spec.template.metadata.annotations.get(key).cloned();
        if at(new) == at(old) { "template changed".to_owned() } else { "restarted by rollout restart".to_owned() }
    };
    let what = if differences.is_empty() { restarted() } else { differences.join("; ") };
    let by = view.meta(object).and_then(|meta| {
        let near = |manager: &&crate::model::Manager| {
            manager.time.is_some_and(|edit| (edit.as_second() - time.as_second()).abs() <= 5)
        };
        meta.managers.iter().find(near).map(|manager| manager.manager.clone())
    });
    Some(Change { time, object: object.clone(), what: format!("revision {}: {what}", revision(new)), by })
}

/// What differs between two pod specs, in the order of the spec.
pub(super) fn differences(old: &PodSpec, new: &PodSpec) -> Vec<String> {
    let mut found = Vec::new();
    for container in new.all_containers() {
        match old.container(&container.name) {
            None => found.push(format!("container {} added", container.name)),
            Some(before) => container_differences(before, container, &mut found),
        }
    }
    for container in old.all_containers() {
        if new.container(&container.name).is_none() {
            found.push(format!("container {} removed", container.name));
        }
    }
    if old.volumes != new.volumes {
        found.push("volumes".to_owned());
    }
    if old.node_selector != new.node_selector || old.affinity != new.affinity || old.tolerations != new.tolerations {
        found.push("placement (nodeSelector, affinity or tolerations)".to_owned());
    }
    if old.service_account_name != new.service_account_name {
        found.push(format!("service account {} → {}", old.service_account_name, new.service_account_name));
    }
    if old.security_context != new.security_context {
        found.push("securityContext of the pod".to_owned());
    }
    found
}

fn container_differences(old: &Container, new: &Container, found: &mut Vec<String>) {
    let name = &new.name;
    if old.image != new.image {
        found.push(format!("image of {name}: {} → {}", old.image, new.image));
    }
    if old.command != new.command || old.args != new.args {
        found.push(format!("command of {name}"));
    }
    for variable in &new.env {
        match old.env.iter().find(|before| before.name == variable.name) {
            None => found.push(format!("env {} of {name} added", variable.name)),
            Some(before) if before != variable => found.push(match (&before.value, &variable.value) {
                (Some(a), Some(b)) => format!("env {} of {name}: {a} → {b}", variable.name),
                _ => format!("env {} of {name}", variable.name),
            }),
            Some(_) => {}
        }
    }
    for variable in old.env.iter().filter(|before| !new.env.iter().any(|variable| variable.name == before.name)) {
        found.push(format!("env {} of {name} removed", variable.name));
    }
    let resources = |container: &Container| container.resources.clone();
    if resources(old) != resources(new) {
        let limit = |container: &Container| {
            container.resources.limits.get("memory").cloned().unwrap_or_else(|| "none".to_owned())
        };
        let detail = if limit(old) == limit(new) {
            String::new()
        } else {
            format!(" (memory limit {} → {})", limit(old), limit(new))
        };
        found.push(format!("resources of {name}{detail}"));
    }
    let probes = [
        (&old.liveness_probe, &new.liveness_probe, "livenessProbe"),
        (&old.readiness_probe, &new.readiness_probe, "readinessProbe"),
        (&old.startup_probe, &new.startup_probe, "startupProbe"),
    ];
    found.extend(probes.iter().filter(|(a, b, _)| a != b).map(|(_, _, probe)| format!("{probe} of {name}")));
    for (a, b, what) in [
        (old.env_from == new.env_from, true, "envFrom"),
        (old.volume_mounts == new.volume_mounts, true, "volumeMounts"),
        (old.security_context == new.security_context, true, "securityContext"),
        (old.ports == new.ports, true, "ports"),
    ] {
        if a != b {
            found.push(format!("{what} of {name}"));
        }
    }
}

/// Creation, and edits by people and controllers, as far as field managers date them.
fn edits(view: &View<'_>, object: &ObjectRef) -> Vec<Change> {
    let Some(meta) = view.meta(object) else { return Vec::new() };
    // Every namespace has it, and no one edits it.
    if &*object.name == "kube-root-ca.crt" {
        return Vec::new();
    }
    let mut changes = Vec::new();
    let created = *meta.creation_timestamp;
    if let Some(time) = created.filter(|_| object.kind != Kind::Node && object.kind != Kind::Pod) {
        let by =
            meta.managers.iter().find(|manager| *manager.time == Some(time)).map(|manager| manager.manager.clone());
        changes.push(Change { time, object: object.clone(), what: "created".to_owned(), by });
    }
    for manager in meta.managers.iter() {
        let Some(time) = manager.time.filter(|time| created.is_none_or(|made| time.as_second() > made.as_second() + 1))
        else {
            continue;
        };
        // A Deployment's template is told by its rollout, in more detail.
        let told = |path: &&String| !(object.kind == Kind::Deployment && path.starts_with("spec.template"));
        let paths: Vec<String> = manager.fields.0.iter().filter(told).take(4).cloned().collect();
        if paths.is_empty() {
            continue;
        }
        let what = if paths.len() < 4 { format!("{} edited", paths.join(", ")) } else { "edited".to_owned() };
        // Who applies the whole of a Deployment changes its template: that is the rollout again.
        if object.kind == Kind::Deployment && paths.len() == 4 {
            continue;
        }
        changes.push(Change { time, object: object.clone(), what, by: Some(manager.manager.clone()) });
    }
    changes
}

/// Taints and events of a node.
fn node(view: &View<'_>, object: &ObjectRef) -> Vec<Change> {
    let Some(node) = (object.kind == Kind::Node).then(|| view.get::<Node>("", &object.name)).flatten() else {
        return Vec::new();
    };
    let node_ref = node.object_ref();
    let taints = node.spec.taints.iter().filter_map(|taint| {
        let what = format!("taint {}:{} added", taint.key, taint.effect);
        Some(Change { time: (*taint.time_added)?, object: node_ref.clone(), what, by: None })
    });
    let told = [
        "NodeNotReady",
        "NodeNotSchedulable",
        "NodeSchedulable",
        "Rebooted",
        "NodeHasDiskPressure",
        "EvictionThresholdMet",
        "SystemOOM",
    ];
    let events =
        view.events(&node_ref).iter().filter(|event| told.contains(&event.reason.as_str())).filter_map(|event| {
            Some(Change {
                time: event.last()?,
                object: node_ref.clone(),
                what: format!("{}: {}", event.reason, event.message),
                by: None,
            })
        });
    taints.chain(events).collect()
}
