//! The runbooks that were recorded on the real cluster, as a reviewer reads them: `tests/real/recorded/`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;

/// Lines of a file that a person reads in one go.
const LINES: usize = 125;

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The manifests of the fault that a runbook was recorded from.
fn manifest(name: &str) -> String {
    let groups = files(&tests().join("faults"));
    let path = groups.iter().map(|group| group.join(format!("{name}.yaml"))).find(|path| path.is_file());
    assert!(path.is_some(), "no fault is called {name}");
    let text = fs::read_to_string(path.unwrap()).unwrap();
    text.split_once("\n---\n").unwrap().1.to_owned()
}

/// What comes from the incident: the description, what is in fences, and what mended it.
fn own(page: &str) -> String {
    let (front, body) = page.split_once("\n---\n").unwrap();
    let description = front.split_once("description: ").unwrap().1.split_once("\nstatus:").unwrap().0;
    let (mut own, mut fenced) = (description.to_owned() + "\n", false);
    for line in body.split("\n\n").flat_map(|block| {
        let keep = block.starts_with("What mended it") || block.contains("```");
        block.lines().filter(move |_| keep)
    }) {
        fenced ^= line.starts_with("```");
        own = own + line + "\n";
    }
    assert!(!fenced);
    own
}

#[test]
fn they_are_short_general_and_pass_lint() {
    let named = Regex::new(r"metadata:\s*\{?\s*(?:name|generateName): ([\w.-]+)").unwrap();
    let noise = Regex::new(
        r"\b[0-9a-f]{8}-[0-9a-f]{4}-|\b(\d{1,3}\.){3}\d{1,3}\b|\b\d{4}-\d\d-\d\dT|-[0-9a-f]{8,10}\b|sha256:|null,|<redacted",
    );
    let noise = noise.unwrap();
    let recorded = files(&tests().join("recorded"));
    assert_eq!(recorded.len(), 20);
    for path in recorded {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let page = fs::read_to_string(&path).unwrap();
        let lines = page.lines().count();
        assert!(lines <= LINES, "{name} has {lines} lines");
        let manifest = manifest(name);
        let names: BTreeSet<&str> =
            named.captures_iter(&manifest).map(|found| found.get(1).unwrap().as_str()).collect();
        assert!(!names.is_empty(), "{name}");
        let own = own(&page);
        for word in own.split(|c: char| !(c.is_ascii_alphanumeric() || "-._".contains(c))) {
            assert!(!names.contains(word), "{name} says {word}, a name of its incident:\n{own}");
        }
        let others = own.replace("127.0.0.1", "");
        let found = noise.find(&others);
        assert!(found.is_none(), "{name}: {found:?}");
        for role in ["fix", "verify", "rollback"] {
            assert!(page.contains(&format!("\"react\":\"{role}\"")) || role == "rollback", "{name} has no {role}");
        }
        assert!(page.contains("level: suggest"), "{name}");
        lint(&page);
    }
}

/// As the file that it was in the team's repository.
fn lint(page: &str) {
    let folder = tempfile::tempdir().unwrap();
    let stem = page.split_once("name: ").unwrap().1.lines().next().unwrap();
    fs::write(folder.path().join(format!("{stem}.md")), page).unwrap();
    let mut lint = Command::new(env!("CARGO_BIN_EXE_kubectl-react"));
    let lint = lint.args(["runbooks", "lint", "--strict"]).arg(folder.path()).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&lint.stdout), String::from_utf8_lossy(&lint.stderr));
    assert!(lint.status.success(), "{said}");
}
