//! The phrases that text and markdown share.
//!
//! *Invariant:* the snapshot's time is the only clock.

use std::collections::BTreeMap;

use textwrap::core::display_width;
use unicode_width::UnicodeWidthChar;

use crate::model::reference::KINDS;
use crate::model::runbook::Status;
use crate::model::{
    Cause, Command, Confidence, Consequence, Diagnosis, DryRun, Ended, Exploration, Gap, Library, LibraryState,
    ObjectRef, Place, Severity, Source, Time, Usage, Verdict,
};

/// `1 cause`, `2 causes`.
pub(super) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// The answer and where it holds: `2 causes in 14 namespaces (312 pods, 6 nodes)`.
pub(super) fn verdict(diagnosis: &Diagnosis) -> String {
    let critical = diagnosis.causes.iter().filter(|cause| cause.severity == Severity::Critical).count();
    let (number, scope) = (diagnosis.causes.len(), scope(diagnosis));
    let what = count(number, "cause");
    match diagnosis.verdict {
        Verdict::Healthy if number == 0 => format!("Healthy: nothing is broken {scope}"),
        Verdict::Healthy => format!("Healthy: nothing is broken, {} worth knowing, {scope}", count(number, "thing")),
        Verdict::Unknown if number == 0 => {
            format!("Unknown: nothing broken was seen {scope}, but not all that matters could be read")
        }
        Verdict::Unknown => format!("Unknown: {what} {scope}, but not all that matters could be read"),
        Verdict::Unhealthy if critical > 0 && critical < number => format!("{what}, {critical} critical, {scope}"),
        Verdict::Unhealthy => format!("{what} {scope}"),
    }
}

/// What was looked at: `in 14 namespaces (312 pods, 6 nodes)`.
pub(super) fn scope(diagnosis: &Diagnosis) -> String {
    let counts = diagnosis.counts;
    let place = match &diagnosis.namespace {
        Some(namespace) => format!("namespace {namespace}"),
        None => count(counts.namespaces, "namespace"),
    };
    let nodes = if counts.nodes > 0 { format!(", {}", count(counts.nodes, "node")) } else { String::new() };
    format!("in {place} ({}{nodes})", count(counts.pods, "pod"))
}

/// Where and when: `context prod-weu, 2026-11-23 08:43 UTC`.
pub(super) fn place(diagnosis: &Diagnosis) -> String {
    let context = if diagnosis.context.is_empty() { String::new() } else { format!("context {}, ", diagnosis.context) };
    format!("{context}{}", stamp(diagnosis.taken_at))
}

/// What a reader must know of a runbook that is not in use as it stands; empty for an active one.
pub fn status(status: Status, successor: Option<&str>) -> String {
    match (status, successor) {
        (Status::Active, _) => String::new(),
        (Status::Draft, _) => " (draft)".to_owned(),
        (Status::Deprecated, Some(successor)) => format!(" (deprecated, see {successor})"),
        (Status::Deprecated, None) => " (deprecated)".to_owned(),
    }
}

/// `runbooks/storage/disk-full.md@1a2b3c4d5e6f`.
pub fn citation(place: &Place) -> String {
    match place.library {
        Library::Team => place.citation(),
        Library::Builtin => format!("{} (built-in)", place.citation()),
    }
}

/// The commands of the best runbook that the cause does not name itself.
pub(super) fn runbook_commands(cause: &Cause) -> Vec<Command> {
    let known = |line: &str| cause.commands.iter().any(|command| command.line == line);
    let best = cause.runbooks.first().map(|advice| advice.commands.as_slice()).unwrap_or_default();
    let new = best.iter().filter(|command| !known(&command.line));
    new.map(|command| Command { purpose: format!("runbook: {}", command.purpose), ..command.clone() }).collect()
}

/// What did not work when runbooks were looked for, a sentence for each library.
pub(super) fn libraries(libraries: &[LibraryState]) -> Vec<String> {
    let sentence = |state: &LibraryState| {
        let since = state.synced.filter(|_| !state.commit.is_empty());
        let since = since.map(|time| format!("; fetched last {}", stamp(time))).unwrap_or_default();
        format!("{}: {}{since}", state.source, state.notes.join("; "))
    };
    libraries.iter().filter(|state| !state.notes.is_empty()).map(sentence).collect()
}

