//! A runbook made of an incident, without a model.
//!
//! *Invariant:* pure; the same incident gives the same bytes. Commands are lines of the grammar, names are parameters, and lint
//! has nothing against what comes out.

mod body;
mod front;
mod mending;
mod sections;

use super::general::General;
use super::phrase::{Names, Phrase};
use crate::detect::{self, Detector, Group};
use crate::kubectl;
use crate::model::Cause;
use crate::model::runbook::{FrontMatter, Runbook};
use crate::runbook::{draft, params};
use body::Body;

pub(super) use body::{reworded, wrapping};
pub(super) use mending::dangers;

/// One thing that was done.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// At which object: `Deployment web`; empty where a person only says the line.
    pub object: String,
    /// What, in the words of the difference: `image of app: web:1 → web:2`.
    pub what: String,
    /// The line.
    pub line: Option<Phrase>,
    /// The line that goes back.
    pub back: Option<Phrase>,
    /// A manifest that the line applies.
    pub manifest: Option<(String, String)>,
    /// Who did it, where that is a tool that would undo a change by hand.
    pub by: Option<String>,
}

/// What a page is made of.
pub(super) struct Material<'a> {
    /// The incident's id.
    pub incident: &'a str,
    /// The cause.
    pub cause: &'a Cause,
    /// What mended it; empty where it is not mended.
    pub done: &'a [Done],
    /// What a person says of it.
    pub words: Option<&'a str>,
    /// What was seen to hold when it was over.
    pub holds: &'a [String],
    /// The built-in runbook for the same detector, whose descriptions are as good here.
    pub builtin: Option<&'a Runbook>,
    /// Takes the incident's names out.
    pub general: &'a General,
    /// The team's runbooks that were shown for it and are about something else: name and title.
    pub alike: &'a [(String, String)],
    /// The name of the file, without `.md`.
    pub name: &'a str,
    /// Who answers for it.
    pub owners: &'a [String],
    /// Today, as `2026-11-20`.
    pub today: &'a str,
}

/// A page, in its parts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Page {
    /// The front matter.
    pub front: FrontMatter,
    /// The markdown below it.
    pub body: String,
    /// The lines that mend it, as the page has them.
    pub fixes: Vec<String>,
    /// The lines that go back.
    pub backs: Vec<String>,
    /// The sentences on runbooks that are mistaken for this one, with the name of each.
    pub alike: Vec<(String, String)>,
}

impl Page {
    /// As a file.
    pub(super) fn to_markdown(&self) -> String {
        draft::to_markdown(&self.front, &self.body)
    }
}

/// The area of the library for a detector: the folder that the built-in runbook of the same detector lies in.
pub(super) fn area(detector: &str) -> &'static str {
    match detect::find(detector).map(|detector| detector.group) {
        Some(Group::Containers) => "containers",
        Some(Group::Images) => "images",
        Some(Group::Configuration) => "configuration",
        Some(Group::Scheduling) => "scheduling",
        Some(Group::Storage) => "storage",
        Some(Group::Workloads) => "workloads",
        Some(Group::Admission) => "admission",
        Some(Group::Network) => "network",
        Some(Group::Nodes) => "nodes",
        Some(Group::Custom) | None => "custom",
    }
}

/// Writes the page.
pub(super) fn write(material: &Material<'_>) -> Page {
    let detector = detect::find(&material.cause.detector);
    let mut names = Names::of(params::of(material.cause));
    let mut body = Body::default();
    let fixes = lines(material, &mut names, |done| done.line.as_ref());
    names.go_back(true);
    let backs = lines(material, &mut names, |done| done.back.as_ref());
    names.go_back(false);
    let title = title(material, detector);
    body.heading(1, &title);
    sections::meaning(&mut body, material, detector);
    sections::impact(&mut body, material, detector);
    sections::diagnosis(&mut body, material, detector, &mut names);
    mending::mitigation(&mut body, material, &fixes);
    mending::verification(&mut body, material, &mut names);
    mending::rollback(&mut body, material, &fixes, &backs);
    sections::escalation(&mut body, material);
    Page {
        front: front::front(material, detector, title, &names, &fixes),
        body: body.text,
        fixes,
        backs,
        alike: sections::alike(material),
    }
}

fn lines(material: &Material<'_>, names: &mut Names, of: impl Fn(&Done) -> Option<&Phrase>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in material.done.iter().filter_map(of) {
        let line = line.general(names);
        // A line that the grammar refuses is told in words: what it would do stands beside it.
        if !lines.contains(&line) && kubectl::parse(&line).is_ok() {
            lines.push(line);
        }
    }
    lines
}

fn title(material: &Material<'_>, detector: Option<&Detector>) -> String {
    let title =
        detector.map_or_else(|| material.general.text(&material.cause.summary), |detector| detector.summary.to_owned());
    let title: String = title.chars().take(100).collect();
    let mut letters = title.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}
