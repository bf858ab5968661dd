//! Pods that are tied by `nodeName` to a node that does not exist.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "node-name-missing",
    summary: "Pod is tied by nodeName to a node that does not exist",
    group: Group::Scheduling,
    reads: &[Kind::Pod, Kind::Node],
    wants: None,
    doc: r"## What it detects
A workload whose pod template, or a pod of its own whose spec, has a `nodeName` that is the name of no node.

## Why it matters
No scheduler is asked where `nodeName` is set, so no event tells of it: the pod is Pending without a word, until
the controller manager deletes it a minute later, and the workload makes the next one.

## Evidence
`spec.nodeName` of the template or the pod, and the names of the nodes.

## Look-alikes
A node that exists and does not begin with the pod is `pod-not-accepted`. A `nodeSelector` or affinity for a node that
is gone is `node-selector-unmatched`. A pod that a scheduler placed on a node which was deleted since (it has the
condition `PodScheduled`) is about to be removed and made again: it is left out.

## What it does not see
Where nodes can't be read (a right that is missing) nothing is said. A workload that has all the ready pods that it
asks for is left out, and so are pods that a controller made: the template speaks for them. Whether the name is meant
for a node that is about to join can't be known.

## What to do
`kubectl get nodes` shows the names. Remove `nodeName`, and say what is meant by `nodeSelector` (for instance
`kubernetes.io/hostname`) or node affinity; or correct the name.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let missing =
        |spec: &PodSpec| !spec.node_name.is_empty() && view.absent(&ObjectRef::new(Kind::Node, "", &spec.node_name));
    let short = view.workloads().filter(|workload| !workload.meta.deleting() && workload.ready < workload.desired);
    let of_workloads = short.filter(|workload| missing(&workload.template.spec)).map(|workload| {
        let severity = view.workload_severity(&workload.object);
        let spec = &workload.template.spec;
        let finding = finding(view, &workload.object, severity, spec, "spec.template.spec.nodeName")
            .since(*workload.meta.creation_timestamp);
        if workload.object.kind == Kind::Job {
            return finding;
        }
        let argv = ["edit", &workload.object.kind.argument(), &workload.object.name];
        finding.fix("remove nodeName, or correct it", &workload.object, &argv)
    });
    let lone = view.live_pods().filter(|pod| pod.metadata.controller().is_none() && pod.status.phase == "Pending");
    let unplaced = lone.filter(|pod| condition(&pod.status.conditions, "PodScheduled").is_none());
    let of_pods = unplaced.filter(|pod| missing(&pod.spec)).map(|pod| {
        finding(view, &pod.object_ref(), Severity::Critical, &pod.spec, "spec.nodeName").since(pod_since(pod))
    });
    of_workloads.chain(of_pods).collect()
}

fn finding(view: &View<'_>, object: &ObjectRef, severity: Severity, spec: &PodSpec, path: &str) -> Finding {
    let name = &spec.node_name;
    let nodes = || view.all::<Node>().iter().map(|node| node.metadata.name.as_str());
    let hint = match meant(name, nodes()) {
        Some(near) => format!("; did you mean {near}?"),
        None => format!("; there is {}", list(&nodes().map(str::to_owned).collect::<Vec<_>>())),
    };
    let hint = if nodes().next().is_none() { String::new() } else { hint };
    let summary = format!("nodeName ties its pods to node {name}, which does not exist{hint}");
    Finding::new(object.clone(), severity, Stage::Schedule, summary)
        .field(object, path, name)
        .culprit(ObjectRef::new(Kind::Node, "", name))
        .look("see the nodes that there are", &ObjectRef::new(Kind::Node, "", ""), &["get", "nodes"])
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: Node
metadata: {name: node-1}
---
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {replicas: 1, template: {spec: {nodeName: NAME}}}
status: {readyReplicas: READY}
---
kind: Pod
metadata: {name: tool, namespace: shop}
spec: {nodeName: NAME}
status: {phase: Pending, conditions: [CONDITION]}
";

    fn yaml(name: &str, ready: &str, condition: &str) -> String {
        YAML.replace("NAME", name).replace("READY", ready).replace("CONDITION", condition)
    }

    #[test]
    fn no_such_node() {
        check(
            &super::DETECTOR,
            &yaml("worker-17", "0", ""),
            "critical Deployment shop/web: nodeName ties its pods to node worker-17, which does not exist; there is node-1 <- Node worker-17
             critical Pod shop/tool: nodeName ties its pods to node worker-17, which does not exist; there is node-1 <- Node worker-17",
        );
    }

    #[test]
    fn one_letter_away() {
        check(
            &super::DETECTOR,
            &yaml("node-2", "0", "{type: PodScheduled, status: 'True'}"),
            "critical Deployment shop/web: nodeName ties its pods to node node-2, which does not exist; did you mean node-1? <- Node node-2",
        );
    }

    #[test]
    fn the_node_is_there_or_not_known() {
        check(&super::DETECTOR, &yaml("node-1", "0", ""), "");
        let gap = "---\nkind: Gap\nwhat: nodes\nreason: forbidden\nof: Node\n";
        check(&super::DETECTOR, &(yaml("worker-17", "0", "") + gap), "");
    }
}
