//! Init containers that don't end.

use crate::detect::addresses::in_command;
use crate::detect::logs::service::{
    Standing, Target, callee, followed, instead, resolve, targets, told_by_call, verdict,
};
use crate::detect::logs::{Failing, Fault, claimed, short};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "init-container-waits",
    summary: "Init container waits and does not end",
    group: Group::Containers,
    reads: &[Kind::Pod, Kind::Service],
    wants: None,
    doc: r"## What it detects
An init container that runs for more than a minute and says that it waits (in its log, or by its command:
`until nc -z db 5432`), or runs for more than ten minutes. Where the line or the command names a Service, it is judged:
whether it exists, has the port, has ready endpoints.

## Why it matters
The pod's containers start only after the last init container has ended: the pod stays in `Init:0/1`.

## Evidence
The last line of its log, its command, and the Service with its endpoints.

## Look-alikes
A long migration or download is work: without a word of waiting it is silent for ten minutes, and reported
after. An init container that ends badly and is restarted is `container-exits` or the detector of its error. A
wrong name in its configuration is `call-to-unknown-service`; a Service without pods is also
`service-no-endpoints`.

## What it does not see
What it waits for where neither log nor command name it: then only its last line or its command is quoted. Hosts
outside the cluster are named, not asked. A wait in the first minute is silent. Loops that print nothing and
whose command does not show the wait (a script in the image) count only after ten minutes.

## What to do
`kubectl logs POD -c CONTAINER` shows what it says. Bring up what it waits for, or correct the name. Where the
dependency is optional, take the wait out: the program should bear its absence.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    claimed(view, |fault| *fault == Fault::Waits).iter().filter_map(|failing| finding(view, failing)).collect()
}

fn finding(view: &View<'_>, failing: &Failing<'_>) -> Option<Finding> {
    let (spec, own, object) = (failing.container.spec, failing.namespace(), failing.pod());
    let command = spec.command.iter().chain(spec.args.iter()).map(String::as_str).collect::<Vec<_>>().join(" ");
    let said = failing
        .line()
        .map(|line| {
            targets(line).into_iter().map(|target| (resolve(view, own, &target.host), target)).collect::<Vec<_>>()
        })
        .unwrap_or_default();
    // `waiting for migrations`: a word alone is a name only where the command asks for it.
    let asked: Vec<_> = command.lines().flat_map(in_command).map(|named| named.host).collect();
    let known = |target: &Target| target.port.is_some() || target.host.contains('.') || asked.contains(&target.host);
    let ranked = said
        .into_iter()
        .filter(|(standing, target)| !matches!(standing, Standing::Missing { .. }) || known(target))
        .find(|(standing, _)| matches!(standing, Standing::Service(_) | Standing::Missing { .. }))
        .map(|(standing, target)| (target, standing));
    let found: Option<(Target, Standing<'_>)> = ranked.or_else(|| callee(view, failing)).or_else(|| {
        let named = targets(&command).into_iter().map(|target| (resolve(view, own, &target.host), target));
        named
            .map(|(standing, target)| (target, standing))
            .find(|(_, standing)| matches!(standing, Standing::Service(_)))
    });
    let found = found.map(|(target, standing)| (target, followed(view, standing)));
    let sound = matches!(&found, Some((target, Standing::Service(service))) if target.port.is_none_or(|port| crate::detect::logs::service::has_port(service, port)));
    if !sound && told_by_call(view, failing, found.as_ref().map(|(target, _)| target)) {
        return None;
    }
    let (why, culprit) = match &found {
        Some((target, Standing::Service(service))) => {
            let (why, blamed) = verdict(view, service, own, target.port);
            (format!("waits for {}: {why}", target.text()), blamed.then(|| service.object_ref()))
        }
        Some((target, Standing::Missing { name, namespace })) => {
            let hint = instead(view, name, namespace).map(|hint| format!("; {hint}")).unwrap_or_default();
            (
                format!("waits for {}: Service {name} does not exist in namespace {namespace}{hint}", target.text()),
                Some(ObjectRef::new(Kind::Service, namespace, name)),
            )
        }
        Some((target, _)) => (format!("waits for {}", target.text()), None),
        None if !failing.around.is_empty() => (format!("does not end; it says: {}", short(&failing.around, 120)), None),
        None => (format!("does not end; it runs `{}`", short(&command, 100)), None),
    };
    let summary = format!("{} {why}; the pod can't start before it ends (PodInitializing)", failing.container.title());
    let mut finding = failing.finding(view, Stage::Start, summary);
    if failing.line().is_none() {
        finding = finding.field(&object, failing.container.spec_path("command"), &command);
    }
    let finding = match culprit {
        Some(culprit) => finding.culprit(culprit),
        None => finding.unknown("what it waits for exactly: its log and command decide"),
    };
    Some(failing.read_log(finding))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {containers: [{name: app}], initContainers: [{name: wait, command: [sh, -c, 'COMMAND']}]}
status:
  phase: Pending
  initContainerStatuses: [{name: wait, started: true, ready: false, state: {running: {startedAt: 'START'}}}]
  containerStatuses: [{name: app, ready: false, state: {waiting: {reason: PodInitializing}}}]
---
kind: Service
metadata: {name: db, namespace: shop}
spec: {clusterIP: 10.96.0.7, selector: {app: db}, ports: [{port: 5432}]}
---
kind: Log
namespace: shop
pod: web-1
container: wait
lines: ['LINE']
";

    fn pod(command: &str, line: &str, start: &str) -> String {
        POD.replace("COMMAND", command).replace("['LINE']", line).replace("START", start)
    }

    #[test]
    fn a_service_without_endpoints() {
        let says = "critical Pod shop/web-1: init container wait waits for db:5432: Service db has no ready endpoint; the pod can't start before it ends (PodInitializing) <- Service shop/db";
        check(&super::DETECTOR, &pod("wait", "['[3] waiting for db:5432']", "2026-01-01T11:50:00Z"), says);
        check(&super::DETECTOR, &pod("until nc -z db:5432; do sleep 2; done", "[]", "2026-01-01T11:50:00Z"), says);
    }

    #[test]
    fn a_service_that_does_not_exist() {
        check(
            &super::DETECTOR,
            &pod("wait", "['waiting for service search:9200 ...']", "2026-01-01T11:50:00Z"),
            "critical Pod shop/web-1: init container wait waits for search:9200: Service search does not exist in namespace shop; the pod can't start before it ends (PodInitializing) <- Service shop/search",
        );
    }

    #[test]
    fn a_word_is_no_name() {
        check(
            &super::DETECTOR,
            &pod("wait", "['waiting for migrations to finish']", "2026-01-01T11:50:00Z"),
            "critical Pod shop/web-1: init container wait does not end; it says: waiting for migrations to finish; the pod can't start before it ends (PodInitializing)",
        );
    }

    #[test]
    fn work_and_a_young_one_are_silent() {
        check(&super::DETECTOR, &pod("migrate", "['applying migration 17']", "2026-01-01T11:55:00Z"), "");
        check(&super::DETECTOR, &pod("wait", "['waiting for db:5432']", "2026-01-01T11:59:30Z"), "");
        check(
            &super::DETECTOR,
            &pod("migrate", "['applying migration 17']", "2026-01-01T11:45:00Z"),
            "critical Pod shop/web-1: init container wait does not end; it says: applying migration 17; the pod can't start before it ends (PodInitializing)",
        );
    }
}
