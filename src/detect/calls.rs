//! What calls which Service: names of Services in a workload's environment, commands and arguments.
//!
//! *Invariant:* pure. A call is what the objects say; whether it is a fault is judged here once, for
//! all detectors, so that they never contradict each other. What only looks like a name (a bare word
//! that no Service has) is a fault only with a failing container or a complaining log line.

use std::collections::HashMap;

use super::addresses::{Named, host_stem, in_command, in_text, in_words, is_host, same_stem, speaks_of_others};
use super::endpoints::{Target, target};
use super::prelude::*;
use crate::model::Resource;
use crate::model::selector::subset;

/// A workload, or a pod on its own, that has live pods.
#[derive(Clone)]
pub struct Client<'a> {
    /// What it is called.
    pub object: ObjectRef,
    /// Its namespace.
    pub namespace: &'a str,
    /// What its pods look like.
    pub spec: &'a PodSpec,
    /// Their labels.
    pub labels: &'a Map,
    /// Those that live.
    pub pods: Vec<&'a Pod>,
    /// The path of the pods' spec in the object.
    prefix: &'static str,
}

/// A place that names a Service.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// The container.
    pub container: &'a Container,
    /// The object in which it stands.
    pub at: ObjectRef,
    /// The field.
    pub path: String,
    /// What stands there, word for word.
    pub quote: String,
    /// The variable, where it stands in one.
    pub variable: Option<&'a str>,
    /// The variable with the port, where that is another one.
    pub port_variable: Option<&'a str>,
    /// The host as it is written.
    pub host: String,
    /// The port.
    pub port: Option<i64>,
    /// Whether the port is not written but the scheme's.
    pub implied: bool,
    /// How the Service is named.
    pub form: Form,
    /// The Service.
    pub service: ObjectRef,
}

/// How a Service is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `db`: in the pod's own namespace.
    Bare,
    /// `db.shop`, where namespace `shop` exists.
    Namespaced,
    /// `db.shop`, where no such namespace exists, but one with nearly that name.
    Guessed,
    /// `db.shop.svc` or more: nothing else can be meant.
    Full,
    /// `db-0.db`: one pod of a headless Service.
    Member,
}

/// What is wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No Service of this name; the one that was probably meant.
    Unknown {
        /// It.
        meant: Option<ObjectRef>,
    },
    /// The Service is in other namespaces only.
    Elsewhere {
        /// They.
        namespaces: Vec<String>,
    },
    /// The Service doesn't have the port.
    WrongPort,
}

impl<'a> Client<'a> {
    /// A workload with its live pods, if there are any.
    fn of_workload(view: &View<'a>, workload: Workload<'a>) -> Client<'a> {
        let live = |pod: &&Pod| !pod.metadata.deleting() && !pod.finished();
        Client {
            pods: view.pods_of(&workload.object).into_iter().filter(live).collect(),
            namespace: &workload.meta.namespace,
            spec: &workload.template.spec,
            labels: &workload.template.metadata.labels,
            object: workload.object,
            prefix: "spec.template.spec",
        }
    }

    /// A pod for itself.
    fn of_pod(pod: &'a Pod) -> Client<'a> {
        Client {
            object: pod.object_ref(),
            namespace: &pod.metadata.namespace,
            spec: &pod.spec,
            labels: &pod.metadata.labels,
            pods: vec![pod],
            prefix: "spec",
        }
    }
}

