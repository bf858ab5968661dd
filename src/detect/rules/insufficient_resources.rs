//! Pods that ask for more than any node has left.

use crate::detect::prelude::*;
use crate::detect::scheduling::{self, Places, Reason, Unplaced};

pub(super) const DETECTOR: Detector = Detector {
    id: "insufficient-resources",
    summary: "Pod requests more than any node has free",
    group: Group::Scheduling,
    reads: &[Kind::Pod, Kind::Node],
    wants: None,
    doc: r"## What it detects
A pod without a node because the nodes that it may use have too little cpu, memory, ephemeral
storage, devices (GPUs and other extended resources) or places for pods left: the scheduler says
`Insufficient memory`, `Insufficient nvidia.com/gpu` or `Too many pods`.

## Why it matters
The scheduler counts requests, not use: a node may be idle and full all the same. The pod waits
until something else goes or a node is added.

## Evidence
The scheduler's message; the pod's requests; for the node with the most left: allocatable, and the
sum of the requests of its pods.

## Look-alikes
Room on a node that a taint keeps for others is named in the sentence; where no untainted node would do at all
it is `taint-not-tolerated`. Nodes that are down or cordoned are `no-ready-node` and `nodes-cordoned`, a full
ResourceQuota is `quota-exceeded`. While pods on the node are ending, or an autoscaler has asked for a node in
the last five minutes, nothing is said.

## What it does not see
Real use: only requests count, as for the scheduler. With `-n` the requests of other namespaces are not read, so
what is free is not known and only the nodes' totals are named. Preemption, dynamic resource allocation and an
autoscaler's limits are not computed; an autoscaler's refusal is quoted.

## What to do
If no node has that much in all, the request is wrong (a unit too large?) or a larger node is needed. Else free
room (requests that are far above use: `kubectl describe node NAME`, `kubectl top pod -A`), or add a node. A
device of which no node has any usually means that its device plugin is not running.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let (pods, places) = scheduling::unplaced(view, Reason::Resources);
    pods.iter().map(|unplaced| finding(view, &places, unplaced)).collect()
}

fn finding(view: &View<'_>, places: &Places<'_>, unplaced: &Unplaced<'_>) -> Finding {
    let pod = unplaced.pod;
    let mut lacking = scheduling::lacking(unplaced.message());
    if places.complete && lacking.iter().any(|resource| short(places, unplaced, resource)) {
        lacking.retain(|resource| short(places, unplaced, resource));
    }
    let mut clauses: Vec<String> =
        lacking.iter().filter_map(|resource| arithmetic(places, unplaced, resource)).collect();
    if clauses.is_empty() {
        clauses.push("no node has enough room".to_owned());
    }
    let reserved =
        view.all::<Node>().iter().filter(|node| scheduling::selects(pod, node) && scheduling::reaches(view, pod, node));
    let roomy: Vec<&Node> = reserved
        .filter(|node| places.complete && lacking.iter().all(|resource| places.fits(pod, node, resource)))
        .collect();
    let hint = if roomy.is_empty() {
        String::new()
    } else {
        format!("; {} would have room, but is kept for others by a taint", scheduling::names(&roomy))
    };
    let words: Vec<String> = lacking
        .iter()
        .map(
            |resource| {
                if *resource == "pods" { "Too many pods".to_owned() } else { format!("Insufficient {resource}") }
            },
        )
        .collect();
    let never = if unplaced.message().contains("preemptionPolicy=Never") {
        "; its preemptionPolicy Never puts out no lower pods"
    } else {
        ""
    };
    let mut finding = unplaced.finding(view, format!("{} ({}){hint}{never}", clauses.join(" and "), words.join(", ")));
    for resource in lacking.iter().filter(|resource| **resource != "pods") {
        if let Some((list, container, quantity)) = largest(&pod.spec, resource) {
            finding = finding.field(
                &pod.object_ref(),
                format!("spec.{list}[{container}].resources.requests.{resource}"),
                quantity,
            );
        }
        if let Some(overhead) = pod.spec.overhead.get(resource) {
            finding = finding.field(&pod.object_ref(), format!("spec.overhead.{resource}"), overhead);
        }
        if let Some((node, have)) =
            most(places, unplaced, resource).and_then(|node| Some((node, node.status.allocatable.get(resource)?)))
        {
            finding = finding.field(&node.object_ref(), format!("status.allocatable.{resource}"), have);
        }
    }
    if let Some(node) = lacking.first().and_then(|resource| most(places, unplaced, resource)) {
        finding = finding.look(
            "see what is reserved on the node",
            &node.object_ref(),
            &["describe", "node", &node.metadata.name],
        );
    }
    scheduling::edit(finding, view, pod, "ask for less, if it needs less")
}

fn short(places: &Places<'_>, unplaced: &Unplaced<'_>, resource: &str) -> bool {
    unplaced.nodes.iter().all(|node| !places.fits(unplaced.pod, node, resource))
}

