//! Branches and pull requests before they are merged: shown, checked, tried, and never used.

use std::path::Path;

use serde_json::Value;

use crate::agent::told;
use crate::runbooks::{Team, runbook};

const OUTAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/demo/outage.json.gz");

/// A review as JSON, and how it ended.
fn review(team: &Team, args: &[&str]) -> (i32, Value, String) {
    let all = [&["runbooks", "review", "-o", "json"], args].concat();
    let (code, out, err) = told(&team.react().args(all).output().unwrap());
    (code, serde_json::from_str(&out).unwrap_or_default(), err)
}

fn changes(review: &Value) -> Vec<String> {
    let runbooks = review["runbooks"].as_array().unwrap().iter();
    runbooks.map(|one| format!("{} {}", one["what"].as_str().unwrap(), one["path"].as_str().unwrap())).collect()
}

/// A repository with one runbook that is merged, and a branch that changes it, adds one and moves one.
fn team() -> Team {
    let team = Team::new();
    team.write("runbooks/secrets/renamed-key.md", &runbook("Vault renamed the key"));
    team.write(
        "runbooks/old/moved.md",
        &runbook("Moved").replace("renamed-key", "moved").replace("config-key-missing", "disk-full"),
    );
    team.commit("trusted");
    team.work(&["switch", "-qc", "proposal"]);
    let sharper = runbook("Vault renamed the key")
        .replace("level: suggest", "level: suggest\n  risk: high")
        .replace("rollout restart $WORKLOAD", "delete secret $SECRET");
    team.write("runbooks/secrets/renamed-key.md", &sharper);
    let stray = runbook("Pods are killed")
        .replace("renamed-key", "killed")
        .replace("detectors: [config-key-missing]", "detectors: [oom-killed]\n  reasons: [FailedCreate]");
    team.write("runbooks/containers/killed.md", &stray);
    team.work(&["mv", "runbooks/old/moved.md", "runbooks/moved.md"]);
    team.commit("propose");
    team.work(&["switch", "-q", "main"]);
    team
}

/// A branch is shown with what it does, and nothing of it is used.
#[test]
fn a_branch_is_shown_and_not_trusted() {
    let team = team();
    let before = team.cited();
    let (code, shown, err) = review(&team, &["proposal", "--runbooks", &team.bare()]);
    assert_eq!(code, 0, "{err}{shown:#}");
    assert_eq!(
        changes(&shown),
        ["added runbooks/containers/killed.md", "renamed runbooks/moved.md", "changed runbooks/secrets/renamed-key.md"]
    );
    let changed = &shown["runbooks"][2];
    assert!(changed["changes"].to_string().contains("risk: `not said` → `high`"), "{changed:#}");
    let fix = changed["about"]["steps"].as_array().unwrap().iter().find(|step| step["role"] == "fix").unwrap();
    assert_eq!((&fix["class"], &fix["new"]), (&"no-way-back".into(), &true.into()), "{fix:#}");
    assert!(fix["risks"].to_string().contains("deletes what no controller makes again"), "{fix:#}");
    assert_eq!(shown["base"], team.work(&["rev-parse", "main"]));
    assert_eq!(shown["commit"], team.work(&["rev-parse", "proposal"]));
    assert!(shown["runbooks"][0]["fits"].is_null(), "nothing was to be tried");
    // What is not merged is used by nobody.
    assert_eq!(team.cited(), before);
    let list = team.json(&["runbooks", "list", "--team", "--runbooks", &team.bare(), "-o", "json"]);
    assert!(!list.to_string().contains("killed.md"), "{list:#}");
}

/// Pull requests by the names that forges have for them.
#[test]
fn pull_requests_are_found_by_number_and_url() {
    let team = team();
    let commit = team.work(&["rev-parse", "proposal"]);
    let bare = team.path("runbooks.git");
    for (number, reference) in [(7, "refs/pull/7/head"), (8, "refs/merge-requests/8/head"), (9, "refs/pull/9/merge")] {
        Team::git(&bare, &["update-ref", reference, &commit]);
        let url = format!("https://git.example.org/team/runbooks/pull/{number}");
        for name in [number.to_string(), format!("#{number}"), url] {
            let (code, shown, err) = review(&team, &[&name, "--runbooks", &team.bare()]);
            assert_eq!((code, &shown["commit"]), (0, &commit.as_str().into()), "{name}: {err}");
        }
    }
    for name in ["99", "nowhere", "https://git.example.org/team/other/pull/7", "--", "a..b"] {
        let args = ["--runbooks", &team.bare(), "--", name];
        let (code, _, err) = review(&team, &args);
        assert_eq!(code, 2, "{name}");
        assert!(err.contains("error: ") && err.contains("hint: "), "{name}: {err}");
    }
    let (code, _, err) = review(&team, &["--runbooks", "https://git.example.org/team/runbooks.git"]);
    assert!(code == 2 && err.contains("which branch"), "{err}");
}

