//! Who commits, what the commit says, hooks and signatures.

use super::*;

/// What git has about the commit of a branch.
fn told(team: &Team, format: &str) -> String {
    team.git("remote.git", &["log", "-1", &format!("--format={format}"), BRANCH])
}

#[test]
fn a_commit_says_what_it_was_told_to_say() {
    let team = Team::new();
    // Settings that open editors, add to messages or cut them.
    team.write("template", "fill me in\n");
    team.more_config(&format!(
        "[commit]\n\ttemplate = {}\n\tverbose = true\n\tcleanup = strip\n[core]\n\teditor = false\n\tcommentChar = R\n\
         [trailer]\n\tifexists = doNothing\n[push]\n\tfollowTags = true\n\tdefault = nothing\n",
        team.path("other/template").display()
    ));
    let message = Message {
        subject: "Runbook for\nOOM \u{1b}[31m".to_owned(),
        body: "What happened:\n\n# a heading stays\nReal: no trailer\n\n".to_owned(),
        trailers: [("Incident", "20260101-1"), ("Detector", "oom\nFake: x"), ("Assisted-by", "model"), ("a b", "x")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .to_vec(),
    };
    team.propose(&Wish { message, signoff: true, ..new_one() });
    let expected = "Runbook for OOM\n\nWhat happened:\n\n# a heading stays\nReal: no trailer\n\nIncident: 20260101-1\n\
                    Detector: oom Fake: x\nAssisted-by: model\nSigned-off-by: Ada <ada@example.org>";
    assert_eq!(told(&team, "%B"), expected);
    assert_eq!(told(&team, "%an <%ae>|%cn <%ce>"), "Ada <ada@example.org>|Ada <ada@example.org>");
    let trailers = told(&team, "%(trailers:keyonly,separator=%x2C)");
    assert_eq!(trailers, "Incident,Detector,Assisted-by,Signed-off-by");
}

#[test]
fn git_must_know_who_commits() {
    let table =
        [("", false), ("[user]\n\tname = Ada\n", false), ("[user]\n\tname = A\n\temail = a@example.org\n", true)];
    for (config, known) in table {
        let team = Team::new();
        team.config(config);
        match propose(&team.wanted(), &new_one(), NOW) {
            Ok(_) => assert!(known, "{config}"),
            Err(error) => {
                assert!(!known && matches!(error, ProposeError::Identity(_)), "{config}: {error}");
                assert!(error.hint().unwrap().contains("git config --global user.name"), "{error}");
                assert!(!team.remote_has(BRANCH));
            }
        }
    }
}

#[test]
fn hooks_of_the_user_run_and_may_refuse() {
    let team = Team::new();
    team.more_config(&format!("[core]\n\thooksPath = {}\n", team.path("hooks").display()));
    team.hook("hooks", "pre-commit", "echo 'no \u{1b}[31mBAD words' >&2; ! grep -q BAD runbooks/a/two.md");
    team.hook("hooks", "commit-msg", "echo 'Checked: yes' >>\"$1\"");
    let error = team.fails(&wish(&[edit("runbooks/a/two.md", "BAD\n")]));
    assert_eq!(error.to_string(), "git made no commit: no BAD words");
    assert!(error.hint().unwrap().contains("core.hooksPath"));
    assert!(!team.remote_has(BRANCH));
    assert_eq!(branch_state(&team.wanted(), BRANCH, NOW).unwrap(), None);
    assert_eq!(team.leftovers(), [""; 0]);

    team.propose(&new_one());
    assert_eq!(told(&team, "%B"), "Runbook for OOM\n\nChecked: yes".replace("\n\nC", "\nC"));

    // One that refuses the push: the commit stays.
    team.hook("hooks", "pre-push", "echo 'not on Fridays' >&2; exit 1");
    let kept = team.propose(&wish(&[edit("runbooks/a/two.md", "# Two, more\n")]));
    let Pushed::Failed { hint, .. } = &kept.pushed else { panic!("{:?}", kept.pushed) };
    assert!(hint.contains("the commit is kept"), "{hint}");
    assert_eq!(Git::new(kept.clone, NOW).text(&["rev-parse", BRANCH]).unwrap(), kept.commit);
}

#[test]
fn a_hook_that_changes_more_is_told_of() {
    let team = Team::new();
    team.more_config(&format!("[core]\n\thooksPath = {}\n", team.path("hooks").display()));
    team.hook("hooks", "pre-commit", "echo x >INDEX.md; git add INDEX.md; git add -A; git commit -qm y --dry-run");
    let proposed = team.propose(&new_one());
    assert_eq!(proposed.notes, ["a hook of yours also changed INDEX.md"]);
    assert_eq!(team.git("remote.git", &["diff", "--name-only", "main", BRANCH]), "INDEX.md\nrunbooks/a/two.md");
}

#[test]
fn nothing_in_the_repository_makes_itself_run() {
    let team = Team::new();
    let ran = team.path("ran");
    let touch = format!("touch '{}'", ran.display());
    for name in ["pre-commit", "commit-msg", "prepare-commit-msg", "post-commit", "post-checkout", "pre-push"] {
        team.hook("other/.githooks", name, &touch);
        team.hook("other/hooks", name, &touch);
    }
    team.write(".gitattributes", "*.md filter=run diff=run merge=run\n");
    team.write(".gitconfig", &format!("[filter \"run\"]\n\tclean = {touch}\n\tsmudge = {touch}\n"));
    team.write(".gitmodules", "[submodule \"x\"]\n\tpath = x\n\turl = ext::touch\n\tupdate = !touch\n");
    team.write(".pre-commit-config.yaml", "repos: []\n");
    team.others_push("main");
    // The user lets repositories bring hooks along; not this one.
    team.more_config("[core]\n\thooksPath = .githooks\n[submodule]\n\trecurse = true\n");
    let error = team.fails(&new_one());
    assert!(matches!(&error, ProposeError::Filtered { filter, .. } if filter == "run"), "{error}");
    team.write(".gitattributes", "");
    team.others_push("main");
    team.propose(&new_one());
    assert!(!ran.exists());
}

#[cfg(unix)]
#[test]
fn commits_are_signed_as_the_user_signs() {
    let team = Team::new();
    let key = team.path("home/key").display().to_string();
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &key]).status();
    assert!(made.is_ok_and(|status| status.success()), "ssh-keygen is part of OpenSSH");
    let public = std::fs::read_to_string(format!("{key}.pub")).unwrap();
    let allowed = team.path("home/allowed");
    std::fs::write(&allowed, format!("ada@example.org {public}")).unwrap();
    team.more_config(&format!(
        "[commit]\n\tgpgsign = true\n[gpg]\n\tformat = ssh\n[gpg \"ssh\"]\n\tallowedSignersFile = {}\n[user]\n\t\
         signingkey = {key}.pub\n",
        allowed.display()
    ));
    team.propose(&new_one());
    assert_eq!(told(&team, "%G? %GS"), "G ada@example.org");

    std::fs::remove_file(&key).unwrap();
    let error = team.fails(&wish(&[edit("runbooks/a/two.md", "# Two, more\n")]));
    assert!(matches!(&error, ProposeError::Commit(_)), "{error}");
    assert!(error.hint().unwrap().contains("git could not sign it"), "{error}: {:?}", error.hint());
    assert_eq!(team.subjects(BRANCH), ["Runbook for OOM"]);
}
