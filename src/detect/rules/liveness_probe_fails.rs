//! Containers that their liveness probe kills.

use crate::detect::logs::probe::{UNANSWERED, event, explain, numbers, of};
use crate::detect::logs::{Failing, Fault, claimed};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "liveness-probe-fails",
    summary: "Liveness probe kills the container again and again",
    group: Group::Containers,
    reads: &[Kind::Pod, Kind::Event],
    wants: None,
    doc: r"## What it detects
A container that the kubelet restarts because its liveness probe fails, and why: the probe asks another port
than the program listens on, a path that answers 404, by the wrong scheme, a command that is not in
the image; it waits too short for an answer; or it begins before the program can have started. As a warning: a
liveness probe whose command can't be executed at all, which the kubelet counts for nothing.

## Why it matters
A program that is well is killed, or one that is ill is restarted for ever.

## Evidence
The event `Unhealthy` with what the probe was told, the probe's numbers, the log line or declaration with
the right port.

## Look-alikes
A container killed for memory is `oom-killed`; one that ends by itself is `container-exits`. A startup probe
that kills is `startup-probe-fails`. Where the log says that something the program needs does not answer, and
the probe itself is sound, that is the cause: `dependency-refused` and its like. Exit code 137 or 143 with the
life span of the probe's budget counts as a probe's kill when the event has expired; another SIGKILL at that
moment looks alike.

## What it does not see
The probe is never tried: only the kubelet's words, the spec and the log tell. Probes that fail now and then
without a restart are silent. A deadlock and a slow answer look the same: the finding says so by the time of
life only. Other ports are proposed from the log and the declared ports, which may be incomplete.

## What to do
Try the probe from inside: `kubectl exec POD -- wget -qO- localhost:PORT/PATH`, where the image has such a tool.
Correct port, path or scheme. For slow starts add a startupProbe rather than a long delay; raise
`timeoutSeconds` (1 by default) for slow answers. A liveness probe should not ask for dependencies.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let killed = claimed(view, |fault| *fault == Fault::Liveness);
    let mut findings: Vec<Finding> = killed.iter().filter_map(|failing| finding(view, failing)).collect();
    let live = view.all::<Pod>().iter().filter(|pod| pod.status.phase == "Running" && !pod.metadata.deleting());
    findings.extend(live.flat_map(containers).filter_map(|container| never_runs(view, &container)));
    findings
}

/// A probe whose command can't be executed neither passes nor fails: the container is never restarted by it.
fn never_runs(view: &View<'_>, container: &Running<'_>) -> Option<Finding> {
    container.spec.liveness_probe.as_ref()?.exec.as_ref()?;
    let running = container.status.state.running.as_ref().filter(|_| container.status.ready)?;
    let event = event(view, container, &Fault::Liveness)
        .filter(|event| event.last() >= *running.started_at && event.message.contains("errored"))?;
    let told = explain(view, container, &Fault::Liveness);
    if !told.proven {
        return None;
    }
    let object = container.pod.object_ref();
    let summary = format!("the liveness probe of {} never works: it {}", container.title(), told.text);
    let finding = Finding::new(object.clone(), Severity::Warning, Stage::Serve, summary)
        .key(&container.spec.name)
        .event(event)
        .since(event.first());
    Some(describe(told.cite(finding, container, &Fault::Liveness), &object))
}

