//! Ingresses that claim the same host and path for different Services.

use std::collections::BTreeMap;

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "ingress-path-conflict",
    summary: "Two Ingresses claim the same host and path",
    group: Group::Network,
    reads: &[Kind::Ingress],
    wants: None,
    doc: r"## What it detects
Two Ingresses of one class whose rules have the same host and path, but lead to different Services.

## Why it matters
Only one of them gets the requests (most controllers take the older); the other's users reach the wrong
application.

## Evidence
Host, path and Service of both Ingresses.

## Look-alikes
Canary Ingresses (annotation `…/canary: 'true'`) share host and path on purpose and are silent, as are Ingresses
of different classes, and two of one namespace that lead to the same Service. During a move from one namespace
to another the two may stand side by side for a while.

## What it does not see
Overlaps that are not equal: a wildcard host beside a plain one, a prefix within a prefix, regular expressions.
Rules without a host are left out. Path types, ports and controllers' own merging by annotation are not
compared. With `-n` the Ingresses of other namespaces are not read. Which one the controller prefers is not
known.

## What to do
`kubectl get ingress -A` shows all hosts. Give one of them another host or path, or delete the one that is left
over.",
    run,
};

/// Class, host and path.
type Place<'a> = (&'a str, &'a str, &'a str);

fn run(view: &View<'_>) -> Vec<Finding> {
    let mut claims: BTreeMap<Place<'_>, Vec<(&Ingress, &str)>> = BTreeMap::new();
    let canary = |ingress: &&Ingress| {
        ingress.metadata.annotations.iter().any(|(key, value)| key.ends_with("/canary") && value == "true")
    };
    for ingress in view.all::<Ingress>().iter().filter(|ingress| !ingress.metadata.deleting() && !canary(ingress)) {
        let old = ingress.metadata.annotations.get("kubernetes.io/ingress.class").map_or("", String::as_str);
        let class = if ingress.spec.ingress_class_name.is_empty() { old } else { &ingress.spec.ingress_class_name };
        for rule in ingress.spec.rules.iter().filter(|rule| !rule.host.is_empty()) {
            for path in rule.http.iter().flat_map(|http| &http.paths) {
                let service = path.backend.service.as_ref().map_or("", |service| service.name.as_str());
                claims.entry((class, &rule.host, &path.path)).or_default().push((ingress, service));
            }
        }
    }
    claims.into_iter().filter_map(|(place, claims)| finding(place, &claims)).collect()
}

fn finding((_, host, path): Place<'_>, claims: &[(&Ingress, &str)]) -> Option<Finding> {
    let oldest =
        claims.iter().min_by_key(|(ingress, _)| (*ingress.metadata.creation_timestamp, ingress.object_ref()))?;
    let differs = |(ingress, service): &&(&Ingress, &str)| {
        ingress.object_ref() != oldest.0.object_ref()
            && (ingress.metadata.namespace != oldest.0.metadata.namespace || *service != oldest.1)
    };
    let (ingress, service) = claims.iter().find(differs)?;
    let (object, first) = (ingress.object_ref(), oldest.0.object_ref());
    let summary = format!(
        "Ingress {} sends {host}{path} to Service {service}, but the older {first} sends it to Service {}; only one of them can have it",
        object.name, oldest.1
    );
    Some(
        Finding::new(object.clone(), Severity::Warning, Stage::Route, summary)
            .key(format!("{host}{path}"))
            .culprit(first.clone())
            .field(&object, "spec.rules[].http.paths[]", format!("{host}{path} -> {service}"))
            .field(&first, "spec.rules[].http.paths[]", format!("{host}{path} -> {}", oldest.1))
            .since(*ingress.metadata.creation_timestamp)
            .unknown("which of them the controller prefers: usually the older")
            .look("see all hosts", &object, &["get", "ingress", "-A"]),
    )
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const PAIR: &str = "
kind: Ingress
metadata: {name: old, namespace: a, creationTimestamp: '2025-01-01T00:00:00Z'}
spec: {ingressClassName: nginx, rules: [{host: shop.example, http: {paths: [{path: /, backend: {service: {name: web}}}]}}]}
---
kind: Ingress
metadata: {name: new, namespace: a, creationTimestamp: '2025-06-01T00:00:00Z', annotations: {A: 'true'}}
spec: {ingressClassName: CLASS, rules: [{host: shop.example, http: {paths: [{path: PATH, backend: {service: {name: SERVICE}}}]}}]}
";

    fn pair(class: &str, path: &str, service: &str) -> String {
        PAIR.replace("CLASS", class).replace("PATH", path).replace("SERVICE", service)
    }

    #[test]
    fn the_same_place() {
        check(
            &super::DETECTOR,
            &pair("nginx", "/", "web2"),
            "warning Ingress a/new: Ingress new sends shop.example/ to Service web2, but the older Ingress a/old sends it to Service web; only one of them can have it <- Ingress a/old",
        );
    }

    #[test]
    fn apart() {
        check(&super::DETECTOR, &pair("nginx", "/x", "web2"), "");
        check(&super::DETECTOR, &pair("inner", "/", "web2"), "");
        check(&super::DETECTOR, &pair("nginx", "/", "web"), "");
        check(
            &super::DETECTOR,
            &pair("nginx", "/", "web2").replace("A: 'true'", "nginx.ingress.kubernetes.io/canary: 'true'"),
            "",
        );
    }
}
