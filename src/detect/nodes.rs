//! What nodes say of themselves, and what else has a clock: helpers of the detectors for nodes and
//! the cluster.

use crate::detect::prelude::*;

/// A condition as evidence: its status, reason and message.
pub fn quote(condition: &Condition) -> String {
    let reason = if condition.reason.is_empty() { String::new() } else { format!(" {}", condition.reason) };
    let message = if condition.message.is_empty() { String::new() } else { format!(": {}", condition.message) };
    format!("{}={}{reason}{message}", condition.kind, condition.status)
}

/// The conditions of a node, beside `Ready`, that hold and should not.
pub fn troubles(node: &Node) -> Vec<&Condition> {
    let known = ["MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"];
    node.status.conditions.iter().filter(|c| c.is_true() && known.contains(&c.kind.as_str())).collect()
}

/// Whether nothing but what runs on every node is on it.
pub fn idle(view: &View<'_>, node: &Node) -> bool {
    let every =
        |pod: &Pod| pod.metadata.controller().is_none_or(|owner| matches!(owner.kind.as_str(), "DaemonSet" | "Node"));
    !view.all::<Pod>().iter().any(|pod| pod.spec.node_name == node.metadata.name && !every(pod))
}

/// The time of day: `11:57:20 UTC`.
pub fn clock(time: Time) -> String {
    time.strftime("%H:%M:%S UTC").to_string()
}

/// A number of seconds for people: `45 seconds`, `7 days`.
pub fn duration(seconds: i64) -> String {
    let (count, unit) = match seconds {
        i64::MIN..=119 => (seconds, "second"),
        120..=7199 => (seconds / 60, "minute"),
        7200..=172_799 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") }
}

/// The major and minor version of `v1.34.4-gke.7`.
pub fn minor(version: &str) -> Option<(i64, i64)> {
    let mut parts = version.strip_prefix('v').unwrap_or(version).split('.');
    let (major, rest) = (parts.next()?.parse().ok()?, parts.next()?);
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((major, digits.parse().ok()?))
}

/// Seconds since a lease ran out; nothing while it holds, or where it does not say.
pub fn expired(view: &View<'_>, lease: &Lease) -> Option<i64> {
    let age = view.age(*lease.spec.renew_time)?;
    let over = age.saturating_sub(lease.spec.lease_duration_seconds?);
    (over > 0).then_some(over)
}

/// What is being deleted and held up by a finalizer: all but pods, events and namespaces.
pub fn held_up<'a>(view: &View<'a>) -> Vec<(ObjectRef, &'a Meta)> {
    fn of<'a, T: Resource>(view: &View<'a>, found: &mut Vec<(ObjectRef, &'a Meta)>) {
        let held = |object: &&T| object.meta().deleting() && !object.meta().finalizers.is_empty();
        found.extend(view.all::<T>().iter().filter(held).map(|object| (object.object_ref(), object.meta())));
    }
    let mut found = Vec::new();
    of::<Node>(view, &mut found);
    of::<Deployment>(view, &mut found);
    of::<ReplicaSet>(view, &mut found);
    of::<StatefulSet>(view, &mut found);
    of::<DaemonSet>(view, &mut found);
    of::<Job>(view, &mut found);
    of::<CronJob>(view, &mut found);
    of::<Service>(view, &mut found);
    of::<Ingress>(view, &mut found);
    of::<NetworkPolicy>(view, &mut found);
    of::<ConfigMap>(view, &mut found);
    of::<Secret>(view, &mut found);
    of::<ServiceAccount>(view, &mut found);
    of::<Role>(view, &mut found);
    of::<RoleBinding>(view, &mut found);
    of::<ClusterRole>(view, &mut found);
    of::<ClusterRoleBinding>(view, &mut found);
    of::<PersistentVolumeClaim>(view, &mut found);
    of::<PersistentVolume>(view, &mut found);
    of::<StorageClass>(view, &mut found);
    of::<VolumeAttachment>(view, &mut found);
    of::<ResourceQuota>(view, &mut found);
    of::<HorizontalPodAutoscaler>(view, &mut found);
    of::<PodDisruptionBudget>(view, &mut found);
    of::<Lease>(view, &mut found);
    of::<APIService>(view, &mut found);
    of::<CustomResourceDefinition>(view, &mut found);
    of::<Gateway>(view, &mut found);
    of::<HTTPRoute>(view, &mut found);
    let custom = view.snapshot.objects.custom.iter();
    let held = custom.filter(|object| object.metadata.deleting() && !object.metadata.finalizers.is_empty());
    found.extend(held.map(|object| (object.object_ref(), &object.metadata)));
    found
}

/// Whether a finalizer is one of Kubernetes' own, that goes when its work is done.
pub fn built_in(finalizer: &str) -> bool {
    let group = finalizer.split_once('/').map_or("", |(group, _)| group);
    matches!(finalizer, "foregroundDeletion" | "orphan" | "kubernetes")
        || group.is_empty()
        || group == "kubernetes.io"
        || group.ends_with(".kubernetes.io") && !finalizer.starts_with("external-")
        || group.ends_with(".k8s.io") && matches!(group, "batch.k8s.io" | "apiextensions.k8s.io")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        let table = [(1, "1 second"), (90, "90 seconds"), (600, "10 minutes"), (604_800, "7 days"), (7200, "2 hours")];
        for (seconds, expected) in table {
            assert_eq!(duration(seconds), expected);
        }
        assert_eq!(minor("v1.34.4-gke.7"), Some((1, 34)));
        assert_eq!(minor("1.9+"), Some((1, 9)));
        assert_eq!(minor("fake"), None);
    }
}
