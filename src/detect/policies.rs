//! NetworkPolicies: whether they let one pod reach another.
//!
//! *Invariant:* pure, and lenient where the objects don't tell: a peer that can't be judged counts as
//! allowed, so that what is said to be blocked is blocked, if policies are enforced at all.

use super::endpoints::{declared, protocol};
use super::prelude::*;
use crate::model::kinds::{IntOrString, IpBlock, NetworkRule, Peer, PolicyPort};

/// One end of a connection.
#[derive(Clone, Copy)]
pub struct End<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// The pods' labels.
    pub labels: &'a Map,
    /// The pods' addresses.
    pub pods: &'a [&'a Pod],
}

/// The way of traffic, seen from the pods that a policy isolates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To them.
    In,
    /// From them.
    Out,
}

/// The policies that isolate these pods for one way of traffic.
pub fn isolating<'a>(view: &View<'a>, end: End<'_>, way: Way) -> Vec<&'a NetworkPolicy> {
    let policies = view.within::<NetworkPolicy>(end.namespace).iter();
    policies.filter(|policy| covers(policy, way) && policy.spec.pod_selector.matches(end.labels)).collect()
}

/// Whether a policy speaks of this way; without types it does of what comes in, and of what goes
/// out where it has rules for that.
fn covers(policy: &NetworkPolicy, way: Way) -> bool {
    let types = &policy.spec.policy_types;
    match way {
        Way::In => types.is_empty() || types.iter().any(|kind| kind == "Ingress"),
        Way::Out => types.iter().any(|kind| kind == "Egress") || types.is_empty() && !policy.spec.egress.is_empty(),
    }
}

fn rules(policy: &NetworkPolicy, way: Way) -> &[NetworkRule] {
    match way {
        Way::In => &policy.spec.ingress,
        Way::Out => &policy.spec.egress,
    }
}

fn peers(rule: &NetworkRule, way: Way) -> &[Peer] {
    match way {
        Way::In => &rule.from,
        Way::Out => &rule.to,
    }
}

/// The policies that keep `isolated` from `other` on a port, where none of them allows it; empty
/// where traffic may pass. `server` is the spec of the pods that listen, for named ports.
pub fn blocking<'a>(
    view: &View<'a>,
    isolated: End<'_>,
    other: End<'_>,
    way: Way,
    port: (i64, &str),
    server: Option<&PodSpec>,
) -> Vec<&'a NetworkPolicy> {
    let policies = isolating(view, isolated, way);
    let allows = |policy: &&NetworkPolicy| {
        let passes = |rule: &NetworkRule| {
            let peers = peers(rule, way);
            port_passes(rule, port, server)
                && (peers.is_empty() || peers.iter().any(|peer| peer_is(view, policy, peer, other)))
        };
        rules(policy, way).iter().any(passes)
    };
    if policies.iter().any(allows) { Vec::new() } else { policies }
}

/// The policies that let nobody at all reach these pods on a port; empty where somebody may.
pub fn closed<'a>(
    view: &View<'a>,
    isolated: End<'_>,
    port: (i64, &str),
    server: Option<&PodSpec>,
) -> Vec<&'a NetworkPolicy> {
    let policies = isolating(view, isolated, Way::In);
    let open = |policy: &&NetworkPolicy| policy.spec.ingress.iter().any(|rule| port_passes(rule, port, server));
    if policies.iter().any(open) { Vec::new() } else { policies }
}

