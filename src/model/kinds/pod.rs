//! Pods, their containers and what they carry.

use serde::{Deserialize, Deserializer, Serialize};

use super::{IntOrString, Present};
use crate::model::lenient::{When, slim};
use crate::model::list::unshared;
use crate::model::{Condition, List, Map, Meta, Selector};

slim! {
    /// A pod.
    pub struct Pod {
        /// Metadata.
        pub metadata: Meta,
        /// What is asked for.
        pub spec: PodSpec,
        /// What is.
        pub status: PodStatus,
    }

    /// The template from which a workload makes pods.
    pub struct PodTemplate {
        /// Labels and annotations of the pods.
        pub metadata: TemplateMeta,
        /// Their spec.
        pub spec: PodSpec,
    }

    /// Metadata of a template.
    pub struct TemplateMeta {
        /// Labels.
        pub labels: Map,
        /// Annotations.
        pub annotations: crate::model::meta::Annotations,
    }

    /// `spec` of a pod.
    pub struct PodSpec {
        /// The node it was given to.
        pub node_name: String,
        /// Who shall schedule it.
        pub scheduler_name: String,
        /// The account it runs as.
        pub service_account_name: String,
        /// Whether the account's token is mounted.
        pub automount_service_account_token: Option<bool>,
        /// Whether the containers get variables of all Services; they do where absent.
        pub enable_service_links: Option<bool>,
        /// The containers.
        pub containers: List<Container>,
        /// Containers that run before, and sidecars (`restartPolicy: Always`).
        pub init_containers: List<Container>,
        /// Volumes.
        pub volumes: List<Volume>,
        /// `Always`, `OnFailure`, `Never`.
        pub restart_policy: String,
        /// Labels that the node must carry.
        pub node_selector: Map,
        /// Rules for where it may run.
        pub affinity: Affinity,
        /// Taints that it bears.
        pub tolerations: List<Toleration>,
        /// How it must be spread.
        pub topology_spread_constraints: List<SpreadConstraint>,
        /// The class its priority comes from.
        pub priority_class_name: String,
        /// The priority.
        pub priority: Option<i64>,
        /// Whether it may put out lower pods: `Never`, or `PreemptLowerPriority`.
        pub preemption_policy: String,
        /// The runtime class.
        pub runtime_class_name: String,
        /// Whether it uses the node's network.
        pub host_network: bool,
        /// How names are resolved.
        pub dns_policy: String,
        /// Settings beside the policy.
        pub dns_config: Option<DnsConfig>,
        /// Names that the pod resolves by itself.
        pub host_aliases: List<HostAlias>,
        /// Secrets for the registry.
        pub image_pull_secrets: List<LocalReference>,
        /// Settings for all containers.
        pub security_context: SecurityContext,
        /// Seconds it has to end.
        pub termination_grace_period_seconds: Option<i64>,
        /// Seconds it may run.
        pub active_deadline_seconds: Option<i64>,
        /// What must be lifted before it is scheduled.
        pub scheduling_gates: List<LocalReference>,
        /// Conditions beyond the containers' that make it ready.
        pub readiness_gates: List<ReadinessGate>,
        /// Its host name.
        pub hostname: String,
        /// The headless Service that names it.
        pub subdomain: String,
        /// Resources for the pod beside its containers.
        pub overhead: Map,
        /// Requests and limits of the pod as a whole, where it has them.
        pub resources: Resources,
    }

    /// `spec.dnsConfig`.
    pub struct DnsConfig {
        /// Servers asked.
        pub nameservers: List<String>,
        /// Suffixes tried.
        pub searches: List<String>,
    }

    /// `spec.hostAliases[]`.
    pub struct HostAlias {
        /// The address.
        pub ip: String,
        /// The names.
        pub hostnames: List<String>,
    }

    /// A name alone.
    pub struct LocalReference {
        /// The name.
        pub name: String,
    }

    /// `spec.readinessGates[]`.
    pub struct ReadinessGate {
        /// The condition.
        pub condition_type: String,
    }

    /// One container.
    pub struct Container {
        /// The name.
        pub name: String,
        /// The image.
        pub image: String,
        /// When it is pulled.
        pub image_pull_policy: String,
        /// The program; the image's where empty.
        pub command: List<String>,
        /// Its arguments.
        pub args: List<String>,
        /// Where it starts.
        pub working_dir: String,
        /// Environment.
        pub env: List<EnvVar>,
        /// Whole maps as environment.
        pub env_from: List<EnvFrom>,
        /// Ports it declares.
        pub ports: List<ContainerPort>,
        /// Requests and limits.
        pub resources: Resources,
        /// Mounts.
        pub volume_mounts: List<VolumeMount>,
        /// When it is restarted.
        pub liveness_probe: Option<Box<Probe>>,
        /// When it gets traffic.
        pub readiness_probe: Option<Box<Probe>>,
        /// Until when it counts as starting.
        pub startup_probe: Option<Box<Probe>>,
        /// Hooks.
        pub lifecycle: Option<Box<Lifecycle>>,
        /// Settings for this container.
        pub security_context: SecurityContext,
        /// `Always` makes an init container a sidecar.
        pub restart_policy: String,
    }

    /// One environment variable.
    pub struct EnvVar {
        /// The name.
        pub name: String,
        /// The literal value, redacted.
        pub value: Option<String>,
        /// Where it comes from.
        pub value_from: Option<Box<EnvSource>>,
    }

    /// `env[].valueFrom`.
    pub struct EnvSource {
        /// A key of a ConfigMap.
        pub config_map_key_ref: Option<KeyReference>,
        /// A key of a Secret.
        pub secret_key_ref: Option<KeyReference>,
        /// A field of the pod.
        pub field_ref: Option<FieldReference>,
    }

    /// A field of the pod itself.
    pub struct FieldReference {
        /// Its path.
        pub field_path: String,
    }

    /// A key of a named map.
    pub struct KeyReference {
        /// The map.
        pub name: String,
        /// The key.
        pub key: String,
        /// Whether it may be missing.
        pub optional: bool,
    }

    /// `envFrom[]`.
    pub struct EnvFrom {
        /// Put before each name.
        pub prefix: String,
        /// A whole ConfigMap.
        pub config_map_ref: Option<MapReference>,
        /// A whole Secret.
        pub secret_ref: Option<MapReference>,
    }

    /// A named map.
    pub struct MapReference {
        /// The name.
        pub name: String,
        /// Whether it may be missing.
        pub optional: bool,
    }

    /// A declared port.
    pub struct ContainerPort {
        /// Its name.
        pub name: String,
        /// The number.
        pub container_port: i64,
        /// The port taken on the node.
        pub host_port: Option<i64>,
        /// The node's address it is taken on.
        #[serde(rename = "hostIP")]
        pub host_ip: String,
        /// `TCP` where empty.
        pub protocol: String,
    }

    /// Requests and limits: quantities by resource.
    pub struct Resources {
        /// What is reserved.
        pub requests: Map,
        /// What is allowed.
        pub limits: Map,
    }

    /// Where a volume is seen.
    pub struct VolumeMount {
        /// The volume.
        pub name: VolumeName,
        /// The folder.
        pub mount_path: String,
        /// One item of the volume.
        pub sub_path: String,
        /// The same, with variables of the container: `$(POD_NAME)`.
        pub sub_path_expr: String,
        /// Whether it can't be written.
        pub read_only: bool,
    }

    /// A probe.
    pub struct Probe {
        /// Asks by HTTP.
        pub http_get: Option<HttpGet>,
        /// Opens a connection.
        pub tcp_socket: Option<TcpSocket>,
        /// Runs a program.
        pub exec: Option<Exec>,
        /// Asks by gRPC.
        pub grpc: Option<Grpc>,
        /// Wait before the first.
        pub initial_delay_seconds: Option<i64>,
        /// Between two; 10 where absent.
        pub period_seconds: Option<i64>,
        /// For an answer; 1 where absent.
        pub timeout_seconds: Option<i64>,
        /// Failures that count; 3 where absent.
        pub failure_threshold: Option<i64>,
    }

    /// `httpGet`.
    pub struct HttpGet {
        /// The path.
        pub path: String,
        /// Number or name.
        pub port: Option<IntOrString>,
        /// Another host than the pod.
        pub host: String,
        /// `HTTP` or `HTTPS`.
        pub scheme: String,
    }

    /// `tcpSocket`.
    pub struct TcpSocket {
        /// Number or name.
        pub port: Option<IntOrString>,
        /// Another host than the pod.
        pub host: String,
    }

    /// `exec`.
    pub struct Exec {
        /// Program and arguments.
        pub command: List<String>,
    }

    /// `grpc`.
    pub struct Grpc {
        /// The port.
        pub port: i64,
        /// The service asked for.
        pub service: String,
    }

    /// Hooks.
    pub struct Lifecycle {
        /// After the start.
        pub post_start: Option<Handler>,
        /// Before the end.
        pub pre_stop: Option<Handler>,
    }

    /// What a hook does.
    pub struct Handler {
        /// Runs a program.
        pub exec: Option<Exec>,
        /// Asks by HTTP.
        pub http_get: Option<HttpGet>,
        /// Waits.
        pub sleep: Option<Sleep>,
    }

    /// A hook that waits.
    pub struct Sleep {
        /// How long.
        pub seconds: i64,
    }

    /// Security settings of a pod or a container.
    pub struct SecurityContext {
        /// Refuse to run as root.
        pub run_as_non_root: Option<bool>,
        /// The user id.
        pub run_as_user: Option<i64>,
        /// The group id.
        pub run_as_group: Option<i64>,
        /// The group of volumes.
        pub fs_group: Option<i64>,
        /// No writes but to volumes.
        pub read_only_root_filesystem: Option<bool>,
        /// All rights.
        pub privileged: Option<bool>,
        /// May gain rights.
        pub allow_privilege_escalation: Option<bool>,
        /// Rights of root that it has.
        pub capabilities: Option<Box<Capabilities>>,
    }

    /// `securityContext.capabilities`.
    pub struct Capabilities {
        /// Given beside the runtime's own.
        pub add: List<String>,
        /// Taken away; `ALL` for all.
        pub drop: List<String>,
    }

    /// A volume.
    pub struct Volume {
        /// The name.
        pub name: VolumeName,
        /// A ConfigMap.
        pub config_map: Option<MapVolume>,
        /// A Secret.
        pub secret: Option<SecretVolume>,
        /// Several sources in one.
        pub projected: Option<Projected>,
        /// A claim.
        pub persistent_volume_claim: Option<ClaimVolume>,
        /// A claim made for the pod.
        pub ephemeral: Option<Present>,
        /// A scratch folder.
        pub empty_dir: Option<EmptyDir>,
        /// A folder of the node.
        pub host_path: Option<HostPath>,
        /// A file share.
        pub nfs: Option<Nfs>,
        /// A driver's volume.
        pub csi: Option<CsiVolume>,
    }

    /// A ConfigMap as a volume.
    pub struct MapVolume {
        /// The ConfigMap.
        pub name: String,
        /// Whether it may be missing.
        pub optional: bool,
        /// The keys shown; all where empty.
        pub items: List<KeyPath>,
        /// The files' mode.
        pub default_mode: Option<i64>,
    }

    /// A Secret as a volume.
    pub struct SecretVolume {
        /// The Secret.
        pub secret_name: String,
        /// Whether it may be missing.
        pub optional: bool,
        /// The keys shown; all where empty.
        pub items: List<KeyPath>,
        /// The files' mode.
        pub default_mode: Option<i64>,
    }

    /// A key and the file it becomes.
    pub struct KeyPath {
        /// The key.
        pub key: String,
        /// The file.
        pub path: String,
        /// Its mode.
        pub mode: Option<i64>,
    }

    /// A volume of several sources.
    pub struct Projected {
        /// The sources.
        pub sources: List<ProjectedSource>,
    }

    /// One source.
    pub struct ProjectedSource {
        /// A ConfigMap.
        pub config_map: Option<MapVolume>,
        /// A Secret.
        pub secret: Option<MapVolume>,
        /// An account token.
        pub service_account_token: Option<Present>,
    }

    /// A claim as a volume.
    pub struct ClaimVolume {
        /// The claim.
        pub claim_name: String,
        /// Whether it can't be written.
        pub read_only: bool,
    }

    /// A scratch folder.
    pub struct EmptyDir {
        /// `Memory` for a RAM disk.
        pub medium: String,
        /// Its bound.
        pub size_limit: String,
    }

    /// A folder of the node.
    pub struct HostPath {
        /// The path.
        pub path: String,
        /// What must be there.
        #[serde(rename = "type")]
        pub kind: String,
    }

    /// A file share.
    pub struct Nfs {
        /// The server.
        pub server: String,
        /// The path there.
        pub path: String,
    }

    /// A driver's volume.
    pub struct CsiVolume {
        /// The driver.
        pub driver: String,
    }

    /// `affinity`.
    pub struct Affinity {
        /// To nodes.
        pub node_affinity: NodeAffinity,
        /// To pods.
        pub pod_affinity: PodAffinity,
        /// Away from pods.
        pub pod_anti_affinity: PodAffinity,
    }

    /// Which nodes are wanted.
    pub struct NodeAffinity {
        /// What must hold.
        #[serde(rename = "requiredDuringSchedulingIgnoredDuringExecution")]
        pub required: NodeSelector,
    }

    /// A choice of nodes: one of the terms must match.
    pub struct NodeSelector {
        /// The terms.
        pub node_selector_terms: List<NodeTerm>,
    }

    /// One term: all of it must match.
    pub struct NodeTerm {
        /// By labels.
        pub match_expressions: List<crate::model::selector::Requirement>,
        /// By fields (`metadata.name`).
        pub match_fields: List<crate::model::selector::Requirement>,
    }

    /// Affinity to pods.
    pub struct PodAffinity {
        /// What must hold.
        #[serde(rename = "requiredDuringSchedulingIgnoredDuringExecution")]
        pub required: List<PodTerm>,
    }

    /// One term.
    pub struct PodTerm {
        /// Which pods.
        pub label_selector: Selector,
        /// The node label that says what is the same place.
        pub topology_key: String,
        /// Their namespaces; the pod's own where empty.
        pub namespaces: List<String>,
        /// Their namespaces by label; an empty selector means all.
        pub namespace_selector: Option<Selector>,
    }

    /// A taint that is borne.
    pub struct Toleration {
        /// The taint's key; all where empty.
        pub key: String,
        /// `Equal` or `Exists`.
        pub operator: String,
        /// The taint's value.
        pub value: String,
        /// The effect; all where empty.
        pub effect: String,
        /// For how long.
        pub toleration_seconds: Option<i64>,
    }

    /// How pods must be spread.
    pub struct SpreadConstraint {
        /// The largest difference.
        pub max_skew: i64,
        /// The node label that says what is the same place.
        pub topology_key: String,
        /// `DoNotSchedule` or `ScheduleAnyway`.
        pub when_unsatisfiable: String,
        /// Which pods count.
        pub label_selector: Selector,
        /// How many places there must be at least.
        pub min_domains: Option<i64>,
    }

    /// `status` of a pod.
    pub struct PodStatus {
        /// `Pending`, `Running`, `Succeeded`, `Failed`, `Unknown`.
        pub phase: String,
        /// A word: `Evicted`.
        pub reason: String,
        /// A sentence.
        pub message: String,
        /// Conditions.
        pub conditions: List<Condition>,
        /// Containers.
        pub container_statuses: List<ContainerStatus>,
        /// Init containers.
        pub init_container_statuses: List<ContainerStatus>,
        /// Its address.
        #[serde(rename = "podIP")]
        pub pod_ip: String,
        /// When the kubelet took it.
        pub start_time: When,
        /// `Guaranteed`, `Burstable`, `BestEffort`.
        pub qos_class: String,
        /// The node that others are evicted from for it.
        pub nominated_node_name: String,
    }

    /// What a container does.
    pub struct ContainerStatus {
        /// The container.
        pub name: String,
        /// Whether it is ready.
        pub ready: bool,
        /// Whether its startup probe passed.
        pub started: Option<bool>,
        /// How often it was restarted.
        pub restart_count: i64,
        /// The image it runs.
        pub image: String,
        /// What it does now.
        pub state: ContainerState,
        /// What it did before.
        pub last_state: ContainerState,
    }

    /// One of three.
    pub struct ContainerState {
        /// Not running yet.
        pub waiting: Option<Waiting>,
        /// Running.
        pub running: Option<Running>,
        /// Ended.
        pub terminated: Option<Terminated>,
    }

    /// Why it waits.
    pub struct Waiting {
        /// A word.
        pub reason: String,
        /// A sentence.
        pub message: String,
    }

    /// Since when it runs.
    pub struct Running {
        /// The start.
        pub started_at: When,
    }

    /// How it ended.
    pub struct Terminated {
        /// The exit code.
        pub exit_code: i64,
        /// The signal.
        pub signal: i64,
        /// `OOMKilled`, `Error`, `Completed`, `StartError`, …
        pub reason: String,
        /// The termination message.
        pub message: String,
        /// The start.
        pub started_at: When,
        /// The end.
        pub finished_at: When,
    }
}

