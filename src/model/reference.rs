//! What an object is called: kind, namespace, name; and the table of kinds that we read.
//!
//! *Invariant:* the table is the only place where a kind's API path, plural and scope stand.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Meta;
use super::list::{Share, neighbours};
use super::snapshot::Objects;

/// A slim type that is read from the API.
pub trait Resource: for<'de> Deserialize<'de> + Serialize + Share + Send + 'static {
    /// The kind it is a picture of.
    const KIND: Kind;
    /// The list it is kept in.
    fn list(objects: &Objects) -> &Vec<Self>
    where
        Self: Sized;
    /// The list it is kept in, to add to.
    fn list_mut(objects: &mut Objects) -> &mut Vec<Self>
    where
        Self: Sized;
    /// Its metadata.
    fn meta(&self) -> &Meta;
    /// Its metadata, for redaction.
    fn meta_mut(&mut self) -> &mut Meta;
    /// What it is called.
    fn object_ref(&self) -> ObjectRef {
        let meta = self.meta();
        ObjectRef::new(Self::KIND, &meta.namespace, &meta.name)
    }
}

/// The objects of a kind whose metadata is as wanted, as JSON.
pub type Values = fn(&Objects, &dyn Fn(&Meta) -> bool) -> Vec<serde_json::Value>;

/// What is known of a kind before it is read.
#[derive(Clone, Copy, Debug)]
pub struct KindInfo {
    /// The kind.
    pub kind: Kind,
    /// Group and version as in an object's `apiVersion`: `v1`, `apps/v1`.
    pub api_version: &'static str,
    /// The resource name in the API's path.
    pub plural: &'static str,
    /// Whether objects of it live in a namespace.
    pub namespaced: bool,
    /// Short names that kubectl takes.
    pub short: &'static [&'static str],
    /// Whether clusters without this API are usual, so that its absence is no gap.
    pub optional: bool,
    /// Reads a list (`items`) as the API sends it.
    pub parse: fn(&[u8]) -> serde_json::Result<Objects>,
    /// The objects that are kept and asked for, as JSON with the API's field names.
    pub values: Values,
}

impl KindInfo {
    /// The path of the list: `/apis/apps/v1/namespaces/shop/deployments`.
    pub fn path(&self, namespace: Option<&str>) -> String {
        list_path(self.api_version, self.plural, namespace.filter(|_| self.namespaced))
    }

    /// The API group; empty for the core group.
    pub fn group(&self) -> &'static str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }
}

/// The path of a list in the API.
pub fn list_path(api_version: &str, plural: &str, namespace: Option<&str>) -> String {
    let root = if api_version.contains('/') { "apis" } else { "api" };
    match namespace {
        Some(namespace) => format!("/{root}/{api_version}/namespaces/{namespace}/{plural}"),
        None => format!("/{root}/{api_version}/{plural}"),
    }
}

