//! Claims that were deleted while pods use them.

use std::collections::BTreeSet;

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "claim-terminating",
    summary: "Claim was deleted while pods still use it",
    group: Group::Storage,
    reads: &[Kind::PersistentVolumeClaim, Kind::Pod],
    wants: None,
    doc: r"## What it detects
A PersistentVolumeClaim with a deletion time stamp that stays, because a pod uses it (finalizer
`kubernetes.io/pvc-protection`) or because another finalizer holds it.

## Why it matters
The running pods still have their data. As soon as the last one goes, by a node failure or a
rollout, the claim is deleted, with the reclaim policy `Delete` the data too, and no new pod can use
it: the scheduler refuses it at once.

## Evidence
`metadata.deletionTimestamp` and `metadata.finalizers` of the claim, and the pods.

## Look-alikes
Where the pods are being deleted too (an uninstall), in the first five seconds, and in a namespace that is going away
(`namespace-terminating`) there is no finding. A volume that was deleted while bound is `volume-terminating`. A pod
that waits for this claim shows as `claim-unbound`.

## What it does not see
Who deleted it. A pod without a node does not count as a user, as it does not hold the claim. What a foreign finalizer
waits for is not known: its controller decides. Whether the data is kept depends on the volume's reclaim policy, which
is not judged here.

## What to do
A deletion can't be undone. To keep the data: `kubectl patch pv NAME -p 'spec: {persistentVolumeReclaimPolicy:
Retain}'`, let the claim go, remove the volume's `spec.claimRef`, and make a claim that names it in `spec.volumeName`.
To let it go: remove the pods that use it. Take a finalizer away by hand only if its controller is gone for good.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.all::<PersistentVolumeClaim>().iter().filter_map(|claim| finding(view, claim)).collect()
}

fn finding(view: &View<'_>, claim: &PersistentVolumeClaim) -> Option<Finding> {
    let since = (*claim.metadata.deletion_timestamp)?;
    let age = view.age(Some(since))?;
    let object = claim.object_ref();
    let namespace = view.get::<Namespace>("", &claim.metadata.namespace);
    if age < 5 || namespace.is_some_and(|namespace| namespace.metadata.deleting()) {
        return None;
    }
    let users = view.dependents(&object).filter(|(edge, _)| *edge == Edge::Volume);
    let users: Vec<&Pod> = users
        .filter_map(|(_, pod)| view.get(pod.ns(), &pod.name))
        .filter(|pod: &&Pod| !pod.spec.node_name.is_empty())
        .collect();
    let staying: Vec<&Pod> = users.iter().copied().filter(|pod| !pod.metadata.deleting()).collect();
    let foreign: Vec<String> =
        claim.metadata.finalizers.iter().filter(|name| *name != "kubernetes.io/pvc-protection").cloned().collect();
    let holders: BTreeSet<ObjectRef> = staying.iter().map(|pod| view.workload_of(pod)).collect();
    let summary = if !staying.is_empty() {
        let who: Vec<String> = holders.iter().map(ToString::to_string).collect();
        format!(
            "was deleted while in use: kubernetes.io/pvc-protection keeps it (Terminating) as long as {} uses it, then its data goes",
            list(&who)
        )
    } else if !foreign.is_empty() && age >= SETTLED {
        format!("its deletion is held up by finalizer {}, which nothing removes", list(&foreign))
    } else if users.is_empty() && age >= 5 * SETTLED {
        format!("its deletion is stuck at finalizer {}", list(&claim.metadata.finalizers))
    } else {
        return None;
    };
    let finding = Finding::new(object.clone(), Severity::Warning, Stage::Ready, summary)
        .of_deletion()
        .field(&object, "metadata.deletionTimestamp", since.to_string())
        .field(&object, "metadata.finalizers", claim.metadata.finalizers.join(", "))
        .since(Some(since));
    let volume = &claim.spec.volume_name;
    if volume.is_empty() || staying.is_empty() {
        return Some(describe(finding, &object));
    }
    let at = ObjectRef::new(Kind::PersistentVolume, "", volume);
    let patch = r#"{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}"#;
    Some(describe(finding, &object).fix(
        "keep the data when the claim goes",
        &at,
        &["patch", "pv", volume, "-p", patch],
    ))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop, deletionTimestamp: '2026-01-01T11:59:50Z', finalizers: [kubernetes.io/pvc-protection]}
spec: {volumeName: pv-1}
status: {phase: Bound}
---
kind: Pod
metadata: {name: db-0, namespace: shop DELETED}
spec: {nodeName: node-1, volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]}
status: {phase: Running}
";

    #[test]
    fn in_use() {
        check(
            &super::DETECTOR,
            &YAML.replace(" DELETED", ""),
            "warning PersistentVolumeClaim shop/data: was deleted while in use: kubernetes.io/pvc-protection keeps it (Terminating) as long as Pod shop/db-0 uses it, then its data goes",
        );
    }

    #[test]
    fn its_pod_goes_too() {
        check(&super::DETECTOR, &YAML.replace(" DELETED", ", deletionTimestamp: '2026-01-01T12:00:20Z'"), "");
    }

    #[test]
    fn not_deleted() {
        check(
            &super::DETECTOR,
            &YAML.replace(" DELETED", "").replace("deletionTimestamp: '2026-01-01T11:59:50Z', ", ""),
            "",
        );
    }
}
