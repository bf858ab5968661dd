//! What was read of one cluster at one moment.
//!
//! *Invariant:* a snapshot is all that detectors see; `taken_at` is their only clock. So a saved
//! snapshot gives the same findings, byte for byte.

use serde::{Deserialize, Serialize};

use super::kinds::{
    APIService, CSIDriver, CSINode, ClusterRole, ClusterRoleBinding, ConfigMap, CronJob, Custom,
    CustomResourceDefinition, DaemonSet, Deployment, EndpointSlice, Event, Gateway, HTTPRoute, HorizontalPodAutoscaler,
    Ingress, IngressClass, Job, Lease, LimitRange, MutatingWebhookConfiguration, Namespace, NetworkPolicy, Node,
    NodeMetrics, PersistentVolume, PersistentVolumeClaim, Pod, PodDisruptionBudget, PodMetrics, PriorityClass,
    ReplicaSet, ResourceQuota, Role, RoleBinding, RuntimeClass, Secret, Service, ServiceAccount, StatefulSet,
    StorageClass, ValidatingAdmissionPolicy, ValidatingWebhookConfiguration, VolumeAttachment,
};
use super::lenient::{is_default, slim};
use super::list::neighbours;
use super::{Kind, List, ObjectRef, Time};

/// Counts breaking changes of the file format.
pub const SCHEMA_VERSION: &str = "kubectl-react/snapshot/v1";

/// What was read of one cluster at one moment; redacted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// [`SCHEMA_VERSION`].
    pub schema_version: String,
    /// When it was taken: the clock of everything that is derived from it.
    pub taken_at: Time,
    /// The kubeconfig context.
    pub context: String,
    /// Which part of the cluster was asked for.
    pub scope: Scope,
    /// The API server's version, where it told: `v1.34.4`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub server_version: String,
    /// The objects.
    #[serde(default)]
    pub objects: Objects,
    /// Log tails of containers that a detector asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<LogTail>,
    /// Key names of Secrets that a detector asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secret_keys: Vec<SecretKeys>,
    /// Values of ConfigMap keys that a detector asked for, redacted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub config_values: Vec<ConfigValue>,
    /// What could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
}

/// Which part of the cluster was asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Scope {
    /// One namespace, or all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Other namespaces that were read as well, since objects of this one name them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<String>,
}

impl Scope {
    /// All namespaces, or one.
    pub fn of(namespace: Option<&str>) -> Scope {
        Scope { namespace: namespace.map(str::to_owned), beside: Vec::new() }
    }

    /// Whether all of a namespace was asked for.
    pub fn holds(&self, namespace: &str) -> bool {
        self.namespace.as_deref().is_none_or(|own| own == namespace)
            || self.beside.iter().any(|other| other == namespace)
    }
}

macro_rules! objects {
    ($($field:ident: $type:ident,)*) => {
        /// The objects, a list for each kind, each sorted by namespace and name.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        #[expect(missing_docs, reason = "each list is named after its kind")]
        pub struct Objects {
            $(
                #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "neighbours")]
                pub $field: Vec<$type>,
            )*
            #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "neighbours")]
            pub custom: Vec<Custom>,
        }
    };
}

objects! {
    nodes: Node,
    namespaces: Namespace,
    pods: Pod,
    events: Event,
    deployments: Deployment,
    replica_sets: ReplicaSet,
    stateful_sets: StatefulSet,
    daemon_sets: DaemonSet,
    jobs: Job,
    cron_jobs: CronJob,
    services: Service,
    endpoint_slices: EndpointSlice,
    ingresses: Ingress,
    ingress_classes: IngressClass,
    network_policies: NetworkPolicy,
    config_maps: ConfigMap,
    secrets: Secret,
    service_accounts: ServiceAccount,
    roles: Role,
    role_bindings: RoleBinding,
    cluster_roles: ClusterRole,
    cluster_role_bindings: ClusterRoleBinding,
    claims: PersistentVolumeClaim,
    volumes: PersistentVolume,
    storage_classes: StorageClass,
    csi_drivers: CSIDriver,
    csi_nodes: CSINode,
    volume_attachments: VolumeAttachment,
    quotas: ResourceQuota,
    limit_ranges: LimitRange,
    autoscalers: HorizontalPodAutoscaler,
    disruption_budgets: PodDisruptionBudget,
    priority_classes: PriorityClass,
    runtime_classes: RuntimeClass,
    leases: Lease,
    mutating_webhooks: MutatingWebhookConfiguration,
    validating_webhooks: ValidatingWebhookConfiguration,
    admission_policies: ValidatingAdmissionPolicy,
    api_services: APIService,
    definitions: CustomResourceDefinition,
    gateways: Gateway,
    http_routes: HTTPRoute,
    node_metrics: NodeMetrics,
    pod_metrics: PodMetrics,
}

