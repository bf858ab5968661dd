//! Containers that fail because a host name has no address.

use crate::detect::logs::service::{Standing, instead, ready_endpoints, resolve, title, told_by_call, variable_of};
use crate::detect::logs::{Class, Failing, complaining};
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
from it `network-policy-blocks-dns`. The name of one pod of a StatefulSet (`db-2.db`) that has fewer replicas is named
here. A headless Service has no address before a pod of it is ready: that is named
here. A name that was unknown for a moment, as the Service was made later, looks the same.

## What it does not see
Whether a name outside the cluster exists. The log of CoreDNS, its configuration, and the resolver of the node. Of
programs that are ready only the logs of the twenty newest workloads are read, and believed where the objects say the
same; of one that runs and is not ready the last 15 lines count. Under `-n` at most three other namespaces are read.

## What to do
Correct the name (`SERVICE.NAMESPACE` for another namespace), create the Service, or look after CoreDNS: `kubectl -n
kube-system logs -l k8s-app=kube-dns`. To try a name: `kubectl run -it --rm probe --image=busybox --restart=Never --
nslookup NAME`.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    complaining(view, |class| matches!(class, Class::UnknownHost(_)))
        .iter()
        .filter_map(|failing| finding(view, failing))
        .collect()
}

/// The host that does not resolve: the line's, or the one that the lines around or a variable name.
pub(super) fn host_of(view: &View<'_>, failing: &Failing<'_>) -> Option<String> {
    let Some(Class::UnknownHost(host)) = failing.class() else { return None };
    if !host.is_empty() {
        return Some(host.clone());
    }
    Some(crate::detect::logs::service::callee(view, failing).map(|(target, _)| target.host).unwrap_or_default())
}

fn finding(view: &View<'_>, failing: &Failing<'_>) -> Option<Finding> {
    let (pod, own) = (failing.container.pod, failing.namespace());
    let host = host_of(view, failing).filter(|host| is_name(host)).unwrap_or_default();
    let standing = if host.is_empty() { Standing::Outside } else { resolve(view, own, &host) };
    let target = crate::detect::logs::service::Target { host: host.clone(), port: None };
    if told_by_call(view, failing, Some(&target))
        || (other_resolver(pod)
            && matches!(standing, Standing::Service(_))
            && calls_it(pod, failing.container.spec, &host))
    {
        return None;
    }
    // Of one that is ready the log is believed where the objects say the same.
    let confirmed = match &standing {
        Standing::Missing { .. } => true,
        Standing::Service(service) => no_member(view, service, &host).is_some() || unnamed(view, service),
        _ => false,
    };
    if failing.complains() && !confirmed {
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
    let spaced = variable_of(view, pod, failing.container.spec, &target)
        .filter(|(_, value)| !host.is_empty() && value.trim() == host && *value != host);
    if let Some((variable, value)) = spaced {
        let edge = if value.starts_with(char::is_whitespace) { "begins" } else { "ends" };
        let found = finding(format!("env {variable} {edge} with whitespace, {value:?}, which is part of the name"));
        return Some(failing.edit(view, found, "take the whitespace out"));
    }
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
        Standing::Service(service) => of_service(view, failing, service, &host, finding)?,
        _ => {
            let what = if host.is_empty() {
                &failing.text
            } else if host.contains('.') {
                "it is no Service's name, so DNS outside the cluster must know it and does not"
            } else {
                "no Service of this cluster that was read has this name"
            };
            let finding = finding(what.to_owned());
            failing.read_log(finding.unknown("whether the name exists outside the cluster"))
        }
    })
}

