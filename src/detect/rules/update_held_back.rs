//! Changed templates that reach no pod, because of how pods are to be replaced.

use crate::detect::intent::{edited, stated};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "update-held-back",
    summary: "A changed template reaches no pod: a partition or OnDelete holds it back",
    group: Group::Workloads,
    reads: &[Kind::StatefulSet, Kind::DaemonSet, Kind::Pod],
    wants: None,
    doc: r"## What it detects
A StatefulSet whose template was changed while `updateStrategy.rollingUpdate.partition` is as large as the number of its
pods, or a StatefulSet or DaemonSet of the strategy `OnDelete` with pods of the old template.

## Why it matters
The change was accepted and is not out, and no rollout fails: the old image or configuration goes on running until a pod
happens to be made anew, at the worst of times.

## Evidence
The strategy, the counts of updated pods, and when the template was edited.

## Look-alikes
- A partition that lets some of the pods through is a canary, and is not reported.
- A paused Deployment: `rollout-paused`. A rollout that began and does not go on: `rollout-stuck`,
  `stateful-set-blocked`.
- An edited ConfigMap with an unchanged template: `config-not-reloaded`.
- Some teams replace pods by hand on purpose (databases, storage, CNI agents). Then it is a reminder: state it with an
  annotation such as `example.com/on-hold-reason`, and it is silent.

## What it does not see
Sets that an operator owns (operators delete the pods themselves), those of system namespaces (`kube-*`, `*-system`,
`openshift-*`), those with an annotation or label that states a reason, and changes older than a week. The date comes
from managed fields: where they don't tell, a change of any age is reported. Deployments have no such strategy.

## What to do
See what differs: `kubectl rollout history statefulset NAME` (or `daemonset`). Then let it out: set the partition to
0, or delete the old pods one by one (`kubectl delete pod POD`) and wait until each new one is ready. A StatefulSet
makes a pod below the partition again from the old template, so deleting does not help there.",
    run,
};

/// What has been held back for longer is meant to be, or not missed.
const RECENT: i64 = 7 * 24 * 3600;

fn run(view: &View<'_>) -> Vec<Finding> {
    let sets = view.all::<StatefulSet>().iter().filter_map(|set| of_stateful_set(view, set));
    sets.chain(view.all::<DaemonSet>().iter().filter_map(|set| of_daemon_set(view, set))).collect()
}

/// When the template was edited, as far as field managers tell.
fn since(meta: &Meta) -> Option<Time> {
    edited(meta, "spec.template").map(|(_, time)| time)
}

/// Whether the change is one that somebody waits for.
fn awaited(view: &View<'_>, meta: &Meta) -> bool {
    let namespace = meta.namespace.as_str();
    let system =
        namespace.starts_with("kube-") || namespace.ends_with("-system") || namespace.starts_with("openshift-");
    let timely = view.age(since(meta)).is_none_or(|age| (10..RECENT).contains(&age));
    timely && !system && meta.controller().is_none() && stated(meta).is_none() && !meta.deleting()
}

fn of_stateful_set(view: &View<'_>, set: &StatefulSet) -> Option<Finding> {
    let (object, desired) = (set.object_ref(), set.spec.replicas.unwrap_or(1));
    let (old, new) = (&set.status.current_revision, &set.status.update_revision);
    let updated = set.status.updated_replicas.max(0);
    let behind = set.status.observed_generation < set.metadata.generation;
    if behind || desired < 1 || new.is_empty() || old == new || updated >= set.status.replicas {
        return None;
    }
    if !awaited(view, &set.metadata) {
        return None;
    }
    let stale = |pod: &&Pod| pod.metadata.labels.get("controller-revision-hash").is_some_and(|hash| hash != new);
    let pods: Vec<&Pod> = view.pods_of(&object).into_iter().filter(stale).collect();
    let first = pods.iter().map(|pod| &pod.metadata.name).min()?;
    let held = |how: String| {
        let summary = format!(
            "StatefulSet {}'s template was changed, and {} the old one ({first}): {how}",
            object.name,
            runs(pods.len())
        );
        Finding::new(object.clone(), Severity::Warning, Stage::Ready, summary).since(since(&set.metadata)).field(
            &object,
            "status",
            format!("updatedReplicas: {updated}, currentRevision: {old}, updateRevision: {new}"),
        )
    };
    if set.spec.update_strategy.kind == "OnDelete" {
        let how = "updateStrategy OnDelete replaces a pod only when it is deleted";
        return Some(delete(
            held(how.to_owned()).field(&object, "spec.updateStrategy.type", "OnDelete"),
            &object,
            first,
        ));
    }
    let partition = set.spec.update_strategy.rolling_update.as_ref()?.partition?;
    if partition < desired || updated > 0 {
        return None;
    }
    let how = format!(
        "partition {partition} updates only ordinals from {partition} on, and with {} there is none",
        plural(usize::try_from(desired).unwrap_or_default(), "replica")
    );
    let patch = r#"{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}"#;
    let finding =
        held(how).key("partition").field(&object, "spec.updateStrategy.rollingUpdate.partition", partition.to_string());
    Some(finding.fix("let the change out", &object, &["patch", "statefulset", &object.name, "-p", patch]))
}

