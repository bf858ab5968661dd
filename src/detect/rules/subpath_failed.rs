//! Sub-paths of volumes that can't be prepared.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "subpath-failed",
    summary: "A subPath of a volume can't be prepared for the container",
    group: Group::Storage,
    reads: &[Kind::Pod],
    wants: None,
    doc: r"## What it detects
A container that waits because the kubelet can't make or open the `subPath` of one of its mounts:
`failed to prepare subPath` or `failed to create subPath directory`.

## Why it matters
The container is not created until the sub-path can be used. The pod has its node and its volumes, and
restarting it there changes nothing.

## Evidence
The message of the waiting container, and its mounts with a sub-path.

## Look-alikes
- A sub-path that is a file where a directory is needed (`error mounting` in the message):
  `mount-type-mismatch`.
- The whole volume can't be mounted: `volume-mount-failed`.
- A ConfigMap or Secret lacks the key: `config-key-missing`. The program does not find its file though the
  container runs: `wrong-mount-path` or `file-missing`.
- The path is right and the volume full or read-only: the message says so, and the volume is at fault.

## What it does not see
Only containers that wait now, and only messages with the word subPath: what was overcome is not told, and
events are not read. The content of the volume is not read, so it can't say what stands at the path. Paths
from `subPathExpr` are not named in the sentence; a variable that is missing in one may be told in words
that this detector does not know.

## What to do
See whether the volume can be written (read-only mounts, NFS with root squash), whether a link on the path
leads out of the volume, and whether `subPathExpr` comes to a relative path without `..`. For a look inside,
mount the volume without `subPath` in a pod of its own. Mind that a sub-path does not follow changes of a
ConfigMap.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let failing = waiting(view, &["CreateContainerConfigError", "CreateContainerError", "RunContainerError"]);
    let subpath = failing.into_iter().filter(|(_, waiting)| {
        waiting.message.to_ascii_lowercase().contains("subpath") && !waiting.message.contains("error mounting")
    });
    subpath
        .map(|(container, waiting)| {
            let object = container.pod.object_ref();
            let mounts: Vec<String> = container
                .spec
                .volume_mounts
                .iter()
                .filter(|mount| !mount.sub_path.is_empty())
                .map(|mount| format!("{} of volume {}", mount.sub_path, mount.name))
                .collect();
            let which = if mounts.is_empty() { String::new() } else { format!(" (subPath {})", list(&mounts)) };
            let summary = format!(
                "{} can't be made ({}){which}: {}",
                container.title(),
                waiting.reason,
                waiting.message.trim_end_matches('.')
            );
            let finding = Finding::new(object.clone(), view.pod_severity(container.pod), Stage::Mount, summary)
                .key(&container.spec.name)
                .field(&object, container.path("state.waiting.message"), &waiting.message)
                .since(pod_since(container.pod));
            describe(finding, &object)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: Pod
metadata: {name: web, namespace: shop}
spec: {containers: [{name: a, volumeMounts: [{name: d, mountPath: /d, subPath: x/y}]}]}
status: {phase: Pending, containerStatuses: [{name: a, state: {waiting: {reason: CreateContainerConfigError, message: 'MESSAGE'}}}]}
";

    #[test]
    fn sub_path_can_not_be_made() {
        check(
            &super::DETECTOR,
            &YAML.replace("MESSAGE", "failed to create subPath directory for volumeMount \"d\" of container \"a\""),
            "critical Pod shop/web: container a can't be made (CreateContainerConfigError) (subPath x/y of volume d): failed to create subPath directory for volumeMount \"d\" of container \"a\"",
        );
    }

    #[test]
    fn another_error() {
        check(&super::DETECTOR, &YAML.replace("MESSAGE", "secret \"x\" not found"), "");
    }
}
