//! A proposal as a patch, for where there is no branch to push: what `git format-patch` gives.

use std::fs;
use std::path::Path;

use super::desk::Desk;
use super::{ProposeError, Wish, check};
use crate::runbook::repo::git::{Git, GitError};
use crate::runbook::repo::{RepoError, Sync, Wanted};

/// How patches look, whatever the user's settings say.
const PLAIN: [&str; 8] = [
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--no-renames",
    "--binary",
    "--full-index",
    "--src-prefix=a/",
    "--dst-prefix=b/",
];

/// What is on the desk, as a patch on `start`.
pub(super) fn of_a_desk(desk: &Desk, start: &str, wish: &Wish) -> Result<String, ProposeError> {
    if !desk.changed(start)? {
        return Ok(String::new());
    }
    let tree = desk.git.text(&["write-tree"])?;
    if check::identity(&desk.git).is_err() {
        return diff(&desk.git, start, &tree);
    }
    // Of no ref, and never signed: it is only made to be shown.
    let message = wish.message.text().trim().to_owned() + "\n";
    let commit = desk.git.fed(&["commit-tree", "--no-gpg-sign", "-p", start, &tree], Some(message.into_bytes()))?;
    let commit = String::from_utf8_lossy(&commit).trim().to_owned();
    let mut args = vec!["format-patch", "--stdout", "-1", "--zero-commit", "--no-signature", "--no-attach"];
    args.extend(["--no-thread", "--no-cover-letter", "--no-base", "--no-notes"]);
    args.extend(wish.signoff.then_some("--signoff"));
    args.extend(PLAIN);
    args.push(&commit);
    Ok(String::from_utf8_lossy(&desk.git.run(&args)?).into_owned())
}

fn diff(git: &Git, from: &str, to: &str) -> Result<String, ProposeError> {
    let mut args = vec!["diff"];
    args.extend(PLAIN);
    args.extend([from, to, "--"]);
    Ok(String::from_utf8_lossy(&git.run(&args)?).into_owned())
}

/// The same for a folder that is no repository, made in one that is thrown away.
pub(super) fn of_a_folder(root: &Path, wanted: &Wanted, wish: &Wish, sync: Sync) -> Result<String, ProposeError> {
    let folder = wanted.cache.join("runbooks").join(format!("patch-{}.work", std::process::id()));
    crate::runbook::repo::clone::make_private(&folder)?;
    let git = Git::new(folder.join("git"), sync);
    let made = git.run(&["init", "--quiet", "--bare"]).map_err(ProposeError::from).and_then(|_| {
        let (mut before, mut after) = (String::new(), String::new());
        for edit in &wish.edits {
            if let Some(bytes) = present(root, &edit.path)? {
                before += &entry(&git, &edit.path, bytes)?;
            }
            after += &entry(&git, &edit.path, edit.content.clone().into_bytes())?;
        }
        diff(&git, &tree(&git, before)?, &tree(&git, after)?)
    });
    // It is in a cache folder.
    let _ = fs::remove_dir_all(&folder);
    made
}

/// What a folder has at a path; no link is followed out of it.
fn present(root: &Path, path: &str) -> Result<Option<Vec<u8>>, ProposeError> {
    let file = root.join(path);
    let inside = file.canonicalize().map(|real| real.starts_with(root));
    match inside {
        Err(_) => Ok(None),
        Ok(true) => fs::read(&file)
            .map(Some)
            .map_err(|error| RepoError::Unreadable { path: file, reason: error.to_string() }.into()),
        Ok(false) => Err(ProposeError::Path { path: path.to_owned(), reason: "a link leads out of the folder".into() }),
    }
}

fn entry(git: &Git, path: &str, bytes: Vec<u8>) -> Result<String, GitError> {
    let blob = git.fed(&["hash-object", "-w", "--stdin"], Some(bytes))?;
    Ok(format!("100644 {}\t{path}\0", String::from_utf8_lossy(&blob).trim()))
}

fn tree(git: &Git, entries: String) -> Result<String, GitError> {
    git.run(&["read-tree", "--empty"])?;
    git.fed(&["update-index", "-z", "--index-info"], Some(entries.into_bytes()))?;
    git.text(&["write-tree"])
}
