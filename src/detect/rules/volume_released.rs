//! Volumes that are kept for a deleted claim while another waits for them.

use crate::detect::prelude::*;
use crate::detect::storage::{self, Wait};

pub(super) const DETECTOR: Detector = Detector {
    id: "volume-released",
    summary: "Claim waits for a PersistentVolume that is Released, kept for a deleted claim",
    group: Group::Storage,
    reads: &[Kind::PersistentVolumeClaim, Kind::PersistentVolume],
    wants: None,
    doc: r"## What it detects
A pending PersistentVolumeClaim for which there is a volume in phase `Released`: its `claimRef` still
holds the uid of a claim that was deleted, so no other claim can have it, not even one of the same
name.

## Why it matters
With the reclaim policy `Retain` a volume outlives its claim with its data, and waits for a person
to say that the data may be used again.

## Evidence
The volume's phase and `spec.claimRef`, and the uid of the claim that waits.

## Look-alikes
- A released volume that no claim waits for is what `Retain` is for: no finding.
- No volume fits the claim at all: `claim-no-volume`. The provisioner fails: `claim-not-provisioned`.
- The disk could not be deleted: `volume-failed`. The volume is being deleted: `volume-terminating`.
- A claim that was made again at once, while the old volume with the policy `Delete` is still going, looks the
  same for a moment. See `kubectl get pv NAME` for the policy before you clear anything: that data is leaving.

## What it does not see
What the volume holds, and whether the new claim is meant to have it. A released volume counts where the claim
names it, where it was of a claim of the same name, or where it was of the same namespace, fits, and nobody makes
volumes of the claim's class. Volumes left by other namespaces don't count unless the claim names them. A claim in
its first ten seconds without an event is silent, as is everything without the right to list PersistentVolumes.

## What to do
If the data is meant for the new claim of the same name, clear the uid, and it is bound within seconds:
`kubectl patch pv NAME --type=merge -p 'spec: {claimRef: {uid: null, resourceVersion: null}}'`. For a claim of
another name remove the whole `claimRef`; then any claim that fits may take the volume, so name the volume in
`spec.volumeName` of yours. If the data is not meant for it, make a new volume.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.all::<PersistentVolumeClaim>().iter().filter_map(|claim| finding(view, claim)).collect()
}

fn finding(view: &View<'_>, claim: &PersistentVolumeClaim) -> Option<Finding> {
    let Some(Wait::Released(volume)) = storage::wait(view, claim) else { return None };
    let at = volume.object_ref();
    let kept = volume.spec.claim_ref.as_ref()?;
    let same = kept.namespace == claim.metadata.namespace && kept.name == claim.metadata.name;
    let of = if same {
        "of a deleted claim of the same name".to_owned()
    } else {
        format!("of the deleted claim {}/{}", kept.namespace, kept.name)
    };
    let summary = format!(
        "PersistentVolume {} is Released: its claimRef still holds the uid {} {of}, and must be cleared before it can be bound again",
        at.name, kept.uid
    );
    let mut finding = storage::finding(view, claim, summary)
        .culprit(at.clone())
        .field(&at, "status.phase", &volume.status.phase)
        .field(&at, "spec.claimRef", format!("{}/{} uid {}", kept.namespace, kept.name, kept.uid))
        .field(&claim.object_ref(), "metadata.uid", &claim.metadata.uid);
    if let Some(event) = storage::event(view, claim, "FailedBinding") {
        finding = finding.event(event);
    }
    let cleared = if same {
        r#"[{"op":"remove","path":"/spec/claimRef/uid"}]"#
    } else {
        r#"[{"op":"remove","path":"/spec/claimRef"}]"#
    };
    Some(finding.fix(
        "free the volume with its data for this claim",
        &at,
        &["patch", "pv", &at.name, "--type=json", "-p", cleared],
    ))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: PersistentVolume
metadata: {name: pv-1}
spec: {capacity: {storage: 5Gi}, accessModes: [ReadWriteOnce], claimRef: {namespace: shop, name: OLD, uid: old}}
status: {phase: Released}
---
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop, uid: new, creationTimestamp: '2026-01-01T11:59:00Z'}
spec: {storageClassName: '', volumeName: NAMED, resources: {requests: {storage: SIZE}}, accessModes: [ReadWriteOnce]}
status: {phase: PHASE}
";

    fn yaml(old: &str, named: &str, size: &str, phase: &str) -> String {
        YAML.replace("OLD", old).replace("NAMED", named).replace("SIZE", size).replace("PHASE", phase)
    }

    #[test]
    fn claim_was_made_again() {
        check(
            &super::DETECTOR,
            &yaml("data", "pv-1", "5Gi", "Pending"),
            "warning PersistentVolumeClaim shop/data: PersistentVolume pv-1 is Released: its claimRef still holds the uid old of a deleted claim of the same name, and must be cleared before it can be bound again <- PersistentVolume pv-1",
        );
    }

    #[test]
    fn claim_of_another_name_would_fit() {
        check(
            &super::DETECTOR,
            &yaml("olddata", "''", "1Gi", "Pending"),
            "warning PersistentVolumeClaim shop/data: PersistentVolume pv-1 is Released: its claimRef still holds the uid old of the deleted claim shop/olddata, and must be cleared before it can be bound again <- PersistentVolume pv-1",
        );
    }

    #[test]
    fn it_would_not_fit() {
        check(&super::DETECTOR, &yaml("olddata", "''", "100Gi", "Pending"), "");
    }

    #[test]
    fn no_claim_waits() {
        check(&super::DETECTOR, &yaml("olddata", "''", "1Gi", "Bound"), "");
    }
}
