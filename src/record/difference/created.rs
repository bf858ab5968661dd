//! Objects that came, and objects that went.
//!
//! *Invariant:* what is kept of an object is less than what was applied, so a manifest made of it is told to be looked at;
//! a Secret is made with placeholders for its values.

use serde_json::{Map, Value, json};

use super::Difference;
use crate::graph::View;
use crate::model::kinds::ConfigMap;
use crate::model::{Kind, ObjectRef};
use crate::record::phrase::{Part, Phrase};

/// Keys that a line names; more of them are a manifest's business.
const KEYS: usize = 4;
/// The longest value that a line holds.
const VALUE: usize = 120;

/// An object that was not there.
pub(super) fn made(after: &View<'_>, object: &ObjectRef, value: &Value) -> Difference {
    let created = Difference::new(object, "created").back(delete(object));
    let name = Part::Name(object.clone());
    let make = |words: &str| Phrase::at(object).word("create").word(words).part(name.clone());
    let text = |path: &str| value.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let line = match object.kind {
        Kind::ConfigMap => {
            let values = config_values(after, object);
            if values.len() > KEYS || values.is_empty() {
                return from_manifest(created, object, config_map(&values));
            }
            values.iter().fold(make("configmap"), |line, (key, value)| line.parts(literal(key, value)))
        }
        Kind::Secret if text("/type") == "kubernetes.io/tls" || text("/type") == "kubernetes.io/dockerconfigjson" => {
            let mut told = created;
            told.what = format!("created, of type {}", text("/type"));
            return told;
        }
        Kind::Secret => {
            let keys = after.snapshot.keys_of(object.ns(), &object.name);
            let keys: Vec<String> = keys.iter().flat_map(|keys| &keys.keys).map(|key| key.name.clone()).collect();
            if keys.len() > KEYS || keys.is_empty() {
                return created;
            }
            keys.iter().fold(make("secret generic"), |line, key| line.parts(literal(key, "")))
        }
        Kind::ServiceAccount => make("serviceaccount"),
        Kind::Namespace => make("namespace"),
        Kind::PriorityClass => {
            let value = value.get("value").and_then(Value::as_i64).unwrap_or_default().to_string();
            make("priorityclass").parts(vec![Part::Text("--value=".into()), Part::Chosen { name: "PRIORITY", value }])
        }
        Kind::ResourceQuota => {
            let hard = value.pointer("/spec/hard").and_then(Value::as_object).cloned().unwrap_or_default();
            let hard: Vec<String> =
                hard.iter().filter_map(|(name, most)| Some(format!("{name}={}", most.as_str()?))).collect();
            make("quota")
                .parts(vec![Part::Text("--hard=".into()), Part::Chosen { name: "HARD", value: hard.join(",") }])
        }
        Kind::RoleBinding | Kind::ClusterRoleBinding => match binding(object, value) {
            Some(line) => line,
            None => return from_manifest(created, object, kept(value)),
        },
        Kind::Pod | Kind::Node | Kind::Custom(_) => return created,
        _ => return from_manifest(created, object, kept(value)),
    };
    created.line(line)
}

/// An object that is not there any more.
pub(super) fn gone(before: &View<'_>, object: &ObjectRef, value: &Value) -> Difference {
    let line = delete(object);
    let made = made(before, object, value);
    let back = made.line.filter(|_| made.manifest.is_none());
    let gone = Difference::new(object, "deleted").line(line);
    match back {
        Some(back) => gone.back(back),
        None => gone,
    }
}

fn delete(object: &ObjectRef) -> Phrase {
    let kind = object.kind.argument();
    Phrase::at(object).word("delete").word(&kind).part(Part::Name(object.clone()))
}

/// `--from-literal=KEY=VALUE`; what is no plain short text is left to whoever runs it.
fn literal(key: &str, value: &str) -> Vec<Part> {
    let fits = !value.is_empty() && value.len() <= VALUE && !value.chars().any(char::is_control) && !is_masked(value);
    vec![
        Part::Text("--from-literal=".into()),
        Part::Chosen { name: "KEY", value: key.to_owned() },
        Part::Text("=".into()),
        Part::Chosen { name: "VALUE", value: if fits { value.to_owned() } else { "$VALUE".to_owned() } },
    ]
}

