//! What holds of every line, whoever wrote it; shared by the tests and the fuzz target (`fuzz/`).

use std::collections::BTreeMap;

use super::{Command, parse};

/// Flags that would take a line elsewhere; written down here once more, apart from the tables.
const NEVER: &[&str] = &[
    "--server",
    "--token",
    "--kubeconfig",
    "--as",
    "--raw",
    "--cache-dir",
    "--user",
    "--cluster",
    "--username",
    "--password",
    "--proxy-url",
    "--v",
    "--vmodule",
    "--kuberc",
    "--kustomize",
    "--from-file",
    "--from-env-file",
    "--resolve",
    "--watch-only",
    "--follow",
    "--help",
];

/// How others of them begin.
const NEVER_BEGIN: &[&str] =
    &["-s", "-v", "-k", "-h", "--as-", "--certificate-", "--client-", "--tls-", "--insecure-", "--profile"];

/// Verbs that run code, open a channel or change what is not in the cluster.
const VERBS: &[&str] = &[
    "exec",
    "cp",
    "attach",
    "port-forward",
    "proxy",
    "debug",
    "config",
    "plugin",
    "kustomize",
    "cluster-info",
    "diff",
    "completion",
    "options",
    "alpha",
    "react",
    "krew",
];

/// Verbs that read.
const READS: &[&str] =
    &["get", "describe", "logs", "events", "top", "rollout", "auth", "api-resources", "explain", "version", "wait"];

/// Reads a line, and checks what must hold of it.
pub(crate) fn hold(line: &str) -> Result<(), String> {
    match parse(line) {
        Ok(command) => accepted(&command),
        Err(refusal) => {
            let text = format!("{refusal}{}", refusal.hint().unwrap_or_default());
            if refusal.at > line.len() || refusal.message.is_empty() || text.chars().any(char::is_control) {
                return Err(format!("a bad refusal: {refusal:?}"));
            }
            Ok(())
        }
    }
}

/// Puts values in the place of placeholders, and checks that nothing but they changed.
pub(crate) fn hold_bound(line: &str, values: &[String]) -> Result<(), String> {
    let Ok(command) = parse(line) else { return Ok(()) };
    let names = command.params();
    let values: BTreeMap<String, String> =
        names.iter().zip(values.iter().cycle()).map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let Ok(bound) = command.bind(&values) else { return Ok(()) };
    accepted(&bound)?;
    let flag = |word: &String| word.starts_with('-').then(|| word.split('=').next().unwrap_or_default().len());
    let kept = command.argv().len() == bound.argv().len()
        && command.argv().iter().zip(bound.argv()).all(|(old, new)| {
            // A flag stays the flag it was, and nothing becomes one.
            old.starts_with('-') == new.starts_with('-')
                && (!old.starts_with("--") || flag(old) == flag(&new))
                && (old.contains('$') || *old == new)
        });
    if !kept || reads(&command) != reads(&bound) || command.verb() != bound.verb() {
        return Err(format!("`{command}` became `{bound}`"));
    }
    // What is bound has no placeholder left, and its line means the same when it is typed.
    if values.len() == names.len() && !bound.params().is_empty() {
        return Err(format!("a value brought a placeholder: `{bound}`"));
    }
    Ok(())
}

fn reads(command: &Command) -> bool {
    matches!(command, Command::Read(_))
}

fn accepted(command: &Command) -> Result<(), String> {
    let line = command.to_string();
    let again = parse(&line).map_err(|refusal| format!("`{line}` is not read back: {refusal}"))?;
    if again.argv() != command.argv() || reads(&again) != reads(command) || again.to_string() != line {
        return Err(format!("`{line}` is read back as {:?}, not {:?}", again.argv(), command.argv()));
    }
    let never = |word: &&String| {
        let name = word.split('=').next().unwrap_or_default().replace('_', "-");
        let listed = NEVER.contains(&name.as_str()) || NEVER_BEGIN.iter().any(|begin| name.starts_with(begin));
        listed && word.starts_with('-')
    };
    if let Some(word) = command.argv().iter().find(never) {
        return Err(format!("{word:?} was let through in `{line}`"));
    }
    if VERBS.contains(&command.verb()) || (reads(command) && !READS.contains(&command.verb())) {
        return Err(format!("the verb was let through in `{line}`"));
    }
    if let Some(word) = command.argv().iter().find(|word| word.chars().any(char::is_control) || word.is_empty()) {
        return Err(format!("{word:?} was let through in `{line}`"));
    }
    let format = command.flag("output").unwrap_or("wide");
    let secret = command.targets().iter().any(|target| {
        let kind = target.kind.to_ascii_lowercase();
        kind == "secret" || kind == "secrets" || kind.starts_with("secret.") || kind.starts_with("secrets.")
    });
    if command.verb() == "get" && secret && (!matches!(format, "wide" | "name") || command.has("template")) {
        return Err(format!("a Secret would be printed by `{line}`"));
    }
    Ok(())
}
