//! NetworkPolicies that keep a Service's clients from its pods.

use std::collections::BTreeMap;

use crate::detect::calls::{Call, Client, Form, calls, clients, complaint};
use crate::detect::endpoints::{behind, leads, protocol, resolve};
use crate::detect::policies::{End, Way, all_allow_text, blocking, blocking_dns, closed, place_text, title};
use crate::detect::prelude::*;
use crate::model::selector::subset;

pub(super) const DETECTOR: Detector = Detector {
    id: "network-policy-isolates",
    summary: "NetworkPolicy keeps a Service's clients from its pods",
    group: Group::Network,
    reads: &[Kind::NetworkPolicy, Kind::Service, Kind::Pod],
    wants: Some(wants),
    doc: r"## What it detects
A workload that by its environment or arguments calls a Service, while the policies around the Service's
pods don't admit the client on the port, or the policies around the client don't let it out to them.
Also a Service with ready pods that its policies let nobody reach at all.

## Why it matters
Connections time out, while all pods are ready: the kubelet's probes are not held back by policies.

## Evidence
The policy's rules, the field by which the client names the Service, the client's labels, and a log
line that complains.

## Look-alikes
A client that can't even ask DNS is `network-policy-blocks-dns`. A Service without endpoints (`service-no-endpoints`),
with a wrong port (`call-to-wrong-port`) or a wrong targetPort (`target-port-wrong`) refuses at once as a rule; a
policy mostly makes the connection time out. Whether policies are enforced is up to the network plugin, which the
objects don't tell: without a log that complains it is only a warning, unless the client is down, or a Service that is
open to the outside lets nobody in.

## What it does not see
Policies of other kinds (Cilium's, Calico's, AdminNetworkPolicy), firewalls and a service mesh's own rules. Calls that
stand in no environment, command or argument: in files, in code, from outside the cluster. What can't be judged
(unknown labels, pods without an address yet) counts as allowed. Under `-n` at most three other namespaces are read.
Pods in the node's network are left out, and calls of a workload to its own Service.

## What to do
`kubectl describe networkpolicy NAME` shows what it allows. Admit the client: its labels, its namespace, and the port
of the pods (`targetPort`), not the Service's. A `namespaceSelector` and a `podSelector` belong into one entry of
`from` if both must hold. Both sides must allow it: ingress at the server, egress at the client.",
    run,
};

/// A call that policies block.
struct Blocked<'a> {
    client: Client<'a>,
    call: Call<'a>,
    server: &'a Pod,
    port: i64,
    way: Way,
    policies: Vec<&'a NetworkPolicy>,
}

fn blocked<'a>(view: &View<'a>) -> Vec<Blocked<'a>> {
    let mut found = Vec::new();
    if view.all::<NetworkPolicy>().is_empty() {
        return found;
    }
    for client in clients(view).into_iter().filter(|client| !client.spec.host_network) {
        for call in calls(view, &client) {
            let Some(service) = view.get::<Service>(call.service.ns(), &call.service.name) else { continue };
            let namespace = service.metadata.namespace.as_str();
            let own = client.namespace == namespace && subset(&service.spec.selector, client.labels);
            let pods = behind(view, service).pods;
            let Some(server) = pods.first().filter(|pod| !own && !pod.spec.host_network) else { continue };
            let by_number = service.spec.ports.iter().find(|port| Some(port.port) == call.port).or(service
                .spec
                .ports
                .first()
                .filter(|_| call.port.is_none()));
            let direct = service.spec.cluster_ip == "None" || call.form == Form::Member;
            let number = if direct {
                call.port.or_else(|| by_number.and_then(|port| resolve(port, &server.spec)))
            } else {
                by_number.and_then(|port| resolve(port, &server.spec))
            };
            let Some(number) = number else { continue };
            let to = (number, by_number.map_or("TCP", |port| protocol(&port.protocol)));
            let (ours, theirs) = (
                End { namespace: client.namespace, labels: client.labels, pods: &client.pods },
                End { namespace, labels: &server.metadata.labels, pods: &pods },
            );
            // A client that can't even ask for the name has a finding for that.
            let out = if blocking_dns(view, ours).is_empty() {
                blocking(view, ours, theirs, Way::Out, to, Some(&server.spec))
            } else {
                Vec::new()
            };
            let (way, policies) = if out.is_empty() {
                (Way::In, blocking(view, theirs, ours, Way::In, to, Some(&server.spec)))
            } else {
                (Way::Out, out)
            };
            if !policies.is_empty() {
                let client = client.clone();
                found.push(Blocked { client, call, server, port: number, way, policies });
            }
        }
    }
    found
}

