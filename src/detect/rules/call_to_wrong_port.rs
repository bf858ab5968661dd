//! Workloads that are told to call a Service on a port it does not have.

use crate::detect::calls::{Fault, calls, clients, complaint, judge, right_port};
use crate::detect::endpoints::{port_text, ports_text, stands_for};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "call-to-wrong-port",
    summary: "Workload calls a Service on a port that it does not have",
    group: Group::Network,
    reads: &[Kind::Service, Kind::Pod],
    wants: None,
    doc: r"## What it detects
An environment variable, command or argument that names a Service with a port which is not among the
Service's `spec.ports`; most often the pods' port (`targetPort`) in the place of the Service's.

## Why it matters
Nothing listens there: connections time out or are refused, though Service and pods are well.

## Evidence
The field with host and port, the Service's ports, and the last log line that complains of the callee.

## Look-alikes
A Service whose own port leads nowhere is `target-port-wrong`; one without ready pods is `service-no-endpoints`.
An ExternalName Service has the ports of the Service in the cluster that it stands for. Headless Services and names
outside the cluster are silent, since their clients reach the ports directly; so are calls of a pod to
its own Service, and addresses of origins, issuers and the like that nobody connects to.

## What it does not see
Whether the value is used at all: without a complaint in the log, or a container that is down, it is a warning. TCP
and UDP are not told apart. A value without a port counts only where its scheme implies one, or where a variable
beside it holds it. Values of Secrets are never read. Under `-n` at most three other namespaces are read.

