//! Files of a collection become runbooks of the team: front matter is written, the text stays.
//!
//! *Invariant:* pure, and what is there is never overwritten: a name that is taken is left out and told. The only words
//! that change below the front matter are the languages of blocks that no program may run.

#![warn(clippy::disallowed_methods)]

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::kubectl::{self, Command};
use crate::model::runbook::{FrontMatter, Library, Provenance, Role};
use crate::model::{Place, Runbook};

use super::derive::stem;
use super::draft::to_markdown;
use super::fence::Fence;
use super::parse::{Parsed, parse};

/// Where imported files go, and where they are from.
#[derive(Clone, Debug, Default)]
pub struct Import<'a> {
    /// The folder below `runbooks/`.
    pub area: &'a str,
    /// The address of the folder that they are from: each one's own is put into its `references`.
    pub origin: Option<&'a str>,
    /// Names and paths that are taken.
    pub taken: BTreeSet<String>,
}

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The file that it is made of.
    pub from: String,
    /// Where it belongs.
    pub path: String,
    /// What belongs there.
    pub text: String,
    /// What a person should look at.
    pub notes: Vec<String>,
}

/// A file that is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The file.
    pub from: String,
    /// Why.
    pub why: String,
}

/// Stems of files that every repository has and that are no runbooks.
const NOT_RUNBOOKS: &[&str] = &[
    "_index",
    "changelog",
    "code_of_conduct",
    "contributing",
    "index",
    "license",
    "owners",
    "readme",
    "security",
    "summary",
];

/// Makes runbooks of files, in the order of their paths.
pub fn import(files: &[(&str, &[u8])], how: &Import<'_>) -> (Vec<Imported>, Vec<Skipped>) {
    let mut taken = how.taken.clone();
    let (mut imported, mut skipped) = (Vec::new(), Vec::new());
    let sorted: BTreeMap<&str, &[u8]> = files.iter().copied().collect();
    for (from, bytes) in sorted {
        match one(from, bytes, how, &taken) {
            Ok(made) => {
                taken.insert(stem(&made.path).to_owned());
                taken.insert(made.path.clone());
                imported.push(made);
            }
            Err(why) => skipped.push(Skipped { from: from.to_owned(), why }),
        }
    }
    (imported, skipped)
}

fn one(from: &str, bytes: &[u8], how: &Import<'_>, taken: &BTreeSet<String>) -> Result<Imported, String> {
    if NOT_RUNBOOKS.contains(&stem(from).to_ascii_lowercase().as_str()) {
        return Err("its name is that of a page about the repository".to_owned());
    }
    let place = Place { library: Library::Team, path: from.to_owned(), commit: String::new(), blob: String::new() };
    let parsed = parse(place, bytes);
    let Some(runbook) = &parsed.runbook else {
        return Err(parsed.problems.first().map_or_else(String::new, |problem| problem.message.clone()));
    };
    let name = runbook.front.name.clone();
    let path = format!("runbooks/{}/{name}.md", how.area);
    if taken.contains(&name) || taken.contains(&path) {
        return Err(format!("there is a runbook `{name}` already"));
    }
    if !runbook.derived {
        return Ok(Imported { from: from.to_owned(), path, text: parsed.text.clone(), notes: Vec::new() });
    }
    let mut notes = Vec::new();
    let body = without_programs(&parsed, &mut notes);
    let front = front_matter(from, runbook, &parsed, how, &mut notes);
    Ok(Imported { from: from.to_owned(), path, text: to_markdown(&front, &body), notes })
}

