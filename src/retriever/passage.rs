//! What a runbook says to a cause, in the words that both have.
//!
//! *Invariant:* pure; it is a paragraph of the runbook, of commands and tables nothing.

use std::collections::BTreeSet;

use crate::model::{Cause, Runbook};

/// Shorter words are in any text.
const SHORT: usize = 4;

/// The paragraph that has most words in common with the cause; of equals the first, which says what it is about.
pub(super) fn fitting(runbook: &Runbook, cause: &Cause) -> String {
    let quotes = cause.evidence.iter().map(|evidence| evidence.quote.as_str());
    let asked: BTreeSet<String> = quotes.chain([cause.summary.as_str()]).flat_map(words).collect();
    let mut best: Option<(usize, String)> = None;
    for text in runbook.sections.iter().flat_map(|section| paragraphs(&section.text)) {
        let said: BTreeSet<String> = words(&text).collect();
        let common = said.intersection(&asked).count();
        if best.as_ref().is_none_or(|(most, _)| common > *most) {
            best = Some((common, text));
        }
    }
    best.map(|(_, text)| text).unwrap_or_default()
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| word.len() >= SHORT);
    words.map(str::to_lowercase)
}

/// The paragraphs of a section, each on one line.
fn paragraphs(markdown: &str) -> Vec<String> {
    let (mut all, mut open, mut fenced) = (Vec::new(), Vec::new(), false);
    for line in markdown.lines().map(str::trim).chain([""]) {
        let fence = line.starts_with("```") || line.starts_with("~~~");
        fenced ^= fence;
        if fenced || fence || line.is_empty() || line.starts_with('|') {
            if !open.is_empty() {
                all.push(open.join(" "));
                open.clear();
            }
        } else {
            open.push(line);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_prose() {
        let markdown = "The process ended\nby itself.\n\n| code | who |\n|---|---|\n\n1. Look:\n\n   ```sh\n   kubectl get pods\n\n   kubectl logs x\n   ```\n\n   Then mend it.\n";
        assert_eq!(paragraphs(markdown), ["The process ended by itself.", "1. Look:", "Then mend it."]);
    }
}
