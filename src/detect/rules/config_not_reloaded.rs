//! Pods that still hold what a ConfigMap or Secret said when they started.

use std::collections::BTreeSet;

use crate::detect::config_uses::{Way, uses};
use crate::detect::logs::{Class, Fault, claimed};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "config-not-reloaded",
    summary: "A ConfigMap or Secret was edited after the pods read it",
    group: Group::Configuration,
    reads: &[Kind::Pod, Kind::ConfigMap],
    wants: None,
    doc: r"## What it detects
A running container that reads a key of a ConfigMap or Secret as environment, or as a file by `subPath`, where exactly
what it reads was edited within the last two hours and after the container started.

## Why it matters
Environment is read once, when a container starts, and a `subPath` file is never refreshed. The edit looks done, but the
program goes on with the old value.

## Evidence
The time of the edit in `metadata.managedFields`, which names the keys, and the start of the container. It is a warning,
but where the container is not ready and its log names what it is configured for (credentials, a host, a setting).

## Look-alikes
Field managers say which keys a client wrote, not which of them it changed: an edit that wrote the same value again
looks alike. Where an edit also wrote keys that the container does not read, nothing is reported. Whole volumes follow
edits by themselves within about a minute and are left out, and so are Jobs and workloads whose pods are being
replaced.

## What it does not see
Values: neither the old nor the new one is read. Edits older than two hours; keys that were taken away; clients that
own a dozen fields or more, whose list is cut. A program that reads a whole volume once and never looks again. A
ConfigMap that was deleted and made anew after the container's start. A program that reloads by an API of its own.

## What to do
`kubectl rollout restart` the workload. A hash of the configuration in the pod template's annotations, or an immutable
ConfigMap with a version in its name, makes each edit a rollout.",
    run,
};

/// Older edits have been lived with: whoever made them has looked, or does not mind.
const RECENT: i64 = 2 * 3600;

fn run(view: &View<'_>) -> Vec<Finding> {
    let edited = edited(view);
    let pods = view.live_pods().filter(|pod| edited.contains(pod.metadata.namespace.as_str()));
    pods.filter(|pod| !replaced(view, &view.workload_of(pod)))
        .flat_map(containers)
        .flat_map(|container| stale(view, &container))
        .collect()
}

/// Namespaces in which configuration was edited lately: pods of the others need no look.
fn edited<'a>(view: &View<'a>) -> BTreeSet<&'a str> {
    let lately = |meta: &&Meta| {
        meta.managers.iter().any(|manager| {
            *manager.time > *meta.creation_timestamp && view.age(*manager.time).is_some_and(|age| age < RECENT)
        })
    };
    let maps = view.all::<ConfigMap>().iter().map(|map| &map.metadata);
    let all = maps.chain(view.all::<Secret>().iter().map(|secret| &secret.metadata));
    all.filter(lately).map(|meta| meta.namespace.as_str()).collect()
}

/// Whether the workload's pods are being replaced, so that new ones will read what is there now.
fn replaced(view: &View<'_>, workload: &ObjectRef) -> bool {
    let (namespace, name) = (workload.ns(), &*workload.name);
    match workload.kind {
        Kind::Deployment => view.get::<Deployment>(namespace, name).is_some_and(|deployment| {
            let status = &deployment.status;
            status.observed_generation < deployment.metadata.generation || status.updated_replicas < status.replicas
        }),
        Kind::StatefulSet => view
            .get::<StatefulSet>(namespace, name)
            .is_some_and(|set| set.status.current_revision != set.status.update_revision),
        Kind::DaemonSet => view
            .get::<DaemonSet>(namespace, name)
            .is_some_and(|set| set.status.updated_number_scheduled < set.status.desired_number_scheduled),
        // A run reads what there is when it starts.
        Kind::Job | Kind::CronJob => true,
        _ => false,
    }
}

