//! `kubectl react version`: which build this is.

use std::process::ExitCode;

use clap::Args;

use super::{Reply, terminal};
use crate::model::{diagnosis, snapshot};
use crate::output::{self, Style};

/// Print the version
#[derive(Args, Clone, Debug)]
pub(super) struct VersionArgs {
    /// How to write it: text, json or yaml
    #[arg(short, long, value_name = "FORMAT", value_parser = ["text", "json", "yaml"], default_value = "text")]
    output: String,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Build {
    version: &'static str,
    platform: String,
    diagnosis_schema: &'static str,
    snapshot_schema: &'static str,
}

pub(super) fn run(args: VersionArgs) -> Reply {
    let build = Build {
        version: env!("CARGO_PKG_VERSION"),
        platform: format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
        diagnosis_schema: diagnosis::SCHEMA_VERSION,
        snapshot_schema: snapshot::SCHEMA_VERSION,
    };
    let text = match args.output.as_str() {
        "json" => output::json(&build),
        "yaml" => output::yaml(&build),
        _ => format!("kubectl-react {} {}\n", build.version, build.platform),
    };
    terminal::print(&text, &Style::default())?;
    Ok(ExitCode::SUCCESS)
}
