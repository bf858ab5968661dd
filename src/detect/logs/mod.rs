//! Containers that fail, and why: what their state, their probes and their logs tell.
//!
//! *Invariant:* each failing container is judged once and gets one [`Fault`]; each fault is
//! claimed by one detector. So a fault that shows in many ways is said once. Text of a log or a
//! termination message is data: it is quoted and classified by its shape, never followed.

mod asked;
mod class;
#[cfg(test)]
mod class_tests;
mod complaint;
mod decide;
mod judge;
mod line;
mod links;
pub mod mount;
pub mod probe;
pub mod server;
pub mod service;
#[cfg(test)]
mod tests;
mod wants;

pub use asked::{Asked, asked};
pub use class::{Class, Denial, Link, path_of, telling, unresolved};
pub use decide::soft;
pub use judge::{INVOLVED, superseded};
pub use line::{bare, short};
pub use wants::wanted;

use crate::detect::prelude::*;
use crate::model::{Evidence, Source};

/// What is wrong with a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Killed for its memory.
    OutOfMemory,
    /// Killed because its postStart hook failed.
    Hook,
    /// Killed by its liveness probe.
    Liveness,
    /// Killed by its startup probe, or held by it.
    Startup,
    /// Runs, and its readiness probe fails.
    Readiness,
    /// Ends without an error, and should not end.
    Zero,
    /// An init container that does not end.
    Waits,
    /// The runtime can't make or start it.
    Create,
    /// A log line (or the runtime's message) of a known shape decides.
    Said(Class),
    /// It ends badly; a line may say why, in no known shape.
    Exit,
    /// It is ready, and its log says again and again that it does not get what it needs. That is its word alone:
    /// a detector believes it where the objects say the same.
    Complains(Class),
}

/// A failing container, as it is kept for all detectors.
#[derive(Clone, Debug)]
struct Case {
    pod: usize,
    nth: usize,
    fault: Fault,
    text: String,
    around: String,
    evidence: Vec<Evidence>,
}

/// All failing containers of a view.
struct Cases(Vec<Case>);

/// A failing container.
pub struct Failing<'a> {
    /// The container.
    pub container: Running<'a>,
    /// What is wrong with it.
    pub fault: Fault,
    /// What decides, bare of time and level; empty where nothing was said.
    pub text: String,
    /// The lines around it.
    pub around: String,
    evidence: Vec<Evidence>,
}

/// The failing containers whose fault `claims` takes.
pub fn claimed<'a>(view: &View<'a>, claims: impl Fn(&Fault) -> bool) -> Vec<Failing<'a>> {
    let cases = view.shared(|| Cases(judge::all(view)));
    let find = |case: &Case| {
        let container = view.all::<Pod>().get(case.pod).and_then(|pod| containers(pod).nth(case.nth))?;
        let Case { fault, text, around, evidence, .. } = case.clone();
        Some(Failing { container, fault, text, around, evidence })
    };
    cases.0.iter().filter(|case| claims(&case.fault)).filter_map(find).collect()
}

/// The failing containers whose fault is said by a line of a shape that `claims` takes.
pub fn said<'a>(view: &View<'a>, claims: impl Fn(&Class) -> bool) -> Vec<Failing<'a>> {
    claimed(view, |fault| matches!(fault, Fault::Said(class) if claims(class)))
}

/// The containers that fail or complain because of something that `claims` takes.
pub fn complaining<'a>(view: &View<'a>, claims: impl Fn(&Class) -> bool) -> Vec<Failing<'a>> {
    claimed(view, |fault| matches!(fault, Fault::Said(class) | Fault::Complains(class) if claims(class)))
}

impl<'a> Failing<'a> {
    /// What is complained of.
    pub fn class(&self) -> Option<&Class> {
        match &self.fault {
            Fault::Said(class) | Fault::Complains(class) => Some(class),
            _ => None,
        }
    }

    /// Whether it is well itself, and only says that something else is not.
    pub fn complains(&self) -> bool {
        matches!(self.fault, Fault::Complains(_))
    }

    /// Its pod.
    pub fn pod(&self) -> ObjectRef {
        self.container.pod.object_ref()
    }

