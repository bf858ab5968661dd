//! Ingresses that lead to a port which their Service does not have.

use crate::detect::endpoints::{Target, ports_text, target};
use crate::detect::prelude::*;
use crate::model::kinds::BackendService;

pub(super) const DETECTOR: Detector = Detector {
    id: "ingress-port-missing",
    summary: "Ingress leads to a port that its Service does not have",
    group: Group::Network,
    reads: &[Kind::Ingress, Kind::Service],
    wants: None,
    doc: r"## What it detects
An Ingress backend whose port, by number or name, is not among the Service's ports. Most often the
pods' port (`targetPort`) stands there in the place of the Service's.

## Why it matters
The ingress controller has nothing to send requests to: it answers 503 or 404.

## Evidence
The backend's port in the Ingress and `spec.ports` of the Service.

## Look-alikes
A Service that is missing altogether is `ingress-backend-missing`. A Service port that leads to a port which the
pods don't have is `target-port-wrong`. Services of type ExternalName are silent: several controllers take any
port for them; so is the port name `use-annotation`.

## What it does not see
HTTPRoutes (they are `route-backend-missing`), resource backends, and ports that are named in a controller's
annotations. Whether anything answers on a port that the Service does have is a matter of its pods.

## What to do
`kubectl get service NAME` shows the ports. Name the Service's `port` in the Ingress, not the pods' `targetPort`
(`kubectl edit ingress NAME`), or add the port to the Service.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for ingress in view.all::<Ingress>().iter().filter(|ingress| !ingress.metadata.deleting()) {
        let mut seen = std::collections::BTreeSet::new();
        let paths = ingress.spec.rules.iter().filter_map(|rule| rule.http.as_ref()).flat_map(|http| &http.paths);
        for backend in paths
            .map(|path| &path.backend)
            .chain(&ingress.spec.default_backend)
            .filter_map(|backend| backend.service.as_ref())
        {
            let service = view
                .get::<Service>(&ingress.metadata.namespace, &backend.name)
                .filter(|service| service.spec.kind != "ExternalName");
            let Some(service) = service.filter(|service| !has(service, backend)) else { continue };
            if seen.insert((backend.name.as_str(), asked(backend))) {
                findings.push(finding(ingress, service, backend));
            }
        }
    }
    findings
}

fn has(service: &Service, backend: &BackendService) -> bool {
    let named = |name: &str| name == "use-annotation" || service.spec.ports.iter().any(|port| port.name == name);
    backend.port.number.map_or_else(
        || backend.port.name.is_empty() || named(&backend.port.name),
        |number| service.spec.ports.iter().any(|port| port.port == number),
    )
}

fn asked(backend: &BackendService) -> String {
    backend.port.number.map_or_else(|| backend.port.name.clone(), |number| number.to_string())
}

fn finding(ingress: &Ingress, service: &Service, backend: &BackendService) -> Finding {
    let (object, target_ref) = (ingress.object_ref(), service.object_ref());
    let names: Vec<String> =
        service.spec.ports.iter().map(|port| port.name.clone()).filter(|name| !name.is_empty()).collect();
    let has = if backend.port.number.is_none() && !names.is_empty() {
        format!("its ports are named {}", list(&names))
    } else {
        format!("it only has {}", ports_text(service))
    };
    let behind = backend
        .port
        .number
        .is_some_and(|number| service.spec.ports.iter().any(|port| target(port) == Target::Number(number)));
    let mistaken = if behind { ": that is the pods' port" } else { "" };
    let summary = format!(
        "Ingress {} leads to port {} of Service {}, which does not exist{mistaken}; {has}",
        object.name,
        asked(backend),
        backend.name
    );
    Finding::new(object.clone(), Severity::Critical, Stage::Route, summary)
        .key(format!("{}:{}", backend.name, asked(backend)))
        .culprit(target_ref.clone())
        .proven()
        .field(&object, "spec.rules[].http.paths[].backend.service.port", asked(backend))
        .field(&target_ref, "spec.ports", ports_text(service))
        .since(*ingress.metadata.creation_timestamp)
        .look("see the Service's ports", &target_ref, &["get", "service", &backend.name])
        .fix("name a port that the Service has", &object, &["edit", "ingress", &object.name])
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const SHOP: &str = "
kind: Ingress
metadata: {name: shop, namespace: shop}
spec: {defaultBackend: {service: {name: web, port: PORT}}}
---
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: ClusterIP, ports: [{name: http, port: 80, targetPort: 8080}]}
";

    #[test]
    fn by_number_and_name() {
        check(
            &super::DETECTOR,
            &SHOP.replace("PORT", "{number: 8080}"),
            "critical Ingress shop/shop: Ingress shop leads to port 8080 of Service web, which does not exist: that is the pods' port; it only has port 80 (targetPort 8080) <- Service shop/web",
        );
        check(
            &super::DETECTOR,
            &SHOP.replace("PORT", "{name: web}"),
            "critical Ingress shop/shop: Ingress shop leads to port web of Service web, which does not exist; its ports are named http <- Service shop/web",
        );
    }

    #[test]
    fn there() {
        check(&super::DETECTOR, &SHOP.replace("PORT", "{number: 80}"), "");
        check(&super::DETECTOR, &SHOP.replace("PORT", "{name: http}"), "");
        check(&super::DETECTOR, &SHOP.replace("PORT", "{number: 8080}").replace("ClusterIP", "ExternalName"), "");
    }
}
