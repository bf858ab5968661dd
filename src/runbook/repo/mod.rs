//! Where runbooks are read: the team's git repository at a commit, a plain folder, the built-in library.
//!
//! *Invariant:* what is read is read at one commit, by path and blob, out of a private clone; nobody's checkout is
//! touched, nothing of a repository is written to disk under its own names, and nothing in it can make itself run. What is
//! written is a branch (`propose/`), never the one that is trusted.

mod builtin;
mod clone;
mod folder;
mod git;
mod proposal;
pub mod propose;
mod rescue;
#[cfg(test)]
mod tests;
mod tree;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::{Library, Place, Time};

pub use builtin::builtin;
pub use git::GitError;
pub(crate) use git::POINTERS;
pub use proposal::{Difference, Proposal, checkout, differences};
pub use tree::Edit;

/// Larger files are no runbooks, in bytes.
pub const MAX_FILE: u64 = 1024 * 1024;
/// So many files are read of one library.
pub const MAX_FILES: usize = 50_000;

/// Where a library is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// A path or a URL, as a person wrote it.
    pub source: String,
    /// The branch that is trusted; the HEAD of the source where none is named.
    pub branch: Option<String>,
    /// The folder that has the runbooks; `runbooks/` where there is one, else all, where none is named.
    pub path: Option<String>,
    /// Where private clones are kept.
    pub cache: PathBuf,
}

/// How a clone is brought up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sync {
    /// Not at all where there is a clone already.
    pub skip: bool,
    /// The most time it may take; for ever where absent.
    pub limit: Option<Duration>,
    /// Whether git and ssh may ask the person at the terminal.
    pub interactive: bool,
}

/// A file of a library.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its path from the root of the library, with `/`.
    pub path: String,
    /// The git blob id of its bytes.
    pub blob: String,
    /// Its size in bytes.
    pub size: u64,
}

/// The runbooks of one library, as they were at one commit.
#[derive(Debug)]
pub struct Collection {
    /// Whose it is.
    pub library: Library,
    /// Where it is from, without a password.
    pub source: String,
    /// The commit, 40 (or 64) hex digits; empty for a folder that is no repository.
    pub commit: String,
    /// Its files, sorted by path.
    pub entries: Vec<Entry>,
    /// When the clone was last brought up to date.
    pub synced: Option<Time>,
    /// Why it may not be the newest: the remote can't be reached.
    pub stale: Option<String>,
    /// What was left out or did not work, for people: `docs/huge.md is larger than 1 MiB`.
    pub notes: Vec<String>,
    reader: Reader,
}

#[derive(Debug)]
enum Reader {
    Builtin,
    Folder(PathBuf),
    Clone(git::Git),
}

/// Why a library can't be read.
#[derive(Debug, thiserror::Error)]
pub enum RepoError {
    /// Git failed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// There is no such folder.
    #[error("`{0}` is neither a folder nor a git repository")]
    NoFolder(String),
    /// What a person wrote is no place.
    #[error("`{place}` is no repository: {reason}")]
    Source {
        /// It, without a password.
        place: String,
        /// Why.
        reason: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// The source has no commit yet, or not this branch.
    #[error("{0} has no {1}")]
    NoBranch(String, String),
    /// A commit that the clone doesn't have.
    #[error("`{0}` is no commit of {1}")]
    NoCommit(String, String),
    /// No branch and no pull request of this name.
    #[error("{1} has no branch or pull request `{0}`")]
    NoProposal(String, String),
    /// A file that can't be read.
    #[error("can't read `{}`: {reason}", path.display())]
    Unreadable {
        /// It.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl RepoError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            RepoError::Git(error) => error.hint(),
            RepoError::Source { hint, .. } => Some((*hint).to_owned()),
            RepoError::NoFolder(_) => Some("name a folder, a clone, or a URL that `git clone` takes".to_owned()),
            RepoError::NoBranch(..) => {
                Some("push a first commit to it, or name another with `runbooks.branch`".to_owned())
            }
            RepoError::NoCommit(..) => Some("`kubectl react runbooks sync` fetches what is new".to_owned()),
            RepoError::NoProposal(..) => {
                Some("name a branch that was pushed there, or the number or URL of a pull request".to_owned())
            }
            RepoError::Unreadable { .. } => None,
        }
    }
}