/// What a container reads once: the object, the keys (all where there are none), and whether as environment.
fn read_once<'a>(container: &Running<'a>) -> Vec<(Kind, &'a str, Vec<&'a str>, bool)> {
    let mut read: Vec<(Kind, &str, Option<&str>, bool)> = Vec::new();
    let spec = &container.pod.spec;
    for used in
        uses(spec).into_iter().filter(|used| used.way == Way::Env && used.container == Some(&container.spec.name))
    {
        read.push((used.kind, used.name, used.key, true));
    }
    for mount in container.spec.volume_mounts.iter().filter(|mount| !mount.sub_path.is_empty()) {
        let Some(volume) = spec.volumes.iter().find(|volume| volume.name == mount.name) else { continue };
        let (kind, name, items) = match (&volume.config_map, &volume.secret) {
            (Some(map), _) => (Kind::ConfigMap, map.name.as_str(), &map.items),
            (None, Some(secret)) => (Kind::Secret, secret.secret_name.as_str(), &secret.items),
            (None, None) => continue,
        };
        let key = items
            .iter()
            .find(|item| item.path == mount.sub_path)
            .map_or(mount.sub_path.as_str(), |item| item.key.as_str());
        read.push((kind, name, Some(key), false));
    }
    read.sort_unstable();
    let mut by_object: Vec<(Kind, &str, Vec<&str>, bool)> = Vec::new();
    for (kind, name, key, by_env) in read {
        match by_object.last_mut().filter(|last| (last.0, last.1) == (kind, name)) {
            // A whole object was sorted before its keys.
            Some((_, _, keys, env)) if !keys.is_empty() => {
                keys.extend(key);
                *env |= by_env;
            }
            Some(_) => {}
            None => by_object.push((kind, name, key.into_iter().collect(), by_env)),
        }
    }
    by_object
}

fn stale(view: &View<'_>, container: &Running<'_>) -> Vec<Finding> {
    let Some(started) = container.status.state.running.as_ref().and_then(|running| *running.started_at) else {
        return Vec::new();
    };
    let read = read_once(container);
    let findings = read.iter().filter_map(|(kind, name, keys, by_env)| {
        let holder = view.beside(container.pod, *kind, name);
        let meta = view.meta(&holder)?;
        let made_before = meta.creation_timestamp.is_none_or(|made| made <= started);
        let edits = meta.managers.iter().filter_map(|manager| Some((manager, (*manager.time)?, data_keys(manager))));
        let (manager, time, written) = edits
            .filter(|(_, time, written)| {
                *time > started && !written.is_empty() && view.age(Some(*time)).is_some_and(|age| age < RECENT)
            })
            .filter(|(_, _, written)| keys.is_empty() || written.iter().all(|key| keys.contains(key)))
            .max_by_key(|(_, time, _)| *time)
            .filter(|_| made_before)?;
        let what = list(&written.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>());
        let summary = format!(
            "{} still has the old value of {what}: {kind} {name} was edited after it started, and {}; restart the pods",
            container.title(),
            if *by_env { "env is read only at the start" } else { "a subPath mount never follows edits" }
        );
        let object = container.pod.object_ref();
        let class = fails_at(view, container);
        let severity = if class.is_some() { view.pod_severity(container.pod) } else { Severity::Warning };
        let finding = Finding::new(object.clone(), severity, Stage::Serve, summary)
            .key(format!("{} {name}", container.spec.name))
            .field(&holder, format!("metadata.managedFields[{}].time", manager.manager), time.to_string())
            .field(&object, container.path("state.running.startedAt"), started.to_string())
            .since(Some(time));
        // Old credentials are the reason why it is not let in; a host that does not answer may have another.
        let finding = if class == Some(Class::Auth) { finding.explains(object) } else { finding };
        let workload = view.workload_of(container.pod);
        let target = format!("{}/{}", workload.kind.argument(), workload.name);
        let restartable = matches!(workload.kind, Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet);
        Some(if restartable {
            finding.fix("start new pods, which read the new value", &workload, &["rollout", "restart", &target])
        } else {
            finding
        })
    });
    findings.collect()
}

/// What a container that runs and is not well says of what it is configured for: a host, credentials, settings.
fn fails_at(view: &View<'_>, container: &Running<'_>) -> Option<Class> {
    let configured = |class: &Class| {
        matches!(class, Class::Auth | Class::UnknownHost(_) | Class::Unreachable(_) | Class::Config | Class::Tls)
    };
    let failing = claimed(view, |fault| matches!(fault, Fault::Said(class) if configured(class)));
    let own = failing.iter().find(|failing| std::ptr::eq(failing.container.status, container.status))?;
    own.class().cloned()
}

