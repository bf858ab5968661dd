//! Containers that fail because a host name has no address.

use crate::detect::logs::service::{Standing, instead, ready_endpoints, resolve, title, told_by_call, variable_of};
use crate::detect::logs::{Class, Failing, Fault, said};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "dependency-name-unknown",
    summary: "Program fails because a host name does not resolve",
    group: Group::Network,
    reads: &[Kind::Pod, Kind::Service],
    wants: None,
    doc: r"## What it detects
A container that crashes, is not ready, or waits as an init container, because a name has no address: its log says `no
such host`, `could not translate host name`, `bad address`, `NXDOMAIN` or the like. The finding says whether a Service
of that name exists, elsewhere or nearly so; a name that does exist and does not resolve points to the cluster's DNS.

## Why it matters
The program can't reach what it depends on.

## Evidence
The line of the log, the variable that names the host, and the Services there are.

## Look-alikes
A wrong name in the configuration is `call-to-unknown-service` or `call-to-wrong-namespace` where objects prove it;
pods that don't ask the cluster's DNS are `dns-policy-wrong`; DNS without pods is `dns-down`; a policy that keeps pods
from it `network-policy-blocks-dns`. A headless Service has no address before a pod of it is ready: that is named
here. A name that was unknown for a moment, as the Service was made later, looks the same.

## What it does not see
Whether a name outside the cluster exists. The log of CoreDNS, its configuration, and the resolver of the node. A
program that is ready and logs such lines is silent; of one that runs and is not ready the last 15 lines count. Under
`-n` Services of other namespaces are unknown, and names there can't be judged.

## What to do
Correct the name (`SERVICE.NAMESPACE` for another namespace), create the Service, or look after CoreDNS: `kubectl -n
kube-system logs -l k8s-app=kube-dns`. To try a name: `kubectl run -it --rm probe --image=busybox --restart=Never --
nslookup NAME`.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    said(view, |class| matches!(class, Class::UnknownHost(_)))
        .iter()
        .filter_map(|failing| finding(view, failing))
        .collect()
}

fn finding(view: &View<'_>, failing: &Failing<'_>) -> Option<Finding> {
    let Fault::Said(Class::UnknownHost(host)) = &failing.fault else { return None };
    let (pod, own) = (failing.container.pod, failing.namespace());
    let found = crate::detect::logs::service::callee(view, failing);
    let host = if host.is_empty() { found.map(|(target, _)| target.host).unwrap_or_default() } else { host.clone() };
    let standing = resolve(view, own, &host);
    let target = crate::detect::logs::service::Target { host: host.clone(), port: None };
    if told_by_call(view, failing, Some(&target))
        || (other_resolver(pod)
            && matches!(standing, Standing::Service(_))
            && calls_it(pod, failing.container.spec, &host))
    {
        return None;
    }
    let stage = if failing.present() && !failing.container.init { Stage::Ready } else { Stage::Start };
    let name = if host.is_empty() { "a host name".to_owned() } else { format!("host name {host}") };
    let finding = |why: String| {
        let finding = failing
            .finding(view, stage, format!("{}: {name} does not resolve: {why}", failing.happens()))
            .key(format!("{}/{host}", failing.container.spec.name));
        match variable_of(view, pod, failing.container.spec, &target).filter(|_| !host.is_empty()) {
            Some((variable, value)) => {
                finding.field(&failing.pod(), failing.container.spec_path(&format!("env[{variable}]")), value)
            }
            None => finding,
        }
    };
    Some(match standing {
        Standing::Missing { name, namespace } => {
            let hint = instead(view, &name, &namespace).map(|hint| format!("; {hint}")).unwrap_or_default();
            let service = ObjectRef::new(Kind::Service, &namespace, &name);
            let place = ObjectRef::new(Kind::Namespace, "", &namespace);
            let what = if namespace != own && view.absent(&place) {
                format!("namespace {namespace} does not exist")
            } else {
                format!("no Service {name} in namespace {namespace}{hint}")
            };
            finding(what).look("see which Services there are", &service, &["get", "services"]).culprit(service)
        }
        Standing::Service(service)
            if service.spec.cluster_ip == "None" && ready_endpoints(view, service) == Some(0) =>
        {
            finding(format!(
                "{} is headless and has no ready endpoint, so its name has no address",
                title(service, own)
            ))
            .culprit(service.object_ref())
        }
        Standing::Service(service) if service.spec.kind == "ExternalName" => {
            finding(format!("{} stands for {}, which has no address", title(service, own), service.spec.external_name))
                .culprit(service.object_ref())
        }
        Standing::Service(service) => {
            let exists = format!("{} exists, so the pod's DNS does not answer", title(service, own));
            match view.dns() {
                Some(dns) if !other_resolver(pod) => {
                    finding(format!("{exists} (Service kube-system/kube-dns)")).culprit(dns.object_ref())
                }
                _ => finding(format!("{exists} (dnsPolicy {})", pod.spec.dns_policy)).field(
                    &failing.pod(),
                    "spec.dnsPolicy",
                    &pod.spec.dns_policy,
                ),
            }
        }
        _ => {
            let what = if host.contains('.') {
                "it is no Service's name, so DNS outside the cluster must know it and does not"
            } else {
                "no Service of this cluster that was read has this name"
            };
            let finding = finding(what.to_owned());
            failing.read_log(finding.unknown("whether the name exists outside the cluster"))
        }
    })
}

