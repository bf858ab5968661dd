//! Claims for which no volume fits, and nobody makes one.

use crate::detect::prelude::*;
use crate::detect::storage::{self, Wait};

pub(super) const DETECTOR: Detector = Detector {
    id: "claim-no-volume",
    summary: "No PersistentVolume fits the claim, and none will be made",
    group: Group::Storage,
    reads: &[Kind::PersistentVolumeClaim, Kind::PersistentVolume, Kind::StorageClass],
    wants: None,
    doc: r"## What it detects
A pending PersistentVolumeClaim that must be met by a volume made by hand (its class is empty, has
no provisioner, or the claim names a volume), where no volume fits: too small, another access mode,
class or volume mode, labels that don't match, bound to another claim, or missing.

## Why it matters
The claim waits for ever, and every pod that uses it.

## Evidence
What the claim asks for, and what the nearest volume offers.

## Look-alikes
A volume that fits in everything and is still kept for a deleted claim is `volume-released`. A volume that is bound
and can't be reached from the pod's node is `volume-node-conflict`. One that fits and is free is bound within seconds;
if it still is not after two minutes, it is reported.

## What it does not see
A volume's node affinity is not compared. For a class with `WaitForFirstConsumer` nothing is said before the scheduler
finds no volume to bind. Without the right to list PersistentVolumes, which belong to the whole cluster, `none is
free` only means that none was read.

## What to do
`kubectl get pv` shows what there is. Make a volume that fits, or correct the claim (most of a claim can't be changed:
delete it and make it again).",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.all::<PersistentVolumeClaim>().iter().filter_map(|claim| finding(view, claim)).collect()
}

fn finding(view: &View<'_>, claim: &PersistentVolumeClaim) -> Option<Finding> {
    let Some(Wait::NoVolume) = storage::wait(view, claim) else { return None };
    let (object, named) = (claim.object_ref(), &claim.spec.volume_name);
    let nearest = nearest(view, claim);
    let lacks = nearest.map(|volume| lacks(claim, volume)).unwrap_or_default();
    let young = view.age(*claim.metadata.creation_timestamp).is_none_or(|age| age < 2 * SETTLED);
    // One that fits will be bound in a moment.
    if nearest.is_some() && lacks.is_empty() && young {
        return None;
    }
    let mut finding = storage::finding(view, claim, summary(view, claim, nearest, &lacks));
    let events = ["VolumeMismatch", "FailedBinding", "ProvisioningFailed"];
    finding = match events.iter().find_map(|reason| storage::event(view, claim, reason)) {
        Some(event) => finding.event(event),
        None => finding.field(&object, "status.phase", &claim.status.phase),
    };
    if let Some(volume) = nearest {
        let at = volume.object_ref();
        let size = volume.spec.capacity.get("storage").map_or("?", String::as_str);
        finding = finding
            .field(&at, "spec.capacity.storage", size)
            .field(&at, "spec.accessModes", volume.spec.access_modes.join(", "))
            .field(&at, "status.phase", &volume.status.phase);
    }
    if !named.is_empty() {
        finding = finding.culprit(ObjectRef::new(Kind::PersistentVolume, "", named));
    }
    Some(finding.look("see the volumes", &ObjectRef::new(Kind::PersistentVolume, "", ""), &["get", "pv"]))
}

/// The volume that the claim names; else the one of its class that lacks least, or one that would
/// do but for its class.
fn nearest<'a>(view: &View<'a>, claim: &PersistentVolumeClaim) -> Option<&'a PersistentVolume> {
    let named = &claim.spec.volume_name;
    if !named.is_empty() {
        return view.get("", named);
    }
    let class = claim.spec.storage_class_name.as_deref().unwrap_or_default();
    let same = |volume: &PersistentVolume| volume.spec.storage_class_name == class;
    let free = view.all::<PersistentVolume>().iter().filter(|volume| volume.status.phase != "Bound");
    let near = free.filter(|volume| same(volume) || lacks(claim, volume).len() == 1);
    near.min_by_key(|volume| (lacks(claim, volume).len(), !same(volume)))
}

/// Who has the volume already, and what it lacks.
fn lacks(claim: &PersistentVolumeClaim, volume: &PersistentVolume) -> Vec<String> {
    let mut lacks = taken(claim, volume);
    lacks.extend(storage::misfits(claim, volume));
    lacks
}

fn summary(
    view: &View<'_>,
    claim: &PersistentVolumeClaim,
    nearest: Option<&PersistentVolume>,
    lacks: &[String],
) -> String {
    let size = claim.spec.resources.requests.get("storage").map_or("?", String::as_str);
    let asks = format!("{size} {}", claim.spec.access_modes.join(","));
    let (named, lack) = (&claim.spec.volume_name, lacks.join("; "));
    match nearest.map(|volume| &volume.metadata.name) {
        Some(name) if lacks.is_empty() => format!("PersistentVolume {name} fits and is not bound to it"),
        Some(name) if named.is_empty() => {
            format!("no PersistentVolume fits the {asks} that it asks for; the nearest, {name}: {lack}")
        }
        Some(name) => format!("PersistentVolume {name}, which it names, can't be bound: {lack}"),
        None if !named.is_empty() => format!("PersistentVolume {named}, which it names, does not exist"),
        None => format!(
            "no PersistentVolume is free for the {asks} that it asks for{}, and {}",
            bound(view, claim),
            maker(view, claim)
        ),
    }
}

