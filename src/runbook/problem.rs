//! What is wrong with a runbook, where, and what to do about it.
//!
//! *Invariant:* a problem names its rule, its file and its line, and never quotes a secret.

use schemars::JsonSchema;
use serde::Serialize;

use crate::printable::one_line;

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
            // What is quoted of a file may have lines of its own; a problem is one.
            message: one_line(&message.into()).into_owned(),
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
        self.hint = Some(one_line(&hint.into()).into_owned());
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
