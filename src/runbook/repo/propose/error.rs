//! Why nothing could be proposed.

use crate::runbook::repo::RepoError;

/// Why no commit could be made. Nothing was changed, and nothing lost.
#[derive(Debug, thiserror::Error)]
pub enum ProposeError {
    /// The repository can't be read, or git failed.
    #[error(transparent)]
    Repo(#[from] RepoError),
    /// The library is a folder without git.
    #[error("`{0}` is no git repository, so there is no branch to propose on")]
    NoRepository(String),
    /// The source has no branch checked out, and none is configured.
    #[error("the HEAD of {0} is on no branch, so it is not known what to propose to")]
    Detached(String),
    /// The branch can't be used.
    #[error("`{branch}` can't be the branch of a proposal: {reason}")]
    Branch {
        /// Its name.
        branch: String,
        /// Why.
        reason: &'static str,
    },
    /// The file can't be written.
    #[error("`{path}` can't be written: {reason}")]
    Path {
        /// Its path in the repository.
        path: String,
        /// Why.
        reason: String,
    },
    /// Git doesn't know who commits.
    #[error("git does not know who you are: {0}")]
    Identity(String),
    /// The branch has another version of a file than the edit was made from.
    #[error("`{path}` was changed on `{branch}` by someone else")]
    Moved {
        /// Its path in the repository.
        path: String,
        /// The branch that has the other version.
        branch: String,
    },
    /// A commit that was not pushed doesn't fit on what the remote has now.
    #[error("`{branch}` has a commit that was not pushed, and `{path}` was changed by someone else since")]
    Diverged {
        /// The branch.
        branch: String,
        /// The file that both changed.
        path: String,
    },
    /// A filter of `.gitattributes` would commit something else than the text.
    #[error("`{path}` goes through the filter `{filter}` of .gitattributes: {reason}")]
    Filtered {
        /// Its path in the repository.
        path: String,
        /// The filter's name.
        filter: String,
        /// What is wrong with that.
        reason: &'static str,
    },
    /// `git commit` said no: a hook, or the signature.
    #[error("git made no commit: {0}")]
    Commit(String),
}

impl ProposeError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            ProposeError::Repo(error) => return error.hint(),
            ProposeError::NoRepository(_) => {
                "`--patch` prints it; or make it a repository with `git init` and a first commit".to_owned()
            }
            ProposeError::Detached(_) => "name the branch with `runbooks.branch`".to_owned(),
            ProposeError::Branch { .. } => "name another with `--branch`".to_owned(),
            ProposeError::Path { .. } => return None,
            ProposeError::Identity(_) => "`git config --global user.name \"Your Name\"` and `git config --global \
                                          user.email you@example.org`, once"
                .to_owned(),
            ProposeError::Moved { .. } => {
                "run it again: it is made from what the branch has now, and nothing of that is lost".to_owned()
            }
            ProposeError::Diverged { branch, .. } => {
                format!("it is kept on `{branch}` of the private clone; propose on another branch with `--branch`")
            }
            ProposeError::Filtered { path, .. } => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let slash = if folder.is_empty() { "" } else { "/" };
                format!(
                    "runbooks are read as they are committed: add `{folder}{slash}*.md !filter !diff` to .gitattributes"
                )
            }
            ProposeError::Commit(said) if is_signature(said) => {
                "git could not sign it: `git commit` must work elsewhere too (`git config --get-regexp \
                 'gpg|signing'`); `commit.gpgsign` says whether commits are signed"
                    .to_owned()
            }
            ProposeError::Commit(_) => {
                "hooks of your own git run (`git config core.hooksPath`): what they refuse is not committed".to_owned()
            }
        })
    }
}

fn is_signature(said: &str) -> bool {
    [
        "failed to sign",
        "failed to write commit object",
        "private key",
        "gpg",
        "signing key",
        "user.signingkey",
        "ssh-keygen",
        "load key",
    ]
    .iter()
    .any(|word| said.to_ascii_lowercase().contains(word))
}
