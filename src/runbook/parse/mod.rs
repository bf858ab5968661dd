//! Bytes of a file become a runbook, or sentences that say why not.
//!
//! *Invariant:* any bytes give an answer, in time in the order of their number. A file with front matter of ours is taken
//! at its word; any other is a runbook of someone else's collection, and loads with derived front matter.

#![warn(clippy::disallowed_methods)]

use crate::model::runbook::{Block, Level, Manifest, Section};
use crate::model::{Library, Place, Runbook};

use super::front;
use super::lint::blanked;
use super::markdown::{self, Outline};
use super::problem::Problem;
use super::source::{self, Head};
use super::yaml::{self, Node};

/// A file, read.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// Which bytes it is.
    pub place: Place,
    /// The runbook; nothing where it can't be understood.
    pub runbook: Option<Runbook>,
    /// What is wrong with the file and its front matter. The rules of `lint` look at the rest.
    pub problems: Vec<Problem>,
    /// The text, with `\n` at the ends of lines.
    pub text: String,
    /// The line that the body begins on, from 1.
    pub body_line: usize,
    /// What the body is made of.
    pub outline: Outline,
    /// The automation level as it is written: that of the runbook is lower where its front matter has a fault.
    pub level: Level,
    /// The front matter, for lines.
    pub(super) tree: Option<Node>,
}

impl Parsed {
    /// Whether the front matter has a key, whoever's it is.
    pub(super) fn has_key(&self, key: &str) -> bool {
        self.tree.as_ref().is_some_and(|tree| tree.get(key).is_some())
    }

    /// The line of a key of the front matter, such as `match.detectors`; the first line where it has none.
    pub fn line_of(&self, key: &str) -> usize {
        let mut node = self.tree.as_ref();
        let mut line = 0;
        for part in key.split('.') {
            let Some(yaml::Value::Map(entries)) = node.map(|node| &node.value) else { break };
            let Some((found, value)) = entries.iter().find(|(key, _)| key.name == part) else { break };
            line = found.line;
            node = Some(value);
        }
        line + 1
    }

    /// The line of the item `text` of a list in the front matter; that of the list where there is none.
    pub fn line_of_item(&self, key: &str, text: &str) -> usize {
        let list = key.split('.').try_fold(self.tree.as_ref(), |node, part| Some(node?.get(part)));
        let items = list.flatten().map(Node::items).unwrap_or_default();
        let item = items.iter().find(|item| item.text() == Some(text));
        item.map_or_else(|| self.line_of(key), |item| item.line + 1)
    }
}

/// The same for whoever keeps, shows or sends it: a secret that somebody wrote into a runbook of the team's is blanked
/// before anything else sees it.
pub fn sealed(place: Place, bytes: &[u8]) -> Parsed {
    match (place.library, std::str::from_utf8(bytes)) {
        (Library::Team, Ok(text)) => {
            let text = blanked(text);
            parse(place, text.as_bytes())
        }
        _ => parse(place, bytes),
    }
}

/// Reads a file.
pub fn parse(place: Place, bytes: &[u8]) -> Parsed {
    let empty = |place: Place, text: String, problem: Problem| Parsed {
        place,
        runbook: None,
        problems: vec![problem],
        text,
        body_line: 1,
        outline: Outline::default(),
        level: Level::None,
        tree: None,
    };
    let text = match source::text(&place.path, bytes) {
        Ok(text) => text.into_owned(),
        Err(problem) => return empty(place, String::new(), problem),
    };
    let parts = match source::split(&place.path, &text) {
        Ok(parts) => parts,
        Err(problem) => return empty(place, text, problem),
    };
    let outline = match markdown::outline(&place.path, parts.body, parts.body_line) {
        Ok(outline) => outline,
        Err(problem) => return empty(place, text, problem),
    };
    let (front, derived) = match parts.head {
        Head::Yaml(yaml) if is_ours(yaml) => (front::read(&place.path, yaml), false),
        head => (front::derived(&place.path, &head, &outline), true),
    };
    let body_line = parts.body_line;
    let sections = sections(parts.body, parts.body_line, &outline);
    let runbook = front.matter.map(|front| Runbook {
        place: place.clone(),
        front,
        derived,
        sections,
        blocks: blocks(&outline),
        manifests: manifests(&outline),
    });
    Parsed { place, runbook, problems: front.problems, outline, level: front.level, tree: front.tree, text, body_line }
}

/// Whether front matter claims to be ours, however it is written.
fn is_ours(yaml: &str) -> bool {
    let claims =
        |tree: Node| tree.get("schema").and_then(Node::text).is_some_and(|schema| schema.starts_with("runbook/"));
    source::claims_schema(yaml) || yaml.contains("runbook/") && yaml::read(yaml).is_ok_and(claims)
}

fn sections(body: &str, first: usize, outline: &Outline) -> Vec<Section> {
    let outermost: Vec<_> = outline.headings.iter().filter(|heading| heading.outermost).collect();
    let text = |from: usize, to: usize| body.get(from..to).unwrap_or_default().trim_matches('\n').trim_end().to_owned();
    let end = |number: usize| outermost.get(number).map_or(body.len(), |heading| heading.range.start);
    let before = Section { text: text(0, end(0)), line: first, ..Section::default() };
    let before = Some(before).filter(|before| !before.text.is_empty());
    let named = outermost.iter().enumerate().map(|(number, heading)| Section {
        heading: heading.text.clone(),
        level: heading.level,
        text: text(heading.range.end, end(number + 1)),
        line: heading.line,
    });
    before.into_iter().chain(named).collect()
}

fn blocks(outline: &Outline) -> Vec<Block> {
    let shells = outline.fences.iter().filter(|fence| fence.is_shell());
    shells
        .map(|fence| Block {
            role: fence.role(),
            name: fence.attribute("name").map(str::to_owned),
            section: fence.section.clone(),
            lines: fence.commands(),
            line: fence.line,
        })
        .collect()
}

fn manifests(outline: &Outline) -> Vec<Manifest> {
    let named = outline
        .fences
        .iter()
        .filter(|fence| fence.is_yaml())
        .filter_map(|fence| Some((fence, fence.attribute("name")?)));
    named
        .filter(|(_, name)| is_file_name(name))
        .map(|(fence, name)| Manifest { name: name.to_owned(), text: fence.text(), line: fence.line })
        .collect()
}

/// Whether a manifest's name is that of a YAML file, and no path.
pub(super) fn is_file_name(name: &str) -> bool {
    let stem = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml"));
    stem.is_some_and(|stem| {
        !stem.is_empty()
            && stem.len() <= 100
            && !stem.starts_with(['.', '-'])
            && stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    })
}

#[cfg(test)]
mod tests;
