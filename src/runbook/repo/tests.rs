use std::path::Path;
use std::process::Command;

use super::*;

const NOW: Sync = Sync { skip: false, limit: None, interactive: false };

/// Git as a person at a keyboard runs it.
fn git(dir: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(dir)
        .args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"])
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn write(dir: &Path, path: &str, text: &str) {
    let path = dir.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn commit(dir: &Path) -> String {
    git(dir, &["add", "-A"]);
    git(dir, &["commit", "-qm", "change"]);
    git(dir, &["rev-parse", "HEAD"])
}

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        Place { folder: tempfile::tempdir().unwrap() }
    }

    fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    fn repository(&self) -> PathBuf {
        let work = self.work();
        std::fs::create_dir_all(&work).unwrap();
        git(&work, &["init", "-q", "-b", "main"]);
        write(&work, "README.md", "# Runbooks");
        write(&work, "runbooks/a/one.md", "# One");
        write(&work, "docs/other.md", "# Other");
        commit(&work);
        work
    }

    fn wanted(&self, source: &Path) -> Wanted {
        Wanted {
            source: source.display().to_string(),
            branch: None,
            path: None,
            cache: self.folder.path().join("cache"),
        }
    }
}

fn paths(collection: &Collection) -> Vec<&str> {
    collection.entries.iter().map(|entry| entry.path.as_str()).collect()
}

#[test]
fn what_is_merged_is_read_at_its_commit_and_the_checkout_stays_untouched() {
    let place = Place::new();
    let work = place.repository();
    let wanted = place.wanted(&work);
    write(&work, "runbooks/a/not-committed.md", "# No");
    let before = git(&work, &["status", "--porcelain"]);
    let first = open(&wanted, NOW).unwrap();
    assert_eq!(paths(&first), ["runbooks/a/one.md"]);
    assert_eq!(first.commit, git(&work, &["rev-parse", "HEAD"]));
    let entry = &first.entries[0];
    assert_eq!(entry.blob, git(&work, &["rev-parse", "HEAD:runbooks/a/one.md"]));
    assert_eq!(first.read(&[entry]).unwrap(), [b"# One".to_vec()]);
    assert_eq!(blob_id(b"# One"), entry.blob);
    assert_eq!(first.previous(), None);

    // Another branch is not in use, until it is asked for.
    git(&work, &["switch", "-qc", "side"]);
    write(&work, "runbooks/a/two.md", "# Two");
    commit(&work);
    git(&work, &["switch", "-q", "main"]);
    assert_eq!(paths(&open(&wanted, NOW).unwrap()), ["runbooks/a/one.md"]);
    let side = Wanted { branch: Some("side".to_owned()), ..wanted.clone() };
    assert_eq!(open(&side, NOW).unwrap().entries.len(), 3);

    git(&work, &["merge", "-q", "side"]);
    git(&work, &["mv", "runbooks/a/one.md", "runbooks/a/uno.md"]);
    let tip = commit(&work);
    let second = open(&wanted, NOW).unwrap();
    assert_eq!(second.commit, tip);
    assert_eq!(second.previous().unwrap().0, first.commit);
    let edits = second.edits(&first.commit, &second.commit).unwrap();
    let edits: Vec<(&str, &str)> = edits.iter().map(|edit| (edit.what, edit.path.as_str())).collect();
    assert!(edits.contains(&("renamed", "runbooks/a/uno.md")), "{edits:?}");
    assert!(second.patch(&first.commit, &tip).unwrap().contains("+# Two"));
    assert_eq!(paths(&second.at(&wanted, first.commit.get(..10).unwrap()).unwrap()), ["runbooks/a/one.md"]);
    assert!(second.at(&wanted, "--all").is_err());
    assert!(before.contains("not-committed"));
}

#[test]
fn the_last_clone_serves_while_the_remote_is_away() {
    let place = Place::new();
    let work = place.repository();
    let wanted = place.wanted(&work);
    let first = open(&wanted, NOW).unwrap();
    let url = work.canonicalize().unwrap();
    std::fs::rename(work.join(".git"), work.join("gone")).unwrap();
    // As a URL it can still be meant.
    let away = Wanted { source: format!("file://{}", url.display()), ..wanted.clone() };
    let error = open(&away, NOW).unwrap_err();
    assert!(error.hint().is_some(), "{error}");
    std::fs::rename(work.join("gone"), work.join(".git")).unwrap();
    open(&away, NOW).unwrap();
    std::fs::rename(work.join(".git"), work.join("gone")).unwrap();
    let again = open(&away, NOW).unwrap();
    assert_eq!(again.commit, first.commit);
    assert!(again.stale.unwrap().starts_with("git: "));
    assert!(again.synced.is_some());
    assert!(open(&away, Sync { skip: true, ..NOW }).unwrap().stale.is_none());
}