/// Opens the library at `wanted`, brought up to date first. Where that fails and there is a clone already, the clone
/// serves, and a note says how old it is.
///
/// # Errors
/// When there is nothing to read.
pub fn open(wanted: &Wanted, sync: Sync) -> Result<Collection, RepoError> {
    match place(wanted)? {
        Found::Folder(root) => folder::read(&root, wanted),
        Found::Repository { url, inside } => clone::open(wanted, &url, inside.as_deref(), sync),
    }
}

/// The files of a folder as they lie there, committed or not.
///
/// # Errors
/// When it can't be read.
pub fn folder(root: &Path) -> Result<Collection, RepoError> {
    let source = root.display().to_string();
    let root = root.canonicalize().map_err(|_| RepoError::NoFolder(source.clone()))?;
    folder::read(&root, &Wanted { source, branch: None, path: None, cache: PathBuf::new() })
}

enum Found {
    Folder(PathBuf),
    Repository { url: String, inside: Option<String> },
}

/// What a person means by a source: a URL, a repository on this machine (or a folder in one), or a plain folder.
fn place(wanted: &Wanted) -> Result<Found, RepoError> {
    let source = wanted.source.as_str();
    let refused = |reason, hint| Err(RepoError::Source { place: shown(source), reason, hint });
    if source.is_empty() || source.starts_with('-') || source.chars().any(char::is_control) {
        return refused("it is no path and no URL", "name a path or a URL that `git clone` takes");
    }
    if source.contains("::") {
        return refused("git's remote helpers are not used", "use https://, ssh:// or a path");
    }
    if has_password(source) {
        return refused(
            "it holds a password, which every process on this machine could read",
            "leave it out of the URL; git's credential helper has it (`git help credentials`)",
        );
    }
    if source.contains("://") || is_scp_like(source) {
        return Ok(Found::Repository { url: source.to_owned(), inside: None });
    }
    let path = std::path::absolute(source).map_err(|_| RepoError::NoFolder(source.to_owned()))?;
    let path = path.canonicalize().map_err(|_| RepoError::NoFolder(source.to_owned()))?;
    if !path.is_dir() {
        return Err(RepoError::NoFolder(source.to_owned()));
    }
    Ok(match git::repository_of(&path) {
        Some((root, inside)) => Found::Repository { url: root.display().to_string(), inside },
        None => Found::Folder(path),
    })
}

/// `git@host:path`, but no Windows drive and no path.
fn is_scp_like(source: &str) -> bool {
    let Some((host, _)) = source.split_once(':') else { return false };
    host.len() > 1 && !host.contains(['/', '\\'])
}

/// The part of a URL before the host.
fn user_info(source: &str) -> Option<&str> {
    let rest = source.split_once("://")?.1;
    let authority = rest.split(['/', '?', '#']).next()?;
    authority.rsplit_once('@').map(|(user, _)| user)
}

fn has_password(source: &str) -> bool {
    user_info(source).is_some_and(|user| user.contains(':'))
}

/// A source without what may be a secret.
pub fn shown(source: &str) -> String {
    match user_info(source).filter(|user| user.contains(':')) {
        Some(user) => source.replacen(user, "…", 1),
        None => source.to_owned(),
    }
}

impl Collection {
    /// Which bytes an entry is.
    pub fn place(&self, entry: &Entry) -> Place {
        Place { library: self.library, path: entry.path.clone(), commit: self.commit.clone(), blob: entry.blob.clone() }
    }

    /// The bytes of these entries, in their order.
    ///
    /// # Errors
    /// When one of them can't be read.
    pub fn read(&self, entries: &[&Entry]) -> Result<Vec<Vec<u8>>, RepoError> {
        match &self.reader {
            Reader::Builtin => Ok(entries.iter().map(|entry| builtin::bytes(&entry.path)).collect()),
            Reader::Folder(root) => entries.iter().map(|entry| folder::bytes(root, &entry.path)).collect(),
            Reader::Clone(git) => {
                let blobs: Vec<&str> = entries.iter().map(|entry| entry.blob.as_str()).collect();
                Ok(tree::blobs(git, &blobs)?)
            }
        }
    }

