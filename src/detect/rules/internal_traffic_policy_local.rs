//! Services with internalTrafficPolicy Local that have no pod on the nodes of their clients.

use crate::detect::calls::{calls, clients, complaint};
use crate::detect::endpoints::behind;
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "internal-traffic-policy-local",
    summary: "Service keeps traffic on the node, and has no pod on its clients' nodes",
    group: Group::Network,
    reads: &[Kind::Service, Kind::Pod],
    wants: Some(wants),
    doc: r"## What it detects
A Service with `internalTrafficPolicy: Local` that has ready pods, but none on a node where a workload
runs that names the Service in its environment or arguments.

## Why it matters
On such a node connections to the Service are dropped, though the Service has endpoints elsewhere.

## Evidence
`spec.internalTrafficPolicy`, the nodes of the Service's pods, and the client's node and call.

## Look-alikes
A Service without any ready pod is `service-no-endpoints`: here some are ready, but elsewhere. A policy of the
network that drops the traffic is `network-policy-isolates`. Headless Services are silent, as are Services whose
pods run on each client's node (a DaemonSet's).

## What it does not see
Clients that don't name the Service in their environment, command or arguments, and traffic from the nodes
themselves. `externalTrafficPolicy: Local` is not judged: load balancers check health by node. Whether the
network plugin honours the policy is not known; without a complaint in the log it is a warning.

## What to do
Set the policy to `Cluster`, or run a pod of the Service on every node (a DaemonSet).",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    cut_off(view, |client, call, service, nodes, lonely| {
        let object = service.object_ref();
        let told = complaint(view, client, call);
        let all = lonely.len() == client.pods.len();
        let summary = format!(
            "Service {} has internalTrafficPolicy Local and no ready pod on {}, where {} calls it; its pods are on {}",
            object.name,
            list(&names(lonely)),
            client.title(),
            list(nodes)
        );
        let mut finding = Finding::new(
            object.clone(),
            if told.is_some() || all && client.down() { Severity::Critical } else { Severity::Warning },
            Stage::Serve,
            summary,
        )
        .key(&*client.object.name)
        .field(&object, "spec.internalTrafficPolicy", "Local")
        .field(&call.at, &call.path, &call.quote)
        .look("see on which nodes the pods are", &object, &["get", "pods", "-o", "wide"])
        .fix(
            "let traffic leave the node",
            &object,
            &[
                "patch",
                "service",
                &object.name,
                "--type=merge",
                "-p",
                r#"{"spec":{"internalTrafficPolicy":"Cluster"}}"#,
            ],
        );
        if let Some(pod) = lonely.first() {
            finding = finding.field(&pod.object_ref(), "spec.nodeName", &pod.spec.node_name).since(pod_since(pod));
        }
        if let Some((log, line)) = told {
            finding = finding.log(log, line);
        }
        Some(finding)
    })
}

fn wants(view: &View<'_>) -> Vec<Want> {
    cut_off(view, |client, call, _, _, _| client.log_wants(call.container))
}

fn names(pods: &[&Pod]) -> Vec<String> {
    let names: std::collections::BTreeSet<&str> = pods.iter().map(|pod| pod.spec.node_name.as_str()).collect();
    names.into_iter().map(str::to_owned).collect()
}

/// Calls `tell` with each client, its call, the Service, the Service's nodes, and the client's pods elsewhere.
fn cut_off<'a, T>(
    view: &View<'a>,
    tell: impl Fn(
        &crate::detect::calls::Client<'a>,
        &crate::detect::calls::Call<'a>,
        &'a Service,
        &[String],
        &[&'a Pod],
    ) -> Option<T>,
) -> Vec<T> {
    let mut found = Vec::new();
    let local = |service: &Service| {
        service.spec.internal_traffic_policy == "Local" && service.selects() && service.spec.cluster_ip != "None"
    };
    if !view.all::<Service>().iter().any(local) {
        return found;
    }
    for client in clients(view) {
        for call in calls(view, &client) {
            let Some(service) =
                view.get::<Service>(call.service.ns(), &call.service.name).filter(|service| local(service))
            else {
                continue;
            };
            let ready: Vec<&Pod> = behind(view, service).pods.into_iter().filter(|pod| pod.ready()).collect();
            let nodes = names(&ready);
            let lonely: Vec<&Pod> = client
                .pods
                .iter()
                .copied()
                .filter(|pod| !pod.spec.node_name.is_empty() && !nodes.contains(&pod.spec.node_name))
                .collect();
            if !nodes.is_empty() && !lonely.is_empty() {
                found.extend(tell(&client, &call, service, &nodes, &lonely));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const SHOP: &str = "
kind: Service
metadata: {name: cache, namespace: shop}
spec: {selector: {app: cache}, ports: [{port: 6379}], clusterIP: 10.96.0.7, internalTrafficPolicy: POLICY}
---
kind: Pod
metadata: {name: cache, namespace: shop, labels: {app: cache}}
spec: {nodeName: n1, containers: [{name: app}]}
status: {phase: Running, conditions: [{type: Ready, status: 'True'}]}
---
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {nodeName: NODE, containers: [{name: app, env: [{name: REDIS_URL, value: 'redis://cache'}]}]}
status: {phase: Running, conditions: [{type: Ready, status: 'True'}]}
";

    #[test]
    fn on_another_node() {
        check(
            &super::DETECTOR,
            &SHOP.replace("POLICY", "Local").replace("NODE", "n2"),
            "warning Service shop/cache: Service cache has internalTrafficPolicy Local and no ready pod on n2, where Pod web calls it; its pods are on n1",
        );
    }

    #[test]
    fn on_the_same_or_anywhere() {
        check(&super::DETECTOR, &SHOP.replace("POLICY", "Local").replace("NODE", "n1"), "");
        check(&super::DETECTOR, &SHOP.replace("POLICY", "Cluster").replace("NODE", "n2"), "");
    }
}
