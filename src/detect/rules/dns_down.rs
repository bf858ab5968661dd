//! The cluster's DNS has no pod that answers.

use crate::detect::endpoints::{behind, nearest};
use crate::detect::prelude::*;
use crate::model::selector::labels;

pub(super) const DETECTOR: Detector = Detector {
    id: "dns-down",
    summary: "Cluster DNS has no ready pod",
    group: Group::Network,
    reads: &[Kind::Service, Kind::Pod, Kind::Deployment],
    wants: None,
    doc: r"## What it detects
The Service `kube-system/kube-dns` without a ready pod behind it: its Deployment is scaled to zero, its
selector takes no pod, or its pods fail.

## Why it matters
No name resolves anywhere in the cluster. Almost everything that runs fails sooner or later, in many
different ways.

## Evidence
The Service's selector, the Deployment's `spec.replicas`, the pods' Ready condition.

## Look-alikes
DNS whose pods are ready and which a pod does not reach or ask is `network-policy-blocks-dns` or `dns-policy-wrong`.
Single names that don't resolve are `dependency-name-unknown`. While all its pods are in their first minute nothing is
said. Why its pods fail is told at the pods (`container-exits`, `oom-killed` and others), and this finding points
there.

## What it does not see
DNS that has ready pods and answers slowly, wrongly, or not for names outside: nothing is resolved to try. A DNS
Service by another name than `kube-system/kube-dns`, one outside the cluster, and the caches on the nodes (NodeLocal
DNSCache). Under `-n` a Deployment without the label `k8s-app=kube-dns` is not read: one that is scaled to zero then
shows as a selector that takes no pod.

## What to do
Scale the Deployment up (`kubectl -n kube-system scale deployment coredns --replicas=2`), or mend its pods: most often
the ConfigMap `coredns` (`kubectl -n kube-system logs -l k8s-app=kube-dns`).",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.dns().and_then(|service| finding(view, service)).into_iter().collect()
}

fn finding(view: &View<'_>, service: &Service) -> Option<Finding> {
    let object = service.object_ref();
    let found = behind(view, service);
    let starting = !found.pods.is_empty()
        && found.pods.iter().all(|pod| view.age(pod_since(pod)).is_some_and(|age| age < SETTLED));
    let readable = view.snapshot.knows(Kind::Pod, object.ns()) && view.snapshot.knows(Kind::Deployment, object.ns());
    if found.ready() > 0 || starting || !readable || !service.selects() {
        return None;
    }
    let finding = |summary: String| {
        Finding::new(object.clone(), Severity::Critical, Stage::Serve, summary).field(
            &object,
            "spec.selector",
            labels(&service.spec.selector),
        )
    };
    if let Some(workload) = found.workloads.first().filter(|_| found.idle()) {
        let target = format!("{}/{}", workload.object.kind.argument(), workload.object.name);
        let summary = format!(
            "cluster DNS is down: {} {} is scaled to 0, so Service kube-dns has no endpoints and no name resolves",
            workload.object.kind, workload.object.name
        );
        let finding = finding(summary).culprit(workload.object.clone()).field(&workload.object, "spec.replicas", "0");
        return Some(finding.fix("bring it back", &workload.object, &["scale", &target, "--replicas=2"]));
    }
    if found.workloads.is_empty() && found.pods.is_empty() {
        let hint = nearest(view, service)
            .map(|near| format!("; the pods of {} carry {}", near.title, near.right))
            .unwrap_or_default();
        let summary = format!(
            "cluster DNS is down: Service kube-dns selects {}, which no pod carries{hint}",
            labels(&service.spec.selector)
        );
        return Some(finding(summary).look("see the pods' labels", &object, &["get", "pods", "--show-labels"]));
    }
    let state = if found.pods.is_empty() {
        "its pods are missing".to_owned()
    } else {
        format!("none of its {} is ready", plural(found.pods.len(), "pod"))
    };
    let mut finding = finding(format!("cluster DNS is down: Service kube-dns has no ready endpoint, {state}"));
    if let Some((pod, ready)) =
        found.pods.iter().find_map(|pod| Some((pod, condition(&pod.status.conditions, "Ready")?)))
    {
        finding = finding
            .field(
                &pod.object_ref(),
                "status.conditions[Ready]",
                format!("status: {}, reason: {}", ready.status, ready.reason),
            )
            .since(*ready.last_transition_time);
    }
    Some(
        finding
            .unknown("why its pods are not ready: their state and logs decide")
            .look("see its pods", &object, &["get", "pods", "-l", &labels(&service.spec.selector), "-o", "wide"])
            .symptom(),
    )
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const DNS: &str = "
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec: {selector: {k8s-app: kube-dns}, clusterIP: 10.96.0.10}
---
kind: Deployment
metadata: {name: coredns, namespace: kube-system}
spec: {replicas: REPLICAS, template: {metadata: {labels: {k8s-app: LABEL}}}}
";
    const POD: &str = "
---
kind: Pod
metadata: {name: coredns-1, namespace: kube-system, labels: {k8s-app: kube-dns}}
status: {phase: Running, startTime: '2026-01-01T11:00:00Z', conditions: [{type: Ready, status: 'READY'}]}
";

    #[test]
    fn scaled_to_zero() {
        check(
            &super::DETECTOR,
            &DNS.replace("REPLICAS", "0").replace("LABEL", "kube-dns"),
            "critical Service kube-system/kube-dns: cluster DNS is down: Deployment coredns is scaled to 0, so Service kube-dns has no endpoints and no name resolves <- Deployment kube-system/coredns",
        );
    }

    #[test]
    fn selects_nothing() {
        check(
            &super::DETECTOR,
            &DNS.replace("REPLICAS", "2").replace("LABEL", "kubedns"),
            "critical Service kube-system/kube-dns: cluster DNS is down: Service kube-dns selects k8s-app=kube-dns, which no pod carries; the pods of Deployment coredns carry k8s-app=kubedns",
        );
    }

    #[test]
    fn pods_fail() {
        let yaml = DNS.replace("REPLICAS", "1").replace("LABEL", "kube-dns") + POD;
        check(
            &super::DETECTOR,
            &yaml.replace("READY", "False"),
            "critical Service kube-system/kube-dns: cluster DNS is down: Service kube-dns has no ready endpoint, none of its 1 pod is ready",
        );
        check(&super::DETECTOR, &yaml.replace("READY", "True"), "");
        check(&super::DETECTOR, &yaml.replace("READY", "False").replace("11:00:00", "11:59:40"), "");
    }
}
