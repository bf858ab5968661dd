//! Pods that call Services by name, but don't ask the cluster's DNS.

use crate::detect::calls::{Call, Client, Form, calls, clients, last_line};
use crate::detect::logs::unresolved;
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "dns-policy-wrong",
    summary: "Pods call Services by name, but don't ask the cluster's DNS",
    group: Group::Network,
    reads: &[Kind::Pod, Kind::Service],
    wants: Some(wants),
    doc: r"## What it detects
A workload that names an existing Service in its environment or arguments, while its pods resolve names
elsewhere: `dnsPolicy: Default`, `None` with other name servers (or without the search domain that a
short name needs), or `hostNetwork` without `ClusterFirstWithHostNet`.

## Why it matters
Names of Services don't resolve there, though the Service is well and every other pod reaches it.

## Evidence
`spec.dnsPolicy`, `spec.dnsConfig` or `spec.hostNetwork`, and the field that names the Service.

## Look-alikes
A name that no Service has is `call-to-unknown-service`; DNS without pods is `dns-down`; a policy that keeps the pods
from it `network-policy-blocks-dns`. A node whose own resolver knows the cluster's domain resolves the name after all:
then the log says nothing, and the finding is a warning only. A node-local cache (`169.254.…`) is taken for the
cluster's DNS.

## What it does not see
Names in Secrets, in files of the image, and of other namespaces under `-n`. Of each workload the first call that
can't resolve is named. Whether the name servers of `dnsConfig` forward the cluster's domain. Pods without a call to a
Service by name are silent, whatever their policy. With `None`, where `kube-system/kube-dns` was not read, nothing is
said.

## What to do
Remove `dnsPolicy`, or set it to `ClusterFirst`; with `hostNetwork` to `ClusterFirstWithHostNet`. With `None` add the
cluster's name server and the search domains. `kubectl exec POD -- cat /etc/resolv.conf` shows what the pods ask.",
    run,
};

/// A client, why its names don't resolve, the field that says so, and a call by name.
fn wrong<'a>(view: &View<'a>) -> Vec<(Client<'a>, String, (&'static str, String), Call<'a>)> {
    let mut found = Vec::new();
    for client in clients(view) {
        let odd = client.spec.host_network || matches!(client.spec.dns_policy.as_str(), "Default" | "None");
        if !odd {
            continue;
        }
        for call in calls(view, &client)
            .into_iter()
            .filter(|call| view.get::<Service>(call.service.ns(), &call.service.name).is_some())
        {
            if let Some((reason, field)) = reason(view, &client, &call) {
                found.push((client, reason, field, call));
                break;
            }
        }
    }
    found
}

fn reason(view: &View<'_>, client: &Client<'_>, call: &Call<'_>) -> Option<(String, (&'static str, String))> {
    let spec = client.spec;
    match spec.dns_policy.as_str() {
        "Default" => Some((
            "dnsPolicy Default, so its pods ask the node's resolver".to_owned(),
            ("dnsPolicy", "Default".to_owned()),
        )),
        "" | "ClusterFirst" if spec.host_network => Some((
            "hostNetwork with dnsPolicy ClusterFirst, so its pods ask the node's resolver".to_owned(),
            ("hostNetwork", "true".to_owned()),
        )),
        "None" => {
            let config = spec.dns_config.as_ref();
            let servers = config.map(|config| config.nameservers.to_vec()).unwrap_or_default();
            let dns = view.dns()?;
            let pods = view.pods_behind(dns);
            let known = |server: &String| {
                *server == dns.spec.cluster_ip
                    || server.starts_with("169.254.")
                    || pods.iter().any(|pod| pod.status.pod_ip == *server)
            };
            if !servers.iter().any(known) {
                let asks = if servers.is_empty() { "no name server".to_owned() } else { list(&servers) };
                return Some((
                    format!("dnsPolicy None and asks {asks}, not the cluster's DNS {}", dns.spec.cluster_ip),
                    ("dnsConfig.nameservers", asks),
                ));
            }
            let needs = match call.form {
                Form::Bare => format!("{}.svc.", client.namespace),
                Form::Namespaced => "svc.".to_owned(),
                _ => return None,
            };
            let searches = config.map(|config| config.searches.to_vec()).unwrap_or_default();
            let lacks = !searches.iter().any(|search| search.starts_with(&needs));
            let has = if searches.is_empty() { "none".to_owned() } else { list(&searches) };
            lacks.then(|| {
                (format!("dnsPolicy None without the search domain {needs}cluster.local"), ("dnsConfig.searches", has))
            })
        }
        _ => None,
    }
}

