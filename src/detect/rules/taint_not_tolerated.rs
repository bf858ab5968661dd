//! Pods that are kept away by taints that people put on nodes.

use std::collections::BTreeMap;

use crate::detect::prelude::*;
use crate::detect::scheduling::{self, Reason, Unplaced};

pub(super) const DETECTOR: Detector = Detector {
    id: "taint-not-tolerated",
    summary: "Pod does not tolerate the taints of the nodes that it could use",
    group: Group::Scheduling,
    reads: &[Kind::Pod, Kind::Node],
    wants: None,
    doc: r"## What it detects
A pod without a node because every node that carries what it asks for (labels, volumes, devices) is
tainted with something that it does not tolerate.

## Why it matters
A taint keeps all pods away that don't name it. A forgotten taint on the last free nodes, or a
forgotten toleration in the workload, keeps the pod waiting for ever.

## Evidence
The scheduler's message, and the taints of the nodes. The control plane's taint is named only where
there is no other.

## Look-alikes
- Taints that Kubernetes itself puts on nodes (`node.kubernetes.io/...`) are the node's fault:
  `no-ready-node` for nodes not ready or under pressure, `nodes-cordoned` for cordoned ones.
- An untainted node would do and is full: `insufficient-resources`. The message names the taint all the same.
- No node carries the labels that the pod selects: `node-selector-unmatched`.
- The taint may be meant: a pool kept for others. Then the pod needs other nodes, not a toleration.
- A taint that a start-up agent removes when it is done (a CNI plugin's, a GPU driver's) looks the same for
  a minute or two.

## What it does not see
Pods that a `NoExecute` taint evicts from a node: only pods without a node are looked at. `PreferNoSchedule`
never counts. Without the right to list nodes, only the scheduler's words are there and no taint is named.
Tolerations are weighed by `Equal` and `Exists` alone. It is silent for five minutes after `TriggeredScaleUp`.

## What to do
`kubectl get nodes -o custom-columns=NAME:.metadata.name,TAINTS:.spec.taints` shows the taints. If the pod is
meant for these nodes, give it the toleration that is named. If the taint is a leftover, remove it:
`kubectl taint nodes NODE KEY:EFFECT-`. A node pool's template may put it back on new nodes.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let (pods, _) = scheduling::unplaced(view, Reason::Taint);
    pods.iter().map(|unplaced| finding(view, unplaced)).collect()
}

fn finding(view: &View<'_>, unplaced: &Unplaced<'_>) -> Finding {
    let pod = unplaced.pod;
    let mut by_taint: BTreeMap<String, (&Taint, Vec<&Node>)> = BTreeMap::new();
    for node in &unplaced.nodes {
        let foreign = |taint: &&Taint| {
            taint.effect != "PreferNoSchedule"
                && !scheduling::tolerates(pod, taint)
                && !scheduling::passing_taint(taint)
        };
        for taint in node.spec.taints.iter().filter(foreign) {
            by_taint.entry(scheduling::taint_text(taint)).or_insert_with(|| (taint, Vec::new())).1.push(node);
        }
    }
    // The control plane is kept free in every cluster: it is named only where there is nothing else.
    let plane = |taint: &Taint| {
        taint.key == "node-role.kubernetes.io/control-plane" || taint.key == "node-role.kubernetes.io/master"
    };
    if by_taint.values().any(|(taint, _)| !plane(taint)) {
        by_taint.retain(|_, (taint, _)| !plane(taint));
    }
    let clauses: Vec<String> =
        by_taint.iter().map(|(text, (_, nodes))| format!("{text} of {}", scheduling::names(nodes))).collect();
    let word = if clauses.len() == 1 { "taint" } else { "taints" };
    let near = by_taint.values().find_map(|(taint, _)| scheduling::nearly_tolerated(pod, taint)).unwrap_or_default();
    let summary = if clauses.is_empty() {
        "does not tolerate the taints of the nodes".to_owned()
    } else {
        format!("does not tolerate the {word} {}{near}", list(&clauses))
    };
    let mut finding = unplaced.finding(view, summary);
    for (text, (_, nodes)) in &by_taint {
        finding =
            nodes.iter().take(1).fold(finding, |finding, node| finding.field(&node.object_ref(), "spec.taints", text));
    }
    let finding = finding.look(
        "see the nodes' taints",
        &ObjectRef::new(Kind::Node, "", ""),
        &["get", "nodes", "-o", "custom-columns=NAME:.metadata.name,TAINTS:.spec.taints"],
    );
    scheduling::edit(finding, view, pod, "give it the toleration, if it is meant for these nodes")
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: Node
metadata: {name: cp}
spec: {taints: [{key: node-role.kubernetes.io/control-plane, effect: NoSchedule}]}
---
kind: Node
metadata: {name: node-1, labels: {pool: gpu}}
spec: {taints: [{key: dedicated, value: gpu, effect: NoSchedule}]}
---
kind: Pod
metadata: {name: web, namespace: shop}
spec: {SPEC}
status:
  phase: Pending
  conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable, message: '0/2 nodes are available: 1 node(s) had untolerated taint {dedicated: gpu}, 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }.'}]
";

    #[test]
    fn no_toleration() {
        check(
            &super::DETECTOR,
            &YAML.replace("SPEC", ""),
            "critical Pod shop/web: does not tolerate the taint dedicated=gpu:NoSchedule of node-1",
        );
    }

    #[test]
    fn another_value_is_tolerated() {
        check(
            &super::DETECTOR,
            &YAML.replace("SPEC", "nodeSelector: {pool: gpu}, tolerations: [{key: dedicated, value: gpus}]"),
            "critical Pod shop/web: does not tolerate the taint dedicated=gpu:NoSchedule of node-1; it tolerates dedicated=gpus",
        );
    }

    #[test]
    fn it_is_meant_for_other_nodes() {
        check(&super::DETECTOR, &YAML.replace("SPEC", "nodeSelector: {pool: cpu}"), "");
    }

    #[test]
    fn the_node_is_not_ready() {
        check(
            &super::DETECTOR,
            &YAML.replace("SPEC", "").replace(
                "{key: dedicated, value: gpu, effect: NoSchedule}",
                "{key: node.kubernetes.io/not-ready, effect: NoSchedule}",
            ),
            "",
        );
    }
}
