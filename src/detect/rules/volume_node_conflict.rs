//! Pods whose volume is where they may not run.

use crate::detect::prelude::*;
use crate::detect::scheduling::{self, Reason};

pub(super) const DETECTOR: Detector = Detector {
    id: "volume-node-conflict",
    summary: "Pod's volume can't be reached from any node that the pod may use",
    group: Group::Scheduling,
    reads: &[Kind::Pod, Kind::Node, Kind::PersistentVolumeClaim, Kind::PersistentVolume],
    wants: None,
    doc: r"## What it detects
A pod without a node because a volume that its claim is bound to is tied to a zone or a node (the
node affinity of the PersistentVolume) where the pod can't run: its own selector asks for another
zone, or the zone's or the disk's node is gone.

## Why it matters
A bound volume does not move. The pod waits until a node in the right place is there.

## Evidence
The scheduler's message (`volume node affinity conflict`) and `spec.nodeAffinity` of the volume.

## Look-alikes
- A node that reaches the volume exists and only lacks room: `insufficient-resources` is named instead, though
  the message speaks of the volume too.
- That node is cordoned, not ready or tainted: `nodes-cordoned`, `no-ready-node`, `taint-not-tolerated`.
- The claim has no volume yet: `claim-unbound`, `claim-no-volume`.
- An autoscaler may be about to add a node in that zone. For five minutes after `TriggeredScaleUp` it is silent.

## What it does not see
Why the node is gone, and whether the data can be saved: the cloud is not asked. Without the right to list claims
and PersistentVolumes it only repeats the scheduler's words, without naming the volume. Of several volumes
one is named, first one that no fitting node reaches. Two volumes of one pod in two zones look like one wrong
volume.

## What to do
`kubectl get pv NAME -o yaml` shows the place, `kubectl get nodes -L topology.kubernetes.io/zone` the nodes. Bring
back a node in the volume's place (scale up the node pool of that zone), or let the pod run there. A volume on a
node that is gone for good must be restored from its backup. For new claims a
StorageClass with `volumeBindingMode: WaitForFirstConsumer` makes the volume where the pod is.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let (pods, _) = scheduling::unplaced(view, Reason::Volume);
    let finding = |unplaced: &scheduling::Unplaced<'_>| {
        let pod = unplaced.pod;
        let away = |volume: &&PersistentVolume| {
            !unplaced.nodes.iter().any(|node| scheduling::matches_terms(&volume.spec.node_affinity.required, node))
        };
        let volumes = scheduling::volumes(view, pod);
        let Some(volume) = volumes.iter().copied().find(away).or_else(|| volumes.first().copied()) else {
            return unplaced.finding(
                view,
                "its volume can't be reached from any node that it may use (volume node affinity conflict)",
            );
        };
        let object = volume.object_ref();
        let claim = volume.spec.claim_ref.as_ref().map(|claim| claim.name.clone()).unwrap_or_default();
        let terms = volume.spec.node_affinity.required.node_selector_terms.iter();
        let place: Vec<String> = terms
            .flat_map(|term| term.match_expressions.iter().chain(&term.match_fields))
            .map(ToString::to_string)
            .collect();
        let reachable: Vec<&Node> = view
            .all::<Node>()
            .iter()
            .filter(|node| scheduling::matches_terms(&volume.spec.node_affinity.required, node))
            .collect();
        let place = if place.is_empty() { "its zone".to_owned() } else { place.join(" or ") };
        let rest = if reachable.is_empty() {
            "and no node is there".to_owned()
        } else {
            format!("and the pod may not run there ({})", scheduling::names(&reachable))
        };
        let summary = format!(
            "volume {} of claim {claim} can only be used at {place}, {rest} (volume node affinity conflict)",
            object.name
        );
        let finding = unplaced
            .finding(view, summary)
            .key(&*object.name)
            .field(&object, "spec.nodeAffinity", place)
            .culprit(object.clone());
        describe(finding, &object)
    };
    pods.iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: Node
metadata: {name: node-1, labels: {zone: a}}
---
kind: Node
metadata: {name: node-2, labels: {zone: OTHER}}
---
kind: PersistentVolume
metadata: {name: pv-1}
spec:
  claimRef: {namespace: shop, name: data}
  nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: zone, operator: In, values: [b]}]}]}}
---
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop}
spec: {volumeName: pv-1}
status: {phase: Bound}
---
kind: Pod
metadata: {name: db-0, namespace: shop}
spec: {volumes: [{name: d, persistentVolumeClaim: {claimName: data}}], nodeSelector: {SELECT}}
status:
  phase: Pending
  conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable, message: '0/2 nodes are available: SAID.'}]
";

    fn yaml(other: &str, select: &str, said: &str) -> String {
        YAML.replace("OTHER", other).replace("SELECT", select).replace("SAID", said)
    }

    #[test]
    fn no_node_is_there() {
        check(
            &super::DETECTOR,
            &yaml("a", "", "2 node(s) had volume node affinity conflict"),
            "critical Pod shop/db-0: volume pv-1 of claim data can only be used at zone=b, and no node is there (volume node affinity conflict) <- PersistentVolume pv-1",
        );
    }

    #[test]
    fn the_pod_asks_for_another_place() {
        check(
            &super::DETECTOR,
            &yaml(
                "b",
                "zone: a",
                "1 node(s) didn''t match Pod''s node affinity/selector, 1 node(s) had volume node affinity conflict",
            ),
            "critical Pod shop/db-0: volume pv-1 of claim data can only be used at zone=b, and the pod may not run there (node-2) (volume node affinity conflict) <- PersistentVolume pv-1",
        );
    }

    #[test]
    fn the_right_node_is_full() {
        check(&super::DETECTOR, &yaml("b", "", "1 Insufficient cpu, 1 node(s) had volume node affinity conflict"), "");
    }
}
