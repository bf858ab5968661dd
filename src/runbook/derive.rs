//! Front matter for a file that has none of ours: what its headings and its name say.
//!
//! *Invariant:* what is derived is a draft that nothing may run (`automation: none`).

use std::collections::BTreeMap;

use crate::model::Severity;
use crate::model::runbook::{AppliesTo, Automation, FrontMatter, RUNBOOK_SCHEMA, RootCause, Signature, Status};

use super::markdown::Outline;
use super::yaml::Node;

/// Longest title and description, as the schema has them.
const TITLE: usize = 100;
const DESCRIPTION: usize = 1024;
/// Longest name.
const NAME: usize = 64;

/// Where collections say what a runbook is about, the best first.
const ABOUT: &[&str] =
    &["meaning", "description", "summary", "overview", "symptoms", "symptom", "goal", "introduction"];

/// Stems that say nothing; the folder does.
const NAMELESS: &[&str] = &["readme", "index", "_index", "skill", "runbook"];

/// Derives front matter from a path, from front matter of others and from the body.
pub(super) fn front_matter(path: &str, foreign: Option<&Node>, outline: &Outline) -> FrontMatter {
    let said = |key: &str| {
        foreign.and_then(|node| node.get(key)).and_then(Node::text).map(one_line).filter(|text| !text.is_empty())
    };
    let heading = outline.headings.iter().find(|heading| heading.level == 1 && !heading.text.is_empty());
    let heading = heading.map(|heading| one_line(&heading.text));
    let stem = stem(path);
    let title = said("title").or_else(|| heading.clone()).or_else(|| said("name")).unwrap_or_else(|| stem.to_owned());
    let mut alerts: Vec<String> = Vec::new();
    for candidate in [heading.as_deref(), Some(stem), said("title").as_deref()].into_iter().flatten() {
        alerts.extend(alert(candidate).filter(|alert| !alerts.contains(alert)));
    }
    let tags = foreign.and_then(|node| node.get("tags")).map(Node::items).unwrap_or_default();
    let mut tags: Vec<String> =
        tags.iter().filter_map(Node::text).map(|tag| cut(tag.trim(), 100)).filter(|tag| !tag.is_empty()).collect();
    tags.dedup();
    FrontMatter {
        json_schema: None,
        schema: RUNBOOK_SCHEMA.to_owned(),
        name: name(path),
        title: cut(&title, TITLE),
        description: cut(&said("description").or_else(|| about(outline)).unwrap_or(title), DESCRIPTION),
        status: Status::Draft,
        superseded_by: None,
        severity: said("severity").map_or(Severity::Warning, |word| severity(&word)),
        root_cause: RootCause::Unknown,
        signature: Signature { alerts, ..Signature::default() },
        applies_to: AppliesTo::default(),
        automation: Automation::default(),
        params: BTreeMap::new(),
        owners: Vec::new(),
        reviewed: None,
        provenance: None,
        references: Vec::new(),
        tags,
    }
}

fn severity(word: &str) -> Severity {
    match word.to_ascii_lowercase().as_str() {
        "critical" => Severity::Critical,
        "info" => Severity::Info,
        _ => Severity::Warning,
    }
}

/// The first paragraph of the section that says what it is about, else the first one of all.
fn about(outline: &Outline) -> Option<String> {
    let below = |name: &str| {
        outline.paragraphs.iter().find(|(heading, _)| {
            heading
                .and_then(|number| outline.headings.get(number))
                .is_some_and(|heading| heading.text.eq_ignore_ascii_case(name))
        })
    };
    let found = ABOUT.iter().find_map(|name| below(name)).or_else(|| outline.paragraphs.first());
    found.map(|(_, text)| one_line(text)).filter(|text| !text.is_empty())
}

/// The file's name without its ending.
pub(super) fn stem(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.rsplit_once('.').map_or(file, |(stem, _)| if stem.is_empty() { file } else { stem })
}

/// A name for the file at `path`: its stem, or its folder's where the stem says nothing, as lower-case words.
pub fn name(path: &str) -> String {
    let own = stem(path);
    let folder = path.rsplit('/').nth(1).filter(|_| NAMELESS.contains(&own.to_ascii_lowercase().as_str()));
    let kebab = kebab(folder.unwrap_or(own));
    if kebab.is_empty() { "runbook".to_owned() } else { kebab }
}

/// Lower-case words joined by `-`: `KubePodCrashLooping` is `kube-pod-crash-looping`.
pub(super) fn kebab(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut made = String::new();
    for (at, c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| chars.get(at));
        let after = chars.get(at + 1);
        // A word begins at a capital after a small letter, and at the last capital of several: `CPUHigh`.
        let begins = c.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || before.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase)
            });
        if begins || !c.is_ascii_alphanumeric() {
            made.push('-');
        }
        if c.is_ascii_alphanumeric() {
            made.push(c.to_ascii_lowercase());
        }
    }
    let words: Vec<&str> = made.split('-').filter(|word| !word.is_empty()).collect();
    let mut name = String::new();
    for word in words {
        let length = name.len() + usize::from(!name.is_empty()) + word.len();
        if length > NAME {
            if name.is_empty() {
                name = word.chars().take(NAME).collect();
            }
            break;
        }
        if !name.is_empty() {
            name.push('-');
        }
        name.push_str(word);
    }
    name
}

/// The name of an alert, where a heading or a stem is one: `KubePodCrashLooping`, `etcdMembersDown`, with or without a
/// remark in brackets behind it.
fn alert(text: &str) -> Option<String> {
    let text = text.trim();
    let word = text.split_whitespace().next()?.trim_matches(['`', '*']);
    let rest = text.get(text.find(char::is_whitespace).unwrap_or(text.len())..)?.trim();
    if !(rest.is_empty() || rest.starts_with(['[', '('])) {
        return None;
    }
    let capitals = word.bytes().filter(u8::is_ascii_uppercase).count();
    let small = word.bytes().filter(u8::is_ascii_lowercase).count();
    let fits = (6..=100).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !word.starts_with(|c: char| c.is_ascii_digit() || c == '_')
        && capitals >= 2
        && small >= 2;
    fits.then(|| word.to_owned())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// At most `most` characters of it, whole words.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let head: String = text.chars().take(most - 1).collect();
    let head = head.rsplit_once(' ').map_or(head.as_str(), |(head, _)| head);
    format!("{}…", head.trim_end())
}