/// The node with the most of it left, as far as pods are known; of equals the first by name.
fn most<'n>(places: &Places<'_>, unplaced: &Unplaced<'n>, resource: &str) -> Option<&'n Node> {
    unplaced.nodes.iter().rev().copied().max_by_key(|node| places.free(node, resource))
}

fn arithmetic(places: &Places<'_>, unplaced: &Unplaced<'_>, resource: &str) -> Option<String> {
    let node = most(places, unplaced, resource)?;
    let show = |quantity: Quantity| quantity.display(resource);
    let (needs, name) = (unplaced.pod.spec.request(resource), &node.metadata.name);
    let largest = unplaced.nodes.iter().rev().max_by_key(|node| places.whole(node, resource))?;
    let whole = places.whole(largest, resource);
    let asks = format!("requests {} {resource}{}", show(needs), share(&unplaced.pod.spec, resource));
    Some(if resource == "pods" {
        format!(
            "no node takes more pods: {name} runs {} of {}",
            places.requested(node, "pods"),
            places.whole(node, "pods")
        )
    } else if whole == Quantity::default() {
        format!("{asks}, of which no node has any")
    } else if needs > whole {
        // A forgotten `m` is the usual reason for a number of cores that no machine has.
        let slip = resource == "cpu" && needs.whole() >= 50 && needs.whole() > whole.whole().saturating_mul(8);
        let slip = if slip { format!("; was {}m meant?", needs.whole()) } else { String::new() };
        format!(
            "{asks}, more than any node has: the largest, {}, has {} in all{slip}",
            largest.metadata.name,
            show(whole)
        )
    } else if places.complete {
        let (have, taken) = (places.whole(node, resource), places.requested(node, resource));
        format!(
            "{asks}; the largest free is {} on {name} (allocatable {}, {} requested)",
            show(places.free(node, resource)),
            show(have),
            show(taken)
        )
    } else if places.free(node, resource) < needs {
        // Pods of other namespaces can only leave less.
        let (have, taken) = (places.whole(node, resource), places.requested(node, resource));
        format!(
            "{asks}; the largest free is at most {} on {name} (allocatable {}, {} requested in this namespace)",
            show(places.free(node, resource)),
            show(have),
            show(taken)
        )
    } else {
        format!(
            "{asks}; no node has that much free (the largest, {}, has {} in all)",
            largest.metadata.name,
            show(whole)
        )
    })
}

/// The container that asks for most of a resource: its list, its name, its request.
fn largest<'p>(spec: &'p PodSpec, resource: &str) -> Option<(&'static str, &'p str, &'p String)> {
    let asks = |list: &'static str, container: &'p Container| {
        let of = &container.resources;
        let quantity = of.requests.get(resource).or_else(|| of.limits.get(resource))?;
        Some((Quantity::parse(quantity)?, (list, container.name.as_str(), quantity)))
    };
    let first = spec.init_containers.iter().rev().filter_map(|container| asks("initContainers", container));
    let others = spec.containers.iter().rev().filter_map(|container| asks("containers", container));
    first.chain(others).max_by_key(|(amount, _)| *amount).map(|(_, found)| found)
}

