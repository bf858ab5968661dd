//! Pods that have a node whose kubelet does nothing about them.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "pod-not-accepted",
    summary: "Pod has a ready node, and the kubelet there has not begun with it",
    group: Group::Nodes,
    reads: &[Kind::Pod, Kind::Node],
    wants: None,
    doc: r"## What it detects
A pending pod that has had a node for a minute and a half, where the kubelet has written neither a start time
nor a container status, although the node is ready.

## Why it matters
The kubelet renews its lease and does nothing else: its sync loop hangs, or it does not see its pods. Every pod
that is placed there waits, and only the node's logs tell.

## Evidence
`spec.nodeName`, the missing `status.startTime`, and how long ago the pod got its node (condition
`PodScheduled`).

## Look-alikes
A node that is not ready: `node-not-ready`. A node that does not exist: `node-name-missing`. A pod whose kubelet
has begun, and that stays in ContainerCreating: `container-creating-stuck`, or one of the volume detectors.

A kubelet takes a pod within seconds. It may need longer while very many pods start at once, and a virtual node
(one that hands its pods on to another service) may write the start time only later.

## What it does not see
Why the kubelet does not take the pod: its log is on the node and is not read. Without the right to read nodes
this is silent. So it is about a kubelet that hangs after it has taken the pod.

## What to do
On the node: `journalctl -u kubelet --since -15min`, then `systemctl restart kubelet`; running containers
survive that. Until then `kubectl cordon NODE`, so that no more pods go there. A pod that is deleted stays
Terminating while the kubelet hangs; its replacement is placed elsewhere.",
    run,
};

/// A kubelet that starts very many pods at once needs some time.
const PATIENCE: i64 = 90;

fn run(view: &View<'_>) -> Vec<Finding> {
    let waiting = |pod: &&Pod| {
        pod.status.phase == "Pending"
            && !pod.spec.node_name.is_empty()
            && pod.status.start_time.is_none()
            && pod.status.all_statuses().next().is_none()
    };
    view.live_pods().filter(waiting).filter_map(|pod| finding(view, pod)).collect()
}

fn finding(view: &View<'_>, pod: &Pod) -> Option<Finding> {
    let node = view.get::<Node>("", &pod.spec.node_name)?;
    let ready = condition(&node.status.conditions, "Ready").is_some_and(Condition::is_true);
    let placed = condition(&pod.status.conditions, "PodScheduled").and_then(|placed| *placed.last_transition_time);
    let since = placed.or(*pod.metadata.creation_timestamp);
    let age = view.age(since).filter(|age| ready && *age >= PATIENCE)?;
    let (object, at) = (pod.object_ref(), node.object_ref());
    let summary = format!(
        "got node {} {} minutes ago, and the kubelet there has not begun with it, though the node is ready",
        at.name,
        (age / 60).max(1)
    )
    .replace(" 1 minutes", " a minute");
    let finding = Finding::new(object.clone(), view.pod_severity(pod), Stage::Start, summary)
        .key(&*at.name)
        .field(&object, "spec.nodeName", &*at.name)
        .field(&object, "status.phase", &pod.status.phase)
        .culprit(at.clone())
        .since(since)
        .unknown("why the kubelet does not take it: its log on the node tells");
    Some(describe(finding, &at))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: Node
metadata: {name: node-1}
status: {conditions: [{type: Ready, status: READY}]}
---
kind: Pod
metadata: {name: web, namespace: shop, creationTimestamp: '2026-01-01T11:5TIME'}
spec: {nodeName: node-1}
status: {phase: Pending, STATUS conditions: [{type: PodScheduled, status: 'True', lastTransitionTime: '2026-01-01T11:5TIME'}]}
";

    fn yaml(ready: &str, time: &str, status: &str) -> String {
        YAML.replace("READY", ready).replace("TIME", time).replace("STATUS", status)
    }

    #[test]
    fn the_kubelet_does_nothing() {
        check(
            &super::DETECTOR,
            &yaml("'True'", "5:00Z", ""),
            "critical Pod shop/web: got node node-1 5 minutes ago, and the kubelet there has not begun with it, though the node is ready <- Node node-1",
        );
    }

    #[test]
    fn it_has_begun_or_can_not() {
        check(&super::DETECTOR, &yaml("'True'", "5:00Z", "startTime: '2026-01-01T11:55:01Z',"), "");
        check(&super::DETECTOR, &yaml("Unknown", "5:00Z", ""), "");
        check(&super::DETECTOR, &yaml("'True'", "9:00Z", ""), "");
    }
}
