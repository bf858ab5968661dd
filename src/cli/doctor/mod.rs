//! `kubectl react doctor`: whether all that a diagnosis uses is there and works, on one screen, with what to do.
//!
//! *Invariant:* nothing is changed, and it ends in bounded time whatever does not answer: a check that can't be made says
//! so and holds up no other.

mod check;
mod cluster;
mod folders;
mod incidents;
mod kubectl;
mod library;
mod metrics;
mod model;
mod plugins;
mod rights;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::error::CommandError;
use super::global::GlobalArgs;
use super::progress::ProgressLine;
use super::{Reply, runtime, terminal};
use crate::agent::chat::Model;
use crate::cluster::ConnectOptions;
use crate::config::{self, Flags, Settings};
use crate::output::{self, Style};
use check::{Check, Standing};

/// Something does not work.
const BROKEN: u8 = 1;
/// One answer of the cluster is waited for so long, where nothing else is said.
const PATIENCE: Duration = Duration::from_secs(5);
/// The runbooks are waited for so long.
const LIMIT: Duration = Duration::from_secs(25);

const EXIT_CODES: &str = "\
Exit codes:
  0    it ran, whatever it found
  1    with --exit-code: something does not work
  2    it could not run";

/// Look whether all that a diagnosis uses is there and works
///
/// Cluster and rights, kubectl, folders, runbooks, index, embedder, model, metrics and incidents; what is not as it should be says
/// what to do. Nothing is changed.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = EXIT_CODES)]
pub(super) struct DoctorArgs {
    /// How to write it
    #[arg(short, long, value_name = "FORMAT", value_parser = ["text", "json"], default_value = "text")]
    output: String,

    /// Exit with 1 where something does not work
    #[arg(long)]
    exit_code: bool,
}

/// The checks for programs.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    schema_version: &'a str,
    checks: &'a [Check],
}

pub(super) fn run(args: DoctorArgs, global: &GlobalArgs) -> Reply {
    let settings = Settings::resolve(&Flags { color: global.color, ..Flags::default() });
    let (settings, config) = match settings {
        Ok(settings) => (Some(settings), folders::config(None)),
        Err(error) => (None, folders::config(Some(&error))),
    };
    let options = ConnectOptions {
        request_timeout: global.connection.request_timeout.filter(|limit| !limit.is_zero()).or(Some(PATIENCE)),
        // Nobody is asked to log in: a check waits for no one.
        interactive: false,
        ..global.connection.options()
    };
    let line = ProgressLine::start();
    line.writer()("looking at cluster, runbooks and model".to_owned());
    let namespace = global.connection.namespace.clone();
    let checks = runtime::run(all(settings.clone(), config, options, namespace));
    drop(line);
    let checks = checks?;
    let style = settings.as_ref().map_or_else(Style::default, |settings| terminal::style(settings, false));
    let text = match args.output.as_str() {
        "json" => output::json(&Report { schema_version: "kubectl-react/doctor/v1", checks: &checks }),
        _ => check::screen(&checks, &style),
    };
    terminal::print(&text, &style)?;
    let broken = checks.iter().any(|check| check.standing == Standing::Failed);
    Ok(if broken && args.exit_code { ExitCode::from(BROKEN) } else { ExitCode::SUCCESS })
}

/// Every check, in the order of the screen.
async fn all(
    settings: Option<Settings>,
    config: Check,
    options: ConnectOptions,
    namespace: Option<String>,
) -> Result<Vec<Check>, CommandError> {
    // What is read by blocking goes on beside the cluster.
    let theirs = settings.clone();
    let library = tokio::task::spawn_blocking(move || theirs.map(|settings| library::checks(&settings)));
    let asked = async {
        match opened(settings.as_ref()) {
            Ok((model, limit)) => model::check(model, limit).await,
            Err(check) => check,
        }
    };
    let measured = async {
        match &settings {
            Some(settings) => metrics::checks(settings).await,
            None => Vec::new(),
        }
    };
    let reached = cluster::checks(&options, namespace.as_deref());
    let (library, model, measured, (mut checks, server)) =
        tokio::join!(tokio::time::timeout(LIMIT, library), asked, measured, reached);
    checks.push(kubectl::check(server.as_deref()).await);
    checks.push(plugins::check());
    checks.push(config);
    checks.extend(folders::checks());
    match library {
        Ok(Ok(Some(found))) => checks.extend(found),
        Ok(Ok(None)) => checks.push(Check::skipped("runbooks", "the config file can't be read")),
        Ok(Err(error)) => checks.push(Check::failed("runbooks", error.to_string())),
        Err(_) => checks.push(
            Check::failed("runbooks", format!("no answer within {} s", LIMIT.as_secs()))
                .hint("`kubectl react runbooks sync` waits longer"),
        ),
    }
    checks.push(model);
    checks.extend(measured);
    checks.push(match &settings {
        Some(settings) => incidents::check(settings),
        None => Check::skipped("incidents", "the config file can't be read"),
    });
    Ok(checks)
}

/// The model that is configured and how long a turn of it may take, or why there is nothing to ask.
fn opened(settings: Option<&Settings>) -> Result<(Arc<dyn Model>, Duration), Check> {
    let Some(settings) = settings else { return Err(Check::skipped("model", "the config file can't be read")) };
    match crate::cli::model::model(settings) {
        Ok(Some(model)) => Ok((model, settings.model.timeout.0)),
        Ok(None) => Err(model::none(config::missing(settings, &crate::cli::model::env))),
        Err(error) => Err(Check::failed("model", error.told())),
    }
}