/// Who asks for most of it, where that is not the pod's own containers.
fn share(spec: &PodSpec, resource: &str) -> String {
    let all = spec.request(resource);
    let overhead = spec.overhead.get(resource).and_then(|text| Quantity::parse(text)).unwrap_or_default();
    if overhead > all.minus(overhead) {
        let (amount, class) = (overhead.display(resource), &spec.runtime_class_name);
        return format!(" ({amount} of it is the pod overhead of RuntimeClass {class})");
    }
    let mut without =
        PodSpec { containers: spec.containers.clone(), overhead: spec.overhead.clone(), ..PodSpec::default() };
    without.init_containers = spec.init_containers.iter().filter(|c| c.restart_policy == "Always").cloned().collect();
    match largest(spec, resource) {
        Some(("initContainers", name, _)) if without.request(resource) < all => format!(" (init container {name})"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: Node
metadata: {name: node-1}
status: {allocatable: {cpu: '4', memory: 7782Mi, pods: '110'}}
---
kind: Node
metadata: {name: node-2}
spec: {taints: TAINTS}
status: {allocatable: {cpu: '4', memory: 7782Mi, pods: '110'}}
---
kind: Pod
metadata: {name: old, namespace: shop}
spec: {nodeName: node-1, containers: [{name: a, resources: {requests: {memory: 6Gi, cpu: '1'}}}]}
status: {phase: Running}
---
kind: Pod
metadata: {name: other, namespace: shop DELETED}
spec: {nodeName: node-2, containers: [{name: a, resources: {requests: {memory: 5632Mi, cpu: '1'}}}]}
status: {phase: Running}
---
kind: Pod
metadata: {name: done, namespace: shop}
spec: {nodeName: node-2, containers: [{name: a, resources: {requests: {memory: 9Gi}}}]}
status: {phase: Succeeded}
---
kind: Pod
metadata: {name: web, namespace: shop}
spec: {containers: [{name: app, resources: {requests: {NEED}}}]}
status:
  phase: Pending
  conditions:
  - {type: PodScheduled, status: 'False', reason: Unschedulable, lastTransitionTime: '2026-01-01T11:59:30Z', message: '0/2 nodes are available: SAID. preemption: 0/2 nodes are available.'}
";

    fn yaml(need: &str, said: &str) -> String {
        YAML.replace("NEED", need).replace("SAID", said).replace(" DELETED", "").replace("TAINTS", "[]")
    }

    #[test]
    fn too_little_is_left() {
        check(
            &super::DETECTOR,
            &yaml("memory: 4Gi", "2 Insufficient memory"),
            "critical Pod shop/web: requests 4Gi memory; the largest free is 2Gi on node-2 (allocatable 7.5Gi, 5.5Gi requested) (Insufficient memory)",
        );
    }

    #[test]
    fn no_node_is_large_enough() {
        check(
            &super::DETECTOR,
            &yaml("memory: 64Gi, nvidia.com/gpu: '1'", "2 Insufficient memory, 2 Insufficient nvidia.com/gpu"),
            "critical Pod shop/web: requests 64Gi memory, more than any node has: the largest, node-1, has 7.5Gi in all \
             and requests 1 nvidia.com/gpu, of which no node has any (Insufficient memory, Insufficient nvidia.com/gpu)",
        );
    }

    #[test]
    fn other_namespaces_are_not_known() {
        check(
            &super::DETECTOR,
            &(yaml("memory: 1Gi", "2 Insufficient memory") + "---\nkind: Scope\nnamespace: shop\n"),
            "critical Pod shop/web: requests 1Gi memory; no node has that much free (the largest, node-1, has 7.5Gi in all) (Insufficient memory)",
        );
    }

    #[test]
    fn the_namespace_alone_takes_too_much() {
        check(
            &super::DETECTOR,
            &(yaml("memory: 4Gi", "2 Insufficient memory") + "---\nkind: Scope\nnamespace: shop\n"),
            "critical Pod shop/web: requests 4Gi memory; the largest free is at most 2Gi on node-2 (allocatable 7.5Gi, 5.5Gi requested in this namespace) (Insufficient memory)",
        );
    }

    #[test]
    fn there_would_be_room_behind_a_taint() {
        check(
            &super::DETECTOR,
            &YAML
                .replace("NEED", "memory: 2Gi")
                .replace("SAID", "1 Insufficient memory, 1 node(s) had untolerated taint {pool: batch}")
                .replace(" DELETED", "")
                .replace("TAINTS", "[{key: pool, value: batch, effect: NoSchedule}]"),
            "critical Pod shop/web: requests 2Gi memory; the largest free is 1.5Gi on node-1 (allocatable 7.5Gi, 6Gi requested) (Insufficient memory); node-2 would have room, but is kept for others by a taint",
        );
    }

    #[test]
    fn room_is_about_to_be_free() {
        check(
            &super::DETECTOR,
            &YAML
                .replace("NEED", "memory: 4Gi")
                .replace("SAID", "2 Insufficient memory")
                .replace(" DELETED", ", deletionTimestamp: '2026-01-01T12:00:10Z'")
                .replace("TAINTS", "[]"),
            "",
        );
    }

    #[test]
    fn an_init_container_or_the_sandbox_asks_for_it() {
        let init = yaml("memory: 1Gi", "2 Insufficient memory").replace(
            "spec: {containers: [{name: app,",
            "spec: {initContainers: [{name: fetch}, {name: index, resources: {requests: {memory: 64Gi}}}], containers: [{name: app,",
        );
        check(
            &super::DETECTOR,
            &init,
            "critical Pod shop/web: requests 64Gi memory (init container index), more than any node has: the largest, node-1, has 7.5Gi in all (Insufficient memory)",
        );
        let sandbox = yaml("memory: 1Gi", "2 Insufficient memory").replace(
            "spec: {containers: [{name: app,",
            "spec: {runtimeClassName: kata, overhead: {memory: 16Gi}, containers: [{name: app,",
        );
        check(
            &super::DETECTOR,
            &sandbox,
            "critical Pod shop/web: requests 17Gi memory (16Gi of it is the pod overhead of RuntimeClass kata), more than any node has: the largest, node-1, has 7.5Gi in all (Insufficient memory)",
        );
    }

    #[test]
    fn a_unit_is_forgotten_and_preemption_forbidden() {
        let said = "2 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never";
        check(
            &super::DETECTOR,
            &yaml("cpu: '250'", said),
            "critical Pod shop/web: requests 250 cpu, more than any node has: the largest, node-1, has 4 in all; was 250m meant? (Insufficient cpu); its preemptionPolicy Never puts out no lower pods",
        );
    }

    #[test]
    fn another_reason_decides() {
        check(
            &super::DETECTOR,
            &yaml("memory: 1Gi", "2 node(s) didn''t have free ports for the requested pod ports"),
            "",
        );
    }
}
