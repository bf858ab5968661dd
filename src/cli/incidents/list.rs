//! `kubectl react incidents list`: all incidents, the newest first.

use std::process::ExitCode;

use clap::Args;

use super::store;
use crate::cli::table::table;
use crate::cli::{Reply, terminal};
use crate::config::Settings;
use crate::incidents::{Listed, State};
use crate::model::{Exploration, Time, Verdict};
use crate::output;
use crate::printable::one_line;

/// List incidents, the newest first
#[derive(Args, Clone, Debug)]
pub(super) struct ListArgs {
    /// How to write it
    #[arg(short, long, value_name = "FORMAT", value_parser = ["text", "json", "yaml", "name"], default_value = "text")]
    output: String,
}

/// An incident for programs.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    id: &'a str,
    state: State,
    time: Option<Time>,
    context: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    question: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causes: Option<usize>,
    model: &'a str,
    steps: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<f64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    damage: &'a [String],
}

pub(super) fn run(args: ListArgs, settings: &Settings) -> Reply {
    let store = store(settings)?;
    let listed = store.list()?;
    let rows: Vec<Row<'_>> = listed.iter().map(row).collect();
    let text = match args.output.as_str() {
        "json" => output::json(&rows),
        "yaml" => output::yaml(&rows),
        "name" => rows.iter().map(|row| row.id.to_owned() + "\n").collect(),
        _ => text(&rows, Time::now()),
    };
    terminal::print(&text, &terminal::style(settings, false))?;
    if rows.is_empty() && args.output == "text" {
        terminal::report(&format!("no incidents in {}\n", store.folder().display()));
    }
    for listed in listed.iter().filter(|listed| !listed.damage.is_empty()) {
        let note = format!("note: {}: {}", listed.id, listed.damage.join("; "));
        terminal::report(&(one_line(&note).into_owned() + "\n"));
    }
    Ok(ExitCode::SUCCESS)
}

fn row(listed: &Listed) -> Row<'_> {
    let record = &listed.record;
    let diagnosis = record.diagnosis.as_ref();
    let usage = diagnosis.and_then(|diagnosis| diagnosis.exploration.as_ref()).map(|Exploration { usage, .. }| usage);
    Row {
        id: &listed.id,
        state: listed.state,
        time: record.time,
        context: &record.context,
        namespace: record.namespace.as_deref(),
        question: record.question.as_deref(),
        verdict: diagnosis.map(|diagnosis| diagnosis.verdict),
        causes: diagnosis.map(|diagnosis| diagnosis.causes.len()),
        model: usage.map(|usage| usage.model.as_str()).filter(|model| !model.is_empty()).unwrap_or(&record.model),
        steps: listed.steps,
        cost: usage.and_then(|usage| usage.cost),
        damage: &listed.damage,
    }
}

fn text(rows: &[Row<'_>], now: Time) -> String {
    let dash = || "-".to_owned();
    let cells = rows.iter().map(|row| {
        let cells = [
            row.id.to_owned(),
            row.time.map_or_else(dash, |time| output::ago(time, now)),
            row.context.to_owned(),
            row.verdict.map_or_else(|| row.state.as_str().to_owned(), |verdict| word(verdict).to_owned()),
            row.causes.map_or_else(dash, |causes| causes.to_string()),
            row.model.to_owned(),
            row.steps.to_string(),
            row.cost.map_or_else(dash, |cost| format!("{cost:.4}")),
        ];
        cells.map(|cell| if cell.is_empty() { dash() } else { one_line(&cell).into_owned() }).to_vec()
    });
    if rows.is_empty() {
        return String::new();
    }
    let head = ["ID", "AGE", "CONTEXT", "VERDICT", "CAUSES", "MODEL", "STEPS", "COST"];
    table(&head, &cells.collect::<Vec<_>>())
}

/// `healthy`, `unhealthy`, `unknown`.
fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Healthy => "healthy",
        Verdict::Unhealthy => "unhealthy",
        Verdict::Unknown => "unknown",
    }
}
