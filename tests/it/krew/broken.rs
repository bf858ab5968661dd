//! Breaks each rule of `rules.rs` once, alone, to see that it is noticed.

use std::collections::BTreeSet;

use super::rules::{RULES, breaches};

const HEAD: &str = "\
apiVersion: krew.googlecontainertools.github.com/v1alpha2
kind: Plugin
metadata:
  name: react
spec:
  version: v1.2.3
  homepage: https://example.com/react
  shortDescription: Find what is broken
  description: |
    Finds it.
";

const PLATFORMS: &str = "  platforms:
  - selector:
      matchLabels:
        os: linux
        arch: amd64
    uri: https://example.com/react_v1.2.3_linux_amd64.tar.gz
    sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
    bin: kubectl-react
  - selector:
      matchLabels:
        os: windows
        arch: amd64
    uri: https://example.com/react_v1.2.3_windows_amd64.zip
    sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
    bin: kubectl-react.exe
";

/// A rule, a piece of the good manifest above, and what stands there instead, once:
/// this rule is broken then, and no other.
const BROKEN: &[(&str, &str, &str)] = &[
    ("api-version", "v1alpha2", "v1"),
    ("bin", "bin: kubectl-react\n", "bin: ../kubectl-react\n"),
    ("bin", "    bin: kubectl-react\n", ""),
    ("bin-exe", "kubectl-react.exe", "kubectl-react"),
    ("bin-exe", "bin: kubectl-react\n", "bin: kubectl-react.exe\n"),
    ("description", "    Finds it.\n", ""),
    ("description-examples", "Finds it.", "Finds it.\n\n    kubectl react diagnose"),
    ("description-examples", "Finds it.", "Finds it.\n      --all  everywhere"),
    ("file-name", "name: react", "name: another"),
    ("files", "bin: kubectl-react\n", "bin: kubectl-react\n    files: []\n"),
    ("files", "bin: kubectl-react\n", "bin: kubectl-react\n    files:\n    - from: LICENSE\n"),
    ("files", "bin: kubectl-react\n", "bin: kubectl-react\n    files:\n    - {from: '*', to: 'a/../b'}\n"),
    ("homepage", "https://example.com/react\n", "example.com\n"),
    ("kind", "kind: Plugin", "kind: Extension"),
    ("name", "name: react", "name: re_act"),
    ("name", "name: react", "name: con"),
    ("platform-known", "arch: amd64", "arch: x86_64"),
    ("platform-overlap", "        os: linux\n", ""),
    ("platforms", PLATFORMS, "  platforms: []\n"),
    ("selector", "selector:\n      matchLabels:\n        os: linux\n        arch: amd64\n    uri", "uri"),
    ("selector", "arch: amd64", "arch: amd64\n        libc: musl"),
    ("sha256", "sha256: e3b0", "sha256: E3B0"),
    ("sha256", "sha256: e3b0", "sha256: e3b"),
    ("short-description", "Find what is broken", "''"),
    ("short-description", "Find what is broken", "\"Find\\nit\""),
    ("short-description-length", "what is broken", "what is broken, and what broke it, and where it is"),
    ("short-description-words", "Find what is broken", "A kubectl plugin to find faults"),
    ("short-description-words", "Find what is broken", "Find what is broken."),
    ("syntax", "homepage:", "homePage:"),
    ("syntax", "bin: kubectl-react\n", "bin: kubectl-react\n    sha265: 00\n"),
    ("uri", "https://example.com/react_", "http://example.com/react_"),
    ("uri", "linux_amd64.tar.gz", "linux_amd64.tar.xz"),
    ("uri-version", "react_v1.2.3_linux", "react_v1.2.2_linux"),
    ("version", "version: v1.2.3", "version: 1.2.3"),
    ("version", "version: v1.2.3", "version: v1.2"),
    ("wrap", "Finds it.", "Finds it, in a line that goes on and on until it has passed the eightieth column of it."),
];

#[test]
fn the_good_manifest_breaks_no_rule() {
    assert_eq!(breaches("react.yaml", &format!("{HEAD}{PLATFORMS}")), []);
}

#[test]
fn each_rule_is_noticed_when_it_alone_is_broken() {
    let good = format!("{HEAD}{PLATFORMS}");
    for &(rule, piece, instead) in BROKEN {
        assert!(good.contains(piece), "{rule}: nothing to replace: {piece}");
        let found = breaches("react.yaml", &good.replacen(piece, instead, 1));
        let mut broken: BTreeSet<_> = found.iter().map(|breach| breach.rule).collect();
        if rule == "name" {
            broken.remove("file-name"); // another name is another file's
        }
        assert_eq!(broken, BTreeSet::from([rule]), "{piece:?} → {instead:?}: {found:#?}");
    }
}

#[test]
fn every_rule_is_in_order_and_has_a_case() {
    let rules: Vec<_> = RULES.iter().map(|&(rule, _)| rule).collect();
    assert!(rules.is_sorted(), "{rules:?}");
    let tried: BTreeSet<_> = BROKEN.iter().map(|&(rule, ..)| rule).collect();
    let missing: Vec<_> = rules.iter().filter(|rule| !tried.contains(*rule)).collect();
    assert!(missing.is_empty(), "no case in BROKEN for {missing:?}");
}
