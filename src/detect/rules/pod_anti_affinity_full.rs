//! Pods that must keep away from pods that are everywhere.

use std::collections::BTreeSet;

use crate::detect::prelude::*;
use crate::detect::scheduling::{self, Places, Reason, Unplaced};

pub(super) const DETECTOR: Detector = Detector {
    id: "pod-anti-affinity-full",
    summary: "Every node holds a pod that the pod must keep away from",
    group: Group::Scheduling,
    reads: &[Kind::Pod, Kind::Node],
    wants: None,
    doc: r"## What it detects
A pod without a node because required pod anti-affinity, its own or that of pods that run already,
forbids every node that would do: usually more replicas than nodes (or zones), or a rolling update
whose new pod needs the place of an old one.

## Why it matters
The replicas that have no place of their own never start. A rolling update that may not stop an old
pod first never ends.

## Evidence
The scheduler's message, the term of the anti-affinity, and the pods that hold the places.

## Look-alikes
A port of the node that is taken has the same effect: `host-port-taken`. An even spread that can't be met is
`spread-impossible`. Nodes that would have a free place and are cordoned or down are `nodes-cordoned` and
`no-ready-node`. A place whose pod is ending is waited for during the first minute.

## What it does not see
It speaks only where the scheduler names anti-affinity in its message. Preferred anti-affinity never keeps a pod away
and is not looked at. Under -n the pods of other namespaces are not read: who holds the place may then be unknown, and
the scheduler's word stands alone. It does not know whether an autoscaler will add a node (five minutes are given after
it has asked for one).

## What to do
`kubectl get pods -o wide` shows who is where. Ask for as many replicas as there are places, add nodes, or make the
rule a preference (`preferredDuringSchedulingIgnoredDuringExecution`). For a rollout: `maxSurge: 0` with
`maxUnavailable: 1`.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let (pods, places) = scheduling::unplaced(view, Reason::AntiAffinity);
    pods.iter().map(|unplaced| finding(view, &places, unplaced)).collect()
}

