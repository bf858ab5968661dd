//! Rollouts whose new revision does not become ready.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "rollout-stuck",
    summary: "Rollout makes no progress: its new revision does not become ready",
    group: Group::Workloads,
    reads: &[Kind::Deployment, Kind::ReplicaSet],
    wants: None,
    doc: r"## What it detects
A Deployment whose condition `Progressing` is false with the reason `ProgressDeadlineExceeded`: for
`progressDeadlineSeconds` (600 where it is not set) no new pod became ready.

## Why it matters
The new revision is not coming. With a rolling update the old one goes on serving, so users feel nothing yet,
but the change is not out, and fewer pods may be left than asked for. The controller goes on trying: it rolls
nothing back by itself.

## Evidence
The condition's message, and how many pods of the old revision are ready.

## Look-alikes
A Deployment that is paused: `rollout-paused`. Pods that are missing without a rollout: `replicas-missing`. It
is a symptom: why the new pods fail is the cause, and is printed first where it is known.

A program that only starts slowly passes the deadline as well: the condition turns true again when its pods are
ready. Where ReplicaSets can't be listed, old pods that still serve are not known, and the summary says that
none does.

## What it does not see
Rollouts within their deadline. StatefulSets and DaemonSets have no such condition: see `stateful-set-blocked`
and `daemon-set-no-node`. Deployments with no replicas. Why the new pods are not ready is not told here.

## What to do
`kubectl rollout undo deployment NAME` brings the old revision back while the cause is mended; where Git or Helm
owns the Deployment, undo it there, or it comes back. See the new pods:
`kubectl rollout status deployment NAME`, `kubectl get pods -l SELECTOR`, `kubectl describe pod POD`.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.all::<Deployment>().iter().filter_map(|deployment| finding(view, deployment)).collect()
}

fn finding(view: &View<'_>, deployment: &Deployment) -> Option<Finding> {
    let progress = condition(&deployment.status.conditions, "Progressing")?;
    if !progress.is_false() || progress.reason != "ProgressDeadlineExceeded" || deployment.metadata.deleting() {
        return None;
    }
    let desired = deployment.spec.replicas.unwrap_or(1);
    if desired == 0 {
        return None;
    }
    let object = deployment.object_ref();
    let old = old_ready(view, deployment);
    let (severity, serves) = if old > 0 {
        (Severity::Warning, format!("the old ReplicaSet still serves with {old} of {desired} pods"))
    } else {
        (view.workload_severity(&object), "no old ReplicaSet serves in its place".to_owned())
    };
    let target = format!("deployment/{}", object.name);
    let summary = format!(
        "the rollout of Deployment {} exceeded its progress deadline (ProgressDeadlineExceeded); {serves}",
        object.name
    );
    let mut finding = Finding::new(object.clone(), severity, Stage::Ready, summary)
        .symptom()
        .since(*progress.last_transition_time)
        .field(&object, "status.conditions[Progressing].message", &progress.message)
        .look("see the revisions", &object, &["rollout", "history", &target]);
    if old > 0 {
        finding = finding.fix("go back to the revision that serves", &object, &["rollout", "undo", &target]);
    }
    Some(finding.unknown("why the new pods are not ready: no object says so"))
}

/// Ready pods of ReplicaSets other than the newest.
fn old_ready(view: &View<'_>, deployment: &Deployment) -> i64 {
    let revision = deployment.metadata.annotations.get("deployment.kubernetes.io/revision");
    let sets = view.within::<ReplicaSet>(&deployment.metadata.namespace).iter().filter(|set| {
        let ours = set
            .metadata
            .controller()
            .is_some_and(|owner| owner.kind == "Deployment" && owner.name == deployment.metadata.name);
        ours && set.metadata.annotations.get("deployment.kubernetes.io/revision") != revision
    });
    sets.map(|set| set.status.ready_replicas.max(0)).fold(0, i64::saturating_add)
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const WEB: &str = "
kind: Deployment
apiVersion: apps/v1
metadata: {name: web, namespace: shop, annotations: {deployment.kubernetes.io/revision: '2'}}
spec: {replicas: 2}
status: {conditions: [{type: Progressing, status: STATUS, reason: REASON, message: ReplicaSet \"web-2\" has timed out progressing.}]}
---
kind: ReplicaSet
apiVersion: apps/v1
metadata: {name: web-1, namespace: shop, annotations: {deployment.kubernetes.io/revision: '1'}, ownerReferences: [{kind: Deployment, apiVersion: apps/v1, name: web, controller: true}]}
status: {readyReplicas: 2}
";

    #[test]
    fn the_old_one_serves() {
        check(
            &super::DETECTOR,
            &WEB.replace("STATUS", "'False'").replace("REASON", "ProgressDeadlineExceeded"),
            "warning Deployment shop/web: the rollout of Deployment web exceeded its progress deadline (ProgressDeadlineExceeded); the old ReplicaSet still serves with 2 of 2 pods",
        );
    }

    #[test]
    fn a_rollout_under_way() {
        check(&super::DETECTOR, &WEB.replace("STATUS", "'True'").replace("REASON", "ReplicaSetUpdated"), "");
    }
}
