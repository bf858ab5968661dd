//! `kubectl react incidents export`: an incident as one file.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::store;
use crate::cli::error::CommandError;
use crate::cli::{Reply, terminal};
use crate::config::Settings;
use crate::printable::one_line;

/// Write an incident to one file, for a colleague: `show` and `replay` take it with `--from`
///
/// Compressed JSON with the snapshot, every step and turn; redacted, but look at it before you pass it on:
/// `zcat FILE | less`.
#[derive(Args, Clone, Debug)]
pub(super) struct ExportArgs {
    /// Its id, the beginning of it, or `latest`
    #[arg(value_name = "ID")]
    id: String,

    /// The file to write; - writes standard output [default: ID.json.gz]
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: Option<PathBuf>,
}

pub(super) fn run(args: ExportArgs, settings: &Settings) -> Reply {
    let store = store(settings)?;
    let incident = store.load_whole(&args.id)?;
    let id = &incident.id;
    let file = args.file.unwrap_or_else(|| PathBuf::from(format!("{id}.json.gz")));
    let stdout = file == Path::new("-");
    if stdout && std::io::stdout().is_terminal() {
        return Err(CommandError::new("an exported incident is no text for a terminal")
            .hinted("name a file, or send standard output to one"));
    }
    let bytes = incident.export()?;
    for damage in &incident.damage {
        terminal::report(&format!("note: {}\n", one_line(damage)));
    }
    if stdout {
        let mut out = std::io::stdout().lock();
        out.write_all(&bytes)?;
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    write(&file, &bytes).map_err(|error| CommandError::new(format!("can't write `{}`: {error}", file.display())))?;
    terminal::report(&format!("wrote incident {id} to {}\n", file.display()));
    Ok(ExitCode::SUCCESS)
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.flush()
}
