//! `kubectl react completion`: scripts for shells, and the link by which kubectl completes plugins.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use clap_complete::Shell;

use super::error::CommandError;
use super::{Reply, terminal};
use crate::output::Style;

/// Set up completion in a shell
///
/// `install` lets kubectl complete `kubectl react <TAB>`; the other commands print a script for the plugin's own name.
#[derive(Args, Clone, Debug)]
pub(super) struct CompletionArgs {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Subcommand, Clone, Debug)]
enum Kind {
    /// Print the script for `kubectl-react <TAB>` in bash
    Bash,
    /// Print the script for `kubectl-react <TAB>` in zsh
    Zsh,
    /// Print the script for `kubectl-react <TAB>` in fish
    Fish,
    /// Print the script for `kubectl-react <TAB>` in PowerShell
    Powershell,
    /// Let kubectl complete `kubectl react <TAB>`: links `kubectl_complete-react` beside the plugin
    ///
    /// kubectl's own completion must be set up in the shell, see `kubectl completion --help`.
    Install {
        /// The folder for the link; must be on the PATH
        #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
        dir: Option<PathBuf>,
    },
}

pub(super) fn run(args: CompletionArgs, command: &mut clap::Command, name: &str) -> Reply {
    let shell = match args.kind {
        Kind::Bash => Shell::Bash,
        Kind::Zsh => Shell::Zsh,
        Kind::Fish => Shell::Fish,
        Kind::Powershell => Shell::PowerShell,
        Kind::Install { dir } => return install(dir, name),
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, command, name, &mut script);
    terminal::print(&String::from_utf8_lossy(&script), &Style::default())?;
    Ok(ExitCode::SUCCESS)
}

/// Links `kubectl_complete-react` to the plugin where kubectl finds it.
fn install(dir: Option<PathBuf>, name: &str) -> Reply {
    let found = on_path(name);
    let plugin = found.clone().or_else(|| std::env::current_exe().ok());
    let plugin = plugin
        .ok_or_else(|| CommandError::new("can't find out where the plugin is").hinted("name a folder with `--dir`"))?;
    let folder = dir.or_else(|| found.as_deref().and_then(Path::parent).map(Path::to_owned));
    let folder = folder.ok_or_else(|| {
        CommandError::new(format!("`{name}` is not on the PATH")).hinted("name a folder that is with `--dir`")
    })?;
    let link = folder.join(super::complete::link_name(name));
    // A link to a neighbour survives that the folder moves and that krew updates the plugin.
    let neighbour = plugin.parent() == Some(folder.as_path());
    let target = plugin.file_name().filter(|_| neighbour).map_or_else(|| plugin.clone(), PathBuf::from);
    make(&target, &link).map_err(|error| {
        CommandError::new(format!("can't make `{}`: {error}", link.display()))
            .hinted("name a folder that you may write to with `--dir`; it must be on the PATH")
    })?;
    terminal::report(&format!(
        "`{}` is in place: try `kubectl react <TAB>` in a shell with kubectl's completion\n",
        link.display()
    ));
    Ok(ExitCode::SUCCESS)
}

/// The first program of this name on the PATH.
fn on_path(name: &str) -> Option<PathBuf> {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(&file)).find(|candidate| candidate.is_file())
}

#[cfg(unix)]
fn make(target: &Path, link: &Path) -> std::io::Result<()> {
    match std::fs::symlink_metadata(link) {
        // What we made before may be made again; a file of someone else stays.
        Ok(meta) if meta.is_symlink() => std::fs::remove_file(link)?,
        Ok(_) => return Err(std::io::Error::other("a file of this name is there")),
        Err(_) => {}
    }
    std::os::unix::fs::symlink(target, link)
}

/// Links need a right on Windows, so a script calls the plugin.
#[cfg(not(unix))]
fn make(target: &Path, link: &Path) -> std::io::Result<()> {
    let target = if target.is_absolute() { target.display().to_string() } else { format!("%~dp0{}", target.display()) };
    std::fs::write(link.with_extension("cmd"), format!("@\"{target}\" __complete %*\r\n"))
}