fn wants(view: &View<'_>) -> Vec<Want> {
    blocked(view).iter().filter_map(|blocked| blocked.client.log_wants(blocked.call.container)).collect()
}

fn run(view: &View<'_>) -> Vec<Finding> {
    let all = blocked(view);
    // One finding for each Service (or client, where it is kept in) and its policies, however many call it.
    let mut groups: BTreeMap<(ObjectRef, Vec<&str>), Vec<&Blocked<'_>>> = BTreeMap::new();
    for blocked in &all {
        let object = if blocked.way == Way::In { blocked.call.service.clone() } else { blocked.client.object.clone() };
        let names = blocked.policies.iter().map(|policy| policy.metadata.name.as_str()).collect();
        groups.entry((object, names)).or_default().push(blocked);
    }
    let mut findings: Vec<Finding> =
        groups.into_iter().filter_map(|((object, _), group)| finding(view, object, &group)).collect();
    let known: Vec<ObjectRef> = all.iter().map(|blocked| blocked.call.service.clone()).collect();
    let others =
        view.all::<Service>().iter().filter(|service| service.selects() && !known.contains(&service.object_ref()));
    findings.extend(others.filter_map(|service| shut(view, service)));
    findings
}

fn finding(view: &View<'_>, object: ObjectRef, group: &[&Blocked<'_>]) -> Option<Finding> {
    let one = group.first()?;
    let policy = one.policies.first()?;
    let mut titles: Vec<String> = group.iter().map(|blocked| blocked.client.title()).collect();
    titles.dedup();
    let told = group.iter().find_map(|blocked| complaint(view, &blocked.client, &blocked.call));
    let fails = told.is_some()
        || group.iter().any(|blocked| blocked.client.ails(blocked.call.container) && blocked.client.down());
    let (subject, service, port) = (title(&one.policies), &one.call.service.name, one.port);
    let allowed = all_allow_text(&one.policies, one.way);
    let summary = match one.way {
        Way::In => {
            let place = place_text(view, &one.policies, Way::In, one.call.service.ns(), one.client.namespace);
            format!(
                "{subject} keeps {} from Service {service} (pods' port {port}): it admits {allowed}, the client's pods are {}{place}",
                list(&titles),
                telling(one.client.labels)
            )
        }
        Way::Out => format!(
            "{subject} keeps {} from Service {service} (pods' port {port}): it lets out {allowed}, the Service's pods are {}{}",
            one.client.title(),
            telling(&one.server.metadata.labels),
            place_text(view, &one.policies, Way::Out, one.client.namespace, one.call.service.ns())
        ),
    };
    let (policy, path) = (policy.object_ref(), if one.way == Way::In { "spec.ingress" } else { "spec.egress" });
    let mut finding =
        Finding::new(object, if fails { Severity::Critical } else { Severity::Warning }, Stage::Serve, summary)
            .key(one.policies.iter().map(|policy| policy.metadata.name.as_str()).collect::<Vec<_>>().join(","))
            .culprit(policy.clone())
            .field(&policy, path, &allowed)
            .field(&one.call.at, &one.call.path, &one.call.quote)
            .since(one.policies.iter().filter_map(|policy| *policy.metadata.creation_timestamp).max())
            .look("see what the policy allows", &policy, &["describe", "networkpolicy", &policy.name])
            .fix("admit the client in the policy", &policy, &["edit", "networkpolicy", &policy.name]);
    match told {
        Some((log, line)) => finding = finding.log(log, line),
        None => finding = finding.unknown("whether the network plugin enforces policies"),
    }
    Some(finding)
}

/// Labels for people, without those that change with each revision.
fn telling(map: &Map) -> String {
    let kept: Map = map
        .iter()
        .filter(|(key, _)| !key.contains("hash") && !key.contains("pod-name") && !key.contains("pod-index"))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    crate::model::selector::labels(&kept)
}

