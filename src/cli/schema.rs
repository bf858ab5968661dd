//! `kubectl react schema`: what `-o json` and `--events` hold.

use std::process::ExitCode;

use clap::Args;

use super::{Reply, terminal};
use crate::model::Diagnosis;
use crate::model::event::Line;
use crate::output::{self, Style};

/// Print the JSON Schema of what `diagnose -o json` prints
#[derive(Args, Clone, Debug)]
pub(super) struct SchemaArgs {
    /// Of a line of `diagnose --events` instead
    #[arg(long)]
    events: bool,
}

pub(super) fn run(args: SchemaArgs) -> Reply {
    let schema = if args.events { schemars::schema_for!(Line) } else { schemars::schema_for!(Diagnosis) };
    terminal::print(&output::json(&schema), &Style::default())?;
    Ok(ExitCode::SUCCESS)
}
