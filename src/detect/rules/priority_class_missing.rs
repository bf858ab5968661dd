//! Pods whose priority class is not there.

use crate::detect::admission::{Reason, refused};
use crate::detect::config_uses::near;
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "priority-class-missing",
    summary: "The pods' PriorityClass does not exist",
    group: Group::Configuration,
    reads: &[Kind::ReplicaSet, Kind::StatefulSet, Kind::DaemonSet, Kind::Job, Kind::Event, Kind::PriorityClass],
    wants: None,
    doc: r"## What it detects
A workload that lacks pods because they name a PriorityClass that the cluster does not have.

## Why it matters
No pod can be made, so there is none at which the reason could be seen. It is a common surprise after a move to
another cluster: priority classes belong to no namespace and are often not part of the workload's chart.

## Evidence
The `FailedCreate` event or the condition `ReplicaFailure`: `no PriorityClass with name … was found`; the list
of PriorityClasses, for a name that is nearly the same.

## Look-alikes
Other refusals of pods have their own pages; what none of them knows is `pod-create-refused`. A pod that exists
and waits for room, whatever its priority: `insufficient-resources`.

Once the class is there nothing is reported, even while the controller waits for its next try. Where
PriorityClasses can't be listed the API server's answer stands alone, and a class that was made since is not
known.

## What it does not see
Pods that run: their priority was copied into them when they were made, and the class may be deleted without
harm until the next pod is made. Pods made by hand: whoever made them got the answer. Events go after an hour;
then only a ReplicaSet's condition tells.

## What to do
See `kubectl get priorityclasses`. Create the class (`kubectl create priorityclass NAME --value=1000`), or
correct `priorityClassName` in the pod template. A Job's template can't be changed: delete the Job and make it
anew.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let choose = |reason: &Reason| match reason {
        Reason::Priority(name) => Some(name.clone()),
        _ => None,
    };
    let all = refused(view, choose);
    let missing = all.iter().filter(|(_, name)| view.get::<PriorityClass>("", name).is_none());
    let findings = missing.map(|(refusal, name)| {
        let class = ObjectRef::new(Kind::PriorityClass, "", name);
        let hint = near(name, view.all::<PriorityClass>().iter().map(|class| class.metadata.name.as_str()))
            .map(|name| format!("; did you mean {name}?"))
            .unwrap_or_default();
        let finding = refusal
            .finding(view, format!("{} refused: PriorityClass {name} does not exist{hint}", refusal.subject()))
            .key(name);
        finding.look("see which classes there are", &class, &["get", "priorityclasses"]).culprit(class)
    });
    findings.collect()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const SET: &str = "
kind: DaemonSet
metadata: {name: agent, namespace: shop}
status: {desiredNumberScheduled: 1, currentNumberScheduled: 0}
---
kind: Event
metadata: {name: e1, namespace: shop}
type: Warning
reason: FailedCreate
message: 'Error creating: pods \"agent-\" is forbidden: no PriorityClass with name gold was found'
involvedObject: {kind: DaemonSet, namespace: shop, name: agent}
---
kind: PriorityClass
metadata: {name: NAME}
";

    #[test]
    fn no_such_class() {
        let expected = "critical DaemonSet shop/agent: 1 pod is refused: PriorityClass gold does not exist; did you mean golden? <- PriorityClass gold";
        check(&super::DETECTOR, &SET.replace("NAME", "golden"), expected);
    }

    #[test]
    fn the_class_was_made_since() {
        check(&super::DETECTOR, &SET.replace("NAME", "gold"), "");
    }
}
