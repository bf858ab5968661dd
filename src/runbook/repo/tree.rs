//! What a commit holds: its files, their bytes, and what changed since another one.
//!
//! *Invariant:* paths are data. They are compared and shown, and never opened.

use serde::Serialize;

use super::git::{Git, GitError};
use super::{Entry, is_runbook};

/// What happened to a runbook between two commits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Edit {
    /// `added`, `changed`, `deleted` or `renamed`.
    pub what: &'static str,
    /// Its path; of a deleted one, where it was.
    pub path: String,
    /// Where a renamed one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// The files of a commit, and notes on what is none.
pub(super) fn list(git: &Git, commit: &str) -> Result<(Vec<Entry>, Vec<String>), GitError> {
    let bytes = git.run(&["ls-tree", "-r", "-z", "--long", "--full-tree", commit])?;
    let (mut entries, mut notes) = (Vec::new(), Vec::new());
    for line in bytes.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
        let (words, path) = split_once(line, b'\t').ok_or(GitError::Odd("a line of ls-tree"))?;
        let words = String::from_utf8_lossy(words);
        let mut words = words.split_ascii_whitespace();
        let (Some(mode), Some(kind), Some(blob), size) = (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(GitError::Odd("a line of ls-tree"));
        };
        let Ok(path) = str::from_utf8(path) else {
            notes.push(format!("{} has a name that is no text, and is left out", String::from_utf8_lossy(path)));
            continue;
        };
        match (mode, kind) {
            ("120000", _) if is_runbook(path) => notes.push(format!("{path} is a symbolic link, and left out")),
            ("100644" | "100755" | "100664", "blob") => {
                let size = size.and_then(|size| size.parse().ok()).unwrap_or(u64::MAX);
                entries.push(Entry { path: path.to_owned(), blob: blob.to_owned(), size });
            }
            _ => {}
        }
    }
    Ok((entries, notes))
}

fn split_once(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == at)?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}

/// The bytes of blobs, in their order, with one call of git.
pub(super) fn blobs(git: &Git, ids: &[&str]) -> Result<Vec<Vec<u8>>, GitError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let input = ids.join("\n") + "\n";
    let bytes = git.fed(&["cat-file", "--batch"], Some(input.into_bytes()))?;
    let mut rest = bytes.as_slice();
    let mut found = Vec::with_capacity(ids.len());
    for _ in ids {
        let odd = || GitError::Odd("a blob of cat-file");
        let (head, after) = split_once(rest, b'\n').ok_or_else(odd)?;
        let head = String::from_utf8_lossy(head);
        let size = head.rsplit(' ').next().and_then(|size| size.parse::<usize>().ok()).ok_or_else(odd)?;
        found.push(after.get(..size).ok_or_else(odd)?.to_vec());
        rest = after.get(size + 1..).ok_or_else(odd)?;
    }
    Ok(found)
}

pub(super) fn edits(git: &Git, from: &str, to: &str) -> Result<Vec<Edit>, GitError> {
    let bytes = git.run(&["diff", "--name-status", "-z", "-M", "--no-ext-diff", "--end-of-options", from, to, "--"])?;
    let mut words = bytes.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
    let mut edits = Vec::new();
    while let Some(status) = words.next().filter(|status| !status.is_empty()) {
        let first = words.next().ok_or(GitError::Odd("a line of diff"))?;
        let edit = match status.chars().next() {
            Some('R') => {
                let path = words.next().ok_or(GitError::Odd("a line of diff"))?;
                Edit { what: "renamed", path, from: Some(first) }
            }
            Some('A') => Edit { what: "added", path: first, from: None },
            Some('D') => Edit { what: "deleted", path: first, from: None },
            _ => Edit { what: "changed", path: first, from: None },
        };
        if is_runbook(&edit.path) || edit.from.as_deref().is_some_and(is_runbook) {
            edits.push(edit);
        }
    }
    Ok(edits)
}

pub(super) fn patch(git: &Git, from: &str, to: &str) -> Result<String, GitError> {
    let args = ["diff", "-M", "--no-ext-diff", "--no-textconv", "--no-color", "--end-of-options", from, to, "--"];
    Ok(String::from_utf8_lossy(&git.run(&args)?).into_owned())
}
