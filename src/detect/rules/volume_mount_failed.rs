//! Volumes that can't be mounted for their pod.

use crate::detect::prelude::*;
use crate::detect::storage;
use crate::graph::configuration;

pub(super) const DETECTOR: Detector = Detector {
    id: "volume-mount-failed",
    summary: "Volume can't be mounted for the pod",
    group: Group::Storage,
    reads: &[Kind::Pod, Kind::Event],
    wants: None,
    doc: r"## What it detects
A pod that can't start because a volume can't be mounted on its node: a `hostPath` that is not what
its type says, a file server that refuses or does not answer, a CSI driver that is not registered on
the node, a damaged file system.

## Why it matters
The pod stays in `ContainerCreating` until the mount works; nothing else is tried.

## Evidence
The event `FailedMount` (or `FailedMapVolume`) with what the kubelet met.

## Look-alikes
- A missing ConfigMap, Secret, key or token also fails the mount: `config-map-missing`, `secret-missing`,
  `config-key-missing`, `account-token-missing`.
- The volume is not attached yet: `volume-attach-failed`, `volume-attached-elsewhere`. Any event of that kind
  silences this one.
- The volume is mounted and its `subPath` fails: `subpath-failed`; a file over a directory: `mount-type-mismatch`.
- The sandbox or the network can't be made: `container-creating-stuck`.
- A driver that is being upgraded fails mounts for a moment: a failure that came once is given a minute.

## What it does not see
Only events tell: one whose last sign is older than ten minutes is silent, and so is a pod with a container that
has begun. After some minutes the kubelet may say only `timed out waiting for the condition`: then it says that
the step is not known. The kubelet's and the driver's logs on the node are not read, and the server of an NFS
volume is not asked. Volumes that get lost under running containers are not noticed.

## What to do
Do what the message says. For a driver that is not registered: `kubectl get csinode NODE -o yaml` lists what is, and
see whether its node plugin (a DaemonSet) runs there: `kubectl get pods -A --field-selector spec.nodeName=NODE`. For
NFS: the server's exports, its firewall, and the client package on the node.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.all::<Pod>().iter().filter_map(|pod| finding(view, pod)).collect()
}

/// The kubelet's summary after some minutes: what failed stands in other events.
fn vague(event: &Event) -> bool {
    event.message.contains("timed out waiting for the condition")
        || event.message.contains("Unable to attach or mount volumes")
}

fn finding(view: &View<'_>, pod: &Pod) -> Option<Finding> {
    let events = storage::blocked(view, pod, &["FailedMount", "FailedMapVolume", "FailedAttachVolume"]);
    let recent = |event: &&&Event| view.age(event.last()).is_none_or(|age| age < 10 * SETTLED);
    let other = events
        .iter()
        .any(|event| event.reason == "FailedAttachVolume" || !vague(event) && storage::configuration(&event.message));
    let missing = configuration(&pod.spec)
        .into_iter()
        .any(|(kind, name, optional)| !optional && view.absent(&view.beside(pod, kind, name)));
    if other || missing {
        return None;
    }
    let specific = events.iter().filter(recent).find(|event| !vague(event));
    let event = *specific.or_else(|| events.iter().find(recent))?;
    let reason = storage::reason(&event.message);
    let sure = reason.contains("hostPath type check") || reason.contains("registered CSI drivers");
    if !sure && event.times() < 2 && view.age(event.first()).is_some_and(|age| age < SETTLED) {
        return None;
    }
    let name = storage::volume_of(&event.message).unwrap_or_default();
    let claim = crate::detect::scheduling::claims(view, pod).into_iter().find(|claim| claim.spec.volume_name == name);
    let volume = pod.spec.volumes.iter().find(|volume| volume.name == name);
    let what = match (claim, volume.and_then(|volume| volume.nfs.as_ref())) {
        (Some(claim), _) => format!("volume of claim {}", claim.metadata.name),
        (None, Some(nfs)) => format!("volume {name} ({}:{})", nfs.server, nfs.path),
        (None, None) if name.is_empty() => "a volume".to_owned(),
        (None, None) => format!("volume {name}"),
    };
    let printed =
        storage::output(&event.message).map(|text| format!(": {}", text.trim_end_matches('.'))).unwrap_or_default();
    let summary = format!("{what} can't be mounted on {} ({}): {reason}{printed}", pod.spec.node_name, event.reason);
    let object = pod.object_ref();
    let mut finding = Finding::new(object.clone(), view.pod_severity(pod), Stage::Mount, summary)
        .key(name)
        .event(event)
        .since(event.first());
    if let Some(path) = volume.and_then(|volume| volume.host_path.as_ref()) {
        finding = finding.field(
            &object,
            format!("spec.volumes[{name}].hostPath"),
            format!("path: {}, type: {}", path.path, path.kind),
        );
    }
    if let Some(driver) = driver(reason) {
        let at = ObjectRef::new(Kind::CSINode, "", &pod.spec.node_name);
        if let Some(node) = view.get::<CSINode>("", &pod.spec.node_name) {
            let known: Vec<String> = node.spec.drivers.iter().map(|driver| driver.name.clone()).collect();
            finding =
                finding.field(&at, "spec.drivers", if known.is_empty() { "[]".to_owned() } else { known.join(", ") });
        }
        return Some(finding.culprit(ObjectRef::new(Kind::CSIDriver, "", driver)).look(
            "see the drivers of the node",
            &at,
            &["get", "csinode", &pod.spec.node_name, "-o", "yaml"],
        ));
    }
    if specific.is_none() {
        finding = finding.unknown("which step of the mount failed: the kubelet's log on the node tells");
    }
    Some(describe(finding, &object))
}

