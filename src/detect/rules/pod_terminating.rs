//! Pods that were deleted and don't go.

use crate::detect::logs::short;
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "pod-terminating",
    summary: "Deleted pod does not go away",
    group: Group::Containers,
    reads: &[Kind::Pod, Kind::Node],
    wants: None,
    doc: r"## What it detects
A pod that is being deleted and stays: its preStop hook and its grace period are long, a finalizer
holds it, its node is down, or its containers don't end after their grace period.

## Why it matters
A StatefulSet waits for it, a drain does not end, its claim stays in use. Forcing it away can leave two of it
running, as the API server then forgets the pod before its containers have ended.

## Evidence
`deletionTimestamp` (the moment of the request plus the grace period), the grace period, the preStop hook, the
finalizers, the node's Ready condition, and the kubelet's `FailedKillPod`, `FailedPreStopHook` or
`FailedUnmount` event.

## Look-alikes
A namespace that does not go: `namespace-terminating`. Another object that a finalizer holds:
`object-finalizer-stuck`. A claim: `claim-terminating`. A node that is down is reported at the node as well:
`node-not-ready`. A drain that a budget forbids has deleted nothing: `pdb-blocks-eviction`.

A pod within an ordinary grace period (two minutes) is silent. A longer one is reported at once only where a
preStop hook sleeps for more than two minutes, else when the pod has stayed for all of it or for five minutes. A
slow shutdown that is wanted, of a queue's worker for example, looks the same.

## What it does not see
Why a node that is ready does not remove the pod: the kubelet's log there is not read. How long a hook takes is
read only where it says `sleep`; what a script does or an HTTP hook waits for is not known. Whether the
controller behind a finalizer runs. Without the right to read nodes a dead node is told only as one that has not
removed the pod.

## What to do
Wait, or shorten hook and grace period for the next time. A finalizer is removed by whom it names; only if that
is gone for good by hand: `kubectl edit pod NAME`. On a dead node: bring it back, or, once it is certainly off,
`kubectl delete node NODE` or
`kubectl taint nodes NODE node.kubernetes.io/out-of-service=nodeshutdown:NoExecute`, which also frees its
volumes. `kubectl delete pod NAME --grace-period=0 --force` is the last resort: not for a pod of a StatefulSet
whose node may still run it.",
    run,
};

/// A grace period that nobody is surprised by.
const USUAL: i64 = 120;

fn run(view: &View<'_>) -> Vec<Finding> {
    view.all::<Pod>().iter().filter(|pod| pod.metadata.deleting()).filter_map(|pod| finding(view, pod)).collect()
}

fn finding(view: &View<'_>, pod: &Pod) -> Option<Finding> {
    let object = pod.object_ref();
    let meta = &pod.metadata;
    let grace = meta
        .deletion_grace_period_seconds
        .or(pod.spec.termination_grace_period_seconds)
        .unwrap_or(30)
        .clamp(0, 100_000_000);
    let due = meta.deletion_timestamp.map(Time::as_second)?;
    let now = view.now().as_second();
    let (waited, over) = (now.saturating_sub(due.saturating_sub(grace)), now.saturating_sub(due));
    let asked = jiff::Timestamp::from_second(due.saturating_sub(grace)).ok();
    let make = |summary: String| {
        Finding::new(object.clone(), Severity::Warning, Stage::Ready, summary)
            .of_deletion()
            .field(&object, "metadata.deletionGracePeriodSeconds", grace.to_string())
            .since(asked)
    };
    let ended = pod.status.all_statuses().all(|status| status.state.running.is_none());
    if over > 30 {
        if !meta.finalizers.is_empty() && (ended || view.node_of(pod).is_none()) {
            let names = list(&meta.finalizers);
            let finding = make(format!("pod is deleted and held by its finalizer {names}: its containers have ended, and whoever set the finalizer has not removed it")).field(&object, "metadata.finalizers", meta.finalizers.join(", "));
            return Some(finding.key("finalizer").unknown(format!("whether the controller behind {names} runs")).look(
                "see its finalizers",
                &object,
                &["get", "pod", &object.name, "-o", "jsonpath={.metadata.finalizers}"],
            ));
        }
        if let Some(finding) = dead_node(view, pod, &make) {
            return Some(finding);
        }
    }
    let hook = pod
        .spec
        .containers
        .iter()
        .find_map(|container| Some((container, container.lifecycle.as_ref()?.pre_stop.as_ref()?)));
    let sleeps = hook.map_or(0, |(_, hook)| seconds(hook));
    // A long hook proves at once that the pod will stay; a long grace period alone only when it has stayed.
    if over <= 30 && grace > USUAL && !ended && (sleeps.min(grace) > USUAL || waited > grace.min(300)) {
        let finding = match hook {
            Some((container, hook)) => {
                let what = hook.exec.as_ref().map_or_else(
                    || format!("sleep {}", hook.sleep.as_ref().map_or(0, |sleep| sleep.seconds)),
                    |exec| exec.command.join(" "),
                );
                let summary = format!(
                    "pod is Terminating because the preStop hook of container {} runs `{}` and terminationGracePeriodSeconds is {grace}: it goes within {grace}s of its deletion",
                    container.name,
                    short(&what, 80)
                );
                make(summary).field(&object, format!("spec.containers[{}].lifecycle.preStop", container.name), what)
            }
            None => make(format!(
                "pod is Terminating and has time to end: terminationGracePeriodSeconds is {grace}, and its program has not ended on SIGTERM"
            )),
        };
        return Some(finding.key("grace").fix(
            "end it now, if what the hook does may be cut short",
            &object,
            &["delete", "pod", &object.name, "--grace-period=0", "--force"],
        ));
    }
    if over <= SETTLED || ended && view.node_of(pod).is_none() {
        return None;
    }
    let failed = view.warnings(pod).find(|event| {
        matches!(event.reason.as_str(), "FailedKillPod" | "FailedPreStopHook" | "FailedUnMount" | "FailedUnmount")
    });
    let why = match failed {
        Some(event) => format!("the kubelet can't end it ({})", event.reason),
        None => "its node has not removed it".to_owned(),
    };
    let finding = make(format!(
        "pod is still Terminating {over_min} after its grace period of {grace}s: {why}",
        over_min = minutes(over)
    ))
    .key("stuck");
    let finding = match failed {
        Some(event) => finding.event(event),
        None => finding.unknown("why its node does not remove it: the kubelet's log there decides"),
    };
    Some(describe(finding, &object))
}