fn finding(view: &View<'_>, places: &Places<'_>, unplaced: &Unplaced<'_>) -> Finding {
    let pod = unplaced.pod;
    let workload = view.workload_of(pod);
    let holders: Vec<&Pod> = unplaced.nodes.iter().flat_map(|node| places.repelled(pod, node)).collect();
    let owners: BTreeSet<ObjectRef> = holders.iter().map(|holder| view.workload_of(holder)).collect();
    let own = pod.spec.affinity.pod_anti_affinity.required.iter();
    let term = own
        .clone()
        .find(|term| holders.iter().any(|holder| places.speaks_of(pod, term, holder)))
        .or_else(|| own.clone().next());
    let key = term.map_or("kubernetes.io/hostname", |term| &term.topology_key);
    let at = scheduling::names(&unplaced.nodes);
    let count = view.workload(&workload).map_or(0, |workload| workload.desired);
    let deadlock = scheduling::deadlock(view, pod, &holders);
    let summary = if let Some(deadlock) = &deadlock {
        format!(
            "its anti-affinity allows one pod for each {key}, and the pod of the old ReplicaSet has the place on {at}: {deadlock}"
        )
    } else if holders.is_empty() {
        format!("pod anti-affinity forbids every node that would take it ({at})")
    } else if owners.len() == 1 && owners.contains(&workload) {
        let domains: BTreeSet<&str> =
            unplaced.nodes.iter().filter_map(|node| node.metadata.labels.get(key)).map(String::as_str).collect();
        let word = if key == "kubernetes.io/hostname" { "nodes" } else { "places" };
        format!(
            "its anti-affinity allows one pod for each {key}: {count} replicas need {count} {word}, and only {} would take one ({at})",
            domains.len()
        )
    } else {
        let others: Vec<String> = owners.iter().map(ToString::to_string).collect();
        let whose = if holders.iter().any(|holder| own.clone().any(|term| places.speaks_of(pod, term, holder))) {
            "its anti-affinity keeps it away from"
        } else {
            "the anti-affinity of others keeps it away from them:"
        };
        format!("{whose} {}, on every node that would take it ({at})", list(&others))
    };
    let mut finding = unplaced.finding(view, summary);
    if let Some(term) = term {
        let path = "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution";
        finding = finding.field(
            &pod.object_ref(),
            path,
            format!("{} (topologyKey {})", term.label_selector, term.topology_key),
        );
    }
    if let Some(other) = owners.iter().find(|owner| **owner != workload) {
        finding = finding.culprit(other.clone());
    }
    if deadlock.is_some() {
        let patch = r#"{"spec":{"strategy":{"rollingUpdate":{"maxSurge":0,"maxUnavailable":1}}}}"#;
        return finding.fix(
            "let an old pod go before the new one comes",
            &workload,
            &["patch", "deployment", &workload.name, "--type=merge", "-p", patch],
        );
    }
    scheduling::edit(finding, view, pod, "ask for fewer replicas, or make the rule a preference")
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: Node
metadata: {name: node-1, labels: {kubernetes.io/hostname: node-1}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: db, namespace: shop}
spec: {replicas: 2, strategy: {type: RollingUpdate}}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: db-1, namespace: shop, ownerReferences: [{kind: Deployment, name: db, controller: true}]}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: db-2, namespace: shop, ownerReferences: [{kind: Deployment, name: db, controller: true}]}
---
kind: Pod
metadata: {name: db-1-a, namespace: shop, labels: {app: HOLDER}, ownerReferences: [{kind: ReplicaSet, name: OWNER, controller: true}] DELETED}
spec: {nodeName: node-1, affinity: THEIRS}
status: {phase: Running, conditions: [{type: Ready, status: 'True'}]}
---
kind: Pod
metadata: {name: db-2-b, namespace: shop, labels: {app: db}, ownerReferences: [{kind: ReplicaSet, name: db-2, controller: true}]}
spec: {affinity: OURS}
status:
  phase: Pending
  conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable, lastTransitionTime: '2026-01-01T11:59:50Z', message: \"0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules.\"}]
";

    const AWAY: &str = "{podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: db}}}]}}";

    fn yaml(owner: &str, ours: &str, theirs: &str) -> String {
        YAML.replace("OWNER", owner).replace("OURS", ours).replace("THEIRS", theirs)
    }

    #[test]
    fn more_replicas_than_places() {
        check(
            &super::DETECTOR,
            &yaml("db-2", AWAY, AWAY).replace("HOLDER", "db").replace(" DELETED", ""),
            "warning Pod shop/db-2-b: its anti-affinity allows one pod for each kubernetes.io/hostname: 2 replicas need 2 nodes, and only 1 would take one (node-1)",
        );
    }

    #[test]
    fn rollout_that_waits_for_itself() {
        check(
            &super::DETECTOR,
            &yaml("db-1", AWAY, AWAY).replace("HOLDER", "db").replace(" DELETED", ""),
            "warning Pod shop/db-2-b: its anti-affinity allows one pod for each kubernetes.io/hostname, and the pod of the old ReplicaSet has the place on node-1: \
             the rolling update deadlocks: maxUnavailable 25% keeps the old pod until the new one is ready",
        );
    }

    #[test]
    fn the_rule_is_another_pods() {
        check(
            &super::DETECTOR,
            &yaml("alone", "{}", AWAY).replace("HOLDER", "lonely").replace(" DELETED", ""),
            "critical Pod shop/db-2-b: the anti-affinity of others keeps it away from them: ReplicaSet shop/alone, on every node that would take it (node-1) <- ReplicaSet shop/alone",
        );
    }

    #[test]
    fn the_old_pod_is_ending() {
        check(
            &super::DETECTOR,
            &yaml("db-1", AWAY, AWAY)
                .replace("HOLDER", "db")
                .replace(" DELETED", ", deletionTimestamp: '2026-01-01T12:00:10Z'"),
            "",
        );
    }
}
