//! Volumes for one node that another node holds.

use std::collections::BTreeSet;

use crate::detect::prelude::*;
use crate::detect::storage;

pub(super) const DETECTOR: Detector = Detector {
    id: "volume-attached-elsewhere",
    summary: "ReadWriteOnce volume is attached to another node (Multi-Attach error)",
    group: Group::Storage,
    reads: &[Kind::Pod, Kind::Event, Kind::PersistentVolumeClaim],
    wants: None,
    doc: r"## What it detects
A pod that can't start because its `ReadWriteOnce` volume is still attached to another node: the
event `FailedAttachVolume` with `Multi-Attach error`. It names who holds the volume: another replica,
the old pod of a rolling update, or a node that is down.

## Why it matters
Such a volume is on one node at a time. A Deployment with two replicas, or one that starts the new
pod before the old one goes, waits for itself.

## Evidence
The event, the pod that uses the claim on the other node, and the VolumeAttachment.

## Look-alikes
- Any other answer of the driver: `volume-attach-failed`.
- `ReadWriteOncePod`, where a second pod is kept back even on the same node: `claim-in-use`.
- A pod with the same claim that is ending: the first minute is normal and not reported. If it does not end:
  `pod-terminating`.
- The node that holds it is down: `node-not-ready` tells why.
- The event is old and the volume was let go since: attaching is tried again within minutes.

## What it does not see
Who holds the volume, where that is no pod of this namespace: then only the VolumeAttachment's node is named,
and without the right to list attachments not even that. File systems and drivers that need no attachment
never give this event. Only a pod none of whose containers has begun is looked at. Whether a node that is
silent is really off can't be told from here.

## What to do
`kubectl get volumeattachments` and `kubectl get pods -o wide` show both sides. For a Deployment with such a
volume use strategy `Recreate` and one replica. After a node failure, and once the node is surely off (else
two nodes write to one disk): `kubectl taint nodes NODE node.kubernetes.io/out-of-service=nodeshutdown:NoExecute`,
and the volume is detached. Remove the taint when the node is back.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.all::<Pod>().iter().filter_map(|pod| finding(view, pod)).collect()
}

fn finding(view: &View<'_>, pod: &Pod) -> Option<Finding> {
    let event = storage::blocked(view, pod, &["FailedAttachVolume"])
        .into_iter()
        .find(|event| event.message.contains("Multi-Attach"))?;
    let name = storage::volume_of(&event.message).unwrap_or_default();
    let claim = crate::detect::scheduling::claims(view, pod).into_iter().find(|claim| claim.spec.volume_name == name);
    let users = claim.map(|claim| storage::consumers(view, claim)).unwrap_or_default();
    let holders: Vec<&Pod> = users
        .into_iter()
        .filter(|other| !other.spec.node_name.is_empty() && other.spec.node_name != pod.spec.node_name)
        .collect();
    let workload = view.workload_of(pod);
    let leaving = holders.iter().all(|holder| holder.metadata.deleting());
    let attached = view.all::<VolumeAttachment>().iter().find(|a| {
        a.spec.source.persistent_volume_name == name && a.status.attached && a.spec.node_name != pod.spec.node_name
    });
    let held_at =
        holders.first().map(|holder| holder.spec.node_name.as_str()).or(attached.map(|a| a.spec.node_name.as_str()));
    let node = held_at.and_then(|node| view.get::<Node>("", node));
    let down = node.filter(|node| condition(&node.status.conditions, "Ready").is_some_and(|ready| !ready.is_true()));
    if leaving && down.is_none() && view.age(event.first()).is_some_and(|age| age < SETTLED) {
        return None;
    }
    let what =
        claim.map_or_else(|| format!("volume {name}"), |claim| format!("volume of claim {}", claim.metadata.name));
    let at = held_at.unwrap_or("another node");
    let owners: BTreeSet<ObjectRef> = holders.iter().map(|holder| view.workload_of(holder)).collect();
    let deadlock = crate::detect::scheduling::deadlock(view, pod, &holders);
    let why = if let Some(node) = down {
        format!("which is not ready and does not let it go: {}", node.metadata.name)
    } else if let Some(deadlock) = deadlock {
        format!("where the pod of the old ReplicaSet uses it: {deadlock}")
    } else if owners.len() == 1 && owners.contains(&workload) {
        "where another replica of it uses it: the claim can serve pods on one node only".to_owned()
    } else if owners.is_empty() {
        "and is not detached there".to_owned()
    } else {
        format!("where {} uses it", list(&owners.iter().map(ToString::to_string).collect::<Vec<_>>()))
    };
    let mut finding = Finding::new(
        pod.object_ref(),
        view.pod_severity(pod),
        Stage::Mount,
        format!("Multi-Attach error: ReadWriteOnce {what} is attached to {at}, {why}"),
    )
    .key(name)
    .event(event)
    .since(event.first());
    if let Some(claim) = claim {
        finding = finding.field(&claim.object_ref(), "spec.accessModes", claim.spec.access_modes.join(", "));
    }
    if let Some(node) = down {
        finding = finding.culprit(node.object_ref());
    } else if let Some(other) = owners.iter().find(|owner| **owner != workload) {
        finding = finding.culprit(other.clone());
    }
    Some(finding.look(
        "see where the volume is attached",
        &ObjectRef::new(Kind::VolumeAttachment, "", ""),
        &["get", "volumeattachments"],
    ))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: Node
metadata: {name: node-1}
status: {conditions: [{type: Ready, status: READY}]}
---
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop}
spec: {volumeName: pv-1, accessModes: [ReadWriteOnce]}
status: {phase: Bound}
---
kind: Pod
metadata: {name: OTHER, namespace: shop DELETED}
spec: {nodeName: node-1, volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]}
status: {phase: Running}
---
kind: Pod
metadata: {name: web, namespace: shop}
spec: {nodeName: node-2, volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]}
status: {phase: Pending, containerStatuses: [{name: a, state: {waiting: {reason: ContainerCreating}}}]}
---
kind: Event
metadata: {name: e, namespace: shop}
type: Warning
involvedObject: {kind: Pod, namespace: shop, name: web}
reason: FailedAttachVolume
message: 'Multi-Attach error for volume \"pv-1\" Volume is already used by pod(s) OTHER'
firstTimestamp: '2026-01-01T11:59:30Z'
";

    fn yaml(ready: &str, deleted: &str) -> String {
        YAML.replace("READY", ready).replace(" DELETED", deleted).replace("OTHER", "batch")
    }

    #[test]
    fn another_pod_uses_it() {
        check(
            &super::DETECTOR,
            &yaml("'True'", ""),
            "critical Pod shop/web: Multi-Attach error: ReadWriteOnce volume of claim data is attached to node-1, where Pod shop/batch uses it <- Pod shop/batch",
        );
    }

    #[test]
    fn its_node_is_down() {
        check(
            &super::DETECTOR,
            &yaml("Unknown", ", deletionTimestamp: '2026-01-01T11:59:00Z'"),
            "critical Pod shop/web: Multi-Attach error: ReadWriteOnce volume of claim data is attached to node-1, which is not ready and does not let it go: node-1 <- Node node-1",
        );
    }

    #[test]
    fn the_other_pod_is_ending() {
        check(&super::DETECTOR, &yaml("'True'", ", deletionTimestamp: '2026-01-01T12:00:10Z'"), "");
    }
}