fn of_daemon_set(view: &View<'_>, set: &DaemonSet) -> Option<Finding> {
    const GENERATION: &str = "deprecated.daemonset.template.generation";
    let (object, status) = (set.object_ref(), &set.status);
    let behind = status.observed_generation < set.metadata.generation;
    let old = status.current_number_scheduled.saturating_sub(status.updated_number_scheduled);
    if set.spec.update_strategy.kind != "OnDelete" || behind || old <= 0 {
        return None;
    }
    if !awaited(view, &set.metadata) {
        return None;
    }
    let wanted = set.metadata.annotations.get(GENERATION);
    let stale = |pod: &&Pod| wanted.is_none() || pod.metadata.labels.get("pod-template-generation") != wanted;
    let pods = view.pods_of(&object);
    let first = pods.iter().filter(|pod| stale(pod)).map(|pod| &pod.metadata.name).min()?;
    let summary = format!(
        "DaemonSet {}'s template was changed, and {} the old one ({first}): updateStrategy OnDelete replaces a pod only when it is deleted",
        object.name,
        runs(usize::try_from(old).unwrap_or_default())
    );
    let finding = Finding::new(object.clone(), Severity::Warning, Stage::Ready, summary)
        .since(since(&set.metadata))
        .field(&object, "spec.updateStrategy.type", "OnDelete")
        .field(
            &object,
            "status",
            format!(
                "updatedNumberScheduled: {}, currentNumberScheduled: {}",
                status.updated_number_scheduled, status.current_number_scheduled
            ),
        );
    Some(delete(finding, &object, first))
}

fn runs(count: usize) -> String {
    if count == 1 { "1 pod still runs".to_owned() } else { format!("{count} pods still run") }
}

fn delete(finding: Finding, object: &ObjectRef, pod: &str) -> Finding {
    finding.key("OnDelete").fix("let the first pod be made from the new template", object, &["delete", "pod", pod])
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const SET: &str = "
kind: StatefulSet
apiVersion: apps/v1
metadata: {name: db, namespace: shop}
spec: {replicas: 2, updateStrategy: STRATEGY}
status: {replicas: 2, updatedReplicas: UPDATED, currentRevision: db-a, updateRevision: NEW}
---
kind: Pod
metadata: {name: db-0, namespace: shop, labels: {controller-revision-hash: db-a}, ownerReferences: [{kind: StatefulSet, apiVersion: apps/v1, name: db, controller: true}]}
";

    fn set(strategy: &str, updated: &str, new: &str) -> String {
        SET.replace("STRATEGY", strategy).replace("UPDATED", updated).replace("NEW", new)
    }

    const ALL: &str = "{type: RollingUpdate, rollingUpdate: {partition: 2}}";

    #[test]
    fn held_back() {
        check(
            &super::DETECTOR,
            &set(ALL, "0", "db-b"),
            "warning StatefulSet shop/db: StatefulSet db's template was changed, and 1 pod still runs the old one (db-0): partition 2 updates only ordinals from 2 on, and with 2 replicas there is none",
        );
        check(
            &super::DETECTOR,
            &set("{type: OnDelete}", "1", "db-b"),
            "warning StatefulSet shop/db: StatefulSet db's template was changed, and 1 pod still runs the old one (db-0): updateStrategy OnDelete replaces a pod only when it is deleted",
        );
    }

    #[test]
    fn canaries_and_what_is_up_to_date() {
        check(&super::DETECTOR, &set("{rollingUpdate: {partition: 1}}", "0", "db-b"), "");
        check(&super::DETECTOR, &set(ALL, "0", "db-a"), "");
        check(&super::DETECTOR, &set("{type: OnDelete}", "2", "db-b"), "");
        let owned = set("{type: OnDelete}", "0", "db-b").replacen(
            "namespace: shop}",
            "namespace: shop, ownerReferences: [{kind: Kafka, apiVersion: x.io/v1, name: k, controller: true}]}",
            1,
        );
        check(&super::DETECTOR, &owned, "");
    }

    #[test]
    fn a_daemon_set() {
        let yaml = "
kind: DaemonSet
apiVersion: apps/v1
metadata: {name: agent, namespace: NAMESPACE, annotations: {deprecated.daemonset.template.generation: '2'}}
spec: {updateStrategy: {type: OnDelete}}
status: {currentNumberScheduled: 3, updatedNumberScheduled: 1}
---
kind: Pod
metadata: {name: agent-x, namespace: NAMESPACE, labels: {pod-template-generation: '1'}, ownerReferences: [{kind: DaemonSet, apiVersion: apps/v1, name: agent, controller: true}]}
";
        check(
            &super::DETECTOR,
            &yaml.replace("NAMESPACE", "logs"),
            "warning DaemonSet logs/agent: DaemonSet agent's template was changed, and 2 pods still run the old one (agent-x): updateStrategy OnDelete replaces a pod only when it is deleted",
        );
        check(&super::DETECTOR, &yaml.replace("NAMESPACE", "kube-system"), "");
    }
}
