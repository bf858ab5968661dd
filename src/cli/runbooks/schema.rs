//! `kubectl react runbooks schema`: what the front matter of a runbook holds.

use std::process::ExitCode;

use clap::Args;

use crate::cli::{Reply, terminal};
use crate::output::{self, Style};
use crate::runbook;

/// Print the JSON Schema of a runbook's front matter
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct SchemaArgs {}

pub(super) fn run(_: SchemaArgs) -> Reply {
    terminal::print(&output::json(&runbook::json_schema()), &Style::default())?;
    Ok(ExitCode::SUCCESS)
}
