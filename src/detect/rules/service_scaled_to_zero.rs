//! Services whose workload is scaled to zero, while a client that needs them fails.

use crate::detect::calls::{Call, Client, calls, clients, complaint};
use crate::detect::endpoints::behind;
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "service-scaled-to-zero",
    summary: "Service is needed, but its workload is scaled to zero",
    group: Group::Network,
    reads: &[Kind::Service, Kind::Pod, Kind::Deployment, Kind::StatefulSet],
    wants: Some(wants),
    doc: r"## What it detects
A Service all of whose workloads have `replicas: 0`, while a workload that names the Service in its environment,
ConfigMaps, command or arguments fails, or complains of it in its log.

## Why it matters
Connections to the Service are refused or time out: whoever scaled it down forgot a client.

## Evidence
`spec.replicas` of the workload, the client's field that names the Service, and the log line.

## Look-alikes
A Service whose pods exist and are not ready: `service-no-endpoints`. One whose selector takes nothing:
`service-selects-nothing`. A name that no Service has: `call-to-unknown-service`. A client that fails for
another server: `dependency-refused`.

Scaling to zero is a choice: without a client that suffers nothing is said. A client that fails for a reason of
its own is taken to suffer, so without a log line this is likely and not proven. Scalers such as KEDA or Knative
bring the workload up with the first request; a client that did not wait for it looks alike.

## What it does not see
Clients that have the name from a Secret, a file in the image or a discovery of their own: only the spec's and
some ConfigMaps' values are read. Clients outside the cluster, and with -n in other namespaces. One client of a
Service is named, not all. Who scaled it down, and why.

## What to do
Scale the workload up, `kubectl scale deployment NAME --replicas=1`, or take the dependency from the client. An
autoscaler does not bring it back: a HorizontalPodAutoscaler stands still while its target has 0 replicas. See
who changed it: `kubectl get deployment NAME -o yaml --show-managed-fields`.",
    run,
};

fn idle<'a>(view: &View<'a>) -> Vec<(Client<'a>, Call<'a>, Workload<'a>)> {
    let mut found = Vec::new();
    if !view.workloads().any(|workload| workload.desired == 0 && workload.object.kind != Kind::DaemonSet) {
        return found;
    }
    for client in clients(view) {
        for call in calls(view, &client) {
            let Some(service) =
                view.get::<Service>(call.service.ns(), &call.service.name).filter(|service| service.selects())
            else {
                continue;
            };
            let behind = behind(view, service);
            if behind.idle()
                && let Some(workload) = behind.workloads.first()
            {
                let client = client.clone();
                found.push((client, call, workload.clone()));
            }
        }
    }
    found
}

fn wants(view: &View<'_>) -> Vec<Want> {
    idle(view).iter().filter_map(|(client, call, _)| client.log_wants(call.container)).collect()
}

fn run(view: &View<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for (client, call, workload) in idle(view) {
        let told = complaint(view, &client, &call);
        if told.is_none() && !client.ails(call.container)
            || findings.iter().any(|finding| finding.object == call.service)
        {
            continue;
        }
        let (object, target) = (&call.service, format!("{}/{}", workload.object.kind.argument(), workload.object.name));
        let summary = format!(
            "Service {} has no pods because {} {} is scaled to 0, and {} needs it",
            object.name,
            workload.object.kind,
            workload.object.name,
            client.title()
        );
        let severity = if told.is_some() || client.down() { Severity::Critical } else { Severity::Warning };
        let mut finding = Finding::new(object.clone(), severity, Stage::Serve, summary)
            .culprit(workload.object.clone())
            .field(&workload.object, "spec.replicas", "0")
            .field(&call.at, &call.path, &call.quote)
            .since(client.since())
            .fix("bring it back", &workload.object, &["scale", &target, "--replicas=1"]);
        if let Some((log, line)) = told {
            finding = finding.log(log, line);
        }
        findings.push(finding);
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::{check, check_wants};

    const SHOP: &str = "
kind: Service
metadata: {name: redis, namespace: shop}
spec: {selector: {app: redis}, ports: [{port: 6379}], clusterIP: 10.96.0.7}
---
kind: Deployment
metadata: {name: redis, namespace: shop}
spec: {replicas: REPLICAS, template: {metadata: {labels: {app: redis}}}}
---
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: app, env: [{name: REDIS_URL, value: 'redis://redis'}]}]}
status: {phase: Running, conditions: [{type: Ready, status: 'True'}], containerStatuses: [{name: app, ready: true, state: {running: {}}}]}
";
    const LOG: &str = "---\nkind: Log\nnamespace: shop\npod: web\ncontainer: app\nlines: ['dial tcp 10.96.0.7:6379: connect: connection refused']\n";

    #[test]
    fn needed() {
        let yaml = SHOP.replace("REPLICAS", "0");
        check(
            &super::DETECTOR,
            &(yaml.clone() + LOG),
            "critical Service shop/redis: Service redis has no pods because Deployment redis is scaled to 0, and Pod web needs it <- Deployment shop/redis",
        );
        check_wants(&super::DETECTOR, &yaml, "log shop/web app");
    }

    #[test]
    fn not_missed() {
        check(&super::DETECTOR, &SHOP.replace("REPLICAS", "0"), "");
        check(&super::DETECTOR, &(SHOP.replace("REPLICAS", "1") + LOG), "");
    }
}
