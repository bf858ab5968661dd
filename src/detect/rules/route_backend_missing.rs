//! `HTTPRoute`s that lead to a Service, or a port of it, which does not exist.

use crate::detect::endpoints::ports_text;
use crate::detect::prelude::*;
use crate::model::kinds::BackendRef;

pub(super) const DETECTOR: Detector = Detector {
    id: "route-backend-missing",
    summary: "HTTPRoute leads to a Service or port that does not exist",
    group: Group::Network,
    reads: &[Kind::HTTPRoute, Kind::Service],
    wants: None,
    doc: r"## What it detects
A backend of an HTTPRoute whose Service does not exist, or doesn't have the port.

## Why it matters
The Gateway answers the share of requests that goes to this backend with an error: 500 as the Gateway API asks
for, 503 with some controllers. Other backends of the rule go on.

## Evidence
`spec.rules[].backendRefs`, the Service's ports, and the route's condition ResolvedRefs where the controller
sets it.

## Look-alikes
A Service that exists and has no ready pod: `ingress-no-endpoints`, `service-no-endpoints`. A reference that is
refused (another namespace without a ReferenceGrant, an unknown kind): `route-references-refused`. A Gateway
that does not take the route: `route-parent-missing`. The same at an Ingress: `ingress-backend-missing`,
`ingress-port-missing`.

Backends with weight 0 are meant to get nothing, but are reported all the same: the reference is broken. Of an
ExternalName Service the port is not compared. A route names the Service's `port`, not the pods' `targetPort`.

## What it does not see
Backends of other kinds than Service (ServiceImport, a vendor's bucket). Routes other than HTTPRoute: GRPCRoute,
TLSRoute and the like are not read. Filters that name a backend, such as RequestMirror. With -n, Services of
other namespaces; without the right to list Services everything.

## What to do
Correct the name or port (`kubectl edit httproute NAME`), or create the Service. See
`kubectl get services -n NAMESPACE` and what the controller says: `kubectl describe httproute NAME`.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for route in view.all::<HTTPRoute>().iter().filter(|route| !route.metadata.deleting()) {
        let mut seen = std::collections::BTreeSet::new();
        let backends = route
            .spec
            .rules
            .iter()
            .flat_map(|rule| &rule.backend_refs)
            .filter(|backend| backend.kind.is_empty() || backend.kind == "Service");
        for backend in
            backends.filter(|backend| seen.insert((backend.namespace.as_str(), backend.name.as_str(), backend.port)))
        {
            findings.extend(finding(view, route, backend));
        }
    }
    findings
}

fn finding(view: &View<'_>, route: &HTTPRoute, backend: &BackendRef) -> Option<Finding> {
    let object = route.object_ref();
    let namespace = if backend.namespace.is_empty() { object.ns() } else { &backend.namespace };
    let service = ObjectRef::new(Kind::Service, namespace, &backend.name);
    let wrong = match view.get::<Service>(namespace, &backend.name) {
        Some(found) => {
            let port = backend.port.filter(|number| {
                found.spec.kind != "ExternalName" && !found.spec.ports.iter().any(|port| port.port == *number)
            })?;
            format!("port {port} of Service {}, which does not exist; it only has {}", backend.name, ports_text(found))
        }
        None if view.absent(&service) => {
            let near = meant(
                &backend.name,
                view.within::<Service>(namespace).iter().map(|service| service.metadata.name.as_str()),
            );
            let hint = near.map(|near| format!("; did you mean Service {near}?")).unwrap_or_default();
            format!("Service {}, which does not exist in namespace {namespace}{hint}", backend.name)
        }
        None => return None,
    };
    let mut finding = Finding::new(
        object.clone(),
        Severity::Critical,
        Stage::Route,
        format!("HTTPRoute {} leads to {wrong}", object.name),
    )
    .key(format!("{namespace}/{}:{}", backend.name, backend.port.unwrap_or_default()))
    .culprit(service)
    .proven()
    .field(&object, "spec.rules[].backendRefs[].name", &backend.name)
    .since(*route.metadata.creation_timestamp)
    .look("see which Services there are", &ObjectRef::new(Kind::Service, namespace, ""), &["get", "services"])
    .fix("name the right Service and port", &object, &["edit", "httproute", &object.name]);
    let refused = route
        .status
        .parents
        .iter()
        .filter_map(|parent| condition(&parent.conditions, "ResolvedRefs"))
        .find(|c| c.is_false());
    if let Some(refused) = refused {
        finding = finding.field(&object, "status.parents[].conditions[ResolvedRefs]", &refused.message);
    }
    Some(finding)
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const SHOP: &str = "
kind: HTTPRoute
metadata: {name: shop, namespace: shop}
spec: {rules: [{backendRefs: [{name: web, port: PORT}]}]}
---
kind: Service
metadata: {name: NAME, namespace: shop}
spec: {ports: [{port: 80}]}
";

    #[test]
    fn service_or_port() {
        check(
            &super::DETECTOR,
            &SHOP.replace("PORT", "80").replace("NAME", "web1"),
            "critical HTTPRoute shop/shop: HTTPRoute shop leads to Service web, which does not exist in namespace shop; did you mean Service web1? <- Service shop/web",
        );
        check(
            &super::DETECTOR,
            &SHOP.replace("PORT", "8080").replace("NAME", "web"),
            "critical HTTPRoute shop/shop: HTTPRoute shop leads to port 8080 of Service web, which does not exist; it only has port 80 <- Service shop/web",
        );
    }

    #[test]
    fn there() {
        check(&super::DETECTOR, &SHOP.replace("PORT", "80").replace("NAME", "web"), "");
        check(
            &super::DETECTOR,
            &SHOP.replace("{name: web, port: PORT}", "{name: web, kind: Bucket}").replace("NAME", "web1"),
            "",
        );
    }
}
