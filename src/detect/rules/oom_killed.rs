//! Containers killed by the kernel for passing their memory limit, or for want of the node's.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "oom-killed",
    summary: "Container was killed for using more memory than it may",
    group: Group::Containers,
    reads: &[Kind::Pod],
    wants: None,
    doc: r"## What it detects
A container whose last run ended as `OOMKilled`, and which is down, crash looping or was restarted
within the last ten minutes.

## Why it matters
The kernel ends the process without a chance to save anything. With a limit that its normal work
passes, it will be killed again at every start.

## Evidence
`status.containerStatuses[].lastState.terminated.reason`, the container's memory limit, and the
node's memory pressure where the container has no limit.

## False positives
Exit code 137 alone is not enough: any SIGKILL gives it, a failed liveness probe among them. A
container that was killed once, long ago, and is ready since is not reported.

## What to do
Raise the limit if the work needs it, or make the program keep within it (heap bounds, batch
sizes, leaks). Without a limit the node itself ran out: look for what else runs there.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let pods = view.all::<Pod>().iter();
    pods.flat_map(containers)
        .filter(|container| failing(view, container))
        .filter_map(|container| finding(view, &container))
        .collect()
}

fn finding(view: &View<'_>, container: &Running<'_>) -> Option<Finding> {
    let ended = container.ended().filter(|ended| ended.reason == "OOMKilled")?;
    let (pod, name) = (container.pod, &container.spec.name);
    let object = pod.object_ref();
    let limit = container.spec.resources.limits.get("memory");
    let state = if container.restarted() {
        "lastState"
    } else if container.status.state.terminated.is_some() {
        "state"
    } else {
        "lastState"
    };
    let summary = match limit {
        Some(limit) => format!("{} is OOMKilled: it needs more memory than its limit of {limit}", container.title()),
        None => format!(
            "{} is OOMKilled without a memory limit of its own: the node or the pod ran out of memory",
            container.title()
        ),
    };
    let mut finding = Finding::new(object.clone(), view.pod_severity(pod), Stage::Start, summary)
        .key(name)
        .field(
            &object,
            container.path(&format!("{state}.terminated")),
            format!("reason: OOMKilled, exitCode: {}", ended.exit_code),
        )
        .since(*ended.finished_at);
    if let Some(limit) = limit {
        finding = finding.field(&object, container.spec_path("resources.limits.memory"), limit);
    }
    let workload = view.workload_of(pod);
    finding = finding.look(
        "see how much it uses (needs metrics-server)",
        &object,
        &["top", "pod", &object.name, "--containers"],
    );
    if let (Some(limit), true) = (limit.and_then(|limit| Quantity::parse(limit)), view.workload(&workload).is_some()) {
        let double = Quantity::of(i64::try_from(limit.whole() * 2).unwrap_or(i64::MAX));
        let target = format!("{}/{}", workload.kind.argument(), workload.name);
        let value = format!("--limits=memory={}", double.display("memory"));
        finding = finding.fix(
            "give it twice the memory, if the work really needs it",
            &workload,
            &["set", "resources", &target, "-c", name, &value],
        );
    }
    Some(finding)
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {containers: [{name: app, resources: {limits: {memory: 32Mi}}}]}
status:
  phase: Running
  containerStatuses:
  - {name: app, restartCount: 4, state: STATE, lastState: {terminated: {reason: REASON, exitCode: 137, finishedAt: '2026-01-01T11:59:00Z'}}}
";

    #[test]
    fn killed_at_its_limit() {
        check(
            &super::DETECTOR,
            &POD.replace("STATE", "{waiting: {reason: CrashLoopBackOff}}").replace("REASON", "OOMKilled"),
            "critical Pod shop/web-1: container app is OOMKilled: it needs more memory than its limit of 32Mi",
        );
    }

    #[test]
    fn killed_by_another_hand() {
        check(
            &super::DETECTOR,
            &POD.replace("STATE", "{waiting: {reason: CrashLoopBackOff}}").replace("REASON", "Error"),
            "",
        );
    }

    #[test]
    fn killed_long_ago_and_well_since() {
        let yaml = POD
            .replace("STATE", "{running: {startedAt: '2026-01-01T08:00:01Z'}}, ready: true")
            .replace("REASON", "OOMKilled");
        check(&super::DETECTOR, &yaml.replace("T11:59:00Z", "T08:00:00Z"), "");
    }
}
