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
The `FailedCreate` event: `admission webhook … denied the request: …`.

## False positives
None are known; a refusal after which no pod is missing is not reported.

## What to do
Do what the webhook's answer asks for in the pod template, or change the policy behind it.",
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
