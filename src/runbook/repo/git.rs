//! The user's own git, run without a shell.
//!
//! *Invariant:* arguments are never parsed by anything but git, variables that would point git at another repository
//! are taken away, and nobody is asked anything unless a person waits at a terminal.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::Sync;
use crate::printable::one_line;

/// What is read of git's complaints, in bytes.
const COMPLAINT: usize = 64 * 1024;
/// What is read of its answers, in bytes.
const ANSWER: u64 = 1024 * 1024 * 1024;

/// Variables that a hook of another repository leaves behind.
pub(crate) const POINTERS: [&str; 12] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
];

/// Settings of a person that would write what was not asked for, or start what outlives the worktree.
const IN_A_WORKTREE: [&str; 14] = [
    "-c",
    "core.fileMode=false",
    "-c",
    "core.safecrlf=false",
    "-c",
    "core.sparseCheckout=false",
    "-c",
    "index.sparse=false",
    "-c",
    "submodule.recurse=false",
    "-c",
    "gc.auto=0",
    "-c",
    "maintenance.auto=false",
];

/// Git in one repository.
#[derive(Clone, Debug)]
pub(super) struct Git {
    pub(super) dir: PathBuf,
    pub(super) limit: Option<Duration>,
    pub(super) interactive: bool,
    /// A worktree of the repository, in which git then runs.
    pub(super) work: Option<PathBuf>,
    /// Where else it finds objects.
    pub(super) objects: Option<PathBuf>,
}

/// All that git said.
pub(super) struct Heard {
    pub(super) good: bool,
    pub(super) answer: Vec<u8>,
    pub(super) complaint: String,
}

/// Why git did not do it.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// It is not installed.
    #[error("git is not installed, or not in the PATH")]
    Missing,
    /// It could not be started.
    #[error("git can't be started: {0}")]
    Start(String),
    /// It took too long.
    #[error("git did not answer within {} s", .0.as_secs())]
    Slow(Duration),
    /// It said no.
    #[error("git: {0}")]
    Refused(String),
    /// Its answer is none that we know.
    #[error("git gave an answer that can't be read: {0}")]
    Odd(&'static str),
}

impl GitError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            GitError::Missing => "install git: runbooks are read with it",
            GitError::Slow(_) => "see whether `git ls-remote URL` answers, then `kubectl react runbooks sync`",
            GitError::Refused(text) => refusal_hint(text)?,
            GitError::Start(_) | GitError::Odd(_) => return None,
        };
        Some(hint.to_owned())
    }

    /// Whether it says that the source has no such branch.
    pub(super) fn says_no_branch(&self) -> bool {
        matches!(self, GitError::Refused(text) if text.contains("couldn't find remote ref"))
    }
}

fn refusal_hint(text: &str) -> Option<&'static str> {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    Some(if has(&["Authentication failed", "could not read", "Permission denied", "terminal prompts disabled"]) {
        "git's own credentials are used: `git ls-remote URL` must work, then `kubectl react runbooks sync`"
    } else if has(&["Host key verification failed"]) {
        "connect once with ssh, and look at the host's key before you accept it"
    } else if has(&["dubious ownership"]) {
        "the repository belongs to another user; `git help config` tells of safe.directory"
    } else if has(&["Could not resolve host", "unable to access", "Connection refused", "timed out"]) {
        "is the network there? git's settings for proxies hold"
    } else if has(&["not found", "does not appear to be a git repository", "does not exist"]) {
        "check the path or the URL: `git ls-remote URL` must work"
    } else {
        return None;
    })
}

impl Git {
    pub(super) fn new(dir: PathBuf, sync: Sync) -> Git {
        Git { dir, limit: sync.limit, interactive: sync.interactive, work: None, objects: None }
    }

    /// What git answers to `args`.
    pub(super) fn run(&self, args: &[&str]) -> Result<Vec<u8>, GitError> {
        self.fed(args, None)
    }

    /// The same as text, its end trimmed.
    pub(super) fn text(&self, args: &[&str]) -> Result<String, GitError> {
        Ok(String::from_utf8_lossy(&self.run(args)?).trim_end().to_owned())
    }

