//! Containers that fail because something they connect to refuses or does not answer.

use crate::detect::endpoints::target_port_patch;
use crate::detect::logs::server::{Elsewhere, elsewhere};
use crate::detect::logs::service::{
    Standing, Target, callee, followed, has_port, instead, ready_endpoints, ready_since, told_by_call, variable_of,
    verdict,
};
use crate::detect::logs::{Class, Failing, complaining, telling};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "dependency-refused",
    summary: "Program fails because a server it connects to refuses or does not answer",
    group: Group::Network,
    reads: &[Kind::Pod, Kind::Service, Kind::EndpointSlice],
    wants: None,
    doc: r"## What it detects
A container that crashes, is not ready, or waits as an init container, because a connection is refused or times out:
its log says so. Where the line, the lines around it or a variable names a Service of the cluster, the Service is
judged: whether it exists, has the port, and has ready endpoints; an ExternalName Service by the one in the cluster
that it stands for.

## Why it matters
The program is well; it can't work before its dependency answers.

## Evidence
The line of the log, the variable that names the host, the Service's ports and endpoints.

## Look-alikes
A name, namespace or port that its configuration gets wrong is `call-to-unknown-service`, `call-to-wrong-namespace` or
`call-to-wrong-port`; a name that does not resolve is `dependency-name-unknown`; TLS and passwords are `tls-failed`
and `dependency-auth-failed`. A Service that leads to a wrong port of its pods is `target-port-wrong`, a policy in
between `network-policy-isolates`. Ready pods that refuse are asked where they listen: their log, their arguments,
their declared ports. A refusal by the pod itself follows from what is wrong with the container that declares the port
(`oom-killed`, `container-exits`), where that ends badly. Where the dependency became ready only after the last
attempt, the finding says so:
the next start may succeed.

## What it does not see
Nothing is connected to: that a ready endpoint does not take the connection is the log's word. A server outside the
cluster can't be judged, nor one that neither the line nor a variable names. Of programs that are ready only the logs
of the twenty newest workloads are read, and believed where the Service lacks the port or endpoints. Under `-n` at most
three other namespaces are read. Firewalls and service meshes are not seen.

## What to do
Mend the dependency first: its Service's endpoints (`kubectl get endpointslices -l kubernetes.io/service-name=NAME`),
its pods. If it has no fault, look for a NetworkPolicy between the two (time-outs) and for the port and address that
its pods listen on (refusals).",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    complaining(view, |class| matches!(class, Class::Unreachable(_)))
        .iter()
        .filter_map(|failing| finding(view, failing))
        .collect()
}

