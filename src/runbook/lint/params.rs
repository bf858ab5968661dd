//! Placeholders: every `$NAME` of the commands is declared, and nothing else is.

use std::collections::{BTreeMap, BTreeSet};

use super::{File, Group, MOST, Tree};
use crate::near::nearest;
use crate::runbook::problem::{Gravity, Problem, Rule};

pub(super) const GROUP: Group = Group { rules: &[&PARAM_UNDECLARED, &PARAM_UNUSED], check };

const PARAM_UNDECLARED: Rule = Rule {
    id: "param-undeclared",
    severity: Gravity::Error,
    summary: "a command uses a placeholder that `params` does not declare",
    doc: "`params` says for every `$NAME` of the commands and manifests what to put there and where to read it. \
          `kubectl react` fills in those that a finding tells (NAMESPACE, POD, WORKLOAD, …).",
};

const PARAM_UNUSED: Rule = Rule {
    id: "param-unused",
    severity: Gravity::Warning,
    summary: "`params` declares a placeholder that no command uses",
    doc: "Who reads `params` at night goes to find each value; one that nothing needs costs time.",
};

/// The placeholders in a text: `$` and upper-case letters, digits and `_`.
pub(super) fn names(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('$').filter_map(|(at, _)| {
        let rest = text.get(at + 1..)?;
        let end =
            rest.find(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')).unwrap_or(rest.len());
        rest.get(..end).filter(|name| name.starts_with(|c: char| c.is_ascii_uppercase()))
    })
}

fn check(_: &Tree<'_>, file: &File<'_>, problems: &mut Vec<Problem>) {
    if file.runbook.derived {
        return;
    }
    let declared: BTreeSet<&str> = file.runbook.front.params.keys().map(String::as_str).collect();
    let mut used: BTreeMap<&str, usize> = BTreeMap::new();
    for line in &file.commands {
        for name in names(&line.at.text) {
            used.entry(name).or_insert(line.at.line);
        }
    }
    for manifest in &file.runbook.manifests {
        for (number, line) in manifest.text.lines().enumerate() {
            for name in names(line) {
                used.entry(name).or_insert(manifest.line + 1 + number);
            }
        }
    }
    let unused: Vec<&str> = declared.iter().filter(|name| !used.contains_key(*name)).copied().collect();
    let undeclared = used.iter().filter(|(name, _)| !declared.contains(*name)).take(MOST);
    for (name, line) in undeclared {
        let near = nearest(name, unused.iter().copied());
        let hint = near.map_or_else(
            || format!("say in `params` what `{name}` is and where to read it"),
            |near| format!("did you mean `${near}`?"),
        );
        let message = format!("`${name}` is not declared in `params`");
        problems.push(file.problem(&PARAM_UNDECLARED, *line, message).hint(hint));
    }
    for name in unused.into_iter().take(MOST) {
        let line = file.parsed.line_of(&format!("params.{name}"));
        problems.push(
            file.problem(&PARAM_UNUSED, line, format!("no command uses `${name}`")).hint("take it out of `params`"),
        );
    }
}
