//! Pods that ask for node labels that no node carries.

use std::collections::BTreeSet;

use crate::detect::prelude::*;
use crate::detect::scheduling::{self, Reason, Unplaced};
use crate::model::selector::Requirement;

pub(super) const DETECTOR: Detector = Detector {
    id: "node-selector-unmatched",
    summary: "No node carries the labels that the pod's node selector or affinity asks for",
    group: Group::Scheduling,
    reads: &[Kind::Pod, Kind::Node],
    wants: None,
    doc: r"## What it detects
A pod without a node whose `nodeSelector` or required node affinity is satisfied by no node: a label
that no node has, a value that none has, or labels that no one node has together.

## Why it matters
The rule is absolute: the pod waits for ever, however empty the nodes are.

## Evidence
The scheduler's message, and the requirement that no node satisfies, with the values that nodes do
have for this label.

## Look-alikes
Where some node satisfies the rule, something else keeps the pod from it, and another detector speaks:
`insufficient-resources`, `taint-not-tolerated`, `nodes-cordoned`. A volume that ties the pod to a zone or a node is
`volume-node-conflict`; a `nodeName` of no node is `node-name-missing`. A DaemonSet that finds no node makes no pods at
all: `daemon-set-no-node`.

## What it does not see
Preferred affinity never keeps a pod away and is not looked at. A node pool that is scaled to zero has no nodes to
compare with: a label that an autoscaler could bring looks like one that does not exist (for five minutes after it has
asked for a node, nothing is said). Without the right to read nodes only the scheduler's word stands.

## What to do
Correct the label in the workload (a value that exists is named where one is near), or label the nodes that are meant:
`kubectl label node NAME KEY=VALUE`. `kubectl get nodes -L KEY` shows what they have. A zone that no node is in may
mean that its node pool is gone or scaled to 0.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let (pods, _) = scheduling::unplaced(view, Reason::Selector);
    pods.iter().map(|unplaced| finding(view, unplaced)).collect()
}

/// A requirement, and where it stands.
struct Rule {
    place: &'static str,
    path: &'static str,
    requirement: Requirement,
}

impl Rule {
    fn met(&self, node: &Node) -> bool {
        if self.requirement.key == "metadata.name" {
            let fields: Map = [("metadata.name".to_owned(), node.metadata.name.clone())].into();
            return self.requirement.matches(&fields);
        }
        self.requirement.matches(&node.metadata.labels)
    }
}

/// The selector's labels, then the terms of the affinity: of these one must hold.
fn rules(pod: &Pod) -> (Vec<Rule>, Vec<Vec<Rule>>) {
    let exact = |(key, value): (&String, &String)| Requirement {
        key: key.clone(),
        operator: "In".to_owned(),
        values: [value.clone()].into(),
    };
    let selector = pod.spec.node_selector.iter().map(|label| Rule {
        place: "nodeSelector",
        path: "spec.nodeSelector",
        requirement: exact(label),
    });
    let path = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution";
    let rule =
        |requirement: &Requirement| Rule { place: "required node affinity", path, requirement: requirement.clone() };
    let terms = pod.spec.affinity.node_affinity.required.node_selector_terms.iter();
    (
        selector.collect(),
        terms.map(|term| term.match_expressions.iter().chain(&term.match_fields).map(rule).collect()).collect(),
    )
}

fn finding(view: &View<'_>, unplaced: &Unplaced<'_>) -> Finding {
    let nodes = &unplaced.nodes;
    let (selector, terms) = rules(unplaced.pod);
    let unmet = |rule: &&Rule| !nodes.iter().any(|node| rule.met(node));
    let of_terms = || {
        terms
            .iter()
            .map(|term| term.iter().find(unmet))
            .collect::<Option<Vec<_>>>()
            .and_then(|unmet| unmet.into_iter().next())
    };
    let object = unplaced.pod.object_ref();
    let rule = selector.iter().find(unmet).or_else(of_terms);
    let finding = match rule {
        Some(Rule { requirement, .. }) if requirement.key == "metadata.name" => {
            let finding = unplaced.finding(
                view,
                format!(
                    "pinned by its node affinity to node {}, which does not exist",
                    requirement.values.join(" or ")
                ),
            );
            requirement
                .values
                .iter()
                .take(1)
                .fold(finding, |finding, name| finding.culprit(ObjectRef::new(Kind::Node, "", name)))
        }
        Some(Rule { place, requirement, .. }) => unplaced.finding(
            view,
            format!("no node has label {requirement}, which the {place} asks for{}", known(nodes, requirement)),
        ),
        None if nodes.is_empty() => unplaced.finding(view, "no node matches its node selector or affinity"),
        None => {
            let all = selector.iter().chain(terms.iter().flatten()).map(|rule| rule.requirement.to_string());
            unplaced.finding(
                view,
                format!(
                    "no one node carries all that its node selector and affinity ask for: {}",
                    all.collect::<Vec<_>>().join(", ")
                ),
            )
        }
    };
    let quoted = rule.or_else(|| selector.first().or_else(|| terms.first()?.first()));
    let finding = quoted
        .into_iter()
        .fold(finding, |finding, rule| finding.field(&object, rule.path, rule.requirement.to_string()));
    let finding = match rule {
        Some(rule) if rule.requirement.key != "metadata.name" => finding.look(
            "see the nodes' labels",
            &ObjectRef::new(Kind::Node, "", ""),
            &["get", "nodes", "-L", &rule.requirement.key],
        ),
        _ => finding.look(
            "see the nodes' labels",
            &ObjectRef::new(Kind::Node, "", ""),
            &["get", "nodes", "--show-labels"],
        ),
    };
    scheduling::edit(finding, view, unplaced.pod, "correct the label that it asks for")
}

