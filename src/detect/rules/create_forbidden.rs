//! Controllers without the right to make pods.

use crate::detect::admission::{Reason, refused};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "create-forbidden",
    summary: "The controller has not the right to make the workload's pods",
    group: Group::Admission,
    reads: &[Kind::ReplicaSet, Kind::StatefulSet, Kind::DaemonSet, Kind::Job, Kind::Event],
    wants: None,
    doc: r"## What it detects
A workload that lacks pods because the API server denies its controller the right to create them:
RBAC, not policy.

## Why it matters
Nothing that this controller manages can be made or replaced. Kubernetes' own controllers get their
rights from `system:controller:*` roles; someone changed these.

## Evidence
The `FailedCreate` event: `User … cannot create resource …`.

## False positives
None are known; a refusal after which no pod is missing is not reported.

## What to do
Give the user the right again. For Kubernetes' own controllers restart an API server, which
restores the default roles.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let choose = |reason: &Reason| match reason {
        Reason::Forbidden { user, what } => Some((user.clone(), what.clone())),
        _ => None,
    };
    let all = refused(view, choose);
    let findings = all.iter().map(|(refusal, (user, what))| {
        let summary = format!(
            "{} refused: {user} has no right to create {what} in namespace {} (forbidden)",
            refusal.subject(),
            refusal.maker.ns()
        );
        let finding = refusal.finding(view, summary).key(user);
        finding.look("see whether it may", &refusal.maker, &["auth", "can-i", "create", what, &format!("--as={user}")])
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
status: {replicas: HAS}
---
kind: Event
metadata: {name: e1, namespace: shop}
type: Warning
reason: FailedCreate
message: 'Error creating: pods is forbidden: User \"system:serviceaccount:kube-system:replicaset-controller\" cannot create resource \"pods\" in API group \"\" in the namespace \"shop\"'
involvedObject: {kind: ReplicaSet, namespace: shop, name: web-5f}
";

    #[test]
    fn the_controller_lost_its_right() {
        let expected = "critical ReplicaSet shop/web-5f: 1 pod is refused: system:serviceaccount:kube-system:replicaset-controller has no right to create pods in namespace shop (forbidden)";
        check(&super::DETECTOR, &SET.replace("HAS", "0"), expected);
    }

    #[test]
    fn it_has_its_pod() {
        check(&super::DETECTOR, &SET.replace("HAS", "1"), "");
    }
}
