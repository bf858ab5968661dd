//! Volumes that can't be attached to their pod's node.

use crate::detect::prelude::*;
use crate::detect::storage;

pub(super) const DETECTOR: Detector = Detector {
    id: "volume-attach-failed",
    summary: "Volume can't be attached to the pod's node",
    group: Group::Storage,
    reads: &[Kind::Pod, Kind::Event],
    wants: None,
    doc: r"## What it detects
A pod that can't start because a volume can't be attached to its node: the event
`FailedAttachVolume` with what the driver or the cloud answers (too many disks for this size of
machine, disk not found, no right to attach it).

## Why it matters
The pod stays in `ContainerCreating`; it is not moved to another node.

## Evidence
The event, and the error of the VolumeAttachment.

## Look-alikes
- Another node holds the volume (`Multi-Attach error`): `volume-attached-elsewhere`.
- The volume is attached and can't be mounted (`FailedMount`): `volume-mount-failed`.
- The scheduler already knows that the node is full of disks: `volume-limit-reached`. Here the bound of the
  driver is higher than what the machine really takes, or disks that Kubernetes does not know are attached.
- Attaching takes a minute or two at some clouds; one early failure may pass by itself, and is reported all
  the same.

## What it does not see
Only events tell (they last an hour by default): a failure without an event, or one whose last event is older
than ten minutes, is silent, and so is a pod with any container that has begun. The logs of the driver and of
its attacher are not read. Under -n, attachments are read only as far as the right to list them goes.

## What to do
Do what the answer says. `kubectl get volumeattachments` shows what is attached where, and
`kubectl get csinode NODE -o yaml` the driver's bound. With too many disks: move pods with volumes away, or use
a larger machine. With missing rights or a disk that is gone: see the driver's identity, and the disk in the
cloud's console by the PersistentVolume's `volumeHandle`.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.all::<Pod>().iter().filter_map(|pod| finding(view, pod)).collect()
}

fn finding(view: &View<'_>, pod: &Pod) -> Option<Finding> {
    let events = storage::blocked(view, pod, &["FailedAttachVolume"]);
    if events.iter().any(|event| event.message.contains("Multi-Attach")) {
        return None;
    }
    let event = events.into_iter().find(|event| view.age(event.last()).is_none_or(|age| age < 10 * SETTLED))?;
    let name = storage::volume_of(&event.message).unwrap_or_default();
    let claim = crate::detect::scheduling::claims(view, pod).into_iter().find(|claim| claim.spec.volume_name == name);
    let what =
        claim.map_or_else(|| format!("volume {name}"), |claim| format!("volume of claim {}", claim.metadata.name));
    let summary = format!(
        "{what} can't be attached to {} (FailedAttachVolume): {}",
        pod.spec.node_name,
        storage::reason(&event.message)
    );
    let mut finding = Finding::new(pod.object_ref(), view.pod_severity(pod), Stage::Mount, summary)
        .key(name)
        .event(event)
        .since(event.first());
    let attachment = view
        .all::<VolumeAttachment>()
        .iter()
        .find(|a| a.spec.source.persistent_volume_name == name && a.spec.node_name == pod.spec.node_name);
    if let Some((attachment, error)) = attachment.and_then(|a| Some((a, a.status.attach_error.as_ref()?))) {
        finding = finding.field(&attachment.object_ref(), "status.attachError.message", &error.message);
    }
    Some(finding.look(
        "see where volumes are attached",
        &ObjectRef::new(Kind::VolumeAttachment, "", ""),
        &["get", "volumeattachments"],
    ))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop}
spec: {volumeName: pv-1}
status: {phase: Bound}
---
kind: Pod
metadata: {name: web, namespace: shop}
spec: {nodeName: node-2, volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]}
status: {phase: PHASE, containerStatuses: [{name: a, state: STATE}]}
---
kind: Event
metadata: {name: e, namespace: shop}
type: Warning
involvedObject: {kind: Pod, namespace: shop, name: web}
reason: FailedAttachVolume
message: 'AttachVolume.Attach failed for volume \"pv-1\" : rpc error: code = ResourceExhausted desc = The maximum number of data disks allowed to be attached to a VM of this size is 4.'
lastTimestamp: '2026-01-01T11:59:30Z'
";

    #[test]
    fn too_many_disks() {
        check(
            &super::DETECTOR,
            &YAML.replace("PHASE", "Pending").replace("STATE", "{waiting: {reason: ContainerCreating}}"),
            "critical Pod shop/web: volume of claim data can't be attached to node-2 (FailedAttachVolume): The maximum number of data disks allowed to be attached to a VM of this size is 4",
        );
    }

    #[test]
    fn it_was_attached_at_last() {
        check(&super::DETECTOR, &YAML.replace("PHASE", "Running").replace("STATE", "{running: {}}"), "");
    }

    /// What fails after that is the mount, and `volume-mount-failed` tells it.
    #[test]
    fn it_is_attached_and_not_mounted() {
        let attached = "
---
kind: Event
metadata: {name: e2, namespace: shop}
involvedObject: {kind: Pod, namespace: shop, name: web}
reason: SuccessfulAttachVolume
message: 'AttachVolume.Attach succeeded for volume \"pv-1\"'
lastTimestamp: '2026-01-01T11:59:50Z'
";
        let waiting = YAML.replace("PHASE", "Pending").replace("STATE", "{waiting: {reason: ContainerCreating}}");
        check(&super::DETECTOR, &(waiting + attached), "");
    }
}
