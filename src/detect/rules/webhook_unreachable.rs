//! Webhooks that fail closed while no one answers for them.

use crate::detect::prelude::*;
use crate::detect::webhooks::{unanswered, webhooks};

pub(super) const DETECTOR: Detector = Detector {
    id: "webhook-unreachable",
    summary: "An admission webhook fails closed, and its Service is missing or has no endpoints",
    group: Group::Admission,
    reads: &[
        Kind::MutatingWebhookConfiguration,
        Kind::ValidatingWebhookConfiguration,
        Kind::Service,
        Kind::EndpointSlice,
    ],
    wants: None,
    doc: r"## What it detects
A webhook with `failurePolicy: Fail` that applies to some namespace, and whose Service does not exist, has no ready
endpoint, or has not the port at which the webhook is asked.

## Why it matters
The API server refuses everything that the webhook is to check. Where that is pods, no workload in the namespaces that
it covers can start, move or heal. What runs goes on running, so it is often noticed late.

## Evidence
The webhook's `clientConfig.service` and `failurePolicy`, and the Service's endpoints.

## Look-alikes
- Pods are being refused already: `webhook-failing` tells which, in the API server's words.
- The webhook's Service has pods and none is ready: the cause is there, see `service-no-endpoints` and what it leads to.
- Its selector fits nothing: `service-selects-nothing`.
- `failurePolicy: Ignore` lets everything through, and is silent.
- A webhook that `objectSelector` or `matchConditions` narrow to nothing hurts nobody, and is reported all the same.

## What it does not see
Webhooks with a URL, without rules, or that match no namespace that was read. Whether the connection, the certificate
or the answer is good: with one ready endpoint it is silent. Under -n the endpoints of a Service in another namespace
are not judged. Where Services or endpoints can't be read nothing is said, nor about endpoints while its pods are
younger than a minute.

## What to do
Bring back the program behind the webhook: `kubectl get endpointslices -n NAMESPACE -l kubernetes.io/service-name=NAME`,
then its pods. If its own pods are refused by the webhook itself, leave its namespace out by `namespaceSelector`. If the
configuration is left over from something that was uninstalled, delete it:
`kubectl delete validatingwebhookconfiguration NAME` (or `mutatingwebhookconfiguration`).",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    webhooks(view).into_iter().filter_map(|(config, hook)| finding(view, &config, hook)).collect()
}

fn finding(view: &View<'_>, config: &ObjectRef, hook: &Webhook) -> Option<Finding> {
    let closed = hook.failure_policy.is_empty() || hook.failure_policy == "Fail";
    if !closed || hook.rules.is_empty() || !applies(view, hook) {
        return None;
    }
    let server = hook.client_config.service.as_ref()?;
    let service = ObjectRef::new(Kind::Service, &server.namespace, &server.name);
    let why = unanswered(view, server)?;
    let resources: Vec<String> = hook.rules.iter().flat_map(|rule| rule.resources.iter().cloned()).collect();
    let vital = ["*", "*/*", "pods", "deployments", "replicasets", "nodes", "services", "configmaps", "secrets"];
    let severity = if resources.iter().any(|resource| vital.contains(&resource.as_str())) {
        Severity::Critical
    } else {
        Severity::Warning
    };
    let verbs: Vec<String> =
        hook.rules.iter().flat_map(|rule| rule.operations.iter().map(|verb| verb.to_lowercase())).collect();
    let summary = format!(
        "webhook {} can't be called: {why}; with failurePolicy Fail every {} of {} that it covers is refused",
        hook.name,
        words(verbs, "change"),
        words(resources, "resource")
    );
    let finding = Finding::new(config.clone(), severity, Stage::Serve, summary)
        .key(&hook.name)
        .culprit(service.clone())
        .field(
            config,
            format!("webhooks[{}].clientConfig.service", hook.name),
            format!("namespace: {}, name: {}", service.ns(), service.name),
        )
        .field(
            config,
            format!("webhooks[{}].failurePolicy", hook.name),
            if hook.failure_policy.is_empty() { "Fail" } else { &hook.failure_policy },
        )
        .look(
            "see whether it has endpoints",
            &service,
            &["get", "endpointslices", "-l", &format!("kubernetes.io/service-name={}", service.name)],
        );
    Some(finding.fix(
        "take the webhook out, if what served it is gone for good",
        config,
        &["delete", &config.kind.argument(), &config.name],
    ))
}

/// Whether any namespace that was read is one in which the webhook is asked.
fn applies(view: &View<'_>, hook: &Webhook) -> bool {
    let namespaces = view.all::<Namespace>();
    namespaces.is_empty()
        || hook.namespace_selector.is_empty()
        || namespaces.iter().any(|namespace| hook.namespace_selector.matches(&namespace.metadata.labels))
}

fn words(mut words: Vec<String>, otherwise: &str) -> String {
    words.sort();
    words.dedup();
    if words.is_empty() || words.iter().any(|word| word.starts_with('*')) { otherwise.to_owned() } else { list(&words) }
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const HOOK: &str = "
kind: ValidatingWebhookConfiguration
metadata: {name: policy}
webhooks:
- name: check.x.io
  failurePolicy: POLICY
  clientConfig: {service: {namespace: sys, name: hook}}
  namespaceSelector: {matchLabels: {checked: SELECTED}}
  rules: [{resources: [pods], operations: [CREATE]}]
---
kind: Namespace
metadata: {name: shop, labels: {checked: 'yes'}}
";
    const SERVICE: &str = "
---
kind: Service
metadata: {name: hook, namespace: sys}
spec: {selector: {app: hook}}
---
kind: EndpointSlice
metadata: {name: hook-1, namespace: sys, labels: {kubernetes.io/service-name: hook}}
endpoints: [{addresses: ['10.0.0.1'], conditions: {ready: READY}}]
";

    fn hook(policy: &str, selected: &str) -> String {
        HOOK.replace("POLICY", policy).replace("SELECTED", selected)
    }

    #[test]
    fn its_service_is_missing_or_empty() {
        let expected = |why: &str| {
            format!(
                "critical ValidatingWebhookConfiguration policy: webhook check.x.io can't be called: its Service sys/hook {why}; with failurePolicy Fail every create of pods that it covers is refused <- Service sys/hook"
            )
        };
        check(&super::DETECTOR, &hook("Fail", "'yes'"), &expected("does not exist"));
        check(
            &super::DETECTOR,
            &(hook("Fail", "'yes'") + &SERVICE.replace("READY", "false")),
            &expected("has no ready endpoints"),
        );
    }

    #[test]
    fn its_service_has_another_port() {
        let service = SERVICE.replace("{selector: {app: hook}}", "{selector: {app: hook}, ports: [{port: PORT}]}");
        let at = |port: &str| hook("Fail", "'yes'") + &service.replace("READY", "true").replace("PORT", port);
        check(
            &super::DETECTOR,
            &at("8443"),
            "critical ValidatingWebhookConfiguration policy: webhook check.x.io can't be called: its Service sys/hook has no port 443, only 8443; with failurePolicy Fail every create of pods that it covers is refused <- Service sys/hook",
        );
        check(&super::DETECTOR, &at("443"), "");
    }

    #[test]
    fn open_unused_or_answered() {
        check(&super::DETECTOR, &hook("Ignore", "'yes'"), "");
        check(&super::DETECTOR, &hook("Fail", "'no'"), "");
        check(&super::DETECTOR, &(hook("Fail", "'yes'") + &SERVICE.replace("READY", "true")), "");
    }
}
