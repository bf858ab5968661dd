//! A proposal as a patch.

use super::*;

#[test]
fn a_patch_is_what_a_proposal_would_be() {
    let team = Team::new();
    team.more_config(
        "[diff]\n\tnoprefix = true\n\texternal = false\n[color]\n\tui = always\n[format]\n\tattach = x\n\tsignature = s\n\
         \tpretty = oneline\n\tcoverLetter = true\n\tthread = true\n",
    );
    let message = Message {
        subject: "Runbook for OOM".to_owned(),
        body: "Why.".to_owned(),
        trailers: vec![("Incident".to_owned(), "1".to_owned())],
    };
    let edits = [edit("runbooks/a/two.md", "# Two\n"), edit("runbooks/a/one.md", "# One\n\nFirst, and more.\n")];
    let wish = Wish { message, signoff: true, ..wish(&edits) };
    let patch = patch(&team.wanted(), &wish, NOW).unwrap();
    assert!(!team.remote_has(BRANCH));
    assert_eq!(branch_state(&team.wanted(), BRANCH, NOW).unwrap(), None);
    assert_eq!(team.leftovers(), [""; 0]);
    std::fs::write(team.path("patch"), &patch).unwrap();
    team.git("other", &["am", "-q", "../patch"]);
    let proposed = team.propose(&wish);
    let log = |dir: &str, revision: &str| team.git(dir, &["log", "-1", "--format=%T%n%an <%ae>%n%B", revision]);
    assert_eq!(log("other", "HEAD"), log("remote.git", &proposed.commit));
    // There is nothing more to it.
    assert_eq!(super::patch(&team.wanted(), &wish, NOW).unwrap(), "");
}

#[test]
fn a_patch_needs_nobody_and_no_repository() {
    let team = Team::new();
    std::fs::create_dir_all(team.path("plain/runbooks")).unwrap();
    std::fs::write(team.path("plain/runbooks/one.md"), "# One\n").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("/etc", team.path("plain/linked")).unwrap();
    team.config("[diff]\n\tnoprefix = true\n");
    let edits = [edit("runbooks/two.md", "# Two\n"), edit("runbooks/one.md", "# One, better\n")];
    for source in ["plain", "remote.git"] {
        let text = patch(&team.wanted_at(source), &wish(&edits), NOW).unwrap();
        assert!(text.starts_with("diff --git a/runbooks/one.md b/runbooks/one.md\n"), "{text}");
        std::fs::write(team.path("patch"), &text).unwrap();
        if source == "plain" {
            team.git(source, &["apply", "../patch"]);
            assert_eq!(std::fs::read_to_string(team.path("plain/runbooks/one.md")).unwrap(), "# One, better\n");
            assert_eq!(std::fs::read_to_string(team.path("plain/runbooks/two.md")).unwrap(), "# Two\n");
        }
    }
    let out = patch(&team.wanted_at("plain"), &wish(&[edit("linked/passwd", "x\n")]), NOW);
    assert!(!cfg!(unix) || out.is_err());
    assert_eq!(team.leftovers(), [""; 0]);
}

#[test]
fn a_patch_goes_on_what_the_branch_has() {
    let team = Team::new();
    let first = team.propose(&new_one());
    let more = wish(&[edit("runbooks/a/two.md", "# Two\n\nMore.\n")]);
    let text = patch(&team.wanted(), &more, NOW).unwrap();
    assert!(text.contains("\n+More.\n") && !text.contains("+# Two"), "{text}");
    let base = Some(team.blob("main", "runbooks/a/one.md"));
    let stale = Edit { base_blob: base, ..edit("runbooks/a/two.md", "# Two, other\n") };
    assert!(matches!(patch(&team.wanted(), &wish(&[stale]), NOW), Err(ProposeError::Moved { .. })));
    assert_eq!(team.git("remote.git", &["rev-parse", BRANCH]), first.commit);
}
