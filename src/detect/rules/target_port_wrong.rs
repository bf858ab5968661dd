//! Services that lead to a port on which their pods don't listen.

use crate::detect::endpoints::{
    Target, behind, declared, declared_text, port_text, protocol, resolve, speaks_of, target, target_port_patch,
};
use crate::detect::prelude::*;
use crate::model::kinds::{ContainerPort, IntOrString};

pub(super) const DETECTOR: Detector = Detector {
    id: "target-port-wrong",
    summary: "Service's targetPort is not a port of its pods",
    group: Group::Network,
    reads: &[Kind::Service, Kind::Pod],
    wants: None,
    doc: r"## What it detects
A `targetPort` by name that no container of the selected pods has, or by number that is not among the
ports the pods declare while nothing else in their spec (probes, arguments, variables) speaks of it.
Also a port of the Service that is UDP while the pods are probed by HTTP there, or have the name for TCP
only; or TCP (the default) while the pods declare it for UDP only.

## Why it matters
With a name that no pod has the Service has no endpoint for the port; with a wrong number every
connection is refused. The pods are ready all the same.

## Evidence
`spec.ports` of the Service, and `ports` of the pods' containers.

## Look-alikes
- The client asks for a port that the Service does not have: `call-to-wrong-port`, or `ingress-port-missing`
  for an Ingress.
- The port is right and a policy drops the connection: `network-policy-isolates`. It times out then, where a
  wrong port is refused at once.
- Only one of two workloads behind the Service lacks the port: `service-selects-too-much`.
- Declared ports only inform. A program that listens on the number because a ConfigMap or its default says
  so, while the pods declare another port, makes this page wrong: ask with `kubectl port-forward pod/NAME`.

## What it does not see
Pods that declare no port at all are silent for a number, and so are headless Services with a number: their
clients choose the port. A number is reported only where the Service leads to none of the declared ports, or
the declared port has the Service port's name. All pods must agree, and one port of a Service is reported at
a time. Without a pod (scaled to zero) nothing is said. What a program really listens on is not asked. A server of
UDP whose declaration leaves the protocol out is silent, and so is a Service with a port for each protocol.

## What to do
Set `targetPort` to the port that the container listens on; the finding prints the patch where one port is
meant. `kubectl describe service NAME` shows ports and endpoints. Names are safer: they follow the pods.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let services = view.all::<Service>().iter().filter(|service| service.selects() && !service.metadata.deleting());
    services
        .flat_map(|service| {
            service
                .spec
                .ports
                .iter()
                .enumerate()
                .filter_map(|(index, port)| {
                    finding(view, service, index, port).or_else(|| other_protocol(view, service, index, port))
                })
                .take(1)
                .collect::<Vec<_>>()
        })
        .collect()
}

fn finding(view: &View<'_>, service: &Service, index: usize, port: &ServicePort) -> Option<Finding> {
    let object = service.object_ref();
    let found = behind(view, service);
    let pod = found.pods.first()?;
    let by_name = matches!(target(port), Target::Name(_));
    let wrong = |pod: &&Pod| match target(port) {
        Target::Name(name) => resolve(port, &pod.spec).is_none() && !declared(&pod.spec).any(|(_, p)| p.name == name),
        Target::Number(number) => declared(&pod.spec).next().is_some() && !speaks_of(&pod.spec, number),
    };
    // A second port that the pods don't declare is often only undeclared.
    let named = |port: &ServicePort| declared(&pod.spec).any(|(_, p)| !p.name.is_empty() && p.name == port.name);
    let others = service.spec.ports.iter().any(|other| {
        !std::ptr::eq(other, port)
            && resolve(other, &pod.spec).is_some_and(|n| declared(&pod.spec).any(|(_, p)| p.container_port == n))
    });
    if !found.pods.iter().all(wrong) || !by_name && (service.spec.cluster_ip == "None" || others && !named(port)) {
        return None;
    }
    let (container, right) = right_port(&pod.spec, port).unzip();
    let ports = declared_text(&pod.spec);
    let has = if ports.is_empty() { "declare no port".to_owned() } else { format!("listen on {ports}") };
    let what = match target(port) {
        Target::Name(name) => format!("targetPort {name}, a name that no port of its pods has; they {has}"),
        Target::Number(number) => format!("targetPort {number}, but its pods {has}"),
    };
    let summary = format!("Service {} sends port {} to {what}", object.name, port.port);
    let container = container
        .map_or_else(|| pod.spec.containers.first().map(|c| c.name.as_str()).unwrap_or_default(), |c| c.name.as_str());
    let quote = if ports.is_empty() {
        "ports: none".to_owned()
    } else {
        right.map_or_else(|| ports.clone(), |p| format!("name: {}, containerPort: {}", p.name, p.container_port))
    };
    let mut finding = Finding::new(object.clone(), Severity::Critical, Stage::Serve, summary)
        .key(port.port.to_string())
        .field(&object, format!("spec.ports[{index}]"), port_text(port))
        .field(&pod.object_ref(), format!("spec.containers[{container}].ports"), quote)
        .since(*service.metadata.creation_timestamp)
        .look("see the Service's ports and endpoints", &object, &["describe", "service", &object.name]);
    if let Some(right) = right {
        let value = if by_name && !right.name.is_empty() {
            format!("\"{}\"", right.name)
        } else {
            right.container_port.to_string()
        };
        let patch = target_port_patch(index, &value);
        finding = finding.fix(
            "send it to the port that the container listens on",
            &object,
            &["patch", "service", &object.name, "--type=json", "-p", &patch],
        );
    }
    Some(finding)
}

