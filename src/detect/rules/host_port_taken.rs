//! Pods that want a port of the node that another pod has.

use crate::detect::prelude::*;
use crate::detect::scheduling::{self, Places, Reason, Unplaced};

pub(super) const DETECTOR: Detector = Detector {
    id: "host-port-taken",
    summary: "The node's port that the pod wants is taken",
    group: Group::Scheduling,
    reads: &[Kind::Pod, Kind::Node],
    wants: None,
    doc: r"## What it detects
A pod without a node because a `hostPort` (or a port of a pod on the host's network) that it wants
is held by another pod on every node that would do. Where the holders are pods of its own
Deployment's old revision it says so: such a rolling update waits for itself.

## Why it matters
A node has each port once. A Deployment with a host port can have one pod for each node, and its
rolling update needs a free node, or must let the old pod go first.

## Evidence
The scheduler's message (`didn't have free ports`), the port in the pod's spec, and the holder.

## Look-alikes
A port that is taken inside the pod, or by a program that runs already, is `port-in-use`: there the pod has a
node and its container ends. Nodes that are full, tainted or cordoned are `insufficient-resources`,
`taint-not-tolerated` and `nodes-cordoned`. While a holder is ending, the first minute is not reported.

## What it does not see
Programs on the node that are no pods: the scheduler does not know them either. With `-n` the holders in other
namespaces are not read: then the scheduler's word stands and no holder may be named. A pod whose node was set
by hand is not judged by the scheduler, and not here.

## What to do
For a rollout that waits for itself: strategy `Recreate`, or `maxSurge: 0` with `maxUnavailable: 1`.
Else use a Service instead of a host port, choose another port, or a DaemonSet.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let (pods, places) = scheduling::unplaced(view, Reason::Ports);
    pods.iter().map(|unplaced| finding(view, &places, unplaced)).collect()
}

fn finding(view: &View<'_>, places: &Places<'_>, unplaced: &Unplaced<'_>) -> Finding {
    let pod = unplaced.pod;
    let workload = view.workload_of(pod);
    let clashes =
        |node: &&Node| places.on(node).iter().find_map(|holder| Some((*holder, scheduling::conflict(pod, holder)?)));
    let holders: Vec<(&Pod, i64)> = unplaced.nodes.iter().filter_map(clashes).collect();
    let wanted = scheduling::ports(pod);
    let port =
        holders.first().map(|(_, port)| *port).or_else(|| wanted.first().map(|(port, ..)| *port)).unwrap_or_default();
    let at = scheduling::names(&unplaced.nodes);
    let pods: Vec<&Pod> = holders.iter().map(|(pod, _)| *pod).collect();
    let theirs: Vec<ObjectRef> = pods.iter().map(|pod| view.workload_of(pod)).collect();
    let deadlock = scheduling::deadlock(view, pod, &pods);
    let summary = if let Some(deadlock) = &deadlock {
        format!("host port {port} on {at} is held by the pod of the old ReplicaSet, so {deadlock}")
    } else if theirs.is_empty() {
        format!("host port {port} is not free on any node that would take it ({at})")
    } else if theirs.iter().all(|holder| *holder == workload) {
        let nodes = plural(unplaced.nodes.len(), "node");
        format!(
            "host port {port} allows one replica for each node, and all that would take it ({nodes}) have one: {at}"
        )
    } else {
        let other = theirs.iter().find(|holder| **holder != workload).map(ToString::to_string).unwrap_or_default();
        format!("host port {port} on {at} is taken by {other}{}", rank(pod, &pods))
    };
    let object = pod.object_ref();
    let mut finding =
        unplaced.finding(view, summary).field(&object, "spec.containers[].ports[].hostPort", port.to_string());
    if let Some((holder, port)) = holders.first() {
        finding = finding.field(&holder.object_ref(), "spec.containers[].ports[].hostPort", port.to_string());
    }
    if let Some(other) = theirs.iter().find(|holder| **holder != workload) {
        finding = finding.culprit(other.clone());
    }
    if deadlock.is_some() {
        let patch = r#"{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}"#;
        return finding.fix(
            "let the old pod go before the new one comes",
            &workload,
            &["patch", "deployment", &workload.name, "--type=merge", "-p", patch],
        );
    }
    scheduling::edit(finding, view, pod, "choose another port, or none")
}

/// What to add where the holder goes before this pod: it comes back only where the holder is not.
fn rank(pod: &Pod, holders: &[&Pod]) -> String {
    let own = pod.spec.priority.unwrap_or_default();
    let higher = holders.iter().find_map(|holder| {
        let priority = holder.spec.priority.filter(|priority| *priority > own)?;
        Some(format!(", whose priority {priority} ({}) preempts its own {own}", holder.spec.priority_class_name))
    });
    higher.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: Node
metadata: {name: node-1}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: edge, namespace: shop}
spec: {strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: edge-1, namespace: shop, ownerReferences: [{kind: Deployment, name: edge, controller: true}]}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: edge-2, namespace: shop, ownerReferences: [{kind: Deployment, name: edge, controller: true}]}
---
kind: Pod
metadata: {name: edge-1-a, namespace: shop, ownerReferences: [{kind: ReplicaSet, name: OWNER, controller: true}]}
spec: {nodeName: node-1, containers: [{name: a, ports: [{containerPort: 80, hostPort: 8080}]}]}
status: {phase: Running, conditions: [{type: Ready, status: 'True'}]}
---
kind: Pod
metadata: {name: edge-2-b, namespace: shop, ownerReferences: [{kind: ReplicaSet, name: edge-2, controller: true}]}
spec: {containers: [{name: a, ports: [{containerPort: 80, hostPort: PORT, protocol: TCP}]}]}
status:
  phase: Pending
  conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable, message: \"0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.\"}]
";

    #[test]
    fn rollout_that_waits_for_itself() {
        check(
            &super::DETECTOR,
            &YAML.replace("OWNER", "edge-1").replace("PORT", "8080"),
            "warning Pod shop/edge-2-b: host port 8080 on node-1 is held by the pod of the old ReplicaSet, so the rolling update deadlocks: \
             maxUnavailable 0 keeps the old pod until the new one is ready",
        );
    }

    #[test]
    fn more_replicas_than_nodes() {
        check(
            &super::DETECTOR,
            &YAML.replace("OWNER", "edge-2").replace("PORT", "8080"),
            "warning Pod shop/edge-2-b: host port 8080 allows one replica for each node, and all that would take it (1 node) have one: node-1",
        );
    }

    #[test]
    fn held_by_something_else() {
        check(
            &super::DETECTOR,
            &YAML
                .replace("name: OWNER", "name: proxy")
                .replace("{kind: ReplicaSet, name: proxy", "{kind: DaemonSet, name: proxy, apiVersion: apps/v1")
                .replace("PORT", "8080"),
            "critical Pod shop/edge-2-b: host port 8080 on node-1 is taken by DaemonSet shop/proxy <- DaemonSet shop/proxy",
        );
    }

    #[test]
    fn held_by_something_that_goes_first() {
        let yaml = YAML
            .replace("name: OWNER", "name: proxy")
            .replace("{kind: ReplicaSet, name: proxy", "{kind: DaemonSet, name: proxy, apiVersion: apps/v1")
            .replace("spec: {nodeName: node-1,", "spec: {priority: 1000, priorityClassName: edge, nodeName: node-1,");
        check(
            &super::DETECTOR,
            &yaml.replace("PORT", "8080"),
            "critical Pod shop/edge-2-b: host port 8080 on node-1 is taken by DaemonSet shop/proxy, whose priority 1000 (edge) preempts its own 0 <- DaemonSet shop/proxy",
        );
    }

    #[test]
    fn the_port_is_free_by_now() {
        check(
            &super::DETECTOR,
            &YAML.replace("OWNER", "edge-1").replace("PORT", "8081").replace("didn't have free ports", "are busy"),
            "",
        );
    }
}
