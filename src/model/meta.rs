//! Metadata that all objects share, and conditions.
//!
//! *Invariant:* an object's last applied configuration and long annotations are dropped while
//! they are read; of `managedFields` only people's and controllers' edits of specs stay, as paths.

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::lenient::{When, slim};
use super::list::{Share, unshared};
use super::{Kind, List, Map, ObjectRef};

slim! {
    /// `metadata` of any object.
    pub struct Meta {
        /// The name.
        pub name: String,
        /// Empty for objects of the whole cluster.
        pub namespace: String,
        /// Of this incarnation; events carry it.
        pub uid: String,
        /// Counts changes of the spec.
        pub generation: i64,
        /// When it was made.
        pub creation_timestamp: When,
        /// When its deletion was asked for, plus the grace period.
        pub deletion_timestamp: When,
        /// The grace period of its deletion.
        pub deletion_grace_period_seconds: Option<i64>,
        /// What must be done by others before it may go.
        pub finalizers: List<String>,
        /// Labels.
        pub labels: Map,
        /// Short annotations.
        pub annotations: Annotations,
        /// Who made it.
        pub owner_references: List<OwnerReference>,
        /// Who edited its spec, and when.
        #[serde(rename = "managedFields")]
        pub managers: Managers,
    }

    /// One entry of `metadata.ownerReferences`.
    pub struct OwnerReference {
        /// Group and version of the owner.
        pub api_version: String,
        /// Its kind.
        pub kind: String,
        /// Its name.
        pub name: String,
        /// Its uid.
        pub uid: String,
        /// Whether it is the managing controller.
        pub controller: bool,
    }

    /// One entry of `metadata.managedFields`: an edit of the spec.
    pub struct Manager {
        /// The client's name: `kubectl-set`, `helm`.
        pub manager: String,
        /// `Update` or `Apply`.
        pub operation: String,
        /// The subresource written to; empty for the object itself.
        pub subresource: String,
        /// When it last wrote.
        pub time: When,
        /// What it owns; at most [`MAX_PATHS`], the rest is counted.
        #[serde(rename = "fieldsV1")]
        pub fields: FieldPaths,
    }

    /// One entry of `status.conditions`.
    pub struct Condition {
        /// What it is about.
        #[serde(rename = "type")]
        pub kind: String,
        /// `True`, `False` or `Unknown`.
        pub status: String,
        /// A word for the reason.
        pub reason: String,
        /// A sentence for it.
        pub message: String,
        /// When the status last changed.
        pub last_transition_time: When,
        /// When it was last seen to hold (nodes).
        pub last_heartbeat_time: When,
        /// The generation it speaks of.
        pub observed_generation: i64,
    }
}

impl Meta {
    /// The controller that manages it.
    pub fn controller(&self) -> Option<&OwnerReference> {
        self.owner_references.iter().find(|owner| owner.controller)
    }

    /// Whether it is being deleted.
    pub fn deleting(&self) -> bool {
        self.deletion_timestamp.is_some()
    }
}

impl OwnerReference {
    /// The owner's reference; owners live in their dependents' namespace.
    pub fn object_ref(&self, namespace: &str) -> ObjectRef {
        let known = Kind::parse(&self.kind);
        match (known, self.api_version.rsplit_once('/')) {
            (Kind::Custom(_), Some((group, _))) => {
                ObjectRef::new(Kind::parse(&format!("{}.{group}", self.kind)), namespace, &self.name)
            }
            _ if known.info().is_some_and(|info| !info.namespaced) => ObjectRef::new(known, "", &self.name),
            _ => ObjectRef::new(known, namespace, &self.name),
        }
    }
}

impl Condition {
    /// Whether the status is `True`.
    pub fn is_true(&self) -> bool {
        self.status == "True"
    }

    /// Whether the status is `False`.
    pub fn is_false(&self) -> bool {
        self.status == "False"
    }
}

/// The condition of this type.
pub fn condition<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.kind == kind)
}

unshared!(FieldPaths, Managers);

/// How many paths of one manager are kept.
pub const MAX_PATHS: usize = 12;

/// `fieldsV1` as paths: `spec.replicas`, `spec.template.spec.containers[web].image`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct FieldPaths(pub List<String>);