fn wants(view: &View<'_>) -> Vec<Want> {
    wrong(view).iter().filter_map(|(client, _, _, call)| client.log_wants(call.container)).collect()
}

fn run(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (client, reason, (field, quote), call) in wrong(view) {
        let told = last_line(view, &client, call.container, |line| unresolved(line));
        let fails = told.is_some() || client.down() && client.ails(call.container);
        let summary = format!(
            "{} has {reason}: Service {} ({}) does not resolve there",
            client.title(),
            call.service.name,
            call.host
        );
        let object = client.object.clone();
        let (at, path) = client.place(field);
        let mut finding = Finding::new(
            object.clone(),
            if fails { Severity::Critical } else { Severity::Warning },
            Stage::Serve,
            summary,
        )
        .field(&at, path, quote)
        .field(&call.at, &call.path, &call.quote)
        .since(client.since());
        match told {
            Some((log, line)) => finding = finding.log(log, line),
            None => {
                finding =
                    finding.unknown("whether the node's own resolver knows the cluster's names: its log doesn't say");
            }
        }
        if view.workload(&object).is_some() {
            let policy = if client.spec.host_network { "ClusterFirstWithHostNet" } else { "ClusterFirst" };
            let change = format!(r#"{{"spec":{{"template":{{"spec":{{"dnsPolicy":"{policy}"}}}}}}}}"#);
            finding = finding.fix(
                "ask the cluster's DNS",
                &object,
                &["patch", &object.kind.argument(), &object.name, "--type=merge", "-p", &change],
            );
        }
        findings.push(finding);
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const SHOP: &str = "
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec: {selector: {k8s-app: kube-dns}, clusterIP: 10.96.0.10}
---
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, ports: [{port: 5432}], clusterIP: 10.96.0.7}
---
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {SPEC, containers: [{name: app, env: [{name: DB_HOST, value: VALUE}]}]}
status: {phase: Running, conditions: [{type: Ready, status: 'True'}]}
";
    const LOG: &str = "---\nkind: Log\nnamespace: shop\npod: web\ncontainer: app\nlines: ['could not translate host name \"db\" to address: Name or service not known']\n";

    fn shop(spec: &str, value: &str) -> String {
        SHOP.replace("SPEC", spec).replace("VALUE", value)
    }

    #[test]
    fn asks_elsewhere() {
        check(
            &super::DETECTOR,
            &(shop("dnsPolicy: Default", "db") + LOG),
            "critical Pod shop/web: Pod web has dnsPolicy Default, so its pods ask the node's resolver: Service db (db) does not resolve there",
        );
        check(
            &super::DETECTOR,
            &shop("hostNetwork: true", "db"),
            "warning Pod shop/web: Pod web has hostNetwork with dnsPolicy ClusterFirst, so its pods ask the node's resolver: Service db (db) does not resolve there",
        );
        check(
            &super::DETECTOR,
            &shop("dnsPolicy: None, dnsConfig: {nameservers: [8.8.8.8]}", "db"),
            "warning Pod shop/web: Pod web has dnsPolicy None and asks 8.8.8.8, not the cluster's DNS 10.96.0.10: Service db (db) does not resolve there",
        );
        check(
            &super::DETECTOR,
            &shop("dnsPolicy: None, dnsConfig: {nameservers: [10.96.0.10]}", "db"),
            "warning Pod shop/web: Pod web has dnsPolicy None without the search domain shop.svc.cluster.local: Service db (db) does not resolve there",
        );
    }

    #[test]
    fn fine() {
        check(&super::DETECTOR, &shop("dnsPolicy: ClusterFirst", "db"), "");
        check(&super::DETECTOR, &shop("hostNetwork: true, dnsPolicy: ClusterFirstWithHostNet", "db"), "");
        check(&super::DETECTOR, &shop("dnsPolicy: Default", "db.example.com"), "");
        check(
            &super::DETECTOR,
            &shop("dnsPolicy: None, dnsConfig: {nameservers: [10.96.0.10]}", "db.shop.svc.cluster.local"),
            "",
        );
    }
}
