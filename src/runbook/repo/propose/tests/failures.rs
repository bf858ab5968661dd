//! Sources that can't be proposed to, servers that say no, clones that break.

use super::*;
use crate::runbook::repo::RepoError;

#[test]
fn what_can_not_be_proposed_to_says_so() {
    let team = Team::new();
    team.git("", &["init", "-q", "--bare", "empty.git"]);
    let url = team.path("remote.git").display().to_string();
    team.git("", &["clone", "-q", &url, "detached"]);
    team.git("detached", &["checkout", "-q", "--detach"]);
    std::fs::create_dir_all(team.path("plain")).unwrap();
    let table = [
        ("empty.git", "has no commit yet", "push a first commit"),
        ("detached", "is on no branch", "`runbooks.branch`"),
        ("plain", "is no git repository", "`--patch` prints it"),
        ("none", "neither a folder nor a git repository", "name a folder"),
    ];
    for (source, words, hint) in table {
        let error = propose(&team.wanted_at(source), &new_one(), NOW).unwrap_err();
        assert!(error.to_string().contains(words), "{source}: {error}");
        assert!(error.hint().unwrap().contains(hint), "{source}: {:?}", error.hint());
    }
    // With a branch named, a detached HEAD is no matter.
    let wanted = Wanted { branch: Some("main".to_owned()), ..team.wanted_at("detached") };
    let proposed = propose(&wanted, &new_one(), NOW).unwrap();
    assert_eq!((proposed.base.as_str(), proposed.pushed), ("main", Pushed::Yes));
    assert_eq!(team.git("detached", &["status", "--porcelain", "--branch"]), "## HEAD (no branch)");
}

#[test]
fn only_a_branch_of_its_own_is_written() {
    let team = Team::new();
    for branch in ["main", "HEAD", "", "-x", "a..b", "a b", "a//b", "x.lock", "/x", "a@{b"] {
        let error = team.fails(&Wish { branch: branch.to_owned(), ..new_one() });
        assert!(matches!(error, ProposeError::Branch { .. }), "{branch}: {error}");
    }
    assert_eq!(team.git("remote.git", &["for-each-ref", "--format=%(refname)"]), "refs/heads/main");
}

#[test]
fn a_server_that_refuses_leaves_the_commit_here() {
    let team = Team::new();
    team.hook("remote.git/hooks", "pre-receive", "echo 'GitLab: \u{1b}[1mYou may not push here' >&2; exit 1");
    let proposed = team.propose(&new_one());
    let Pushed::Failed { reason, hint } = &proposed.pushed else { panic!("{:?}", proposed.pushed) };
    assert_eq!(reason, "You may not push here");
    assert!(hint.starts_with("a rule of the server refuses it"), "{hint}");
    assert_eq!(proposed.server, ["GitLab: You may not push here"]);
    std::fs::remove_file(team.path("remote.git/hooks/pre-receive")).unwrap();
    // What the hint says does it.
    let command = hint.split('`').nth(1).unwrap();
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    team.git("", &words);
    assert_eq!(team.git("remote.git", &["rev-parse", BRANCH]), proposed.commit);
    assert_eq!(team.propose(&new_one()).pushed, Pushed::UpToDate);
}

#[test]
fn a_branch_that_is_checked_out_there_is_not_written_over() {
    let team = Team::new();
    team.git("other", &["checkout", "-q", "-b", BRANCH]);
    team.write("runbooks/a/three.md", "# Three\n");
    team.git("other", &["add", "-A"]);
    team.git("other", &["commit", "-qm", "theirs"]);
    let wanted = Wanted { branch: Some("main".to_owned()), ..team.wanted_at("other") };
    let proposed = propose(&wanted, &new_one(), NOW).unwrap();
    let Pushed::Failed { hint, .. } = &proposed.pushed else { panic!("{:?}", proposed.pushed) };
    assert!(hint.starts_with("the branch is checked out there"), "{hint}");
    assert_eq!(team.git("other", &["status", "--porcelain"]), "");
}

#[test]
fn options_reach_servers_that_take_them() {
    for takes in [true, false] {
        let team = Team::new();
        team.git("remote.git", &["config", "receive.advertisePushOptions", &takes.to_string()]);
        team.hook("remote.git/hooks", "post-receive", "echo \"View it: $GIT_PUSH_OPTION_COUNT $GIT_PUSH_OPTION_1\"");
        let options = ["merge_request.create", "merge_request.title=Runbook; for $(OOM)"].map(str::to_owned).to_vec();
        let proposed = team.propose(&Wish { push_options: options, ..new_one() });
        assert_eq!(proposed.pushed, Pushed::Yes);
        let (said, notes) =
            if takes { ("View it: 2 merge_request.title=Runbook; for $(OOM)", 0) } else { ("View it: 0", 1) };
        assert_eq!(proposed.server, [said]);
        assert_eq!(proposed.notes.len(), notes, "{:?}", proposed.notes);
    }
}

