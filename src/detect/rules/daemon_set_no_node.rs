//! DaemonSets that run nowhere, or not where they should.

use crate::detect::admission::refusals;
use crate::detect::config_uses::near;
use crate::detect::intent::{edited, stated};
use crate::detect::prelude::*;
use crate::detect::scheduling::{nearly_tolerated, selects, taint_text, taints};

pub(super) const DETECTOR: Detector = Detector {
    id: "daemon-set-no-node",
    summary: "DaemonSet fits no node, or lacks pods on nodes that it fits",
    group: Group::Workloads,
    reads: &[Kind::DaemonSet, Kind::Node],
    wants: None,
    doc: r"## What it detects
A DaemonSet of which no node is to run a pod, as none carries the labels that it asks for or all have a taint that it
does not bear, made or edited within the last week; and one that lacks pods on nodes which should have one, while no
refusal explains it.

## Why it matters
It makes no pod and no event: an agent for logs, storage or network that is simply not there.

## Evidence
`status.desiredNumberScheduled`, the node selector, and the nodes' labels and taints.

## Look-alikes
A DaemonSet for nodes that a cluster may have one day (GPUs, Windows) selects none on purpose: those of system
namespaces, those that select by a well-known label (`kubernetes.io/…`), and those on which an annotation states a
reason are not reported. Pods that are there and not ready are `replicas-missing`; pods that are refused have the
refusal's detector. A pod of another workload without a fitting node is `node-selector-unmatched` or
`taint-not-tolerated`.

## What it does not see
A DaemonSet that runs nowhere and was neither made nor edited within the last week, as far as its field managers tell.
One that runs on some nodes and leaves out those that were meant. Without the right to list nodes it is silent about
DaemonSets that run nowhere. Why the controller makes no pod on a node that fits is not known: no event says so.

## What to do
`kubectl get nodes --show-labels` and `kubectl describe node NODE` show labels and taints. Correct the node selector
or affinity, label the nodes, or add the toleration.",
    run,
};

/// What has run nowhere for longer is meant to, or not missed.
const RECENT: i64 = 7 * 24 * 3600;

fn run(view: &View<'_>) -> Vec<Finding> {
    let sets = view.all::<DaemonSet>().iter().filter(|set| !set.metadata.deleting());
    sets.filter_map(|set| if set.status.desired_number_scheduled > 0 { lacking(view, set) } else { nowhere(view, set) })
        .collect()
}

fn nowhere(view: &View<'_>, set: &DaemonSet) -> Option<Finding> {
    let object = set.object_ref();
    let nodes = view.all::<Node>();
    let system =
        object.ns().starts_with("kube-") || object.ns().ends_with("-system") || object.ns().starts_with("openshift-");
    let newest = edited(&set.metadata, "spec").map(|(_, time)| time).max(*set.metadata.creation_timestamp);
    let recent = view.age(newest).is_some_and(|age| (10..RECENT).contains(&age));
    let unseen = set.status.observed_generation < set.metadata.generation;
    if system || !recent || unseen || nodes.is_empty() || stated(&set.metadata).is_some() {
        return None;
    }
    let pod = Pod { spec: set.spec.template.spec.clone(), ..Pod::default() };
    let fitting: Vec<&Node> = nodes.iter().filter(|node| selects(&pod, node)).collect();
    let finding = |summary: String| {
        let finding = Finding::new(object.clone(), Severity::Critical, Stage::Schedule, summary).since(newest);
        finding.field(&object, "status.desiredNumberScheduled", "0").look(
            "see the nodes' labels",
            &object,
            &["get", "nodes", "--show-labels"],
        )
    };
    if let Some(node) = fitting.first() {
        let taint = *taints(&pod, node).first()?;
        let all = fitting.iter().all(|node| !taints(&pod, node).is_empty());
        let (text, near) = (taint_text(taint), nearly_tolerated(&pod, taint).unwrap_or_default());
        let summary = format!(
            "DaemonSet {} runs on no node: each node that it could use has a taint that it does not tolerate, such as {text} of {}{near}",
            object.name, node.metadata.name
        );
        return all.then(|| finding(summary).key("taint").field(&node.object_ref(), "spec.taints", text));
    }
    let asked: Vec<(&String, &String)> = pod
        .spec
        .node_selector
        .iter()
        .filter(|(key, value)| !nodes.iter().any(|node| node.metadata.labels.get(key) == Some(value)))
        .collect();
    if asked.iter().any(|(key, _)| key.contains("kubernetes.io/") || key.contains("k8s.io/")) {
        return None;
    }
    let Some((key, value)) = asked.first() else {
        return Some(
            finding(format!("DaemonSet {} runs on no node: none matches its node selector and affinity", object.name))
                .key("affinity"),
        );
    };
    let hint = meant_label(nodes, key, value).map(|label| format!("; did you mean {label}?")).unwrap_or_default();
    let summary = format!(
        "DaemonSet {} runs on no node: no node has the label {key}={value} of its nodeSelector{hint}",
        object.name
    );
    Some(finding(summary).key("selector").field(
        &object,
        format!("spec.template.spec.nodeSelector[{key}]"),
        value.as_str(),
    ))
}

