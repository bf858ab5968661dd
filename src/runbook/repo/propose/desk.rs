//! The worktree in which a commit is made.
//!
//! *Invariant:* it holds the edited files and nothing else. All other files of the repository are in its index alone, marked
//! as left out (as in a sparse checkout): so no link is followed, no filter fetches, no hook or setting of the
//! repository is there to be found, and a large repository costs nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::stand::words;
use super::{Edit, Message, ProposeError, Wish, patient};
use crate::printable::printable;
use crate::runbook::repo::git::{Git, GitError, reason, without_password};
use crate::runbook::repo::{RepoError, clone, tree};

pub(super) struct Desk {
    /// Git in the worktree.
    pub(super) git: Git,
    clone: Git,
    folder: PathBuf,
    /// Mode and blob of each file, by its path, as they were before.
    files: BTreeMap<String, (String, String)>,
}

/// What a commit did to a file.
pub(super) struct Change {
    pub(super) path: String,
    mode: String,
    before: String,
    after: String,
}

impl Desk {
    /// A worktree at a commit. What a killed run left is cleared away first.
    pub(super) fn lay(clone: &Git, start: &str) -> Result<Desk, ProposeError> {
        let folder = clone.dir.with_extension("work");
        let work = folder.join("tree");
        let git = Git { work: Some(work.clone()), ..patient(clone) };
        let mut desk = Desk { git, clone: patient(clone), folder, files: BTreeMap::new() };
        desk.clear();
        clone::make_private(&desk.folder)?;
        let place = work.display().to_string();
        // Twice forced: a run that was killed while it made one leaves it locked.
        let args = ["worktree", "add", "--quiet", "--force", "--force", "--detach", "--no-checkout", &place, start];
        desk.clone.run(&args)?;
        desk.git.run(&["read-tree", start])?;
        let listing = desk.git.run(&["ls-files", "--stage", "-z"])?;
        for line in listing.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
            let odd = || GitError::Odd("a line of ls-files");
            let tab = line.iter().position(|byte| *byte == b'\t').ok_or_else(odd)?;
            let head = String::from_utf8_lossy(line.get(..tab).unwrap_or_default());
            let mut head = head.split(' ').map(str::to_owned);
            let (mode, blob) = head.next().zip(head.next()).ok_or_else(odd)?;
            // A name that is no text is none of ours.
            if let Ok(path) = str::from_utf8(line.get(tab + 1..).unwrap_or_default()) {
                desk.files.insert(path.to_owned(), (mode, blob));
            }
        }
        let names = desk.git.run(&["ls-files", "-z"])?;
        desk.git.fed(&["update-index", "-z", "--skip-worktree", "--stdin"], Some(names))?;
        Ok(desk)
    }

    fn clear(&self) {
        // What can't be cleared is in the way of what follows, which then says so.
        let _ = fs::remove_dir_all(&self.folder);
        let _ = self.clone.run(&["worktree", "prune", "--expire=now"]);
    }

    /// Writes the edits and puts them into the index. What it gives is for people.
    pub(super) fn put(&self, edits: &[Edit]) -> Result<Vec<String>, ProposeError> {
        let mut notes = Vec::new();
        for edit in edits {
            self.fits(&edit.path)?;
        }
        let filters = self.filters(edits)?;
        for edit in edits {
            if let Some(filter) = filters.get(&edit.path) {
                notes.extend(self.filter(&edit.path, filter)?);
            }
            self.write(edit)?;
        }
        let paths: Vec<&str> = edits.iter().map(|edit| edit.path.as_str()).collect();
        if paths.is_empty() {
            return Ok(notes);
        }
        let known: Vec<&str> = paths.iter().copied().filter(|path| self.files.contains_key(*path)).collect();
        if !known.is_empty() {
            let args = ["--literal-pathspecs", "update-index", "--no-skip-worktree", "--"];
            self.git.run(&[args.as_slice(), known.as_slice()].concat())?;
        }
        let args = ["--literal-pathspecs", "add", "--force", "--"];
        self.git.run(&[args.as_slice(), paths.as_slice()].concat())?;
        for edit in edits.iter().filter(|edit| filters.contains_key(&edit.path)) {
            self.still_text(edit, &filters)?;
        }
        Ok(notes)
    }

    /// Whether a file can be there: no file, link or submodule on the way, and nothing but a file at its end.
    fn fits(&self, path: &str) -> Result<(), ProposeError> {
        let refused = |reason: String| Err(ProposeError::Path { path: path.to_owned(), reason });
        let what = |mode: &str| match mode {
            "120000" => "a symbolic link",
            "160000" => "a submodule",
            _ => "a file",
        };
        for (end, _) in path.match_indices('/') {
            let folder = path.get(..end).unwrap_or_default();
            if let Some((mode, _)) = self.files.get(folder) {
                return refused(format!("`{folder}` is {} in the repository", what(mode)));
            }
        }
        if let Some((mode, _)) = self.files.get(path).filter(|(mode, _)| !mode.starts_with("100")) {
            return refused(format!("it is {} in the repository", what(mode)));
        }
        let below = format!("{path}/");
        if self.files.range(below.clone()..).next().is_some_and(|(other, _)| other.starts_with(&below)) {
            return refused("it is a folder in the repository".to_owned());
        }
        Ok(())
    }

    fn write(&self, edit: &Edit) -> Result<(), ProposeError> {
        let content = match self.files.get(&edit.path) {
            Some((_, blob)) => like(&tree::blobs(&self.clone, &[blob])?.concat(), &edit.content),
            None => edit.content.clone(),
        };
        let path = self.work().join(&edit.path);
        let unwritable = |error: std::io::Error| {
            ProposeError::Repo(RepoError::Unreadable { path: path.clone(), reason: error.to_string() })
        };
        fs::create_dir_all(path.parent().unwrap_or(&path)).map_err(unwritable)?;
        fs::write(&path, content).map_err(unwritable)
    }

    fn work(&self) -> PathBuf {
        self.folder.join("tree")
    }

    /// The filters of the paths that have one.
    fn filters(&self, edits: &[Edit]) -> Result<BTreeMap<String, String>, ProposeError> {
        let input = edits.iter().fold(String::new(), |input, edit| input + &edit.path + "\0");
        let args = ["check-attr", "--cached", "-z", "--stdin", "filter"];
        let listing = self.git.fed(&args, Some(input.into_bytes()))?;
        let mut words = words(&listing);
        let mut filters = BTreeMap::new();
        while let (Some(path), Some(_), Some(value)) = (words.next(), words.next(), words.next()) {
            if !["unspecified", "unset", "set"].contains(&value.as_str()) {
                filters.insert(path, value);
            }
        }
        Ok(filters)
    }

    /// Git leaves out a filter that nobody has set up. That is well for LFS; another one may be there to encrypt.
    fn filter(&self, path: &str, filter: &str) -> Result<Option<String>, ProposeError> {
        let set = |key: &str| self.git.run(&["config", "--get", &format!("filter.{filter}.{key}")]).is_ok();
        if set("clean") || set("process") {
            return Ok(None);
        }
        if filter == "lfs" {
            return Ok(Some(format!("`{path}` is for Git LFS by .gitattributes; it is committed as plain text")));
        }
        let reason = "it is not set up here";
        Err(ProposeError::Filtered { path: path.to_owned(), filter: filter.to_owned(), reason })
    }

    /// Whether a filter left a text that can be read as a runbook.
    fn still_text(&self, edit: &Edit, filters: &BTreeMap<String, String>) -> Result<(), ProposeError> {
        let blob = self.blob(&edit.path).unwrap_or_default();
        let bytes = tree::blobs(&self.git, &[&blob])?.concat();
        let first = |text: &str| text.lines().next().unwrap_or_default().trim_end().to_owned();
        if str::from_utf8(&bytes).is_ok_and(|text| first(text) == first(&edit.content)) {
            return Ok(());
        }
        Err(ProposeError::Filtered {
            path: edit.path.clone(),
            filter: filters.get(&edit.path).cloned().unwrap_or_default(),
            reason: "what it makes of the text is no runbook",
        })
    }

    /// The blob of a path as it was before.
    pub(super) fn before(&self, path: &str) -> Option<String> {
        let now = self.files.get(path)?;
        Some(now.1.clone())
    }

    /// The blob of a path as it is to be.
    pub(super) fn blob(&self, path: &str) -> Option<String> {
        let blob = self.git.text(&["rev-parse", "--verify", "--quiet", &format!(":0:{path}")]);
        blob.ok().filter(|blob| !blob.is_empty())
    }

    /// Whether the index is another tree than that of a commit.
    pub(super) fn changed(&self, start: &str) -> Result<bool, ProposeError> {
        let tree = self.git.text(&["write-tree"])?;
        Ok(tree != self.git.text(&["rev-parse", &format!("{start}^{{tree}}")])?)
    }

    /// Makes the commit; gives its id.
    pub(super) fn commit(&self, message: &Message, signoff: bool) -> Result<String, ProposeError> {
        let mut args = vec!["commit", "--quiet", "--cleanup=whitespace", "--file=-"];
        args.extend(signoff.then_some("--signoff"));
        self.made(&args, Some(message.text().into_bytes()))
    }

    fn made(&self, args: &[&str], input: Option<Vec<u8>>) -> Result<String, ProposeError> {
        let heard = self.git.heard(args, input)?;
        if !heard.good {
            return Err(ProposeError::Commit(last_words(&heard.complaint)));
        }
        Ok(self.git.text(&["rev-parse", "--verify", "HEAD"])?)
    }

    /// Makes a commit of ours again, on what is here now.
    pub(super) fn repeat(&mut self, clone: &Git, commit: &str, branch: &str) -> Result<String, ProposeError> {
        let (mut lines, mut left_out) = (String::new(), String::new());
        for change in changed_by(clone, commit)? {
            let here = self.before(&change.path);
            let [before, after] = [&change.before, &change.after].map(|blob| Some(blob).filter(|blob| !is_none(blob)));
            if here.as_ref() == after {
                continue;
            }
            if here.as_ref() != before || self.fits(&change.path).is_err() {
                return Err(ProposeError::Diverged { branch: branch.to_owned(), path: change.path });
            }
            lines += &format!("{} {}\t{}\0", change.mode, change.after, change.path);
            if after.is_some() {
                left_out += &format!("{}\0", change.path);
                self.files.insert(change.path, (change.mode, change.after));
            } else {
                self.files.remove(&change.path);
            }
        }
        if lines.is_empty() {
            return Ok(self.git.text(&["rev-parse", "--verify", "HEAD"])?);
        }
        self.git.fed(&["update-index", "-z", "--index-info"], Some(lines.into_bytes()))?;
        self.git.fed(&["update-index", "-z", "--skip-worktree", "--stdin"], Some(left_out.into_bytes()))?;
        self.made(&["commit", "--quiet", "--reuse-message", commit], None)
    }

    /// A note on files that a hook put into the commit too.
    pub(super) fn others(&self, commit: &str, wish: &Wish) -> Result<Option<String>, ProposeError> {
        let mut paths: Vec<String> = changed_by(&self.clone, commit)?.into_iter().map(|change| change.path).collect();
        paths.retain(|path| !wish.edits.iter().any(|edit| edit.path == *path));
        let note = format!("a hook of yours also changed {}", paths.join(", "));
        Ok((!paths.is_empty()).then_some(note))
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // A run that is killed leaves it too; the next one clears it away.
        if !std::thread::panicking() {
            self.clear();
        }
    }
}

