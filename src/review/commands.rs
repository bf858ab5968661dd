//! What a runbook's commands do: which read, which change, what makes a change dangerous, and who fills what is open.

use std::collections::BTreeSet;

use serde::Serialize;

use super::line;
use crate::kubectl::{self, Change, Command, Risk};
use crate::model::Runbook;
use crate::model::runbook::Role;
use crate::runbook::FILLED;

/// What a command does to a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// It only reads.
    Reads,
    /// It changes something, and another change puts it back.
    Changes,
    /// It deletes, and a controller makes it again.
    MadeAgain,
    /// It changes something that no command puts back.
    NoWayBack,
    /// The tool does not run it, nor shows it as a command.
    Refused,
}

impl Class {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Class::Reads => "reads",
            Class::Changes => "changes; another change puts it back",
            Class::MadeAgain => "deletes what a controller makes again",
            Class::NoWayBack => "changes, and no command puts it back",
            Class::Refused => "no command of the tool",
        }
    }
}

/// A command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The line.
    pub line: String,
    /// What it does.
    pub class: Class,
    /// What makes it dangerous, in words; why it is refused.
    pub risks: Vec<String>,
    /// Its placeholders.
    pub params: Vec<String>,
    /// Whether it was not there before.
    pub new: bool,
}

impl Step {
    /// What it does, and how dangerous that is.
    pub(super) fn told(&self) -> String {
        let words = std::iter::once(self.class.words()).chain(self.risks.iter().map(String::as_str));
        words.collect::<Vec<_>>().join("; ") + if self.new { "" } else { " (as before)" }
    }
}

/// The commands of a runbook, in order.
pub(super) fn steps(runbook: &Runbook, before: Option<&Runbook>) -> Vec<Step> {
    let known: BTreeSet<&str> = before.into_iter().flat_map(lines).map(|(_, text)| text).collect();
    lines(runbook)
        .map(|(role, text)| {
            let (class, risks, params) = match kubectl::parse(text) {
                Err(refusal) => (Class::Refused, vec![line(&refusal.message)], Vec::new()),
                Ok(command) => {
                    let params = command.params().into_iter().map(str::to_owned).collect();
                    match &command {
                        Command::Read(_) => (Class::Reads, Vec::new(), params),
                        Command::Change(change) => (class(change), risks(change), params),
                    }
                }
            };
            Step { role, line: line(text), class, risks, params, new: !known.contains(text) }
        })
        .collect()
}

fn lines(runbook: &Runbook) -> impl Iterator<Item = (Option<Role>, &str)> {
    runbook.blocks.iter().flat_map(|block| block.lines.iter().map(|line| (block.role, line.text.as_str())))
}

/// Its risks in words.
fn risks(change: &Change) -> Vec<String> {
    change.open_risks().iter().map(ToString::to_string).collect()
}

fn class(change: &Change) -> Class {
    use Risk::{All, Namespace, Orphans, Prune, Storage, TemporaryData, Unnamed, Written};
    let lost = [Namespace, Orphans, Prune, Storage, TemporaryData, Unnamed, Written];
    let (deletes, risks) = (change.verb() == "delete", change.risks());
    // A placeholder for a type may be any type.
    let unsure = |risk: &Risk| deletes && matches!(risk, All | Risk::Open);
    match risks.iter().any(|risk| lost.contains(risk) || unsure(risk)) {
        true => Class::NoWayBack,
        false if deletes => Class::MadeAgain,
        false => Class::Changes,
    }
}

/// The placeholders of its commands that no cause fills.
pub(super) fn open(runbook: &Runbook) -> Vec<String> {
    used(runbook).into_iter().filter(|name| !FILLED.contains(&name.as_str())).collect()
}

/// The placeholders of its commands.
pub(super) fn used(runbook: &Runbook) -> BTreeSet<String> {
    let commands = lines(runbook).filter_map(|(_, text)| kubectl::parse(text).ok());
    commands.flat_map(|command| command.params().into_iter().map(str::to_owned).collect::<Vec<_>>()).collect()
}