    /// The same library at another commit: a hash or its beginning, or any other name that git has for it.
    ///
    /// # Errors
    /// When it is no repository, or has no such commit.
    pub fn at(&self, wanted: &Wanted, commit: &str) -> Result<Collection, RepoError> {
        let Reader::Clone(git) = &self.reader else {
            return Err(RepoError::NoCommit(
                commit.to_owned(),
                format!("`{}`, which is no git repository", self.source),
            ));
        };
        let inside = place(wanted).ok().and_then(|found| match found {
            Found::Repository { inside, .. } => inside,
            Found::Folder(_) => None,
        });
        clone::at(git, wanted, inside.as_deref(), commit, self)
    }

    /// Whether the clone has this commit.
    pub fn knows(&self, commit: &str) -> bool {
        match &self.reader {
            Reader::Clone(git) => clone::knows(git, commit),
            Reader::Builtin | Reader::Folder(_) => commit == self.commit,
        }
    }

    /// What changed between two commits; see [`Collection::previous`].
    ///
    /// # Errors
    /// When it is no repository, or git fails.
    pub fn edits(&self, from: &str, to: &str) -> Result<Vec<Edit>, RepoError> {
        let Reader::Clone(git) = &self.reader else {
            return Err(RepoError::NoCommit(from.to_owned(), format!("`{}`, which is no git repository", self.source)));
        };
        Ok(tree::edits(git, from, to)?)
    }

    /// The same as a patch, as `git diff` writes it.
    ///
    /// # Errors
    /// When it is no repository, or git fails.
    pub fn patch(&self, from: &str, to: &str) -> Result<String, RepoError> {
        let Reader::Clone(git) = &self.reader else {
            return Err(RepoError::NoCommit(from.to_owned(), format!("`{}`, which is no git repository", self.source)));
        };
        Ok(tree::patch(git, from, to)?)
    }

    /// The commit that was in use before the branch last moved, and when it moved.
    pub fn previous(&self) -> Option<(String, Option<Time>)> {
        match &self.reader {
            Reader::Clone(git) => clone::previous(git),
            _ => None,
        }
    }
}

/// Whether a path of a library is a runbook's, by its name alone.
fn is_runbook(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or_default();
    let Some((stem, extension)) = name.rsplit_once('.') else { return false };
    let known = ["readme", "contributing", "changelog", "license", "code_of_conduct", "security", "_index"];
    (extension.eq_ignore_ascii_case("md") || extension.eq_ignore_ascii_case("markdown"))
        && !known.iter().any(|word| stem.eq_ignore_ascii_case(word))
        && !path.split('/').any(|part| part.starts_with('.') || part == "node_modules")
}

/// Keeps the runbooks of what a tree holds: those of the folder that was asked for, else of `runbooks/` where there are
/// any, else all.
fn choose(mut entries: Vec<Entry>, folder: Option<&str>, notes: &mut Vec<String>) -> Vec<Entry> {
    entries.retain(|entry| is_runbook(&entry.path));
    let below = |folder: &str| {
        let folder = format!("{}/", folder.trim_matches('/'));
        move |entry: &Entry| folder == "/" || folder == "./" || entry.path.starts_with(&folder)
    };
    match folder {
        Some(folder) => {
            entries.retain(below(folder));
            if entries.is_empty() {
                notes.push(format!("there is no markdown file below `{folder}`"));
            }
        }
        None if entries.iter().any(below("runbooks")) => entries.retain(below("runbooks")),
        None => {}
    }
    entries.retain(|entry| {
        let fits = entry.size <= MAX_FILE;
        if !fits {
            notes.push(format!("{} is larger than 1 MiB, and left out", entry.path));
        }
        fits
    });
    entries.sort();
    if entries.len() > MAX_FILES {
        notes.push(format!("{} files are more than {MAX_FILES}; the rest is left out", entries.len()));
        entries.truncate(MAX_FILES);
    }
    entries
}

/// Git's id of a blob with these bytes.
pub fn blob_id(bytes: &[u8]) -> String {
    use sha1::Digest;
    let mut hash = sha1::Sha1::new();
    hash.update(format!("blob {}\0", bytes.len()));
    hash.update(bytes);
    hex(&hash.finalize())
}

/// Two digits for each byte, as digests are written.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A path inside `root`, with `/`.
fn relative(root: &Path, path: &Path) -> Option<String> {
    let parts = path.strip_prefix(root).ok()?.components();
    let words: Option<Vec<&str>> = parts.map(|part| part.as_os_str().to_str()).collect();
    Some(words?.join("/"))
}