impl Client<'_> {
    /// The path of a field of its pods' spec.
    fn path(&self, container: &Container, field: &str) -> String {
        let list = if self.is_init(container) { "initContainers" } else { "containers" };
        format!("{}.{list}[{}].{field}", self.prefix, container.name)
    }

    /// Where a field of its pods' spec stands.
    pub fn place(&self, field: &str) -> (ObjectRef, String) {
        (self.object.clone(), format!("{}.{field}", self.prefix))
    }

    /// Whether a container runs before the others.
    pub fn is_init(&self, container: &Container) -> bool {
        self.spec.init_containers.iter().any(|init| std::ptr::eq(init, container))
    }

    /// Whether a container of it was started and yet is not well, in one of the pods.
    pub fn ails(&self, container: &Container) -> bool {
        self.pods.iter().filter(|pod| !pod.ready()).any(|pod| {
            pod.status.all_statuses().filter(|status| status.name == container.name).any(|status| {
                let failed = |ended: &Option<Terminated>| ended.as_ref().is_some_and(|ended| ended.exit_code != 0);
                status.state.running.is_some() && !status.ready
                    || failed(&status.state.terminated)
                    || failed(&status.last_state.terminated)
            })
        })
    }

    /// Whether it has no ready pod.
    pub fn down(&self) -> bool {
        !self.pods.iter().any(|pod| pod.ready())
    }

    /// `Deployment web`.
    pub fn title(&self) -> String {
        format!("{} {}", self.object.kind, self.object.name)
    }

    /// When its oldest live pod began.
    pub fn since(&self) -> Option<Time> {
        self.pods.iter().filter_map(|pod| pod_since(pod)).min()
    }

    /// The log that tells most: of a pod that is not ready, else of the first.
    pub fn log_wants(&self, container: &Container) -> Option<Want> {
        let pod = self.pods.iter().find(|pod| !pod.ready()).or(self.pods.first())?;
        Some(Want::Log { pod: pod.object_ref(), container: container.name.clone(), previous: false })
    }
}

/// All that has live pods, by name.
pub fn clients<'a>(view: &View<'a>) -> Vec<Client<'a>> {
    let of_workloads = view.workloads().map(|workload| Client::of_workload(view, workload));
    let mut found: Vec<Client<'a>> = of_workloads.filter(|client| !client.pods.is_empty()).collect();
    let alone = view.shared(|| Alone(alone(view)));
    found.extend(alone.0.iter().filter_map(|index| view.all::<Pod>().get(*index)).map(Client::of_pod));
    found
}

/// Pods that no workload stands for, by number.
struct Alone(Vec<usize>);

/// Pods of their own, of CronJobs' jobs and of custom controllers: one stands for its siblings.
fn alone(view: &View<'_>) -> Vec<usize> {
    let mut found = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for (index, pod) in view.all::<Pod>().iter().enumerate() {
        if pod.metadata.deleting() || pod.finished() {
            continue;
        }
        let owner = pod.metadata.controller();
        let covered = match owner.map(|owner| owner.kind.as_str()) {
            Some("StatefulSet" | "DaemonSet") => true,
            Some("ReplicaSet") => {
                let set = owner.and_then(|owner| view.get::<ReplicaSet>(&pod.metadata.namespace, &owner.name));
                set.is_some_and(|set| set.metadata.controller().is_none_or(|owner| owner.kind == "Deployment"))
            }
            Some("Job") => owner.is_some_and(|owner| {
                !view.pods_of(&ObjectRef::new(Kind::Job, &pod.metadata.namespace, &owner.name)).is_empty()
            }),
            _ => false,
        };
        let first = owner.is_none_or(|owner| seen.insert((pod.metadata.namespace.as_str(), owner.name.as_str())));
        if !covered && first {
            found.push(index);
        }
    }
    found
}

/// The calls of a client, each Service and port once for each container.
pub fn calls<'a>(view: &View<'a>, client: &Client<'a>) -> Vec<Call<'a>> {
    let known = view.shared(|| {
        let all = clients(view).into_iter().map(|client| {
            let calls = read_calls(view, &client).iter().map(|call| Known::new(&client, call)).collect();
            (client.object, calls)
        });
        KnownCalls(all.filter(|(_, calls): &(_, Vec<Known>)| !calls.is_empty()).collect())
    });
    known.0.get(&client.object).into_iter().flatten().filter_map(|call| call.within(client)).collect()
}

