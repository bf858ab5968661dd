//! What an incident adds to a runbook that is there already.
//!
//! *Invariant:* pure. What people wrote stays word for word: a step is added below what Mitigation has, parameters and
//! provenance are added at the head. Where all is there already, nothing is changed.

use super::page::{self, Page};
use crate::kubectl;
use crate::model::Role;
use crate::model::runbook::{FrontMatter, Runbook};
use crate::runbook::draft;

/// Incidents that a runbook names at the most: its schema says so.
const INCIDENTS: usize = 10;

/// What became of a runbook.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Update {
    /// Its new text, and what is new in it, for people.
    Changed {
        /// The file.
        text: String,
        /// `another way to mend it`, …
        news: Vec<String>,
    },
    /// All of it was there: the signature, and each line that mends it.
    Known,
}

/// Adds to `runbook`, whose file is `text`, what `page` has more.
pub(super) fn merge(runbook: &Runbook, text: &str, page: &Page, words: &str) -> Update {
    let named = |id: &String| runbook.front.provenance.iter().any(|provenance| provenance.incidents.contains(id));
    if page.front.provenance.iter().flat_map(|provenance| &provenance.incidents).any(named) {
        return Update::Known;
    }
    let mut front = runbook.front.clone();
    let mut news = Vec::new();
    // What goes back may be the same line with another value.
    let forward = runbook.blocks.iter().filter(|block| block.role != Some(Role::Rollback));
    let lines: Vec<&str> = forward.flat_map(|block| &block.lines).map(|line| line.text.as_str()).collect();
    let fresh: Vec<&String> = page.fixes.iter().filter(|fix| !lines.iter().any(|line| is_same(line, fix))).collect();
    let known = &mut front.signature.detectors;
    for detector in &page.front.signature.detectors {
        if !known.contains(detector) {
            known.push(detector.clone());
            news.push(format!("a signal: detector `{detector}`"));
        }
    }
    let mut body = body_of(text).to_owned();
    if !fresh.is_empty() {
        let step = step(&fresh, words, &block_name(runbook));
        match appended(&body, "## Mitigation", &step) {
            Some(more) => {
                body = more;
                news.push("another way to mend it".to_owned());
                params(&mut front, page, &fresh);
            }
            None => return Update::Known,
        }
    }
    // What only tells apart is no news by itself: it comes with a step, or with the next.
    if news.is_empty() {
        return Update::Known;
    }
    for (name, line) in page.alike.iter().filter(|(name, _)| !text.contains(name.as_str())) {
        if let Some(more) = appended(&body, "## Diagnosis", &(textwrap::fill(line, page::wrapping()) + "\n")) {
            body = more;
            news.push(format!("a look-alike: `{name}`"));
        }
    }
    provenance(&mut front, page);
    front.reviewed.clone_from(&page.front.reviewed);
    Update::Changed { text: with_line_ends(draft::to_markdown(&front, &body), text), news }
}

/// Whether two lines do the same: the verb, the flags and the shape, whatever the placeholders are called.
pub fn is_same(one: &str, other: &str) -> bool {
    let shape = |line: &str| -> Option<Vec<String>> {
        let command = kubectl::parse(line).ok()?;
        let mut words = command.argv();
        // `TYPE NAME` and `TYPE/NAME` are one; so are the ways to name a type and a namespace.
        words.retain(|word| word != "-n" && word != "--namespace" && word != "$NAMESPACE");
        Some(words.iter().flat_map(|word| word.split('/').map(open).collect::<Vec<_>>()).collect())
    };
    let (Some(one), Some(other)) = (shape(one), shape(other)) else { return one == other };
    // `$WORKLOAD` stands for `deployment/$DEPLOYMENT`.
    let kinds = ["deployment", "deploy", "statefulset", "sts", "daemonset", "ds", "cronjob", "service", "svc"];
    let bare =
        |words: Vec<String>| words.into_iter().filter(|word| !kinds.contains(&word.as_str())).collect::<Vec<_>>();
    bare(one) == bare(other)
}

/// A word with its placeholders all called the same.
fn open(word: &str) -> String {
    let mut out = String::new();
    let mut letters = word.chars().peekable();
    while let Some(letter) = letters.next() {
        out.push(letter);
        if letter == '$' {
            while letters.next_if(|next| next.is_ascii_uppercase() || next.is_ascii_digit() || *next == '_').is_some() {
            }
        }
    }
    out
}

fn block_name(runbook: &Runbook) -> String {
    let taken = |name: &str| runbook.blocks.iter().any(|block| block.name.as_deref() == Some(name));
    let free = (2..100).map(|number| format!("fix-{number}")).find(|name| !taken(name));
    free.unwrap_or_else(|| "fix-more".to_owned())
}

