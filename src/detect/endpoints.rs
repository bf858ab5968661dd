//! What stands behind a Service: its pods and workloads, the port it leads to in each, and which
//! pods it was probably meant for.
//!
//! *Invariant:* pure; says what the objects say. Declared container ports are informative only, so
//! a port counts as served when anything in the pod's spec speaks of its number.

use super::prelude::*;
use crate::model::kinds::{ContainerPort, IntOrString};
use crate::model::selector::{labels, subset};

/// Labels that controllers put on single pods; no template carries them.
const MADE: &[&str] = &[
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "pod-template-hash",
    "controller-revision-hash",
    "batch.kubernetes.io/job-name",
    "job-name",
];
/// Labels that say what a pod is, in the order of what people mean by it.
const IDENTITY: &[&str] = &["app.kubernetes.io/name", "app", "k8s-app", "name"];
/// Values of a role that may well have no pod: a database without replicas.
const SPARE: &[&str] = &["replica", "replicas", "standby", "secondary", "slave", "readonly", "ro", "preview", "canary"];

/// What a Service's selector takes.
pub struct Behind<'a> {
    /// Pods that run or are about to: not deleted, not finished.
    pub pods: Vec<&'a Pod>,
    /// Workloads whose template carries the labels.
    pub workloads: Vec<Workload<'a>>,
}

impl Behind<'_> {
    /// How many pods are ready.
    pub fn ready(&self) -> usize {
        self.pods.iter().filter(|pod| pod.ready()).count()
    }

    /// Whether it is meant to have no pod: every workload is scaled to none.
    pub fn idle(&self) -> bool {
        self.pods.is_empty()
            && !self.workloads.is_empty()
            && self.workloads.iter().all(|workload| workload.desired == 0)
    }
}

/// What a Service's selector takes.
pub fn behind<'a>(view: &View<'a>, service: &Service) -> Behind<'a> {
    let mut found = Behind { pods: Vec::new(), workloads: Vec::new() };
    let object = service.object_ref();
    for (_, taken) in view.depends_on(&object).filter(|(edge, _)| *edge == Edge::Selector) {
        if taken.kind == Kind::Pod {
            let pod = view.get::<Pod>(taken.ns(), &taken.name);
            found.pods.extend(pod.filter(|pod| !pod.metadata.deleting() && !pod.finished()));
        } else {
            found.workloads.extend(view.workload(taken));
        }
    }
    found
}

/// The Service of the cluster that an ExternalName Service stands for; any other Service is itself.
pub fn stands_for<'a>(view: &View<'a>, service: &'a Service) -> &'a Service {
    const MOST: usize = 8;
    let mut found = service;
    for _ in 0..MOST {
        let mut labels = found.spec.external_name.trim_end_matches('.').split('.');
        let (Some(name), Some(namespace), Some("svc"), Some(_)) =
            (labels.next(), labels.next(), labels.next(), labels.next())
        else {
            break;
        };
        match view.get::<Service>(namespace, name).filter(|_| found.spec.kind == "ExternalName") {
            Some(next) => found = next,
            None => break,
        }
    }
    found
}

/// Whether something leads to a Service: an Ingress, a route, a webhook, an aggregated API.
pub fn leads<'v>(view: &'v View<'_>, service: &ObjectRef) -> Option<&'v ObjectRef> {
    view.dependents(service).find(|(edge, _)| matches!(edge, Edge::Backend | Edge::Server)).map(|(_, from)| from)
}

/// The ports that the containers of a pod declare, sidecars among them.
pub fn declared(spec: &PodSpec) -> impl Iterator<Item = (&Container, &ContainerPort)> {
    let sidecars = spec.init_containers.iter().filter(|container| container.restart_policy == "Always");
    spec.containers
        .iter()
        .chain(sidecars)
        .flat_map(|container| container.ports.iter().map(move |port| (container, port)))
}

/// Declared ports for people: `http (8080)`, `9090`.
pub fn declared_text(spec: &PodSpec) -> String {
    let mut texts: Vec<String> = declared(spec)
        .map(|(_, port)| {
            if port.name.is_empty() {
                port.container_port.to_string()
            } else {
                format!("{} ({})", port.name, port.container_port)
            }
        })
        .collect();
    texts.dedup();
    list(&texts)
}

