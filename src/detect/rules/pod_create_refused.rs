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
No pod of the workload can be made, so there is none at which the reason could be seen.

## Evidence
The `FailedCreate` event or the `ReplicaFailure` condition.

## False positives
A namespace that is being deleted takes no pods: that is not reported here. A refusal after which no
pod is missing is not reported either.

## What to do
Read the quoted answer: it names the field or the rule.",
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
