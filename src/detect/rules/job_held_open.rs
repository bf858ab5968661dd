//! Jobs that are done and do not end, since a second container runs on.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "job-held-open",
    summary: "Job never completes: its work is done and a second container runs on",
    group: Group::Workloads,
    reads: &[Kind::Job, Kind::Pod],
    wants: None,
    doc: r"## What it detects
A Job's pod of which a container ended well (`Completed`) while another one, an ordinary container, runs on. That one
counts as a companion that does not end by itself where it serves (it declares ports or probes) or where its command
runs for ever (`while true`, `tail -f`, `sleep infinity`): then a minute after the end; with another image than the one
that ended after three minutes; else after ten.

## Why it matters
A pod ends when all its containers have ended. The Job stays active, what waits for it goes on waiting, and a CronJob
with `concurrencyPolicy: Forbid` starts no further run.

## Evidence
The state of both containers, and what tells that the second one does not end by itself.

## Look-alikes
Several workers in one pod end one after the other: with the same image and neither ports nor probes they have ten
minutes. A sidecar among `initContainers` with `restartPolicy: Always` is ended by the kubelet once the others are done:
that is the right way. A container that ended badly is `container-exits`; a single one that hangs shows at its CronJob
as `cron-job-blocked`.

## What it does not see
Whether the container that runs on still has something to do; its log is not read. Pods that no Job made. A program in
the image that runs for ever, where neither ports, probes nor command tell, counts only after a while.

## What to do
Make the second container a native sidecar: move it from `containers` to `initContainers` and give it
`restartPolicy: Always` (Kubernetes 1.29 and later). A Job's template can't be changed: delete the Job and make it again;
a CronJob's `jobTemplate` can. Before 1.29 the second container must end by itself when the first one has.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let pods = view.all::<Pod>().iter().filter(|pod| pod.status.phase == "Running" && !pod.metadata.deleting());
    pods.filter(|pod| pod.metadata.controller().is_some_and(|owner| owner.kind == "Job"))
        .filter_map(|pod| finding(view, pod))
        .collect()
}

/// Why a container is taken for one that does not end by itself, and how long the other must have been done.
fn companion(container: &Running<'_>, done: &Running<'_>) -> (i64, &'static str, String) {
    let spec = container.spec;
    let ports: Vec<String> = spec.ports.iter().map(|port| port.container_port.to_string()).collect();
    if !ports.is_empty() {
        return (SETTLED, "ports", format!("it serves port {}", list(&ports)));
    }
    if spec.readiness_probe.is_some() || spec.liveness_probe.is_some() || spec.startup_probe.is_some() {
        return (SETTLED, "name", "it has probes, as what serves has".to_owned());
    }
    if let Some(words) = endless(spec) {
        return (SETTLED, "command", format!("its command runs for ever (`{words}`)"));
    }
    let minutes = if spec.image == done.spec.image { 10 } else { 3 };
    (minutes * SETTLED, "image", format!("it runs on for more than {minutes} min"))
}

/// The words of a command that tell that it never ends.
fn endless(spec: &Container) -> Option<&'static str> {
    const WORDS: &[&str] = &[
        "while true",
        "while :",
        "while [ 1 ]",
        "while 1",
        "until false",
        "for (;;)",
        "tail -f",
        "tail -F",
        "sleep infinity",
    ];
    let command: Vec<&str> =
        spec.command.iter().chain(spec.args.iter()).flat_map(|word| word.split_whitespace()).collect();
    let command = command.join(" ");
    // What follows the loop is the rest of the program only where the loop can be left.
    let left = ["break", "exit", "kill", "return"].iter().any(|word| command.contains(word));
    WORDS.iter().copied().find(|words| command.contains(words)).filter(|_| !left)
}

