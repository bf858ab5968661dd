//! What is written reads back.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::model::Place;
use crate::model::runbook::{BlastRadius, Library, Provenance, Risk};
use crate::runbook::parse::{Parsed, parse};

fn read(text: &str) -> Parsed {
    let place = Place { library: Library::Team, path: "a/b.md".into(), commit: String::new(), blob: String::new() };
    parse(place, text.as_bytes())
}

fn full() -> FrontMatter {
    let texts = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    FrontMatter {
        json_schema: Some("https://example.com/runbook.schema.json".into()),
        schema: RUNBOOK_SCHEMA.into(),
        name: "b".into(),
        title: "A title: with a colon".into(),
        description:
            "Use when a container's last state is OOMKilled (exit code 137) and its working set reaches the limit \
                      shortly after start, or under load."
                .into(),
        status: Status::Deprecated,
        superseded_by: Some("other".into()),
        severity: Severity::Critical,
        root_cause: RootCause::ControlPlane,
        signature: Signature {
            detectors: texts(&["a", "b"]),
            kinds: texts(&["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "CronJob", "Job", "Pod", "Node"]),
            reasons: texts(&["OOMKilled", "no", "a,b"]),
            exit_codes: vec![0, 137],
            alerts: texts(&["KubePodCrashLooping"]),
            logs: texts(&[r"java\.lang", "it's # \"x\"", "- a"]),
            labels: Some("app in (a,b),!x".into()),
        },
        applies_to: AppliesTo { kubernetes: Some(">=1.27".into()), platforms: texts(&["aks", "any"]) },
        automation: Automation {
            level: Level::Approve,
            risk: Some(Risk::High),
            blast_radius: Some(BlastRadius::Cluster),
            cooldown: Some("30m".into()),
            max_per_day: Some(3),
        },
        params: BTreeMap::from([("NODE".into(), "name".into()), ("POD".into(), "it's \"the\": pod".into())]),
        owners: texts(&["@example/sre"]),
        reviewed: Some("2026-11-20".into()),
        provenance: Some(Provenance {
            generated_by: Some("kubectl-react 0.1.0".into()),
            model: None,
            incidents: texts(&["inc-1"]),
        }),
        references: texts(&["https://kubernetes.io/docs/"]),
        tags: texts(&["memory", "1.27", "null"]),
    }
}

const WRITTEN: &str = r#"---
$schema: https://example.com/runbook.schema.json
schema: runbook/v1
name: b
title: "A title: with a colon"
description: >-
  Use when a container's last state is OOMKilled (exit code 137) and its working
  set reaches the limit shortly after start, or under load.
status: deprecated
supersededBy: other
severity: critical
rootCause: control-plane
match:
  detectors: [a, b]
  kinds:
    - Deployment
    - StatefulSet
    - DaemonSet
    - ReplicaSet
    - CronJob
    - Job
    - Pod
    - Node
  reasons: [OOMKilled, "no", "a,b"]
  exitCodes: [0, 137]
  alerts: [KubePodCrashLooping]
  logs:
    - java\.lang
    - 'it''s # "x"'
    - "- a"
  labels: app in (a,b),!x
appliesTo:
  kubernetes: ">=1.27"
  platforms: [aks, any]
automation:
  level: approve
  risk: high
  blastRadius: cluster
  cooldown: 30m
  maxPerDay: 3
params:
  NODE: name
  POD: 'it''s "the": pod'
owners: ["@example/sre"]
reviewed: "2026-11-20"
provenance:
  generatedBy: kubectl-react 0.1.0
  incidents: [inc-1]
references:
  - https://kubernetes.io/docs/
tags: [memory, "1.27", "null"]
---

# Body
"#;

#[test]
fn keys_stand_in_their_order_and_read_back() {
    let front = full();
    let text = to_markdown(&front, "\n\n# Body\n\n\n");
    assert_eq!(text, WRITTEN);
    assert_eq!(read(&text).runbook.map(|runbook| runbook.front), Some(front));
}

#[test]
fn a_skeleton_reads_and_says_what_is_to_do() {
    for (subject, title) in [
        (Subject { name: "oom-killed".into(), today: "2026-11-20".into(), ..Subject::default() }, "Oom killed"),
        (Subject { name: "oom".into(), detector: Some("oom-killed".into()), ..Subject::default() }, "Oom: TODO"),
        (
            Subject {
                name: "x".into(),
                title: "A container: is killed".into(),
                description: "Use when\n  a container is killed again and again.".into(),
                owners: vec!["@example/sre".into()],
                ..Subject::default()
            },
            "A container: is killed",
        ),
    ] {
        let text = skeleton(&subject);
        let parsed = read(&text);
        assert_eq!(parsed.problems, [], "{text}");
        assert!(text.contains("TODO"));
        let runbook = parsed.runbook.unwrap();
        assert_eq!((runbook.front.title.as_str(), runbook.front.status), (title, Status::Draft));
        assert_eq!(runbook.sections[0].heading, title);
        assert_eq!(to_markdown(&runbook.front, text.split_once("\n---\n").unwrap().1), text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn any_text_reads_back(text in "[ -~äé\u{85}\u{2028}\n\t]{1,120}", words in "([a-z,#:'\"-]{1,9} ?){1,40}") {
        let mut front = full();
        front.title = text.clone();
        front.description = words;
        front.signature.logs = vec![text.clone()];
        front.signature.reasons = vec![text.clone()];
        front.params = BTreeMap::from([("A".to_owned(), text)]);
        let written = to_markdown(&front, "# Body");
        let tree = crate::runbook::yaml::read(written.trim_start_matches("---\n").split("\n---\n").next().unwrap());
        let back = tree.ok().and_then(|tree| serde_json::from_value::<FrontMatter>(tree.to_json()).ok());
        prop_assert_eq!(back, Some(front), "{}", written);
    }
}
