//! Containers that get the name of a variable where its value was meant.

use crate::detect::logs::{Class, Failing, Fault, claimed, short};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "variable-not-expanded",
    summary: "Program gets `$(NAME)` or `$NAME` as it is written, since nothing expands it",
    group: Group::Configuration,
    reads: &[Kind::Pod],
    wants: None,
    doc: r#"## What it detects
A container that fails and is given a reference to a variable that nothing expands: `$(NAME)` in the `value` of a
variable that stands before NAME in `env`, `$(NAME)` of a name that is set nowhere, or `$NAME` in a `command` or `args`
that no shell reads.

## Why it matters
Kubernetes expands `$(NAME)` alone, and in `env` only of variables that are defined before; whatever it does not expand
it leaves as it is, without a warning. The program connects to a host that is called `$(DB_HOST)`.

## Evidence
The field with the reference, where the variable is defined, and the line of the log that shows it unexpanded.

## Look-alikes
`$$(NAME)` is an escape and meant so. In what a shell runs (`sh -c`) `$NAME` is the shell's, and `$(name)` a command.
Names that Services give (`DB_SERVICE_HOST`) and names from a whole ConfigMap or Secret (`envFrom`) can be known too. A
variable that is not set at all is `env-missing`.

## What it does not see
Programs that expand references by themselves: therefore a `$(NAME)` of an unknown name and a `$NAME` count only where
the log or the error shows them as they are written. Containers that run well. Scripts and files in volumes or images.

## What to do
Define the variable above the one that refers to it; the order in `env` decides, and `kubectl apply` keeps it. In
`command` and `args` write `$(NAME)`, which needs no shell, or let a shell read it: `["sh", "-c", "exec app --port
$PORT"]`."#,
    run,
};

/// A reference that stays as it is written.
struct Literal {
    /// The field it stands in.
    path: String,
    /// What stands there.
    quote: String,
    /// As it is written: `$(DB_HOST)`.
    written: String,
    /// Why nothing expands it.
    why: String,
    /// Whether that is certain to be a mistake, whatever the program does.
    certain: bool,
}

fn run(view: &View<'_>) -> Vec<Finding> {
    let kills = |fault: &Fault| matches!(fault, Fault::OutOfMemory | Fault::Hook | Fault::Complains(_));
    claimed(view, |fault| !kills(fault)).iter().filter_map(|failing| finding(view, failing)).collect()
}

fn finding(view: &View<'_>, failing: &Failing<'_>) -> Option<Finding> {
    let literals = literals(failing);
    let visible = |literal: &&Literal| said(view, failing).any(|line| line.contains(&literal.written));
    let shown = literals.iter().find(visible);
    // Without a line that shows it, only what can be nothing but a mistake counts, and only where it may be the reason.
    let likely = matches!(
        failing.fault,
        Fault::Exit | Fault::Said(Class::Config | Class::UnknownHost(_) | Class::Unreachable(_) | Class::Auth)
    );
    let literal = shown.or_else(|| literals.iter().find(|literal| literal.certain && likely))?;
    let summary = format!(
        "{}: the program gets {} as it is written, not its value: {}",
        failing.happens(),
        literal.written,
        literal.why
    );
    let stage = if failing.present() && !failing.container.init { Stage::Ready } else { Stage::Start };
    let finding = failing
        .finding(view, stage, summary)
        .key(format!("{} {}", failing.container.spec.name, literal.written))
        .field(&failing.pod(), failing.container.spec_path(&literal.path), short(&literal.quote, 160))
        .explains(failing.pod());
    Some(failing.edit(view, failing.read_log(finding), "let the reference be expanded"))
}

/// What the container and its runtime say.
fn said<'a>(view: &View<'a>, failing: &'a Failing<'_>) -> impl Iterator<Item = &'a str> {
    let (pod, name) = (failing.pod(), failing.container.spec.name.as_str());
    let logs = [false, true].map(|previous| view.snapshot.log(&pod, name, previous));
    let lines = logs.into_iter().flatten().flat_map(|log| log.lines.iter().map(String::as_str));
    let ended = failing.container.ended().map(|ended| ended.message.as_str());
    lines.chain([failing.text.as_str()]).chain(ended)
}

fn literals(failing: &Failing<'_>) -> Vec<Literal> {
    let spec = failing.container.spec;
    let mut found = Vec::new();
    for (index, variable) in spec.env.iter().enumerate() {
        let value = variable.value.as_deref().unwrap_or_default();
        for name in references(value) {
            let before = spec.env.iter().take(index).any(|other| other.name == name);
            let later = spec.env.iter().skip(index).any(|other| other.name == name);
            if before || !later && imported(spec, name) {
                continue;
            }
            let why = if name == variable.name {
                format!("env {name} refers to itself")
            } else if later {
                format!(
                    "env {} refers to {name}, which is defined after it; only variables that stand before are expanded",
                    variable.name
                )
            } else {
                format!("env {} refers to {name}, which is not defined", variable.name)
            };
            found.push(Literal {
                path: format!("env[{}].value", variable.name),
                quote: value.to_owned(),
                written: format!("$({name})"),
                why,
                // A map that is imported as a whole may hold it as well.
                certain: later && !imported(spec, name),
            });
        }
    }
    let shell = by_shell(spec);
    for (field, words) in [("command", &spec.command), ("args", &spec.args)] {
        for word in words.iter().filter(|_| !shell) {
            let known = |name: &str| spec.env.iter().any(|other| other.name == name) || imported(spec, name);
            for name in references(word).into_iter().filter(|name| !known(name)) {
                found.push(Literal {
                    path: field.to_owned(),
                    quote: word.clone(),
                    written: format!("$({name})"),
                    why: format!("{field} refers to {name}, which is not defined in the container's env"),
                    certain: false,
                });
            }
            for (written, name) in shell_style(word) {
                let hint = if known(name) { format!("; write $({name})") } else { String::new() };
                found.push(Literal {
                    path: field.to_owned(),
                    quote: word.clone(),
                    written,
                    why: format!("no shell reads its {field}{hint}"),
                    certain: false,
                });
            }
        }
    }
    found
}