/// The calls of all clients that make any, read once for all detectors.
struct KnownCalls(HashMap<ObjectRef, Vec<Known>>);

/// A call, with numbers in the place of what it borrows from the snapshot.
struct Known {
    container: usize,
    variable: Option<usize>,
    port_variable: Option<usize>,
    at: ObjectRef,
    path: String,
    quote: String,
    host: String,
    port: Option<i64>,
    implied: bool,
    form: Form,
    service: ObjectRef,
}

impl Known {
    fn new(client: &Client<'_>, call: &Call<'_>) -> Known {
        let number = |name: Option<&str>| call.container.env.iter().position(|env| Some(env.name.as_str()) == name);
        let same = |container: &Container| std::ptr::eq(container, call.container);
        Known {
            container: client.spec.all_containers().position(same).unwrap_or_default(),
            variable: number(call.variable),
            port_variable: number(call.port_variable),
            at: call.at.clone(),
            path: call.path.clone(),
            quote: call.quote.clone(),
            host: call.host.clone(),
            port: call.port,
            implied: call.implied,
            form: call.form,
            service: call.service.clone(),
        }
    }

    fn within<'a>(&self, client: &Client<'a>) -> Option<Call<'a>> {
        let container = client.spec.all_containers().nth(self.container)?;
        let name = |number: Option<usize>| number.and_then(|number| Some(container.env.get(number)?.name.as_str()));
        Some(Call {
            container,
            variable: name(self.variable),
            port_variable: name(self.port_variable),
            at: self.at.clone(),
            path: self.path.clone(),
            quote: self.quote.clone(),
            host: self.host.clone(),
            port: self.port,
            implied: self.implied,
            form: self.form,
            service: self.service.clone(),
        })
    }
}

fn read_calls<'a>(view: &View<'a>, client: &Client<'a>) -> Vec<Call<'a>> {
    let mut found: Vec<Call<'a>> = Vec::new();
    for container in client.spec.all_containers() {
        let mut add = |mut call: Call<'a>| {
            let Some((form, service)) = name_of(view, client, &call.host) else { return };
            (call.form, call.service) = (form, service);
            let same = |other: &Call<'_>| {
                other.container.name == call.container.name
                    && other.service == call.service
                    && (other.port == call.port || call.port.is_none())
            };
            if !found.iter().any(same) {
                found.push(call);
            }
        };
        for env in &container.env {
            let Some(value) = env.value.as_deref().filter(|value| !value.is_empty()) else { continue };
            let path = client.path(container, &format!("env[{}].value", env.name));
            variable(container, &env.name, value, &client.object, &path, &mut add);
        }
        for map in config_maps(container) {
            for value in view
                .snapshot
                .config_values
                .iter()
                .filter(|value| value.namespace == client.namespace && value.name == map)
            {
                let at = ObjectRef::new(Kind::ConfigMap, client.namespace, map);
                variable(container, &value.key, &value.value, &at, &format!("data.{}", value.key), &mut add);
            }
        }
        for map in mounted_maps(client.spec, container) {
            for value in view
                .snapshot
                .config_values
                .iter()
                .filter(|value| value.namespace == client.namespace && value.name == map)
            {
                let at = ObjectRef::new(Kind::ConfigMap, client.namespace, map);
                for line in value.value.lines().filter(|line| !line.trim_start().starts_with(['#', ';'])) {
                    // Without a port a host in a file may be a name that the file itself defines.
                    for target in in_text(line).into_iter().filter(|target| target.port.is_some() && !target.implied) {
                        add(Call::new(container, &at, format!("data[{}]", value.key), line.trim(), target));
                    }
                }
            }
        }
        for (field, items) in [("command", &container.command), ("args", &container.args)] {
            for (index, item) in items.iter().enumerate() {
                for line in item.lines().filter(|line| !line.trim_start().starts_with('#')) {
                    for target in in_command(line) {
                        add(Call::new(
                            container,
                            &client.object,
                            client.path(container, &format!("{field}[{index}]")),
                            line.trim(),
                            target,
                        ));
                    }
                }
            }
        }
        // The program and its arguments may stand in one word each: `nc`, `-z`, `db`, `5432`.
        let words: Vec<&str> = container
            .command
            .iter()
            .chain(container.args.iter())
            .map(String::as_str)
            .filter(|word| !word.contains('\n'))
            .collect();
        if words.len() > 1 {
            for target in in_words(&words) {
                add(Call::new(container, &client.object, client.path(container, "command"), &words.join(" "), target));
            }
        }
    }
    found
}

