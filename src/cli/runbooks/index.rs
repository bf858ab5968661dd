//! `kubectl react runbooks index`: brings the index up to date, vectors included.

use std::process::ExitCode;

use clap::Args;

use super::{open, tell};
use crate::cli::global::GlobalArgs;
use crate::cli::library::{Freshness, LibraryArgs, options};
use crate::cli::progress::ProgressLine;
use crate::cli::{Reply, terminal};
use crate::retrieve::index::{Phase, Progress};

/// Bring the index up to date: words, and vectors where there is a model
///
/// The index is made from the runbooks and can be thrown away; only what is new is read and embedded.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct IndexArgs {
    #[command(flatten)]
    library: LibraryArgs,

    /// Remove what belongs to no runbook of the current commits
    #[arg(long)]
    prune: bool,
}

pub(super) fn run(args: IndexArgs, global: &GlobalArgs) -> Reply {
    let settings = args.library.settings(global, None)?;
    let options = options(&settings, Freshness::Full, true)?;
    let mut retriever = open(&options)?;
    let report = {
        let line = ProgressLine::start();
        let say = line.writer();
        retriever.embed(&mut |progress| say(sentence(progress)))?
    };
    let mut text = format!(
        "{} runbooks indexed, {} with new vectors",
        retriever.places().len().saturating_sub(report.unread),
        report.embedded
    );
    if report.without_vectors > 0 || options.embedder.is_none() {
        text += match &report.failure {
            Some(_) => ", some without vectors",
            None => "; without a model they are found by signature and words (`kubectl react runbooks model pull`)",
        };
    }
    if args.prune {
        let removed = retriever.prune()?;
        text += &format!(", {removed} removed that are in no current commit");
    } else if report.unused > 0 {
        text += &format!(", {} of other commits kept (--prune removes them)", report.unused);
    }
    terminal::print(&(text + "\n"), &terminal::style(&settings, false))?;
    if let Some(failure) = &report.failure {
        terminal::report(&format!("note: {}\n", crate::printable::one_line(failure)));
    }
    tell(&retriever.states());
    Ok(ExitCode::SUCCESS)
}

/// How far it is, for the line on standard error.
pub(super) fn sentence(progress: Progress) -> String {
    let what = match progress.phase {
        Phase::Read => "reading runbooks",
        Phase::Embed => "embedding runbooks",
    };
    format!("{what}: {} of {}", progress.done, progress.total)
}
