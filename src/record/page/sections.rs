//! What a page says of the fault: what it means, what it harms, how it is told from others, whom to ask.
//!
//! *Invariant:* what the team's library or ours says of the same fault already is said in the same words; quotes have no names.

use std::collections::BTreeMap;

use super::Material;
use super::body::{Body, first, section, some_items};
use crate::detect::{self, Detector};
use crate::kubectl;
use crate::model::Source;
use crate::record::phrase::Names;
use crate::record::typed;

/// Quotes that a page has.
const QUOTES: usize = 3;

pub(super) fn meaning(body: &mut Body, material: &Material<'_>, detector: Option<&Detector>) {
    body.heading(2, "Meaning");
    match curated(material, "Meaning")
        .or_else(|| detector.and_then(|detector| section(detector.doc, "What it detects")))
    {
        Some(text) => body.prose(first(&text)),
        None => body.prose(&format!("{}.", material.general.text(&material.cause.summary))),
    }
    let quotes = quotes(material);
    if !quotes.is_empty() {
        body.prose("Seen as:");
        body.fence("text", &quotes.join("\n"));
    }
}

/// What proves it, without names.
pub(super) fn quotes(material: &Material<'_>) -> Vec<String> {
    let mut quotes: Vec<String> = Vec::new();
    for evidence in &material.cause.evidence {
        let quote = material.general.text(evidence.quote.lines().next().unwrap_or_default().trim());
        let quote: String = quote.chars().take(200).collect();
        let line = match &evidence.source {
            Source::Field { object, path } => {
                format!("{} {}: {quote}", object.kind.as_str(), material.general.text(path))
            }
            Source::Event { reason, .. } => format!("{reason}: {quote}"),
            Source::Log { .. } => quote,
        };
        if !line.is_empty() && !quotes.contains(&line) && quotes.len() < QUOTES {
            quotes.push(line);
        }
    }
    quotes
}

pub(super) fn impact(body: &mut Body, material: &Material<'_>, detector: Option<&Detector>) {
    body.heading(2, "Impact");
    match curated(material, "Impact").or_else(|| detector.and_then(|detector| section(detector.doc, "Why it matters")))
    {
        Some(text) => body.prose(first(&text)),
        None => body.prose("What depends on the object does not work."),
    }
    let mut followed: BTreeMap<&str, &str> = BTreeMap::new();
    for consequence in &material.cause.consequences {
        if let Some(detector) = detect::find(&consequence.detector) {
            followed.insert(detector.id, detector.summary);
        }
    }
    if !followed.is_empty() {
        body.prose("What followed from it:");
        body.list(followed.iter().map(|(id, summary)| format!("{summary} (`{id}`)")));
    }
}

pub(super) fn diagnosis(body: &mut Body, material: &Material<'_>, detector: Option<&Detector>, names: &mut Names) {
    body.heading(2, "Diagnosis");
    let looks = looks(material, names);
    if looks.is_empty() {
        body.prose(&format!("`kubectl react diagnose` names it `{}`.", material.cause.detector));
    } else {
        body.prose(&format!("`kubectl react diagnose` names it `{}`. By hand:", material.cause.detector));
        body.fence(r#"sh {"name":"look","react":"diagnose"}"#, &looks.join("\n"));
    }
    let known = detector.and_then(|detector| section(detector.doc, "Look-alikes"));
    if known.is_some() || !material.alike.is_empty() {
        body.prose("Is it really this one?");
    }
    if let Some(text) = known {
        body.prose(&some_items(&text));
    }
    for (_, line) in alike(material) {
        body.prose(&line);
    }
}

/// The sentences on runbooks that are mistaken for this one.
pub(super) fn alike(material: &Material<'_>) -> Vec<(String, String)> {
    let one = |(name, title): &(String, String)| {
        let line =
            format!("`{name}` of this library reads alike, and is another fault: {}.", title.trim_end_matches('.'));
        (name.clone(), line)
    };
    material.alike.iter().take(2).map(one).collect()
}

/// The cause's own lines that look, with its names as parameters.
fn looks(material: &Material<'_>, names: &mut Names) -> Vec<String> {
    let mut looks = Vec::new();
    for command in material.cause.commands.iter().filter(|command| !command.changes) {
        let Some(phrase) = typed::phrase(&command.line, material.cause) else { continue };
        let line = phrase.general(names);
        if matches!(kubectl::parse(&line), Ok(kubectl::Command::Read(_))) && !looks.contains(&line) {
            looks.push(line);
        }
    }
    looks.truncate(3);
    looks
}

pub(super) fn escalation(body: &mut Body, material: &Material<'_>) {
    body.heading(2, "Escalation");
    let whom = match material.owners {
        [] => "the owners of the workload".to_owned(),
        owners => owners.join(", "),
    };
    body.prose(&format!(
        "If it stays after the fix, page {whom} with the output of `kubectl react diagnose -o markdown`, and with what was changed and when."
    ));
}

/// The section of the built-in runbook for the same detector.
fn curated(material: &Material<'_>, heading: &str) -> Option<String> {
    let section = material.builtin?.sections.iter().find(|section| section.heading == heading)?;
    let text = section.text.trim();
    // A link leads to a file that the team's library does not have.
    (!text.is_empty() && !first(text).contains("](")).then(|| text.to_owned())
}