/// Who has the volume already.
fn taken(claim: &PersistentVolumeClaim, volume: &PersistentVolume) -> Vec<String> {
    let other = volume
        .spec
        .claim_ref
        .as_ref()
        .filter(|kept| kept.namespace != claim.metadata.namespace || kept.name != claim.metadata.name);
    let word = if volume.status.phase == "Bound" { "it is bound to" } else { "it is kept for" };
    let mut found: Vec<String> =
        other.iter().map(|kept| format!("{word} claim {}/{}", kept.namespace, kept.name)).collect();
    if volume.status.phase == "Failed" {
        found.push(format!("it is Failed ({})", volume.status.message));
    }
    found
}

/// The volumes of the claim's class that others have, as a part of a sentence.
fn bound(view: &View<'_>, claim: &PersistentVolumeClaim) -> String {
    let Some(class) = claim.spec.storage_class_name.as_deref().filter(|class| !class.is_empty()) else {
        return String::new();
    };
    let taken: Vec<String> = view
        .all::<PersistentVolume>()
        .iter()
        .filter(|volume| volume.spec.storage_class_name == class)
        .filter_map(|volume| {
            let kept = volume.spec.claim_ref.as_ref()?;
            let size = volume.spec.capacity.get("storage").map_or("?", String::as_str);
            Some(format!("{} ({size}) by {}/{}", volume.metadata.name, kept.namespace, kept.name))
        })
        .collect();
    if taken.is_empty() { String::new() } else { format!(" (of class {class} are taken: {})", list(&taken)) }
}

fn maker(view: &View<'_>, claim: &PersistentVolumeClaim) -> String {
    match claim.spec.storage_class_name.as_deref() {
        None | Some("") => "without a class nothing makes one".to_owned(),
        Some(class) if view.get::<StorageClass>("", class).is_none() => {
            format!("there is no StorageClass {class} that would make one")
        }
        Some(class) => format!("class {class} makes none"),
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: StorageClass
metadata: {name: manual}
provisioner: kubernetes.io/no-provisioner
---
kind: PersistentVolume
metadata: {name: pv-1}
spec: {storageClassName: manual, capacity: {storage: 5Gi}, accessModes: [ReadWriteOnce], claimRef: KEPT}
status: {phase: PHASE}
---
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop, creationTimestamp: '2026-01-01T11:59:00Z'}
spec: {storageClassName: manual, volumeName: NAMED, resources: {requests: {storage: SIZE}}, accessModes: [MODE]}
status: {phase: Pending}
";

    fn yaml(kept: &str, phase: &str, named: &str, size: &str, mode: &str) -> String {
        YAML.replace("KEPT", kept)
            .replace("PHASE", phase)
            .replace("NAMED", named)
            .replace("SIZE", size)
            .replace("MODE", mode)
    }

    #[test]
    fn too_small_and_of_another_mode() {
        check(
            &super::DETECTOR,
            &yaml("null", "Available", "''", "10Gi", "ReadWriteMany"),
            "warning PersistentVolumeClaim shop/data: no PersistentVolume fits the 10Gi ReadWriteMany that it asks for; the nearest, pv-1: it has 5Gi, the claim asks for 10Gi; it offers ReadWriteOnce, the claim asks for ReadWriteMany",
        );
    }

    #[test]
    fn named_volume_belongs_to_another() {
        check(
            &super::DETECTOR,
            &yaml("{namespace: bank, name: gold}", "Bound", "pv-1", "1Gi", "ReadWriteOnce"),
            "warning PersistentVolumeClaim shop/data: PersistentVolume pv-1, which it names, can't be bound: it is bound to claim bank/gold <- PersistentVolume pv-1",
        );
    }

    #[test]
    fn named_volume_is_missing() {
        check(
            &super::DETECTOR,
            &yaml("null", "Available", "pv-2", "1Gi", "ReadWriteOnce"),
            "warning PersistentVolumeClaim shop/data: PersistentVolume pv-2, which it names, does not exist <- PersistentVolume pv-2",
        );
    }

    #[test]
    fn all_are_taken() {
        check(
            &super::DETECTOR,
            &yaml("{namespace: bank, name: gold}", "Bound", "''", "1Gi", "ReadWriteOnce"),
            "warning PersistentVolumeClaim shop/data: no PersistentVolume is free for the 1Gi ReadWriteOnce that it asks for (of class manual are taken: pv-1 (5Gi) by bank/gold), and class manual makes none",
        );
    }

    #[test]
    fn the_class_is_but_a_name() {
        let yaml = yaml("{namespace: bank, name: gold}", "Bound", "''", "1Gi", "ReadWriteOnce");
        let classless = yaml.split_once("---").map(|(_, rest)| rest).unwrap();
        check(
            &super::DETECTOR,
            classless,
            "warning PersistentVolumeClaim shop/data: no PersistentVolume is free for the 1Gi ReadWriteOnce that it asks for (of class manual are taken: pv-1 (5Gi) by bank/gold), and there is no StorageClass manual that would make one",
        );
    }

    #[test]
    fn it_will_be_bound_in_a_moment() {
        check(&super::DETECTOR, &yaml("null", "Available", "''", "1Gi", "ReadWriteOnce"), "");
    }
}
