//! What is proposed and not merged: a branch or a pull request of the remote, and the checkout that a person works in.
//!
//! *Invariant:* nothing of it becomes trusted. It is fetched into the private clone under a name that nothing else reads
//! and that is gone when its commit is known; the branch that is followed stays where it is. A checkout is only read.

use std::path::Path;
use std::time::Duration;

use super::git::Git;
use super::{Collection, Found, Reader, RepoError, Sync, Wanted, clone, folder, place};

/// A checkout answers at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runbooks that somebody wants to have merged.
#[derive(Debug)]
pub struct Proposal {
    /// What it is, for people: "branch `x`".
    pub title: String,
    /// What it holds.
    pub head: Collection,
    /// Where it left the trusted branch; none where that can't be told.
    pub base: Option<Collection>,
    /// The trusted branch, for people.
    pub trusted: String,
    /// What a reader should know of how it was found.
    pub notes: Vec<String>,
}

impl Collection {
    /// A branch of the remote, or a pull request: `12`, `#12`, `!12`, its URL. It is fetched, and not trusted.
    ///
    /// # Errors
    /// When it is no repository, has no such branch, or can't be reached.
    pub fn proposal(&self, wanted: &Wanted, name: &str, sync: Sync) -> Result<Proposal, RepoError> {
        let unknown = || RepoError::NoProposal(name.to_owned(), self.source.clone());
        let (Reader::Clone(git), Found::Repository { url, inside }) = (&self.reader, place(wanted)?) else {
            return Err(RepoError::NoCommit(name.to_owned(), format!("`{}`, which is no git repository", self.source)));
        };
        let git = Git { limit: sync.limit, interactive: sync.interactive, ..git.clone() };
        let asked = Asked::of(name, &self.source).ok_or_else(unknown)?;
        let commit = asked.fetch(&git, &url)?.ok_or_else(unknown)?;
        let at = |commit: &str| clone::at(&git, wanted, inside.as_deref(), commit, self);
        let (mut notes, mut base) = (Vec::new(), self.commit.clone());
        match git.text(&["merge-base", &self.commit, &commit]) {
            Ok(common) => base = common,
            Err(_) => notes.push("it has no commit in common with the trusted branch".to_owned()),
        }
        let trusted = wanted.branch.clone().unwrap_or_else(|| "HEAD".to_owned());
        Ok(Proposal { title: asked.title, head: at(&commit)?, base: Some(at(&base)?), trusted, notes })
    }

    /// Whether there is a file or a folder of this path, whatever it is.
    pub fn has(&self, path: &str) -> bool {
        match &self.reader {
            Reader::Builtin => self.entries.iter().any(|entry| entry.path == path),
            Reader::Folder(root) => root.join(path).exists(),
            Reader::Clone(git) => git.run(&["cat-file", "-e", &format!("{}:{path}", self.commit)]).is_ok(),
        }
    }
}

/// What a person asks for, by the names that a remote may have for it.
struct Asked {
    title: String,
    references: Vec<String>,
}

impl Asked {
    fn of(name: &str, source: &str) -> Option<Asked> {
        let name = name.trim();
        let number = if name.contains("://") { Some(numbered(name, source)?) } else { number(name) };
        if let Some(number) = number {
            // GitHub and Gitea, GitLab, Azure DevOps.
            let references = ["refs/pull/N/head", "refs/merge-requests/N/head", "refs/pull/N/merge"];
            let references = references.iter().map(|name| name.replace('N', &number)).collect();
            return Some(Asked { title: format!("pull request {number}"), references });
        }
        let branch = name.strip_prefix("refs/heads/").unwrap_or(name);
        clone::is_branch(branch)
            .then(|| Asked { title: format!("branch `{branch}`"), references: vec![format!("refs/heads/{branch}")] })
    }

