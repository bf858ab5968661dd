//! Claims that should grow and don't.

use crate::detect::prelude::*;
use crate::detect::storage;

pub(super) const DETECTOR: Detector = Detector {
    id: "claim-resize-stuck",
    summary: "Claim asks for more than its volume has, and the volume does not grow",
    group: Group::Storage,
    reads: &[Kind::PersistentVolumeClaim, Kind::StorageClass],
    wants: None,
    doc: r"## What it detects
A bound PersistentVolumeClaim that asks for more than `status.capacity`, where the driver says that
it can't grow the volume, the class does not allow it, or the file system waits for a pod to be
started again.

## Why it matters
The volume fills up while everybody believes that it was made larger.

## Evidence
The size asked for and the size there is, the claim's conditions and the resizer's event.

## Look-alikes
Growing takes its time: without an error nothing is said for five minutes, and for two where only the file system
waits. A file system that waits for a pod while no pod uses the claim is fine. A volume that is full, whatever its
claim asks for, is `disk-full`.

## What it does not see
How full the volume is, and how large the file system really is: `status.capacity` is the driver's word. A larger size
in a StatefulSet's `volumeClaimTemplates` reaches no claim, and is not noticed. A claim with neither condition nor
event, whose class allows growing, is silent: nothing shows since when it asks.

## What to do
For `FileSystemResizePending`: start the pod again (some drivers grow only what is not mounted). Else do what the
message says. From Kubernetes 1.32 on the request may be lowered again, to any size above `status.capacity`; before,
only with the feature gate `RecoverVolumeExpansionFailure`.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let bound = view
        .all::<PersistentVolumeClaim>()
        .iter()
        .filter(|claim| claim.status.phase == "Bound" && !claim.metadata.deleting());
    bound.filter_map(|claim| finding(view, claim)).collect()
}

fn finding(view: &View<'_>, claim: &PersistentVolumeClaim) -> Option<Finding> {
    let size = |map: &Map| map.get("storage").and_then(|text| Quantity::parse(text));
    let (wants, has) = (size(&claim.spec.resources.requests)?, size(&claim.status.capacity)?);
    if wants <= has {
        return None;
    }
    let object = claim.object_ref();
    let of = |kind: &str| condition(&claim.status.conditions, kind).filter(|condition| condition.is_true());
    let failed = ["ControllerResizeError", "NodeResizeError"].iter().find_map(|kind| of(kind));
    let pending = of("FileSystemResizePending");
    let begun = of("Resizing").or(pending).and_then(|condition| *condition.last_transition_time);
    let event =
        ["VolumeResizeFailed", "FileSystemResizeFailed"].iter().find_map(|reason| storage::event(view, claim, reason));
    let class = claim.spec.storage_class_name.as_deref().and_then(|name| view.get::<StorageClass>("", name));
    let late = view.age(begun).is_none_or(|age| age >= 5 * SETTLED);
    let why = if let Some(message) =
        failed.map(|condition| condition.message.as_str()).or(event.map(|event| event.message.as_str()))
    {
        format!("the driver refuses: {}", storage::reason(message))
    } else if pending.is_some() {
        if storage::consumers(view, claim).is_empty() || view.age(begun).is_some_and(|age| age < 2 * SETTLED) {
            return None;
        }
        "FileSystemResizePending: the file system grows when its pod is started again".to_owned()
    } else if let Some(class) = class.filter(|class| !class.allow_volume_expansion) {
        format!("StorageClass {} does not allow volume expansion", class.metadata.name)
    } else if let Some(driver) = silent(view, claim, class) {
        format!("nothing grows it: {driver} must, and it does not run")
    } else if late && !claim.status.conditions.is_empty()
        || storage::event(view, claim, "ExternalExpanding")
            .is_some_and(|event| view.age(event.first()).is_some_and(|age| age >= 5 * SETTLED))
    {
        "nothing has grown it yet".to_owned()
    } else {
        return None;
    };
    let summary = format!("asks for {} and still has {}: {why}", wants.display("storage"), has.display("storage"));
    let mut finding = Finding::new(object.clone(), Severity::Warning, Stage::Ready, summary)
        .field(&object, "spec.resources.requests.storage", claim.spec.resources.requests.get("storage")?)
        .field(&object, "status.capacity.storage", claim.status.capacity.get("storage")?)
        .since(begun);
    for condition in failed.into_iter().chain(pending).filter(|condition| !condition.message.is_empty()) {
        finding = finding.field(&object, format!("status.conditions[{}].message", condition.kind), &condition.message);
    }
    finding = event.into_iter().fold(finding, Finding::event);
    Some(describe(finding, &object))
}

