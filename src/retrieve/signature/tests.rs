//! What matches a signature, and what nearly does.

use std::collections::BTreeMap;

use super::*;

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

fn signature() -> Signature {
    Signature {
        detectors: strings(&["oom-killed"]),
        reasons: strings(&["OOMKilled", "Error"]),
        exit_codes: vec![137],
        alerts: strings(&["PodOutOfMemory"]),
        logs: strings(&[r"(?i)out of memory: killed process \d+"]),
        ..Signature::default()
    }
}

fn told(signature: &Signature, signals: &Signals) -> Option<(f32, String)> {
    matches(signature, signals, &mut |_| {}).map(|found| (found.score, found.why.join("; ")))
}

#[test]
fn each_signal_matches_and_says_why() {
    let log = "kernel: Out of memory: Killed process 4711 (java)";
    for (signals, expected) in [
        (Signals { detectors: strings(&["oom-killed"]), ..Signals::default() }, Some((1.0, "detector oom-killed"))),
        (Signals { alerts: strings(&["PodOutOfMemory"]), ..Signals::default() }, Some((0.95, "alert PodOutOfMemory"))),
        (
            Signals { log_lines: strings(&["started", log]), ..Signals::default() },
            Some((
                0.9,
                "log line \"kernel: Out of memory: Killed process 4711 (java)\" matches `(?i)out of memory: killed process \\d+`",
            )),
        ),
        (
            Signals { reasons: strings(&["OOMKilled"]), exit_codes: vec![137], ..Signals::default() },
            Some((0.85, "reason OOMKilled, exit code 137")),
        ),
        (Signals { reasons: strings(&["OOMKilled"]), ..Signals::default() }, Some((0.75, "reason OOMKilled"))),
        (Signals { exit_codes: vec![137], ..Signals::default() }, Some((0.65, "exit code 137"))),
        // Another exit code speaks against the reason, another reason against the exit code.
        (Signals { reasons: strings(&["Error"]), exit_codes: vec![1], ..Signals::default() }, None),
        (Signals { reasons: strings(&["Completed"]), exit_codes: vec![137], ..Signals::default() }, None),
        (Signals::default(), None),
    ] {
        let expected = expected.map(|(score, why)| (score, why.to_owned()));
        assert_eq!(told(&signature(), &signals), expected, "{signals:?}");
    }
}

#[test]
fn several_signals_are_better_than_one_and_not_as_good_as_the_next_kind() {
    let signals = Signals {
        reasons: strings(&["OOMKilled"]),
        exit_codes: vec![137],
        log_lines: strings(&["Out of memory: Killed process 1"]),
        ..Signals::default()
    };
    let (score, _) = told(&signature(), &signals).unwrap();
    assert!(score > worth::LOG && score < worth::ALERT, "{score}");
}

#[test]
fn kinds_and_labels_narrow() {
    let mut signature = signature();
    signature.kinds = strings(&["StatefulSet"]);
    let mut signals = Signals { detectors: strings(&["oom-killed"]), ..Signals::default() };
    // The kinds are not known: nothing speaks against it.
    assert!(told(&signature, &signals).is_some());
    signals.kinds = strings(&["Deployment"]);
    assert!(told(&signature, &signals).is_none());
    signals.kinds = strings(&["Pod", "StatefulSet"]);
    assert!(told(&signature, &signals).is_some());
    signature.labels = Some("app in (redis, valkey)".to_owned());
    assert!(told(&signature, &signals).is_none());
    signals.labels = BTreeMap::from([("app".to_owned(), "redis".to_owned())]);
    assert_eq!(matches(&signature, &signals, &mut |_| {}).unwrap().narrowed, 2);
    signals.detectors.clear();
    assert!(told(&signature, &signals).is_none(), "what narrows does not match by itself");
}

#[test]
fn a_common_exit_code_says_nothing() {
    let signature = Signature { exit_codes: vec![1, 139], ..Signature::default() };
    assert!(told(&signature, &Signals { exit_codes: vec![1], ..Signals::default() }).is_none());
    assert!(told(&signature, &Signals { exit_codes: vec![139], ..Signals::default() }).is_some());
}

#[test]
fn bad_patterns_are_told_and_skipped() {
    for (pattern, problem) in [("(", "unclosed group"), (r"(?:a{1000}){1000}{1000}", "it needs too much memory")] {
        let signature = Signature { logs: strings(&[pattern, "boom"]), ..Signature::default() };
        let signals = Signals { log_lines: strings(&["boom"]), ..Signals::default() };
        let mut notes = Vec::new();
        let found = matches(&signature, &signals, &mut |note| notes.push(note));
        assert_eq!(found.unwrap().why, ["log line \"boom\" matches `boom`"]);
        assert_eq!(notes, [format!("the log pattern `{pattern}` can't be used: {problem}")]);
    }
    let mut notes = Vec::new();
    let signature = Signature { labels: Some("a in (".to_owned()), ..signature() };
    let signals = Signals { detectors: strings(&["oom-killed"]), ..Signals::default() };
    assert_eq!(matches(&signature, &signals, &mut |note| notes.push(note)), None);
    assert_eq!(notes.len(), 1);
}

#[test]
fn the_order_is_score_then_narrowness() {
    let found = |score, narrowed| Match { score, why: Vec::new(), narrowed };
    let mut all = [found(0.75, 0), found(1.0, 0), found(1.0, 2), found(0.95, 1)];
    all.sort_by(Match::order);
    let order: Vec<(f32, usize)> = all.iter().map(|found| (found.score, found.narrowed)).collect();
    assert_eq!(order, [(1.0, 2), (1.0, 0), (0.95, 1), (0.75, 0)]);
}