fn finding(view: &View<'_>, failing: &Failing<'_>) -> Option<Finding> {
    let container = &failing.container;
    let probe = of(container.spec, &Fault::Liveness)?;
    let (told, numbers) = (explain(view, container, &Fault::Liveness), numbers(probe));
    let lived = container
        .ended()
        .and_then(|ended| ended.finished_at.map(Time::as_second).zip(ended.started_at.map(Time::as_second)));
    let lived = lived.map(|(end, start)| end.saturating_sub(start)).filter(|lived| (0..1_000_000).contains(lived));
    // Killed as soon as the probe allows, at a start: it may only need longer.
    // Who takes the connection and answers late has started.
    let early = !told.proven
        && !told.text.contains("timeoutSeconds")
        && probe.exec.is_none()
        && container.spec.startup_probe.is_none()
        && lived.is_some_and(|lived| {
            lived
                <= numbers
                    .budget()
                    .saturating_add(container.pod.spec.termination_grace_period_seconds.unwrap_or(30))
                    .saturating_add(15)
        });
    let after = lived
        .filter(|_| early)
        .map(|lived| format!(", {lived}s after its start: if it only starts slower than that, give it a startupProbe"))
        .unwrap_or_default();
    let summary = format!(
        "{} is killed by its liveness probe, which {} ({}){after}",
        container.title(),
        told.text,
        numbers.text()
    );
    let object = failing.pod();
    let mut finding = failing.finding(view, Stage::Start, summary);
    let what = probe.http_get.as_ref().map(|get| {
        (
            "httpGet",
            format!("path: {}, port: {}", get.path, get.port.as_ref().map(ToString::to_string).unwrap_or_default()),
        )
    });
    let what = what.or_else(|| {
        probe.tcp_socket.as_ref().map(|tcp| {
            ("tcpSocket", format!("port: {}", tcp.port.as_ref().map(ToString::to_string).unwrap_or_default()))
        })
    });
    let what = what.or_else(|| probe.exec.as_ref().map(|exec| ("exec.command", exec.command.join(" "))));
    if let Some((path, quote)) = what.filter(|(path, _)| told.field.as_ref().is_none_or(|(field, _)| field != path)) {
        finding = finding.field(&object, container.spec_path(&format!("livenessProbe.{path}")), quote);
    }
    if let (Some(line), Some(log)) = (
        &told.line,
        view.snapshot.logs.iter().find(|log| {
            log.pod == object
                && log.container == container.spec.name
                && told.line.as_ref().is_some_and(|line| log.lines.contains(line))
        }),
    ) {
        finding = finding.log(log, line);
    }
    if !told.proven && told.culprit.is_none() {
        finding = finding.unknown(UNANSWERED);
    }
    finding = describe(told.cite(finding, container, &Fault::Liveness), &object);
    Some(failing.edit(view, finding, "correct the liveness probe"))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::{check, check_unknown};

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {terminationGracePeriodSeconds: 1, containers: [{name: app, PORTS livenessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 5}}]}
status:
  phase: Running
  containerStatuses:
  - {name: app, ready: true, restartCount: 3, state: {running: {startedAt: '2026-01-01T11:59:40Z'}}, lastState: {terminated: {reason: Error, exitCode: 137, startedAt: '2026-01-01T11:59:00Z', finishedAt: '2026-01-01T11:59:39Z'}}}
