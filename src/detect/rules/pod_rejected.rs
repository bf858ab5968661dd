//! Pods that the kubelet refuses to run.

use std::collections::BTreeMap;

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "pod-rejected",
    summary: "Kubelet rejects the pod: its node can't run it as it is",
    group: Group::Scheduling,
    reads: &[Kind::Pod, Kind::Event],
    wants: None,
    doc: r"## What it detects
Pods that failed before a container ran, since the kubelet did not admit them: a sysctl that is not allowed, a node that
lacks the cpu, memory or devices, a `nodeName` that contradicts the node's labels, AppArmor that the node does not have.

## Why it matters
The controller makes the next pod at once, and it is rejected too: often hundreds of failed pods in a minute, and none
that serves.

## Evidence
The pod's `status.reason` and `status.message`, and how many pods of the workload were rejected. Where no pod is left,
since its StatefulSet or DaemonSet deletes it at once and makes the next: the kubelet's events about the pods that are
gone, and the controller's own (`RecreatingFailedPod`, `FailedDaemonPod`).

## Look-alikes
Pods that ran and were put out are `pod-evicted`. Pods without a node are `insufficient-resources`,
`node-selector-unmatched` and others: there the scheduler refuses. A node whose kubelet does nothing is
`pod-not-accepted`.

## What it does not see
Rejected pods of a custom controller that are deleted at once. Workloads that have become ready since are silent, and
so are rejections of pods that are gone after five minutes without another.

## What to do
The message names what the node does not allow or have. Change it in the pod's template (`securityContext.sysctls`,
`nodeName`, requests), or allow it on the node. Rejected pods stay until they are deleted:
`kubectl delete pods --field-selector status.phase=Failed`.",
    run,
};

/// The kubelet's words for what it does not admit.
fn refusal(reason: &str) -> bool {
    let words = [
        "SysctlForbidden",
        "NodeAffinity",
        "NodeName",
        "NodePorts",
        "UnexpectedAdmissionError",
        "AppArmor",
        "TopologyAffinityError",
        "PodOSNotSupported",
    ];
    reason.starts_with("OutOf") || words.contains(&reason)
}

fn rejected(pod: &Pod) -> bool {
    let status = &pod.status;
    // A node under pressure or on its way down rejects pods as well: those count as put out.
    let put_out = matches!(status.reason.as_str(), "Evicted" | "NodeShutdown");
    let told = refusal(&status.reason) || status.message.starts_with("Pod was rejected") && !put_out;
    status.phase == "Failed" && told && !pod.metadata.deleting()
}

fn run(view: &View<'_>) -> Vec<Finding> {
    let mut groups: BTreeMap<(ObjectRef, &str), Vec<&Pod>> = BTreeMap::new();
    for pod in view.all::<Pod>().iter().filter(|pod| rejected(pod)) {
        groups.entry((view.workload_of(pod), pod.status.reason.as_str())).or_default().push(pod);
    }
    let mut gone: BTreeMap<(ObjectRef, &str), Vec<&Event>> = BTreeMap::new();
    for event in view.all::<Event>().iter().filter(|event| refuses(view, event)) {
        let Some(workload) = maker(view, event) else { continue };
        if !groups.keys().any(|(told, _)| *told == workload) {
            gone.entry((workload, event.reason.as_str())).or_default().push(event);
        }
    }
    let now = groups.into_iter().filter_map(|((workload, _), pods)| finding(view, &workload, &pods));
    now.chain(gone.into_iter().filter_map(|((workload, _), events)| deleted(view, &workload, &events))).collect()
}

/// Whether an event tells of a pod that was rejected lately and is there no more.
fn refuses(view: &View<'_>, event: &Event) -> bool {
    let pod = &event.involved_object;
    event.is_warning()
        && pod.kind == "Pod"
        && refusal(&event.reason)
        && view.age(event.last()).is_some_and(|age| age < 5 * SETTLED)
        && view
            .get::<Pod>(&pod.namespace, &pod.name)
            .is_none_or(|other| !pod.uid.is_empty() && other.metadata.uid != pod.uid || rejected(other))
}

