//! The command line: reads it, runs the command, reports what goes wrong.
//!
//! *Invariant:* nothing slow happens before the command line is understood, so `--help` is at once there.

mod complete;
mod completion;
mod config;
mod diagnose;
mod doctor;
mod error;
mod explain;
mod explorer;
mod feedback;
mod global;
mod incidents;
mod library;
mod metrics;
mod model;
mod outcomes;
mod progress;
mod record;
mod runbooks;
mod runtime;
mod schema;
mod scope;
mod snapshot;
mod table;
mod terminal;
mod version;
mod watch;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::Settings;
use crate::model::event::Event;
use crate::output::{self, Format};
use crate::redact::{Addresses, Redactor};
use error::CommandError;
use global::GlobalArgs;

/// What a command ends with.
type Reply = Result<ExitCode, CommandError>;

/// It could not do its work, or did not understand the command line.
const FAILED: u8 = 2;
/// Ctrl-C, as shells have it.
const INTERRUPTED: u8 = 130;

/// Find the root cause of what is broken in a cluster, and prove it
#[derive(Parser, Clone, Debug)]
#[command(
    name = "kubectl-react",
    version,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
struct Cli {
    #[command(flatten)]
    global: GlobalArgs,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Clone, Debug)]
enum Command {
    Diagnose(diagnose::DiagnoseArgs),
    Snapshot(snapshot::SnapshotArgs),
    Explain(explain::ExplainArgs),
    Record(record::RecordArgs),
    Runbooks(runbooks::RunbooksArgs),
    Incidents(incidents::IncidentsArgs),
    Feedback(feedback::FeedbackArgs),
    Doctor(doctor::DoctorArgs),
    Config(config::ConfigArgs),
    Schema(schema::SchemaArgs),
    Version(version::VersionArgs),
    Completion(completion::CompletionArgs),
    /// Prints candidates as kubectl asks for them
    #[command(name = "__complete", hide = true)]
    Complete {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
}

/// Runs the command line, and says how it ended.
pub fn run(args: impl Iterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.collect();
    let program = program(args.first());
    let rest = || args.iter().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect::<Vec<_>>();
    let reply = match complete::completed_plugin(&program) {
        Some(plugin) => complete::run(&rest(), command(&plugin)),
        // Before anything is parsed: the words are not ours yet.
        None if args.get(1).is_some_and(|arg| arg == "__complete") => {
            complete::run(rest().get(1..).unwrap_or_default(), command(&program))
        }
        None => parse(&args, &program).and_then(|parsed| match parsed {
            Parsed::Command(cli) => dispatch(*cli, &program),
            Parsed::Answered(code) => Ok(code),
        }),
    };
    reply.unwrap_or_else(|error| finish(error, Reader::of(&rest())))
}

enum Parsed {
    Command(Box<Cli>),
    /// Help or the version was asked for, and is printed.
    Answered(ExitCode),
}

fn parse(args: &[OsString], program: &str) -> Result<Parsed, CommandError> {
    let parsed = command(program).try_get_matches_from(args).and_then(|matches| Cli::from_arg_matches(&matches));
    let error = match parsed {
        Ok(cli) => return Ok(Parsed::Command(Box::new(cli))),
        Err(error) => error,
    };
    match (error.use_stderr(), error.kind()) {
        (false, _) => {
            error.print()?;
            Ok(Parsed::Answered(ExitCode::SUCCESS))
        }
        (true, clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand) => {
            error.print()?;
            Ok(Parsed::Answered(ExitCode::from(FAILED)))
        }
        (true, _) => Err(error::from_clap(&error, &named(args, &command(program)))),
    }
}

fn dispatch(cli: Cli, program: &str) -> Reply {
    let Cli { global, command } = cli;
    match command {
        Command::Diagnose(args) => diagnose::run(args, &global),
        Command::Snapshot(args) => snapshot::run(args, &global),
        Command::Explain(args) => explain::run(args, &global),
        Command::Record(args) => record::run(args, &global),
        Command::Runbooks(args) => runbooks::run(args, &global),
        Command::Incidents(args) => incidents::run(args, &global),
        Command::Feedback(args) => feedback::run(args, &global),
        Command::Doctor(args) => doctor::run(args, &global),
        Command::Config(args) => config::run(args, &global),
        Command::Schema(args) => schema::run(args),
        Command::Version(args) => version::run(args),
        Command::Completion(args) => completion::run(args, &mut Cli::command(), program),
        Command::Complete { words } => complete::run(&words, self::command(program)),
    }
}

/// The command line under the name that the program was called by.
fn command(program: &str) -> clap::Command {
    Cli::command().bin_name(shown(program))
}

/// The file name that we were called by: `kubectl-react`.
fn program(first: Option<&OsString>) -> String {
    let name = first.and_then(|path| Path::new(path).file_name()).map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    let name = name.strip_suffix(".exe").unwrap_or(&name);
    if name.is_empty() { "kubectl-react".to_owned() } else { name.to_owned() }
}

/// The words by which a person calls it: `kubectl react`. kubectl takes `_` in a file name for `-`.
fn shown(program: &str) -> String {
    match program.strip_prefix("kubectl-") {
        Some(name) => format!("kubectl {}", name.replace('-', " ").replace('_', "-")),
        None => program.to_owned(),
    }
}

/// The command that a command line means, as far as it is understood: `kubectl react runbooks list`.
fn named(args: &[OsString], program: &clap::Command) -> String {
    let mut name = program.get_bin_name().unwrap_or_default().to_owned();
    let (mut command, mut words) = (program, args.iter().skip(1).map(|word| word.to_string_lossy()));
    while let Some(word) = words.next() {
        if word.starts_with('-') {
            // Its value is no command, whatever it is called.
            if complete::takes_value(program, Some(command), &word) {
                words.next();
            }
            continue;
        }
        let Some(next) = command.find_subcommand(&*word) else { break };
        name = format!("{name} {}", next.get_name());
        command = next;
    }
    name
}

/// The formats of a diagnosis for the command line.
fn formats() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::as_str)).try_map(|text| text.parse::<Format>())
}

