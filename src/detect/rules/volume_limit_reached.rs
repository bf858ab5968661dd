//! Pods whose nodes carry as many volumes as they may.

use crate::detect::prelude::*;
use crate::detect::scheduling::{self, Reason};

pub(super) const DETECTOR: Detector = Detector {
    id: "volume-limit-reached",
    summary: "The nodes have as many volumes attached as they may",
    group: Group::Scheduling,
    reads: &[Kind::Pod, Kind::Node],
    wants: None,
    doc: r"## What it detects
A pod without a node because the nodes that would do have reached the number of volumes that their
driver can attach: the scheduler says `node(s) exceed max volume count`.

## Why it matters
Clouds bound the disks of a machine by its size. The node may be empty otherwise.

## Evidence
The scheduler's message, and the driver's bound in the CSINode where it is told.

## Look-alikes
- The scheduler lets the pod through and the cloud refuses the disk: `volume-attach-failed`.
- The bound on pods per node (`Too many pods`): `insufficient-resources`.
- The disk is in another zone than the free nodes: `volume-node-conflict`.
- The scheduler counts, so it is right by its own numbers. The driver's bound may be wrong: it is taken when
  the driver registers, and some machines share it with their network cards.

## What it does not see
How many volumes each node has: the scheduler's word is taken, and only the bound is quoted, for three nodes at
most. Nodes where something else stands in the way too are not named. It is silent for five minutes after
`TriggeredScaleUp`, and in the first minute while a pod on these nodes is ending.

## What to do
Add a node or use larger machines. `kubectl get volumeattachments` shows what is attached where: look for
volumes that are still attached to nodes without a pod. Where the zone decides, the new node must be in the
volume's zone. Pods with small volumes can share one claim, or use a file share that is not attached.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let (pods, _) = scheduling::unplaced(view, Reason::VolumeLimit);
    let finding = |unplaced: &scheduling::Unplaced<'_>| {
        let at = scheduling::names(&unplaced.nodes);
        let mut finding = unplaced.finding(
            view,
            format!(
                "the nodes that would take it have as many volumes attached as they may (exceed max volume count): {at}"
            ),
        );
        let bounds = unplaced.nodes.iter().filter_map(|node| view.get::<CSINode>("", &node.metadata.name));
        for node in bounds.take(3) {
            for driver in &node.spec.drivers {
                if let Some(count) = driver.allocatable.as_ref().and_then(|bound| bound.count) {
                    finding = finding.field(
                        &node.object_ref(),
                        format!("spec.drivers[{}].allocatable.count", driver.name),
                        count.to_string(),
                    );
                }
            }
        }
        finding.look(
            "see what is attached where",
            &ObjectRef::new(Kind::VolumeAttachment, "", ""),
            &["get", "volumeattachments"],
        )
    };
    pods.iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: Node
metadata: {name: node-1}
---
kind: Pod
metadata: {name: db-0, namespace: shop}
status:
  phase: Pending
  conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable, message: '0/1 nodes are available: 1 SAID.'}]
";

    #[test]
    fn too_many_volumes() {
        check(
            &super::DETECTOR,
            &YAML.replace("SAID", "node(s) exceed max volume count"),
            "critical Pod shop/db-0: the nodes that would take it have as many volumes attached as they may (exceed max volume count): node-1",
        );
    }

    #[test]
    fn too_many_pods() {
        check(&super::DETECTOR, &YAML.replace("SAID", "Too many pods"), "");
    }
}
