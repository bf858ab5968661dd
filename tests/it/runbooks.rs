//! Runbooks as a team meets them: a repository, what is merged in it, and what a diagnosis then cites.

use std::path::{Path, PathBuf};
use std::process::Command as Process;

use assert_cmd::Command;
use serde_json::Value;

/// A team's home: the plugin's folders, a bare repository, and a clone of it to work in.
pub(crate) struct Team {
    home: tempfile::TempDir,
}

impl Team {
    pub(crate) fn new() -> Team {
        let team = Team { home: tempfile::tempdir().unwrap() };
        Team::git(team.home.path(), &["init", "-q", "--bare", "-b", "main", "runbooks.git"]);
        Team::git(team.home.path(), &["clone", "-q", "runbooks.git", "work"]);
        team.write("README.md", "# Our runbooks\n");
        team.commit("begin");
        team
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn bare(&self) -> String {
        self.path("runbooks.git").display().to_string()
    }

    /// Git as a person at a keyboard runs it.
    pub(crate) fn git(dir: &Path, args: &[&str]) -> String {
        let output = Process::new("git")
            .current_dir(dir)
            .args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"])
            .args(args)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    pub(crate) fn work(&self, args: &[&str]) -> String {
        Team::git(&self.path("work"), args)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path("work").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Commits all and pushes the branch; gives the commit.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.work(&["add", "-A"]);
        self.work(&["commit", "-qm", message]);
        self.work(&["push", "-q", "origin", "HEAD"]);
        self.work(&["rev-parse", "HEAD"])
    }

    pub(crate) fn react(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-react"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"))
            .env("XDG_STATE_HOME", self.path("state"))
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("KUBECTL_REACT_EMBEDDER", "none");
        command
    }

    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let output = self.react().args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The runbooks of the recorded outage's first cause.
    pub(crate) fn cited(&self) -> Vec<Value> {
        let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/demo/outage.json.gz");
        let answer = self.json(&["diagnose", "--from", demo, "--runbooks", &self.bare(), "-o", "json"]);
        answer["causes"][0]["runbooks"].as_array().unwrap().clone()
    }
}

/// A runbook for the outage's detector.
pub(crate) fn runbook(title: &str) -> String {
    format!(
        "---\nschema: runbook/v1\nname: renamed-key\ntitle: {title}\ndescription: >-\n  Use when a pod asks for a key that its Secret \
         no longer has, after the\n  vault job renamed it.\nstatus: active\nseverity: critical\nrootCause: configuration\nmatch:\n  \
         detectors: [config-key-missing]\nautomation:\n  level: suggest\nparams:\n  NAMESPACE: where it is\n  SECRET: the Secret\n  WORKLOAD: who reads it\n---\n\n\
         # {title}\n\n## Meaning\n\nThe job renamed a key.\n\n## Impact\n\nNothing starts.\n\n## Diagnosis\n\n\
         ```sh {{\"name\":\"keys\",\"react\":\"diagnose\"}}\nkubectl -n $NAMESPACE describe secret $SECRET\n```\n\n## Mitigation\n\n\
         ```sh {{\"name\":\"restart\",\"react\":\"fix\"}}\nkubectl -n $NAMESPACE rollout restart $WORKLOAD\n```\n"
    )
}