/// A Service with ready pods that nobody may reach.
fn shut(view: &View<'_>, service: &Service) -> Option<Finding> {
    let pods = behind(view, service).pods;
    let server = pods.iter().find(|pod| pod.ready() && !pod.spec.host_network)?;
    let end = End { namespace: &service.metadata.namespace, labels: &server.metadata.labels, pods: &pods };
    let policies = service.spec.ports.iter().map(|port| {
        closed(
            view,
            end,
            (resolve(port, &server.spec).unwrap_or(port.port), protocol(&port.protocol)),
            Some(&server.spec),
        )
    });
    let policies = policies
        .reduce(|a, b| if a.is_empty() || b.is_empty() { Vec::new() } else { a })
        .filter(|policies| !policies.is_empty())?;
    let (object, policy) = (service.object_ref(), policies.first()?.object_ref());
    let outside = leads(view, &object).is_some() || matches!(service.spec.kind.as_str(), "LoadBalancer" | "NodePort");
    let allowed = all_allow_text(&policies, Way::In);
    let summary =
        format!("{} lets nobody reach the pods of Service {}: it admits {allowed}", title(&policies), object.name);
    Some(
        Finding::new(
            object.clone(),
            if outside { Severity::Critical } else { Severity::Warning },
            Stage::Serve,
            summary,
        )
        .culprit(policy.clone())
        .field(&policy, "spec.ingress", &allowed)
        .field(&object, "spec.selector", crate::model::selector::labels(&service.spec.selector))
        .since(policies.iter().filter_map(|policy| *policy.metadata.creation_timestamp).max())
        .unknown("whether the network plugin enforces policies")
        .look("see what the policy allows", &policy, &["describe", "networkpolicy", &policy.name]),
    )
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const SHOP: &str = "
kind: Namespace
metadata: {name: shop}
---
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, ports: [{port: 80, targetPort: 5432}], clusterIP: 10.96.0.7}
---
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {containers: [{name: db}]}
status: {phase: Running, podIP: 10.244.0.8, conditions: [{type: Ready, status: 'True'}]}
---
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: app, env: [{name: DB_URL, value: 'http://db'}]}]}
status: {phase: Running, podIP: 10.244.0.9, conditions: [{type: Ready, status: 'True'}]}
---
kind: NetworkPolicy
metadata: {name: wall, namespace: shop}
spec: {podSelector: {matchLabels: {app: POD}}, POLICY}
";

    #[track_caller]
    fn shop(pod: &str, policy: &str, expected: &str) {
        check(&super::DETECTOR, &SHOP.replace("POD", pod).replace("POLICY", policy), expected);
    }

    #[test]
    fn not_admitted() {
        shop(
            "db",
            "ingress: [{from: [{podSelector: {matchLabels: {app: front}}}], ports: [{port: 5432}]}]",
            "warning Service shop/db: NetworkPolicy wall keeps Pod web from Service db (pods' port 5432): it admits only from pods app=front on TCP 5432, the client's pods are app=web <- NetworkPolicy shop/wall",
        );
        shop(
            "db",
            "ingress: [{ports: [{port: 80}]}]",
            "warning Service shop/db: NetworkPolicy wall keeps Pod web from Service db (pods' port 5432): it admits only TCP 80, the client's pods are app=web <- NetworkPolicy shop/wall",
        );
        shop(
            "db",
            "ingress: [{from: [{namespaceSelector: {matchLabels: {team: web}}}]}]",
            "warning Service shop/db: NetworkPolicy wall keeps Pod web from Service db (pods' port 5432): it admits only from namespaces team=web, the client's pods are app=web in namespace shop, which has no labels beside its name's <- NetworkPolicy shop/wall",
        );
    }

    #[test]
    fn not_let_out() {
        shop(
            "web",
            "policyTypes: [Egress], egress: [{ports: [{port: 53, protocol: UDP}, {port: 80}]}]",
            "warning Pod shop/web: NetworkPolicy wall keeps Pod web from Service db (pods' port 5432): it lets out only UDP 53 and TCP 80, the Service's pods are app=db <- NetworkPolicy shop/wall",
        );
    }

    #[test]
    fn nobody_at_all() {
        let yaml = SHOP
            .replace("POD", "db")
            .replace("POLICY", "policyTypes: [Ingress]")
            .replace("value: 'http://db'", "value: ''");
        check(
            &super::DETECTOR,
            &yaml,
            "warning Service shop/db: NetworkPolicy wall lets nobody reach the pods of Service db: it admits nothing <- NetworkPolicy shop/wall",
        );
    }

    #[test]
    fn allowed() {
        shop("db", "ingress: [{from: [{podSelector: {}}], ports: [{port: 5432}]}]", "");
        shop("db", "ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}]}]", "");
        shop("db", "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]", "");
        shop("db", "policyTypes: [Egress]", "");
        shop("other", "policyTypes: [Ingress]", "");
        shop("web", "policyTypes: [Egress], egress: [{}]", "");
        shop("db", "ingress: [{ports: [{port: 5000, endPort: 6000}]}]", "");
    }
}
