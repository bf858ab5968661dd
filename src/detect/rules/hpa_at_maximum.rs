//! Autoscalers that are at their maximum and would go further.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "hpa-at-maximum",
    summary: "Autoscaler is at its maximum, and its metrics ask for more pods",
    group: Group::Workloads,
    reads: &[Kind::HorizontalPodAutoscaler],
    wants: None,
    doc: r"## What it detects
A HorizontalPodAutoscaler that runs its target at `maxReplicas` while the condition `ScalingLimited` has been true with
`TooManyReplicas` for a minute or more; and whether `minReplicas` equals `maxReplicas`, so that it can't scale at all.

## Why it matters
The workload is under more load than it may have pods for: it slows down, and nothing else will say why.

## Evidence
`spec.maxReplicas`, `status.currentReplicas`, and the condition's message.

## Look-alikes
An autoscaler without metrics (`ScalingActive` false) is `hpa-no-metrics`; two on one workload are `hpa-overlap`. More
pods wanted, but new ones without room, are `insufficient-resources`. Pods that use much cpu because they fail and
restart raise the metric too: their own finding comes first. A maximum that is meant as a bound on cost is reported all
the same: the load is there, and somebody chose to bear it.

## What it does not see
It reads the autoscaler's status only, no metrics: how far above the target the load is, and whether users feel it, it
can't tell. A peak shorter than a minute is not reported, nor is one that is over by now. A metric that is set too low
looks the same as real load.

## What to do
`kubectl get hpa NAME` shows the metrics beside their targets. Raise `maxReplicas` if the nodes and what stands behind
the workload (a database) can bear it; else give the pods more cpu, or find out where the load comes from.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.all::<HorizontalPodAutoscaler>().iter().filter_map(|scaler| finding(view, scaler)).collect()
}

fn finding(view: &View<'_>, scaler: &HorizontalPodAutoscaler) -> Option<Finding> {
    let (object, most) = (scaler.object_ref(), scaler.spec.max_replicas);
    let limited = condition(&scaler.status.conditions, "ScalingLimited")
        .filter(|c| c.is_true() && c.reason == "TooManyReplicas")?;
    let active = condition(&scaler.status.conditions, "ScalingActive").is_none_or(|c| !c.is_false());
    let lasting = view.age(*limited.last_transition_time).is_none_or(|age| age >= SETTLED);
    if !active || !lasting || scaler.status.current_replicas < most || scaler.metadata.deleting() {
        return None;
    }
    let target = scaler.spec.scale_target_ref.object_ref(object.ns());
    let fixed = scaler.spec.min_replicas.unwrap_or(1) == most;
    let why = if fixed { format!("{most} pods (minReplicas and maxReplicas)") } else { format!("maxReplicas {most}") };
    let summary = format!(
        "HorizontalPodAutoscaler {} keeps {} {} at {why} while its metrics ask for more pods (TooManyReplicas)",
        object.name, target.kind, target.name
    );
    let finding = Finding::new(object.clone(), Severity::Warning, Stage::Serve, summary)
        .since(*limited.last_transition_time)
        .field(&object, "spec.maxReplicas", most.to_string())
        .field(&object, "status.currentReplicas", scaler.status.current_replicas.to_string())
        .field(&object, "status.conditions[ScalingLimited].message", &limited.message);
    let patch = format!(r#"{{"spec":{{"maxReplicas":{}}}}}"#, most.saturating_mul(2));
    let finding = finding.look("see the metrics and their targets", &object, &["get", "hpa", &object.name]);
    Some(finding.fix(
        "let it scale further, if the nodes have room; the number is a guess",
        &object,
        &["patch", "hpa", &object.name, "--type=merge", "-p", &patch],
    ))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const HPA: &str = "
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: shop}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, minReplicas: MIN, maxReplicas: 4}
status: {currentReplicas: CURRENT, conditions: [{type: ScalingLimited, status: 'True', reason: REASON, message: the desired replica count is more than the maximum replica count, lastTransitionTime: '2026-01-01T11:TIMEZ'}]}
";

    fn hpa(min: &str, current: &str, reason: &str, time: &str) -> String {
        HPA.replace("MIN", min).replace("CURRENT", current).replace("REASON", reason).replace("TIME", time)
    }

    #[test]
    fn at_the_end_of_its_rope() {
        check(
            &super::DETECTOR,
            &hpa("1", "4", "TooManyReplicas", "50:00"),
            "warning HorizontalPodAutoscaler shop/web: HorizontalPodAutoscaler web keeps Deployment web at maxReplicas 4 while its metrics ask for more pods (TooManyReplicas)",
        );
        check(
            &super::DETECTOR,
            &hpa("4", "4", "TooManyReplicas", "50:00"),
            "warning HorizontalPodAutoscaler shop/web: HorizontalPodAutoscaler web keeps Deployment web at 4 pods (minReplicas and maxReplicas) while its metrics ask for more pods (TooManyReplicas)",
        );
    }

    #[test]
    fn on_its_way_or_at_its_minimum() {
        check(&super::DETECTOR, &hpa("1", "3", "TooManyReplicas", "50:00"), "");
        check(&super::DETECTOR, &hpa("4", "4", "TooFewReplicas", "50:00"), "");
        check(&super::DETECTOR, &hpa("1", "4", "TooManyReplicas", "59:30"), "");
    }
}
