//! What lint found, for people and for the programs that review pull requests.
//!
//! *Invariant:* pure, and the same problems give the same bytes. Names of files are anybody's: none ends a line, moves a
//! cursor or starts a command of a workflow.

#![warn(clippy::disallowed_methods)]

mod github;
mod sarif;
#[cfg(test)]
mod tests;
mod text;

use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;

use super::problem::{Gravity, Problem};

/// What the JSON form says it is.
pub const LINT_SCHEMA: &str = "kubectl-react/lint/v1";

/// What lint found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// [`LINT_SCHEMA`].
    pub schema_version: &'static str,
    /// How many files were read.
    pub files: usize,
    /// How many problems there are of each weight.
    pub counts: Counts,
    /// The problems, sorted by file and line.
    pub problems: Vec<Problem>,
}

/// How many problems there are of each weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the words say it")]
pub struct Counts {
    pub error: usize,
    pub warning: usize,
    pub note: usize,
}

/// How a report is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// For people.
    #[default]
    Text,
    /// Commands of a GitHub workflow, which become annotations.
    Github,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// A [`Report`] as JSON.
    Json,
}

impl FromStr for Form {
    type Err = String;

    fn from_str(text: &str) -> Result<Form, String> {
        match text {
            "text" => Ok(Form::Text),
            "github" => Ok(Form::Github),
            "sarif" => Ok(Form::Sarif),
            "json" => Ok(Form::Json),
            _ => Err(format!("`{text}` is none of text, github, sarif, json")),
        }
    }
}

impl Report {
    /// Of so many files and their problems.
    pub fn new(files: usize, problems: Vec<Problem>) -> Report {
        let count = |gravity: Gravity| problems.iter().filter(|problem| problem.severity == gravity).count();
        let counts =
            Counts { error: count(Gravity::Error), warning: count(Gravity::Warning), note: count(Gravity::Note) };
        Report { schema_version: LINT_SCHEMA, files, counts, problems }
    }

    /// The report as text of this form.
    pub fn render(&self, form: Form) -> String {
        match form {
            Form::Text => text::render(self),
            Form::Github => github::render(self),
            Form::Sarif => pretty(&sarif::render(self)),
            Form::Json => pretty(self),
        }
    }
}

fn pretty<T: Serialize>(value: &T) -> String {
    // Texts, numbers and lists of them can't fail to be JSON.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}
