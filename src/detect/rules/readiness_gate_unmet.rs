//! Pods whose containers are ready, and which wait for a readiness gate that somebody else must set.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "readiness-gate-unmet",
    summary: "Pod's containers are ready, but a readiness gate of it is not",
    group: Group::Workloads,
    reads: &[Kind::Pod],
    wants: None,
    doc: r"## What it detects
A pod all of whose containers are ready for more than half a minute, and that is not ready because a condition of its
`readinessGates` is missing or not `True`.

## Why it matters
The program works, and no Service sends it anything; a rollout waits for it and stops at its deadline.

## Evidence
The pod's `Ready` condition (`ReadinessGatesNotReady`), and the condition of the gate, if there is one.

## Look-alikes
- A container that is not ready: its readiness probe (`readiness-probe-fails`) or its start. Gates come after that.
- A pod that waits for a scheduling gate has no node yet: `scheduling-gated`.
- A load balancer that has just been told of the pod needs a moment for its first health checks.

## What it does not see
Why the controller that owns the gate does not set it: its name is often the domain of the condition, and its log and
its view of the pod (a load balancer's health checks) are not read. Where no such controller is installed nothing ever
sets it.

## What to do
Look at the controller that sets the condition (`kubectl get pods -A`, then its log), and for a load balancer at the
health of its targets. If nothing is to set it, take the gate out of the pod template, or remove what injects it: often
a label on the namespace.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.all::<Pod>().iter().filter_map(|pod| finding(view, pod)).collect()
}

fn finding(view: &View<'_>, pod: &Pod) -> Option<Finding> {
    if pod.spec.readiness_gates.is_empty() || pod.ready() || pod.metadata.deleting() || pod.finished() {
        return None;
    }
    let conditions = &pod.status.conditions;
    let well = condition(conditions, "ContainersReady").filter(|condition| condition.is_true())?;
    if view.age(*well.last_transition_time).is_some_and(|age| age < SETTLED) {
        return None;
    }
    let mut gates = pod.spec.readiness_gates.iter().map(|gate| (gate, condition(conditions, &gate.condition_type)));
    let (gate, found) = gates.find(|(_, found)| found.is_none_or(|condition| !condition.is_true()))?;
    let state = match found {
        Some(found) if found.message.is_empty() => format!("is {}", found.status),
        Some(found) => format!("is {} ({}): {}", found.status, found.reason, found.message.trim_end_matches('.')),
        None => "was never set: whoever is to set it (a controller of that domain) does not".to_owned(),
    };
    let object = pod.object_ref();
    let summary = format!("its containers are ready, but its readiness gate {} {state}", gate.condition_type);
    let mut finding = Finding::new(object.clone(), view.pod_severity(pod), Stage::Ready, summary)
        .key(&gate.condition_type)
        .since(*well.last_transition_time)
        .field(&object, "spec.readinessGates", &gate.condition_type);
    if let Some(ready) = condition(conditions, "Ready").filter(|ready| !ready.message.is_empty()) {
        finding = finding.field(&object, "status.conditions[Ready].message", &ready.message);
    }
    Some(describe(finding, &object))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {containers: [{name: app}], readinessGates: [{conditionType: target-health.lb.io/web}]}
status:
  phase: Running
  containerStatuses: [{name: app, ready: true, state: {running: {}}}]
  conditions:
  - {type: ContainersReady, status: 'True', lastTransitionTime: 'SINCE'}
  - {type: Ready, status: READY, reason: ReadinessGatesNotReady}
  GATE
";
    const GATE: &str =
        "- {type: target-health.lb.io/web, status: 'STATUS', reason: Unhealthy, message: Health checks failed}";

    fn pod(since: &str, ready: &str, gate: &str) -> String {
        POD.replace("SINCE", since).replace("READY", ready).replace("GATE", gate)
    }

    #[test]
    fn never_set_and_false() {
        let says = "critical Pod shop/web-1: its containers are ready, but its readiness gate target-health.lb.io/web";
        let never = pod("2026-01-01T11:50:00Z", "'False'", "");
        check(
            &super::DETECTOR,
            &never,
            &format!("{says} was never set: whoever is to set it (a controller of that domain) does not"),
        );
        let unhealthy = pod("2026-01-01T11:50:00Z", "'False'", &GATE.replace("STATUS", "False"));
        check(&super::DETECTOR, &unhealthy, &format!("{says} is False (Unhealthy): Health checks failed"));
    }

    #[test]
    fn just_started_or_ready() {
        check(&super::DETECTOR, &pod("2026-01-01T11:59:50Z", "'False'", ""), "");
        check(&super::DETECTOR, &pod("2026-01-01T11:50:00Z", "'True'", &GATE.replace("STATUS", "True")), "");
    }
}
