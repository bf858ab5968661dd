//! The cluster under test, and the plugin run against it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The plugin that is tested.
pub(crate) const PLUGIN: &str = env!("CARGO_BIN_EXE_kubectl-react");

/// The cluster under test.
#[derive(Clone)]
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

/// Held by a test while it injects: two at once would see each other's faults.
pub(crate) struct Injecting(#[expect(dead_code, reason = "it is held")] MutexGuard<'static, ()>);

impl Injecting {
    /// Waits for its turn.
    pub(crate) fn begin() -> Injecting {
        static TURN: Mutex<()> = Mutex::new(());
        Injecting(TURN.lock().unwrap_or_else(PoisonError::into_inner))
    }
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

    /// Hands a manifest to `kubectl apply`. A kind that it defines itself is served a moment later; what two hand in at once
    /// is there for the second.
    #[track_caller]
    pub(crate) fn apply(&self, namespace: &str, manifest: &str) {
        let mut tries = 0;
        loop {
            let errors = match self.try_apply(namespace, manifest) {
                Ok(()) => return,
                Err(errors) => errors,
            };
            tries += 1;
            let soon = ["no matches for kind", "could not find the requested resource", "(AlreadyExists)"]
                .iter()
                .any(|reason| errors.contains(reason));
            assert!(soon && tries < 10, "apply in {namespace}: {errors}");
        }
    }

    fn try_apply(&self, namespace: &str, manifest: &str) -> Result<(), String> {
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
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
    }

    /// Runs the plugin as a user.
    pub(crate) fn plugin(&self, user: &str, arguments: &[&str]) -> Output {
        self.plugin_command(user, arguments).output().expect("the plugin runs")
    }

    /// The plugin as a user, without a model, whatever the environment names.
    pub(crate) fn plugin_command(&self, user: &str, arguments: &[&str]) -> Command {
        let state = env::temp_dir().join("kubectl-react-test-state");
        let mut command = Command::new(PLUGIN);
        command.args(arguments).env("KUBECONFIG", self.kubeconfig(user));
        command.env("XDG_CACHE_HOME", state.join("cache")).env("XDG_CONFIG_HOME", state.join("config"));
        command.env("XDG_STATE_HOME", state).env("KUBECTL_REACT_MODEL_PROVIDER", "none");
        command
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
