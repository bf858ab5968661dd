//! Pods whose nodes take no new pods.

use crate::detect::prelude::*;
use crate::detect::scheduling::{self, Reason};

pub(super) const DETECTOR: Detector = Detector {
    id: "nodes-cordoned",
    summary: "Every node that the pod could use is cordoned",
    group: Group::Scheduling,
    reads: &[Kind::Pod, Kind::Node],
    wants: None,
    doc: r"## What it detects
A pod without a node, where nothing but `spec.unschedulable` stands against it at some node: it was
cordoned, or is being drained.

## Why it matters
A node that was cordoned for maintenance and forgotten takes no pod any more, though it is healthy.

## Evidence
The scheduler's message (`node(s) were unschedulable`) and `spec.unschedulable` of the nodes.

## Look-alikes
A taint that people put there is `taint-not-tolerated`, one that Kubernetes put there for a sick node `no-ready-node`.
No room on any node, cordoned or not, is `insufficient-resources`. Cordoned nodes at which something else stands
against the pod too are not blamed where another node needs less to change. An upgrade of the nodes that is under way
looks the same as a cordon that was forgotten.

## What it does not see
Who cordoned the node, why, and since when: Kubernetes keeps none of it. Nodes that are cordoned while every pod has a
place are not reported. Without the right to read nodes there is nothing to name. It is silent for five minutes after
an autoscaler has asked for a node.

## What to do
`kubectl get nodes` shows `SchedulingDisabled`. When the maintenance is over: `kubectl uncordon NAME`. During a drain,
wait or add a node. If a drain does not end, see `pdb-blocks-eviction`.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let (pods, _) = scheduling::unplaced(view, Reason::Cordoned);
    let finding = |unplaced: &scheduling::Unplaced<'_>| {
        let names = scheduling::names(&unplaced.nodes);
        let some = unplaced.nodes.len() < view.all::<Node>().len();
        let which = if some { "every node that would take it is cordoned" } else { "every node is cordoned" };
        let mut finding = unplaced.finding(view, format!("{which} (unschedulable): {names}"));
        if let [node] = unplaced.nodes.as_slice() {
            finding = finding.culprit(node.object_ref());
        }
        for node in unplaced.nodes.iter().take(3) {
            let object = node.object_ref();
            finding = finding.field(&object, "spec.unschedulable", node.spec.unschedulable.to_string());
            finding = finding.fix(
                "let it take pods again, when its maintenance is over",
                &object,
                &["uncordon", &object.name],
            );
        }
        finding
    };
    pods.iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: Node
metadata: {name: node-1}
spec: {unschedulable: true, taints: [{key: node.kubernetes.io/unschedulable, effect: NoSchedule}]}
status: {allocatable: {cpu: '4', pods: '110'}}
---
kind: Node
metadata: {name: node-2}
status: {allocatable: {cpu: '1', pods: '110'}}
---
kind: Pod
metadata: {name: web, namespace: shop}
spec: {containers: [{name: a, resources: {requests: {cpu: 'NEED'}}}], tolerations: [TOLERATION]}
status:
  phase: Pending
  conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable, message: '0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable.'}]
";

    #[test]
    fn the_node_with_room_is_cordoned() {
        check(
            &super::DETECTOR,
            &YAML.replace("NEED", "2").replace("TOLERATION", ""),
            "critical Pod shop/web: every node that would take it is cordoned (unschedulable): node-1 <- Node node-1",
        );
    }

    #[test]
    fn no_node_has_room_cordoned_or_not() {
        check(&super::DETECTOR, &YAML.replace("NEED", "64").replace("TOLERATION", ""), "");
    }

    #[test]
    fn cordons_are_tolerated() {
        check(&super::DETECTOR, &YAML.replace("NEED", "8").replace("TOLERATION", "{operator: Exists}"), "");
    }
}