impl Objects {
    /// Whether nothing was read.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Something that could not be read. Unknown is not healthy: gaps are shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// What: a plural with its group, or a sentence's subject: `secrets`, `log of shop/web-1 (app)`.
    pub what: String,
    /// Where; absent for the whole cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Why: `forbidden`, `timed out`, …
    pub reason: String,
    /// The kind that is unknown for it, where it is a whole kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
}

/// The last lines of a container's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogTail {
    /// The pod.
    pub pod: ObjectRef,
    /// The container.
    pub container: String,
    /// Whether it is the log of the run before.
    #[serde(default, skip_serializing_if = "is_default")]
    pub previous: bool,
    /// The lines, oldest first, redacted, without time stamps.
    pub lines: Vec<String>,
}

slim! {
    /// What a Secret holds, by name.
    pub struct SecretKeys {
        /// The namespace.
        pub namespace: String,
        /// The Secret.
        pub name: String,
        /// Its keys.
        pub keys: List<SecretKey>,
    }

    /// One key of a Secret.
    pub struct SecretKey {
        /// Its name.
        pub name: String,
        /// Bytes of the value.
        pub size: u64,
        /// What a certificate says of itself.
        pub certificate: Option<Certificate>,
    }

    /// The public part of a certificate.
    pub struct Certificate {
        /// Whom it is for.
        pub subject: String,
        /// Names it is valid for.
        pub names: List<String>,
        /// From when.
        pub not_before: super::lenient::When,
        /// Until when.
        pub not_after: super::lenient::When,
    }

    /// A value of a ConfigMap.
    pub struct ConfigValue {
        /// The namespace.
        pub namespace: String,
        /// The ConfigMap.
        pub name: String,
        /// The key.
        pub key: String,
        /// The value, redacted, cut at 4 KiB.
        pub value: String,
    }
}

/// Something that decides a finding and is not in the snapshot yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Want {
    /// The key names of a Secret, and its certificates' dates.
    SecretKeys {
        /// The namespace.
        namespace: String,
        /// The Secret.
        name: String,
    },
    /// The values of a ConfigMap.
    ConfigValues {
        /// The namespace.
        namespace: String,
        /// The ConfigMap.
        name: String,
    },
    /// The last lines of a container's log.
    Log {
        /// The pod.
        pod: ObjectRef,
        /// The container.
        container: String,
        /// The run before.
        previous: bool,
    },
}

impl Snapshot {
    /// A snapshot of nothing, to be filled.
    pub fn new(taken_at: Time, context: &str, scope: Scope) -> Snapshot {
        Snapshot {
            schema_version: SCHEMA_VERSION.to_owned(),
            taken_at,
            context: context.to_owned(),
            scope,
            server_version: String::new(),
            objects: Objects::default(),
            logs: Vec::new(),
            secret_keys: Vec::new(),
            config_values: Vec::new(),
            gaps: Vec::new(),
        }
    }

    /// Whether all objects of this kind that matter here were read.
    pub fn knows(&self, kind: Kind, namespace: &str) -> bool {
        !self.gaps.iter().any(|gap| {
            gap.kind == Some(kind) && gap.namespace.as_deref().is_none_or(|ns| namespace.is_empty() || ns == namespace)
        })
    }

    /// The log tail, where it was read.
    pub fn log(&self, pod: &ObjectRef, container: &str, previous: bool) -> Option<&LogTail> {
        self.logs.iter().find(|log| log.pod == *pod && log.container == container && log.previous == previous)
    }

    /// The keys of a Secret, where they were read.
    pub fn keys_of(&self, namespace: &str, name: &str) -> Option<&SecretKeys> {
        self.secret_keys.iter().find(|keys| keys.namespace == namespace && keys.name == name)
    }
}
