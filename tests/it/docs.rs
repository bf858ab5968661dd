//! What the documents say is what the program does.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kubectl_react::detect::{Group, detectors};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The table of detectors in the README is generated: `UPDATE=1 cargo test --test it docs` writes it.
#[test]
fn the_readme_lists_every_detector() {
    const BEGIN: &str = "<!-- detectors: generated, see tests/it/docs.rs -->\n";
    const END: &str = "<!-- /detectors -->";
    let readme = fs::read_to_string(file("README.md")).unwrap();
    let (head, rest) = readme.split_once(BEGIN).expect("the place of the table");
    let (_, tail) = rest.split_once(END).expect("the end of the table");
    let wanted = format!("{head}{BEGIN}{}{END}{tail}", table());
    if std::env::var_os("UPDATE").is_some() {
        fs::write(file("README.md"), &wanted).unwrap();
        return;
    }
    assert!(readme == wanted, "run `UPDATE=1 cargo test --test it docs`");
}

fn table() -> String {
    let groups = [
        (Group::Containers, "Containers"),
        (Group::Images, "Images"),
        (Group::Configuration, "Configuration"),
        (Group::Scheduling, "Scheduling"),
        (Group::Storage, "Storage"),
        (Group::Workloads, "Workloads"),
        (Group::Admission, "Admission"),
        (Group::Network, "Network"),
        (Group::Nodes, "Nodes and cluster"),
        (Group::Custom, "Custom resources"),
    ];
    let mut table = String::from("| id | what it finds |\n|---|---|\n");
    for (group, title) in groups {
        let members: Vec<_> = detectors().iter().filter(|detector| detector.group == group).collect();
        if !members.is_empty() {
            table.extend(["| **", title, "** | |\n"]);
        }
        for detector in members {
            table.extend(["| `", detector.id, "` | ", detector.summary, " |\n"]);
        }
    }
    table
}

/// Every file that a document links to is there.
#[test]
fn links_between_documents_lead_somewhere() {
    for document in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "BENCHMARKS.md"]
    {
        let text = fs::read_to_string(file(document)).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target) {
            let path = target.split('#').next().unwrap_or_default();
            if !path.contains("://") && !path.is_empty() {
                assert!(file(path).exists(), "{document} links to {target}");
            }
        }
    }
}

/// Every fault that is injected into the real cluster names a detector that there is.
#[test]
fn injected_faults_name_detectors() {
    let ids: Vec<&str> = detectors().iter().map(|detector| detector.id).collect();
    let mut named = std::collections::BTreeSet::new();
    let groups = fs::read_dir(file("tests/real/faults")).unwrap().map(|group| group.unwrap().path());
    for entry in groups.flat_map(|group| fs::read_dir(group).unwrap()) {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let head = text.split("\n---").next().unwrap();
        for rest in head.split("detector: ").skip(1) {
            let id: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
            assert!(ids.contains(&id.as_str()), "{id} is no detector");
            named.insert(id);
        }
    }
    assert!(named.len() >= 20, "at least twenty faults are injected: {named:?}");
}

/// What the README's first command prints; `UPDATE=1 cargo test --test it docs` writes it.
#[test]
fn the_recorded_outage_is_diagnosed_as_the_document_shows() {
    use kubectl_react::cluster::snapshot_file;
    use kubectl_react::diagnose::{Request, derive};
    use kubectl_react::output::{Format, Style, render};
    use kubectl_react::redact::Redactor;
    use kubectl_react::retriever::{Libraries, Options, Retriever};
    use kubectl_react::runbook::repo::Sync;
    let snapshot = snapshot_file::read(&file("demo/outage.json.gz"), &Redactor::new([7; 32])).unwrap();
    let mut diagnosis = derive(&snapshot, &Request::default()).unwrap();
    let sync = Sync { skip: true, limit: None, interactive: false };
    let cache = tempfile::tempdir().unwrap();
    let kept = Some(cache.path().to_owned());
    let options = Options {
        team: None,
        sync,
        builtin: true,
        cache: kept,
        chroma: None,
        embedder: None,
        shipped: None,
        standing: None,
    };
    let options = Arc::new(options);
    let mut healthy = diagnosis.clone();
    healthy.causes.clear();
    Libraries::open(Arc::clone(&options)).advise(&mut healthy);
    let mut by_index = diagnosis.clone();
    Libraries::open(Arc::clone(&options)).advise(&mut diagnosis);
    assert!(!cache.path().join("index.sqlite").exists(), "signatures answer, and no index is made for them");
    Retriever::open(options).unwrap().advise(&mut by_index);
    assert!(by_index == diagnosis, "an index answers the same");
    assert_eq!(healthy.libraries, diagnosis.libraries);
    let text = render(&diagnosis, Format::Text, &Style::default());
    if std::env::var_os("UPDATE").is_some() {
        fs::write(file("demo/outage.txt"), &text).unwrap();
        return;
    }
    let shown = fs::read_to_string(file("demo/outage.txt")).unwrap();
    assert!(shown == text, "run `UPDATE=1 cargo test --test it docs` and read the difference:\n{text}");
}
