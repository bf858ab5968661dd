//! Renders `krew-manifest.yaml`, with the script that a release uses, for archives that
//! only have the right names. The script is for a Unix shell.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::manifest::Manifest;
use super::rules::breaches;

const PLATFORMS: [&str; 6] = [
    "linux_amd64.tar.gz",
    "linux_arm64.tar.gz",
    "darwin_amd64.tar.gz",
    "darwin_arm64.tar.gz",
    "windows_amd64.zip",
    "windows_arm64.zip",
];

/// Renders the template for archives of these platforms, and of no other.
fn render(folder: &Path, platforms: &[&str]) -> Output {
    for platform in platforms {
        fs::write(folder.join(format!("kubectl-react_v9.8.7_{platform}")), platform).expect("a file");
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/render-manifest");
    Command::new(script).arg("--dir").arg(folder).args(["--tag", "v9.8.7"]).output().expect("the script starts")
}

#[test]
fn the_template_keeps_krews_rules_on_all_platforms() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = render(folder.path(), &PLATFORMS);
    assert!(output.status.success(), "{output:?}");
    let text = fs::read_to_string(folder.path().join("react.yaml")).expect("a manifest");
    assert_eq!(breaches("react.yaml", &text), [], "{text}");
    assert!(!text.contains("{{"), "{text}");
    let manifest = Manifest::parse(&text).expect("it breaks no rule");
    let archives: Vec<_> = manifest.spec.platforms.iter().map(|platform| platform.archive().to_owned()).collect();
    assert_eq!(archives, PLATFORMS.map(|platform| format!("kubectl-react_v9.8.7_{platform}")));
    // Without `files` krew installs all of an archive, and so the licence.
    assert!(manifest.spec.platforms.iter().all(|platform| platform.files.is_none()), "{text}");
}

#[test]
fn no_hash_is_invented_for_what_was_not_built() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = render(folder.path(), &["linux_arm64.tar.gz"]);
    assert!(output.status.success(), "{output:?}");
    let text = fs::read_to_string(folder.path().join("react.yaml")).expect("a manifest");
    assert_eq!(breaches("react.yaml", &text), [], "{text}");
    assert_eq!(text.matches("sha256:").count(), 1, "{text}");
    let notes = String::from_utf8_lossy(&output.stderr);
    let left_out = PLATFORMS.iter().filter(|platform| notes.contains(*platform)).count();
    assert_eq!(left_out, 5, "{notes}");
}

#[test]
fn nothing_is_rendered_where_nothing_was_built() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = render(folder.path(), &[]);
    assert!(!output.status.success(), "{output:?}");
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 0);
}
