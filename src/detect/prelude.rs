//! What detector files begin with: `use crate::detect::prelude::*;`.
//!
//! *Invariant:* helpers here are pure and say something about objects that more than one detector
//! needs; what one detector needs stays in its file.

pub use super::{Detector, Group};
pub use crate::graph::{Edge, Existence, View};
pub use crate::model::kinds::*;
pub use crate::model::meta::condition;
pub use crate::model::{
    Condition, Finding, Kind, List, LogTail, Map, Meta, ObjectRef, Quantity, Resource, Selector, Severity, Stage, Time,
    Want,
};

/// Seconds after which a start counts as late: shorter is "starting", and no finding.
pub const SETTLED: i64 = 60;

/// A container of a pod: its spec, its status, and whether it runs before the others.
#[derive(Clone, Copy)]
pub struct Running<'a> {
    /// The pod.
    pub pod: &'a Pod,
    /// What is asked for.
    pub spec: &'a Container,
    /// What is.
    pub status: &'a ContainerStatus,
    /// Whether it is an init container that must end first.
    pub init: bool,
}

impl Running<'_> {
    /// The path of a field of its status: `status.containerStatuses[app].state`.
    pub fn path(&self, field: &str) -> String {
        let list = if self.pod.status.init_container_statuses.iter().any(|s| std::ptr::eq(s, self.status)) {
            "initContainerStatuses"
        } else {
            "containerStatuses"
        };
        format!("status.{list}[{}].{field}", self.spec.name)
    }

    /// The path of a field of its spec: `spec.containers[app].image`.
    pub fn spec_path(&self, field: &str) -> String {
        let list = if self.pod.spec.init_containers.iter().any(|c| std::ptr::eq(c, self.spec)) {
            "initContainers"
        } else {
            "containers"
        };
        format!("spec.{list}[{}].{field}", self.spec.name)
    }

    /// `container app`, `init container migrate` or `sidecar proxy`.
    pub fn title(&self) -> String {
        let sidecar = !self.init && self.spec.restart_policy == "Always";
        let word = if self.init {
            "init container"
        } else if sidecar {
            "sidecar"
        } else {
            "container"
        };
        format!("{word} {}", self.spec.name)
    }

    /// How it last ended: now, or in the run before.
    pub fn ended(&self) -> Option<&Terminated> {
        self.status.state.terminated.as_ref().or(self.status.last_state.terminated.as_ref())
    }

    /// Whether the way it last ended is in the run before.
    pub fn restarted(&self) -> bool {
        self.status.state.terminated.is_none() && self.status.state.running.is_some()
    }
}

/// The containers of a pod that have a status.
pub fn containers(pod: &Pod) -> impl Iterator<Item = Running<'_>> {
    pod.status.all_statuses().filter_map(move |status| {
        let spec = pod.spec.container(&status.name)?;
        let init = pod.spec.init_containers.iter().any(|c| std::ptr::eq(c, spec)) && spec.restart_policy != "Always";
        Some(Running { pod, spec, status, init })
    })
}

/// Containers of live pods that wait with one of these reasons.
pub fn waiting<'a>(view: &View<'a>, reasons: &'static [&'static str]) -> Vec<(Running<'a>, &'a Waiting)> {
    // Most containers of a large cluster run: what their pods' specs say of them need not be looked up.
    let waits = |status: &ContainerStatus| {
        status.state.waiting.as_ref().is_some_and(|waiting| reasons.contains(&waiting.reason.as_str()))
    };
    let live = view.all::<Pod>().iter().filter(|pod| !pod.metadata.deleting() && pod.status.all_statuses().any(waits));
    live.flat_map(containers)
        .filter(|container| waits(container.status))
        .filter_map(|container| Some((container, container.status.state.waiting.as_ref()?)))
        .collect()
}

/// Whether a container's failure still counts: it waits or is ended now, or was restarted within
/// the last ten minutes and is not ready. One that was restarted long ago and is well is no fault.
pub fn failing(view: &View<'_>, container: &Running<'_>) -> bool {
    let pod = container.pod;
    if pod.metadata.deleting() || pod.status.phase == "Succeeded" {
        return false;
    }
    let Some(ended) = container.ended() else { return false };
    if ended.reason == "Completed" && ended.exit_code == 0 && container.init {
        return false;
    }
    let state = &container.status.state;
    if let Some(waiting) = &state.waiting {
        return waiting.reason == "CrashLoopBackOff"
            || waiting.reason == "RunContainerError"
            || container.status.restart_count > 0;
    }
    if state.terminated.is_some() {
        // Under `Never` a pod that ended badly stays; its Job may have succeeded with another.
        return ended.exit_code != 0 || !ended.reason.is_empty() && ended.reason != "Completed";
    }
    let recent = view.age(*ended.finished_at).is_some_and(|age| age < 600);
    recent && (container.status.restart_count >= 2 || !container.status.ready)
}

/// The pod's failure began here: when it was scheduled or made.
pub fn pod_since(pod: &Pod) -> Option<Time> {
    pod.status.start_time.or(*pod.metadata.creation_timestamp)
}

/// The lines of the log that decide how a container ended: of the run before where it runs again.
pub fn last_log<'a>(view: &View<'a>, container: &Running<'_>) -> Option<&'a LogTail> {
    let pod = container.pod.object_ref();
    let logs = [container.restarted(), !container.restarted()]
        .map(|previous| view.snapshot.log(&pod, &container.spec.name, previous));
    logs.into_iter().flatten().find(|log| !log.lines.is_empty())
}

/// What a person would look at first.
pub fn describe(finding: Finding, object: &ObjectRef) -> Finding {
    finding.look("see its state and events", object, &["describe", &object.kind.argument(), &object.name])
}

/// `1 pod`, `3 pods`.
pub fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// `a`, `a and b`, `a, b and 3 more`.
pub fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [one, two, three] => format!("{one}, {two} and {three}"),
        [one, two, rest @ ..] => format!("{one}, {two} and {} more", rest.len()),
    }
}

/// The name among `known` that was probably meant: at most a third of it is other letters, or one
/// holds the other.
pub fn meant<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let length = name.chars().count();
    let close = |other: &str| {
        // Names that differ much in length differ at least that much: most need no comparing.
        let contained = name.len() >= 4 && other.len() >= 4 && (other.starts_with(name) || name.starts_with(other));
        let apart = other.chars().count().abs_diff(length);
        if !contained && apart * 3 > length.max(3) {
            return None;
        }
        let distance = edit_distance(name, other);
        (distance * 3 <= length.max(3) || contained).then_some(distance)
    };
    known.filter(|other| *other != name).filter_map(|other| Some((close(other)?, other))).min().map(|(_, other)| other)
}

fn edit_distance(a: &str, b: &str) -> usize {
    // Names are short; a hostile one is cut rather than compared in square time.
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (y, above) in b.iter().zip(row.iter().skip(1)) {
            left = (diagonal + usize::from(x != y)).min(left + 1).min(above + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
