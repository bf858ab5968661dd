//! The push, and what it means when a server says no.

use super::{Wish, stand};
use crate::printable::one_line;
use crate::runbook::repo::git::{Git, GitError, reason, without_password};

/// What servers say where the branch has other commits than they, or we, thought.
const MOVED: [&str; 4] = ["(fetch first)", "(non-fast-forward)", "(stale info)", "but expected"];
/// So many lines of a server are kept.
const MAX_LINES: usize = 40;

/// Whether the remote has the branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// Nothing was pushed: it was not wished, or there was nothing.
    No,
    /// It has it now.
    Yes,
    /// It had it already.
    UpToDate,
    /// It has not. The commit is on the branch of the private clone.
    Failed {
        /// Why, in one line.
        reason: String,
        /// What to do, with the command that pushes it.
        hint: String,
    },
}

/// What came of a push.
pub(super) struct Sent {
    pub(super) pushed: Pushed,
    /// Whether the remote's branch has commits that ours has not.
    pub(super) moved: bool,
    pub(super) server: Vec<String>,
    pub(super) notes: Vec<String>,
}

pub(super) fn push(git: &Git, url: &str, wish: &Wish) -> Sent {
    let mut sent = push_with(git, url, wish, &wish.push_options);
    let refused = |sent: &Sent| matches!(&sent.pushed, Pushed::Failed { reason, .. } if reason.contains("does not support push options"));
    if !wish.push_options.is_empty() && refused(&sent) {
        sent = push_with(git, url, wish, &[]);
        sent.notes.push("the server takes no push options: it was pushed without".to_owned());
    }
    if sent.pushed == Pushed::Yes && std::path::Path::new(url).join(".git").exists() {
        let command = format!("git -C {} push origin {}", quoted(url), quoted(&wish.branch));
        sent.notes.push(format!("the branch is in a repository on this machine; `{command}` takes it further"));
    }
    sent
}

fn push_with(git: &Git, url: &str, wish: &Wish, options: &[String]) -> Sent {
    let refspec = refspec(&wish.branch);
    let mut args = vec!["push", "--porcelain", "--no-follow-tags", "--no-recurse-submodules"];
    for option in options {
        args.extend(["-o", option]);
    }
    args.extend(["--", url, &refspec]);
    let heard = match git.heard(&args, None) {
        Ok(heard) => heard,
        Err(error) => {
            return Sent {
                pushed: failed(git, url, wish, &error.to_string(), hint_of(&error)),
                moved: false,
                server: Vec::new(),
                notes: Vec::new(),
            };
        }
    };
    let answer = String::from_utf8_lossy(&heard.answer).into_owned();
    let server = said_by_server(&heard.complaint);
    let sent = |pushed, moved| Sent { pushed, moved, server: server.clone(), notes: Vec::new() };
    if heard.good {
        stand::pushed(git, &wish.branch);
        let same = answer.lines().any(|line| line.starts_with('='));
        return sent(if same { Pushed::UpToDate } else { Pushed::Yes }, false);
    }
    let all = format!("{}\n{answer}", heard.complaint);
    let moved = MOVED.iter().any(|word| all.contains(word));
    sent(failed(git, url, wish, &why(&all), advice(&all)), moved)
}

fn refspec(branch: &str) -> String {
    format!("refs/heads/{branch}:refs/heads/{branch}")
}

fn failed(git: &Git, url: &str, wish: &Wish, reason: &str, advice: &str) -> Pushed {
    let dir = git.dir.display().to_string();
    let command = format!("git -C {} push {} {}", quoted(&dir), quoted(url), quoted(&refspec(&wish.branch)));
    let separator = if advice.is_empty() { "" } else { "; " };
    Pushed::Failed {
        reason: clean(reason),
        hint: format!("{advice}{separator}the commit is kept, and `{command}` pushes it"),
    }
}