/// What is pushed to a branch is not used; what is merged is, with the merge's commit; until it is deleted.
#[test]
fn a_merge_changes_the_answer() {
    let team = Team::new();
    let builtin = team.cited();
    assert_eq!(builtin[0]["library"], "builtin", "{builtin:?}");
    assert_eq!(builtin[0]["path"], "runbooks/configuration/config-key-missing.md");

    team.work(&["switch", "-qc", "proposal"]);
    team.write("runbooks/secrets/renamed-key.md", &runbook("Vault renamed the key"));
    team.commit("propose");
    assert_eq!(team.cited()[0]["library"], "builtin", "a branch is no merge");

    team.work(&["switch", "-q", "main"]);
    team.work(&["merge", "-q", "--no-ff", "-m", "merge", "proposal"]);
    team.work(&["push", "-q", "origin", "main"]);
    let merge = team.work(&["rev-parse", "HEAD"]);
    let cited = team.cited();
    assert_eq!(cited[0]["library"], "team", "{cited:?}");
    assert_eq!(cited[0]["path"], "runbooks/secrets/renamed-key.md");
    assert_eq!(cited[0]["commit"], merge.as_str());
    assert_eq!(cited[0]["title"], "Vault renamed the key");
    assert_eq!(cited[0]["why"], "detector config-key-missing");
    assert!(cited[0]["score"].as_f64().unwrap() > 0.9);
    let lines: Vec<&str> =
        cited[0]["commands"].as_array().unwrap().iter().map(|command| command["line"].as_str().unwrap()).collect();
    assert!(lines[0].ends_with("-n payments describe secret ledger-db"), "{lines:?}");
    assert!(lines[1].ends_with("-n payments rollout restart deployment/ledger"), "{lines:?}");

    team.write("runbooks/secrets/renamed-key.md", &runbook("The vault job renamed the key"));
    let edited = team.commit("edit");
    let cited = team.cited();
    assert_eq!(
        (&cited[0]["title"], &cited[0]["commit"]),
        (&"The vault job renamed the key".into(), &edited.as_str().into())
    );
    // The one of before is still there, at its commit.
    let shown =
        team.json(&["runbooks", "show", &format!("renamed-key@{merge}"), "--runbooks", &team.bare(), "-o", "json"]);
    assert_eq!(shown["front"]["title"], "Vault renamed the key");
    let changed = team.json(&["runbooks", "diff", "--runbooks", &team.bare(), "-o", "json"]);
    assert_eq!(changed[0]["what"], "changed");

    team.work(&["rm", "-q", "runbooks/secrets/renamed-key.md"]);
    team.commit("delete");
    assert_eq!(team.cited()[0]["library"], "builtin");
}

/// A repository that does its worst costs its own files, never the answer.
#[test]
fn hostile_files_are_named_and_the_rest_is_served() {
    let team = Team::new();
    team.write("runbooks/good.md", &runbook("A good one"));
    team.write("runbooks/huge.md", &"x".repeat(2 * 1024 * 1024));
    team.write("runbooks/headings.md", &"# h\n".repeat(10_000));
    let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for (name, before) in ('b'..='i').zip('a'..='h') {
        bomb += &format!("{name}: &{name} [{}]\n", vec![format!("*{before}"); 9].join(","));
    }
    team.write("runbooks/bomb.md", &format!("---\nschema: runbook/v1\n{bomb}---\n# Bomb\n"));
    team.write(
        "runbooks/deep.md",
        &format!("---\nschema: runbook/v1\nx: {}{}\n---\n# Deep\n", "[".repeat(5000), "]".repeat(5000)),
    );
    std::fs::write(team.path("work/runbooks/binary.md"), [0, 159, 146, 150, 0, 1]).unwrap();
    std::fs::write(team.path("work/runbooks/latin.md"), b"# caf\xe9\n").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("/etc/passwd", team.path("work/runbooks/link.md")).unwrap();
    team.write("runbooks/\u{1b}[31mred.md", "# Red\n");
    team.commit("hostile");
    let output = team.react().args(["runbooks", "list", "--team", "--runbooks", &team.bare()]).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{err}");
    assert!(out.contains("renamed-key"), "{out}");
    assert!(!out.contains('\u{1b}') && !err.contains('\u{1b}'));
    for name in ["huge.md", "headings.md", "bomb.md", "deep.md", "binary.md", "latin.md", "link.md"] {
        assert!(cfg!(not(unix)) && name == "link.md" || err.contains(name), "{name} is not told of: {err}");
    }
}

