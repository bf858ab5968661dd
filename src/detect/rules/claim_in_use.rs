//! Pods that wait for a claim which only one pod may use.

use crate::detect::prelude::*;
use crate::detect::scheduling::{self, Reason};
use crate::detect::storage;

pub(super) const DETECTOR: Detector = Detector {
    id: "claim-in-use",
    summary: "ReadWriteOncePod claim is in use by another pod",
    group: Group::Storage,
    reads: &[Kind::Pod, Kind::PersistentVolumeClaim],
    wants: None,
    doc: r"## What it detects
A pod without a node because a claim of its own has the access mode `ReadWriteOncePod`, and another pod uses it. Where
that pod is of its own Deployment's old revision it says so: such a rolling update waits for itself.

## Why it matters
One pod in the whole cluster may use such a claim. The second one waits until the first is gone.

## Evidence
The scheduler's message (`node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access
mode`), the claim's access modes, and the pod that holds it.

## Look-alikes
A `ReadWriteOnce` claim may be shared by pods of one node: where the volume is still attached to another node the pod
has a node, and it is `volume-attached-elsewhere`. A claim that is not bound yet is `claim-unbound`, one that does not
exist `claim-missing`. Where the holder is ending, the wait is over in a moment: within the first minute nothing is
said.

## What it does not see
Pods that have a node: only those are looked at that the scheduler keeps back. A holder counts if it has a node and is
not finished; one whose node is gone still counts until its Pod is deleted. What the holder does with the volume, and
whether it may be stopped, the objects don't tell.

## What to do
`kubectl describe pvc NAME` shows who uses it (`Used By`). For a rollout that waits for itself: strategy `Recreate`.
Else give each pod a claim of its own, or use another access mode: `ReadWriteOnce` lets pods of one node share it,
`ReadWriteMany` all of them. The access mode of a claim can't be changed: it takes a new claim.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let (pods, _) = scheduling::unplaced(view, Reason::Claim);
    pods.iter().filter_map(|unplaced| finding(view, unplaced)).collect()
}

fn finding(view: &View<'_>, unplaced: &scheduling::Unplaced<'_>) -> Option<Finding> {
    let pod = unplaced.pod;
    let (claim, holder) = storage::held(view, pod)?;
    let settled = view
        .age(unplaced.condition.and_then(|condition| *condition.last_transition_time))
        .is_none_or(|age| age >= SETTLED);
    if holder.metadata.deleting() && !settled {
        return None;
    }
    let (object, workload, other) = (claim.object_ref(), view.workload_of(pod), view.workload_of(holder));
    let why = if let Some(deadlock) = scheduling::deadlock(view, pod, &[holder]) {
        format!("and the pod of the old ReplicaSet uses it, so {deadlock}")
    } else if other == workload {
        "and another replica of it uses it".to_owned()
    } else {
        format!("and {other} uses it")
    };
    let summary =
        format!("claim {} has access mode ReadWriteOncePod, which lets only one pod use it, {why}", object.name);
    let finding = unplaced
        .finding(view, summary)
        .key(&*object.name)
        .field(&object, "spec.accessModes", claim.spec.access_modes.join(", "))
        .field(&holder.object_ref(), "spec.volumes[].persistentVolumeClaim.claimName", &*object.name);
    let finding = if other == workload { finding } else { finding.culprit(other) };
    Some(scheduling::edit(finding, view, pod, "let one pod at a time use it, or give it a claim of its own"))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: PersistentVolumeClaim
metadata: {name: index, namespace: shop}
spec: {accessModes: [MODE], volumeName: pv-1}
status: {phase: Bound}
---
kind: Pod
metadata: {name: search, namespace: shop DELETED}
spec: {nodeName: node-1, volumes: [{name: d, persistentVolumeClaim: {claimName: index}}]}
status: {phase: Running}
---
kind: Pod
metadata: {name: indexer, namespace: shop}
spec: {volumes: [{name: d, persistentVolumeClaim: {claimName: index}}]}
status:
  phase: Pending
  conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable, lastTransitionTime: '2026-01-01T11:59:30Z', message: '0/1 nodes are available: 1 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode.'}]
";

    fn yaml(mode: &str, deleted: &str) -> String {
        YAML.replace("MODE", mode).replace(" DELETED", deleted)
    }

    #[test]
    fn another_pod_has_it() {
        check(
            &super::DETECTOR,
            &yaml("ReadWriteOncePod", ""),
            "critical Pod shop/indexer: claim index has access mode ReadWriteOncePod, which lets only one pod use it, and Pod shop/search uses it <- Pod shop/search",
        );
    }

    #[test]
    fn it_may_be_shared_or_is_about_to_be_free() {
        check(&super::DETECTOR, &yaml("ReadWriteOnce", ""), "");
        check(&super::DETECTOR, &yaml("ReadWriteOncePod", ", deletionTimestamp: '2026-01-01T12:00:10Z'"), "");
    }
}
