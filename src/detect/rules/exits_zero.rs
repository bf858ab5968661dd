//! Containers that end without an error although they should keep running.

use crate::detect::logs::{Fault, claimed, short};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "exits-zero",
    summary: "Container ends without an error again and again, and should keep running",
    group: Group::Containers,
    reads: &[Kind::Pod],
    wants: None,
    doc: r"## What it detects
A container of a pod that is always restarted (Deployment, StatefulSet, DaemonSet), or a sidecar, which ends with exit
code 0: CrashLoopBackOff with `Completed`.

## Why it matters
The kubelet starts it again with growing pauses. Nothing serves, though nothing fails.

## Evidence
The last state (`Completed`, 0), the number of restarts, the last line of the log.

## Look-alikes
A program that ends on SIGTERM after a failed liveness probe ends with 0 too: that is `liveness-probe-fails`. One
whose postStart hook fails is `hook-fails`. Containers of Jobs, and of pods with `restartPolicy` `OnFailure` or
`Never`, may end. A program that gives up on an error and still ends with 0 shows here too: its last line tells.

## What it does not see
Why the program ends: its last line is quoted, not judged. One that ends once in a while and has been running again
for more than ten minutes. The first end, before there was a restart, unless it already waits in CrashLoopBackOff. A
shell that is waiting for input and gets none is not told from a program that is done.

## What to do
Let the program stay in the foreground (no `&`, no daemon mode; a shell needs a command, not a terminal), or make it a
Job or a CronJob.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let zero = claimed(view, |fault| *fault == Fault::Zero);
    zero.iter()
        .map(|failing| {
            let container = &failing.container;
            let workload = view.workload_of(container.pod);
            let kind = if workload.kind == Kind::Pod { "pod with restartPolicy Always".to_owned() } else { workload.kind.to_string() };
            let command: Vec<&str> = container.spec.command.iter().chain(container.spec.args.iter()).map(String::as_str).collect();
            let what = if command.is_empty() { format!("the program of image {}", container.spec.image) } else { format!("`{}`", short(&command.join(" "), 80)) };
            let summary = format!("{} ends with exit 0 (Completed) and is restarted again and again: {what} finishes, and a {kind} must keep running", container.title());
            let object = failing.pod();
            let mut finding = failing.finding(view, Stage::Start, summary);
            if !command.is_empty() {
                finding = finding.field(&object, container.spec_path("command"), command.join(" "));
            }
            failing.edit(view, failing.read_log(finding), "keep the program in the foreground, or make it a Job")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {restartPolicy: POLICY, containers: [{name: app, command: [sh, -c, echo done]}]}
status:
  phase: Running
  containerStatuses:
  - {name: app, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {reason: Completed, exitCode: CODE, finishedAt: '2026-01-01T11:59:00Z'}}}
";

    #[test]
    fn ends_and_should_not() {
        check(
            &super::DETECTOR,
            &POD.replace("POLICY", "Always").replace("CODE", "0"),
            "critical Pod shop/web-1: container app ends with exit 0 (Completed) and is restarted again and again: `sh -c echo done` finishes, and a pod with restartPolicy Always must keep running",
        );
    }

    #[test]
    fn between_two_restarts() {
        let ended = POD
            .replace("POLICY", "Always")
            .replace("CODE", "0")
            .replace("waiting: {reason: CrashLoopBackOff}", "terminated: {reason: Completed, exitCode: 0}");
        check(
            &super::DETECTOR,
            &ended,
            "critical Pod shop/web-1: container app ends with exit 0 (Completed) and is restarted again and again: `sh -c echo done` finishes, and a pod with restartPolicy Always must keep running",
        );
        check(&super::DETECTOR, &ended.replace("restartCount: 4", "restartCount: 0"), "");
    }

    #[test]
    fn may_end_or_failed() {
        check(&super::DETECTOR, &POD.replace("POLICY", "OnFailure").replace("CODE", "0"), "");
        check(&super::DETECTOR, &POD.replace("POLICY", "Always").replace("CODE", "1"), "");
    }

    #[test]
    fn killed_by_its_liveness_probe() {
        let event = "
---
kind: Event
metadata: {name: e1, namespace: shop}
involvedObject: {kind: Pod, namespace: shop, name: web-1, fieldPath: 'spec.containers{app}'}
reason: Killing
message: Container app failed liveness probe, will be restarted
lastTimestamp: '2026-01-01T11:58:59Z'
";
        let pod = POD
            .replace("POLICY", "Always")
            .replace("CODE", "0")
            .replace("{name: app, command", "{name: app, livenessProbe: {tcpSocket: {port: 80}}, command");
        check(&super::DETECTOR, &format!("{pod}{event}"), "");
    }
}
