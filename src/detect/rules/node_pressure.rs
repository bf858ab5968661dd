//! Nodes that run short of memory, disk or process ids.

use crate::detect::nodes;
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "node-pressure",
    summary: "Node runs short of memory, disk or process IDs",
    group: Group::Nodes,
    reads: &[Kind::Node, Kind::Pod],
    wants: None,
    doc: r"## What it detects
A node with the condition `MemoryPressure`, `DiskPressure` or `PIDPressure`.

## Why it matters
The kubelet evicts pods until the pressure is gone, those first that use most above their requests.
The node takes no new pods meanwhile; under `MemoryPressure` none without requests and limits (class BestEffort).

## Evidence
The condition with reason and message, and the pods that were evicted there.

## Look-alikes
The pods that were put out are `pod-evicted`, and those that find no place meanwhile `no-ready-node`. A container that
the kernel killed at its own limit is `oom-killed`: no pressure is needed for it. A program whose own volume is full is
`disk-full`. A node that is not ready tells of its pressure in `node-not-ready`. The kubelet keeps the condition for
five minutes after the shortage is over: it may be gone by now.

## What it does not see
What fills the node: use of memory and disk is not read, nor what on the machine is no pod. Memory that runs out faster
than the kubelet looks (every ten seconds) leads to kills by the kernel, without the condition. It counts only evicted
pods that still exist, of the last half hour, and under -n only those of that namespace.

## What to do
`kubectl describe node NAME` and `kubectl top pods -A --sort-by=memory` (needs metrics-server). Memory: find what uses
most above its request, and give it a limit. Disk: images, logs and emptyDir volumes fill it; on the machine
`crictl rmi --prune` removes unused images. Process IDs: something starts processes and does not collect them.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let pressed = |node: &&Node| node.status.conditions.iter().any(|condition| pressure(condition).is_some());
    view.all::<Node>().iter().filter(pressed).flat_map(|node| pressures(view, node)).collect()
}

/// What a condition says is short, where it does.
fn pressure(condition: &Condition) -> Option<&'static str> {
    let what = match condition.kind.as_str() {
        "MemoryPressure" => "its memory is nearly exhausted",
        "DiskPressure" => "its disk space or inodes are nearly exhausted",
        "PIDPressure" => "its process IDs are nearly exhausted",
        _ => return None,
    };
    condition.is_true().then_some(what)
}

fn pressures(view: &View<'_>, node: &Node) -> Vec<Finding> {
    // A node that is not ready tells of it there.
    if !condition(&node.status.conditions, "Ready").is_none_or(Condition::is_true) {
        return Vec::new();
    }
    let object = node.object_ref();
    let evicted = |pod: &&Pod| {
        let ended = condition(&pod.status.conditions, "DisruptionTarget").and_then(|c| *c.last_transition_time);
        let recent = view.age(ended.or(*pod.metadata.creation_timestamp)).is_none_or(|age| age < 30 * SETTLED);
        pod.status.reason == "Evicted" && pod.spec.node_name == node.metadata.name && recent
    };
    let gone = view.all::<Pod>().iter().filter(evicted).count();
    let finding = |condition: &Condition| {
        let what = pressure(condition)?;
        let message = condition.message.trim_end_matches('.');
        let said = if message.is_empty() { String::new() } else { format!(" ({message})") };
        let pods = if gone == 0 { String::new() } else { format!("; {} evicted from it", plural(gone, "pod")) };
        let summary = format!("node reports {}: {what}{said}{pods}", condition.kind);
        let severity = if gone == 0 { Severity::Warning } else { Severity::Critical };
        let finding = Finding::new(object.clone(), severity, Stage::Ready, summary)
            .key(&condition.kind)
            .field(&object, format!("status.conditions[{}]", condition.kind), nodes::quote(condition))
            .since(*condition.last_transition_time);
        Some(describe(finding, &object))
    };
    node.status.conditions.iter().filter_map(finding).collect()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: Node
metadata: {name: node-1}
status: {conditions: [{type: Ready, status: READY}, {type: KIND, status: STATUS, reason: R, message: kubelet has insufficient PID available}]}
---
kind: Pod
metadata: {name: web, namespace: shop, creationTimestamp: '2026-01-01T11:50:00Z'}
spec: {nodeName: NODE}
status: {phase: Failed, reason: Evicted}
";

    fn yaml(ready: &str, kind: &str, status: &str, node: &str) -> String {
        YAML.replace("READY", ready).replace("KIND", kind).replace("STATUS", status).replace("NODE", node)
    }

    #[test]
    fn short_of_process_ids() {
        check(
            &super::DETECTOR,
            &yaml("'True'", "PIDPressure", "'True'", "node-2"),
            "warning Node node-1: node reports PIDPressure: its process IDs are nearly exhausted (kubelet has insufficient PID available)",
        );
    }

    #[test]
    fn pods_were_evicted() {
        check(
            &super::DETECTOR,
            &yaml("'True'", "DiskPressure", "'True'", "node-1").replace("kubelet has insufficient PID available", "''"),
            "critical Node node-1: node reports DiskPressure: its disk space or inodes are nearly exhausted; 1 pod evicted from it",
        );
    }

    #[test]
    fn no_pressure() {
        check(&super::DETECTOR, &yaml("'True'", "PIDPressure", "'False'", "node-1"), "");
        check(&super::DETECTOR, &yaml("Unknown", "PIDPressure", "'True'", "node-1"), "");
    }
}