/// The driver that should grow a volume, where it has been asked and has never shown itself.
fn silent<'a>(view: &View<'a>, claim: &PersistentVolumeClaim, class: Option<&'a StorageClass>) -> Option<&'a String> {
    let asked = storage::event(view, claim, "ExternalExpanding")?;
    let driver = &class?.provisioner;
    let time = view.age(asked.first()).is_some_and(|age| age >= 30);
    let idle = !storage::known(view, driver) || storage::stopped(view, driver).is_some();
    (time && idle && view.snapshot.knows(Kind::CSIDriver, "")).then_some(driver)
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: StorageClass
metadata: {name: fast}
provisioner: disk.csi.acme.dev
allowVolumeExpansion: ALLOWED
---
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop}
spec: {storageClassName: fast, resources: {requests: {storage: 20Gi}}}
status: {phase: Bound, capacity: {storage: HAS}, conditions: [CONDITION]}
---
kind: Pod
metadata: {name: db-0, namespace: shop}
spec: {nodeName: node-1, volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]}
status: {phase: Running}
";

    fn yaml(has: &str, allowed: &str, condition: &str) -> String {
        YAML.replace("HAS", has).replace("ALLOWED", allowed).replace("CONDITION", condition)
    }

    #[test]
    fn it_does_not_grow() {
        let table = [
            (
                "true",
                "{type: FileSystemResizePending, status: 'True', lastTransitionTime: '2026-01-01T11:00:00Z'}",
                "FileSystemResizePending: the file system grows when its pod is started again",
            ),
            (
                "true",
                "{type: ControllerResizeError, status: 'True', message: 'rpc error: code = Internal desc = disk is at its maximum'}",
                "the driver refuses: disk is at its maximum",
            ),
            ("false", "", "StorageClass fast does not allow volume expansion"),
        ];
        for (allowed, condition, why) in table {
            check(
                &super::DETECTOR,
                &yaml("10Gi", allowed, condition),
                &format!("warning PersistentVolumeClaim shop/data: asks for 20Gi and still has 10Gi: {why}"),
            );
        }
    }

    const ASKED: &str = "
---
kind: Event
metadata: {name: e, namespace: shop}
type: Normal
involvedObject: {kind: PersistentVolumeClaim, namespace: shop, name: data}
reason: ExternalExpanding
message: waiting for an external controller to expand this PVC
firstTimestamp: '2026-01-01T11:59:20Z'
";

    #[test]
    fn nobody_is_there_to_grow_it() {
        check(
            &super::DETECTOR,
            &(yaml("10Gi", "true", "") + ASKED),
            "warning PersistentVolumeClaim shop/data: asks for 20Gi and still has 10Gi: nothing grows it: disk.csi.acme.dev must, and it does not run",
        );
        let driver = "---\nkind: CSIDriver\nmetadata: {name: disk.csi.acme.dev}\n";
        check(&super::DETECTOR, &(yaml("10Gi", "true", "") + ASKED + driver), "");
    }

    #[test]
    fn it_grows() {
        check(
            &super::DETECTOR,
            &yaml("10Gi", "true", "{type: Resizing, status: 'True', lastTransitionTime: '2026-01-01T11:59:00Z'}"),
            "",
        );
        check(&super::DETECTOR, &yaml("20Gi", "true", ""), "");
    }
}