fn hint_of(error: &GitError) -> &'static str {
    match error {
        GitError::Slow(_) => "the server is slow, or not there; run it again",
        _ => "",
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:@+=,".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// One line without what a terminal would follow, and without passwords.
fn clean(text: &str) -> String {
    let text = without_password(&one_line(text));
    match text.char_indices().nth(400) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// What the server itself said.
fn said_by_server(complaint: &str) -> Vec<String> {
    let lines = complaint.split(['\n', '\r']).filter_map(|line| line.trim_start().strip_prefix("remote:"));
    lines.map(|line| clean(line.trim())).filter(|line| !line.is_empty()).take(MAX_LINES).collect()
}

/// The line that says why: a server's own error before git's summary of it.
fn why(all: &str) -> String {
    let lines = || all.lines().map(str::trim);
    let server = lines().filter_map(|line| line.strip_prefix("remote:")).map(str::trim);
    let mut errors = server.filter_map(|line| {
        ["error: ", "ERROR: ", "GitLab: ", "fatal: "].iter().find_map(|mark| line.strip_prefix(mark))
    });
    if let Some(error) = errors.next() {
        return error.to_owned();
    }
    let rejected = lines().find(|line| line.starts_with('!')).and_then(|line| {
        let (_, words) = line.rsplit_once('\t').or_else(|| line.split_once(' '))?;
        Some(words.trim().to_owned())
    });
    rejected.unwrap_or_else(|| reason(all))
}

/// What to do about it.
fn advice(all: &str) -> &'static str {
    let has = |words: &[&str]| words.iter().any(|word| all.contains(word));
    if has(&["GH006", "GH013", "rotected branch", "TF402455", "branch is protected"]) {
        "the branch is protected there: name another with `--branch`"
    } else if has(&["hook declined", "declined by", "TF401"]) {
        "a rule of the server refuses it; it says which above"
    } else if has(&["refusing to update checked out branch"]) {
        "the branch is checked out there"
    } else if has(&[
        "insufficient permission",
        "unable to create temporary object directory",
        "unpacker error",
        "unable to migrate objects",
        "Read-only file system",
        "read-only",
        "read only",
        "archived",
    ]) {
        "the repository can't be written to"
    } else if has(&[
        "Authentication failed",
        "Permission denied",
        "could not read Username",
        "could not read Password",
        "terminal prompts disabled",
        "error: 401",
        "error: 403",
        "Permission to",
        "not allowed to push",
        "access denied",
        "Access denied",
        "Host key verification failed",
    ]) {
        "git's own credentials are used, and they may not push here"
    } else if has(&MOVED) {
        "someone pushes to the branch at the same time; run it again"
    } else if has(&[
        "Could not resolve host",
        "Connection refused",
        "Connection reset",
        "Connection closed",
        "timed out",
        "Network is unreachable",
        "unable to access",
        "No route to host",
        "early EOF",
        "hung up",
    ]) {
        "is the network there? Run it again later"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::{advice, clean, quoted, said_by_server, why};

    #[test]
    fn refusals_say_why_and_what_to_do() {
        let table = [
            (
                "remote: error: GH006: Protected branch update failed for refs/heads/x.\nremote: error: x\nTo https://h/x\n \
                 !\trefs/heads/x:refs/heads/x\t[remote rejected] (protected branch hook declined)\n",
                "GH006: Protected branch update failed for refs/heads/x.",
                "the branch is protected",
            ),
            (
                "remote: GitLab: You are not allowed to push code to protected branches on this project.\nTo x\n!\ta:b\t\
                 [remote rejected] (pre-receive hook declined)\n",
                "You are not allowed to push code to protected branches on this project.",
                "the branch is protected",
            ),
            (
                "remote: name it better\nTo x\n!\ta:b\t[remote rejected] (pre-receive hook declined)\n",
                "[remote rejected] (pre-receive hook declined)",
                "a rule of the server",
            ),
            (
                "To /x\n!\trefs/heads/x:refs/heads/x\t[rejected] (fetch first)\nDone\n",
                "[rejected] (fetch first)",
                "at the same time",
            ),
            (
                "fatal: unable to access 'https://me:pw@h/x.git/': The requested URL returned error: 403\n",
                "unable to access 'https://…@h/x.git/': The requested URL returned error: 403",
                "credentials",
            ),
            (
                "fatal: could not read Username for 'https://h': terminal prompts disabled\n",
                "could not read Username for 'https://h': terminal prompts disabled",
                "credentials",
            ),
            (
                "git@h: Permission denied (publickey).\r\nfatal: Could not read from remote repository.\n",
                "git@h: Permission denied (publickey).",
                "credentials",
            ),
            (
                "ssh: Could not resolve hostname h\nfatal: Could not read from remote repository.\n",
                "Could not read from remote repository.",
                "",
            ),
            (
                "fatal: unable to access 'https://h/': Could not resolve host: h\n",
                "unable to access 'https://h/': Could not resolve host: h",
                "network",
            ),
            (
                "remote: error: insufficient permission for adding an object to repository database ./objects\n",
                "insufficient permission for adding an object to repository database ./objects",
                "can't be written",
            ),
            (
                "ERROR: This repository was archived so it is read-only.\nfatal: Could not read from remote repository.\n",
                "Could not read from remote repository.",
                "can't be written",
            ),
        ];
        for (all, reason, hint) in table {
            assert_eq!(clean(&why(all)), reason);
            assert!(advice(all).contains(hint), "{all}: {}", advice(all));
            assert!(!advice(all).is_empty() || hint.is_empty(), "{all}");
        }
    }

    #[test]
    fn what_a_server_says_is_harmless() {
        let said = said_by_server(
            "To x\nremote: \u{1b}[31mView it:\u{1b}[0m        \nremote:   https://me:pw@h/1\rremote: \n",
        );
        assert_eq!(said, ["View it:", "https://…@h/1"]);
        assert_eq!(quoted("/a b'c"), r"'/a b'\''c'");
        assert_eq!(quoted("git@h:x/y.git"), "git@h:x/y.git");
    }
}
