//! Ingresses and routes whose Service has no ready endpoint.

use crate::detect::endpoints::behind;
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "ingress-no-endpoints",
    summary: "Service behind an Ingress or route has no ready endpoint",
    group: Group::Network,
    reads: &[Kind::Service, Kind::Pod],
    wants: None,
    doc: r"## What it detects
An Ingress or HTTPRoute that leads to a Service which exists and selects pods, of which none is ready;
also where there are none because the workload is scaled to zero.

## Why it matters
Requests from outside are answered with 503. It is a symptom: why there is no endpoint is usually a
finding at the Service or its pods, and this one is folded under it.

## Evidence
The backend in the Ingress or route, and the Service's selector.

## Look-alikes
The Service may not exist at all (`ingress-backend-missing`), not have the port (`ingress-port-missing`), or
select no pod (`service-selects-nothing`). The same at the Service itself is `service-no-endpoints`. A scale to
zero on purpose is a warning only. Silent are Services without a selector, of type ExternalName, and pods in
their first minute.

## What it does not see
Pods are counted, not endpoints: a Service whose pods are ready while its EndpointSlices are stale is
`endpoints-stale`. Endpoints made by hand are not judged. Doors other than Ingress and HTTPRoute (custom routes
of a controller) are not read, and without the right to list pods nothing is said.

## What to do
See the finding at the Service or its pods; `kubectl get pods -l SELECTOR` shows them. If the workload was
scaled to zero, scale it up: `kubectl scale deployment NAME --replicas=1`.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for service in view.all::<Service>().iter().filter(|service| service.selects()) {
        let object = service.object_ref();
        let doors: Vec<ObjectRef> =
            view.dependents(&object).filter(|(edge, _)| *edge == Edge::Backend).map(|(_, from)| from.clone()).collect();
        if doors.is_empty() {
            continue;
        }
        let found = behind(view, service);
        let young = |time: Option<Time>| view.age(time).is_some_and(|age| age < SETTLED);
        let starting = !found.pods.is_empty() && found.pods.iter().all(|pod| young(pod_since(pod)));
        if found.ready() > 0
            || starting
            || found.pods.is_empty() && young(*service.metadata.creation_timestamp)
            || !view.snapshot.knows(Kind::Pod, object.ns())
        {
            continue;
        }
        let state = match (found.idle(), found.pods.len()) {
            (true, _) => format!(
                "{} is scaled to 0",
                list(
                    &found
                        .workloads
                        .iter()
                        .map(|workload| format!("{} {}", workload.object.kind, workload.object.name))
                        .collect::<Vec<_>>()
                )
            ),
            (false, 0) => "it has no pods".to_owned(),
            (false, count) => format!(
                "{} not ready",
                if count == 1 { "its only pod is".to_owned() } else { format!("its {count} pods are") }
            ),
        };
        for door in doors {
            // Scaling to zero is a choice, but one that takes the door's users with it.
            let severity = if found.idle() { Severity::Warning } else { Severity::Critical };
            let mut finding = Finding::new(
                door.clone(),
                severity,
                Stage::Route,
                format!(
                    "{} {} leads to Service {}, which has no ready endpoint: {state}",
                    door.kind, door.name, object.name
                ),
            )
            .key(&*object.name)
            .culprit(object.clone())
            .field(&door, "backend", &*object.name)
            .field(&object, "spec.selector", crate::model::selector::labels(&service.spec.selector))
            .unknown("why there is none: the Service's pods decide")
            .look(
                "see the Service's pods",
                &object,
                &["get", "pods", "-l", &crate::model::selector::labels(&service.spec.selector)],
            )
            .symptom();
            if let (true, Some(workload)) = (found.idle(), found.workloads.first()) {
                finding = finding.field(&workload.object, "spec.replicas", "0");
                finding.unknown.clear();
            }
            findings.push(finding);
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const SHOP: &str = "
kind: Ingress
metadata: {name: shop, namespace: shop}
spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}
---
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {replicas: REPLICAS, template: {metadata: {labels: {app: web}}}}
";
    const POD: &str = "
---
kind: Pod
metadata: {name: web-1, namespace: shop, labels: {app: web}}
status: {phase: Running, startTime: '2026-01-01T11:00:00Z', conditions: [{type: Ready, status: 'READY'}]}
";

    #[test]
    fn no_ready_pod() {
        let yaml = SHOP.replace("REPLICAS", "1") + &POD.replace("READY", "False");
        check(
            &super::DETECTOR,
            &yaml,
            "critical Ingress shop/shop: Ingress shop leads to Service web, which has no ready endpoint: its only pod is not ready <- Service shop/web",
        );
        check(
            &super::DETECTOR,
            &SHOP.replace("REPLICAS", "0"),
            "warning Ingress shop/shop: Ingress shop leads to Service web, which has no ready endpoint: Deployment web is scaled to 0 <- Service shop/web",
        );
    }

    #[test]
    fn ready_or_starting() {
        check(&super::DETECTOR, &(SHOP.replace("REPLICAS", "1") + &POD.replace("READY", "True")), "");
        check(
            &super::DETECTOR,
            &(SHOP.replace("REPLICAS", "1") + &POD.replace("READY", "False").replace("11:00:00Z", "11:59:30Z")),
            "",
        );
    }
}
