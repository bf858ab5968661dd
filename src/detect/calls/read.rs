//! Where a client's objects name a Service: environment, ConfigMaps, commands and arguments.
//!
//! *Invariant:* a host is read where it can be nothing else; what a host outside the cluster names is left out.

use std::collections::BTreeSet;

use super::script::{commands, prints};
use super::{Call, Client, Form, clients};
use crate::detect::addresses::{Named, host_stem, in_command, in_text, in_words, is_host, same_stem, speaks_of_others};
use crate::detect::prelude::*;
use crate::model::snapshot::ConfigValue;

/// The calls of a client, each Service and port once for each container.
pub(super) fn read_calls<'a>(view: &View<'a>, client: &Client<'a>) -> Vec<Call<'a>> {
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
                // `nc db.shop.svc 5432`: the host of a line is no second call beside the host with its port.
                found.retain(|other| {
                    other.container.name != call.container.name
                        || other.service != call.service
                        || other.path != call.path
                        || other.port.is_some()
                });
                found.push(call);
            }
        };
        for env in &container.env {
            let Some(value) = env.value.as_deref().filter(|value| !value.is_empty()) else { continue };
            let path = client.path(container, &format!("env[{}].value", env.name));
            variable(container, &env.name, value, &client.object, &path, &mut add);
        }
        in_config_maps(view, client, container, &mut add);
        in_commands(client, container, &mut add);
    }
    found
}

/// What ConfigMaps name: keys that become variables, and lines of files.
fn in_config_maps<'a>(view: &View<'a>, client: &Client<'a>, container: &'a Container, add: &mut impl FnMut(Call<'a>)) {
    let values = |map: &'a str| {
        let own = move |value: &&ConfigValue| value.namespace == client.namespace && value.name == map;
        view.snapshot.config_values.iter().filter(own)
    };
    for map in config_maps(container) {
        let at = ObjectRef::new(Kind::ConfigMap, client.namespace, map);
        for value in values(map) {
            variable(container, &value.key, &value.value, &at, &format!("data.{}", value.key), add);
        }
    }
    for map in mounted_maps(client.spec, container) {
        let at = ObjectRef::new(Kind::ConfigMap, client.namespace, map);
        for value in values(map) {
            for (line, done) in
                commands(&value.value).into_iter().filter(|(line, _)| !line.trim_start().starts_with(';'))
            {
                // Without a port a host in a file may be a name that the file itself defines.
                for target in in_text(&done).into_iter().filter(|target| target.port.is_some() && !target.implied) {
                    add(Call::new(container, &at, format!("data[{}]", value.key), line.trim(), target));
                }
            }
        }
    }
}

/// The hosts that a command and its arguments name.
pub fn named_in(command: &[&str]) -> Vec<Named> {
    if command.first().is_some_and(|program| prints(program)) {
        return Vec::new();
    }
    let lines = command.iter().flat_map(|item| commands(item));
    let mut found: Vec<Named> = lines.flat_map(|(_, done)| in_command(&done)).collect();
    if command.len() > 1 && !command.iter().any(|word| word.contains('\n')) {
        found.extend(in_words(command));
    }
    found
}

/// What the command and its arguments name.
fn in_commands<'a>(client: &Client<'a>, container: &'a Container, add: &mut impl FnMut(Call<'a>)) {
    let mut words = container.command.iter().chain(container.args.iter()).map(String::as_str);
    if words.next().is_some_and(prints) {
        return;
    }
    for (field, items) in [("command", &container.command), ("args", &container.args)] {
        for (index, item) in items.iter().enumerate() {
            let path = client.path(container, &format!("{field}[{index}]"));
            for (line, done) in commands(item) {
                for target in in_command(&done) {
                    add(Call::new(container, &client.object, path.clone(), line.trim(), target));
                }
            }
        }
    }
    // The program and its arguments may stand in one word each: `nc`, `-z`, `db`, `5432`.
    let words = container.command.iter().chain(container.args.iter()).map(String::as_str);
    let words: Vec<&str> = words.filter(|word| !word.contains('\n')).collect();
    if words.len() > 1 {
        for target in in_words(&words) {
            add(Call::new(container, &client.object, client.path(container, "command"), &words.join(" "), target));
        }
    }
}

/// The ConfigMaps that a container's environment comes from.
pub fn config_maps(container: &Container) -> BTreeSet<&str> {
    let whole = container.env_from.iter().filter_map(|from| from.config_map_ref.as_ref()).map(|map| map.name.as_str());
    let keys = container
        .env
        .iter()
        .filter_map(|env| env.value_from.as_ref()?.config_map_key_ref.as_ref())
        .map(|key| key.name.as_str());
    whole.chain(keys).collect()
}

/// The ConfigMaps that a container sees as files.
fn mounted_maps<'s>(spec: &'s PodSpec, container: &Container) -> BTreeSet<&'s str> {
    let mounted =
        spec.volumes.iter().filter(|volume| container.volume_mounts.iter().any(|mount| mount.name == volume.name));
    mounted.filter_map(|volume| volume.config_map.as_ref()).map(|map| map.name.as_str()).collect()
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
    if client.spec.aliases(host) {
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

/// ConfigMaps whose values may name Services: of workloads that fail first, and not many.
pub fn wanted_values(view: &View<'_>) -> Vec<Want> {
    const MOST: usize = 20;
    let mut clients = clients(view);
    clients.sort_by_key(|client| client.pods.iter().all(|pod| pod.ready()));
    let mut names = BTreeSet::new();
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
        let mut words = container.command.iter().chain(container.args.iter()).flat_map(|item| commands(item));
        env.or_else(|| {
            words
                .find(|(_, done)| !in_command(done).is_empty())
                .map(|(line, _)| (client.path(container, "command"), line.trim().to_owned()))
        })
    })
}
