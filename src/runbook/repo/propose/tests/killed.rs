//! Kill -9 between any two of git's commands.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).into_iter().flatten().map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() { copy(&from, &to) } else { std::fs::copy(from, to).map(|_| ()).unwrap() }
    }
}

/// Runs into a kill before each command in turn, then lets it run again.
fn killed_everywhere(prepare: impl Fn(&Team), wish: &Wish, check: impl Fn(&Team, &Proposed)) {
    let quiet = std::panic::take_hook();
    // One line for each of them says nothing.
    std::panic::set_hook(Box::new(|_| ()));
    let mut ends = 0;
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let team = Team::new();
        prepare(&team);
        let kept = ["remote.git", "cache"].map(|name| (team.path(name), team.path(&format!("kept-{name}"))));
        for (path, kept) in &kept {
            copy(path, kept);
        }
        for count in 0.. {
            for (path, kept) in &kept {
                let _ = std::fs::remove_dir_all(path);
                copy(kept, path);
            }
            staged::end_before(Some(count));
            let run = catch_unwind(AssertUnwindSafe(|| team.propose(wish)));
            staged::end_before(None);
            let done = team.propose(wish);
            assert!(matches!(done.pushed, Pushed::Yes | Pushed::UpToDate), "{count}: {:?}", done.pushed);
            assert_eq!(team.git("remote.git", &["rev-parse", BRANCH]), done.commit, "{count}");
            assert_eq!(team.leftovers(), [""; 0], "{count}");
            assert!(!done.clone.join("worktrees").exists(), "{count}");
            check(&team, &done);
            ends = count;
            if run.is_ok() {
                break;
            }
        }
    }));
    std::panic::set_hook(quiet);
    outcome.unwrap_or_else(|_| panic!("when it was killed before command {}", ends + 1));
    assert!(ends > 15, "{ends}");
}

#[test]
fn the_first_proposal() {
    killed_everywhere(|_| (), &new_one(), |team, _| assert_eq!(team.subjects(BRANCH), ["Runbook for OOM"]));
}

#[test]
fn one_on_top_of_a_review() {
    let second = called(wish(&[edit("runbooks/a/two.md", "# Two, more\n")]), "Second");
    let prepare = |team: &Team| {
        team.propose(&new_one());
        team.others_on(BRANCH);
        team.write("runbooks/a/three.md", "# Three\n");
        team.others_push(BRANCH);
    };
    killed_everywhere(prepare, &second, |team, _| {
        assert_eq!(team.subjects(BRANCH), ["Second", "theirs", "Runbook for OOM"]);
    });
}

#[test]
fn one_that_is_made_anew_after_main_moved_and_the_branch_went() {
    let prepare = |team: &Team| {
        team.propose(&new_one());
        team.git("remote.git", &["update-ref", "-d", &format!("refs/heads/{BRANCH}")]);
        team.write("README.md", "# Moved\n");
        team.others_push("main");
    };
    let second = called(wish(&[edit("runbooks/a/two.md", "# Two, more\n")]), "Second");
    killed_everywhere(prepare, &second, |team, _| assert_eq!(team.subjects(BRANCH), ["Second"]));
}

#[test]
fn what_a_kill_left_is_cleared_away() {
    let team = Team::new();
    let done = team.propose(&new_one());
    // As `git worktree add` leaves it, killed in the middle.
    let work = done.clone.with_extension("work");
    write_file(&work.join("tree/runbooks/x.md"), "x");
    write_file(&done.clone.join("worktrees/tree/locked"), "initializing");
    write_file(&done.clone.join("worktrees/tree/gitdir"), &format!("{}\n", work.join("tree/.git").display()));
    write_file(&done.clone.join("worktrees/tree/commondir"), "../..\n");
    write_file(&done.clone.join("worktrees/tree/HEAD"), &format!("{}\n", done.commit));
    let again = team.propose(&called(wish(&[edit("runbooks/a/two.md", "# Two, more\n")]), "Second"));
    assert_eq!(again.pushed, Pushed::Yes);
    assert_eq!(team.git("remote.git", &["diff", "--name-only", "main", BRANCH]), "runbooks/a/two.md");
    assert_eq!(team.leftovers(), [""; 0]);
}
