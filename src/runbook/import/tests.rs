//! Collections and what becomes of them.

use jiff::civil::date;

use super::*;
use crate::runbook::lint;

const ALERT: &str = "---
title: Kube Pod Crash Looping
weight: 20
---

# KubePodCrashLooping

## Meaning

A pod restarts again and again.

## Impact

None yet.

## Diagnosis

```bash
kubectl -n $NAMESPACE describe pod $POD
kubectl -n $NAMESPACE get pod $POD -o wide --show-labels
```

1. Or:

   ```shell {linenos=true}
   kubectl get pods | grep Crash
   ```

## Mitigation

```bash
kubectl -n $NAMESPACE rollout restart deployment/$MY_DEPLOYMENT
```
";

fn run(files: &[(&str, &str)], taken: &[&str]) -> (Vec<Imported>, Vec<Skipped>) {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(path, text)| (*path, text.as_bytes())).collect();
    let taken = taken.iter().map(|name| (*name).to_owned()).collect();
    import(&files, &Import { area: "prometheus", origin: Some("https://example.com/runbooks/"), taken })
}

#[test]
fn an_alert_becomes_a_runbook_that_lints() {
    let (imported, skipped) = run(&[("kubernetes/KubePodCrashLooping.md", ALERT)], &[]);
    assert_eq!(skipped, []);
    let [made] = imported.as_slice() else { panic!("{imported:?}") };
    assert_eq!(made.path, "runbooks/prometheus/kube-pod-crash-looping.md");
    assert_eq!(made.notes, ["1 block is no plain kubectl lines, and for people only (`console`)"]);
    let (front, body) = made.text.split_once("\n---\n\n").unwrap();
    assert_eq!(
        front,
        format!(
            "---
schema: runbook/v1
name: kube-pod-crash-looping
title: KubePodCrashLooping
description: A pod restarts again and again.
status: draft
severity: warning
match:
  alerts: [KubePodCrashLooping]
automation:
  level: none
params:
  MY_DEPLOYMENT: \"TODO: say what it is and where to read it\"
  NAMESPACE: name of the namespace
  POD: name of the pod
provenance:
  generatedBy: kubectl-react {} import
references:
  - https://example.com/runbooks/kubernetes/KubePodCrashLooping.md",
            env!("CARGO_PKG_VERSION")
        )
    );
    let original = ALERT.split_once("---\n\n").unwrap().1;
    assert_eq!(body, original.replace("```shell {linenos=true}", "```console"));

    let place = Place { library: Library::Team, path: made.path.clone(), commit: String::new(), blob: String::new() };
    let options =
        lint::Options { detectors: &[], others: &[], exists: &|_| false, today: date(2026, 11, 26), max_age_days: 180 };
    let said: Vec<_> = lint::lint(&[parse(place, made.text.as_bytes())], &options)
        .into_iter()
        .map(|problem| (problem.rule, problem.severity.word()))
        .collect();
    assert_eq!(said, [("todo-left", "note"), ("fix-not-shown", "note")]);
}

#[test]
fn nothing_is_overwritten_and_nothing_else_is_taken_for_a_runbook() {
    let own = "---\nschema: runbook/v1\nname: own\ntitle: Our own\ndescription: Use when it is ours already.\nstatus: active\nseverity: info\nmatch: {reasons: [x]}\nautomation: {level: none}\n---\n# Our own\n";
    let (imported, skipped) = run(
        &[
            ("a/KubePodCrashLooping.md", ALERT),
            ("b/KubePodCrashLooping.md", ALERT),
            ("README.md", "# About"),
            ("_index.md", "# About"),
            ("binary.md", "\0"),
            ("own.md", own),
            ("taken.md", "# Taken"),
            ("x.md", "hm"),
        ],
        &["taken"],
    );
    let paths: Vec<&str> = imported.iter().map(|made| made.path.as_str()).collect();
    assert_eq!(
        paths,
        ["runbooks/prometheus/kube-pod-crash-looping.md", "runbooks/prometheus/own.md", "runbooks/prometheus/x.md"]
    );
    assert_eq!(imported[1].text, own);
    assert_eq!(
        imported[2].notes,
        [
            "there is no heading of level 1",
            "the title is short: say more",
            "the description does not say when to use it",
            "`match` needs an alert, a reason, an exit code or a detector"
        ]
    );
    let skipped: Vec<_> = skipped.iter().map(|skipped| (skipped.from.as_str(), skipped.why.as_str())).collect();
    assert_eq!(
        skipped,
        [
            ("README.md", "its name is that of a page about the repository"),
            ("_index.md", "its name is that of a page about the repository"),
            ("b/KubePodCrashLooping.md", "there is a runbook `kube-pod-crash-looping` already"),
            ("binary.md", "the file is binary: byte 1 is NUL"),
            ("taken.md", "there is a runbook `taken` already"),
        ]
    );
    for made in imported {
        let place = Place { library: Library::Team, path: made.path, commit: String::new(), blob: String::new() };
        assert_eq!(parse(place, made.text.as_bytes()).problems, [], "{}", made.text);
    }
}