macro_rules! kinds {
    ($( $kind:ident => $field:ident, $api:literal, $plural:literal, $scope:ident $(, $short:literal)* $(| $optional:ident)?; )*) => {
        /// A kind of object.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $( #[doc = concat!("`", $api, "` ", stringify!($kind))] $kind, )*
            /// A kind that is known by its name alone: `Certificate.cert-manager.io`.
            Custom(Name),
        }

        /// Every kind that is collected, in the order of the table.
        pub const KINDS: &[KindInfo] = &[ $( KindInfo {
            kind: Kind::$kind,
            api_version: $api,
            plural: $plural,
            namespaced: kinds!(@scope $scope),
            short: &[$($short),*],
            optional: kinds!(@optional $($optional)?),
            parse: parse_list::<super::kinds::$kind>,
            values: values_of::<super::kinds::$kind>,
        }, )* ];

        impl Kind {
            /// The name as in an object's `kind` field; custom kinds carry their group.
            pub fn as_str(&self) -> &str {
                match self {
                    $( Kind::$kind => stringify!($kind), )*
                    Kind::Custom(name) => name.as_str(),
                }
            }
        }

        $( impl Resource for super::kinds::$kind {
            const KIND: Kind = Kind::$kind;
            fn list(objects: &Objects) -> &Vec<Self> { &objects.$field }
            fn list_mut(objects: &mut Objects) -> &mut Vec<Self> { &mut objects.$field }
            fn meta(&self) -> &Meta { &self.metadata }
            fn meta_mut(&mut self) -> &mut Meta { &mut self.metadata }
        } )*

        impl Objects {
            /// Adds all of `other`.
            pub fn append(&mut self, mut other: Objects) {
                $( append(&mut self.$field, &mut other.$field); )*
                append(&mut self.custom, &mut other.custom);
            }

            /// Brings every list into its order: namespace, then name.
            pub fn sort(&mut self) {
                $( self.$field.sort_by(|a, b| by_name(&a.metadata, &b.metadata)); )*
                self.custom.sort_by(|a, b| (&a.kind, &a.metadata.namespace, &a.metadata.name)
                    .cmp(&(&b.kind, &b.metadata.namespace, &b.metadata.name)));
            }

            /// Drops what lies in a namespace.
            pub fn forget(&mut self, namespace: &str) {
                $( self.$field.retain(|object| object.metadata.namespace != namespace); )*
                self.custom.retain(|object| object.metadata.namespace != namespace);
            }

            /// How many objects there are.
            pub fn len(&self) -> usize {
                0 $( + self.$field.len() )* + self.custom.len()
            }

            /// Calls `f` for every object's reference and metadata.
            pub fn each<'a>(&'a self, mut f: impl FnMut(ObjectRef, &'a Meta)) {
                $( for object in &self.$field { f(object.object_ref(), &object.metadata); } )*
                for object in &self.custom { f(object.object_ref(), &object.metadata); }
            }

            /// Calls `f` for every object's metadata.
            pub fn each_meta_mut(&mut self, mut f: impl FnMut(&mut Meta)) {
                $( for object in &mut self.$field { f(&mut object.metadata); } )*
                for object in &mut self.custom { f(&mut object.metadata); }
            }

            /// Adds one object given as JSON, by its `kind`.
            ///
            /// # Errors
            /// When its fields have other types than the API gives them.
            pub fn add_json(&mut self, value: serde_json::Value) -> serde_json::Result<()> {
                let kind = value.get("kind").and_then(|kind| kind.as_str()).unwrap_or_default();
                // By way of the text: one reader for all types is half a minute less to compile.
                let json = serde_json::to_vec(&value)?;
                match kind {
                    $( stringify!($kind) if is_api(&value, $api) =>
                        self.$field.push(serde_json::from_slice(&json)?), )*
                    _ => self.custom.push(serde_json::from_slice(&json)?),
                }
                Ok(())
            }
        }
    };
    (@scope namespaced) => { true };
    (@scope cluster) => { false };
    (@optional optional) => { true };
    (@optional) => { false };
}

