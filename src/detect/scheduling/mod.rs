//! Why a pod has no node: the one reason that decides, from the objects and the scheduler's words.
//!
//! *Invariant:* every pod without a node has exactly one [`Reason`], so that the scheduling
//! detectors never speak of the same pod. The scheduler gives one reason for each node, the first
//! that it met; many of them don't matter (the pool that is kept for others, the control plane).
//! So the nodes are narrowed to those that the pod is meant for, and what stands against it there
//! decides. Static facts (labels, taints, volumes) are taken from the objects, what changes with
//! every pod (room, ports, neighbours) only where the scheduler names it too.

mod message;
mod places;

use std::collections::BTreeMap;

pub use message::{lacking, named};
pub use places::{
    Places, asked, conflict, matches_terms, nearly_tolerated, passing as passing_taint, ports, reaches, selects,
    taint_text, taints, tolerates, volumes,
};

use crate::detect::prelude::*;

/// What keeps a pod from its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Every node that would do is not ready or under pressure.
    NodeDown,
    /// Every node that would do is cordoned.
    Cordoned,
    /// The nodes carry as many volumes as they may.
    VolumeLimit,
    /// A port of the node is taken.
    Ports,
    /// Pods that it must keep away from are everywhere.
    AntiAffinity,
    /// Pods that it must be near to are nowhere.
    Affinity,
    /// The pods of its kind can't be spread as asked.
    Spread,
    /// There is not enough room.
    Resources,
    /// Its volume can't be reached from where it may run.
    Volume,
    /// No node carries the labels that it asks for.
    Selector,
    /// It does not bear the taints of the nodes that would do.
    Taint,
    /// It waits for a claim.
    Claim,
    /// A gate holds it back.
    Gated,
    /// No scheduler has looked at it.
    Unseen,
    /// Something that is not known here.
    Other,
}

/// A pod without a node.
#[derive(Clone)]
pub struct Unplaced<'a> {
    /// The pod.
    pub pod: &'a Pod,
    /// The condition `PodScheduled`, where a scheduler wrote one.
    pub condition: Option<&'a Condition>,
    /// What decides.
    pub reason: Reason,
    /// The nodes at which it decides.
    pub nodes: Vec<&'a Node>,
}

impl Unplaced<'_> {
    /// What the scheduler says.
    pub fn message(&self) -> &str {
        self.condition.map_or("", |condition| &condition.message)
    }

    /// The finding of a detector, with the scheduler's words as its first quote.
    pub fn finding(&self, view: &View<'_>, summary: impl Into<String>) -> Finding {
        let object = self.pod.object_ref();
        let mut finding = Finding::new(object.clone(), view.pod_severity(self.pod), Stage::Schedule, summary);
        finding = match self.condition {
            Some(condition) if !condition.message.is_empty() => {
                finding.field(&object, "status.conditions[PodScheduled].message", &condition.message)
            }
            Some(condition) => finding.field(&object, "status.conditions[PodScheduled].reason", &condition.reason),
            None => finding.field(&object, "status.phase", &self.pod.status.phase),
        };
        // An autoscaler that could not help either says why.
        if let Some(event) = view.event(&object, "NotTriggerScaleUp") {
            finding = finding.event(event);
        }
        let since = self.condition.and_then(|condition| *condition.last_transition_time);
        finding.since(since.or(*self.pod.metadata.creation_timestamp))
    }
}