/// What a person works at, as it lies there; and as a workflow has it.
#[test]
fn a_checkout_is_compared_with_the_branch_that_it_goes_into() {
    let team = team();
    let work = team.path("work");
    let here = |args: &[&str], env: &[(&str, &str)]| {
        let mut command = team.react();
        command.current_dir(&work).envs(env.iter().copied()).args(["runbooks", "review", "-o", "json"]).args(args);
        let (code, out, err) = told(&command.output().unwrap());
        (code, serde_json::from_str::<Value>(&out).unwrap_or_else(|_| panic!("{err}")))
    };
    let (code, shown) = here(&[], &[]);
    assert_eq!((code, changes(&shown)), (0, Vec::new()), "{shown:#}");
    team.write("runbooks/new.md", &runbook("Not committed").replace("renamed-key", "new"));
    assert_eq!(changes(&here(&[], &[]).1), ["added runbooks/new.md"]);
    // Other ends of lines are no change.
    let text = runbook("Vault renamed the key").replace('\n', "\r\n");
    team.write("runbooks/secrets/renamed-key.md", &text);
    assert_eq!(changes(&here(&[], &[]).1), ["added runbooks/new.md"]);
    team.work(&["checkout", "-q", "--", "."]);
    team.work(&["switch", "-q", "proposal"]);
    assert_eq!(changes(&here(&[], &[]).1).len(), 4);
    let (_, shown) = here(&[], &[("GITHUB_BASE_REF", "proposal")]);
    assert_eq!((changes(&shown).len(), &shown["trusted"]), (1, &"origin/proposal".into()), "{shown:#}");
    let (_, shown) = here(&[], &[("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/main")]);
    assert_eq!((changes(&shown).len(), &shown["trusted"]), (4, &"origin/main".into()));
    // A checkout without the trusted branch says so, and shows all.
    let url = format!("file://{}", team.bare());
    Team::git(team.home(), &["clone", "-q", "--depth", "1", "--single-branch", "-b", "proposal", &url, "shallow"]);
    let shallow = team.path("shallow");
    let _ = std::fs::remove_file(shallow.join(".git/refs/remotes/origin/HEAD"));
    let (code, shown, _) = review(&team, &["--runbooks", shallow.to_str().unwrap()]);
    assert_eq!(code, 0, "{shown:#}");
    assert!(shown["notes"].to_string().contains("the trusted branch is not in this checkout"), "{shown:#}");
    assert!(changes(&shown).iter().all(|change| change.starts_with("as it is ")) && changes(&shown).len() == 3);
}

/// Lint's errors fail it: those of the files that differ, and those that the change makes elsewhere.
#[test]
fn errors_fail_it_where_they_are_new() {
    let team = team();
    team.write("runbooks/general/known.md", "---\nschema: runbook/v1\nname: other\n---\n# Known\n");
    team.commit("a fault that is merged");
    team.work(&["switch", "-qc", "good"]);
    team.write("runbooks/good.md", &runbook("A good one").replace("renamed-key", "good"));
    team.commit("good");
    let (code, shown, _) = review(&team, &["good", "--runbooks", &team.bare()]);
    assert_eq!((code, &shown["errors"]), (0, &0.into()), "{shown:#}");
    team.write("runbooks/twice.md", &runbook("Twice"));
    team.commit("a name twice");
    let (code, shown, _) = review(&team, &["good", "--runbooks", &team.bare()]);
    assert_eq!(code, 1, "{shown:#}");
    let (code, out, _) =
        told(&team.react().args(["runbooks", "review", "good", "--runbooks", &team.bare()]).output().unwrap());
    assert!(code == 1 && out.contains("twice.md") && out.contains("error"), "{out}");
}

