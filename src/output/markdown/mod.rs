//! For a ticket or a chat.
//!
//! *Invariant:* what a cluster or a model wrote forms no markup, link or mention: it stands in code, or is escaped.

mod exploration;

use std::fmt::Write as _;

use super::markup::{code, fenced, inline};
use super::words;
use crate::model::{Cause, Diagnosis, Severity, Verdict};

pub(super) fn render(diagnosis: &Diagnosis) -> String {
    let title = match diagnosis.verdict {
        Verdict::Healthy => "Healthy".to_owned(),
        Verdict::Unknown => "Unknown".to_owned(),
        Verdict::Unhealthy => words::count(diagnosis.causes.len(), "cause"),
    };
    let context =
        if diagnosis.context.is_empty() { String::new() } else { format!(" Context {}.", code(&diagnosis.context)) };
    let scope = inline(&words::scope(diagnosis));
    let mut out = format!("# Diagnosis: {title}\n\nRead {scope}, {}.{context}\n", words::stamp(diagnosis.taken_at));
    for (at, cause) in diagnosis.causes.iter().enumerate() {
        self::cause(&mut out, at + 1, cause, diagnosis);
    }
    if let Some(exploration) = &diagnosis.exploration {
        exploration::exploration(&mut out, exploration);
    }
    let gaps = words::gaps(&diagnosis.gaps, usize::MAX);
    list(&mut out, "## Not read", gaps.iter().map(|gap| inline(gap)));
    if let Some(silenced) = words::silenced(diagnosis.silenced) {
        let _ = writeln!(out, "\n{silenced}.");
    }
    for library in words::libraries(&diagnosis.libraries) {
        let _ = writeln!(out, "\nRunbooks: {}.", inline(&library));
    }
    out
}

fn cause(out: &mut String, number: usize, cause: &Cause, diagnosis: &Diagnosis) {
    let severity = match cause.severity {
        Severity::Critical => "Critical",
        Severity::Warning => "Warning",
        Severity::Info => "Info",
    };
    let headline = inline(&words::sentence(&cause.object, &cause.summary));
    let _ = writeln!(out, "\n## {number}. {severity}: {headline}");
    let since = cause.since.map(|since| format!("Since {}", words::since(since, diagnosis.taken_at)));
    let facts: Vec<String> = since.into_iter().chain(words::multitude(cause)).collect();
    if !facts.is_empty() {
        let _ = writeln!(out, "\n{}", inline(&facts.join(", ")));
    }
    list(
        out,
        "### Changed before",
        cause.changes.iter().map(|change| {
            let by = change.by.as_ref().map(|by| format!(" (by {by})")).unwrap_or_default();
            format!(
                "{}: {}, {}",
                words::stamp(change.time),
                inline(&change.object.to_string()),
                inline(&format!("{}{by}", change.what))
            )
        }),
    );
    if !cause.evidence.is_empty() {
        out.push_str("\n### Evidence\n");
    }
    for evidence in &cause.evidence {
        let time = evidence.time.map(|time| format!(", {}", words::stamp(time))).unwrap_or_default();
        let source = code(&words::source(&evidence.source));
        quoted(out, &format!("{}\n— {source}{time}", fenced("", &evidence.quote)));
    }
    list(
        out,
        "### What it takes down",
        cause.consequences.iter().map(|consequence| {
            let path = words::path(consequence).map(|path| format!(" ({})", inline(&path))).unwrap_or_default();
            format!("{}{path}", inline(&words::sentence(&consequence.object, &consequence.summary)))
        }),
    );
    list(out, "### Not known", cause.unknown.iter().map(|unknown| inline(unknown)));
    if let Some(none) = &cause.no_runbook {
        let _ = writeln!(out, "\n{}.", inline(none));
    }
    list(
        out,
        "### Runbooks",
        cause.runbooks.iter().map(|advice| {
            let status = words::status(advice.status, advice.superseded_by.as_deref());
            let (title, why) = (inline(&advice.title), inline(&advice.why));
            format!("{title}{status}: {}, by {why}", code(&words::citation(&advice.place)))
        }),
    );
    let commands: Vec<_> = cause.commands.iter().cloned().chain(words::runbook_commands(cause)).collect();
    if !commands.is_empty() {
        let lines = commands.iter().map(|command| {
            let note = if command.changes { " (changes the cluster)" } else { "" };
            format!("# {}{note}\n{}", command.purpose, command.line)
        });
        let _ = writeln!(out, "\n### Next\n\n{}", fenced("sh", &lines.collect::<Vec<_>>().join("\n")));
    }
    let _ = writeln!(
        out,
        "\nDetector {}, see {}.",
        code(&cause.detector),
        code(&format!("kubectl react explain {}", cause.detector))
    );
}

/// A block of its own, marked as the words of someone else.
fn quoted(out: &mut String, text: &str) {
    out.push('\n');
    for line in text.lines() {
        let _ = writeln!(out, "{}", format!("> {line}").trim_end());
    }
}

fn list(out: &mut String, heading: &str, items: impl Iterator<Item = String>) {
    let mut items = items.peekable();
    if items.peek().is_some() {
        let _ = writeln!(out, "\n{heading}\n");
    }
    for item in items {
        let _ = writeln!(out, "- {item}");
    }
}
