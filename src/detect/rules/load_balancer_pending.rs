//! Services of type `LoadBalancer` that get no address.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "load-balancer-pending",
    summary: "Service of type LoadBalancer has no address",
    group: Group::Network,
    reads: &[Kind::Service, Kind::Node],
    wants: None,
    doc: r"## What it detects
A Service of type LoadBalancer without an address in its status: a controller says in a warning why it
failed, or two minutes have passed, or nothing in the cluster shows a controller that could make one.

## Why it matters
The Service can't be reached from outside; its EXTERNAL-IP stays `<pending>`.

## Evidence
The warning of the controller (`SyncLoadBalancerFailed` and its like) where there is one, and
`status.loadBalancer`.

## Look-alikes
Clouds need a minute or two, and are given two. A cluster for development often has no controller on purpose:
type ClusterIP or NodePort is then what is meant. A balancer that has an address but no healthy target is not
this fault: see `service-no-endpoints`. A Gateway without an address is `gateway-not-programmed`.

## What it does not see
The cloud's side and the controller's log. An address that is set but does not answer. Any warning about the
Service counts as the reason (except those about endpoints), so a warning of another controller may be quoted.
Whether a controller exists is a guess from provider ids, other Services and events.

## What to do
Mend what the warning names (quota, subnet, annotation, address pool). Without any event there is no
controller: install one (a cloud controller manager, MetalLB), or change the type.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let all = view.all::<Service>().iter().filter(|service| service.spec.kind == "LoadBalancer");
    all.filter(|service| service.status.load_balancer.ingress.is_empty() && !service.metadata.deleting())
        .filter_map(|service| finding(view, service))
        .collect()
}

fn finding(view: &View<'_>, service: &Service) -> Option<Finding> {
    let object = service.object_ref();
    let age = view.age(*service.metadata.creation_timestamp);
    let events = view.events(&object);
    let warning = events.iter().find(|event| {
        event.is_warning()
            && !event.reason.contains("Endpoint")
            && (event.metadata.uid.is_empty()
                || event.involved_object.uid.is_empty()
                || event.involved_object.uid == service.metadata.uid
                || service.metadata.uid.is_empty())
    });
    let base = |severity: Severity, summary: String| {
        Finding::new(object.clone(), severity, Stage::Route, summary)
            .field(&object, "status.loadBalancer", "{}")
            .since(*service.metadata.creation_timestamp)
            .look("see its events", &object, &["describe", "service", &object.name])
    };
    if let Some(event) = warning {
        let message = event.message.lines().next().unwrap_or_default().trim_end_matches('.');
        let message = message.strip_prefix("Error syncing load balancer: ").unwrap_or(message);
        return Some(
            base(
                Severity::Critical,
                format!("Service {} gets no load balancer ({}): {message}", object.name, event.reason),
            )
            .event(event),
        );
    }
    // Where a cloud runs the nodes, or another Service has an address, a controller is there and needs time.
    let cloud = view
        .all::<Node>()
        .iter()
        .any(|node| !node.spec.provider_id.is_empty() && !node.spec.provider_id.starts_with("kind:"));
    let others = view
        .all::<Service>()
        .iter()
        .any(|other| other.spec.kind == "LoadBalancer" && !other.status.load_balancer.ingress.is_empty());
    let begun = events.iter().find(|event| event.reason == "EnsuringLoadBalancer");
    let controller = cloud || others || begun.is_some() || !view.snapshot.knows(Kind::Node, "");
    if age? < if controller { 120 } else { 5 } {
        return None;
    }
    let class = &service.spec.load_balancer_class;
    let why = match (begun, class.is_empty()) {
        (Some(_), _) => "its controller began and has not ended".to_owned(),
        (None, false) => format!("no controller serves loadBalancerClass {class}"),
        (None, true) if controller => "no controller has taken it up, and no event says why".to_owned(),
        (None, true) => {
            "nothing in the cluster makes load balancers (no cloud nodes, no Service with an address, no event)"
                .to_owned()
        }
    };
    let mut finding = base(
        Severity::Warning,
        format!("Service {} of type LoadBalancer is pending without an external address: {why}", object.name),
    )
    .unknown("the log of the controller that should make it");
    if let Some(event) = begun {
        finding = finding.event(event);
    }
    Some(finding)
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const WEB: &str = "
kind: Service
metadata: {name: web, namespace: shop, creationTimestamp: '2026-01-01T11:SINCE:00Z'}
spec: {type: LoadBalancer}
status: {loadBalancer: STATUS}
---
kind: Node
metadata: {name: n1}
spec: {providerID: 'PROVIDER'}
";
    const EVENT: &str = "
---
kind: Event
metadata: {name: e, namespace: shop}
involvedObject: {kind: Service, namespace: shop, name: web}
type: Warning
reason: SyncLoadBalancerFailed
message: 'Error syncing load balancer: failed to ensure load balancer: no subnet with tag x'
";

    fn web(since: &str, status: &str, provider: &str) -> String {
        WEB.replace("SINCE", since).replace("STATUS", status).replace("PROVIDER", provider)
    }

    #[test]
    fn failed_or_nobody() {
        check(
            &super::DETECTOR,
            &(web("59", "{}", "aws:///x") + EVENT),
            "critical Service shop/web: Service web gets no load balancer (SyncLoadBalancerFailed): failed to ensure load balancer: no subnet with tag x",
        );
        check(
            &super::DETECTOR,
            &web("59", "{}", ""),
            "warning Service shop/web: Service web of type LoadBalancer is pending without an external address: nothing in the cluster makes load balancers (no cloud nodes, no Service with an address, no event)",
        );
        check(
            &super::DETECTOR,
            &web("50", "{}", "aws:///x"),
            "warning Service shop/web: Service web of type LoadBalancer is pending without an external address: no controller has taken it up, and no event says why",
        );
    }

    #[test]
    fn there_or_young() {
        check(&super::DETECTOR, &web("50", "{ingress: [{ip: 1.2.3.4}]}", ""), "");
        check(&super::DETECTOR, &web("59", "{}", "aws:///x"), "");
    }
}
