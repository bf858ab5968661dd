//! `kubectl react runbooks new`: the skeleton of a runbook.

use std::process::ExitCode;

use clap::Args;

use super::files::{root, today, write_new};
use crate::cli::error::CommandError;
use crate::cli::global::GlobalArgs;
use crate::cli::{Reply, terminal};
use crate::config::{Flags, Settings};
use crate::detect;
use crate::near::nearest;
use crate::runbook::draft::{Subject, skeleton};

/// Write the skeleton of a runbook into the repository around the current folder
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct NewArgs {
    /// Its name: lower-case words joined by -, which is the stem of its file
    #[arg(value_name = "NAME")]
    name: String,

    /// The detector that it is for; `kubectl react explain` lists them
    #[arg(long, value_name = "ID")]
    detector: Option<String>,

    /// The folder below runbooks/
    #[arg(long, value_name = "AREA", default_value = "general")]
    area: String,

    /// Its title
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,

    /// Who answers for it; may be repeated
    #[arg(long, value_name = "WHO")]
    owner: Vec<String>,

    /// Print it, and write nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: NewArgs, global: &GlobalArgs) -> Reply {
    let settings = Settings::resolve(&Flags { color: global.color, ..Flags::default() })?;
    word(&args.name, "name")?;
    word(&args.area, "area")?;
    let detector = args.detector.as_deref().map(detector).transpose()?;
    let description = detector.map(|detector| format!("Use when {}.", lower(detector.summary)));
    let subject = Subject {
        name: args.name.clone(),
        title: args.title.clone().or_else(|| detector.map(|detector| detector.summary.to_owned())).unwrap_or_default(),
        description: description.unwrap_or_default(),
        detector: args.detector.clone(),
        owners: args.owner.clone(),
        today: today(),
    };
    let text = skeleton(&subject);
    let style = terminal::style(&settings, false);
    if args.dry_run {
        terminal::print(&text, &style)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (root, path) = (root()?, format!("runbooks/{}/{}.md", args.area, args.name));
    if !write_new(&root, &path, &text)? {
        return Err(CommandError::new(format!("`{path}` is there already")).hinted("edit it, or choose another name"));
    }
    let full = root.join(&path);
    terminal::print(
        &format!("wrote {}; fill in each TODO, then `kubectl react runbooks lint`\n", full.display()),
        &style,
    )?;
    Ok(ExitCode::SUCCESS)
}

fn detector(id: &str) -> Result<&'static detect::Detector, CommandError> {
    let found = detect::detectors().iter().copied().find(|detector| detector.id == id);
    found.ok_or_else(|| {
        let error = CommandError::new(format!("there is no detector `{id}`"));
        match nearest(id, detect::detectors().iter().map(|detector| detector.id)) {
            Some(near) => error.hinted(format!("did you mean `{near}`?")),
            None => error.hinted("`kubectl react explain` lists all"),
        }
    })
}

fn word(text: &str, what: &str) -> Result<(), CommandError> {
    let good = !text.is_empty()
        && text.len() <= 64
        && text
            .split('-')
            .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()));
    if good {
        return Ok(());
    }
    Err(CommandError::new(format!("`{text}` is no {what}")).hinted("lower-case words joined by `-`: `disk-full`"))
}

/// A sentence's beginning inside of another sentence; a name keeps its capitals.
fn lower(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), text.chars().nth(1)) {
        (Some(first), Some(second)) if second.is_lowercase() => first.to_lowercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}
