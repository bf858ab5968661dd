//! Pods that a policy in CEL does not admit.

use crate::detect::admission::{Reason, refused};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "admission-policy-denied",
    summary: "A ValidatingAdmissionPolicy denies the workload's pods",
    group: Group::Admission,
    reads: &[Kind::ReplicaSet, Kind::StatefulSet, Kind::DaemonSet, Kind::Job, Kind::Event],
    wants: None,
    doc: r"## What it detects
A workload that lacks pods because a ValidatingAdmissionPolicy denies them, with the policy's own
message.

## Why it matters
No pod of the workload can be made until the pods or the policy change.

## Evidence
The `FailedCreate` event, or the condition of the ReplicaSet or Deployment: `ValidatingAdmissionPolicy '…' with
binding '…' denied request: …`; the check in the policy that has this message.

## Look-alikes
A webhook that says no is `webhook-denied`; the Pod Security level of the namespace is `pod-security-violated`; the
message tells which of them it was. A refusal that was overcome is not reported: no pod is missing any more, or a
later `SuccessfulCreate` shows that the way is free.

## What it does not see
Only pods that a controller wants to make: what a policy denies to a person or a pipeline leaves no event. Bindings
and their parameters are not read, so why the policy applies to this namespace is not told. Policies that only warn or
audit refuse nothing. When the event has expired (by default after an hour) only a condition is left.

## What to do
`kubectl describe validatingadmissionpolicy NAME` shows the checks, `kubectl get validatingadmissionpolicybinding`
where they apply. Change the pod template to satisfy the policy, or narrow the binding.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let choose = |reason: &Reason| match reason {
        Reason::PolicyDenied { policy, why } => Some((policy.clone(), why.clone())),
        _ => None,
    };
    let all = refused(view, choose);
    let findings = all.iter().map(|(refusal, (name, why))| {
        let policy = ObjectRef::new(Kind::ValidatingAdmissionPolicy, "", name);
        let cut: String = why.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(240).collect();
        let summary = format!(
            "{} refused: ValidatingAdmissionPolicy {name} denied the request: {}",
            refusal.subject(),
            cut.trim_end_matches('.')
        );
        let mut finding = refusal.finding(view, summary).key(name).culprit(policy.clone());
        let checks = view.get::<ValidatingAdmissionPolicy>("", name).map(|policy| &policy.spec.validations);
        if let Some((index, check)) = checks.into_iter().flatten().enumerate().find(|(_, check)| {
            !check.message.is_empty() && why.contains(&check.message) || why.contains(&check.expression)
        }) {
            finding = finding.field(&policy, format!("spec.validations[{index}].expression"), &check.expression);
        }
        finding.look("see what the policy checks", &policy, &["describe", "validatingadmissionpolicy", name])
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
status: {replicas: 0, conditions: [{type: ReplicaFailure, status: STATUS, reason: FailedCreate, message: 'pods \"web-5f-1\" is forbidden: MESSAGE'}]}
---
kind: ValidatingAdmissionPolicy
metadata: {name: team}
spec: {validations: [{expression: 'has(object.metadata.labels.team)', message: pods must carry the label team}]}
";
    const DENIED: &str =
        "ValidatingAdmissionPolicy ''team'' with binding ''all'' denied request: pods must carry the label team";

    #[test]
    fn denied_as_the_condition_tells() {
        let expected = "critical ReplicaSet shop/web-5f: 1 pod is refused: ValidatingAdmissionPolicy team denied the request: pods must carry the label team <- ValidatingAdmissionPolicy team";
        check(&super::DETECTOR, &SET.replace("STATUS", "'True'").replace("MESSAGE", DENIED), expected);
    }

    #[test]
    fn the_condition_is_history() {
        check(&super::DETECTOR, &SET.replace("STATUS", "'False'").replace("MESSAGE", DENIED), "");
    }
}
