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
The container is not created until the sub-path can be used.

## Evidence
The message of the waiting container, and its mounts with a sub-path.

## False positives
A sub-path that is a file where a directory is needed is `mount-type-mismatch`.

## What to do
See whether the volume can be written, whether the path leaves the volume through a link, and
whether `subPathExpr` names a variable that exists.",
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
