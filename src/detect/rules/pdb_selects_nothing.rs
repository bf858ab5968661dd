//! Disruption budgets that protect no pod, though one was meant.

use crate::detect::prelude::*;
use crate::model::selector::labels;

pub(super) const DETECTOR: Detector = Detector {
    id: "pdb-selects-nothing",
    summary: "A PodDisruptionBudget selects no pod, but nearly those of a workload",
    group: Group::Workloads,
    reads: &[Kind::PodDisruptionBudget, Kind::Pod, Kind::Deployment, Kind::StatefulSet],
    wants: None,
    doc: r"## What it detects
A PodDisruptionBudget whose selector takes no pod and fits no workload's template, while a workload of its namespace
has its name or carries nearly the labels that it asks for.

## Why it matters
The workload is not protected: a drain or an upgrade of the nodes may take all its pods at once. Nothing says so before.

## Evidence
The budget's selector, and the labels in the workload's template.

## Look-alikes
A budget that was made ahead of its workload, or left behind by one that is gone, fits nothing and is not reported, nor
is that of a workload scaled to zero: its template still fits. A budget that takes pods and lets none go is
`pdb-blocks-eviction`. A Service with the same slip is `service-selects-nothing`. A budget that shares a workload's
name by chance, and is meant for the pods of an operator, would be named wrongly.

## What it does not see
Selectors of `matchExpressions` alone, and an empty selector (it takes all pods of the namespace). A workload that
differs in more than a letter or two and has another name can't be guessed. Pods of CronJobs and of Jobs, and workloads
of other kinds than Deployment, StatefulSet, DaemonSet and ReplicaSet, are never the one that is meant. Where pods
can't be read, and in the first ten seconds of a budget, it is silent.

## What to do
Correct the budget's selector: `kubectl edit pdb NAME`. It must fit the labels of the pod template, not those of the
Deployment. `kubectl describe pdb NAME` then shows a `Total` above 0.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.all::<PodDisruptionBudget>().iter().filter_map(|budget| finding(view, budget)).collect()
}

fn finding(view: &View<'_>, budget: &PodDisruptionBudget) -> Option<Finding> {
    let (object, selector) = (budget.object_ref(), budget.spec.selector.as_ref()?);
    let young = view.age(*budget.metadata.creation_timestamp).is_some_and(|age| age < 10);
    let wanted = &selector.match_labels;
    if wanted.is_empty() || young || budget.metadata.deleting() || !view.snapshot.knows(Kind::Pod, object.ns()) {
        return None;
    }
    let here: Vec<Workload<'_>> = view.workloads().filter(|workload| workload.meta.namespace == object.ns()).collect();
    if !view.pods_selected(object.ns(), selector).is_empty()
        || here.iter().any(|workload| selector.matches(workload.labels()))
    {
        return None;
    }
    let meant = here.iter().find(|workload| workload.object.kind != Kind::Job && is_meant(workload, budget, wanted))?;
    let differing: Map = wanted
        .iter()
        .filter_map(|(key, value)| {
            let has = meant.labels().get(key)?;
            (has != value).then(|| (key.clone(), has.clone()))
        })
        .collect();
    let carry = if differing.is_empty() { labels(meant.labels()) } else { labels(&differing) };
    let summary = format!(
        "PodDisruptionBudget {} protects no pod: it selects {}; the pods of {} {} carry {carry}",
        object.name,
        labels(wanted),
        meant.object.kind,
        meant.object.name
    );
    let finding = Finding::new(object.clone(), Severity::Warning, Stage::Route, summary)
        .key(&*meant.object.name)
        .since(*budget.metadata.creation_timestamp)
        .field(&object, "spec.selector.matchLabels", labels(wanted))
        .field(&meant.object, "spec.template.metadata.labels", labels(meant.labels()));
    let finding = finding.look("see what it covers", &object, &["describe", "pdb", &object.name]);
    Some(finding.fix("correct its selector", &object, &["edit", "pdb", &object.name]))
}

/// Whether a workload has the budget's name, or all labels that it asks for, each at most nearly.
fn is_meant(workload: &Workload<'_>, budget: &PodDisruptionBudget, wanted: &Map) -> bool {
    let nearly = wanted.iter().all(|(key, value)| {
        workload
            .labels()
            .get(key)
            .is_some_and(|has| has == value || meant(value, std::iter::once(has.as_str())).is_some())
    });
    nearly || *workload.object.name == *budget.metadata.name
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: PodDisruptionBudget
metadata: {name: keeps, namespace: shop}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: ASKED}}}
---
kind: Deployment
apiVersion: apps/v1
metadata: {name: search, namespace: shop}
spec: {replicas: 0, template: {metadata: {labels: {app: search, tier: web}}}}
";

    #[test]
    fn one_letter_away() {
        check(
            &super::DETECTOR,
            &YAML.replace("ASKED", "serach"),
            "warning PodDisruptionBudget shop/keeps: PodDisruptionBudget keeps protects no pod: it selects app=serach; the pods of Deployment search carry app=search",
        );
    }

    #[test]
    fn of_the_same_name() {
        check(
            &super::DETECTOR,
            &YAML.replace("app: ASKED", "component: find").replace("keeps", "search"),
            "warning PodDisruptionBudget shop/search: PodDisruptionBudget search protects no pod: it selects component=find; the pods of Deployment search carry app=search,tier=web",
        );
    }

    #[test]
    fn of_an_idle_workload_or_of_none() {
        check(&super::DETECTOR, &YAML.replace("ASKED", "search"), "");
        check(&super::DETECTOR, &YAML.replace("ASKED", "billing"), "");
    }
}
