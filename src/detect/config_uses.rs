//! Where pods read ConfigMaps and Secrets: environment, volumes, single keys.
//!
//! *Invariant:* a reference that may be missing (`optional: true`) is said to be so and never
//! taken for a fault; a pod that has started had all it needed then.

use super::prelude::*;

/// How a value reaches a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// As environment, read once at the container's start.
    Env,
    /// As files of a volume, which follow changes.
    Volume,
}

/// One reference of a pod to a ConfigMap or a Secret.
#[derive(Clone, Debug)]
pub struct Use<'a> {
    /// `ConfigMap` or `Secret`.
    pub kind: Kind,
    /// Its name.
    pub name: &'a str,
    /// The key that is asked for; the whole of it where absent.
    pub key: Option<&'a str>,
    /// Whether it may be missing.
    pub optional: bool,
    /// How it is read.
    pub way: Way,
    /// The container, for environment.
    pub container: Option<&'a str>,
    /// The field: `spec.containers[app].env[DB_HOST]`.
    pub path: String,
    /// The same for people: `env DB_HOST of container app`, `volume config`.
    pub by: String,
}

/// All references of a pod's spec, in its order.
pub fn uses(spec: &PodSpec) -> Vec<Use<'_>> {
    let mut found = Vec::new();
    for (list, container) in spec
        .init_containers
        .iter()
        .map(|c| ("initContainers", c))
        .chain(spec.containers.iter().map(|c| ("containers", c)))
    {
        let at = |field: &str| format!("spec.{list}[{}].{field}", container.name);
        let mut add = |kind, name, key, optional, path, by| {
            found.push(Use {
                kind,
                name,
                key,
                optional,
                way: Way::Env,
                container: Some(container.name.as_str()),
                path,
                by,
            });
        };
        for source in &container.env_from {
            let by = format!("envFrom of container {}", container.name);
            for (kind, map) in [(Kind::ConfigMap, &source.config_map_ref), (Kind::Secret, &source.secret_ref)] {
                if let Some(map) = map {
                    add(kind, map.name.as_str(), None, map.optional, at("envFrom"), by.clone());
                }
            }
        }
        for env in &container.env {
            let Some(source) = &env.value_from else { continue };
            for (kind, key) in [(Kind::ConfigMap, &source.config_map_key_ref), (Kind::Secret, &source.secret_key_ref)] {
                if let Some(key) = key {
                    let by = format!("env {} of container {}", env.name, container.name);
                    add(
                        kind,
                        key.name.as_str(),
                        Some(key.key.as_str()),
                        key.optional,
                        at(&format!("env[{}]", env.name)),
                        by,
                    );
                }
            }
        }
    }
    for volume in &spec.volumes {
        volume_uses(volume, &mut found);
    }
    found.retain(|found| !found.name.is_empty());
    found
}

fn volume_uses<'a>(volume: &'a Volume, found: &mut Vec<Use<'a>>) {
    let mut add = |kind, name: &'a str, items: &'a [KeyPath], optional, field: &str| {
        let one = |key| Use {
            kind,
            name,
            key,
            optional,
            way: Way::Volume,
            container: None,
            path: format!("spec.volumes[{}].{field}", volume.name),
            by: format!("volume {}", volume.name),
        };
        if items.is_empty() {
            found.push(one(None));
        }
        found.extend(items.iter().map(|item| one(Some(item.key.as_str()))));
    };
    if let Some(map) = &volume.config_map {
        add(Kind::ConfigMap, &map.name, &map.items, map.optional, "configMap");
    }
    if let Some(secret) = &volume.secret {
        add(Kind::Secret, &secret.secret_name, &secret.items, secret.optional, "secret");
    }
    for source in volume.projected.iter().flat_map(|projected| &projected.sources) {
        for (kind, map) in [(Kind::ConfigMap, &source.config_map), (Kind::Secret, &source.secret)] {
            if let Some(map) = map {
                add(kind, &map.name, &map.items, map.optional, "projected");
            }
        }
    }
}

