//! ExternalName Services that lead back to themselves.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "external-name-loop",
    summary: "ExternalName Service leads back to itself",
    group: Group::Network,
    reads: &[Kind::Service],
    wants: None,
    doc: r"## What it detects
A Service of type ExternalName whose name is its own in the cluster, or that of another ExternalName
Service which leads back to it.

## Why it matters
The cluster's DNS answers with an alias for ever, or gives up: the name never resolves.

## Evidence
`spec.externalName` of each Service of the circle.

## Look-alikes
A chain of aliases that ends at a host, or at a Service with an address, is fine and silent. One that ends at a
Service that does not exist is `external-name-unknown`.

## What it does not see
Only names of the form `NAME.NAMESPACE.svc…` are followed, up to nine Services. A loop by way of a DNS server outside
the cluster, or by a rewrite in CoreDNS. Under `-n` at most three other namespaces are read. A Service that leads into
a loop it is not part of is not named; the loop is.

## What to do
Set `externalName` to the host that is meant, outside the circle: `kubectl edit service NAME`.",
    run,
};

/// The Service in the cluster that an external name stands for.
fn next<'a>(view: &View<'a>, service: &Service) -> Option<&'a Service> {
    let mut labels = service.spec.external_name.trim_end_matches('.').split('.');
    let (name, namespace, word) = (labels.next()?, labels.next()?, labels.next()?);
    view.get::<Service>(namespace, name).filter(|found| word == "svc" && found.spec.kind == "ExternalName")
}

fn run(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for service in view.all::<Service>().iter().filter(|service| service.spec.kind == "ExternalName") {
        let object = service.object_ref();
        let mut circle = vec![service];
        while let Some(found) = circle.last().and_then(|last| next(view, last)) {
            if std::ptr::eq(found, service)
                || circle.len() > 8
                || circle.iter().any(|known| std::ptr::eq(*known, found))
            {
                break;
            }
            circle.push(found);
        }
        let back = circle.last().and_then(|last| next(view, last)).is_some_and(|found| std::ptr::eq(found, service));
        // The circle is told once, at the first of its Services.
        if !back || circle.iter().any(|other| other.object_ref() < object) {
            continue;
        }
        let way: Vec<String> =
            circle.iter().map(|service| format!("{}/{}", service.metadata.namespace, service.metadata.name)).collect();
        let summary = match circle.len() {
            1 => format!(
                "ExternalName Service {} points at itself ({}), so it never resolves",
                object.name, service.spec.external_name
            ),
            _ => format!(
                "ExternalName Services form a loop, so they never resolve: {} -> {}",
                way.join(" -> "),
                way.first().map_or("", String::as_str)
            ),
        };
        let mut finding = Finding::new(object.clone(), Severity::Critical, Stage::Serve, summary)
            .since(*service.metadata.creation_timestamp);
        for other in &circle {
            finding = finding.field(&other.object_ref(), "spec.externalName", &other.spec.external_name);
        }
        findings.push(finding.fix("name the host that is meant", &object, &["edit", "service", &object.name]));
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const PAIR: &str = "
kind: Service
metadata: {name: a, namespace: shop}
spec: {type: ExternalName, externalName: b.data.svc.cluster.local}
---
kind: Service
metadata: {name: b, namespace: data}
spec: {type: ExternalName, externalName: NAME}
";

    #[test]
    fn a_circle() {
        check(
            &super::DETECTOR,
            &PAIR.replace("NAME", "a.shop.svc.cluster.local"),
            "critical Service data/b: ExternalName Services form a loop, so they never resolve: data/b -> shop/a -> data/b",
        );
        check(
            &super::DETECTOR,
            &PAIR.replace("NAME", "b.data.svc.cluster.local"),
            "critical Service data/b: ExternalName Service b points at itself (b.data.svc.cluster.local), so it never resolves",
        );
    }

    #[test]
    fn ends_outside() {
        check(&super::DETECTOR, &PAIR.replace("NAME", "db.example.com"), "");
    }
}