/// The ConfigMaps that a container's environment comes from.
pub fn config_maps(container: &Container) -> std::collections::BTreeSet<&str> {
    let whole = container.env_from.iter().filter_map(|from| from.config_map_ref.as_ref()).map(|map| map.name.as_str());
    let keys = container
        .env
        .iter()
        .filter_map(|env| env.value_from.as_ref()?.config_map_key_ref.as_ref())
        .map(|key| key.name.as_str());
    whole.chain(keys).collect()
}

/// The ConfigMaps that a container sees as files.
fn mounted_maps<'s>(spec: &'s PodSpec, container: &Container) -> std::collections::BTreeSet<&'s str> {
    let mounted =
        spec.volumes.iter().filter(|volume| container.volume_mounts.iter().any(|mount| mount.name == volume.name));
    mounted.filter_map(|volume| volume.config_map.as_ref()).map(|map| map.name.as_str()).collect()
}

/// ConfigMaps whose values may name Services: of workloads that fail first, and not many.
pub fn wanted_values(view: &View<'_>) -> Vec<Want> {
    const MOST: usize = 20;
    let mut clients = clients(view);
    clients.sort_by_key(|client| client.pods.iter().all(|pod| pod.ready()));
    let mut names = std::collections::BTreeSet::new();
    for client in &clients {
        for container in client.spec.all_containers() {
            let addressed = |map: &&str| {
                view.get::<ConfigMap>(client.namespace, map)
                    .is_some_and(|map| map.keys().any(|key| host_stem(key).is_some()))
            };
            let small =
                |map: &&str| view.get::<ConfigMap>(client.namespace, map).is_some_and(|map| map.data.0.len() <= 8);
            for map in config_maps(container)
                .into_iter()
                .filter(addressed)
                .chain(mounted_maps(client.spec, container).into_iter().filter(small))
            {
                if names.len() < MOST && map != "kube-root-ca.crt" {
                    names.insert((client.namespace, map));
                }
            }
        }
    }
    names
        .into_iter()
        .map(|(namespace, name)| Want::ConfigValues { namespace: namespace.to_owned(), name: name.to_owned() })
        .collect()
}

/// The first host that a client's environment, commands or arguments name, in or outside the
/// cluster: the field and what stands there.
pub fn named_host(client: &Client<'_>) -> Option<(String, String)> {
    client.spec.all_containers().find_map(|container| {
        let env = container.env.iter().filter(|env| speaks_of_others(&env.name)).find_map(|env| {
            let value = env.value.as_deref()?;
            let host = !in_text(value).is_empty() || host_stem(&env.name).is_some() && is_host(value);
            host.then(|| (client.path(container, &format!("env[{}].value", env.name)), value.to_owned()))
        });
        let mut words = container.command.iter().chain(container.args.iter()).flat_map(|item| item.lines());
        env.or_else(|| {
            words
                .find(|line| !in_command(line).is_empty())
                .map(|line| (client.path(container, "command"), line.trim().to_owned()))
        })
    })
}

