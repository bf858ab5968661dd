//! `kubectl react runbooks list`: all runbooks, one a line.

use std::process::ExitCode;

use clap::Args;

use super::{open, table, tell, word};
use crate::cli::global::GlobalArgs;
use crate::cli::library::{Freshness, LibraryArgs, options};
use crate::cli::{Reply, terminal};
use crate::model::runbook::Status;
use crate::output;
use crate::printable::one_line;

/// List runbooks: the team's, then those that come with the plugin
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct ListArgs {
    #[command(flatten)]
    library: LibraryArgs,

    /// Only the team's
    #[arg(long)]
    team: bool,

    /// How to write it
    #[arg(short, long, value_name = "FORMAT", value_parser = ["text", "json", "name"], default_value = "text")]
    output: String,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    #[serde(flatten)]
    place: crate::model::Place,
    name: String,
    title: String,
    status: Status,
}

pub(super) fn run(args: ListArgs, global: &GlobalArgs) -> Reply {
    let settings = args.library.settings(global, None)?;
    let options = options(&settings, Freshness::Brief, !args.team)?;
    let retriever = open(&options)?;
    let rows: Vec<Row> = retriever
        .documents()?
        .into_iter()
        .map(|document| Row {
            name: document.name,
            title: document.title,
            status: document.status,
            place: document.place,
        })
        .collect();
    let text = match args.output.as_str() {
        "json" => output::json(&rows),
        "name" => rows.iter().map(|row| one_line(&row.name).into_owned() + "\n").collect(),
        _ => text(&rows),
    };
    terminal::print(&text, &terminal::style(&settings, false))?;
    tell(&retriever.states());
    Ok(ExitCode::SUCCESS)
}

fn text(rows: &[Row]) -> String {
    let cells = rows.iter().map(|row| {
        let cells = [row.name.as_str(), status(row.status), word(row.place.library), row.title.as_str()];
        cells.map(|cell| one_line(cell).into_owned()).to_vec()
    });
    table(&["NAME", "STATUS", "LIBRARY", "TITLE"], &cells.collect::<Vec<_>>())
}

/// `draft`, `active`, `deprecated`.
pub(super) fn status(status: Status) -> &'static str {
    match status {
        Status::Draft => "draft",
        Status::Active => "active",
        Status::Deprecated => "deprecated",
    }
}
