//! Pods that say too little for a quota.

use crate::detect::admission::{Reason, refused};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "quota-needs-requests",
    summary: "A ResourceQuota demands requests or limits that the containers don't set",
    group: Group::Admission,
    reads: &[Kind::ReplicaSet, Kind::StatefulSet, Kind::DaemonSet, Kind::Job, Kind::Event],
    wants: None,
    doc: r"## What it detects
A workload that lacks pods because a ResourceQuota counts a resource (`limits.memory`, `requests.cpu`)
that its containers don't set, and no LimitRange fills in.

## Why it matters
No pod of the workload can be made, however much room the quota has. It often begins when someone makes the
first quota of a namespace: pods that run stay, and the next ones are refused.

## Evidence
The `FailedCreate` event or the condition `ReplicaFailure`: `failed quota: … must specify …`, which names the
resources and the containers.

## Look-alikes
A quota that is full: `quota-exceeded`. Resources that are set and lie outside a LimitRange:
`limit-range-violated`.

The container that is named may not be in the template: a sidecar that a webhook adds must set its resources
too. A refusal after which no pod is missing is not reported.

## What it does not see
Pods that were made before the quota and have no requests: they run on, and are refused only when they are made
anew. The ResourceQuota and the LimitRanges themselves are not read; the API server's answer is. Pods made by
hand are not seen, and events go after an hour; then only a ReplicaSet's condition tells.

## What to do
Set the requests and limits that are named, `kubectl set resources deployment NAME --requests=… --limits=…`, or
make a LimitRange with `default` and `defaultRequest` in the namespace. A Job's template can't be changed: make
the Job anew. `kubectl describe resourcequota NAME` shows what the quota counts.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let choose = |reason: &Reason| match reason {
        Reason::QuotaUnspecified { quota, missing } => Some((quota.clone(), missing.clone())),
        _ => None,
    };
    let all = refused(view, choose);
    let findings = all.iter().map(|(refusal, (quota, missing))| {
        let culprit = ObjectRef::new(Kind::ResourceQuota, refusal.maker.ns(), quota);
        let summary = format!(
            "{} refused: quota {quota} counts what its containers don't set (failed quota, must specify {missing})",
            refusal.subject()
        );
        let finding = refusal.finding(view, summary).key(quota).culprit(culprit.clone());
        let finding = finding.look("see what the quota counts", &culprit, &["describe", "resourcequota", quota]);
        if view.workload(&refusal.workload).is_none() || refusal.workload.kind == Kind::Job {
            return finding;
        }
        finding.fix(
            "set the requests and limits",
            &refusal.workload,
            &["edit", &refusal.workload.kind.argument(), &refusal.workload.name],
        )
    });
    findings.collect()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const SET: &str = "
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec: {replicas: 1}
status: {replicas: 0}
---
kind: Event
metadata: {name: e1, namespace: shop}
type: Warning
reason: FailedCreate
message: 'create Pod db-0 in StatefulSet db failed error: pods \"db-0\" is forbidden: MESSAGE'
involvedObject: {kind: StatefulSet, namespace: shop, name: db}
";

    #[test]
    fn a_limit_must_be_given() {
        let expected = "critical StatefulSet shop/db: 1 pod is refused: quota team counts what its containers don't set (failed quota, must specify limits.memory for: app) <- ResourceQuota shop/team";
        check(
            &super::DETECTOR,
            &SET.replace("MESSAGE", "failed quota: team: must specify limits.memory for: app"),
            expected,
        );
    }

    #[test]
    fn a_full_quota_is_another_matter() {
        check(
            &super::DETECTOR,
            &SET.replace("MESSAGE", "exceeded quota: team, requested: pods=1, used: pods=1, limited: pods=1"),
            "",
        );
    }
}