/// The protocol of a port; `TCP` where none is given.
pub fn protocol(given: &str) -> &str {
    if given.is_empty() { "TCP" } else { given }
}

/// Where a Service's port leads: a number, or a name that each pod has for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// The same number in all pods.
    Number(i64),
    /// A name.
    Name(&'a str),
}

/// Where a Service's port leads.
pub fn target(port: &ServicePort) -> Target<'_> {
    match &port.target_port {
        Some(IntOrString::Int(number)) if *number != 0 => Target::Number(*number),
        Some(IntOrString::Text(text)) if !text.is_empty() => text.parse().map_or(Target::Name(text), Target::Number),
        _ => Target::Number(port.port),
    }
}

/// The number in this pod that a Service's port leads to; none where no container has the name.
pub fn resolve(port: &ServicePort, spec: &PodSpec) -> Option<i64> {
    match target(port) {
        Target::Number(number) => Some(number),
        Target::Name(name) => declared(spec)
            .find(|(_, p)| p.name == name && protocol(&p.protocol) == protocol(&port.protocol))
            .map(|(_, p)| p.container_port),
    }
}

/// The JSON patch that gives a Service's port (by its index) this targetPort, in JSON.
pub fn target_port_patch(index: usize, value: &str) -> String {
    format!(r#"[{{"op":"replace","path":"/spec/ports/{index}/targetPort","value":{value}}}]"#)
}

/// A Service's port for people: `port 80 (targetPort 8080)`.
pub fn port_text(port: &ServicePort) -> String {
    match target(port) {
        Target::Number(number) if number == port.port => format!("port {number}"),
        Target::Number(number) => format!("port {} (targetPort {number})", port.port),
        Target::Name(name) => format!("port {} (targetPort {name})", port.port),
    }
}

/// All ports of a Service for people.
pub fn ports_text(service: &Service) -> String {
    list(&service.spec.ports.iter().map(port_text).collect::<Vec<_>>())
}

/// Whether anything in a pod's spec speaks of this port: a declaration, a probe, an argument, a
/// variable.
pub fn speaks_of(spec: &PodSpec, port: i64) -> bool {
    declared(spec).any(|(_, declared)| declared.container_port == port)
        || spec
            .all_containers()
            .any(|container| probed(container).any(|number| number == port) || written(container, port))
}

fn probed(container: &Container) -> impl Iterator<Item = i64> {
    let probes = [&container.readiness_probe, &container.liveness_probe, &container.startup_probe];
    probes.into_iter().flatten().filter_map(|probe| {
        let http = probe.http_get.as_ref().and_then(|get| get.port.as_ref());
        match http.or_else(|| probe.tcp_socket.as_ref()?.port.as_ref()) {
            Some(IntOrString::Int(number)) => Some(*number),
            Some(IntOrString::Text(text)) => text.parse().ok(),
            None => probe.grpc.as_ref().map(|grpc| grpc.port),
        }
    })
}

/// Whether a number stands in a command, an argument or a variable, as a word of its own.
fn written(container: &Container, port: i64) -> bool {
    let port = port.to_string();
    let texts = container
        .command
        .iter()
        .chain(container.args.iter())
        .chain(container.env.iter().filter_map(|env| env.value.as_ref()));
    texts.flat_map(|text| text.split(|c: char| !c.is_ascii_digit())).any(|word| word == port)
}

/// What a pod or template is: `web` of `app=web`.
pub fn identity(labels: &Map) -> Option<&str> {
    IDENTITY.iter().find_map(|key| labels.get(key)).map(String::as_str)
}

/// The workload that a Service without pods was probably meant for.
pub struct Near {
    /// What it is called, for people: `Deployment web`.
    pub title: String,
    /// The part of the selector that is wrong: `app=web2`.
    pub wrong: String,
    /// What the pods carry instead: `app=web`.
    pub right: String,
    /// The selector as it should be, where each wrong label has one counterpart.
    pub selector: Map,
    /// Whether no other Service takes those pods, so that they can't be reached.
    pub alone: bool,
}

/// The workload that a Service without pods was probably meant for; none where several fit alike.
pub fn nearest(view: &View<'_>, service: &Service) -> Option<Near> {
    let namespace = service.metadata.namespace.as_str();
    let services = view.within::<Service>(namespace);
    let mut best: Vec<(usize, Near)> = Vec::new();
    for workload in
        view.workloads().filter(|w| w.meta.namespace == namespace && w.desired > 0 && w.object.kind != Kind::Job)
    {
        let title = format!("{} {}", workload.object.kind, workload.object.name);
        let Some((mut score, mut near)) = compare(service, workload.labels(), &workload.template.spec, title) else {
            continue;
        };
        score += 3 * usize::from(*workload.object.name == *service.metadata.name);
        near.alone = !services.iter().any(|other| other.selects() && subset(&other.spec.selector, workload.labels()));
        score += usize::from(near.alone);
        if near.alone || score > 1 {
            best.push((score, near));
        }
    }
    for pod in view
        .within::<Pod>(namespace)
        .iter()
        .filter(|pod| pod.metadata.controller().is_none() && !pod.finished() && !pod.metadata.deleting())
    {
        let Some((score, mut near)) =
            compare(service, &pod.metadata.labels, &pod.spec, format!("Pod {}", pod.metadata.name))
        else {
            continue;
        };
        near.alone = view.services_of(pod).is_empty();
        best.push((
            score + 3 * usize::from(pod.metadata.name == service.metadata.name) + usize::from(near.alone),
            near,
        ));
    }
    let top = best.iter().map(|(score, _)| *score).max()?;
    best.retain(|(score, _)| *score == top);
    match <[_; 1]>::try_from(best) {
        Ok([(_, near)]) => Some(near),
        Err(_) => None,
    }
}

/// How near these labels are to a selector; none where they have nothing in common. The same label
/// with quite another value counts only where the pods serve the Service's port.
fn compare(service: &Service, have: &Map, spec: &PodSpec, title: String) -> Option<(usize, Near)> {
    let (mut wrong, mut right, mut selector) = (Map::default(), Map::default(), service.spec.selector.clone());
    let mut score = 0;
    let serves = service
        .spec
        .ports
        .iter()
        .filter_map(|port| resolve(port, spec))
        .any(|number| declared(spec).any(|(_, port)| port.container_port == number));
    for (key, value) in &service.spec.selector {
        if have.get(key) == Some(value) {
            score += 2;
            continue;
        }
        wrong.insert(key.clone(), value.clone());
        selector.remove(key);
        let same_value =
            have.iter().find(|(other, theirs)| *theirs == value && !service.spec.selector.contains_key(other));
        let by_key = have.get_key_value(key);
        let close = by_key.is_some_and(|(_, theirs)| meant(value, std::iter::once(theirs.as_str())).is_some());
        let Some((key, theirs)) = by_key.filter(|_| close).or(same_value).or(by_key) else { continue };
        score += if close || same_value.is_some() { 2 } else { usize::from(serves) };
        right.insert(key.clone(), theirs.clone());
        selector.insert(key.clone(), theirs.clone());
    }
    let named = *service.metadata.name == *title.rsplit(' ').next().unwrap_or_default();
    if wrong.is_empty() || score == 0 && !named {
        return None;
    }
    let (wrong, right) = (labels(&wrong), if right.is_empty() { labels(have) } else { labels(&right) });
    Some((score, Near { title, wrong, right, selector, alone: false }))
}

/// Whether a Service may well have no pod at the moment: its labels are put on by a controller, or
/// its pods come from a CronJob.
pub fn waits(view: &View<'_>, service: &Service) -> bool {
    let selector = &service.spec.selector;
    let namespace = service.metadata.namespace.as_str();
    let spare = selector.values().any(|value| SPARE.contains(&value.as_str()));
    let made = selector.keys().any(|key| MADE.contains(&key.as_str()));
    let cron = view
        .within::<CronJob>(namespace)
        .iter()
        .any(|cron| subset(selector, &cron.spec.job_template.spec.template.metadata.labels));
    let job = view.within::<Job>(namespace).iter().any(|job| subset(selector, &job.spec.template.metadata.labels));
    spare || made || cron || job
}
