//! ExternalName Services whose name can't resolve.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "external-name-unknown",
    summary: "ExternalName Service points at a name that does not exist in the cluster",
    group: Group::Network,
    reads: &[Kind::Service, Kind::Namespace],
    wants: None,
    doc: r"## What it detects
A Service of type ExternalName that points at a Service of the cluster which does not exist, at a name
of the cluster that is not written in full (`db.data.svc`, or a bare name that is a Service), or at an IP address.

## Why it matters
The name is taken as a complete one, without search domains, so only `name.namespace.svc.cluster.local`
resolves; an IP address is taken as a name too. Callers get `no such host`.

## Evidence
`spec.externalName`, and the Services that there are.

## Look-alikes
Services that point at each other are `external-name-loop`. A workload that names a missing Service itself is
`call-to-unknown-service`. A host outside that is called like a Service and its namespace (`db.data`, with a top-level
domain `data`) would be mistaken; such domains are rare.

## What it does not see
Names outside the cluster: whether they exist, and whether their servers answer. Clusters with another domain than
`cluster.local`: their full names are taken for names outside. Under `-n`, names in other namespaces are not judged. A
server outside that expects its own host name (TLS, HTTP) and refuses the Service's.

## What to do
Write the full name of an existing Service: `NAME.NAMESPACE.svc.cluster.local`. For an address use a Service without a
selector and an EndpointSlice.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.all::<Service>()
        .iter()
        .filter(|service| service.spec.kind == "ExternalName" && !service.metadata.deleting())
        .filter_map(|service| finding(view, service))
        .collect()
}

fn finding(view: &View<'_>, service: &Service) -> Option<Finding> {
    let object = service.object_ref();
    let name = service.spec.external_name.trim_end_matches('.');
    let labels: Vec<&str> = name.split('.').collect();
    let full = |name: &str, namespace: &str| format!("{name}.{namespace}.svc.cluster.local");
    let (why, right) = match labels.as_slice() {
        _ if name.parse::<std::net::IpAddr>().is_ok() => {
            ("is an IP address, which DNS takes as a name".to_owned(), None)
        }
        [target, namespace, "svc", rest @ ..] if rest.is_empty() || rest == ["cluster", "local"] => {
            let missing = ObjectRef::new(Kind::Service, namespace, target);
            if view.absent(&missing) {
                let gone = view.absent(&ObjectRef::new(Kind::Namespace, "", namespace));
                let near = meant(
                    target,
                    view.within::<Service>(namespace).iter().map(|service| service.metadata.name.as_str()),
                );
                let what = if gone {
                    format!("namespace {namespace} does not exist")
                } else {
                    format!("Service {target} does not exist in namespace {namespace}")
                };
                let hint = near.map(|near| format!("; did you mean Service {near}?")).unwrap_or_default();
                return Some(
                    report(
                        service,
                        format!("ExternalName Service {} points at {name}, but {what}{hint}", object.name),
                        near.map(|near| full(near, namespace)),
                    )
                    .culprit(missing),
                );
            }
            if !rest.is_empty() || view.get::<Service>(namespace, target).is_none() {
                return None;
            }
            ("is taken as a complete name and lacks the cluster's domain".to_owned(), Some(full(target, namespace)))
        }
        [target] if view.get::<Service>(object.ns(), target).is_some() => {
            ("is taken as a complete name, without search domains".to_owned(), Some(full(target, object.ns())))
        }
        [target, namespace] if view.get::<Service>(namespace, target).is_some() => {
            ("is taken as a complete name, without search domains".to_owned(), Some(full(target, namespace)))
        }
        _ => return None,
    };
    let hint = right.as_ref().map(|right| format!("; {right} is the Service's full name")).unwrap_or_default();
    Some(report(service, format!("ExternalName Service {} does not resolve: {name} {why}{hint}", object.name), right))
}

fn report(service: &Service, summary: String, right: Option<String>) -> Finding {
    let object = service.object_ref();
    let finding = Finding::new(object.clone(), Severity::Critical, Stage::Serve, summary)
        .field(&object, "spec.externalName", &service.spec.external_name)
        .since(*service.metadata.creation_timestamp)
        .look("see the Service", &object, &["get", "service", &object.name, "-o", "yaml"]);
    match right {
        Some(right) => {
            let patch = format!(r#"{{"spec":{{"externalName":"{right}"}}}}"#);
            finding.fix(
                "point at the Service's full name",
                &object,
                &["patch", "service", &object.name, "--type=merge", "-p", &patch],
            )
        }
        None => finding,
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const DB: &str = "
kind: Namespace
metadata: {name: data}
---
kind: Service
metadata: {name: db, namespace: shop}
spec: {type: ExternalName, externalName: NAME}
---
kind: Service
metadata: {name: postgres, namespace: data}
spec: {type: ClusterIP}
";

    #[track_caller]
    fn db(name: &str, expected: &str) {
        check(&super::DETECTOR, &DB.replace("NAME", name), expected);
    }

    #[test]
    fn missing() {
        db(
            "postgre.data.svc.cluster.local",
            "critical Service shop/db: ExternalName Service db points at postgre.data.svc.cluster.local, but Service postgre does not exist in namespace data; did you mean Service postgres? <- Service data/postgre",
        );
        db(
            "postgres.date.svc.cluster.local",
            "critical Service shop/db: ExternalName Service db points at postgres.date.svc.cluster.local, but namespace date does not exist <- Service date/postgres",
        );
    }

    #[test]
    fn not_in_full() {
        db(
            "postgres.data",
            "critical Service shop/db: ExternalName Service db does not resolve: postgres.data is taken as a complete name, without search domains; postgres.data.svc.cluster.local is the Service's full name",
        );
        db(
            "'10.0.0.7'",
            "critical Service shop/db: ExternalName Service db does not resolve: 10.0.0.7 is an IP address, which DNS takes as a name",
        );
    }

    #[test]
    fn fine() {
        db("postgres.data.svc.cluster.local", "");
        db("db.example.com", "");
        db("billing.example", "");
    }
}
