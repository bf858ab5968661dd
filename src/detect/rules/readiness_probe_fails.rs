//! Containers that run and never become ready.

use crate::detect::logs::probe::{UNANSWERED, explain, numbers, of};
use crate::detect::logs::{Failing, Fault, claimed};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "readiness-probe-fails",
    summary: "Container runs, and its readiness probe does not pass",
    group: Group::Containers,
    reads: &[Kind::Pod, Kind::Event],
    wants: None,
    doc: r"## What it detects
A container that runs for longer than its readiness probe's budget (and a minute) and is not ready, and what
the probe was told: refused on a port that the program does not listen on, 404, 503, a command that is
not there or is a whole command line in one word, no answer in time; or that it asks another `host` than the pod, or by
its command a Service that has no ready endpoint, which is to blame then.

## Why it matters
A pod that is not ready gets no traffic from its Services, and a rollout waits for it. A readiness probe never
restarts the container, so this can stay for ever.

## Evidence
The event `Unhealthy` with what the probe was told, the log line or declaration with the right port.

## Look-alikes
A startup probe that has not passed yet: `startup-probe-fails`. A probe that kills the container:
`liveness-probe-fails`. Where the log's last lines say that something the program needs does not answer, that is
reported instead, for example `dependency-refused` or `dependency-name-unknown`. A Service that sends to another
port than the pods' while they are ready: `target-port-wrong`.

A pod that takes long to start is silent within its probe's budget (its delay and its failures), and for a
minute at least. A 503 is most often the truth: the probe is right, and the program is not ready.

## What it does not see
A pod that is ready now and then: what counts is the moment of the look. Readiness gates that
another controller sets: `readiness-gate-unmet`. Containers without a readiness probe. The probe is not tried from here: without an
`Unhealthy` event of this run it is only said that it does not pass, not what it was told.

## What to do
Correct the probe's port, path or scheme; where it tells the truth, read the log for what the program waits for:
`kubectl logs POD -c CONTAINER --tail=50`. Try the probe: `kubectl port-forward POD 8080:PORT` and
`curl -i localhost:8080/PATH`; a program that listens on localhost only answers there, and not to the kubelet. A
probe that needs longer: `timeoutSeconds` is 1 where it is not set.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    claimed(view, |fault| *fault == Fault::Readiness).iter().filter_map(|failing| finding(view, failing)).collect()
}

