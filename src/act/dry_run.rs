//! Asks the server what it would say to a change, without making it: `kubectl … --dry-run=server`.
//!
//! *Invariant:* a line is run only with `--dry-run=server` in it, and only where kubectl hands that to the server; every
//! other line is refused before anything runs.

use std::ffi::OsString;
use std::time::Duration;

use super::program::{self, Kubectl};
use crate::kubectl::Change;
use crate::model::DryRun;
use crate::printable::printable;
use crate::redact::Redactor;

/// How long a dry run may take: admission webhooks have ten seconds each, and at most thirty.
const LIMIT: Duration = Duration::from_secs(20);
/// Characters of what it said that are kept.
const MOST: usize = 1200;

/// Tries a change on the server through the user's own kubectl. A line that can't be tried is not accepted, and says
/// why.
pub async fn dry_run(change: &Change, kubectl: &Kubectl, redactor: &Redactor) -> DryRun {
    within(LIMIT, change, kubectl, redactor).await
}

async fn within(limit: Duration, change: &Change, kubectl: &Kubectl, redactor: &Redactor) -> DryRun {
    let no = |said: String| DryRun { accepted: false, said };
    let words = match words(change, kubectl) {
        Ok(words) => words,
        Err(why) => return no(format!("not tried: {why}")),
    };
    match program::run(&kubectl.program, words, limit).await {
        Ok(ran) => DryRun { accepted: ran.success, said: said(&ran, redactor) },
        Err(why) => no(clean(&why, redactor)),
    }
}

/// The words after `kubectl`, or why the line is not tried.
fn words(change: &Change, kubectl: &Kubectl) -> Result<Vec<OsString>, String> {
    if let Some(name) = change.params().first() {
        return Err(format!("the placeholder ${name} has no value"));
    }
    if change.interactive() {
        return Err("the line waits for a person".to_owned());
    }
    if change.manifests().next().is_some() {
        return Err("the manifest that the line names is not at hand".to_owned());
    }
    if !change.can_be_tried() {
        let verb = change.subcommand().map_or(change.verb().to_owned(), |rest| format!("{} {rest}", change.verb()));
        return Err(format!("kubectl has no server dry run for `{verb}`"));
    }
    if kubectl.context.is_empty() {
        return Err("no context is in use that kubectl could be held to".to_owned());
    }
    change.check_context(&kubectl.context).map_err(|refusal| refusal.message)?;
    // The grammar lets no other word begin so, and takes the flag with `=` only.
    let mut words: Vec<OsString> =
        change.argv().into_iter().filter(|word| !word.starts_with("--dry-run=")).map(OsString::from).collect();
    let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let mut flags = kubectl.flags(change.context().is_some());
    flags.push("--dry-run=server".into());
    words.splice(end..end, flags);
    Ok(words)
}

/// What it said, the answer before the warnings.
fn said(ran: &program::Ran, redactor: &Redactor) -> String {
    let text = |bytes: &[u8]| clean(&String::from_utf8_lossy(bytes), redactor);
    let parts = [text(&ran.stdout), text(&ran.stderr)];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    match (parts.is_empty(), ran.success) {
        (false, _) => cut(parts.join("\n")),
        (true, true) => "the server would take it".to_owned(),
        (true, false) => "kubectl failed, and does not say why".to_owned(),
    }
}

/// Without control sequences, secrets and empty lines.
fn clean(text: &str, redactor: &Redactor) -> String {
    let text = printable(text);
    let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    lines.map(|line| redactor.log_line(line)).collect::<Vec<_>>().join("\n")
}

