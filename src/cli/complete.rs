//! Candidates for `kubectl react <TAB>`, as kubectl's shells ask for them.
//!
//! kubectl runs `kubectl_complete-react` with the words typed so far, the last one perhaps empty, and reads
//! candidates, one a line, then `:` and a directive. *Invariant:* it answers within a second, says nothing else and never fails.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::global::ConnectionArgs;
use super::{Reply, runtime, terminal};
use crate::cluster::{self, JSON};
use crate::detect;
use crate::model::kinds::Namespace;
use crate::model::reference::{KINDS, list_path};
use crate::output::Style;

/// kubectl shall offer no files beside the candidates.
const NO_FILES: u8 = 4;
/// kubectl shall do as it likes, which is to offer files.
const DEFAULT: u8 = 0;

const PREFIX: &str = "kubectl_complete-";
const PATIENCE: Duration = Duration::from_secs(1);

/// The program by which kubectl completes the plugin `kubectl-react`.
pub(super) fn link_name(plugin: &str) -> String {
    format!("{PREFIX}{}", plugin.strip_prefix("kubectl-").unwrap_or(plugin))
}

/// The plugin that a program of this name completes.
pub(super) fn completed_plugin(program: &str) -> Option<String> {
    program.strip_prefix(PREFIX).map(|name| format!("kubectl-{name}"))
}

/// Prints the candidates for the last of `words`.
pub(super) fn run(words: &[String], command: clap::Command) -> Reply {
    let (candidates, directive) = candidates(words, command);
    let text = candidates.into_iter().map(|candidate| candidate + "\n").collect::<String>();
    terminal::print(&format!("{text}:{directive}\n"), &Style::default())?;
    Ok(ExitCode::SUCCESS)
}

fn candidates(words: &[String], command: clap::Command) -> (Vec<String>, u8) {
    let Some((current, before)) = words.split_last() else { return (Vec::new(), NO_FILES) };
    // `--namespace=sh` asks for values, and kubectl puts the flag before them again.
    let (flag, prefix) = match current.split_once('=').filter(|(flag, _)| flag.starts_with("--")) {
        Some((flag, value)) => (Some(flag), value),
        None => (before.last().map(String::as_str).filter(|word| word.starts_with('-')), current.as_str()),
    };
    let values = match flag {
        Some("--context") => contexts(before),
        Some("-n" | "--namespace") => namespaces(before),
        Some(
            "--from"
            | "--kubeconfig"
            | "--client-certificate"
            | "--client-key"
            | "--certificate-authority"
            | "--cache-dir"
            | "--dir",
        ) => return (Vec::new(), DEFAULT),
        _ => return fixed(words, current, before, command),
    };
    (values.into_iter().filter(|value| value.starts_with(prefix)).collect(), NO_FILES)
}

/// Candidates that the command line itself knows.
fn fixed(words: &[String], current: &str, before: &[String], mut command: clap::Command) -> (Vec<String>, u8) {
    let verb = before.iter().find_map(|word| command.find_subcommand(word));
    let flag_value = current.contains('=') || before.last().is_some_and(|word| takes_value(&command, verb, word));
    let verb = verb.map(|verb| verb.get_name().to_owned());
    let mut found: Vec<String> = Vec::new();
    if !current.starts_with('-') && !flag_value {
        match verb.as_deref() {
            Some("diagnose") => found.extend(kinds()),
            Some("explain") => found.extend(detectors()),
            Some("snapshot") => return (Vec::new(), DEFAULT),
            _ => {}
        }
        found.retain(|candidate| candidate.starts_with(current));
    }
    let args: Vec<OsString> =
        std::iter::once("kubectl-react").chain(words.iter().map(String::as_str)).map(OsString::from).collect();
    let known = clap_complete::engine::complete(&mut command, args, words.len(), None).unwrap_or_default();
    let prefix = current.split_once('=').map(|(flag, _)| format!("{flag}="));
    for candidate in known.iter().filter(|candidate| !candidate.is_hide_set()) {
        let value = candidate.get_value().to_string_lossy();
        let value = prefix.as_deref().and_then(|flag| value.strip_prefix(flag)).unwrap_or(&value);
        // Flags are for who asks for them; one-letter flags are shorter than their completion.
        if value.starts_with('-') && (current.is_empty() || value.len() == 2) {
            continue;
        }
        let help = candidate.get_help().map(|help| help.to_string().lines().next().unwrap_or_default().to_owned());
        found.push(help.map_or_else(|| value.to_owned(), |help| format!("{value}\t{help}")));
    }
    (found, NO_FILES)
}