/// Whether git means no blob by it.
fn is_none(blob: &str) -> bool {
    blob.bytes().all(|byte| byte == b'0')
}

/// What a commit changed.
pub(super) fn changed_by(git: &Git, commit: &str) -> Result<Vec<Change>, GitError> {
    let listing = git.run(&["diff-tree", "-r", "-z", "--no-commit-id", "--no-renames", "--root", commit])?;
    let mut words = words(&listing);
    let mut changes = Vec::new();
    while let (Some(head), Some(path)) = (words.next(), words.next()) {
        let parts: Vec<&str> = head.split(' ').collect();
        let [_, mode, before, after, _] = parts.as_slice() else { return Err(GitError::Odd("a line of diff-tree")) };
        changes.push(Change {
            path,
            mode: (*mode).to_owned(),
            before: (*before).to_owned(),
            after: (*after).to_owned(),
        });
    }
    Ok(changes)
}

/// A text with the line ends of the file that was there.
fn like(before: &[u8], content: &str) -> String {
    let newlines = before.split(|byte| *byte == b'\n').count().saturating_sub(1);
    let crlf = before.windows(2).filter(|pair| *pair == b"\r\n").count();
    if crlf * 2 > newlines && !content.contains('\r') { content.replace('\n', "\r\n") } else { content.to_owned() }
}

/// The last lines of what hooks and git said.
fn last_words(said: &str) -> String {
    let said = printable(said);
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(5)..).unwrap_or_default();
    if last.is_empty() { reason("") } else { without_password(&last.join(" / ")) }
}

impl Message {
    /// The text of the commit.
    pub(super) fn text(&self) -> String {
        let line = |text: &str| crate::printable::one_line(text).trim().to_owned();
        let mut text = line(&self.subject) + "\n";
        let body = printable(&self.body);
        if !body.trim().is_empty() {
            text += &format!("\n{}\n", body.trim());
        }
        let is_key =
            |key: &str| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let trailers: Vec<String> = (self.trailers.iter())
            .map(|(key, value)| (key, line(value)))
            .filter(|(key, value)| is_key(key) && !value.is_empty())
            .map(|(key, value)| format!("{key}: {value}\n"))
            .collect();
        if !trailers.is_empty() {
            text += &format!("\n{}", trailers.concat());
        }
        text
    }
}
