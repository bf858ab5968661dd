//! Where the branch of a proposal stands: here, at the remote, and against what is merged.
//!
//! *Invariant:* a commit that others pushed is never left out, and one that was made here and not pushed is on a ref.

use super::desk::changed_by;
use super::{ProposeError, stale_note};
use crate::runbook::repo::clone::{At, commit_of};
use crate::runbook::repo::git::{Git, GitError, reason};
use crate::runbook::repo::{Sync, Wanted, rescue, shown, tree};

/// What is known of a branch.
pub(super) struct Stand {
    /// The branch that it shall be merged into.
    pub(super) base: String,
    base_commit: String,
    /// The branch of the clone.
    local: Option<String>,
    /// What the remote has; where it could not be asked, what it had.
    pub(super) remote: Option<String>,
    /// What the remote was last known to have.
    known: Option<String>,
    /// Whether the remote was asked just now.
    pub(super) asked: bool,
    pub(super) notes: Vec<String>,
}

/// Where the next commit goes.
pub(super) struct Start {
    /// On this one,
    pub(super) commit: String,
    /// after these, the oldest first, which are not in it and must be made anew.
    pub(super) unpushed: Vec<String>,
}

/// A branch that there is already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchState {
    /// Its name.
    pub branch: String,
    /// Its tip: what the next commit goes on.
    pub commit: String,
    /// Whether the remote has it.
    pub remote: bool,
    /// How many of its commits were made here and not pushed.
    pub unpushed: usize,
    /// What it adds to, or changes in, what is merged.
    pub files: Vec<BranchFile>,
}

/// A file of a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchFile {
    /// Its path in the repository.
    pub path: String,
    /// Its git blob: the `base_blob` of an edit that is made from it.
    pub blob: String,
    /// Its text; none where it is no text.
    pub content: Option<String>,
}

pub(super) fn stand(
    git: &Git,
    at: &At,
    wanted: &Wanted,
    url: &str,
    branch: &str,
    sync: Sync,
) -> Result<Stand, ProposeError> {
    let known = commit_of(git, &remote_ref(branch));
    let local = commit_of(git, &local_ref(branch));
    let mut stand = Stand {
        base: wanted.branch.clone().unwrap_or_else(|| "HEAD".to_owned()),
        base_commit: at.commit.clone(),
        local,
        remote: known.clone(),
        known,
        asked: false,
        notes: at.notes.iter().cloned().chain(stale_note(at)).collect(),
    };
    if !sync.skip && at.stale.is_none() {
        match git.text(&["ls-remote", "--symref", "--", url, "HEAD", &local_ref(branch)]) {
            Ok(listing) => stand.ask(git, url, branch, &listing, wanted)?,
            Err(error) => stand.notes.push(format!("the remote could not be asked about `{branch}`: {error}")),
        }
    }
    if stand.base == branch {
        return Err(ProposeError::Branch { branch: branch.to_owned(), reason: "it is the one that is trusted" });
    }
    Ok(stand)
}

fn local_ref(branch: &str) -> String {
    format!("refs/heads/{branch}")
}

fn remote_ref(branch: &str) -> String {
    format!("{}{branch}", rescue::REMOTE)
}

impl Stand {
    fn ask(&mut self, git: &Git, url: &str, branch: &str, listing: &str, wanted: &Wanted) -> Result<(), ProposeError> {
        let lines = || listing.lines().filter_map(|line| line.split_once('\t'));
        if wanted.branch.is_none() {
            let head = lines().filter(|(_, name)| *name == "HEAD").find_map(|(what, _)| what.strip_prefix("ref: "));
            let head = head.and_then(|head| head.strip_prefix("refs/heads/"));
            head.ok_or_else(|| ProposeError::Detached(shown(&wanted.source)))?.clone_into(&mut self.base);
        }
        let ours = local_ref(branch);
        self.asked = true;
        self.remote = lines().find(|(_, name)| *name == ours).map(|(commit, _)| commit.to_owned());
        if self.remote.is_some() && self.remote != self.known {
            let tracked = remote_ref(branch);
            let refspec = format!("+{ours}:{tracked}");
            git.run(&[
                "fetch",
                "--quiet",
                "--no-tags",
                "--no-write-fetch-head",
                "--update-shallow",
                "--",
                url,
                &refspec,
            ])?;
            self.remote = commit_of(git, &tracked);
            self.known.clone_from(&self.remote);
        }
        Ok(())
    }

    /// Where the next commit goes.
    pub(super) fn start(&self, git: &Git) -> Result<Start, GitError> {
        let floor = match &self.remote {
            Some(remote) if !ancestor(git, remote, &self.base_commit) => remote,
            // Not there, or merged.
            _ => &self.base_commit,
        };
        let begin = |commit: &String| Start { commit: commit.clone(), unpushed: Vec::new() };
        let Some(local) = &self.local else { return Ok(begin(floor)) };
        let unpushed = self.unpushed(git)?;
        if unpushed.is_empty() {
            return Ok(begin(floor));
        }
        // What the remote had and has no more is merged in other commits, or was given up.
        let gone = self.remote.is_none() && self.known.is_some();
        if !gone && ancestor(git, floor, local) {
            return Ok(begin(local));
        }
        Ok(Start { commit: floor.clone(), unpushed })
    }