impl<'a> Call<'a> {
    fn new(container: &'a Container, at: &ObjectRef, path: String, quote: &str, target: Named) -> Call<'a> {
        let Named { host, port, implied } = target;
        let service = ObjectRef::new(Kind::Service, "", "");
        Call {
            container,
            at: at.clone(),
            path,
            quote: quote.to_owned(),
            variable: None,
            port_variable: None,
            host,
            port,
            implied,
            form: Form::Bare,
            service,
        }
    }

    /// Who names what, for people: `container app of Deployment web has RATES_URL=http://rates:8080`.
    pub fn sentence(&self, client: &Client<'_>) -> String {
        let kind = if client.is_init(self.container) { "init container" } else { "container" };
        let port = self.port.filter(|_| !self.implied).map(|port| format!(":{port}")).unwrap_or_default();
        let what = match (self.variable, self.port_variable) {
            (Some(name), Some(other)) => {
                format!("has {name}={} and {other}={}", self.host, self.port.unwrap_or_default())
            }
            (Some(name), None) if self.quote.len() <= 80 => format!("has {name}={}", self.quote),
            (Some(name), None) => format!("has {}{port} in {name}", self.host),
            (None, _) if self.at.kind == Kind::ConfigMap => {
                format!("has {}{port} from ConfigMap {}", self.host, self.at.name)
            }
            (None, _) => format!("calls {}{port}", self.host),
        };
        format!("{kind} {} of {} {what}", self.container.name, client.title())
    }

    /// The variable's value with another host or port; none where it stands elsewhere.
    pub fn replaced(&self, from: &str, to: &str) -> Option<String> {
        let variable =
            self.variable.filter(|_| self.at.kind != Kind::ConfigMap && !self.quote.contains("<redacted"))?;
        let value = self.quote.replacen(from, to, 1);
        (value != self.quote).then(|| format!("{variable}={value}"))
    }
}

/// Reads one variable: addresses in its value, or a host by its name, with the port of its sibling.
fn variable<'a>(
    container: &'a Container,
    name: &str,
    value: &str,
    at: &ObjectRef,
    path: &str,
    add: &mut impl FnMut(Call<'a>),
) {
    if !speaks_of_others(name) {
        return;
    }
    let expanded = expand(container, value);
    // A variable of a ConfigMap is not the container's own to set.
    let known = container.env.iter().find(|env| env.name == name).map(|env| env.name.as_str());
    let stem = host_stem(name);
    let sibling = stem.and_then(|stem| container.env.iter().find(|env| same_stem(&env.name, stem)));
    let port = sibling.and_then(|env| env.value.as_deref()?.parse().ok()).filter(|port| (1..=65535).contains(port));
    let mut targets = in_text(&expanded);
    if targets.is_empty() && stem.is_some() && is_host(&expanded) {
        targets.push(Named { host: expanded.trim_end_matches('.').to_owned(), port: None, implied: false });
    }
    for target in targets {
        let pair = target.port.is_none() && port.is_some();
        let target = Named { port: target.port.or(port), ..target };
        let port_variable = sibling.filter(|_| pair).map(|env| env.name.as_str());
        add(Call { variable: known, port_variable, ..Call::new(container, at, path.to_owned(), value, target) });
    }
}

/// Puts literal variables in the place of `$(NAME)`; what is not known stays a `$`, which no host has.
fn expand(container: &Container, value: &str) -> String {
    let mut parts = value.split("$(");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let Some((name, rest)) = part.split_once(')') else {
            out.push('$');
            out.push_str(part);
            continue;
        };
        let literal = container.env.iter().find(|env| env.name == name).and_then(|env| env.value.as_deref());
        out.push_str(literal.filter(|literal| !literal.contains("$(")).unwrap_or("$"));
        out.push_str(rest);
    }
    out
}