fn finding(view: &View<'_>, failing: &Failing<'_>) -> Option<Finding> {
    let container = &failing.container;
    let probe = of(container.spec, &Fault::Readiness)?;
    let told = explain(view, container, &Fault::Readiness);
    let summary = format!(
        "{} runs and is not ready: its readiness probe {} ({})",
        container.title(),
        told.text,
        numbers(probe).text()
    );
    let object = failing.pod();
    let mut finding = failing.finding(view, Stage::Ready, summary);
    if let Some(line) = &told.line
        && let Some(log) = view.snapshot.logs.iter().find(|log| log.pod == object && log.lines.contains(line))
    {
        finding = finding.log(log, line);
    }
    if !told.proven && told.culprit.is_none() {
        finding = failing.read_log(finding.unknown(UNANSWERED));
    }
    finding = describe(told.cite(finding, container, &Fault::Readiness), &object);
    Some(if told.proven { failing.edit(view, finding, "correct the readiness probe") } else { finding })
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::{check, check_unknown};

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {containers: [{name: app, image: 'shop/web:2', ports: [{containerPort: 8081}], readinessProbe: {PROBE}}]}
status:
  phase: Running
  conditions: [{type: Ready, status: 'False'}]
  containerStatuses:
  - {name: app, started: true, ready: false, restartCount: 0, state: {running: {startedAt: 'START'}}}
---
kind: Event
type: Warning
metadata: {name: e1, namespace: shop}
involvedObject: {kind: Pod, namespace: shop, name: web-1, fieldPath: 'spec.containers{app}'}
reason: Unhealthy
message: 'Readiness probe ANSWER'
lastTimestamp: '2026-01-01T11:59:58Z'
---
kind: Log
namespace: shop
pod: web-1
container: app
lines: ['LINE']
";
    const SAYS: &str = "critical Pod shop/web-1: container app runs and is not ready: its readiness probe ";

    fn pod(probe: &str, answer: &str, line: &str) -> String {
        POD.replace("{PROBE}", probe)
            .replace("ANSWER", answer)
            .replace("LINE", line)
            .replace("START", "2026-01-01T11:50:00Z")
    }

    #[test]
    fn wrong_port_path_or_command() {
        let refused = "failed: dial tcp 10.0.0.9:8080: connect: connection refused";
        check(
            &super::DETECTOR,
            &pod("{tcpSocket: {port: 8080}}", refused, "x"),
            &format!("{SAYS}asks port 8080, and the container declares port 8081 (3 × 10s)"),
        );
        check(
            &super::DETECTOR,
            &pod("{tcpSocket: {port: 8080}}", refused, "serving on 0.0.0.0:8000"),
            &format!("{SAYS}asks port 8080, and the program listens on port 8000 (its log says so) (3 × 10s)"),
        );
        let missing = r#"errored and resulted in unknown state: rpc error: code = Unknown desc = failed to exec in container: failed to start exec "3c1b": OCI runtime exec failed: exec failed: unable to start container process: exec: "pg_isready": executable file not found in $PATH: unknown"#;
        check(
            &super::DETECTOR,
            &pod("{exec: {command: [pg_isready]}}", missing, "x"),
            &format!("{SAYS}runs `pg_isready`, and `pg_isready` is not in image shop/web:2 (3 × 10s)"),
        );
    }

    #[test]
    fn another_host_than_the_pod() {
        let refused = "failed: dial tcp 127.0.0.1:8081: connect: connection refused";
        let asks = |host: &str| pod(&format!("{{tcpSocket: {{host: {host}, port: 8081}}}}"), refused, "x");
        let why = "leave tcpSocket.host out, then it asks the pod (3 × 10s)";
        let node = "which to the kubelet is the node, not the pod";
        check(&super::DETECTOR, &asks("127.0.0.1"), &format!("{SAYS}asks port 8081 of host 127.0.0.1, {node}: {why}"));
        check(
            &super::DETECTOR,
            &asks("web.shop"),
            &format!("{SAYS}asks port 8081 of host web.shop, which is not the pod: {why}"),
        );
        // With the node's network the node is the pod; and its own address is the pod.
        let nothing = format!("{SAYS}asks port 8081, where nothing listens (connection refused) (3 × 10s)");
        check(&super::DETECTOR, &asks("127.0.0.1").replace("spec: {", "spec: {hostNetwork: true, "), &nothing);
        check(&super::DETECTOR, &asks("10.0.0.9").replace("status:\n", "status:\n  podIP: 10.0.0.9\n"), &nothing);
    }

    #[test]
    fn a_command_that_asks_a_service() {
        let service = "
---
kind: Service
metadata: {name: db, namespace: shop}
spec: {clusterIP: 10.96.0.7, selector: {app: db}, ports: [{port: 5432}]}
---
kind: EndpointSlice
metadata: {name: db-1, namespace: shop, labels: {kubernetes.io/service-name: db}}
endpoints: []
";
        let asks = |command: &str| pod(&format!("{{exec: {{command: {command}}}}}"), "failed: ", "x") + service;
        let runs = format!("{SAYS}runs `nc -z db 5432`, which");
        let alone = "(3 × 10s)";
        check(
            &super::DETECTOR,
            &asks("[nc, -z, db, '5432']"),
            &format!("{runs} asks db:5432: Service db has no ready endpoint {alone} <- Service shop/db"),
        );
        let own = asks("[nc, -z, db, '5432']")
            .replace("name: web-1, namespace: shop}\nspec", "name: web-1, namespace: shop, labels: {app: db}}\nspec");
        check(
            &super::DETECTOR,
            &own,
            &format!("{runs} asks db:5432: its own Service db, which has no endpoint before it is ready {alone}"),
        );
        let script = "[sh, -c, 'wget -qO- http://search:9200/']";
        check(
            &super::DETECTOR,
            &asks(script),
            &format!(
                "{SAYS}runs `sh -c wget -qO- http://search:9200/`, which asks search:9200: Service search does not exist in namespace shop {alone} <- Service shop/search"
            ),
        );
        let well = asks("[nc, -z, db, '5432']").replace("endpoints: []", "endpoints: [{addresses: [10.0.0.1]}]");
        check(&super::DETECTOR, &well, &format!("{runs} fails without a word {alone}"));
        let told = asks("[sh, -c, 'echo asking db:5432; exit 1']");
        check(
            &super::DETECTOR,
            &told,
            &format!("{SAYS}runs `sh -c echo asking db:5432; exit 1`, which fails without a word {alone}"),
        );
    }

    #[test]
    fn a_command_line_in_one_word() {
        let errored = |said: &str| {
            format!(
                "errored and resulted in unknown state: rpc error: code = Unknown desc = failed to exec in container: failed to start exec \"3c1b\": OCI runtime exec failed: exec failed: unable to start container process: exec: \"cat /tmp/ready\": {said}: unknown"
            )
        };
        for said in ["stat cat /tmp/ready: no such file or directory", "executable file not found in $PATH"] {
            check(
                &super::DETECTOR,
                &pod("{exec: {command: [cat /tmp/ready]}}", &errored(said), "x"),
                &format!(
                    "{SAYS}runs `cat /tmp/ready`, which is one word and so taken for the name of a program: split it into a list of words, or let a shell run it (sh, -c) (3 × 10s)"
                ),
            );
        }
        // One that ran is there, blanks or not.
        check(
            &super::DETECTOR,
            &pod("{exec: {command: [/opt/my app/ready]}}", "failed: not yet", "x"),
            &format!("{SAYS}runs `/opt/my app/ready`, which fails: not yet (3 × 10s)"),
        );
    }

    #[test]
    fn the_probe_tells_the_truth() {
        check(
            &super::DETECTOR,
            &pod(
                "{httpGet: {path: /ready, port: 8081}, initialDelaySeconds: 5}",
                "failed: HTTP probe failed with statuscode: 503",
                "warming",
            ),
            &format!("{SAYS}asks GET /ready on port 8081 and is answered 503 (3 × 10s, first after 5s)"),
        );
    }

    #[test]
    fn what_the_probe_does_not_tell_stays_open() {
        let refused = "failed: dial tcp 10.0.0.9:8081: connect: connection refused";
        let asks = |line: &str| pod("{tcpSocket: {port: 8081}}", refused, line);
        check_unknown(&super::DETECTOR, &asks("x"), super::UNANSWERED);
        let here = "what tells it to listen there: its arguments, a variable or a file";
        check_unknown(&super::DETECTOR, &asks("HTTP server listening on 127.0.0.1:8081"), here);
        check_unknown(&super::DETECTOR, &asks("serving on 0.0.0.0:8000"), "");
    }

    #[test]
    fn a_dependency_is_deeper_and_a_young_pod_is_silent() {
        let unready = pod(
            "{httpGet: {path: /ready, port: 8081}}",
            "failed: HTTP probe failed with statuscode: 503",
            "ERROR db:5432: connection refused",
        );
        check(&super::DETECTOR, &unready, "");
        check(
            &super::DETECTOR,
            &unready.replace("ERROR db:5432: connection refused", "x").replace("T11:50:00Z", "T11:59:30Z"),
            "",
        );
    }
}