## What to do
`kubectl get service NAME` shows the ports. Call the Service's port, not the pods' (`targetPort`), or add the port to
the Service.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for client in clients(view) {
        for call in calls(view, &client) {
            let (Some(Fault::WrongPort), Some(port)) = (judge(view, &client, &call), call.port) else { continue };
            let Some(named) = view.get::<Service>(call.service.ns(), &call.service.name) else { continue };
            let service = stands_for(view, named);
            let (reached, other) = (service.object_ref(), !std::ptr::eq(service, named));
            let title = if other {
                let meta = &service.metadata;
                format!("Service {} stands for Service {}/{}, which", named.metadata.name, meta.namespace, meta.name)
            } else {
                format!("Service {}", service.metadata.name)
            };
            let told = complaint(view, &client, &call);
            let right = right_port(service, port);
            let by_scheme = if call.implied { format!(" (port {port} by its scheme)") } else { String::new() };
            let summary =
                format!("{}{by_scheme}, but {title} only has {}", call.sentence(&client), ports_text(service));
            let down = client.ails(call.container) && client.down();
            let severity = if down || told.is_some() { Severity::Critical } else { Severity::Warning };
            let object = client.object.clone();
            let mut finding =
                Finding::new(object.clone(), severity, client.blocks(call.container, told.is_some()), summary)
                    .key(format!("{}/{}:{port}", call.container.name, call.host))
                    .culprit(reached.clone())
                    .proven()
                    .field(&call.at, &call.path, &call.quote)
                    .field(&reached, "spec.ports", ports_text(service))
                    .since(client.since());
            if other {
                finding = finding.field(&call.service, "spec.externalName", &named.spec.external_name);
            }
            match told {
                Some((log, line)) => finding = finding.log(log, line),
                None => finding = finding.unknown("whether it is called at all: its log doesn't say"),
            }
            if let (Some(right), Some(_)) = (right, view.workload(&object)) {
                let value = match call.port_variable {
                    Some(name) => Some(format!("{name}={}", right.port)),
                    None if call.implied => call.replaced(&call.host, &format!("{}:{}", call.host, right.port)),
                    None => call.replaced(&format!("{}:{port}", call.host), &format!("{}:{}", call.host, right.port)),
                };
                if let Some(value) = value {
                    let target = format!("{}/{}", object.kind.argument(), object.name);
                    finding = finding.fix(
                        &format!("call {}", port_text(right)),
                        &object,
                        &["set", "env", &target, "-c", &call.container.name, &value],
                    );
                }
            }
            findings.push(finding.look("see the Service's ports", &reached, &["get", "service", &reached.name]));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const SHOP: &str = "
kind: Service
metadata: {name: rates, namespace: shop}
spec: {selector: {app: rates}, ports: [{port: 80, targetPort: 8080}], clusterIP: CLUSTER}
---
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, env: [{name: RATES_URL, value: 'VALUE'}, {name: RATES_HOST, value: HOST}, {name: RATES_PORT, value: 'PORT'}]}]}}}
---
kind: ReplicaSet
metadata: {name: web-1, namespace: shop, ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web, controller: true}]}
---
kind: Pod
metadata: {name: web-1-a, namespace: shop, labels: {app: web}, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-1, controller: true}]}
spec: {containers: [{name: app}]}
status: {phase: Running, conditions: [{type: Ready, status: 'True'}], containerStatuses: [{name: app, ready: true, state: {running: {}}}]}
";
    const LOG: &str = "\n---\nkind: Log\nnamespace: shop\npod: web-1-a\ncontainer: app\nlines: ['ERROR upstream failure calling rates:8080: i/o timeout', 'retry in 3 s']\n";

    fn shop(url: &str) -> String {
        SHOP.replace("VALUE", url).replace("CLUSTER", "10.96.0.7").replace("HOST}", "localhost}")
    }

    #[test]
    fn the_pods_port() {
        let line = "Deployment shop/web: container app of Deployment web has RATES_URL=http://rates:8080/x, but Service rates only has port 80 (targetPort 8080) <- Service shop/rates";
        check(&super::DETECTOR, &shop("http://rates:8080/x"), &format!("warning {line}"));
        check(&super::DETECTOR, &(shop("http://rates:8080/x") + LOG), &format!("critical {line}"));
    }

    #[test]
    fn a_pair_and_a_scheme() {
        let pair = SHOP
            .replace("VALUE", "")
            .replace("CLUSTER", "10.96.0.7")
            .replace("HOST}", "rates.shop}")
            .replace("'PORT'", "'8080'");
        check(
            &super::DETECTOR,
            &(pair + "\n---\nkind: Namespace\nmetadata: {name: shop}"),
            "warning Deployment shop/web: container app of Deployment web has RATES_HOST=rates.shop and RATES_PORT=8080, but Service rates only has port 80 (targetPort 8080) <- Service shop/rates",
        );
        check(
            &super::DETECTOR,
            &shop("https://rates"),
            "warning Deployment shop/web: container app of Deployment web has RATES_URL=https://rates (port 443 by its scheme), but Service rates only has port 80 (targetPort 8080) <- Service shop/rates",
        );
    }

    #[test]
    fn a_name_for_a_service_of_another_namespace() {
        let named = |port: &str, name: &str| {
            let alias = format!(
                "---\nkind: Service\nmetadata: {{name: fx, namespace: shop}}\nspec: {{type: ExternalName, externalName: {name}}}\n"
            );
            shop(&format!("http://fx:{port}"))
                .replace("{name: rates, namespace: shop}", "{name: rates, namespace: data}")
                + &alias
        };
        check(
            &super::DETECTOR,
            &named("8080", "rates.data.svc.cluster.local"),
            "warning Deployment shop/web: container app of Deployment web has RATES_URL=http://fx:8080, but Service fx stands for Service data/rates, which only has port 80 (targetPort 8080) <- Service data/rates",
        );
        check(&super::DETECTOR, &named("80", "rates.data.svc.cluster.local"), "");
        check(&super::DETECTOR, &named("8080", "rates.example.com"), "");
        check(&super::DETECTOR, &named("8080", "fx.shop.svc.cluster.local"), "");
    }

    #[test]
    fn right_or_direct() {
        check(&super::DETECTOR, &shop("http://rates:80/x"), "");
        check(&super::DETECTOR, &shop("http://rates"), "");
        check(&super::DETECTOR, &shop("http://rates:$(UNSET)"), "");
        check(&super::DETECTOR, &shop("http://rates:8080").replace("10.96.0.7", "None"), "");
        check(
            &super::DETECTOR,
            &shop("http://rates:8080").replace("selector: {app: rates}", "selector: {app: web}"),
            "",
        );
    }
}
