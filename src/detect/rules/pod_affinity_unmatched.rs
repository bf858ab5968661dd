//! Pods that must be near to pods that are nowhere.

use std::collections::BTreeSet;

use crate::detect::prelude::*;
use crate::detect::scheduling::{self, Places, Reason, Unplaced};

pub(super) const DETECTOR: Detector = Detector {
    id: "pod-affinity-unmatched",
    summary: "No node is near to the pods that the pod's affinity asks for",
    group: Group::Scheduling,
    reads: &[Kind::Pod, Kind::Node],
    wants: None,
    doc: r"## What it detects
A pod without a node whose required pod affinity names pods that don't exist, have no node
themselves, or run only on nodes that it can't use; or a topology key that no node carries.

## Why it matters
The rule is absolute: until such a pod runs in the same place, this one waits.

## Evidence
The scheduler's message (`didn't match pod affinity rules`), the term of the affinity, and the
labels that pods there do carry.

## Look-alikes
Labels of nodes are `node-selector-unmatched`, pods to keep away from `pod-anti-affinity-full`, an even spread
`spread-impossible`. Where the pods that are named wait for a node too, their own finding is the cause. A pod that its
own affinity speaks of may be the first one: the scheduler lets it pass. A term without `namespaces` and
`namespaceSelector` speaks only of pods in the pod's own namespace: a twin in another one does not count, and is named.

## What it does not see
It speaks only where the scheduler names pod affinity in its message. Preferred affinity is not looked at. Under -n the
pods of other namespaces are not read: a term for them looks as if there were none. Without the right to read nodes,
topology keys can't be checked.

## What to do
`kubectl get pods --show-labels` shows what they carry. Correct the label in the term, start the pods that are named,
or make the rule a preference (`preferredDuringSchedulingIgnoredDuringExecution`).",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let (pods, places) = scheduling::unplaced(view, Reason::Affinity);
    pods.iter().map(|unplaced| finding(view, &places, unplaced)).collect()
}

fn finding(view: &View<'_>, places: &Places<'_>, unplaced: &Unplaced<'_>) -> Finding {
    let pod = unplaced.pod;
    let terms = &pod.spec.affinity.pod_affinity.required;
    let near = |term: &PodTerm| {
        unplaced
            .nodes
            .iter()
            .any(|node| places.together(node, &term.topology_key).any(|other| places.speaks_of(pod, term, other)))
    };
    let Some(term) = terms.iter().find(|term| !near(term)).or_else(|| terms.first()) else {
        return unplaced.finding(view, "no node is near to the pods that its affinity asks for");
    };
    let (selector, key) = (term.label_selector.to_string(), &term.topology_key);
    let others: Vec<&Pod> = view
        .live_pods()
        .filter(|other| other.metadata.uid != pod.metadata.uid || other.metadata.name != pod.metadata.name)
        .collect();
    let named: Vec<&Pod> = others.iter().copied().filter(|other| places.speaks_of(pod, term, other)).collect();
    let running: BTreeSet<String> =
        named.iter().map(|other| other.spec.node_name.clone()).filter(|node| !node.is_empty()).collect();
    let asks = format!("its required pod affinity wants a pod with {selector} in the same {key}");
    let summary = if !view.all::<Node>().iter().any(|node| node.metadata.labels.contains_key(key)) {
        format!("{asks}, but no node has a label {key}")
    } else if !running.is_empty() {
        format!("{asks}; they run only where it can't: {}", list(&running.into_iter().collect::<Vec<_>>()))
    } else if named.is_empty() {
        let hint = elsewhere(pod, term, &others).unwrap_or_else(|| similar(pod, term, &others));
        format!("{asks}, and there is none{hint}")
    } else {
        format!("{asks}, and those have no node themselves")
    };
    let path = "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution";
    let mut finding =
        unplaced.finding(view, summary).field(&pod.object_ref(), path, format!("{selector} (topologyKey {key})"));
    if let Some(other) = named.iter().find(|other| other.spec.node_name.is_empty()) {
        finding = finding.culprit(view.workload_of(other));
    }
    let finding = finding.look("see the pods' labels", &pod.object_ref(), &["get", "pods", "--show-labels"]);
    scheduling::edit(finding, view, pod, "correct its affinity, or make it a preference")
}

/// Namespaces of which the term does not speak, and where such pods run.
fn elsewhere(pod: &Pod, term: &PodTerm, others: &[&Pod]) -> Option<String> {
    let alike = others.iter().filter(|other| term.label_selector.matches(&other.metadata.labels));
    let places: BTreeSet<String> =
        alike.filter(|other| !other.spec.node_name.is_empty()).map(|other| other.metadata.namespace.clone()).collect();
    // A selector that is empty takes all, and a label that many carry tells nothing.
    if places.is_empty() || places.len() > 3 || term.label_selector.is_empty() {
        return None;
    }
    let own = term.namespaces.is_empty() && term.namespace_selector.is_none();
    let speaks = if own {
        format!(
            "the term speaks of namespace {} alone, and needs namespaces or namespaceSelector",
            pod.metadata.namespace
        )
    } else {
        "the term's namespaces and namespaceSelector leave that out".to_owned()
    };
    let places: Vec<String> = places.into_iter().collect();
    let word = if places.len() == 1 { "namespace" } else { "namespaces" };
    Some(format!(" in reach; such pods run in {word} {}: {speaks}", list(&places)))
}

/// The labels that pods beside it do carry for the keys of the term.
fn similar(pod: &Pod, term: &PodTerm, others: &[&Pod]) -> String {
    let beside = others.iter().filter(|other| other.metadata.namespace == pod.metadata.namespace);
    let labels: Vec<&Map> = beside.map(|other| &other.metadata.labels).collect();
    let near = term.label_selector.match_labels.iter().find_map(|(key, value)| {
        let values: BTreeSet<&str> = labels.iter().filter_map(|labels| labels.get(key)).map(String::as_str).collect();
        Some(format!("{key}={}", meant(value, values.into_iter())?))
    });
    if let Some(near) = near {
        return format!("; did you mean {near}?");
    }
    // Few values can be shown; of many no one is likelier than another.
    let known = term.label_selector.match_labels.keys().find_map(|key| {
        let values: BTreeSet<String> =
            labels.iter().filter_map(|labels| Some(format!("{key}={}", labels.get(key)?))).collect();
        (1..=3).contains(&values.len()).then(|| values.into_iter().collect::<Vec<_>>())
    });
    known.map(|known| format!("; pods of the namespace carry {}", list(&known))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: Node
metadata: {name: node-1, labels: {kubernetes.io/hostname: node-1}}
---
kind: Pod
metadata: {name: other, namespace: shop, uid: a, labels: {app: redis-cache}}
spec: {nodeName: OTHER}
status: {phase: Running}
---
kind: Pod
metadata: {name: web, namespace: shop, uid: b, labels: {app: web}}
spec: {affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: KEY, labelSelector: {matchLabels: {app: WANTED}}}]}}}
status:
  phase: Pending
  conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable, message: \"0/1 nodes are available: 1 node(s) didn't match SAID rules.\"}]
";

    fn yaml(node: &str, wanted: &str) -> String {
        YAML.replace("OTHER", node)
            .replace("WANTED", wanted)
            .replace("KEY", "kubernetes.io/hostname")
            .replace("SAID", "pod affinity")
    }

    #[test]
    fn no_such_pod() {
        check(
            &super::DETECTOR,
            &yaml("node-1", "rediscache"),
            "critical Pod shop/web: its required pod affinity wants a pod with app=rediscache in the same kubernetes.io/hostname, and there is none; did you mean app=redis-cache?",
        );
    }

    #[test]
    fn quite_another_label() {
        check(
            &super::DETECTOR,
            &yaml("node-1", "db"),
            "critical Pod shop/web: its required pod affinity wants a pod with app=db in the same kubernetes.io/hostname, and there is none; pods of the namespace carry app=redis-cache",
        );
    }

    #[test]
    fn in_another_namespace() {
        let away =
            yaml("node-1", "redis-cache").replace("name: other, namespace: shop", "name: other, namespace: data");
        check(
            &super::DETECTOR,
            &away,
            "critical Pod shop/web: its required pod affinity wants a pod with app=redis-cache in the same kubernetes.io/hostname, and there is none in reach; such pods run in namespace data: the term speaks of namespace shop alone, and needs namespaces or namespaceSelector",
        );
        check(
            &super::DETECTOR,
            &away.replace("labelSelector:", "namespaces: [cache], labelSelector:"),
            "critical Pod shop/web: its required pod affinity wants a pod with app=redis-cache in the same kubernetes.io/hostname, and there is none in reach; such pods run in namespace data: the term's namespaces and namespaceSelector leave that out",
        );
        check(
            &super::DETECTOR,
            &away.replace("nodeName: node-1", "nodeName: ''"),
            "critical Pod shop/web: its required pod affinity wants a pod with app=redis-cache in the same kubernetes.io/hostname, and there is none",
        );
    }

    #[test]
    fn the_other_pod_waits_too() {
        check(
            &super::DETECTOR,
            &yaml("''", "redis-cache"),
            "critical Pod shop/web: its required pod affinity wants a pod with app=redis-cache in the same kubernetes.io/hostname, and those have no node themselves <- Pod shop/other",
        );
    }

    #[test]
    fn no_node_has_the_key() {
        check(
            &super::DETECTOR,
            &yaml("node-1", "redis-cache").replace("kubernetes.io/hostname, l", "rack, l"),
            "critical Pod shop/web: its required pod affinity wants a pod with app=redis-cache in the same rack, but no node has a label rack",
        );
    }

    #[test]
    fn another_reason_decides() {
        check(
            &super::DETECTOR,
            &yaml("node-1", "x").replace("pod affinity", "Pod''s node affinity/selector").replace("''", "'"),
            "",
        );
    }
}
