//! Containers whose lifecycle hooks fail.

use crate::detect::logs::probe::{ONE_WORD, elsewhere, not_the_pod, one_word};
use crate::detect::logs::{Failing, Fault, claimed, short, superseded};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "hook-fails",
    summary: "Lifecycle hook (postStart or preStop) fails",
    group: Group::Containers,
    reads: &[Kind::Pod, Kind::Event],
    wants: None,
    doc: r"## What it detects
A container that the kubelet kills because its postStart hook failed; a container that stays in
`ContainerCreating` for over two minutes, without any warning, and has a postStart hook; and a preStop hook that
failed in the last ten minutes while its pod is being deleted. A hook whose command line is one word, or that asks
another `host` than the pod, is told as such.

## Why it matters
A failed postStart hook ends the container, whatever the program does. A preStop hook that fails leaves
out what should be done before the end (draining, saving).

## Evidence
The events `FailedPostStartHook`, `FailedPreStopHook`; the hook's command in the spec.

## Look-alikes
A long pull of a large image also stays in `ContainerCreating` without a warning: unless another pod shows that
the node has the image, the finding says that this is not known. A pod that waits for a volume, its sandbox or
its network is `container-creating-stuck` or a `volume-…` finding. A preStop hook that takes long but does not
fail is `pod-terminating`. A hook that failed at a former start is silent once the container runs.

## What it does not see
What the hook printed: the kubelet keeps no log of it, and its event carries at most a part. A preStop hook that
fails at a restart by a probe is left to the deeper fault. Only the event names a failed hook; when it has
expired (by default after an hour) the container is judged by its exit code and log.

## What to do
Run the hook's command by hand: `kubectl exec POD -c CONTAINER -- COMMAND`. A hook must not wait for what only
comes after it: the container does not count as running before postStart has returned. A missing program or a
wrong path in the image is the usual reason.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let killed = claimed(view, |fault| *fault == Fault::Hook);
    let mut findings: Vec<Finding> = killed.iter().map(|failing| failed(view, failing)).collect();
    for pod in view.all::<Pod>() {
        findings.extend(before_stop(view, pod));
        if !superseded(view, pod) && pod.status.phase == "Pending" {
            findings.extend(hangs(view, pod));
        }
    }
    findings
}

/// What a hook does, for people.
fn action(handler: &Handler) -> String {
    match (&handler.exec, &handler.http_get, &handler.sleep) {
        (Some(exec), ..) => format!("`{}`", short(&exec.command.join(" "), 100)),
        (_, Some(get), _) => format!(
            "GET {} on port {}",
            if get.path.is_empty() { "/" } else { &get.path },
            get.port.as_ref().map(ToString::to_string).unwrap_or_default()
        ),
        (_, _, Some(sleep)) => format!("sleep {}", sleep.seconds),
        _ => "its action".to_owned(),
    }
}

/// What is wrong with a hook that fails, where its spec alone tells.
fn why(pod: &Pod, handler: &Handler) -> Option<String> {
    let word = handler.exec.as_ref().filter(|exec| exec.command.len() == 1).and_then(one_word);
    let host = handler.http_get.as_ref().map(|get| get.host.as_str()).filter(|host| elsewhere(pod, host));
    let asks = || Some(format!("{}: leave httpGet.host out, then it asks the pod", not_the_pod(host?)));
    word.map(|_| ONE_WORD.to_owned()).or_else(asks)
}

fn post_start(container: &Container) -> Option<&Handler> {
    container.lifecycle.as_ref().and_then(|lifecycle| lifecycle.post_start.as_ref())
}

fn failed(view: &View<'_>, failing: &Failing<'_>) -> Finding {
    let container = &failing.container;
    let what = post_start(container.spec).map(action).unwrap_or_default();
    let why = post_start(container.spec).and_then(|hook| why(container.pod, hook));
    let why = why.map(|why| format!(", {why}").replace(", of host", " of host")).unwrap_or_default();
    let summary =
        format!("{} is killed because its postStart hook fails (FailedPostStartHook): {what}{why}", container.title());
    let finding = failing.finding(view, Stage::Start, summary).field(
        &failing.pod(),
        container.spec_path("lifecycle.postStart"),
        what.trim_matches('`'),
    );
    failing.edit(view, describe(finding, &failing.pod()), "correct the hook")
}

/// A pod whose sandbox is made and whose container still counts as being made, without any warning:
/// the kubelet waits for the hook. Events of starts are not read, so a long pull looks alike.
fn hangs(view: &View<'_>, pod: &Pod) -> Option<Finding> {
    let object = pod.object_ref();
    let creating = |container: &Running<'_>| {
        container.status.state.waiting.as_ref().is_some_and(|waiting| waiting.reason == "ContainerCreating")
    };
    let container = containers(pod).filter(creating).find(|container| post_start(container.spec).is_some())?;
    let hook = post_start(container.spec)?;
    let sandbox =
        condition(&pod.status.conditions, "PodReadyToStartContainers").filter(|condition| condition.is_true())?;
    let age = view.age(*sandbox.last_transition_time).filter(|age| *age >= 2 * SETTLED)?;
    if view.warnings(pod).next().is_some() {
        return None;
    }
    let on_node = |other: &&Pod| {
        other.spec.node_name == pod.spec.node_name
            && other
                .status
                .all_statuses()
                .any(|status| status.image.ends_with(&container.spec.image) && status.state.running.is_some())
    };
    let pulled = container.spec.image_pull_policy != "Always" && view.all::<Pod>().iter().any(|other| on_node(&other));
    let summary = format!(
        "{} stays in ContainerCreating for over {} min: its postStart hook {} has not returned",
        container.title(),
        age / 60,
        action(hook)
    );
    let finding = Finding::new(object.clone(), view.pod_severity(pod), Stage::Start, summary)
        .key(&container.spec.name)
        .field(&object, container.spec_path("lifecycle.postStart"), action(hook).trim_matches('`'))
        .field(&object, container.path("state.waiting.reason"), "ContainerCreating")
        .since(*sandbox.last_transition_time);
    let finding = if pulled {
        finding
    } else {
        finding.unknown("whether its image is still being pulled: the events of its start were not read")
    };
    Some(describe(finding, &object))
}

