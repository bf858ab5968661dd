//! The cluster under test, and the plugin run against it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};

/// The plugin that is tested.
pub(crate) const PLUGIN: &str = env!("CARGO_BIN_EXE_kubectl-react");

/// The cluster under test.
pub(crate) struct Cluster {
    folder: PathBuf,
    admin: PathBuf,
}

/// The cluster, or none where there is none: then the test says so and ends.
pub(crate) fn cluster() -> Option<Cluster> {
    static SAID: AtomicBool = AtomicBool::new(false);
    let Some(admin) = env::var_os("REACT_TEST_KUBECONFIG").map(PathBuf::from) else {
        if !SAID.swap(true, Ordering::Relaxed) {
            eprintln!("skipped: real cluster (REACT_TEST_KUBECONFIG is not set; run ./test)");
        }
        return None;
    };
    let folder = admin.parent().unwrap_or(Path::new(".")).to_owned();
    Some(Cluster { folder, admin })
}

impl Cluster {
    /// The kubeconfig of a user: `admin`, `viewer`, `nobody`, …
    pub(crate) fn kubeconfig(&self, user: &str) -> PathBuf {
        if user == "admin" { self.admin.clone() } else { self.folder.join(format!("{user}.kubeconfig")) }
    }

    /// kubectl as the administrator.
    pub(crate) fn kubectl(&self) -> Command {
        let kubectl = env::var_os("REACT_TEST_KUBECTL").unwrap_or_else(|| "kubectl".into());
        let mut command = Command::new(kubectl);
        command.env("KUBECONFIG", &self.admin);
        command
    }

    /// Runs kubectl and gives what it prints; anything but success ends the test.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = self.kubectl().args(arguments).output().expect("kubectl runs");
        assert!(output.status.success(), "kubectl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Hands a manifest to `kubectl apply`. Where it brings a kind of its own, the API server needs a
    /// moment until it takes objects of that kind.
    #[track_caller]
    pub(crate) fn apply(&self, namespace: &str, manifest: &str) {
        const NOT_YET: [&str; 2] = ["no matches for kind", "could not find the requested resource"];
        let mut errors = self.try_apply(namespace, manifest);
        for _ in 0..20 {
            if !errors.as_ref().is_some_and(|errors| NOT_YET.iter().any(|text| errors.contains(text))) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(500));
            errors = self.try_apply(namespace, manifest);
        }
        assert!(errors.is_none(), "apply in {namespace}: {}", errors.unwrap_or_default());
    }

    /// What `kubectl apply` has against a manifest.
    fn try_apply(&self, namespace: &str, manifest: &str) -> Option<String> {
        use std::io::Write;
        use std::process::Stdio;
        let mut command = self.kubectl();
        command
            .args(["-n", namespace, "apply", "-f", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("kubectl runs");
        child.stdin.take().expect("piped").write_all(manifest.as_bytes()).expect("kubectl reads");
        let output = child.wait_with_output().expect("kubectl ends");
        (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Runs the plugin as a user.
    pub(crate) fn plugin(&self, user: &str, arguments: &[&str]) -> Output {
        let state = env::temp_dir().join("kubectl-react-test-state");
        let mut command = Command::new(PLUGIN);
        command.args(arguments).env("KUBECONFIG", self.kubeconfig(user)).env("XDG_STATE_HOME", state);
        command.output().expect("the plugin runs")
    }

    /// Runs `diagnose … -o json` as a user and reads the answer.
    #[track_caller]
    pub(crate) fn diagnose(&self, user: &str, arguments: &[&str]) -> serde_json::Value {
        let output = self.plugin(user, &[&["diagnose", "-o", "json"], arguments].concat());
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_str(&text).expect("JSON on stdout")
    }
}
