//! The loop: a fault is injected and found, someone mends it with plain kubectl, `record` proves that and writes it down, the
//! runbook is merged, and the next time the same fault is answered with it, by path and commit, its commands filled in.
//!
//! `mends.yaml` has a fault of `faults/` each, what mends it, and what is expected of the runbook. The runbooks go to a git
//! server over ssh and https by turns (`REACT_TEST_GIT`), and their headings and commands are compared with those in
//! `recorded/`, which people have read: `UPDATE=1` writes them anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;

use crate::cluster::{Cluster, Injecting, PLUGIN, cluster};
use crate::expect::{Fault, faults};
use crate::git_server::{GitServer, Repository};

/// Until when a fault must be found.
const PATIENCE: Duration = Duration::from_mins(3);
/// Faults at once.
const AT_ONCE: usize = 4;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mend {
    /// `group/name` of the fault.
    fault: String,
    /// The detector that names it.
    detector: String,
    /// What a person does: arguments of kubectl, in the fault's namespace.
    steps: Vec<Vec<String>>,
    /// Lines that the runbook has.
    lines: Vec<String>,
    /// What stands in a command of the next answer, its parameters filled.
    next: String,
}

/// One run of the loop, in a home of its own.
struct Loop<'c> {
    cluster: &'c Cluster,
    git: &'c GitServer,
    mend: &'c Mend,
    fault: &'c Fault,
    repository: Repository,
    url: String,
    home: PathBuf,
}

#[test]
fn what_was_mended_once_is_answered_from_then_on() {
    let Some(cluster) = cluster() else { return };
    let Some(git) = GitServer::get() else {
        eprintln!("skipped: record to a real git server (REACT_TEST_GIT is not set; run ./test)");
        return;
    };
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real/mends.yaml")).expect("mends.yaml");
    let mends: Vec<Mend> = serde_saphyr::from_str(&text).expect("mends.yaml");
    let faults = faults();
    let wanted = std::env::var("REACT_TEST_MENDS").unwrap_or_default();
    let chosen: Vec<(usize, &Mend)> =
        mends.iter().enumerate().filter(|(_, mend)| wanted.split(',').any(|word| mend.fault.contains(word))).collect();
    let _alone = Injecting::begin();
    let (began, next, wrong) = (Instant::now(), Mutex::new(chosen.iter()), Mutex::new(Vec::new()));
    let home = tempfile::tempdir().expect("a folder");
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some((number, mend)) = next.lock().expect("no panic").next().copied() else { return };
                    let fault = faults.iter().find(|fault| fault.title() == mend.fault).expect("a fault of that name");
                    let repository = git.repository(&format!("mend-{}", fault.name));
                    let url = if number % 2 == 0 { repository.ssh.clone() } else { repository.https.clone() };
                    let home = home.path().join(&fault.name);
                    fs::create_dir_all(&home).expect("a folder");
                    let one = Loop { cluster: &cluster, git: &git, mend, fault, repository, url, home };
                    if let Err(why) = one.run() {
                        wrong.lock().expect("no panic").push(format!("{}: {why}", mend.fault));
                    }
                    one.clean_up();
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no panic");
    println!("{} faults mended and recorded, {:.0} s", chosen.len(), began.elapsed().as_secs_f64());
    assert!(wrong.is_empty(), "{} not as expected:\n{}", wrong.len(), wrong.join("\n"));
}

