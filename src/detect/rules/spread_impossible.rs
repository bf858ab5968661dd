//! Pods that can't be spread as they ask.

use std::collections::BTreeMap;

use crate::detect::prelude::*;
use crate::detect::scheduling::{self, Places, Reason, Unplaced};

pub(super) const DETECTOR: Detector = Detector {
    id: "spread-impossible",
    summary: "Pod's topology spread constraint can't be met on any node",
    group: Group::Scheduling,
    reads: &[Kind::Pod, Kind::Node],
    wants: None,
    doc: r"## What it detects
A pod without a node because of a `topologySpreadConstraints` entry with
`whenUnsatisfiable: DoNotSchedule`: no node carries its topology key, there are fewer places than
`minDomains`, or one more pod where there is room would pass `maxSkew`.

## Why it matters
With a key that no node carries no replica can ever start. With a skew that is too strict one full
zone holds back all others.

## Evidence
The scheduler's message (`didn't match pod topology spread constraints`), the constraint, and how
many pods each place holds.

## Look-alikes
- Anti-affinity also spreads pods: `pod-anti-affinity-full`.
- The emptiest place has no room, and the skew only shows it: `insufficient-resources` where room alone
  is named. Then the node to add must be in that place.
- The place is closed by a taint, which the sentence names: see also `taint-not-tolerated`.
- Constraints with `ScheduleAnyway` never keep a pod away.
- Pods of the old revision count too while a rollout runs, unless `matchLabelKeys` names
  `pod-template-hash`. Then it may be over when the rollout is.

## What it does not see
`matchLabelKeys`, `nodeTaintsPolicy` and `nodeAffinityPolicy` are not weighed: the counts are those of the
API's defaults. The scheduler's default constraints are in its own configuration and are not read; it only
says that they are the reason. For five minutes after `TriggeredScaleUp`, or in the first minute while a
pod there is ending, it is silent. It speaks only while the scheduler's message names the spread.

## What to do
`kubectl get nodes -L TOPOLOGY_KEY` shows the places, `kubectl get pods -l SELECTOR -o wide` the pods.
Correct the topology key or label the nodes; free the place with the fewest pods; or raise `maxSkew`, or
use `ScheduleAnyway`. Where pods lie unevenly after a failure, `kubectl rollout restart` spreads them anew.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let (pods, places) = scheduling::unplaced(view, Reason::Spread);
    pods.iter().map(|unplaced| finding(view, &places, unplaced)).collect()
}

fn finding(view: &View<'_>, places: &Places<'_>, unplaced: &Unplaced<'_>) -> Finding {
    let pod = unplaced.pod;
    let hard: Vec<&SpreadConstraint> =
        pod.spec.topology_spread_constraints.iter().filter(|c| c.when_unsatisfiable != "ScheduleAnyway").collect();
    let nodes = view.all::<Node>();
    let unlabelled = hard.iter().find(|c| !nodes.iter().any(|node| node.metadata.labels.contains_key(&c.topology_key)));
    let Some(constraint) =
        unlabelled.or_else(|| hard.iter().find(|c| uneven(pod, places, nodes, c).is_some())).or_else(|| hard.first())
    else {
        return unplaced.finding(view, "its pods can't be spread as the cluster's default constraints ask");
    };
    let key = &constraint.topology_key;
    let summary = if unlabelled.is_some() {
        let keys = nodes.iter().flat_map(|node| node.metadata.labels.keys()).map(String::as_str);
        let near = meant(key, keys).map(|key| format!("; did you mean {key}?")).unwrap_or_default();
        format!("its topology spread constraint needs node label {key} (DoNotSchedule), which no node has{near}")
    } else if let Some(uneven) = uneven(pod, places, nodes, constraint) {
        format!("its topology spread over {key} can't be kept (DoNotSchedule): {uneven}")
    } else {
        format!("its topology spread over {key} with maxSkew {} (DoNotSchedule) leaves no node", constraint.max_skew)
    };
    let quote = format!(
        "topologyKey: {key}, maxSkew: {}, whenUnsatisfiable: {}",
        constraint.max_skew, constraint.when_unsatisfiable
    );
    let finding =
        unplaced.finding(view, summary).key(key).field(&pod.object_ref(), "spec.topologySpreadConstraints", quote);
    let finding = finding.look(
        "see which nodes carry the label",
        &ObjectRef::new(Kind::Node, "", ""),
        &["get", "nodes", "-L", key],
    );
    scheduling::edit(finding, view, pod, "correct the constraint, or make it ScheduleAnyway")
}

/// How the pods lie, where that is what forbids another.
fn uneven(pod: &Pod, places: &Places<'_>, nodes: &[Node], constraint: &SpreadConstraint) -> Option<String> {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    // Places that the pod may not use at all don't count, by the API's default.
    for node in nodes.iter().filter(|node| scheduling::selects(pod, node)) {
        let Some(domain) = node.metadata.labels.get(&constraint.topology_key) else { continue };
        let counted = |other: &&&Pod| {
            other.metadata.namespace == pod.metadata.namespace
                && !other.metadata.deleting()
                && constraint.label_selector.matches(&other.metadata.labels)
        };
        let here = places.on(node).iter().filter(counted).count();
        *counts.entry(domain).or_default() += i64::try_from(here).unwrap_or(i64::MAX);
    }
    let domains = i64::try_from(counts.len()).unwrap_or(i64::MAX);
    if let Some(least) = constraint.min_domains.filter(|least| *least > domains) {
        return Some(format!("minDomains is {least}, and there {} {domains}", if domains == 1 { "is" } else { "are" }));
    }
    let fewest = *counts.values().min()?;
    let here = unplaced_minimum(&counts, fewest)?;
    let lie: Vec<String> = counts.iter().map(|(domain, count)| format!("{domain} has {count}")).collect();
    let tainted =
        nodes.iter().filter(|node| node.metadata.labels.get(&constraint.topology_key).is_some_and(|d| d == here));
    let tainted = tainted.filter_map(|node| Some((node, scheduling::taints(pod, node).into_iter().next()?)));
    let why: Vec<String> = tainted
        .map(|(node, taint)| format!("{} has the taint {}", node.metadata.name, scheduling::taint_text(taint)))
        .collect();
    let why = if why.is_empty() { String::new() } else { format!(" ({})", list(&why)) };
    Some(format!(
        "{}; one more elsewhere would pass maxSkew {}, and {here} takes none{why}",
        list(&lie),
        constraint.max_skew
    ))
}

/// The place that must be filled first, where some place has more.
fn unplaced_minimum<'d>(counts: &BTreeMap<&'d str, i64>, fewest: i64) -> Option<&'d str> {
    let some_more = counts.values().any(|count| *count > fewest);
    counts.iter().find(|(_, count)| **count == fewest).map(|(domain, _)| *domain).filter(|_| some_more)
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: Node
metadata: {name: node-1, labels: {zone: a}}
---
kind: Node
metadata: {name: node-2, labels: {zone: b}}
spec: {taints: [{key: x, effect: NoSchedule}]}
---
kind: Pod
metadata: {name: web-0, namespace: shop, labels: {app: web}}
spec: {nodeName: node-1}
status: {phase: Running}
---
kind: Pod
metadata: {name: web-1, namespace: shop, labels: {app: web}}
spec: {topologySpreadConstraints: [{maxSkew: 1, topologyKey: KEY, whenUnsatisfiable: WHEN, labelSelector: {matchLabels: {app: web}}EXTRA}]}
status:
  phase: Pending
  conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable, message: \"0/2 nodes are available: 1 node(s) had untolerated taint {x: }, 1 node(s) didn't match SAID.\"}]
";

    fn yaml(key: &str, extra: &str) -> String {
        YAML.replace("KEY", key)
            .replace("EXTRA", extra)
            .replace("WHEN", "DoNotSchedule")
            .replace("SAID", "pod topology spread constraints")
    }

    #[test]
    fn label_that_no_node_has() {
        check(
            &super::DETECTOR,
            &yaml("zones", ""),
            "critical Pod shop/web-1: its topology spread constraint needs node label zones (DoNotSchedule), which no node has; did you mean zone?",
        );
    }

    #[test]
    fn one_place_is_closed() {
        check(
            &super::DETECTOR,
            &yaml("zone", ""),
            "critical Pod shop/web-1: its topology spread over zone can't be kept (DoNotSchedule): a has 1 and b has 0; one more elsewhere would pass maxSkew 1, and b takes none (node-2 has the taint x:NoSchedule)",
        );
    }

    #[test]
    fn too_few_places() {
        check(
            &super::DETECTOR,
            &yaml("zone", ", minDomains: 3"),
            "critical Pod shop/web-1: its topology spread over zone can't be kept (DoNotSchedule): minDomains is 3, and there are 2",
        );
    }

    #[test]
    fn another_reason_decides() {
        check(
            &super::DETECTOR,
            &yaml("zones", "").replace("pod topology spread constraints", "pod affinity rules"),
            "",
        );
    }
}
