//! What nodes have and hold, and what stands against a pod at one of them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::{Reason, claims};
use crate::detect::prelude::*;
use crate::model::selector::subset;

/// The nodes' pods, and what they ask for.
pub struct Places<'a> {
    snapshot: &'a crate::model::Snapshot,
    by_node: BTreeMap<&'a str, Vec<&'a Pod>>,
    /// Whether the pods of all namespaces were read: else what is free is not known.
    pub complete: bool,
    requested: RefCell<BTreeMap<(String, String), Quantity>>,
}

impl<'a> Places<'a> {
    /// Counts the pods by node.
    pub fn new(view: &View<'a>) -> Places<'a> {
        let mut places = Places::nowhere(view);
        for pod in view.all::<Pod>().iter().filter(|pod| !pod.spec.node_name.is_empty() && !pod.finished()) {
            places.by_node.entry(&pod.spec.node_name).or_default().push(pod);
        }
        places
    }

    /// For a cluster in which nothing waits: nothing is counted.
    pub fn nowhere(view: &View<'a>) -> Places<'a> {
        let complete = view.snapshot.scope.namespace.is_none() && view.snapshot.knows(Kind::Pod, "");
        Places { snapshot: view.snapshot, by_node: BTreeMap::new(), complete, requested: RefCell::default() }
    }

    /// The pods on a node that hold something there.
    pub fn on(&self, node: &Node) -> &[&'a Pod] {
        self.by_node.get(node.metadata.name.as_str()).map_or(&[], Vec::as_slice)
    }

    /// All of a resource that pods may have on a node.
    pub fn whole(&self, node: &Node, resource: &str) -> Quantity {
        node.status.allocatable.get(resource).and_then(|text| Quantity::parse(text)).unwrap_or_default()
    }

    /// What the pods on a node ask for; for `pods` their number.
    pub fn requested(&self, node: &Node, resource: &str) -> Quantity {
        let key = (node.metadata.name.clone(), resource.to_owned());
        if let Some(known) = self.requested.borrow().get(&key) {
            return *known;
        }
        let pods = self.on(node);
        let sum = match resource {
            "pods" => Quantity::of(i64::try_from(pods.len()).unwrap_or(i64::MAX)),
            _ => pods.iter().map(|pod| pod.spec.request(resource)).sum(),
        };
        self.requested.borrow_mut().insert(key, sum);
        sum
    }

    /// What is left of a resource.
    pub fn free(&self, node: &Node, resource: &str) -> Quantity {
        self.whole(node, resource).minus(self.requested(node, resource))
    }

    /// Whether a node has room for what a pod asks of a resource.
    pub fn fits(&self, pod: &Pod, node: &Node, resource: &str) -> bool {
        self.free(node, resource) >= asked(pod, resource)
    }

    /// What stands against a pod at a node that it is meant for; of what changes with every pod
    /// only what the scheduler named.
    pub fn against(&self, pod: &Pod, node: &Node, said: &BTreeSet<Reason>, lacking: &[&str]) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let taints = taints(pod, node);
        if node.spec.unschedulable && !tolerates(pod, &unschedulable()) {
            reasons.push(Reason::Cordoned);
        }
        if taints.iter().any(|taint| passing(taint) && taint.key != UNSCHEDULABLE) {
            reasons.push(Reason::NodeDown);
        }
        let mut check = |reason: Reason, stands: &dyn Fn() -> bool| {
            if said.contains(&reason) && stands() {
                reasons.push(reason);
            }
        };
        // What pods of other namespaces hold is not known in a narrow scope: the scheduler's word stands.
        check(Reason::Ports, &|| !self.complete || self.on(node).iter().any(|holder| conflict(pod, holder).is_some()));
        check(Reason::Resources, &|| !self.complete || lacking.iter().any(|resource| !self.fits(pod, node, resource)));
        check(Reason::AntiAffinity, &|| !self.complete || !self.repelled(pod, node).is_empty());
        check(Reason::Affinity, &|| self.lonely(pod, node));
        check(Reason::Spread, &|| true);
        check(Reason::VolumeLimit, &|| true);
        reasons
    }

    fn nodes(&self) -> &'a [Node] {
        &self.snapshot.objects.nodes
    }

