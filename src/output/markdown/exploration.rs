//! What the agent found out, for a ticket: each claim with the words that prove it, and a mark on what nothing proves.
//!
//! *Invariant:* only what may be pasted stands in a block of `sh`. Of a model's own markdown its lines, items, code and
//! tables stay; nothing of it becomes a heading, a link, an image or a mention.

use std::fmt::Write as _;

use pulldown_cmark::{Event, Options, Parser, TagEnd};

use super::{list, quoted};
use crate::model::{Answer, Claim, Confidence, Ended, Exploration, Standing, StatedCause, SuggestedChange};
use crate::output::markup::{code, fenced, inline};
use crate::output::{Style, prose, words};

/// No line of it is wrapped.
const PLAIN: Style = Style { color: false, width: usize::MAX, verbose: false };

pub(super) fn exploration(out: &mut String, exploration: &Exploration) {
    let _ = writeln!(out, "\n## Agent\n\n{}", inline(&words::explorer(exploration)));
    if let Some(question) = &exploration.question {
        let _ = writeln!(out, "\nAsked: {}", inline(question));
    }
    if let Some(answer) = &exploration.answer {
        self::answer(out, answer, exploration);
    }
    list(out, "### Notes", exploration.notes.iter().map(|note| inline(note)));
    if !exploration.usage.model.is_empty() {
        let _ = writeln!(out, "\n{}", inline(&words::cost(&exploration.usage)));
    }
    if let Some(incident) = &exploration.incident {
        let _ = writeln!(out, "\nSee {}.", code(&format!("kubectl react incidents show {incident}")));
    }
}

fn answer(out: &mut String, answer: &Answer, exploration: &Exploration) {
    let summary = self::summary(&answer.summary);
    if !summary.is_empty() {
        quoted(out, &summary);
    }
    if let Standing::Unsupported { why } = &answer.summary_standing {
        let _ = writeln!(out, "\nUnproven, the summary: {}", inline(why));
    }
    for cause in &answer.causes {
        stated(out, cause, exploration);
    }
    let lines = |lines: &[String]| lines.iter().map(|line| inline(line)).collect::<Vec<_>>().into_iter();
    list(out, "### Against the detectors", lines(&answer.contradictions));
    list(out, "### What would decide it", answer.undecided.iter().map(|undecided| inline(undecided)));
    list(out, "### Not checked", lines(&answer.not_checked));
    if answer.confidence < Confidence::High || exploration.ended != Ended::Answered {
        let _ = writeln!(out, "\nThe model's confidence is {}.", words::confidence(answer.confidence));
    }
    if !answer.changes.is_empty() {
        let _ = writeln!(out, "\n### Suggested changes\n\n{}", words::SUGGESTED);
    }
    for change in &answer.changes {
        self::change(out, change);
    }
}

/// A model's markdown: what stands in columns as it is, in a fence, and all else as escaped text.
fn summary(source: &str) -> String {
    let mut blocks = Vec::new();
    let (mut depth, mut told, mut text) = (0_usize, 0, String::new());
    for (event, range) in Parser::new_ext(source, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            Event::Start(_) => {
                depth += 1;
                text.clear();
            }
            Event::Text(part) => text.push_str(&part),
            Event::End(end) => {
                depth = depth.saturating_sub(1);
                let block = match end {
                    TagEnd::CodeBlock if depth == 0 => text.trim_end_matches('\n').to_owned(),
                    TagEnd::Table if depth == 0 => prose::answer(part(source, range.start, range.end), &PLAIN, 0),
                    _ => continue,
                };
                blocks.extend(paragraphs(part(source, told, range.start)));
                blocks.push(fenced("", block.trim_end()));
                told = range.end;
            }
            _ => {}
        }
    }
    blocks.extend(paragraphs(part(source, told, source.len())));
    blocks.join("\n\n")
}

fn part(source: &str, start: usize, end: usize) -> &str {
    source.get(start..end).unwrap_or_default()
}

/// Each line a paragraph, and items that follow each other a list.
fn paragraphs(source: &str) -> Option<String> {
    let is_item = |line: &str| {
        let text = line.trim_start();
        text.starts_with("- ") || text.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(". ")
    };
    let (mut out, mut after_item) = (String::new(), false);
    for line in prose::answer(source, &PLAIN, 0).lines() {
        let item = is_item(line);
        if !out.is_empty() {
            out.push_str(if item && after_item { "\n" } else { "\n\n" });
        }
        out.push_str(&inline(line));
        after_item = item;
    }
    (!out.is_empty()).then_some(out)
}

fn stated(out: &mut String, cause: &StatedCause, exploration: &Exploration) {
    let mark = match &cause.standing {
        Standing::Supported => "Proven",
        Standing::Unsupported { .. } | Standing::Unchecked => "Unproven",
    };
    let object = cause.object.as_ref().map(|object| format!(" ({object})")).unwrap_or_default();
    let _ = writeln!(out, "\n### {mark}: {}", inline(&format!("{}{object}", cause.statement)));
    if let Standing::Unsupported { why } = &cause.standing {
        let _ = writeln!(out, "\nUnsupported: {}", inline(why));
    }
    for claim in &cause.claims {
        self::claim(out, claim, exploration);
    }
}

fn claim(out: &mut String, claim: &Claim, exploration: &Exploration) {
    let text = inline(&claim.text);
    let text = match &claim.standing {
        Standing::Supported => text,
        Standing::Unsupported { why } => format!("unsupported: {text} ({})", inline(why)),
        Standing::Unchecked => format!("unsupported: {text}"),
    };
    let source = match exploration.steps.iter().find(|step| step.number == claim.step) {
        Some(step) => format!("step {}: {}", step.number, code(&step.action)),
        None if claim.step == 0 => "the detectors".to_owned(),
        None => format!("step {}", claim.step),
    };
    let quote = if claim.quote.is_empty() { String::new() } else { fenced("", &claim.quote) + "\n" };
    quoted(out, &format!("{quote}— {text}, {source}"));
}

fn change(out: &mut String, change: &SuggestedChange) {
    if let Some(why) = &change.refused {
        let text = format!("{}: not a command that can be pasted ({why}): {}", change.purpose, change.line);
        let _ = writeln!(out, "\n{}", inline(&text));
        return;
    }
    let mut lines = vec![format!("# {}", change.purpose), change.line.clone()];
    lines.extend(change.risks.iter().map(|risk| format!("# mind: {risk}")));
    lines.extend(change.dry_run.iter().map(|run| format!("# dry run: {}", words::dry_run(run))));
    let _ = writeln!(out, "\n{}", fenced("sh", &lines.join("\n")));
}
