//! `kubectl react record`: from an incident that is over to a runbook that the team reviews.
//!
//! *Invariant:* nothing is committed that a person has not seen or said yes to beforehand; what could not be done is said with
//! the command that goes on from there, and the same call again doubles nothing.

mod ask;
mod publish;
mod request;
mod show;
mod sources;
mod words;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::error::CommandError;
use super::global::GlobalArgs;
use super::library::LibraryArgs;
use super::progress::ProgressLine;
use super::{Reply, incidents, runtime, terminal};
use crate::cluster::{self, snapshot_file};
use crate::config::Seconds;
use crate::diagnose::{self, Context, Source};
use crate::graph;
use crate::printable::one_line;
use crate::record::{self, Case, Difference, Done, Patience, Proof, Verdict};
use crate::redact::Redactor;

const EXAMPLES: &str = "\
Examples:
  # the latest incident of this context, when it is mended
  kubectl react record
  # what would be written, and the pull request
  kubectl react record --dry-run
  kubectl react record --fix 'kubectl -n shop rollout undo deployment/cart'
  kubectl react record --fix 'The certificate was renewed by hand'
  kubectl react record 20261126-101500 --yes --draft
  # known, and not mended yet
  kubectl react record --unresolved

It looks until the cause is gone and what was broken works, for the settling
time; finds out what changed; writes a runbook, or adds to the one that there
is; commits it on a branch with your own git, pushes it, and opens a pull
request.";

/// Write a runbook from an incident that is over, and open a pull request for it
///
/// Without an incident, the latest of this context is taken. That it is over is proven first: the cause is not found any
/// more, and what it kept from working works. Nothing is written to the cluster.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct RecordArgs {
    /// The incident: its id, the beginning of it, `latest`, or a file that `incidents export` wrote
    #[arg(value_name = "INCIDENT")]
    incident: Option<String>,

    /// Which of its causes, from 1; the first that is gone where nothing is said
    #[arg(long, value_name = "N")]
    cause: Option<usize>,

    /// What mended it: a line of kubectl, or words; in place of what is found out
    #[arg(long, value_name = "TEXT", conflicts_with = "unresolved")]
    fix: Vec<String>,

    /// Open the runbook in an editor before it is committed
    #[arg(long)]
    editor: bool,

    /// Record it as known, without a fix
    #[arg(long)]
    unresolved: bool,

    /// How long it must hold
    #[arg(long, value_name = "TIME", default_value = "30s")]
    settle: Seconds,

    /// How long it may take until it holds
    #[arg(long, value_name = "TIME", default_value = "2m")]
    timeout: Seconds,

    /// Compare with a snapshot that was taken when it was over, in place of the cluster
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    from: Option<PathBuf>,

    /// Print the runbook and the pull request, and do nothing
    #[arg(long, conflicts_with_all = ["yes", "draft"])]
    dry_run: bool,

    /// Print the commit as a patch, and do nothing
    #[arg(long, conflicts_with_all = ["dry_run", "draft"])]
    patch: bool,

    /// Open the pull request as a draft
    #[arg(long)]
    draft: bool,

    /// The branch; `react/NAME-HASH` where nothing is said
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,

    /// Sign the commit off, as `git commit --signoff` does
    #[arg(long)]
    signoff: bool,

    /// Leave the commit on its local branch
    #[arg(long, conflicts_with = "draft")]
    no_push: bool,

    /// Who answers for a new runbook; again for more
    #[arg(long, value_name = "NAME")]
    owner: Vec<String>,

    /// Use no model, even where one is configured: it would write better words into a new runbook
    #[arg(long)]
    no_llm: bool,

    /// Ask nothing
    #[arg(short, long)]
    yes: bool,

    #[command(flatten)]
    library: LibraryArgs,

    /// How to write it
    #[arg(short, long, value_name = "FORMAT", value_parser = ["text", "json"], default_value = "text")]
    output: String,
}

impl RecordArgs {
    /// Whether nothing is to be done but to say what would be.
    fn only_shows(&self) -> bool {
        self.dry_run || self.patch
    }
}

