//! Services that also take the pods of a workload that doesn't serve them.

use crate::detect::endpoints::{
    Target, behind, declared, declared_text, identity, port_text, protocol, resolve, speaks_of, target,
};
use crate::detect::prelude::*;
use crate::model::selector::labels;

pub(super) const DETECTOR: Detector = Detector {
    id: "service-selects-too-much",
    summary: "Service's selector also takes pods that are something else",
    group: Group::Network,
    reads: &[Kind::Service, Kind::Pod],
    wants: None,
    doc: r"## What it detects
A Service whose selector takes the ready pods of two workloads, of which one doesn't serve the
Service's port: it doesn't declare the port (by name or number) that the other declares, and nothing
in its spec speaks of it. Or one that by its own label (`app`, `app.kubernetes.io/name`) is what the
Service is called while the other is something else.

## Why it matters
A share of the connections goes to pods that refuse them or answer something else: errors that come
and go, while all pods are ready.

## Evidence
`spec.selector` of the Service, and the ports or labels of both workloads.

## Look-alikes
- Blue/green and canary: both workloads serve the port and carry the same application label (or one that
  begins with it). That is meant, and silent.
- No pod of the Service serves the port: `target-port-wrong`.
- Errors that come and go with one workload only: a replica that is overloaded or half dead. See
  `readiness-probe-fails`.
- A worker that listens on the port without saying so in its spec makes this page wrong. Ask one of its
  pods: `kubectl port-forward pod/NAME 8080:PORT`.

## What it does not see
Headless Services, pods that are not ready, and a selector that takes the pods of more than eight
workloads. Only the first ready pod of each workload is compared. What a program really listens on is not
asked: probes, arguments and variables of the spec are read, values from ConfigMaps and Secrets are not.

## What to do
Add to the selector a label that only the right pods carry, such as `component` or `tier`:
`kubectl set selector service NAME KEY=VALUE,...` (it replaces the whole selector). See who is taken with
`kubectl get pods -l SELECTOR --show-labels -o wide`. Mend the chart or manifest too.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let services = view
        .all::<Service>()
        .iter()
        .filter(|service| service.selects() && service.spec.cluster_ip != "None" && !service.metadata.deleting());
    services.filter_map(|service| finding(view, service)).collect()
}

/// A workload's first ready pod and how many there are.
struct Part<'a> {
    workload: ObjectRef,
    pod: &'a Pod,
    ready: usize,
}

fn finding(view: &View<'_>, service: &Service) -> Option<Finding> {
    let found = behind(view, service);
    let mut groups: Vec<Part<'_>> = Vec::new();
    for pod in found.pods.iter().filter(|pod| pod.ready()) {
        let workload = view.workload_of(pod);
        match groups.iter_mut().find(|group| group.workload == workload) {
            Some(group) => group.ready += 1,
            None => groups.push(Part { workload, pod, ready: 1 }),
        }
    }
    // Pods on their own are often replicas of each other; there must be two different things.
    if groups.len() < 2 || groups.len() > 8 {
        return None;
    }
    let (stranger, right, reason) =
        service.spec.ports.iter().find_map(|port| by_port(&groups, port)).or_else(|| by_identity(&groups, service))?;
    let object = service.object_ref();
    let title = |group: &Part<'_>| format!("{} {}", group.workload.kind, group.workload.name);
    let total: usize = groups.iter().map(|group| group.ready).sum();
    let selector = labels(&service.spec.selector);
    let summary = format!(
        "Service {} selects {selector}, which also takes the pods of {} ({} of {total} endpoints): {reason}; only {} is meant",
        object.name,
        title(stranger),
        stranger.ready,
        title(right)
    );
    let telling = right.pod.metadata.labels.iter().find(|(key, value)| {
        !key.contains("hash") && stranger.pod.metadata.labels.get(key) != Some(value) && !key.contains('/')
    });
    let mut finding = Finding::new(object.clone(), Severity::Critical, Stage::Serve, summary)
        .field(&object, "spec.selector", &selector)
        .field(&stranger.pod.object_ref(), "metadata.labels", labels(&stranger.pod.metadata.labels))
        .since(pod_since(stranger.pod))
        .look("see which pods it takes", &object, &["get", "pods", "-l", &selector, "--show-labels", "-o", "wide"]);
    if let Some((key, value)) = telling {
        let narrow = format!("{selector},{key}={value}");
        finding = finding.fix(
            "select only the pods that serve it",
            &object,
            &["set", "selector", "service", &object.name, &narrow],
        );
    }
    Some(finding)
}