---
kind: Event
type: Warning
metadata: {name: e1, namespace: shop}
involvedObject: {kind: Pod, namespace: shop, name: web-1, fieldPath: 'spec.containers{app}'}
reason: Unhealthy
message: 'Liveness probe failed: ANSWER'
lastTimestamp: '2026-01-01T11:59:50Z'
---
kind: Event
metadata: {name: e2, namespace: shop}
involvedObject: {kind: Pod, namespace: shop, name: web-1, fieldPath: 'spec.containers{app}'}
reason: Killing
message: Container app failed liveness probe, will be restarted
lastTimestamp: '2026-01-01T11:59:37Z'
---
kind: Log
namespace: shop
pod: web-1
container: app
previous: true
lines: ['LINE']
";
    const REFUSED: &str = r#"Get "http://10.0.0.9:8080/healthz": dial tcp 10.0.0.9:8080: connect: connection refused"#;
    const SAYS: &str =
        "critical Pod shop/web-1: container app is killed by its liveness probe, which asks GET /healthz on port 8080";

    fn pod(ports: &str, answer: &str, line: &str) -> String {
        POD.replace("PORTS", ports)
            .replace("ANSWER", answer)
            .replace("LINE", line)
            .replace("ready: true", "ready: false")
    }

    #[test]
    fn another_port() {
        check(
            &super::DETECTOR,
            &pod("", REFUSED, "INFO listening on :8081"),
            &format!("{SAYS}, and the program listens on port 8081 (its log says so) (3 × 5s)"),
        );
        check(
            &super::DETECTOR,
            &pod("ports: [{containerPort: 9090}],", REFUSED, "hello"),
            &format!("{SAYS}, and the container declares port 9090 (3 × 5s)"),
        );
        check(
            &super::DETECTOR,
            &pod("", REFUSED, "Listening on http://127.0.0.1:8080"),
            &format!("{SAYS}, and the program listens on 127.0.0.1:8080 only, not on the pod's address (3 × 5s)"),
        );
    }

    /// After a while the kubelet sends no more events of a pod that crashes again and again.
    #[test]
    fn events_that_are_older_than_the_last_run() {
        let old = pod("", REFUSED, "INFO listening on :8081")
            .replace("11:59:37Z", "11:50:00Z")
            .replace("11:59:50Z", "11:50:00Z");
        let says = format!("{SAYS}, and the program listens on port 8081 (its log says so) (3 × 5s)");
        check(&super::DETECTOR, &old, &says);
        // It ended by itself, sooner than the probe allows.
        let own = old.replace(
            "exitCode: 137, startedAt: '2026-01-01T11:59:00Z'",
            "exitCode: 1, startedAt: '2026-01-01T11:59:37Z'",
        );
        check(&super::DETECTOR, &own, "");
    }

    #[test]
    fn another_path_and_a_slow_start() {
        check(
            &super::DETECTOR,
            &pod("", "HTTP probe failed with statuscode: 404", "x"),
            &format!("{SAYS} and is answered 404: no such path (3 × 5s)"),
        );
        check(
            &super::DETECTOR,
            &pod("ports: [{containerPort: 8080}],", REFUSED, "loading")
                .replace("11:59:00Z', finished", "11:59:20Z', finished"),
            &format!(
                "{SAYS}, where nothing listens (connection refused) (3 × 5s), 19s after its start: if it only starts slower than that, give it a startupProbe"
            ),
        );
    }

    #[test]
    fn a_command_that_can_not_be_executed() {
        let errored = "Liveness probe errored and resulted in unknown state: rpc error: code = Unknown desc = failed to exec in container: exec: \"cat /tmp/up\": stat cat /tmp/up: no such file or directory: unknown";
        let well = |said: &str| {
            pod("", "", "x")
                .replace("httpGet: {path: /healthz, port: 8080}", "exec: {command: [cat /tmp/up]}")
                .replace("Liveness probe failed: ", said)
                .replace("restartCount: 3", "restartCount: 0")
                .replace("ready: false", "ready: true")
                .replace("reason: Killing", "reason: Pulled")
                .replace("lastState: {terminated:", "lastState: {ignored:")
        };
        check(
            &super::DETECTOR,
            &well(errored),
            "warning Pod shop/web-1: the liveness probe of container app never works: it runs `cat /tmp/up`, which is one word and so taken for the name of a program: split it into a list of words, or let a shell run it (sh, -c)",
        );
        check(&super::DETECTOR, &well("Liveness probe failed: cat: /tmp/up: Permission denied"), "");
    }

    #[test]
    fn deeper_or_over() {
        let line = "ERROR cannot connect to db:5432: connection refused";
        check(&super::DETECTOR, &pod("ports: [{containerPort: 8080}],", REFUSED, line), "");
        let over = pod("", REFUSED, "x").replace("T11:59", "T10:59").replace("ready: false", "ready: true");
        check(&super::DETECTOR, &over, "");
    }

    #[test]
    fn why_the_program_does_not_answer_stays_open() {
        check_unknown(&super::DETECTOR, &pod("", REFUSED, "x"), super::UNANSWERED);
        check_unknown(&super::DETECTOR, &pod("", "HTTP probe failed with statuscode: 404", "x"), "");
    }
}
