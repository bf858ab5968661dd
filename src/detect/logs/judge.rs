//! The judge: which container fails, and which one fault it gets.

use std::sync::LazyLock;

use regex::Regex;

use super::class::{Class, classify};
use super::decide::{decide, decide_dependency};
use super::line::{Level, bare, orders, pattern, read, short};
use super::{Case, Failing, Fault, complaint, links, probe};
use crate::detect::prelude::*;
use crate::model::{Evidence, Source};

/// Waiting reasons that are about an image or a configuration, or of a pod that isn't there yet:
/// other detectors speak of them.
pub const INVOLVED: &[&str] = &[
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
    "CreateContainerConfigError",
    "ContainerCreating",
    "PodInitializing",
];

/// What decides, before it is tied to its container.
pub(super) struct Draft {
    pub(super) fault: Fault,
    pub(super) text: String,
    pub(super) around: String,
    pub(super) evidence: Vec<Evidence>,
}

impl Draft {
    fn of(fault: Fault) -> Draft {
        Draft { fault, text: String::new(), around: String::new(), evidence: Vec::new() }
    }

    fn event(mut self, event: &Event) -> Draft {
        let source = Source::Event { object: event.object(), reason: event.reason.clone() };
        self.evidence.push(Evidence { quote: event.message.clone(), source, time: event.last() });
        self
    }
}

/// Every failing container of the view.
pub(super) fn all(view: &View<'_>) -> Vec<Case> {
    let mut cases = Vec::new();
    for (index, pod) in view.all::<Pod>().iter().enumerate() {
        let quiet = pod.status.all_statuses().all(|status| status.ready && status.restart_count == 0);
        if quiet && !complaint::heard(view, pod) || superseded(view, pod) {
            continue;
        }
        for (nth, container) in containers(pod).enumerate() {
            let draft = judge(view, &container).or_else(|| complains(view, &container));
            if let Some(Draft { fault, text, around, evidence }) = draft {
                cases.push(Case { pod: index, nth, fault, text, around, evidence });
            }
        }
    }
    cases
}

/// Whether nothing of a pod matters any more: it goes, it succeeded, another took its place.
pub fn superseded(view: &View<'_>, pod: &Pod) -> bool {
    if pod.metadata.deleting() || pod.status.phase == "Succeeded" {
        return true;
    }
    if pod.status.phase != "Failed" {
        return false;
    }
    // A pod that was put out as a whole (evicted, preempted, its node shut down) says so itself.
    if !pod.status.reason.is_empty() && pod.status.reason != "BackoffLimitExceeded" {
        return true;
    }
    let Some(owner) = pod.metadata.controller() else { return false };
    let owner = owner.object_ref(&pod.metadata.namespace);
    let Some(job) = view.get::<Job>(owner.ns(), &owner.name).filter(|_| owner.kind == Kind::Job) else {
        // What a ReplicaSet or the like leaves behind it has replaced already.
        return owner.kind != Kind::Job;
    };
    if job.status.succeeded > 0 || condition(&job.status.conditions, "Complete").is_some_and(Condition::is_true) {
        return true;
    }
    let newer = |other: &&Pod| {
        other.metadata.name != pod.metadata.name
            && *other.metadata.creation_timestamp > *pod.metadata.creation_timestamp
    };
    let of_job = |other: &&Pod| {
        other.metadata.controller().is_some_and(|maker| maker.kind == "Job" && maker.name == job.metadata.name)
    };
    let newest = view
        .within::<Pod>(&pod.metadata.namespace)
        .iter()
        .filter(of_job)
        .filter(newer)
        .max_by_key(|other| *other.metadata.creation_timestamp);
    if newest.is_some_and(|newest| newest.status.phase == "Succeeded" || newest.ready() && job.status.failed <= 1) {
        return true;
    }
    let cron = job.metadata.controller().filter(|owner| owner.kind == "CronJob");
    let cron = cron.and_then(|owner| view.get::<CronJob>(&pod.metadata.namespace, &owner.name));
    cron.is_some_and(|cron| {
        *cron.status.last_successful_time > *job.status.start_time && cron.status.last_successful_time.is_some()
    })
}

