//! Containers whose startup probe never passes.

use crate::detect::logs::probe::{UNANSWERED, explain, numbers, of};
use crate::detect::logs::{Failing, Fault, claimed};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "startup-probe-fails",
    summary: "Startup probe never passes",
    group: Group::Containers,
    reads: &[Kind::Pod, Kind::Event],
    wants: None,
    doc: r"## What it detects
A container that the kubelet restarts, or holds back, because its startup probe does not pass: a file that
is never written, another port or path, a port name that the container does not declare, another `host` than the pod,
a command that is one word or asks a Service without endpoints, or a start that takes longer than `failureThreshold × periodSeconds`.

## Why it matters
Until it passes the other probes don't run and the container is not ready. When it has failed
`failureThreshold` times, the container is killed and starts from the beginning.

## Evidence
The event `Unhealthy` with what the probe was told, its numbers, and the path or port that the log or
the command names instead.

## Look-alikes
- Killed later, after it had started: `liveness-probe-fails`. Not killed, only not ready: `readiness-probe-fails`.
- Exit 137 with reason `OOMKilled`: `oom-killed`. An exit of its own: `container-exits`.
- The log says that something it needs does not answer, and the probe is set right: that is the cause, and
  `dependency-refused` or one of its kin tells it.
- A slow start is what the probe is for: within its budget it is silent, unless the probe provably can't pass
  or ten minutes have gone. A node short of CPU can make a good program start too slowly.

## What it does not see
A container that is held back and has no `Unhealthy` event of its present run (events last an hour by default, and
the kubelet holds back what repeats). What the program would answer is not asked: the probe is judged by its event, the
spec and the tail of the log. After a kill without events only the exit code and the length of the run tell.

## What to do
`kubectl describe pod NAME` shows what the probe was told. Correct its path, port or command; or raise
`failureThreshold` if the program only starts slowly.
To try it by hand: `kubectl exec NAME -c CONTAINER -- COMMAND`, while it runs.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    claimed(view, |fault| *fault == Fault::Startup).iter().filter_map(|failing| finding(view, failing)).collect()
}

fn finding(view: &View<'_>, failing: &Failing<'_>) -> Option<Finding> {
    let container = &failing.container;
    let probe = of(container.spec, &Fault::Startup)?;
    let (told, numbers) = (explain(view, container, &Fault::Startup), numbers(probe));
    let after = if told.proven {
        String::new()
    } else {
        format!(", so it has {}s to start (failureThreshold × periodSeconds)", numbers.budget())
    };
    let verb = if container.ended().is_some() {
        "is killed by its startup probe"
    } else {
        "is held back by its startup probe"
    };
    let summary = format!("{} {verb}, which {} ({}){after}", container.title(), told.text, numbers.text());
    let object = failing.pod();
    let mut finding = failing.finding(view, Stage::Start, summary);
    if let Some(exec) = probe.exec.as_ref().filter(|_| told.field.is_none()) {
        finding = finding.field(&object, container.spec_path("startupProbe.exec.command"), exec.command.join(" "));
    }
    if let Some(line) = &told.line
        && let Some(log) = view.snapshot.logs.iter().find(|log| log.pod == object && log.lines.contains(line))
    {
        finding = finding.log(log, line);
    }
    if !told.proven && told.culprit.is_none() {
        finding = finding.unknown(UNANSWERED);
    }
    finding = describe(told.cite(finding, container, &Fault::Startup), &object);
    Some(failing.edit(view, finding, "correct the startup probe"))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::{check, check_unknown};

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {terminationGracePeriodSeconds: 1, containers: [{name: app, image: 'shop/web:2', startupProbe: {PROBE, periodSeconds: 2, failureThreshold: 4}}]}
status:
  phase: Running
  containerStatuses:
  - {name: app, started: false, ready: false, restartCount: COUNT, state: {running: {startedAt: 'START'}}, lastState: LAST}
---
kind: Event
type: Warning
metadata: {name: e1, namespace: shop}
involvedObject: {kind: Pod, namespace: shop, name: web-1, fieldPath: 'spec.containers{app}'}
reason: Unhealthy
message: 'Startup probe ANSWER'
lastTimestamp: '2026-01-01T11:59:58Z'
---
kind: Event
metadata: {name: e2, namespace: shop}
involvedObject: {kind: Pod, namespace: shop, name: web-1, fieldPath: 'spec.containers{app}'}
reason: Killing
message: Container app failed startup probe, will be restarted
lastTimestamp: '2026-01-01T11:59:52Z'
---
kind: Log
namespace: shop
pod: web-1
container: app
lines: ['ledger up, ready file /tmp/run/ledger.ready written']
";

    fn killed(probe: &str, answer: &str) -> String {
        let last = "{terminated: {reason: Error, exitCode: 137, startedAt: '2026-01-01T11:59:40Z', finishedAt: '2026-01-01T11:59:53Z'}}";
        POD.replace("PROBE", probe)
            .replace("COUNT", "1")
            .replace("LAST", last)
            .replace("START", "2026-01-01T11:59:54Z")
            .replace("ANSWER", answer)
    }

    #[test]
    fn a_file_that_is_never_written() {
        let probe = "exec: {command: [/bin/sh, -c, cat /tmp/ledger/ready]}";
        check(
            &super::DETECTOR,
            &killed(probe, "failed: cat: can''t open ''/tmp/ledger/ready'': No such file or directory"),
            "critical Pod shop/web-1: container app is killed by its startup probe, which runs `/bin/sh -c cat /tmp/ledger/ready`: /tmp/ledger/ready: no such file; the container writes /tmp/run/ledger.ready (4 × 2s)",
        );
    }

    #[test]
    fn a_port_name_that_is_not_declared() {
        let held = POD
            .replace("PROBE", "httpGet: {path: /, port: web}")
            .replace("COUNT", "0")
            .replace("LAST", "{}")
            .replace("START", "2026-01-01T11:50:00Z");
        check(
            &super::DETECTOR,
            &held
                .replace(
                    "ANSWER",
                    "errored and resulted in unknown state: strconv.Atoi: parsing \"web\": invalid syntax",
                )
                .replace("reason: Killing", "reason: Pulled"),
            "critical Pod shop/web-1: container app is held back by its startup probe, which asks port `web`, a name that the container does not declare (it declares no ports) (4 × 2s)",
        );
    }

    #[test]
    fn a_start_within_its_budget() {
        let young = POD
            .replace("PROBE", "tcpSocket: {port: 80}")
            .replace("COUNT", "0")
            .replace("LAST", "{}")
            .replace("START", "2026-01-01T11:59:54Z");
        check(
            &super::DETECTOR,
            &young.replace("ANSWER", "failed: dial tcp 10.0.0.1:80: connect: connection refused"),
            "",
        );
    }

    #[test]
    fn why_the_program_does_not_answer_stays_open() {
        let probe = "exec: {command: [cat, /x]}";
        check_unknown(&super::DETECTOR, &killed(probe, "failed: not yet"), super::UNANSWERED);
        check_unknown(
            &super::DETECTOR,
            &killed("httpGet: {path: /, port: 80}", "failed: HTTP probe failed with statuscode: 404"),
            "",
        );
    }
}