impl Loop<'_> {
    fn run(&self) -> Result<(), String> {
        let first = self.namespace("mend");
        self.inject(&first);
        let before = self.await_fault(&first)?;
        let cited = before["runbooks"].as_array().into_iter().flatten().filter(|runbook| runbook["library"] == "team");
        if cited.count() > 0 {
            return Err("a runbook of the team was there before".to_owned());
        }
        for arguments in &self.mend.steps {
            let output = self.cluster.kubectl().args(["-n", &first]).args(arguments).output().expect("kubectl runs");
            if !output.status.success() {
                return Err(format!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr)));
            }
        }
        let record = ["record", "--yes", "--settle", "3s", "--timeout", "3m", "-o", "json"];
        let recorded = self.json(&record)?;
        let path = recorded["path"].as_str().unwrap_or_default().to_owned();
        if recorded["outcome"] != "pushed" {
            return Err(format!("not pushed: {recorded:#}"));
        }
        let branch = recorded["branch"].as_str().unwrap_or_default();
        let text = self.git.git(&self.repository.path, &["show", &format!("{branch}:{path}")]) + "\n";
        self.reviewed(&text)?;
        // The same incident twice: nothing is doubled.
        let commit = self.git.git(&self.repository.path, &["rev-parse", branch]);
        self.json(&record)?;
        if self.git.git(&self.repository.path, &["rev-parse", branch]) != commit {
            return Err("recorded twice, and there is another commit".to_owned());
        }
        self.merge(branch);
        self.forget(&first);
        let second = self.namespace("again");
        self.inject(&second);
        let after = self.await_fault(&second)?;
        let best = &after["runbooks"][0];
        let merged = self.git.git(&self.repository.path, &["rev-parse", "main"]);
        if best["library"] != "team" || best["path"] != path.as_str() || best["commit"] != merged.as_str() {
            return Err(format!("the runbook is not cited first: {best:#}"));
        }
        let lines: Vec<&str> =
            best["commands"].as_array().into_iter().flatten().filter_map(|command| command["line"].as_str()).collect();
        let filled = lines.iter().any(|line| line.contains(&self.mend.next) && line.contains(&second));
        if !filled {
            return Err(format!("`{}` in {second} is not among {lines:#?}", self.mend.next));
        }
        Ok(())
    }

    fn namespace(&self, what: &str) -> String {
        format!("{what}-{}", self.fault.name)
    }

    fn inject(&self, namespace: &str) {
        let create = self.cluster.run(&["create", "namespace", namespace, "--dry-run=client", "-o", "yaml"]);
        self.cluster.apply("default", &create);
        self.cluster.apply(namespace, &self.fault.manifest);
        for arguments in &self.fault.expected.steps {
            let mut step = vec!["-n", namespace];
            step.extend(arguments.iter().map(String::as_str));
            self.cluster.run(&step);
        }
    }

    /// Diagnoses until the cause is there.
    fn await_fault(&self, namespace: &str) -> Result<Value, String> {
        let began = Instant::now();
        let mut last = Value::Null;
        while began.elapsed() < PATIENCE {
            last = self.json(&["diagnose", "-n", namespace, "-o", "json"])?;
            let causes = last["causes"].as_array().into_iter().flatten();
            if let Some(cause) = causes.clone().find(|cause| cause["detector"] == self.mend.detector.as_str()) {
                return Ok(cause.clone());
            }
        }
        Err(format!("{} is not found in {namespace}: {:#}", self.mend.detector, last["causes"]))
    }

    /// The runbook is general, and the one that people have read.
    fn reviewed(&self, text: &str) -> Result<(), String> {
        for line in &self.mend.lines {
            if !text.lines().any(|own| own == line) {
                return Err(format!("`{line}` is not in the runbook:\n{text}"));
            }
        }
        let namespace = self.namespace("mend");
        let pods = self.cluster.run(&["-n", &namespace, "get", "pods", "-o", "name"]);
        for name in pods.lines().filter_map(|line| line.strip_prefix("pod/")).chain([namespace.as_str()]) {
            if text.contains(name) {
                return Err(format!("`{name}` is in the runbook:\n{text}"));
            }
        }
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/recorded").join(format!("{}.md", self.fault.name));
        let text = lasting(text);
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, text).expect("the file is written");
            return Ok(());
        }
        let known = fs::read_to_string(&path).unwrap_or_default();
        let same = decisive(&known) == decisive(&text);
        if same { Ok(()) } else { Err(format!("{} differs; now it is:\n{text}", path.display())) }
    }

    fn merge(&self, branch: &str) {
        let folder = self.home.join("clone");
        let folder = folder.to_str().expect("UTF-8");
        self.git.git(&self.home, &["clone", "-q", &self.url, folder]);
        self.git.git(Path::new(folder), &["merge", "-q", "--no-ff", "-m", "Reviewed", &format!("origin/{branch}")]);
        self.git.git(Path::new(folder), &["push", "-q", "origin", "HEAD:main"]);
    }

    fn json(&self, arguments: &[&str]) -> Result<Value, String> {
        let output = self.plugin(arguments);
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            return Err(format!("{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr)));
        }
        serde_json::from_str(&text).map_err(|error| format!("{arguments:?}: {error}: {text}"))
    }

    fn plugin(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(PLUGIN);
        command.args(arguments).env("KUBECONFIG", self.cluster.kubeconfig("admin")).env("HOME", &self.home);
        command.env("XDG_CACHE_HOME", self.home.join("cache")).env("XDG_CONFIG_HOME", self.home.join("config"));
        command.env("XDG_STATE_HOME", self.home.join("state")).env("KUBECTL_REACT_MODEL_PROVIDER", "none");
        command.env("KUBECTL_REACT_RUNBOOKS", &self.url).env("KUBECTL_REACT_EMBEDDER", "none");
        command.env("KUBECTL_REACT_FORGE_KIND", "none").envs(self.git.environment());
        command.output().expect("the plugin runs")
    }

    fn forget(&self, namespace: &str) {
        let _ = self
            .cluster
            .kubectl()
            .args(["delete", "namespace", namespace, "--ignore-not-found", "--wait=false"])
            .output();
    }

    fn clean_up(&self) {
        for what in ["mend", "again"] {
            self.forget(&self.namespace(what));
        }
    }
}

/// The headings, and the commands that mend and go back: which quote proves a fault, and what it kept from working by then,
/// depend on when it is looked at.
fn decisive(text: &str) -> Vec<&str> {
    let mut kept = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let fence = line.starts_with("```");
        if fence {
            inside = ["fix", "rollback"].iter().any(|role| line.contains(&format!("\"react\":\"{role}\"")));
        }
        if inside && !fence || line.starts_with('#') {
            kept.push(line);
        }
    }
    kept
}

/// The runbook without what is another one in each run.
fn lasting(text: &str) -> String {
    let lines = text.lines().map(|line| match line.trim_start() {
        line if line.starts_with("reviewed: ") => "reviewed: \"2026-11-27\"".to_owned(),
        start if start.starts_with("incidents: ") => "  incidents: [\"20261127-101500-7f3a\"]".to_owned(),
        start if start.starts_with("generatedBy: ") => "  generatedBy: kubectl-react".to_owned(),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}
