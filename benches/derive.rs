//! How long the pure half takes, from a snapshot to its causes, and how that grows.
//!
//! The recorded outage of `demo/` is laid side by side until it has so many pods: each copy has namespaces
//! and nodes of its own, so healthy and broken workloads keep their proportion.
//!
//! ```sh
//! cargo bench --bench derive                    # 1,000, 10,000 and 50,000 pods
//! cargo bench --bench derive -- 10000           # these
//! cargo bench --bench derive -- 10000 --detectors   # the slowest detectors too
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark ends where something is not as it should be"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use kubectl_react::causes::{self, Focus};
use kubectl_react::cluster::snapshot_file;
use kubectl_react::model::Snapshot;
use kubectl_react::redact::{Redacted, Redactor};
use kubectl_react::{detect, graph};
use serde_json::Value;

/// The program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RUNS: usize = 5;
/// The slowest detectors that are told.
const SLOWEST: usize = 25;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let mut sizes: Vec<usize> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = vec![1_000, 10_000, 50_000];
    }
    let redactor = Redactor::new([7; 32]);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/outage.json.gz");
    let one = serde_json::to_value(&*snapshot_file::read(&file, &redactor).unwrap()).unwrap();
    println!(
        "| pods | objects | graph | detect | causes | detect + causes | per 1,000 pods | causes |\n|---|---|---|---|---|---|---|---|"
    );
    for pods in sizes {
        let snapshot = side_by_side(&one, pods, &redactor);
        measure(&snapshot);
        if arguments.iter().any(|argument| argument == "--detectors") {
            each_detector(&snapshot);
        }
    }
}

fn measure(snapshot: &Snapshot) {
    let (mut graphs, mut detects, mut folds) = (Vec::new(), Vec::new(), Vec::new());
    let mut count = 0;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    for _ in 0..RUNS {
        let start = Instant::now();
        let view = graph::build(snapshot);
        graphs.push(start.elapsed());
        let start = Instant::now();
        let findings = detect::detect(&view, threads);
        detects.push(start.elapsed());
        let start = Instant::now();
        count = causes::explain(&view, findings, &Focus::new(None)).causes.len();
        folds.push(start.elapsed());
    }
    let (graph, detect, fold) = (median(graphs), median(detects), median(folds));
    let pods = snapshot.objects.pods.len();
    println!(
        "| {pods} | {} | {} | {} | {} | {} | {} | {count} |",
        snapshot.objects.len(),
        ms(graph),
        ms(detect),
        ms(fold),
        ms(detect + fold),
        ms((detect + fold) * 1000 / u32::try_from(pods).unwrap())
    );
}

fn each_detector(snapshot: &Snapshot) {
    let view = graph::build(snapshot);
    let mut times: Vec<(Duration, &str)> = detect::detectors()
        .iter()
        .map(|detector| {
            let start = Instant::now();
            let found = (detector.run)(&view);
            drop(found);
            (start.elapsed(), detector.id)
        })
        .collect();
    times.sort();
    println!("\nthe slowest detectors (what several share is counted for the first of them):");
    for (time, id) in times.iter().rev().take(SLOWEST) {
        println!("  {:>9}  {id}", ms(*time));
    }
    println!();
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

/// The snapshot, so often that it has so many pods.
fn side_by_side(one: &Value, pods: usize, redactor: &Redactor) -> Redacted<Snapshot> {
    let each = one["objects"]["pods"].as_array().unwrap().len();
    let names = |list: &str| -> BTreeSet<String> {
        let list = one["objects"][list].as_array().unwrap();
        list.iter().map(|object| object["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    };
    // What there is once in a cluster stays so.
    let namespaces: BTreeSet<String> =
        names("namespaces").into_iter().filter(|name| !name.starts_with("kube-") && name != "default").collect();
    let nodes = names("nodes");
    let mut all = one.clone();
    for copy in 1..pods.div_ceil(each) {
        let renamed = |name: &str| format!("{name}-{copy}");
        for (kind, list) in one["objects"].as_object().unwrap() {
            for object in list.as_array().unwrap() {
                let (name, namespace) = (&object["metadata"]["name"], &object["metadata"]["namespace"]);
                let is = |set: &BTreeSet<String>, value: &Value| value.as_str().is_some_and(|text| set.contains(text));
                let mut object = object.clone();
                match kind.as_str() {
                    "nodes" => object["metadata"]["name"] = renamed(name.as_str().unwrap()).into(),
                    "namespaces" if is(&namespaces, name) => {}
                    _ if is(&namespaces, namespace) => {}
                    _ => continue,
                }
                if kind == "namespaces" {
                    object["metadata"]["name"] = renamed(name.as_str().unwrap()).into();
                }
                rename(&mut object, &namespaces, &nodes, copy);
                all["objects"][kind].as_array_mut().unwrap().push(object);
            }
        }
        for part in ["logs", "secretKeys", "configValues"] {
            for object in one[part].as_array().into_iter().flatten() {
                let mut object = object.clone();
                rename(&mut object, &namespaces, &nodes, copy);
                all[part].as_array_mut().unwrap().push(object);
            }
        }
    }
    let mut snapshot: Snapshot = serde_json::from_value(all).unwrap();
    snapshot.objects.sort();
    redactor.seal(snapshot)
}

/// Renames the namespace and node of an object, and namespaces in host names (`db.payments:5432`).
fn rename(value: &mut Value, namespaces: &BTreeSet<String>, nodes: &BTreeSet<String>, copy: usize) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value.as_str() {
                    Some(text)
                        if key == "namespace" && namespaces.contains(text)
                            || key == "nodeName" && nodes.contains(text) =>
                    {
                        *value = format!("{text}-{copy}").into();
                    }
                    _ => rename(value, namespaces, nodes, copy),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, namespaces, nodes, copy)),
        Value::String(text) => {
            for namespace in namespaces {
                for end in [":", ".svc"] {
                    let host = format!(".{namespace}{end}");
                    if text.contains(&host) {
                        *text = text.replace(&host, &format!(".{namespace}-{copy}{end}"));
                    }
                }
            }
        }
        _ => {}
    }
}
