//! What an object names, and whether that is there.
//!
//! *Invariant:* what can't be read is unknown, and never called missing.

use std::collections::BTreeMap;

use futures::StreamExt;
use serde_json::Value;

use super::Server;
use super::value::{at, items, namespace, on, text};

/// References that are looked up.
const MOST: usize = 40;
/// Questions under way at once.
const IN_FLIGHT: usize = 8;

/// A name, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reference {
    /// A type as a line of kubectl has it.
    pub(super) kind: String,
    pub(super) namespace: String,
    pub(super) name: String,
}

/// Fields that hold a name, and of what.
const NAMES: &[(&str, &str)] = &[
    ("nodeName", "node"),
    ("serviceAccountName", "serviceaccount"),
    ("secretName", "secret"),
    ("claimName", "persistentvolumeclaim"),
    ("priorityClassName", "priorityclass"),
    ("runtimeClassName", "runtimeclass"),
    ("storageClassName", "storageclass"),
    ("ingressClassName", "ingressclass"),
    ("volumeName", "persistentvolume"),
];

/// Fields that hold an object with a name.
const OBJECTS: &[(&str, &str)] = &[
    ("configMapRef", "configmap"),
    ("configMapKeyRef", "configmap"),
    ("configMap", "configmap"),
    ("secretRef", "secret"),
    ("secretKeyRef", "secret"),
];

/// What an object names, with whether that may be missing.
pub(super) fn of(object: &Value) -> BTreeMap<Reference, bool> {
    let mut found = BTreeMap::new();
    let own = namespace(object);
    for owner in items(object, "metadata.ownerReferences") {
        add(&mut found, typed(owner), own, text(owner, "name"), false);
    }
    walk(at(object, "spec"), own, &mut found);
    if text(object, "kind") == "PersistentVolume" {
        let claim = at(object, "spec.claimRef");
        add(&mut found, "persistentvolumeclaim".to_owned(), text(claim, "namespace"), text(claim, "name"), false);
    }
    let role = at(object, "roleRef");
    add(&mut found, typed(role), own, text(role, "name"), false);
    found
}

fn add(found: &mut BTreeMap<Reference, bool>, kind: String, namespace: &str, name: &str, optional: bool) {
    if kind.is_empty() || name.is_empty() || name.contains("<redacted") {
        return;
    }
    let reference = Reference { kind, namespace: namespace.to_owned(), name: name.to_owned() };
    let known = found.entry(reference).or_insert(optional);
    *known = *known && optional;
}

/// The type of `{apiVersion, kind, name}`.
fn typed(value: &Value) -> String {
    let kind = text(value, "kind").to_ascii_lowercase();
    let group = match text(value, "apiGroup") {
        "" => text(value, "apiVersion").split_once('/').map_or("", |(group, _)| group),
        group => group,
    };
    if kind.is_empty() || group.is_empty() { kind } else { format!("{kind}.{group}") }
}

fn walk(value: &Value, own: &str, found: &mut BTreeMap<Reference, bool>) {
    match value {
        Value::Array(list) => list.iter().for_each(|item| walk(item, own, found)),
        Value::Object(fields) => {
            for (key, value) in fields {
                let kind = |table: &'static [(&'static str, &'static str)]| {
                    table.iter().find(|(name, _)| name == key).map(|(_, kind)| *kind)
                };
                if let (Some(kind), Some(name)) = (kind(NAMES), value.as_str()) {
                    add(
                        found,
                        kind.to_owned(),
                        own,
                        name,
                        fields.get("optional").and_then(Value::as_bool).unwrap_or_default(),
                    );
                } else if let Some(kind) = kind(OBJECTS).filter(|_| value.get("name").is_some_and(Value::is_string)) {
                    add(found, kind.to_owned(), own, text(value, "name"), on(value, "optional"));
                } else if key == "imagePullSecrets" {
                    let names = value.as_array().into_iter().flatten().map(|secret| text(secret, "name"));
                    names.for_each(|name| add(found, "secret".to_owned(), own, name, false));
                } else if matches!(key.as_str(), "scaleTargetRef" | "targetRef" | "issuerRef" | "sourceRef") {
                    add(found, typed(value), own, text(value, "name"), false);
                } else if key == "service" && value.get("name").is_some() {
                    let place = Some(text(value, "namespace")).filter(|place| !place.is_empty()).unwrap_or(own);
                    add(found, "service".to_owned(), place, text(value, "name"), false);
                } else if key == "serviceName" {
                    add(found, "service".to_owned(), own, value.as_str().unwrap_or_default(), false);
                } else if !value.is_string() {
                    walk(value, own, found);
                }
            }
        }
        _ => {}
    }
}

/// Lines that say of each name whether it is there.
pub(super) async fn said(server: &Server, object: &Value) -> Vec<String> {
    let references = of(object);
    let all = references.len();
    let look_up = |(reference, optional): (Reference, bool)| async move {
        let state = match server.source.exists(&reference.kind, &reference.namespace, &reference.name).await {
            Some(true) => "exists",
            Some(false) if optional => "missing (optional)",
            Some(false) => "MISSING",
            None => "unknown (could not be read)",
        };
        format!("{}/{}: {state}", reference.kind, reference.name)
    };
    // What can be missing without harm to the answer comes last; of many the first are looked up.
    let lookups = references.into_iter().take(MOST).map(look_up);
    let mut lines: Vec<String> = futures::stream::iter(lookups).buffered(IN_FLIGHT).collect().await;
    if all > MOST {
        lines.push(format!("… and {} more", all - MOST));
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_name_is_found_with_its_type() {
        let pod = json!({"kind": "Pod", "metadata": {"namespace": "shop", "name": "web", "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1"}]}, "spec": {
            "nodeName": "node-1", "imagePullSecrets": [{"name": "registry"}],
            "volumes": [{"name": "a", "configMap": {"name": "cfg"}}, {"name": "b", "persistentVolumeClaim": {"claimName": "data"}},
                {"name": "c", "secret": {"secretName": "tls", "optional": true}}],
            "containers": [{"env": [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}],
                "envFrom": [{"configMapRef": {"name": "cfg2", "optional": true}}, {"configMapRef": {"name": "cfg2"}}]}]}});
        let found: Vec<String> = of(&pod)
            .into_iter()
            .map(|(reference, optional)| format!("{}/{} {optional}", reference.kind, reference.name))
            .collect();
        assert_eq!(
            found,
            [
                "configmap/cfg false",
                "configmap/cfg2 false",
                "node/node-1 false",
                "persistentvolumeclaim/data false",
                "replicaset.apps/web-1 false",
                "secret/db false",
                "secret/registry false",
                "secret/tls true",
            ]
        );
        let ingress = json!({"metadata": {"namespace": "shop"}, "spec": {"ingressClassName": "nginx", "rules": [{"http": {"paths": [
            {"backend": {"service": {"name": "web", "port": {"number": 80}}}}]}}]}});
        let found: Vec<String> = of(&ingress).into_keys().map(|r| format!("{}/{}", r.kind, r.name)).collect();
        assert_eq!(found, ["ingressclass/nginx", "service/web"]);
    }
}
