//! Claims whose provisioner does not make a volume.

use crate::detect::prelude::*;
use crate::detect::storage::{self, Wait};

pub(super) const DETECTOR: Detector = Detector {
    id: "claim-not-provisioned",
    summary: "The provisioner of the claim's StorageClass makes no volume",
    group: Group::Storage,
    reads: &[Kind::PersistentVolumeClaim, Kind::StorageClass, Kind::CSIDriver],
    wants: None,
    doc: r"## What it detects
A pending PersistentVolumeClaim whose provisioner was asked for a volume and refused
(`ProvisioningFailed`), or does not answer at all: it is not running, or not registered under the
name that the class gives.

## Why it matters
Without a volume no pod that uses the claim gets a node.

## Evidence
The provisioner's message, or the event `ExternalProvisioning` (`Waiting for a volume to be created
… by the external provisioner`), and the class's `provisioner`.

## Look-alikes
With `WaitForFirstConsumer` no volume is made before a pod that uses the claim gets a node: that is fine. A class that
does not exist is `claim-class-missing`. If the provisioner's own pods fail, they have a finding of their own, and
this one points at their workload. A provisioner that has shown itself (by a CSIDriver, a volume, an event, a Lease, a
ready workload) is given two minutes.

## What it does not see
The provisioner's log, and the cloud behind it. A `ProvisioningFailed` older than half an hour does not count. A
provisioner is found by its name in the arguments or variables of a workload: one that is told it in another way is
not found. Under `-n` one that runs in another namespace is unknown, and the finding says so.

## What to do
Where it refuses, do what the message says (quota, zone, parameters of the class, rights in the cloud). Where it is
silent, see whether its pods run, and whether the class's `provisioner` is a driver's name: `kubectl get csidrivers`.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.all::<PersistentVolumeClaim>().iter().filter_map(|claim| finding(view, claim)).collect()
}

fn finding(view: &View<'_>, claim: &PersistentVolumeClaim) -> Option<Finding> {
    let object = claim.object_ref();
    let (class, refusal) = match storage::wait(view, claim)? {
        Wait::Refused(class, event) => (class, Some(event)),
        Wait::Silent(class) => (class, None),
        _ => return None,
    };
    let name = &class.metadata.name;
    let provisioner = storage::provisioner(claim, class);
    let stopped = storage::stopped(view, provisioner);
    let summary = match (refusal, &stopped) {
        (Some(event), _) => format!(
            "provisioner {provisioner} of StorageClass {name} can't make the volume (ProvisioningFailed): {}",
            storage::reason(&event.message)
        ),
        (None, Some(maker)) => {
            let why = if maker.desired == 0 { "is scaled to 0" } else { "has no ready pod" };
            let who = format!("provisioner {provisioner} of StorageClass {name}");
            format!("waits for {who}, which is not running: {} {why}", maker.object)
        }
        (None, None) if storage::known(view, provisioner) => {
            format!("waits for provisioner {provisioner} of StorageClass {name}, which has not made the volume")
        }
        (None, None) => format!(
            "waits for provisioner {provisioner} of StorageClass {name}, which is not running: nothing in the cluster answers to that name{}",
            near(view, provisioner)
        ),
    };
    let class_ref = class.object_ref();
    let silent = refusal.is_none() && stopped.is_none();
    let culprit = stopped.filter(|_| refusal.is_none()).map_or_else(|| class_ref.clone(), |maker| maker.object);
    let mut finding = storage::finding(view, claim, summary).culprit(culprit);
    if let Some(event) = refusal.or_else(|| storage::event(view, claim, "ExternalProvisioning")) {
        finding = finding.event(event);
    }
    finding = finding.field(&class_ref, "provisioner", &class.provisioner);
    if silent && view.snapshot.scope.namespace.is_some() {
        finding = finding.unknown("whether the provisioner runs in another namespace, which was not read");
    }
    if silent {
        finding = finding.look("see the drivers that are registered", &class_ref, &["get", "csidrivers"]);
    }
    Some(describe(finding, &object))
}

/// A driver whose name was probably meant.
fn near(view: &View<'_>, provisioner: &str) -> String {
    let drivers = view.all::<CSIDriver>().iter().map(|driver| driver.metadata.name.as_str());
    meant(provisioner, drivers).map(|driver| format!("; did you mean {driver}?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: StorageClass
metadata: {name: fast}
provisioner: disk.csi.acme.dev
volumeBindingMode: MODE
---
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop, creationTimestamp: '2026-01-01T11:59:00Z', annotations: {ANNOTATION}}
spec: {storageClassName: fast}
status: {phase: Pending}
---
kind: Event
metadata: {name: e, namespace: shop}
involvedObject: {kind: PersistentVolumeClaim, namespace: shop, name: data}
reason: REASON
message: \"MESSAGE\"
lastTimestamp: '2026-01-01T11:59:30Z'
";

    fn yaml(mode: &str, annotation: &str, reason: &str, message: &str) -> String {
        YAML.replace("MODE", mode)
            .replace("ANNOTATION", annotation)
            .replace("REASON", reason)
            .replace("MESSAGE", message)
    }

    const SELECTED: &str = "volume.kubernetes.io/selected-node: node-1";
    const WAITING: &str = "Waiting for a volume to be created either by the external provisioner 'disk.csi.acme.dev' or manually by the system administrator.";

    #[test]
    fn nothing_answers() {
        check(
            &super::DETECTOR,
            &yaml("WaitForFirstConsumer", SELECTED, "ExternalProvisioning", WAITING),
            "warning PersistentVolumeClaim shop/data: waits for provisioner disk.csi.acme.dev of StorageClass fast, which is not running: nothing in the cluster answers to that name <- StorageClass fast",
        );
    }

    #[test]
    fn its_workload_is_down() {
        let maker = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: csi, namespace: storage}\nspec: {template: {spec: {containers: [{name: a, args: ['--driver=disk.csi.acme.dev']}]}}}\n";
        check(
            &super::DETECTOR,
            &(yaml("Immediate", "", "ExternalProvisioning", WAITING) + maker),
            "warning PersistentVolumeClaim shop/data: waits for provisioner disk.csi.acme.dev of StorageClass fast, which is not running: Deployment storage/csi has no ready pod <- Deployment storage/csi",
        );
    }

    #[test]
    fn it_refuses() {
        check(
            &super::DETECTOR,
            &yaml(
                "Immediate",
                "",
                "ProvisioningFailed",
                "failed to provision volume with StorageClass 'fast': rpc error: code = ResourceExhausted desc = quota of 10 disks exceeded",
            ),
            "warning PersistentVolumeClaim shop/data: provisioner disk.csi.acme.dev of StorageClass fast can't make the volume (ProvisioningFailed): quota of 10 disks exceeded <- StorageClass fast",
        );
    }

    #[test]
    fn waits_for_its_first_consumer() {
        check(
            &super::DETECTOR,
            &yaml(
                "WaitForFirstConsumer",
                "",
                "WaitForFirstConsumer",
                "waiting for first consumer to be created before binding",
            ),
            "",
        );
    }

    #[test]
    fn known_driver_is_given_time() {
        check(
            &super::DETECTOR,
            &(yaml("Immediate", "", "ExternalProvisioning", WAITING)
                + "---\nkind: CSIDriver\nmetadata: {name: disk.csi.acme.dev}\n"),
            "",
        );
    }
}
