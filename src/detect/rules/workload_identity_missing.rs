//! Pods on AKS that are to have a workload identity and got none.

use crate::detect::logs::{Class, Failing, Fault, claimed};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "workload-identity-missing",
    summary: "A pod asks for an Azure workload identity and has no token for it",
    group: Group::Configuration,
    reads: &[Kind::Pod, Kind::ServiceAccount, Kind::MutatingWebhookConfiguration],
    wants: None,
    doc: r#"## What it detects
A failing container whose log says that it has no federated token (`WorkloadIdentityCredential`,
`AZURE_FEDERATED_TOKEN_FILE`), in a pod into which the workload identity webhook did not put one. It says which of the
three conditions is not met: the pod's label `azure.workload.identity/use: "true"`, the annotation
`azure.workload.identity/client-id` of its ServiceAccount, and the webhook itself.

## Why it matters
The program can't sign in to Azure: no secrets, storage or database.

## Evidence
The log line, the pod's label, the account's annotation, the variables that the container has.

## Look-alikes
- The token is there and Azure refuses it (a wrong issuer, subject or role): `dependency-auth-failed` or
  `container-exits`.
- The token of Kubernetes itself is not mounted: `account-token-missing`. Kubernetes refuses the account: `rbac-denied`.
- The account does not exist: `service-account-missing`.
- Programs that sign in by other means and try this one first say the same, and then go on: a container that does not
  fail is not reported. One that fails for another reason after such a line makes this page wrong: read what follows it.

## What it does not see
Azure itself: the managed identity, its federated credential and its roles are not asked. The pod's annotation
`azure.workload.identity/skip-containers`, which leaves a container out, is not read. Without the right to list
webhook configurations or accounts that condition is left out. Only the tail of the log tells, and identities
of other clouds are not known here.

## What to do
Add the label to the pod template and the annotation to the ServiceAccount
(`kubectl annotate serviceaccount NAME azure.workload.identity/client-id=CLIENT_ID`), see that the webhook runs
(`kubectl get mutatingwebhookconfigurations azure-wi-webhook-mutating-webhook-configuration`), then make the pods anew
(`kubectl rollout restart deployment NAME`): the webhook acts only when a pod is created. The label belongs to the pod
template, not to the Deployment's own labels."#,
    run,
};

const LABEL: &str = "azure.workload.identity/use";
const CLIENT: &str = "azure.workload.identity/client-id";
const TOKEN: &str = "AZURE_FEDERATED_TOKEN_FILE";

/// Whether a container fails because it was given no token; then no other detector tells it.
pub(super) fn tells(failing: &Failing<'_>) -> bool {
    let (pod, spec) = (failing.container.pod, failing.container.spec);
    let words = ["WorkloadIdentityCredential", TOKEN, "/var/run/secrets/azure/tokens"];
    let said = words.iter().any(|word| failing.text.contains(word) || failing.around.contains(word));
    let kind = matches!(failing.fault, Fault::Exit | Fault::Said(Class::MissingFile(_) | Class::Config));
    kind && said && !given(pod, spec)
}

/// Whether the webhook (or somebody by hand) gave the container a token.
fn given(pod: &Pod, spec: &Container) -> bool {
    spec.env.iter().any(|env| env.name == TOKEN)
        || pod.spec.volumes.iter().any(|volume| volume.name == "azure-identity-token")
}

fn run(view: &View<'_>) -> Vec<Finding> {
    claimed(view, |_| true).iter().filter(|failing| tells(failing)).map(|failing| finding(view, failing)).collect()
}

fn finding(view: &View<'_>, failing: &Failing<'_>) -> Finding {
    let pod = failing.container.pod;
    let labelled = pod.metadata.labels.get(LABEL).is_some_and(|value| value == "true");
    let name = if pod.spec.service_account_name.is_empty() { "default" } else { &pod.spec.service_account_name };
    let account = view.beside(pod, Kind::ServiceAccount, name);
    let client = view.get::<ServiceAccount>(account.ns(), name).map(|account| account.metadata.annotations.get(CLIENT));
    let hooks = &view.snapshot.objects.mutating_webhooks;
    let hooked =
        hooks.iter().any(|hook| hook.webhooks.iter().any(|hook| hook.name.contains("azure-workload-identity")));
    let known = view.snapshot.knows(Kind::MutatingWebhookConfiguration, "");
    let mut lacks = Vec::new();
    if !labelled {
        lacks.push(format!("the pod lacks the label {LABEL}: \"true\""));
    }
    if client == Some(None) {
        lacks.push(format!("ServiceAccount {name} lacks the annotation {CLIENT}"));
    }
    if known && !hooked {
        lacks.push("the workload identity webhook is not installed".to_owned());
    }
    if lacks.is_empty() {
        lacks.push("the pod was made while the workload identity webhook did not act; make it anew".to_owned());
    }
    let summary = format!(
        "{}: it has no Azure workload identity token ({TOKEN} is not set): {}",
        failing.happens(),
        lacks.join("; ")
    );
    let label = pod.metadata.labels.get(LABEL).map_or("", String::as_str);
    let mut finding = failing.finding(view, Stage::Start, summary).field(
        &pod.object_ref(),
        format!("metadata.labels[{LABEL}]"),
        label,
    );
    if client == Some(None) {
        finding = finding.field(&account, "metadata.name", name).fix(
            "name the identity that it is to have",
            &account,
            &["annotate", "serviceaccount", name, &format!("{CLIENT}=CLIENT_ID")],
        );
    }
    failing.read_log(finding)
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: ServiceAccount
metadata: {name: export, namespace: shop, annotations: {ANNOTATION: abc}}
---
kind: Pod
metadata: {name: export-1, namespace: shop, labels: {azure.workload.identity/use: 'USE'}}
spec: {serviceAccountName: export, nodeName: node-1, containers: [{name: app, image: i, env: [{name: ENV, value: x}]}]}
status: {phase: Running, containerStatuses: [{name: app, restartCount: 3, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1, reason: Error, finishedAt: '2026-01-01T11:59:00Z'}}}]}
---
kind: Log
namespace: shop
pod: export-1
container: app
previous: false
lines: ['error: WorkloadIdentityCredential: no token file specified']
";

    fn yaml(annotation: &str, label: &str, env: &str) -> String {
        YAML.replace("ANNOTATION", annotation).replace("USE", label).replace("ENV", env)
    }

    #[test]
    fn what_is_missing_is_named() {
        check(
            &super::DETECTOR,
            &yaml("azure.workload.identity/client-id", "false", "A"),
            "critical Pod shop/export-1: container app exits 1: it has no Azure workload identity token (AZURE_FEDERATED_TOKEN_FILE is not set): the pod lacks the label azure.workload.identity/use: \"true\"; the workload identity webhook is not installed",
        );
        check(
            &super::DETECTOR,
            &yaml("x", "true", "A"),
            "critical Pod shop/export-1: container app exits 1: it has no Azure workload identity token (AZURE_FEDERATED_TOKEN_FILE is not set): ServiceAccount export lacks the annotation azure.workload.identity/client-id; the workload identity webhook is not installed",
        );
    }

    #[test]
    fn a_token_is_there_or_something_else_fails() {
        check(&super::DETECTOR, &yaml("x", "true", "AZURE_FEDERATED_TOKEN_FILE"), "");
        check(&super::DETECTOR, &yaml("x", "true", "A").replace("WorkloadIdentityCredential", "SomethingElse"), "");
    }
}
