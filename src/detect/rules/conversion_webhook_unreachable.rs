//! Custom kinds whose objects can't be converted between versions.

use crate::detect::prelude::*;
use crate::detect::webhooks::unanswered;

pub(super) const DETECTOR: Detector = Detector {
    id: "conversion-webhook-unreachable",
    summary: "A custom kind's conversion webhook has no Service or endpoints",
    group: Group::Custom,
    reads: &[Kind::CustomResourceDefinition, Kind::Service, Kind::EndpointSlice],
    wants: None,
    doc: r"## What it detects
A CustomResourceDefinition with `conversion.strategy: Webhook` and more than one version, whose webhook's Service does
not exist, has no ready endpoint, or has not the port at which it is asked.

## Why it matters
Each read or write of an object in another version than the stored one fails: controllers of that kind stop, and so
does the deletion of namespaces that hold such objects, and garbage collection beside them.

## Evidence
`spec.conversion.webhook.clientConfig.service`, the versions, and the Service's endpoints.

## Look-alikes
- An admission webhook refuses changes of objects: `webhook-unreachable`.
- The definition itself is not served: `crd-not-established`. A namespace that does not go: `namespace-terminating`.
- The operator's pods are there and not ready: the cause is theirs, see `service-no-endpoints`.
- One version only, or none but the stored one served: nothing is ever converted, and it is silent.

## What it does not see
Webhooks with a URL, and whether the connection, the certificate or the answer is good. It is a warning where no object
of the kind was read: an empty list needs no conversion. Under -n the endpoints in other namespaces are not judged.

## What to do
Bring the operator back (`kubectl get endpointslices -n NAMESPACE -l kubernetes.io/service-name=NAME`, then its pods). If
it was uninstalled for good, delete the definition with all its objects, or set `spec.conversion.strategy: None` where
the versions differ in name only.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let definitions = view.all::<CustomResourceDefinition>().iter();
    definitions.filter(|it| !it.metadata.deleting()).filter_map(|definition| finding(view, definition)).collect()
}

fn finding(view: &View<'_>, definition: &CustomResourceDefinition) -> Option<Finding> {
    let spec = &definition.spec;
    let versions = |stored: bool| {
        let served = spec.versions.iter().filter(move |version| version.served && version.storage == stored);
        served.map(|version| version.name.clone()).collect::<Vec<_>>()
    };
    let others = versions(false);
    if spec.conversion.strategy != "Webhook" || others.is_empty() {
        return None;
    }
    let asked = spec.conversion.webhook.client_config.service.as_ref()?;
    let why = unanswered(view, asked)?;
    let object = definition.object_ref();
    let service = ObjectRef::new(Kind::Service, &asked.namespace, &asked.name);
    let ours = format!("{}.{}", spec.names.kind, spec.group);
    let used = view.snapshot.objects.custom.iter().any(|custom| custom.kind.as_str() == ours);
    let severity = if used { Severity::Critical } else { Severity::Warning };
    let summary = format!(
        "objects of {} can't be read or written as version {}: the conversion webhook can't be called, {why}",
        spec.names.kind,
        list(&others)
    );
    let finding = Finding::new(object.clone(), severity, Stage::Serve, summary)
        .culprit(service.clone())
        .field(
            &object,
            "spec.conversion.webhook.clientConfig.service",
            format!("namespace: {}, name: {}", service.ns(), service.name),
        )
        .field(&object, "spec.conversion.strategy", "Webhook")
        .look(
            "see whether it has endpoints",
            &service,
            &["get", "endpointslices", "-l", &format!("kubernetes.io/service-name={}", service.name)],
        );
    Some(finding)
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: backups.acme.io}
spec:
  group: acme.io
  names: {kind: Backup, plural: backups}
  conversion: {strategy: STRATEGY, webhook: {clientConfig: {service: {namespace: ops, name: operator}}}}
  versions: [{name: v1, served: true, storage: true}, {name: v1beta1, served: SERVED, storage: false}]
";

    #[test]
    fn its_service_is_missing() {
        let yaml = YAML.replace("STRATEGY", "Webhook").replace("SERVED", "true");
        let says = "CustomResourceDefinition backups.acme.io: objects of Backup can't be read or written as version v1beta1: the conversion webhook can't be called, its Service ops/operator does not exist <- Service ops/operator";
        check(&super::DETECTOR, &yaml, &format!("warning {says}"));
    }

    #[test]
    fn nothing_is_converted() {
        check(&super::DETECTOR, &YAML.replace("STRATEGY", "None").replace("SERVED", "true"), "");
        check(&super::DETECTOR, &YAML.replace("STRATEGY", "Webhook").replace("SERVED", "false"), "");
    }

    #[test]
    fn it_is_answered() {
        let server = "
---
kind: Service
metadata: {name: operator, namespace: ops}
spec: {selector: {app: operator}, ports: [{port: 443}]}
---
kind: EndpointSlice
metadata: {name: operator-1, namespace: ops, labels: {kubernetes.io/service-name: operator}}
endpoints: [{addresses: [10.0.0.1]}]
";
        check(&super::DETECTOR, &(YAML.replace("STRATEGY", "Webhook").replace("SERVED", "true") + server), "");
    }
}
