//! Claims whose volume is gone.

use crate::detect::prelude::*;
use crate::detect::storage;

pub(super) const DETECTOR: Detector = Detector {
    id: "claim-lost",
    summary: "Claim's PersistentVolume is gone, and its data may be with it",
    group: Group::Storage,
    reads: &[Kind::PersistentVolumeClaim, Kind::PersistentVolume],
    wants: None,
    doc: r"## What it detects
A PersistentVolumeClaim in phase `Lost`: it was bound to a volume that does not exist any more, or
that is bound to another claim now.

## Why it matters
A claim is never bound to a second volume. Pods that run go on as long as they can; no new pod can
mount it, and the data may be lost.

## Evidence
The claim's phase and `spec.volumeName`, and the event `ClaimLost`.

## Look-alikes
A claim that never had a volume is Pending: `claim-no-volume`, `claim-not-provisioned`. The reverse, a volume whose
claim is gone, is `volume-released`. The phase itself is certain; the controller takes it back only when a volume of
that name that is free or its own comes up again.

## What it does not see
Whether the disk behind the volume still exists, and what is on it. Without the right to list PersistentVolumes it
can't tell a volume that is gone from one that belongs to another claim, and says the latter. A claim that is being
deleted is silent.

## What to do
If the disk still exists, make the PersistentVolume again under the same name, without `claimRef` or with this claim's
`uid` in it: with any other `uid`, or none, the claim stays Lost. Set `persistentVolumeReclaimPolicy: Retain` on it.
Else restore from a backup into a new claim.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let lost = view
        .all::<PersistentVolumeClaim>()
        .iter()
        .filter(|claim| claim.status.phase == "Lost" && !claim.metadata.deleting());
    lost.map(|claim| {
        let object = claim.object_ref();
        let volume = ObjectRef::new(Kind::PersistentVolume, "", &claim.spec.volume_name);
        let what = if view.absent(&volume) { "does not exist any more" } else { "is not its own any more" };
        let mut finding = storage::finding(
            view,
            claim,
            format!("claim is Lost: PersistentVolume {}, to which it was bound, {what}", volume.name),
        )
        .culprit(volume)
        .field(&object, "status.phase", &claim.status.phase)
        .field(&object, "spec.volumeName", &claim.spec.volume_name);
        for event in ["ClaimLost", "ClaimMisbound"].iter().filter_map(|reason| storage::event(view, claim, reason)) {
            finding = finding.event(event);
        }
        describe(finding, &object)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop}
spec: {volumeName: pv-1}
status: {phase: PHASE}
";

    #[test]
    fn lost() {
        check(
            &super::DETECTOR,
            &YAML.replace("PHASE", "Lost"),
            "warning PersistentVolumeClaim shop/data: claim is Lost: PersistentVolume pv-1, to which it was bound, does not exist any more <- PersistentVolume pv-1",
        );
    }

    #[test]
    fn bound() {
        check(&super::DETECTOR, &YAML.replace("PHASE", "Bound"), "");
    }
}
