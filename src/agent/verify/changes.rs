//! A change that a model suggests: read by the grammar, with what makes it dangerous, or refused.

use super::Seen;
use super::read::{Knowledge, Readings};
use crate::agent::tools::FinishedChange;
use crate::kubectl::{self, Command};
use crate::model::SuggestedChange;

/// Reads a change.
pub(super) fn change(stated: FinishedChange, seen: &Seen<'_>, read: &Readings) -> SuggestedChange {
    let purpose = stated.purpose.trim().to_owned();
    let typed = stated.line.trim().trim_matches('`').trim_start_matches("$ ").to_owned();
    let refused = |why: String| SuggestedChange {
        line: typed.clone(),
        purpose: purpose.clone(),
        refused: Some(why),
        ..SuggestedChange::default()
    };
    let command = match kubectl::parse(&typed) {
        Ok(command) => command,
        Err(refusal) => return refused(refusal.message),
    };
    if let Err(refusal) = command.check_context(seen.context) {
        return refused(refusal.message);
    }
    let mut risks: Vec<String> = match &command {
        Command::Change(change) => change.risks().iter().map(ToString::to_string).collect(),
        Command::Read(_) => Vec::new(),
    };
    risks.extend(command.params().iter().map(|name| format!("`{name}` is to be filled in")));
    risks.extend(unread(&command, read));
    SuggestedChange { line: command.in_context(seen.context), purpose, refused: None, risks, dry_run: None }
}

/// The first of the objects that a line is about, what it is made from, and its namespace, that was not read.
fn unread(command: &Command, read: &Readings) -> Option<String> {
    let targets = command.targets();
    // What a line creates need not have been there, but what it is made from, and where.
    let creates = matches!(command.verb(), "create" | "run");
    let named = targets.iter().filter_map(|target| target.name.as_deref()).filter(|_| !creates);
    let from = command.flag("from").map(|from| from.split_once('/').map_or(from, |(_, name)| name));
    let place = command.namespace().filter(|name| !name.contains('$'));
    named.chain(from).chain(place).find_map(|name| match read.knowledge(name) {
        Knowledge::Read => None,
        Knowledge::Missing => Some(format!("`{name}` was asked for and not found")),
        Knowledge::Never => Some(format!("`{name}` occurs in nothing that was read")),
    })
}
