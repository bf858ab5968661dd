//! Containers that write where nothing may be written.

use crate::detect::logs::mount::{folder, mount_of};
use crate::detect::logs::{Class, Failing, Fault, said};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "read-only-root",
    summary: "Program fails because it writes to a read-only file system",
    group: Group::Configuration,
    reads: &[Kind::Pod],
    wants: None,
    doc: r"## What it detects
A container that fails with `read-only file system`: its root is read-only (`readOnlyRootFilesystem`)
and no volume is mounted where it writes, or the volume there is mounted read-only.

## Why it matters
Programs want to write logs, caches and locks somewhere; without a place they don't start.

## Evidence
The line of the log; `readOnlyRootFilesystem` or the mount that covers the path.

## Look-alikes
`permission denied` is another matter: `file-permission-denied`. A full disk: `disk-full`. A volume that can't
be mounted at all: `volume-mount-failed`.

A disk that the kernel made read-only after errors shows alike: then neither setting is there, and the summary
says so. See the node then: `node-problem` tells where the node reports it. A path in `/proc` or `/sys` is
read-only for every container that is not privileged, whatever its spec says.

## What it does not see
Containers that log this and are ready all the same. A line that names no path: then no mount is compared. Only
the first place that fails is named; the next one shows when that is mended. What the image itself needs to
write is not known. Of each log the last 200 lines are read.

## What to do
Mount an emptyDir where the program writes (`/tmp` and its cache folders), or let it write elsewhere. An
emptyDir hides what the image has at that path. Volumes of ConfigMaps and Secrets, projected and downwardAPI
ones can never be written: copy the files into an emptyDir first, in an init container.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    said(view, |class| matches!(class, Class::ReadOnly(_))).iter().map(|failing| finding(view, failing)).collect()
}

fn finding(view: &View<'_>, failing: &Failing<'_>) -> Finding {
    let (pod, spec, object) = (failing.container.pod, failing.container.spec, failing.pod());
    let path = match &failing.fault {
        Fault::Said(Class::ReadOnly(path)) => path.clone(),
        _ => None,
    };
    let what = path.clone().map_or_else(|| "a file".to_owned(), |path| format!("`{path}`"));
    let says = format!("{}: it can't write {what} (read-only file system)", failing.happens());
    let mounted = path.as_deref().and_then(|path| mount_of(pod, spec, path));
    let claim_only = |volume: &Volume| volume.persistent_volume_claim.as_ref().is_some_and(|claim| claim.read_only);
    let root = spec.security_context.read_only_root_filesystem == Some(true);
    let finding = match mounted {
        Some(mounted) => {
            let why = match mounted.source(failing.namespace()) {
                Some(source) => format!(
                    "{} {} is mounted at {}, and such volumes can't be written",
                    source.kind, source.name, mounted.mount.mount_path
                ),
                None if mounted.mount.read_only || mounted.volume.is_some_and(claim_only) => {
                    format!("volume {} is mounted at {} with readOnly", mounted.mount.name, mounted.mount.mount_path)
                }
                None => format!(
                    "volume {} at {} was made read-only, perhaps after errors of its disk",
                    mounted.mount.name, mounted.mount.mount_path
                ),
            };
            failing.finding(view, Stage::Start, format!("{says}: {why}")).field(
                &object,
                failing.container.spec_path(&format!("volumeMounts[{}].mountPath", mounted.mount.name)),
                &mounted.mount.mount_path,
            )
        }
        None if root => {
            // A folder that can't be made is itself where the volume belongs; over its parent it would hide more.
            let makes = failing.text.contains("mkdir") || failing.text.contains("director");
            let place = path.as_deref().map(|path| if makes { path } else { folder(path) });
            let place = place.filter(|folder| !folder.is_empty()).unwrap_or("the folder it writes to");
            let summary = format!(
                "{says}: readOnlyRootFilesystem is true and no volume is mounted there; mount an emptyDir at {place}"
            );
            failing.finding(view, Stage::Start, summary).field(
                &object,
                failing.container.spec_path("securityContext.readOnlyRootFilesystem"),
                "true",
            )
        }
        None => failing
            .finding(view, Stage::Start, format!("{says}, though its spec sets nothing read-only"))
            .unknown("whether the node's disk was made read-only after errors"),
    };
    failing.edit(view, failing.read_log(finding), "mount a volume that can be written")
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = r#"
kind: Pod
metadata: {name: web-1, namespace: shop}
spec:
  containers: [{name: app, securityContext: {readOnlyRootFilesystem: true}, volumeMounts: [{name: cfg, mountPath: /etc/web}]}]
  volumes: [{name: cfg, configMap: {name: settings}}]
status:
  phase: Running
  containerStatuses:
  - {name: app, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {reason: Error, exitCode: 1, finishedAt: '2026-01-01T11:59:00Z'}}}
---
kind: Log
namespace: shop
pod: web-1
container: app
lines: ["ERROR LINE"]
"#;

    #[test]
    fn read_only_root() {
        check(
            &super::DETECTOR,
            &POD.replace("LINE", "mkdir: can't create directory '/var/cache/nginx': Read-only file system"),
            "critical Pod shop/web-1: container app exits 1: it can't write `/var/cache/nginx` (read-only file system): readOnlyRootFilesystem is true and no volume is mounted there; mount an emptyDir at /var/cache/nginx",
        );
    }

    #[test]
    fn a_config_map_that_is_written() {
        check(
            &super::DETECTOR,
            &POD.replace("LINE", "open /etc/web/app.yaml: read-only file system"),
            "critical Pod shop/web-1: container app exits 1: it can't write `/etc/web/app.yaml` (read-only file system): ConfigMap settings is mounted at /etc/web, and such volumes can't be written",
        );
    }

    #[test]
    fn another_error() {
        check(&super::DETECTOR, &POD.replace("LINE", "open /var/x: permission denied"), "");
    }
}
