//! Pods that are refused because a webhook can't be asked.

use crate::detect::admission::{Reason, refused};
use crate::detect::prelude::*;
use crate::detect::webhooks::webhook;

pub(super) const DETECTOR: Detector = Detector {
    id: "webhook-failing",
    summary: "Pods are refused because an admission webhook can't be called",
    group: Group::Admission,
    reads: &[
        Kind::ReplicaSet,
        Kind::StatefulSet,
        Kind::DaemonSet,
        Kind::Job,
        Kind::Event,
        Kind::MutatingWebhookConfiguration,
        Kind::ValidatingWebhookConfiguration,
    ],
    wants: None,
    doc: r"## What it detects
A workload that lacks pods because the API server could not call an admission webhook whose
`failurePolicy` is `Fail`: its Service is missing or has no endpoints, it refuses, times out, or its
certificate is not the one that the configuration trusts.

## Why it matters
Every workload that the webhook matches is frozen: what is deleted or moved does not come back.

## Evidence
The `FailedCreate` event: `failed calling webhook …`; the webhook in its configuration.

## Look-alikes
- The webhook answers, and says no: `webhook-denied`.
- Nothing is refused yet, but the webhook has no endpoints: `webhook-unreachable`, which often stands beside
  this one.
- An aggregated API that does not answer: `api-service-unavailable`.
- A time-out may be the network between control plane and nodes (a firewall on the webhook's port), with the
  program in good health.
- One call that failed while the webhook restarted is not reported once the pod was made.

## What it does not see
Calls that fail for anything but pods of ReplicaSets, StatefulSets, DaemonSets and Jobs, and what owns them: a
`kubectl apply` that is refused leaves no trace. Webhooks with `failurePolicy: Ignore` fail silently. The
certificate, the network and the webhook's log are not looked at: the API server's words are all. Names repeat
over configurations: of several, one that fails closed in this namespace is named.

## What to do
Bring back the program behind the webhook:
`kubectl get endpointslices -n NAMESPACE -l kubernetes.io/service-name=SERVICE`, then its pods. For `x509`, see what
fills `caBundle` (cert-manager's injector, the operator). If that takes long, set `failurePolicy: Ignore` with
`kubectl edit`, or remove the configuration: what it checks is then not checked. Keep the webhook's own namespace out
of its `namespaceSelector`, else it can't start itself.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let choose = |reason: &Reason| match reason {
        Reason::WebhookFailed { webhook, why } => Some((webhook.clone(), why.clone())),
        _ => None,
    };
    let all = refused(view, choose);
    let findings = all.iter().map(|(refusal, (name, why))| {
        let found = webhook(view, name, refusal.maker.ns());
        let of = found.as_ref().map(|(config, hook)| format!(" of {config}{}", asked(hook))).unwrap_or_default();
        let late = why.contains("deadline exceeded") || why.contains("Timeout exceeded");
        let limit = found.as_ref().and_then(|(_, hook)| hook.timeout_seconds).filter(|_| late);
        let limit = limit.map(|seconds| format!(": no answer within {seconds}s")).unwrap_or_default();
        let summary = format!("{} refused: failed calling webhook {name}{of}: {why}{limit}", refusal.subject());
        let finding = refusal.finding(view, summary).key(name);
        let Some((config, hook)) = found else { return finding };
        let policy = if hook.failure_policy.is_empty() { "Fail" } else { &hook.failure_policy };
        let finding = finding.culprit(config.clone()).field(&config, format!("webhooks[{name}].failurePolicy"), policy);
        let finding = match &hook.client_config.service {
            Some(server) => {
                let service = ObjectRef::new(Kind::Service, &server.namespace, &server.name);
                finding.look("see who answers there", &service, &["describe", "service", &server.name])
            }
            None => finding,
        };
        finding.look(
            "see what it calls, and for what",
            &config,
            &["get", &config.kind.argument(), &config.name, "-o", "yaml"],
        )
    });
    findings.collect()
}

/// Who is asked: ` (Service shop/guard)`.
fn asked(hook: &Webhook) -> String {
    let service = hook.client_config.service.as_ref();
    service.map(|service| format!(" (Service {}/{})", service.namespace, service.name)).unwrap_or_default()
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
message: 'Error creating: MESSAGE'
involvedObject: {kind: ReplicaSet, namespace: shop, name: web-5f}
---
kind: MutatingWebhookConfiguration
metadata: {name: injector}
webhooks: [{name: inject.x.io, failurePolicy: Fail, clientConfig: {service: {namespace: sys, name: hook}}}]
";

    #[test]
    fn its_service_is_missing() {
        let yaml = SET.replace("MESSAGE", r#"Internal error occurred: failed calling webhook "inject.x.io": failed to call webhook: Post "https://hook.sys.svc:443/?timeout=3s": service "hook" not found"#);
        let expected = "critical ReplicaSet shop/web-5f: 1 pod is refused: failed calling webhook inject.x.io of MutatingWebhookConfiguration injector (Service sys/hook): service \"hook\" not found <- MutatingWebhookConfiguration injector";
        check(&super::DETECTOR, &yaml, expected);
    }

    #[test]
    fn names_repeat_over_configurations() {
        let others = "
---
kind: Namespace
metadata: {name: shop, labels: {team: a}}
---
kind: MutatingWebhookConfiguration
metadata: {name: a-open}
webhooks: [{name: inject.x.io, failurePolicy: Ignore}]
---
kind: MutatingWebhookConfiguration
metadata: {name: b-elsewhere}
webhooks: [{name: inject.x.io, failurePolicy: Fail, namespaceSelector: {matchLabels: {team: b}}}]
";
        let yaml = SET.replace("MESSAGE", r#"failed calling webhook "inject.x.io": timed out"#) + others;
        let expected = "critical ReplicaSet shop/web-5f: 1 pod is refused: failed calling webhook inject.x.io of MutatingWebhookConfiguration injector (Service sys/hook): timed out <- MutatingWebhookConfiguration injector";
        check(&super::DETECTOR, &yaml, expected);
    }

    #[test]
    fn it_does_not_answer_in_time() {
        let yaml = SET.replace("MESSAGE", r#"failed calling webhook "inject.x.io": failed to call webhook: Post "https://hook.sys.svc:443/?timeout=3s": context deadline exceeded"#);
        let expected = "critical ReplicaSet shop/web-5f: 1 pod is refused: failed calling webhook inject.x.io of MutatingWebhookConfiguration injector (Service sys/hook): context deadline exceeded: no answer within 3s <- MutatingWebhookConfiguration injector";
        check(&super::DETECTOR, &yaml.replace("Fail,", "Fail, timeoutSeconds: 3,"), expected);
    }

    #[test]
    fn a_webhook_that_answers_no() {
        check(
            &super::DETECTOR,
            &SET.replace("MESSAGE", r#"admission webhook "inject.x.io" denied the request: no"#),
            "",
        );
    }
}
