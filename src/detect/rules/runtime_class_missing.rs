//! Pods whose runtime class is not there, or not on their node.

use crate::detect::admission::{Reason, refused};
use crate::detect::config_uses::near;
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "runtime-class-missing",
    summary: "The pods' RuntimeClass, or its handler on the node, does not exist",
    group: Group::Configuration,
    reads: &[
        Kind::ReplicaSet,
        Kind::StatefulSet,
        Kind::DaemonSet,
        Kind::Job,
        Kind::Event,
        Kind::Pod,
        Kind::RuntimeClass,
    ],
    wants: None,
    doc: r"## What it detects
A workload that lacks pods because they name a RuntimeClass that the cluster does not have; or a pod
that can't be started because the container runtime of its node does not know the class's handler.

## Why it matters
Without the class no pod can be made, and there is none at which the reason could be seen. Without the handler
the pod stays in `ContainerCreating`.

## Evidence
The `FailedCreate` event (`RuntimeClass … not found`), or the pod's `FailedCreatePodSandBox` event
(`no runtime for … is configured`), and the class's `handler`.

## Look-alikes
Sandboxes that fail for another reason, such as the network: `container-creating-stuck`. A class whose node
selector fits no node: `node-selector-unmatched`. Other refusals of pods have their own pages, else
`pod-create-refused`.

Once the class is there its refusal is no longer reported. Where RuntimeClasses can't be listed the API server's
answer stands alone, and the handler is not named. A node that was just set up may get its handler a moment
later.

## What it does not see
Which nodes have the handler: their configuration of containerd or CRI-O is not read. A handler that exists and
fails. A pod that runs on, though its class was deleted. Pods made by hand whose class is missing. Events go
after an hour, unless they are repeated.

## What to do
See `kubectl get runtimeclasses`. Create the RuntimeClass or correct `runtimeClassName`; install the handler on
the nodes (in containerd's configuration, then restart it), or give the class a `scheduling.nodeSelector` for
those that have it. Recent kubelets list what their runtime knows:
`kubectl get node NODE -o jsonpath='{.status.runtimeHandlers[*].name}'`.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let choose = |reason: &Reason| match reason {
        Reason::Runtime(name) => Some(name.clone()),
        _ => None,
    };
    let all = refused(view, choose);
    let missing = all.iter().filter(|(_, name)| view.get::<RuntimeClass>("", name).is_none());
    let refused = missing.map(|(refusal, name)| {
        let class = ObjectRef::new(Kind::RuntimeClass, "", name);
        let hint = near(name, view.all::<RuntimeClass>().iter().map(|class| class.metadata.name.as_str()))
            .map(|name| format!("; did you mean {name}?"))
            .unwrap_or_default();
        let finding = refusal
            .finding(view, format!("{} refused: RuntimeClass {name} does not exist{hint}", refusal.subject()))
            .key(name);
        finding.look("see which classes there are", &class, &["get", "runtimeclasses"]).culprit(class)
    });
    let waits = view.live_pods().filter(|pod| pod.status.phase == "Pending" && !pod.spec.runtime_class_name.is_empty());
    let unknown = waits.filter_map(|pod| {
        let name = &pod.spec.runtime_class_name;
        let no_handler = |text: &str| text.contains("no runtime for") || text.contains("unknown runtime handler") || text.contains("failed to find runtime handler");
        let event = view.warnings(pod).find(|event| event.reason == "FailedCreatePodSandBox" && no_handler(&event.message))?;
        let class = ObjectRef::new(Kind::RuntimeClass, "", name);
        let handler = view.get::<RuntimeClass>("", name).map_or("", |class| class.handler.as_str());
        let summary = format!("RuntimeClass {name} asks for the handler `{handler}`, which the container runtime of the node does not have (FailedCreatePodSandBox)");
        let finding = Finding::new(pod.object_ref(), view.pod_severity(pod), Stage::Start, summary).key(name).event(event).since(event.first());
        Some(finding.look("see which node it is", &pod.object_ref(), &["describe", "pod", &pod.metadata.name]).culprit(class))
    });
    refused.chain(unknown).collect()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const JOB: &str = "
kind: Job
metadata: {name: scan, namespace: shop}
---
kind: Event
metadata: {name: e1, namespace: shop}
type: Warning
reason: FailedCreate
message: 'Error creating: pods \"scan-\" is forbidden: pod rejected: RuntimeClass \"gvisor\" not found'
involvedObject: {kind: Job, namespace: shop, name: scan}
---
kind: RuntimeClass
metadata: {name: NAME}
handler: runsc
";

    #[test]
    fn no_such_class() {
        let expected = "critical Job shop/scan: 1 pod is refused: RuntimeClass gvisor does not exist; did you mean gvisor2? <- RuntimeClass gvisor";
        check(&super::DETECTOR, &JOB.replace("NAME", "gvisor2"), expected);
    }

    #[test]
    fn the_class_was_made_since() {
        check(&super::DETECTOR, &JOB.replace("NAME", "gvisor"), "");
    }

    #[test]
    fn the_node_does_not_know_the_handler() {
        let yaml = "
kind: Pod
metadata: {name: scan-1, namespace: shop}
spec: {nodeName: node-1, runtimeClassName: gvisor, containers: [{name: app}]}
status: {phase: Pending}
---
kind: RuntimeClass
metadata: {name: gvisor}
handler: runsc
---
kind: Event
metadata: {name: e1, namespace: shop}
type: Warning
reason: FailedCreatePodSandBox
message: 'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox runtime: no runtime for \"runsc\" is configured'
involvedObject: {kind: Pod, namespace: shop, name: scan-1}
";
        check(
            &super::DETECTOR,
            yaml,
            "critical Pod shop/scan-1: RuntimeClass gvisor asks for the handler `runsc`, which the container runtime of the node does not have (FailedCreatePodSandBox) <- RuntimeClass gvisor",
        );
    }
}
