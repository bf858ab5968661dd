//! Containers that can't listen because their port is taken.

use crate::detect::logs::probe::listening;
use crate::detect::logs::{Class, Failing, Fault, said};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "port-in-use",
    summary: "Program fails because another one listens on its port",
    group: Group::Containers,
    reads: &[Kind::Pod],
    wants: None,
    doc: r"## What it detects
A container that fails with `address already in use`: the containers of a pod share one network, so
two of them can't listen on the same port; with `hostNetwork` neither can two pods of a node.

## Why it matters
One of the two never starts, and which one is chance: it can be the application or its sidecar, and change with
a restart.

## Evidence
The line of the log, and the other container that declares the port, or says in its log that it listens there.

## Look-alikes
A pod that waits for a node because its `hostPort` is taken: `host-port-taken`. A port below 1024 that the
program may not open says `permission denied`: not this.

A program that starts twice within one container, or whose parent process has the port already, shows alike;
then no other container is named. Where the line does not name the port, the one that both containers declare,
or that this one's command, environment or log names, is taken to be meant.

## What it does not see
Which process has a port of the node (`hostNetwork`): other pods of the node and its own programs are not
searched. A container that logs this and gets ready all the same. `containerPort` is only a declaration: a
container that listens without declaring it is found only by its log. Of each log the last 200 lines are read.

## What to do
Give one of them another port, by its configuration: `containerPort` is only a declaration. See what listens:
`kubectl exec POD -c OTHER -- ss -ltn`, or where the image has no such tool
`kubectl debug -it POD --image=busybox -- netstat -ltn`, which shares the pod's network. With hostNetwork use
`ss -ltnp` on the node.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    said(view, |class| matches!(class, Class::PortInUse(_))).iter().map(|failing| finding(view, failing)).collect()
}

fn finding(view: &View<'_>, failing: &Failing<'_>) -> Finding {
    let (pod, spec, object) = (failing.container.pod, failing.container.spec, failing.pod());
    let said = match &failing.fault {
        Fault::Said(Class::PortInUse(port)) => *port,
        _ => None,
    };
    let declares = |container: &Container, port: u16| {
        container.ports.iter().any(|declared| declared.container_port == i64::from(port))
    };
    let others = || {
        pod.spec.all_containers().filter(|other| {
            other.name != spec.name
                && (other.restart_policy == "Always"
                    || pod.spec.containers.iter().any(|main| std::ptr::eq(main, *other)))
        })
    };
    // The line may not name the port: the one that another container declares and that this one
    // declares too, or names in its command or log, is meant.
    let port = said.or_else(|| {
        others()
            .flat_map(|other| &other.ports)
            .filter_map(|port| u16::try_from(port.container_port).ok())
            .find(|port| declares(spec, *port) || names(view, failing, *port))
    });
    let heard = |other: &Container, port: u16| {
        let log = view.snapshot.log(&object, &other.name, false);
        log.is_some_and(|log| log.lines.iter().any(|line| listening(line).is_some_and(|(_, at)| at == port)))
    };
    let other = port.and_then(|port| others().find(|other| declares(other, port) || heard(other, port)));
    let what = port.map_or_else(|| "its port".to_owned(), |port| format!("port {port}"));
    let why = match other {
        Some(other) => format!("container {} of the same pod listens on it", other.name),
        None if pod.spec.host_network => {
            "with hostNetwork it is the node's port, which something there has taken".to_owned()
        }
        None if others().next().is_some() => {
            "another container of the pod, or the program itself a second time, listens on it".to_owned()
        }
        None => "the program listens on it twice".to_owned(),
    };
    let mut finding = failing.finding(
        view,
        Stage::Start,
        format!("{}: {what} is already in use (address already in use): {why}", failing.happens()),
    );
    if let (Some(other), Some(port)) = (other, port) {
        finding =
            finding.field(&object, format!("spec.containers[{}].ports", other.name), format!("containerPort: {port}"));
    }
    failing.edit(view, failing.read_log(finding), "give one of them another port")
}

/// Whether a container's command or log has this port as a word of its own.
fn names(view: &View<'_>, failing: &Failing<'_>, port: u16) -> bool {
    let (spec, object, port) = (failing.container.spec, failing.pod(), port.to_string());
    let has = |text: &str| text.split(|c: char| !c.is_ascii_digit() && c != '.').any(|word| word == port);
    let logs = [false, true].map(|previous| view.snapshot.log(&object, &spec.name, previous));
    let said = logs.into_iter().flatten().flat_map(|log| &log.lines).any(|line| has(line));
    said || spec.command.iter().chain(&spec.args).any(|word| has(word))
        || spec.env.iter().filter_map(|env| env.value.as_deref()).any(has)
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {containers: [{name: app, ports: [{containerPort: 8080}]}, {name: side, ports: [{containerPort: 8080}]}]}
status:
  phase: Running
  containerStatuses:
  - {name: app, ready: true, state: {running: {startedAt: '2026-01-01T11:00:00Z'}}}
  - {name: side, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {reason: Error, exitCode: 1, finishedAt: '2026-01-01T11:59:00Z'}}}
---
kind: Log
namespace: shop
pod: web-1
container: side
lines: ['LINE']
";

    #[test]
    fn two_containers() {
        let says = "critical Pod shop/web-1: container side exits 1: port 8080 is already in use (address already in use): container app of the same pod listens on it";
        check(&super::DETECTOR, &POD.replace("LINE", "httpd: bind: Address already in use"), says);
        check(&super::DETECTOR, &POD.replace("LINE", "Error: listen EADDRINUSE: address already in use :::8080"), says);
    }

    #[test]
    fn a_port_that_only_the_other_declares() {
        let says = "critical Pod shop/web-1: container side exits 1: port 8080 is already in use (address already in use): container app of the same pod listens on it";
        let yaml = POD.replace("LINE", "httpd: bind: Address already in use");
        let by_command = "{name: side, args: ['--listen=:8080']}";
        check(&super::DETECTOR, &yaml.replace("{name: side, ports: [{containerPort: 8080}]}", by_command), says);
        check(
            &super::DETECTOR,
            &yaml.replace("{name: side, ports: [{containerPort: 8080}]}", "{name: side, args: ['--listen=:18080']}"),
            "critical Pod shop/web-1: container side exits 1: its port is already in use (address already in use): another container of the pod, or the program itself a second time, listens on it",
        );
    }

    #[test]
    fn another_port() {
        check(
            &super::DETECTOR,
            &POD.replace("LINE", "listen tcp :9090: bind: address already in use"),
            "critical Pod shop/web-1: container side exits 1: port 9090 is already in use (address already in use): another container of the pod, or the program itself a second time, listens on it",
        );
    }

    #[test]
    fn another_error() {
        check(&super::DETECTOR, &POD.replace("LINE", "cannot use address 8080"), "");
    }
}
