//! Images that must not be pulled and are not there.

use crate::detect::images::patch_container;
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "image-never-pulled",
    summary: "The image is not on the node, and imagePullPolicy forbids to pull it",
    group: Group::Images,
    reads: &[Kind::Pod],
    wants: None,
    doc: r"## What it detects
A container that waits with `ErrImageNeverPull`: its `imagePullPolicy` is `Never`, and the node does
not have the image.

## Why it matters
Nothing will ever fetch the image. It works on the machine where it was built or loaded by hand,
and on no other node.

## Evidence
`state.waiting.message` and `imagePullPolicy` of the container.

## Look-alikes
With the policy `IfNotPresent` or `Always` a missing image is `image-not-found`. Pods of the same workload may
run well on nodes where the image was loaded: the fault is then tied to the node, not to the image.

## What it does not see
Which images the nodes hold is not compared, so it can't say whether a name that is nearly the same was loaded,
or on which nodes the pod would run. Images loaded into another namespace of containerd than `k8s.io` are not
visible to the kubelet, nor here.

## What to do
Push the image to a registry and let `imagePullPolicy` be `IfNotPresent`; or load it into every node
that may run the pod (`ctr -n k8s.io images import`, `kind load docker-image`), and check
that its name and tag are the same to the letter.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let refused = waiting(view, &["ErrImageNeverPull"]);
    refused.iter().map(|(container, waiting)| finding(view, container, waiting)).collect()
}

fn finding(view: &View<'_>, container: &Running<'_>, waiting: &Waiting) -> Finding {
    let (pod, image) = (container.pod, &container.spec.image);
    let object = pod.object_ref();
    let summary = format!(
        "image {image} of {} is not on the node, and imagePullPolicy Never forbids to pull it (ErrImageNeverPull)",
        container.title()
    );
    let finding = Finding::new(object.clone(), view.pod_severity(pod), Stage::Pull, summary)
        .key(format!("{} {image}", container.spec.name))
        .field(
            &object,
            container.path("state.waiting"),
            if waiting.message.is_empty() { &waiting.reason } else { &waiting.message },
        )
        .field(
            &object,
            container.spec_path("imagePullPolicy"),
            if container.spec.image_pull_policy.is_empty() { "Never" } else { &container.spec.image_pull_policy },
        )
        .since(pod_since(pod));
    patch_container(
        view,
        finding,
        container,
        "let the node pull it, if a registry has it",
        serde_json::json!({ "imagePullPolicy": "IfNotPresent" }),
    )
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {containers: [{name: app, image: 'web:dev', imagePullPolicy: Never}]}
status:
  phase: Pending
  containerStatuses: [{name: app, state: STATE}]
";

    #[test]
    fn never_pulled_and_not_there() {
        let yaml = POD.replace("STATE", "{waiting: {reason: ErrImageNeverPull, message: 'Container image \"web:dev\" is not present with pull policy of Never'}}");
        check(
            &super::DETECTOR,
            &yaml,
            "critical Pod shop/web-1: image web:dev of container app is not on the node, and imagePullPolicy Never forbids to pull it (ErrImageNeverPull)",
        );
    }

    #[test]
    fn never_pulled_but_there() {
        check(
            &super::DETECTOR,
            &POD.replace("STATE", "{running: {startedAt: '2026-01-01T11:00:00Z'}}, ready: true"),
            "",
        );
    }
}