    /// The pods that share a place with `node`, where `key` says what is the same place.
    pub fn together<'s>(&'s self, node: &Node, key: &'s str) -> impl Iterator<Item = &'a Pod> + 's {
        let domain = node.metadata.labels.get(key).cloned();
        let same = move |other: &&Node| domain.is_some() && other.metadata.labels.get(key) == domain.as_ref();
        self.nodes().iter().filter(same).flat_map(|other| self.on(other)).copied()
    }

    /// Whether a term of `owner` speaks of `other`.
    pub fn speaks_of(&self, owner: &Pod, term: &PodTerm, other: &Pod) -> bool {
        let (own, theirs) = (&owner.metadata.namespace, &other.metadata.namespace);
        let within = term.namespaces.contains(theirs)
            || term.namespaces.is_empty() && term.namespace_selector.is_none() && own == theirs;
        let labelled = || {
            let Some(selector) = &term.namespace_selector else { return false };
            let namespaces = &self.snapshot.objects.namespaces;
            selector.is_empty()
                || namespaces
                    .iter()
                    .any(|namespace| namespace.metadata.name == *theirs && selector.matches(&namespace.metadata.labels))
        };
        term.label_selector.matches(&other.metadata.labels) && (within || labelled())
    }

    /// The pods in a node's places that it must keep away from, or that keep it away.
    pub fn repelled(&self, pod: &Pod, node: &Node) -> Vec<&'a Pod> {
        let ours = pod.spec.affinity.pod_anti_affinity.required.iter();
        let mut found: Vec<&Pod> = ours
            .flat_map(|term| self.together(node, &term.topology_key).filter(|other| self.speaks_of(pod, term, other)))
            .collect();
        if found.is_empty() {
            let keys: BTreeSet<&str> = self
                .by_node
                .values()
                .flatten()
                .flat_map(|other| &other.spec.affinity.pod_anti_affinity.required)
                .map(|term| term.topology_key.as_str())
                .collect();
            let hates = |other: &Pod, key: &str| {
                other
                    .spec
                    .affinity
                    .pod_anti_affinity
                    .required
                    .iter()
                    .any(|term| term.topology_key == key && self.speaks_of(other, term, pod))
            };
            found = keys.iter().flat_map(|key| self.together(node, key).filter(|other| hates(other, key))).collect();
        }
        found
    }

    /// Whether a pod that it must be near to is missing around a node.
    fn lonely(&self, pod: &Pod, node: &Node) -> bool {
        let terms = &pod.spec.affinity.pod_affinity.required;
        terms.iter().any(|term| !self.together(node, &term.topology_key).any(|other| self.speaks_of(pod, term, other)))
    }
}

const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

fn unschedulable() -> Taint {
    Taint { key: UNSCHEDULABLE.to_owned(), effect: "NoSchedule".to_owned(), ..Taint::default() }
}

/// What a pod asks of a resource; each pod is one of `pods`.
pub fn asked(pod: &Pod, resource: &str) -> Quantity {
    if resource == "pods" { Quantity::of(1) } else { pod.spec.request(resource) }
}

/// Whether a taint is put there by Kubernetes for the time that something is wrong with the node,
/// not by people to keep pods away.
pub fn passing(taint: &Taint) -> bool {
    taint.key.starts_with("node.kubernetes.io/") || taint.key.starts_with("node.cloudprovider.kubernetes.io/")
}

/// The taints of a node that keep a pod away.
pub fn taints<'n>(pod: &Pod, node: &'n Node) -> Vec<&'n Taint> {
    node.spec.taints.iter().filter(|taint| taint.effect != "PreferNoSchedule" && !tolerates(pod, taint)).collect()
}

/// Whether a pod bears a taint.
pub fn tolerates(pod: &Pod, taint: &Taint) -> bool {
    pod.spec.tolerations.iter().any(|toleration| {
        let exists = toleration.operator == "Exists";
        let effect = toleration.effect.is_empty() || toleration.effect == taint.effect;
        let key = toleration.key == taint.key || toleration.key.is_empty() && exists;
        effect && key && (exists || toleration.value == taint.value)
    })
}