/// A port whose number or name is right, but which is of another protocol than what listens there.
fn other_protocol(view: &View<'_>, service: &Service, index: usize, port: &ServicePort) -> Option<Finding> {
    let object = service.object_ref();
    let found = behind(view, service);
    let pod = found.pods.first()?;
    let (container, right) =
        found.pods.iter().map(|pod| speaks_other(&pod.spec, service, port)).reduce(Option::and)??;
    let (asked, spoken) = (protocol(&port.protocol), protocol(&right.protocol));
    let summary = format!(
        "Service {} sends port {} by {asked} to port {} of its pods, which is served by {spoken}",
        object.name, port.port, right.container_port
    );
    let value = if port.protocol.is_empty() { "add" } else { "replace" };
    let patch = format!(r#"[{{"op":"{value}","path":"/spec/ports/{index}/protocol","value":"{spoken}"}}]"#);
    let mut finding = Finding::new(object.clone(), Severity::Critical, Stage::Serve, summary)
        .key(port.port.to_string())
        .field(&object, format!("spec.ports[{index}].protocol"), asked)
        .field(
            &pod.object_ref(),
            format!("spec.containers[{}].ports", container.name),
            format!("containerPort: {}, protocol: {spoken}", right.container_port),
        )
        .since(*service.metadata.creation_timestamp)
        .look("see the Service's ports and endpoints", &object, &["describe", "service", &object.name])
        .fix(
            &format!("send {spoken} there"),
            &object,
            &["patch", "service", &object.name, "--type=json", "-p", &patch],
        );
    if let Some(path) = asked_by_http(container, right) {
        finding = finding.field(&pod.object_ref(), format!("spec.containers[{}].{path}", container.name), "httpGet");
    }
    Some(finding)
}

/// The declared port of a pod that a Service's port leads to, where it surely speaks the other protocol.
fn speaks_other<'a>(
    spec: &'a PodSpec,
    service: &Service,
    port: &ServicePort,
) -> Option<(&'a Container, &'a ContainerPort)> {
    let asked = protocol(&port.protocol);
    let leads = |p: &ContainerPort| match target(port) {
        Target::Number(number) => p.container_port == number,
        Target::Name(name) => p.name == name,
    };
    let fits = declared(spec).any(|(_, p)| leads(p) && protocol(&p.protocol) == asked);
    let both =
        service.spec.ports.iter().any(|other| {
            protocol(&other.protocol) != asked && (other.port == port.port || target(other) == target(port))
        });
    let (container, right) = declared(spec).find(|(_, p)| leads(p)).filter(|_| !fits && !both)?;
    // A declaration only informs, and TCP is what it says where nothing is said.
    let sure = match (asked, protocol(&right.protocol)) {
        ("UDP", "TCP") => matches!(target(port), Target::Name(_)) || asked_by_http(container, right).is_some(),
        ("TCP", "UDP") => !asked_by_connection(container, right),
        _ => false,
    };
    sure.then_some((container, right))
}

fn probes(container: &Container) -> impl Iterator<Item = (&'static str, &Probe)> {
    [
        ("readinessProbe", &container.readiness_probe),
        ("livenessProbe", &container.liveness_probe),
        ("startupProbe", &container.startup_probe),
    ]
    .into_iter()
    .filter_map(|(path, probe)| Some((path, probe.as_deref()?)))
}

fn is_port(port: Option<&IntOrString>, declared: &ContainerPort) -> bool {
    match port {
        Some(IntOrString::Int(number)) => *number == declared.container_port,
        Some(IntOrString::Text(text)) => {
            !text.is_empty() && (*text == declared.name || text.parse() == Ok(declared.container_port))
        }
        None => false,
    }
}

/// The probe that asks a port by HTTP: whoever answers it speaks TCP.
fn asked_by_http(container: &Container, port: &ContainerPort) -> Option<&'static str> {
    probes(container)
        .find(|(_, probe)| probe.http_get.as_ref().is_some_and(|get| is_port(get.port.as_ref(), port)))
        .map(|(path, _)| path)
}