/// The name of a volume in its pod. The volume of the account's token, which the API server adds to each pod under a
/// name of its own (`kube-api-access-x7k2p`), is `kube-api-access` in all: else no two pods had equal containers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct VolumeName(String);

unshared!(VolumeName);

impl<'de> Deserialize<'de> for VolumeName {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        const TOKEN: &str = "kube-api-access";
        let mut name = String::deserialize(d)?;
        let chance = name.strip_prefix(TOKEN).and_then(|rest| rest.strip_prefix('-'));
        if chance.is_some_and(|chance| chance.len() == 5 && chance.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
            name.truncate(TOKEN.len());
        }
        Ok(VolumeName(name))
    }
}

impl std::ops::Deref for VolumeName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<&str> for VolumeName {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl std::fmt::Display for VolumeName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl PodSpec {
    /// Whether `hostAliases` give this host an address of their own.
    pub fn aliases(&self, host: &str) -> bool {
        self.host_aliases.iter().any(|alias| alias.hostnames.iter().any(|name| name == host))
    }

    /// All containers that are to keep running or run first: init containers, then containers.
    pub fn all_containers(&self) -> impl Iterator<Item = &Container> {
        self.init_containers.iter().chain(self.containers.iter())
    }

    /// The container of this name.
    pub fn container(&self, name: &str) -> Option<&Container> {
        self.all_containers().find(|container| container.name == name)
    }

