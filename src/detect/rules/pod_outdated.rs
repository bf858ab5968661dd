//! Broken pods of a StatefulSet whose template has been mended since.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "pod-outdated",
    summary: "A broken pod keeps its StatefulSet's old template, so the mended one does not reach it",
    group: Group::Workloads,
    reads: &[Kind::StatefulSet, Kind::Pod],
    wants: None,
    doc: r"## What it detects
A pod of a StatefulSet that is not ready and has an older revision than the set's template, where the two differ in what
a container runs: image, command, arguments, environment, probes or resources.

## Why it matters
A rolling update replaces a StatefulSet's pod only once it is ready. So a correction of the template never reaches a pod
that the old template broke, and the set stays broken with a right template.

## Evidence
The revisions of the pod and of the set, and the fields in which the pod's container differs from the template's. What
the pod suffers from is shown as what follows.

## Look-alikes
A pod that is broken in the new revision too has a fault of its own. Pods that a partition or `OnDelete` keeps at the old
template while they are well are `update-held-back`. A Deployment makes new pods beside the old ones: it needs no help.

## What it does not see
Whether the change cures what the pod suffers from: it says that the pod does not have it. Changes of volumes, accounts
and node rules. Sets without the label `controller-revision-hash` on their pods.

## What to do
Delete the pod: `kubectl delete pod NAME-ORDINAL`. It is made again from the new template and keeps its claims.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.all::<StatefulSet>().iter().flat_map(|set| of_set(view, set)).collect()
}

fn of_set(view: &View<'_>, set: &StatefulSet) -> Vec<Finding> {
    let new = set.status.update_revision.as_str();
    let behind = set.status.observed_generation < set.metadata.generation;
    let update = &set.spec.update_strategy;
    if new.is_empty() || behind || update.kind == "OnDelete" || set.metadata.deleting() {
        return Vec::new();
    }
    let kept = update.rolling_update.as_ref().and_then(|rolling| rolling.partition).unwrap_or_default();
    let stuck = |pod: &&Pod| {
        let hash = pod.metadata.labels.get("controller-revision-hash");
        let ordinal: Option<i64> = pod.metadata.name.rsplit('-').next().and_then(|number| number.parse().ok());
        let unready = condition(&pod.status.conditions, "Ready").and_then(|ready| *ready.last_transition_time);
        let settled = view.age(unready.or(*pod.metadata.creation_timestamp)).is_some_and(|age| age >= SETTLED);
        hash.is_some_and(|hash| hash != new)
            && ordinal.is_some_and(|ordinal| ordinal >= kept)
            && !pod.ready()
            && !pod.metadata.deleting()
            && settled
    };
    view.pods_of(&set.object_ref()).into_iter().filter(stuck).filter_map(|pod| finding(view, set, pod)).collect()
}

fn finding(view: &View<'_>, set: &StatefulSet, pod: &Pod) -> Option<Finding> {
    let template = &set.spec.template.spec;
    let (container, fields) = pod.spec.all_containers().find_map(|container| {
        let fields = differences(container, template.container(&container.name)?);
        (!fields.is_empty()).then_some((container, fields))
    })?;
    let (object, pod_ref) = (set.object_ref(), pod.object_ref());
    let summary = format!(
        "pod {} still has StatefulSet {}'s old template (container {}: other {}) and is not replaced while it is not ready: delete the pod, and it is made from the new one",
        pod_ref.name,
        object.name,
        container.name,
        list(&fields)
    );
    let hash = pod.metadata.labels.get("controller-revision-hash").map(String::as_str).unwrap_or_default();
    let edited = crate::detect::intent::edited(&set.metadata, "spec.template").map(|(_, time)| time);
    let finding = Finding::new(object.clone(), view.pod_severity(pod), Stage::Admit, summary)
        .key(&*pod_ref.name)
        .explains(pod_ref.clone())
        .since(edited.or_else(|| pod_since(pod)))
        .field(&object, "status.updateRevision", &set.status.update_revision)
        .field(&pod_ref, "metadata.labels[controller-revision-hash]", hash)
        .fix("let the pod be made again from the new template", &pod_ref, &["delete", "pod", &pod_ref.name]);
    Some(finding)
}

/// In what a pod's container differs from the template's, as fields. What admission adds to a pod is none: the
/// template's own resources count, not those that a LimitRange gave.
fn differences(pod: &Container, template: &Container) -> Vec<String> {
    let stated = |own: &Map, asked: &Map| asked.iter().any(|(key, value)| own.get(key) != Some(value));
    let probes = pod.liveness_probe != template.liveness_probe
        || pod.readiness_probe != template.readiness_probe
        || pod.startup_probe != template.startup_probe;
    let resources = stated(&pod.resources.limits, &template.resources.limits)
        || stated(&pod.resources.requests, &template.resources.requests);
    let all = [
        (pod.image != template.image, "image"),
        (pod.command != template.command, "command"),
        (pod.args != template.args, "args"),
        (pod.env != template.env || pod.env_from != template.env_from, "environment"),
        (probes, "probes"),
        (resources, "resources"),
    ];
    all.into_iter().filter(|(differs, _)| *differs).map(|(_, field)| field.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const DB: &str = "
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec: {replicas: 1, template: {spec: {containers: [{name: app, image: 'db:2', resources: {limits: {cpu: '1'}}}]}}STRATEGY}
status: {replicas: 1, currentRevision: db-a, updateRevision: db-b}
---
kind: Pod
metadata: {name: db-0, namespace: shop, labels: {controller-revision-hash: HASH}, ownerReferences: [{kind: StatefulSet, apiVersion: apps/v1, name: db, controller: true}]}
spec: {containers: [{name: app, image: 'IMAGE', resources: {limits: {cpu: '1', memory: 1Gi}}}]}
status: {conditions: [{type: Ready, status: 'READY', lastTransitionTime: '2026-01-01T11:40:00Z'}]}
";

    fn db(hash: &str, image: &str, ready: &str, strategy: &str) -> String {
        let yaml = DB.replace("HASH", hash).replace("IMAGE", image).replace("READY", ready);
        yaml.replace("STRATEGY", strategy)
    }

    #[test]
    fn a_correction_that_does_not_arrive() {
        check(
            &super::DETECTOR,
            &db("db-a", "db:1", "False", ""),
            "critical StatefulSet shop/db: pod db-0 still has StatefulSet db's old template (container app: other image) and is not replaced while it is not ready: delete the pod, and it is made from the new one",
        );
    }

    #[test]
    fn not_broken_or_not_outdated() {
        check(&super::DETECTOR, &db("db-a", "db:1", "True", ""), "");
        check(&super::DETECTOR, &db("db-b", "db:1", "False", ""), "");
        check(&super::DETECTOR, &db("db-a", "db:2", "False", ""), "");
        check(&super::DETECTOR, &db("db-a", "db:1", "False", ", updateStrategy: {type: OnDelete}"), "");
        check(&super::DETECTOR, &db("db-a", "db:1", "False", ", updateStrategy: {rollingUpdate: {partition: 1}}"), "");
    }
}
