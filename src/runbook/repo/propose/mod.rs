//! From edited files to a commit on a branch of the team's repository, pushed: with the user's own git, so that author,
//! signature, hooks and credentials are theirs.
//!
//! *Invariant:* nobody's checkout is touched and nothing is forced. What others pushed to the branch stays, and the commit
//! goes on top of it. From the moment that git has made the commit it is on a branch of the private clone, whatever becomes
//! of the push; killed anywhere, the same call again ends in the same one commit, pushed once. Nothing in the repository can
//! make itself run: only the edited files are ever written to disk.

mod check;
mod desk;
mod error;
mod letter;
mod push;
mod stand;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use super::clone::{At, digest, held, lock, make_private};
use super::git::{Git, GitError};
use super::{Found, Sync, Wanted, place, shown};
use desk::Desk;
use stand::{Stand, stand};

pub use error::ProposeError;
pub use push::Pushed;
pub use stand::{BranchFile, BranchState};

/// The most time that a commit may take where nobody is asked anything: hooks and signing are part of it.
const COMMIT_LIMIT: Duration = Duration::from_mins(10);

/// A file as it shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Its path in the repository, with `/`.
    pub path: String,
    /// All of its text. Line ends become those of the file that is there.
    pub content: String,
    /// The git blob that the edit was made from. Where the branch has another one by now, nothing is written; where none
    /// is named, whatever is there is replaced.
    pub base_blob: Option<String>,
}

/// What a commit says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Its first line.
    pub subject: String,
    /// What follows; may be empty.
    pub body: String,
    /// `Incident: …` and the like, in their order.
    pub trailers: Vec<(String, String)>,
}

/// What shall be proposed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// The branch for it: `react/…`.
    pub branch: String,
    /// The files.
    pub edits: Vec<Edit>,
    /// What the commit says.
    pub message: Message,
    /// Whether it is signed off (`Signed-off-by`).
    pub signoff: bool,
    /// Whether it is pushed.
    pub push: bool,
    /// Options for the server (`git push -o`).
    pub push_options: Vec<String>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposed {
    /// The branch.
    pub branch: String,
    /// The branch that it shall be merged into; `HEAD` where its name could not be found out.
    pub base: String,
    /// The commit of that branch.
    pub base_commit: String,
    /// The tip of the branch.
    pub commit: String,
    /// The repository, without a password.
    pub remote: String,
    /// Whether the repository has it.
    pub pushed: Pushed,
    /// What people should know.
    pub notes: Vec<String>,
    /// What the server said to the push, line by line: GitLab and Gitea tell where the request is.
    pub server: Vec<String>,
    /// Whether the branch had all of it already.
    pub unchanged: bool,
    /// The private clone that has the commit.
    pub clone: PathBuf,
}

/// Commits the edits to the branch, and pushes it where that is wished.
///
/// # Errors
/// When no commit could be made, and nothing was lost or changed. A push that fails is no error: see [`Pushed::Failed`].
pub fn propose(wanted: &Wanted, wish: &Wish, sync: Sync) -> Result<Proposed, ProposeError> {
    check::wish(wish)?;
    let url = repository(wanted)?;
    let parent = wanted.cache.join("runbooks");
    make_private(&parent)?;
    // One at a time from the first look to the end of the push. The clone itself is held only while it is worked with, so
    // that a diagnosis doesn't wait for a slow server.
    let _lock = lock(&parent.join(format!("{}.propose.lock", digest(&url))))?;
    let mut proposed = commit(wanted, &url, wish, sync)?;
    if !wish.push || proposed.commit == proposed.base_commit || proposed.pushed == Pushed::UpToDate {
        return Ok(proposed);
    }
    let git = Git::new(proposed.clone.clone(), sync);
    let mut sent = push::push(&git, &url, wish);
    if sent.moved {
        // Someone was faster: their commits first, then ours, once more.
        let first = proposed;
        proposed = commit(wanted, &url, wish, Sync { skip: false, ..sync })?;
        proposed.unchanged &= first.unchanged;
        if proposed.pushed == Pushed::UpToDate {
            return Ok(proposed);
        }
        sent = push::push(&git, &url, wish);
    }
    proposed.notes.extend(sent.notes);
    proposed.server = sent.server;
    proposed.pushed = sent.pushed;
    Ok(proposed)
}

