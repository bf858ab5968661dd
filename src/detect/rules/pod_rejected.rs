//! Pods that the kubelet refuses to run.

use std::collections::BTreeMap;

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "pod-rejected",
    summary: "Kubelet rejects the pod: its node can't run it as it is",
    group: Group::Scheduling,
    reads: &[Kind::Pod],
    wants: None,
    doc: r"## What it detects
Pods that failed before a container ran, since the kubelet did not admit them: a sysctl that is not allowed, a node that
lacks the cpu, memory or devices, a `nodeName` that contradicts the node's labels, AppArmor that the node does not have.

## Why it matters
The controller makes the next pod at once, and it is rejected too: often hundreds of failed pods in a minute, and none
that serves.

## Evidence
The pod's `status.reason` and `status.message`, and how many pods of the workload were rejected.

## Look-alikes
Pods that ran and were put out are `pod-evicted`. Pods without a node are `insufficient-resources`,
`node-selector-unmatched` and others: there the scheduler refuses. A node whose kubelet does nothing is
`pod-not-accepted`.

## What it does not see
Rejected pods that are deleted at once (a StatefulSet's). Workloads that have become ready since are silent.

## What to do
The message names what the node does not allow or have. Change it in the pod's template (`securityContext.sysctls`,
`nodeName`, requests), or allow it on the node. Rejected pods stay until they are deleted:
`kubectl delete pods --field-selector status.phase=Failed`.",
    run,
};

/// What ends a pod that ran.
const PUT_OUT: &[&str] =
    &["Evicted", "Preempting", "NodeShutdown", "Shutdown", "Terminated", "NodeLost", "DeadlineExceeded"];

fn rejected(pod: &Pod) -> bool {
    let status = &pod.status;
    let known = status.reason.starts_with("OutOf")
        || matches!(
            status.reason.as_str(),
            "SysctlForbidden" | "NodeAffinity" | "UnexpectedAdmissionError" | "AppArmor" | "TopologyAffinityError"
        );
    let told = known || status.message.starts_with("Pod was rejected");
    status.phase == "Failed" && told && !PUT_OUT.contains(&status.reason.as_str()) && !pod.metadata.deleting()
}

fn run(view: &View<'_>) -> Vec<Finding> {
    let mut groups: BTreeMap<(ObjectRef, &str), Vec<&Pod>> = BTreeMap::new();
    for pod in view.all::<Pod>().iter().filter(|pod| rejected(pod)) {
        groups.entry((view.workload_of(pod), pod.status.reason.as_str())).or_default().push(pod);
    }
    groups.into_iter().filter_map(|((workload, _), pods)| finding(view, &workload, &pods)).collect()
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

    #[test]
    fn put_out_or_failed() {
        check(&super::DETECTOR, &pod("Evicted", "The node was low on resource: memory."), "");
        check(&super::DETECTOR, &pod("''", ""), "");
    }
}
