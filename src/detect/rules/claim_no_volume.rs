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

## False positives
A volume that fits in everything and is still kept for a deleted claim is `volume-released`. Where
one that fits is free, the controller binds it within seconds.

## What to do
Make a volume that fits, or correct the claim (most of a claim can't be changed: delete and make it
again).",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.all::<PersistentVolumeClaim>().iter().filter_map(|claim| finding(view, claim)).collect()
}

fn finding(view: &View<'_>, claim: &PersistentVolumeClaim) -> Option<Finding> {
    let Some(Wait::NoVolume) = storage::wait(view, claim) else { return None };
    let object = claim.object_ref();
    let asks = format!(
        "{} {}",
        claim.spec.resources.requests.get("storage").map_or("?", String::as_str),
        claim.spec.access_modes.join(",")
    );
    let named = &claim.spec.volume_name;
    let volumes = view.all::<PersistentVolume>().iter();
    let same_class = |volume: &&PersistentVolume| {
        volume.spec.storage_class_name == *claim.spec.storage_class_name.as_deref().unwrap_or_default()
    };
    // The nearest: the one that is named; else the one of its class that lacks least, or one that would do but for its class.
    let but_class =
        |volume: &PersistentVolume| storage::misfits(claim, volume).len() == 1 && taken(claim, volume).is_empty();
    let of_kind =
        |volume: &&PersistentVolume| volume.status.phase != "Bound" && (same_class(volume) || but_class(volume));
    let near: Vec<&PersistentVolume> = if named.is_empty() {
        volumes.filter(of_kind).collect()
    } else {
        volumes.filter(|v| v.metadata.name == *named).collect()
    };
    let nearest = near.into_iter().min_by_key(|volume| (storage::misfits(claim, volume).len(), !same_class(volume)));
    let lacks = nearest.map(|volume| {
        let mut lacks = taken(claim, volume);
        lacks.extend(storage::misfits(claim, volume));
        lacks
    });
    if let (Some(lacks), true) =
        (&lacks, view.age(*claim.metadata.creation_timestamp).is_none_or(|age| age < 2 * SETTLED))
    {
        // It fits: it will be bound in a moment.
        if lacks.is_empty() {
            return None;
        }
    }
    let summary = match (nearest, &lacks) {
        (Some(volume), Some(lacks)) if !lacks.is_empty() && named.is_empty() => {
            format!(
                "no PersistentVolume fits the {asks} that it asks for; the nearest, {}: {}",
                volume.metadata.name,
                lacks.join("; ")
            )
        }
        (Some(volume), Some(lacks)) if !lacks.is_empty() => {
            format!("PersistentVolume {}, which it names, can't be bound: {}", volume.metadata.name, lacks.join("; "))
        }
        (Some(volume), _) => format!("PersistentVolume {} fits and is not bound to it", volume.metadata.name),
        (None, _) if !named.is_empty() => format!("PersistentVolume {named}, which it names, does not exist"),
        (None, _) => {
            format!("no PersistentVolume is free for the {asks} that it asks for, and {} makes none", maker(claim))
        }
    };
    let mut finding = storage::finding(view, claim, summary);
    let events = ["VolumeMismatch", "FailedBinding", "ProvisioningFailed"];
    finding = match events.iter().find_map(|reason| storage::event(view, claim, reason)) {
        Some(event) => finding.event(event),
        None => finding.field(&object, "spec.resources.requests.storage", asks),
    };
    if let Some(volume) = nearest {
        let at = volume.object_ref();
        let offers = format!(
            "{} {} {}",
            volume.spec.capacity.get("storage").map_or("?", String::as_str),
            volume.spec.access_modes.join(","),
            volume.status.phase
        );
        finding = finding.field(&at, "spec.capacity.storage, spec.accessModes, status.phase", offers);
        if !named.is_empty() {
            finding = finding.culprit(at);
        }
    } else if !named.is_empty() {
        finding = finding.culprit(ObjectRef::new(Kind::PersistentVolume, "", named));
    }
    Some(finding.look("see the volumes", &ObjectRef::new(Kind::PersistentVolume, "", ""), &["get", "pv"]))
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

fn maker(claim: &PersistentVolumeClaim) -> String {
    match claim.spec.storage_class_name.as_deref() {
        None | Some("") => "without a class nothing".to_owned(),
        Some(class) => format!("class {class}"),
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
            "warning PersistentVolumeClaim shop/data: no PersistentVolume is free for the 1Gi ReadWriteOnce that it asks for, and class manual makes none",
        );
    }

    #[test]
    fn it_will_be_bound_in_a_moment() {
        check(&super::DETECTOR, &yaml("null", "Available", "''", "1Gi", "ReadWriteOnce"), "");
    }
}