/// A pod on a node that is down or gone: nobody there ends it.
fn dead_node(view: &View<'_>, pod: &Pod, make: &dyn Fn(String) -> Finding) -> Option<Finding> {
    let object = view.node_of(pod)?;
    if view.absent(&object) {
        return Some(
            make(format!("pod is deleted and can't go: its node {} does not exist any more", object.name))
                .key("node")
                .culprit(object),
        );
    }
    let node = view.get::<Node>("", &object.name)?;
    let ready = condition(&node.status.conditions, "Ready").filter(|ready| !ready.is_true())?;
    let finding = make(format!(
        "pod is deleted and can't go: its node {} is not ready, so nobody ends its containers",
        object.name
    ))
    .key("node");
    Some(
        finding
            .field(&object, "status.conditions[Ready]", format!("status: {}, reason: {}", ready.status, ready.reason))
            .culprit(object),
    )
}

/// How long a hook sleeps, as far as it says so.
fn seconds(hook: &Handler) -> i64 {
    if let Some(sleep) = &hook.sleep {
        return sleep.seconds;
    }
    let words: Vec<&str> = hook
        .exec
        .iter()
        .flat_map(|exec| exec.command.iter())
        .flat_map(|word| word.split(|c: char| c.is_whitespace() || c == ';'))
        .collect();
    let number = |word: &str| {
        let unit = match word.chars().last() {
            Some('m') => 60,
            Some('h') => 3600,
            _ => 1,
        };
        word.trim_end_matches(['s', 'm', 'h']).parse::<i64>().ok().map(|number| number.saturating_mul(unit))
    };
    let pairs = words.iter().zip(words.iter().skip(1));
    let slept = pairs.filter(|(word, _)| word.rsplit('/').next() == Some("sleep")).filter_map(|(_, next)| number(next));
    slept.fold(0_i64, i64::saturating_add)
}

fn minutes(seconds: i64) -> String {
    if seconds < 120 { format!("{seconds}s") } else { "minutes".to_owned() }
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop, deletionTimestamp: 'DUE', deletionGracePeriodSeconds: GRACE, FINALIZERS}
spec: {nodeName: node-1, containers: [{name: app, HOOK}]}
status: {phase: Running, containerStatuses: [{name: app, ready: true, state: STATE}]}
---
kind: Node
metadata: {name: node-1}
status: {conditions: [{type: Ready, status: 'READY', reason: NodeStatusUnknown}]}
";
    const HOOK: &str = "lifecycle: {preStop: {exec: {command: [sleep, '3600']}}}";
    const RUNS: &str = "{running: {}}";

    fn pod(due: &str, grace: &str, hook: &str, state: &str) -> String {
        POD.replace("DUE", due)
            .replace("GRACE", grace)
            .replace("HOOK", hook)
            .replace("STATE", state)
            .replace("READY", "True")
    }

    #[test]
    fn a_long_hook_at_once() {
        check(
            &super::DETECTOR,
            &pod("2026-01-01T12:59:50Z", "3600", HOOK, RUNS).replace(", FINALIZERS", ""),
            "warning Pod shop/web-1: pod is Terminating because the preStop hook of container app runs `sleep 3600` and terminationGracePeriodSeconds is 3600: it goes within 3600s of its deletion",
        );
    }

    #[test]
    fn a_finalizer_or_a_dead_node() {
        let held = pod("2026-01-01T11:50:00Z", "30", "image: x", "{terminated: {exitCode: 0}}")
            .replace("FINALIZERS", "finalizers: [shop.io/backup]");
        check(
            &super::DETECTOR,
            &held,
            "warning Pod shop/web-1: pod is deleted and held by its finalizer shop.io/backup: its containers have ended, and whoever set the finalizer has not removed it",
        );
        let dead = pod("2026-01-01T11:50:00Z", "30", "image: x", RUNS)
            .replace(", FINALIZERS", "")
            .replace("'True'", "Unknown");
        check(
            &super::DETECTOR,
            &dead,
            "warning Pod shop/web-1: pod is deleted and can't go: its node node-1 is not ready, so nobody ends its containers <- Node node-1",
        );
    }

    #[test]
    fn an_ordinary_end() {
        check(
            &super::DETECTOR,
            &pod("2026-01-01T12:00:20Z", "30", "lifecycle: {preStop: {sleep: {seconds: 15}}}", RUNS)
                .replace(", FINALIZERS", ""),
            "",
        );
        check(&super::DETECTOR, &pod("2026-01-01T12:59:50Z", "3600", "image: x", RUNS).replace(", FINALIZERS", ""), "");
    }

    #[test]
    fn long_after_its_time() {
        let late = pod("2026-01-01T11:50:00Z", "30", "image: x", RUNS).replace(", FINALIZERS", "");
        check(
            &super::DETECTOR,
            &late,
            "warning Pod shop/web-1: pod is still Terminating minutes after its grace period of 30s: its node has not removed it",
        );
    }
}
