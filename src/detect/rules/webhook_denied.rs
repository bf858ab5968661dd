//! Pods that an admission webhook does not admit.

use crate::detect::admission::{Reason, refused};
use crate::detect::prelude::*;
use crate::detect::webhooks::webhook;

pub(super) const DETECTOR: Detector = Detector {
    id: "webhook-denied",
    summary: "An admission webhook denies the workload's pods",
    group: Group::Admission,
    reads: &[Kind::ReplicaSet, Kind::StatefulSet, Kind::DaemonSet, Kind::Job, Kind::Event],
    wants: None,
    doc: r"## What it detects
A workload that lacks pods because an admission webhook (a policy engine such as Gatekeeper or Kyverno,
or an operator) answered no, with its reason.

## Why it matters
No pod of the workload can be made until the pods or the policy change.

## Evidence
The `FailedCreate` event: `admission webhook … denied the request: …`; for a ReplicaSet or Deployment without
an event, the condition that repeats it.

## Look-alikes
- The webhook could not be asked at all: `webhook-failing`.
- A ValidatingAdmissionPolicy (CEL, without a webhook) says no: `admission-policy-denied`. Pod Security:
  `pod-security-violated`. A quota or LimitRange: `quota-exceeded`, `limit-range-violated`.
- The controller itself has no right to make pods: `create-forbidden`.
- A refusal after which no pod is missing, or after which a pod was made, is history and not reported.
- Another webhook may have put in what this one objects to (a sidecar without limits): then the template is
  innocent.

## What it does not see
What is refused before it becomes an object: a denied `kubectl apply` of a Deployment leaves no trace in the
cluster. Nor pods that people or controllers of other kinds try to make: only ReplicaSets, StatefulSets,
DaemonSets, Jobs and what owns them are looked at. Without an event (they last an hour by default) only
the conditions of ReplicaSets and Deployments tell. The policy behind the webhook is not read.

## What to do
Do what the webhook's answer asks for in the pod template, or change the policy behind it. To try a change
without making anything: `kubectl apply --dry-run=server -f FILE`; a policy that checks only pods needs the pod
itself. After the mend the controller tries again by itself, after some minutes of waiting;
`kubectl rollout restart` is quicker.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let choose = |reason: &Reason| match reason {
        Reason::WebhookDenied { webhook, why } => Some((webhook.clone(), why.clone())),
        _ => None,
    };
    let all = refused(view, choose);
    let findings = all.iter().map(|(refusal, (name, why))| {
        let why: String = why.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(240).collect();
        let why = if why.is_empty() { "it gives no reason" } else { why.trim_end_matches('.') };
        let finding = refusal
            .finding(view, format!("{} refused: admission webhook {name} denied the request: {why}", refusal.subject()))
            .key(name);
        let finding = match webhook(view, name, refusal.maker.ns()) {
            Some((config, hook)) => finding.field(&config, format!("webhooks[{}].name", hook.name), &hook.name),
            None => finding,
        };
        if view.workload(&refusal.workload).is_none() || refusal.workload.kind == Kind::Job {
            return finding;
        }
        finding.fix(
            "change what the webhook objects to",
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
kind: Job
metadata: {name: load, namespace: shop}
spec: {parallelism: 1, completions: 1}
status: {}
---
kind: Event
metadata: {name: e1, namespace: shop}
type: Warning
reason: FailedCreate
message: 'Error creating: MESSAGE'
involvedObject: {kind: Job, namespace: shop, name: load}
";

    #[test]
    fn a_policy_engine_says_no() {
        let yaml = SET.replace("MESSAGE", r#"admission webhook "validation.gatekeeper.sh" denied the request: [repos] image busybox comes from no allowed registry"#);
        check(
            &super::DETECTOR,
            &yaml,
            "critical Job shop/load: 1 pod is refused: admission webhook validation.gatekeeper.sh denied the request: [repos] image busybox comes from no allowed registry",
        );
    }

    #[test]
    fn the_job_has_ended_since() {
        let yaml = SET
            .replace("MESSAGE", r#"admission webhook "x" denied the request: no"#)
            .replace("status: {}", "status: {succeeded: 1, conditions: [{type: Complete, status: 'True'}]}");
        check(&super::DETECTOR, &yaml, "");
    }

    #[test]
    fn a_webhook_that_can_not_be_asked() {
        check(&super::DETECTOR, &SET.replace("MESSAGE", r#"failed calling webhook "x": timeout"#), "");
    }
}