/// The derived front matter, made to keep to the schema.
fn front_matter(
    from: &str,
    runbook: &Runbook,
    parsed: &Parsed,
    how: &Import<'_>,
    notes: &mut Vec<String>,
) -> FrontMatter {
    let mut front = runbook.front.clone();
    // The heading is the title: what the two said before may differ.
    match parsed.outline.headings.iter().find(|heading| heading.level == 1) {
        Some(heading) if heading.text.chars().count() <= 100 => front.title.clone_from(&heading.text),
        Some(_) => notes.push("the heading is longer than a title may be".to_owned()),
        None => notes.push("there is no heading of level 1".to_owned()),
    }
    if front.title.chars().count() < 5 {
        front.title = format!("{}: runbook", front.title);
        notes.push("the title is short: say more".to_owned());
    }
    if front.description.chars().count() < 20 {
        front.description = format!("TODO: use when … ({})", front.description);
        notes.push("the description does not say when to use it".to_owned());
    }
    if front.signature.alerts.is_empty() {
        front.signature.reasons = vec!["TODO".to_owned()];
        notes.push("`match` needs an alert, a reason, an exit code or a detector".to_owned());
    }
    front.tags.retain({
        let mut seen = BTreeSet::new();
        move |tag| seen.insert(tag.clone())
    });
    for name in placeholders(parsed) {
        let what = if super::FILLED.contains(&name.as_str()) {
            format!("name of the {}", name.to_lowercase().replace('_', " "))
        } else {
            "TODO: say what it is and where to read it".to_owned()
        };
        front.params.insert(name, what);
    }
    if let Some(origin) = how.origin.filter(|origin| origin.starts_with("https://")) {
        let address = format!("{}/{}", origin.trim_end_matches('/'), from.trim_start_matches("./"));
        front.references.push(address.replace(' ', "%20"));
    }
    front.provenance = Some(Provenance {
        generated_by: Some(format!("kubectl-react {} import", env!("CARGO_PKG_VERSION"))),
        ..Provenance::default()
    });
    front
}

/// The placeholders of the blocks that stay commands.
fn placeholders(parsed: &Parsed) -> BTreeSet<String> {
    let blocks = parsed.outline.fences.iter().filter(|fence| fence.is_shell() && is_runnable(fence));
    let commands = blocks.flat_map(Fence::commands).filter_map(|line| kubectl::parse(&line.text).ok());
    commands.flat_map(|command| command.params().into_iter().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Whether every line of a block is a command that its section may hold.
fn is_runnable(fence: &Fence) -> bool {
    let looks = matches!(fence.role(), Some(Role::Diagnose | Role::Verify));
    fence.commands().iter().all(|line| match kubectl::parse(&line.text) {
        Ok(Command::Read(_)) => true,
        // Of a manifest there is no more than the name here.
        Ok(Command::Change(change)) => !looks && change.manifests().next().is_none(),
        Err(_) => false,
    })
}

/// The body, with blocks that are no kubectl lines marked as `console`, which nothing runs.
fn without_programs(parsed: &Parsed, notes: &mut Vec<String>) -> String {
    let mut marked: BTreeMap<usize, &str> = BTreeMap::new();
    let mut programs = 0;
    for fence in &parsed.outline.fences {
        if fence.is_shell() && !is_runnable(fence) {
            marked.insert(fence.line, "console");
            programs += 1;
        } else if fence.fault.is_some() || fence.attribute("name").is_some() || fence.attribute("react").is_some() {
            marked.insert(fence.line, &fence.language);
        }
    }
    if programs > 0 {
        let blocks = if programs == 1 { "1 block is".to_owned() } else { format!("{programs} blocks are") };
        notes.push(format!("{blocks} no plain kubectl lines, and for people only (`console`)"));
    }
    let mut body = String::with_capacity(parsed.text.len());
    for (number, line) in parsed.text.lines().enumerate().skip(parsed.body_line.saturating_sub(1)) {
        match marked.get(&(number + 1)) {
            Some(language) => {
                let fence = line.find(['`', '~']).unwrap_or_default();
                let ticks = line.get(fence..).unwrap_or_default();
                let end = fence + ticks.len() - ticks.trim_start_matches(['`', '~']).len();
                body.push_str(line.get(..end).unwrap_or(line));
                body.push_str(language);
            }
            None => body.push_str(line),
        }
        body.push('\n');
    }
    body
}
