//! A team with its repository, a forge and an incident, in a folder of its own.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use kubectl_react::cluster::snapshot_file;
use kubectl_react::diagnose::{self, Request};
use kubectl_react::incidents::{Head, Store};
use kubectl_react::model::runbook::Status;
use kubectl_react::model::{Advice, Library, Place, Snapshot};
use kubectl_react::redact::Redactor;

use crate::forge::servers::{ForgeServer, Rules, TOKEN};
use crate::support::snapshot;

/// What must never leave, wherever it stands.
pub(super) const CANARY: &str = "pw-canary-8d1f77";

/// The path of the runbook that was shown for the incident.
pub(super) const SHOWN: &str = "runbooks/network/ports-closed.md";

/// A team with its repository, and an incident.
pub(super) struct Team {
    home: tempfile::TempDir,
    /// The address of the team's repository, as it is configured.
    pub(super) source: String,
    pub(super) env: Vec<(&'static str, String)>,
    /// All that was printed.
    pub(super) said: String,
}

fn cluster(selector: &str, slice: &str) -> Snapshot {
    let template = format!(
        "{{metadata: {{labels: {{app: web}}}}, spec: {{containers: [{{name: app, image: 'web:1', env: [{{name: DB_PASSWORD, value: {CANARY}}}]}}]}}}}"
    );
    snapshot(&format!(
        "{{apiVersion: v1, kind: Namespace, metadata: {{name: shop-7}}, status: {{phase: Active}}}}\n---\n\
         {{apiVersion: apps/v1, kind: Deployment, metadata: {{name: web, namespace: shop-7, generation: 1}}, \
         spec: {{replicas: 1, selector: {{matchLabels: {{app: web}}}}, template: {template}}}, \
         status: {{replicas: 1, readyReplicas: 1, updatedReplicas: 1, availableReplicas: 1, observedGeneration: 1}}}}\n---\n\
         {{apiVersion: v1, kind: Pod, metadata: {{name: web-x7k2p, namespace: shop-7, labels: {{app: web}}}}, \
         spec: {{nodeName: n1, containers: [{{name: app, image: 'web:1'}}]}}, status: {{phase: Running, \
         conditions: [{{type: Ready, status: 'True'}}], containerStatuses: [{{name: app, ready: true, state: {{running: {{}}}}}}]}}}}\n---\n\
         {{apiVersion: v1, kind: Service, metadata: {{name: front, namespace: shop-7, creationTimestamp: '2026-01-01T10:00:00Z', \
         annotations: {{example.com/db-password: {CANARY}}}}}, \
         spec: {{selector: {{app: {selector}}}, ports: [{{port: 80, targetPort: 8080}}]}}}}\n---\n{slice}"
    ))
}

fn broken() -> Snapshot {
    cluster(
        "wbe",
        "{apiVersion: v1, kind: Node, metadata: {name: n1}, status: {conditions: [{type: Ready, status: 'True'}]}}",
    )
}

fn mended() -> Snapshot {
    cluster(
        "web",
        "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: front-1, namespace: shop-7, \
         labels: {kubernetes.io/service-name: front}}, endpoints: [{addresses: [10.0.0.1], conditions: {ready: true}}], ports: [{port: 8080}]}",
    )
}

/// A runbook of the team's that was shown, where there is such a file.
fn shown() -> Advice {
    Advice {
        place: Place { library: Library::Team, path: SHOWN.to_owned(), commit: "c".repeat(40), blob: "b".repeat(40) },
        name: "ports-closed".to_owned(),
        title: "Ports are closed".to_owned(),
        status: Status::Active,
        score: 0.6,
        why: "words".to_owned(),
        passage: String::new(),
        superseded_by: None,
        commands: Vec::new(),
    }
}

impl Team {
    pub(super) fn new(rules: &'static Rules) -> Team {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name);
        let redactor = Redactor::new([7; 32]);
        let write = |name: &str, snapshot: Snapshot| {
            let sealed = redactor.seal(snapshot);
            snapshot_file::write(&path(name), &sealed).unwrap();
            sealed
        };
        write("after.json.gz", mended());
        let before = write("before.json.gz", broken());
        let mut diagnosis = diagnose::derive(&before, &Request::default()).unwrap();
        let detectors: Vec<&str> = diagnosis.causes.iter().map(|cause| cause.detector.as_str()).collect();
        assert_eq!(detectors, ["service-selects-nothing"]);
        diagnosis.causes[0].runbooks.push(shown());
        let store = Store::open(path("state/kubectl-react/incidents"), redactor);
        let head = Head {
            time: before.taken_at,
            context: before.context.clone(),
            namespace: None,
            targets: Vec::new(),
            selector: None,
            question: None,
            prompt_version: String::new(),
            model: String::new(),
            server: String::new(),
            start: serde_json::Value::Null,
        };
        assert!(store.begin(head).unwrap().finish(&diagnosis, Some(&before)).id.is_some());
        let mut config = "[user]\n\tname = Ada\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n".to_owned();
        let _ = write!(config, "[url \"{}\"]\n\tinsteadOf = {}\n", path("team.git").display(), rules.remote);
        fs::write(path("gitconfig"), config).unwrap();
        let team = Team { home, source: rules.remote.to_owned(), env: Vec::new(), said: String::new() };
        team.git(&["init", "-q", "--bare", "team.git"]);
        team.git(&["clone", "-q", "team.git", "clone"]);
        fs::create_dir_all(team.path("clone/runbooks")).unwrap();
        fs::write(team.path("clone/README.md"), "# Ours\n").unwrap();
        team.git(&["-C", "clone", "add", "-A"]);
        team.git(&["-C", "clone", "commit", "-q", "-m", "start"]);
        team.git(&["-C", "clone", "push", "-q", "origin", "HEAD:main"]);
        team
    }