/// The pods without a node for which `reason` decides, with what is known of the places.
pub fn unplaced<'a>(view: &View<'a>, reason: Reason) -> (Vec<Unplaced<'a>>, Places<'a>) {
    let waiting =
        |pod: &&Pod| pod.status.phase == "Pending" && pod.spec.node_name.is_empty() && !pod.metadata.deleting();
    let pods: Vec<&'a Pod> = view.all::<Pod>().iter().filter(waiting).filter(|pod| possible(pod, reason)).collect();
    let places = if pods.is_empty() { Places::nowhere(view) } else { Places::new(view) };
    let mut known: BTreeMap<(ObjectRef, String), (Reason, Vec<&'a Node>)> = BTreeMap::new();
    let mut found = Vec::new();
    for pod in pods {
        let condition = condition(&pod.status.conditions, "PodScheduled").filter(|condition| !condition.is_true());
        // The replicas of one workload fail alike: one of them is weighed.
        let words = condition.map(|condition| condition.message.clone()).unwrap_or_default();
        let key = (view.top_owner(pod.object_ref(), &pod.metadata), words);
        let (decides, nodes) = known.entry(key).or_insert_with(|| decide(view, &places, pod, condition)).clone();
        let unplaced = Unplaced { pod, condition, reason: decides, nodes };
        if decides == reason && !passing(view, &places, &unplaced) {
            found.push(unplaced);
        }
    }
    (found, places)
}

/// Whether `reason` can be a pod's at all, told from its condition alone: saves the weighing.
fn possible(pod: &Pod, reason: Reason) -> bool {
    let condition = condition(&pod.status.conditions, "PodScheduled");
    let Some(condition) = condition else { return matches!(reason, Reason::Unseen | Reason::Claim | Reason::Gated) };
    let said = named(&condition.message);
    match reason {
        // These may hide behind what the scheduler met first at a node.
        Reason::Selector
        | Reason::Volume
        | Reason::Taint
        | Reason::NodeDown
        | Reason::Cordoned
        | Reason::Resources
        | Reason::Other => true,
        Reason::Unseen => false,
        Reason::Gated => condition.reason == "SchedulingGated",
        reason => said.contains(&reason),
    }
}

fn decide<'a>(
    view: &View<'a>,
    places: &Places<'a>,
    pod: &'a Pod,
    condition: Option<&Condition>,
) -> (Reason, Vec<&'a Node>) {
    if !pod.spec.scheduling_gates.is_empty() {
        return (Reason::Gated, Vec::new());
    }
    let Some(condition) = condition else {
        // A pod whose volume is being made has been looked at, and waits for it without a word.
        let chosen = |claim: &&PersistentVolumeClaim| {
            claim.metadata.annotations.contains_key("volume.kubernetes.io/selected-node")
        };
        let waits = claims(view, pod).into_iter().filter(chosen).any(|claim| claim.status.phase != "Bound");
        return (if waits { Reason::Claim } else { Reason::Unseen }, Vec::new());
    };
    let said = named(&condition.message);
    if said.contains(&Reason::Claim) {
        return (Reason::Claim, Vec::new());
    }
    let known = view.snapshot.knows(Kind::Node, "");
    let mut nodes: Vec<&'a Node> = view.all::<Node>().iter().filter(|node| !node.metadata.deleting()).collect();
    if nodes.is_empty() || !known {
        return (said.iter().copied().next().unwrap_or(Reason::Other), nodes);
    }
    let lacking = lacking(&condition.message);
    let has = |node: &Node| {
        lacking.iter().filter(|name| name.contains('/')).all(|name| places.whole(node, name) >= pod.spec.request(name))
    };
    let open = |node: &Node| places::taints(pod, node).iter().all(|taint| places::passing(taint));
    for reason in [Reason::Selector, Reason::Volume, Reason::Resources, Reason::Taint] {
        let fits = |node: &&Node| match reason {
            Reason::Selector => selects(pod, node),
            Reason::Volume => reaches(view, pod, node),
            Reason::Resources => has(node),
            _ => open(node),
        };
        let rest: Vec<&Node> = nodes.iter().copied().filter(fits).collect();
        if rest.is_empty() {
            return (reason, nodes);
        }
        nodes = rest;
    }
    let against: Vec<(Vec<Reason>, &Node)> =
        nodes.iter().map(|node| (places.against(pod, node, &said, &lacking), *node)).collect();
    // Where one thing alone stands against it, mending that is enough.
    let least = against.iter().map(|(reasons, _)| reasons.len()).filter(|count| *count > 0).min();
    let nearest = || against.iter().filter(|(reasons, _)| Some(reasons.len()) == least);
    let Some(reason) = nearest().flat_map(|(reasons, _)| reasons).min() else {
        // What the objects refute is stale: the scheduler will look again.
        let refuted = [Reason::Selector, Reason::Volume, Reason::Taint];
        return (said.into_iter().find(|reason| !refuted.contains(reason)).unwrap_or(Reason::Other), nodes);
    };
    (*reason, nearest().filter(|(reasons, _)| reasons.contains(reason)).map(|(_, node)| *node).collect())
}

/// Whether it will be over in a moment: pods are on their way out, or a node on its way in.
fn passing(view: &View<'_>, places: &Places<'_>, unplaced: &Unplaced<'_>) -> bool {
    let age = |time: Option<Time>| view.age(time).unwrap_or_default();
    let scaling =
        view.event(&unplaced.pod.object_ref(), "TriggeredScaleUp").is_some_and(|event| age(event.last()) < 5 * SETTLED);
    let young = age(unplaced.condition.and_then(|condition| *condition.last_transition_time)) < SETTLED;
    let leaving = || unplaced.nodes.iter().flat_map(|node| places.on(node)).any(|pod| pod.metadata.deleting());
    let moving = matches!(
        unplaced.reason,
        Reason::Ports | Reason::AntiAffinity | Reason::Resources | Reason::Spread | Reason::VolumeLimit
    );
    scaling || young && moving && (leaving() || !unplaced.pod.status.nominated_node_name.is_empty())
}

/// The claims of a pod that were read.
pub fn claims<'a>(view: &View<'a>, pod: &Pod) -> Vec<&'a PersistentVolumeClaim> {
    let volumes = pod.spec.volumes.iter();
    let names = volumes.filter_map(|volume| match &volume.persistent_volume_claim {
        Some(claim) => Some(claim.claim_name.clone()),
        None => volume.ephemeral.map(|_| format!("{}-{}", pod.metadata.name, volume.name)),
    });
    names.filter_map(|name| view.get(&pod.metadata.namespace, &name)).collect()
}

