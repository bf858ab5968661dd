//! Mounts of a file on a directory, or of a directory on a file.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "mount-type-mismatch",
    summary: "A file is mounted over a directory, or a directory over a file",
    group: Group::Storage,
    reads: &[Kind::Pod],
    wants: None,
    doc: r"## What it detects
A container that can't be started because a mount meets the wrong kind of thing: the runtime says
`error mounting … not a directory` (or `is a directory`).

## Why it matters
The container never starts. It is usually one line in the manifest: a `subPath` that is missing, or
that names a key that the ConfigMap does not have (then an empty directory takes its place).

## Evidence
The runtime's message, and the mount in the container's spec.

## Look-alikes
A subPath that the kubelet can't prepare is `subpath-failed`; a volume that can't be mounted at all is
`volume-mount-failed`. A program that starts and then finds no file is `file-missing`, or `wrong-mount-path` where the
volume is mounted elsewhere. Other failures of the runtime are `container-create-failed`. The runtime's words are
specific, so that nothing else is taken for this.

## What it does not see
The image's own files: whether the path is a file or a directory there is concluded from the runtime's message and the
`subPath`. It is silent where the message names no path `to rootfs at`, or one that is no `mountPath` of this
container. Keys are compared for ConfigMaps that were read, not for Secrets, projected volumes or claims. `items` that
rename keys are not weighed: then the reason that is given may be wrong, the fault is not.

## What to do
To put one file of a ConfigMap into a directory, mount it with `subPath: FILE` at `…/FILE`. To put all of it there,
give the directory as `mountPath`, without `subPath` (this hides what the image has there).
`kubectl get configmap NAME -o yaml` shows its keys.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let pods = view.all::<Pod>().iter().filter(|pod| !pod.metadata.deleting());
    pods.flat_map(containers).filter_map(|container| finding(view, &container)).collect()
}

fn finding(view: &View<'_>, container: &Running<'_>) -> Option<Finding> {
    let state = &container.status.state;
    if state.running.is_some() {
        return None;
    }
    let waiting = state.waiting.as_ref().map(|waiting| ("state.waiting.message", waiting.message.as_str()));
    let ended = container.ended().map(|ended| {
        (
            if state.terminated.is_some() { "state.terminated.message" } else { "lastState.terminated.message" },
            ended.message.as_str(),
        )
    });
    let clash = |message: &str| {
        message.contains("mount") && (message.contains("not a directory") || message.contains("is a directory"))
    };
    let (path, message) = [waiting, ended].into_iter().flatten().find(|(_, message)| clash(message))?;
    let quoted = |word: &str| message.split_once(word).and_then(|(_, rest)| rest.split_once('"')).map(|(at, _)| at);
    let at = quoted("to rootfs at \"")?.trim_end_matches('/');
    let mount = container.spec.volume_mounts.iter().find(|mount| mount.mount_path.trim_end_matches('/') == at)?;
    let map = container
        .pod
        .spec
        .volumes
        .iter()
        .find(|volume| volume.name == mount.name)
        .and_then(|volume| volume.config_map.as_ref());
    let keys = map.and_then(|map| view.get::<ConfigMap>(&container.pod.metadata.namespace, &map.name));
    let why = if mount.sub_path.is_empty() {
        format!(
            "volume {} is a directory, and {at} in the image is a file; a single file is mounted with subPath",
            mount.name
        )
    } else if let Some(map) = keys.filter(|map| map.keys().count() > 0 && !map.has(&mount.sub_path)) {
        let near = meant(&mount.sub_path, map.keys()).map(|key| format!("; did you mean {key}?")).unwrap_or_default();
        format!(
            "subPath {} is no key of ConfigMap {}, so that a directory takes its place, and {at} in the image is a file{near}",
            mount.sub_path, map.metadata.name
        )
    } else {
        format!(
            "subPath {} of volume {} is a file, and {at} in the image is a directory; mount it at {at}/{}",
            mount.sub_path, mount.name, mount.sub_path
        )
    };
    let object = container.pod.object_ref();
    let summary = format!("{} can't start, its mount fails (not a directory): {why}", container.title());
    let finding = Finding::new(object.clone(), view.pod_severity(container.pod), Stage::Start, summary)
        .key(&container.spec.name)
        .field(&object, container.path(path), message)
        .field(
            &object,
            container.spec_path(&format!("volumeMounts[{}]", mount.name)),
            format!("mountPath: {}, subPath: {}", mount.mount_path, mount.sub_path),
        )
        .since(pod_since(container.pod));
    Some(crate::detect::scheduling::edit(finding, view, container.pod, "correct the mount"))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: ConfigMap
metadata: {name: cm, namespace: shop}
data: {app.conf: x}
---
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  volumes: [{name: d, configMap: {name: cm}}]
  containers: [{name: a, volumeMounts: [{name: d, mountPath: AT, subPath: SUB}]}]
status:
  phase: Running
  containerStatuses:
  - name: a
    state: {waiting: {reason: CrashLoopBackOff}}
    lastState: {terminated: {exitCode: 128, reason: StartError, message: 'failed to create containerd task: runc create failed: error mounting \"/var/lib/kubelet/pods/1/volume-subpaths/d/a/0\" to rootfs at \"AT\": mount src=/x, dst=AT: SAID: unknown'}}
";

    fn yaml(at: &str, sub: &str, said: &str) -> String {
        YAML.replace("AT", at).replace("SUB", sub).replace("SAID", said)
    }

    #[test]
    fn file_on_a_directory() {
        check(
            &super::DETECTOR,
            &yaml("/etc", "app.conf", "not a directory"),
            "critical Pod shop/web: container a can't start, its mount fails (not a directory): subPath app.conf of volume d is a file, and /etc in the image is a directory; mount it at /etc/app.conf",
        );
    }

    #[test]
    fn directory_on_a_file() {
        check(
            &super::DETECTOR,
            &yaml("/etc/passwd", "''", "not a directory"),
            "critical Pod shop/web: container a can't start, its mount fails (not a directory): volume d is a directory, and /etc/passwd in the image is a file; a single file is mounted with subPath",
        );
        check(
            &super::DETECTOR,
            &yaml("/etc/app.conf", "ap.conf", "not a directory"),
            "critical Pod shop/web: container a can't start, its mount fails (not a directory): subPath ap.conf is no key of ConfigMap cm, so that a directory takes its place, and /etc/app.conf in the image is a file; did you mean app.conf?",
        );
    }

    #[test]
    fn another_error() {
        check(&super::DETECTOR, &yaml("/etc", "app.conf", "no space left on device"), "");
    }
}
