//! Proposals over ssh and https, to git's own server programs.
//!
//! `tests/git/up` starts them, `REACT_TEST_GIT` is their folder, and `./test` sets the person's git configuration to the
//! one in there. Without it the tests say that they are skipped; `./test` counts that, and fails on it in CI. *Invariant:*
//! what is asserted is what the bare repository has, not what is told of it alone.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]
#![expect(clippy::print_stderr, reason = "what is skipped is told")]

#[path = "../support/git_server.rs"]
mod git_server;

use std::fs;
use std::sync::Once;
use std::time::Duration;

use git_server::{GitServer, Repository};
use kubectl_react::runbook::repo::propose::{
    BranchState, Edit, Message, Proposed, Pushed, Wish, branch_state, propose,
};
use kubectl_react::runbook::repo::{self, Sync, Wanted};

const BRANCH: &str = "react/oom";
const SYNC: Sync = Sync { skip: false, limit: Some(Duration::from_mins(1)), interactive: false };

/// The server; none where it doesn't run: then the test says so and ends.
fn server() -> Option<GitServer> {
    static SAID: Once = Once::new();
    let server = GitServer::get();
    match &server {
        None => SAID.call_once(|| eprintln!("skipped: git over ssh and https (REACT_TEST_GIT is not set; run ./test)")),
        Some(server) => assert_eq!(
            std::env::var_os("GIT_CONFIG_GLOBAL"),
            Some(server.file("gitconfig").into()),
            "the one who proposes must be known to the server"
        ),
    }
    server
}

/// One who proposes, with a cache of their own.
struct Person {
    folder: tempfile::TempDir,
}

impl Person {
    fn new() -> Person {
        Person { folder: tempfile::tempdir().unwrap() }
    }

    fn wanted(&self, url: &str) -> Wanted {
        Wanted { source: url.to_owned(), branch: None, path: None, cache: self.folder.path().join("cache") }
    }

    fn propose(&self, url: &str, text: &str) -> Proposed {
        propose(&self.wanted(url), &wish(text), SYNC).unwrap()
    }

    fn state(&self, url: &str) -> Option<BranchState> {
        branch_state(&self.wanted(url), BRANCH, SYNC).unwrap()
    }
}

fn wish(text: &str) -> Wish {
    Wish {
        branch: BRANCH.to_owned(),
        edits: vec![Edit { path: "runbooks/oom.md".to_owned(), content: text.to_owned(), base_blob: None }],
        message: Message {
            subject: "Runbook for OOM".to_owned(),
            body: String::new(),
            trailers: vec![("Incident".to_owned(), "1".to_owned())],
        },
        push: true,
        ..Wish::default()
    }
}

/// From nothing to a merged runbook, by two people.
fn there_and_back(server: &GitServer, repository: &Repository, url: &str) {
    let (ada, bob) = (Person::new(), Person::new());
    let first = ada.propose(url, "# OOM\n");
    assert_eq!((&first.pushed, first.base.as_str()), (&Pushed::Yes, "main"), "{:?}", first.notes);
    assert_eq!(server.git(&repository.path, &["rev-parse", BRANCH]), first.commit);
    assert_eq!(ada.propose(url, "# OOM\n").pushed, Pushed::UpToDate);

    // Another machine goes on from there.
    assert_eq!(bob.state(url).unwrap().files[0].content.as_deref(), Some("# OOM\n"));
    assert_eq!(bob.propose(url, "# OOM\n\nBob.\n").pushed, Pushed::Yes);
    assert_eq!(ada.propose(url, "# OOM\n\nBob and Ada.\n").pushed, Pushed::Yes);
    assert_eq!(server.git(&repository.path, &["rev-list", "--count", &format!("main..{BRANCH}")]), "3");

    // Merged and deleted: it is read where it was not before.
    assert_eq!(repo::open(&ada.wanted(url), SYNC).unwrap().entries.len(), 0);
    server.git(&repository.path, &["update-ref", "refs/heads/main", BRANCH]);
    server.git(&repository.path, &["update-ref", "-d", &format!("refs/heads/{BRANCH}")]);
    assert_eq!(ada.state(url), None);
    let merged = repo::open(&ada.wanted(url), SYNC).unwrap();
    assert_eq!(merged.read(&[&merged.entries[0]]).unwrap(), [b"# OOM\n\nBob and Ada.\n".to_vec()]);
}

#[test]
fn over_ssh() {
    let Some(server) = server() else { return };
    let repository = server.repository("over-ssh");
    there_and_back(&server, &repository, &repository.ssh);
}

#[test]
fn over_https() {
    let Some(server) = server() else { return };
    let repository = server.repository("over-https");
    there_and_back(&server, &repository, &repository.https);
}

/// A file of a repository on the server, executable.
fn put(repository: &Repository, name: &str, text: &str) {
    let path = repository.path.join(name);
    fs::write(&path, text).unwrap();
    let executable: fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&path, executable).unwrap();
}

#[test]
fn servers_that_say_no() {
    let Some(server) = server() else { return };
    let protected = "#!/bin/sh\necho 'error: GH006: Protected branch update failed' >&2\nexit 1\n";
    // What stands in the way, by which transport, the reason and the beginning of the hint.
    let table = [
        ("hooks/pre-receive", protected, false, "GH006: Protected branch update failed", "the branch is protected"),
        ("hooks/pre-receive", protected, true, "GH006: Protected branch update failed", "the branch is protected"),
        ("deny-403", "", true, "The requested URL returned error: 403", "git's own credentials are used"),
        ("deny-401", "", true, "Authentication failed", "git's own credentials are used"),
    ];
    for (number, (file, text, https, reason, hint)) in table.into_iter().enumerate() {
        let repository = server.repository(&format!("no-{number}"));
        let url = if https { &repository.https } else { &repository.ssh };
        let person = Person::new();
        repo::open(&person.wanted(url), SYNC).unwrap();
        put(&repository, file, text);
        let proposed = person.propose(url, "# OOM\n");
        let Pushed::Failed { reason: told, hint: advice } = &proposed.pushed else { panic!("{:?}", proposed.pushed) };
        assert!(told.contains(reason), "{file}: {told}");
        assert!(advice.starts_with(hint), "{file}: {advice}");
        assert!(!format!("{proposed:?}").contains(&server.password()), "{file}");
        fs::remove_file(repository.path.join(file)).unwrap();
        let again = person.propose(url, "# OOM\n");
        assert_eq!((again.pushed, again.unchanged, again.commit), (Pushed::Yes, true, proposed.commit), "{file}");
    }
}

#[test]
fn options_go_through() {
    let Some(server) = server() else { return };
    let repository = server.repository("options");
    server.git(&repository.path, &["config", "receive.advertisePushOptions", "true"]);
    put(&repository, "hooks/post-receive", "#!/bin/sh\necho \"View it: $GIT_PUSH_OPTION_0\"\n");
    for (number, url) in [&repository.ssh, &repository.https].into_iter().enumerate() {
        let options = vec![format!("merge_request.title=Number {number}")];
        let wish = Wish { branch: format!("react/{number}"), push_options: options, ..wish("# OOM\n") };
        let proposed = propose(&Person::new().wanted(url), &wish, SYNC).unwrap();
        assert_eq!(proposed.server, [format!("View it: merge_request.title=Number {number}")], "{url}");
    }
}