/// A taint, as `kubectl taint` writes it.
pub fn taint_text(taint: &Taint) -> String {
    let value = if taint.value.is_empty() { String::new() } else { format!("={}", taint.value) };
    format!("{}{value}:{}", taint.key, taint.effect)
}

/// What a pod tolerates instead of a taint, where it names the taint's key or nearly does.
pub fn nearly_tolerated(pod: &Pod, taint: &Taint) -> Option<String> {
    let all = &pod.spec.tolerations;
    let same = all.iter().find(|toleration| toleration.key == taint.key);
    let near = || {
        let key =
            meant(&taint.key, all.iter().map(|toleration| toleration.key.as_str()).filter(|key| !key.is_empty()))?;
        all.iter().find(|toleration| toleration.key == key)
    };
    let toleration = same.or_else(near)?;
    let value = if toleration.operator == "Exists" { String::new() } else { format!("={}", toleration.value) };
    let effect = if toleration.effect.is_empty() { String::new() } else { format!(":{}", toleration.effect) };
    Some(format!("; it tolerates {}{value}{effect}", toleration.key))
}

/// Whether a node carries what the pod's node selector and required node affinity ask for.
pub fn selects(pod: &Pod, node: &Node) -> bool {
    subset(&pod.spec.node_selector, &node.metadata.labels)
        && matches_terms(&pod.spec.affinity.node_affinity.required, node)
}

/// Whether a node is taken by one of the terms, or there are none.
pub fn matches_terms(required: &NodeSelector, node: &Node) -> bool {
    let terms = &required.node_selector_terms;
    let fields: Map = [("metadata.name".to_owned(), node.metadata.name.clone())].into();
    let matches = |term: &NodeTerm| {
        let empty = term.match_expressions.is_empty() && term.match_fields.is_empty();
        !empty
            && term.match_expressions.iter().all(|r| r.matches(&node.metadata.labels))
            && term.match_fields.iter().all(|r| r.matches(&fields))
    };
    terms.is_empty() || terms.iter().any(matches)
}

/// The volumes of a pod's bound claims.
pub fn volumes<'a>(view: &View<'a>, pod: &Pod) -> Vec<&'a PersistentVolume> {
    let bound = claims(view, pod).into_iter().filter(|claim| !claim.spec.volume_name.is_empty());
    bound.filter_map(|claim| view.get::<PersistentVolume>("", &claim.spec.volume_name)).collect()
}

/// Whether all bound volumes of a pod can be mounted at a node.
pub fn reaches(view: &View<'_>, pod: &Pod, node: &Node) -> bool {
    let zones = ["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"];
    let zone = |volume: &PersistentVolume| {
        zones.iter().all(|key| match (volume.metadata.labels.get(key), node.metadata.labels.get(key)) {
            (Some(wanted), Some(have)) => wanted.split("__").any(|zone| zone == have),
            _ => true,
        })
    };
    volumes(view, pod)
        .into_iter()
        .all(|volume| matches_terms(&volume.spec.node_affinity.required, node) && zone(volume))
}

/// The node's ports that a pod takes: number, protocol, address.
pub fn ports(pod: &Pod) -> Vec<(i64, &str, &str)> {
    let containers =
        pod.spec.containers.iter().chain(pod.spec.init_containers.iter().filter(|c| c.restart_policy == "Always"));
    let taken = containers
        .flat_map(|container| &container.ports)
        .filter_map(|port| Some((port.host_port.filter(|port| *port > 0)?, port)));
    taken
        .map(|(number, port)| (number, if port.protocol.is_empty() { "TCP" } else { &*port.protocol }, &*port.host_ip))
        .collect()
}

/// The port that two pods can't both have on one node.
pub fn conflict(one: &Pod, other: &Pod) -> Option<i64> {
    let any = |ip: &str| ip.is_empty() || ip == "0.0.0.0" || ip == "::";
    let theirs = ports(other);
    let clash = |(number, protocol, ip): &(i64, &str, &str)| {
        theirs.iter().any(|(n, p, i)| n == number && p == protocol && (i == ip || any(i) || any(ip)))
    };
    ports(one).into_iter().find(clash).map(|(number, ..)| number)
}
