//! Tests of detectors as data: objects in YAML, findings as lines.
//!
//! *Invariant:* a test names objects and what is said of them, never functions, so that it
//! survives a change of everything between.

use crate::model::{Finding, Kind, LogTail, Objects, Scope, Snapshot, Want};
use crate::{graph, model};

use super::Detector;

/// The moment at which test snapshots are taken.
pub(crate) const NOW: &str = "2026-01-01T12:00:00Z";

/// Reads YAML documents into a snapshot that was taken at [`NOW`].
///
/// Besides Kubernetes objects there may be documents of these kinds: `Log` (`namespace`, `pod`,
/// `container`, `previous`, `lines`), `SecretKeys` (`namespace`, `name`, `keys: [{name, …}]`),
/// `ConfigValue`, `Gap` (`what`, `reason`, `kind` as `of`) and `Scope` (`namespace`).
pub(crate) fn snapshot(yaml: &str) -> Snapshot {
    let mut snapshot = Snapshot::new(NOW.parse().unwrap(), "test", Scope::default());
    for document in yaml.split("\n---") {
        if document.trim().is_empty() {
            continue;
        }
        let mut value: serde_json::Value =
            serde_saphyr::from_str(document).unwrap_or_else(|e| panic!("{e}\n{document}"));
        let text = |value: &serde_json::Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
        match value["kind"].as_str().unwrap_or_default() {
            "Log" => snapshot.logs.push(LogTail {
                pod: model::ObjectRef::new(Kind::Pod, &text(&value, "namespace"), &text(&value, "pod")),
                container: text(&value, "container"),
                previous: value["previous"].as_bool().unwrap_or_default(),
                lines: serde_json::from_value(value["lines"].take()).unwrap(),
            }),
            "SecretKeys" => snapshot.secret_keys.push(serde_json::from_value(value).unwrap()),
            "ConfigValue" => snapshot.config_values.push(serde_json::from_value(value).unwrap()),
            "Scope" => snapshot.scope.namespace = Some(text(&value, "namespace")),
            "Gap" => snapshot.gaps.push(model::Gap {
                what: text(&value, "what"),
                namespace: None,
                reason: text(&value, "reason"),
                kind: Some(Kind::parse(&text(&value, "of"))),
            }),
            _ => snapshot.objects.add_json(value).unwrap_or_else(|e| panic!("{e}\n{document}")),
        }
    }
    snapshot.objects.sort();
    snapshot
}

/// Runs one detector and compares what it says, a line for each finding:
/// `critical Pod shop/web: summary`, then ` <- culprit` where another object is to blame.
#[track_caller]
pub(crate) fn check(detector: &Detector, yaml: &str, expected: &str) {
    let snapshot = snapshot(yaml);
    let findings = (detector.run)(&graph::build(&snapshot));
    for finding in &findings {
        assert!(!finding.evidence.is_empty(), "a finding needs evidence: {finding:?}");
        assert!(!finding.summary.ends_with('.'), "no full stop: {}", finding.summary);
    }
    compare(findings.iter().map(line), expected);
}

/// Compares what a detector says is not known, a line for each.
#[track_caller]
pub(crate) fn check_unknown(detector: &Detector, yaml: &str, expected: &str) {
    let findings = (detector.run)(&graph::build(&snapshot(yaml)));
    compare(findings.into_iter().flat_map(|finding| finding.unknown), expected);
}

/// Compares what a detector wants to be read, a line for each.
#[track_caller]
pub(crate) fn check_wants(detector: &Detector, yaml: &str, expected: &str) {
    let snapshot = snapshot(yaml);
    let wants = detector.wants.map(|wants| wants(&graph::build(&snapshot))).unwrap_or_default();
    compare(
        wants.iter().map(|want| match want {
            Want::Log { pod, container, previous } => {
                format!("log {}/{} {container}{}", pod.ns(), pod.name, if *previous { " previous" } else { "" })
            }
            Want::SecretKeys { namespace, name } => format!("keys of Secret {namespace}/{name}"),
            Want::ConfigValues { namespace, name } => format!("values of ConfigMap {namespace}/{name}"),
        }),
        expected,
    );
}

#[track_caller]
fn compare(lines: impl Iterator<Item = String>, expected: &str) {
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    let mut wanted: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    wanted.sort_unstable();
    assert!(lines == wanted, "expected:\n  {}\nfound:\n  {}\n", wanted.join("\n  "), lines.join("\n  "));
}

fn line(finding: &Finding) -> String {
    let severity = format!("{:?}", finding.severity).to_lowercase();
    let culprit = finding.culprit.as_ref().map(|object| format!(" <- {object}")).unwrap_or_default();
    format!("{severity} {}: {}{culprit}", finding.object, finding.summary)
}

/// An empty list of objects, to be sure that `detector` is silent on it.
#[test]
fn every_detector_is_silent_on_nothing() {
    let empty = Snapshot { objects: Objects::default(), ..snapshot("") };
    for detector in super::detectors() {
        assert_eq!((detector.run)(&graph::build(&empty)), [], "{}", detector.id);
    }
}
