//! Disruption budgets that no drain can satisfy.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "pdb-blocks-eviction",
    summary: "A PodDisruptionBudget never allows an eviction, so no node can be drained",
    group: Group::Workloads,
    reads: &[Kind::PodDisruptionBudget, Kind::Pod, Kind::Node],
    wants: None,
    doc: r"## What it detects
A PodDisruptionBudget that covers pods and would not allow one to go even if all of them were healthy:
`maxUnavailable` 0, or `minAvailable` of all its pods. It says which cordoned nodes can't be drained because of it.

## Why it matters
`kubectl drain` waits for ever, and so does every upgrade or scale-down of nodes that goes through eviction.

## Evidence
The budget's spec, and `status.desiredHealthy` beside `status.expectedPods`.

## Look-alikes
A budget that allows nothing only while one of its pods is not ready is not reported: that passes with the pod's own
fault. Several budgets over one pod refuse every eviction too: `pdb-overlap`. A pod that was evicted and does not go is
`pod-terminating`. A budget of 0 may be meant (a database that only its operator may move): it is reported all the
same.

## What it does not see
Budgets without pods, and of workloads scaled to zero, are not reported. It trusts the budget's status: if the
controller manager is down, the numbers are old. Whether a drain is under way is known only by cordoned nodes, which it
reads. Pods that are not ready may go even so (`unhealthyPodEvictionPolicy: AlwaysAllow`); this is not weighed.

## What to do
Run one replica more than `minAvailable`, or allow one to go with `maxUnavailable: 1`. `kubectl get pdb -A` shows
`ALLOWED DISRUPTIONS`. For one drain, scale the workload up or delete the budget, and put it back afterwards. With a
single replica, one that moves is down for a moment: that is the choice to be made.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.all::<PodDisruptionBudget>().iter().filter_map(|budget| finding(view, budget)).collect()
}

fn finding(view: &View<'_>, budget: &PodDisruptionBudget) -> Option<Finding> {
    let (object, status) = (budget.object_ref(), &budget.status);
    let impossible =
        status.expected_pods > 0 && status.desired_healthy >= status.expected_pods && status.disruptions_allowed <= 0;
    if !impossible || budget.metadata.deleting() {
        return None;
    }
    let (field, value) = match (&budget.spec.max_unavailable, &budget.spec.min_available) {
        (Some(most), _) => ("maxUnavailable", most.to_string()),
        (None, Some(least)) => ("minAvailable", least.to_string()),
        (None, None) => return None,
    };
    let pods = view.pods_selected(object.ns(), budget.spec.selector.as_ref()?);
    let pods: Vec<&Pod> = pods.into_iter().filter(|pod| !pod.finished()).collect();
    let covered = pods
        .first()
        .map(|pod| view.workload_of(pod))
        .map(|owner| format!(" of {} {}", owner.kind, owner.name))
        .unwrap_or_default();
    let mut waiting: Vec<&Node> = pods
        .iter()
        .filter_map(|pod| view.get::<Node>("", &pod.spec.node_name))
        .filter(|node| node.spec.unschedulable)
        .collect();
    waiting.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
    waiting.dedup_by(|a, b| a.metadata.name == b.metadata.name);
    let names: Vec<String> = waiting.iter().map(|node| node.metadata.name.clone()).collect();
    let drain = match names.as_slice() {
        [] => "no drain can evict one".to_owned(),
        [name] => format!("the cordoned node {name} can't be drained"),
        names => format!("the cordoned nodes {} can't be drained", list(names)),
    };
    let count = usize::try_from(status.expected_pods).unwrap_or_default();
    let summary = format!(
        "PodDisruptionBudget {} never allows an eviction: {field} {value} for {}{covered} leaves none to spare (ALLOWED DISRUPTIONS 0), so {drain}",
        object.name,
        plural(count, "pod")
    );
    let mut finding = Finding::new(object.clone(), Severity::Warning, Stage::Route, summary)
        .field(&object, format!("spec.{field}"), value)
        .field(
            &object,
            "status",
            format!(
                "expectedPods: {}, desiredHealthy: {}, disruptionsAllowed: {}",
                status.expected_pods, status.desired_healthy, status.disruptions_allowed
            ),
        )
        .since(
            condition(&status.conditions, "DisruptionAllowed").and_then(|condition| *condition.last_transition_time),
        );
    for node in &waiting {
        finding = finding.field(&node.object_ref(), "spec.unschedulable", "true");
    }
    let patch = r#"{"spec":{"minAvailable":null,"maxUnavailable":1}}"#;
    Some(describe(finding, &object).fix(
        "let one pod at a time go",
        &object,
        &["patch", "pdb", &object.name, "--type=merge", "-p", patch],
    ))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const BUDGET: &str = "
kind: PodDisruptionBudget
metadata: {name: web, namespace: shop}
spec: {SPEC, selector: {matchLabels: {app: web}}}
status: {expectedPods: 2, currentHealthy: 2, desiredHealthy: DESIRED, disruptionsAllowed: ALLOWED}
---
kind: Pod
metadata: {name: web-1, namespace: shop, labels: {app: web}, ownerReferences: [{kind: StatefulSet, apiVersion: apps/v1, name: web, controller: true}]}
spec: {nodeName: node-1}
---
kind: Node
metadata: {name: node-1}
spec: {unschedulable: CORDONED}
";

    fn budget(spec: &str, desired: &str, allowed: &str) -> String {
        BUDGET
            .replace("SPEC", spec)
            .replace("DESIRED", desired)
            .replace("ALLOWED", allowed)
            .replace("CORDONED", "false")
    }

    #[test]
    fn none_to_spare() {
        let expected = "warning PodDisruptionBudget shop/web: PodDisruptionBudget web never allows an eviction: minAvailable 100% for 2 pods of StatefulSet web leaves none to spare (ALLOWED DISRUPTIONS 0), so";
        let yaml = budget("minAvailable: 100%", "2", "0");
        check(&super::DETECTOR, &yaml, &format!("{expected} no drain can evict one"));
        check(
            &super::DETECTOR,
            &yaml.replace("unschedulable: false", "unschedulable: true"),
            &format!("{expected} the cordoned node node-1 can't be drained"),
        );
    }

    #[test]
    fn one_to_spare_even_if_not_now() {
        check(&super::DETECTOR, &budget("minAvailable: 1", "1", "1"), "");
        check(&super::DETECTOR, &budget("minAvailable: 1", "1", "0"), "");
        check(
            &super::DETECTOR,
            &budget("maxUnavailable: 0", "0", "0").replace("expectedPods: 2", "expectedPods: 0"),
            "",
        );
    }
}
