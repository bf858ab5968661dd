//! Pods that don't get past `ContainerCreating`.

use crate::detect::logs::{short, superseded};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "container-creating-stuck",
    summary: "Pod is stuck in ContainerCreating: its sandbox or network can't be made",
    group: Group::Containers,
    reads: &[Kind::Pod, Kind::Event],
    wants: None,
    doc: r"## What it detects
A pod that has a node and whose containers are not created after a minute: the kubelet can't make its sandbox
(`FailedCreatePodSandBox`), mostly because the network plugin fails or has no address left; or no event says why after
five minutes (fifteen once the sandbox is there: an image may be on its way).

## Why it matters
Nothing of the pod starts. If the network plugin is at fault, no new pod of that node starts.

## Evidence
The event's message; the pod's condition `PodReadyToStartContainers`.

## Look-alikes
Volumes that can't be mounted (`volume-mount-failed`, `volume-attach-failed`), images (`image-pull-failed` and the
like), missing ConfigMaps and Secrets (`config-map-missing`, `secret-missing`), a postStart hook at work
(`hook-fails`), a missing runtime handler (`runtime-class-missing`) and a node that is down (`node-not-ready`): where
their events are, this one is silent. A single failure in the pod's first minute is usual while a node's network
starts.

## What it does not see
The log of the kubelet and of the network plugin, which alone tell why. A sandbox error counts for ten minutes after
it was last seen. Without the right to list events, or where the node is not read or not Ready, a wait without a word
is not reported.

