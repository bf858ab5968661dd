//! Every file in `faults/` is injected in a namespace of its own name, all at once; one diagnosis
//! of the whole cluster must name each cause, fold what follows, and be silent on what is healthy.
//!
//! A file's first document is the expectation: `test: {detector, object: Kind/name, says: […],
//! consequences: [Kind/name, …], steps: [[kubectl arguments], …]}`, or `test: {healthy: true}`.
//! The other documents are applied. `steps` run one after the other once those are there.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;

use crate::cluster::{Cluster, cluster};

/// Until when all expectations must hold; containers must fail a few times first.
const PATIENCE: Duration = Duration::from_mins(5);

#[derive(Debug, Deserialize)]
struct Head {
    test: Expectation,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Expectation {
    healthy: bool,
    detector: String,
    object: String,
    says: Vec<String>,
    consequences: Vec<String>,
    steps: Vec<Vec<String>>,
}

struct Fault {
    name: String,
    expected: Expectation,
    manifest: String,
}

fn faults() -> Vec<Fault> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/faults");
    let mut faults: Vec<Fault> = std::fs::read_dir(folder)
        .expect("the folder of faults")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let text = std::fs::read_to_string(&path).expect("a file");
            let (head, manifest) = text.split_once("\n---\n").expect("an expectation, then objects");
            let head: Head = serde_saphyr::from_str(head).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            Fault {
                name: path.file_stem().expect("a name").to_string_lossy().into_owned(),
                expected: head.test,
                manifest: manifest.to_owned(),
            }
        })
        .collect();
    faults.sort_by(|a, b| a.name.cmp(&b.name));
    faults
}

/// Removes the namespaces, however the test ends.
struct Cleanup<'c>(&'c Cluster, Vec<String>);

impl Drop for Cleanup<'_> {
    fn drop(&mut self) {
        let names = self.1.iter().map(String::as_str);
        let arguments: Vec<&str> =
            ["delete", "namespace", "--ignore-not-found", "--wait=false"].into_iter().chain(names).collect();
        let _ = self.0.kubectl().args(arguments).output();
        let _ = self
            .0
            .kubectl()
            .args([
                "delete",
                "node,pv,storageclass,ingressclass,priorityclass",
                "-l",
                "kubectl-react-test",
                "--wait=false",
            ])
            .output();
    }
}

#[test]
fn each_injected_fault_is_found_and_nothing_else() {
    let Some(cluster) = cluster() else { return };
    let faults = faults();
    let _cleanup = Cleanup(&cluster, faults.iter().map(|fault| namespace(&fault.name)).collect());
    for fault in &faults {
        let namespace = namespace(&fault.name);
        let create = cluster.run(&["create", "namespace", &namespace, "--dry-run=client", "-o", "yaml"]);
        cluster.apply("default", &create);
        cluster.apply(&namespace, &fault.manifest);
    }
    for fault in &faults {
        for step in &fault.expected.steps {
            let namespace = namespace(&fault.name);
            let mut arguments = vec!["-n", namespace.as_str()];
            arguments.extend(step.iter().map(String::as_str));
            cluster.run(&arguments);
        }
    }
    let began = Instant::now();
    let mut missing = BTreeMap::new();
    while began.elapsed() < PATIENCE {
        let diagnosis = cluster.diagnose("admin", &["-A"]);
        missing = faults.iter().filter_map(|fault| Some((fault.name.clone(), check(fault, &diagnosis)?))).collect();
        if missing.is_empty() {
            println!(
                "{} faults and healthy workloads as expected after {:.0} s",
                faults.len(),
                began.elapsed().as_secs_f64()
            );
            return;
        }
    }
    let list: Vec<String> = missing.iter().map(|(name, why)| format!("{name}: {why}")).collect();
    panic!("{} of {} not as expected:\n{}", list.len(), faults.len(), list.join("\n"));
}

fn namespace(name: &str) -> String {
    format!("fault-{name}")
}

/// What is not yet as expected.
fn check(fault: &Fault, diagnosis: &Value) -> Option<String> {
    let namespace = namespace(&fault.name);
    let expected = &fault.expected;
    let causes = diagnosis["causes"].as_array().cloned().unwrap_or_default();
    let inside: Vec<&Value> = causes.iter().filter(|cause| concerns(cause, &namespace, &expected.object)).collect();
    let told = || {
        inside
            .iter()
            .map(|cause| format!("{} {}: {}", cause["detector"], object(&cause["object"]), cause["summary"]))
            .collect::<Vec<_>>()
            .join(" | ")
    };
    if expected.healthy {
        return (!inside.is_empty()).then(|| format!("should be silent, but: {}", told()));
    }
    let Some(cause) = inside
        .iter()
        .find(|cause| cause["detector"] == expected.detector.as_str() && object(&cause["object"]) == expected.object)
    else {
        return Some(format!("no {} at {}; found: {}", expected.detector, expected.object, told()));
    };
    if inside.len() > 1 {
        return Some(format!("more than one cause: {}", told()));
    }
    if cause["evidence"].as_array().is_none_or(Vec::is_empty) {
        return Some("no evidence".to_owned());
    }
    let text = cause.to_string();
    if let Some(word) = expected.says.iter().find(|word| !text.contains(word.as_str())) {
        return Some(format!("does not say {word:?}: {}", cause["summary"]));
    }
    let consequences: Vec<String> =
        cause["consequences"].as_array().into_iter().flatten().map(|c| object(&c["object"])).collect();
    let lost = expected.consequences.iter().find(|wanted| !consequences.contains(wanted))?;
    Some(format!("{lost} is not among the consequences {consequences:?}"))
}

/// Whether a cause lies in the namespace, or is about the expected object of the whole cluster.
fn concerns(cause: &Value, namespace: &str, expected: &str) -> bool {
    let place = &cause["object"]["namespace"];
    if place.is_null() { object(&cause["object"]) == expected } else { *place == namespace }
}

fn object(reference: &Value) -> String {
    format!("{}/{}", reference["kind"].as_str().unwrap_or_default(), reference["name"].as_str().unwrap_or_default())
}
