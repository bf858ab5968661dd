//! Runbooks for tests, from markdown without front matter.
//!
//! *Invariant:* it reads just what the test corpus has: a first heading, sections, fenced blocks.

use std::collections::BTreeMap;

use crate::model::runbook::{
    AppliesTo, Automation, FrontMatter, RUNBOOK_SCHEMA, RootCause, Section, Signature, Status,
};
use crate::model::{Library, Place, Runbook, Severity};

/// A runbook of `markdown` at `path`.
pub(crate) fn runbook(path: &str, markdown: &str) -> Runbook {
    let mut sections: Vec<Section> = Vec::new();
    let mut fenced = false;
    for (at, line) in markdown.lines().enumerate() {
        fenced ^= line.trim_start().starts_with("```");
        let level = line.bytes().take_while(|byte| *byte == b'#').count();
        if !fenced && level > 0 {
            let heading = line.trim_start_matches('#').trim().to_owned();
            let level = u8::try_from(level).unwrap_or(6);
            sections.push(Section { heading, level, text: String::new(), line: at + 1 });
        } else if let Some(section) = sections.last_mut() {
            section.text.push_str(line);
            section.text.push('\n');
        }
    }
    for section in &mut sections {
        section.text = section.text.trim().to_owned();
    }
    let name = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".md").to_owned();
    let title = sections.first().map_or(name.clone(), |section| section.heading.clone());
    let about = sections.iter().find(|section| !section.text.is_empty()).map(|section| section.text.as_str());
    let alerts = if title.contains(' ') { Vec::new() } else { vec![title.clone()] };
    Runbook {
        place: Place { library: Library::Team, path: path.to_owned(), commit: String::new(), blob: String::new() },
        front: FrontMatter {
            json_schema: None,
            schema: RUNBOOK_SCHEMA.to_owned(),
            name,
            title,
            description: about.unwrap_or_default().split("\n\n").next().unwrap_or_default().to_owned(),
            status: Status::Active,
            superseded_by: None,
            severity: Severity::Warning,
            root_cause: RootCause::Unknown,
            signature: Signature { alerts, ..Signature::default() },
            applies_to: AppliesTo::default(),
            automation: Automation::default(),
            params: BTreeMap::new(),
            owners: Vec::new(),
            reviewed: None,
            provenance: None,
            references: Vec::new(),
            tags: Vec::new(),
        },
        derived: true,
        sections,
        blocks: Vec::new(),
        manifests: Vec::new(),
    }
}
