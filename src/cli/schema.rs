//! `kubectl react schema`: what `-o json` holds.

use std::process::ExitCode;

use clap::Args;

use super::{Reply, terminal};
use crate::model::Diagnosis;
use crate::output::{self, Style};

/// Print the JSON Schema of what `diagnose -o json` prints
#[derive(Args, Clone, Debug)]
pub(super) struct SchemaArgs {}

pub(super) fn run(_: SchemaArgs) -> Reply {
    let schema = schemars::schema_for!(Diagnosis);
    terminal::print(&output::json(&schema), &Style::default())?;
    Ok(ExitCode::SUCCESS)
}