    /// What git answers to `args` when it reads `input`.
    pub(super) fn fed(&self, args: &[&str], input: Option<Vec<u8>>) -> Result<Vec<u8>, GitError> {
        let heard = self.talk(args, input, false)?;
        if heard.good { Ok(heard.answer) } else { Err(GitError::Refused(reason(&heard.complaint))) }
    }

    /// All that git says to `args`, whether it did them or not.
    pub(super) fn heard(&self, args: &[&str], input: Option<Vec<u8>>) -> Result<Heard, GitError> {
        self.talk(args, input, true)
    }

    fn talk(&self, args: &[&str], input: Option<Vec<u8>>, all: bool) -> Result<Heard, GitError> {
        let mut command = self.command();
        command.args(args);
        #[cfg(test)]
        staged::before(&mut command);
        let stdin = match (&input, self.interactive) {
            (Some(_), _) => Stdio::piped(),
            (None, true) => Stdio::inherit(),
            (None, false) => Stdio::null(),
        };
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => GitError::Missing,
            _ => GitError::Start(error.to_string()),
        })?;
        self.answer(&mut child, input, all)
    }

    fn command(&self) -> Command {
        let mut command = Command::new("git");
        match &self.work {
            Some(work) => command.arg("-C").arg(work),
            None => command.arg("--git-dir").arg(&self.dir),
        };
        command.args(["-c", "core.fsmonitor=false"]);
        if self.work.is_some() {
            command.args(IN_A_WORKTREE).env("GIT_EDITOR", "true");
        }
        for name in POINTERS {
            command.env_remove(name);
        }
        if let Some(objects) = &self.objects {
            command.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", objects);
        }
        command.env("LC_ALL", "C").env("GIT_OPTIONAL_LOCKS", "0");
        if !self.interactive {
            command.env("GIT_TERMINAL_PROMPT", "0").env("GCM_INTERACTIVE", "never");
            // ssh asks at the terminal whatever git is told, unless it has another program to ask with.
            if std::env::var_os("SSH_ASKPASS").is_none() {
                command.env("SSH_ASKPASS", "false").env("SSH_ASKPASS_REQUIRE", "force");
            }
        }
        command
    }

    fn answer(&self, child: &mut Child, input: Option<Vec<u8>>, all: bool) -> Result<Heard, GitError> {
        if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
            // It answers while it reads. Where it stops reading, its exit code says why.
            thread::spawn(move || drop(stdin.write_all(&input)));
        }
        let answer = reader(child.stdout.take(), ANSWER);
        let complaint = pieces(child.stderr.take());
        let received = match self.limit {
            Some(limit) => answer.recv_timeout(limit).map_err(|_| GitError::Slow(limit)),
            None => answer.recv().map_err(|_| GitError::Odd("its output ended early")),
        };
        if received.is_err() {
            // It may be gone already.
            let _ = child.kill();
        }
        let status = child.wait().map_err(|error| GitError::Start(error.to_string()))?;
        let bytes = received?;
        let good = status.success();
        let complaint = if all || !good { gathered(&complaint) } else { String::new() };
        Ok(Heard { good, answer: bytes, complaint })
    }
}

fn reader(from: Option<impl Read + Send + 'static>, most: u64) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(from) = from {
            let _ = from.take(most).read_to_end(&mut bytes);
        }
        let _ = sender.send(bytes);
    });
    receiver
}

