//! `kubectl react runbooks`: the team's reviewed answers, and those that come with the plugin.

mod diff;
mod files;
mod import;
mod index;
mod init;
mod lint;
mod list;
mod model;
mod new;
mod review;
mod schema;
mod search;
mod show;
mod stats;
mod sync;

pub(super) use sync::no_repository;

use std::sync::Arc;

use clap::{Args, Subcommand};

use super::Reply;
use super::error::CommandError;
use super::global::GlobalArgs;
use super::table::table;
use crate::model::{Library, LibraryState};
use crate::retriever::{Options, Retriever};

const EXAMPLES: &str = "\
Examples:
  kubectl react runbooks init payments-runbooks  # begin a repository
  kubectl react runbooks search \"pods stuck terminating\"
  kubectl react runbooks show oom-killed
  kubectl react runbooks lint                    # in a pull request
  kubectl react runbooks review 12 --incidents   # what a pull request would do
  kubectl react runbooks list --runbooks git@example.org:team/runbooks.git

`runbooks.repo` in the config file names the team's repository, so that
`diagnose` cites it too.";

/// Find, read, check and keep runbooks
///
/// Runbooks are markdown files in a git repository: reviewed by pull request, found by what a fault shows and by
/// what they say, and cited by path and commit. Those that come with the plugin stand below the team's own.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = EXAMPLES, subcommand_required = true, arg_required_else_help = true)]
pub(super) struct RunbooksArgs {
    #[command(subcommand)]
    command: RunbooksCommand,
}

#[derive(Subcommand, Clone, Debug)]
enum RunbooksCommand {
    List(list::ListArgs),
    Show(show::ShowArgs),
    Search(search::SearchArgs),
    Lint(lint::LintArgs),
    New(new::NewArgs),
    Init(init::InitArgs),
    Import(import::ImportArgs),
    Sync(sync::SyncArgs),
    Diff(diff::DiffArgs),
    Review(review::ReviewArgs),
    Index(index::IndexArgs),
    Model(model::ModelArgs),
    Stats(stats::StatsArgs),
    Schema(schema::SchemaArgs),
}

pub(super) fn run(args: RunbooksArgs, global: &GlobalArgs) -> Reply {
    match args.command {
        RunbooksCommand::List(args) => list::run(args, global),
        RunbooksCommand::Show(args) => show::run(args, global),
        RunbooksCommand::Search(args) => search::run(args, global),
        RunbooksCommand::Lint(args) => lint::run(args, global),
        RunbooksCommand::New(args) => new::run(args, global),
        RunbooksCommand::Init(args) => init::run(args, global),
        RunbooksCommand::Import(args) => import::run(args, global),
        RunbooksCommand::Sync(args) => sync::run(args, global),
        RunbooksCommand::Diff(args) => diff::run(args, global),
        RunbooksCommand::Review(args) => review::run(args, global),
        RunbooksCommand::Index(args) => index::run(args, global),
        RunbooksCommand::Model(args) => model::run(args, global),
        RunbooksCommand::Stats(args) => stats::run(args, global),
        RunbooksCommand::Schema(args) => schema::run(args),
    }
}

/// Opens the libraries; one that a person named must be there.
fn open(options: &Arc<Options>) -> Result<Retriever, CommandError> {
    let retriever = Retriever::open(Arc::clone(options))?;
    match retriever.failure() {
        Some(error) => {
            let failed = CommandError::new(error.to_string());
            Err(match error.hint() {
                Some(hint) => failed.hinted(hint),
                None => failed,
            })
        }
        None => Ok(retriever),
    }
}

/// Tells on standard error what did not work with the libraries.
fn tell(states: &[LibraryState]) {
    for state in states {
        for note in &state.notes {
            let age = state.synced.filter(|_| note.starts_with("not up to date"));
            let age = age.map(|time| format!(" (fetched last {})", time.strftime("%Y-%m-%d %H:%M UTC")));
            let text = format!("note: {}: {note}{}", state.source, age.unwrap_or_default());
            super::terminal::report(&(crate::printable::one_line(&text).into_owned() + "\n"));
        }
    }
}

/// `team` or `built-in`.
fn word(library: Library) -> &'static str {
    match library {
        Library::Team => "team",
        Library::Builtin => "built-in",
    }
}
