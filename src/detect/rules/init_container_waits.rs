//! Init containers that don't end.

use crate::detect::addresses::in_command;
use crate::detect::logs::service::{
    Standing, Target, callee, followed, instead, resolve, targets, told_by_call, verdict,
};
use crate::detect::logs::{Failing, Fault, bare, claimed, short};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "init-container-waits",
    summary: "Init container waits and does not end",
    group: Group::Containers,
    reads: &[Kind::Pod, Kind::Service],
    wants: None,
    doc: r"## What it detects
An init container that runs for more than a minute and says that it waits: the end of its log repeats it, or its
command names what it waits for (`until nc -z db 5432`). One that says so once, or only by a word, is given five
minutes, any other ten. Where the line or the command names a Service, it is judged: whether it exists, has the port,
has ready endpoints.

## Why it matters
The pod's containers start only after the last init container has ended: the pod stays in `Init:0/1`.

## Evidence
The last line of its log, its command, and the Service with its endpoints.

## Look-alikes
A long migration or download is work: where the last lines differ from each other and do not say that it waits, it
is silent for half an hour; where nothing tells, for ten minutes. An init container that ends badly and is restarted is `container-exits` or the detector of its error. A
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
    let pace = pace(view, failing);
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
    // What does not exist does not come up by waiting, as what only starts does.
    let absent = matches!(&found, Some((_, Standing::Missing { .. })));
    let named = absent || matches!(&found, Some((_, Standing::Service(_))));
    let patience = if absent && pace == Pace::Waits { SETTLED / 4 } else { patience(pace, named) };
    if runs_for(view, failing) < patience {
        return None;
    }
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

/// What the end of a log tells of what its container does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// It says again and again that it waits.
    Waits,
    /// Its lines go on: something is done.
    Works,
    /// Neither.
    Unclear,
}

/// How many of the last lines tell what a container does.
const LAST: usize = 12;

fn pace(view: &View<'_>, failing: &Failing<'_>) -> Pace {
    let log = view.snapshot.log(&failing.pod(), &failing.container.spec.name, false);
    let lines = log.map(|log| log.lines.as_slice()).unwrap_or_default();
    let spoken: Vec<String> = lines.iter().filter(|line| !line.trim().is_empty()).map(|line| bare(line)).collect();
    let last = spoken.get(spoken.len().saturating_sub(LAST)..).unwrap_or_default();
    let waits = last.iter().filter(|line| says_that_it_waits(line)).count();
    let others = last.iter().filter(|line| !says_that_it_waits(line) && !sounds_bad(line));
    let steps = others.clone().collect::<std::collections::BTreeSet<_>>().len();
    let again = |line: &String| last.iter().filter(|other| shape(other) == shape(line)).count() > 1;
    let repeats = last.iter().rev().take(3).any(|line| says_that_it_waits(line) && again(line));
    let same = last.last().is_some_and(|line| last.iter().filter(|other| *other == line).count() >= 3);
    if steps >= 3 && others.count() >= waits {
        return Pace::Works;
    }
    if repeats || same || last.last().is_some_and(|line| says_that_it_waits(line)) {
        return Pace::Waits;
    }
    Pace::Unclear
}

/// A line without its counters.
fn shape(line: &str) -> String {
    line.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }).collect()
}

fn says_that_it_waits(line: &str) -> bool {
    const WORDS: &[&str] = &[
        "waiting",
        "wait for",
        "waits for",
        "not ready",
        "not yet",
        "not available",
        "not reachable",
        "not found",
        "not up",
        "unavailable",
        "unreachable",
        "still no",
        "retrying",
        "sleeping",
        "attempt",
        "not exist",
    ];
    let lower = line.to_lowercase();
    WORDS.iter().any(|word| lower.contains(word))
}

/// Whether a line tells of what did not go well: it is no step of a work.
fn sounds_bad(line: &str) -> bool {
    const WORDS: &[&str] = &[
        "fail",
        "refused",
        "error",
        "timed out",
        "timeout",
        "cannot",
        "can't",
        "could not",
        "unable",
        " no ",
        " down ",
    ];
    let lower = format!(" {} ", line.to_lowercase());
    WORDS.iter().any(|word| lower.contains(word))
}

fn runs_for(view: &View<'_>, failing: &Failing<'_>) -> i64 {
    let running = failing.container.status.state.running.as_ref();
    running.and_then(|running| view.age(*running.started_at)).unwrap_or_default()
}

/// How long it may run before it counts as stuck; `named` where an object shows what it waits for.
fn patience(pace: Pace, named: bool) -> i64 {
    match pace {
        Pace::Works => 30 * SETTLED,
        Pace::Unclear if !named => 5 * SETTLED,
        Pace::Waits | Pace::Unclear => SETTLED,
    }
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
    fn a_service_that_is_absent_is_not_waited_for_long() {
        let says = "critical Pod shop/web-1: init container wait waits for cache:6379: Service cache does not exist in namespace shop; the pod can't start before it ends (PodInitializing) <- Service shop/cache";
        let log = "['[1] waiting for cache:6379', '[2] waiting for cache:6379', '[3] waiting for cache:6379']";
        check(&super::DETECTOR, &pod("wait", log, "2026-01-01T11:59:40Z"), says);
        check(&super::DETECTOR, &pod("wait", &log.replace("cache:6379", "db:5432"), "2026-01-01T11:59:40Z"), "");
        check(&super::DETECTOR, &pod("wait", log, "2026-01-01T11:59:50Z"), "");
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
    fn work_that_speaks_of_waiting_is_work() {
        let steps = "['batch 12 of 300 copied', 'waiting 1 s before the next', 'batch 13 of 300 copied', 'waiting 1 s before the next', 'batch 14 of 300 copied', 'waiting 1 s before the next']";
        check(&super::DETECTOR, &pod("copy", steps, "2026-01-01T11:58:14Z"), "");
        check(&super::DETECTOR, &pod("copy", steps, "2026-01-01T11:45:00Z"), "");
        let quiet = "until [ -s /data/index ]; do make-a-part; done";
        check(&super::DETECTOR, &pod(quiet, "[]", "2026-01-01T11:58:14Z"), "");
    }

    #[test]
    fn a_counter_is_no_progress() {
        let again = "['[1] waiting for the schema', '[2] waiting for the schema', '[3] waiting for the schema']";
        check(
            &super::DETECTOR,
            &pod("wait", again, "2026-01-01T11:58:14Z"),
            "critical Pod shop/web-1: init container wait does not end; it says: [3] waiting for the schema; the pod can't start before it ends (PodInitializing)",
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
