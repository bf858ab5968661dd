//! Pods that Pod Security does not admit.

use crate::detect::admission::{Reason, refused};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "pod-security-violated",
    summary: "The namespace's Pod Security level forbids the workload's pods",
    group: Group::Admission,
    reads: &[Kind::ReplicaSet, Kind::StatefulSet, Kind::DaemonSet, Kind::Job, Kind::Event],
    wants: None,
    doc: r"## What it detects
A workload that lacks pods because its namespace enforces a Pod Security level (label
`pod-security.kubernetes.io/enforce`) that its pods don't meet, with each rule that they break.

## Why it matters
No pod can be made. The workload itself was admitted with a warning at most, which a pipeline swallows.

## Evidence
The `FailedCreate` event or the condition `ReplicaFailure`: `violates PodSecurity …`; the namespace's label,
where it can be read.

## Look-alikes
A refusal by a webhook such as Kyverno or Gatekeeper: `webhook-denied`. By a ValidatingAdmissionPolicy:
`admission-policy-denied`. By a security context constraint of OpenShift: `pod-create-refused`. A pod that was
admitted and whose image wants to run as root: `non-root-refused`.

Levels that only warn or audit refuse nothing and are not reported. Without a label on the namespace the level
comes from the API server's own configuration.

## What it does not see
Pods that run: a level is checked only when a pod is made or changed, so a stricter level shows with the next
restart. Pods that were made by hand: whoever made them got the answer. The explanation in parentheses (which
container, which value) is not repeated in the summary; it stands in the quoted evidence. Events go after an
hour; then only a ReplicaSet's condition tells.

## What to do
Set the fields that are named in the pod template's `securityContext`. For `restricted` each container needs
`runAsNonRoot: true`, `allowPrivilegeEscalation: false`, `capabilities: {drop: [ALL]}` and
`seccompProfile: {type: RuntimeDefault}`. Lower the namespace's level only for workloads that really need it,
such as node agents; first see which pods a level would refuse:
`kubectl label --dry-run=server --overwrite ns NAMESPACE pod-security.kubernetes.io/enforce=restricted`.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    const LABEL: &str = "pod-security.kubernetes.io/enforce";
    let choose = |reason: &Reason| match reason {
        Reason::PodSecurity { level, violations } => Some((level.clone(), violations.clone())),
        _ => None,
    };
    let all = refused(view, choose);
    let findings = all.iter().map(|(refusal, (level, violations))| {
        let namespace = ObjectRef::new(Kind::Namespace, "", refusal.maker.ns());
        let fields = if violations.is_empty() { String::new() } else { format!(": {}", violations.join(", ")) };
        let summary = format!(
            "{} refused, violates PodSecurity \"{level}\" of namespace {}{fields}",
            refusal.subject(),
            namespace.name
        );
        let mut finding = refusal.finding(view, summary).key(level);
        if let Some(label) = view.meta(&namespace).and_then(|meta| meta.labels.get(LABEL)) {
            finding = finding.field(&namespace, format!("metadata.labels[{LABEL}]"), label);
        }
        if view.workload(&refusal.workload).is_none() || refusal.workload.kind == Kind::Job {
            return finding;
        }
        finding.fix(
            "set the securityContext that the level asks for",
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
kind: ReplicaSet
metadata: {name: web-5f, namespace: shop}
spec: {replicas: 2}
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
    fn a_restricted_namespace() {
        let yaml = SET.replace("MESSAGE", r#"violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "app" must set securityContext.allowPrivilegeEscalation=false), hostPath volumes (volume "v")"#);
        let expected = "critical ReplicaSet shop/web-5f: 2 pods are refused, violates PodSecurity \"restricted:latest\" of namespace shop: allowPrivilegeEscalation != false, hostPath volumes";
        check(&super::DETECTOR, &yaml, expected);
    }

    #[test]
    fn another_refusal() {
        check(
            &super::DETECTOR,
            &SET.replace("MESSAGE", "maximum memory usage per Container is 128Mi, but limit is 512Mi"),
            "",
        );
    }

    #[test]
    fn scaled_to_zero() {
        check(
            &super::DETECTOR,
            &SET.replace("replicas: 2", "replicas: 0")
                .replace("MESSAGE", r#"violates PodSecurity "restricted:latest": x"#),
            "",
        );
    }
}