    pub(super) fn on(server: &ForgeServer, rules: &'static Rules) -> Team {
        let mut team = Team::new(rules);
        team.env = vec![("KUBECTL_REACT_FORGE_URL", server.api())];
        for name in ["GH_TOKEN", "GITLAB_TOKEN", "GITEA_TOKEN", "AZURE_DEVOPS_EXT_PAT"] {
            team.env.push((name, TOKEN.to_owned()));
        }
        team
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(super) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        let home = self.home.path();
        command.current_dir(home).env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", home);
        command
            .env("GIT_CONFIG_GLOBAL", home.join("gitconfig"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0");
        command
    }

    #[track_caller]
    pub(super) fn git(&self, args: &[&str]) -> String {
        let output = self.command("git").args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Has a file in the team's repository, merged.
    pub(super) fn has(&self, path: &str, text: &str) {
        let file = self.path("clone").join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
        self.git(&["-C", "clone", "add", "-A"]);
        self.git(&["-C", "clone", "commit", "-q", "-m", "Add"]);
        self.git(&["-C", "clone", "push", "-q", "origin", "HEAD:main"]);
    }

    /// Runs `record` on the snapshot of when it was over.
    pub(super) fn record(&mut self, args: &[&str]) -> (bool, String) {
        self.record_from("after.json.gz", args)
    }

    pub(super) fn record_from(&mut self, snapshot: &str, args: &[&str]) -> (bool, String) {
        let mut command = self.command(env!("CARGO_BIN_EXE_kubectl-react"));
        command.env("XDG_STATE_HOME", self.path("state")).env("XDG_CACHE_HOME", self.path("cache"));
        command.env("KUBECTL_REACT_RUNBOOKS", &self.source).env("KUBECTL_REACT_EMBEDDER", "none");
        command.env("NO_PROXY", "127.0.0.1").envs(self.env.iter().map(|(name, value)| (name, value)));
        let output = command.args(["record", "--from", snapshot]).args(args).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        self.said += &said;
        (output.status.success(), said)
    }

    #[track_caller]
    pub(super) fn recorded(&mut self, args: &[&str]) -> String {
        let (success, said) = self.record(args);
        assert!(success, "{said}");
        said
    }

    /// Branches of the team's repository, with how many commits each adds to `main`.
    pub(super) fn branches(&self) -> Vec<(String, String)> {
        let all = self.git(&["-C", "team.git", "for-each-ref", "--format=%(refname:short)", "refs/heads/react"]);
        let count = |branch: &str| self.git(&["-C", "team.git", "rev-list", "--count", &format!("main..{branch}")]);
        all.lines().map(|branch| (branch.to_owned(), count(branch))).collect()
    }

    /// That one branch has one commit.
    #[track_caller]
    pub(super) fn is_once(&self) -> String {
        let branches = self.branches();
        assert_eq!(branches.iter().map(|(_, count)| count.as_str()).collect::<Vec<_>>(), ["1"], "{branches:?}");
        branches[0].0.clone()
    }

    /// That no secret is in anything that left.
    #[track_caller]
    pub(super) fn is_clean(&self) {
        let log = self.git(&["-C", "team.git", "log", "--all", "-p", "--format=%H %D %an %ae%n%B"]);
        let refs = self.git(&["-C", "team.git", "for-each-ref"]);
        for (place, text) in [("history", &log), ("branches", &refs), ("output", &self.said)] {
            for secret in [CANARY, TOKEN] {
                assert!(!text.contains(secret), "{secret} in {place}:\n{text}");
            }
        }
    }
}
