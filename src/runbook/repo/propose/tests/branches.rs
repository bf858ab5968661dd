//! The same branch again: pushed, reviewed, merged, deleted, behind.

use super::*;

#[test]
fn the_first_proposal_is_one_commit_on_a_branch_of_the_remote() {
    let team = Team::new();
    let main = team.git("remote.git", &["rev-parse", "main"]);
    let proposed = team.propose(&new_one());
    assert_eq!((proposed.base.as_str(), proposed.base_commit.as_str()), ("main", main.as_str()));
    assert_eq!((proposed.pushed, proposed.unchanged), (Pushed::Yes, false));
    assert_eq!(proposed.notes, [""; 0]);
    assert_eq!(team.git("remote.git", &["rev-parse", BRANCH]), proposed.commit);
    assert_eq!(team.git("remote.git", &["rev-parse", "main"]), main);
    assert_eq!(team.shown(BRANCH, "runbooks/a/two.md"), "# Two");
    let changed = team.git("remote.git", &["diff", "--raw", "--no-renames", "--name-status", "main", BRANCH]);
    assert_eq!(changed, "A\trunbooks/a/two.md");
    assert_eq!(team.leftovers(), [""; 0]);

    let again = team.propose(&new_one());
    assert_eq!((again.pushed, again.unchanged, again.commit), (Pushed::UpToDate, true, proposed.commit));
}

#[test]
fn it_can_stay_here_and_be_pushed_later() {
    let team = Team::new();
    let here = team.propose(&Wish { push: false, ..new_one() });
    assert_eq!((here.pushed, team.remote_has(BRANCH)), (Pushed::No, false));
    let state = branch_state(&team.wanted(), BRANCH, NOW).unwrap().unwrap();
    assert_eq!((state.remote, state.unpushed, &state.commit), (false, 1, &here.commit));
    // Whatever reads the library meanwhile lets it be.
    crate::runbook::repo::open(&team.wanted(), NOW).unwrap();
    let pushed = team.propose(&new_one());
    assert_eq!((pushed.pushed, pushed.unchanged, pushed.commit), (Pushed::Yes, true, here.commit));
}

#[test]
fn what_reviewers_pushed_stays_and_ours_goes_on_top() {
    let team = Team::new();
    team.propose(&new_one());
    team.others_on(BRANCH);
    team.write("runbooks/a/two.md", "# Two\n\nReviewed.\n");
    let theirs = team.others_push(BRANCH);
    let state = branch_state(&team.wanted(), BRANCH, NOW).unwrap().unwrap();
    assert_eq!((state.commit.as_str(), state.remote, state.unpushed), (theirs.as_str(), true, 0));
    let [file] = state.files.as_slice() else { panic!("{:?}", state.files) };
    assert_eq!(file.content.as_deref(), Some("# Two\n\nReviewed.\n"));

    let mut edit = edit("runbooks/a/two.md", "# Two\n\nReviewed.\n\nMore.\n");
    edit.base_blob = Some(file.blob.clone());
    let proposed = team.propose(&called(wish(&[edit]), "More"));
    assert_eq!(proposed.pushed, Pushed::Yes);
    assert_eq!(team.subjects(BRANCH), ["More", "theirs", "Runbook for OOM"]);
}

#[test]
fn what_reviewers_changed_is_not_overwritten_by_an_edit_of_something_older() {
    let team = Team::new();
    let base = team.blob("main", "runbooks/a/one.md");
    let ours = |content: &str| Edit { base_blob: Some(base.clone()), ..edit("runbooks/a/one.md", content) };
    team.propose(&wish(&[ours("# One\n\nOurs.\n")]));
    team.others_on(BRANCH);
    team.write("runbooks/a/one.md", "# One\n\nTheirs.\n");
    let theirs = team.others_push(BRANCH);
    let error = team.fails(&wish(&[ours("# One\n\nOurs again.\n")]));
    assert!(matches!(&error, ProposeError::Moved { path, .. } if path == "runbooks/a/one.md"), "{error}");
    assert_eq!(team.git("remote.git", &["rev-parse", BRANCH]), theirs);
    // The same text is no conflict.
    assert!(team.propose(&wish(&[ours("# One\n\nTheirs.\n")])).unchanged);
}

#[test]
fn a_branch_that_was_not_pushed_is_made_anew_where_main_is_now() {
    let team = Team::new();
    let first = team.propose(&Wish { push: false, ..new_one() });
    team.write("README.md", "# Moved\n");
    let main = team.others_push("main");
    let state = branch_state(&team.wanted(), BRANCH, NOW).unwrap().unwrap();
    let blob = Some(state.files[0].blob.clone());
    let edit = Edit { base_blob: blob, ..edit("runbooks/a/two.md", "# Two, better\n") };
    let proposed = team.propose(&wish(&[edit]));
    assert_eq!((proposed.base_commit.as_str(), proposed.pushed), (main.as_str(), Pushed::Yes));
    assert_eq!(team.subjects(BRANCH), ["Runbook for OOM"]);
    assert_eq!(team.shown(BRANCH, "README.md"), "# Moved");
    // The older commit is still to be had.
    let kept = Git::new(proposed.clone, NOW).text(&["for-each-ref", "--format=%(objectname)", "refs/react/kept"]);
    assert_eq!(kept.unwrap(), first.commit);
}

