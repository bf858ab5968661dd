//! What a container that is ready complains of: a controller that may not read does nothing, and is ready all the same.
//!
//! *Invariant:* a line alone proves nothing here, and neither does one that stands alone: it counts when it comes again
//! and again until now. At most [`MOST`] logs are asked for: those of the newest pods.

use super::class::{Class, classify};
use super::line::read;
use crate::detect::prelude::*;

/// How many logs of workloads that are well are read.
pub(super) const MOST: usize = 20;
/// How many of the last lines count.
const LINES: usize = 30;
/// How often a complaint must come.
const OFTEN: usize = 3;
/// How near to the end the last one must be.
const LATE: usize = 6;

/// The log of a container that has been ready for a while.
pub(super) fn log_of<'a>(view: &View<'a>, container: &Running<'_>) -> Option<&'a LogTail> {
    let started = container.status.state.running.as_ref()?.started_at;
    let settled = container.status.ready && !container.init && view.age(*started).is_some_and(|age| age >= SETTLED);
    view.snapshot.log(&container.pod.object_ref(), &container.spec.name, false).filter(|_| settled)
}

/// Whether a log of the pod was read.
pub(super) fn heard(view: &View<'_>, pod: &Pod) -> bool {
    let own = |log: &LogTail| *log.pod.name == *pod.metadata.name && log.pod.ns() == pod.metadata.namespace;
    view.snapshot.logs.iter().any(own)
}

/// What the last lines say again and again, with the last line that says it.
pub(super) fn repeated(lines: &[String]) -> Option<(Class, &str)> {
    let spoken: Vec<&String> = lines.iter().filter(|line| !line.trim().is_empty()).collect();
    let last = spoken.get(spoken.len().saturating_sub(LINES)..)?;
    let all: Vec<(usize, Class)> = last
        .iter()
        .rev()
        .enumerate()
        .filter_map(|(at, line)| Some((at, classify(&read(line).0).filter(lacks)?)))
        .collect();
    let (at, class) = all
        .iter()
        .find(|(at, class)| *at < LATE && all.iter().filter(|(_, other)| alike(class, other)).count() >= OFTEN)?;
    Some((class.clone(), last.iter().rev().nth(*at)?.as_str()))
}

/// Whether it is about something that the objects can confirm.
fn lacks(class: &Class) -> bool {
    matches!(class, Class::Forbidden(_) | Class::UnknownHost(_) | Class::Unreachable(_))
}

fn alike(one: &Class, other: &Class) -> bool {
    match (one, other) {
        (Class::Unreachable(_), Class::Unreachable(_)) => true,
        _ => one == other,
    }
}

/// The logs of workloads that are well, the newest first, one pod of each.
pub(super) fn wanted(view: &View<'_>) -> Vec<Want> {
    let own = view.snapshot.scope.namespace.as_deref();
    let looked_at = |pod: &&Pod| {
        let system = pod.metadata.namespace.starts_with("kube-");
        own.map_or(!system, |own| own == pod.metadata.namespace) && pod.ready() && !pod.metadata.deleting()
    };
    let mut pods: Vec<&Pod> = view.all::<Pod>().iter().filter(looked_at).collect();
    pods.sort_by_key(|pod| std::cmp::Reverse(*pod.metadata.creation_timestamp));
    let mut seen = std::collections::HashSet::new();
    pods.retain(|pod| seen.len() < MOST && seen.insert(view.workload_of(pod)));
    let logs = pods.into_iter().flat_map(|pod| {
        containers(pod).filter(|container| !container.init).map(|container| Want::Log {
            pod: pod.object_ref(),
            container: container.spec.name.clone(),
            previous: false,
        })
    });
    logs.take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::{Class, repeated};

    fn said(lines: &[&str]) -> Option<Class> {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        repeated(&lines).map(|(class, _)| class)
    }

    #[test]
    fn again_and_again_until_now() {
        let refused = "ERROR connect to db:5432: connection refused";
        let tick = "INFO tick";
        assert_eq!(said(&[refused, tick, refused, tick, refused, tick]), Some(Class::Unreachable(false)));
        assert_eq!(said(&[refused, refused]), None, "a start may have to try twice");
        assert_eq!(said(&[&[refused; 5][..], &[tick; 9][..]].concat()), None, "that was long ago");
        let denied = |resource: &str| {
            format!(
                "E1125 reflector.go:1] {resource} is forbidden: User \"system:serviceaccount:shop:web\" cannot list resource \"{resource}\" in API group \"\" in the namespace \"shop\""
            )
        };
        let (pods, nodes, maps) = (denied("pods"), denied("services"), denied("configmaps"));
        assert_eq!(said(&[&pods, &nodes, &maps]), None, "three things once each");
        assert!(
            matches!(said(&[&pods, &nodes, &pods, &nodes, &pods]), Some(Class::Forbidden(denial)) if denial.resource == "pods")
        );
        assert_eq!(said(&["FATAL: out of memory"; 5]), None, "no object can confirm it");
    }
}
