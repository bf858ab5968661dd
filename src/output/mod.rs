//! A diagnosis as text for people, data for programs, or markdown for a ticket.
//!
//! *Invariant:* pure; and what a cluster wrote is cleaned before anything else sees it, so no format can pass
//! a control sequence on.

#![warn(clippy::disallowed_methods)]

mod clean;
mod markdown;
pub mod markup;
mod name;
mod paint;
pub mod prose;
mod text;
mod words;

use std::fmt;
use std::str::FromStr;

pub use words::{ago, citation, cut_end, size, stamp, status as status_note};

use crate::model::Diagnosis;
use crate::model::event::{Event, Line};
use crate::printable::{is_plain, printable};

/// How a diagnosis is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs; `kubectl react schema` describes it.
    Json,
    /// The same as YAML.
    Yaml,
    /// For a ticket.
    Markdown,
    /// `deployment.apps/cart`, a line for each cause.
    Name,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 5] = [Format::Text, Format::Json, Format::Yaml, Format::Markdown, Format::Name];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Json => "json",
            Format::Yaml => "yaml",
            Format::Markdown => "markdown",
            Format::Name => "name",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Format, String> {
        let found = Format::ALL.into_iter().find(|format| format.as_str() == text);
        found.ok_or_else(|| format!("`{text}` is none of {}", Format::ALL.map(Format::as_str).join(", ")))
    }
}

/// How text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether it is coloured.
    pub color: bool,
    /// Columns.
    pub width: usize,
    /// Whether nothing is shortened.
    pub verbose: bool,
}

impl Default for Style {
    fn default() -> Style {
        Style { color: false, width: 80, verbose: false }
    }
}

/// Writes a diagnosis; ends with a newline unless there is nothing to write.
pub fn render(diagnosis: &Diagnosis, format: Format, style: &Style) -> String {
    let diagnosis = clean::diagnosis(diagnosis);
    match format {
        Format::Text => text::render(&diagnosis, style),
        Format::Json => json(&diagnosis),
        Format::Yaml => yaml(&diagnosis),
        Format::Markdown => markdown::render(&diagnosis),
        Format::Name => name::render(&diagnosis),
    }
}

/// Writes what the agent found out, for a person who has read the rest already; also its steps and notes as they came,
/// where `followed`.
pub fn exploration(diagnosis: &Diagnosis, style: &Style, followed: bool) -> String {
    let diagnosis = clean::diagnosis(diagnosis);
    diagnosis.exploration.as_ref().map(|found| text::exploration(found, style, followed)).unwrap_or_default()
}

/// Writes an event on a line; the diagnosis in it is the object that `-o json` prints.
pub fn event(event: Event) -> String {
    let event = match event {
        Event::Causes { diagnosis } => Event::Causes { diagnosis: Box::new(clean::diagnosis(&diagnosis)) },
        Event::Diagnosis { diagnosis } => Event::Diagnosis { diagnosis: Box::new(clean::diagnosis(&diagnosis)) },
        other => other,
    };
    let mut text = harmless(&serde_json::to_string(&Line::of(event)).unwrap_or_default());
    text.push('\n');
    text
}

/// Writes data as JSON for people's eyes too.
pub fn json(data: &impl serde::Serialize) -> String {
    let mut text = harmless(&serde_json::to_string_pretty(data).unwrap_or_default());
    text.push('\n');
    text
}

/// Writes data as YAML for people's eyes too.
pub fn yaml(data: &impl serde::Serialize) -> String {
    printable(&serde_saphyr::to_string(data).unwrap_or_default()).into_owned()
}

/// JSON in which what a terminal would obey, or would not show, is written as an escape: such characters stand only in
/// strings, where an escape is the same.
fn harmless(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_plain(c) {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