/// The workload whose pods are deleted and made again as they fail, by the name of a pod of it that is gone.
fn maker(view: &View<'_>, event: &Event) -> Option<ObjectRef> {
    let pod = &event.involved_object;
    let (stem, end) = pod.name.rsplit_once('-')?;
    if end.bytes().all(|byte| byte.is_ascii_digit()) && view.get::<StatefulSet>(&pod.namespace, stem).is_some() {
        return Some(ObjectRef::new(Kind::StatefulSet, &pod.namespace, stem));
    }
    let chance = end.len() == 5 && end.bytes().all(|byte| byte.is_ascii_alphanumeric());
    view.get::<DaemonSet>(&pod.namespace, stem).filter(|_| chance).map(Resource::object_ref)
}

/// A workload whose rejected pods are deleted at once, so that the events alone tell of them.
fn deleted(view: &View<'_>, object: &ObjectRef, events: &[&Event]) -> Option<Finding> {
    let newest = events.iter().max_by_key(|event| event.last())?;
    let times: i64 = events.iter().map(|event| event.times()).sum();
    let workload = view.workload(object)?;
    let told = |reason: &str| {
        let recent = |event: &&Event| view.age(event.last()).is_some_and(|age| age < 5 * SETTLED);
        view.event(object, reason).filter(recent)
    };
    let again = told("RecreatingFailedPod").or_else(|| told("FailedDaemonPod"));
    // One that is tried once and then runs is history.
    let runs = |pod: &&Pod| pod.ready() && *pod.metadata.creation_timestamp >= newest.first();
    if workload.ready >= workload.desired || times < 2 && again.is_none() || view.pods_of(object).iter().any(runs) {
        return None;
    }
    let node = if newest.source.host.is_empty() { String::new() } else { format!(" of node {}", newest.source.host) };
    let said = newest.message.strip_prefix("Pod was rejected: ").unwrap_or(&newest.message);
    let summary = format!(
        "the kubelet{node} rejects the pod ({}), and it is deleted and made again and again: {}",
        newest.reason,
        said.trim_end_matches('.')
    );
    let finding = Finding::new(object.clone(), view.workload_severity(object), Stage::Schedule, summary)
        .key(&newest.reason)
        .since(events.iter().filter_map(|event| event.first()).min())
        .event(newest);
    let finding = match again {
        Some(event) => finding.event(event),
        None => finding,
    };
    Some(describe(finding, object))
}

fn finding(view: &View<'_>, workload: &ObjectRef, pods: &[&Pod]) -> Option<Finding> {
    let newest = pods.iter().max_by_key(|pod| *pod.metadata.creation_timestamp)?;
    let newer = |pod: &&Pod| *pod.metadata.creation_timestamp >= *newest.metadata.creation_timestamp;
    let recovered = |pod: &&Pod| newer(pod) && (pod.ready() || pod.status.phase == "Succeeded");
    if view.pods_of(workload).iter().any(recovered) {
        return None;
    }
    let (object, status) = (newest.object_ref(), &newest.status);
    let said = status.message.strip_prefix("Pod was rejected: ").unwrap_or(&status.message);
    let number = if pods.len() == 1 { String::new() } else { format!(", {} pods so far", pods.len()) };
    let summary = format!(
        "the kubelet of node {} rejects the pod ({}{number}): {}",
        newest.spec.node_name,
        status.reason,
        said.trim_end_matches('.')
    );
    let first = pods.iter().filter_map(|pod| *pod.metadata.creation_timestamp).min();
    let finding = Finding::new(object.clone(), view.pod_severity(newest), Stage::Schedule, summary)
        .key(&status.reason)
        .since(first)
        .field(&object, "status.reason", &status.reason)
        .field(&object, "status.message", &status.message);
    Some(describe(finding, &object))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop, creationTimestamp: '2026-01-01T11:50:00Z'}