/// `2026-11-23 08:31 UTC`.
pub fn stamp(time: Time) -> String {
    format!("{} UTC", time.strftime("%Y-%m-%d %H:%M"))
}

/// The clock time where the day is that of `now`: `08:31 UTC`.
pub(super) fn clock(time: Time, now: Time) -> String {
    let day = |time: Time| time.strftime("%Y-%m-%d").to_string();
    if day(time) == day(now) { format!("{} UTC", time.strftime("%H:%M")) } else { stamp(time) }
}

/// How long: `45s`, `12m`, `3h5m`, `2d4h`.
pub fn ago(time: Time, now: Time) -> String {
    let seconds = now.as_second().saturating_sub(time.as_second()).max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |large: i64, unit: &str, small: i64, part: &str| {
        if small == 0 { format!("{large}{unit}") } else { format!("{large}{unit}{small}{part}") }
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m"),
        (0, ..10, _) => two(hours, "h", minutes % 60, "m"),
        (0, _, _) => format!("{hours}h"),
        (..10, _, _) => two(days, "d", hours % 24, "h"),
        _ => format!("{days}d"),
    }
}

/// `12m (2026-11-23 08:31 UTC)`.
pub(super) fn since(time: Time, now: Time) -> String {
    format!("{} ({})", ago(time, now), stamp(time))
}

/// `×40 pods` where a cause stands for more than one object.
pub(super) fn multitude(cause: &Cause) -> Option<String> {
    if cause.count < 2 {
        return None;
    }
    let kind = cause.members.first().map_or_else(
        || "object".to_owned(),
        |member| member.kind.as_str().split('.').next().unwrap_or_default().to_lowercase(),
    );
    let same = cause.members.iter().all(|member| cause.members.first().is_some_and(|first| first.kind == member.kind));
    let noun = if same { kind } else { "object".to_owned() };
    Some(format!("×{}", count(cause.count, &noun)))
}

/// `Service shop/web selects app=webb, …`: the object, and what is said of it, without its name twice.
pub(super) fn sentence(object: &ObjectRef, summary: &str) -> String {
    let name = format!("{} {}", object.kind, object.name);
    let rest = summary.strip_prefix(&name).filter(|rest| rest.starts_with([' ', ':', ',']));
    match rest {
        Some(rest) => format!("{object}{rest}"),
        None => format!("{object}: {summary}"),
    }
}

/// Where a quote stands.
pub(super) fn source(source: &Source) -> String {
    match source {
        Source::Field { object, path } => format!("{object} {path}"),
        Source::Event { object, reason } => format!("event {reason} of {object}"),
        Source::Log { object, container, previous } => {
            format!("log of {object} ({container}{})", if *previous { ", the run before" } else { "" })
        }
    }
}

/// What links a consequence to its cause, from the second step on.
pub(super) fn path(consequence: &Consequence) -> Option<String> {
    let home = consequence.object.namespace.as_deref();
    let steps = consequence.path.iter().skip_while(|step| **step == consequence.object);
    let steps: Vec<String> = steps.map(|step| short(step, home)).collect();
    (!steps.is_empty()).then(|| format!("→ {}", steps.join(" → ")))
}

/// Without the namespace where it is `home`.
fn short(object: &ObjectRef, home: Option<&str>) -> String {
    match &object.namespace {
        Some(namespace) if Some(&**namespace) != home => object.to_string(),
        _ => format!("{} {}", object.kind, object.name),
    }
}

/// Gaps, those of one reason and place together, what matters most first: `nodes, secrets: forbidden`.
/// At most `most` names of each.
pub(super) fn gaps(gaps: &[Gap], most: usize) -> Vec<String> {
    let mut groups: BTreeMap<(usize, &str, Option<&str>), Vec<&Gap>> = BTreeMap::new();
    let mut sorted: Vec<&Gap> = gaps.iter().collect();
    sorted.sort_by_key(|gap| (rank(gap), &gap.what));
    for gap in sorted {
        // Single things come after whole kinds, and are not mixed with them.
        let single = usize::from(gap.kind.is_none());
        groups.entry((single, &gap.reason, gap.namespace.as_deref())).or_default().push(gap);
    }
    let line = |((_, reason, namespace), gaps): ((usize, &str, Option<&str>), Vec<&Gap>)| {
        let rest = gaps.len().saturating_sub(most);
        let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        let place = namespace.map(|namespace| format!(" in {namespace}")).unwrap_or_default();
        let names: Vec<&str> = gaps.into_iter().take(most).map(what).collect();
        format!("{}{more}{place}: {reason}", names.join(", "))
    };
    groups.into_iter().map(line).collect()
}

