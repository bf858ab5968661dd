//! Where two objects differ, field by field.
//!
//! *Invariant:* lists whose items have names are compared by name, as kubectl's strategic patch does; other lists are one
//! value. The same two objects give the same leaves in the same order.

use serde_json::{Map, Value};

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// A field.
    Field(String),
    /// The item at this place of a list whose items have no names.
    Index(usize),
    /// The item of a list with this name.
    Item {
        /// The field that tells items apart: `name`, `containerPort`.
        key: &'static str,
        /// Its value.
        is: Value,
    },
}

/// A field that is not as it was.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Leaf {
    /// Where.
    pub(super) path: Vec<At>,
    /// What it was.
    pub(super) old: Option<Value>,
    /// What it is.
    pub(super) new: Option<Value>,
}

impl Leaf {
    /// The path as people write it: `spec.template.spec.containers[app].image`.
    pub(super) fn told(&self) -> String {
        let mut told = String::new();
        for at in &self.path {
            match at {
                At::Field(name) if told.is_empty() => told.push_str(name),
                At::Field(name) => {
                    told.push('.');
                    told.push_str(name);
                }
                At::Index(index) => told.push_str(&format!("[{index}]")),
                At::Item { is, .. } => {
                    let is = is.as_str().map_or_else(|| is.to_string(), str::to_owned);
                    told.push_str(&format!("[{is}]"));
                }
            }
        }
        told
    }
}

/// The fields in which two objects differ; of their metadata labels and annotations alone.
pub(super) fn leaves(old: &Value, new: &Value) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    compare(&clean(old), &clean(new), &mut Vec::new(), &mut leaves);
    leaves
}

/// An object without what nobody writes.
fn clean(object: &Value) -> Value {
    let Some(fields) = object.as_object() else { return object.clone() };
    let known = |name: &str| !matches!(name, "status" | "kind" | "apiVersion" | "metadata");
    let mut kept: Map<String, Value> =
        fields.iter().filter(|(name, _)| known(name)).map(|(name, value)| (name.clone(), value.clone())).collect();
    let metadata = ["labels", "annotations"].into_iter().filter_map(|name| {
        let marks = object.get("metadata")?.get(name)?.as_object()?;
        let marks: Map<String, Value> =
            marks.iter().filter(|(key, _)| !is_noise(key)).map(|(key, value)| (key.clone(), value.clone())).collect();
        Some((name.to_owned(), Value::Object(marks)))
    });
    kept.insert("metadata".to_owned(), Value::Object(metadata.collect()));
    Value::Object(kept)
}

/// Marks that controllers set, or that say who applied an object and not what it is.
fn is_noise(key: &str) -> bool {
    const OF: &[&str] = &[
        "deployment.kubernetes.io/",
        "deprecated.daemonset.template.generation",
        "pv.kubernetes.io/",
        "volume.kubernetes.io/",
        "volume.beta.kubernetes.io/",
        "control-plane.alpha.kubernetes.io/",
        "kubectl.kubernetes.io/last-applied-configuration",
        "kubernetes.io/change-cause",
        "meta.helm.sh/",
        "helm.sh/chart",
        "argocd.argoproj.io/",
        "autoscaling.alpha.kubernetes.io/",
        "node.alpha.kubernetes.io/",
        "volumes.kubernetes.io/",
        "endpoints.kubernetes.io/",
        "checksum/",
        "pod-template-hash",
        "controller-revision-hash",
    ];
    OF.iter().any(|begin| key.starts_with(begin))
}

fn compare(old: &Value, new: &Value, path: &mut Vec<At>, leaves: &mut Vec<Leaf>) {
    if old == new {
        return;
    }
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let mut names: Vec<&String> =
                old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))).collect();
            names.sort();
            for name in names {
                path.push(At::Field(name.clone()));
                either(old.get(name), new.get(name), path, leaves);
                path.pop();
            }
        }
        (Value::Array(olds), Value::Array(news)) => match key(path, olds, news) {
            Some(key) => {
                let of = |items: &[Value], is: &Value| items.iter().find(|item| item.get(key) == Some(is)).cloned();
                let mut seen: Vec<Value> = Vec::new();
                for is in olds.iter().chain(news).filter_map(|item| item.get(key)) {
                    if seen.contains(is) {
                        continue;
                    }
                    seen.push(is.clone());
                    path.push(At::Item { key, is: is.clone() });
                    either(of(olds, is).as_ref(), of(news, is).as_ref(), path, leaves);
                    path.pop();
                }
            }
            // As many as before: what is kept of an item is less than what there is, so only what differs in it is told.
            None if olds.len() == news.len() && olds.iter().chain(news).all(Value::is_object) => {
                for (index, (old, new)) in olds.iter().zip(news).enumerate() {
                    path.push(At::Index(index));
                    compare(old, new, path, leaves);
                    path.pop();
                }
            }
            None => leaves.push(Leaf { path: path.clone(), old: Some(old.clone()), new: Some(new.clone()) }),
        },
        _ => leaves.push(Leaf { path: path.clone(), old: Some(old.clone()), new: Some(new.clone()) }),
    }
}