/// Whether a value is not the one that stands in the cluster.
pub(super) fn is_masked(value: &str) -> bool {
    crate::redact::holds_placeholder(value)
}

/// The values of a ConfigMap that were read; of a key whose value was not, none.
pub(super) fn config_values(view: &View<'_>, object: &ObjectRef) -> Vec<(String, String)> {
    let Some(map) = view.get::<ConfigMap>(object.ns(), &object.name) else { return Vec::new() };
    let value = |key: &str| {
        let all = &view.snapshot.config_values;
        let found =
            all.iter().find(|value| value.namespace == object.ns() && *value.name == *object.name && value.key == key);
        found.map(|value| value.value.clone()).unwrap_or_default()
    };
    map.data.0.iter().map(|key| (key.clone(), value(key))).collect()
}

fn config_map(values: &[(String, String)]) -> Map<String, Value> {
    let data: Map<String, Value> =
        values.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect();
    Map::from_iter([("data".to_owned(), Value::Object(data))])
}

/// What is kept of an object, but for its status and metadata.
fn kept(value: &Value) -> Map<String, Value> {
    let fields = value.as_object().cloned().unwrap_or_default();
    let mut fields: Map<String, Value> = fields
        .into_iter()
        .filter(|(name, _)| !matches!(name.as_str(), "status" | "metadata" | "kind" | "apiVersion"))
        .collect();
    if let Some(spec) = fields.get_mut("spec").and_then(Value::as_object_mut) {
        for assigned in ["clusterIP", "volumeName", "providerID", "nodeName"] {
            spec.remove(assigned);
        }
    }
    fields
}

fn from_manifest(difference: Difference, object: &ObjectRef, fields: Map<String, Value>) -> Difference {
    let Some(info) = object.kind.info() else { return difference };
    let mut metadata = Map::from_iter([("name".to_owned(), Value::from(&*object.name))]);
    if let Some(namespace) = &object.namespace {
        metadata.insert("namespace".to_owned(), Value::from(&**namespace));
    }
    let mut whole = json!({"apiVersion": info.api_version, "kind": object.kind.as_str(), "metadata": metadata});
    if let Some(all) = whole.as_object_mut() {
        all.extend(fields);
    }
    let Ok(yaml) = serde_saphyr::to_string(&whole) else { return difference };
    let file = format!("{}.yaml", object.kind.argument());
    let line = Phrase::at(object).word("apply -f").word(&file);
    Difference { manifest: Some((file, yaml)), ..difference.line(line) }
}

/// A binding as a line, where its subjects are accounts.
fn binding(object: &ObjectRef, value: &Value) -> Option<Phrase> {
    let word = if object.kind == Kind::RoleBinding { "rolebinding" } else { "clusterrolebinding" };
    let role = value.get("roleRef")?;
    let (kind, name) = (role.get("kind")?.as_str()?, role.get("name")?.as_str()?);
    let (flag, kind) =
        if kind == "ClusterRole" { ("--clusterrole=", Kind::ClusterRole) } else { ("--role=", Kind::Role) };
    let role = ObjectRef::new(kind, if kind == Kind::Role { object.ns() } else { "" }, name);
    let mut line = Phrase::at(object)
        .word("create")
        .word(word)
        .part(Part::Name(object.clone()))
        .parts(vec![Part::Text(flag.into()), Part::Name(role)]);
    for subject in value.get("subjects")?.as_array()? {
        let field = |name: &str| subject.get(name).and_then(Value::as_str).unwrap_or_default();
        if field("kind") != "ServiceAccount" {
            return None;
        }
        let namespace = if field("namespace").is_empty() { object.ns() } else { field("namespace") };
        line = line.parts(vec![
            Part::Text("--serviceaccount=".into()),
            Part::Namespace(namespace.to_owned()),
            Part::Text(":".into()),
            Part::Name(ObjectRef::new(Kind::ServiceAccount, namespace, field("name"))),
        ]);
    }
    Some(line)
}
