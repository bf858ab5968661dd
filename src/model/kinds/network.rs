//! Services and what leads to them.

use super::{IntOrString, Present};
use crate::model::lenient::slim;
use crate::model::{Condition, List, Map, Meta, Selector};

slim! {
    /// A Service.
    pub struct Service {
        /// Metadata.
        pub metadata: Meta,
        /// What is asked for.
        pub spec: ServiceSpec,
        /// What is.
        pub status: ServiceStatus,
    }

    /// `spec` of a Service.
    pub struct ServiceSpec {
        /// `ClusterIP`, `NodePort`, `LoadBalancer`, `ExternalName`.
        #[serde(rename = "type")]
        pub kind: String,
        /// Its pods; none where empty.
        pub selector: Map,
        /// Its ports.
        pub ports: List<ServicePort>,
        /// Its address; `None` makes it headless.
        #[serde(rename = "clusterIP")]
        pub cluster_ip: String,
        /// The name it stands for.
        pub external_name: String,
        /// Whether unready pods count.
        pub publish_not_ready_addresses: bool,
        /// `Cluster` or `Local`.
        pub internal_traffic_policy: String,
        /// `Cluster` or `Local`.
        pub external_traffic_policy: String,
        /// Who makes the load balancer.
        pub load_balancer_class: String,
    }

    /// One port of a Service.
    pub struct ServicePort {
        /// Its name.
        pub name: String,
        /// The number.
        pub port: i64,
        /// The pods' port; the same where absent.
        pub target_port: Option<IntOrString>,
        /// The nodes' port.
        pub node_port: Option<i64>,
        /// `TCP` where empty.
        pub protocol: String,
    }

    /// `status` of a Service.
    pub struct ServiceStatus {
        /// Where it is reached.
        pub load_balancer: LoadBalancer,
        /// Conditions.
        pub conditions: List<Condition>,
    }

    /// Where a Service or an Ingress is reached.
    pub struct LoadBalancer {
        /// The addresses.
        pub ingress: List<Address>,
    }

    /// An address.
    pub struct Address {
        /// As a number.
        pub ip: String,
        /// As a name.
        pub hostname: String,
    }

    /// A part of a Service's endpoints.
    pub struct EndpointSlice {
        /// Metadata.
        pub metadata: Meta,
        /// The endpoints.
        pub endpoints: List<Endpoint>,
        /// Their ports.
        pub ports: List<EndpointPort>,
    }

    /// One endpoint.
    pub struct Endpoint {
        /// Its addresses.
        pub addresses: List<String>,
        /// Its conditions.
        pub conditions: EndpointConditions,
        /// What is behind it.
        pub target_ref: Option<TargetRef>,
        /// The node.
        pub node_name: String,
    }

    /// Conditions of an endpoint; absent means unknown, which counts as ready.
    pub struct EndpointConditions {
        /// Gets traffic.
        pub ready: Option<bool>,
        /// Could.
        pub serving: Option<bool>,
        /// Ends.
        pub terminating: Option<bool>,
    }

    /// What is behind an endpoint.
    pub struct TargetRef {
        /// Its kind.
        pub kind: String,
        /// Its name.
        pub name: String,
        /// Its uid.
        pub uid: String,
    }

    /// One port of a slice.
    pub struct EndpointPort {
        /// The Service port's name.
        pub name: String,
        /// The number.
        pub port: i64,
        /// `TCP` where empty.
        pub protocol: String,
    }

    /// An Ingress.
    pub struct Ingress {
        /// Metadata.
        pub metadata: Meta,
        /// What is asked for.
        pub spec: IngressSpec,
        /// What is.
        pub status: IngressStatus,
    }

    /// `spec` of an Ingress.
    pub struct IngressSpec {
        /// Its class.
        pub ingress_class_name: String,
        /// Where all else goes.
        pub default_backend: Option<IngressBackend>,
        /// By host and path.
        pub rules: List<IngressRule>,
        /// Certificates.
        pub tls: List<IngressTls>,
    }

    /// Where traffic goes.
    pub struct IngressBackend {
        /// A Service.
        pub service: Option<BackendService>,
    }

    /// A Service and its port.
    pub struct BackendService {
        /// The Service.
        pub name: String,
        /// The port.
        pub port: BackendPort,
    }

    /// A port by number or name.
    pub struct BackendPort {
        /// By number.
        pub number: Option<i64>,
        /// By name.
        pub name: String,
    }

    /// The rules of one host.
    pub struct IngressRule {
        /// The host; all where empty.
        pub host: String,
        /// By path.
        pub http: Option<IngressPaths>,
    }

    /// The rules of one host.
    pub struct IngressPaths {
        /// By path.
        pub paths: List<IngressPath>,
    }

    /// One rule.
    pub struct IngressPath {
        /// The path.
        pub path: String,
        /// Where it goes.
        pub backend: IngressBackend,
    }

    /// A certificate.
    pub struct IngressTls {
        /// For these hosts.
        pub hosts: List<String>,
        /// From this Secret.
        pub secret_name: String,
    }

    /// `status` of an Ingress.
    pub struct IngressStatus {
        /// Where it is reached.
        pub load_balancer: LoadBalancer,
    }

    /// A class of Ingresses.
    pub struct IngressClass {
        /// Metadata.
        pub metadata: Meta,
        /// What is asked for.
        pub spec: IngressClassSpec,
    }

    /// `spec` of an IngressClass.
    pub struct IngressClassSpec {
        /// Who serves it.
        pub controller: String,
    }

    /// A NetworkPolicy.
    pub struct NetworkPolicy {
        /// Metadata.
        pub metadata: Meta,
        /// What is asked for.
        pub spec: NetworkPolicySpec,
    }

    /// `spec` of a NetworkPolicy.
    pub struct NetworkPolicySpec {
        /// The pods it isolates.
        pub pod_selector: Selector,
        /// `Ingress`, `Egress`.
        pub policy_types: List<String>,
        /// What may come in.
        pub ingress: List<NetworkRule>,
        /// What may go out.
        pub egress: List<NetworkRule>,
    }

    /// What a policy allows.
    pub struct NetworkRule {
        /// Sources; all where empty.
        pub from: List<Peer>,
        /// Destinations; all where empty.
        pub to: List<Peer>,
        /// Ports; all where empty.
        pub ports: List<PolicyPort>,
    }

    /// One side of traffic.
    pub struct Peer {
        /// Pods.
        pub pod_selector: Option<Selector>,
        /// Namespaces.
        pub namespace_selector: Option<Selector>,
        /// Addresses.
        pub ip_block: Option<IpBlock>,
    }

    /// Addresses.
    pub struct IpBlock {
        /// The range.
        pub cidr: String,
        /// But not these.
        pub except: List<String>,
    }

    /// A port of a policy.
    pub struct PolicyPort {
        /// Number or name; all where absent.
        pub port: Option<IntOrString>,
        /// The last of a range.
        pub end_port: Option<i64>,
        /// `TCP` where empty.
        pub protocol: String,
    }

    /// A Gateway.
    pub struct Gateway {
        /// Metadata.
        pub metadata: Meta,
        /// What is asked for.
        pub spec: GatewaySpec,
        /// What is.
        pub status: GatewayStatus,
    }

    /// `spec` of a Gateway.
    pub struct GatewaySpec {
        /// Its class.
        pub gateway_class_name: String,
        /// Where it listens.
        pub listeners: List<Listener>,
    }

    /// Where a Gateway listens.
    pub struct Listener {
        /// The name.
        pub name: String,
        /// The port.
        pub port: i64,
        /// The host.
        pub hostname: String,
        /// Certificates.
        pub tls: Option<ListenerTls>,
    }

    /// Certificates of a listener.
    pub struct ListenerTls {
        /// The Secrets.
        pub certificate_refs: List<BackendRef>,
    }

    /// `status` of a Gateway.
    pub struct GatewayStatus {
        /// Conditions.
        pub conditions: List<Condition>,
        /// Of each listener.
        pub listeners: List<ListenerStatus>,
    }

    /// `status` of a listener.
    pub struct ListenerStatus {
        /// The name.
        pub name: String,
        /// Conditions.
        pub conditions: List<Condition>,
    }

    /// An HTTPRoute.
    pub struct HTTPRoute {
        /// Metadata.
        pub metadata: Meta,
        /// What is asked for.
        pub spec: RouteSpec,
        /// What is.
        pub status: RouteStatus,
    }

    /// `spec` of an HTTPRoute.
    pub struct RouteSpec {
        /// The Gateways.
        pub parent_refs: List<BackendRef>,
        /// The hosts.
        pub hostnames: List<String>,
        /// The rules.
        pub rules: List<RouteRule>,
    }

    /// One rule.
    pub struct RouteRule {
        /// Where it goes.
        pub backend_refs: List<BackendRef>,
    }

    /// A reference of the Gateway API.
    pub struct BackendRef {
        /// The group; core or gateway where empty.
        pub group: String,
        /// The kind; `Service`, `Gateway` or `Secret` where empty.
        pub kind: String,
        /// The name.
        pub name: String,
        /// The namespace; the object's own where empty.
        pub namespace: String,
        /// The port.
        pub port: Option<i64>,
        /// The listener.
        pub section_name: String,
    }

    /// `status` of an HTTPRoute.
    pub struct RouteStatus {
        /// By Gateway.
        pub parents: List<RouteParent>,
    }

    /// What one Gateway says.
    pub struct RouteParent {
        /// The Gateway.
        pub parent_ref: BackendRef,
        /// Conditions.
        pub conditions: List<Condition>,
    }

    /// An aggregated API.
    pub struct APIService {
        /// Metadata.
        pub metadata: Meta,
        /// What is asked for.
        pub spec: APIServiceSpec,
        /// What is.
        pub status: ConditionsStatus,
    }

    /// `spec` of an APIService.
    pub struct APIServiceSpec {
        /// Who serves it; the API server itself where absent.
        pub service: Option<ServiceReference>,
        /// The group.
        pub group: String,
        /// The version.
        pub version: String,
    }

    /// A Service elsewhere.
    pub struct ServiceReference {
        /// Its namespace.
        pub namespace: String,
        /// Its name.
        pub name: String,
        /// Its port; 443 where absent.
        pub port: Option<i64>,
        /// The path there.
        pub path: String,
    }

    /// A status of which the conditions are read.
    pub struct ConditionsStatus {
        /// Conditions.
        pub conditions: List<Condition>,
    }

    /// Admission hooks that change objects.
    pub struct MutatingWebhookConfiguration {
        /// Metadata.
        pub metadata: Meta,
        /// The hooks.
        pub webhooks: List<Webhook>,
    }

    /// Admission hooks that check objects.
    pub struct ValidatingWebhookConfiguration {
        /// Metadata.
        pub metadata: Meta,
        /// The hooks.
        pub webhooks: List<Webhook>,
    }

    /// One hook.
    pub struct Webhook {
        /// The name.
        pub name: String,
        /// Who is asked.
        pub client_config: WebhookClient,
        /// `Fail` or `Ignore`.
        pub failure_policy: String,
        /// For what.
        pub rules: List<WebhookRule>,
        /// In which namespaces.
        pub namespace_selector: Selector,
        /// For which objects.
        pub object_selector: Selector,
        /// Seconds for an answer.
        pub timeout_seconds: Option<i64>,
    }

    /// Who is asked.
    pub struct WebhookClient {
        /// A Service.
        pub service: Option<ServiceReference>,
        /// Any address.
        pub url: String,
        /// Whether a certificate authority is given.
        pub ca_bundle: Option<Present>,
    }

    /// What a hook is asked for.
    pub struct WebhookRule {
        /// API groups.
        pub api_groups: List<String>,
        /// Resources.
        pub resources: List<String>,
        /// `CREATE`, `UPDATE`, …
        pub operations: List<String>,
    }
}

impl Service {
    /// Whether its endpoints come from pods.
    pub fn selects(&self) -> bool {
        !self.spec.selector.is_empty() && self.spec.kind != "ExternalName"
    }
}

impl EndpointSlice {
    /// The Service it belongs to.
    pub fn service(&self) -> &str {
        self.metadata.labels.get("kubernetes.io/service-name").map_or("", String::as_str)
    }

    /// Whether the endpoint slice controller keeps it, and not a person.
    pub fn managed(&self) -> bool {
        self.metadata.labels.get("endpointslice.kubernetes.io/managed-by").is_some_and(|by| by.ends_with(".k8s.io"))
    }
}

impl Endpoint {
    /// Whether it gets traffic.
    pub fn is_ready(&self) -> bool {
        self.conditions.ready.unwrap_or(true)
    }
}
