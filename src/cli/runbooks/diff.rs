//! `kubectl react runbooks diff`: what changed in the team's repository.

use std::process::ExitCode;

use clap::Args;

use super::sync::{line, no_repository};
use crate::cli::error::CommandError;
use crate::cli::global::GlobalArgs;
use crate::cli::library::{LibraryArgs, team};
use crate::cli::{Reply, terminal};
use crate::output;
use crate::printable::printable;
use crate::runbook::repo::{self, Sync};

/// Say what changed in the team's repository
///
/// Without commits: since the branch last moved, as `sync` or `diagnose` saw it.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct DiffArgs {
    /// From this commit
    #[arg(value_name = "FROM")]
    from: Option<String>,

    /// To this one; the one in use where absent
    #[arg(value_name = "TO")]
    to: Option<String>,

    #[command(flatten)]
    library: LibraryArgs,

    /// Show the lines that changed
    #[arg(long)]
    patch: bool,

    /// How to write it
    #[arg(short, long, value_name = "FORMAT", value_parser = ["text", "json"], default_value = "text")]
    output: String,
}

pub(super) fn run(args: DiffArgs, global: &GlobalArgs) -> Reply {
    let settings = args.library.settings(global, None)?;
    let wanted = team(&settings).ok_or_else(no_repository)?;
    let tip = repo::open(&wanted, Sync { skip: true, limit: None, interactive: false })?;
    let style = terminal::style(&settings, false);
    let from = match &args.from {
        Some(from) => tip.at(&wanted, from)?.commit,
        None => match tip.previous() {
            Some((commit, _)) => commit,
            None if tip.commit.is_empty() => {
                return Err(CommandError::new(
                    "it is a folder, and no git repository: nothing is known of what changed",
                ));
            }
            None => {
                terminal::print("nothing changed since it was first fetched\n", &style)?;
                return Ok(ExitCode::SUCCESS);
            }
        },
    };
    let to = match &args.to {
        Some(to) => tip.at(&wanted, to)?.commit,
        None => tip.commit.clone(),
    };
    let text = if args.output == "json" {
        output::json(&tip.edits(&from, &to)?)
    } else if args.patch {
        printable(&tip.patch(&from, &to)?).into_owned()
    } else {
        let short = |commit: &str| commit.get(..12).unwrap_or(commit).to_owned();
        let edits: String = tip.edits(&from, &to)?.iter().map(line).collect();
        let edits = if edits.is_empty() { "  no runbook changed\n".to_owned() } else { edits };
        format!("{} to {}\n{edits}", short(&from), short(&to))
    };
    terminal::print(&text, &style)?;
    Ok(ExitCode::SUCCESS)
}