/// What nodes do have for this label, or which label is near to it.
fn known(nodes: &[&Node], requirement: &Requirement) -> String {
    let values: BTreeSet<&str> =
        nodes.iter().filter_map(|node| node.metadata.labels.get(&requirement.key)).map(String::as_str).collect();
    if values.is_empty() {
        let keys: BTreeSet<&str> =
            nodes.iter().flat_map(|node| node.metadata.labels.keys()).map(String::as_str).collect();
        let near = meant(&requirement.key, keys.into_iter())
            .map(|key| format!("; did you mean label {key}?"))
            .unwrap_or_default();
        return format!("; no node has a label {} at all{near}", requirement.key);
    }
    let near = requirement.values.iter().find_map(|value| meant(value, values.iter().copied()));
    let near = near.map(|value| format!("; did you mean {value}?")).unwrap_or_default();
    format!(
        "; nodes have {}{near}",
        list(&values.iter().map(|value| format!("{}={value}", requirement.key)).collect::<Vec<_>>())
    )
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: Node
metadata: {name: node-1, labels: {disktype: hdd, zone: eu-1a, kubernetes.io/hostname: node-1}}
---
kind: Node
metadata: {name: node-2, labels: {disktype: nvme, zone: eu-1b, kubernetes.io/hostname: node-2}}
---
kind: Pod
metadata: {name: web, namespace: shop}
spec: {SPEC}
status:
  phase: Pending
  conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable, message: \"0/2 nodes are available: SAID.\"}]
";

    fn yaml(spec: &str) -> String {
        YAML.replace("SPEC", spec).replace("SAID", "2 node(s) didn't match Pod's node affinity/selector")
    }

    fn affinity(expression: &str) -> String {
        format!(
            "affinity: {{nodeAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: {{nodeSelectorTerms: [{{{expression}}}]}}}}}}"
        )
    }

    #[test]
    fn value_that_no_node_has() {
        check(
            &super::DETECTOR,
            &yaml("nodeSelector: {disktype: ssd}"),
            "critical Pod shop/web: no node has label disktype=ssd, which the nodeSelector asks for; nodes have disktype=hdd and disktype=nvme",
        );
        check(
            &super::DETECTOR,
            &yaml(&affinity("matchExpressions: [{key: zone, operator: In, values: [eu-1c]}]")),
            "critical Pod shop/web: no node has label zone=eu-1c, which the required node affinity asks for; nodes have zone=eu-1a and zone=eu-1b; did you mean eu-1a?",
        );
    }

    #[test]
    fn label_that_no_node_has() {
        check(
            &super::DETECTOR,
            &yaml("nodeSelector: {disktyp: hdd}"),
            "critical Pod shop/web: no node has label disktyp=hdd, which the nodeSelector asks for; no node has a label disktyp at all; did you mean label disktype?",
        );
    }

    #[test]
    fn labels_that_no_one_node_has_together() {
        check(
            &super::DETECTOR,
            &yaml("nodeSelector: {disktype: hdd, zone: eu-1b}"),
            "critical Pod shop/web: no one node carries all that its node selector and affinity ask for: disktype=hdd, zone=eu-1b",
        );
    }

    #[test]
    fn node_that_is_gone() {
        check(
            &super::DETECTOR,
            &yaml(&affinity("matchFields: [{key: metadata.name, operator: In, values: [node-9]}]")),
            "critical Pod shop/web: pinned by its node affinity to node node-9, which does not exist <- Node node-9",
        );
    }

    #[test]
    fn another_term_is_met() {
        let terms = "matchExpressions: [{key: zone, operator: In, values: [eu-9]}]}, {matchExpressions: [{key: disktype, operator: Exists}]";
        check(&super::DETECTOR, &yaml(&affinity(terms)), "");
    }

    #[test]
    fn the_node_that_matches_is_full() {
        check(
            &super::DETECTOR,
            &YAML
                .replace("SPEC", "nodeSelector: {disktype: hdd}")
                .replace("SAID", "1 Insufficient cpu, 1 node(s) didn't match Pod's node affinity/selector"),
            "",
        );
    }
}