/// The policies that keep these pods from the cluster's DNS; empty where they may ask it, or where
/// it can't be told.
pub fn blocking_dns<'a>(view: &View<'a>, isolated: End<'_>) -> Vec<&'a NetworkPolicy> {
    // The address of the cache that runs on each node, where there is one.
    const ON_NODE: &str = "169.254.20.10";
    let (namespace, name) = crate::graph::WELL_KNOWN_DNS;
    let service = view.get::<Service>(namespace, name);
    if service.is_none() && view.absent(&ObjectRef::new(Kind::Service, namespace, name)) {
        return Vec::new();
    }
    let pods = service.map(|service| view.pods_behind(service)).unwrap_or_default();
    let usual: Map = [("k8s-app".to_owned(), "kube-dns".to_owned())].into();
    let labels = pods.first().map_or(&usual, |pod| &pod.metadata.labels);
    let dns = End { namespace, labels, pods: &pods };
    let address = service.map_or("", |service| service.spec.cluster_ip.as_str());
    let is = |policy: &NetworkPolicy, peer: &Peer| match &peer.ip_block {
        Some(block) => {
            contains(block, address)
                || contains(block, ON_NODE)
                || pods.iter().any(|pod| contains(block, &pod.status.pod_ip))
        }
        None => peer_is(view, policy, peer, dns),
    };
    let targets: Vec<i64> = pods
        .iter()
        .flat_map(|pod| declared(&pod.spec))
        .filter(|(_, port)| protocol(&port.protocol) == "UDP")
        .map(|(_, port)| port.container_port)
        .chain([53])
        .collect();
    let policies = isolating(view, isolated, Way::Out);
    let allows = |policy: &&NetworkPolicy| {
        policy.spec.egress.iter().any(|rule| {
            targets.iter().any(|port| port_passes(rule, (*port, "UDP"), None))
                && (rule.to.is_empty() || rule.to.iter().any(|peer| is(policy, peer)))
        })
    };
    if policies.iter().any(allows) { Vec::new() } else { policies }
}

fn port_passes(rule: &NetworkRule, (port, kind): (i64, &str), server: Option<&PodSpec>) -> bool {
    let named = |name: &str| {
        server.is_none_or(|spec| {
            declared(spec).any(|(_, declared)| declared.name == name && declared.container_port == port)
        })
    };
    let one = |allowed: &PolicyPort| {
        protocol(&allowed.protocol) == protocol(kind)
            && match &allowed.port {
                None => true,
                Some(IntOrString::Int(first)) => (*first..=allowed.end_port.unwrap_or(*first)).contains(&port),
                Some(IntOrString::Text(name)) => {
                    name.parse::<i64>().map_or_else(|_| named(name), |number| number == port)
                }
            }
    };
    rule.ports.is_empty() || rule.ports.iter().any(one)
}

fn peer_is(view: &View<'_>, policy: &NetworkPolicy, peer: &Peer, end: End<'_>) -> bool {
    if let Some(block) = &peer.ip_block {
        return end.pods.is_empty()
            || end.pods.iter().any(|pod| pod.status.pod_ip.is_empty() || contains(block, &pod.status.pod_ip));
    }
    let namespace = match &peer.namespace_selector {
        None => end.namespace == policy.metadata.namespace,
        Some(selector) => {
            selector.is_empty() || namespace_labels(view, end.namespace).is_none_or(|labels| selector.matches(&labels))
        }
    };
    namespace && peer.pod_selector.as_ref().is_none_or(|selector| selector.matches(end.labels))
}

/// Where another end is, for one who reads a policy: its namespace, with the labels of it that a policy could choose by.
pub fn place_text(view: &View<'_>, policies: &[&NetworkPolicy], way: Way, isolated: &str, other: &str) -> String {
    let all = || policies.iter().flat_map(|policy| rules(policy, way)).flat_map(|rule| peers(rule, way));
    let chosen = all().any(|peer| peer.namespace_selector.is_some());
    let name = if chosen || isolated != other { format!(" in namespace {other}") } else { return String::new() };
    let Some(meta) = view.get::<Namespace>("", other).filter(|_| chosen) else { return name };
    let own = meta.metadata.labels.iter().filter(|(key, _)| key.as_str() != "kubernetes.io/metadata.name");
    let own: Map = own.map(|(key, value)| (key.clone(), value.clone())).collect();
    if own.is_empty() {
        format!("{name}, which has no labels beside its name's")
    } else {
        format!("{name}, which is {}", crate::model::selector::labels(&own))
    }
}

/// A namespace's labels; the name's label is always there. None where it could not be read.
pub fn namespace_labels(view: &View<'_>, name: &str) -> Option<Map> {
    let mut labels = view.get::<Namespace>("", name)?.metadata.labels.clone();
    if !labels.contains_key("kubernetes.io/metadata.name") {
        labels.insert("kubernetes.io/metadata.name".to_owned(), name.to_owned());
    }
    Some(labels)
}

/// Whether an address lies in a block; what can't be read does.
pub fn contains(block: &IpBlock, address: &str) -> bool {
    within(&block.cidr, address).unwrap_or(true)
        && !block.except.iter().any(|range| within(range, address).unwrap_or(false))
}