/// What is said, piece by piece.
fn pieces(from: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let Some(mut from) = from else { return };
        let mut buffer = [0; 4096];
        while let Ok(size @ 1..) = from.read(&mut buffer) {
            if sender.send(buffer.get(..size).unwrap_or_default().to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// All of what was said up to now. A connection that ssh keeps for later holds it open after git has ended.
fn gathered(pieces: &mpsc::Receiver<Vec<u8>>) -> String {
    let end = Instant::now() + Duration::from_secs(1);
    let mut bytes = Vec::new();
    while let Ok(piece) = pieces.recv_timeout(end.saturating_duration_since(Instant::now())) {
        if bytes.len() < COMPLAINT {
            bytes.extend(piece);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The line of a complaint that says why.
pub(super) fn reason(complaint: &str) -> String {
    let lines = || complaint.lines().map(str::trim).filter(|line| !line.is_empty());
    let marked = |mark: &'static str| lines().find_map(move |line| line.strip_prefix(mark));
    // ssh and servers speak before git sums up.
    let said = lines().find(|line| line.contains("Permission denied") || line.contains("Host key verification failed"));
    let reason = said.or_else(|| marked("fatal: ")).or_else(|| marked("error: ")).or_else(|| lines().next_back());
    let reason = reason.unwrap_or("it failed without a word").trim_start_matches("remote: ");
    without_password(&one_line(reason))
}

/// A text whose URLs have lost what stands before `@`.
pub(super) fn without_password(text: &str) -> String {
    let words = text.split(' ').map(|word| match (word.find("://"), word.rfind('@')) {
        (Some(scheme), Some(at))
            if scheme + 3 < at && word.get(scheme + 3..at).is_some_and(|user| user.contains(':')) =>
        {
            format!("{}://…{}", word.get(..scheme).unwrap_or_default(), word.get(at..).unwrap_or_default())
        }
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The repository that has `path`, and where in it that is: a clone, a bare repository, or a folder of which the
/// repository around it knows.
pub(super) fn repository_of(path: &Path) -> Option<(PathBuf, Option<String>)> {
    if path.join(".git").exists() {
        return Some((path.to_owned(), None));
    }
    if path.join("HEAD").is_file() && path.join("objects").is_dir() && path.join("refs").is_dir() {
        return Some((path.to_owned(), None));
    }
    let root = path.ancestors().skip(1).find(|folder| folder.join(".git").exists())?;
    let inside = super::relative(root, path)?;
    let sync = Sync { skip: false, limit: Some(Duration::from_secs(5)), interactive: false };
    let git = Git::new(root.join(".git"), sync);
    git.run(&["rev-parse", "--verify", "--quiet", &format!("HEAD:{inside}")]).ok()?;
    Some((root.to_owned(), Some(inside)))
}

/// What tests put around git: an environment, and an end before one of its commands, as kill -9 makes it.
#[cfg(test)]
pub(super) mod staged {
    use std::cell::{Cell, RefCell};
    use std::process::Command;

    thread_local! {
        static ENVIRONMENT: RefCell<Vec<(String, String)>> = const { RefCell::new(Vec::new()) };
        static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
    }

    /// The environment of every git that this thread starts.
    pub(in crate::runbook::repo) fn environment(pairs: &[(String, String)]) {
        ENVIRONMENT.with_borrow_mut(|all| all.clone_from(&pairs.to_vec()));
    }

    /// Ends this thread before its git command number `count`, from 0 on; never where none is named.
    pub(in crate::runbook::repo) fn end_before(count: Option<usize>) {
        LEFT.set(count);
    }

    pub(super) fn before(command: &mut Command) {
        ENVIRONMENT.with_borrow(|all| command.envs(all.iter().map(|(name, value)| (name, value))));
        if let Some(left) = LEFT.get() {
            assert!(left > 0, "killed");
            LEFT.set(Some(left - 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{reason, without_password};

    #[test]
    fn complaints_are_cut_to_their_reason() {
        let table = [
            ("warning: x\nfatal: repository 'y' not found\n", "repository 'y' not found"),
            (
                "git@h: Permission denied (publickey).\nfatal: Could not read from remote repository.\n\nPlease make sure\n",
                "git@h: Permission denied (publickey).",
            ),
            ("error: pathspec\n", "pathspec"),
            ("", "it failed without a word"),
            ("fatal: unable to access 'https://u:p4ss@h/x/': x", "unable to access 'https://…@h/x/': x"),
        ];
        for (complaint, expected) in table {
            assert_eq!(reason(complaint), expected);
        }
        assert_eq!(without_password("see git@h:x and https://me@h/"), "see git@h:x and https://me@h/");
    }
}