    /// Its namespace.
    pub fn namespace(&self) -> &'a str {
        &self.container.pod.metadata.namespace
    }

    /// Whether it runs now, and did not end before in a way that counts.
    fn runs(&self) -> bool {
        let ended = self.container.ended().is_some_and(|ended| ended.exit_code != 0 || !ended.reason.is_empty());
        self.container.status.state.running.is_some() && !ended
    }

    /// Whether what it does now counts, and not how it ended before.
    pub fn present(&self) -> bool {
        self.container.status.state.running.is_some() && (self.runs() || judge::settled_now(self))
    }

    /// What happens: `container app exits 1`, `init container wait does not end`.
    pub fn happens(&self) -> String {
        let title = self.container.title();
        if self.complains() {
            return format!("{title} runs and keeps failing");
        }
        if self.present() {
            return if self.container.init { format!("{title} does not end") } else { format!("{title} is not ready") };
        }
        let Some(ended) = self.container.ended() else { return format!("{title} does not start") };
        match (ended.exit_code, ended.reason.as_str()) {
            (_, "StartError" | "ContainerCannotRun" | "RunContainerError") => format!("{title} does not start"),
            (0, _) => format!("{title} ends"),
            (132, _) => format!("{title} is ended by an illegal instruction (SIGILL, exit 132)"),
            (134, _) => format!("{title} aborts (SIGABRT, exit 134)"),
            (136, _) => format!("{title} is ended by an arithmetic error (SIGFPE, exit 136)"),
            (137, _) => format!("{title} is killed (SIGKILL, exit 137)"),
            (139, _) => format!("{title} crashes (SIGSEGV, exit 139)"),
            (143, _) => format!("{title} is ended (SIGTERM, exit 143)"),
            (code, _) => format!("{title} exits {code}"),
        }
    }

    /// A finding at its pod, with what every such finding has: how it ended, what it said, since when.
    pub fn finding(&self, view: &View<'_>, stage: Stage, summary: impl Into<String>) -> Finding {
        let (container, object) = (&self.container, self.pod());
        let (severity, stage) = if self.complains() {
            (Severity::Warning, Stage::Serve)
        } else {
            (view.pod_severity(container.pod), stage)
        };
        let mut finding =
            Finding::new(object.clone(), severity, stage, summary).key(&container.spec.name).since(self.since(view));
        if let (Some(ended), false) = (container.ended(), self.present()) {
            let which = if container.status.state.terminated.is_some() { "state" } else { "lastState" };
            let quote = format!("reason: {}, exitCode: {}", ended.reason, ended.exit_code);
            finding = finding.field(&object, container.path(&format!("{which}.terminated")), quote);
        } else if container.status.state.running.is_some() && !self.complains() {
            finding = finding.field(&object, container.path("ready"), container.status.ready.to_string());
        }
        finding.evidence.extend(self.evidence.iter().cloned());
        finding
    }

    /// When it began, as far as events and states tell.
    fn since(&self, view: &View<'_>) -> Option<Time> {
        let name = &self.container.spec.name;
        let object = self.pod();
        let own = |event: &&&Event| {
            matches!(event.reason.as_str(), "BackOff" | "Unhealthy" | "Failed") && event.container() == Some(name)
        };
        let first = view.events(&object).iter().filter(own).filter_map(|event| event.first()).min();
        // A start that failed carries the epoch as its begin; its end is right.
        let ended = self.container.ended().and_then(|ended| *ended.finished_at);
        let running = self.container.status.state.running.as_ref().and_then(|running| *running.started_at);
        first
            .into_iter()
            .chain(ended.filter(|_| !self.present()))
            .chain(running.filter(|_| self.present()))
            .min()
            .or_else(|| pod_since(self.container.pod))
    }

    /// A command to read the log that decides, or would.
    pub fn read_log(&self, finding: Finding) -> Finding {
        let (object, name) = (self.pod(), &self.container.spec.name);
        let mut argv = vec!["logs", &object.name, "-c", name, "--tail=50"];
        if self.container.restarted() && !self.present() {
            argv.push("--previous");
        }
        finding.look("read its log", &object, &argv)
    }

    /// What of the evidence is a log line.
    pub fn line(&self) -> Option<&str> {
        self.evidence
            .iter()
            .find(|evidence| matches!(evidence.source, Source::Log { .. }))
            .map(|evidence| evidence.quote.as_str())
    }

    /// `deployment/web`, where its workload is one that `kubectl set` and `kubectl edit` take.
    pub fn target(&self, view: &View<'_>) -> Option<(ObjectRef, String)> {
        let workload = view.workload_of(self.container.pod);
        view.workload(&workload)?;
        let target = format!("{}/{}", workload.kind.argument(), workload.name);
        (workload.kind != Kind::Job).then_some((workload, target))
    }

    /// Adds the command to edit what made it.
    pub fn edit(&self, view: &View<'_>, finding: Finding, purpose: &str) -> Finding {
        match self.target(view) {
            Some((workload, target)) => finding.fix(purpose, &workload, &["edit", &target]),
            None => finding,
        }
    }
}
