//! Pods that the scheduler refuses for a reason that no other detector knows.

use crate::detect::prelude::*;
use crate::detect::scheduling::{self, Reason};

pub(super) const DETECTOR: Detector = Detector {
    id: "unschedulable",
    summary: "Pod gets no node, for a reason that only the scheduler knows",
    group: Group::Scheduling,
    reads: &[Kind::Pod, Kind::Node],
    wants: None,
    doc: r"## What it detects
A pod that the scheduler could not place, where the message is none of those that the other
scheduling detectors understand: there is no node at all, a device claim is not met, a plugin of
the scheduler's own refuses.

## Why it matters
The pod waits, and so does what needs it. The scheduler tries again by itself, so it starts once the
reason is gone; nothing else has to be restarted.

## Evidence
The scheduler's message, word for word.

## Look-alikes
- Known reasons have detectors of their own: `insufficient-resources`, `node-selector-unmatched`,
  `taint-not-tolerated`, `claim-unbound` and their kin.
- No message at all, because no scheduler looks at the pod: `scheduler-missing`. A gate holds it back:
  `scheduling-gated`.
- An old message: where the nodes have changed since (labels, taints), what the scheduler said is refuted by
  the objects and may land here until it tries again. See the age of the last `FailedScheduling` event.
- Messages of this kind are often about something that is on its way, so the first minute is silent, unless
  the cluster has no node.

## What it does not see
The reason behind the message: the scheduler's log and its configuration are not read, nor are the objects of
device claims (ResourceClaim, ResourceSlice). A condition without a message is silent, and so are five minutes
after `TriggeredScaleUp`. That there is no node is said only where nodes may be listed.

## What to do
Read the message; `kubectl describe pod NAME` shows how often it was tried. For device claims:
`kubectl get resourceclaims -n NAMESPACE` and `kubectl get resourceslices`. For a cluster without nodes: see
the node pool's size and the cloud's quota, and `kubectl get nodes` for what registers.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let (pods, _) = scheduling::unplaced(view, Reason::Other);
    let finding = |unplaced: &scheduling::Unplaced<'_>| {
        let condition = unplaced.condition?;
        let empty = view.snapshot.knows(Kind::Node, "") && view.all::<Node>().is_empty();
        let settled = view.age(*condition.last_transition_time).is_none_or(|age| age >= SETTLED);
        if !settled && !empty || condition.message.is_empty() {
            return None;
        }
        let said = condition.message.split("preemption:").next().unwrap_or_default().trim_end_matches([' ', '.', ',']);
        let summary = if empty {
            "the cluster has no node: nothing can be scheduled".to_owned()
        } else {
            format!("the scheduler can't place it: {said}")
        };
        Some(describe(unplaced.finding(view, summary), &unplaced.pod.object_ref()))
    };
    pods.iter().filter_map(finding).collect()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web, namespace: shop}
status:
  phase: Pending
  conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable, lastTransitionTime: '2026-01-01T11:TIMEZ', message: 'SAID'}]
";

    #[test]
    fn something_new() {
        check(
            &super::DETECTOR,
            &(POD
                .replace("TIME", "50:00")
                .replace("SAID", "0/1 nodes are available: 1 cannot allocate all claims. preemption: no.")
                + "---\nkind: Node\nmetadata: {name: node-1}\n"),
            "critical Pod shop/web: the scheduler can't place it: 0/1 nodes are available: 1 cannot allocate all claims",
        );
    }

    #[test]
    fn no_nodes() {
        check(
            &super::DETECTOR,
            &POD.replace("TIME", "59:50").replace("SAID", "no nodes available to schedule pods"),
            "critical Pod shop/web: the cluster has no node: nothing can be scheduled",
        );
    }

    #[test]
    fn something_new_that_may_pass() {
        check(
            &super::DETECTOR,
            &(POD.replace("TIME", "59:50").replace("SAID", "1 waits") + "---\nkind: Node\nmetadata: {name: node-1}\n"),
            "",
        );
    }
}
