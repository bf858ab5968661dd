//! The private clone that follows a branch.
//!
//! *Invariant:* the clone is bare, ours alone, and can be made again: of one that is damaged only the branches are kept
//! that nobody else has (`rescue.rs`). What is fetched is kept below `refs/react/`, and `refs/heads/` has what was made
//! here: no fetch touches it. Its state says when it was last fetched and from which commit the branch moved.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::git::Git;
use super::{Collection, Reader, RepoError, Sync, Wanted, choose, hex, rescue, tree};
use crate::model::{Library, Time};

const STATE: &str = "react.json";

/// What is known of the branches of a clone, by our name for each.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct State {
    #[serde(default)]
    branches: BTreeMap<String, Branch>,
    /// The branch that was last in use.
    #[serde(default)]
    last: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Branch {
    fetched: Option<Time>,
    previous: Option<String>,
    moved: Option<Time>,
}

pub(super) fn open(wanted: &Wanted, url: &str, inside: Option<&str>, sync: Sync) -> Result<Collection, RepoError> {
    held(wanted, url, sync, |git, at| collection(git, wanted, inside, at.clone()))
}

/// Does `task` with the clone, brought up to date, while no other run changes it. A clone that turns out to be damaged is
/// made again, and the task with it.
pub(super) fn held<T, E: From<RepoError>>(
    wanted: &Wanted,
    url: &str,
    sync: Sync,
    mut task: impl FnMut(&Git, &At) -> Result<T, E>,
) -> Result<T, E> {
    let parent = wanted.cache.join("runbooks");
    make_private(&parent)?;
    let dir = parent.join(format!("{}.git", digest(url)));
    let git = Git::new(dir, sync);
    // Another run may be fetching into the same clone.
    let _lock = lock(&git.dir.with_extension("lock"))?;
    let first = ready(&git, wanted, url, sync).map_err(E::from).and_then(|at| task(&git, &at));
    match first {
        Err(_) if git.dir.exists() && !healthy(&git) => {
            let at = rescue::renew(&git.dir, || ready(&git, wanted, url, Sync { skip: false, ..sync }))?;
            task(&git, &at)
        }
        other => other,
    }
}

/// Where the branch is, and what there is to say of it.
#[derive(Clone)]
pub(super) struct At {
    pub(super) commit: String,
    pub(super) synced: Option<Time>,
    pub(super) stale: Option<String>,
    pub(super) notes: Vec<String>,
}

fn ready(git: &Git, wanted: &Wanted, url: &str, sync: Sync) -> Result<At, RepoError> {
    let mut at = follow(git, wanted, url, sync)?;
    at.notes = rescue::settle(git);
    Ok(at)
}

fn collection(git: &Git, wanted: &Wanted, inside: Option<&str>, at: At) -> Result<Collection, RepoError> {
    let (files, mut notes) = tree::list(git, &at.commit)?;
    notes.extend(at.notes);
    let entries = choose(files, wanted.path.as_deref().or(inside), &mut notes);
    Ok(Collection {
        library: Library::Team,
        source: super::shown(&wanted.source),
        commit: at.commit,
        entries,
        synced: at.synced,
        stale: at.stale,
        notes,
        reader: Reader::Clone(git.clone()),
    })
}

/// Brings the branch up to date, and says where it is.
fn follow(git: &Git, wanted: &Wanted, url: &str, sync: Sync) -> Result<At, RepoError> {
    let (remote, ours) = names(wanted)?;
    if !git.dir.join("HEAD").exists() {
        let parent = git.dir.parent().unwrap_or(Path::new("."));
        let fresh = parent.join(format!(".new-{}", std::process::id()));
        let _ = fs::remove_dir_all(&fresh);
        Git { dir: fresh.clone(), ..git.clone() }.run(&["init", "--quiet", "--bare"])?;
        fs::rename(&fresh, &git.dir)
            .map_err(|error| RepoError::Unreadable { path: git.dir.clone(), reason: error.to_string() })?;
    }
    let known = commit_of(git, &ours);
    let mut state = State::read(&git.dir);
    let mut stale = None;
    if known.is_none() || !sync.skip {
        match git.run(&[
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--update-shallow",
            "--",
            url,
            &format!("+{remote}:{ours}"),
        ]) {
            Ok(_) => state.fetched(&ours, known.as_deref(), commit_of(git, &ours).as_deref()),
            Err(error) if error.says_no_branch() && known.is_none() => {
                let what =
                    wanted.branch.as_ref().map_or("commit yet".to_owned(), |branch| format!("branch `{branch}`"));
                return Err(RepoError::NoBranch(super::shown(&wanted.source), what));
            }
            Err(error) if known.is_some() => stale = Some(error.to_string()),
            Err(error) => return Err(error.into()),
        }
    }
    state.last.clone_from(&ours);
    // A state that can't be written costs the age that is told, nothing more.
    let _ = state.write(&git.dir);
    let commit =
        commit_of(git, &ours).ok_or_else(|| RepoError::NoBranch(super::shown(&wanted.source), "commit yet".into()))?;
    let synced = state.branches.get(&ours).and_then(|branch| branch.fetched);
    Ok(At { commit, synced, stale, notes: Vec::new() })
}

