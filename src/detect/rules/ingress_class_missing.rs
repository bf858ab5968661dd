//! Ingresses that no controller takes: their class does not exist, or they have none and no class is the default.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "ingress-class-missing",
    summary: "Ingress has a class that does not exist, or none where no class is the default",
    group: Group::Network,
    reads: &[Kind::Ingress, Kind::IngressClass],
    wants: None,
    doc: r"## What it detects
An Ingress whose `ingressClassName` is not an IngressClass of the cluster; or one without a class and
without the old annotation, where classes exist but none is marked as the default.

## Why it matters
No ingress controller takes the Ingress: its hosts are answered with 404, or not at all.

## Evidence
`spec.ingressClassName`, and the classes that there are.

## Look-alikes
An Ingress that has an address was taken by a controller, whatever its class, and is silent. The annotation
`kubernetes.io/ingress.class` needs no IngressClass. A controller that takes Ingresses without any class exists
on some clouds: without a class it therefore speaks only where IngressClasses exist, and after a minute.

## What it does not see
Whether a controller runs for a class that exists: a class that is left over from an uninstalled controller
looks right. An Ingress that got its address from a former controller is silent. Without the right to list
IngressClasses nothing is said.

## What to do
`kubectl get ingressclasses` shows the classes and their controllers. Name one of them in
`spec.ingressClassName`, or mark one as default with the annotation
`ingressclass.kubernetes.io/is-default-class: 'true'`; the default is filled in only when an Ingress is created.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.all::<Ingress>()
        .iter()
        .filter(|ingress| !ingress.metadata.deleting() && ingress.status.load_balancer.ingress.is_empty())
        .filter_map(|ingress| finding(view, ingress))
        .collect()
}

fn finding(view: &View<'_>, ingress: &Ingress) -> Option<Finding> {
    let object = ingress.object_ref();
    let classes = view.all::<IngressClass>();
    let names: Vec<String> = classes.iter().map(|class| class.metadata.name.clone()).collect();
    let there = if names.is_empty() {
        "the cluster has no IngressClass".to_owned()
    } else {
        format!("there is {}", list(&names))
    };
    let wanted = ingress.spec.ingress_class_name.as_str();
    let class = ObjectRef::new(Kind::IngressClass, "", wanted);
    let finding = if wanted.is_empty() {
        let default = |class: &IngressClass| {
            class
                .metadata
                .annotations
                .get("ingressclass.kubernetes.io/is-default-class")
                .is_some_and(|value| value == "true")
        };
        let young = view.age(*ingress.metadata.creation_timestamp).is_some_and(|age| age < SETTLED);
        if young
            || names.is_empty()
            || classes.iter().any(default)
            || ingress.metadata.annotations.contains_key("kubernetes.io/ingress.class")
            || !view.snapshot.knows(Kind::IngressClass, "")
        {
            return None;
        }
        let summary = format!(
            "Ingress {} has no ingressClassName and no IngressClass is the default, so no controller takes it; {there}",
            object.name
        );
        Finding::new(object.clone(), Severity::Critical, Stage::Route, summary).field(
            &object,
            "spec.ingressClassName",
            "none",
        )
    } else {
        if !view.absent(&class) {
            return None;
        }
        let near = meant(wanted, names.iter().map(String::as_str))
            .or_else(|| names.first().map(String::as_str).filter(|_| names.len() == 1));
        let hint = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        let summary = format!(
            "Ingress {} has IngressClass {wanted}, which does not exist, so no controller takes it; {there}{hint}",
            object.name
        );
        let finding = Finding::new(object.clone(), Severity::Critical, Stage::Route, summary).culprit(class).field(
            &object,
            "spec.ingressClassName",
            wanted,
        );
        match near {
            Some(near) => {
                let patch = format!(r#"{{"spec":{{"ingressClassName":"{near}"}}}}"#);
                finding.fix(
                    "give it a class that exists",
                    &object,
                    &["patch", "ingress", &object.name, "--type=merge", "-p", &patch],
                )
            }
            None => finding,
        }
    };
    Some(finding.since(*ingress.metadata.creation_timestamp).look(
        "see the classes and who serves them",
        &ObjectRef::new(Kind::IngressClass, "", ""),
        &["get", "ingressclasses"],
    ))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const SHOP: &str = "
kind: Ingress
metadata: {name: shop, namespace: shop, creationTimestamp: '2026-01-01T11:00:00Z', annotations: {A: ''}}
spec: {ingressClassName: CLASS}
---
kind: IngressClass
metadata: {name: nginx, annotations: {ingressclass.kubernetes.io/is-default-class: 'DEFAULT'}}
";

    fn shop(class: &str, default: &str) -> String {
        SHOP.replace("CLASS", class).replace("DEFAULT", default)
    }

    #[test]
    fn no_such_class() {
        check(
            &super::DETECTOR,
            &shop("ngnix", "true"),
            "critical Ingress shop/shop: Ingress shop has IngressClass ngnix, which does not exist, so no controller takes it; there is nginx; did you mean nginx? <- IngressClass ngnix",
        );
    }

    #[test]
    fn none_and_no_default() {
        check(
            &super::DETECTOR,
            &shop("''", "false"),
            "critical Ingress shop/shop: Ingress shop has no ingressClassName and no IngressClass is the default, so no controller takes it; there is nginx",
        );
    }

    #[test]
    fn taken() {
        check(&super::DETECTOR, &shop("nginx", "false"), "");
        check(&super::DETECTOR, &shop("''", "true"), "");
        check(&super::DETECTOR, &shop("''", "false").replace("A: ''", "kubernetes.io/ingress.class: nginx"), "");
        check(&super::DETECTOR, &shop("''", "false").replace("T11:00:00Z", "T11:59:30Z"), "");
        check(&super::DETECTOR, &shop("gce}\nstatus: {loadBalancer: {ingress: [{ip: 1.2.3.4}]}", "true"), "");
    }
}
