//! A runbook made of an incident, without a model.
//!
//! *Invariant:* pure; the same incident gives the same bytes. Commands are lines of the grammar, names are parameters, and lint
//! has nothing against what comes out.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use textwrap::{Options, WordSplitter};

use super::general::General;
use super::phrase::{Names, Phrase};
use crate::detect::{self, Detector, Group};
use crate::kubectl;
use crate::model::runbook::{
    AppliesTo, Automation, BlastRadius, FrontMatter, Level, Provenance, RUNBOOK_SCHEMA, Risk, RootCause, Runbook,
    Signature, Status,
};
use crate::model::{Cause, Kind, Severity, Source};
use crate::runbook::{draft, params};

/// Where prose is wrapped.
const WIDTH: usize = 78;
/// Quotes that a page has.
const QUOTES: usize = 3;
/// Look-alikes that a page has.
const ITEMS: usize = 4;

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
    meaning(&mut body, material, detector);
    impact(&mut body, material, detector);
    diagnosis(&mut body, material, detector, &mut names);
    mitigation(&mut body, material, &fixes);
    verification(&mut body, material, &mut names);
    rollback(&mut body, material, &fixes, &backs);
    escalation(&mut body, material);
    Page {
        front: front(material, detector, title, &names, &fixes),
        body: body.text,
        fixes,
        backs,
        alike: alike(material),
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

fn meaning(body: &mut Body, material: &Material<'_>, detector: Option<&Detector>) {
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
fn quotes(material: &Material<'_>) -> Vec<String> {
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

fn impact(body: &mut Body, material: &Material<'_>, detector: Option<&Detector>) {
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

fn diagnosis(body: &mut Body, material: &Material<'_>, detector: Option<&Detector>, names: &mut Names) {
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
fn alike(material: &Material<'_>) -> Vec<(String, String)> {
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
        let Some(phrase) = super::typed::phrase(&command.line, material.cause) else { continue };
        let line = phrase.general(names);
        if matches!(kubectl::parse(&line), Ok(kubectl::Command::Read(_))) && !looks.contains(&line) {
            looks.push(line);
        }
    }
    looks.truncate(3);
    looks
}

fn mitigation(body: &mut Body, material: &Material<'_>, fixes: &[String]) {
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

/// What makes the lines dangerous, in words.
pub(super) fn dangers(lines: &[String]) -> Vec<String> {
    let mut dangers: Vec<String> = Vec::new();
    for line in lines {
        if let Ok(kubectl::Command::Change(change)) = kubectl::parse(line) {
            // Each line of a runbook has placeholders: that is no danger of this one.
            let risks = change.risks().into_iter().filter(|risk| *risk != kubectl::Risk::Open);
            dangers.extend(risks.map(|risk| risk.to_string()));
        }
    }
    dangers.sort();
    dangers.dedup();
    dangers
}

fn verification(body: &mut Body, material: &Material<'_>, names: &mut Names) {
    body.heading(2, "Verification");
    let deleted: Vec<&str> =
        material.done.iter().filter(|done| done.what == "deleted").map(|done| done.object.as_str()).collect();
    let lines = super::verify::lines(material.cause, &deleted, names);
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

fn rollback(body: &mut Body, material: &Material<'_>, fixes: &[String], backs: &[String]) {
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

fn escalation(body: &mut Body, material: &Material<'_>) {
    body.heading(2, "Escalation");
    let whom = match material.owners {
        [] => "the owners of the workload".to_owned(),
        owners => owners.join(", "),
    };
    body.prose(&format!(
        "If it stays after the fix, page {whom} with the output of `kubectl react diagnose -o markdown`, and with what was changed and when."
    ));
}

fn front(
    material: &Material<'_>,
    detector: Option<&Detector>,
    title: String,
    names: &Names,
    fixes: &[String],
) -> FrontMatter {
    let (cause, builtin) = (material.cause, material.builtin.map(|runbook| &runbook.front));
    let used = names.used();
    let params = used.iter().map(|(name, what)| {
        let better = builtin.and_then(|front| front.params.get(name)).filter(|_| !what.contains("right once"));
        (name.clone(), better.unwrap_or(what).clone())
    });
    let quote = quotes(material).into_iter().next();
    let mut description =
        format!("Use when {}", lower(detector.map_or(cause.summary.as_str(), |detector| detector.summary)));
    if let Some(quote) = quote.filter(|quote| quote.len() < 300) {
        let _ = write!(description, ", seen as {quote}");
    }
    let description = material.general.text(&description);
    let changes = fixes.iter().any(|line| matches!(kubectl::parse(line), Ok(kubectl::Command::Change(_))));
    FrontMatter {
        json_schema: None,
        schema: RUNBOOK_SCHEMA.to_owned(),
        name: material.name.to_owned(),
        title,
        description: description.chars().take(1000).collect::<String>().trim_end_matches('.').to_owned() + ".",
        status: if material.done.is_empty() && material.words.is_none() { Status::Draft } else { Status::Active },
        superseded_by: None,
        severity: if cause.severity == Severity::Info { Severity::Warning } else { cause.severity },
        root_cause: builtin.map_or(RootCause::Unknown, |front| front.root_cause),
        signature: signature(cause),
        applies_to: AppliesTo::default(),
        automation: Automation {
            level: if changes { Level::Suggest } else { Level::None },
            risk: changes.then(|| risk(fixes)),
            blast_radius: changes.then(|| radius(material, fixes)),
            ..Automation::default()
        },
        params: params.collect(),
        owners: material.owners.to_vec(),
        reviewed: Some(material.today.to_owned()),
        provenance: Some(Provenance {
            generated_by: Some(format!("kubectl-react {}", env!("CARGO_PKG_VERSION"))),
            model: None,
            incidents: vec![material.incident.to_owned()],
        }),
        references: builtin.map(|front| front.references.clone()).unwrap_or_default(),
        tags: builtin.map(|front| front.tags.clone()).unwrap_or_default(),
    }
}

/// The detector, and the kinds at which it shows: what another incident of the same fault has too.
fn signature(cause: &Cause) -> Signature {
    let known = detect::find(&cause.detector).is_some();
    Signature {
        detectors: known.then(|| cause.detector.clone()).into_iter().collect(),
        reasons: if known { Vec::new() } else { vec![cause.detector.clone()] },
        ..Signature::default()
    }
}

fn risk(fixes: &[String]) -> Risk {
    use kubectl::Risk as Danger;
    let mut worst = Risk::Low;
    for line in fixes {
        let Ok(kubectl::Command::Change(change)) = kubectl::parse(line) else { continue };
        for danger in change.risks() {
            let weight = match danger {
                Danger::RunsImage
                | Danger::ToZero
                | Danger::BySelector
                | Danger::Open
                | Danger::TemporaryData
                | Danger::Written => Risk::Medium,
                _ => Risk::High,
            };
            worst = worst.max(weight);
        }
        // It restarts pods that serve.
        let rolls = matches!((change.verb(), change.subcommand()), ("set" | "rollout" | "patch", _));
        if rolls {
            worst = worst.max(Risk::Medium);
        }
    }
    worst
}

fn radius(material: &Material<'_>, fixes: &[String]) -> BlastRadius {
    let nodes = fixes.iter().any(|line| line.contains("$NODE"));
    let inside = fixes.iter().all(|line| line.contains(" -n "));
    match material.cause.object.kind {
        _ if nodes => BlastRadius::Node,
        _ if !inside => BlastRadius::Cluster,
        Kind::Service
        | Kind::Ingress
        | Kind::NetworkPolicy
        | Kind::ResourceQuota
        | Kind::LimitRange
        | Kind::ConfigMap
        | Kind::Secret => BlastRadius::Namespace,
        Kind::Pod => BlastRadius::Pod,
        _ => BlastRadius::Workload,
    }
}

/// A body with other words in the first paragraph below a heading; as it was, where what stands there is none, or announces
/// what follows.
pub(super) fn reworded(body: &str, heading: &str, text: &str) -> String {
    let mark = format!("## {heading}\n\n");
    let Some((before, rest)) = body.split_once(&mark) else { return body.to_owned() };
    let (old, after) = rest.split_once("\n\n").unwrap_or((rest.trim_end(), ""));
    if old.ends_with(':') || old.starts_with(['#', '-', '`', '~']) {
        return body.to_owned();
    }
    let mut new = Body::default();
    new.prose(text);
    format!("{before}{mark}{}\n{after}", new.text)
}

/// The section of the built-in runbook for the same detector.
fn curated(material: &Material<'_>, heading: &str) -> Option<String> {
    let section = material.builtin?.sections.iter().find(|section| section.heading == heading)?;
    let text = section.text.trim();
    // A link leads to a file that the team's library does not have.
    (!text.is_empty() && !first(text).contains("](")).then(|| text.to_owned())
}

/// The first paragraph, and the list that it announces.
fn first(text: &str) -> &str {
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    let next = text
        .get(paragraph.len()..)
        .unwrap_or_default()
        .trim_start_matches('\n')
        .split("\n\n")
        .next()
        .unwrap_or_default();
    if paragraph.trim_end().ends_with(':') && next.starts_with("- ") {
        return text
            .get(
                ..text.len() - text.get(paragraph.len()..).unwrap_or_default().trim_start_matches('\n').len()
                    + next.len(),
            )
            .unwrap_or(paragraph);
    }
    paragraph
}

/// The first items of a list: whoever reads at night compares with few.
fn some_items(text: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut items = 0;
    for line in text.lines() {
        items += usize::from(line.starts_with("- "));
        if items > ITEMS {
            break;
        }
        kept.push(line);
    }
    kept.join("\n")
}

/// The text below a heading of a detector's page.
fn section(doc: &str, heading: &str) -> Option<String> {
    let (_, rest) = doc.split_once(&format!("## {heading}\n"))?;
    let text = rest.split("\n## ").next()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// With a small first letter, where the word is none that is written large.
fn lower(text: &str) -> String {
    let mut letters = text.chars();
    let (first, second) = (letters.next(), text.chars().nth(1));
    let name = second.is_some_and(char::is_uppercase)
        || text.split([' ', '\'']).next().is_some_and(|word| Kind::from_word(word).is_some());
    match first {
        Some(first) if !name => first.to_lowercase().chain(letters).collect(),
        _ => text.to_owned(),
    }
}

/// How prose is wrapped: a hyphen may stand in code, which must not be broken.
pub(super) fn wrapping() -> Options<'static> {
    Options::new(WIDTH).break_words(false).word_splitter(WordSplitter::NoHyphenation)
}

/// Markdown as it is written.
#[derive(Default)]
struct Body {
    text: String,
}

impl Body {
    fn gap(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    fn heading(&mut self, level: usize, text: &str) {
        self.gap();
        let _ = writeln!(self.text, "{} {text}", "#".repeat(level));
    }

    /// Paragraphs and lists, wrapped anew.
    fn prose(&mut self, text: &str) {
        for paragraph in text.split("\n\n") {
            let mut items: Vec<String> = Vec::new();
            for line in paragraph.lines() {
                let line = line.trim();
                match items.last_mut() {
                    Some(last) if !line.starts_with("- ") => {
                        last.push(' ');
                        last.push_str(line);
                    }
                    _ => items.push(line.to_owned()),
                }
            }
            self.gap();
            for item in items.iter().filter(|item| !item.is_empty()) {
                let indent = if item.starts_with("- ") { "  " } else { "" };
                self.text += &textwrap::fill(item, wrapping().subsequent_indent(indent));
                self.text.push('\n');
            }
        }
    }

    fn list(&mut self, items: impl Iterator<Item = String>) {
        let items: Vec<String> = items.map(|item| format!("- {item}")).collect();
        self.prose(&items.join("\n"));
    }

    fn fence(&mut self, info: &str, text: &str) {
        self.gap();
        // A quote of a log may hold a fence itself.
        let fence = if text.contains("```") { "~~~~" } else { "```" };
        let _ = writeln!(self.text, "{fence}{info}\n{text}\n{fence}");
    }
}