/// The keys of `data` that a client wrote; none where its list was cut, as it then proves nothing.
fn data_keys(manager: &crate::model::Manager) -> Vec<&str> {
    let paths = &manager.fields.0;
    if paths.len() >= crate::model::meta::MAX_PATHS {
        return Vec::new();
    }
    let key = |path: &'_ String| -> Option<usize> {
        ["data.", "binaryData."].iter().find(|prefix| path.starts_with(**prefix)).map(|prefix| prefix.len())
    };
    paths.iter().filter_map(|path| path.get(key(path)?..)).collect()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {containers: [{name: app, env: [{name: MODE, valueFrom: {configMapKeyRef: {name: flags, key: mode}}}]}]}
status: {phase: Running, containerStatuses: [{name: app, ready: true, state: {running: {startedAt: '2026-01-01T11:30:00Z'}}}]}
---
kind: ConfigMap
metadata:
  name: flags
  namespace: shop
  creationTimestamp: '2026-01-01T09:00:00Z'
  managedFields:
  - {manager: helm, operation: Update, time: '2026-01-01T09:00:00Z', fieldsV1: {'f:data': {'f:other': {}}}}
  - {manager: kubectl-patch, operation: Update, time: 'TIME', fieldsV1: {'f:data': {KEYS}}}
";

    fn yaml(time: &str, keys: &str) -> String {
        POD.replace("TIME", time).replace("KEYS", keys)
    }

    #[test]
    fn edited_after_the_start() {
        let expected = "warning Pod shop/web-1: container app still has the old value of mode: ConfigMap flags was edited after it started, and env is read only at the start; restart the pods";
        check(&super::DETECTOR, &yaml("2026-01-01T11:45:00Z", "'f:mode': {}"), expected);
    }

    #[test]
    fn the_old_value_is_felt() {
        let yaml = |line: &str| {
            let log = format!("\n---\nkind: Log\nnamespace: shop\npod: web-1\ncontainer: app\nlines: ['{line}']\n");
            let event = "
---
kind: Event
metadata: {name: e1, namespace: shop}
type: Warning
involvedObject: {kind: Pod, namespace: shop, name: web-1, fieldPath: 'spec.containers{app}'}
reason: Unhealthy
message: 'Readiness probe failed: HTTP probe failed with statuscode: 503'
lastTimestamp: '2026-01-01T11:59:50Z'
";
            yaml("2026-01-01T11:45:00Z", "'f:mode': {}")
                .replace("ready: true", "ready: false")
                .replace("{name: app, env", "{name: app, readinessProbe: {httpGet: {path: /, port: 80}}, env")
                + &log
                + event
        };
        let says = "Pod shop/web-1: container app still has the old value of mode: ConfigMap flags was edited after it started, and env is read only at the start; restart the pods";
        check(&super::DETECTOR, &yaml("ERROR password authentication failed"), &format!("critical {says}"));
        check(&super::DETECTOR, &yaml("ERROR warming up the cache"), &format!("warning {says}"));
    }

    #[test]
    fn edited_before_the_start_long_ago_or_elsewhere() {
        check(&super::DETECTOR, &yaml("2026-01-01T11:20:00Z", "'f:mode': {}"), "");
        check(&super::DETECTOR, &yaml("2026-01-01T11:45:00Z", "'f:other': {}"), "");
        check(&super::DETECTOR, &yaml("2026-01-01T11:45:00Z", "'f:mode': {}, 'f:other': {}"), "");
        check(
            &super::DETECTOR,
            &yaml("2026-01-01T11:45:00Z", "'f:mode': {}").replace("11:30", "08:00").replace("11:45", "09:30"),
            "",
        );
    }

    #[test]
    fn a_volume_follows_by_itself() {
        let volume = yaml("2026-01-01T11:45:00Z", "'f:mode': {}").replace(
            "env: [{name: MODE, valueFrom: {configMapKeyRef: {name: flags, key: mode}}}]",
            "volumeMounts: [{name: v, mountPath: /etc/flagsSUB}]",
        );
        let volume =
            volume.replace("spec: {containers", "spec: {volumes: [{name: v, configMap: {name: flags}}], containers");
        check(&super::DETECTOR, &volume.replace("SUB", ""), "");
        let expected = "warning Pod shop/web-1: container app still has the old value of mode: ConfigMap flags was edited after it started, and a subPath mount never follows edits; restart the pods";
        check(&super::DETECTOR, &volume.replace("/etc/flagsSUB", "/etc/mode, subPath: mode"), expected);
    }
}