    /// Its commit, in the clone; none where the remote has nothing of the name.
    fn fetch(&self, git: &Git, url: &str) -> Result<Option<String>, RepoError> {
        let _lock = clone::lock(&git.dir.with_extension("lock"))?;
        let ours = format!("refs/react/proposed/{}", std::process::id());
        for theirs in &self.references {
            let spec = format!("+{theirs}:{ours}");
            match git.run(&["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", url, &spec]) {
                Ok(_) => {
                    let commit = clone::commit_of(git, &ours);
                    git.run(&["update-ref", "-d", &ours])?;
                    return Ok(commit);
                }
                Err(error) if error.says_no_branch() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }
}

/// `12`, `#12`, `!12`.
fn number(name: &str) -> Option<String> {
    let digits = name.strip_prefix(['#', '!']).unwrap_or(name);
    let plain = !digits.is_empty() && digits.len() <= 12 && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.to_owned())
}

/// The number of a pull request's URL, where it is one of this repository.
fn numbered(url: &str, source: &str) -> Option<String> {
    let marks = ["/pull/", "/pulls/", "/-/merge_requests/", "/merge_requests/", "/pullrequest/"];
    let (before, after) = marks.iter().find_map(|mark| url.split_once(mark))?;
    let last = |text: &str| {
        let text = text.trim_end_matches('/');
        let name = text.rsplit(['/', ':', '\\']).next().unwrap_or_default();
        name.strip_suffix(".git").unwrap_or(name).to_ascii_lowercase()
    };
    let same = last(before) == last(source);
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    same.then(|| number(&digits)).flatten()
}

/// The files around `here` as they lie there, committed or not, and where its branch left the trusted one. `bases` are
/// names of branches or commits that may be it, the surest first.
///
/// # Errors
/// When the folder can't be read.
pub fn checkout(here: &Path, path: Option<&str>, bases: &[String]) -> Result<Proposal, RepoError> {
    let shown = here.display().to_string();
    let here = here.canonicalize().map_err(|_| RepoError::NoFolder(shown.clone()))?;
    let root = here.ancestors().find(|folder| folder.join(".git").exists());
    let source = root.unwrap_or(&here).display().to_string();
    let path = path.map(str::to_owned);
    let wanted = Wanted { source, branch: None, path, cache: std::path::PathBuf::new() };
    let head = folder::read(root.unwrap_or(&here), &wanted)?;
    let title = "the working copy".to_owned();
    let alone = |head, note: &str| Proposal {
        title: title.clone(),
        head,
        base: None,
        trusted: String::new(),
        notes: vec![format!("{note}: all runbooks are shown")],
    };
    let Some(root) = root else { return Ok(alone(head, "this is no git repository")) };
    let git = Git::new(root.join(".git"), Sync { skip: false, limit: Some(PATIENCE), interactive: false });
    let Some((trusted, tip)) = trusted(&git, bases) else {
        let note = "the trusted branch is not in this checkout (in a workflow: `fetch-depth: 0`)";
        return Ok(alone(head, note));
    };
    let mut notes = Vec::new();
    let common = git.text(&["merge-base", &tip, "HEAD"]).ok().filter(|commit| !commit.is_empty());
    if common.is_none() {
        notes.push(format!(
            "no commit in common with `{trusted}` is in this checkout, so it is compared with its newest"
        ));
    }
    let base = clone::at(&git, &wanted, None, &common.unwrap_or(tip), &head)?;
    let mut head = head;
    same_lines(&base, &mut head);
    Ok(Proposal { title, head, base: Some(base), trusted, notes })
}

/// What differs by the ends of its lines only is the same: git may have written it so.
fn same_lines(base: &Collection, head: &mut Collection) {
    let Reader::Folder(root) = &head.reader else { return };
    for entry in &mut head.entries {
        let before = base.entries.iter().find(|old| old.path == entry.path);
        let Some(before) = before.filter(|before| before.blob != entry.blob) else { continue };
        let text = folder::bytes(root, &entry.path).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        if text.is_some_and(|text| super::blob_id(text.replace("\r\n", "\n").as_bytes()) == before.blob) {
            entry.blob.clone_from(&before.blob);
        }
    }
}

/// The branch that is trusted, and its commit.
fn trusted(git: &Git, bases: &[String]) -> Option<(String, String)> {
    let remotes = git.text(&["remote"]).unwrap_or_default();
    let remote = remotes.lines().find(|name| *name == "origin").or_else(|| remotes.lines().next());
    let remote = remote.filter(|name| clone::is_branch(name)).unwrap_or("origin");
    let named = bases.iter().map(|name| name.strip_prefix("refs/heads/").unwrap_or(name));
    let named = named.filter(|name| clone::is_branch(name)).flat_map(|name| {
        let commit = name.len() >= 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        commit
            .then(|| (name.to_owned(), name.to_owned()))
            .into_iter()
            .chain([(format!("{remote}/{name}"), format!("refs/remotes/{remote}/{name}"))])
    });
    let usual =
        ["HEAD", "main", "master"].map(|name| (format!("{remote}/{name}"), format!("refs/remotes/{remote}/{name}")));
    named.chain(usual).find_map(|(name, reference)| Some((name, clone::commit_of(git, &reference)?)))
}

/// What differs between two collections, by path and bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// `added`, `changed`, `removed` or `renamed`.
    pub what: &'static str,
    /// Its path; of a removed one, where it was.
    pub path: String,
    /// Where it was, unless it is new.
    pub from: Option<String>,
}