/// The driver that a message misses.
fn driver(reason: &str) -> Option<&str> {
    let (_, rest) = reason.split_once("driver name ")?;
    rest.split_once(" not found in the list of registered CSI drivers").map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: Pod
metadata: {name: web, namespace: shop}
spec: {nodeName: node-1, volumes: [{name: d, hostPath: {path: /data, type: Directory}}]}
status: {phase: Pending, containerStatuses: [{name: a, state: {waiting: {reason: ContainerCreating}}}]}
---
kind: Event
metadata: {name: e, namespace: shop}
type: Warning
involvedObject: {kind: Pod, namespace: shop, name: web}
reason: FailedMount
message: 'MESSAGE'
count: COUNT
firstTimestamp: '2026-01-01T11:59:50Z'
lastTimestamp: '2026-01-01T11:59:50Z'
";

    fn yaml(message: &str, count: &str) -> String {
        YAML.replace("MESSAGE", message).replace("COUNT", count)
    }

    #[test]
    fn mounts_that_fail() {
        let table = [
            (
                "MountVolume.SetUp failed for volume \"d\" : hostPath type check failed: /data is not a directory",
                "volume d can't be mounted on node-1 (FailedMount): hostPath type check failed: /data is not a directory",
            ),
            (
                "MountVolume.SetUp failed for volume \"d\" : mount failed: exit status 32 mount.nfs: Connection refused",
                "volume d can't be mounted on node-1 (FailedMount): mount failed: exit status 32 mount.nfs: Connection refused",
            ),
            (
                "MountVolume.MountDevice failed for volume \"pv-1\" : kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name disk.acme.dev not found in the list of registered CSI drivers",
                "volume pv-1 can't be mounted on node-1 (FailedMount): kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name disk.acme.dev not found in the list of registered CSI drivers <- CSIDriver disk.acme.dev",
            ),
        ];
        let printed = "MountVolume.SetUp failed for volume \"d\" : mount failed: exit status 32\n\nMounting command: mount\n\n\
                       Output: mount.nfs: No such device or address";
        check(
            &super::DETECTOR,
            &yaml(printed, "3"),
            "critical Pod shop/web: volume d can't be mounted on node-1 (FailedMount): mount failed: exit status 32: mount.nfs: No such device or address",
        );
        for (message, summary) in table {
            check(&super::DETECTOR, &yaml(message, "3"), &format!("critical Pod shop/web: {summary}"));
        }
    }

    #[test]
    fn a_configuration_that_is_missing() {
        check(
            &super::DETECTOR,
            &yaml("MountVolume.SetUp failed for volume \"c\" : configmap \"web\" not found", "5"),
            "",
        );
    }

    #[test]
    fn once_only() {
        check(
            &super::DETECTOR,
            &yaml(
                "MountVolume.SetUp failed for volume \"d\" : rpc error: code = Unavailable desc = connection reset",
                "1",
            ),
            "",
        );
    }
}