fn finding(view: &View<'_>, failing: &Failing<'_>) -> Option<Finding> {
    let slow = failing.class() == Some(&Class::Unreachable(true));
    let how = if slow { "times out" } else { "is refused" };
    let (pod, own) = (failing.container.pod, failing.namespace());
    let found = callee(view, failing).map(|(target, standing)| (target, followed(view, standing)));
    // What its configuration names wrongly is said where the configuration is judged.
    let sound = matches!(&found, Some((target, Standing::Service(service))) if target.port.is_none_or(|port| has_port(service, port)));
    if !sound && told_by_call(view, failing, found.as_ref().map(|(target, _)| target)) {
        return None;
    }
    // Of one that is ready the log is believed where the Service says the same.
    let confirmed = match &found {
        Some((_, Standing::Missing { .. })) => true,
        Some((target, Standing::Service(service))) => {
            ready_endpoints(view, service) == Some(0) || target.port.is_some_and(|port| !has_port(service, port))
        }
        _ => false,
    };
    if failing.complains() && !confirmed {
        return None;
    }
    let stage = if failing.container.init {
        Stage::Start
    } else if failing.present() {
        Stage::Ready
    } else {
        Stage::Start
    };
    let finding = |target: &Target, why: String| {
        let summary = format!("{}: its connection to {} {how}: {why}", failing.happens(), target.text());
        let finding =
            failing.finding(view, stage, summary).key(format!("{}/{}", failing.container.spec.name, target.text()));
        match variable_of(view, pod, failing.container.spec, target) {
            Some((name, value)) => {
                finding.field(&failing.pod(), failing.container.spec_path(&format!("env[{name}]")), value)
            }
            None => finding,
        }
    };
    Some(match found {
        Some((target, Standing::Service(service))) => of_service(view, failing, &target, service, slow, finding),
        Some((target, Standing::Missing { name, namespace })) => {
            let hint = instead(view, &name, &namespace).map(|hint| format!("; {hint}")).unwrap_or_default();
            finding(&target, format!("no Service {name} in namespace {namespace}{hint}")).culprit(ObjectRef::new(
                Kind::Service,
                &namespace,
                &name,
            ))
        }
        Some((target, Standing::Pod(other))) => {
            let is = if other.ready() { "ready" } else { "not ready" };
            finding(
                &target,
                format!("the address of pod {}/{}, which is {is}", other.metadata.namespace, other.metadata.name),
            )
            .culprit(other.object_ref())
        }
        Some((target, Standing::Own)) => {
            let port = target.port.map(i64::from);
            let found = finding(&target, at_home(view, pod, port));
            let fails = at_home_by(pod, port).is_some_and(|home| {
                home.name != failing.container.spec.name
                    && containers(pod).any(|other| std::ptr::eq(other.spec, home) && down(view, &other))
            });
            // Why the other container does not listen is told of itself.
            if fails { found.symptom() } else { found }
        }
        Some((target, Standing::Outside)) if alias(pod, &target.host).is_some() => {
            let name = alias(pod, &target.host)?;
            let service = view.get::<Service>(own, name);
            let real = service.map(|service| format!("; Service {name} is at {}", service.spec.cluster_ip));
            let real = real.unwrap_or_default();
            let found = finding(&target, format!("hostAliases of the pod give this address to {name}{real}"));
            let quote = format!("ip: {}, hostnames: [{name}]", target.host);
            failing.edit(view, found.field(&failing.pod(), "spec.hostAliases", quote), "correct or remove the alias")
        }
        Some((target, Standing::Outside)) => {
            let finding =
                finding(&target, "no Service or pod of this cluster that was read has this address".to_owned());
            failing.read_log(
                finding.unknown(format!("whether {} works: it is not in what was read of the cluster", target.host)),
            )
        }
        None => {
            let finding = failing.finding(
                view,
                stage,
                format!("{}: a connection {how}: {}", failing.happens(), telling(&failing.text, 160)),
            );
            failing.read_log(finding.unknown("to what it connects: neither the line nor a variable names it"))
        }
    })
}

/// What to say of a connection to a Service, with the finding that it goes into.
fn of_service(
    view: &View<'_>,
    failing: &Failing<'_>,
    target: &Target,
    service: &Service,
    slow: bool,
    finding: impl Fn(&Target, String) -> Finding,
) -> Finding {
    let (why, blamed) = verdict(view, service, failing.namespace(), target.port);
    let ended = failing.container.ended().and_then(|ended| *ended.finished_at);
    let late = blamed && ready_since(view, service, ended);
    let why =
        if late { why.replace("none of which takes the connection", "ready only since this attempt") } else { why };
    let object = service.object_ref();
    let elsewhere = target.port.filter(|_| blamed && !late && !slow).and_then(|port| elsewhere(view, service, port));
    let why = elsewhere.as_ref().map_or(why, |found| format!("Service {} {}", object.name, found.text));
    let found =
        finding(target, why).look("see the Service and its endpoints", &object, &["describe", "service", &object.name]);
    let found = if late { found.unknown("whether the next start succeeds") } else { found };
    let found = match &elsewhere {
        Some(elsewhere) => lead_there(found, &object, elsewhere),
        None => found,
    };
    if blamed { found.culprit(object) } else { failing.edit(view, found, "correct the port") }
}

/// The name to which the pod's own `hostAliases` give an address.
fn alias<'a>(pod: &'a Pod, address: &str) -> Option<&'a str> {
    let given = pod.spec.host_aliases.iter().find(|alias| alias.ip == address)?;
    given.hostnames.first().map(String::as_str)
}

