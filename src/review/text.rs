//! A review for a terminal.
//!
//! *Invariant:* no line begins with a text of others: a workflow that prints it would take `::` there for a command.

use std::fmt::Write as _;

use super::{About, By, Fit, Review, Reviewed, differ};
use crate::model::runbook::Role;
use crate::runbook::Problem;

pub(super) fn render(review: &Review) -> String {
    let mut out = format!("{} of {}\n", review.title, review.source);
    if !review.trusted.is_empty() {
        let short = review.base.get(..12).unwrap_or(&review.base);
        let _ = writeln!(out, "against {} at {short}; nothing of it is used before it is merged", review.trusted);
    }
    let _ = writeln!(out, "{}", review.counts());
    for note in &review.notes {
        let _ = writeln!(out, "note: {note}");
    }
    for reviewed in &review.runbooks {
        runbook(&mut out, reviewed);
    }
    if !review.elsewhere.is_empty() {
        out.push_str("\nIn other files, since this change\n");
        problems(&mut out, &review.elsewhere, true);
    }
    out
}

fn runbook(out: &mut String, reviewed: &Reviewed) {
    let from = reviewed.from.as_ref().map(|from| format!(" (was {from})")).unwrap_or_default();
    let _ = writeln!(out, "\n{}: {}{from}", reviewed.what, reviewed.path);
    if let Some(about) = &reviewed.about {
        head(out, about);
    } else if reviewed.what != "removed" {
        out.push_str("  it can't be read as a runbook\n");
    }
    part(out, "what is another", reviewed.changes.iter().cloned());
    if let Some(about) = &reviewed.about {
        part(
            out,
            "sections",
            about.sections.iter().map(|section| match section.text.as_str() {
                "" => section.heading.clone(),
                text => format!("{}: {text}", section.heading),
            }),
        );
        steps(out, about);
        part(out, "a person must fill", about.open.iter().map(|open| format!("${}: {}", open.name, open.says)));
        part(out, "manifests", about.manifests.iter().cloned());
    }
    if !reviewed.problems.is_empty() {
        out.push_str("  lint\n");
        problems(out, &reviewed.problems, false);
    }
    if let Some(fits) = &reviewed.fits {
        let _ = writeln!(out, "  {}", fits.told());
        for fit in &fits.fits {
            let _ = writeln!(out, "    - {}", told(fit));
        }
        let more = fits.matched.saturating_sub(fits.fits.len());
        if more > 0 {
            let _ = writeln!(out, "    and {more} more");
        }
    }
}

fn head(out: &mut String, about: &About) {
    let _ = writeln!(out, "  title: {}", about.title);
    let _ = writeln!(out, "  when: {}", about.description);
    let _ = writeln!(out, "  {}", state(about));
    part(out, "matches", about.matches.iter().cloned());
}

/// `active, critical; automation suggest, risk low`.
pub(super) fn state(about: &About) -> String {
    let severity = format!("{:?}", about.severity).to_lowercase();
    let derived = if about.derived { "; it has no front matter of ours" } else { "" };
    format!(
        "{}, {severity}; automation {}, risk {}{derived}",
        differ::status(about.status),
        differ::level(about.level),
        differ::risk(about.risk)
    )
}

fn steps(out: &mut String, about: &About) {
    for (role, word) in roles() {
        let steps: Vec<_> = about.steps.iter().filter(|step| step.role == role).collect();
        if !steps.is_empty() {
            let _ = writeln!(out, "  {word}");
        }
        for step in steps {
            let _ = writeln!(out, "    $ {}", step.line);
            let _ = writeln!(out, "      {}", step.told());
        }
    }
}

/// The roles, in the order of a reader, with what they are for.
pub(super) fn roles() -> [(Option<Role>, &'static str); 5] {
    [
        (Some(Role::Diagnose), "commands to look"),
        (Some(Role::Fix), "commands to fix"),
        (Some(Role::Verify), "commands to verify"),
        (Some(Role::Rollback), "commands to go back"),
        (None, "commands without a role"),
    ]
}

/// A fit in a sentence.
pub(super) fn told(fit: &Fit) -> String {
    let rank = match fit.rank {
        Some(1) => "it would come first".to_owned(),
        Some(rank) => format!("it would be number {rank}"),
        None => "it would not be shown".to_owned(),
    };
    let stray = if fit.is_wrong() { "look: " } else { "" };
    let by = if fit.by == By::Stray { "; it names other detectors" } else { "" };
    let displaces = fit.displaces.as_ref().map(|path| format!(", before `{path}`")).unwrap_or_default();
    let helped = fit.outranks_what_helped.as_ref().map(|path| format!(", and before `{path}`, which helped there"));
    let open = if fit.open.is_empty() { String::new() } else { format!("; not filled: {}", fit.open.join(", ")) };
    format!(
        "{stray}{}, {} ({}): by {}{by}; {rank}{displaces}{}{open}",
        fit.case,
        fit.cause,
        fit.detector,
        fit.why.join("; "),
        helped.unwrap_or_default()
    )
}

fn part(out: &mut String, heading: &str, items: impl Iterator<Item = String>) {
    let mut items = items.peekable();
    if items.peek().is_some() {
        let _ = writeln!(out, "  {heading}");
    }
    for item in items {
        let _ = writeln!(out, "    - {item}");
    }
}

fn problems(out: &mut String, problems: &[Problem], path: bool) {
    for problem in problems {
        let path = if path { format!(" of {}", problem.path) } else { String::new() };
        let hint = problem.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        let _ =
            writeln!(out, "    line {}{path}: {}: {}{hint}", problem.line, problem.severity.word(), problem.message);
    }
}
