//! Autoscalers that can't measure.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "hpa-no-metrics",
    summary: "Autoscaler gets no metrics, so it does not scale",
    group: Group::Workloads,
    reads: &[Kind::HorizontalPodAutoscaler, Kind::APIService],
    wants: None,
    doc: r"## What it detects
A HorizontalPodAutoscaler whose condition `ScalingActive` is false: the metrics API is not installed or not available, a
container has no request to compute a share of, or a metric does not exist.

## Why it matters
Nothing is scaled: under load the workload stays as small as it is.

## Evidence
The condition's message; the APIService of the metrics API; the container without a request.

## Look-alikes
A target that does not exist is `hpa-target-missing`. An aggregated API that is down for all its users is also
`api-service-unavailable`. A target scaled to zero (`ScalingDisabled`) is not reported. Pods that have just
started have no metrics yet: that is given three minutes, and is a symptom where pods of the target are not
ready.

## What it does not see
The metrics themselves are never read: an autoscaler that gets metrics and scales too little, or has reached
`maxReplicas`, is silent. The adapter's log and the query behind a custom metric are not read. An autoscaler
whose controller has not written a `ScalingActive` condition says nothing.

## What to do
Install or mend metrics-server (or the adapter for custom metrics); give every container of the target a request
for the resource that the autoscaler measures. `kubectl top pod` shows whether metrics come at all,
`kubectl get apiservice v1beta1.metrics.k8s.io` whether they are served.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.all::<HorizontalPodAutoscaler>().iter().filter_map(|scaler| finding(view, scaler)).collect()
}

fn finding(view: &View<'_>, scaler: &HorizontalPodAutoscaler) -> Option<Finding> {
    let object = scaler.object_ref();
    let told = condition(&scaler.status.conditions, "ScalingActive")
        .filter(|c| c.is_false() && c.reason != "ScalingDisabled")?;
    let target = scaler.spec.scale_target_ref.object_ref(object.ns());
    let idle = view.workload(&target).is_some_and(|workload| workload.desired == 0);
    if idle || scaler.metadata.deleting() || view.absent(&target) || super::hpa_overlap::contested(view, scaler) {
        return None;
    }
    let make = |summary: String| {
        let finding = Finding::new(
            object.clone(),
            Severity::Warning,
            Stage::Ready,
            format!("HorizontalPodAutoscaler {} does not scale {target}: {summary} ({})", object.name, told.reason),
        );
        finding.since(*told.last_transition_time).field(
            &object,
            "status.conditions[ScalingActive].message",
            &told.message,
        )
    };
    let text = told.message.as_str();
    if let Some((resource, container)) = unrequested(text) {
        let finding = make(format!(
            "container {container} has no {resource} request, so its use can't be taken as a share of it"
        ))
        .key(format!("request {container}"));
        let path = format!("spec.template.spec.containers[{container}].resources.requests");
        let request = view.workload(&target).and_then(|workload| {
            Some(format!("{:?}", workload.template.spec.container(container)?.resources.requests))
        });
        let finding =
            if let Some(request) = request { finding.field(&target, path, request.replace('"', "")) } else { finding };
        let value = format!("--requests={resource}={}", if resource == "memory" { "128Mi" } else { "100m" });
        let argument = format!("{}/{}", target.kind.argument(), target.name);
        return Some(finding.fix(
            "give it a request; the amount is a guess",
            &target,
            &["set", "resources", &argument, "-c", container, &value],
        ));
    }
    for (group, api) in [
        ("resource metrics API", "v1beta1.metrics.k8s.io"),
        ("custom metrics API", "v1beta1.custom.metrics.k8s.io"),
        ("external metrics API", "v1beta1.external.metrics.k8s.io"),
    ] {
        let service = ObjectRef::new(Kind::APIService, "", api);
        let down = [
            "could not find the requested resource",
            "unable to handle the request",
            "no custom metrics API",
            "no external metrics API",
            "service unavailable",
        ]
        .iter()
        .any(|word| text.contains(word));
        if text.contains(group) && down {
            let state = if view.absent(&service) { "is not installed" } else { "does not answer" };
            let finding = make(format!("the {group} {state}")).key(api).culprit(service.clone());
            return Some(finding.look("see whether it is served", &service, &["get", "apiservice", api]));
        }
    }
    // The first scrape takes its time.
    let young = view.age(*told.last_transition_time).is_none_or(|age| age < 3 * SETTLED);
    let unready = view.pods_of(&target).iter().any(|pod| !pod.ready());
    if young
        && (unready
            || text.contains("did not receive metrics")
            || text.contains("no metrics returned")
            || text.contains("no recommendation"))
    {
        return None;
    }
    let cut: String =
        text.trim_start_matches("the HPA was unable to compute the replica count: ").chars().take(200).collect();
    let finding = make(cut.trim_end_matches('.').to_owned()).key(&told.reason);
    Some(describe(if unready { finding.symptom() } else { finding }, &object))
}

/// `missing request for cpu in container app of Pod web-1`, as resource and container.
fn unrequested(text: &str) -> Option<(&str, &str)> {
    let (_, rest) = text.split_once("missing request for ")?;
    let mut words = rest.split_whitespace();
    let resource = words.next()?;
    let container = words.skip_while(|word| *word != "container").nth(1)?;
    Some((resource, container))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const HPA: &str = "
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: shop}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
status: {conditions: [{type: ScalingActive, status: 'False', reason: REASON, lastTransitionTime: '2026-01-01T11:TIME:00Z', message: 'the HPA was unable to compute the replica count: MESSAGE'}]}
---
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {replicas: 1, template: {spec: {containers: [{name: app}]}}}
";

    fn hpa(reason: &str, time: &str, message: &str) -> String {
        HPA.replace("REASON", reason).replace("TIME", time).replace("MESSAGE", message)
    }

    #[test]
    fn the_metrics_api_is_not_installed() {
        let message = "failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)";
        let expected = "warning HorizontalPodAutoscaler shop/web: HorizontalPodAutoscaler web does not scale Deployment shop/web: the resource metrics API is not installed (FailedGetResourceMetric) <- APIService v1beta1.metrics.k8s.io";
        check(&super::DETECTOR, &hpa("FailedGetResourceMetric", "59", message), expected);
    }

    #[test]
    fn a_container_without_a_request() {
        let message = "failed to get cpu utilization: missing request for cpu in container app of Pod web-5f-x";
        let expected = "warning HorizontalPodAutoscaler shop/web: HorizontalPodAutoscaler web does not scale Deployment shop/web: container app has no cpu request, so its use can't be taken as a share of it (FailedGetResourceMetric)";
        check(&super::DETECTOR, &hpa("FailedGetResourceMetric", "59", message), expected);
    }

    #[test]
    fn no_metrics_yet_or_scaled_to_zero() {
        let message = "failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API";
        check(&super::DETECTOR, &hpa("FailedGetResourceMetric", "58", message), "");
        check(&super::DETECTOR, &hpa("ScalingDisabled", "00", "scaling is disabled"), "");
        check(
            &super::DETECTOR,
            &hpa("FailedGetResourceMetric", "00", message).replace("replicas: 1", "replicas: 0"),
            "",
        );
    }
}
