//! What limits workloads: quotas, ranges, roles, priorities.

use super::network::ConditionsStatus;
use crate::model::lenient::slim;
use crate::model::{List, Map, Meta};

slim! {
    /// A quota.
    pub struct ResourceQuota {
        /// Metadata.
        pub metadata: Meta,
        /// What is asked for.
        pub spec: QuotaSpec,
        /// What is.
        pub status: QuotaStatus,
    }

    /// `spec` of a quota.
    pub struct QuotaSpec {
        /// The bounds.
        pub hard: Map,
    }

    /// `status` of a quota.
    pub struct QuotaStatus {
        /// The bounds in force.
        pub hard: Map,
        /// What is used.
        pub used: Map,
    }

    /// Bounds of single objects.
    pub struct LimitRange {
        /// Metadata.
        pub metadata: Meta,
        /// What is asked for.
        pub spec: LimitRangeSpec,
    }

    /// `spec` of a LimitRange.
    pub struct LimitRangeSpec {
        /// The bounds.
        pub limits: List<LimitRangeItem>,
    }

    /// The bounds of one type.
    pub struct LimitRangeItem {
        /// `Container`, `Pod`, `PersistentVolumeClaim`.
        #[serde(rename = "type")]
        pub kind: String,
        /// The most.
        pub max: Map,
        /// The least.
        pub min: Map,
        /// Limits where none are given.
        pub default: Map,
        /// Requests where none are given.
        pub default_request: Map,
        /// Limit by request at the most.
        pub max_limit_request_ratio: Map,
    }

    /// A role in a namespace.
    pub struct Role {
        /// Metadata.
        pub metadata: Meta,
        /// What it allows.
        pub rules: List<PolicyRule>,
    }

    /// A role in the cluster.
    pub struct ClusterRole {
        /// Metadata.
        pub metadata: Meta,
        /// What it allows.
        pub rules: List<PolicyRule>,
    }

    /// What a role allows.
    pub struct PolicyRule {
        /// Verbs.
        pub verbs: List<String>,
        /// Groups.
        pub api_groups: List<String>,
        /// Resources.
        pub resources: List<String>,
        /// Only these objects.
        pub resource_names: List<String>,
    }

    /// Who has a role in a namespace.
    pub struct RoleBinding {
        /// Metadata.
        pub metadata: Meta,
        /// The role.
        pub role_ref: RoleReference,
        /// Who has it.
        pub subjects: List<Subject>,
    }

    /// Who has a role in the cluster.
    pub struct ClusterRoleBinding {
        /// Metadata.
        pub metadata: Meta,
        /// The role.
        pub role_ref: RoleReference,
        /// Who has it.
        pub subjects: List<Subject>,
    }

    /// A role.
    pub struct RoleReference {
        /// `Role` or `ClusterRole`.
        pub kind: String,
        /// Its name.
        pub name: String,
    }

    /// Who has a role.
    pub struct Subject {
        /// `User`, `Group`, `ServiceAccount`.
        pub kind: String,
        /// The name.
        pub name: String,
        /// Of an account.
        pub namespace: String,
    }

    /// A class of priorities.
    pub struct PriorityClass {
        /// Metadata.
        pub metadata: Meta,
        /// The priority.
        pub value: i64,
        /// Whether it is the default.
        pub global_default: bool,
    }

    /// A class of runtimes.
    pub struct RuntimeClass {
        /// Metadata.
        pub metadata: Meta,
        /// The node's name for it.
        pub handler: String,
    }

    /// A policy in CEL.
    pub struct ValidatingAdmissionPolicy {
        /// Metadata.
        pub metadata: Meta,
        /// What is asked for.
        pub spec: AdmissionPolicySpec,
    }

    /// `spec` of a policy in CEL.
    pub struct AdmissionPolicySpec {
        /// `Fail` or `Ignore`.
        pub failure_policy: String,
        /// What it checks.
        pub validations: List<Validation>,
    }

    /// One check.
    pub struct Validation {
        /// In CEL.
        pub expression: String,
        /// What it says.
        pub message: String,
    }

    /// A custom kind.
    pub struct CustomResourceDefinition {
        /// Metadata.
        pub metadata: Meta,
        /// What is asked for.
        pub spec: DefinitionSpec,
        /// What is.
        pub status: ConditionsStatus,
    }

    /// `spec` of a custom kind.
    pub struct DefinitionSpec {
        /// The group.
        pub group: String,
        /// `Namespaced` or `Cluster`.
        pub scope: String,
        /// Its names.
        pub names: DefinitionNames,
        /// Its versions.
        pub versions: List<DefinitionVersion>,
        /// How objects get from one version to another.
        pub conversion: Conversion,
    }

    /// `spec.conversion` of a custom kind.
    pub struct Conversion {
        /// `None` or `Webhook`.
        pub strategy: String,
        /// Who is asked.
        pub webhook: ConversionWebhook,
    }

    /// `spec.conversion.webhook`.
    pub struct ConversionWebhook {
        /// Where it is.
        pub client_config: super::WebhookClient,
    }

    /// Names of a custom kind.
    pub struct DefinitionNames {
        /// The kind.
        pub kind: String,
        /// In the API's path.
        pub plural: String,
        /// For people.
        pub short_names: List<String>,
    }

    /// A version of a custom kind.
    pub struct DefinitionVersion {
        /// The name.
        pub name: String,
        /// Whether it is served.
        pub served: bool,
        /// Whether it is stored.
        pub storage: bool,
        /// Its schema, as far as `status` goes.
        pub schema: DefinitionSchema,
    }

    /// Schema of a version.
    pub struct DefinitionSchema {
        /// The schema.
        #[serde(rename = "openAPIV3Schema")]
        pub open_api: RootSchema,
    }

    /// The top of a schema.
    pub struct RootSchema {
        /// Its fields.
        pub properties: RootProperties,
        /// Whether fields are free.
        #[serde(rename = "x-kubernetes-preserve-unknown-fields")]
        pub free: bool,
    }

    /// The fields at the top of a schema.
    pub struct RootProperties {
        /// `status`.
        pub status: StatusSchema,
    }

    /// The schema of `status`.
    pub struct StatusSchema {
        /// Its fields.
        pub properties: StatusProperties,
        /// Whether fields are free.
        #[serde(rename = "x-kubernetes-preserve-unknown-fields")]
        pub free: bool,
    }

    /// The fields of `status` that we know.
    pub struct StatusProperties {
        /// `conditions`.
        pub conditions: Option<super::Present>,
        /// `health`, as Argo CD has it.
        pub health: Option<super::Present>,
    }
}

impl CustomResourceDefinition {
    /// Whether its objects can say of themselves how they are.
    pub fn reports(&self) -> bool {
        self.spec.versions.iter().filter(|version| version.served).any(|version| {
            let root = &version.schema.open_api;
            let status = &root.properties.status;
            root.free || status.free || status.properties.conditions.is_some() || status.properties.health.is_some()
        })
    }
}
