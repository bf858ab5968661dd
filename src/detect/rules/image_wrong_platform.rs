//! Images that were not built for the node's processor or system.

use crate::detect::images::{Answer, Pull, pulls};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "image-wrong-platform",
    summary: "The image has no variant for the node's platform",
    group: Group::Images,
    reads: &[Kind::Pod, Kind::Node],
    wants: None,
    doc: r"## What it detects
A container whose image the runtime does not take because its manifest has no variant for the
node's processor or operating system (`no match for platform in manifest`).

## Why it matters
The image can never run on this kind of node. In a cluster of mixed nodes some replicas run and
others don't, as the scheduler does not look into images.

## Evidence
`state.waiting.message` or the event `Failed to pull image`, and the node's architecture.

## Look-alikes
An image of one platform that is pulled all the same and then ends with `exec format error` is
`exec-format-error`. A tag that does not exist for any platform is `image-not-found`.

## What it does not see
The image's manifest is not read, so it does not say for which platforms the image was built. The operating
system's version (Windows builds) is not compared. Where Nodes can't be read the platform of the node is not
named.

## What to do
Build the image for all platforms of the cluster (`docker buildx build --platform …`), or keep
the pods on matching nodes with the node selector `kubernetes.io/arch`.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    pulls(view, Answer::WrongPlatform).iter().map(|pull| finding(view, pull)).collect()
}

fn finding(view: &View<'_>, pull: &Pull<'_>) -> Finding {
    let image = &pull.container.spec.image;
    let node = view.get::<Node>("", &pull.container.pod.spec.node_name);
    let platform = node.map(|node| &node.status.node_info).filter(|info| !info.architecture.is_empty());
    let title = pull.container.title();
    let Some(info) = platform else {
        return pull.finding(
            view,
            format!(
                "image {image} of {title} has no variant for the node's platform (no match for platform in manifest)"
            ),
        );
    };
    let system = if info.operating_system.is_empty() { "linux" } else { &info.operating_system };
    let summary = format!(
        "image {image} of {title} has no variant for {system}/{}, the platform of its node (no match for platform in manifest)",
        info.architecture
    );
    let finding = pull.finding(view, summary);
    match node {
        Some(node) => finding.field(&node.object_ref(), "status.nodeInfo.architecture", &info.architecture),
        None => finding,
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {nodeName: node-1, containers: [{name: app, image: 'r.io/web:1'}]}
status:
  phase: Pending
  containerStatuses: [{name: app, state: {waiting: {reason: ErrImagePull, message: 'MESSAGE'}}}]
---
kind: Node
metadata: {name: node-1}
status: {nodeInfo: {architecture: arm64, operatingSystem: linux}}
";

    #[test]
    fn no_variant_for_arm() {
        let yaml = POD.replace(
            "MESSAGE",
            r#"failed to pull and unpack image "r.io/web:1": no match for platform in manifest: not found"#,
        );
        check(
            &super::DETECTOR,
            &yaml,
            "critical Pod shop/web-1: image r.io/web:1 of container app has no variant for linux/arm64, the platform of its node (no match for platform in manifest)",
        );
    }

    #[test]
    fn a_manifest_that_is_not_there_at_all() {
        check(&super::DETECTOR, &POD.replace("MESSAGE", "manifest for r.io/web:1 not found"), "");
    }
}