/// The place of a gap's kind in the table of kinds, which begins with what matters most.
pub(super) fn rank(gap: &Gap) -> usize {
    gap.kind.and_then(|kind| KINDS.iter().position(|info| info.kind == kind)).unwrap_or(usize::MAX)
}

/// What is missing; a kind of Kubernetes' own without its group.
fn what(gap: &Gap) -> &str {
    match gap.kind.and_then(|kind| kind.info()) {
        Some(info)
            if gap.what.strip_prefix(info.plural).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) =>
        {
            info.plural
        }
        _ => &gap.what,
    }
}

/// `1 cause is silenced`.
pub(super) fn silenced(number: usize) -> Option<String> {
    (number > 0).then(|| {
        format!("{} silenced", if number == 1 { "1 cause is".to_owned() } else { format!("{number} causes are") })
    })
}

/// `CRITICAL`.
pub(super) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "CRITICAL",
        Severity::Warning => "WARNING",
        Severity::Info => "INFO",
    }
}

/// Who explored, and how far it came: `gpt-4.1 at api.openai.com, 4 steps`.
pub(super) fn explorer(exploration: &Exploration) -> String {
    let usage = &exploration.usage;
    if usage.model.is_empty() {
        return "no model was asked".to_owned();
    }
    let steps = match exploration.steps.len() {
        0 => "no reading of its own".to_owned(),
        number => count(number, "step"),
    };
    let ended = match exploration.ended {
        Ended::Answered => "",
        Ended::Interrupted => ", interrupted",
        Ended::ModelFailed => ", the model failed",
        Ended::Circles => ", stopped in circles",
        Ended::Steps | Ended::Tokens | Ended::Time | Ended::Cost => ", budget used up",
    };
    format!("{} at {}, {steps}{ended}", usage.model, usage.server)
}

/// What it cost: `3 requests, 12400 + 800 tokens, 0.03 USD, 8.2 s`.
pub(super) fn cost(usage: &Usage) -> String {
    let about = if usage.estimated { "about " } else { "" };
    let cached = if usage.cached_tokens > 0 { format!(" ({} cached)", usage.cached_tokens) } else { String::new() };
    let currency = usage.currency.as_ref().map(|currency| format!(" {currency}")).unwrap_or_default();
    let cost = usage.cost.map(|cost| format!(", {cost:.4}{currency} by the price table")).unwrap_or_default();
    format!(
        "cost: {}, {about}{} tokens in{cached} and {} out, {} sent{cost}, {:.1} s",
        count(usage.requests, "request"),
        usage.input_tokens,
        usage.output_tokens,
        size(usize::try_from(usage.bytes_sent).unwrap_or(usize::MAX)),
        usage.millis as f64 / 1000.0
    )
}

/// A number of bytes for people.
pub fn size(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} kB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MB", bytes as f64 / 1_048_576.0),
    }
}

/// What stands above the changes that a model suggests.
pub(super) const SUGGESTED: &str = "suggested by the model: not executed, not reviewed";

/// What a rehearsal of a change gave: `the server would take it: deployment.apps/cart patched`.
pub(super) fn dry_run(run: &DryRun) -> String {
    let verdict = if run.accepted { "the server would take it" } else { "the server would refuse it" };
    format!("{verdict}: {}", run.said)
}

/// Text in at most so many columns: the end goes.
pub fn cut_end(text: &str, columns: usize) -> String {
    if display_width(text) <= columns {
        return text.to_owned();
    }
    let (mut kept, mut used) = (String::new(), 1);
    for c in text.chars() {
        used += c.width().unwrap_or_default();
        if used > columns {
            break;
        }
        kept.push(c);
    }
    kept.truncate(kept.trim_end().len());
    if columns > 0 {
        kept.push('…');
    }
    kept
}

/// How sure a model says it is.
pub(super) fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Low => "low: take it as a guess",
        Confidence::Medium => "medium: likely, not proven",
        Confidence::High => "high",
    }
}
