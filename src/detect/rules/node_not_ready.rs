//! Nodes that don't run pods any more.

use crate::detect::nodes;
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "node-not-ready",
    summary: "Node is not ready: its kubelet is silent, or says that it can't run pods",
    group: Group::Nodes,
    reads: &[Kind::Node, Kind::Lease],
    wants: None,
    doc: r"## What it detects
A node whose condition `Ready` is `Unknown` (its kubelet stopped to report) or `False` (it reports
that it can't run pods: no container runtime, no network plugin), or is still `True` while its kubelet has
long been silent and no controller manager has noticed; and what else the node says of
itself at that time.

## Why it matters
After five minutes its pods are evicted, if they tolerate no more. Pods of a StatefulSet, and pods
with a volume for one node, can't start elsewhere until the node is surely gone.

## Evidence
The condition with reason and message, and the last heartbeat: `spec.renewTime` of the node's Lease.

## Look-alikes
A node under pressure that is ready is `node-pressure`; one that is only cordoned is well. If all nodes are silent at
once, the API server or the network to it is more likely at fault, or the controller manager
(`control-plane-lease-expired`). A node that joined within the last minute and has not become ready yet is only a
warning. A node that still says that it is ready counts as silent only where neither its Lease nor its status was
renewed for six minutes.

## What it does not see
Why the kubelet is silent: a dead machine, a dead kubelet and a cut network look the same from the API server. The
node's own logs are not read. A node without a `Ready` condition is told after a minute. Without its Lease a node that
says Ready is believed. A node whose Node object was deleted is not seen at all.

## What to do
`kubectl describe node NAME`. `Unknown`: see whether the machine runs and reaches the API server; on it,
`journalctl -u kubelet`, and restart the kubelet. `False`: do what the message says. If the machine is gone for good,
delete the Node (`kubectl delete node NAME`), so that its pods and volumes are set free; if it is surely off but comes
back, taint it: `kubectl taint node NAME node.kubernetes.io/out-of-service=nodeshutdown:NoExecute`.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.all::<Node>().iter().filter_map(|node| finding(view, node)).collect()
}

fn finding(view: &View<'_>, node: &Node) -> Option<Finding> {
    let object = node.object_ref();
    let joined = view.age(*node.metadata.creation_timestamp);
    let ready = condition(&node.status.conditions, "Ready");
    let lease = view.get::<Lease>("kube-node-lease", &object.name);
    let beat = lease.and_then(|lease| *lease.spec.renew_time).or(ready.and_then(|ready| *ready.last_heartbeat_time));
    let Some(ready) = ready else {
        // A machine that never came up: its object was made by a cloud or by hand.
        joined.filter(|age| *age >= SETTLED)?;
        let summary = "node is NotReady: its kubelet has never reported";
        let finding = Finding::new(object.clone(), Severity::Critical, Stage::Ready, summary);
        let finding = finding.field(&object, "status.conditions", "[]").since(*node.metadata.creation_timestamp);
        return Some(describe(finding, &object));
    };
    if ready.is_true() {
        return silent(view, node, ready, beat);
    }
    let mut summary = if ready.status == "Unknown" {
        let last = beat.map(|time| format!("; its last heartbeat was at {}", nodes::clock(time))).unwrap_or_default();
        format!("node is NotReady (Ready=Unknown, {}): {}{last}", ready.reason, ready.message.trim_end_matches('.'))
    } else {
        format!("node is NotReady (Ready={}, {}): {}", ready.status, ready.reason, ready.message.trim_end_matches('.'))
    };
    let more: Vec<String> = nodes::troubles(node).into_iter().map(|trouble| trouble.kind.clone()).collect();
    if !more.is_empty() {
        summary = format!("{summary}; it also reports {}", list(&more));
    }
    if node.spec.taints.iter().any(|taint| taint.key == "node.cloudprovider.kubernetes.io/shutdown") {
        summary = format!("{summary}; the cloud says that the machine is shut down");
    }
    let new = joined.is_some_and(|age| age < SETTLED) && nodes::idle(view, node);
    let severity = if new { Severity::Warning } else { Severity::Critical };
    let mut finding = Finding::new(object.clone(), severity, Stage::Ready, summary)
        .field(&object, "status.conditions[Ready]", nodes::quote(ready))
        .since(*ready.last_transition_time);
    if let Some((lease, time)) = lease.and_then(|lease| Some((lease, (*lease.spec.renew_time)?))) {
        finding = finding.field(&lease.object_ref(), "spec.renewTime", time.to_string());
    }
    for trouble in nodes::troubles(node) {
        finding = finding.field(&object, format!("status.conditions[{}]", trouble.kind), nodes::quote(trouble));
    }
    Some(describe(finding, &object))
}