/// Snapshots say what a runbook would answer, and what it was not written for.
#[test]
fn snapshots_are_tried() {
    let team = team();
    let (code, shown, err) = review(&team, &["proposal", "--runbooks", &team.bare(), "--snapshots", OUTAGE]);
    assert_eq!(code, 0, "{err}");
    assert_eq!((&shown["cases"], &shown["causes"]), (&1.into(), &3.into()), "{shown:#}");
    let killed = &shown["runbooks"][0]["fits"];
    assert_eq!(killed["stray"], killed["matched"], "{killed:#}");
    assert_eq!(killed["fits"][0]["by"], "stray", "{killed:#}");
    let renamed = &shown["runbooks"][2]["fits"]["fits"][0];
    assert_eq!((&renamed["by"], &renamed["rank"]), (&"detector".into(), &1.into()), "{renamed:#}");
    let folder = team.path("outages");
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(OUTAGE, folder.join("a.json.gz")).unwrap();
    std::fs::write(folder.join("b.json"), "{}").unwrap();
    std::fs::write(folder.join("notes.txt"), "no snapshot").unwrap();
    let args = ["proposal", "--runbooks", &team.bare(), "--snapshots", folder.to_str().unwrap()];
    let (code, shown, _) = review(&team, &args);
    assert_eq!((code, &shown["cases"]), (0, &1.into()), "{shown:#}");
    assert!(shown["notes"].to_string().contains("b.json"), "{shown:#}");
    let (code, _, err) = review(&team, &["proposal", "--runbooks", &team.bare(), "--snapshots", "no-such-file"]);
    assert!(code == 2 && err.contains("no-such-file"), "{err}");
}

/// A branch that does its worst is shown whole, in all forms, and does nothing.
#[test]
fn a_hostile_branch_is_only_text() {
    let team = team();
    team.work(&["switch", "-qc", "hostile"]);
    let title = "</details><img src=x onerror=alert(1)> \\e[2J ::error::x ##vso[task.x]y";
    let evil = runbook("Evil").replace("renamed-key", "evil").replace("title: Evil", &format!("title: \"{title}\""));
    let canary = format!("AKIA{}", "QWERTYUIOPASDF12");
    team.write(
        "runbooks/evil.md",
        &evil.replace(
            "Nothing starts.",
            &format!("```\n<script>\n```` ::stop-commands::x\naws_access_key_id = {canary}\n"),
        ),
    );
    team.write("runbooks/a`b|<b>\u{1b}[31m.md", &evil.replace("name: evil", "name: evil-two"));
    team.write("runbooks/huge.md", &"x".repeat(2 * 1024 * 1024));
    team.write("runbooks/deep.md", &format!("---\nschema: runbook/v1\nx: {}\n---\n# Deep\n", "[".repeat(5000)));
    team.write(".git-hooks-are-no-runbooks.md", "# x\n");
    team.write(".gitattributes", "*.md filter=evil diff=evil\n");
    let marker = team.path("ran");
    team.write(".gitconfig", &format!("[diff \"evil\"]\n\ttextconv = touch {}\n", marker.display()));
    #[cfg(unix)]
    std::os::unix::fs::symlink("/etc/passwd", team.path("work/runbooks/link.md")).unwrap();
    team.commit("hostile");
    for form in ["text", "markdown", "json"] {
        let args = ["runbooks", "review", "hostile", "--runbooks", &team.bare(), "-o", form];
        let (code, out, err) = told(&team.react().args(args).output().unwrap());
        assert_eq!(code, 1, "{err}");
        assert!(out.contains("evil.md") && out.contains("deep.md"), "{out}");
        for shown in [&out, &err] {
            assert!(!shown.contains('\u{1b}') && !shown.contains("##vso[") && !shown.contains(&canary), "{shown}");
            assert!(!shown.lines().any(|line| line.trim_start().starts_with("::")), "{shown}");
        }
        assert!(form != "markdown" || !out.contains("<script>\n") && !out.contains(" <img"), "{out}");
        assert!(out.contains("huge.md is larger than 1 MiB"), "{out}");
    }
    assert!(!Path::exists(&marker));
    assert_eq!(team.cited()[0]["title"], "Vault renamed the key");
}
