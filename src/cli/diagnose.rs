//! `kubectl react diagnose`: what is broken, and why.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::error::CommandError;
use super::explorer::AgentArgs;
use super::global::GlobalArgs;
use super::library::{Freshness, LibraryArgs, options, remembering};
use super::scope::ScopeArgs;
use super::watch::{Wanted, Watch};
use super::{Reply, outcomes, runtime, terminal};
use crate::agent::pulse::Live;
use crate::cluster::{self, snapshot_file};
use crate::config::{Flags, Settings};
use crate::diagnose::{self, Context, Outcome, Request, Source};
use crate::model::{Diagnosis, Severity, Verdict};
use crate::output::Format;
use crate::printable::one_line;

const EXAMPLES: &str = "\
Examples:
  kubectl react diagnose                        # all namespaces
  kubectl react diagnose -n shop                # one, and what it depends on
  kubectl react diagnose deployment/cart -n shop
  kubectl react diagnose -l app=cart -o markdown
  kubectl react diagnose --from outage.json.gz  # no cluster needed
  kubectl react diagnose -q 'why is checkout slow since noon?'  # with a model

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

    /// Show all causes in full, all that belongs to them, and what each step read
    #[arg(short, long)]
    verbose: bool,

    /// Print the answer alone
    #[arg(long, conflicts_with = "events")]
    quiet: bool,

    /// Print a line of JSON for each thing that happens, the answer as the last one
    #[arg(long, hide_short_help = true, conflicts_with = "output")]
    events: bool,

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

    #[command(flatten)]
    agent: AgentArgs,
}

pub(super) fn run(args: DiagnoseArgs, global: &GlobalArgs) -> Reply {
    let settings = settings(&args, global)?;
    // The same snapshot gives the same bytes, whatever happened since.
    let opened = if args.from.is_some() { options } else { remembering };
    let runbooks = (!args.no_runbooks).then(|| opened(&settings, Freshness::Brief, true)).transpose()?;
    let request = args.scope.request(global.connection.namespace.clone(), &args.targets)?;
    if let (Some(_), Some(flag)) = (&args.from, global.connection.given()) {
        return Err(CommandError::new(format!("`--from` reads no cluster, so `{flag}` can't be used with it"))
            .hinted(format!("leave out `--from` or `{flag}`")));
    }
    let redactor = super::redactor(&settings)?;
    let style = terminal::style(&settings, args.verbose);
    let wanted = Wanted { format: *settings.output, style, quiet: args.quiet, events: args.events };
    let pulse = Arc::new(Live::default());
    let connection = global.connection.options();
    let diagnosis = runtime::run_until(&pulse, async {
        let (explorer, mut troubles) = args.agent.explorer(&settings, &pulse, &global.connection);
        let unanswered = if explorer.is_none() { args.agent.unanswered(&mut troubles) } else { None };
        let source = match &args.from {
            Some(path) => Source::Saved(Arc::new(snapshot_file::read(path, &redactor)?)),
            None => Source::Live(Box::new(cluster::connect(&connection).await?)),
        };
        let explorer = explorer.map(|explorer| explorer.about(&source));
        let context = Context { source, redactor, page_size: settings.page_size.0, runbooks, explorer };
        let watch = Watch::start(wanted, context.redactor.clone(), &pulse);
        for trouble in troubles {
            watch.note(trouble);
        }
        let mut outcome = diagnose::diagnose(&context, &request, &watch.sink()).await?;
        if unanswered.is_some() {
            outcome.diagnosis.exploration = unanswered;
        }
        watch.end(&outcome.diagnosis)?;
        keep(&context, &request, &outcome, &settings, args.quiet).await;
        Ok(outcome.diagnosis)
    })?;
    if args.from.is_none()
        && let Err(error) = outcomes::note_shown(&diagnosis, diagnosis.taken_at)
        && args.verbose
        && !args.quiet
    {
        terminal::report(&format!("note: which runbooks were shown is not kept: {error}\n"));
    }
    let least = if args.fail_on == "critical" { Severity::Critical } else { Severity::Warning };
    Ok(if args.exit_code { ExitCode::from(judge(&diagnosis, least)) } else { ExitCode::SUCCESS })
}

/// Keeps what is broken, so that it can be recorded when it is mended.
async fn keep(context: &Context, request: &Request, outcome: &Outcome, settings: &Settings, quiet: bool) {
    let Ok(store) = super::incidents::store(settings) else { return };
    let kept = diagnose::keep(context, request, outcome, &store).await;
    if quiet {
        return;
    }
    for note in &kept.notes {
        terminal::report(&format!("note: {}\n", one_line(note)));
    }
    // A program that reads along needs no such hint.
    if let Some(id) = kept.id.filter(|_| std::io::stderr().is_terminal()) {
        terminal::report(&format!("kept as incident {id}; when it is mended: kubectl react record\n"));
    }
}

fn settings(args: &DiagnoseArgs, global: &GlobalArgs) -> Result<Settings, CommandError> {
    let flags = Flags {
        output: args.output,
        color: global.color,
        runbooks: args.library.repository(),
        agent: args.agent.flags(),
    };
    Ok(Settings::resolve(&flags)?)
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