kinds! {
    Node => nodes, "v1", "nodes", cluster, "no";
    Namespace => namespaces, "v1", "namespaces", cluster, "ns";
    Pod => pods, "v1", "pods", namespaced, "po";
    Event => events, "v1", "events", namespaced, "ev";
    Deployment => deployments, "apps/v1", "deployments", namespaced, "deploy";
    ReplicaSet => replica_sets, "apps/v1", "replicasets", namespaced, "rs";
    StatefulSet => stateful_sets, "apps/v1", "statefulsets", namespaced, "sts";
    DaemonSet => daemon_sets, "apps/v1", "daemonsets", namespaced, "ds";
    Job => jobs, "batch/v1", "jobs", namespaced;
    CronJob => cron_jobs, "batch/v1", "cronjobs", namespaced, "cj";
    Service => services, "v1", "services", namespaced, "svc";
    EndpointSlice => endpoint_slices, "discovery.k8s.io/v1", "endpointslices", namespaced;
    Ingress => ingresses, "networking.k8s.io/v1", "ingresses", namespaced, "ing";
    IngressClass => ingress_classes, "networking.k8s.io/v1", "ingressclasses", cluster;
    NetworkPolicy => network_policies, "networking.k8s.io/v1", "networkpolicies", namespaced, "netpol";
    ConfigMap => config_maps, "v1", "configmaps", namespaced, "cm";
    Secret => secrets, "v1", "secrets", namespaced;
    ServiceAccount => service_accounts, "v1", "serviceaccounts", namespaced, "sa";
    Role => roles, "rbac.authorization.k8s.io/v1", "roles", namespaced;
    RoleBinding => role_bindings, "rbac.authorization.k8s.io/v1", "rolebindings", namespaced;
    ClusterRole => cluster_roles, "rbac.authorization.k8s.io/v1", "clusterroles", cluster;
    ClusterRoleBinding => cluster_role_bindings, "rbac.authorization.k8s.io/v1", "clusterrolebindings", cluster;
    PersistentVolumeClaim => claims, "v1", "persistentvolumeclaims", namespaced, "pvc";
    PersistentVolume => volumes, "v1", "persistentvolumes", cluster, "pv";
    StorageClass => storage_classes, "storage.k8s.io/v1", "storageclasses", cluster, "sc";
    CSIDriver => csi_drivers, "storage.k8s.io/v1", "csidrivers", cluster;
    CSINode => csi_nodes, "storage.k8s.io/v1", "csinodes", cluster;
    VolumeAttachment => volume_attachments, "storage.k8s.io/v1", "volumeattachments", cluster;
    ResourceQuota => quotas, "v1", "resourcequotas", namespaced, "quota";
    LimitRange => limit_ranges, "v1", "limitranges", namespaced, "limits";
    HorizontalPodAutoscaler => autoscalers, "autoscaling/v2", "horizontalpodautoscalers", namespaced, "hpa";
    PodDisruptionBudget => disruption_budgets, "policy/v1", "poddisruptionbudgets", namespaced, "pdb";
    PriorityClass => priority_classes, "scheduling.k8s.io/v1", "priorityclasses", cluster, "pc";
    RuntimeClass => runtime_classes, "node.k8s.io/v1", "runtimeclasses", cluster;
    Lease => leases, "coordination.k8s.io/v1", "leases", namespaced;
    MutatingWebhookConfiguration => mutating_webhooks, "admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations", cluster;
    ValidatingWebhookConfiguration => validating_webhooks, "admissionregistration.k8s.io/v1", "validatingwebhookconfigurations", cluster;
    ValidatingAdmissionPolicy => admission_policies, "admissionregistration.k8s.io/v1", "validatingadmissionpolicies", cluster | optional;
    APIService => api_services, "apiregistration.k8s.io/v1", "apiservices", cluster;
    CustomResourceDefinition => definitions, "apiextensions.k8s.io/v1", "customresourcedefinitions", cluster, "crd";
    Gateway => gateways, "gateway.networking.k8s.io/v1", "gateways", namespaced, "gtw" | optional;
    HTTPRoute => http_routes, "gateway.networking.k8s.io/v1", "httproutes", namespaced | optional;
    NodeMetrics => node_metrics, "metrics.k8s.io/v1beta1", "nodes", cluster | optional;
    PodMetrics => pod_metrics, "metrics.k8s.io/v1beta1", "pods", namespaced | optional;
}

fn is_api(value: &serde_json::Value, api_version: &str) -> bool {
    let group = |text: &str| text.rsplit_once('/').map_or(String::new(), |(group, _)| group.into());
    let theirs = value.get("apiVersion").and_then(|v| v.as_str()).unwrap_or(api_version);
    group(theirs) == group(api_version)
}

/// Moves all of `more` to the end of `list`; the first there is comes as it is, since a list of pods is megabytes.
fn append<T>(list: &mut Vec<T>, more: &mut Vec<T>) {
    if list.is_empty() {
        std::mem::swap(list, more);
    } else {
        list.append(more);
    }
}

fn by_name(a: &Meta, b: &Meta) -> std::cmp::Ordering {
    (&a.namespace, &a.name, &a.uid).cmp(&(&b.namespace, &b.name, &b.uid))
}

/// The objects of a list that are asked for, as JSON.
fn values_of<T: Resource>(objects: &Objects, wanted: &dyn Fn(&Meta) -> bool) -> Vec<serde_json::Value> {
    let wanted = T::list(objects).iter().filter(|object| wanted(object.meta()));
    wanted.filter_map(|object| serde_json::to_value(object).ok()).collect()
}