/// What to say of a name whose Service is there, with the finding that it goes into.
fn of_service(
    view: &View<'_>,
    failing: &Failing<'_>,
    service: &Service,
    host: &str,
    finding: impl Fn(String) -> Finding,
) -> Option<Finding> {
    let (pod, title) = (failing.container.pod, title(service, failing.namespace()));
    if let Some(why) = no_member(view, service, host) {
        return Some(finding(why));
    }
    if let Some(member) = hidden(view, service, host) {
        let why = format!("pod {} is not ready, and {title} names only ready pods", member.metadata.name);
        return Some(finding(why).culprit(member.object_ref()));
    }
    if unnamed(view, service) {
        let why = format!("{title} is headless and has no ready endpoint, so its name has no address");
        return Some(finding(why).culprit(service.object_ref()));
    }
    if service.spec.kind == "ExternalName" {
        let why = format!("{title} stands for {}, which has no address", service.spec.external_name);
        return Some(finding(why).culprit(service.object_ref()));
    }
    if made_since(failing, service) {
        // It was not there when the name was asked for; one that is ready has found it by now.
        let found = finding(format!("{title} was made only after this attempt"));
        return (!pod.ready()).then(|| found.unknown("whether the next start succeeds"));
    }
    let exists = format!("{title} exists, so the pod's DNS does not answer");
    Some(match view.dns() {
        Some(dns) if !other_resolver(pod) => {
            finding(format!("{exists} (Service kube-system/kube-dns)")).culprit(dns.object_ref())
        }
        _ => {
            let policy = &pod.spec.dns_policy;
            finding(format!("{exists} (dnsPolicy {policy})")).field(&failing.pod(), "spec.dnsPolicy", policy)
        }
    })
}

/// Whether a Service was made after the run of the container that did not find it.
fn made_since(failing: &Failing<'_>, service: &Service) -> bool {
    let ended = failing.container.ended().and_then(|ended| *ended.finished_at);
    ended.zip(*service.metadata.creation_timestamp).is_some_and(|(ended, made)| made > ended)
}

/// Whether it can be the name of a host: what a program was given may be none.
fn is_name(host: &str) -> bool {
    host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
}

/// Whether a Service is headless and has no ready endpoint: then its name has no address.
pub(super) fn unnamed(view: &View<'_>, service: &Service) -> bool {
    service.spec.cluster_ip == "None" && ready_endpoints(view, service) == Some(0)
}

/// The pod of this name (`db-0.db`), where its Service does not name it because it is not ready.
fn hidden<'a>(view: &View<'a>, service: &Service, host: &str) -> Option<&'a Pod> {
    let (member, _) = host.split_once('.')?;
    let unready = |pod: &&Pod| pod.spec.hostname == member && !pod.ready();
    let headless = service.spec.cluster_ip == "None" && !service.spec.publish_not_ready_addresses;
    view.pods_behind(service).into_iter().filter(|_| headless && !unnamed(view, service)).find(unready)
}

