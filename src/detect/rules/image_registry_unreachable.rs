//! Registries that give no usable answer.

use crate::detect::images::{Answer, Pull, close, parts, patch_container, pulls, why_unreachable};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "image-registry-unreachable",
    summary: "The image's registry can't be reached, is not trusted or fails",
    group: Group::Images,
    reads: &[Kind::Pod],
    wants: None,
    doc: r"## What it detects
A container that waits for its image because the registry can't be asked: its name does not
resolve on the node, nothing answers, its certificate is not trusted, it limits pulls (429), or it
fails itself (5xx).

## Why it matters
Pods that must pull can't start on any node, while those that have the image go on: the outage
spreads with each restart and each new node.

## Evidence
`state.waiting.message` or the event `Failed to pull image`, with the network's own words.

## Look-alikes
A registry that answers with a refusal is `image-pull-unauthorized` or `image-not-found`. A mistyped host in the
image looks like a host that DNS does not know: a near name that other pods run is proposed. Names resolve here
by the node's own DNS, so `dns-down` is not the reason. A short outage heals itself at the next try.

## What it does not see
The node's network, proxy and resolver, and the registry itself, are not asked: only the runtime's words count.
Which nodes are affected is seen only by the pods that pull there. Pulls that are slow but go on are silent.

## What to do
Check the registry's host name in the image. On the node (`kubectl debug node/NAME -it --image=IMAGE`, with an
image that it has): does the name resolve, is the port open, is the proxy set, is the certificate's authority
installed? With 429, log in to the registry or use a mirror. Where the node holds the image already (another pod there
runs it), `imagePullPolicy: IfNotPresent` starts the pod without the registry; for a tag that moves that may be an older
image.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    pulls(view, Answer::Unreachable).iter().map(|pull| finding(view, pull)).collect()
}

fn finding(view: &View<'_>, pull: &Pull<'_>) -> Finding {
    let image = &pull.container.spec.image;
    let (registry, repository, _) = parts(image);
    let other = close(view, image);
    let held = held(view, pull);
    let hint = match &other {
        _ if held => format!(
            "; node {} holds the image, and only imagePullPolicy: Always asks for it again (IfNotPresent would start it)",
            pull.container.pod.spec.node_name
        ),
        Some(other) if parts(other).1 == repository => {
            format!("; pods that have the image already run tag {} of it", parts(other).2)
        }
        Some(other) => format!("; did you mean {other}, which other pods run?"),
        None => String::new(),
    };
    let summary = format!(
        "image {image} of {} can't be pulled from registry {registry}: {}{hint}",
        pull.container.title(),
        why_unreachable(pull.text)
    );
    let finding = pull.finding(view, summary);
    if held {
        let finding =
            finding.field(&pull.container.pod.object_ref(), pull.container.spec_path("imagePullPolicy"), "Always");
        let fields = serde_json::json!({ "imagePullPolicy": "IfNotPresent" });
        return patch_container(view, finding, &pull.container, "use the image that the node holds", fields);
    }
    match other {
        Some(other) => pull.set_image(view, finding, &other),
        None => finding,
    }
}

/// Whether the pod's node has the very image: a container of it has been started there.
fn held(view: &View<'_>, pull: &Pull<'_>) -> bool {
    let (pod, spec) = (pull.container.pod, pull.container.spec);
    let begun = |container: &Running<'_>| {
        container.spec.image == spec.image
            && (container.status.state.running.is_some() || container.status.last_state.terminated.is_some())
    };
    spec.image_pull_policy == "Always"
        && !pod.spec.node_name.is_empty()
        && view
            .all::<Pod>()
            .iter()
            .filter(|other| other.spec.node_name == pod.spec.node_name)
            .any(|other| containers(other).any(|container| begun(&container)))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {containers: [{name: app, image: busybox}], initContainers: [{name: fetch, image: 'r.acme.io/fetch:2'}]}
status:
  phase: Pending
  initContainerStatuses: [{name: fetch, state: {waiting: {reason: ImagePullBackOff, message: 'Back-off pulling image \"r.acme.io/fetch:2\": ErrImagePull: MESSAGE'}}}]
  containerStatuses: [{name: app, state: {waiting: {reason: PodInitializing}}}]
";

    #[test]
    fn an_init_containers_registry_does_not_resolve() {
        let yaml = POD.replace("MESSAGE", "dial tcp: lookup r.acme.io on 10.0.0.2:53: no such host");
        let expected = "critical Pod shop/web-1: image r.acme.io/fetch:2 of init container fetch can't be pulled from registry r.acme.io: the node can't resolve its name (no such host)";
        check(&super::DETECTOR, &yaml, expected);
    }

    #[test]
    fn a_registry_that_fails() {
        let yaml = POD.replace("MESSAGE", "unexpected status code [manifests 2]: 503 Service Unavailable");
        let expected = "critical Pod shop/web-1: image r.acme.io/fetch:2 of init container fetch can't be pulled from registry r.acme.io: it answers 503 Service Unavailable";
        check(&super::DETECTOR, &yaml, expected);
    }

    #[test]
    fn the_node_holds_the_image() {
        let other = "
---
kind: Pod
metadata: {name: old, namespace: shop}
spec: {nodeName: node-1, containers: [{name: app, image: 'r.acme.io/fetch:2'}]}
status: {phase: Running, containerStatuses: [{name: app, ready: true, state: {running: {startedAt: '2026-01-01T11:00:00Z'}}}]}
";
        let yaml = POD
            .replace("MESSAGE", "503 Service Unavailable")
            .replace("spec: {containers", "spec: {nodeName: NODE, containers")
            .replace("fetch:2'}]", "fetch:2', imagePullPolicy: POLICY}]")
            + other;
        let says = "critical Pod shop/web-1: image r.acme.io/fetch:2 of init container fetch can't be pulled from registry r.acme.io: it answers 503 Service Unavailable";
        let held = "; node node-1 holds the image, and only imagePullPolicy: Always asks for it again (IfNotPresent would start it)";
        check(&super::DETECTOR, &yaml.replace("NODE", "node-1").replace("POLICY", "Always"), &format!("{says}{held}"));
        check(&super::DETECTOR, &yaml.replace("NODE", "node-2").replace("POLICY", "Always"), says);
        check(&super::DETECTOR, &yaml.replace("NODE", "node-1").replace("POLICY", "IfNotPresent"), says);
    }

    #[test]
    fn a_registry_that_answers_is_another_matter() {
        check(&super::DETECTOR, &POD.replace("MESSAGE", "manifest unknown"), "");
        check(&super::DETECTOR, &POD.replace("MESSAGE", "403 Forbidden"), "");
    }
}
