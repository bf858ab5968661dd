//! `record` as a user meets it: an incident in the state directory, a snapshot of when it was over, a team's repository
//! behind the address of a forge, and that forge.
//!
//! Git takes the forge's address for a repository on this machine (`insteadOf`), so that all else is as it is.
//! *Invariant:* whatever goes wrong half-way, the same command again ends in one commit, one branch and one pull request.

mod known;
mod shapes;
mod team;
mod words;
mod written;

use std::fs;
use std::path::Path;

use crate::agent::model_server::Reply;
use crate::forge::servers::{ALL, ForgeServer, GITHUB};
use team::{CANARY, Team};

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
