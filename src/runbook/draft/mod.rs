//! Writing a runbook: front matter in its fixed order, and the skeleton of a new one.
//!
//! *Invariant:* what is written reads back to the same front matter; two writings of the same differ in no byte, so a
//! pull request shows what changed and nothing else.

#![warn(clippy::disallowed_methods)]

#[cfg(test)]
mod tests;
mod yaml;

use crate::model::Severity;
use crate::model::runbook::{AppliesTo, Automation, FrontMatter, Level, RUNBOOK_SCHEMA, RootCause, Signature, Status};

pub use yaml::front_matter;

/// Front matter and body as one file.
pub fn to_markdown(front: &FrontMatter, body: &str) -> String {
    let body = body.trim_start_matches('\n').trim_end();
    if body.is_empty() {
        return format!("---\n{}---\n", front_matter(front));
    }
    format!("---\n{}---\n\n{body}\n", front_matter(front))
}

/// What a new runbook is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// Its name: the stem of its file.
    pub name: String,
    /// Its title; made of the name where it is empty.
    pub title: String,
    /// When to use it; a reminder to say so where it is empty.
    pub description: String,
    /// The detector that it is for.
    pub detector: Option<String>,
    /// Who answers for it.
    pub owners: Vec<String>,
    /// Today, as `2026-11-20`.
    pub today: String,
}

/// The skeleton of a runbook: it parses, lint has nothing against its form, and every place to fill in is marked `TODO`.
pub fn skeleton(subject: &Subject) -> String {
    let title = if subject.title.is_empty() { words(&subject.name) } else { subject.title.clone() };
    let description = if subject.description.trim().is_empty() {
        "TODO: use when … Say what is seen, in the words that someone would search for.".to_owned()
    } else {
        subject.description.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let front = FrontMatter {
        json_schema: None,
        schema: RUNBOOK_SCHEMA.to_owned(),
        name: subject.name.clone(),
        title: title.clone(),
        description,
        status: Status::Draft,
        superseded_by: None,
        severity: Severity::Warning,
        root_cause: RootCause::Unknown,
        signature: Signature {
            detectors: subject.detector.iter().cloned().collect(),
            reasons: if subject.detector.is_some() { Vec::new() } else { vec!["TODO".to_owned()] },
            ..Signature::default()
        },
        applies_to: AppliesTo::default(),
        automation: Automation { level: Level::Suggest, ..Automation::default() },
        params: [("NAMESPACE", "namespace of the pod"), ("POD", "name of the pod")]
            .map(|(name, what)| (name.to_owned(), what.to_owned()))
            .into(),
        owners: subject.owners.clone(),
        reviewed: Some(subject.today.clone()).filter(|today| !today.is_empty()),
        provenance: None,
        references: Vec::new(),
        tags: Vec::new(),
    };
    to_markdown(&front, &include_str!("skeleton.md").replace("{title}", &title))
}

/// `oom-killed` as a title: `Oom killed`.
fn words(name: &str) -> String {
    let text = name.replace('-', " ");
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    let title = first + letters.as_str();
    if title.chars().count() < 5 { format!("{title}: TODO") } else { title }
}