pub(super) fn run(args: RecordArgs, global: &GlobalArgs) -> Reply {
    let settings = args.library.settings(global, None)?;
    let redactor = super::redactor(&settings)?;
    let style = terminal::style(&settings, false);
    let (case, proof) = proven(&args, global, &settings, &redactor)?;
    let not_fixed = proof.verdict == Verdict::NotFixed;
    if not_fixed && !args.unresolved {
        return Err(show::not_fixed(&case, &proof));
    }
    let cause = case.cause(proof.cause + 1)?;
    let found = if args.unresolved { Vec::new() } else { differences(&case, &proof) };
    if !not_fixed && !args.yes && !args.only_shows() {
        terminal::report(&show::over(&case, &proof));
    }
    let answer = ask::what_mended_it(&args, cause, &found, &redactor)?;
    let mut sources = sources::open(&args, &settings)?;
    let draft = |library: &record::Library| {
        record::draft(&case, &proof, &answer.done, answer.words.as_deref(), library)
            .ok_or_else(|| CommandError::new("the incident has no such cause"))
    };
    let mut drafted = draft(&sources.library)?;
    if drafted.known {
        let text = show::known(&drafted, &sources, &args.output);
        terminal::print(&text, &style)?;
        if !not_fixed {
            sources.helped(&case, cause, &drafted);
        }
        return Ok(ExitCode::SUCCESS);
    }
    // What was proposed before and is not merged: the draft goes on from there, and doubles nothing.
    let branch = args.branch.clone().unwrap_or_else(|| publish::branch(&drafted));
    if let Some(library) = sources.on_branch(&branch) {
        let on_branch = draft(&library)?;
        drafted = if on_branch.known { drafted.as_it_is(&library) } else { on_branch };
        sources.library = library;
    }
    if !args.no_llm && drafted.blob.is_none() {
        drafted = words::better(drafted, &sources.library, &settings, &redactor)?;
    }
    if args.editor {
        drafted = ask::edited(drafted, &sources.library)?;
    }
    let sealed = redactor.seal_texts(drafted.text.clone()).into_inner();
    if sealed != drafted.text {
        drafted = drafted.edited(sealed, &sources.library);
    }
    if drafted.errors > 0 {
        return Err(CommandError::new(format!("the runbook does not pass lint: {}", drafted.lint.join("; ")))
            .hinted("mend it with --editor"));
    }
    let proposal = publish::Proposal::new(&args, &case, &proof, cause, &answer, &drafted, &redactor);
    if args.dry_run {
        terminal::print(&show::dry_run(&proposal, &args.output), &style)?;
        return Ok(ExitCode::SUCCESS);
    }
    if args.patch {
        terminal::print(&sources.patch(&proposal)?, &style)?;
        return Ok(ExitCode::SUCCESS);
    }
    if !args.yes && !ask::go_on(&show::before_commit(&proposal))? {
        return Err(
            CommandError::new("nothing was done").hinted("`--editor` changes the runbook, `--fix` what mended it")
        );
    }
    let published = publish::publish(&sources, &proposal, &settings)?;
    if !not_fixed {
        sources.helped(&case, cause, &drafted);
    }
    terminal::print(&show::published(&published, &proposal, &args.output), &style)?;
    for note in &published.notes {
        terminal::report(&format!("note: {}\n", one_line(note)));
    }
    Ok(ExitCode::SUCCESS)
}

/// The incident, and what proves that it is over.
fn proven(
    args: &RecordArgs,
    global: &GlobalArgs,
    settings: &crate::config::Settings,
    redactor: &Redactor,
) -> Result<(Case, Proof), CommandError> {
    let store = incidents::store(settings)?;
    let open = |context: &str| -> Result<Case, CommandError> {
        let file = args.incident.as_ref().map(PathBuf::from).filter(|path| path.is_file());
        let case = match file {
            Some(path) => {
                let bytes = std::fs::read(&path)
                    .map_err(|error| CommandError::new(format!("can't read `{}`: {error}", path.display())))?;
                Case::of(store.import(&bytes)?)?
            }
            None => Case::open(&store, args.incident.as_deref(), context)?,
        };
        if let Some(number) = args.cause {
            case.cause(number)?;
        }
        Ok(case)
    };
    if let Some(path) = &args.from {
        if let Some(flag) = global.connection.given() {
            return Err(CommandError::new(format!("`--from` reads no cluster, so `{flag}` can't be used with it"))
                .hinted(format!("leave out `--from` or `{flag}`")));
        }
        let after = Arc::new(snapshot_file::read(path, redactor)?);
        let case = open(&after.context)?;
        let proof = record::see(&case, args.cause, after)?;
        return Ok((case, proof));
    }
    let options = global.connection.options();
    let patience = Patience { settle: args.settle.0, limit: args.timeout.0 };
    runtime::run(async {
        let connection = cluster::connect(&options).await?;
        let case = open(&connection.context)?;
        let context = Context {
            source: Source::Live(Box::new(connection.clone())),
            redactor: redactor.clone(),
            page_size: settings.page_size.0,
            runbooks: None,
            explorer: None,
        };
        let line = ProgressLine::start();
        let say = line.writer();
        let proof = {
            let look = || -> futures::future::LocalBoxFuture<'_, _> {
                Box::pin(async {
                    let read = diagnose::read(&context, &connection, &case.request, &|_| {}).await?;
                    let causes = &case.diagnosis.causes;
                    Ok(diagnose::whole(&connection, redactor, &Arc::new(read), causes).await)
                })
            };
            record::prove(&case, args.cause, patience, &look, &|proof, held| {
                say(show::looking(proof, held, args.settle.0));
            })
            .await?
        };
        drop(line);
        Ok((case, proof))
    })
}

fn differences(case: &Case, proof: &Proof) -> Vec<Difference> {
    let Ok(cause) = case.cause(proof.cause + 1) else { return Vec::new() };
    let (before, after) = (graph::build(&case.before), graph::build(&proof.after));
    record::difference::differences(&before, &after, cause)
}

/// What a person said of what was done.
pub(super) struct Answer {
    /// What was done.
    done: Vec<Done>,
    /// In words.
    words: Option<String>,
}
