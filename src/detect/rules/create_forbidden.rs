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
The `FailedCreate` event, or the condition of the ReplicaSet or Deployment: `User … cannot create resource …`.

## Look-alikes
A refusal by policy is `pod-security-violated`, `admission-policy-denied`, `webhook-denied` or `quota-exceeded`. A
program in a pod that lacks a right is `rbac-denied`. A refusal that was overcome is not reported: no pod is missing
any more, or a later `SuccessfulCreate` shows that the way is free.

## What it does not see
Which role or binding was changed, and by whom: roles are not compared here. Only what the controllers of workloads
and CronJobs are refused: rights of operators and pipelines are their own logs' matter. When the event has expired (by
default after an hour) only a condition is left.

## What to do
Give the user the right again. `kubectl auth can-i create pods -n NAMESPACE --as=USER` shows whether it has it. For
Kubernetes' own controllers restart an API server, which restores the default roles and bindings (not those annotated
`rbac.authorization.kubernetes.io/autoupdate: false`).",
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