/// With the remote away, the last clone serves, and its age is said.
#[test]
fn the_last_clone_serves_offline() {
    let team = Team::new();
    team.write("runbooks/renamed-key.md", &runbook("Vault renamed the key"));
    let commit = team.commit("add");
    assert_eq!(team.cited()[0]["commit"], commit.as_str());
    std::fs::rename(team.path("runbooks.git"), team.path("away.git")).unwrap();
    std::os::unix::fs::symlink(team.path("nowhere"), team.path("runbooks.git")).unwrap();
    let url = format!("file://{}", team.path("gone.git").display());
    let output = team.react().args(["runbooks", "list", "--runbooks", &url]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "nothing was ever fetched from there");
    std::fs::remove_file(team.path("runbooks.git")).unwrap();
    std::fs::rename(team.path("away.git"), team.path("gone.git")).unwrap();
    assert!(team.react().args(["runbooks", "sync", "--runbooks", &url]).output().unwrap().status.success());
    std::fs::rename(team.path("gone.git"), team.path("away.git")).unwrap();
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/demo/outage.json.gz");
    let output = team.react().args(["diagnose", "--from", demo, "--runbooks", &url]).output().unwrap();
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(out.contains(&format!("renamed-key.md@{}", commit.get(..12).unwrap())), "{out}");
    assert!(out.contains("not up to date") && out.contains("fetched last"), "{out}");
    let output = team.react().args(["runbooks", "sync", "--runbooks", &url]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

/// A search explains itself, and says when nothing fits.
#[test]
fn a_search_explains_itself_and_abstains() {
    let team = Team::new();
    let found =
        team.json(&["runbooks", "search", "-o", "json", "--limit", "3", "container was OOMKilled, exit code 137"]);
    let first = &found["results"][0];
    assert_eq!(first["path"], "runbooks/containers/oom-killed.md", "{found}");
    for field in ["commit", "blob", "title", "heading", "score", "why"] {
        assert!(!first[field].is_null(), "{field} is missing: {first}");
    }
    assert_eq!(found["abstained"], false);
    let none = team.json(&["runbooks", "search", "-o", "json", "recipe for a chocolate cake with cherries"]);
    assert_eq!(none["abstained"], true, "{none}");
    assert!(none["confidence"].as_f64().unwrap() < none["threshold"].as_f64().unwrap());
}

/// What `init` makes lints clean, and serves.
#[test]
fn a_new_repository_lints_clean() {
    let team = Team::new();
    let folder = team.path("new");
    let dir = folder.to_str().unwrap();
    assert!(team.react().args(["runbooks", "init", dir]).output().unwrap().status.success());
    let linted = team.json(&["runbooks", "lint", "--format", "json", "--strict", dir]);
    assert_eq!(linted["counts"]["error"], 0, "{linted}");
    let made = team
        .react()
        .current_dir(&folder)
        .args(["runbooks", "new", "disk-wal", "--detector", "disk-full"])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let again = team.react().current_dir(&folder).args(["runbooks", "new", "disk-wal"]).output().unwrap();
    assert_eq!(again.status.code(), Some(2), "nothing is overwritten");
    std::fs::write(folder.join("runbooks/general/bad.md"), "---\nschema: runbook/v1\nname: other\n---\n# Bad\n")
        .unwrap();
    let output = team.react().args(["runbooks", "lint", "--format", "github", dir]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("::error file="), "{output:?}");
}

/// The library that comes with the plugin keeps to its own rules, and has a runbook for every detector.
#[test]
fn the_built_in_library_lints_clean_and_is_whole() {
    let team = Team::new();
    let library = concat!(env!("CARGO_MANIFEST_DIR"), "/runbooks");
    let linted = team.json(&["runbooks", "lint", "--format", "json", "--max-age-days", "3650", library]);
    assert_eq!(linted["problems"].as_array().unwrap().len(), 0, "{linted}");
    let stats = team.json(&["runbooks", "stats", "-o", "json"]);
    assert_eq!(stats["detectorsWithout"].as_array().unwrap().len(), 0, "{stats}");
}