/// A node that was ready when it was last heard of. The controller manager turns that into `Unknown` within a minute;
/// where it does not, it is down itself.
fn silent(view: &View<'_>, node: &Node, ready: &Condition, beat: Option<Time>) -> Option<Finding> {
    const LONG: i64 = 360;
    let last =
        beat.max(*ready.last_heartbeat_time).filter(|time| view.age(Some(*time)).is_some_and(|age| age > LONG))?;
    // Without a Lease the condition's time alone is no proof.
    let lease = view.get::<Lease>("kube-node-lease", &node.metadata.name)?;
    lease.spec.renew_time.is_some().then_some(())?;
    let object = node.object_ref();
    let summary = format!(
        "node says that it is Ready, but its kubelet has been silent: its last heartbeat was at {}, and nothing has marked it NotReady",
        nodes::clock(last)
    );
    let finding = Finding::new(object.clone(), Severity::Critical, Stage::Ready, summary)
        .field(&object, "status.conditions[Ready]", nodes::quote(ready))
        .field(&lease.object_ref(), "spec.renewTime", last.to_string())
        .since(Some(last));
    Some(describe(finding, &object))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: Node
metadata: {name: node-1, creationTimestamp: '2026-01-01T11:JOINED:00Z'}
status: {conditions: [CONDITIONS]}
---
kind: Lease
metadata: {name: node-1, namespace: kube-node-lease}
spec: {renewTime: '2026-01-01T11:57:20Z'}
";

    fn yaml(joined: &str, conditions: &str) -> String {
        YAML.replace("JOINED", joined).replace("CONDITIONS", conditions)
    }

    #[test]
    fn silent() {
        let ready =
            "{type: Ready, status: Unknown, reason: NodeStatusUnknown, message: Kubelet stopped posting node status.}";
        check(
            &super::DETECTOR,
            &yaml("00", ready),
            "critical Node node-1: node is NotReady (Ready=Unknown, NodeStatusUnknown): Kubelet stopped posting node status; its last heartbeat was at 11:57:20 UTC",
        );
    }

    #[test]
    fn unable() {
        let conditions = "{type: Ready, status: 'False', reason: KubeletNotReady, message: 'container runtime is down'}, {type: DiskPressure, status: 'True'}";
        check(
            &super::DETECTOR,
            &yaml("00", conditions),
            "critical Node node-1: node is NotReady (Ready=False, KubeletNotReady): container runtime is down; it also reports DiskPressure",
        );
    }

    #[test]
    fn never_reported() {
        check(
            &super::DETECTOR,
            &yaml("50", ""),
            "critical Node node-1: node is NotReady: its kubelet has never reported",
        );
    }

    #[test]
    fn ready_by_its_own_old_words() {
        let ready = "{type: Ready, status: 'True', reason: KubeletReady, lastHeartbeatTime: '2026-01-01T11:48:00Z'}";
        check(
            &super::DETECTOR,
            &yaml("00", ready).replace("11:57:20", "11:50:00"),
            "critical Node node-1: node says that it is Ready, but its kubelet has been silent: its last heartbeat was at 11:50:00 UTC, and nothing has marked it NotReady",
        );
        check(&super::DETECTOR, &yaml("00", ready), "");
    }

    #[test]
    fn ready() {
        check(
            &super::DETECTOR,
            &yaml("00", "{type: Ready, status: 'True'}, {type: MemoryPressure, status: 'False'}"),
            "",
        );
    }
}
