//! Pods whose nodes are not ready.

use crate::detect::prelude::*;
use crate::detect::scheduling::{self, Reason};

pub(super) const DETECTOR: Detector = Detector {
    id: "no-ready-node",
    summary: "Every node that the pod could use is not ready or under pressure",
    group: Group::Scheduling,
    reads: &[Kind::Pod, Kind::Node],
    wants: None,
    doc: r"## What it detects
A pod without a node, where nothing stands against it at some node but a taint that Kubernetes put
there: `node.kubernetes.io/not-ready`, `unreachable`, `memory-pressure` and the like. It is a
symptom: the node's own fault explains it.

## Why it matters
The pods of a node that went down find no other place: the rest of the cluster is full or not
allowed for them.

## Evidence
The scheduler's message and the node's taint.

## Look-alikes
A taint that people put on a node is `taint-not-tolerated`, a cordon `nodes-cordoned`. Too little room on the nodes
that are well is `insufficient-resources`. Why the node is down is told at the node: `node-not-ready`, `node-pressure`,
`node-network-unavailable`. Where the node is only starting, this passes by itself.

## What it does not see
Without the right to read nodes it can't look at taints, and is silent. It is silent for five minutes after an
autoscaler has asked for a node. Whether the pod would really fit on the node once it is well is judged from labels,
taints, volumes and what the scheduler named, no more.

## What to do
Mend the node, or add one. `kubectl describe node NAME` shows its conditions and taints. The taint goes by itself when
the condition does: don't remove it by hand.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let (pods, _) = scheduling::unplaced(view, Reason::NodeDown);
    let finding = |unplaced: &scheduling::Unplaced<'_>| {
        let node = *unplaced.nodes.first()?;
        let taint = node
            .spec
            .taints
            .iter()
            .find(|taint| scheduling::passing_taint(taint) && !scheduling::tolerates(unplaced.pod, taint))?;
        let names = scheduling::names(&unplaced.nodes);
        let object = node.object_ref();
        let finding =
            unplaced.finding(view, format!("the nodes that would take it are not usable ({}): {names}", taint.key));
        let finding = finding
            .field(&object, "spec.taints", format!("{}:{}", taint.key, taint.effect))
            .culprit(object.clone())
            .symptom();
        Some(describe(finding, &object))
    };
    pods.iter().filter_map(finding).collect()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: Node
metadata: {name: node-1}
spec: {taints: [{key: node.kubernetes.io/unreachable, effect: NoSchedule}]}
status: {allocatable: {cpu: '4', pods: '110'}}
---
kind: Pod
metadata: {name: web, namespace: shop}
spec: {containers: [{name: a, resources: {requests: {cpu: '1'}}}], nodeSelector: {SELECT}}
status:
  phase: Pending
  conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable, message: '0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }.'}]
";

    #[test]
    fn the_only_node_is_down() {
        check(
            &super::DETECTOR,
            &YAML.replace("SELECT", ""),
            "critical Pod shop/web: the nodes that would take it are not usable (node.kubernetes.io/unreachable): node-1 <- Node node-1",
        );
    }

    #[test]
    fn the_node_that_is_down_would_not_do() {
        check(&super::DETECTOR, &YAML.replace("SELECT", "disk: ssd"), "");
    }
}