/// Adds what the server says of its port, and how the Service would lead there.
fn lead_there(finding: Finding, service: &ObjectRef, elsewhere: &Elsewhere<'_>) -> Finding {
    let finding = match &elsewhere.line {
        Some((log, line)) => finding.log(log, line),
        None => finding,
    };
    let Some(right) = elsewhere.right else { return finding };
    let patch = target_port_patch(elsewhere.index, &right.to_string());
    let words = ["patch", "service", &service.name, "--type=json", "-p", &patch];
    finding.fix("send it to the port that the program listens on", service, &words)
}

/// The container of the pod that declares a port.
fn at_home_by(pod: &Pod, port: Option<i64>) -> Option<&Container> {
    let declares = |container: &&Container| {
        port.is_some() && container.ports.iter().any(|declared| Some(declared.container_port) == port)
    };
    pod.spec.all_containers().find(declares)
}

/// Whether a container ends badly itself.
fn down(view: &View<'_>, container: &Running<'_>) -> bool {
    container.ended().is_some_and(|ended| ended.exit_code != 0) && failing(view, container)
}

/// What to say of a connection to the pod itself.
fn at_home(view: &View<'_>, pod: &Pod, port: Option<i64>) -> String {
    if let Some(container) = at_home_by(pod, port) {
        return format!("that is the pod itself, where container {} does not listen (yet)", container.name);
    }
    let services: Vec<String> = view
        .within::<Service>(&pod.metadata.namespace)
        .iter()
        .filter(|service| service.spec.ports.iter().any(|known| Some(known.port) == port))
        .map(|service| service.metadata.name.clone())
        .collect();
    if services.is_empty() {
        return "that is the pod itself, where nothing listens".to_owned();
    }
    format!("that is the pod itself, where nothing listens; Service {} has this port", list(&services))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = r#"
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {containers: [{name: app, env: [{name: DB_URL, value: 'postgres://db:5432/shop'}]}]}
status:
  phase: Running
  containerStatuses:
  - {name: app, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {reason: Error, exitCode: 1, finishedAt: '2026-01-01T11:59:00Z'}}}
