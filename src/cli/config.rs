//! `kubectl react config`: the settings in use, and where each comes from.
//!
//! *Invariant:* a secret is shown as set or not, never itself.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::error::CommandError;
use super::global::GlobalArgs;
use super::{Reply, model, terminal};
use crate::agent::chat;
use crate::config::{self, Entry, Flags, KeyFrom, Settings};
use crate::output;
use crate::printable::one_line;

/// Show the settings in use, where each comes from, and which model is asked
#[derive(Args, Clone, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct ConfigArgs {
    #[command(subcommand)]
    command: Option<ConfigCommand>,

    #[command(flatten)]
    view: ViewArgs,
}

#[derive(Subcommand, Clone, Debug)]
enum ConfigCommand {
    /// Show the settings in use (the default)
    View(ViewArgs),
    /// Say whether the config file and the environment can be used
    Validate,
}

#[derive(Args, Clone, Debug)]
struct ViewArgs {
    /// How to write it: text, json or yaml
    #[arg(short, long, value_name = "FORMAT", value_parser = ["text", "json", "yaml"], default_value = "text")]
    output: String,
}

/// The settings as data.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View {
    schema_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    settings: Vec<Entry>,
    model: ModelView,
}

/// The model that is asked.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ModelView {
    configured: bool,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Part>,
    /// Tokens that it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<u32>,
}

#[derive(Serialize)]
struct Part {
    name: &'static str,
    value: String,
    origin: String,
}

pub(super) fn run(args: ConfigArgs, global: &GlobalArgs) -> Reply {
    let settings = Settings::resolve(&Flags { color: global.color, ..Flags::default() })?;
    let style = terminal::style(&settings, false);
    let text = match args.command {
        Some(ConfigCommand::Validate) => validate(&settings)?,
        Some(ConfigCommand::View(args)) => view(&settings, &args)?,
        None => view(&settings, &args.view)?,
    };
    terminal::print(&text, &style)?;
    Ok(ExitCode::SUCCESS)
}

fn view(settings: &Settings, args: &ViewArgs) -> Result<String, CommandError> {
    let view = View {
        schema_version: "kubectl-react/config/v1",
        file: config::file_in_use(),
        settings: settings.entries(),
        model: chosen(settings, &model::env)?,
    };
    Ok(match args.output.as_str() {
        "json" => output::json(&view),
        "yaml" => output::yaml(&view),
        _ => text(&view),
    })
}

fn chosen(settings: &Settings, env: &dyn Fn(&str) -> Option<String>) -> Result<ModelView, CommandError> {
    Ok(match config::resolve(settings, env)? {
        None => {
            let reason = config::missing(settings, env);
            ModelView { configured: false, reason, parts: Vec::new(), window: None }
        }
        Some(found) => {
            let parts = found.parts().into_iter().map(|(name, value, origin)| Part { name, value, origin }).collect();
            let window = settings.model.window.0.unwrap_or_else(|| chat::window(&found.name));
            ModelView { configured: true, reason: None, parts, window: Some(window) }
        }
    })
}

/// Rows of key, value and origin.
fn text(view: &View) -> String {
    let row = |key: &str, value: &str, origin: &str| {
        [key.to_owned(), one_line(value).into_owned(), one_line(origin).into_owned()]
    };
    let mut rows = vec![row("KEY", "VALUE", "FROM")];
    rows.extend(view.settings.iter().map(|entry| {
        let value = if entry.value.is_empty() { "-" } else { &entry.value };
        row(entry.key, value, &entry.origin)
    }));
    let mut out = table(&rows);
    out.push('\n');
    let model = &view.model;
    if model.configured {
        let mut rows = vec![row("MODEL", "VALUE", "FROM")];
        rows.extend(model.parts.iter().map(|part| row(part.name, &part.value, &part.origin)));
        let guessed = if view.settings.iter().any(|entry| entry.key == "model.window" && !entry.value.is_empty()) {
            "model.window"
        } else {
            "the model's name"
        };
        rows.push(row("window", &format!("{} tokens", model.window.unwrap_or_default()), guessed));
        out.push_str(&table(&rows));
    } else {
        out = format!("{out}No model is used: {}\n", one_line(model.reason.as_deref().unwrap_or("none is configured")));
    }
    let file = view
        .file
        .as_ref()
        .map_or("there is no config file".to_owned(), |path| format!("the config file is `{}`", path.display()));
    format!("{out}\n{}\n", one_line(&file))
}

fn table(rows: &[[String; 3]]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let (first, second) = (width(0), width(1).min(60));
    let line = |[key, value, origin]: &[String; 3]| format!("{key:first$}  {value:second$}  {origin}\n");
    rows.iter().map(line).collect()
}

/// What can be told without asking anyone.
fn validate(settings: &Settings) -> Result<String, CommandError> {
    let found = config::resolve(settings, &model::env)?;
    if let Some(KeyFrom::File(path)) = found.as_ref().map(|found| &*found.key) {
        model::key_in(path)?;
    }
    if let Some(path) = settings.model.ca_file.as_deref()
        && let Err(error) = std::fs::metadata(path)
    {
        return Err(CommandError::new(format!("can't read `{path}`: {error}")).hinted("look at `model.caFile`"));
    }
    let file = config::file_in_use().map_or("the environment".to_owned(), |path| format!("`{}`", path.display()));
    if let Some(found) = found {
        return Ok(format!("{file} is valid; the model is {}\n", one_line(&found.name)));
    }
    let reason = config::missing(settings, &model::env).unwrap_or_default();
    Ok(format!("{file} is valid; no model is used: {}\n", one_line(&reason)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(file: &str, env: &[(&str, &str)]) -> String {
        let lookup = |name: &str| env.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let settings = Settings::from_file(&Flags::default(), "/c.yaml".into(), file.to_owned()).unwrap();
        let view = View {
            schema_version: "kubectl-react/config/v1",
            file: Some("/c.yaml".into()),
            settings: settings.entries(),
            model: chosen(&settings, &lookup).unwrap(),
        };
        let json = output::json(&view);
        assert!(!json.contains("sk-secret"), "{json}");
        text(&view)
    }

    #[test]
    fn each_value_stands_beside_its_origin_and_secrets_don_t() {
        let text = shown(
            "model: {name: gpt-4o}\nagent: {prices: {gpt-4o: {input: 2.5, output: 10}}}",
            &[("OPENAI_API_KEY", "sk-secret")],
        );
        for expected in [
            "KEY ",
            "model.name ",
            "gpt-4o: 2.50 in, 2.50 cached, 10.00 out  `/c.yaml`\n",
            "the default\n",
            "set (from OPENAI_API_KEY)",
            "128000 tokens",
            "the model's name\n",
            "the config file is `/c.yaml`\n",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
        assert!(!text.contains("sk-secret"));
    }

    #[test]
    fn without_a_model_it_says_what_is_missing() {
        let text = shown("", &[("OPENAI_API_KEY", "sk-secret")]);
        assert!(text.contains("\nNo model is used: no model is named: set `model.name`, or OPENAI_MODEL\n"), "{text}");
    }
}
