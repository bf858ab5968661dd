//! The scheduler's words: `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) …. preemption: …`.

use std::collections::BTreeSet;

use super::Reason;

/// What stands in the way, by the words that kube-scheduler has had for it since 1.20. A reason
/// is the first to count where it stands first in [`Reason`].
const WORDS: &[(&str, Reason)] = &[
    ("untolerated taint", Reason::Taint),
    ("had taint", Reason::Taint),
    ("were unschedulable", Reason::Cordoned),
    ("node affinity/selector", Reason::Selector),
    ("match node selector", Reason::Selector),
    ("[nodeaffinity]", Reason::Selector),
    ("requested node name", Reason::Selector),
    ("volume node affinity conflict", Reason::Volume),
    ("persistentvolume's node affinity", Reason::Volume),
    ("no available volume zone", Reason::Volume),
    ("max volume count", Reason::VolumeLimit),
    ("free ports", Reason::Ports),
    ("anti-affinity", Reason::AntiAffinity),
    ("pod affinity rules", Reason::Affinity),
    ("topology spread", Reason::Spread),
    ("insufficient ", Reason::Resources),
    ("too many pods", Reason::Resources),
    ("unbound immediate", Reason::Claim),
    ("persistentvolumeclaim", Reason::Claim),
    ("persistent volumes to bind", Reason::Claim),
    ("non-existent pv", Reason::Claim),
    ("persistentvolume(s)", Reason::Claim),
    ("enough free storage", Reason::Claim),
    ("binding volumes", Reason::Claim),
];

/// The part about this pod; what preemption could do is said after it, in the same words.
fn own(message: &str) -> &str {
    message.split("preemption:").next().unwrap_or_default()
}

/// What the scheduler names, in the order in which it counts.
pub fn named(message: &str) -> BTreeSet<Reason> {
    let own = own(message).to_ascii_lowercase();
    WORDS.iter().filter(|(words, _)| own.contains(words)).map(|(_, reason)| *reason).collect()
}

/// The resources of which there is not enough: `cpu`, `nvidia.com/gpu`, `pods`.
pub fn lacking(message: &str) -> Vec<&str> {
    let own = own(message);
    let names = own.split("Insufficient ").skip(1);
    let name =
        |rest: &'_ str| rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-_./".contains(c))).unwrap_or(rest.len());
    let mut found: Vec<&str> = names
        .filter_map(|rest| rest.get(..name(rest)))
        .map(|name| name.trim_end_matches('.'))
        .filter(|name| !name.is_empty())
        .collect();
    if own.contains("Too many pods") {
        found.push("pods");
    }
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_schedulers_write() {
        let message = "0/7 nodes are available: 1 Insufficient cpu, 1 Insufficient nvidia.com/gpu, 1 Too many pods, 2 node(s) didn't match Pod's node affinity/selector, \
                       2 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }. preemption: 0/7 nodes are available: 1 Insufficient memory.";
        assert_eq!(named(message), [Reason::Resources, Reason::Selector, Reason::Taint].into());
        assert_eq!(lacking(message), ["cpu", "nvidia.com/gpu", "pods"]);
        assert_eq!(lacking("0/1 nodes are available: 1 Insufficient memory. no new claims to deallocate"), ["memory"]);
        assert_eq!(
            named("0/1 nodes are available: 1 node(s) had volume node affinity conflict."),
            [Reason::Volume].into()
        );
        assert_eq!(
            named("0/1 nodes are available: 1 node(s) didn't match PersistentVolume's node affinity."),
            [Reason::Volume].into()
        );
        assert_eq!(
            named("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"),
            [Reason::Claim].into()
        );
        assert_eq!(named("no nodes available to schedule pods"), [].into());
        assert_eq!(lacking("Insufficient "), Vec::<&str>::new());
    }
}
