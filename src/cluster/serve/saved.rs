//! Objects, tables and logs of a snapshot.
//!
//! *Invariant:* what the snapshot does not hold is said to be so, and is never an empty list. The clock is `taken_at`.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::error::ServeError;
use super::source::{Listing, Type, Which, built_in, find};
use super::table::Table;
use super::value::{at, items, labels, name, namespace, near, shown, text};
use crate::model::{Kind, LogTail, Meta, ObjectRef, SecretKeys, Selector, Snapshot, Time};
use crate::redact::{Redacted, Redactor};

/// Types of which a snapshot holds no objects, and that every cluster has.
const NOT_COLLECTED: &[&str] = &[
    "endpoints",
    "ep",
    "controllerrevision",
    "controllerrevisions",
    "replicationcontroller",
    "replicationcontrollers",
    "rc",
    "podtemplate",
    "podtemplates",
    "componentstatuses",
    "cs",
    "csr",
    "certificatesigningrequests",
];

/// A snapshot.
pub(super) struct Saved {
    pub(super) snapshot: Arc<Redacted<Snapshot>>,
    redactor: Redactor,
}

impl Saved {
    pub(super) fn new(snapshot: Arc<Redacted<Snapshot>>, redactor: Redactor) -> Saved {
        Saved { snapshot, redactor }
    }

    pub(super) fn taken_at(&self) -> Time {
        self.snapshot.taken_at
    }

    /// The types that it knows: the built-in ones, and those of its definitions.
    pub(super) fn types(&self) -> Vec<Type> {
        let mut types: Vec<Type> = built_in().collect();
        for definition in &self.snapshot.objects.definitions {
            let spec = &definition.spec;
            let served = || spec.versions.iter().filter(|version| version.served);
            let version = served().find(|version| version.storage).or_else(|| served().next());
            types.push(Type {
                group: spec.group.clone(),
                version: version.map(|version| version.name.clone()).unwrap_or_default(),
                plural: spec.names.plural.clone(),
                singular: spec.names.kind.to_ascii_lowercase(),
                kind: spec.names.kind.clone(),
                namespaced: spec.scope == "Namespaced",
                short: spec.names.short_names.to_vec(),
                ..Type::default()
            });
        }
        types
    }

    pub(super) fn type_of(&self, word: &str) -> Result<Type, ServeError> {
        let types = self.types();
        if let Some(known) = find(word, types.iter().cloned()) {
            return Ok(known);
        }
        let near = near(word, types.iter().map(|of| of.plural.as_str()));
        if near.is_empty() || NOT_COLLECTED.contains(&word.to_ascii_lowercase().as_str()) {
            return Err(ServeError::missing(format!("objects of the type `{word}`")));
        }
        Err(ServeError::UnknownType { word: word.to_owned(), near })
    }

    pub(super) fn list(&self, of: &Type, which: &Which) -> Result<Listing, ServeError> {
        let namespace = which.namespace.as_deref().filter(|_| of.namespaced);
        self.check(of, namespace)?;
        let selector = match which.labels.as_deref().map(Selector::parse) {
            None => None,
            Some(Ok(selector)) => Some(selector),
            Some(Err(part)) => return Err(ServeError::bad("the selector", format!("`{part}` is no requirement"))),
        };
        let fields = which.fields.as_deref().map(Fields::parse).transpose()?;
        let wanted = |meta: &Meta| {
            namespace.is_none_or(|namespace| meta.namespace == namespace)
                && selector.as_ref().is_none_or(|selector| selector.matches(&meta.labels))
        };
        let mut items = self.values(of, &wanted);
        items.retain(|item| fields.as_ref().is_none_or(|fields| fields.match_all(item)));
        Ok(Listing { items, more: None })
    }

    pub(super) fn object(&self, of: &Type, namespace: &str, name: &str) -> Result<Value, ServeError> {
        let namespace = if of.namespaced { namespace } else { "" };
        self.check(of, Some(namespace).filter(|namespace| !namespace.is_empty()))?;
        let found = self.values(of, &|meta| meta.name == name && meta.namespace == namespace).into_iter().next();
        found.ok_or_else(|| {
            let others = self.values(of, &|meta| meta.namespace == namespace);
            ServeError::NotFound {
                what: format!("{} \"{name}\"", of.plural_argument()),
                place: of.namespaced.then(|| namespace.to_owned()),
                near: near(name, others.iter().map(super::value::name)),
            }
        })
    }

    pub(super) fn table(&self, of: &Type, which: &Which, name: Option<&str>) -> Result<Table, ServeError> {
        let items = match name {
            Some(name) => vec![self.object(of, which.namespace.as_deref().unwrap_or_default(), name)?],
            None => self.list(of, which)?.items,
        };
        Ok(super::columns::table(of, items, self.taken_at()))
    }

