//! Who may import whom: this test holds the table of `ARCHITECTURE.md`.
//!
//! It reads paths that begin with `crate::` as text, so it guards against slips, not against
//! malice. To change the table, change it in `ARCHITECTURE.md` too, and say why in the commit.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A module of ours, and what of ours it may import.
const TABLE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("near", &[]),
    ("printable", &[]),
    ("http", &[]),
    ("redact", &["model", "printable"]),
    ("kubectl", &["model", "near"]),
    ("graph", &["model"]),
    ("detect", &["model", "graph"]),
    ("causes", &["model", "graph"]),
    ("output", &["model", "printable"]),
    ("cluster", &["model", "printable", "redact", "kubectl"]),
    ("config", &["model", "near", "output", "cluster"]),
    ("runbook", &["model", "near", "printable", "http", "redact", "kubectl"]),
    ("retrieve", &["model", "http", "redact", "runbook"]),
    ("retriever", &["model", "kubectl", "runbook", "retrieve"]),
    ("agent", &["model", "printable", "http", "redact", "kubectl", "cluster", "retrieve", "retriever"]),
    ("act", &["model", "printable", "redact", "kubectl", "cluster"]),
    ("incidents", &["model", "printable", "redact"]),
    ("outcomes", &["model", "printable"]),
    ("review", &["model", "printable", "kubectl", "runbook", "retrieve", "output"]),
    (
        "diagnose",
        &[
            "model",
            "redact",
            "kubectl",
            "graph",
            "detect",
            "causes",
            "cluster",
            "retrieve",
            "retriever",
            "agent",
            "act",
            "incidents",
        ],
    ),
    (
        "record",
        &[
            "model",
            "printable",
            "redact",
            "kubectl",
            "graph",
            "detect",
            "causes",
            "runbook",
            "retrieve",
            "incidents",
            "agent",
            "diagnose",
        ],
    ),
    (
        "cli",
        &[
            "model",
            "near",
            "printable",
            "redact",
            "kubectl",
            "graph",
            "detect",
            "causes",
            "cluster",
            "runbook",
            "retrieve",
            "retriever",
            "agent",
            "act",
            "incidents",
            "outcomes",
            "review",
            "output",
            "config",
            "diagnose",
            "record",
        ],
    ),
];

/// Modules that do no IO and read no clock.
const PURE: &[&str] = &["model", "printable", "redact", "kubectl", "graph", "detect", "causes", "output"];

/// What IO and clocks are called.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::env",
    "std::net::Tcp",
    "std::net::Udp",
    "ToSocketAddrs",
    "std::process",
    "std::io::std",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "tokio::",
    "kube::",
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Every file of `src/`, with the module it belongs to and its text.
fn modules() -> Vec<(String, PathBuf, String)> {
    let mut found = Vec::new();
    files(&source(), &mut found);
    found.sort();
    found
        .into_iter()
        .map(|path| {
            let first = path.strip_prefix(source()).unwrap().components().next().unwrap();
            let module = Path::new(first.as_os_str()).file_stem().unwrap().to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).unwrap();
            (module, path, text)
        })
        .collect()
}

/// The lines that are code, without comments and without the tests at the end.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().take_while(|(_, line)| line.trim() != "#[cfg(test)]");
    lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

#[test]
fn modules_import_only_what_the_table_allows() {
    let table: BTreeMap<&str, &[&str]> = TABLE.iter().copied().collect();
    let mut slips = Vec::new();
    for (module, path, text) in modules() {
        if module == "lib" || module == "main" {
            continue;
        }
        let Some(allowed) = table.get(module.as_str()) else {
            slips
                .push(format!("{}: module `{module}` is not in the table of tests/it/architecture.rs", path.display()));
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            for rest in line.split("crate::").skip(1) {
                let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if table.contains_key(name.as_str()) && name != module && !allowed.contains(&name.as_str()) {
                    slips.push(format!("{}:{}: `{module}` may not import `{name}`", path.display(), number + 1));
                }
            }
            if line.contains("super::super") {
                slips.push(format!("{}:{}: write the path from `crate::` on", path.display(), number + 1));
            }
        }
    }
    assert!(
        slips.is_empty(),
        "{}\nThe table stands in tests/it/architecture.rs and ARCHITECTURE.md.",
        slips.join("\n")
    );
}

#[test]
fn pure_modules_do_no_io() {
    let mut slips = Vec::new();
    let tests = |path: &Path| path.ends_with("tests.rs") || path.ends_with("testing.rs");
    for (module, path, text) in
        modules().into_iter().filter(|(module, path, _)| PURE.contains(&module.as_str()) && !tests(path))
    {
        for (number, line) in code(&text) {
            for name in IMPURE.iter().filter(|name| line.contains(*name)) {
                slips.push(format!("{}:{}: `{module}` is pure, but uses {name}", path.display(), number + 1));
            }
        }
    }
    assert!(slips.is_empty(), "{}", slips.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for() {
    for (_, path, text) in modules() {
        assert!(text.starts_with("//! "), "{} does not open with `//!`", path.display());
    }
}

#[test]
fn the_documented_table_is_this_one() {
    let document = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).unwrap();
    for (module, allowed) in TABLE {
        let list = if allowed.is_empty() {
            "–".to_owned()
        } else {
            allowed.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        };
        let row = format!("| `{module}` | {list} |");
        assert!(document.contains(&row), "ARCHITECTURE.md lacks the row\n{row}");
    }
}
