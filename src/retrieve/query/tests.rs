//! What is asked of a text and of a cause.

use crate::model::{Evidence, Kind, Severity, Stage};

use super::*;

#[test]
fn a_text_may_be_a_name() {
    for (text, alerts, reasons, codes) in [
        ("KubePodCrashLooping", vec!["KubePodCrashLooping"], vec!["KubePodCrashLooping"], vec![]),
        (" OOMKilled ", vec!["OOMKilled"], vec!["OOMKilled"], vec![]),
        ("etcdNoLeader", vec!["etcdNoLeader"], vec!["etcdNoLeader"], vec![]),
        ("alertname=TargetDown severity=warning", vec!["TargetDown"], vec![], vec![]),
        ("{alertname=\"TargetDown\"}", vec!["TargetDown"], vec![], vec![]),
        ("{\"alertname\": \"TargetDown\"}", vec!["TargetDown"], vec![], vec![]),
        ("exit 137", vec![], vec![], vec![137]),
        ("Exit Code:    139", vec![], vec![], vec![139]),
        ("exit code 300", vec![], vec![], vec![]),
        ("Kubernetes", vec![], vec![], vec![]),
        ("pods fail when exit code 1 is returned by the init container of it", vec![], vec![], vec![]),
        ("FailedMount: MountVolume.SetUp failed", vec![], vec![], vec![]),
        ("", vec![], vec![], vec![]),
    ] {
        let signals = Query::from_text(text).signals;
        assert_eq!((signals.alerts, signals.reasons), (strings(&alerts), strings(&reasons)), "{text}");
        assert_eq!(signals.exit_codes, codes, "{text}");
    }
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

fn cause() -> Cause {
    let pod = ObjectRef::new(Kind::Pod, "shop", "cart-5d9c7b8f66-x2x7p");
    let field = |path: &str, quote: &str| Evidence {
        quote: quote.to_owned(),
        source: Source::Field { object: pod.clone(), path: path.to_owned() },
        time: None,
    };
    Cause {
        fingerprint: String::new(),
        detector: "oom-killed".to_owned(),
        severity: Severity::Critical,
        stage: Stage::Start,
        object: ObjectRef::new(Kind::Deployment, "shop", "cart"),
        culprit: None,
        summary: "container app of cart-5d9c7b8f66-x2x7p in shop was killed for memory".to_owned(),
        since: None,
        count: 2,
        members: vec![pod.clone()],
        evidence: vec![
            field("status.containerStatuses[app].lastState.terminated.reason", "OOMKilled"),
            field("status.containerStatuses[app].lastState.terminated.exitCode", "137"),
            Evidence {
                quote: "Back-off restarting failed container app in pod cart-5d9c7b8f66-x2x7p".to_owned(),
                source: Source::Event { object: pod.clone(), reason: "BackOff".to_owned() },
                time: None,
            },
            Evidence {
                quote: "java.lang.OutOfMemoryError: Java heap space".to_owned(),
                source: Source::Log { object: pod, container: "app".to_owned(), previous: true },
                time: None,
            },
        ],
        consequences: Vec::new(),
        changes: Vec::new(),
        commands: Vec::new(),
        unknown: Vec::new(),
        runbooks: Vec::new(),
        no_runbook: None,
    }
}

#[test]
fn a_cause_asks_with_what_proves_it() {
    let query = Query::from_cause(&cause());
    assert_eq!(query.signals.detectors, ["oom-killed"]);
    assert_eq!(query.signals.kinds, ["Deployment", "Pod"]);
    assert_eq!(query.signals.reasons, ["OOMKilled", "BackOff"]);
    assert_eq!(query.signals.exit_codes, [137]);
    assert_eq!(query.signals.log_lines, ["java.lang.OutOfMemoryError: Java heap space"]);
    assert_eq!(
        query.text,
        "container app of in was killed for memory\nOOMKilled, BackOff, exit code 137\n\
         Back-off restarting failed container app in pod\njava.lang.OutOfMemoryError: Java heap space"
    );
}

#[test]
fn names_of_the_system_stay() {
    let mut cause = cause();
    cause.object = ObjectRef::new(Kind::Deployment, "kube-system", "coredns");
    cause.members.clear();
    cause.evidence.clear();
    cause.summary = "coredns has no ready pod".to_owned();
    assert!(Query::from_cause(&cause).text.contains("coredns"));
}

#[test]
fn what_a_controller_puts_behind_a_name() {
    for (tail, expected) in
        [("-5d9c7b8f66-x2x7p", true), ("-0", true), ("-canary", false), ("", false), ("x", false), ("-", false)]
    {
        assert_eq!(generated(tail), expected, "{tail}");
    }
}
