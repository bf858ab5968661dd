//! What a damaged clone has that no one else has: branches that were never pushed.
//!
//! *Invariant:* a clone is deleted only when each branch that was made here is in the new one, whole, or is known to be
//! at the remote. Else it stays, under another name, and a note says where. Killed anywhere, the next run goes on.

use std::fs;
use std::path::{Path, PathBuf};

use super::RepoError;
use super::git::{Git, GitError};

/// What was made here.
const LOCAL: &str = "refs/heads/";
/// What the remote is known to have of it.
pub(super) const REMOTE: &str = "refs/react/remote/";
/// What was made here and had to give way to something newer.
pub(super) const KEPT: &str = "refs/react/kept/";

/// Makes a clone anew where a damaged one is. Where that can't be done, the damaged one is all there is, and stays.
pub(super) fn renew<T>(dir: &Path, anew: impl FnOnce() -> Result<T, RepoError>) -> Result<T, RepoError> {
    let old = free(dir, "damaged");
    rename(dir, &old)?;
    let made = anew();
    if made.is_err() {
        // Made of nothing but a fetch that failed.
        let _ = fs::remove_dir_all(dir);
        rename(&old, dir)?;
    }
    made
}

/// Takes over what damaged clones have alone, and deletes those that have nothing. What it says is for people.
pub(super) fn settle(git: &Git) -> Vec<String> {
    damaged(&git.dir).iter().filter_map(|old| settle_one(git, old)).collect()
}

fn settle_one(git: &Git, old: &Path) -> Option<String> {
    let lost = match refs(git, old) {
        Ok(refs) => take_over(git, old, &refs),
        Err(_) if seems_empty(old) => Vec::new(),
        Err(_) => vec!["(git can't read which)".to_owned()],
    };
    if lost.is_empty() {
        // What can't be deleted now is looked at again by the next run.
        let _ = fs::remove_dir_all(old);
        return None;
    }
    let kept = free(&git.dir, "kept");
    let kept = if fs::rename(old, &kept).is_ok() { kept } else { old.to_owned() };
    Some(format!(
        "the private clone was damaged and is made anew; the old one stays at `{}`, since it has branches that were not \
         pushed: {}",
        kept.display(),
        lost.join(", ")
    ))
}

/// The refs of a damaged clone that say what was made here, with their commits.
fn refs(git: &Git, old: &Path) -> Result<Vec<(String, String)>, GitError> {
    // Without these git takes a folder for no repository at all, whatever else is left in it.
    if !old.join("HEAD").exists() {
        let _ = fs::write(old.join("HEAD"), "ref: refs/heads/main\n");
    }
    for folder in ["objects", "refs"] {
        let _ = fs::create_dir_all(old.join(folder));
    }
    let old = Git { dir: old.to_owned(), ..git.clone() };
    let text = old.text(&["for-each-ref", "--format=%(refname) %(objectname)", LOCAL, REMOTE, KEPT])?;
    let pairs = text.lines().filter_map(|line| line.split_once(' '));
    Ok(pairs.map(|(name, commit)| (name.to_owned(), commit.to_owned())).collect())
}

/// Takes over what can be; gives the branches that could not be, and are nowhere else.
fn take_over(git: &Git, old: &Path, refs: &[(String, String)]) -> Vec<String> {
    let both = Git { objects: Some(old.join("objects")), ..git.clone() };
    let mut lost = Vec::new();
    for (name, commit) in refs {
        let branch = name.strip_prefix(LOCAL);
        let pushed = branch.is_some_and(|branch| refs.contains(&(format!("{REMOTE}{branch}"), commit.clone())));
        if !take_one(git, &both, name, commit) && !pushed {
            lost.extend(branch.map(|branch| format!("`{branch}`")));
        }
    }
    lost
}

/// Whether a ref is in the clone now, with all that it needs.
fn take_one(git: &Git, both: &Git, name: &str, commit: &str) -> bool {
    let there = git.text(&["rev-parse", "--verify", "--quiet", name]).ok();
    let name = match (there.as_deref(), name.strip_prefix(LOCAL)) {
        (None, _) => name.to_owned(),
        (Some(there), _) if there == commit => return true,
        // Something newer was made since.
        (Some(_), Some(branch)) => kept(branch, commit),
        (Some(_), None) => return true,
    };
    let whole = || git.run(&["rev-list", "--objects", "--quiet", commit]).is_ok();
    let taken = both.run(&["update-ref", &name, commit]).is_ok()
        && (whole() || both.run(&["repack", "-a", "-d", "-q"]).is_ok() && whole());
    if !taken {
        // It may not be there at all.
        let _ = both.run(&["update-ref", "-d", &name]);
    }
    taken
}

/// What a branch is called here once a newer one has its name.
pub(super) fn kept(branch: &str, commit: &str) -> String {
    format!("{KEPT}{branch}/{}", commit.get(..12).unwrap_or(commit))
}

/// Whether there is no sign of a branch in a clone that git can't read.
fn seems_empty(old: &Path) -> bool {
    let packed = fs::read_to_string(old.join("packed-refs")).unwrap_or_default();
    let loose = fs::read_dir(old.join(LOCAL)).is_ok_and(|mut entries| entries.next().is_some());
    !loose && !packed.contains(LOCAL) && !old.join("reftable").exists()
}

/// The damaged clones beside this one.
fn damaged(dir: &Path) -> Vec<PathBuf> {
    let stem = dir.file_stem().unwrap_or_default().to_string_lossy().into_owned() + ".damaged-";
    let Some(entries) = dir.parent().and_then(|parent| fs::read_dir(parent).ok()) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&stem))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

/// A name beside `dir` that nobody has.
fn free(dir: &Path, word: &str) -> PathBuf {
    let name = |number: usize| dir.with_extension(format!("{word}-{number}"));
    (0..usize::MAX).map(name).find(|path| !path.exists()).unwrap_or_else(|| name(0))
}

fn rename(from: &Path, to: &Path) -> Result<(), RepoError> {
    fs::rename(from, to).map_err(|error| RepoError::Unreadable { path: from.to_owned(), reason: error.to_string() })
}
