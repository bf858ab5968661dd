//! StatefulSets that wait for one pod before they make or change the others.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "stateful-set-blocked",
    summary: "An ordinal of a StatefulSet is not ready and holds up the others",
    group: Group::Workloads,
    reads: &[Kind::StatefulSet, Kind::Pod],
    wants: None,
    doc: r"## What it detects
A StatefulSet that makes its pods in order (`OrderedReady`, the default) of which a pod is not ready for longer than a
start takes, while further pods are still to be made or to be brought to the new revision.

## Why it matters
One bad pod keeps all later ones from existing. And a mended template does not help a pod that is already broken: the
controller waits for it to become ready before it replaces it.

## Evidence
The pod's `Ready` condition, the StatefulSet's counts and revisions.

## Look-alikes
- Pods that the API server refuses leave the set short too, and no pod of it is unready: `pod-create-refused`,
  `quota-exceeded` and their kin.
- A partition or `OnDelete` holds the new revision back while all pods are ready: `update-held-back`.
- A pod that is being deleted and does not go: `pod-terminating`.
- It is a symptom: why the pod is not ready is the cause, and is printed first where it is known.

## What it does not see
Sets with `podManagementPolicy: Parallel` are skipped, though their rolling update waits for unready pods too. So are
sets of one replica, pods that are being deleted, and pods unready for less than a minute. `minReadySeconds` and
`rollingUpdate.maxUnavailable` are not weighed. Under `OnDelete` only pods that are still to be made count as waiting.

## What to do
`kubectl describe pod NAME-ORDINAL` and `kubectl logs NAME-ORDINAL --previous` show why it is not ready; mend that. If
the template is mended already, delete the pod: `kubectl delete pod NAME-ORDINAL`. It is made again from the new
template, with the same claims. Deleting the whole StatefulSet is not needed.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.all::<StatefulSet>().iter().filter_map(|set| finding(view, set)).collect()
}

/// The pod that holds up a StatefulSet, and what waits for it.
pub(super) fn blocker<'a>(view: &View<'a>, set: &StatefulSet) -> Option<(&'a Pod, String)> {
    let desired = set.spec.replicas.unwrap_or(1);
    if set.spec.pod_management_policy == "Parallel" || set.metadata.deleting() || desired < 2 {
        return None;
    }
    let unready = view.pods_of(&set.object_ref()).into_iter().filter(|pod| !pod.ready() && !pod.metadata.deleting());
    let pod = unready.min_by_key(|pod| (ordinal(pod).is_none(), ordinal(pod)))?;
    let lost = condition(&pod.status.conditions, "Ready").and_then(|condition| *condition.last_transition_time);
    view.age(lost.or(*pod.metadata.creation_timestamp)).filter(|age| *age >= SETTLED)?;
    let missing = desired.saturating_sub(set.status.replicas);
    if missing > 0 {
        let waits = usize::try_from(missing).unwrap_or(usize::MAX);
        return Some((
            pod,
            format!(
                "{} not made until it is",
                if waits == 1 { "1 pod is".to_owned() } else { format!("{waits} pods are") }
            ),
        ));
    }
    let (old, new) = (&set.status.current_revision, &set.status.update_revision);
    let rolling = old != new
        && !new.is_empty()
        && set.status.updated_replicas < desired
        && set.spec.update_strategy.kind != "OnDelete";
    let ours = pod.metadata.labels.get("controller-revision-hash");
    rolling.then(|| {
        let stale = ours.is_some_and(|revision| revision != new);
        let waits = if stale {
            "it has the old template, and is not replaced until it is ready or deleted"
        } else {
            "the other pods keep the old template until it is"
        };
        (pod, waits.to_owned())
    })
}

fn finding(view: &View<'_>, set: &StatefulSet) -> Option<Finding> {
    let (pod, waits) = blocker(view, set)?;
    let (object, pod_ref) = (set.object_ref(), pod.object_ref());
    let (desired, ready) = (set.spec.replicas.unwrap_or(1), set.status.ready_replicas.max(0));
    let summary = format!(
        "StatefulSet {} has {ready} of {desired} pods ready: {} is not ready, and {waits}",
        object.name, pod_ref.name
    );
    let severity = if ready == 0 { Severity::Critical } else { Severity::Warning };
    let ready = condition(&pod.status.conditions, "Ready");
    let mut finding = Finding::new(object.clone(), severity, Stage::Ready, summary)
        .symptom()
        .since(ready.and_then(|condition| *condition.last_transition_time).or_else(|| pod_since(pod)))
        .field(
            &object,
            "status",
            format!("replicas: {}, readyReplicas: {}", set.status.replicas, set.status.ready_replicas),
        );
    if let Some(condition) = ready.filter(|condition| !condition.message.is_empty()) {
        finding = finding.field(&pod_ref, "status.conditions[Ready].message", &condition.message);
    }
    finding = describe(finding, &pod_ref);
    if waits.contains("deleted") {
        finding =
            finding.fix("let the pod be made again from the new template", &pod_ref, &["delete", "pod", &pod_ref.name]);
    }
    Some(finding.unknown("why the pod is not ready: no object says so"))
}

/// The number at the end of a pod's name.
fn ordinal(pod: &Pod) -> Option<u64> {
    pod.metadata.name.rsplit('-').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const DB: &str = "
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec: {replicas: 3POLICY}
status: {replicas: HAS, readyReplicas: 1, currentRevision: db-a, updateRevision: UPDATE, updatedReplicas: 1}
---
kind: Pod
metadata: {name: db-0, namespace: shop, ownerReferences: [{kind: StatefulSet, apiVersion: apps/v1, name: db, controller: true}]}
status: {conditions: [{type: Ready, status: 'True'}]}
---
kind: Pod
metadata: {name: db-1, namespace: shop, labels: {controller-revision-hash: db-a}, ownerReferences: [{kind: StatefulSet, apiVersion: apps/v1, name: db, controller: true}]}
status: {conditions: [{type: Ready, status: 'False', lastTransitionTime: '2026-01-01T11:40:00Z'}]}
";

    fn db(policy: &str, has: &str, update: &str) -> String {
        DB.replace("POLICY", policy).replace("HAS", has).replace("UPDATE", update)
    }

    #[test]
    fn the_second_holds_the_third() {
        check(
            &super::DETECTOR,
            &db("", "2", "db-a"),
            "warning StatefulSet shop/db: StatefulSet db has 1 of 3 pods ready: db-1 is not ready, and 1 pod is not made until it is",
        );
    }

    #[test]
    fn a_broken_pod_of_the_old_revision() {
        check(
            &super::DETECTOR,
            &db("", "3", "db-b"),
            "warning StatefulSet shop/db: StatefulSet db has 1 of 3 pods ready: db-1 is not ready, and it has the old template, and is not replaced until it is ready or deleted",
        );
    }

    #[test]
    fn nothing_waits_for_it() {
        check(&super::DETECTOR, &db(", podManagementPolicy: Parallel", "2", "db-a"), "");
        check(&super::DETECTOR, &db("", "3", "db-a"), "");
        check(&super::DETECTOR, &db("", "2", "db-a").replace("11:40:00", "11:59:30"), "");
    }
}
