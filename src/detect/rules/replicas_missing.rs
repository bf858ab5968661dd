//! Workloads with fewer ready pods than they ask for.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "replicas-missing",
    summary: "Workload has fewer ready pods than it asks for",
    group: Group::Workloads,
    reads: &[Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet, Kind::ReplicaSet],
    wants: None,
    doc: r"## What it detects
A Deployment, StatefulSet, DaemonSet or lone ReplicaSet of which fewer pods are ready than asked for, longer than a
start takes.

## Why it matters
With none ready nothing answers; with some missing the rest carry the load.

## Evidence
The status counts, and the condition that the controller gives (`Available`, `ReplicaFailure`).

## Look-alikes
A rollout that misses its deadline: `rollout-stuck`. Pods that are refused: the detectors of admission, such as
`quota-exceeded`. A DaemonSet that fits no node: `daemon-set-no-node`. A StatefulSet that one ordinal holds up:
`stateful-set-blocked`. It is a symptom: where a cause is found it is folded under it, and it stands alone only
where no object tells why.

A rollout that is under way, and pods that are still starting, are given a minute; a program that takes longer
than that to start is reported until it is ready.

## What it does not see
Why the pods are not ready: that is for other detectors. Workloads that are ready and yet do not work. Workloads
that ask for no replicas. Jobs, and workloads of custom controllers: `custom-not-ready` reads their conditions.
A missing controller-manager is recognized by `observedGeneration` 0 of a Deployment only.

## What to do
`kubectl describe` the workload and its pods: `kubectl get pods -l SELECTOR -o wide`,
`kubectl describe pod POD`, `kubectl logs POD --previous`. Where there are no pods at all, the events of the
ReplicaSet say who refuses them: `kubectl get events --field-selector reason=FailedCreate`.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.workloads()
        .filter(|workload| workload.object.kind != Kind::Job)
        .filter_map(|workload| finding(view, &workload))
        .collect()
}

fn finding(view: &View<'_>, workload: &Workload<'_>) -> Option<Finding> {
    let (desired, ready) = (workload.desired, workload.ready.max(0));
    if desired <= ready || workload.meta.deleting() {
        return None;
    }
    let pods = view.pods_of(&workload.object);
    let since = since(workload, &pods);
    if view.age(since).is_none_or(|age| age < SETTLED) {
        return None;
    }
    let severity = if ready == 0 { Severity::Critical } else { Severity::Warning };
    let live = pods.iter().filter(|pod| !pod.finished()).count();
    let made = match () {
        () if live > 0 => "",
        () if never_seen(view, &workload.object) => {
            "; no controller has ever looked at it (observedGeneration 0): kube-controller-manager does not work"
        }
        () => "; it has no pods at all",
    };
    let object = &workload.object;
    let mut finding =
        Finding::new(object.clone(), severity, Stage::Ready, format!("{ready} of {desired} pods ready{made}"))
            .symptom()
            .since(since)
            .field(object, "status", format!("ready: {ready}, desired: {desired}"));
    let told = workload
        .conditions
        .iter()
        .find(|c| c.is_false() && c.kind == "Available" || c.is_true() && c.kind == "ReplicaFailure");
    if let Some(condition) = told.filter(|condition| !condition.message.is_empty()) {
        finding = finding.field(object, format!("status.conditions[{}].message", condition.kind), &condition.message);
    }
    Some(describe(finding, object).unknown("why its pods are not ready: no object says so"))
}

/// Since when pods are missing: since the condition changed, the newest pod was made, or the workload itself was.
fn since(workload: &Workload<'_>, pods: &[&Pod]) -> Option<Time> {
    let available = condition(workload.conditions, "Available").filter(|condition| condition.is_false());
    let changed = available.and_then(|condition| *condition.last_transition_time);
    let unready = pods.iter().filter(|pod| !pod.ready()).filter_map(|pod| {
        let lost = condition(&pod.status.conditions, "Ready").and_then(|condition| *condition.last_transition_time);
        lost.or(*pod.metadata.creation_timestamp)
    });
    changed.or_else(|| unready.min()).or(*workload.meta.creation_timestamp)
}

/// Whether a Deployment is as its maker left it: the controller writes what it saw within a second.
fn never_seen(view: &View<'_>, object: &ObjectRef) -> bool {
    let deployment = view.get::<Deployment>(object.ns(), &object.name).filter(|_| object.kind == Kind::Deployment);
    deployment.is_some_and(|found| found.metadata.generation > 0 && found.status.observed_generation == 0)
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const WEB: &str = "
kind: Deployment
apiVersion: apps/v1
metadata: {name: web, namespace: shop, creationTimestamp: 'MADE'}
spec: {replicas: 3}
status: {readyReplicas: READY, conditions: [{type: Available, status: 'False', message: Deployment does not have minimum availability., lastTransitionTime: 'MADE'}]}
";

    #[test]
    fn no_controller_runs() {
        let unseen = WEB.replace("MADE'}", "MADE', generation: 1}").replace("MADE", "2026-01-01T11:00:00Z");
        check(
            &super::DETECTOR,
            &unseen.replace("READY", "0"),
            "critical Deployment shop/web: 0 of 3 pods ready; no controller has ever looked at it (observedGeneration 0): kube-controller-manager does not work",
        );
    }

    #[test]
    fn none_and_some() {
        let old = WEB.replace("MADE", "2026-01-01T11:00:00Z");
        check(
            &super::DETECTOR,
            &old.replace("READY", "0"),
            "critical Deployment shop/web: 0 of 3 pods ready; it has no pods at all",
        );
        check(
            &super::DETECTOR,
            &old.replace("READY", "2"),
            "warning Deployment shop/web: 2 of 3 pods ready; it has no pods at all",
        );
    }

    #[test]
    fn all_ready_starting_or_meant_to_be_none() {
        let old = WEB.replace("MADE", "2026-01-01T11:00:00Z");
        check(&super::DETECTOR, &old.replace("READY", "3"), "");
        check(&super::DETECTOR, &old.replace("READY", "0").replace("replicas: 3", "replicas: 0"), "");
        check(&super::DETECTOR, &WEB.replace("MADE", "2026-01-01T11:59:30Z").replace("READY", "0"), "");
    }
}