fn judge(view: &View<'_>, container: &Running<'_>) -> Option<Draft> {
    let state = &container.status.state;
    let waiting = state.waiting.as_ref();
    if waiting.is_some_and(|waiting| INVOLVED.contains(&waiting.reason.as_str())) {
        return None;
    }
    if let Some(draft) = start_failed(container) {
        return Some(draft);
    }
    let running_for = state.running.as_ref().and_then(|running| view.age(*running.started_at)).unwrap_or_default();
    if state.running.is_some() {
        if let Some(draft) = probe::killed(view, container).map(|(fault, event)| killed(view, container, fault, event))
        {
            return Some(draft);
        }
        // It runs for longer than a start takes: what it does now counts, not how it ended before.
        if running_for >= SETTLED && !container.status.ready {
            return still(view, container, running_for);
        }
        // Sooner, where its log says that it waits: whether for something that can't come is for others to judge.
        if container.init && running_for >= SETTLED / 4 && container.status.restart_count == 0 {
            let log = view.snapshot.log(&container.pod.object_ref(), &container.spec.name, false);
            return log.is_some_and(ends_waiting).then(|| tail(view, container, Draft::of(Fault::Waits)));
        }
    }
    // Between two restarts one that ended without an error looks like one that is done.
    let again = state.terminated.is_some() && container.status.restart_count > 0 && !container.init;
    if !failing(view, container) && !again {
        return None;
    }
    let ended = container.ended()?;
    if ended.reason == "OOMKilled" || (ended.exit_code == 137 && node_oom(view, container, ended).is_some()) {
        let draft = Draft::of(Fault::OutOfMemory);
        return Some(match node_oom(view, container, ended) {
            Some(event) => draft.event(event),
            None => draft,
        });
    }
    if let Some(event) = hook(view, container, ended) {
        return Some(Draft::of(Fault::Hook).event(event));
    }
    if let Some((fault, event)) = probe::killed(view, container) {
        return Some(killed(view, container, fault, event));
    }
    if ended.exit_code == 0 {
        let forever = container.pod.spec.restart_policy != "OnFailure" && container.pod.spec.restart_policy != "Never";
        return (!container.init && (forever || container.spec.restart_policy == "Always"))
            .then(|| tail(view, container, Draft::of(Fault::Zero)));
    }
    Some(ended_badly(view, container, ended))
}

/// The runtime could not make or start the container.
fn start_failed(container: &Running<'_>) -> Option<Draft> {
    const CREATE: &[&str] = &[
        "CreateContainerError",
        "RunContainerError",
        "ContainerCannotRun",
        "StartError",
        "CreateError",
        "ContainerStatusUnknown",
    ];
    let state = &container.status.state;
    let now = state
        .waiting
        .as_ref()
        .filter(|waiting| CREATE.contains(&waiting.reason.as_str()) && !waiting.message.is_empty());
    let (message, path) = match (now, container.ended()) {
        (Some(waiting), _) => (&waiting.message, "state.waiting.message"),
        (None, Some(ended))
            if CREATE.contains(&ended.reason.as_str())
                && ended.reason != "ContainerStatusUnknown"
                && state.running.is_none() =>
        {
            (
                &ended.message,
                if state.terminated.is_some() { "state.terminated.message" } else { "lastState.terminated.message" },
            )
        }
        _ => return None,
    };
    let fault = match classify(message) {
        Some(class @ (Class::NoCommand(_) | Class::NotExecutable(_) | Class::ExecFormat(_))) => Fault::Said(class),
        _ => Fault::Create,
    };
    let source = Source::Field { object: container.pod.object_ref(), path: container.path(path) };
    Some(Draft {
        text: message.clone(),
        evidence: vec![Evidence { quote: message.clone(), source, time: None }],
        ..Draft::of(fault)
    })
}

/// A container that a probe killed. Where its log says that something it needs does not answer,
/// and the probe itself is not at fault, that is the cause.
fn killed(view: &View<'_>, container: &Running<'_>, fault: Fault, event: Option<&Event>) -> Draft {
    let draft = match event {
        Some(event) => Draft::of(fault).event(event),
        None => Draft::of(fault),
    };
    let deeper = last_log(view, container).and_then(decide_dependency);
    match deeper.filter(|_| probe::mismatch(view, container).is_none()) {
        Some(mut deeper) => {
            deeper.evidence.extend(draft.evidence);
            deeper
        }
        None => draft,
    }
}

/// Whether the end of a log says that its program waits.
fn ends_waiting(log: &LogTail) -> bool {
    log.lines.iter().rev().take(5).any(|line| speaks_of_waiting(line))
}

