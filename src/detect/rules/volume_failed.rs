//! Volumes that could not be reclaimed.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "volume-failed",
    summary: "PersistentVolume failed to be reclaimed",
    group: Group::Storage,
    reads: &[Kind::PersistentVolume],
    wants: None,
    doc: r"## What it detects
A PersistentVolume in phase `Failed`: its claim is gone, and the disk could not be deleted.

## Why it matters
The disk goes on to cost money and counts against quotas, and the volume can't be used again.

## Evidence
The volume's phase and message, and the event `VolumeFailedDelete`.

## Look-alikes
- Phase `Released` with the policy `Retain` is as it should be: the data waits for a person. Where a new claim
  waits for it: `volume-released`.
- The PersistentVolume itself was deleted and stays: `volume-terminating`.
- The claim is there and its volume is gone: `claim-lost`.
- The phase says it, so this page is hardly wrong; but a disk that was deleted in the cloud by hand fails the
  same way, and then only the object is left over.

## What it does not see
Most CSI drivers leave a volume that they can't delete in `Released`, with `VolumeFailedDelete` events: that is
not reported here. Volumes with a deletion time stamp are skipped. Whether the disk still exists is not asked,
and the driver's log is not read. Without the right to list PersistentVolumes it is silent.

## What to do
Do what the message says: often the disk is still attached (`kubectl get volumeattachments`), or the driver
has lost its rights, or there is no plugin that can delete a volume of this kind. `kubectl describe pv NAME`
shows the events. If the disk is gone, or you have deleted it by hand, remove the object: `kubectl delete pv NAME`.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let failed = view
        .all::<PersistentVolume>()
        .iter()
        .filter(|volume| volume.status.phase == "Failed" && !volume.metadata.deleting());
    failed
        .map(|volume| {
            let object = volume.object_ref();
            let event =
                view.event(&object, "VolumeFailedDelete").or_else(|| view.event(&object, "VolumeFailedRecycle"));
            let message = if volume.status.message.is_empty() {
                event.map_or("", |event| &event.message)
            } else {
                &volume.status.message
            };
            let policy = &volume.spec.persistent_volume_reclaim_policy;
            let said = if message.is_empty() {
                String::new()
            } else {
                format!(": {}", crate::detect::storage::reason(message))
            };
            let mut finding = Finding::new(
                object.clone(),
                Severity::Warning,
                Stage::Ready,
                format!("volume is Failed, it could not be reclaimed ({policy}){said}"),
            )
            .field(&object, "status.phase", &volume.status.phase);
            if !volume.status.message.is_empty() {
                finding = finding.field(&object, "status.message", &volume.status.message);
            }
            describe(event.into_iter().fold(finding, Finding::event), &object)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: PersistentVolume
metadata: {name: pv-1}
spec: {persistentVolumeReclaimPolicy: Delete}
status: {phase: PHASE, message: 'error getting deleter volume plugin for volume \"pv-1\": no deletable volume plugin matched'}
";

    #[test]
    fn could_not_be_deleted() {
        check(
            &super::DETECTOR,
            &YAML.replace("PHASE", "Failed"),
            "warning PersistentVolume pv-1: volume is Failed, it could not be reclaimed (Delete): error getting deleter volume plugin for volume \"pv-1\": no deletable volume plugin matched",
        );
    }

    #[test]
    fn released_on_purpose() {
        check(&super::DETECTOR, &YAML.replace("PHASE", "Released"), "");
    }
}
