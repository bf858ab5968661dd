//! Writing files into a repository that a person works in.
//!
//! *Invariant:* nothing that is there is overwritten, and nothing is written outside of the folder that was named.

use std::fs;
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use crate::cli::error::CommandError;

/// Writes a new file below `root`; says whether there was none before.
pub(super) fn write_new(root: &Path, path: &str, text: &str) -> Result<bool, CommandError> {
    let relative = Path::new(path);
    if !relative.components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(CommandError::new(format!("`{path}` leads out of the folder")));
    }
    let full = root.join(relative);
    let failed = |error: std::io::Error| CommandError::new(format!("can't write `{}`: {error}", full.display()));
    if let Some(folder) = full.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    match fs::OpenOptions::new().write(true).create_new(true).open(&full) {
        Ok(mut file) => file.write_all(text.as_bytes()).map(|()| true).map_err(failed),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

/// The root of the repository around the current folder, or the current folder.
pub(super) fn root() -> Result<PathBuf, CommandError> {
    let here =
        std::env::current_dir().map_err(|error| CommandError::new(format!("there is no current folder: {error}")))?;
    Ok(here.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(&here).to_owned())
}

/// Today, as `2026-11-20`.
pub(super) fn today() -> String {
    crate::model::Time::now().strftime("%Y-%m-%d").to_string()
}
