//! Blocks of commands: info strings, and lines that are kubectl's.

use std::collections::BTreeMap;

use crate::kubectl::Command;
use crate::model::runbook::Role;

use super::{File, Group, Line, MOST, Tree};
use crate::near::nearest;
use crate::runbook::fence::{Fence, ROLES};
use crate::runbook::problem::{Gravity, Problem, Rule};

pub(super) const GROUP: Group =
    Group { rules: &[&BLOCK_NAME, &COMMAND_CHANGES, &COMMAND_REFUSED, &INFO_STRING], check };

const BLOCK_NAME: Rule = Rule {
    id: "block-name",
    severity: Gravity::Error,
    summary: "two blocks have one name, or a name is no word",
    doc: "The `name` of a block is how an answer and a record refer to it: lower-case words joined by `-`, once in a file.",
};

const COMMAND_CHANGES: Rule = Rule {
    id: "command-changes",
    severity: Gravity::Error,
    summary: "a block that is there to look changes something",
    doc: "Blocks of the roles `diagnose` and `verify` may be run without asking, by a person or by the agent. What changes the \
          cluster belongs in a block of the role `fix` or `rollback`, below Mitigation or Rollback.",
};

const COMMAND_REFUSED: Rule = Rule {
    id: "command-refused",
    severity: Gravity::Error,
    summary: "a line is no kubectl command that the project's grammar takes",
    doc: "`sh` blocks hold plain kubectl lines: no shell, so no pipes, variables of the environment, `$( )`, `;`, `&&`, \
          redirection or globs. What only a person can run (`ssh`, `crictl`, `curl`, `kubectl exec`) stands in a `console` \
          block, which nothing runs.",
};

const INFO_STRING: Rule = Rule {
    id: "info-string",
    severity: Gravity::Error,
    summary: "what follows the language of a fence can't be read",
    doc: "After the language come attributes as one JSON object: ```` ```sh {\"name\":\"last-state\",\"react\":\"diagnose\"} ````. \
          `react` is the role: diagnose, fix, verify or rollback. Attributes that other programs read (runme's) are left alone.",
};

fn check(_: &Tree<'_>, file: &File<'_>, problems: &mut Vec<Problem>) {
    if file.runbook.derived {
        return;
    }
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for fence in &file.parsed.outline.fences {
        info(file, fence, problems);
        let Some(name) = fence.attribute("name") else { continue };
        match names.get(name) {
            Some(line) => {
                let message = format!("a block on line {line} has the name `{name}` too");
                problems.push(file.problem(&BLOCK_NAME, fence.line, message));
            }
            None => drop(names.insert(name, fence.line)),
        }
    }
    let lines: Vec<&str> = file.parsed.text.lines().collect();
    let mut left = MOST;
    for line in &file.commands {
        let before = problems.len();
        command(file, &lines, line, problems);
        left = left.saturating_sub(problems.len() - before);
        if left == 0 {
            break;
        }
    }
}

fn info(file: &File<'_>, fence: &Fence, problems: &mut Vec<Problem>) {
    if let Some(fault) = &fence.fault {
        let message = format!("the attributes of the block are no JSON object: {fault}");
        problems.push(
            file.problem(&INFO_STRING, fence.line, message)
                .hint("write them as `sh {\"name\":\"last-state\",\"react\":\"diagnose\"}`"),
        );
    }
    if fence.is_shell()
        && let Some((_, name)) = fence.attributes.iter().find(|(key, _)| key == "name")
        && !name.as_str().is_some_and(is_word)
    {
        let message = format!("the block's name is {name}");
        problems.push(file.problem(&BLOCK_NAME, fence.line, message).hint("a name is lower-case words joined by `-`"));
    }
    let Some((_, react)) = fence.attributes.iter().find(|(key, _)| key == "react") else { return };
    if !fence.is_shell() {
        let message = format!("a `{}` block has no role", fence.language);
        problems.push(file.problem(&INFO_STRING, fence.line, message).hint(
            "a change is a kubectl line in an `sh` block; a manifest is `yaml {\"name\":\"FILE.yaml\"}` and is applied by such a line",
        ));
    } else if !ROLES.iter().any(|(word, _)| react.as_str() == Some(word)) {
        let near = react.as_str().and_then(|word| nearest(word, ROLES.iter().map(|(word, _)| *word)));
        let hint = near.map_or_else(
            || "the roles are diagnose, fix, verify and rollback".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        problems.push(file.problem(&INFO_STRING, fence.line, format!("there is no role {react}")).hint(hint));
    }
}

fn is_word(name: &str) -> bool {
    name.split('-')
        .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
}

fn command(file: &File<'_>, lines: &[&str], line: &Line<'_>, problems: &mut Vec<Problem>) {
    match (&line.command, line.role) {
        (Err(refusal), _) => {
            let problem = file.problem(&COMMAND_REFUSED, line.at.line, refusal.message.clone());
            let hint = refusal.hint().map(str::to_owned);
            problems.push(Problem { hint, column: column(lines, line, refusal.at), ..problem });
        }
        (Ok(Command::Change(change)), Some(role @ (Role::Diagnose | Role::Verify))) => {
            let word = ROLES.iter().find(|(_, known)| *known == role).map_or("", |(word, _)| word);
            let message = format!("`kubectl {}` changes the cluster, and the block is there to {word}", change.verb());
            problems.push(
                file.problem(&COMMAND_CHANGES, line.at.line, message)
                    .hint("give it a block of its own with the role `fix` or `rollback`"),
            );
        }
        _ => {}
    }
}

/// The column of a byte of a command, where the command stands on one line of the file.
fn column(lines: &[&str], line: &Line<'_>, at: usize) -> Option<usize> {
    let whole = lines.get(line.at.line.checked_sub(1)?)?;
    let before = whole.get(..whole.find(line.at.text.as_str())? + at)?;
    Some(before.chars().count() + 1)
}