fn either(old: Option<&Value>, new: Option<&Value>, path: &mut Vec<At>, leaves: &mut Vec<Leaf>) {
    match (old, new) {
        (Some(old), Some(new)) => compare(old, new, path, leaves),
        // A whole map that comes or goes is told by its entries, down to where a list or a value is.
        (None, Some(Value::Object(fields))) if is_plain(path) && !fields.is_empty() => {
            compare(&Value::Object(Map::new()), &Value::Object(fields.clone()), path, leaves);
        }
        (Some(Value::Object(fields)), None) if is_plain(path) && !fields.is_empty() => {
            compare(&Value::Object(fields.clone()), &Value::Object(Map::new()), path, leaves);
        }
        (None, None) => {}
        (old, new) => leaves.push(Leaf { path: path.clone(), old: old.cloned(), new: new.cloned() }),
    }
}

/// Whether a path ends in a field, not in an item of a list.
fn is_plain(path: &[At]) -> bool {
    matches!(path.last(), Some(At::Field(_)))
}

/// What tells the items of a list apart: the merge key that Kubernetes' API gives the list, and only where all items have
/// one of their own.
fn key(path: &[At], old: &[Value], new: &[Value]) -> Option<&'static str> {
    let Some(At::Field(list)) = path.last() else { return None };
    let key = match list.as_str() {
        "containers" | "initContainers" | "env" | "volumes" | "imagePullSecrets" | "webhooks" => "name",
        "volumeMounts" => "mountPath",
        "ports" if path.iter().any(|at| matches!(at, At::Item { .. })) => "containerPort",
        "ports" if path.len() == 2 => "port",
        "hostAliases" => "ip",
        _ => return None,
    };
    let distinct = |items: &[Value]| {
        let mut keys: Vec<String> = items.iter().filter_map(|item| item.get(key)).map(Value::to_string).collect();
        let whole = keys.len() == items.len();
        keys.sort();
        keys.dedup();
        whole && keys.len() == items.len()
    };
    (distinct(old) && distinct(new)).then_some(key)
}

/// Whether a merge patch can't say it: it goes into an item that has no name.
pub(super) fn needs_places(leaves: &[Leaf]) -> bool {
    leaves.iter().any(|leaf| leaf.path.iter().any(|at| matches!(at, At::Index(_))))
}

/// The leaf's place as a JSON pointer; none where it goes through an item with a name, whose place is not known.
pub(super) fn pointer(leaf: &Leaf) -> Option<String> {
    let mut pointer = String::new();
    for at in &leaf.path {
        pointer.push('/');
        match at {
            At::Field(name) => pointer.push_str(&name.replace('~', "~0").replace('/', "~1")),
            At::Index(index) => pointer.push_str(&index.to_string()),
            At::Item { .. } => return None,
        }
    }
    Some(pointer)
}

/// A strategic merge patch that makes the new of these leaves, or with `back` the old.
pub(super) fn patch(leaves: &[&Leaf], back: bool) -> Value {
    let mut root = Value::Object(Map::new());
    for leaf in leaves {
        let (other, value) = if back { (&leaf.new, &leaf.old) } else { (&leaf.old, &leaf.new) };
        // Of a switch, that it is off is not kept.
        let off = match (other, value) {
            (Some(Value::Bool(true)), None) => Some(Value::Bool(false)),
            _ => None,
        };
        put(&mut root, &leaf.path, value.as_ref().or(off.as_ref()));
    }
    root
}

fn put(at: &mut Value, path: &[At], value: Option<&Value>) {
    match path {
        [] => *at = value.cloned().unwrap_or(Value::Null),
        [At::Field(name), rest @ ..] => {
            let Some(fields) = at.as_object_mut() else { return };
            let empty = if matches!(rest.first(), Some(At::Item { .. })) {
                Value::Array(Vec::new())
            } else {
                Value::Object(Map::new())
            };
            put(fields.entry(name.clone()).or_insert(empty), rest, value);
        }
        [At::Index(_), ..] => {}
        [At::Item { key, is }, rest @ ..] => {
            let Some(items) = at.as_array_mut() else { return };
            let index = items.iter().position(|item| item.get(key) == Some(is));
            let index = index.unwrap_or_else(|| {
                items.push(Value::Object(Map::from_iter([((*key).to_owned(), is.clone())])));
                items.len() - 1
            });
            let Some(item) = items.get_mut(index) else { return };
            match (rest, value) {
                ([], Some(value)) => *item = value.clone(),
                ([], None) => {
                    if let Some(fields) = item.as_object_mut() {
                        fields.insert("$patch".to_owned(), Value::from("delete"));
                    }
                }
                _ => put(item, rest, value),
            }
        }
    }
}
