//! What can be told of a wish before anything is done.

use super::{ProposeError, Wish};
use crate::runbook::repo::clone::is_branch;
use crate::runbook::repo::git::{Git, reason};

pub(super) fn wish(wish: &Wish) -> Result<(), ProposeError> {
    branch(&wish.branch)?;
    let mut seen: Vec<String> = Vec::new();
    for edit in &wish.edits {
        let refused = |reason: &str| ProposeError::Path { path: edit.path.clone(), reason: reason.to_owned() };
        path(&edit.path).map_err(refused)?;
        // There are file systems on which these are one file.
        let lower = edit.path.to_lowercase();
        if seen.contains(&lower) {
            return Err(refused("it is named twice"));
        }
        seen.push(lower);
    }
    Ok(())
}

pub(super) fn branch(name: &str) -> Result<(), ProposeError> {
    let refused = |reason| Err(ProposeError::Branch { branch: name.to_owned(), reason });
    match name {
        "HEAD" => refused("git means something else by it"),
        name if !is_branch(name) => refused("git takes no such name"),
        _ => Ok(()),
    }
}

/// A path that stays in the repository and that git and every file system take for the same file.
fn path(path: &str) -> Result<(), &'static str> {
    if path.is_empty() || path.len() > 4096 {
        return Err("it has no name, or one that is too long");
    }
    if path.chars().any(|c| c.is_control() || "\\:*?\"<>|".contains(c)) {
        return Err("its name has a character that not every file system takes");
    }
    for part in path.split('/') {
        if part.is_empty() {
            return Err("it must be a path from the root of the repository");
        }
        // `..`, `.git`, `.gitattributes`, `.github/workflows`: a runbook is none of them.
        if part.starts_with('.') {
            return Err("no part of it may begin with a dot");
        }
        let short = part.to_ascii_lowercase();
        if part.ends_with(['.', ' ']) || short.starts_with("git~") {
            return Err("there are file systems that take it for another name");
        }
    }
    Ok(())
}

/// Whether git knows who commits. What it could guess from the machine's name is no answer.
pub(super) fn identity(git: &Git) -> Result<(), ProposeError> {
    for who in ["GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"] {
        let heard = git.heard(&["-c", "user.useConfigOnly=true", "var", who], None)?;
        if !heard.good {
            return Err(ProposeError::Identity(reason(&heard.complaint)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn only_plain_files_of_the_repository_are_written() {
        for good in ["a.md", "runbooks/pod/oom killed.md", "docs/ärger.md", "x/a..b.md"] {
            assert_eq!(path(good), Ok(()), "{good}");
        }
        let bad = [
            "",
            "/etc/x.md",
            "../x.md",
            "a/../x.md",
            "a/./x.md",
            "a//x.md",
            "a/",
            ".git/hooks/pre-commit",
            ".GIT/x",
            "x/.gitattributes",
            ".githooks/x.md",
            "GIT~1/x.md",
            "a\\b.md",
            "C:x.md",
            "a\nb.md",
            "a/x.md.",
            "a /x.md",
        ];
        for bad in bad {
            assert!(path(bad).is_err(), "{bad}");
        }
    }
}