/// Whether a name may come from a whole map or from a Service.
fn imported(spec: &Container, name: &str) -> bool {
    let linked = name.contains("_SERVICE_") || name.ends_with("_PORT") || name.contains("_PORT_");
    linked || spec.env_from.iter().any(|source| name.starts_with(&source.prefix))
}

/// Whether a shell reads the command: what `$` means is up to it then. Of a program that the image names nothing is
/// known, but that its arguments are its own.
fn by_shell(spec: &Container) -> bool {
    let words: Vec<&String> = spec.command.iter().chain(spec.args.iter()).collect();
    let shell = |word: &str| {
        let name = word.rsplit('/').next().unwrap_or_default();
        name.ends_with("sh") || matches!(name, "busybox" | "cmd" | "cmd.exe" | "powershell" | "pwsh.exe")
    };
    words.iter().take(3).any(|word| shell(word))
        || words.iter().any(|word| word.starts_with('-') && word.ends_with('c') && word.len() <= 4)
}

/// The names in `$(NAME)`, without those that are escaped.
fn references(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("$(") {
        let escaped = before.chars().rev().take_while(|c| *c == '$').count() % 2 == 1;
        let Some((name, tail)) = after.split_once(')') else { break };
        if !escaped && is_name(name) {
            found.push(name);
        }
        rest = if is_name(name) { tail } else { after };
    }
    found
}

/// `$NAME` and `${NAME}`, as they are written and by name.
fn shell_style(text: &str) -> Vec<(String, &str)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        rest = after;
        if let Some(after) = after.strip_prefix('$') {
            rest = after;
            continue;
        }
        if before.ends_with('\\') {
            continue;
        }
        if let Some((name, _)) = after.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            if is_name(name) {
                found.push((format!("${{{name}}}"), name));
            }
            continue;
        }
        let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
        if let Some(name) = after.get(..end).filter(|name| is_name(name)) {
            found.push((format!("${name}"), name));
        }
    }
    found
}

/// Whether a text is a variable's name as people write them.
fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    text.len() > 1 && text.chars().all(plain) && text.starts_with(|c: char| !c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {containers: [{name: app, SPEC}]}
status:
  phase: Running
  containerStatuses:
  - {name: app, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {reason: Error, exitCode: 1, finishedAt: '2026-01-01T11:59:00Z'}}}
---
kind: Log
namespace: shop
pod: web-1
container: app
lines: ['LINE']
";

    fn pod(spec: &str, line: &str) -> String {
        POD.replace("SPEC", spec).replace("LINE", line)
    }

    const SAYS: &str = "critical Pod shop/web-1: container app exits 1: the program gets ";

    #[test]
    fn defined_later() {
        let env = "env: [{name: DB_URL, value: 'db://$(DB_HOST):5432'}, {name: DB_HOST, value: db}]";
        let why = "$(DB_HOST) as it is written, not its value: env DB_URL refers to DB_HOST, which is defined after it; only variables that stand before are expanded";
        check(&super::DETECTOR, &pod(env, "FATAL cannot parse db://$(DB_HOST):5432"), &format!("{SAYS}{why}"));
        check(&super::DETECTOR, &pod(env, "FATAL giving up"), &format!("{SAYS}{why}"));
        let right = "env: [{name: DB_HOST, value: db}, {name: DB_URL, value: 'db://$(DB_HOST):5432'}]";
        check(&super::DETECTOR, &pod(right, "FATAL giving up"), "");
    }

    #[test]
    fn no_shell_reads_it() {
        let spec = "command: [/app, --port, $PORT], env: [{name: PORT, value: '80'}]";
        check(
            &super::DETECTOR,
            &pod(spec, "ERROR invalid port \"$PORT\""),
            &format!("{SAYS}$PORT as it is written, not its value: no shell reads its command; write $(PORT)"),
        );
        check(&super::DETECTOR, &pod(spec, "ERROR giving up"), "");
        let shell = "command: [sh, -c, 'exec /app --port $PORT $(DATE)']";
        check(&super::DETECTOR, &pod(shell, "ERROR invalid port \"$PORT\""), "");
    }

    #[test]
    fn defined_nowhere() {
        let spec = "args: ['--peer=$(PEER_NAME)']";
        check(
            &super::DETECTOR,
            &pod(spec, "ERROR lookup $(PEER_NAME): no such host"),
            &format!("{SAYS}$(PEER_NAME) as it is written, not its value: args refers to PEER_NAME, which is not defined in the container''s env").replace("''", "'"),
        );
        check(&super::DETECTOR, &pod(spec, "ERROR out of luck"), "");
        check(&super::DETECTOR, &pod("args: ['--peer=$$(PEER_NAME)']", "ERROR lookup $(PEER_NAME)"), "");
        let whole = "args: ['--peer=$(PEER_NAME)'], envFrom: [{configMapRef: {name: env}}]";
        check(&super::DETECTOR, &pod(whole, "ERROR lookup $(PEER_NAME)"), "");
    }

    #[test]
    fn references_are_read() {
        assert_eq!(references("a $(B_C)$$(D_E) $(date) $(F"), ["B_C"]);
        assert_eq!(references("$$$(AB)"), ["AB"]);
        let names: Vec<String> = shell_style("x $AB ${C_D} $$EF $1 $lower").into_iter().map(|(text, _)| text).collect();
        assert_eq!(names, ["$AB", "${C_D}"]);
    }
}
