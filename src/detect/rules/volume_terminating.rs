//! Volumes that were deleted while a claim is bound to them.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "volume-terminating",
    summary: "PersistentVolume was deleted and does not go",
    group: Group::Storage,
    reads: &[Kind::PersistentVolume, Kind::PersistentVolumeClaim],
    wants: None,
    doc: r"## What it detects
A PersistentVolume with a deletion time stamp that stays: it is bound to a claim that nobody deletes
(finalizer `kubernetes.io/pv-protection`), or a finalizer of its driver or of somebody else holds it.

## Why it matters
A volume that was deleted by mistake goes as soon as its claim does. One that should go and does not
keeps its disk and its name.

## Evidence
`metadata.deletionTimestamp`, `metadata.finalizers`, `spec.claimRef`.

## Look-alikes
- The claim is being deleted too: the volume is on its way, and silent here. If pods keep the claim:
  `claim-terminating`.
- The disk could not be deleted: `volume-failed`.
- Drivers need time: a volume that only finalizers named `external-...` hold is given two minutes, other ones
  fifteen seconds. A large backup or snapshot may take longer and is no fault.
- Where the claim was not read (it is in another namespace under -n), the finalizer is named, though it may be
  the claim that holds the volume.

## What it does not see
Why the owner of a finalizer does not remove it: its log is not read, and its pods are not looked for. A volume
that only `kubernetes.io/pv-protection` holds and whose claim was not read is silent. Without the right to list
PersistentVolumes so is all of it.

## What to do
`kubectl get pv NAME -o yaml` shows the finalizers and the claim. If it should go: delete its claim, or see why
the owner of the finalizer does not work; remove a finalizer by hand only where its owner is gone for good. If it
should not go: a deletion can't be taken back, so keep the data with
`kubectl patch pv NAME -p 'spec: {persistentVolumeReclaimPolicy: Retain}'` before the claim goes, and make the
volume again afterwards.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.all::<PersistentVolume>().iter().filter_map(|volume| finding(view, volume)).collect()
}

fn finding(view: &View<'_>, volume: &PersistentVolume) -> Option<Finding> {
    let since = (*volume.metadata.deletion_timestamp)?;
    let age = view.age(Some(since))?;
    let object = volume.object_ref();
    let kept = volume.spec.claim_ref.as_ref();
    let claim = kept
        .and_then(|kept| view.get::<PersistentVolumeClaim>(&kept.namespace, &kept.name))
        .filter(|_| volume.status.phase == "Bound");
    let foreign: Vec<String> =
        volume.metadata.finalizers.iter().filter(|name| *name != "kubernetes.io/pv-protection").cloned().collect();
    let driver = foreign.iter().all(|name| name.starts_with("external-"));
    let summary = match claim {
        Some(claim) if claim.metadata.deleting() => return None,
        Some(claim) => format!(
            "was deleted while {} is bound to it: kubernetes.io/pv-protection keeps it (Terminating) until the claim goes",
            claim.object_ref()
        ),
        None if foreign.is_empty() || age < 15 || driver && age < 2 * SETTLED => return None,
        None => format!("its deletion is held up by finalizer {}, which nothing removes", list(&foreign)),
    };
    let finding = Finding::new(object.clone(), Severity::Warning, Stage::Ready, summary)
        .field(&object, "metadata.deletionTimestamp", since.to_string())
        .field(&object, "metadata.finalizers", volume.metadata.finalizers.join(", "))
        .since(Some(since));
    Some(describe(finding, &object))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: PersistentVolume
metadata: {name: pv-1, deletionTimestamp: '2026-01-01T11:59:30Z', finalizers: [FINALIZER]}
spec: {claimRef: {namespace: shop, name: data}}
status: {phase: PHASE}
---
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop DELETED}
spec: {volumeName: pv-1}
status: {phase: Bound}
";

    fn yaml(finalizer: &str, phase: &str, deleted: &str) -> String {
        YAML.replace("FINALIZER", finalizer).replace("PHASE", phase).replace(" DELETED", deleted)
    }

    #[test]
    fn its_claim_stays() {
        check(
            &super::DETECTOR,
            &yaml("kubernetes.io/pv-protection", "Bound", ""),
            "warning PersistentVolume pv-1: was deleted while PersistentVolumeClaim shop/data is bound to it: kubernetes.io/pv-protection keeps it (Terminating) until the claim goes",
        );
    }

    #[test]
    fn a_finalizer_of_somebody_else() {
        check(
            &super::DETECTOR,
            &yaml("acme.io/backup", "Released", ""),
            "warning PersistentVolume pv-1: its deletion is held up by finalizer acme.io/backup, which nothing removes",
        );
    }

    #[test]
    fn on_its_way() {
        check(
            &super::DETECTOR,
            &yaml("kubernetes.io/pv-protection", "Bound", ", deletionTimestamp: '2026-01-01T11:59:30Z'"),
            "",
        );
        check(&super::DETECTOR, &yaml("external-provisioner.volume.kubernetes.io/finalizer", "Released", ""), "");
    }
}
