//! The sections that a reader at night relies on.

use crate::model::runbook::Level;

use super::{File, Group, Tree, list};
use crate::near::nearest;
use crate::runbook::problem::{Gravity, Problem, Rule};

pub(super) const GROUP: Group = Group { rules: &[&HEADING_MISSING, &HEADING_ORDER, &SECTION_EMPTY], check };

const HEADING_MISSING: Rule = Rule {
    id: "heading-missing",
    severity: Gravity::Error,
    summary: "a section is missing",
    doc: "Every runbook has Meaning (what happens), Impact (what users feel), Diagnosis (how to be sure) and Mitigation (what \
          to do), as headings of level 2. From `automation.level: approve` on it has Verification (what must be seen then) \
          and Rollback (how to go back) too.",
};

const HEADING_ORDER: Rule = Rule {
    id: "heading-order",
    severity: Gravity::Warning,
    summary: "the sections stand in another order, or twice",
    doc: "Meaning, Impact, Diagnosis, Mitigation, Verification, Rollback, Escalation: whoever knows one runbook finds their \
          way in all of them.",
};

const SECTION_EMPTY: Rule = Rule {
    id: "section-empty",
    severity: Gravity::Warning,
    summary: "a section says nothing",
    doc: "An empty section is a promise that is not kept. Where there is nothing to undo, Rollback says so and why.",
};

/// The sections in their order.
pub(super) const SECTIONS: &[&str] =
    &["Meaning", "Impact", "Diagnosis", "Mitigation", "Verification", "Rollback", "Escalation"];

fn check(_: &Tree<'_>, file: &File<'_>, problems: &mut Vec<Problem>) {
    if file.runbook.derived {
        return;
    }
    let needed = SECTIONS.get(..if file.parsed.level >= Level::Approve { 6 } else { 4 }).unwrap_or_default();
    let headings: Vec<_> =
        file.parsed.outline.headings.iter().filter(|heading| heading.outermost && heading.level == 2).collect();
    let missing: Vec<&str> =
        needed.iter().filter(|name| !headings.iter().any(|heading| heading.text == **name)).copied().collect();
    if !missing.is_empty() {
        let known = |text: &str| SECTIONS.contains(&text);
        let near = headings.iter().filter(|heading| !known(&heading.text)).find_map(|heading| {
            let meant = nearest(&heading.text, missing.iter().copied())?;
            Some((heading.line, format!("make `## {}` a `## {meant}`", heading.text)))
        });
        let first = file.parsed.outline.headings.first().map_or(1, |heading| heading.line);
        let what = if missing.len() == 1 { "the section" } else { "the sections" };
        let is = if missing.len() == 1 { "is" } else { "are" };
        let message = format!("{what} {} {is} missing", list(&missing));
        let (line, hint) = near.unwrap_or_else(|| (first, format!("write `## {}`", missing.join("`, `## "))));
        problems.push(file.problem(&HEADING_MISSING, line, message).weighing(file.weight()).hint(hint));
    }
    let mut highest: Option<usize> = None;
    for heading in &headings {
        let Some(place) = SECTIONS.iter().position(|name| *name == heading.text) else { continue };
        match highest.filter(|highest| *highest >= place).and_then(|highest| SECTIONS.get(highest)) {
            Some(before) if *before == heading.text => {
                problems.push(file.problem(&HEADING_ORDER, heading.line, format!("`{before}` stands twice")));
            }
            Some(before) => {
                let message = format!("`{}` comes after `{before}`", heading.text);
                problems.push(
                    file.problem(&HEADING_ORDER, heading.line, message)
                        .hint(format!("the order is {}", SECTIONS.join(", "))),
                );
            }
            None => highest = Some(place),
        }
    }
    let mut sections = file.runbook.sections.iter().peekable();
    while let Some(section) = sections.next() {
        let below = sections.peek().is_some_and(|next| next.level > section.level);
        if section.level == 2 && section.text.is_empty() && !below {
            problems.push(file.problem(&SECTION_EMPTY, section.line, format!("`{}` says nothing", section.heading)));
        }
    }
}
