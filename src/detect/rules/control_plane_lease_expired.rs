//! Parts of the control plane that nobody leads.

use crate::detect::nodes;
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "control-plane-lease-expired",
    summary: "kube-scheduler or kube-controller-manager has not renewed its lease",
    group: Group::Nodes,
    reads: &[Kind::Lease],
    wants: None,
    doc: r"## What it detects
A leader lease of kube-scheduler, kube-controller-manager or cloud-controller-manager in kube-system
that ran out more than half a minute ago, while nothing that this part does was seen since.

## Why it matters
Without a scheduler no new pod gets a node. Without a controller manager nothing is rolled out,
scaled, or replaced, and endpoints are not updated.

## Evidence
`spec.holderIdentity`, `spec.renewTime` and `spec.leaseDurationSeconds` of the Lease.

## Look-alikes
A cluster may keep a lease from a time when it had several of the part: where the part is seen to work since (events
of its own, pods that got a node or were made), nothing is said. A Lease of another program is `lease-holder-gone`.
Pods that no scheduler looks at, because they name one that is not there, are `scheduler-missing`.

## What it does not see
Clusters whose parts hold no lease, and managed ones that hide it. A leader that renews its lease and does nothing. In
a cluster where nothing was to be done since, work can't be seen, and the lease alone decides. Under `-n` (other than
kube-system) these leases are not read. The part's log is not read.

## What to do
`kubectl -n kube-system get pods -o wide` and their logs; if they are not pods, the services on the control plane
nodes. If they can't reach the API server or etcd, that comes first. In a managed cluster, ask the provider.",
    run,
};

const PARTS: &[(&str, &str, Stage)] = &[
    ("kube-scheduler", "no new pod gets a node", Stage::Schedule),
    ("kube-controller-manager", "nothing is rolled out, scaled or replaced", Stage::Admit),
    ("cloud-controller-manager", "no load balancer is made, and no node is set up", Stage::Route),
];

fn run(view: &View<'_>) -> Vec<Finding> {
    PARTS.iter().filter_map(|(part, harm, stage)| finding(view, part, harm, *stage)).collect()
}

fn finding(view: &View<'_>, part: &str, harm: &str, stage: Stage) -> Option<Finding> {
    let lease = view.get::<Lease>("kube-system", part)?;
    let over = nodes::expired(view, lease).filter(|over| *over > 30)?;
    let since = (*lease.spec.renew_time)?;
    if works(view, part, since) {
        return None;
    }
    let object = lease.object_ref();
    let summary = format!(
        "nobody leads {part}: {} has not renewed its lease for {}, and {harm}",
        if lease.spec.holder_identity.is_empty() { "its last holder" } else { &lease.spec.holder_identity },
        nodes::duration(over.saturating_add(lease.spec.lease_duration_seconds.unwrap_or_default())),
    );
    let finding = Finding::new(object.clone(), Severity::Critical, stage, summary)
        .field(&object, "spec.holderIdentity", &lease.spec.holder_identity)
        .field(&object, "spec.renewTime", since.to_string())
        .since(Some(since));
    Some(finding.look("see whether its pods run", &object, &["get", "pods", "-o", "wide"]))
}

/// Whether what only this part does was done since.
fn works(view: &View<'_>, part: &str, since: Time) -> bool {
    // Clocks differ a little between machines.
    let after = |time: Option<Time>| time.is_some_and(|time| time.as_second() > since.as_second().saturating_add(30));
    let writes = |component: &str| match part {
        "kube-scheduler" => component == "default-scheduler",
        "kube-controller-manager" => component == part || OWN.contains(&component),
        _ => component == part || component == "service-controller",
    };
    let placed = |pod: &Pod| {
        condition(&pod.status.conditions, "PodScheduled").is_some_and(|c| c.is_true() && after(*c.last_transition_time))
    };
    let made = |pod: &Pod| {
        pod.metadata
            .controller()
            .is_some_and(|owner| matches!(owner.kind.as_str(), "ReplicaSet" | "Job" | "DaemonSet" | "StatefulSet"))
            && after(*pod.metadata.creation_timestamp)
    };
    let done = |pod: &Pod| match part {
        "kube-scheduler" => placed(pod),
        "kube-controller-manager" => made(pod),
        _ => false,
    };
    view.all::<Pod>().iter().any(done)
        || view.all::<Event>().iter().any(|event| writes(event.component()) && after(event.last()))
}

/// Controllers that run in kube-controller-manager and nowhere else.
const OWN: &[&str] = &[
    "replicaset-controller",
    "deployment-controller",
    "daemonset-controller",
    "job-controller",
    "statefulset-controller",
];

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: Lease
metadata: {name: kube-scheduler, namespace: kube-system}
spec: {holderIdentity: cp-1_a, leaseDurationSeconds: 15, renewTime: '2026-01-01T11:RENEWED:00.000000Z'}
---
kind: Pod
metadata: {name: web, namespace: shop}
spec: {nodeName: node-1}
status: {phase: Running, conditions: [{type: PodScheduled, status: 'True', lastTransitionTime: '2026-01-01T11:PLACED:00Z'}]}
";

    #[test]
    fn nobody_leads() {
        check(
            &super::DETECTOR,
            &YAML.replace("RENEWED", "50").replace("PLACED", "40"),
            "critical Lease kube-system/kube-scheduler: nobody leads kube-scheduler: cp-1_a has not renewed its lease for 10 minutes, and no new pod gets a node",
        );
    }

    #[test]
    fn renewed() {
        check(
            &super::DETECTOR,
            &YAML.replace("RENEWED", "59").replace("11:59:00.0", "11:59:50.0").replace("PLACED", "40"),
            "",
        );
    }

    #[test]
    fn it_works_without() {
        check(&super::DETECTOR, &YAML.replace("RENEWED", "10").replace("PLACED", "40"), "");
    }
}
