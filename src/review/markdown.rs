//! A review for the summary of a workflow, or for a comment.
//!
//! *Invariant:* what a branch says forms no markup, link, mention or HTML: it is escaped, or stands in code; commands
//! stand in a fence that they can't close. There is no table that a text could end. It fits into a summary.

use std::fmt::Write as _;

use super::{About, Review, Reviewed, text};
use crate::output::markup::{code, fenced, inline};
use crate::runbook::Problem;

/// A summary may have 1 MiB; a comment less.
const MOST: usize = 200_000;
/// So many commands are shown of one runbook.
const COMMANDS: usize = 60;

pub(super) fn render(review: &Review) -> String {
    let mut out = format!("## Runbooks: {}\n", inline(&review.title));
    if !review.trusted.is_empty() {
        let short = review.base.get(..12).unwrap_or(&review.base);
        let _ = writeln!(
            out,
            "\nAgainst {} at {}. Nothing of it is used before it is merged.",
            code(&review.trusted),
            code(short)
        );
    }
    let _ = writeln!(out, "\n**{}**", review.counts());
    list(&mut out, "", review.notes.iter().map(|note| inline(note)));
    for (number, reviewed) in review.runbooks.iter().enumerate() {
        let mut part = String::new();
        runbook(&mut part, reviewed);
        if out.len() + part.len() > MOST {
            let left = review.runbooks.len() - number;
            let _ = writeln!(out, "\n{left} more would not fit here.");
            break;
        }
        out.push_str(&part);
    }
    let room = MOST.saturating_sub(out.len()) / 1000;
    list(
        &mut out,
        "### In other files, since this change",
        review.elsewhere.iter().take(room).map(|p| problem(p, true)),
    );
    out
}

fn runbook(out: &mut String, reviewed: &Reviewed) {
    let from = reviewed.from.as_ref().map(|from| format!(" (was {})", code(from))).unwrap_or_default();
    let _ = writeln!(out, "\n### {}: {}{from}", reviewed.what, code(&reviewed.path));
    match &reviewed.about {
        Some(about) => head(out, about),
        None if reviewed.what != "removed" => out.push_str("\nIt can't be read as a runbook.\n"),
        None => {}
    }
    list(out, "**What is another**", reviewed.changes.iter().map(|change| inline(change)));
    list(out, "**Lint**", reviewed.problems.iter().map(|found| problem(found, false)));
    if let Some(about) = &reviewed.about {
        commands(out, about);
        let open =
            about.open.iter().map(|open| format!("{}: {}", code(&format!("${}", open.name)), inline(&open.says)));
        list(out, "**A person must fill**", open);
        list(out, "**Manifests**", about.manifests.iter().map(|name| code(name)));
        let sections = about.sections.iter().map(|section| match section.text.as_str() {
            "" => inline(&section.heading),
            text => format!("{}: {}", inline(&section.heading), inline(text)),
        });
        list(out, "**Sections**", sections);
    }
    if let Some(fits) = &reviewed.fits {
        let _ = writeln!(out, "\nIt {}.", fits.told());
        list(out, "", fits.fits.iter().map(|fit| inline(&text::told(fit))));
    }
}

fn head(out: &mut String, about: &About) {
    let _ = writeln!(out, "\n{}: {}", inline(&about.title), inline(&about.description));
    let _ = writeln!(out, "\n{}", inline(&text::state(about)));
    list(out, "**Matches**", about.matches.iter().map(|words| inline(words)));
}

fn commands(out: &mut String, about: &About) {
    let mut left = COMMANDS;
    for (role, word) in text::roles() {
        let steps: Vec<_> = about.steps.iter().filter(|step| step.role == role).take(left).collect();
        left -= steps.len();
        if steps.is_empty() {
            continue;
        }
        let lines = steps.iter().map(|step| {
            format!(
                "# {}
{}",
                step.told(),
                step.line
            )
        });
        let block = fenced("sh", &lines.collect::<Vec<_>>().join("\n"));
        let _ = writeln!(out, "\n**{}**\n\n{block}", capital(word));
    }
    let more = about.steps.len() - (COMMANDS - left);
    if more > 0 {
        let _ = writeln!(out, "\n{more} more commands would not fit here.");
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn problem(problem: &Problem, path: bool) -> String {
    let path = if path { format!("{} ", code(&problem.path)) } else { String::new() };
    let hint = problem.hint.as_ref().map(|hint| format!(" ({})", inline(hint))).unwrap_or_default();
    let rule = code(problem.rule);
    format!("{path}line {}, {} {rule}: {}{hint}", problem.line, problem.severity.word(), inline(&problem.message))
}

fn list(out: &mut String, heading: &str, items: impl Iterator<Item = String>) {
    let mut items = items.peekable();
    if items.peek().is_none() {
        return;
    }
    if !heading.is_empty() {
        let _ = writeln!(out, "\n{heading}");
    }
    out.push('\n');
    for item in items {
        let _ = writeln!(out, "- {item}");
    }
}