spec: {nodeName: node-1}
status: {phase: Failed, reason: REASON, message: 'MESSAGE'}
";

    fn pod(reason: &str, message: &str) -> String {
        POD.replace("REASON", reason).replace("MESSAGE", message)
    }

    #[test]
    fn what_the_node_does_not_allow_or_have() {
        let says = "critical Pod shop/web-1: the kubelet of node node-1 rejects the pod";
        check(
            &super::DETECTOR,
            &pod("SysctlForbidden", "Pod was rejected: forbidden sysctl: \"net.core.somaxconn\" not allowlisted"),
            &format!("{says} (SysctlForbidden): forbidden sysctl: \"net.core.somaxconn\" not allowlisted"),
        );
        check(
            &super::DETECTOR,
            &pod("OutOfcpu", "Node didn''t have enough resource: cpu, requested: 6000, used: 80, capacity: 2000"),
            &format!(
                "{says} (OutOfcpu): Node didn't have enough resource: cpu, requested: 6000, used: 80, capacity: 2000"
            ),
        );
    }

    const SET: &str = "
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec: {replicas: 1}
status: {replicas: 1, readyReplicas: READY}
---
kind: Event
metadata: {name: e1, namespace: shop}
type: Warning
reason: AppArmor
message: 'Cannot enforce AppArmor: AppArmor is not enabled on the host'
involvedObject: {kind: Pod, namespace: shop, name: db-0, uid: a}
source: {component: kubelet, host: node-1}
lastTimestamp: '2026-01-01T11:59:58Z'
---
kind: Event
metadata: {name: e2, namespace: shop}
type: Warning
reason: AppArmor
message: 'Cannot enforce AppArmor: AppArmor is not enabled on the host'
involvedObject: {kind: Pod, namespace: shop, name: db-0, uid: b}
source: {component: kubelet, host: node-1}
lastTimestamp: '2026-01-01T11:59:59Z'
";

    #[test]
    fn deleted_and_made_again() {
        let expected = "critical StatefulSet shop/db: the kubelet of node node-1 rejects the pod (AppArmor), and it is deleted and made again and again: Cannot enforce AppArmor: AppArmor is not enabled on the host";
        check(&super::DETECTOR, &SET.replace("READY", "0"), expected);
        let next = "
---
kind: Pod
metadata: {name: db-0, namespace: shop, uid: c, creationTimestamp: '2026-01-01T12:00:00Z', ownerReferences: [{kind: StatefulSet, apiVersion: apps/v1, name: db, controller: true}]}
spec: {nodeName: node-1}
status: {phase: Pending}
";
        check(&super::DETECTOR, &(SET.replace("READY", "0") + next), expected);
    }

    #[test]
    fn rejected_once_long_ago_or_ready_since() {
        check(&super::DETECTOR, &SET.replace("READY", "1"), "");
        check(&super::DETECTOR, &SET.replace("READY", "0").replace("11:59", "11:40"), "");
        check(&super::DETECTOR, &SET.replace("READY", "0").replace("name: db-0, uid: b", "name: other-0, uid: b"), "");
        check(&super::DETECTOR, &SET.replace("READY", "0").replace("reason: AppArmor", "reason: BackOff"), "");
    }

    #[test]
    fn put_out_or_failed() {
        check(&super::DETECTOR, &pod("Evicted", "The node was low on resource: memory."), "");
        check(&super::DETECTOR, &pod("Evicted", "Pod was rejected: The node had condition: [MemoryPressure]."), "");
        check(&super::DETECTOR, &pod("NodeShutdown", "Pod was rejected as the node is shutting down."), "");
        check(&super::DETECTOR, &pod("''", ""), "");
    }
}
