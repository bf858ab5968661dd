//! `kubectl react runbooks init`: begins a team's repository.

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use clap::Args;

use super::files::{today, write_new};
use crate::cli::error::CommandError;
use crate::cli::global::GlobalArgs;
use crate::cli::{Reply, terminal};
use crate::config::{Flags, Settings};
use crate::runbook::template;

/// Begin a repository of runbooks
///
/// Writes a guide, a first runbook, an example of code owners, and the check of pull requests for GitHub, GitLab and Azure DevOps. What is
/// there already stays as it is. Nothing is committed.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct InitArgs {
    /// The folder; made where it is not there
    #[arg(value_name = "DIR", default_value = ".", value_hint = clap::ValueHint::DirPath)]
    dir: PathBuf,
}

pub(super) fn run(args: InitArgs, global: &GlobalArgs) -> Reply {
    let settings = Settings::resolve(&Flags { color: global.color, ..Flags::default() })?;
    std::fs::create_dir_all(&args.dir)
        .map_err(|error| CommandError::new(format!("can't make `{}`: {error}", args.dir.display())))?;
    let mut out = String::new();
    for (path, text) in template::template(&today()) {
        let word = if write_new(&args.dir, path, &text)? { "wrote" } else { "kept " };
        out += &format!("{word}  {path}\n");
    }
    if !args.dir.ancestors().any(|folder| folder.join(".git").exists()) {
        let made = Command::new("git")
            .args(["init", "--quiet", "--"])
            .arg(&args.dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        out += match made {
            Ok(status) if status.success() => "made   a git repository\n",
            _ => "there is no git repository yet: git could not make one\n",
        };
    }
    let dir = args.dir.display();
    out += &format!(
        "\nNext:\n  kubectl react runbooks lint {dir}\n  git -C {dir} add --all && git -C {dir} commit -m \"Begin our runbooks\"\n  \
         # push it, then tell everyone's plugin, in ~/.config/kubectl-react/config.yaml:\n  # runbooks:\n  #   repo: THE-URL\n"
    );
    terminal::print(&out, &terminal::style(&settings, false))?;
    Ok(ExitCode::SUCCESS)
}