/// Reads the API's nested object, or the list of paths of a saved snapshot.
impl<'de> Deserialize<'de> for FieldPaths {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Paths;
        impl<'de> Visitor<'de> for Paths {
            type Value = FieldPaths;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("fieldsV1 or a list of paths")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<FieldPaths, A::Error> {
                let mut paths = Vec::new();
                while let Some(path) = seq.next_element::<String>()? {
                    paths.push(path);
                }
                paths.truncate(MAX_PATHS);
                Ok(FieldPaths(paths.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FieldPaths, A::Error> {
                let mut paths = Vec::new();
                Level { prefix: String::new(), paths: &mut paths }.visit_map(map)?;
                Ok(FieldPaths(paths.into()))
            }

            fn visit_unit<E>(self) -> Result<FieldPaths, E> {
                Ok(FieldPaths::default())
            }
        }
        d.deserialize_any(Paths)
    }
}

/// One level of `fieldsV1`; the JSON reader bounds the depth.
struct Level<'p> {
    prefix: String,
    paths: &'p mut Vec<String>,
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a level of fieldsV1")
    }

    /// Whether the level had anything below it; a level with nothing below is a leaf.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut any = false;
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if key == "." || key.starts_with("f:metadata") || self.paths.len() >= MAX_PATHS {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            any = true;
            let prefix = join(&self.prefix, &key);
            let below = Level { prefix: prefix.clone(), paths: &mut *self.paths };
            if !map.next_value_seed(below)? {
                self.paths.push(prefix);
            }
        }
        Ok(any)
    }
}

impl<'de> serde::de::DeserializeSeed<'de> for Level<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<bool, D::Error> {
        d.deserialize_map(self)
    }
}

/// Adds one step of `fieldsV1` to a path: `f:image`, `k:{"name":"web"}`, `v:"x"`.
fn join(prefix: &str, key: &str) -> String {
    if let Some(name) = key.strip_prefix("f:") {
        return if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
    }
    if let Some(item) = key.strip_prefix("k:") {
        let fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(item).unwrap_or_default();
        let name = fields.get("name").or_else(|| fields.values().next());
        let name = name.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        return format!("{prefix}[{}]", name.unwrap_or_default());
    }
    prefix.to_owned()
}

/// Annotations, kept where they are short: the long ones are other programs' stores.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Annotations(pub Map);

impl<'de> Deserialize<'de> for Annotations {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        const LONGEST: usize = 256;
        const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
        let mut map = Map::deserialize(d)?;
        map.retain(|key, value| value.len() <= LONGEST && key != LAST_APPLIED);
        Ok(Annotations(map))
    }
}

impl Share for Annotations {
    fn share(&mut self, with: &Annotations) {
        self.0.share(&with.0);
    }
}

impl std::ops::Deref for Annotations {
    type Target = Map;

    fn deref(&self) -> &Map {
        &self.0
    }
}

/// Of `managedFields` what tells of an edit: not the status, not Kubernetes' own components.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Managers(pub List<Manager>);

impl<'de> Deserialize<'de> for Managers {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Managers;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("managedFields")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Managers, A::Error> {
                let mut edits = Vec::new();
                while let Some(Edit(manager)) = seq.next_element()? {
                    edits.extend(manager.filter(|manager| manager.subresource != "status"));
                }
                Ok(Managers(edits.into()))
            }
        }
        d.deserialize_seq(All)
    }
}

/// One manager; none for Kubernetes' own components, whose fields are skipped rather than read: they
/// are half of what a list of pods holds.
struct Edit(Option<Manager>);

impl<'de> Deserialize<'de> for Edit {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct One;
        impl<'de> Visitor<'de> for One {
            type Value = Edit;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an entry of managedFields")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Edit, A::Error> {
                const OWN: &[&str] = &[
                    "kube-controller-manager",
                    "kubelet",
                    "kube-scheduler",
                    "kube-apiserver",
                    "cloud-controller-manager",
                ];
                let mut manager = Manager::default();
                // The API server writes the name first.
                while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
                    match &*key {
                        "manager" => manager.manager = map.next_value::<Option<String>>()?.unwrap_or_default(),
                        "operation" => manager.operation = map.next_value::<Option<String>>()?.unwrap_or_default(),
                        "subresource" => manager.subresource = map.next_value::<Option<String>>()?.unwrap_or_default(),
                        "time" => manager.time = map.next_value()?,
                        "fieldsV1" if !OWN.contains(&manager.manager.as_str()) => {
                            manager.fields = map.next_value()?;
                        }
                        _ => _ = map.next_value::<IgnoredAny>()?,
                    }
                }
                Ok(Edit((!OWN.contains(&manager.manager.as_str())).then_some(manager)))
            }
        }
        d.deserialize_map(One)
    }
}

impl std::ops::Deref for Managers {
    type Target = [Manager];

    fn deref(&self) -> &[Manager] {
        &self.0
    }
}
