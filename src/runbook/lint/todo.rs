//! What a skeleton left to be written.

use crate::model::runbook::Status;

use super::{File, Group, Tree};
use crate::runbook::problem::{Gravity, Problem, Rule};

pub(super) const GROUP: Group = Group { rules: &[&TODO_LEFT], check };

const TODO_LEFT: Rule = Rule {
    id: "todo-left",
    severity: Gravity::Error,
    summary: "a runbook in use still says TODO",
    doc: "A new runbook marks what is to be written with TODO. In a draft that is a note; what is `active` is complete.",
};

fn check(_: &Tree<'_>, file: &File<'_>, problems: &mut Vec<Problem>) {
    if file.runbook.derived {
        return;
    }
    let is_word = |line: &str| line.split(|c: char| !c.is_alphanumeric()).any(|word| word == "TODO");
    let mut lines =
        file.parsed.text.lines().enumerate().filter(|(_, line)| is_word(line)).map(|(number, _)| number + 1);
    let Some(first) = lines.next() else { return };
    let message = match lines.count() {
        0 => "one place is still TODO".to_owned(),
        more => format!("{} places are still TODO", more + 1),
    };
    let weight = if file.runbook.front.status == Status::Draft { Gravity::Note } else { Gravity::Error };
    problems.push(file.problem(&TODO_LEFT, first, message).weighing(weight));
}
