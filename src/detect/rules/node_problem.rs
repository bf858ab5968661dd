//! Nodes of which a watcher says that something is wrong.

use crate::detect::nodes;
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "node-problem",
    summary: "A watcher on the node reports a problem of kernel, disk or runtime",
    group: Group::Nodes,
    reads: &[Kind::Node],
    wants: None,
    doc: r"## What it detects
A condition of a node that is not the kubelet's own, and whose name says that it is bad when true:
`KernelDeadlock`, `ReadonlyFilesystem`, `FrequentKubeletRestart`, `ContainerRuntimeProblem`,
`FilesystemCorruptionProblem` and the like, as node-problem-detector and the clouds set them.

## Why it matters
The node still counts as ready, and its pods fail in ways that nobody understands.

## Evidence
The condition with reason and message.

## Look-alikes
The kubelet's own conditions are `node-not-ready` and `node-pressure`, the network's is `node-network-unavailable`. A
program that can't write because its container's root is read-only is `read-only-root`, not the node's file system. A
condition stays true until its watcher takes it back: where the watcher is gone, it may be stale. Look at its time.

## What it does not see
Problems of nodes without a watcher (node-problem-detector, the cloud's agent). Conditions whose name does not tell
what true means (`VMEventScheduled`) are left out: known are names that end in Problem, Deadlock, Unhealthy, Failure,
Failed, Error, Corruption, Corrupt, Restart, Restarts, ReadonlyFilesystem or Overload. Events of the watcher, and the
node's logs, are not read here.

## What to do
`kubectl describe node NAME` shows the message and since when. Drain the node
(`kubectl drain NAME --ignore-daemonsets --delete-emptydir-data`: what is in emptyDir volumes is lost) and restart or
replace the machine.",
    run,
};

/// The ends of names of conditions that are bad when true.
const BAD: &[&str] = &[
    "Problem",
    "Deadlock",
    "Unhealthy",
    "Failure",
    "Failed",
    "Error",
    "Corruption",
    "Corrupt",
    "Restart",
    "Restarts",
    "ReadonlyFilesystem",
    "Overload",
];

fn run(view: &View<'_>) -> Vec<Finding> {
    let bad = |condition: &&Condition| condition.is_true() && BAD.iter().any(|end| condition.kind.ends_with(end));
    let nodes = view.all::<Node>().iter();
    let pairs =
        nodes.flat_map(|node| node.status.conditions.iter().filter(bad).map(move |condition| (node, condition)));
    pairs
        .map(|(node, condition)| {
            let object = node.object_ref();
            let message = condition.message.trim_end_matches('.');
            let summary = format!("node reports {} ({}): {message}", condition.kind, condition.reason);
            let finding = Finding::new(object.clone(), Severity::Warning, Stage::Ready, summary)
                .key(&condition.kind)
                .field(&object, format!("status.conditions[{}]", condition.kind), nodes::quote(condition))
                .since(*condition.last_transition_time);
            describe(finding, &object)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: Node
metadata: {name: node-1}
status: {conditions: [{type: Ready, status: 'True'}, {type: KIND, status: STATUS, reason: DockerHung, message: task docker blocked for more than 120 seconds.}]}
";

    #[test]
    fn the_kernel_hangs() {
        check(
            &super::DETECTOR,
            &YAML.replace("KIND", "KernelDeadlock").replace("STATUS", "'True'"),
            "warning Node node-1: node reports KernelDeadlock (DockerHung): task docker blocked for more than 120 seconds",
        );
    }

    #[test]
    fn all_is_well() {
        check(&super::DETECTOR, &YAML.replace("KIND", "KernelDeadlock").replace("STATUS", "'False'"), "");
        check(&super::DETECTOR, &YAML.replace("KIND", "VMEventScheduled").replace("STATUS", "'True'"), "");
    }
}