/// Whether the pod asks other servers than the cluster's DNS.
fn other_resolver(pod: &Pod) -> bool {
    matches!(pod.spec.dns_policy.as_str(), "Default" | "None")
        || pod.spec.host_network && pod.spec.dns_policy != "ClusterFirstWithHostNet"
}

fn calls_it(pod: &Pod, container: &Container, host: &str) -> bool {
    let name = host.split('.').next().unwrap_or_default();
    let words = container
        .env
        .iter()
        .filter_map(|env| env.value.as_deref())
        .chain(container.command.iter().chain(container.args.iter()).map(String::as_str));
    !pod.metadata.name.is_empty() && words.into_iter().any(|word| word.contains(name))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {dnsPolicy: ClusterFirst, containers: [{name: app}]}
status:
  phase: Running
  containerStatuses:
  - {name: app, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {reason: Error, exitCode: 1, finishedAt: '2026-01-01T11:59:00Z'}}}
---
kind: Service
metadata: {name: orders, namespace: shop}
spec: {clusterIP: 10.96.0.7, selector: {app: db}, ports: [{port: 5432}]}
---
kind: Service
metadata: {name: peers, namespace: shop}
spec: {clusterIP: None, selector: {app: peers}, ports: [{port: 5432}]}
---
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
---
kind: Service
metadata: {name: ledger, namespace: data}
---
kind: Log
namespace: shop
pod: web-1
container: app
lines: [starting, 'FATAL dial tcp: lookup HOST on 10.96.0.10:53: no such host']
";
    const SAYS: &str = "critical Pod shop/web-1: container app exits 1: host name HOST does not resolve: ";

    #[track_caller]
    fn says(host: &str, why: &str) {
        check(&super::DETECTOR, &POD.replace("HOST", host), &format!("{}{why}", SAYS.replace("HOST", host)));
    }

    #[test]
    fn no_such_service() {
        says("order", "no Service order in namespace shop; did you mean Service orders? <- Service shop/order");
        says(
            "ledger",
            "no Service ledger in namespace shop; Service ledger is in namespace data: use ledger.data <- Service shop/ledger",
        );
        says("payment-gateway", "no Service payment-gateway in namespace shop <- Service shop/payment-gateway");
    }

    #[test]
    fn a_service_that_exists() {
        says(
            "orders",
            "Service orders exists, so the pod's DNS does not answer (Service kube-system/kube-dns) <- Service kube-system/kube-dns",
        );
        says(
            "peers",
            "Service peers is headless and has no ready endpoint, so its name has no address <- Service shop/peers",
        );
    }

    #[test]
    fn a_name_outside() {
        says("api.example.com", "it is no Service's name, so DNS outside the cluster must know it and does not");
    }

    #[test]
    fn a_name_that_was_looked_up_well() {
        check(
            &super::DETECTOR,
            &POD.replace("FATAL dial tcp: lookup HOST on 10.96.0.10:53: no such host", "lookup of orders took 3 ms"),
            "",
        );
    }
}