---
kind: Service
metadata: {name: db, namespace: shop}
spec: {clusterIP: 10.96.0.7, selector: {app: db}, ports: [{port: 5432}]}
---
kind: EndpointSlice
metadata: {name: db-1, namespace: shop, labels: {kubernetes.io/service-name: db}}
endpoints: [ENDPOINTS]
---
kind: Log
namespace: shop
pod: web-1
container: app
lines: [starting, "FATAL LINE"]
"#;

    fn pod(line: &str, endpoints: &str) -> String {
        POD.replace("LINE", line).replace("[ENDPOINTS]", endpoints)
    }

    #[test]
    fn a_service_without_endpoints() {
        let says = "critical Pod shop/web-1: container app exits 1: its connection to";
        let why = "is refused: Service db has no ready endpoint <- Service shop/db";
        check(
            &super::DETECTOR,
            &pod("dial tcp 10.96.0.7:5432: connect: connection refused", "[]"),
            &format!("{says} 10.96.0.7:5432 {why}"),
        );
        check(
            &super::DETECTOR,
            &pod("cannot reach db:5432: connection refused", "[]"),
            &format!("{says} db:5432 {why}"),
        );
        check(
            &super::DETECTOR,
            &pod("wget: can't connect to remote host (10.96.0.7): Connection refused", "[]"),
            &format!("{says} 10.96.0.7:5432 {why}"),
        );
        check(
            &super::DETECTOR,
            &pod("database refused the connection: ECONNREFUSED", "[]"),
            &format!("{says} db:5432 {why}"),
        );
    }

    #[test]
    fn a_service_that_has_endpoints() {
        check(
            &super::DETECTOR,
            &pod("dial tcp 10.96.0.7:5432: i/o timeout", "[{addresses: [10.0.0.1]}]"),
            "critical Pod shop/web-1: container app exits 1: its connection to 10.96.0.7:5432 times out: Service db has 1 ready endpoint, none of which takes the connection <- Service shop/db",
        );
    }

    #[test]
    fn a_service_that_leads_to_another_port_than_its_server_says() {
        let server = "
---
kind: Pod
metadata: {name: db-0, namespace: shop, labels: {app: db}}
spec: {containers: [{name: pg}]}
status: {phase: Running, conditions: [{type: Ready, status: 'True'}], containerStatuses: [{name: pg, ready: true, state: {running: {}}}]}
---
kind: Log
namespace: shop
pod: db-0
container: pg
lines: ['listening on IPv4 address \"0.0.0.0\", port HEARD']
";
        let yaml = pod("dial tcp 10.96.0.7:5432: connect: connection refused", "[{addresses: [10.0.0.1]}]");
        let yaml = yaml + server;
        let says =
            "critical Pod shop/web-1: container app exits 1: its connection to 10.96.0.7:5432 is refused: Service db";
        check(
            &super::DETECTOR,
            &yaml.replace("HEARD", "5433"),
            &format!(
                "{says} sends port 5432 to port 5432 of its pods; the program listens on port 5433 (its log says so) <- Service shop/db"
            ),
        );
        check(
            &super::DETECTOR,
            &yaml.replace("HEARD", "5432"),
            &format!("{says} has 1 ready endpoint, none of which takes the connection <- Service shop/db"),
        );
    }

    #[test]
    fn its_own_address_and_one_outside() {
        check(
            &super::DETECTOR,
            &pod("connect ECONNREFUSED 127.0.0.1:5432", "[]"),
            "critical Pod shop/web-1: container app exits 1: its connection to 127.0.0.1:5432 is refused: that is the pod itself, where nothing listens; Service db has this port",
        );
        check(
            &super::DETECTOR,
            &pod("connect to api.example.com:443: connection refused", "[]"),
            "critical Pod shop/web-1: container app exits 1: its connection to api.example.com:443 is refused: no Service or pod of this cluster that was read has this address",
        );
    }

    #[test]
    fn a_sidecar_that_is_down_itself() {
        let proxy = |state: &str| {
            let status = format!("containerStatuses:\n  - {{name: proxy, restartCount: 3, {state}}}");
            pod("connect ECONNREFUSED 127.0.0.1:5432", "[]")
                .replace("{containers: [", "{containers: [{name: proxy, ports: [{containerPort: 5432}]}, ")
                .replace("containerStatuses:", &status)
        };
        let killed = proxy(
            "state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {reason: OOMKilled, exitCode: 137, finishedAt: '2026-01-01T11:59:00Z'}}",
        );
        let well = proxy("ready: true, state: {running: {startedAt: '2026-01-01T08:00:00Z'}}");
        for (yaml, symptom) in [(killed, true), (well, false)] {
            check(
                &super::DETECTOR,
                &yaml,
                "critical Pod shop/web-1: container app exits 1: its connection to 127.0.0.1:5432 is refused: that is the pod itself, where container proxy does not listen (yet)",
            );
            let snapshot = crate::detect::testing::snapshot(&yaml);
            let found = (super::DETECTOR.run)(&crate::graph::build(&snapshot));
            assert!(found.iter().all(|finding| finding.symptom == symptom), "{found:?}");
        }
    }

    #[test]
    fn an_address_that_the_pod_itself_gives_to_a_name() {
        let yaml = pod("dial tcp 10.9.9.9:5432: connect: connection refused", "[{addresses: [10.0.0.1]}]");
        check(
            &super::DETECTOR,
            &yaml.replace("spec: {containers", "spec: {hostAliases: [{ip: 10.9.9.9, hostnames: [db]}], containers"),
            "critical Pod shop/web-1: container app exits 1: its connection to 10.9.9.9:5432 is refused: hostAliases of the pod give this address to db; Service db is at 10.96.0.7",
        );
    }

    #[test]
    fn a_retry_that_succeeded() {
        check(
            &super::DETECTOR,
            &pod("cannot load plugin x", "[]").replace("starting", "'INFO db:5432 connection refused, retrying'"),
            "",
        );
    }
}
