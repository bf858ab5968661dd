//! As users run it: `kubectl react …`, found by kubectl on the PATH.

use std::env;
use std::path::Path;

use crate::cluster::{PLUGIN, cluster};

#[test]
fn kubectl_finds_and_runs_the_plugin() {
    let Some(cluster) = cluster() else { return };
    let folder = Path::new(PLUGIN).parent().expect("a folder");
    let path = env::join_paths(
        std::iter::once(folder.to_owned()).chain(env::split_paths(&env::var_os("PATH").unwrap_or_default())),
    )
    .expect("a PATH");
    let run = |arguments: &[&str]| {
        let output = cluster.kubectl().env("PATH", &path).arg("react").args(arguments).output().expect("kubectl runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(run(&["--help"]).contains("kubectl react"), "usage names the plugin as users type it");
    assert!(run(&["version"]).contains(env!("CARGO_PKG_VERSION")));
    let diagnosis: serde_json::Value =
        serde_json::from_str(&run(&["diagnose", "-n", "kube-system", "-o", "json"])).expect("JSON");
    assert_eq!(diagnosis["namespace"], "kube-system");
}