/// Reads the `items` of a list; an item that can't be read is left out rather than losing the rest.
fn parse_list<T: Resource>(json: &[u8]) -> serde_json::Result<Objects> {
    #[derive(Deserialize)]
    #[serde(bound = "T: Deserialize<'de> + Share")]
    struct Whole<T> {
        #[serde(default = "Vec::new", deserialize_with = "neighbours")]
        items: Vec<T>,
    }
    #[derive(Deserialize)]
    struct Parts<'a> {
        #[serde(borrow, default)]
        items: Option<Vec<&'a serde_json::value::RawValue>>,
    }
    let mut objects = Objects::default();
    *T::list_mut(&mut objects) = if let Ok(list) = serde_json::from_slice::<Whole<T>>(json) {
        list.items
    } else {
        let list: Parts<'_> = serde_json::from_slice(json)?;
        let items = list.items.unwrap_or_default();
        // From bytes as above: each other way of reading compiles every type once more.
        items.iter().filter_map(|item| serde_json::from_slice(item.get().as_bytes()).ok()).collect()
    };
    Ok(objects)
}

/// An interned name: `Kind` stays `Copy`, and the few custom kinds of a cluster are held once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(&'static str);

impl Name {
    /// Interns `text`. What is interned is kept for the life of the process: use it for the names
    /// of kinds, of which a cluster has a bounded number, and for nothing else.
    pub fn new(text: &str) -> Name {
        use std::collections::BTreeSet;
        use std::sync::{Mutex, PoisonError};
        static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
        let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = names.get(text) {
            return Name(known);
        }
        let name: &'static str = Box::leak(text.to_owned().into_boxed_str());
        names.insert(name);
        Name(name)
    }

    /// The text.
    pub fn as_str(&self) -> &'static str {
        self.0
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Kind {
    /// The kind of this name; one we don't know becomes [`Kind::Custom`].
    pub fn parse(text: &str) -> Kind {
        KINDS
            .iter()
            .map(|info| info.kind)
            .find(|kind| kind.as_str() == text)
            .unwrap_or_else(|| Kind::Custom(Name::new(text)))
    }

    /// The kind that a person means by `word`, as kubectl reads it: kind, plural, singular or
    /// short name, in any case, with or without the group.
    pub fn from_word(word: &str) -> Option<Kind> {
        let word = word.to_ascii_lowercase();
        let (name, group) = word.split_once('.').unwrap_or((&word, ""));
        KINDS
            .iter()
            .filter(|info| info.group() != "metrics.k8s.io")
            .filter(|info| group.is_empty() || info.group().starts_with(group) || info.group().is_empty())
            .find(|info| {
                info.plural == name || info.kind.as_str().eq_ignore_ascii_case(name) || info.short.contains(&name)
            })
            .map(|info| info.kind)
    }

    /// What the table says of it; nothing for custom kinds.
    pub fn info(&self) -> Option<&'static KindInfo> {
        KINDS.iter().find(|info| info.kind == *self)
    }

    /// The word for it in a kubectl command line: `deployment`, `certificate.cert-manager.io`.
    pub fn argument(&self) -> String {
        self.as_str().to_ascii_lowercase()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Kind::parse(&String::deserialize(d)?))
    }
}

impl schemars::JsonSchema for Kind {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Kind".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "A kind; custom kinds carry their group." })
    }
}

/// The name of an object, whether it exists or not. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ObjectRef {
    /// What it is.
    pub kind: Kind,
    /// Where it lives; absent for objects of the whole cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Arc<str>>,
    /// Its name.
    pub name: Arc<str>,
}

impl ObjectRef {
    /// A reference; an empty namespace means an object of the whole cluster.
    pub fn new(kind: Kind, namespace: &str, name: &str) -> ObjectRef {
        let namespace = (!namespace.is_empty()).then(|| namespace.into());
        ObjectRef { kind, namespace, name: name.into() }
    }

    /// The namespace, empty for objects of the whole cluster.
    pub fn ns(&self) -> &str {
        self.namespace.as_deref().unwrap_or_default()
    }
}

/// `Deployment shop/cart`, `Node node-1`.
impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}
