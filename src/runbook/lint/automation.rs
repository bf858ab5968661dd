//! What a program may do with a runbook, held against what the runbook says.

use crate::kubectl::Risk as Danger;
use crate::model::runbook::{Level, Risk, Role};

use super::params::names;
use super::{File, Group, Tree, list};
use crate::runbook::FILLED;
use crate::runbook::problem::{Gravity, Problem, Rule};

pub(super) const GROUP: Group =
    Group { rules: &[&AUTOMATION_BARE, &AUTOMATION_UNATTENDED, &FIX_NOT_SHOWN, &RISK_UNDERSTATED], check };

const AUTOMATION_BARE: Rule = Rule {
    id: "automation-bare",
    severity: Gravity::Error,
    summary: "the automation level is above what the runbook has commands for",
    doc: "From `approve` on a program runs the commands: there must be a block `fix` that changes something, a block `verify` \
          that shows it worked, a block `rollback` that goes back, and `risk` must be said. Where going back is not a \
          command, the level is `suggest`.",
};

const AUTOMATION_UNATTENDED: Rule = Rule {
    id: "automation-unattended",
    severity: Gravity::Error,
    summary: "at level `auto` something needs a person",
    doc: "`auto` runs with nobody there: every placeholder is one that a finding fills, nothing opens an editor, the risk is \
          not high, and `cooldown` says how soon it may run again.",
};

const FIX_NOT_SHOWN: Rule = Rule {
    id: "fix-not-shown",
    severity: Gravity::Note,
    summary: "there is a fix, and `automation.level: none` keeps it from being shown",
    doc: "At `none` an answer only names the runbook. `suggest` shows its fix, and runs nothing.",
};

const RISK_UNDERSTATED: Rule = Rule {
    id: "risk-understated",
    severity: Gravity::Warning,
    summary: "a change is dangerous, and `automation.risk` is not `high`",
    doc: "Changes that delete data, give rights, skip what protects workloads or reach further than one object need \
          `risk: high`, whatever the circumstances. From level `approve` on this is an error.",
};

fn check(_: &Tree<'_>, file: &File<'_>, problems: &mut Vec<Problem>) {
    if file.runbook.derived {
        return;
    }
    let level = file.parsed.level;
    let at_level = file.parsed.line_of("automation.level");
    let fix = file.commands.iter().find(|line| line.role == Some(Role::Fix));
    if level == Level::None
        && let Some(fix) = fix
    {
        let message = "`automation.level` is `none`, so this fix is not shown";
        problems.push(file.problem(&FIX_NOT_SHOWN, fix.at.line, message).hint("set `level: suggest` to have it shown"));
    }
    if level >= Level::Approve {
        let bare = bare(file);
        if !bare.is_empty() {
            let word = if level == Level::Auto { "auto" } else { "approve" };
            let message = format!("`level: {word}` needs {}", bare.join(" and "));
            problems.push(file.problem(&AUTOMATION_BARE, at_level, message).hint("write it, or set `level: suggest`"));
        }
    }
    if level == Level::Auto {
        unattended(file, problems);
    }
    for (line, change) in file.changes() {
        let dangers: Vec<Danger> = change.risks().into_iter().filter(|danger| is_high(*danger)).collect();
        if let Some(danger) = dangers.first()
            && file.runbook.front.automation.risk != Some(Risk::High)
        {
            let weight = if level >= Level::Approve { Gravity::Error } else { Gravity::Warning };
            let problem = file.problem(
                &RISK_UNDERSTATED,
                line.at.line,
                format!("this {danger}, and `automation.risk` is not `high`"),
            );
            problems.push(problem.weighing(weight).hint("set `risk: high`"));
        }
    }
}

/// Risks that no circumstances make small.
fn is_high(danger: Danger) -> bool {
    use Danger::{BySelector, Open, RunsImage, TemporaryData, ToZero, Written};
    !matches!(danger, RunsImage | ToZero | BySelector | Open | TemporaryData | Written)
}

/// What is not there and must be.
fn bare(file: &File<'_>) -> Vec<&'static str> {
    let has = |role: Role| file.commands.iter().any(|line| line.role == Some(role));
    let changes = file.changes().any(|(line, _)| line.role == Some(Role::Fix));
    let mut bare = Vec::new();
    for (there, what) in [
        (changes, "a `fix` block that changes something"),
        (has(Role::Verify), "a `verify` block"),
        (has(Role::Rollback), "a `rollback` block"),
        (file.runbook.front.automation.risk.is_some(), "`automation.risk`"),
    ] {
        if !there {
            bare.push(what);
        }
    }
    bare
}

fn unattended(file: &File<'_>, problems: &mut Vec<Problem>) {
    let automation = &file.runbook.front.automation;
    if automation.risk == Some(Risk::High) {
        let message = "`level: auto` with `risk: high`";
        problems.push(
            file.problem(&AUTOMATION_UNATTENDED, file.parsed.line_of("automation.risk"), message)
                .hint("set `level: approve`"),
        );
    }
    if automation.cooldown.is_none() {
        let message = "`level: auto` without `cooldown`";
        problems.push(
            file.problem(&AUTOMATION_UNATTENDED, file.parsed.line_of("automation.level"), message)
                .hint("set `cooldown: 30m`"),
        );
    }
    for line in file.commands.iter().filter(|line| line.role.is_some_and(|role| role != Role::Diagnose)) {
        let mut open: Vec<&str> = names(&line.at.text).filter(|name| !FILLED.contains(name)).collect();
        open.dedup();
        if !open.is_empty() {
            let message = format!("{} is known to a person only", list(&open));
            problems.push(file.problem(&AUTOMATION_UNATTENDED, line.at.line, message).hint("set `level: approve`"));
        }
    }
    for (line, _) in file.changes().filter(|(_, change)| change.interactive()) {
        let message = "this waits for a person";
        problems.push(file.problem(&AUTOMATION_UNATTENDED, line.at.line, message).hint("write it as `kubectl patch`"));
    }
}
