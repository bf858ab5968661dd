//! `kubectl react incidents`: what was found broken, and the runs that asked a model, as they were.

mod delete;
mod export;
mod list;
mod page;
mod replay;
mod show;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Reply;
use super::error::CommandError;
use super::global::GlobalArgs;
use crate::config::{self, Flags, Settings};
use crate::incidents::{Incident, Store, exported};

const EXAMPLES: &str = "\
Examples:
  kubectl react incidents list
  kubectl react incidents show latest --steps
  # for a colleague
  kubectl react incidents export 20261126-101500 -f incident.json.gz
  kubectl react incidents show --from incident.json.gz
  # the same bytes, without asking anybody
  kubectl react incidents replay latest

They are kept in $XDG_STATE_HOME/kubectl-react/incidents, readable by you only;
`incidents.keep` in the config file says how many, 200 where it says nothing.";

/// Show, replay, export and delete what was found broken, and the runs that asked a model
///
/// Each is kept with the snapshot that it saw, and with a model every step, and what it cost. Secrets are replaced by placeholders before
/// anything is written.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = EXAMPLES, subcommand_required = true, arg_required_else_help = true)]
pub(super) struct IncidentsArgs {
    #[command(subcommand)]
    command: IncidentsCommand,
}

#[derive(Subcommand, Clone, Debug)]
enum IncidentsCommand {
    List(list::ListArgs),
    Show(show::ShowArgs),
    Replay(replay::ReplayArgs),
    Export(export::ExportArgs),
    Delete(delete::DeleteArgs),
}

pub(super) fn run(args: IncidentsArgs, global: &GlobalArgs) -> Reply {
    let settings = Settings::resolve(&Flags { color: global.color, ..Flags::default() })?;
    match args.command {
        IncidentsCommand::List(args) => list::run(args, &settings),
        IncidentsCommand::Show(args) => show::run(args, &settings),
        IncidentsCommand::Replay(args) => replay::run(args, &settings),
        IncidentsCommand::Export(args) => export::run(args, &settings),
        IncidentsCommand::Delete(args) => delete::run(args, &settings),
    }
}

/// The store of this user.
pub(super) fn store(settings: &Settings) -> Result<Store, CommandError> {
    let state = config::state_dir().ok_or_else(|| {
        CommandError::new("there is no folder for incidents: HOME is not set").hinted("set XDG_STATE_HOME")
    })?;
    Ok(Store::open(state.join("incidents"), super::redactor(settings)?).keeping(settings.incidents_keep.0))
}

/// Which incident.
#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = false)]
struct Which {
    /// Its id, the beginning of it, or `latest`
    #[arg(value_name = "ID")]
    id: Option<String>,

    /// A file that `export` wrote
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    from: Option<PathBuf>,
}

impl Which {
    /// It, with its snapshot where that is wanted.
    fn load(&self, store: &Store, whole: bool) -> Result<Incident, CommandError> {
        if let Some(path) = &self.from {
            return store.import(&exported(path)?).map_err(|error| {
                let failed = CommandError::new(format!("can't use `{}`: {error}", path.display()));
                match error.hint() {
                    Some(hint) => failed.hinted(hint),
                    None => failed,
                }
            });
        }
        let id = self.id.as_deref().unwrap_or_default();
        Ok(if whole { store.load_whole(id)? } else { store.load(id)? })
    }
}
