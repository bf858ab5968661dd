//! `kubectl react runbooks sync`: fetches what was merged.

use std::process::ExitCode;

use clap::Args;

use crate::cli::error::CommandError;
use crate::cli::global::GlobalArgs;
use crate::cli::library::{LibraryArgs, team};
use crate::cli::{Reply, terminal};
use crate::printable::one_line;
use crate::runbook::repo::{self, Edit, Sync};

/// Fetch the team's repository, and say what changed
///
/// `diagnose` does that by itself, beside the cluster; this waits as long as it takes, and may ask for a password.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct SyncArgs {
    #[command(flatten)]
    library: LibraryArgs,
}

pub(super) fn run(args: SyncArgs, global: &GlobalArgs) -> Reply {
    let settings = args.library.settings(global, None)?;
    let wanted = team(&settings).ok_or_else(no_repository)?;
    let interactive = std::io::IsTerminal::is_terminal(&std::io::stdin());
    let before = repo::open(&wanted, Sync { skip: true, limit: None, interactive }).ok();
    let after = repo::open(&wanted, Sync { skip: false, limit: None, interactive })?;
    if let Some(reason) = &after.stale {
        let age = after.synced.map(|time| format!("; the clone of {} serves", time.strftime("%Y-%m-%d %H:%M UTC")));
        return Err(CommandError::new(format!("{reason}{}", age.unwrap_or_default()))
            .hinted("`git ls-remote` with the same URL must work"));
    }
    let count = after.entries.len();
    let s = if count == 1 { "" } else { "s" };
    let mut text = match after.commit.get(..12) {
        Some(commit) => format!("{}: {count} runbook{s} at {commit}\n", one_line(&after.source)),
        None => format!("{}: {count} runbook{s} in a folder that is no git repository\n", one_line(&after.source)),
    };
    if let Some(before) = before.filter(|before| before.commit != after.commit && !before.commit.is_empty()) {
        for edit in after.edits(&before.commit, &after.commit)? {
            text += &line(&edit);
        }
    }
    terminal::print(&text, &terminal::style(&settings, false))?;
    for note in &after.notes {
        terminal::report(&format!("note: {}\n", one_line(note)));
    }
    Ok(ExitCode::SUCCESS)
}

pub(in crate::cli) fn no_repository() -> CommandError {
    CommandError::new("no repository of runbooks is set")
        .hinted("name one with --runbooks, with `runbooks.repo` in the config file or with KUBECTL_REACT_RUNBOOKS")
}

/// `  added      runbooks/a.md`
pub(super) fn line(edit: &Edit) -> String {
    let from = edit.from.as_ref().map(|from| format!(" (was {from})")).unwrap_or_default();
    format!("  {:<8}  {}\n", edit.what, one_line(&format!("{}{from}", edit.path)))
}
