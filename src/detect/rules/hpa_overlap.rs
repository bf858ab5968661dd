//! Workloads that two autoscalers pull at.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "hpa-overlap",
    summary: "Several autoscalers scale the same workload",
    group: Group::Workloads,
    reads: &[Kind::HorizontalPodAutoscaler],
    wants: None,
    doc: r"## What it detects
Two or more HorizontalPodAutoscalers whose `scaleTargetRef` names the same workload.

## Why it matters
Kubernetes 1.27 and later then scale with neither of them (`AmbiguousSelector`); earlier ones let each undo what the
other did. Often one came with a chart or from KEDA (`keda-hpa-…`), and one was made by hand.

## Evidence
The `scaleTargetRef` of each, and the condition `ScalingActive`.

## Look-alikes
`AmbiguousSelector` also comes where two autoscalers have different targets whose selectors take the same pods: that is
told by `hpa-no-metrics`, and the selectors are to be mended. One autoscaler may have many metrics, so there is no need
for a second, and two on one workload are never right.

## What it does not see
What scales the workload without being a HorizontalPodAutoscaler: a VerticalPodAutoscaler, a ScaledObject that has made
none yet, an operator, or GitOps that sets `replicas` back. Which of the two is meant it can't know: the fix names the
last one by name, which may be the right one. One that is being deleted does not count.

## What to do
`kubectl get hpa -n NAMESPACE` shows what each asks for. Put all metrics into one of them and delete the other. The
one that KEDA made goes with its ScaledObject, and comes back if only the autoscaler is deleted.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let mut by_target: std::collections::BTreeMap<ObjectRef, Vec<&HorizontalPodAutoscaler>> =
        std::collections::BTreeMap::new();
    for scaler in view.all::<HorizontalPodAutoscaler>().iter().filter(|scaler| !scaler.metadata.deleting()) {
        by_target.entry(target(scaler)).or_default().push(scaler);
    }
    by_target.into_iter().filter_map(|(target, scalers)| finding(&target, &scalers)).collect()
}

fn target(scaler: &HorizontalPodAutoscaler) -> ObjectRef {
    scaler.spec.scale_target_ref.object_ref(&scaler.metadata.namespace)
}

/// Whether another autoscaler scales the same workload: then all that is wrong with this one is that.
pub(super) fn contested(view: &View<'_>, scaler: &HorizontalPodAutoscaler) -> bool {
    view.within::<HorizontalPodAutoscaler>(&scaler.metadata.namespace).iter().any(|other| {
        other.metadata.name != scaler.metadata.name && !other.metadata.deleting() && target(other) == target(scaler)
    })
}

fn finding(target: &ObjectRef, scalers: &[&HorizontalPodAutoscaler]) -> Option<Finding> {
    let [first, .., last] = scalers else { return None };
    let names: Vec<String> = scalers.iter().map(|scaler| scaler.metadata.name.clone()).collect();
    let ambiguous = scalers
        .iter()
        .find_map(|scaler| Some((scaler, condition(&scaler.status.conditions, "ScalingActive")?)))
        .filter(|(_, condition)| condition.is_false() && condition.reason == "AmbiguousSelector");
    let effect = if ambiguous.is_some() { "so none of them scales it" } else { "and undo each other's work" };
    let summary = format!(
        "HorizontalPodAutoscalers {} all scale {} {}, {effect}{}",
        list(&names),
        target.kind,
        target.name,
        if ambiguous.is_some() { " (AmbiguousSelector)" } else { "" }
    );
    let mut finding = Finding::new(first.object_ref(), Severity::Warning, Stage::Ready, summary).key(names.join(" "));
    for scaler in scalers {
        let quote = format!("kind: {}, name: {}", target.kind, target.name);
        finding = finding
            .field(&scaler.object_ref(), "spec.scaleTargetRef", quote)
            .since(*scaler.metadata.creation_timestamp);
    }
    if let Some((scaler, condition)) = ambiguous {
        finding = finding.field(&scaler.object_ref(), "status.conditions[ScalingActive].message", &condition.message);
    }
    let finding = finding.look("see what each asks for", &first.object_ref(), &["get", "hpa"]);
    Some(finding.fix("delete the one that is too many", &last.object_ref(), &["delete", "hpa", &last.metadata.name]))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const TWO: &str = "
kind: HorizontalPodAutoscaler
metadata: {name: a, namespace: shop}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
status: {conditions: [{type: ScalingActive, status: 'False', reason: AmbiguousSelector, message: 'pods by selector app=web are controlled by multiple HPAs: [shop/a shop/b]'}]}
---
kind: HorizontalPodAutoscaler
metadata: {name: b, namespace: shop}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: OTHER}}
";

    #[test]
    fn two_on_one() {
        check(
            &super::DETECTOR,
            &TWO.replace("OTHER", "web"),
            "warning HorizontalPodAutoscaler shop/a: HorizontalPodAutoscalers a and b all scale Deployment web, so none of them scales it (AmbiguousSelector)",
        );
        check(
            &super::DETECTOR,
            &TWO.replace("OTHER", "web").replace("AmbiguousSelector", "ValidMetricFound"),
            "warning HorizontalPodAutoscaler shop/a: HorizontalPodAutoscalers a and b all scale Deployment web, and undo each other's work",
        );
    }

    #[test]
    fn one_each() {
        check(&super::DETECTOR, &TWO.replace("OTHER", "web2"), "");
    }
}