/// Why a Service gives no pod this name (`db-2.db`), where that is certain.
fn no_member(view: &View<'_>, service: &Service, host: &str) -> Option<String> {
    let (member, rest) = host.split_once('.')?;
    let name = service.metadata.name.as_str();
    let behind = view.pods_behind(service);
    let named = |pod: &&Pod| pod.spec.hostname == member && pod.spec.subdomain == name;
    if service.spec.cluster_ip != "None" || rest.split('.').next() != Some(name) || behind.iter().any(named) {
        return None;
    }
    let set = member.rsplit_once('-').and_then(|(set, ordinal)| {
        let ordinal: i64 = ordinal.parse().ok()?;
        let set = view.get::<StatefulSet>(&service.metadata.namespace, set)?;
        (set.spec.service_name == name).then_some((set, ordinal))
    });
    let Some((set, ordinal)) = set else {
        let other = behind.iter().find(|pod| pod.spec.subdomain != name)?;
        let owner = view.workload_of(other);
        return Some(format!(
            "Service {name} names no pod {member}: the pods of {} {} have no names of their own there",
            owner.kind, owner.name
        ));
    };
    let (set, first, replicas) = (&set.metadata.name, set.spec.ordinals.start, set.spec.replicas.unwrap_or(1));
    if (first..first.saturating_add(replicas)).contains(&ordinal) {
        return None;
    }
    let pods = match replicas {
        0 => "no pod".to_owned(),
        1 => format!("{set}-{first} alone"),
        _ => format!("{set}-{first} to {set}-{}", first + replicas - 1),
    };
    Some(format!("StatefulSet {set} has {}: {pods}", plural(usize::try_from(replicas).ok()?, "replica")))
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
    fn whitespace_in_a_variable() {
        let with = |value: &str| {
            let env = format!("{{name: app, env: [{{name: DB_HOST, value: '{value}'}}]}}");
            POD.replace("HOST on", "orders on").replace("{name: app}", &env)
        };
        let says = SAYS.replace("HOST", "orders");
        let why = "env DB_HOST ends with whitespace, \"orders \", which is part of the name";
        check(&super::DETECTOR, &with("orders "), &format!("{says}{why}"));
        let why = "Service orders exists, so the pod's DNS does not answer (Service kube-system/kube-dns) <- Service kube-system/kube-dns";
        check(&super::DETECTOR, &with("orders"), &format!("{says}{why}"));
    }

    #[test]
    fn a_service_that_was_made_since() {
        let made = POD
            .replace("HOST", "orders")
            .replace("{name: orders,", "{name: orders, creationTimestamp: '2026-01-01T11:59:30Z',");
        let says = SAYS.replace("HOST", "orders");
        check(&super::DETECTOR, &made, &format!("{says}Service orders was made only after this attempt"));
        let ready = made
            .replace("state: {waiting: {reason: CrashLoopBackOff}}", "ready: true, state: {running: {}}")
            .replace("phase: Running", "phase: Running\n  conditions: [{type: Ready, status: 'True'}]");
        check(&super::DETECTOR, &ready, "");
    }

    #[test]
    fn a_pod_of_a_headless_service() {
        let member = |set: &str, host: &str, expected: &str| {
            let yaml = POD.replace("HOST", host)
                + "
---
kind: EndpointSlice
metadata: {name: peers-1, namespace: shop, labels: {kubernetes.io/service-name: peers}}
endpoints: [{addresses: [10.0.0.1], conditions: {ready: true}}]
---
kind: Pod
metadata: {name: node-0, namespace: shop, labels: {app: peers}}
spec: {HOSTNAME}
status: {phase: Running, conditions: [{type: Ready, status: 'False'}]}
" + set;
            let yaml = yaml.replace("HOSTNAME", if set.is_empty() { "" } else { "hostname: node-0, subdomain: peers" });
            let expected = if expected.is_empty() { String::new() } else { SAYS.replace("HOST", host) + expected };
            check(&super::DETECTOR, &yaml, &expected);
        };
        let set = "
---
kind: StatefulSet
metadata: {name: node, namespace: shop}
spec: {replicas: 2, serviceName: peers}
";
        member(set, "node-2.peers", "StatefulSet node has 2 replicas: node-0 to node-1");
        member(
            set,
            "node-0.peers",
            "pod node-0 is not ready, and Service peers names only ready pods <- Pod shop/node-0",
        );
        member(
            "",
            "node-0.peers",
            "Service peers names no pod node-0: the pods of Pod node-0 have no names of their own there",
        );
    }

    #[test]
    fn the_complaint_of_one_that_is_ready() {
        let ready = POD
            .replace("waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {reason: Error, exitCode: 1, finishedAt: '2026-01-01T11:59:00Z'}}", "running: {startedAt: '2026-01-01T11:00:00Z'}}")
            .replace("restartCount: 4", "restartCount: 0, ready: true")
            .replace("phase: Running", "phase: Running\n  conditions: [{type: Ready, status: 'True'}]");
        let line = "'FATAL dial tcp: lookup HOST on 10.96.0.10:53: no such host'";
        let often = ready.replace(line, &[line; 3].join(", "));
        let says = "warning Pod shop/web-1: container app runs and keeps failing: host name order does not resolve: no Service order in namespace shop; did you mean Service orders? <- Service shop/order";
        check(&super::DETECTOR, &often.replace("HOST", "order"), says);
        check(&super::DETECTOR, &ready.replace("HOST", "order"), "");
        check(&super::DETECTOR, &often.replace("HOST", "orders"), "");
        check(&super::DETECTOR, &often.replace("HOST", "api.example.com"), "");
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
