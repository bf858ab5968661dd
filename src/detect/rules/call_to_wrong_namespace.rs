//! Workloads that call a Service by its bare name, which is in another namespace.

use crate::detect::calls::{Fault, calls, clients, complaint, judge};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "call-to-wrong-namespace",
    summary: "Workload calls a Service by a bare name, but it is in another namespace",
    group: Group::Network,
    reads: &[Kind::Service, Kind::Pod],
    wants: None,
    doc: r"## What it detects
A variable, command or argument that names a Service without its namespace, while the pod's own
namespace has none of that name and another has; and the container fails, or its log complains.

## Why it matters
A bare name is looked for in the pod's own namespace only. It does not resolve.

## Evidence
The field with the name, the Service in the other namespace, and the log line that complains.

## Look-alikes
A name that no namespace has is `call-to-unknown-service`. A Service that exists at home and does not resolve is
`dns-policy-wrong` or `dns-down`. A container that is well and whose log says nothing of the name is not reported: the
name may be of something outside the cluster.

## What it does not see
Where several namespaces have a Service of that name, which one is meant can't be known: all are named, and no command
is offered. Under `-n` other namespaces are looked through for the name only where a container fails, at most three of
them, and where Services of all namespaces may be listed. Values of Secrets and of files in the image are not read.

## What to do
Write the namespace too: `db.data`, or `db.data.svc.cluster.local`. `kubectl get services -A` shows where it is. Or
create a Service of type ExternalName with the full name in the pod's own namespace.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for client in clients(view) {
        for call in calls(view, &client) {
            let Some(Fault::Elsewhere { namespaces }) = judge(view, &client, &call) else { continue };
            let (Some(first), told) = (namespaces.first(), complaint(view, &client, &call)) else { continue };
            let name = &call.service.name;
            let summary = format!(
                "{}, but namespace {} has no Service {name}; it is in namespace {}, where the name is {name}.{first}",
                call.sentence(&client),
                client.namespace,
                list(&namespaces)
            );
            let there = ObjectRef::new(Kind::Service, first, name);
            let severity = if client.down() || told.is_some() { Severity::Critical } else { Severity::Warning };
            let object = client.object.clone();
            let mut finding =
                Finding::new(object.clone(), severity, client.blocks(call.container, told.is_some()), summary)
                    .key(format!("{}/{}", call.container.name, call.host))
                    .culprit(call.service.clone())
                    .field(&call.at, &call.path, &call.quote)
                    .field(&there, "metadata.namespace", first)
                    .since(client.since())
                    .look("see where Services of that name are", &there, &["get", "service", name, "-o", "wide"]);
            if let Some((log, line)) = told {
                finding = finding.log(log, line);
            }
            if let (Some(value), Some(_), 1) =
                (call.replaced(&call.host, &format!("{name}.{first}")), view.workload(&object), namespaces.len())
            {
                let target = format!("{}/{}", object.kind.argument(), object.name);
                finding = finding.fix(
                    "call it with its namespace",
                    &object,
                    &["set", "env", &target, "-c", &call.container.name, &value],
                );
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
kind: Service
metadata: {name: orders, namespace: data}
spec: {selector: {app: orders}, ports: [{port: 5432}], clusterIP: 10.96.0.7}
---
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: app, env: [{name: DATABASE_URL, value: 'postgres://u:<redacted:1a2b~8>@orders:5432/app'}]}]}
status: {phase: Running, conditions: [{type: Ready, status: 'READY'}], containerStatuses: [{name: app, ready: READY, state: {running: {}}}]}
";

    #[test]
    fn in_another_namespace() {
        let expected = "critical Pod shop/web: container app of Pod web has DATABASE_URL=postgres://u:<redacted:1a2b~8>@orders:5432/app, but namespace shop has no Service orders; it is in namespace data, where the name is orders.data <- Service shop/orders";
        check(&super::DETECTOR, &SHOP.replace("'READY'", "'False'").replace("READY", "false"), expected);
    }

    #[test]
    fn well_or_at_home() {
        check(&super::DETECTOR, &SHOP.replace("'READY'", "'True'").replace("READY", "true"), "");
        check(
            &super::DETECTOR,
            &SHOP.replace("'READY'", "'False'").replace("READY", "false").replace("namespace: data", "namespace: shop"),
            "",
        );
    }
}
