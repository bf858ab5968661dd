//! Leases that are held by a pod that is gone.

use crate::detect::nodes;
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "lease-holder-gone",
    summary: "Leader lease is held by a pod that no longer exists",
    group: Group::Nodes,
    reads: &[Kind::Lease, Kind::Pod, Kind::Deployment],
    wants: None,
    doc: r"## What it detects
A Lease of an application that is still valid for more than a minute, and whose holder has the name
of a pod of a workload in the namespace, but is none of its pods.

## Why it matters
The replicas run and look well, and each waits to become the leader: nobody does the work until the
lease runs out. With a long lease duration that is hours or days.

## Evidence
`spec.holderIdentity`, `spec.leaseDurationSeconds` and `spec.renewTime` of the Lease, and the pods of
the workload.

## Look-alikes
Right after a leader dies its lease stays valid for some seconds: with less than a minute to go nothing is said.
A leader that is there but hangs renews nothing, and its lease runs out. The control plane's own leases are
`control-plane-lease-expired`.

## What it does not see
Leases in `kube-system` and `kube-node-lease`. Holders whose name is not that of a pod of the namespace (nodes,
random ids, programs outside) are left out, and so are locks in ConfigMaps, Endpoints or a database. Without the
right to list pods nothing is said.

## What to do
Make sure that the old leader is really gone (`kubectl get pods`), then `kubectl delete lease NAME`: a replica
takes it at once. Give it a shorter duration (15 seconds is usual), and let the program release it when it ends.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let system = ["kube-node-lease", "kube-system"];
    let leases = view.all::<Lease>().iter().filter(|lease| !system.contains(&lease.metadata.namespace.as_str()));
    leases.filter_map(|lease| finding(view, lease)).collect()
}

fn finding(view: &View<'_>, lease: &Lease) -> Option<Finding> {
    let (namespace, object) = (&lease.metadata.namespace, lease.object_ref());
    let duration = lease.spec.lease_duration_seconds?;
    let left = duration.saturating_sub(view.age(*lease.spec.renew_time)?);
    // Clients add a unique part to their host's name: `web-1_5f2c…`.
    let identity = &lease.spec.holder_identity;
    let holder = identity.split(['_', '/', ' ']).next().filter(|holder| !holder.is_empty())?;
    if left < SETTLED || !view.absent(&ObjectRef::new(Kind::Pod, namespace, holder)) {
        return None;
    }
    // The workload whose pod it was: the longest name that the holder's begins with.
    let own =
        view.workloads().filter(|w| w.meta.namespace == *namespace && w.object.kind != Kind::Job && w.desired > 0);
    let named = own.filter(|w| holder.strip_prefix(&*w.object.name).is_some_and(|rest| rest.starts_with('-')));
    let workload = named.max_by_key(|workload| workload.object.name.len())?;
    let waiting = view.pods_of(&workload.object).into_iter().filter(|pod| pod.ready()).count();
    let holds = format!("is held by {holder}, a pod that no longer exists");
    let waits = match waiting {
        0 => format!("{} can't get it", workload.object),
        count => format!("none of the {} of {} becomes leader", plural(count, "running pod"), workload.object),
    };
    let summary = format!(
        "leader lease {holds}, for leaseDurationSeconds {duration} ({}, {} left): {waits}",
        nodes::duration(duration),
        nodes::duration(left)
    );
    let renewed = lease.spec.renew_time.map(|time| time.to_string()).unwrap_or_default();
    let finding = Finding::new(object.clone(), Severity::Critical, Stage::Ready, summary)
        .field(&object, "spec.holderIdentity", identity)
        .field(&object, "spec.leaseDurationSeconds", duration.to_string())
        .field(&object, "spec.renewTime", renewed)
        .since(*lease.spec.renew_time)
        .look("see the pods that there are", &object, &["get", "pods"]);
    Some(finding.fix("let a running pod take it", &object, &["delete", "lease", &object.name]))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: Lease
metadata: {name: orders, namespace: shop}
spec: {holderIdentity: HOLDER, leaseDurationSeconds: SECONDS, renewTime: '2026-01-01T11:50:00.000000Z'}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: orders, namespace: shop}
spec: {replicas: 1}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: orders-1, namespace: shop, ownerReferences: [{kind: Deployment, name: orders, controller: true}]}
---
kind: Pod
metadata: {name: orders-1-a, namespace: shop, ownerReferences: [{kind: ReplicaSet, name: orders-1, controller: true}]}
spec: {nodeName: node-1}
status: {phase: Running, conditions: [{type: Ready, status: 'True'}]}
";

    fn yaml(holder: &str, seconds: &str) -> String {
        YAML.replace("HOLDER", holder).replace("SECONDS", seconds)
    }

    #[test]
    fn holder_is_gone() {
        check(
            &super::DETECTOR,
            &yaml("orders-0-z_5f2c", "604800"),
            "critical Lease shop/orders: leader lease is held by orders-0-z, a pod that no longer exists, for leaseDurationSeconds 604800 (7 days, 6 days left): \
             none of the 1 running pod of Deployment shop/orders becomes leader",
        );
    }

    #[test]
    fn holder_is_there_or_no_pod() {
        check(&super::DETECTOR, &yaml("orders-1-a_5f2c", "604800"), "");
        check(&super::DETECTOR, &yaml("node-1_5f2c", "604800"), "");
    }

    #[test]
    fn it_runs_out_soon() {
        check(&super::DETECTOR, &yaml("orders-0-z", "615"), "");
        check(&super::DETECTOR, &yaml("orders-0-z", "15"), "");
    }
}