/// What masks secrets, and in what leaves the process the addresses that the settings name.
fn redactor(settings: &Settings) -> Result<Redactor, CommandError> {
    Ok(Redactor::new(crate::config::redaction_key()?).hiding(addresses(settings)))
}

fn addresses(settings: &Settings) -> Addresses {
    Addresses { emails: settings.redaction.emails.0, ips: settings.redaction.ips.0 }
}

/// Who reads what is printed, as far as can be told before the command line is understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    /// A person.
    Person,
    /// A program that reads one object.
    Json,
    /// A program that reads events.
    Events,
}

impl Reader {
    fn of(args: &[String]) -> Reader {
        let apart = args
            .windows(2)
            .any(|pair| matches!(pair, [flag, value] if matches!(flag.as_str(), "-o" | "--output") && value == "json"));
        let json = apart
            || args.iter().any(|arg| matches!(arg.as_str(), "-ojson" | "-o=json" | "--output=json"))
            || std::env::var("KUBECTL_REACT_OUTPUT").as_deref() == Ok("json");
        match json {
            _ if args.iter().any(|arg| arg == "--events") => Reader::Events,
            true => Reader::Json,
            false => Reader::Person,
        }
    }
}

/// An error for programs.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorReport<'a> {
    schema_version: &'a str,
    error: ErrorBody<'a>,
}

#[derive(serde::Serialize)]
struct ErrorBody<'a> {
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

/// Reports an error.
fn finish(error: CommandError, reader: Reader) -> ExitCode {
    let (message, hint) = match error {
        // Who stopped reading knows that.
        CommandError::BrokenPipe => return ExitCode::SUCCESS,
        CommandError::Interrupted => return ExitCode::from(INTERRUPTED),
        CommandError::Failed { message, hint } => (message, hint),
    };
    let data = match reader {
        Reader::Person => None,
        Reader::Json => {
            let error = ErrorBody { message: &message, hint: hint.as_deref() };
            Some(output::json(&ErrorReport { schema_version: "kubectl-react/error/v1", error }))
        }
        Reader::Events => Some(output::event(Event::Error { message: message.clone(), hint: hint.clone() })),
    };
    if let Some(data) = data {
        // The error stands on standard error too.
        let _ = terminal::print(&data, &output::Style::default());
    }
    let hint = hint.map(|hint| format!("hint: {hint}\n")).unwrap_or_default();
    terminal::report(&format!("error: {message}\n{hint}"));
    ExitCode::from(FAILED)
}

#[cfg(test)]
mod tests;