/// A container that runs and is not ready, or an init container that does not end.
fn still(view: &View<'_>, container: &Running<'_>, running_for: i64) -> Option<Draft> {
    let pod = container.pod.object_ref();
    let log = view.snapshot.log(&pod, &container.spec.name, false).filter(|log| !log.lines.is_empty());
    let log = log.or_else(|| sibling_log(view, container));
    if container.init {
        let waits = log.is_some_and(ends_waiting);
        let asks = log.is_none() && speaks_of_waiting(&command(container.spec));
        let said = log
            .and_then(|log| decide(&log.lines, &|text, _| evidence_of(log, text)))
            .filter(|draft| matches!(draft.fault, Fault::Said(_)));
        // A long migration is work; what says that it waits, waits.
        return match said {
            Some(said) if !waits || !matches!(said.fault, Fault::Said(Class::MissingFile(_) | Class::Config)) => {
                Some(said)
            }
            _ if waits || asks || running_for >= 600 => Some(tail(view, container, Draft::of(Fault::Waits))),
            _ => None,
        };
    }
    let (fault, event) = probe::holds(view, container, running_for)?;
    let draft = match event {
        Some(event) => Draft::of(fault).event(event),
        None => Draft::of(fault),
    };
    if probe::mismatch(view, container).is_some() {
        return Some(draft);
    }
    let deeper = log.and_then(decide_dependency);
    Some(match deeper {
        Some(mut deeper) => {
            deeper.evidence.extend(draft.evidence);
            deeper
        }
        None => draft,
    })
}

/// A container that is ready and whose log complains.
fn complains(view: &View<'_>, container: &Running<'_>) -> Option<Draft> {
    let log = complaint::log_of(view, container)?;
    let (class, line) = complaint::repeated(&log.lines)?;
    let text = bare(&read(line).0);
    Some(Draft {
        text: short(&text, 240),
        around: text,
        evidence: vec![evidence_of(log, line)],
        ..Draft::of(Fault::Complains(class))
    })
}

/// The program and its arguments, as one text.
pub(super) fn command(container: &Container) -> String {
    container.command.iter().chain(container.args.iter()).map(String::as_str).collect::<Vec<_>>().join(" ")
}

fn speaks_of_waiting(line: &str) -> bool {
    static WAITS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i)\b(wait(ing|s)?|not (yet )?(ready|available|reachable|up|found|there)|retry(ing)?|still (no|not|trying)|polling|until|unavailable|not exist|sleeping|connecting|attempt)\b",
        )
    });
    WAITS.is_match(line)
}

fn ended_badly(view: &View<'_>, container: &Running<'_>, ended: &Terminated) -> Draft {
    let log = last_log(view, container).or_else(|| sibling_log(view, container));
    let said = log.and_then(|log| decide(&log.lines, &|text, _| evidence_of(log, text)));
    let message: Vec<String> = ended.message.lines().map(str::to_owned).collect();
    let state = if container.status.state.terminated.is_some() { "state" } else { "lastState" };
    let source = Source::Field {
        object: container.pod.object_ref(),
        path: container.path(&format!("{state}.terminated.message")),
    };
    let told = decide(&message, &|text, _| Evidence { quote: text.to_owned(), source: source.clone(), time: None });
    let draft = match (said, told) {
        // The log decides; the message only where the log knows no more than that something failed.
        (Some(said), Some(told)) if matches!(said.fault, Fault::Exit) && matches!(told.fault, Fault::Said(_)) => told,
        (Some(said), _) => said,
        (None, Some(told)) => told,
        (None, None) => tail(view, container, Draft::of(Fault::Exit)),
    };
    if let Some(link) = links::clash(view, container, &draft.text) {
        return Draft { fault: Fault::Said(Class::ServiceLink(link)), ..draft };
    }
    match (ended.exit_code, &draft.fault) {
        (127, Fault::Exit) if draft.text.is_empty() => {
            Draft { fault: Fault::Said(Class::NoCommand(String::new())), ..draft }
        }
        (126, Fault::Exit | Fault::Said(Class::FileDenied(_))) => {
            Draft { fault: Fault::Said(Class::NotExecutable(path_in(&draft).unwrap_or_default())), ..draft }
        }
        // A shell that goes on after a missing command ends with its own code.
        (code, Fault::Said(Class::NotExecutable(path))) if code != 126 && !draft.text.contains("exec") => {
            let path = Some(path.clone()).filter(|path| path.starts_with('/'));
            Draft { fault: Fault::Said(Class::FileDenied(path)), ..draft }
        }
        _ => draft,
    }
}

