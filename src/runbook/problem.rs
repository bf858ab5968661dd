//! What is wrong with a runbook, where, and what to do about it.
//!
//! *Invariant:* a problem names its rule, its file and its line, and never quotes a secret.

use schemars::JsonSchema;
use serde::Serialize;

/// How much a problem weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Gravity {
    /// It must be mended before the file is merged.
    Error,
    /// It should be.
    Warning,
    /// Worth knowing.
    Note,
}

impl Gravity {
    /// The word for it: `error`, `warning`, `note`.
    pub fn word(self) -> &'static str {
        match self {
            Gravity::Error => "error",
            Gravity::Warning => "warning",
            Gravity::Note => "note",
        }
    }
}

/// A rule that a runbook keeps to.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Lower-case words joined by `-`; never changes.
    pub id: &'static str,
    /// What breaking it weighs.
    pub severity: Gravity,
    /// One line: what must not be.
    pub summary: &'static str,
    /// Why, and what to write instead.
    pub doc: &'static str,
}

/// One place where a rule is broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Problem {
    /// The rule's id.
    pub rule: &'static str,
    /// What it weighs.
    pub severity: Gravity,
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, where one is to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Problem {
    /// `rule` is broken at `line` of `path`.
    pub fn new(rule: &Rule, path: &str, line: usize, message: impl Into<String>) -> Problem {
        Problem {
            rule: rule.id,
            severity: rule.severity,
            path: path.to_owned(),
            line: line.max(1),
            column: None,
            message: message.into(),
            hint: None,
        }
    }

    /// With the column that is to blame.
    #[must_use]
    pub fn at(mut self, column: usize) -> Problem {
        self.column = Some(column.max(1));
        self
    }

    /// With what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Problem {
        self.hint = Some(hint.into());
        self
    }

    /// With another weight than the rule's.
    #[must_use]
    pub fn weighing(mut self, severity: Gravity) -> Problem {
        self.severity = severity;
        self
    }
}

/// Sorted as a reader goes: by file, line, column and rule.
pub(super) fn sort(problems: &mut [Problem]) {
    problems.sort_by(|a, b| {
        (&a.path, a.line, a.column, a.rule, &a.message).cmp(&(&b.path, b.line, b.column, b.rule, &b.message))
    });
}

/// The word of `known` that `word` is most likely meant to be.
pub(super) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let limit = word.chars().count().div_ceil(3).max(1);
    known
        .into_iter()
        .filter(|other| other.len().abs_diff(word.len()) <= limit * 4)
        .map(|other| (distance(&word.to_lowercase(), &other.to_lowercase()), other))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, other)| other)
}

/// How many characters must be changed, put in, taken out or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(100).collect();
    let b: Vec<char> = b.chars().take(100).collect();
    let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX / 2);
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut least = (at(&row, j) + usize::from(x != y)).min(at(&next, j) + 1).min(at(&row, j + 1) + 1);
            let neighbours = |list: &[char], at: usize| at.checked_sub(1).and_then(|at| list.get(at).copied());
            if neighbours(&a, i) == Some(*y) && neighbours(&b, j) == Some(*x) {
                least = least.min(at(&before, j.saturating_sub(1)) + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_near() {
        for (word, expected) in [
            ("sevrity", Some("severity")),
            ("Severity", Some("severity")),
            ("titel", Some("title")),
            ("quux", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, ["severity", "title", "tags"]), expected, "{word}");
        }
        for (a, b, expected) in
            [("kitten", "sitting", 3), ("titel", "title", 1), ("", "abc", 3), ("abc", "abc", 0), ("ab", "ba", 1)]
        {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }
}
