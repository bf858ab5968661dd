//! Pods that can't be made for a reason of their own.

use crate::detect::admission::{Reason, refused};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "pod-create-refused",
    summary: "The workload's pods can't be made, for the reason that the API server gives",
    group: Group::Admission,
    reads: &[Kind::ReplicaSet, Kind::StatefulSet, Kind::DaemonSet, Kind::Job, Kind::Event],
    wants: None,
    doc: r"## What it detects
A workload that lacks pods because the API server refuses to make them, for a reason that none of the
other admission detectors knows: an invalid field, a security context constraint of OpenShift, a
plugin of the API server's own.

## Why it matters
No pod of the workload can be made, so there is none at which the reason could be seen: `kubectl get pods` shows
nothing wrong, there are just too few.

## Evidence
The newest `FailedCreate` event of the controller that makes the pods, or the condition `ReplicaFailure` of its
ReplicaSet. The answer is quoted, cut at 240 characters.

## Look-alikes
Refusals whose reason is known have pages of their own: `quota-exceeded`, `quota-needs-requests`,
`limit-range-violated`, `pod-security-violated`, `webhook-denied`, `webhook-failing`, `admission-policy-denied`,
`service-account-missing`, `priority-class-missing`, `runtime-class-missing`, `create-forbidden`. A namespace
that is being deleted takes no pods: that is not reported here, see `namespace-terminating`.

A controller tries again more and more rarely, so the event may tell of a fault that is mended already; once a
`SuccessfulCreate` follows it, or no pod is missing, this is silent.

## What it does not see
Pods that nobody retries: those made by hand or by a pipeline, which got the answer themselves, and those of
custom controllers. Events are kept for an hour by default: after that only a ReplicaSet or a Deployment still
tells, by its condition. The answer is quoted, not understood: which field of the template is meant is left to
the reader.

## What to do
Read the quoted answer: it names the field or the rule. `kubectl describe replicaset NAME` (or statefulset,
daemonset, job) shows it in full. Once it is mended, `kubectl rollout restart deployment NAME` saves the wait
for the controller's next try, which can be up to a quarter of an hour away.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let choose = |reason: &Reason| match reason {
        Reason::Other(why) => Some(why.clone()),
        _ => None,
    };
    let all = refused(view, choose);
    let findings = all.iter().map(|(refusal, why)| {
        let why: String = why.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(240).collect();
        refusal.finding(view, format!("{} refused: {} (FailedCreate)", refusal.subject(), why.trim_end_matches('.')))
    });
    findings.collect()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const SET: &str = "
kind: ReplicaSet
metadata: {name: web-5f, namespace: shop}
spec: {replicas: 1}
status: {replicas: 0}
---
kind: Event
metadata: {name: e1, namespace: shop}
type: Warning
reason: FailedCreate
message: 'Error creating: pods \"web-5f-1\" is forbidden: MESSAGE'
involvedObject: {kind: ReplicaSet, namespace: shop, name: web-5f}
";

    #[test]
    fn a_plugin_of_its_own() {
        let yaml = SET.replace(
            "MESSAGE",
            "unable to validate against any security context constraint: [provider anyuid: not usable by user]",
        );
        check(
            &super::DETECTOR,
            &yaml,
            "critical ReplicaSet shop/web-5f: 1 pod is refused: unable to validate against any security context constraint: [provider anyuid: not usable by user] (FailedCreate)",
        );
    }

    #[test]
    fn a_namespace_on_its_way_out() {
        check(
            &super::DETECTOR,
            &SET.replace("MESSAGE", "unable to create new content in namespace shop because it is being terminated"),
            "",
        );
    }
}
