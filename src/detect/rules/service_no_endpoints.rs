//! Services that have pods, none of which is ready.

use crate::detect::endpoints::behind;
use crate::detect::prelude::*;
use crate::model::selector::labels;

pub(super) const DETECTOR: Detector = Detector {
    id: "service-no-endpoints",
    summary: "Service has no ready endpoint",
    group: Group::Network,
    reads: &[Kind::Service, Kind::Pod],
    wants: None,
    doc: r"## What it detects
A Service whose selector takes pods, or a workload that should have pods, while none of them is ready.

## Why it matters
Connections to the Service are refused or time out. It is a symptom: why the pods are not ready is
usually a finding of its own, and this one is folded under it.

## Evidence
`spec.selector` of the Service, and the Ready condition of one of its pods.

## Look-alikes
A selector that takes no pod and no workload: `service-selects-nothing`. A workload that is scaled to zero on
purpose: `service-scaled-to-zero`, where a client misses it. Pods that are ready and listen on another port:
`target-port-wrong`. The cluster's DNS: `dns-down`. What an Ingress or a route answers then:
`ingress-no-endpoints`. Policies that send traffic to local pods only: `internal-traffic-policy-local`.

Silent: workloads scaled to zero; pods that started less than a minute ago; Services that publish unready
addresses; pods that have ended.

## What it does not see
Services without a selector (see `endpoints-stale`). A Service with one ready pod of many. Readiness is read off
the pods: EndpointSlices that the controller has not brought up to date are not compared. Nothing is connected
to: a pod that is ready and does not answer looks well. Clients outside the cluster.

## What to do
See why the pods are not ready: the finding above this one, or `kubectl get pods -l SELECTOR -o wide` and
`kubectl describe pod POD`. `kubectl get endpointslices -l kubernetes.io/service-name=NAME` shows what the
Service sends to.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let services = view.all::<Service>().iter().filter(|service| {
        service.selects() && !service.spec.publish_not_ready_addresses && !service.metadata.deleting()
    });
    services.filter_map(|service| finding(view, service)).collect()
}

fn finding(view: &View<'_>, service: &Service) -> Option<Finding> {
    let object = service.object_ref();
    let found = behind(view, service);
    let dns = view.dns().is_some_and(|dns| std::ptr::eq(dns, service));
    let wanted = found.workloads.iter().any(|workload| workload.desired > 0);
    if dns || found.ready() > 0 || found.pods.is_empty() && !wanted {
        return None;
    }
    let starting = |pod: &&&Pod| view.age(pod_since(pod)).is_some_and(|age| age < SETTLED);
    if !found.pods.is_empty() && found.pods.iter().all(|pod| starting(&pod)) {
        return None;
    }
    if found.pods.is_empty()
        && found
            .workloads
            .iter()
            .all(|workload| view.age(*workload.meta.creation_timestamp).is_some_and(|age| age < SETTLED))
    {
        return None;
    }
    let state = match found.pods.len() {
        0 => "the pods that its workload should have are missing".to_owned(),
        1 => "its only pod is not ready".to_owned(),
        count => format!("none of its {count} pods is ready"),
    };
    let mut finding = Finding::new(
        object.clone(),
        Severity::Critical,
        Stage::Serve,
        format!("Service {} has no ready endpoint: {state}", object.name),
    )
    .field(&object, "spec.selector", labels(&service.spec.selector))
    .unknown("why the pods are not ready: their state, events and logs decide")
    .look("see its pods", &object, &["get", "pods", "-l", &labels(&service.spec.selector), "-o", "wide"])
    .symptom();
    if let Some((pod, ready)) =
        found.pods.iter().find_map(|pod| Some((pod, condition(&pod.status.conditions, "Ready")?)))
    {
        finding = finding
            .field(
                &pod.object_ref(),
                "status.conditions[Ready]",
                format!("status: {}, reason: {}", ready.status, ready.reason),
            )
            .since(*ready.last_transition_time);
    }
    Some(finding)
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const WEB: &str = "
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80}], clusterIP: 10.96.0.7}
---
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {replicas: 2, template: {metadata: {labels: {app: web}}}}
";
    const POD: &str = "
---
kind: Pod
metadata: {name: web-1, namespace: shop, labels: {app: web}}
status: {phase: Running, startTime: '2026-01-01T11:SINCE:00Z', conditions: [{type: Ready, status: 'READY'}]}
";

    #[test]
    fn not_ready() {
        let yaml = WEB.to_owned() + &POD.replace("SINCE", "30").replace("READY", "False");
        check(
            &super::DETECTOR,
            &yaml,
            "critical Service shop/web: Service web has no ready endpoint: its only pod is not ready",
        );
        check(&super::DETECTOR, &yaml.replace("clusterIP: 10.96.0.7", "publishNotReadyAddresses: true"), "");
    }

    #[test]
    fn no_pods() {
        check(
            &super::DETECTOR,
            WEB,
            "critical Service shop/web: Service web has no ready endpoint: the pods that its workload should have are missing",
        );
        check(&super::DETECTOR, &WEB.replace("replicas: 2", "replicas: 0"), "");
    }

    #[test]
    fn ready_or_starting() {
        check(&super::DETECTOR, &(WEB.to_owned() + &POD.replace("SINCE", "30").replace("READY", "True")), "");
        check(
            &super::DETECTOR,
            &(WEB.to_owned() + &POD.replace("11:SINCE:00", "11:59:30").replace("READY", "False")),
            "",
        );
    }
}
