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
If the controller that should lift the gate is gone, not running or waits itself, the pod never
gets a node, and there is no event that says so.

## Evidence
`spec.schedulingGates` and the condition `PodScheduled` with reason `SchedulingGated`.

## False positives
Queues (Kueue) gate pods as a matter of course: those are given ten minutes.

## What to do
Find the controller of that gate by its name, and see why it does not lift it. A gate that nothing
owns is removed with an edit of the pod (or of the template that sets it).",
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