#[test]
fn a_server_that_hangs_is_given_up() {
    let team = Team::new();
    team.propose(&Wish { push: false, ..new_one() });
    team.hook("remote.git/hooks", "pre-receive", "sleep 60 </dev/null >/dev/null 2>&1");
    let sync = Sync { limit: Some(Duration::from_secs(2)), ..NOW };
    let proposed = propose(&team.wanted(), &new_one(), sync).unwrap();
    let Pushed::Failed { reason, .. } = &proposed.pushed else { panic!("{:?}", proposed.pushed) };
    assert_eq!(reason, "git did not answer within 2 s");
}

/// Takes away the objects that `revisions` names, and lets the rest be.
fn break_objects(clone: &Path, revisions: &[&str]) {
    let git = Git::new(clone.to_owned(), NOW);
    let mut args = vec!["rev-list", "--objects", "--no-object-names"];
    args.extend(revisions);
    let objects = git.text(&args).unwrap();
    // Whatever is packed is laid out one by one.
    let packs = clone.join("objects/pack");
    let aside = clone.join("aside");
    std::fs::rename(&packs, &aside).unwrap();
    std::fs::create_dir_all(&packs).unwrap();
    for pack in std::fs::read_dir(&aside).unwrap().map(|entry| entry.unwrap().path()) {
        if pack.extension().is_some_and(|extension| extension == "pack") {
            git.fed(&["unpack-objects", "-q"], Some(std::fs::read(pack).unwrap())).unwrap();
        }
    }
    for object in objects.lines() {
        let (folder, file) = object.split_at(2);
        std::fs::remove_file(clone.join("objects").join(folder).join(file)).unwrap();
    }
}

#[test]
fn a_damaged_clone_gives_its_branches_on() {
    // What breaks, and whether the commit that was not pushed lives on in the new clone.
    for (part, lives) in [("main", true), ("HEAD", true), ("config", false), ("branch", false)] {
        let team = Team::new();
        let first = team.propose(&Wish { push: false, ..new_one() });
        match part {
            "main" => break_objects(&first.clone, &["refs/react/head"]),
            "branch" => break_objects(&first.clone, &[BRANCH, "--not", "refs/react/head"]),
            file => std::fs::write(first.clone.join(file), "[broken").unwrap(),
        }
        if part == "HEAD" {
            std::fs::remove_file(first.clone.join("HEAD")).unwrap();
        }
        let told = if part == "branch" {
            // Who only reads what is merged does not notice.
            assert!(crate::runbook::repo::open(&team.wanted(), NOW).unwrap().notes.is_empty());
            // Another commit: the same one would bring back what is lost.
            let message = Message { subject: "Another commit".to_owned(), ..new_one().message };
            team.propose(&Wish { push: false, message, ..new_one() }).notes
        } else {
            let found = crate::runbook::repo::open(&team.wanted(), NOW).unwrap();
            assert_eq!(found.entries.len(), 1, "{part}");
            found.notes
        };
        assert_eq!(told.iter().any(|note| note.contains("not pushed")), !lives, "{part}: {told:?}");
        assert_eq!(team.leftovers().len(), usize::from(!lives), "{part}: {:?}", team.leftovers());
        let pushed = team.propose(&new_one());
        assert_eq!(pushed.pushed, Pushed::Yes, "{part}");
        if lives {
            assert_eq!((pushed.unchanged, pushed.commit), (true, first.commit), "{part}");
        } else {
            assert!(team.leftovers()[0].ends_with(".kept-0"));
        }
    }
}

#[test]
fn a_damaged_clone_stays_while_there_is_no_other() {
    let team = Team::new();
    let url = format!("file://{}", team.path("remote.git").display());
    let wanted = Wanted { source: url, ..team.wanted() };
    let first = propose(&wanted, &Wish { push: false, ..new_one() }, NOW).unwrap();
    break_objects(&first.clone, &["refs/react/head"]);
    offline(&team);
    assert!(matches!(crate::runbook::repo::open(&wanted, NOW), Err(RepoError::Git(_))));
    assert_eq!(Git::new(first.clone, NOW).text(&["rev-parse", BRANCH]).unwrap(), first.commit);
    online(&team);
    assert_eq!(propose(&wanted, &new_one(), NOW).unwrap().commit, first.commit);
}
