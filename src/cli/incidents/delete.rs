//! `kubectl react incidents delete`: forgets runs.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::Args;

use super::store;
use crate::cli::error::CommandError;
use crate::cli::{FAILED, Reply, terminal};
use crate::config::Settings;
use crate::incidents::StoreError;
use crate::printable::one_line;

/// Delete incidents
#[derive(Args, Clone, Debug)]
pub(super) struct DeleteArgs {
    /// Their ids, the beginnings of them, or `latest`
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    ids: Vec<String>,

    /// All but those whose run goes on
    #[arg(long)]
    all: bool,

    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

pub(super) fn run(args: DeleteArgs, settings: &Settings) -> Reply {
    let store = store(settings)?;
    let ids = if args.all { store.ids()? } else { args.ids };
    if args.all && !args.yes && !ids.is_empty() && !confirmed(ids.len())? {
        return Ok(ExitCode::SUCCESS);
    }
    let style = terminal::style(settings, false);
    let mut code = ExitCode::SUCCESS;
    for id in &ids {
        match store.delete(id) {
            Ok(id) => terminal::print(&format!("incident {id} deleted\n"), &style)?,
            Err(StoreError::Running(id)) if args.all => {
                terminal::report(&format!("note: {id} is left: its run goes on\n"));
            }
            // What else was named goes all the same.
            Err(error) => {
                let hint = error.hint().map(|hint| format!("hint: {}\n", one_line(&hint))).unwrap_or_default();
                terminal::report(&format!("error: {}\n{hint}", one_line(&error.to_string())));
                code = ExitCode::from(FAILED);
            }
        }
    }
    Ok(code)
}

/// Asks a person.
fn confirmed(many: usize) -> Result<bool, CommandError> {
    if !std::io::stdin().is_terminal() {
        return Err(CommandError::new("all incidents would be deleted, and there is nobody to ask")
            .hinted("say it with `--yes`"));
    }
    let incidents = if many == 1 { "1 incident".to_owned() } else { format!("{many} incidents") };
    terminal::report(&format!("Delete {incidents}? [y/N] "));
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
