//! Changes that wait behind a paused rollout.

use crate::detect::intent::{edited, stated};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "rollout-paused",
    summary: "Deployment is paused, and a change of its template waits",
    group: Group::Workloads,
    reads: &[Kind::Deployment, Kind::ReplicaSet],
    wants: None,
    doc: r"## What it detects
A Deployment with `spec.paused: true` whose template differs from that of its newest ReplicaSet: a change was
made and is not rolled out. Or one that was paused before it was ever rolled out, and so has no pods.

## Why it matters
Whoever changed the image or the environment believes it to be live. Pods go on with the old template, also
those that are made anew. While it is paused the progress deadline does not count, so no condition ever turns
bad.

## Evidence
`spec.paused`, and the difference between the Deployment's template and the newest ReplicaSet's; the message of
the condition `Progressing` where its reason is `DeploymentPaused`.

## Look-alikes
A rollout that is not paused and does not get on: `rollout-stuck`. A StatefulSet's partition or a DaemonSet's
`OnDelete`, which hold a change back as well: `update-held-back`. A CronJob that is suspended:
`cron-job-suspended`.

A paused Deployment without a waiting change is not reported, nor one with no replicas, nor one on which an
annotation or label states the reason.

## What it does not see
A rollout that was paused half-way: its newest ReplicaSet has the new template already, so nothing differs, and
old and new pods go on side by side. Changes of template labels, and of fields that kubectl-react does not read.
Without the right to list ReplicaSets nothing can be compared, and this is silent. Rollouts of Argo or Flagger
are not looked at.

## What to do
`kubectl rollout resume deployment NAME` rolls the change out. If it must not go out, apply the old template:
`kubectl rollout undo` refuses a Deployment that is paused. Who paused it is in
`kubectl get deployment NAME -o yaml --show-managed-fields`.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let paused = view.all::<Deployment>().iter().filter(|deployment| deployment.spec.paused);
    paused.filter_map(|deployment| finding(view, deployment)).collect()
}

fn finding(view: &View<'_>, deployment: &Deployment) -> Option<Finding> {
    let object = deployment.object_ref();
    if deployment.metadata.deleting() || deployment.spec.replicas == Some(0) || stated(&deployment.metadata).is_some() {
        return None;
    }
    let newest = newest_set(view, deployment);
    // Without the right to list ReplicaSets nothing can be compared.
    if newest.is_none() && !view.snapshot.knows(Kind::ReplicaSet, object.ns()) {
        return None;
    }
    let (summary, severity) = match newest {
        Some(set) => {
            let what = difference(&set.spec.template, &deployment.spec.template)?;
            (
                format!("the rollout of Deployment {} is paused, so its change waits: {what}", object.name),
                Severity::Warning,
            )
        }
        None => (
            format!("Deployment {} is paused and was never rolled out, so it has no pods", object.name),
            Severity::Critical,
        ),
    };
    let target = format!("deployment/{}", object.name);
    let progress = condition(&deployment.status.conditions, "Progressing").filter(|c| c.reason == "DeploymentPaused");
    let mut finding =
        Finding::new(object.clone(), severity, Stage::Ready, summary).field(&object, "spec.paused", "true").since(
            edited(&deployment.metadata, "spec.paused")
                .map(|(_, time)| time)
                .or_else(|| progress.and_then(|c| *c.last_transition_time)),
        );
    if let Some(condition) = progress {
        finding = finding.field(&object, "status.conditions[Progressing].message", &condition.message);
    }
    Some(finding.fix("roll the change out", &object, &["rollout", "resume", &target]))
}

fn newest_set<'a>(view: &View<'a>, deployment: &Deployment) -> Option<&'a ReplicaSet> {
    let ours = view.within::<ReplicaSet>(&deployment.metadata.namespace).iter().filter(|set| {
        set.metadata
            .controller()
            .is_some_and(|owner| owner.kind == "Deployment" && owner.name == deployment.metadata.name)
    });
    let revision = |set: &&ReplicaSet| {
        let text = set.metadata.annotations.get("deployment.kubernetes.io/revision");
        text.and_then(|text| text.parse::<i64>().ok())
    };
    ours.max_by_key(revision)
}

/// What differs between what runs and what is asked for: the image first, as people ask for it.
fn difference(runs: &PodTemplate, asked: &PodTemplate) -> Option<String> {
    if runs.spec == asked.spec {
        let restarted = |template: &PodTemplate| template.metadata.annotations.clone();
        return (restarted(runs) != restarted(asked)).then(|| "annotations of its template".to_owned());
    }
    let images = asked.spec.all_containers().filter_map(|container| {
        let old = runs.spec.container(&container.name)?;
        (old.image != container.image).then(|| format!("image {} to {}", old.image, container.image))
    });
    let images: Vec<String> = images.collect();
    if !images.is_empty() {
        return Some(list(&images));
    }
    let changed = |container: &&Container| runs.spec.container(&container.name) != Some(container);
    let names: Vec<String> = asked.spec.all_containers().filter(changed).map(|c| c.name.clone()).collect();
    Some(if names.is_empty() { "its template".to_owned() } else { format!("container {}", list(&names)) })
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const WEB: &str = "
kind: Deployment
metadata: {name: web, namespace: shop, annotations: {NOTE: because}}
spec: {paused: PAUSED, replicas: 2, template: {spec: {containers: [{name: app, image: 'web:2'}]}}}
---
kind: ReplicaSet
metadata: {name: web-1, namespace: shop, annotations: {deployment.kubernetes.io/revision: '9'}, ownerReferences: [{kind: Deployment, apiVersion: apps/v1, name: web, controller: true}]}
spec: {template: {spec: {containers: [{name: app, image: 'web:1'}]}}}
---
kind: ReplicaSet
metadata: {name: web-2, namespace: shop, annotations: {deployment.kubernetes.io/revision: '10'}, ownerReferences: [{kind: Deployment, apiVersion: apps/v1, name: web, controller: true}]}
spec: {template: {spec: {containers: [{name: app, image: 'web:NEWEST'}]}}}
";

    fn web(paused: &str, newest: &str) -> String {
        WEB.replace("PAUSED", paused).replace("NEWEST", newest)
    }

    #[test]
    fn an_image_waits() {
        check(
            &super::DETECTOR,
            &web("true", "1"),
            "warning Deployment shop/web: the rollout of Deployment web is paused, so its change waits: image web:1 to web:2",
        );
    }

    #[test]
    fn nothing_waits_or_it_is_meant_so() {
        check(&super::DETECTOR, &web("true", "2"), "");
        check(&super::DETECTOR, &web("false", "1"), "");
        check(&super::DETECTOR, &web("true", "1").replace("NOTE", "acme.dev/paused-because"), "");
    }
}