#[test]
fn what_was_not_pushed_is_repeated_or_reported() {
    for (path, fits) in [("README.md", true), ("runbooks/a/one.md", false)] {
        let team = Team::new();
        let first = called(wish(&[edit("runbooks/a/one.md", "# One, ours\n")]), "First");
        let first = team.propose(&Wish { push: false, ..first });
        team.write(path, "# Theirs\n");
        team.others_push("main");
        match propose(&team.wanted(), &called(new_one(), "Second"), NOW) {
            Ok(_) => {
                assert!(fits);
                assert_eq!(team.subjects(BRANCH), ["Second", "First"]);
                assert_eq!(team.shown(BRANCH, path), "# Theirs");
                assert_eq!(team.shown(BRANCH, "runbooks/a/one.md"), "# One, ours");
            }
            Err(error) => {
                assert!(!fits, "{error}");
                assert!(matches!(&error, ProposeError::Diverged { path: theirs, .. } if theirs == path), "{error}");
                let state = branch_state(&team.wanted(), BRANCH, NOW).unwrap().unwrap();
                assert_eq!(state.unpushed, 1);
                let git = team.propose(&Wish { branch: "react/else".to_owned(), ..new_one() }).clone;
                let local = Git::new(git, NOW).text(&["rev-parse", BRANCH]).unwrap();
                assert_eq!(local, first.commit);
            }
        }
    }
}

#[test]
fn after_a_merge_it_begins_anew_from_main() {
    // How it was merged, and whether the branch was deleted there.
    for (squash, deleted) in [(false, false), (false, true), (true, true)] {
        let team = Team::new();
        team.propose(&new_one());
        team.others_on("main");
        team.git("other", &["fetch", "-q", "../remote.git", BRANCH]);
        if squash {
            team.git("other", &["merge", "-q", "--squash", "FETCH_HEAD"]);
        } else {
            team.git("other", &["merge", "-q", "--no-ff", "-m", "merge", "FETCH_HEAD"]);
        }
        let main = team.others_push("main");
        if deleted {
            team.git("remote.git", &["update-ref", "-d", &format!("refs/heads/{BRANCH}")]);
        }
        assert_eq!(branch_state(&team.wanted(), BRANCH, NOW).unwrap(), None, "{squash} {deleted}");
        let nothing = team.propose(&new_one());
        assert_eq!((nothing.pushed, nothing.unchanged, nothing.commit), (Pushed::No, true, main.clone()));
        let edit = edit("runbooks/a/two.md", "# Two, a second time\n");
        let second = team.propose(&called(wish(&[edit]), "Second"));
        assert_eq!((second.pushed, second.base_commit), (Pushed::Yes, main));
        assert_eq!(team.subjects(BRANCH), ["Second"]);
    }
}

#[test]
fn someone_may_push_while_we_do() {
    // Before ours is on its way, and when it has begun.
    for hook in ["pre-commit", "pre-push"] {
        let team = Team::new();
        team.propose(&new_one());
        team.others_on(BRANCH);
        team.write("runbooks/a/three.md", "# Three\n");
        team.git("other", &["add", "-A"]);
        team.git("other", &["commit", "-qm", "theirs"]);
        let other = team.path("other").display().to_string();
        let theirs = format!("git -c core.hooksPath=/nowhere push -q ../remote.git HEAD:{BRANCH}");
        let apart = "unset GIT_DIR GIT_INDEX_FILE GIT_WORK_TREE GIT_PREFIX";
        team.hook("hooks", hook, &format!("{apart}; cd '{other}' || exit 1; [ -e pushed ] || {theirs}; : >pushed"));
        team.more_config(&format!("[core]\n\thooksPath = {}\n", team.path("hooks").display()));
        let second = team.propose(&called(wish(&[edit("runbooks/a/two.md", "# Two, more\n")]), "Second"));
        assert_eq!((second.pushed, second.unchanged), (Pushed::Yes, false), "{hook}");
        assert_eq!(team.subjects(BRANCH), ["Second", "theirs", "Runbook for OOM"], "{hook}");
    }
}

#[test]
fn two_runs_at_once_make_one_commit() {
    let team = Team::new();
    let done: Vec<Proposed> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    staged::environment(&team.environment);
                    team.propose(&new_one())
                })
            })
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert_eq!(done.iter().filter(|proposed| proposed.pushed == Pushed::Yes).count(), 1);
    assert_eq!(done.iter().filter(|proposed| proposed.unchanged).count(), 2);
    assert_eq!(team.subjects(BRANCH), ["Runbook for OOM"]);
}

#[test]
fn without_a_network_the_commit_is_made_and_waits() {
    let team = Team::new();
    crate::runbook::repo::open(&team.wanted(), NOW).unwrap();
    offline(&team);
    // The path is gone, so the clone is found by its URL as a network would have it.
    let wanted = Wanted { source: format!("file://{}", team.path("remote.git").display()), ..team.wanted() };
    assert!(propose(&wanted, &new_one(), NOW).is_err(), "there is no clone of it yet");
    online(&team);
    crate::runbook::repo::open(&wanted, NOW).unwrap();
    offline(&team);
    let here = propose(&wanted, &new_one(), NOW).unwrap();
    let Pushed::Failed { hint, .. } = &here.pushed else { panic!("{:?}", here.pushed) };
    assert!(hint.contains("git -C "), "{hint}");
    assert!(here.notes.iter().any(|note| note.contains("may be old")), "{:?}", here.notes);
    online(&team);
    let pushed = propose(&wanted, &new_one(), NOW).unwrap();
    assert_eq!((pushed.pushed, pushed.unchanged, pushed.commit), (Pushed::Yes, true, here.commit));
}