/// A label of a node that is nearly this one.
fn meant_label(nodes: &[Node], key: &str, value: &str) -> Option<String> {
    let same = nodes.iter().find_map(|node| node.metadata.labels.get(key).map(|value| format!("{key}={value}")));
    let other = || {
        let known = nodes.iter().flat_map(|node| {
            node.metadata.labels.iter().filter(|(_, held)| *held == value).map(|(key, _)| key.as_str())
        });
        near(key, known).map(|key| format!("{key}={value}"))
    };
    same.or_else(other)
}

fn lacking(view: &View<'_>, set: &DaemonSet) -> Option<Finding> {
    let (object, status) = (set.object_ref(), &set.status);
    let missing = status.desired_number_scheduled.saturating_sub(status.current_number_scheduled);
    let young = view.age(*set.metadata.creation_timestamp).is_none_or(|age| age < SETTLED);
    let replacing = status.updated_number_scheduled < status.desired_number_scheduled
        || view.pods_of(&object).iter().any(|pod| pod.metadata.deleting());
    if missing <= 0 || young || replacing || refusals(view).iter().any(|refusal| refusal.maker == object) {
        return None;
    }
    let summary = format!(
        "DaemonSet {} has pods on {} of {} nodes that should run one",
        object.name, status.current_number_scheduled, status.desired_number_scheduled
    );
    let finding = Finding::new(object.clone(), Severity::Warning, Stage::Ready, summary).symptom().key("lacking");
    let finding = finding.field(
        &object,
        "status",
        format!(
            "desiredNumberScheduled: {}, currentNumberScheduled: {}",
            status.desired_number_scheduled, status.current_number_scheduled
        ),
    );
    Some(describe(finding, &object).unknown("why the controller made no pod there: no event says so"))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const SET: &str = "
kind: DaemonSet
metadata: {name: agent, namespace: NAMESPACE, creationTimestamp: '2026-01-01T11:00:00Z', annotations: {deprecated.daemonset.template.generation: '1'}}
spec: {template: {spec: {nodeSelector: {LABEL}}}}
status: {desiredNumberScheduled: 0}
---
kind: Node
metadata: {name: node-1, labels: {disk: ssd}}
spec: {taints: [TAINT]}
";

    fn set(namespace: &str, label: &str, taint: &str) -> String {
        SET.replace("NAMESPACE", namespace).replace("LABEL", label).replace("TAINT", taint)
    }

    #[test]
    fn no_node_has_the_label() {
        let expected = "critical DaemonSet shop/agent: DaemonSet agent runs on no node: no node has the label disk=sdd of its nodeSelector; did you mean disk=ssd?";
        check(&super::DETECTOR, &set("shop", "disk: sdd", ""), expected);
    }

    #[test]
    fn every_node_is_tainted() {
        let expected = "critical DaemonSet shop/agent: DaemonSet agent runs on no node: each node that it could use has a taint that it does not tolerate, such as team:NoSchedule of node-1";
        check(&super::DETECTOR, &set("shop", "disk: ssd", "{key: team, effect: NoSchedule}"), expected);
    }

    #[test]
    fn for_nodes_that_may_come() {
        check(&super::DETECTOR, &set("kube-system", "disk: sdd", ""), "");
        check(&super::DETECTOR, &set("shop", "kubernetes.io/os: windows", ""), "");
        check(&super::DETECTOR, &set("shop", "disk: sdd", "").replace("2026-01-01T11", "2025-12-01T11"), "");
    }
}
