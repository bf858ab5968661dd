//! What a page says of the fix: what was done, what shows that it worked, and the way back.
//!
//! *Invariant:* only lines that were run stand in fences that mend or go back.

use super::body::Body;
use super::{Done, Material};
use crate::kubectl;
use crate::record::phrase::Names;
use crate::record::verify;

pub(super) fn mitigation(body: &mut Body, material: &Material<'_>, fixes: &[String]) {
    body.heading(2, "Mitigation");
    if let Some(words) = material.words {
        body.prose(&material.general.text(words.trim()));
    }
    if material.done.is_empty() && material.words.is_none() {
        body.prose("Not known yet: the incident was recorded before it was mended.");
    }
    let general = material.general.with(material.done);
    let told = |done: &Done| match done.object.split(' ').next() {
        Some(kind) if !kind.is_empty() && matches!(done.what.as_str(), "created" | "deleted") => {
            format!("the {kind} was {}", done.what)
        }
        Some(kind) if !kind.is_empty() => format!("{kind}: {}", general.text(&done.what)),
        _ => general.text(&done.what),
    };
    let told: Vec<String> = material.done.iter().map(told).collect();
    match told.as_slice() {
        [] => {}
        [one] => body.prose(&format!("What mended it: {}.", one.trim_end_matches('.'))),
        many => {
            body.prose("What mended it:");
            body.list(many.iter().cloned());
        }
    }
    if !fixes.is_empty() {
        body.fence(r#"sh {"name":"fix","react":"fix"}"#, &fixes.join("\n"));
    }
    for (file, yaml) in material.done.iter().filter_map(|done| done.manifest.as_ref()) {
        body.prose("The manifest has what the tool keeps of such an object; compare it with its source.");
        body.fence(&format!(r#"yaml {{"name":"{file}"}}"#), material.general.text(yaml).trim_end());
    }
    let dangers = dangers(fixes);
    if !dangers.is_empty() {
        body.prose(&format!("Mind: the change {}.", dangers.join("; it ")));
    }
    let tools: Vec<&str> =
        material.done.iter().filter_map(|done| done.by.as_deref()).filter(|by| is_source(by)).collect();
    match tools.first() {
        Some(tool) => {
            body.prose(&format!(
                "It was done through `{tool}`: change it there, since a change by hand does not last."
            ));
        }
        None if !fixes.is_empty() => {
            body.prose("Make the same change where the manifest comes from, or the next release undoes it.");
        }
        None => {}
    }
}

/// Whether a field manager is a program that owns what it applies.
fn is_source(manager: &str) -> bool {
    let manager = manager.to_ascii_lowercase();
    ["helm", "argocd", "argo-cd", "kustomize-controller", "flux", "terraform", "pulumi"]
        .iter()
        .any(|tool| manager.contains(tool))
}

pub(super) fn verification(body: &mut Body, material: &Material<'_>, names: &mut Names) {
    body.heading(2, "Verification");
    let deleted: Vec<&str> =
        material.done.iter().filter(|done| done.what == "deleted").map(|done| done.object.as_str()).collect();
    let lines = verify::lines(material.cause, &deleted, names);
    if !lines.is_empty() {
        body.fence(r#"sh {"name":"verify","react":"verify"}"#, &lines.join("\n"));
    }
    if material.holds.is_empty() {
        body.prose(&format!("`kubectl react diagnose` does not find `{}` any more.", material.cause.detector));
        return;
    }
    body.prose("What must be seen, and stay so:");
    let mut holds: Vec<String> = Vec::new();
    for held in material.holds {
        let held = numbers_open(&material.general.text(held));
        if !holds.contains(&held) {
            holds.push(held);
        }
    }
    holds.truncate(6);
    body.list(holds.into_iter());
}

/// `2 of 2 pods are ready` is `all pods are ready` elsewhere.
fn numbers_open(text: &str) -> String {
    let Some((before, rest)) = text.split_once(" of ") else { return text.to_owned() };
    let (Some(first), Some(second)) = (before.rsplit(' ').next(), rest.split(' ').next()) else {
        return text.to_owned();
    };
    if first == second && first.parse::<u32>().is_ok() {
        let head = before.strip_suffix(first).unwrap_or(before);
        return format!("{head}all{}", rest.strip_prefix(second).unwrap_or(rest));
    }
    text.to_owned()
}

pub(super) fn rollback(body: &mut Body, material: &Material<'_>, fixes: &[String], backs: &[String]) {
    body.heading(2, "Rollback");
    if !backs.is_empty() {
        body.prose("Back to what was there before, fault included:");
        body.fence(r#"sh {"name":"back","react":"rollback"}"#, &backs.join("\n"));
    } else if fixes.is_empty() {
        body.prose("Nothing is changed by this runbook.");
    } else if material.done.iter().any(|done| done.what.contains("deleted")) {
        body.prose("What was deleted does not come back by a command: apply its manifest again.");
    } else {
        body.prose("Apply the former manifest again; what stood there is not known to a command.");
    }
}

/// What makes the lines dangerous, in words.
pub(in crate::record) fn dangers(lines: &[String]) -> Vec<String> {
    let mut dangers: Vec<String> = Vec::new();
    for line in lines {
        if let Ok(kubectl::Command::Change(change)) = kubectl::parse(line) {
            dangers.extend(change.open_risks().iter().map(ToString::to_string));
        }
    }
    dangers.sort();
    dangers.dedup();
    dangers
}
