//! `kubectl react diagnose`: what is broken, and why.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::error::CommandError;
use super::global::GlobalArgs;
use super::library::{Freshness, LibraryArgs, options};
use super::progress::ProgressLine;
use super::scope::ScopeArgs;
use super::{Reply, runtime, terminal};
use crate::cluster::{self, snapshot_file};
use crate::config::{self, Settings};
use crate::diagnose::{self, Context, Outcome, Request, Source};
use crate::model::{Diagnosis, Severity, Verdict};
use crate::output::{self, Format};
use crate::redact::Redactor;
use crate::retriever::Options;

const EXAMPLES: &str = "\
Examples:
  kubectl react diagnose                        # all namespaces
  kubectl react diagnose -n shop                # one, and what it depends on
  kubectl react diagnose deployment/cart -n shop
  kubectl react diagnose -l app=cart -o markdown
  kubectl react diagnose --from outage.json.gz  # no cluster needed

Exit codes:
  0    it ran, whatever it found
  1    with --exit-code: something is broken, at least as bad as --fail-on says
  2    it could not run
  3    with --exit-code: nothing found, but not all that matters could be read";

/// Find out what is broken, and why
///
/// Reads the cluster once and names the root causes of what is broken: each with what follows from it, what
/// changed shortly before, the evidence quoted word for word, and what to do next. Nothing is written to the
/// cluster, and no model is needed.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct DiagnoseArgs {
    /// Only these: TYPE, TYPE/NAME or TYPE NAME, as with `kubectl get`
    #[arg(value_name = "TYPE[/NAME]")]
    targets: Vec<String>,

    #[command(flatten)]
    scope: ScopeArgs,

    /// Diagnose a recorded snapshot in place of a cluster; - reads standard input
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    from: Option<PathBuf>,

    /// How to write the answer
    #[arg(short, long, value_name = "FORMAT", value_parser = super::formats())]
    output: Option<Format>,

    /// Show all causes in full, and all that belongs to them
    #[arg(long)]
    verbose: bool,

    /// Exit with 1 when something is broken, and with 3 when that can't be told
    #[arg(long)]
    exit_code: bool,

    /// The least severity that counts for --exit-code
    #[arg(long, value_name = "SEVERITY", value_parser = ["critical", "warning"], default_value = "warning")]
    fail_on: String,

    #[command(flatten)]
    library: LibraryArgs,

    /// Name no runbooks
    #[arg(long, conflicts_with = "runbooks")]
    no_runbooks: bool,

    /// Use no model, even where one is configured
    #[arg(long)]
    no_llm: bool,
}

pub(super) fn run(args: DiagnoseArgs, global: &GlobalArgs) -> Reply {
    let settings = args.library.settings(global, args.output)?;
    let runbooks = (!args.no_runbooks).then(|| options(&settings, Freshness::Brief, true)).transpose()?;
    let request = args.scope.request(global.connection.namespace.clone(), &args.targets)?;
    let outcome = match &args.from {
        Some(path) => saved(path, global, request, &settings, runbooks)?,
        None => live(global, request, &settings, runbooks)?,
    };
    let style = terminal::style(&settings, args.verbose);
    terminal::print(&output::render(&outcome.diagnosis, *settings.output, &style), &style)?;
    let least = if args.fail_on == "critical" { Severity::Critical } else { Severity::Warning };
    Ok(if args.exit_code { ExitCode::from(judge(&outcome.diagnosis, least)) } else { ExitCode::SUCCESS })
}

fn live(
    global: &GlobalArgs,
    request: Request,
    settings: &Settings,
    runbooks: Option<Arc<Options>>,
) -> Result<Outcome, CommandError> {
    let redactor = Redactor::new(config::redaction_key()?);
    let options = global.connection.options();
    runtime::run(async {
        let connection = cluster::connect(&options).await?;
        let context =
            Context { source: Source::Live(Box::new(connection)), redactor, page_size: settings.page_size.0, runbooks };
        let line = ProgressLine::start();
        Ok(diagnose::diagnose(&context, &request, &line.sink()).await?)
    })
}

fn saved(
    path: &std::path::Path,
    global: &GlobalArgs,
    request: Request,
    settings: &Settings,
    runbooks: Option<Arc<Options>>,
) -> Result<Outcome, CommandError> {
    if let Some(flag) = global.connection.given() {
        return Err(CommandError::new(format!("`--from` reads no cluster, so `{flag}` can't be used with it"))
            .hinted(format!("leave out `--from` or `{flag}`")));
    }
    let redactor = Redactor::new(config::redaction_key()?);
    let snapshot = snapshot_file::read(path, &redactor)?;
    let context =
        Context { source: Source::Saved(Arc::new(snapshot)), redactor, page_size: settings.page_size.0, runbooks };
    runtime::run(async { Ok(diagnose::diagnose(&context, &request, &|_| {}).await?) })
}

/// The exit code for what was found.
fn judge(diagnosis: &Diagnosis, least: Severity) -> u8 {
    let found = diagnosis.causes.iter().any(|cause| cause.severity >= least);
    // Where only lesser things were found, a gap may still hide a greater one.
    let blind =
        diagnosis.verdict == Verdict::Unknown || diagnosis.verdict == Verdict::Unhealthy && !diagnosis.gaps.is_empty();
    match (found, blind) {
        (true, _) => 1,
        (false, true) => 3,
        (false, false) => 0,
    }
}