#[test]
fn a_damaged_clone_is_made_again() {
    let place = Place::new();
    let wanted = place.wanted(&place.repository());
    let first = open(&wanted, NOW).unwrap();
    let Reader::Clone(git) = &first.reader else { panic!("no clone") };
    std::fs::remove_dir_all(git.dir.join("objects")).unwrap();
    std::fs::create_dir_all(git.dir.join("objects")).unwrap();
    let again = open(&wanted, Sync { skip: true, ..NOW }).unwrap();
    assert_eq!(again.read(&[&again.entries[0]]).unwrap(), [b"# One".to_vec()]);
}

#[test]
fn a_plain_folder_is_read_as_it_lies_there() {
    let place = Place::new();
    let root = place.work();
    write(&root, "a/one.md", "# One");
    write(&root, "README.md", "# Read me");
    write(&root, ".hidden/x.md", "# No");
    write(&root, "huge.md", &"x".repeat(1024 * 1024 + 1));
    #[cfg(unix)]
    std::os::unix::fs::symlink("/etc/passwd", root.join("link.md")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&root, root.join("loop")).unwrap();
    let found = open(&place.wanted(&root), NOW).unwrap();
    assert_eq!(paths(&found), ["a/one.md"]);
    assert_eq!(found.commit, "");
    assert_eq!(found.entries[0].blob, blob_id(b"# One"));
    assert!(found.notes.iter().any(|note| note.contains("huge.md is larger than 1 MiB")), "{:?}", found.notes);
    assert!(!cfg!(unix) || found.notes.iter().any(|note| note.contains("link.md is a symbolic link")));
}

#[test]
fn hostile_trees_do_no_harm() {
    let place = Place::new();
    let work = place.repository();
    #[cfg(unix)]
    std::os::unix::fs::symlink("../../../etc/passwd", work.join("runbooks/out.md")).unwrap();
    write(&work, "runbooks/a/huge.md", &"x".repeat(1024 * 1024 + 1));
    commit(&work);
    let found = open(&place.wanted(&work), NOW).unwrap();
    assert_eq!(paths(&found), ["runbooks/a/one.md"]);
    assert_eq!(found.notes.len(), if cfg!(unix) { 2 } else { 1 }, "{:?}", found.notes);
}

#[test]
fn sources_that_could_do_harm_are_refused() {
    let place = Place::new();
    let table = [
        ("--upload-pack=touch /tmp/x", "is no path and no URL"),
        ("ext::sh -c id", "remote helpers are not used"),
        ("https://me:secret@example.org/x.git", "holds a password"),
        ("", "is no path and no URL"),
        ("/no/such/folder", "neither a folder nor a git repository"),
    ];
    for (source, words) in table {
        let wanted = Wanted { source: source.to_owned(), ..place.wanted(Path::new("x")) };
        let error = open(&wanted, NOW).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    let work = place.repository();
    for branch in ["-x", "a..b", "a b", "none"] {
        let wanted = Wanted { branch: Some(branch.to_owned()), ..place.wanted(&work) };
        assert!(matches!(open(&wanted, NOW), Err(RepoError::NoBranch(..))), "{branch}");
    }
}

#[test]
fn a_folder_of_a_repository_is_read_at_its_commit() {
    let place = Place::new();
    let work = place.repository();
    let found = open(&place.wanted(&work.join("docs")), NOW).unwrap();
    assert_eq!(paths(&found), ["docs/other.md"]);
    assert_eq!(found.commit.len(), 40);
    write(&work, "untracked/x.md", "# X");
    assert_eq!(open(&place.wanted(&work.join("untracked")), NOW).unwrap().commit, "");
}

#[test]
fn many_runs_at_once_leave_one_good_clone() {
    let place = Place::new();
    let wanted = place.wanted(&place.repository());
    std::thread::scope(|scope| {
        let runs: Vec<_> =
            (0..4).map(|_| scope.spawn(|| open(&wanted, NOW).map(|found| found.entries.len()))).collect();
        for run in runs {
            assert_eq!(run.join().unwrap().unwrap(), 1);
        }
    });
}

#[test]
fn the_built_in_library_is_read_like_any_other() {
    let library = builtin();
    assert!(library.entries.is_sorted());
    for (entry, bytes) in library.entries.iter().zip(library.read(&library.entries.iter().collect::<Vec<_>>()).unwrap())
    {
        assert_eq!(blob_id(&bytes), entry.blob);
    }
}