/// Pods that have a node and a container that was not started yet: the kubelet is at work on them.
pub fn starting<'a>(view: &View<'a>) -> impl Iterator<Item = &'a Pod> + use<'a> {
    view.all::<Pod>().iter().filter(|pod| {
        let waits =
            pod.status.all_statuses().any(|status| !started(status)) || pod.status.container_statuses.is_empty();
        waits && !pod.spec.node_name.is_empty() && !pod.metadata.deleting() && !pod.finished()
    })
}

fn started(status: &ContainerStatus) -> bool {
    let ran = |state: &ContainerState| state.running.is_some() || state.terminated.is_some();
    ran(&status.state) || ran(&status.last_state)
}

/// Whether a reference still matters: its container has not started, or for a volume none has.
pub fn blocks(pod: &Pod, used: &Use<'_>) -> bool {
    match used.container {
        Some(name) => !pod.status.all_statuses().any(|status| status.name == name && started(status)),
        None => !pod.status.all_statuses().any(started),
    }
}

/// What the kubelet says of a pod that contains `text`: the waiting message of a container, with
/// its field, or an event.
pub enum Said<'a> {
    /// In the status.
    Status(String, &'a str),
    /// In an event.
    Event(&'a Event),
}

impl Said<'_> {
    /// The words.
    pub fn words(&self) -> &str {
        match self {
            Said::Status(_, words) => words,
            Said::Event(event) => &event.message,
        }
    }

    /// The reason that people look for.
    pub fn reason(&self) -> &str {
        match self {
            Said::Status(..) => "CreateContainerConfigError",
            Said::Event(event) => &event.reason,
        }
    }

    /// Quotes it.
    pub fn quote(&self, finding: Finding, pod: &ObjectRef) -> Finding {
        match self {
            Said::Status(path, words) => finding.field(pod, path.as_str(), *words),
            Said::Event(event) => finding.event(event),
        }
    }
}

/// The newest thing that the kubelet says of a pod's configuration and that `fits`.
pub fn said<'a>(view: &View<'a>, pod: &'a Pod, fits: impl Fn(&str) -> bool) -> Option<Said<'a>> {
    let waits = containers(pod).find_map(|container| {
        let waiting = container.status.state.waiting.as_ref().filter(|waiting| fits(&waiting.message))?;
        Some(Said::Status(container.path("state.waiting.message"), waiting.message.as_str()))
    });
    waits.or_else(|| {
        view.warnings(pod).find(|event| event.reason == "FailedMount" && fits(&event.message)).map(Said::Event)
    })
}

/// Findings for each ConfigMap (or Secret) that keeps pods from starting because it is not there.
pub fn missing(view: &View<'_>, kind: Kind) -> Vec<Finding> {
    let mut findings = Vec::new();
    for pod in starting(view) {
        let mut seen: Vec<&str> = Vec::new();
        let all = uses(&pod.spec);
        for used in all.iter().filter(|used| used.kind == kind && !used.optional && blocks(pod, used)) {
            if !seen.contains(&used.name) {
                seen.push(used.name);
                findings.extend(missing_one(view, pod, used));
            }
        }
    }
    findings
}

fn missing_one(view: &View<'_>, pod: &Pod, used: &Use<'_>) -> Option<Finding> {
    let (object, wanted) = (pod.object_ref(), view.beside(pod, used.kind, used.name));
    let word = used.kind.argument();
    let needle = format!("{word} \"{}\" not found", used.name);
    let said = said(view, pod, |text| text.to_lowercase().contains(&needle.to_lowercase()));
    let fresh = view.age(*pod.metadata.creation_timestamp).is_some_and(|age| age < 10);
    match view.existence(&wanted) {
        // It was made since; the kubelet looks again within two minutes.
        Existence::Present => return None,
        Existence::Absent if said.is_none() && fresh => return None,
        Existence::Unknown if said.is_none() => return None,
        _ => {}
    }
    let reason = said.as_ref().map_or_else(
        || if used.way == Way::Volume { "FailedMount" } else { "CreateContainerConfigError" }.to_owned(),
        |said| said.reason().to_owned(),
    );
    let mut summary = format!(
        "{} {} does not exist in namespace {}, and {} needs it ({reason})",
        used.kind,
        used.name,
        object.ns(),
        used.by
    );
    summary += &elsewhere(view, &wanted);
    let stage = if used.way == Way::Volume { Stage::Mount } else { Stage::Start };
    let mut finding = Finding::new(object.clone(), view.pod_severity(pod), stage, summary)
        .key(used.name)
        .culprit(wanted.clone())
        .since(pod_since(pod))
        .field(&object, used.path.as_str(), format!("name: {}", used.name));
    if let Some(said) = said {
        finding = said.quote(finding, &object);
    }
    Some(finding.look(&format!("see which {}s there are", used.kind), &object, &["get", &word]))
}

