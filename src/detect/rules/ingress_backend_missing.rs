//! Ingresses that lead to a Service which does not exist.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "ingress-backend-missing",
    summary: "Ingress leads to a Service that does not exist",
    group: Group::Network,
    reads: &[Kind::Ingress, Kind::Service],
    wants: None,
    doc: r"## What it detects
An Ingress rule (or default backend) that names a Service which its namespace doesn't have.

## Why it matters
Requests to the rule's host and path are answered with 503 or 404 by the ingress controller; some controllers
drop the rule, or refuse the Ingress as a whole.

## Evidence
The backend's name in the Ingress, with host and path; the Services that there are.

## Look-alikes
A Service that is there and lacks the port is `ingress-port-missing`, one without ready pods
`ingress-no-endpoints`. For HTTPRoutes see `route-backend-missing`. A Service that a rollout makes a moment
after its Ingress passes by itself: there is no waiting time here. A backend whose port is named
`use-annotation` is an action of the AWS controller, and is not reported.

## What it does not see
Backends that are resources instead of Services, and what annotations of a controller name (default backends,
mirrors, authentication). A backend is looked for in the Ingress' own namespace only, as the API demands.
Without the right to list Services nothing is said.

## What to do
`kubectl get services` in the Ingress' namespace shows what there is. Correct the name
(`kubectl edit ingress NAME`), or create the Service. An Ingress can't lead into another namespace.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for ingress in view.all::<Ingress>().iter().filter(|ingress| !ingress.metadata.deleting()) {
        let mut seen = std::collections::BTreeSet::new();
        let rules = ingress.spec.rules.iter().flat_map(|rule| {
            rule.http
                .iter()
                .flat_map(|http| &http.paths)
                .map(move |path| (rule.host.as_str(), path.path.as_str(), &path.backend))
        });
        let default = ingress.spec.default_backend.iter().map(|backend| ("", "", backend));
        for (host, path, backend) in rules.chain(default) {
            let Some(service) = backend.service.as_ref().filter(|service| service.port.name != "use-annotation") else {
                continue;
            };
            let missing = view.beside(ingress, Kind::Service, &service.name);
            if view.absent(&missing) && seen.insert(service.name.as_str()) {
                findings.push(finding(view, ingress, &missing, host, path));
            }
        }
    }
    findings
}

fn finding(view: &View<'_>, ingress: &Ingress, missing: &ObjectRef, host: &str, path: &str) -> Finding {
    let object = ingress.object_ref();
    let services = view.within::<Service>(object.ns());
    let near = meant(&missing.name, services.iter().map(|service| service.metadata.name.as_str()));
    let hint = match (near, services) {
        (Some(near), _) => format!("; did you mean Service {near}?"),
        (None, [only]) => format!("; the only Service there is {}", only.metadata.name),
        _ => String::new(),
    };
    let route = if host.is_empty() && path.is_empty() {
        "its default backend".to_owned()
    } else {
        format!("{}{path}", if host.is_empty() { "*" } else { host })
    };
    let summary = format!(
        "Ingress {} sends {route} to Service {}, which does not exist in namespace {}{hint}",
        object.name,
        missing.name,
        object.ns()
    );
    Finding::new(object.clone(), Severity::Critical, Stage::Route, summary)
        .key(&*missing.name)
        .culprit(missing.clone())
        .field(&object, "spec.rules[].http.paths[].backend.service.name", &*missing.name)
        .since(*ingress.metadata.creation_timestamp)
        .look("see which Services there are", &object, &["get", "services"])
        .fix("name the right Service", &object, &["edit", "ingress", &object.name])
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const SHOP: &str = "
kind: Ingress
metadata: {name: shop, namespace: shop}
spec: {rules: [{host: shop.example, http: {paths: [{path: /pay, backend: {service: {name: payment, port: {number: 80}}}}]}}]}
---
kind: Service
metadata: {name: payments, namespace: shop}
";

    #[test]
    fn nearly_the_name() {
        check(
            &super::DETECTOR,
            SHOP,
            "critical Ingress shop/shop: Ingress shop sends shop.example/pay to Service payment, which does not exist in namespace shop; did you mean Service payments? <- Service shop/payment",
        );
    }

    #[test]
    fn there_or_unknown() {
        check(&super::DETECTOR, &SHOP.replace("name: payments", "name: payment"), "");
        check(
            &super::DETECTOR,
            &(SHOP.to_owned() + "---\nkind: Gap\nwhat: services\nreason: forbidden\nof: Service"),
            "",
        );
        check(&super::DETECTOR, &SHOP.replace("{number: 80}", "{name: use-annotation}"), "");
    }
}