/// Which Service a host names; none where it is a host outside, or can't be told.
fn name_of(view: &View<'_>, client: &Client<'_>, host: &str) -> Option<(Form, ObjectRef)> {
    if client.spec.host_aliases.iter().any(|alias| alias.hostnames.iter().any(|name| name == host)) {
        return None;
    }
    let service = |namespace: &str, name: &str| ObjectRef::new(Kind::Service, namespace, name);
    let has_namespace = |name: &str| {
        name == client.namespace || view.existence(&ObjectRef::new(Kind::Namespace, "", name)) == Existence::Present
    };
    let labels: Vec<&str> = host.split('.').collect();
    match labels.as_slice() {
        [name] => Some((Form::Bare, service(client.namespace, name))),
        [member, name] => {
            let own = view.get::<Service>(client.namespace, name);
            if has_namespace(name) && view.get::<Service>(name, member).is_some()
                || own.is_none_or(|own| own.spec.cluster_ip != "None") && has_namespace(name)
            {
                return Some((Form::Namespaced, service(name, member)));
            }
            if own.is_some() {
                return Some((Form::Member, service(client.namespace, name)));
            }
            let near = meant(name, view.all::<Namespace>().iter().map(|ns| ns.metadata.name.as_str()))?;
            view.get::<Service>(near, member).map(|_| (Form::Guessed, service(name, member)))
        }
        [name, namespace, "svc", rest @ ..] => {
            domain(view, rest, namespace, name).then(|| (Form::Full, service(namespace, name)))
        }
        [_, name, namespace, "svc", rest @ ..] => {
            domain(view, rest, namespace, name).then(|| (Form::Member, service(namespace, name)))
        }
        _ => None,
    }
}

/// Whether these labels are the cluster's domain: the usual one, or any where the Service is there.
fn domain(view: &View<'_>, labels: &[&str], namespace: &str, name: &str) -> bool {
    matches!(labels, [] | ["cluster"] | ["cluster", "local"]) || view.get::<Service>(namespace, name).is_some()
}

/// What is wrong with a call, as far as objects and logs prove it.
pub fn judge(view: &View<'_>, client: &Client<'_>, call: &Call<'_>) -> Option<Fault> {
    match view.existence(&call.service) {
        Existence::Unknown => None,
        Existence::Present => wrong_port(view, client, call).then_some(Fault::WrongPort),
        Existence::Absent => {
            let certain = matches!(call.form, Form::Full | Form::Namespaced)
                || call.form == Form::Member && call.host.contains(".svc");
            let close = near(view, client, call);
            let elsewhere = if call.form == Form::Bare { elsewhere(view, call) } else { Vec::new() };
            // A bare word that nothing resembles is told by a log line alone; one that resembles a
            // Service, by a container that fails as well.
            let resembles = close.is_some() || !elsewhere.is_empty();
            let told = complaint(view, client, call).is_some();
            let proven = certain || told || resembles && client.ails(call.container);
            if !proven {
                return None;
            }
            if elsewhere.is_empty() || close.is_some() && elsewhere.len() > 1 {
                Some(Fault::Unknown { meant: close })
            } else {
                Some(Fault::Elsewhere { namespaces: elsewhere })
            }
        }
    }
}

/// Whether a call looks wrong, so that a log is worth reading.
pub fn suspicious(view: &View<'_>, client: &Client<'_>, call: &Call<'_>) -> bool {
    match view.existence(&call.service) {
        Existence::Unknown => false,
        Existence::Present => wrong_port(view, client, call),
        Existence::Absent => match call.form {
            Form::Full | Form::Namespaced | Form::Guessed => true,
            // Outside a URL or a pair a bare word without a likeness is rarely a host.
            Form::Bare => {
                near(view, client, call).is_some()
                    || !elsewhere(view, call).is_empty()
                    || call.port.is_some() && client.ails(call.container)
            }
            Form::Member => false,
        },
    }
}

fn wrong_port(view: &View<'_>, client: &Client<'_>, call: &Call<'_>) -> bool {
    let (Some(service), Some(port)) = (view.get::<Service>(call.service.ns(), &call.service.name), call.port) else {
        return false;
    };
    let own = service.selects()
        && client.namespace == service.metadata.namespace
        && subset(&service.spec.selector, client.labels);
    let plain = call.form != Form::Member && service.spec.cluster_ip != "None" && service.spec.kind != "ExternalName";
    plain && !own && !service.spec.ports.is_empty() && !service.spec.ports.iter().any(|known| known.port == port)
}

