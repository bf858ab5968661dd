//! Pods under more than one disruption budget.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "pdb-overlap",
    summary: "A pod is covered by several PodDisruptionBudgets, so it can't be evicted",
    group: Group::Workloads,
    reads: &[Kind::PodDisruptionBudget, Kind::Pod],
    wants: None,
    doc: r"## What it detects
Running pods that the selectors of two or more PodDisruptionBudgets take.

## Why it matters
The API server refuses to evict such a pod at all, whatever the budgets allow: `This pod has more than one
PodDisruptionBudget`. Drains and node upgrades wait for ever.

## Evidence
The selectors of the budgets, and the event `MultiplePodDisruptionBudgets`.

## Look-alikes
A single budget that leaves none to spare is `pdb-blocks-eviction`: there the API server says that the eviction would
violate the budget. A budget that takes no pod is `pdb-selects-nothing`. The answer does not depend on how many pods
are healthy, so this does not pass by itself.

## What it does not see
Whether a drain is waiting: it is reported before anyone drains. Only pods that exist count, so that budgets of a
workload scaled to zero are silent. The quoted selector shows `matchLabels` alone, though `matchExpressions` are
weighed too. The same budgets over pods of several workloads are told once, at one of them.

## What to do
`kubectl get pdb -o wide` shows what each allows. Narrow the selectors, or delete the budget that is too many; often
one came with a chart and one was written by hand. The fix names the last by name, which may be the right one.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let budgets = view.all::<PodDisruptionBudget>().iter().filter(|budget| !budget.metadata.deleting());
    let mut found: std::collections::BTreeMap<Vec<ObjectRef>, &Pod> = std::collections::BTreeMap::new();
    let mut by_pod: std::collections::BTreeMap<ObjectRef, (Vec<ObjectRef>, &Pod)> = std::collections::BTreeMap::new();
    for budget in budgets {
        let Some(selector) = &budget.spec.selector else { continue };
        for pod in view.pods_selected(&budget.metadata.namespace, selector) {
            if !pod.finished() && !pod.metadata.deleting() {
                by_pod.entry(pod.object_ref()).or_insert_with(|| (Vec::new(), pod)).0.push(budget.object_ref());
            }
        }
    }
    // The same budgets over many pods are one fault.
    for (budgets, pod) in by_pod.into_values().filter(|(budgets, _)| budgets.len() > 1) {
        found.entry(budgets).or_insert(pod);
    }
    found.into_iter().filter_map(|(budgets, pod)| finding(view, &budgets, pod)).collect()
}

fn finding(view: &View<'_>, budgets: &[ObjectRef], pod: &Pod) -> Option<Finding> {
    let [.., second, last] = budgets else { return None };
    let names: Vec<String> = budgets.iter().map(|budget| budget.name.to_string()).collect();
    let owner = view.workload_of(pod);
    let summary = format!(
        "PodDisruptionBudgets {} all cover pods of {} {}: a pod with more than one budget is never evicted, so no drain ends",
        list(&names),
        owner.kind,
        owner.name
    );
    let mut finding = Finding::new(second.clone(), Severity::Warning, Stage::Route, summary).key(names.join(" "));
    for budget in budgets {
        let selector =
            view.get::<PodDisruptionBudget>(budget.ns(), &budget.name).and_then(|budget| budget.spec.selector.as_ref());
        let labels: Vec<String> = selector
            .into_iter()
            .flat_map(|selector| &selector.match_labels)
            .map(|(key, value)| format!("{key}: {value}"))
            .collect();
        finding = finding.field(budget, "spec.selector.matchLabels", labels.join(", "));
    }
    if let Some(event) = view.warnings(pod).find(|event| event.reason == "MultiplePodDisruptionBudgets") {
        finding = finding.event(event).since(event.first());
    }
    let finding = finding.look("see what each allows", second, &["get", "pdb", "-o", "wide"]);
    Some(finding.fix("delete the one that is too many", last, &["delete", "pdb", &last.name]))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const BUDGETS: &str = "
kind: PodDisruptionBudget
metadata: {name: chart, namespace: shop}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
---
kind: PodDisruptionBudget
metadata: {name: mine, namespace: shop}
spec: {minAvailable: 1, selector: {matchLabels: {TIER}}}
---
kind: Pod
metadata: {name: web-1, namespace: shop, labels: {app: web, tier: front}, ownerReferences: [{kind: StatefulSet, apiVersion: apps/v1, name: web, controller: true}]}
status: {phase: Running}
---
kind: Pod
metadata: {name: web-2, namespace: shop, labels: {app: web, tier: front}, ownerReferences: [{kind: StatefulSet, apiVersion: apps/v1, name: web, controller: true}]}
status: {phase: Running}
";

    #[test]
    fn two_budgets_over_the_same_pods() {
        let expected = "warning PodDisruptionBudget shop/chart: PodDisruptionBudgets chart and mine all cover pods of StatefulSet web: a pod with more than one budget is never evicted, so no drain ends";
        check(&super::DETECTOR, &BUDGETS.replace("TIER", "tier: front"), expected);
    }

    #[test]
    fn budgets_over_different_pods() {
        check(&super::DETECTOR, &BUDGETS.replace("TIER", "tier: back"), "");
    }
}