/// Where something of nearly that name is, as the end of a sentence.
fn elsewhere(view: &View<'_>, wanted: &ObjectRef) -> String {
    // The other kind of that very name is what was meant.
    let other = if wanted.kind == Kind::Secret { Kind::ConfigMap } else { Kind::Secret };
    if view.existence(&ObjectRef::new(other, wanted.ns(), &wanted.name)) == Existence::Present {
        return format!("; there is a {other} of that name, and the reference asks for a {}", wanted.kind);
    }
    let names: Vec<(&str, &str)> = match wanted.kind {
        Kind::Secret => view
            .all::<Secret>()
            .iter()
            .map(|object| (object.metadata.namespace.as_str(), object.metadata.name.as_str()))
            .collect(),
        _ => view
            .all::<ConfigMap>()
            .iter()
            .map(|object| (object.metadata.namespace.as_str(), object.metadata.name.as_str()))
            .collect(),
    };
    let here = names.iter().filter(|(namespace, _)| *namespace == wanted.ns()).map(|(_, name)| *name);
    if let Some(name) = near(&wanted.name, here) {
        return format!("; did you mean {} {name}?", wanted.kind);
    }
    let other = names.iter().find(|(_, name)| *name == &*wanted.name);
    other.map(|(namespace, _)| format!("; there is one in namespace {namespace}")).unwrap_or_default()
}

/// The name among `known` that was probably meant: the same but for case and punctuation, else
/// what [`meant`] finds.
pub fn near<'n>(name: &str, known: impl Iterator<Item = &'n str> + Clone) -> Option<&'n str> {
    let plain =
        |text: &str| -> String { text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect() };
    let same = known.clone().find(|other| *other != name && plain(other) == plain(name));
    same.or_else(|| meant(name, known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_use_a_map_is_found() {
        let snapshot = crate::detect::testing::snapshot(
            "
kind: Pod
metadata: {name: p, namespace: shop}
spec:
  initContainers: [{name: init, envFrom: [{configMapRef: {name: a, optional: true}}]}]
  containers: [{name: app, env: [{name: E, valueFrom: {secretKeyRef: {name: b, key: k}}}]}]
  volumes:
  - {name: v, configMap: {name: c, items: [{key: x, path: file}]}}
  - {name: w, secret: {secretName: d}}
  - {name: p, projected: {sources: [{configMap: {name: e}}, {secret: {name: f}}]}}
",
        );
        let found: Vec<String> = snapshot
            .objects
            .pods
            .iter()
            .flat_map(|pod| uses(&pod.spec))
            .map(|u| format!("{} {} {:?} {} {}", u.kind, u.name, u.key, u.optional, u.path))
            .collect();
        let expected = [
            "ConfigMap a None true spec.initContainers[init].envFrom",
            "Secret b Some(\"k\") false spec.containers[app].env[E]",
            "ConfigMap c Some(\"x\") false spec.volumes[v].configMap",
            "Secret d None false spec.volumes[w].secret",
            "ConfigMap e None false spec.volumes[p].projected",
            "Secret f None false spec.volumes[p].projected",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn case_and_punctuation_are_near() {
        assert_eq!(near("db_password", ["USER", "DB-PASSWORD"].into_iter()), Some("DB-PASSWORD"));
        assert_eq!(near("LOGLEVEL", ["LOG_LEVEL", "REGION"].into_iter()), Some("LOG_LEVEL"));
        assert_eq!(near("port", ["host"].into_iter()), None);
    }
}