/// The port of the Service that was probably meant: the one that leads to the called number, or the only one.
pub fn right_port<'s>(service: &'s Service, called: i64) -> Option<&'s ServicePort> {
    let leads = |port: &&'s ServicePort| target(port) == Target::Number(called) || port.node_port == Some(called);
    let only = || service.spec.ports.first().filter(|_| service.spec.ports.len() == 1);
    service.spec.ports.iter().find(leads).or_else(only)
}

/// The Service that was probably meant by a name that none has.
fn near(view: &View<'_>, client: &Client<'_>, call: &Call<'_>) -> Option<ObjectRef> {
    let (namespace, name) = (call.service.ns(), &*call.service.name);
    let in_namespace = |namespace: &str| {
        // Its own Service is not what a client means, and a port that is asked for tells two apart.
        let others = view.within::<Service>(namespace).iter().filter(|s| {
            !(s.selects() && s.metadata.namespace == client.namespace && subset(&s.spec.selector, client.labels))
        });
        let (fitting, rest): (Vec<&Service>, Vec<&Service>) =
            others.partition(|s| call.port.is_none_or(|port| s.spec.ports.iter().any(|p| p.port == port)));
        let close = |services: &[&Service]| {
            meant(name, services.iter().map(|s| s.metadata.name.as_str()))
                .map(|name| ObjectRef::new(Kind::Service, namespace, name))
        };
        // `ledger-db` and `ledger-database` share no more than a word: enough for one Service with that port.
        let word = |s: &&&Service| shares_word(name, &s.metadata.name);
        let only = || {
            (call.port.is_some() && fitting.iter().filter(word).count() == 1)
                .then(|| fitting.iter().find(word))
                .flatten()
        };
        close(&fitting).or_else(|| close(&rest)).or_else(|| only().map(|s| s.object_ref()))
    };
    if call.form == Form::Bare
        || view.existence(&ObjectRef::new(Kind::Namespace, "", namespace)) == Existence::Present
        || namespace == client.namespace
    {
        return in_namespace(namespace);
    }
    let namespaces = view.all::<Namespace>().iter().map(|ns| ns.metadata.name.as_str());
    let near = meant(namespace, namespaces).filter(|near| view.get::<Service>(near, name).is_some());
    near.map(|near| ObjectRef::new(Kind::Service, near, name))
        .or_else(|| view.get::<Service>(client.namespace, name).map(Resource::object_ref))
}

/// Whether two names begin with the same word, one that says something.
fn shares_word(a: &str, b: &str) -> bool {
    let first = |name: &str| {
        name.split('-')
            .next()
            .filter(|word| word.len() >= 4 && !matches!(*word, "service" | "server" | "test" | "prod" | "main"))
            .map(str::to_owned)
    };
    first(a).is_some_and(|word| first(b) == Some(word))
}

fn elsewhere(view: &View<'_>, call: &Call<'_>) -> Vec<String> {
    let services = view
        .all::<Service>()
        .iter()
        .filter(|s| s.metadata.name == *call.service.name && s.metadata.namespace != call.service.ns());
    let fitting = services.filter(|s| {
        call.port.is_none_or(|port| s.spec.ports.iter().any(|p| p.port == port) || s.spec.cluster_ip == "None")
    });
    fitting.map(|s| s.metadata.namespace.clone()).collect()
}

/// The last line of the client's logs that names the callee and says that something failed.
pub fn complaint<'a>(view: &View<'a>, client: &Client<'_>, call: &Call<'_>) -> Option<(&'a LogTail, &'a str)> {
    let service = view.get::<Service>(call.service.ns(), &call.service.name);
    let address = service.map(|s| s.spec.cluster_ip.as_str()).filter(|ip| ip.len() > 4);
    let mut names = vec![call.host.as_str(), &*call.service.name];
    names.extend(address);
    let tells = |line: &&str| fails(line) && names.iter().any(|name| mentions(line, name));
    last_line(view, client, call.container, tells)
}