    pub(super) fn log(&self, pod: (&str, &str), container: &str, previous: bool) -> Result<&LogTail, ServeError> {
        let reference = ObjectRef::new(Kind::Pod, pod.0, pod.1);
        self.snapshot.log(&reference, container, previous).ok_or_else(|| {
            let what = if previous { "previous logs" } else { "logs" };
            ServeError::missing(format!("{what} of {}/{} ({container})", pod.0, pod.1))
        })
    }

    pub(super) fn secret_keys(&self, namespace: &str, name: &str) -> Option<&SecretKeys> {
        self.snapshot.keys_of(namespace, name)
    }

    /// Whether objects of the type, in this namespace, were read.
    fn check(&self, of: &Type, namespace: Option<&str>) -> Result<(), ServeError> {
        let place = namespace.map(|namespace| format!(" of namespace {namespace}")).unwrap_or_default();
        let missing = |why: &str| Err(ServeError::missing(format!("{}{place}{why}", of.plural_argument())));
        if namespace.is_some_and(|namespace| !self.snapshot.scope.holds(namespace)) {
            return missing(" (the namespace was not read)");
        }
        let kind = kind(of);
        if self.snapshot.knows(kind, namespace.unwrap_or_default()) {
            return Ok(());
        }
        let gap = self.snapshot.gaps.iter().find(|gap| gap.kind == Some(kind));
        missing(&gap.map(|gap| format!(" ({})", gap.reason)).unwrap_or_default())
    }

    fn values(&self, of: &Type, wanted: &dyn Fn(&Meta) -> bool) -> Vec<Value> {
        let kind = kind(of);
        let objects = &self.snapshot.objects;
        let values = if let Some(info) = kind.info() {
            (info.values)(objects, wanted)
        } else {
            let own = objects.custom.iter().filter(|object| object.kind == kind && wanted(&object.metadata));
            own.filter_map(|object| serde_json::to_value(object).ok()).collect()
        };
        values.into_iter().map(|value| self.dressed(of, value)).collect()
    }

    /// The object with its type, masked once more; a ConfigMap with the values that there are.
    fn dressed(&self, of: &Type, mut object: Value) -> Value {
        let (namespace, name) = (namespace(&object).to_owned(), name(&object).to_owned());
        if let Some(fields) = object.as_object_mut() {
            fields.insert("apiVersion".to_owned(), json!(of.api_version()));
            fields.insert("kind".to_owned(), json!(of.kind));
            if of.is("", "configmaps") {
                for part in ["data", "binaryData"] {
                    let Some(Value::Array(keys)) = fields.get(part) else { continue };
                    let value = |key: &Value| (shown(key), json!(self.config_value(&namespace, &name, &shown(key))));
                    let values: Map<String, Value> = keys.iter().map(value).collect();
                    fields.insert(part.to_owned(), Value::Object(values));
                }
            }
        }
        self.redactor.json(&mut object);
        object
    }

    fn config_value(&self, namespace: &str, name: &str, key: &str) -> &str {
        let mut values = self.snapshot.config_values.iter();
        let found = values.find(|value| value.namespace == namespace && value.name == name && value.key == key);
        found.map_or("<not in this snapshot>", |value| value.value.as_str())
    }
}

/// The kind that a type's objects are kept under.
fn kind(of: &Type) -> Kind {
    let known = Kind::parse(&of.kind);
    match known.info() {
        Some(info) if info.group() == of.group => known,
        _ if of.group.is_empty() => known,
        _ => Kind::parse(&format!("{}.{}", of.kind, of.group)),
    }
}

/// A selector of fields: `status.phase!=Running,spec.nodeName=node-1`.
pub(super) struct Fields(Vec<(String, bool, String)>);

impl Fields {
    pub(super) fn parse(selector: &str) -> Result<Fields, ServeError> {
        let term = |term: &str| {
            let (path, equal, value) = if let Some((path, value)) = term.split_once("!=") {
                (path, false, value)
            } else {
                let (path, value) = term.split_once('=')?;
                (path, true, value.strip_prefix('=').unwrap_or(value))
            };
            Some((path.trim().to_owned(), equal, value.trim().to_owned()))
        };
        let terms = selector.split(',').filter(|part| !part.trim().is_empty());
        let terms: Option<Vec<_>> = terms.map(term).collect();
        terms.map(Fields).ok_or_else(|| ServeError::bad("the field selector", "a part has no `=`"))
    }

    pub(super) fn match_all(&self, object: &Value) -> bool {
        self.0.iter().all(|(path, equal, value)| (shown(at(object, path)) == *value) == *equal)
    }
}

/// The containers of a pod by name, init containers first.
pub(super) fn containers(pod: &Value) -> Vec<&str> {
    let of = |path| items(pod, path).iter().map(|container| text(container, "name"));
    of("spec.initContainers").chain(of("spec.containers")).chain(of("spec.ephemeralContainers")).collect()
}

/// Whether a selector takes an object.
pub(super) fn selects(selector: &Selector, object: &Value) -> bool {
    selector.matches(&labels(object))
}
