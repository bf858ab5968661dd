//! The objects that are compared, and who changed them.
//!
//! *Invariant:* what a controller makes is left out: its maker is what a person changes.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::graph::View;
use crate::model::{Kind, Meta, ObjectRef, Time};

/// Kinds that only components of the cluster write.
const MADE: &[Kind] = &[
    Kind::Event,
    Kind::EndpointSlice,
    Kind::ReplicaSet,
    Kind::Lease,
    Kind::CSINode,
    Kind::VolumeAttachment,
    Kind::NodeMetrics,
    Kind::PodMetrics,
];

/// All objects of both snapshots, in order.
pub(super) fn all(before: &View<'_>, after: &View<'_>) -> BTreeSet<ObjectRef> {
    let mut all = BTreeSet::new();
    for view in [before, after] {
        view.snapshot.objects.each(|object, _| {
            if !MADE.contains(&object.kind) {
                all.insert(object);
            }
        });
    }
    all
}

/// An object as JSON, with what is kept of it.
pub(super) fn value(view: &View<'_>, object: &ObjectRef) -> Option<Value> {
    let meta = view.meta(object)?;
    let objects = &view.snapshot.objects;
    if let Some(info) = object.kind.info() {
        return (info.values)(objects, &|other: &Meta| std::ptr::eq(other, meta)).pop();
    }
    let custom = objects.custom.iter().find(|custom| custom.object_ref() == *object)?;
    serde_json::to_value(custom).ok()
}

/// Whether an object is made by the cluster itself: by a controller, a provisioner, for every namespace.
pub(super) fn is_made(before: &View<'_>, after: &View<'_>, object: &ObjectRef) -> bool {
    // A kind that could not be read in one of them says nothing.
    if !before.snapshot.knows(object.kind, object.ns()) || !after.snapshot.knows(object.kind, object.ns()) {
        return true;
    }
    let Some(meta) = after.meta(object).or_else(|| before.meta(object)) else { return true };
    let annotated = |key: &str| meta.annotations.get(key).is_some();
    let helm = meta.labels.get("owner").is_some_and(|owner| owner == "helm");
    meta.controller().is_some()
        || matches!(&*object.name, "kube-root-ca.crt" | "openshift-service-ca.crt")
        || object.kind == Kind::ServiceAccount && &*object.name == "default"
        || object.kind == Kind::Secret && (helm || annotated("kubernetes.io/service-account.name"))
        || object.kind == Kind::PersistentVolume && annotated("pv.kubernetes.io/provisioned-by")
        || object.kind == Kind::Node && (before.meta(object).is_none() || after.meta(object).is_none())
}

/// Whether the API counted a change of the spec.
pub(super) fn generation_moved(before: &View<'_>, after: &View<'_>, object: &ObjectRef) -> bool {
    let generation = |view: &View<'_>| view.meta(object).map_or(0, |meta| meta.generation);
    let (old, new) = (generation(before), generation(after));
    old > 0 && new > old
}

/// Who wrote to an object since the first snapshot, and when, as far as field managers tell.
pub(super) fn editor(before: &View<'_>, after: &View<'_>, object: &ObjectRef) -> (Option<String>, Option<Time>) {
    let Some(meta) = after.meta(object) else { return (None, None) };
    let since = before.now();
    let recent = meta.managers.iter().filter(|manager| manager.time.is_some_and(|time| time >= since));
    match recent.max_by_key(|manager| *manager.time) {
        Some(manager) => (Some(manager.manager.clone()), *manager.time),
        None => (None, meta.creation_timestamp.filter(|time| *time >= since)),
    }
}

/// The order in which differences are told: what is the likelier fix comes first.
pub(super) fn rank(kind: Kind) -> u8 {
    match kind {
        Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet | Kind::CronJob | Kind::Job | Kind::Pod => 0,
        Kind::ConfigMap | Kind::Secret | Kind::Service | Kind::Ingress | Kind::PersistentVolumeClaim => 1,
        _ => 2,
    }
}
