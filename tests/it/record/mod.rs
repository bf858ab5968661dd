//! `record` as a user meets it: an incident in the state directory, a snapshot of when it was over, a team's repository
//! behind the address of a forge, and that forge.
//!
//! Git takes the forge's address for a repository on this machine (`insteadOf`), so that all else is as it is.
//! *Invariant:* whatever goes wrong half-way, the same command again ends in one commit, one branch and one pull request.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kubectl_react::cluster::snapshot_file;
use kubectl_react::diagnose::{self, Request};
use kubectl_react::incidents::{Head, Store};
use kubectl_react::model::Snapshot;
use kubectl_react::redact::Redactor;

use crate::agent::model_server::Reply;
use crate::forge::servers::{ALL, ForgeServer, GITHUB, Rules, TOKEN};
use crate::support::snapshot;

/// What must never leave, wherever it stands.
const CANARY: &str = "pw-canary-8d1f77";

/// A team with its repository, and an incident.
struct Team {
    home: tempfile::TempDir,
    remote: &'static str,
    env: Vec<(&'static str, String)>,
    /// All that was printed.
    said: String,
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

impl Team {
    fn new(rules: &'static Rules) -> Team {
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
        let diagnosis = diagnose::derive(&before, &Request::default()).unwrap();
        let detectors: Vec<&str> = diagnosis.causes.iter().map(|cause| cause.detector.as_str()).collect();
        assert_eq!(detectors, ["service-selects-nothing"]);
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
        let team = Team { home, remote: rules.remote, env: Vec::new(), said: String::new() };
        team.git(&["init", "-q", "--bare", "team.git"]);
        team.git(&["clone", "-q", "team.git", "clone"]);
        fs::create_dir_all(team.path("clone/runbooks")).unwrap();
        fs::write(team.path("clone/README.md"), "# Ours\n").unwrap();
        team.git(&["-C", "clone", "add", "-A"]);
        team.git(&["-C", "clone", "commit", "-q", "-m", "start"]);
        team.git(&["-C", "clone", "push", "-q", "origin", "HEAD:main"]);
        team
    }

    fn on(server: &ForgeServer, rules: &'static Rules) -> Team {
        let mut team = Team::new(rules);
        team.env = vec![("KUBECTL_REACT_FORGE_URL", server.api())];
        for name in ["GH_TOKEN", "GITLAB_TOKEN", "GITEA_TOKEN", "AZURE_DEVOPS_EXT_PAT"] {
            team.env.push((name, TOKEN.to_owned()));
        }
        team
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
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
    fn git(&self, args: &[&str]) -> String {
        let output = self.command("git").args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Runs `record` on the snapshot of when it was over.
    fn record(&mut self, args: &[&str]) -> (bool, String) {
        self.record_from("after.json.gz", args)
    }

    fn record_from(&mut self, snapshot: &str, args: &[&str]) -> (bool, String) {
        let mut command = self.command(env!("CARGO_BIN_EXE_kubectl-react"));
        command.env("XDG_STATE_HOME", self.path("state")).env("XDG_CACHE_HOME", self.path("cache"));
        command.env("KUBECTL_REACT_RUNBOOKS", self.remote).env("KUBECTL_REACT_EMBEDDER", "none");
        command.env("NO_PROXY", "127.0.0.1").envs(self.env.iter().map(|(name, value)| (name, value)));
        let output = command.args(["record", "--from", snapshot]).args(args).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        self.said += &said;
        (output.status.success(), said)
    }

    #[track_caller]
    fn recorded(&mut self, args: &[&str]) -> String {
        let (success, said) = self.record(args);
        assert!(success, "{said}");
        said
    }

    /// Branches of the team's repository, with how many commits each adds to `main`.
    fn branches(&self) -> Vec<(String, String)> {
        let all = self.git(&["-C", "team.git", "for-each-ref", "--format=%(refname:short)", "refs/heads/react"]);
        let count = |branch: &str| self.git(&["-C", "team.git", "rev-list", "--count", &format!("main..{branch}")]);
        all.lines().map(|branch| (branch.to_owned(), count(branch))).collect()
    }

    /// That one branch has one commit.
    #[track_caller]
    fn is_once(&self) -> String {
        let branches = self.branches();
        assert_eq!(branches.iter().map(|(_, count)| count.as_str()).collect::<Vec<_>>(), ["1"], "{branches:?}");
        branches[0].0.clone()
    }

    /// That no secret is in anything that left.
    #[track_caller]
    fn is_clean(&self) {
        let log = self.git(&["-C", "team.git", "log", "--all", "-p", "--format=%H %D %an %ae%n%B"]);
        let refs = self.git(&["-C", "team.git", "for-each-ref"]);
        for (place, text) in [("history", &log), ("branches", &refs), ("output", &self.said)] {
            for secret in [CANARY, TOKEN] {
                assert!(!text.contains(secret), "{secret} in {place}:\n{text}");
            }
        }
    }
}

#[test]
fn a_pull_request_is_opened_once_on_each_forge() {
    for rules in ALL {
        let server = ForgeServer::start(rules);
        let mut team = Team::on(&server, rules);
        let said = team.recorded(&["--yes", "--draft"]);
        assert!(said.contains("pull request: "), "{}: {said}", rules.name);
        let branch = team.is_once();
        let pulls = server.pulls();
        assert_eq!(
            (pulls.len(), pulls[0].branch.as_str(), pulls[0].base.as_str(), pulls[0].draft),
            (1, branch.as_str(), "main", true)
        );
        assert!(pulls[0].title.contains("service-selects-nothing"), "{}", pulls[0].title);
        for part in [
            "### What happened",
            "app=wbe → app=web",
            "set selector service $SERVICE $SELECTOR",
            "level `suggest`",
            "nothing against it",
        ] {
            assert!(pulls[0].body.contains(part), "{}: {part} is not in\n{}", rules.name, pulls[0].body);
        }
        let again = team.recorded(&["--yes"]);
        assert!(again.contains("open already"), "{}: {again}", rules.name);
        assert_eq!(server.pulls().len(), 1);
        assert_eq!(server.wrong(), Vec::<String>::new(), "{}", rules.name);
        assert!(
            pulls.iter().chain(&server.pulls()).all(|pull| !pull.body.contains(CANARY) && !pull.title.contains(CANARY))
        );
        team.is_once();
        team.is_clean();
    }
}

#[test]
fn what_a_forge_refuses_is_a_note_and_the_next_run_goes_on() {
    let table = [
        (401, "Bad credentials", "GH_TOKEN"),
        (403, "Resource not accessible by personal access token", "403"),
        (404, "Not Found", "404"),
        (422, "Validation Failed", "Validation Failed"),
        (503, "Unavailable", "503"),
    ];
    for (status, message, told) in table {
        let server = ForgeServer::start(GITHUB);
        let mut team = Team::on(&server, GITHUB);
        for _ in 0..4 {
            server.instead("GET", Reply::json(status, &serde_json::json!({"message": message})));
        }
        let said = team.recorded(&["--yes"]);
        assert!(said.contains("no pull request was opened") && said.contains(told), "{status}: {said}");
        assert!(said.contains("open the pull request here: https://github.com/"), "{status}: {said}");
        team.is_once();
        assert_eq!(server.pulls().len(), 0);
        let fresh = ForgeServer::start(GITHUB);
        team.env[0].1 = fresh.api();
        assert!(team.recorded(&["--yes"]).contains("pull request: "));
        assert_eq!(fresh.pulls().len(), 1);
        team.is_once();
        team.is_clean();
    }
}

#[test]
fn what_stopped_half_way_goes_on_and_doubles_nothing() {
    let server = ForgeServer::start(GITHUB);
    let mut team = Team::on(&server, GITHUB);
    team.env.push(("KUBECTL_REACT_FORGE_KIND", "none".to_owned()));
    // The clone is there, the remote is not.
    team.recorded(&["--yes", "--no-push"]);
    assert_eq!(team.branches(), []);
    fs::rename(team.path("team.git"), team.path("away.git")).unwrap();
    let (_, said) = team.record(&["--yes"]);
    assert!(said.contains("not pushed") || said.contains("error: "), "{said}");
    fs::rename(team.path("away.git"), team.path("team.git")).unwrap();
    // A server that takes nothing.
    let hook = team.path("team.git/hooks/pre-receive");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\necho 'GH006: Protected branch update failed'\nexit 1\n").unwrap();
    executable(&hook);
    let said = team.recorded(&["--yes"]);
    assert!(said.contains("not pushed") && said.contains("to push it: "), "{said}");
    assert_eq!(team.branches(), []);
    fs::remove_file(&hook).unwrap();
    // Pushed, and no request yet.
    let said = team.recorded(&["--yes"]);
    assert!(said.contains("pushed to"), "{said}");
    team.is_once();
    assert_eq!(server.pulls().len(), 0);
    team.env.pop();
    assert!(team.recorded(&["--yes"]).contains("pull request: "));
    let branch = team.is_once();
    assert_eq!(server.pulls().len(), 1);
    // A reviewer changes a word on the branch: that stays.
    team.git(&["-C", "clone", "fetch", "-q"]);
    team.git(&["-C", "clone", "switch", "-q", &branch]);
    let file = team.path("clone/runbooks/network/service-selects-nothing.md");
    let text = fs::read_to_string(&file).unwrap().replace("## Escalation\n", "## Escalation\n\nReviewed by Bo.\n");
    fs::write(&file, text).unwrap();
    team.git(&["-C", "clone", "commit", "-q", "-am", "Reviewed"]);
    team.git(&["-C", "clone", "push", "-q", "origin", "HEAD"]);
    team.recorded(&["--yes"]);
    assert_eq!(team.branches(), [(branch.clone(), "2".to_owned())]);
    assert!(
        team.git(&["-C", "team.git", "show", &format!("{branch}:runbooks/network/service-selects-nothing.md")])
            .contains("Reviewed by Bo.")
    );
    // Merged: there is nothing to add any more.
    team.git(&["-C", "clone", "switch", "-q", "main"]);
    team.git(&["-C", "clone", "merge", "-q", &branch]);
    team.git(&["-C", "clone", "push", "-q", "origin", "HEAD:main"]);
    team.git(&["-C", "team.git", "branch", "-q", "-D", &branch]);
    let said = team.recorded(&["--yes"]);
    assert!(said.contains("there is nothing to add"), "{said}");
    assert_eq!(team.branches(), []);
    team.is_clean();
}

fn executable(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[test]
fn nothing_is_recorded_as_mended_that_is_not() {
    let mut team = Team::new(GITHUB);
    team.env.push(("KUBECTL_REACT_FORGE_KIND", "none".to_owned()));
    let (success, said) = team.record_from("before.json.gz", &["--yes"]);
    assert!(!success && said.contains("is not over: it is still there") && said.contains("--unresolved"), "{said}");
    let (success, said) = team.record_from("before.json.gz", &["--yes", "--unresolved"]);
    assert!(success, "{said}");
    let branch = team.is_once();
    let text = team.git(&["-C", "team.git", "show", &format!("{branch}:runbooks/network/service-selects-nothing.md")]);
    assert!(
        text.contains("status: draft") && text.contains("Not known yet") && !text.contains("\"react\":\"fix\""),
        "{text}"
    );
    // Then it is mended, and the runbook learns how.
    team.recorded(&["--yes"]);
    team.is_clean();
}

#[test]
fn what_a_person_says_of_it_is_taken_and_secrets_in_it_are_not() {
    let mut team = Team::new(GITHUB);
    team.env.push(("KUBECTL_REACT_FORGE_KIND", "none".to_owned()));
    let line = "kubectl -n shop-7 set selector service front app=web";
    let said =
        team.recorded(&["--dry-run", "--fix", line, "--fix", &format!("The chart had password={CANARY} in it.")]);
    assert!(said.contains("set selector service $SERVICE") && said.contains("The chart had password="), "{said}");
    let secret = format!("kubectl -n shop-7 create secret generic front-db --from-literal=password={CANARY}");
    let said = team.recorded(&["--dry-run", "--fix", &secret]);
    assert!(said.contains("create secret generic"), "{said}");
    assert!(!team.said.contains(CANARY), "{}", team.said);
    let table = [
        (&["--yes", "--fix", "kubectl get pods"][..], "reads, so it has mended nothing"),
        (&["--yes", "--fix", "kubectl delete pods --all | sh"], "can't be used"),
        (&["--yes", "--cause", "4"], "has 1 causes"),
        (&["nothing"], "no incident `nothing`"),
        (&[], "must be confirmed"),
    ];
    for (args, expected) in table {
        let (success, said) = team.record(args);
        assert!(!success && said.contains(expected) && said.contains("hint: "), "{args:?}: {said}");
    }
    let patch = team.record(&["--patch", "--fix", line]).1;
    fs::write(team.path("runbook.patch"), patch).unwrap();
    team.git(&["-C", "clone", "am", "-q", "../runbook.patch"]);
    assert!(team.path("clone/runbooks/network/service-selects-nothing.md").is_file());
    assert_eq!(team.branches(), []);
}
