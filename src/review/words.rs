//! Front matter and sections in words.

use super::{Brief, line};
use crate::model::Runbook;
use crate::model::runbook::Signature;

/// As much of a section as its brief has, in characters.
const BRIEF: usize = 160;

/// What a signature matches: any of these, narrowed by what begins with "only".
pub(super) fn signature(signature: &Signature) -> Vec<String> {
    let mut words = Vec::new();
    let list = |items: &[String]| items.iter().map(|item| format!("`{item}`")).collect::<Vec<_>>().join(", ");
    let codes: Vec<String> = signature.exit_codes.iter().map(ToString::to_string).collect();
    let mut say = |what: &str, items: &[String]| {
        if !items.is_empty() {
            words.push(format!("{what} {}", list(items)));
        }
    };
    say("what the detectors find:", &signature.detectors);
    say("the alerts", &signature.alerts);
    say("lines of logs that match", &signature.logs);
    if signature.reasons.is_empty() || codes.is_empty() {
        say("the reasons", &signature.reasons);
        say("the exit codes", &codes);
    } else {
        words.push(format!("the reasons {} with the exit codes {}", list(&signature.reasons), list(&codes)));
    }
    let mut only = |what: &str, items: &[String]| {
        if !items.is_empty() {
            words.push(format!("only {what} {}", list(items)));
        }
    };
    only("for the kinds", &signature.kinds);
    only("with the labels", signature.labels.as_slice());
    words
}

/// Its sections, each with its first words. Code is left out: commands are shown apart.
pub(super) fn sections(runbook: &Runbook) -> Vec<Brief> {
    let named = runbook.sections.iter().filter(|section| section.level > 1 && !section.heading.is_empty());
    named.map(|section| Brief { heading: line(&section.heading), text: first_words(&section.text) }).collect()
}

fn first_words(text: &str) -> String {
    let mut fence: Option<&str> = None;
    let mut words = String::new();
    for part in text.lines() {
        let trimmed = part.trim();
        let mark = ["```", "~~~"].into_iter().find(|mark| trimmed.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (Some(_), _) => {}
            (None, None) if trimmed.is_empty() && !words.is_empty() => break,
            (None, None) => {
                words.push(' ');
                words.push_str(trimmed);
            }
        }
    }
    let words = line(&words);
    if words.chars().count() <= BRIEF {
        return words;
    }
    words.chars().take(BRIEF - 1).chain(['…']).collect()
}
