//! Pods that no scheduler looks at.

use crate::detect::prelude::*;
use crate::detect::scheduling::{self, Reason};

pub(super) const DETECTOR: Detector = Detector {
    id: "scheduler-missing",
    summary: "No scheduler takes the pod: its schedulerName is of none that runs",
    group: Group::Scheduling,
    reads: &[Kind::Pod],
    wants: None,
    doc: r"## What it detects
A pending pod without a node, without a condition and without an event: the scheduler that its
`schedulerName` asks for does not run, or the cluster's own kube-scheduler is down.

## Why it matters
Nothing tells of it: `kubectl describe` shows a pending pod and no events at all. With kube-scheduler down no
new pod of the cluster gets a node, those that replace failed ones among them.

## Evidence
`spec.schedulerName`, the missing condition `PodScheduled`, and the Lease of kube-scheduler where it is out of
date.

## Look-alikes
A pod that a scheduler has looked at and found no node for has a condition: `unschedulable` and its kin. One
that is held back by a gate: `scheduling-gated`. One whose volume is being made waits without a word:
`claim-not-provisioned`. A control plane whose leases run out, before any pod waits:
`control-plane-lease-expired`.

A scheduler answers within seconds. A scheduler that is known (it has placed pods, or writes events) is given a
minute, and so is the default scheduler after a burst of pods; with an expired lease a quarter of a minute. A
batch scheduler that holds pods back as a group may say nothing of them for longer.

## What it does not see
Why the scheduler does not work: its log is not read. A kube-scheduler that still places some pods, or has
written an event since this pod was made, counts as working. With -n only that namespace's pods and events are
seen, so a scheduler that works elsewhere may look dead here. A scheduler that runs and hides its lease.

## What to do
Correct `schedulerName` (a template can't be changed in a pod: change the workload), or start the scheduler that
is meant. For kube-scheduler: `kubectl get lease kube-scheduler -n kube-system`,
`kubectl get pods -n kube-system -l component=kube-scheduler`, then its log; where the control plane is managed,
the provider's status page.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let (pods, _) = scheduling::unplaced(view, Reason::Unseen);
    pods.iter().filter_map(|unplaced| finding(view, unplaced)).collect()
}

fn finding(view: &View<'_>, unplaced: &scheduling::Unplaced<'_>) -> Option<Finding> {
    let pod = unplaced.pod;
    let age = view.age(*pod.metadata.creation_timestamp)?;
    let name = if pod.spec.scheduler_name.is_empty() { "default-scheduler" } else { &pod.spec.scheduler_name };
    let object = pod.object_ref();
    let scheduled = |other: &Pod| {
        condition(&other.status.conditions, "PodScheduled")
            .filter(|c| c.is_true())
            .and_then(|c| *c.last_transition_time)
    };
    let works = |since: Option<Time>| {
        let placed = view
            .all::<Pod>()
            .iter()
            .filter(|other| other.spec.scheduler_name == name)
            .any(|other| scheduled(other) >= since && scheduled(other).is_some());
        placed || view.all::<Event>().iter().any(|event| event.component() == name && event.last() >= since)
    };
    if name != "default-scheduler" {
        // A scheduler that has never done anything is given a few seconds to show itself.
        if age < 5 || age < SETTLED && works(None) {
            return None;
        }
        let summary = format!(
            "no scheduler named {name} runs: the pod's schedulerName asks for it, and nothing has looked at the pod"
        );
        let finding = unplaced.finding(view, summary).field(&object, "spec.schedulerName", name);
        return Some(scheduling::edit(
            finding,
            view,
            pod,
            "correct schedulerName (the cluster's own is default-scheduler)",
        ));
    }
    let lease = view
        .get::<Lease>("kube-system", "kube-scheduler")
        .filter(|lease| view.age(*lease.spec.renew_time).is_some_and(|age| age > 60));
    if age < if lease.is_some() { 15 } else { SETTLED } || works(*pod.metadata.creation_timestamp) {
        return None;
    }
    let finding = unplaced.finding(
        view,
        "kube-scheduler does not work: nothing has looked at the pod, and no pod got a node since it was made",
    );
    let finding = finding.field(&object, "spec.schedulerName", name);
    let finding = match lease {
        Some(lease) => {
            let at = lease.object_ref();
            finding
                .field(&at, "spec.renewTime", lease.spec.renew_time.map(|time| time.to_string()).unwrap_or_default())
                .culprit(at)
        }
        None => finding,
    };
    let system = ObjectRef::new(Kind::Pod, "kube-system", "");
    Some(finding.look(
        "see whether kube-scheduler runs",
        &system,
        &["get", "pods", "-l", "component=kube-scheduler", "-o", "wide"],
    ))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: Pod
metadata: {name: web, namespace: shop, creationTimestamp: '2026-01-01T11:TIMEZ'}
spec: {schedulerName: NAME}
status: {phase: Pending}
---
kind: Pod
metadata: {name: other, namespace: shop}
spec: {schedulerName: OTHER, nodeName: node-1}
status: {phase: Running, conditions: [{type: PodScheduled, status: 'True', lastTransitionTime: '2026-01-01T11:PLACEDZ'}]}
";

    fn yaml(name: &str, time: &str, other: &str, placed: &str) -> String {
        YAML.replace("NAME", name).replace("TIME", time).replace("OTHER", other).replace("PLACED", placed)
    }

    #[test]
    fn unknown_scheduler() {
        check(
            &super::DETECTOR,
            &yaml("volcano", "59:50", "default-scheduler", "59:00"),
            "critical Pod shop/web: no scheduler named volcano runs: the pod's schedulerName asks for it, and nothing has looked at the pod",
        );
    }

    #[test]
    fn known_scheduler_is_given_time() {
        check(&super::DETECTOR, &yaml("volcano", "59:30", "volcano", "50:00"), "");
        check(&super::DETECTOR, &yaml("volcano", "59:58", "default-scheduler", "50:00"), "");
    }

    #[test]
    fn kube_scheduler_is_down() {
        check(
            &super::DETECTOR,
            &yaml("default-scheduler", "58:00", "default-scheduler", "50:00"),
            "critical Pod shop/web: kube-scheduler does not work: nothing has looked at the pod, and no pod got a node since it was made",
        );
    }

    #[test]
    fn kube_scheduler_is_busy() {
        check(&super::DETECTOR, &yaml("default-scheduler", "58:00", "default-scheduler", "59:00"), "");
        check(&super::DETECTOR, &yaml("default-scheduler", "59:30", "default-scheduler", "50:00"), "");
    }
}
