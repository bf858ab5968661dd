//! `kubectl react incidents show`: one incident.

use std::process::ExitCode;

use clap::Args;

use super::{Which, page, store};
use crate::cli::{Reply, terminal};
use crate::config::Settings;
use crate::incidents::{Incident, Record, State};
use crate::model::{Step, Turn};
use crate::output;

/// Show an incident: what was asked, what was found out, what it cost
#[derive(Args, Clone, Debug)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    which: Which,

    /// How to write it
    #[arg(short, long, value_name = "FORMAT", value_parser = ["text", "json", "yaml", "markdown"], default_value = "text")]
    output: String,

    /// Show every step with what it saw, and under json and yaml the turns with the model
    #[arg(long)]
    steps: bool,

    /// Cut nothing off
    #[arg(short, long)]
    verbose: bool,
}

/// An incident for programs.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    #[serde(flatten)]
    record: &'a Record,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    turns: Option<&'a [Turn]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<&'a [Step]>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    damage: &'a [String],
}

pub(super) fn run(args: ShowArgs, settings: &Settings) -> Reply {
    let incident = args.which.load(&store(settings)?, false)?;
    let style = terminal::style(settings, args.verbose);
    let text = match args.output.as_str() {
        "json" => output::json(&shown(&incident, args.steps)),
        "yaml" => output::yaml(&shown(&incident, args.steps)),
        format => page::page(&incident, args.steps, format == "markdown", &style),
    };
    terminal::print(&text, &style)?;
    Ok(ExitCode::SUCCESS)
}

fn shown(incident: &Incident, steps: bool) -> Shown<'_> {
    Shown {
        record: &incident.record,
        state: incident.state,
        turns: steps.then_some(&incident.turns),
        steps: steps.then_some(&incident.steps),
        damage: &incident.damage,
    }
}