/// What the branch is called there, and here.
fn names(wanted: &Wanted) -> Result<(String, String), RepoError> {
    let Some(branch) = &wanted.branch else { return Ok(("HEAD".to_owned(), "refs/react/head".to_owned())) };
    if !is_branch(branch) {
        return Err(RepoError::NoBranch(super::shown(&wanted.source), format!("branch `{branch}`")));
    }
    Ok((format!("refs/heads/{branch}"), format!("refs/react/heads/{branch}")))
}

/// Whether a branch can be called so.
pub(super) fn is_branch(name: &str) -> bool {
    let odd = |c: char| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c);
    let bad = |part: &str| {
        part.is_empty() || part.starts_with('.') || part.ends_with('.') || part.strip_suffix(".lock").is_some()
    };
    let parts_fit = !name.split('/').any(bad);
    parts_fit && !name.starts_with('-') && !name.contains("..") && !name.contains("@{") && !name.contains(odd)
}

/// The same library at another commit.
pub(super) fn at(
    git: &Git,
    wanted: &Wanted,
    inside: Option<&str>,
    commit: &str,
    tip: &Collection,
) -> Result<Collection, RepoError> {
    let unknown = || RepoError::NoCommit(commit.to_owned(), tip.source.clone());
    if commit.is_empty() || commit.starts_with('-') {
        return Err(unknown());
    }
    let found = git.text(&["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{commit}^{{commit}}")]);
    let found = found.map_err(|_| unknown())?;
    let merged = git.run(&["merge-base", "--is-ancestor", &found, &tip.commit]).is_ok();
    let stale = (!merged).then(|| "this commit is not merged".to_owned());
    collection(git, wanted, inside, At { commit: found, synced: tip.synced, stale, notes: Vec::new() })
}

/// The commit before the branch last moved, and when that was.
pub(super) fn previous(git: &Git) -> Option<(String, Option<Time>)> {
    let state = State::read(&git.dir);
    let branch = state.branches.get(&state.last)?;
    Some((branch.previous.clone()?, branch.moved))
}

pub(super) fn knows(git: &Git, commit: &str) -> bool {
    !commit.starts_with('-') && git.run(&["cat-file", "-e", &format!("{commit}^{{commit}}")]).is_ok()
}

pub(super) fn commit_of(git: &Git, reference: &str) -> Option<String> {
    git.text(&["rev-parse", "--verify", "--quiet", &format!("{reference}^{{commit}}")]).ok().filter(|id| !id.is_empty())
}

/// Whether all that the branches need is there.
fn healthy(git: &Git) -> bool {
    git.run(&["rev-list", "--objects", "--quiet", "--all"]).is_ok()
}

impl State {
    fn read(dir: &Path) -> State {
        let text = fs::read_to_string(dir.join(STATE)).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    fn write(&self, dir: &Path) -> std::io::Result<()> {
        let fresh = dir.join(format!("{STATE}.new"));
        fs::write(&fresh, serde_json::to_vec(self)?)?;
        fs::rename(fresh, dir.join(STATE))
    }

    fn fetched(&mut self, reference: &str, before: Option<&str>, after: Option<&str>) {
        let now = Time::now();
        let branch = self.branches.entry(reference.to_owned()).or_default();
        branch.fetched = Some(now);
        if before.is_some() && before != after {
            branch.previous = before.map(str::to_owned);
            branch.moved = Some(now);
        }
    }
}

/// Holds what the file stands for, for this run; it is let go when the file is dropped.
pub(super) fn lock(path: &Path) -> Result<fs::File, RepoError> {
    let unreadable = |error: std::io::Error| RepoError::Unreadable { path: path.to_owned(), reason: error.to_string() };
    let file = fs::OpenOptions::new().write(true).create(true).truncate(false).open(path).map_err(unreadable)?;
    file.lock().map_err(unreadable)?;
    Ok(file)
}

pub(super) fn make_private(folder: &Path) -> Result<(), RepoError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .map_err(|error| RepoError::Unreadable { path: PathBuf::from(folder), reason: error.to_string() })
}

pub(super) fn digest(url: &str) -> String {
    use sha2::Digest;
    let digest = hex(&sha2::Sha256::digest(url.as_bytes()));
    digest.get(..24).unwrap_or(&digest).to_owned()
}