    /// The commits that were made here and that the remote never had, the oldest first.
    fn unpushed(&self, git: &Git) -> Result<Vec<String>, GitError> {
        let Some(local) = &self.local else { return Ok(Vec::new()) };
        let mut args = vec!["rev-list", "--reverse", "--topo-order", local, "--not", &self.base_commit];
        args.extend([&self.remote, &self.known].into_iter().flatten().map(String::as_str));
        Ok(git.text(&args)?.lines().map(str::to_owned).collect())
    }

    /// Whether a blob is a file of ours that was not pushed, while nobody else changed that file.
    pub(super) fn ours(&self, git: &Git, path: &str, blob: &str) -> Result<bool, GitError> {
        let (Some(local), start) = (&self.local, self.start(git)?) else { return Ok(false) };
        if start.unpushed.is_empty() || blob_at(git, local, path).as_deref() != Some(blob) {
            return Ok(false);
        }
        Ok(untouched(git, local, &start.commit, path))
    }

    /// What there is of the branch.
    pub(super) fn state(&self, git: &Git, branch: &str) -> Result<Option<BranchState>, ProposeError> {
        let start = self.start(git)?;
        if start.commit == self.base_commit && start.unpushed.is_empty() {
            return Ok(None);
        }
        let fork = git.text(&["merge-base", &start.commit, &self.base_commit]).unwrap_or_default();
        let listing = git.run(&["diff-tree", "-r", "-z", "--no-renames", "--name-only", &fork, &start.commit])?;
        let mut paths: Vec<String> = words(&listing).collect();
        for commit in &start.unpushed {
            paths.extend(changed_by(git, commit)?.into_iter().map(|change| change.path));
        }
        paths.sort();
        paths.dedup();
        let mut found = Vec::new();
        for path in paths {
            let ours = self
                .local
                .as_ref()
                .filter(|local| !start.unpushed.is_empty() && untouched(git, local, &start.commit, &path));
            let from = ours.unwrap_or(&start.commit);
            found.extend(blob_at(git, from, &path).map(|blob| (path, blob)));
        }
        let blobs: Vec<&str> = found.iter().map(|(_, blob)| blob.as_str()).collect();
        let texts = tree::blobs(git, &blobs)?.into_iter().map(|bytes| String::from_utf8(bytes).ok());
        let files = found.iter().zip(texts);
        let files = files.map(|((path, blob), content)| BranchFile { path: path.clone(), blob: blob.clone(), content });
        Ok(Some(BranchState {
            branch: branch.to_owned(),
            files: files.collect(),
            unpushed: self.unpushed(git)?.len(),
            remote: self.remote.is_some(),
            commit: start.commit,
        }))
    }

    /// Lets the branch of the clone be at `tip`, in one step. What it was, and is not in that, is kept.
    pub(super) fn keep(&self, git: &Git, branch: &str, tip: &str) -> Result<(), ProposeError> {
        // A branch whose commit was lost, and is made again, byte for byte.
        if self.local.is_none()
            && git.text(&["rev-parse", "--verify", "--quiet", &local_ref(branch)]).is_ok_and(|at| at == tip)
        {
            return Ok(());
        }
        let mut lines = String::new();
        match &self.local {
            Some(local) => lines += &format!("update {} {tip} {local}\n", local_ref(branch)),
            None => lines += &format!("create {} {tip}\n", local_ref(branch)),
        }
        if let Some(local) = self.local.as_ref().filter(|local| !ancestor(git, local, tip)) {
            lines += &format!("update {} {local}\n", rescue::kept(branch, local));
        }
        if self.asked && self.remote.is_none() && self.known.is_some() {
            lines += &format!("delete {}\n", remote_ref(branch));
        }
        let heard = git.heard(&["update-ref", "--stdin"], Some(lines.into_bytes()))?;
        if heard.good { Ok(()) } else { Err(GitError::Refused(reason(&heard.complaint)).into()) }
    }
}

impl Start {
    /// The commit against which a patch is shown.
    pub(super) fn shown(self, stand: &Stand) -> String {
        match (&stand.local, self.unpushed.is_empty()) {
            (Some(local), false) if stand.remote.is_none() && stand.known.is_none() => local.clone(),
            _ => self.commit,
        }
    }
}

/// Remembers that the remote has a branch at `commit`.
pub(super) fn pushed(git: &Git, branch: &str) {
    if let Some(commit) = commit_of(git, &local_ref(branch)) {
        // The next run asks the remote anyway.
        let _ = git.run(&["update-ref", &remote_ref(branch), &commit]);
    }
}

fn ancestor(git: &Git, old: &str, new: &str) -> bool {
    git.run(&["merge-base", "--is-ancestor", old, new]).is_ok()
}

fn blob_at(git: &Git, commit: &str, path: &str) -> Option<String> {
    git.text(&["rev-parse", "--verify", "--quiet", &format!("{commit}:{path}")]).ok().filter(|blob| !blob.is_empty())
}

pub(super) fn words(bytes: &[u8]) -> impl Iterator<Item = String> {
    let words = bytes.split(|byte| *byte == 0).filter(|word| !word.is_empty());
    words.map(|word| String::from_utf8_lossy(word).into_owned())
}

/// Whether a file is in `start` what it was where `local` began.
fn untouched(git: &Git, local: &str, start: &str, path: &str) -> bool {
    let fork = git.text(&["merge-base", local, start]).unwrap_or_default();
    blob_at(git, &fork, path) == blob_at(git, start, path)
}
