//! Containers that fail because there is no space left.

use crate::detect::logs::mount::mount_of;
use crate::detect::logs::{Class, Failing, Fault, said};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "disk-full",
    summary: "Program fails because its disk or volume is full",
    group: Group::Storage,
    reads: &[Kind::Pod],
    wants: None,
    doc: r"## What it detects
A container that fails with `no space left on device` (or a disk quota): the claim, the scratch volume or
the node's disk that it writes to is full.

## Why it matters
A database that can't write stops. A full disk of a node takes other pods with it.

## Evidence
The line of the log, and the volume that the path lies in with its size.

## Look-alikes
Inodes run out with the same words while bytes are left (`df -i`), and so do inotify watches (`ENOSPC` of a file
watcher). A node that runs short says so itself as `node-pressure`; a pod that was put out for it is `pod-evicted`. A
claim that was to grow and did not is `claim-resize-stuck`. A file system that takes no writes at all is
`read-only-root`.

## What it does not see
How full anything is: neither volumes nor nodes are measured, and what is full is inferred from the path in the line.
Where the line names no path, the only claim of the container is taken; without one, or for a path in no volume, the
node's disk. A program that goes on, ready, with a full disk is silent.

## What to do
`kubectl exec POD -- df -h` (and `df -i`) shows how full it is. Free space first (logs, old backups). Then raise the
claim's request (if its class allows expansion) or the emptyDir's `sizeLimit`; a RAM disk (`medium: Memory`) counts
against the memory limit.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    said(view, |class| matches!(class, Class::DiskFull(_))).iter().map(|failing| finding(view, failing)).collect()
}

fn finding(view: &View<'_>, failing: &Failing<'_>) -> Finding {
    let (pod, spec, object) = (failing.container.pod, failing.container.spec, failing.pod());
    let path = match &failing.fault {
        Fault::Said(Class::DiskFull(path)) => path.clone(),
        _ => None,
    };
    let mounted = path.as_deref().and_then(|path| mount_of(pod, spec, path));
    // Where the line names no path, the only claim is the likeliest.
    let mut claims = spec
        .volume_mounts
        .iter()
        .filter_map(|mount| pod.spec.volumes.iter().find(|volume| volume.name == mount.name))
        .filter(|volume| volume.persistent_volume_claim.is_some());
    let only = claims.next().filter(|_| path.is_none() && claims.next().is_none());
    let volume = mounted.and_then(|mounted| mounted.volume).or(only);
    let what = path.map(|path| format!(" for `{path}`")).unwrap_or_default();
    let says = format!("{}: no space left on device{what}", failing.happens());
    if let Some(claim) = volume.and_then(|volume| volume.persistent_volume_claim.as_ref()) {
        let claim = ObjectRef::new(Kind::PersistentVolumeClaim, failing.namespace(), &claim.claim_name);
        let size = view
            .get::<PersistentVolumeClaim>(claim.ns(), &claim.name)
            .and_then(|claim| claim.status.capacity.get("storage").cloned());
        let text = size.as_ref().map(|size| format!(" ({size})")).unwrap_or_default();
        let finding = failing.finding(view, Stage::Start, format!("{says}: claim {}{text} is full", claim.name));
        let finding = match size {
            Some(size) => finding.field(&claim, "status.capacity.storage", size),
            None => finding,
        };
        return failing
            .read_log(finding)
            .look("see the claim", &claim, &["describe", "pvc", &claim.name])
            .culprit(claim);
    }
    let scratch = volume.and_then(|volume| Some((volume, volume.empty_dir.as_ref()?)));
    let finding = if let Some((volume, scratch)) = scratch {
        let size =
            if scratch.size_limit.is_empty() { String::new() } else { format!(", sizeLimit {}", scratch.size_limit) };
        let medium = if scratch.medium == "Memory" { "RAM disk" } else { "emptyDir" };
        let finding = failing.finding(view, Stage::Start, format!("{says}: {medium} {}{size} is full", volume.name));
        finding.field(
            &object,
            format!("spec.volumes[{}].emptyDir", volume.name),
            format!("medium: {}, sizeLimit: {}", scratch.medium, scratch.size_limit),
        )
    } else {
        let finding =
            failing.finding(view, Stage::Start, format!("{says}: the disk of its node is full, or a quota on it"));
        match view.node_of(pod) {
            Some(node) => {
                finding.look("see the node's disk pressure", &node, &["describe", "node", &node.name]).culprit(node)
            }
            None => finding,
        }
    };
    failing.edit(view, failing.read_log(finding), "give it more room")
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = r#"
kind: Pod
metadata: {name: db-0, namespace: shop}
spec:
  nodeName: node-1
  containers: [{name: app, volumeMounts: [{name: data, mountPath: /data}]}]
  volumes: [{name: data, VOLUME}]
status:
  phase: Running
  containerStatuses:
  - {name: app, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {reason: Error, exitCode: 1, finishedAt: '2026-01-01T11:59:00Z'}}}
---
kind: PersistentVolumeClaim
metadata: {name: data-db-0, namespace: shop}
status: {capacity: {storage: 1Gi}}
---
kind: Log
namespace: shop
pod: db-0
container: app
lines: ["LINE"]
"#;
    const CLAIM: &str = "persistentVolumeClaim: {claimName: data-db-0}";

    fn pod(volume: &str, line: &str) -> String {
        POD.replace("VOLUME", volume).replace("LINE", line)
    }

    #[test]
    fn a_claim() {
        check(
            &super::DETECTOR,
            &pod(CLAIM, "PANIC: could not write to file '/data/pg_wal/1': No space left on device"),
            "critical Pod shop/db-0: container app exits 1: no space left on device for `/data/pg_wal/1`: claim data-db-0 (1Gi) is full <- PersistentVolumeClaim shop/data-db-0",
        );
        check(
            &super::DETECTOR,
            &pod(CLAIM, "ERROR No space left on device"),
            "critical Pod shop/db-0: container app exits 1: no space left on device: claim data-db-0 (1Gi) is full <- PersistentVolumeClaim shop/data-db-0",
        );
    }

    #[test]
    fn a_scratch_volume_and_the_node() {
        check(
            &super::DETECTOR,
            &pod("emptyDir: {medium: Memory, sizeLimit: 8Mi}", "dd: error writing '/data/x': No space left on device"),
            "critical Pod shop/db-0: container app exits 1: no space left on device for `/data/x`: RAM disk data, sizeLimit 8Mi is full",
        );
        check(
            &super::DETECTOR,
            &pod("emptyDir: {}", "write /var/log/x: no space left on device"),
            "critical Pod shop/db-0: container app exits 1: no space left on device for `/var/log/x`: the disk of its node is full, or a quota on it <- Node node-1",
        );
    }

    #[test]
    fn another_error() {
        check(&super::DETECTOR, &pod(CLAIM, "ERROR no device of that name"), "");
    }
}
