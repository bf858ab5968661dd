//! Pods that are held back by a scheduling gate.

use crate::detect::prelude::*;
use crate::detect::scheduling::{self, Reason};

pub(super) const DETECTOR: Detector = Detector {
    id: "scheduling-gated",
    summary: "Pod is held back by a scheduling gate that nothing lifts",
    group: Group::Scheduling,
    reads: &[Kind::Pod],
    wants: None,
    doc: r"## What it detects
A pending pod with `spec.schedulingGates`: the scheduler does not look at it until whoever set the
gate removes it.

## Why it matters
If the controller that should lift the gate is gone, not running or waits itself, the pod never gets a node, and
there is no event that says so. `kubectl get pods` shows `SchedulingGated`.

## Evidence
`spec.schedulingGates` and the condition `PodScheduled` with reason `SchedulingGated`.

## Look-alikes
A pod without a gate that no scheduler has looked at: `scheduler-missing`. One for which no node fits:
`unschedulable` and its kin. A Job that is suspended, which is how queues hold whole Jobs back, has no pods at
all.

Queues (Kueue, gates that begin with `kueue.x-k8s.io/`) gate pods as a matter of course: those are given ten
minutes, and after that a full queue looks the same as a broken one. Other gates are reported at once, those too
that a controller lifts a moment later.

## What it does not see
Whether the controller of the gate runs, and what it waits for: a gate is only a name, and nothing in the
cluster says whose it is. Quotas of a queue are not read.

## What to do
Find the controller of that gate by its name, and see why it does not lift it: its log, and for Kueue
`kubectl get workloads.kueue.x-k8s.io -n NAMESPACE`. A gate that nothing owns is removed with
`kubectl edit pod NAME`, and from the template that sets it, or the next pod has it again. Gates can be removed
from a pod, never added.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let (pods, _) = scheduling::unplaced(view, Reason::Gated);
    let finding = |unplaced: &scheduling::Unplaced<'_>| {
        let pod = unplaced.pod;
        let gates: Vec<String> = pod.spec.scheduling_gates.iter().map(|gate| gate.name.clone()).collect();
        let queued = gates.iter().any(|gate| gate.starts_with("kueue.x-k8s.io/"));
        let age = view.age(*pod.metadata.creation_timestamp);
        if queued && age.is_none_or(|age| age < 10 * SETTLED) {
            return None;
        }
        let (gate, it) = if gates.len() == 1 { ("gate", "it") } else { ("gates", "them") };
        let summary = format!(
            "not scheduled (SchedulingGated): waits for the scheduling {gate} {} to be removed, and nothing has removed {it} yet",
            list(&gates)
        );
        let object = pod.object_ref();
        let finding = unplaced.finding(view, summary).field(&object, "spec.schedulingGates", gates.join(", "));
        let finding = finding.unknown(format!("whether a controller that lifts {} is running", list(&gates)));
        Some(scheduling::edit(finding, view, pod, "take the gate out of the template, if nothing lifts it"))
    };
    pods.iter().filter_map(finding).collect()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: Pod
metadata: {name: web, namespace: shop, creationTimestamp: '2026-01-01T11:59:00Z'}
spec: {schedulingGates: [{name: GATE}]}
status:
  phase: Pending
  conditions: [{type: PodScheduled, status: 'False', reason: SchedulingGated, message: 'Scheduling is blocked due to non-empty scheduling gates'}]
";

    #[test]
    fn held_by_a_gate() {
        check(
            &super::DETECTOR,
            &YAML.replace("GATE", "acme.io/licence"),
            "critical Pod shop/web: not scheduled (SchedulingGated): waits for the scheduling gate acme.io/licence to be removed, and nothing has removed it yet",
        );
    }

    #[test]
    fn queued() {
        check(&super::DETECTOR, &YAML.replace("GATE", "kueue.x-k8s.io/admission"), "");
    }
}