/// The workload whose pods don't serve a port that another's declare.
fn by_port<'g, 'a>(groups: &'g [Part<'a>], port: &ServicePort) -> Option<(&'g Part<'a>, &'g Part<'a>, String)> {
    let declares = |group: &&Part<'_>| {
        let number = resolve(port, &group.pod.spec);
        declared(&group.pod.spec)
            .any(|(_, p)| Some(p.container_port) == number && protocol(&p.protocol) == protocol(&port.protocol))
    };
    let right = groups.iter().find(declares)?;
    let strange = |group: &&Part<'_>| match target(port) {
        Target::Name(_) => resolve(port, &group.pod.spec).is_none(),
        Target::Number(number) => !speaks_of(&group.pod.spec, number),
    };
    let stranger = groups.iter().find(strange)?;
    let has = declared_text(&stranger.pod.spec);
    let has = if has.is_empty() { "they declare no port".to_owned() } else { format!("they listen on {has}") };
    Some((stranger, right, format!("{has}, not on the Service's {}", port_text(port))))
}

/// The workload that is something else by its label, where one is what the Service is called.
fn by_identity<'g, 'a>(groups: &'g [Part<'a>], service: &Service) -> Option<(&'g Part<'a>, &'g Part<'a>, String)> {
    let name = service.metadata.name.as_str();
    let is = |group: &&Part<'_>| identity(&group.pod.metadata.labels) == Some(name) && *group.workload.name == *name;
    let right = groups.iter().find(is)?;
    let other = |group: &&Part<'_>| {
        identity(&group.pod.metadata.labels)
            .is_some_and(|theirs| !theirs.starts_with(name) && !name.starts_with(theirs))
            && !group.workload.name.starts_with(name)
    };
    let stranger = groups.iter().find(other)?;
    let theirs = identity(&stranger.pod.metadata.labels).unwrap_or_default();
    Some((stranger, right, format!("they are another application, {theirs}")))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const SHOP: &str = "
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: shop}, ports: [{port: 80, targetPort: TARGET}], clusterIP: 10.96.0.7}
---
kind: Pod
metadata: {name: api-1, namespace: shop, labels: {app: shop, part: api}, ownerReferences: [{kind: StatefulSet, name: api, controller: true}]}
spec: {containers: [{name: app, ports: [{name: http, containerPort: 8080}]}]}
status: {phase: Running, conditions: [{type: Ready, status: 'True'}]}
---
kind: Pod
metadata: {name: worker-1, namespace: shop, labels: {app: shop, part: worker}, ownerReferences: [{kind: StatefulSet, name: worker, controller: true}]}
spec: {containers: [{name: app, ports: PORTS}]}
status: {phase: Running, conditions: [{type: Ready, status: 'READY'}]}
";

    fn shop(target: &str, ports: &str, ready: &str) -> String {
        SHOP.replace("TARGET", target).replace("PORTS", ports).replace("READY", ready)
    }

    #[test]
    fn a_worker_that_does_not_listen() {
        let expected = "critical Service shop/api: Service api selects app=shop, which also takes the pods of StatefulSet worker (1 of 2 endpoints): they declare no port, not on the Service's port 80 (targetPort 8080); only StatefulSet api is meant";
        check(&super::DETECTOR, &shop("8080", "[]", "True"), expected);
        let expected = "critical Service shop/api: Service api selects app=shop, which also takes the pods of StatefulSet worker (1 of 2 endpoints): they listen on 9090, not on the Service's port 80 (targetPort http); only StatefulSet api is meant";
        check(&super::DETECTOR, &shop("http", "[{containerPort: 9090}]", "True"), expected);
    }

    #[test]
    fn another_application_on_the_same_port() {
        let yaml = shop("8080", "[{containerPort: 8080}]", "True")
            .replace("{app: shop, part: api}", "{app: api, tier: b}")
            .replace("{app: shop, part: worker}", "{app: billing, tier: b}")
            .replace("{app: shop}", "{tier: b}");
        check(
            &super::DETECTOR,
            &yaml,
            "critical Service shop/api: Service api selects tier=b, which also takes the pods of StatefulSet worker (1 of 2 endpoints): they are another application, billing; only StatefulSet api is meant",
        );
    }

    #[test]
    fn canary_and_silent_company() {
        check(&super::DETECTOR, &shop("8080", "[{containerPort: 8080}]", "True"), "");
        check(&super::DETECTOR, &shop("8080", "[]", "False"), "");
        check(&super::DETECTOR, &shop("8080", "[], args: ['--listen=:8080']", "True"), "");
        check(&super::DETECTOR, &shop("8080", "[]", "True").replace("10.96.0.7", "None"), "");
    }
}