fn finding(view: &View<'_>, pod: &Pod) -> Option<Finding> {
    let main = |container: &Running<'_>| pod.spec.containers.iter().any(|spec| std::ptr::eq(spec, container.spec));
    let all: Vec<Running<'_>> = containers(pod).filter(main).collect();
    let ended = |container: &Running<'_>| {
        let end = container.status.state.terminated.as_ref().filter(|end| end.exit_code == 0);
        end.map(|end| *end.finished_at)
    };
    if all.iter().any(|container| ended(container).is_none() && container.status.state.running.is_none()) {
        return None;
    }
    let done = all.iter().filter(|c| ended(c).is_some()).max_by_key(|c| ended(c).flatten())?;
    let since = ended(done).flatten();
    let age = view.age(since)?;
    let rest: Vec<&Running<'_>> = all.iter().filter(|container| container.status.state.running.is_some()).collect();
    let why: Vec<_> = rest.iter().map(|container| companion(container, done)).collect();
    let (_, field, reason) = why.iter().max_by_key(|(patience, ..)| *patience)?.clone();
    // Each of those that run must be one that does not end by itself.
    if why.iter().any(|(patience, ..)| age < *patience) {
        return None;
    }
    let (first, object) = (*rest.first()?, pod.object_ref());
    let names: Vec<String> = rest.iter().map(|container| container.spec.name.clone()).collect();
    let job = pod.metadata.controller().map(|owner| owner.name.as_str()).unwrap_or_default();
    let summary = format!(
        "Job {job} does not complete: container {} ended (Completed) {}, and {} keeps the pod running: {reason}; make it a native sidecar (initContainers with restartPolicy: Always)",
        done.spec.name,
        since.map(|time| format!("at {time}")).unwrap_or_default(),
        if names.len() == 1 { format!("container {}", list(&names)) } else { format!("containers {}", list(&names)) },
    );
    let quote = match field {
        "ports" => first.spec.ports.first().map(|port| port.container_port.to_string()).unwrap_or_default(),
        "command" => {
            first.spec.command.iter().chain(first.spec.args.iter()).map(String::as_str).collect::<Vec<_>>().join(" ")
        }
        "image" => first.spec.image.clone(),
        _ => first.spec.name.clone(),
    };
    let begun = first.status.state.running.as_ref().and_then(|running| *running.started_at);
    let finding = Finding::new(object.clone(), Severity::Warning, Stage::Ready, summary)
        .key(&first.spec.name)
        .since(since)
        .field(&object, done.path("state.terminated.reason"), "Completed")
        .field(&object, first.path("state.running.startedAt"), begun.map(|time| time.to_string()).unwrap_or_default())
        .field(&object, first.spec_path(field), quote);
    let finding = if field == "image" {
        finding.unknown(format!("whether container {} still has something to do", first.spec.name))
    } else {
        finding
    };
    Some(finding.look("see what it still does", &object, &["logs", &object.name, "-c", &first.spec.name, "--tail=20"]))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: report-a, namespace: shop, ownerReferences: [{kind: Job, apiVersion: batch/v1, name: report, controller: true}]}
spec: {restartPolicy: Never, containers: [{name: main, image: report}, {name: proxy, image: IMAGE, MORE}]}
status:
  phase: Running
  containerStatuses:
  - {name: main, state: {terminated: {reason: Completed, exitCode: 0, finishedAt: '2026-01-01T11:ENDED:00Z'}}}
  - {name: proxy, ready: true, state: {running: {startedAt: '2026-01-01T11:00:00Z'}}}
";

    fn pod(image: &str, more: &str, ended: &str) -> String {
        POD.replace("IMAGE", image).replace("MORE", more).replace("ENDED", ended)
    }

    fn says(ended: &str, why: &str) -> String {
        format!(
            "warning Pod shop/report-a: Job report does not complete: container main ended (Completed) at 2026-01-01T11:{ended}:00Z, and container proxy keeps the pod running: {why}; make it a native sidecar (initContainers with restartPolicy: Always)"
        )
    }

    #[test]
    fn one_that_serves_or_runs_for_ever() {
        let ports = "ports: [{containerPort: 15001}]";
        check(&super::DETECTOR, &pod("proxy", ports, "58"), &says("58", "it serves port 15001"));
        let probe = "readinessProbe: {tcpSocket: {port: 80}}";
        check(&super::DETECTOR, &pod("report", probe, "58"), &says("58", "it has probes, as what serves has"));
        let ships = "command: [sh, -c, 'while true; do sleep 5; done']";
        let why = "its command runs for ever (`while true`)";
        check(&super::DETECTOR, &pod("report", ships, "58"), &says("58", why));
    }

    #[test]
    fn one_of_which_nothing_tells_has_time() {
        check(&super::DETECTOR, &pod("report", "args: [part-2]", "52"), "");
        let long = says("45", "it runs on for more than 10 min");
        check(&super::DETECTOR, &pod("report", "args: [part-2]", "45"), &long);
        check(&super::DETECTOR, &pod("proxy", "args: [run]", "58"), "");
        check(&super::DETECTOR, &pod("proxy", "args: [run]", "55"), &says("55", "it runs on for more than 3 min"));
        let left = "command: [sh, -c, 'while true; do test -e /done && break; done']";
        check(&super::DETECTOR, &pod("report", left, "52"), "");
    }

    #[test]
    fn a_native_sidecar_a_bad_end_or_no_job() {
        let ports = "ports: [{containerPort: 15001}]";
        let yaml = pod("proxy", ports, "50");
        let native = yaml
            .replace(
                "containers: [{name: main, image: report}, {name: proxy,",
                "containers: [{name: main, image: report}], initContainers: [{name: proxy, restartPolicy: Always,",
            )
            .replace("  - {name: proxy, ready", "  initContainerStatuses:\n  - {name: proxy, ready");
        check(&super::DETECTOR, &native, "");
        check(&super::DETECTOR, &yaml.replace("exitCode: 0", "exitCode: 2"), "");
        check(&super::DETECTOR, &yaml.replace("kind: Job", "kind: Robot"), "");
        check(&super::DETECTOR, &pod("proxy", ports, "59").replace("59:00", "59:30"), "");
    }
}