/// The same as a patch that `git am` takes, or `git apply`; empty where the branch has all of it already. No branch is
/// made or changed. Of a folder that is no repository, what `git apply` takes.
///
/// # Errors
/// As for [`propose`].
pub fn patch(wanted: &Wanted, wish: &Wish, sync: Sync) -> Result<String, ProposeError> {
    check::wish(wish)?;
    let url = match place(wanted)? {
        Found::Repository { url, .. } => url,
        Found::Folder(root) => return letter::of_a_folder(&root, wanted, wish, sync),
    };
    held(wanted, &url, sync, |git, at| {
        let stand = stand(git, at, wanted, &url, &wish.branch, sync)?;
        let start = stand.start(git)?.shown(&stand);
        let desk = Desk::lay(git, &start)?;
        desk.put(&wish.edits)?;
        moved(git, &stand, &desk, wish)?;
        letter::of_a_desk(&desk, &start, wish)
    })
}

/// What there is of a branch already, here or at the remote; none where an edit would begin anew, from what is merged.
///
/// # Errors
/// When the repository can't be read.
pub fn branch_state(wanted: &Wanted, branch: &str, sync: Sync) -> Result<Option<BranchState>, ProposeError> {
    check::branch(branch)?;
    let url = repository(wanted)?;
    held(wanted, &url, sync, |git, at| stand(git, at, wanted, &url, branch, sync)?.state(git, branch))
}

fn repository(wanted: &Wanted) -> Result<String, ProposeError> {
    match place(wanted)? {
        Found::Repository { url, .. } => Ok(url),
        Found::Folder(path) => Err(ProposeError::NoRepository(path.display().to_string())),
    }
}

/// Makes the commit, and the branch that has it.
fn commit(wanted: &Wanted, url: &str, wish: &Wish, sync: Sync) -> Result<Proposed, ProposeError> {
    held(wanted, url, sync, |git, at| {
        check::identity(git)?;
        let stand = stand(git, at, wanted, url, &wish.branch, sync)?;
        let mut notes = stand.notes.clone();
        let (desk, start) = opened(git, &stand, wish)?;
        notes.extend(desk.put(&wish.edits)?);
        moved(git, &stand, &desk, wish)?;
        let unchanged = !desk.changed(&start)?;
        let tip = if unchanged { start } else { desk.commit(&wish.message, wish.signoff)? };
        if !unchanged {
            notes.extend(desk.others(&tip, wish)?);
        }
        if tip != at.commit {
            stand.keep(git, &wish.branch, &tip)?;
        }
        let there = stand.asked && stand.remote.as_deref() == Some(tip.as_str());
        Ok(Proposed {
            branch: wish.branch.clone(),
            base: stand.base,
            base_commit: at.commit.clone(),
            commit: tip,
            remote: shown(url),
            pushed: if there && wish.push { Pushed::UpToDate } else { Pushed::No },
            notes,
            server: Vec::new(),
            unchanged,
            clone: git.dir.clone(),
        })
    })
}

/// A worktree at the commit that the new one goes on.
fn opened(git: &Git, stand: &Stand, wish: &Wish) -> Result<(Desk, String), ProposeError> {
    let start = stand.start(git)?;
    let mut desk = Desk::lay(git, &start.commit)?;
    let mut tip = start.commit.clone();
    let ours = |path: &String| wish.edits.iter().any(|edit| edit.path == *path);
    let mut paths = Vec::new();
    for commit in &start.unpushed {
        paths.extend(desk::changed_by(git, commit)?.into_iter().map(|change| change.path));
    }
    // Where the edits have all that those commits had, they stand for them.
    if !paths.iter().all(ours) {
        for commit in &start.unpushed {
            tip = desk.repeat(git, commit, &wish.branch)?;
        }
    }
    Ok((desk, tip))
}

/// Looks whether a file is what its edit was made from.
fn moved(git: &Git, stand: &Stand, desk: &Desk, wish: &Wish) -> Result<(), ProposeError> {
    for edit in &wish.edits {
        let Some(base) = &edit.base_blob else { continue };
        let before = desk.before(&edit.path);
        let equal = before.is_some() && before == desk.blob(&edit.path);
        if !equal && before.as_deref() != Some(base) && !stand.ours(git, &edit.path, base)? {
            return Err(ProposeError::Moved { path: edit.path.clone(), branch: wish.branch.clone() });
        }
    }
    Ok(())
}

impl From<GitError> for ProposeError {
    fn from(error: GitError) -> ProposeError {
        ProposeError::Repo(error.into())
    }
}

/// The clone, asked without a limit that is meant for the network.
fn patient(git: &Git) -> Git {
    Git { limit: (!git.interactive).then_some(COMMIT_LIMIT), ..git.clone() }
}

/// A note on a base that may be old.
fn stale_note(at: &At) -> Option<String> {
    at.stale.as_ref().map(|reason| format!("the remote could not be asked ({reason}): what is known of it may be old"))
}