/// The last line of a container's logs, in any of the client's pods, for which `tells` holds.
pub fn last_line<'a>(
    view: &View<'a>,
    client: &Client<'_>,
    container: &Container,
    tells: impl Fn(&&str) -> bool,
) -> Option<(&'a LogTail, &'a str)> {
    client.pods.iter().find_map(|pod| {
        let logs = [false, true].map(|previous| view.snapshot.log(&pod.object_ref(), &container.name, previous));
        logs.into_iter()
            .flatten()
            .find_map(|log| log.lines.iter().rev().map(String::as_str).find(|line| tells(line)).map(|line| (log, line)))
    })
}

/// Whether a line says that something failed or is waited for.
fn fails(line: &str) -> bool {
    const WORDS: &[&str] = &[
        "error",
        "fail",
        "refused",
        "timeout",
        "timed out",
        "timedout",
        "deadline",
        "no such host",
        "not known",
        "could not",
        "couldn't",
        "cannot",
        "can't",
        "unable",
        "unreachable",
        "unresolv",
        "resolve",
        "nxdomain",
        "enotfound",
        "eai_again",
        "econnrefused",
        "no route",
        "not found",
        "bad address",
        "waiting for",
        "retry",
        "does not exist",
        "unknown host",
    ];
    let line = line.to_ascii_lowercase();
    WORDS.iter().any(|word| line.contains(word))
}

/// Whether a line says that a name could not be resolved.
pub fn unresolved(line: &str) -> bool {
    const WORDS: &[&str] = &[
        "no such host",
        "name or service not known",
        "not known",
        "could not resolve",
        "couldn't resolve",
        "cannot resolve",
        "can't resolve",
        "unable to resolve",
        "failed to resolve",
        "nxdomain",
        "enotfound",
        "eai_again",
        "bad address",
        "unknown host",
        "unknownhost",
        "getaddrinfo",
        "temporary failure in name resolution",
        "server misbehaving",
        "no servers could be reached",
        "lookup",
        "name resolution",
        "gaierror",
    ];
    let line = line.to_ascii_lowercase();
    WORDS.iter().any(|word| line.contains(word)) && fails(&line)
}

/// Whether a line holds a name as a word of its own.
fn mentions(line: &str, name: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    line.match_indices(name).any(|(at, _)| {
        let before = line.get(..at).and_then(|head| head.chars().next_back());
        let after = line.get(at + name.len()..).and_then(|tail| tail.chars().next());
        !before.is_some_and(|c| part(c) || c == '.') && !after.is_some_and(part)
    })
}

/// Whether a fault of a pod's calls is proven, so that detectors that read its log can stay silent.
pub fn provable(view: &View<'_>, pod: &Pod) -> bool {
    !wrong_calls(view, pod).is_empty()
}

/// The calls of a pod whose fault is proven: the host as it is written, and the Service that it means.
pub fn wrong_calls<'a>(view: &View<'a>, pod: &'a Pod) -> Vec<(String, ObjectRef)> {
    let client = match view.workload(&view.workload_of(pod)) {
        Some(workload) => Client::of_workload(view, workload),
        None => Client::of_pod(pod),
    };
    let wrong = read_calls(view, &client).into_iter().filter(|call| judge(view, &client, call).is_some());
    wrong.map(|call| (call.host, call.service)).collect()
}

/// The first log of each client that has a call which looks wrong.
pub fn wanted_logs(view: &View<'_>) -> Vec<Want> {
    let mut wants = Vec::new();
    for client in clients(view) {
        let calls = calls(view, &client);
        wants.extend(
            calls
                .iter()
                .filter(|call| suspicious(view, &client, call))
                .filter_map(|call| client.log_wants(call.container)),
        );
    }
    wants
}
