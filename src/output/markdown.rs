//! For a ticket or a chat.
//!
//! *Invariant:* what a cluster wrote forms no markup, link or mention: it stands in code, or is escaped.

use std::fmt::Write as _;

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
        let quoted = format!("{}\n— {}{time}", fenced("", &evidence.quote), code(&words::source(&evidence.source)));
        out.push('\n');
        for line in quoted.lines() {
            let _ = writeln!(out, "{}", format!("> {line}").trim_end());
        }
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

fn list(out: &mut String, heading: &str, items: impl Iterator<Item = String>) {
    let mut items = items.peekable();
    if items.peek().is_some() {
        let _ = writeln!(out, "\n{heading}\n");
    }
    for item in items {
        let _ = writeln!(out, "- {item}");
    }
}

/// Text among other text: words that a forge would turn into a link or a mention become code, the
/// rest is escaped.
///
/// Pairs of backticks become code too, as our own sentences mean them.
fn inline(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len() < 3 || parts.len().is_multiple_of(2) || text.contains("``") {
        return sentence(text);
    }
    let part = |(at, part): (usize, &&str)| if at % 2 == 1 { code(part.trim()) } else { between(part) };
    parts.iter().enumerate().map(part).collect()
}

/// A sentence's part, with one blank at each end that had any.
fn between(text: &str) -> String {
    let inner = sentence(text);
    let edge = |blank| if blank { " " } else { "" };
    if inner.is_empty() {
        return edge(!text.is_empty()).to_owned();
    }
    format!("{}{inner}{}", edge(text.starts_with(char::is_whitespace)), edge(text.ends_with(char::is_whitespace)))
}

fn sentence(text: &str) -> String {
    let word = |word: &str| if is_active(word) { code(word) } else { escaped(word) };
    text.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

/// Whether a forge would see a link, a mention or a reference in it.
fn is_active(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    word.contains('@')
        || lower.contains("://")
        || lower.contains("www.")
        || lower.contains("mailto:")
        || word.contains(['#', '!', '$', '%', '~', '^']) && word.contains(|c: char| c.is_ascii_digit())
}

fn escaped(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    for c in word.chars() {
        if matches!(
            c,
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '$' | '!' | '^'
        ) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A code span, with a fence that the text can't close.
fn code(text: &str) -> String {
    let fence = "`".repeat(longest_run(text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') || text.is_empty() { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A code block, with a fence that the text can't close.
fn fenced(language: &str, text: &str) -> String {
    let fence = "`".repeat((longest_run(text) + 1).max(3));
    format!("{fence}{language}\n{text}\n{fence}")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}