## What to do
Look at the pods of the network plugin on that node (calico, cilium, flannel, azure-cns, aws-node), by `kubectl get
pods -A -o wide --field-selector spec.nodeName=NODE`, and at its address range; then at the kubelet's log (`journalctl
-u kubelet` on the node).",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let waits = |pod: &&Pod| {
        let creating = |status: &ContainerStatus| {
            status
                .state
                .waiting
                .as_ref()
                .is_some_and(|waiting| matches!(waiting.reason.as_str(), "ContainerCreating" | "PodInitializing"))
        };
        pod.status.phase == "Pending" && !pod.spec.node_name.is_empty() && pod.status.all_statuses().all(creating)
    };
    view.all::<Pod>()
        .iter()
        .filter(waits)
        .filter(|pod| !superseded(view, pod))
        .filter_map(|pod| finding(view, pod))
        .collect()
}

fn finding(view: &View<'_>, pod: &Pod) -> Option<Finding> {
    // What others speak of: volumes, images, configuration, hooks, a node that is down.
    const OTHERS: &[&str] = &[
        "FailedMount",
        "FailedAttachVolume",
        "FailedMapVolume",
        "Failed",
        "BackOff",
        "ErrImageNeverPull",
        "InspectFailed",
        "NodeNotReady",
        "TaintManagerEviction",
    ];
    let object = pod.object_ref();
    let age = view.age(pod_since(pod)).unwrap_or_default();
    let sandbox = view.warnings(pod).find(|event| {
        matches!(event.reason.as_str(), "FailedCreatePodSandBox" | "FailedCreatePodSandbox" | "NetworkNotReady")
    });
    if let Some(event) = sandbox.filter(|event| view.age(event.last()).is_some_and(|age| age < 600)) {
        let handler = ["no runtime for", "unknown runtime handler", "failed to find runtime handler"]
            .iter()
            .any(|words| event.message.contains(words));
        // One failure in passing is not rare while a node's network starts.
        if handler && !pod.spec.runtime_class_name.is_empty() || (event.times() < 2 && age < SETTLED) {
            return None;
        }
        let summary = format!("pod is stuck in ContainerCreating ({}): {}", event.reason, why(&event.message));
        let finding = Finding::new(object.clone(), view.pod_severity(pod), Stage::Start, summary)
            .event(event)
            .since(event.first());
        return Some(describe(finding, &object));
    }
    let other = view.warnings(pod).any(|event| OTHERS.contains(&event.reason.as_str()));
    // Once the sandbox is there, a large image may be on its way, or a postStart hook at work.
    let made = condition(&pod.status.conditions, "PodReadyToStartContainers").is_some_and(Condition::is_true);
    let hooked = made
        && pod
            .spec
            .containers
            .iter()
            .any(|container| container.lifecycle.as_ref().is_some_and(|lifecycle| lifecycle.post_start.is_some()));
    let patience = if made { 900 } else { 300 };
    let up = view
        .node_of(pod)
        .and_then(|node| view.get::<Node>("", &node.name))
        .is_some_and(|node| condition(&node.status.conditions, "Ready").is_some_and(Condition::is_true));
    let simulated = view.events(&object).is_empty() && pod.status.all_statuses().next().is_none();
    if age < patience || other || hooked || !up || simulated || !view.snapshot.knows(Kind::Event, object.ns()) {
        return None;
    }
    let summary = "pod is stuck in ContainerCreating for minutes, and no event says why";
    let finding = Finding::new(object.clone(), view.pod_severity(pod), Stage::Start, summary)
        .field(&object, "status.phase", &pod.status.phase)
        .since(pod_since(pod));
    Some(describe(finding, &object).unknown("what the kubelet waits for: its log on the node decides").symptom())
}

/// What a sandbox failed of, without ids that differ from try to try.
fn why(message: &str) -> String {
    let message = message.trim();
    let low = message.to_ascii_lowercase();
    let any = |words: &[&str]| words.iter().any(|word| low.contains(word));
    let last = message.rsplit(": ").next().unwrap_or(message);
    let cause = match () {
        () if any(&[
            "no ip addresses available",
            "failed to allocate",
            "no available ip",
            "insufficientfreeips",
            "no more ips",
            "no free ip",
            "address pool",
            "ipam",
        ]) =>
        {
            "the network plugin has no address left for it"
        }
        () if any(&[
            "cni plugin not initialized",
            "cni config uninitialized",
            "no networks found",
            "network plugin is not ready",
            "no such file or directory: check that the calico",
            "networknotready",
        ]) =>
        {
            "the network plugin of the node is not set up"
        }
        () if any(&["failed to setup network", "plugin type=", "networkplugin cni failed", "cni"]) => {
            "the network plugin fails"
        }
        () if any(&["pause", "sandbox image", "pull"]) => "the sandbox's image can't be pulled",
        () if any(&["context deadline exceeded", "deadlineexceeded"]) => {
            "the runtime of the node does not answer in time"
        }
        () => return short(message, 180),
    };
    format!("{cause}: {}", short(last, 120))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {nodeName: node-1, containers: [{name: app}]}
status: {phase: Pending, startTime: 'START', containerStatuses: [{name: app, state: {waiting: {reason: ContainerCreating}}}]}
---
kind: Node
metadata: {name: node-1}
status: {conditions: [{type: Ready, status: 'True'}]}
---
kind: Event
type: Warning
metadata: {name: e1, namespace: shop}
involvedObject: {kind: Pod, namespace: shop, name: web-1}
reason: REASON
message: 'MESSAGE'
count: 5
lastTimestamp: '2026-01-01T11:59:50Z'
";

    fn pod(start: &str, reason: &str, message: &str) -> String {
        POD.replace("START", start).replace("REASON", reason).replace("MESSAGE", message)
    }

    #[test]
    fn the_network_plugin() {
        let message = r#"Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "5f3c": plugin type="calico" failed (add): connection is unauthorized"#;
        check(
            &super::DETECTOR,
            &pod("2026-01-01T11:58:00Z", "FailedCreatePodSandBox", message),
            "critical Pod shop/web-1: pod is stuck in ContainerCreating (FailedCreatePodSandBox): the network plugin fails: connection is unauthorized",
        );
    }

    #[test]
    fn nothing_says_why() {
        check(
            &super::DETECTOR,
            &pod("2026-01-01T11:50:00Z", "Noted", "x"),
            "critical Pod shop/web-1: pod is stuck in ContainerCreating for minutes, and no event says why",
        );
    }

    #[test]
    fn young_or_of_others() {
        check(&super::DETECTOR, &pod("2026-01-01T11:59:30Z", "Noted", "x"), "");
        check(&super::DETECTOR, &pod("2026-01-01T11:50:00Z", "FailedMount", "x"), "");
    }
}