    /// What the scheduler reserves of a resource, as text sums: containers, or the largest init
    /// container where that is more.
    pub fn request(&self, resource: &str) -> crate::model::Quantity {
        use crate::model::Quantity;
        let of = |c: &Container| {
            c.resources
                .requests
                .get(resource)
                .or_else(|| c.resources.limits.get(resource))
                .and_then(|q| Quantity::parse(q))
                .unwrap_or_default()
        };
        let sidecars: Quantity = self.init_containers.iter().filter(|c| c.restart_policy == "Always").map(of).sum();
        let running: Quantity = self.containers.iter().map(of).sum::<Quantity>() + sidecars;
        let first = self.init_containers.iter().map(of).max().unwrap_or_default();
        let overhead = self.overhead.get(resource).and_then(|q| Quantity::parse(q)).unwrap_or_default();
        // What is asked for the pod as a whole stands for the sum of its containers.
        let whole = self.resources.requests.get(resource).and_then(|q| Quantity::parse(q));
        whole.unwrap_or_else(|| running.max(first)) + overhead
    }
}

impl PodStatus {
    /// The statuses of init containers, then of containers.
    pub fn all_statuses(&self) -> impl Iterator<Item = &ContainerStatus> {
        self.init_container_statuses.iter().chain(self.container_statuses.iter())
    }
}

impl Pod {
    /// Whether it gets traffic.
    pub fn ready(&self) -> bool {
        crate::model::meta::condition(&self.status.conditions, "Ready").is_some_and(Condition::is_true)
    }

    /// Whether it ended for good.
    pub fn finished(&self) -> bool {
        matches!(self.status.phase.as_str(), "Succeeded" | "Failed")
    }
}