fn step(fresh: &[&String], words: &str, name: &str) -> String {
    let lines: Vec<&str> = fresh.iter().map(|line| line.as_str()).collect();
    let words = textwrap::fill(&format!("Or: {words}"), page::wrapping());
    format!("{words}\n\n```sh {{\"name\":\"{name}\",\"react\":\"fix\"}}\n{}\n```\n", lines.join("\n"))
}

/// The body with a paragraph more at the end of a section.
fn appended(body: &str, heading: &str, paragraph: &str) -> Option<String> {
    let mut at = 0;
    let mut inside = false;
    let mut fence: Option<&str> = None;
    let mut end = None;
    for line in body.split_inclusive('\n') {
        let text = line.trim_start();
        match fence {
            Some(mark) => fence = fence.filter(|_| text.trim_end() != mark),
            None if text.starts_with("```") => fence = Some("```"),
            None if text.starts_with("~~~~") => fence = Some("~~~~"),
            None if line.starts_with("## ") => {
                if inside {
                    end = Some(at);
                    break;
                }
                inside = line.trim_end() == heading;
            }
            None => {}
        }
        at += line.len();
    }
    if !inside {
        return None;
    }
    let end = end.unwrap_or(body.len());
    let (before, after) = (body.get(..end)?.trim_end(), body.get(end..)?);
    let gap = if after.is_empty() { "" } else { "\n" };
    Some(format!("{before}\n\n{paragraph}{gap}{after}"))
}

/// The parameters of the new lines, declared.
fn params(front: &mut FrontMatter, page: &Page, fresh: &[&String]) {
    for (name, what) in &page.front.params {
        let used = fresh.iter().any(|line| line.contains(&format!("${name}")));
        if used {
            front.params.entry(name.clone()).or_insert_with(|| what.clone());
        }
    }
}

fn provenance(front: &mut FrontMatter, page: &Page) {
    let Some(new) = &page.front.provenance else { return };
    let provenance = front.provenance.get_or_insert_with(Default::default);
    for incident in &new.incidents {
        if !provenance.incidents.contains(incident) {
            provenance.incidents.push(incident.clone());
        }
    }
    let many = provenance.incidents.len().saturating_sub(INCIDENTS);
    provenance.incidents.drain(..many);
}

/// What stands below the front matter.
pub(super) fn body_of(text: &str) -> &str {
    let Some(rest) = text.strip_prefix("---\n").or_else(|| text.strip_prefix("---\r\n")) else { return text };
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        at += line.len();
        if line.trim_end() == "---" {
            return rest.get(at..).unwrap_or_default();
        }
    }
    text
}

/// With the line ends that the file has.
fn with_line_ends(new: String, old: &str) -> String {
    if old.contains("\r\n") { new.replace("\r\n", "\n").replace('\n', "\r\n") } else { new }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_shape_are_the_same() {
        let table = [
            (
                "kubectl -n $NAMESPACE rollout undo deployment/$DEPLOYMENT",
                "kubectl -n $NAMESPACE rollout undo $WORKLOAD",
                true,
            ),
            (
                "kubectl -n $NAMESPACE rollout undo deployment $NAME",
                "kubectl rollout undo deploy/$DEPLOYMENT -n $NAMESPACE",
                true,
            ),
            (
                "kubectl -n $NAMESPACE set image $WORKLOAD $CONTAINER=$IMAGE",
                "kubectl -n $NAMESPACE set image deployment/$DEPLOYMENT $C=$NEW",
                true,
            ),
            ("kubectl -n $NAMESPACE rollout undo $WORKLOAD", "kubectl -n $NAMESPACE rollout restart $WORKLOAD", false),
            (
                "kubectl -n $NAMESPACE scale $WORKLOAD --replicas=2",
                "kubectl -n $NAMESPACE scale $WORKLOAD --replicas=3",
                false,
            ),
        ];
        for (one, other, same) in table {
            assert_eq!(is_same(one, other), same, "{one} / {other}");
        }
    }

    #[test]
    fn a_step_goes_to_the_end_of_mitigation() {
        let body = "# T\n\n## Mitigation\n\nDo.\n\n```sh\n## not a heading\n```\n\n## Rollback\n\nNone.\n";
        let expected = "# T\n\n## Mitigation\n\nDo.\n\n```sh\n## not a heading\n```\n\nOr: x\n\n## Rollback\n\nNone.\n";
        assert_eq!(appended(body, "## Mitigation", "Or: x\n").as_deref(), Some(expected));
        assert_eq!(
            appended("## Mitigation\n\nDo.\n", "## Mitigation", "Or: x\n").as_deref(),
            Some("## Mitigation\n\nDo.\n\nOr: x\n")
        );
        assert_eq!(appended("## Meaning\n", "## Mitigation", "Or: x\n"), None);
    }
}