fn before_stop(view: &View<'_>, pod: &Pod) -> Option<Finding> {
    let object = pod.object_ref();
    let event = view
        .warnings(pod)
        .find(|event| event.reason == "FailedPreStopHook" && view.age(event.last()).is_some_and(|age| age < 600))?;
    let container = event.container().and_then(|name| pod.spec.container(name));
    let what =
        container.and_then(|container| container.lifecycle.as_ref()?.pre_stop.as_ref()).map(action).unwrap_or_default();
    let name = container.map(|container| container.name.as_str()).unwrap_or_default();
    // A pod that is killed by a probe or crashes has a deeper fault, of which this is a part.
    if !pod.metadata.deleting() {
        return None;
    }
    let summary = format!("preStop hook of container {name} fails (FailedPreStopHook): {what}");
    let finding = Finding::new(object.clone(), Severity::Warning, Stage::Ready, summary)
        .key(format!("preStop {name}"))
        .event(event)
        .since(event.first());
    Some(describe(finding, &object))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {containers: [{name: app, lifecycle: {postStart: {exec: {command: [sh, -c, exit 3]}}}}]}
status: {phase: PHASE, containerStatuses: [{name: app, restartCount: 2, STATE}]}
---
kind: Event
type: TYPE
metadata: {name: e1, namespace: shop}
involvedObject: {kind: Pod, namespace: shop, name: web-1, fieldPath: 'spec.containers{app}'}
reason: REASON
message: PostStartHook failed
lastTimestamp: '2026-01-01T11:TIME'
";

    fn pod(phase: &str, state: &str, reason: &str, time: &str) -> String {
        POD.replace("PHASE", phase)
            .replace("STATE", state)
            .replace("REASON", reason)
            .replace("TYPE", "Warning")
            .replace("TIME", time)
    }

    #[test]
    fn a_command_line_in_one_word_and_another_host() {
        let says =
            "critical Pod shop/web-1: container app is killed because its postStart hook fails (FailedPostStartHook):";
        let with = |hook: &str| {
            pod("Running", ENDED, "FailedPostStartHook", "58:58Z").replace("exec: {command: [sh, -c, exit 3]}", hook)
        };
        check(
            &super::DETECTOR,
            &with("exec: {command: [touch /tmp/up]}"),
            &format!(
                "{says} `touch /tmp/up`, which is one word and so taken for the name of a program: split it into a list of words, or let a shell run it (sh, -c)"
            ),
        );
        let get = "httpGet: {host: 127.0.0.1, port: 8080, path: /up}";
        check(
            &super::DETECTOR,
            &with(get),
            &format!(
                "{says} GET /up on port 8080 of host 127.0.0.1, which to the kubelet is the node, not the pod: leave httpGet.host out, then it asks the pod"
            ),
        );
        let own = with(get).replace("spec: {", "spec: {hostNetwork: true, ");
        check(&super::DETECTOR, &own, &format!("{says} GET /up on port 8080"));
    }

    const ENDED: &str = "state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {reason: Error, exitCode: 137, startedAt: '2026-01-01T11:58:58Z', finishedAt: '2026-01-01T11:59:00Z'}}";

    #[test]
    fn fails() {
        check(
            &super::DETECTOR,
            &pod("Running", ENDED, "FailedPostStartHook", "58:58Z"),
            "critical Pod shop/web-1: container app is killed because its postStart hook fails (FailedPostStartHook): `sh -c exit 3`",
        );
    }

    #[test]
    fn does_not_return() {
        let creating = |time: &str| {
            format!(
                "state: {{waiting: {{reason: ContainerCreating}}}}}}], conditions: [{{type: PodReadyToStartContainers, status: 'True', lastTransitionTime: '2026-01-01T11:{time}'"
            )
        };
        let quiet = |time: &str| pod("Pending", &creating(time), "Noted", "55:00Z").replace("Warning", "Normal");
        check(
            &super::DETECTOR,
            &quiet("55:00Z"),
            "critical Pod shop/web-1: container app stays in ContainerCreating for over 5 min: its postStart hook `sh -c exit 3` has not returned",
        );
        check(&super::DETECTOR, &quiet("59:40Z"), "");
        check(&super::DETECTOR, &quiet("55:00Z").replace("Normal", "Warning"), "");
    }

    #[test]
    fn failed_at_a_former_start() {
        let own = ENDED.replace("137", "1");
        check(&super::DETECTOR, &pod("Running", &own, "FailedPostStartHook", "30:00Z"), "");
        // A crash loop's later failures leave no events; that it was killed at its start tells.
        check(
            &super::DETECTOR,
            &pod("Running", ENDED, "FailedPostStartHook", "30:00Z"),
            "critical Pod shop/web-1: container app is killed because its postStart hook fails (FailedPostStartHook): `sh -c exit 3`",
        );
    }
}
