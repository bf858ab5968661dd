//! What is to be read beside the lists, so that a failing container can be judged.
//!
//! *Invariant:* only what decides is asked for: logs of containers that fail, and content of the
//! ConfigMaps and key names of the Secrets that these containers use.

use std::collections::BTreeSet;

use super::judge::{INVOLVED, superseded};
use super::{complaint, mount, probe, server};
use crate::detect::prelude::*;

/// What is to be read of the failing containers: the last lines of their logs, values of the
/// ConfigMaps that name what they connect to, keys of the Secrets that they mount.
pub fn wanted(view: &View<'_>) -> Vec<Want> {
    let mut wants = BTreeSet::new();
    for pod in view.all::<Pod>() {
        let quiet = pod.status.all_statuses().all(|status| status.ready && status.restart_count == 0);
        if quiet || superseded(view, pod) {
            continue;
        }
        for container in containers(pod) {
            let state = &container.status.state;
            let object = pod.object_ref();
            let log = |previous| Want::Log { pod: object.clone(), container: container.spec.name.clone(), previous };
            let running_for = state.running.as_ref().and_then(|running| view.age(*running.started_at));
            let patience = if container.init { SETTLED / 4 } else { SETTLED / 2 };
            let slow = running_for.is_some_and(|age| age > patience) && !container.status.ready;
            let failed = failing(view, &container) || probe::killed(view, &container).is_some();
            let started = container.ended().is_some_and(|ended| ended.reason != "StartError");
            let involved = state.waiting.as_ref().is_some_and(|waiting| INVOLVED.contains(&waiting.reason.as_str()));
            if involved || !(slow || failed) {
                continue;
            }
            if slow {
                wants.insert(log(false));
            }
            if failed
                && started
                && container.status.last_state.terminated.as_ref().or(state.terminated.as_ref()).is_some()
            {
                wants.insert(log(container.restarted()));
            }
            wants.extend(configured(&container));
        }
    }
    wants.extend(complaint::wanted(view));
    wants.extend(server::wanted(view));
    wants.into_iter().collect()
}

/// The ConfigMaps and Secrets whose content explains a failing container.
fn configured(container: &Running<'_>) -> Vec<Want> {
    let (pod, spec) = (container.pod, container.spec);
    let namespace = &pod.metadata.namespace;
    let values = |name: &str| Want::ConfigValues { namespace: namespace.clone(), name: name.to_owned() };
    let mut wants: Vec<Want> =
        spec.env_from.iter().filter_map(|source| source.config_map_ref.as_ref()).map(|map| values(&map.name)).collect();
    wants.extend(
        spec.env
            .iter()
            .filter_map(|env| env.value_from.as_ref()?.config_map_key_ref.as_ref())
            .map(|key| values(&key.name)),
    );
    for mounted in mount::mounts(pod, spec) {
        match mounted.source(namespace) {
            Some(source) if source.kind == Kind::Secret => {
                wants.push(Want::SecretKeys { namespace: namespace.clone(), name: source.name.to_string() });
            }
            // A script that is run from a ConfigMap: its first line names the interpreter.
            Some(source) if mount::runs_from(spec, &mounted.mount.mount_path) => wants.push(values(&source.name)),
            _ => {}
        }
    }
    wants
}
