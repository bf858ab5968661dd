//! Nodes whose network is not set up.

use crate::detect::nodes;
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "node-network-unavailable",
    summary: "Node's network is not set up",
    group: Group::Nodes,
    reads: &[Kind::Node],
    wants: None,
    doc: r"## What it detects
A node that is ready but has the condition `NetworkUnavailable`: the routes to its pods are missing,
or its network agent is down.

## Why it matters
Pods on the node run and can't be reached from other nodes; new ones are kept away.

## Evidence
The condition with reason (`NoRouteCreated`, `CalicoIsDown`) and message.

## Look-alikes
A node that is not ready because its network plugin is missing (`cni plugin not initialized`) is `node-not-ready`, and
tells of its network there. Connections that only a policy stops are `network-policy-isolates`. The condition is set by
the cloud's route controller or the network plugin, and Calico sets it while it shuts down: during an upgrade of the
plugin it passes within a minute or two.

## What it does not see
Many plugins never set this condition, or set it to false once and never again: a broken network without it is not told
here. It reads the node only, not the plugin's pods and logs, nor the cloud's route tables.

## What to do
See whether the network plugin's pod runs on the node:
`kubectl -n kube-system get pods -o wide --field-selector spec.nodeName=NODE` (some plugins have a namespace of their
own). With routes made by the cloud, see the cloud controller's rights and the quota of its route table.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let ready = |node: &&Node| condition(&node.status.conditions, "Ready").is_none_or(Condition::is_true);
    let finding = |node: &Node| {
        let missing =
            condition(&node.status.conditions, "NetworkUnavailable").filter(|condition| condition.is_true())?;
        let object = node.object_ref();
        let message = missing.message.trim_end_matches('.');
        let summary = format!("node's network is not set up (NetworkUnavailable, {}): {message}", missing.reason);
        let finding = Finding::new(object.clone(), Severity::Critical, Stage::Ready, summary)
            .field(&object, "status.conditions[NetworkUnavailable]", nodes::quote(missing))
            .since(*missing.last_transition_time);
        let system = ObjectRef::new(Kind::Pod, "kube-system", "");
        let on_node = format!("spec.nodeName={}", object.name);
        Some(finding.look(
            "see the network plugin's pod on it",
            &system,
            &["get", "pods", "--field-selector", &on_node],
        ))
    };
    view.all::<Node>().iter().filter(ready).filter_map(finding).collect()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: Node
metadata: {name: node-1}
status: {conditions: [{type: Ready, status: 'True'}, {type: NetworkUnavailable, status: STATUS, reason: NoRouteCreated, message: RouteController failed to create a route}]}
";

    #[test]
    fn no_route() {
        check(
            &super::DETECTOR,
            &YAML.replace("STATUS", "'True'"),
            "critical Node node-1: node's network is not set up (NetworkUnavailable, NoRouteCreated): RouteController failed to create a route",
        );
    }

    #[test]
    fn route_is_there() {
        check(&super::DETECTOR, &YAML.replace("STATUS", "'False'"), "");
    }
}
