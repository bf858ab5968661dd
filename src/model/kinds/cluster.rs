//! Nodes, namespaces, leases and metrics.

use crate::model::lenient::{When, slim};
use crate::model::{Condition, List, Map, Meta};

slim! {
    /// A node.
    pub struct Node {
        /// Metadata.
        pub metadata: Meta,
        /// What is asked for.
        pub spec: NodeSpec,
        /// What is.
        pub status: NodeStatus,
    }

    /// `spec` of a node.
    pub struct NodeSpec {
        /// Whether it takes no new pods.
        pub unschedulable: bool,
        /// What keeps pods away.
        pub taints: List<Taint>,
        /// The cloud's name for it.
        #[serde(rename = "providerID")]
        pub provider_id: String,
    }

    /// What keeps pods away.
    pub struct Taint {
        /// The key.
        pub key: String,
        /// The value.
        pub value: String,
        /// `NoSchedule`, `PreferNoSchedule`, `NoExecute`.
        pub effect: String,
        /// Since when.
        pub time_added: When,
    }

    /// `status` of a node.
    pub struct NodeStatus {
        /// What there is.
        pub capacity: Map,
        /// What pods may have.
        pub allocatable: Map,
        /// Conditions.
        pub conditions: List<Condition>,
        /// Versions.
        pub node_info: NodeInfo,
        /// Addresses.
        pub addresses: List<NodeAddress>,
    }

    /// An address of a node.
    pub struct NodeAddress {
        /// `InternalIP`, `Hostname`, …
        #[serde(rename = "type")]
        pub kind: String,
        /// The address.
        pub address: String,
    }

    /// Versions of a node.
    pub struct NodeInfo {
        /// The kubelet's.
        pub kubelet_version: String,
        /// `amd64`, `arm64`.
        pub architecture: String,
        /// `linux`, `windows`.
        pub operating_system: String,
        /// The runtime's.
        pub container_runtime_version: String,
    }

    /// A namespace.
    pub struct Namespace {
        /// Metadata.
        pub metadata: Meta,
        /// What is.
        pub status: NamespaceStatus,
    }

    /// `status` of a namespace.
    pub struct NamespaceStatus {
        /// `Active` or `Terminating`.
        pub phase: String,
        /// Conditions.
        pub conditions: List<Condition>,
    }

    /// A lease: a heartbeat, or who leads.
    pub struct Lease {
        /// Metadata.
        pub metadata: Meta,
        /// What is.
        pub spec: LeaseSpec,
    }

    /// `spec` of a lease.
    pub struct LeaseSpec {
        /// Who holds it.
        pub holder_identity: String,
        /// For how many seconds after a renewal.
        pub lease_duration_seconds: Option<i64>,
        /// Since when.
        pub acquire_time: When,
        /// When it was last renewed.
        pub renew_time: When,
    }

    /// What a node uses.
    pub struct NodeMetrics {
        /// Metadata.
        pub metadata: Meta,
        /// By resource.
        pub usage: Map,
    }

    /// What a pod uses.
    pub struct PodMetrics {
        /// Metadata.
        pub metadata: Meta,
        /// By container.
        pub containers: List<ContainerMetrics>,
    }

    /// What a container uses.
    pub struct ContainerMetrics {
        /// The container.
        pub name: String,
        /// By resource.
        pub usage: Map,
    }
}
