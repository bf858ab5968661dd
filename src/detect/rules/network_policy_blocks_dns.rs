//! NetworkPolicies that keep pods from the cluster's DNS.

use crate::detect::calls::{Client, clients, last_line, named_host};
use crate::detect::logs::unresolved;
use crate::detect::policies::{End, Way, all_allow_text, blocking_dns, title};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "network-policy-blocks-dns",
    summary: "NetworkPolicy keeps pods from the cluster's DNS",
    group: Group::Network,
    reads: &[Kind::NetworkPolicy, Kind::Pod],
    wants: Some(wants),
    doc: r"## What it detects
Pods whose egress policies don't let them reach the cluster's DNS on UDP port 53, while their
environment, command or arguments name hosts, or their log says that a name can't be resolved.

## Why it matters
Every name lookup times out, so every call by name fails, also to what the policy allows.

## Evidence
The policy's egress rules, the field that names a host, and the log line where a lookup failed.

## Look-alikes
DNS that has no ready pod fails for everyone: `dns-down`. One name that does not resolve, while others do, is
`dependency-name-unknown` or `call-to-unknown-service`; a wrong `dnsPolicy` is `dns-policy-wrong`. A policy that lets
names resolve and blocks the call itself is `network-policy-isolates`. Whether policies are enforced is up to the
network plugin: where none does, this is harmless, and the finding says that it is unknown unless a log shows it.

## What it does not see
Policies of other kinds (Cilium's, Calico's, AdminNetworkPolicy), and policies at the DNS pods themselves (ingress).
DNS that is not the Service `kube-dns` in kube-system, where that Service is surely absent: then it is silent. Pods
that name no host and don't complain are silent: they may be meant to be cut off. Pods in the node's network, or with
another `dnsPolicy`, are left out. Rules for the DNS Service's address or for the cache on each node count as allowed.

## What to do
Add an egress rule for port 53, UDP and TCP, to namespace kube-system (pods `k8s-app=kube-dns`). Policies add up: a
policy of its own for DNS, beside the others, does it. To check: `kubectl exec POD -- nslookup kubernetes.default`.",
    run,
};

fn blocked<'a>(view: &View<'a>) -> Vec<(Client<'a>, Vec<&'a NetworkPolicy>)> {
    if view.all::<NetworkPolicy>().is_empty() {
        return Vec::new();
    }
    // In the node's network, or with another resolver, policies and cluster DNS don't matter.
    let asks = |client: &Client<'_>| {
        !client.spec.host_network
            && matches!(client.spec.dns_policy.as_str(), "" | "ClusterFirst" | "ClusterFirstWithHostNet")
    };
    let clients = clients(view).into_iter().filter(asks);
    let with = clients.map(|client| {
        let policies =
            blocking_dns(view, End { namespace: client.namespace, labels: client.labels, pods: &client.pods });
        (client, policies)
    });
    with.filter(|(_, policies)| !policies.is_empty()).collect()
}

fn wants(view: &View<'_>) -> Vec<Want> {
    blocked(view)
        .iter()
        .flat_map(|(client, _)| {
            client.spec.containers.iter().take(2).filter_map(|container| client.log_wants(container))
        })
        .collect()
}

fn run(view: &View<'_>) -> Vec<Finding> {
    blocked(view).iter().filter_map(|(client, policies)| finding(view, client, policies)).collect()
}

fn finding(view: &View<'_>, client: &Client<'_>, policies: &[&NetworkPolicy]) -> Option<Finding> {
    let named = named_host(client);
    let told =
        client.spec.all_containers().find_map(|container| last_line(view, client, container, |line| unresolved(line)));
    if named.is_none() && told.is_none() {
        return None;
    }
    let policy = policies.first()?.object_ref();
    let allowed = all_allow_text(policies, Way::Out);
    let fails = told.is_some() || client.down() && client.spec.all_containers().any(|container| client.ails(container));
    let summary = format!(
        "{} keeps the pods of {} from the cluster's DNS (UDP port 53), so no name resolves: it lets out {allowed}",
        title(policies),
        client.title()
    );
    let mut finding = Finding::new(
        client.object.clone(),
        if fails { Severity::Critical } else { Severity::Warning },
        Stage::Serve,
        summary,
    )
    .key(&*policy.name)
    .culprit(policy.clone())
    .field(&policy, "spec.egress", &allowed)
    .since(policies.iter().filter_map(|policy| *policy.metadata.creation_timestamp).max())
    .look("see what the policy allows", &policy, &["describe", "networkpolicy", &policy.name])
    .fix("allow egress to kube-system on port 53, UDP and TCP", &policy, &["edit", "networkpolicy", &policy.name]);
    if let Some((path, quote)) = named {
        let at = if view.workload(&client.object).is_some() {
            client.object.clone()
        } else {
            client.pods.first()?.object_ref()
        };
        finding = finding.field(&at, path, quote);
    }
    match told {
        Some((log, line)) => finding = finding.log(log, line),
        None => finding = finding.unknown("whether the network plugin enforces policies"),
    }
    Some(finding)
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::{check, check_wants};

    const SHOP: &str = "
kind: Namespace
metadata: {name: kube-system, labels: {kubernetes.io/metadata.name: kube-system}}
---
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec: {selector: {k8s-app: kube-dns}, clusterIP: 10.96.0.10}
---
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: app, env: [{name: API, value: 'VALUE'}]}]}
status: {phase: Running, conditions: [{type: Ready, status: 'True'}]}
---
kind: NetworkPolicy
metadata: {name: wall, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], egress: EGRESS}
";

    #[track_caller]
    fn shop(value: &str, egress: &str, expected: &str) {
        check(&super::DETECTOR, &SHOP.replace("VALUE", value).replace("EGRESS", egress), expected);
    }

    #[test]
    fn forgotten() {
        shop(
            "http://api.example",
            "[{to: [{podSelector: {matchLabels: {app: db}}}], ports: [{port: 5432}]}]",
            "warning Pod shop/web: NetworkPolicy wall keeps the pods of Pod web from the cluster's DNS (UDP port 53), so no name resolves: it lets out only to pods app=db on TCP 5432 <- NetworkPolicy shop/wall",
        );
        shop(
            "http://api.example",
            "[{ports: [{port: 53, protocol: TCP}]}]",
            "warning Pod shop/web: NetworkPolicy wall keeps the pods of Pod web from the cluster's DNS (UDP port 53), so no name resolves: it lets out only TCP 53 <- NetworkPolicy shop/wall",
        );
        let log = "---\nkind: Log\nnamespace: shop\npod: web\ncontainer: app\nlines: ['lookup db: i/o timeout']\n";
        let yaml = SHOP.replace("VALUE", "").replace("EGRESS", "[]") + log;
        check(
            &super::DETECTOR,
            &yaml,
            "critical Pod shop/web: NetworkPolicy wall keeps the pods of Pod web from the cluster's DNS (UDP port 53), so no name resolves: it lets out nothing <- NetworkPolicy shop/wall",
        );
        check_wants(&super::DETECTOR, &yaml, "log shop/web app");
    }

    #[test]
    fn allowed() {
        for egress in [
            "[{}]",
            "[{ports: [{port: 53, protocol: UDP}]}]",
            "[{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}, podSelector: {matchLabels: {k8s-app: kube-dns}}}]}]",
            "[{to: [{ipBlock: {cidr: 10.96.0.0/12}}]}]",
            "[{to: [{ipBlock: {cidr: 169.254.20.10/32}}], ports: [{port: 53, protocol: UDP}]}]",
        ] {
            shop("http://api.example", egress, "");
        }
        shop("", "[]", "");
    }
}