fn within(range: &str, address: &str) -> Option<bool> {
    use std::net::IpAddr;
    let (network, length) = range.split_once('/')?;
    let (network, address, length): (IpAddr, IpAddr, u32) =
        (network.parse().ok()?, address.parse().ok()?, length.parse().ok()?);
    let (a, b, width) = match (network, address) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits()), u128::from(b.to_bits()), 32_u32),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
        _ => return Some(false),
    };
    // A shift by the whole width gives nothing to compare: such a range holds every address.
    let shift = width.checked_sub(length)?;
    Some(a.checked_shr(shift).unwrap_or(0) == b.checked_shr(shift).unwrap_or(0))
}

/// What a policy allows, for people: `only app=web on TCP 8080`, `nothing`.
pub fn allows_text(policy: &NetworkPolicy, way: Way) -> String {
    let texts: Vec<String> = rules(policy, way).iter().map(|rule| rule_text(rule, way)).collect();
    match texts.as_slice() {
        [] => "nothing".to_owned(),
        texts => format!("only {}", list(texts)),
    }
}

fn rule_text(rule: &NetworkRule, way: Way) -> String {
    let side = if way == Way::In { "from" } else { "to" };
    let peers: Vec<String> = peers(rule, way).iter().map(peer_text).collect();
    let ports: Vec<String> = rule
        .ports
        .iter()
        .map(|port| {
            format!(
                "{} {}",
                protocol(&port.protocol),
                port.port.as_ref().map_or_else(|| "all".to_owned(), ToString::to_string)
            )
        })
        .collect();
    let peers = if peers.is_empty() { String::new() } else { format!("{side} {}", list(&peers)) };
    match (peers.is_empty(), ports.is_empty()) {
        (true, true) => "everything".to_owned(),
        (false, true) => peers,
        (true, false) => list(&ports),
        (false, false) => format!("{peers} on {}", list(&ports)),
    }
}

fn peer_text(peer: &Peer) -> String {
    if let Some(block) = &peer.ip_block {
        return block.cidr.clone();
    }
    let text = |selector: &Selector, all: &str| if selector.is_empty() { all.to_owned() } else { selector.to_string() };
    match (&peer.pod_selector, &peer.namespace_selector) {
        (Some(pods), None) => format!("pods {}", text(pods, "of its namespace")),
        (None, Some(namespaces)) => format!("namespaces {}", text(namespaces, "(all)")),
        (Some(pods), Some(namespaces)) => {
            format!("pods {} of namespaces {}", text(pods, "(all)"), text(namespaces, "(all)"))
        }
        (None, None) => "nobody".to_owned(),
    }
}

/// Policies for people, as a subject: `NetworkPolicy deny` or `NetworkPolicies a and b`.
pub fn title(policies: &[&NetworkPolicy]) -> String {
    let names = list(&policies.iter().map(|policy| policy.metadata.name.clone()).collect::<Vec<_>>());
    format!("{} {names}", if policies.len() == 1 { "NetworkPolicy" } else { "NetworkPolicies" })
}

/// What all of these policies allow together, for people.
pub fn all_allow_text(policies: &[&NetworkPolicy], way: Way) -> String {
    let mut texts: Vec<String> =
        policies.iter().map(|policy| allows_text(policy, way)).filter(|text| text != "nothing").collect();
    texts.dedup();
    if texts.is_empty() { "nothing".to_owned() } else { list(&texts) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_hold_addresses() {
        let table = [
            ("10.0.0.0/8", "10.244.0.3", true),
            ("10.0.0.0/8", "192.168.0.1", false),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("1.2.3.4/32", "1.2.3.5", false),
            ("::/0", "fd00::1", true),
            ("fd00::/8", "10.0.0.1", false),
        ];
        for (cidr, address, expected) in table {
            assert_eq!(
                contains(&IpBlock { cidr: cidr.into(), ..IpBlock::default() }, address),
                expected,
                "{cidr} {address}"
            );
        }
        let hole = IpBlock { cidr: "10.0.0.0/8".into(), except: ["10.244.0.0/16".to_owned()].into() };
        assert!(!contains(&hole, "10.244.0.3"));
        assert!(
            contains(&IpBlock { cidr: "nonsense".into(), ..IpBlock::default() }, "10.0.0.1"),
            "what can't be read is allowed"
        );
    }
}