fn cut(text: String) -> String {
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubectl::{Command, parse};

    fn change(line: &str) -> Change {
        match parse(line) {
            Ok(Command::Change(change)) => change,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn prod() -> Kubectl {
        Kubectl { program: "/no/where/kubectl".into(), context: "prod".to_owned(), ..Kubectl::default() }
    }

    #[test]
    fn a_line_is_tried_with_its_own_words_and_held_to_the_context() {
        let given = Kubectl {
            kubeconfig: Some("/k".into()),
            as_user: Some("ann".to_owned()),
            as_groups: vec!["sre".to_owned()],
            as_uid: Some("7".to_owned()),
            ..prod()
        };
        let table = [
            (
                prod(),
                "kubectl scale deploy/web --replicas=3",
                "scale deploy/web --replicas=3 --context=prod --dry-run=server",
            ),
            (prod(), "kubectl delete pod web-1 --context prod", "delete pod web-1 --context prod --dry-run=server"),
            (prod(), "kubectl delete pod web-1 --dry-run=none", "delete pod web-1 --context=prod --dry-run=server"),
            (prod(), "kubectl delete pod web-1 --dry-run=client", "delete pod web-1 --context=prod --dry-run=server"),
            (prod(), "kubectl rollout undo deploy/web", "rollout undo deploy/web --context=prod --dry-run=server"),
            (prod(), "kubectl drain node-1", "drain node-1 --context=prod --dry-run=server"),
            (
                prod(),
                "kubectl create job x --image=busybox -- sleep 5",
                "create job x --image=busybox --context=prod --dry-run=server -- sleep 5",
            ),
            (
                given,
                "kubectl cordon node-1",
                "cordon node-1 --context=prod --kubeconfig=/k --as=ann --as-group=sre --as-uid=7 --dry-run=server",
            ),
        ];
        for (kubectl, line, expected) in table {
            let words = words(&change(line), &kubectl).unwrap();
            let words: Vec<_> = words.iter().map(|word| word.to_str().unwrap()).collect();
            assert_eq!(words.join(" "), expected);
        }
    }

    #[tokio::test]
    async fn what_can_not_be_tried_says_why() {
        let table = [
            ("kubectl rollout restart deploy/web", "not tried: kubectl has no server dry run for `rollout restart`"),
            ("kubectl rollout pause deploy/web", "not tried: kubectl has no server dry run for `rollout pause`"),
            ("kubectl certificate approve x", "not tried: kubectl has no server dry run for `certificate approve`"),
            ("kubectl edit deploy/web", "not tried: the line waits for a person"),
            ("kubectl delete pod web-1 -i", "not tried: the line waits for a person"),
            ("kubectl apply -f a.yaml", "not tried: the manifest that the line names is not at hand"),
            ("kubectl delete pod $NAME", "not tried: the placeholder $NAME has no value"),
            (
                "kubectl delete pod web-1 --context dev",
                "not tried: the line is for the context `dev`, but `prod` is in use",
            ),
            ("kubectl delete pod web-1", "can't run `/no/where/kubectl`: No such file or directory (os error 2)"),
        ];
        for (line, expected) in table {
            let tried = dry_run(&change(line), &prod(), &Redactor::new([1; 32])).await;
            assert_eq!((tried.accepted, tried.said.as_str()), (false, expected), "{line}");
        }
        let nowhere = Kubectl { context: String::new(), ..prod() };
        let tried = dry_run(&change("kubectl cordon node-1"), &nowhere, &Redactor::new([1; 32])).await;
        assert_eq!(tried.said, "not tried: no context is in use that kubectl could be held to");
    }

    /// A kubectl that does as the script says. Another process writes it: one that is open for writing in ours can't
    /// be run while a neighbour forks.
    #[cfg(unix)]
    fn fake(folder: &std::path::Path, script: &str) -> Kubectl {
        let program = folder.join("kubectl");
        let made = std::process::Command::new("sh")
            .args(["-c", r#"printf '#!/bin/sh\n%s\n' "$2" > "$1" && chmod 755 "$1""#, "sh"])
            .arg(&program)
            .arg(script)
            .status();
        assert!(made.unwrap().success());
        Kubectl { program, ..prod() }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn what_kubectl_says_comes_back_clean() {
        let table = [
            ("echo pod/web-1 deleted '(server dry run)'", true, "pod/web-1 deleted (server dry run)"),
            ("printf '%s|' \"$@\"", true, "delete|pod|web-1|--context=prod|--dry-run=server|"),
            ("echo done; echo 'Warning: old version' >&2; exit 0", true, "done\nWarning: old version"),
            ("echo 'Error from server (Forbidden): no' >&2; exit 1", false, "Error from server (Forbidden): no"),
            ("printf '\\033[31mred\\033[0m\\a\\n\\n'", true, "red"),
            ("exit 3", false, "kubectl failed, and does not say why"),
            ("echo half; kill -9 $$", false, "kubectl was ended by a signal"),
            ("exit 0", true, "the server would take it"),
            ("cat; echo nothing to read", true, "nothing to read"),
            (
                r#"echo "$KUBECTL_KUBERC $KUBERC ${HOME:+home} ${CARGO_MANIFEST_DIR:-pruned}""#,
                true,
                "false off home pruned",
            ),
        ];
        let folder = tempfile::tempdir().unwrap();
        for (number, (script, accepted, expected)) in table.into_iter().enumerate() {
            let place = folder.path().join(number.to_string());
            std::fs::create_dir(&place).unwrap();
            let kubectl = fake(&place, script);
            let tried = dry_run(&change("kubectl delete pod web-1"), &kubectl, &Redactor::new([1; 32])).await;
            assert_eq!((tried.accepted, tried.said.as_str()), (accepted, expected), "{script}");
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn it_ends_in_time_says_little_and_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        let (redactor, line) = (Redactor::new([1; 32]), change("kubectl delete pod web-1"));
        let kubectl = fake(folder.path(), "exec sleep 600");
        let began = std::time::Instant::now();
        let tried = within(Duration::from_millis(300), &line, &kubectl, &redactor).await;
        assert_eq!((tried.accepted, tried.said.as_str()), (false, "kubectl did not end within 0.3 s"));
        assert!(began.elapsed() < Duration::from_secs(20));
        let kubectl = fake(folder.path(), "i=0; while [ $i -lt 4000 ]; do echo a line of a flood $i; i=$((i+1)); done");
        let tried = within(LIMIT, &line, &kubectl, &redactor).await;
        assert!(
            tried.accepted && tried.said.chars().count() == MOST + 1 && tried.said.ends_with('…'),
            "{}",
            tried.said
        );
        let kubectl = fake(folder.path(), "echo token ghp_16C7e42F292c6912E7710c838347Ae178B4a is bad >&2; exit 1");
        let tried = within(LIMIT, &line, &kubectl, &redactor).await;
        assert!(tried.said.starts_with("token <redacted:"), "{}", tried.said);
    }

    /// Every change of the grammar is either handed to the server as a dry run, or not run at all.
    #[test]
    fn no_line_is_run_without_the_flag() {
        let rows = include_str!("../kubectl/testdata/accepted.txt").lines();
        let lines = rows.filter_map(|row| row.strip_prefix("change | ")?.split_once(" | ").map(|(_, line)| line));
        let (mut tried, mut refused) = (0, 0);
        for line in lines {
            let change = change(line);
            let Ok(words) = words(&change, &prod()) else {
                refused += 1;
                continue;
            };
            tried += 1;
            let words: Vec<&str> = words.iter().map(|word| word.to_str().unwrap()).collect();
            let flags: Vec<&&str> =
                words.iter().take_while(|word| **word != "--").filter(|word| word.contains("dry-run")).collect();
            assert_eq!(flags, [&"--dry-run=server"], "{line}");
        }
        assert!(tried > 40 && refused > 20, "{tried} {refused}");
    }
}
