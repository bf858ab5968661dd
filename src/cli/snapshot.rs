//! `kubectl react snapshot`: records what a diagnosis reads.

use std::path::{Path, PathBuf};

use clap::Args;

use super::error::CommandError;
use super::global::GlobalArgs;
use super::progress::ProgressLine;
use super::{Reply, runtime, terminal};
use crate::cluster::{self, snapshot_file};
use crate::config::{Flags, Settings};
use crate::diagnose::{self, Context, Request, Source};

/// Record what a diagnosis reads, redacted
///
/// `kubectl react diagnose --from FILE` diagnoses it with the same result. Secrets are replaced by placeholders
/// before anything is written; look at it before you pass it on: `zcat FILE | less`.
#[derive(Args, Clone, Debug)]
pub(super) struct SnapshotArgs {
    /// The file to write; - writes standard output
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,

    /// Read all namespaces, which is the default
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    all_namespaces: bool,
}

pub(super) fn run(args: SnapshotArgs, global: &GlobalArgs) -> Reply {
    use std::io::IsTerminal;
    let settings = Settings::resolve(&Flags { output: None, color: global.color, ..Flags::default() })?;
    let stdout = args.file == Path::new("-");
    if stdout && std::io::stdout().is_terminal() {
        return Err(CommandError::new("a snapshot is no text for a terminal")
            .hinted("name a file, or send standard output to one"));
    }
    let redactor = super::redactor(&settings)?;
    let options = global.connection.options();
    let request = Request { namespace: global.connection.namespace.clone(), ..Request::default() };
    let snapshot = runtime::run(async {
        let connection = cluster::connect(&options).await?;
        let context = Context {
            source: Source::Live(Box::new(connection.clone())),
            redactor: redactor.clone(),
            page_size: settings.page_size.0,
            runbooks: None,
            explorer: None,
        };
        let line = ProgressLine::start();
        Ok(diagnose::read(&context, &connection, &request, &line.sink()).await?)
    })?;
    let snapshot = redactor.leaving_snapshot(&snapshot)?;
    match snapshot_file::write(&args.file, &snapshot) {
        Err(snapshot_file::SnapshotFileError::Io { source, .. })
            if stdout && source.kind() == std::io::ErrorKind::BrokenPipe =>
        {
            return Err(CommandError::BrokenPipe);
        }
        other => other?,
    }
    let gaps = match snapshot.gaps.len() {
        0 => String::new(),
        1 => ", 1 gap".to_owned(),
        many => format!(", {many} gaps"),
    };
    if !stdout {
        terminal::report(&format!("wrote {} objects{gaps} to {}\n", snapshot.objects.len(), args.file.display()));
    }
    Ok(std::process::ExitCode::SUCCESS)
}