fn path_in(draft: &Draft) -> Option<String> {
    super::path_of(&draft.text)
}

/// Adds the last line that a container said, where nothing else decides.
fn tail(view: &View<'_>, container: &Running<'_>, mut draft: Draft) -> Draft {
    let log = last_log(view, container).or_else(|| sibling_log(view, container));
    let spoken = |line: &&String| !line.trim().is_empty() && !orders(line) && read(line).1 > Level::Noise;
    if let Some((log, line)) = log.and_then(|log| Some((log, log.lines.iter().rev().find(spoken)?))) {
        draft.around = bare(&read(line).0);
        draft.evidence.push(evidence_of(log, line));
    }
    draft
}

pub(super) fn evidence_of(log: &LogTail, line: &str) -> Evidence {
    let source = Source::Log { object: log.pod.clone(), container: log.container.clone(), previous: log.previous };
    Evidence { quote: line.to_owned(), source, time: None }
}

/// The log of another pod of the workload whose container ended alike: replicas fail alike, and
/// only some are read.
fn sibling_log<'a>(view: &View<'a>, container: &Running<'_>) -> Option<&'a LogTail> {
    let (pod, name) = (container.pod, &container.spec.name);
    let code =
        |pod: &Pod| containers(pod).find(|c| c.spec.name == *name).and_then(|c| c.ended().map(|ended| ended.exit_code));
    let near = view
        .snapshot
        .logs
        .iter()
        .filter(|log| log.container == *name && log.pod.ns() == pod.metadata.namespace && !log.lines.is_empty());
    let workload = view.workload_of(pod);
    near.filter(|log| log.pod.name.as_ref() != pod.metadata.name)
        .filter_map(|log| Some((log, view.get::<Pod>(log.pod.ns(), &log.pod.name)?)))
        .find(|(_, other)| view.workload_of(other) == workload && code(other) == code(pod))
        .map(|(log, _)| log)
}

/// An event of the node that tells of memory at the time when the container was killed.
fn node_oom<'a>(view: &View<'a>, container: &Running<'_>, ended: &Terminated) -> Option<&'a Event> {
    let node = view.node_of(container.pod)?;
    let end = ended.finished_at.map(Time::as_second)?;
    let about = |event: &&Event| {
        matches!(event.reason.as_str(), "SystemOOM" | "OOMKilling")
            && event.last().is_some_and(|time| time.as_second().saturating_sub(end).saturating_abs() <= 30)
    };
    view.events(&node).iter().copied().find(about)
}

/// The event of a postStart hook that failed in the run that ended.
fn hook<'a>(view: &View<'a>, container: &Running<'_>, ended: &Terminated) -> Option<&'a Event> {
    let start = ended.started_at.map(Time::as_second)?;
    let own = |event: &&Event| {
        event.reason == "FailedPostStartHook" && event.container().is_none_or(|name| name == container.spec.name)
    };
    let events = view.events(&container.pod.object_ref()).iter().copied();
    // Later failures of a crash loop are no longer told by events: a run that was killed at its start
    // after one that was ended by the hook ended so too.
    let lived = ended.finished_at.map(Time::as_second).map_or(i64::MAX, |end| end.saturating_sub(start));
    let grace = container.pod.spec.termination_grace_period_seconds.unwrap_or(30).clamp(0, 3600);
    let has = container.spec.lifecycle.as_ref().is_some_and(|lifecycle| lifecycle.post_start.is_some());
    let again = has && matches!(ended.exit_code, 137 | 143) && lived <= grace.saturating_add(5);
    events
        .filter(own)
        .find(|event| again || event.last().is_some_and(|time| time.as_second() >= start.saturating_sub(5)))
}

/// Whether a failing container runs for so long that its present state counts.
pub(super) fn settled_now(failing: &Failing<'_>) -> bool {
    let held = matches!(failing.fault, Fault::Waits | Fault::Readiness) || failing.container.init;
    held || failing.evidence.iter().any(|evidence| {
        matches!(&evidence.source, Source::Event { reason, .. } if reason == "Unhealthy")
            && evidence.quote.contains("Readiness")
    })
}
