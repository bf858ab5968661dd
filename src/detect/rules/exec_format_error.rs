//! Containers whose program the node's kernel can't execute.

use crate::detect::logs::mount::mount_of;
use crate::detect::logs::{Class, Failing, Fault, said};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "exec-format-error",
    summary: "Container's program is built for another architecture, or lacks its #! line",
    group: Group::Containers,
    reads: &[Kind::Pod],
    wants: None,
    doc: r"## What it detects
A container that ends with `exec format error`: its program is built for another processor than the
node's, or it is a script whose first line does not begin with `#!`.

## Why it matters
The program never runs on such a node. In a cluster of several architectures it may run on others, so that
only some replicas fail.

## Evidence
The runtime's line, and the node's `status.nodeInfo.architecture`.

## Look-alikes
An image that has no variant for the node, and is not pulled at all, is `image-wrong-platform`. A script whose
interpreter is missing is `command-not-found`; one that may not be executed `command-not-executable`. A program file
that is empty or cut off ends with the same words. The words themselves are the kernel's, and certain.

## What it does not see
The image's manifest: that it is built for another processor is inferred from the error. What is from a ConfigMap or
Secret, or ends with `.sh`, `.py` and the like, is taken for a script; a script of the image by another name is taken
for a program. Without the right to read nodes the node's processor is not named.

## What to do
`kubectl get nodes -L kubernetes.io/arch` shows the processors. Build the image for the node's (or for several:
`docker buildx build --platform linux/amd64,linux/arm64`), or choose nodes that fit with `nodeSelector:
{kubernetes.io/arch: …}`. Give a script its `#!` line.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    said(view, |class| matches!(class, Class::ExecFormat(_))).iter().map(|failing| finding(view, failing)).collect()
}

fn finding(view: &View<'_>, failing: &Failing<'_>) -> Finding {
    let (pod, spec) = (failing.container.pod, failing.container.spec);
    let path = match &failing.fault {
        Fault::Said(Class::ExecFormat(path)) if !path.is_empty() => path.clone(),
        _ => spec.command.first().cloned().unwrap_or_default(),
    };
    let mounted = mount_of(pod, spec, &path).and_then(|mounted| mounted.source(failing.namespace()));
    let script =
        mounted.is_some() || [".sh", ".bash", ".py", ".pl", ".rb", ".js"].iter().any(|end| path.ends_with(end));
    if script {
        let from =
            mounted.as_ref().map(|source| format!(" (from {} {})", source.kind, source.name)).unwrap_or_default();
        let finding = failing.finding(
            view,
            Stage::Start,
            format!(
                "{}: script `{path}`{from} has no #! line that names its interpreter (exec format error)",
                failing.happens()
            ),
        );
        let finding = describe(finding, &failing.pod());
        return match mounted {
            Some(source) => finding
                .fix("give the script its #! line", &source, &["edit", &source.kind.argument(), &source.name])
                .culprit(source),
            None => finding,
        };
    }
    let node = view.get::<Node>("", &pod.spec.node_name).filter(|node| !node.status.node_info.architecture.is_empty());
    let machine = node.map_or_else(
        || "the node's".to_owned(),
        |node| format!("{} of node {}", node.status.node_info.architecture, node.metadata.name),
    );
    let finding = failing.finding(
        view,
        Stage::Start,
        format!(
            "{}: image {} is built for another architecture than {machine} (exec format error)",
            failing.happens(),
            spec.image
        ),
    );
    let finding = match node {
        Some(node) => {
            finding.field(&node.object_ref(), "status.nodeInfo.architecture", &node.status.node_info.architecture)
        }
        None => finding,
    };
    finding.look("see the nodes' architectures", &failing.pod(), &["get", "nodes", "-L", "kubernetes.io/arch"])
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec:
  nodeName: node-1
  containers: [{name: app, image: 'shop/web:2', command: [COMMAND], volumeMounts: [{name: s, mountPath: /s}]}]
  volumes: [{name: s, configMap: {name: scripts}}]
status:
  phase: Running
  containerStatuses:
  - {name: app, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {reason: Error, exitCode: 1, finishedAt: '2026-01-01T11:59:00Z'}}}
---
kind: Node
metadata: {name: node-1}
status: {nodeInfo: {architecture: arm64}}
---
kind: Log
namespace: shop
pod: web-1
container: app
lines: ['LINE']
";

    #[test]
    fn other_architecture() {
        let yaml = POD.replace("COMMAND", "/app/web").replace("LINE", "exec /app/web: exec format error");
        check(
            &super::DETECTOR,
            &yaml,
            "critical Pod shop/web-1: container app exits 1: image shop/web:2 is built for another architecture than arm64 of node node-1 (exec format error)",
        );
    }

    #[test]
    fn script_without_an_interpreter() {
        let yaml = POD.replace("COMMAND", "/s/run.sh").replace("LINE", "exec /s/run.sh: exec format error");
        check(
            &super::DETECTOR,
            &yaml,
            "critical Pod shop/web-1: container app exits 1: script `/s/run.sh` (from ConfigMap scripts) has no #! line that names its interpreter (exec format error) <- ConfigMap shop/scripts",
        );
    }

    #[test]
    fn another_error() {
        check(
            &super::DETECTOR,
            &POD.replace("COMMAND", "/app/web").replace("LINE", "error: format of line 3 is wrong"),
            "",
        );
    }
}
