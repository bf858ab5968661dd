//! Pods that the kubelet put out.

use crate::detect::logs::short;
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "pod-evicted",
    summary: "Pod was evicted: over a storage limit, or its node ran short",
    group: Group::Nodes,
    reads: &[Kind::Pod, Kind::Node],
    wants: None,
    doc: r"## What it detects
Pods that ended as `Evicted` within the last hour and whose workload is short of pods, or which were evicted
again and again, or that nothing replaces: because they used more scratch space than they may (`emptyDir`
sizeLimit, ephemeral-storage limit), or because the node ran short of memory, disk or process ids.

## Why it matters
All of the pod ends at once, with what it kept in emptyDir. If it was over its own limit, its replacement will
end alike. If its node ran short, the next node may follow.

## Evidence
`status.reason` and `status.message` of the pod; the sizeLimit of the emptyDir that the message names; the
node's pressure condition, where it still holds.

## Look-alikes
A container that is over its memory limit is killed, not evicted: `oom-killed`. A full disk without an eviction:
`disk-full`. The node's own shortage is told at the node: `node-pressure`. A drain or a `NoExecute` taint
deletes the pod, and leaves none that is `Evicted`.

Evicted pods stay in the list until the garbage collector or a person removes them: an old one is history. So a
pod that was evicted and replaced, with its workload complete again, is silent after ten minutes, or at once
where its node ran short; after an hour it is silent in any case. Only a pod that nothing replaces is reported
at any age.

## What it does not see
Evicted pods that were deleted since. What filled the node: usage is not measured, only the kubelet's message
and the node's conditions are read, and a pressure that has passed leaves no condition. Pods of a Job that came
to its end well are skipped.

## What to do
Over its own limit: raise `sizeLimit` or the `ephemeral-storage` limit, or write less (rotate logs, write to a
volume). A node that ran short: set requests close to what the pods use, since the kubelet evicts first what is
over its requests; see `kubectl describe node NODE` and `kubectl top pods -A --sort-by=memory`. Remove what is
left over with `kubectl delete pods --field-selector=status.phase=Failed`: that takes other failed pods with it,
those of Jobs too.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let evicted = view.all::<Pod>().iter().filter(|pod| pod.status.reason == "Evicted" && !pod.metadata.deleting());
    evicted.filter_map(|pod| finding(view, pod)).collect()
}

/// When a pod was put out.
fn moment(pod: &Pod) -> Option<Time> {
    let conditions = &pod.status.conditions;
    let time = condition(conditions, "DisruptionTarget")
        .or_else(|| condition(conditions, "Ready"))
        .and_then(|condition| *condition.last_transition_time);
    time.or_else(|| pod_since(pod))
}

/// Whether the node ran short, and not the pod over a limit of its own.
fn pressed(message: &str) -> bool {
    let lower = message.to_ascii_lowercase();
    ["low on resource", "pressure", "node had condition"].iter().any(|words| lower.contains(words))
}

