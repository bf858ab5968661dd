//! Aggregated APIs that don't answer.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "api-service-unavailable",
    summary: "An aggregated API does not answer",
    group: Group::Nodes,
    reads: &[Kind::APIService, Kind::Service, Kind::Pod],
    wants: None,
    doc: r"## What it detects
An APIService whose condition `Available` is not true: its Service is missing or has no endpoints, or
its server does not answer the API server.

## Why it matters
Everything that uses this API fails: without `metrics.k8s.io` autoscalers and `kubectl top`. Any such
API also holds up the deletion of every namespace, and slows down discovery.

## Evidence
The condition with reason (`ServiceNotFound`, `MissingEndpoints`, `FailedDiscoveryCheck`) and message.

## Look-alikes
A server that is just starting: in the first minute of the condition nothing is said where a pod of it is younger than
a minute and not ready, or has been ready for less than half a minute. A Service without pods is explained by
`service-no-endpoints`, `service-selects-nothing` or `service-scaled-to-zero`. A webhook that does not answer is
`webhook-unreachable`.

## What it does not see
The condition is the API server's word: an API that is `Available` and answers slowly or wrongly is silent. Why the
server does not answer (its certificate, a NetworkPolicy, its log) is not looked at. Under `-n` the server's pods are
usually not read, so no time is given for their start.

## What to do
`kubectl get apiservice` shows which are down, with their Service and the reason. Mend that Service or its pods. If
what served the API was uninstalled for good, `kubectl delete apiservice NAME`.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.all::<APIService>().iter().filter_map(|api| finding(view, api)).collect()
}

fn finding(view: &View<'_>, api: &APIService) -> Option<Finding> {
    let available = condition(&api.status.conditions, "Available").filter(|condition| !condition.is_true())?;
    let object = api.object_ref();
    let server =
        api.spec.service.as_ref().map(|service| ObjectRef::new(Kind::Service, &service.namespace, &service.name));
    let pods = server
        .as_ref()
        .and_then(|server| view.get::<Service>(server.ns(), &server.name))
        .map(|service| view.pods_behind(service));
    let starting =
        |pod: &&Pod| !pod.ready() && view.age(*pod.metadata.creation_timestamp).is_some_and(|age| age < SETTLED);
    let young = view.age(*available.last_transition_time).is_some_and(|age| age < SETTLED);
    // Right after its pods became ready the API server has not asked them again.
    let settling = |pod: &&Pod| {
        condition(&pod.status.conditions, "Ready")
            .is_some_and(|ready| ready.is_true() && view.age(*ready.last_transition_time).is_some_and(|age| age < 30))
    };
    if api.metadata.deleting() || young && pods.iter().flatten().any(|pod| starting(pod) || settling(pod)) {
        return None;
    }
    let message = available.message.trim_end_matches('.');
    let api_name = format!("{}/{}", api.spec.group, api.spec.version);
    let mut finding = Finding::new(
        object.clone(),
        Severity::Critical,
        Stage::Serve,
        format!("API {api_name} is not available ({}): {message}", available.reason),
    )
    .field(&object, "status.conditions[Available].message", &available.message)
    .since(*available.last_transition_time);
    finding = server.clone().into_iter().fold(finding, Finding::culprit);
    if let Some(server) = server.filter(|_| available.reason != "ServiceNotFound") {
        return Some(describe(finding, &server));
    }
    Some(finding.fix(
        "take the API out, if what served it is gone for good",
        &object,
        &["delete", "apiservice", &object.name],
    ))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: APIService
metadata: {name: v1beta1.metrics.k8s.io}
spec: {group: metrics.k8s.io, version: v1beta1, service: {name: metrics, namespace: kube-system}}
status: {conditions: [{type: Available, status: STATUS, reason: REASON, lastTransitionTime: '2026-01-01T11:59:30Z', message: 'endpoints for service/metrics in \"kube-system\" have no addresses'}]}
---
kind: Service
metadata: {name: metrics, namespace: kube-system}
spec: {selector: {app: metrics}}
---
kind: Pod
metadata: {name: metrics-1, namespace: kube-system, creationTimestamp: '2026-01-01T11:CREATED:00Z', labels: {app: metrics}}
status: {phase: Running}
";

    fn yaml(status: &str, created: &str) -> String {
        YAML.replace("STATUS", status).replace("REASON", "MissingEndpoints").replace("CREATED", created)
    }

    #[test]
    fn no_endpoints() {
        check(
            &super::DETECTOR,
            &yaml("'False'", "00"),
            "critical APIService v1beta1.metrics.k8s.io: API metrics.k8s.io/v1beta1 is not available (MissingEndpoints): endpoints for service/metrics in \"kube-system\" have no addresses <- Service kube-system/metrics",
        );
    }

    #[test]
    fn starting_or_well() {
        check(&super::DETECTOR, &yaml("'False'", "59").replace("11:59:00Z', l", "11:59:20Z', l"), "");
        check(&super::DETECTOR, &yaml("'True'", "00"), "");
    }
}
