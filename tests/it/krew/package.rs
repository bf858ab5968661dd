//! Installs the archives that `packaging/build` made, as krew would, and runs ours.
//!
//! These need a release build, so they are ignored unless asked for:
//! `./test --extra` sets `REACT_PACKAGE_DIR` to the folder with `react.yaml` and runs them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::install::{Installed, install, platform};
use super::manifest::{Manifest, Platform};
use super::rules::breaches;

/// The folder of the real packages, and its manifest.
fn packages() -> (PathBuf, Manifest) {
    let folder = std::env::var_os("REACT_PACKAGE_DIR").expect("REACT_PACKAGE_DIR is set by ./test --extra");
    let folder = PathBuf::from(folder);
    let text = fs::read_to_string(folder.join("react.yaml")).expect("packaging/render-manifest wrote react.yaml");
    assert_eq!(breaches("react.yaml", &text), []);
    let manifest = Manifest::parse(&text).expect("it breaks no rule");
    (folder, manifest)
}

/// This machine's platform, in krew's words.
fn is_ours(platform: &Platform) -> bool {
    let os = if cfg!(target_os = "macos") { "darwin" } else { std::env::consts::OS };
    let arch = if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" };
    platform.label("os") == os && platform.label("arch") == arch
}

fn install_ours() -> Installed {
    let (folder, manifest) = packages();
    let platform =
        manifest.spec.platforms.iter().find(|platform| is_ours(platform)).expect("an archive of this platform");
    let archive = fs::read(folder.join(platform.archive())).expect("the archive that the manifest names");
    install(platform, &manifest.metadata.name, &archive).expect("krew can install it")
}

fn stdout_of(command: &mut Command) -> String {
    let output = command.output().expect("it starts");
    let stdout = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(
        output.status.success(),
        "{command:?}: {}\n{stdout}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    stdout
}

#[test]
#[ignore = "needs a release build: ./test --extra"]
fn every_archive_is_installed_as_krew_does() {
    let (folder, manifest) = packages();
    for platform in &manifest.spec.platforms {
        let archive = fs::read(folder.join(platform.archive())).expect("the archive that the manifest names");
        let installed = install(platform, &manifest.metadata.name, &archive);
        let installed = installed.unwrap_or_else(|error| panic!("{}: {error}", platform.archive()));
        let model = ["model/model.onnx", "model/tokenizer.json", "model/builtin.vectors", "model/NOTICE.txt"];
        for file in ["THIRD-PARTY-LICENSES.txt"].iter().chain(&model) {
            assert!(installed.store.join(file).is_file(), "{}: {file}", platform.archive());
        }
    }
}

#[test]
#[ignore = "needs a release build: ./test --extra"]
fn ours_runs_from_where_krew_links_it() {
    let installed = install_ours();
    let version = stdout_of(Command::new(installed.bin_dir.join("kubectl-react")).arg("version"));
    assert!(version.contains(env!("CARGO_PKG_VERSION")), "{version}");
    let help = stdout_of(Command::new(installed.bin_dir.join("kubectl-react")).arg("--help"));
    assert!(help.contains("kubectl react"), "{help}");
}

/// The model lies beside the program that krew's link leads to, with the vectors of the built-in runbooks.
#[test]
#[ignore = "needs a release build: ./test --extra"]
fn ours_searches_by_meaning_with_what_came_with_it() {
    let installed = install_ours();
    let home = tempfile::tempdir().expect("a folder");
    let ours = |words: &[&str]| {
        let mut command = Command::new(installed.bin_dir.join("kubectl-react"));
        for name in ["HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "LOCALAPPDATA", "APPDATA", "USERPROFILE"] {
            command.env(name, home.path());
        }
        stdout_of(command.arg("runbooks").args(words))
    };
    let indexed = ours(&["index"]);
    assert!(indexed.contains(" 0 with new vectors"), "none had to be made: {indexed}");
    let found = ours(&["search", "-o", "json", "the program keeps being shot by the kernel for eating all its RAM"]);
    let found: serde_json::Value = serde_json::from_str(&found).expect("JSON");
    assert!(found["results"][0]["why"]["dense"].is_number(), "{found:#}");
    assert!(ours(&["model", "show"]).starts_with("all-MiniLM-L6-v2 (int8)"));
}

/// kubectl finds it on the PATH, and hands on arguments and output.
#[test]
#[ignore = "needs a release build and kubectl: ./test --extra"]
fn ours_runs_through_kubectl() {
    let installed = install_ours();
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(installed.bin_dir.clone()).chain(std::env::split_paths(&inherited));
    let path = std::env::join_paths(folders).expect("folders without a colon");
    let kubectl = |argument| stdout_of(Command::new("kubectl").env("PATH", &path).args(["react", argument]));
    assert!(kubectl("version").contains(env!("CARGO_PKG_VERSION")));
    assert!(kubectl("--help").contains("kubectl react"));
    assert!(stdout_of(Command::new("kubectl").env("PATH", &path).args(["plugin", "list"])).contains("kubectl-react"));
}

/// What `packaging/archive` makes of a licence and an executable of this name.
fn packed(suffix: &str, bin: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join(format!("out.{suffix}"));
    let mut command = Command::new("python3");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/archive")).arg(&out);
    for name in ["LICENSE", bin] {
        let path = folder.path().join(name);
        fs::write(&path, "content ".repeat(100)).expect("a file");
        command.arg(format!("{name}={}", path.display()));
    }
    stdout_of(&mut command);
    fs::read(out).expect("an archive")
}

#[test]
#[ignore = "needs Python, as packaging does: ./test --extra"]
fn both_kinds_of_archive_are_installed_and_the_same_each_time() {
    for (suffix, bin) in [("tar.gz", "kubectl-react"), ("zip", "kubectl-react.exe")] {
        let archive = packed(suffix, bin);
        assert_eq!(archive, packed(suffix, bin), "{suffix}");
        let installed = install(&platform(bin, &archive), "react", &archive).expect(suffix);
        let text = fs::read_to_string(installed.store.join(bin)).expect("it is installed");
        assert_eq!(text, "content ".repeat(100), "{suffix}");
    }
}