fn finding(view: &View<'_>, pod: &Pod) -> Option<Finding> {
    let object = pod.object_ref();
    let workload = view.workload_of(pod);
    let age = view.age(moment(pod)).unwrap_or_default();
    let siblings = view.pods_of(&workload);
    let times = siblings
        .iter()
        .filter(|other| other.status.reason == "Evicted" && view.age(moment(other)).is_some_and(|age| age < 3600))
        .count();
    let short_of = view.workload(&workload).is_some_and(|workload| workload.ready < workload.desired);
    let replaced = pod.metadata.controller().is_some();
    let job_done = view.workload(&workload).is_some_and(|found| {
        found.object.kind == Kind::Job && condition(found.conditions, "Complete").is_some_and(Condition::is_true)
    });
    let pressed = pressed(&pod.status.message);
    // Over its own limit its replacement will end alike; a node that ran short is told at the node.
    let again = age < 600 && (times >= 2 || !pressed);
    if replaced && (age >= 3600 || job_done || !(short_of || again)) {
        return None;
    }
    let message = pod.status.message.trim().trim_end_matches('.');
    let node = view.node_of(pod).filter(|_| pressed);
    // A pod's name and figures in the message differ from replica to replica.
    let first = message.split(". ").next().unwrap_or(message);
    let summary = match &node {
        Some(node) => format!("pod was evicted since node {} ran short: {}", node.name, short(first, 160)),
        None if times >= 2 => format!("pod is evicted again and again: {}", short(first, 160)),
        None => format!("pod is evicted: {}", short(first, 160)),
    };
    let severity = if replaced { view.workload_severity(&workload) } else { Severity::Critical };
    let mut finding = Finding::new(object.clone(), severity, Stage::Start, summary)
        .key(if pressed { "node" } else { "limit" })
        .field(&object, "status.reason", "Evicted")
        .field(&object, "status.message", message)
        .since(moment(pod));
    if let Some(volume) = pod.spec.volumes.iter().find(|volume| message.contains(&format!("\"{}\"", volume.name)))
        && let Some(scratch) = &volume.empty_dir
    {
        finding =
            finding.field(&object, format!("spec.volumes[{}].emptyDir.sizeLimit", volume.name), &scratch.size_limit);
    }
    if let Some(node) = node {
        let condition = view.get::<Node>("", &node.name).and_then(|node| {
            node.status.conditions.iter().find(|condition| condition.kind.ends_with("Pressure") && condition.is_true())
        });
        if let Some(condition) = condition {
            finding = finding.field(
                &node,
                format!("status.conditions[{}]", condition.kind),
                format!("status: {}, reason: {}", condition.status, condition.reason),
            );
        }
        return Some(finding.look("see the node's pressure", &node, &["describe", "node", &node.name]).culprit(node));
    }
    let target = format!("{}/{}", workload.kind.argument(), workload.name);
    let editable = view.workload(&workload).is_some() && workload.kind != Kind::Job;
    Some(if editable {
        finding.fix("raise the limit, or let it write less", &workload, &["edit", &target])
    } else {
        finding
    })
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const SET: &str = "
kind: ReplicaSet
metadata: {name: web, namespace: shop}
spec: {replicas: 1}
status: {readyReplicas: READY}
---
kind: Pod
metadata: {name: web-2, namespace: shop, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web, controller: true}]}
status: {phase: Running}
";
    const POD: &str = "
---
kind: Pod
metadata: {name: NAME, namespace: shop, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web, controller: true}]}
spec: {nodeName: node-1, volumes: [{name: s, emptyDir: {sizeLimit: 8Mi}}]}
status: {phase: Failed, reason: Evicted, message: 'MESSAGE', conditions: [{type: Ready, status: 'False', lastTransitionTime: 'TIME'}]}
";
    const OVER: &str = r#"Usage of EmptyDir volume "s" exceeds the limit "8Mi". "#;

    fn evicted(name: &str, message: &str, time: &str) -> String {
        POD.replace("NAME", name).replace("MESSAGE", message).replace("TIME", time)
    }

    #[test]
    fn over_its_limit() {
        let yaml = SET.replace("READY", "0") + &evicted("web-1", OVER, "2026-01-01T11:59:00Z");
        check(
            &super::DETECTOR,
            &yaml,
            r#"critical Pod shop/web-1: pod is evicted: Usage of EmptyDir volume "s" exceeds the limit "8Mi""#,
        );
    }

    #[test]
    fn the_node_ran_short() {
        let message = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi. Container app was using 2Gi";
        let yaml = SET.replace("READY", "0") + &evicted("web-1", message, "2026-01-01T11:59:00Z");
        check(
            &super::DETECTOR,
            &yaml,
            "critical Pod shop/web-1: pod was evicted since node node-1 ran short: The node was low on resource: memory <- Node node-1",
        );
    }

    #[test]
    fn replaced_a_moment_ago() {
        let set = SET.replace("READY", "1").replace(
            "status: {phase: Running}",
            "status: {phase: Running, conditions: [{type: Ready, status: 'True'}]}",
        );
        let one = |message: &str| format!("{set}{}", evicted("web-1", message, "2026-01-01T11:59:00Z"));
        check(
            &super::DETECTOR,
            &one(OVER),
            r#"warning Pod shop/web-1: pod is evicted: Usage of EmptyDir volume "s" exceeds the limit "8Mi""#,
        );
        check(&super::DETECTOR, &one("Pod was rejected: The node had condition: [DiskPressure]. "), "");
    }

    #[test]
    fn replaced_and_well() {
        check(&super::DETECTOR, &(SET.replace("READY", "1") + &evicted("web-1", OVER, "2026-01-01T11:30:00Z")), "");
    }
}