/// Whether `word` is a flag that waits for its value.
pub(super) fn takes_value(command: &clap::Command, verb: Option<&clap::Command>, word: &str) -> bool {
    let mut args = command.get_arguments().chain(verb.into_iter().flat_map(clap::Command::get_arguments));
    let named = |arg: &&clap::Arg| match (word.strip_prefix("--"), word.strip_prefix('-')) {
        (Some(long), _) => arg.get_long() == Some(long),
        (None, Some(short)) => arg.get_short().is_some_and(|letter| short.chars().eq([letter])),
        _ => false,
    };
    args.find(named).is_some_and(|arg| arg.get_action().takes_values() && !arg.is_require_equals_set())
}

fn kinds() -> impl Iterator<Item = String> {
    KINDS.iter().filter(|info| info.group() != "metrics.k8s.io").map(|info| info.plural.to_owned())
}

fn detectors() -> impl Iterator<Item = String> {
    detect::detectors().iter().map(|detector| format!("{}\t{}", detector.id, detector.summary))
}

/// What the words before say of the connection.
fn connection(before: &[String]) -> ConnectionArgs {
    let value = |name: &str| {
        let pairs = before.windows(2).filter_map(|pair| pair.first().zip(pair.last()));
        let apart = pairs.filter(|(flag, _)| *flag == name).map(|(_, value)| value.clone()).next_back();
        let glued =
            before.iter().filter_map(|word| word.strip_prefix(name)?.strip_prefix('=')).next_back().map(str::to_owned);
        glued.or(apart)
    };
    ConnectionArgs {
        context: value("--context"),
        kubeconfig: value("--kubeconfig").map(PathBuf::from),
        ..ConnectionArgs::default()
    }
}

fn contexts(before: &[String]) -> Vec<String> {
    let config = match connection(before).kubeconfig {
        Some(path) => kube::config::Kubeconfig::read_from(path),
        None => kube::config::Kubeconfig::read(),
    };
    config.map(|config| config.contexts.into_iter().map(|context| context.name).collect()).unwrap_or_default()
}

fn namespaces(before: &[String]) -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct List {
        #[serde(default)]
        items: Vec<Namespace>,
    }
    let mut options = connection(before).options();
    options.interactive = false;
    options.request_timeout = Some(PATIENCE);
    let list = async {
        let connection = cluster::connect(&options).await.ok()?;
        let json = connection.client.get(&list_path("v1", "namespaces", None), JSON).await.ok()?;
        serde_json::from_slice::<List>(&json).ok()
    };
    let list = runtime::run(async { Ok(tokio::time::timeout(PATIENCE, list).await.ok().flatten()) });
    let items = list.ok().flatten().map(|list| list.items).unwrap_or_default();
    items.into_iter().map(|namespace| namespace.metadata.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(line: &str) -> (Vec<String>, u8) {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let (found, directive) = candidates(&words, crate::cli::command("kubectl-react"));
        (found.iter().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect(), directive)
    }

    #[test]
    fn words_flags_and_values_each_in_their_place() {
        let table: &[(&str, &[&str], u8)] = &[
            ("di", &["diagnose"], NO_FILES),
            ("-n shop di", &["diagnose"], NO_FILES),
            ("diagnose -o ", &["text", "json", "yaml", "markdown", "name"], NO_FILES),
            ("diagnose --output=j", &["json"], NO_FILES),
            ("diagnose --fail-on ", &["critical", "warning"], NO_FILES),
            ("diagnose --color=a", &["auto", "always"], NO_FILES),
            ("diagnose --verb", &["--verbose"], NO_FILES),
            ("diagnose pods,de", &[], NO_FILES),
            ("diagnose --verbose node", &["nodes"], NO_FILES),
            ("diagnose --from ", &[], DEFAULT),
            ("snapshot ", &[], DEFAULT),
            ("completion ", &["bash", "zsh", "fish", "powershell", "install"], NO_FILES),
        ];
        for (line, expected, directive) in table {
            assert_eq!(ask(line), (expected.iter().map(|word| (*word).to_owned()).collect(), *directive), "{line}");
        }
        assert!(ask("").0.iter().all(|word| !word.starts_with('-')));
        assert!(ask("explain ").0.contains(&"oom-killed".to_owned()));
    }
}
