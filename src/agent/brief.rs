//! What the agent starts from: the causes with their evidence, the gaps, and the runbooks that fit.
//!
//! *Invariant:* pure; and what proves something ([`Brief::evidence`], step 0) is apart from what only advises.

use serde::{Deserialize, Serialize};

use super::shape;
use crate::model::{Cause, Diagnosis, Source};

/// Causes that are told in full; the rest gets a line each.
const IN_FULL: usize = 8;
/// Causes in all.
const IN_ALL: usize = 40;
/// Quotes, consequences and changes of one cause.
const EACH: usize = 6;
/// One quote, and one passage of a runbook.
const QUOTE: usize = 600;
const PASSAGE: usize = 400;

/// What the agent starts from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Brief {
    /// What the detectors proved and could not read: step 0, which may be quoted.
    pub evidence: String,
    /// The runbooks that fit.
    pub advice: String,
}

/// Tells of a diagnosis in at most about `room` bytes.
pub(super) fn brief(diagnosis: &Diagnosis, room: usize) -> Brief {
    let mut evidence = head(diagnosis);
    let mut advice = String::new();
    let (share, shown) = (room * 3 / 4, diagnosis.causes.len().min(IN_ALL));
    for (at, cause) in diagnosis.causes.iter().take(shown).enumerate() {
        let full = if at < IN_FULL { told(at + 1, cause) } else { line(at + 1, cause) };
        let text = if evidence.len() + full.len() > share { line(at + 1, cause) } else { full };
        if evidence.len() + text.len() > share {
            evidence.push_str(&format!("… and {} more causes\n", diagnosis.causes.len() - at));
            break;
        }
        evidence.push_str(&text);
        // Where there is little room, it is the passages that go.
        let told = [true, false].map(|passages| runbooks(at + 1, cause, passages));
        let left = (room - share).saturating_sub(advice.len());
        if let Some(runbooks) = told.iter().find(|text| at < IN_FULL && text.len() <= left) {
            advice.push_str(runbooks);
        }
    }
    if diagnosis.causes.len() > IN_ALL {
        evidence.push_str(&format!("… and {} more causes\n", diagnosis.causes.len() - IN_ALL));
    }
    for gap in diagnosis.gaps.iter().take(EACH) {
        let place = gap.namespace.as_ref().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
        evidence.push_str(&format!("not read: {}{place}: {}\n", gap.what, cut(&gap.reason)));
    }
    Brief { evidence, advice }
}

fn head(diagnosis: &Diagnosis) -> String {
    let scope = diagnosis.namespace.as_ref().map_or("all namespaces".to_owned(), |name| format!("namespace {name}"));
    let counts = &diagnosis.counts;
    let mut text = format!(
        "context {}, {scope}, read at {}: {} objects, {} pods, {} nodes\n",
        diagnosis.context, diagnosis.taken_at, counts.objects, counts.pods, counts.nodes
    );
    if diagnosis.causes.is_empty() {
        text.push_str("the detectors found nothing that is broken\n");
    }
    text
}

fn line(number: usize, cause: &Cause) -> String {
    format!("cause {number} [{}] {}: {}\n", severity(cause), object(&cause.object), cause.summary)
}

fn told(number: usize, cause: &Cause) -> String {
    let mut text = line(number, cause);
    let mut add = |what: &str| text.push_str(&format!("  {what}\n"));
    if let Some(culprit) = &cause.culprit {
        add(&format!("to blame: {}", object(culprit)));
    }
    if let Some(since) = cause.since {
        add(&format!("since {since}"));
    }
    if cause.count > 1 {
        let members: Vec<String> = cause.members.iter().take(3).map(|member| member.name.to_string()).collect();
        add(&format!("stands for {} objects, such as {}", cause.count, members.join(", ")));
    }
    for evidence in cause.evidence.iter().take(EACH) {
        let source = match &evidence.source {
            Source::Field { object: at, path } => format!("{} {path}", object(at)),
            Source::Event { object: at, reason } => format!("event {reason} of {}", object(at)),
            Source::Log { object: at, container, previous } => {
                let run = if *previous { ", run before" } else { "" };
                format!("log of {} [{container}]{run}", object(at))
            }
        };
        add(&format!("{source}: {}", cut(&evidence.quote)));
    }
    for change in cause.changes.iter().take(EACH) {
        let by = change.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
        add(&format!("changed {} {}: {}{by}", change.time, object(&change.object), cut(&change.what)));
    }
    for consequence in cause.consequences.iter().take(EACH) {
        add(&format!("follows: {}: {}", object(&consequence.object), cut(&consequence.summary)));
    }
    if cause.consequences.len() > EACH {
        add(&format!("and {} more that follow", cause.consequences.len() - EACH));
    }
    for unknown in &cause.unknown {
        add(&format!("not known: {}", cut(unknown)));
    }
    text
}

fn runbooks(number: usize, cause: &Cause, passages: bool) -> String {
    let mut text = String::new();
    for advice in cause.runbooks.iter().take(2) {
        let place = &advice.place;
        text.push_str(&format!("cause {number}: {} ({}): {}\n", place.path, advice.title, advice.why));
        if passages && !advice.passage.is_empty() {
            text.push_str(&format!("  it says: {}\n", shape::head(&advice.passage.replace('\n', " "), PASSAGE)));
        }
        for command in &advice.commands {
            text.push_str(&format!("  {}: {}\n", command.purpose, command.line));
        }
    }
    if let Some(none) = &cause.no_runbook {
        text.push_str(&format!("cause {number}: {none}\n"));
    }
    text
}

fn severity(cause: &Cause) -> String {
    format!("{:?}", cause.severity).to_lowercase()
}

/// As kubectl would be asked for it.
fn object(object: &crate::model::ObjectRef) -> String {
    let place = object.namespace.as_ref().map(|namespace| format!(" -n {namespace}")).unwrap_or_default();
    format!("{}/{}{place}", object.kind.argument(), object.name)
}

fn cut(text: &str) -> String {
    let line = text.replace('\n', " ");
    match line.get(..line.floor_char_boundary(QUOTE)) {
        Some(head) if head.len() < line.len() => format!("{head}…"),
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::testing::diagnosis;

    #[test]
    fn the_passage_of_a_runbook_is_told_where_there_is_room() {
        let mut diagnosis = diagnosis();
        diagnosis.causes[0].runbooks[0].passage = format!("Raise the limit.\n{}", "It is too low. ".repeat(60));
        let told = brief(&diagnosis, 16_000).advice;
        assert!(
            told.starts_with("cause 1: oom.md (OOM): detector oom-killed\n  it says: Raise the limit. It is"),
            "{told}"
        );
        assert!(told.len() < 500, "{}", told.len());
        assert_eq!(brief(&diagnosis, 1_000).advice, "cause 1: oom.md (OOM): detector oom-killed\n");
    }
}