/// The names of nodes, for a sentence.
pub fn names(nodes: &[&Node]) -> String {
    list(&nodes.iter().map(|node| node.metadata.name.clone()).collect::<Vec<_>>())
}

/// Adds the command that opens the workload's manifest, where there is one to edit.
pub fn edit(finding: Finding, view: &View<'_>, pod: &Pod, purpose: &str) -> Finding {
    let workload = view.workload_of(pod);
    if view.workload(&workload).is_none() || workload.kind == Kind::Job {
        return finding;
    }
    finding.fix(purpose, &workload, &["edit", &workload.kind.argument(), &workload.name])
}

/// What to add where the pods in the way are those of the revision that this pod shall replace:
/// a rolling update that waits for itself.
pub fn deadlock(view: &View<'_>, pod: &Pod, holders: &[&Pod]) -> Option<String> {
    let workload = view.workload_of(pod);
    let deployment =
        view.get::<Deployment>(workload.ns(), &workload.name).filter(|_| workload.kind == Kind::Deployment)?;
    let revision = |pod: &Pod| pod.metadata.controller().map(|owner| owner.name.clone());
    let old = |holder: &&Pod| view.workload_of(holder) == workload && revision(holder) != revision(pod);
    if holders.is_empty() || !holders.iter().all(old) || deployment.spec.strategy.kind == "Recreate" {
        return None;
    }
    let bounds = deployment.spec.strategy.rolling_update.as_ref();
    let bound =
        bounds.and_then(|bounds| bounds.max_unavailable.as_ref()).map_or_else(|| "25%".to_owned(), ToString::to_string);
    Some(format!("the rolling update deadlocks: maxUnavailable {bound} keeps the old pod until the new one is ready"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::testing::snapshot;

    const NODES: &str = "
kind: Node
metadata: {name: cp, labels: {zone: a}}
spec: {taints: [{key: node-role.kubernetes.io/control-plane, effect: NoSchedule}]}
status: {allocatable: {cpu: '4', memory: 8Gi, pods: '110'}}
---
kind: Node
metadata: {name: gpu, labels: {zone: a, pool: gpu}}
spec: {taints: [{key: gpu, value: 'yes', effect: NoSchedule}]}
status: {allocatable: {cpu: '8', memory: 64Gi, pods: '110', nvidia.com/gpu: '2'}}
---
kind: Node
metadata: {name: worker, labels: {zone: a}}
spec: {unschedulable: CORDON}
status: {allocatable: {cpu: '4', memory: 8Gi, pods: '110'}}
---
kind: Pod
metadata: {name: web, namespace: shop}
spec: {containers: [{name: c, ports: [{hostPort: 80, containerPort: 80}], resources: {requests: {memory: 16Gi, nvidia.com/gpu: 'GPUS'}}}], nodeSelector: {SELECT}}
status: {phase: Pending, conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable, message: '0/3 nodes are available: SAID'}]}
";

    fn decided(cordon: &str, gpus: &str, select: &str, said: &str) -> (Reason, String) {
        let yaml = NODES
            .replace("CORDON", cordon)
            .replace("GPUS", gpus)
            .replace("SELECT", select)
            .replace("SAID", &said.replace('\'', "''"));
        let snapshot = snapshot(&yaml);
        let view = crate::graph::build(&snapshot);
        let places = Places::new(&view);
        let pod = &view.all::<Pod>()[0];
        let (reason, nodes) = decide(&view, &places, pod, condition(&pod.status.conditions, "PodScheduled"));
        (reason, names(&nodes))
    }

    #[test]
    fn the_node_that_is_meant_decides() {
        let taint = "1 node(s) had untolerated taint {gpu: yes}";
        let table = [
            (
                "false",
                "0",
                "",
                "1 Insufficient memory, 2 node(s) had untolerated taint {x: }",
                (Reason::Resources, "worker"),
            ),
            (
                "false",
                "1",
                "",
                "1 Insufficient nvidia.com/gpu, 2 node(s) had untolerated taint {x: }",
                (Reason::Taint, "gpu"),
            ),
            (
                "false",
                "4",
                "",
                "1 Insufficient nvidia.com/gpu, 2 node(s) had untolerated taint {x: }",
                (Reason::Resources, "cp, gpu and worker"),
            ),
            ("false", "0", "pool: gpu", taint, (Reason::Taint, "gpu")),
            ("false", "0", "pool: cpu", taint, (Reason::Selector, "cp, gpu and worker")),
            (
                "true",
                "0",
                "",
                "1 node(s) were unschedulable, 2 node(s) had untolerated taint {x: }",
                (Reason::Cordoned, "worker"),
            ),
            (
                "false",
                "0",
                "",
                "1 node(s) didn't have free ports for the requested pod ports",
                (Reason::Ports, "worker"),
            ),
            ("false", "0", "", "something that is not known", (Reason::Other, "worker")),
        ];
        for (cordon, gpus, select, said, (reason, nodes)) in table {
            let (found, at) = decided(cordon, gpus, select, said);
            assert_eq!((found, at.as_str()), (reason, nodes), "{said}");
        }
    }
}