fn asked_by_connection(container: &Container, port: &ContainerPort) -> bool {
    asked_by_http(container, port).is_some()
        || probes(container).any(|(_, probe)| {
            probe.tcp_socket.as_ref().is_some_and(|tcp| is_port(tcp.port.as_ref(), port))
                || probe.grpc.as_ref().is_some_and(|grpc| grpc.port == port.container_port)
        })
}

/// The declared port that was probably meant: by a name like it, the Service port's name, or as the only one.
fn right_port<'a>(spec: &'a PodSpec, port: &ServicePort) -> Option<(&'a Container, &'a ContainerPort)> {
    let fitting: Vec<_> = declared(spec).filter(|(_, p)| protocol(&p.protocol) == protocol(&port.protocol)).collect();
    let wanted = match target(port) {
        Target::Name(name) => meant(name, fitting.iter().map(|(_, p)| p.name.as_str()).filter(|name| !name.is_empty())),
        Target::Number(_) => None,
    };
    let by = |name: &str| fitting.iter().copied().find(|(_, p)| p.name == name && !name.is_empty());
    wanted
        .and_then(by)
        .or_else(|| by(&port.name))
        .or_else(|| fitting.iter().copied().find(|(_, p)| p.container_port == port.port))
        .or_else(|| fitting.first().copied().filter(|_| fitting.len() == 1))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const WEB: &str = "
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: TARGET}], clusterIP: 10.96.0.7}
---
kind: Pod
metadata: {name: web-1, namespace: shop, labels: {app: web}}
spec: {containers: [{name: app, args: [ARGS], ports: PORTS}]}
status: {phase: Running, conditions: [{type: Ready, status: 'True'}]}
";

    #[track_caller]
    fn web(target: &str, ports: &str, args: &str, expected: &str) {
        check(&super::DETECTOR, &WEB.replace("TARGET", target).replace("PORTS", ports).replace("ARGS", args), expected);
    }

    #[test]
    fn a_name_that_no_container_has() {
        web(
            "http",
            "[{name: web, containerPort: 8080}]",
            "",
            "critical Service shop/web: Service web sends port 80 to targetPort http, a name that no port of its pods has; they listen on web (8080)",
        );
        web(
            "http",
            "[]",
            "",
            "critical Service shop/web: Service web sends port 80 to targetPort http, a name that no port of its pods has; they declare no port",
        );
    }

    #[test]
    fn a_number_that_is_another() {
        web(
            "8081",
            "[{containerPort: 8080}]",
            "",
            "critical Service shop/web: Service web sends port 80 to targetPort 8081, but its pods listen on 8080",
        );
    }

    #[test]
    fn fits() {
        web("8080", "[{containerPort: 8080}]", "", "");
        web("http", "[{name: http, containerPort: 8080}]", "", "");
    }

    #[test]
    fn undeclared_but_spoken_of() {
        web("8081", "[{name: metrics, containerPort: 9090}]", "'--port=8081'", "");
        web("8081", "[]", "", "");
        web("8081", "[{containerPort: 9090}], readinessProbe: {httpGet: {port: 8081}}", "", "");
        web("8080}, {port: 9102, targetPort: 9102", "[{containerPort: 8080}]", "", "");
    }

    #[test]
    fn the_other_protocol() {
        let probe = "[{name: http, containerPort: 8080}], readinessProbe: {httpGet: {port: http}}";
        web(
            "8080, protocol: UDP",
            probe,
            "",
            "critical Service shop/web: Service web sends port 80 by UDP to port 8080 of its pods, which is served by TCP",
        );
        web(
            "http, protocol: UDP",
            "[{name: http, containerPort: 8080}]",
            "",
            "critical Service shop/web: Service web sends port 80 by UDP to port 8080 of its pods, which is served by TCP",
        );
        web(
            "8125",
            "[{containerPort: 8125, protocol: UDP}]",
            "",
            "critical Service shop/web: Service web sends port 80 by TCP to port 8125 of its pods, which is served by UDP",
        );
    }

    #[test]
    fn a_protocol_that_may_be_right() {
        // The declaration leaves it out, and nothing asks there by HTTP.
        web("8125, protocol: UDP", "[{containerPort: 8125}]", "", "");
        web("53, protocol: UDP", "[{containerPort: 53, protocol: UDP}, {containerPort: 53, protocol: TCP}]", "", "");
        web("53, protocol: UDP}, {port: 53, protocol: TCP", "[{containerPort: 53, protocol: UDP}]", "", "");
        web("53", "[{containerPort: 53, protocol: UDP}], livenessProbe: {tcpSocket: {port: 53}}", "", "");
    }
}