/// What `head` has that `base` has not, and the reverse. A file that only moved, or kept its name, is renamed.
pub fn differences(base: &Collection, head: &Collection) -> Vec<Difference> {
    let blob = |collection: &Collection, path: &str| {
        let found = collection.entries.binary_search_by(|entry| entry.path.as_str().cmp(path)).ok()?;
        collection.entries.get(found).map(|entry| entry.blob.clone())
    };
    let stem = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let mut gone: Vec<&super::Entry> = base.entries.iter().filter(|entry| blob(head, &entry.path).is_none()).collect();
    let mut differences = Vec::new();
    for entry in &head.entries {
        let before = blob(base, &entry.path);
        if before.as_ref() == Some(&entry.blob) {
            continue;
        }
        let moved = before.is_none().then(|| {
            let same = gone.iter().position(|old| old.blob == entry.blob);
            same.or_else(|| gone.iter().position(|old| stem(&old.path) == stem(&entry.path)))
        });
        let moved = moved.flatten().map(|at| gone.remove(at).path.clone());
        let (what, from) = match (before, moved) {
            (Some(_), _) => ("changed", Some(entry.path.clone())),
            (None, Some(from)) => ("renamed", Some(from)),
            (None, None) => ("added", None),
        };
        differences.push(Difference { what, path: entry.path.clone(), from });
    }
    differences.extend(gone.into_iter().map(|entry| Difference {
        what: "removed",
        path: entry.path.clone(),
        from: Some(entry.path.clone()),
    }));
    differences.sort_by(|a, b| a.path.cmp(&b.path));
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_understood() {
        let table = [
            ("12", Some("pull request 12")),
            ("#12", Some("pull request 12")),
            ("!12", Some("pull request 12")),
            ("https://github.com/team/runbooks/pull/12", Some("pull request 12")),
            ("https://github.com/team/runbooks/pull/12/files#x", Some("pull request 12")),
            ("https://git.example.org/team/runbooks/-/merge_requests/7", Some("pull request 7")),
            ("https://dev.azure.com/o/p/_git/runbooks/pullrequest/9?x=y", Some("pull request 9")),
            ("https://github.com/team/other/pull/12", None),
            ("https://github.com/team/runbooks/pull/x", None),
            ("https://github.com/team/runbooks", None),
            ("fix/oom", Some("branch `fix/oom`")),
            ("refs/heads/12", Some("branch `12`")),
            ("--upload-pack=x", None),
            ("a..b", None),
            ("a b", None),
            ("a:b", None),
            ("", None),
        ];
        for (name, expected) in table {
            for source in ["git@github.com:team/runbooks.git", "https://h/team/runbooks", "/srv/runbooks.git/"] {
                let title = Asked::of(name, source).map(|asked| asked.title);
                assert_eq!(title.as_deref(), expected, "{name} of {source}");
            }
        }
    }
}
