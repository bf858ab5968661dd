//! Proposals to repositories that a team could have, with the git that is installed.

mod branches;
mod commits;
mod failures;
mod files;
mod killed;
mod patches;

use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;
use crate::runbook::repo::git::staged;

const NOW: Sync = Sync { skip: false, limit: None, interactive: false };
const BRANCH: &str = "react/oom";

/// A team: its bare repository, someone who pushes to it, and the home of the one who proposes.
struct Team {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

impl Team {
    /// With one commit: a runbook, and things that are nobody's business.
    fn new() -> Team {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        std::fs::create_dir_all(&home).unwrap();
        let pairs = [
            ("HOME", home.display().to_string()),
            ("XDG_CONFIG_HOME", home.display().to_string()),
            ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
            ("GIT_CONFIG_GLOBAL", folder.path().join("gitconfig").display().to_string()),
        ];
        let environment = pairs.map(|(name, value)| (name.to_owned(), value)).to_vec();
        staged::environment(&environment);
        staged::end_before(None);
        let team = Team { folder, environment };
        team.config("[user]\n\tname = Ada\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n");
        team.git("", &["init", "-q", "--bare", "remote.git"]);
        team.git("", &["init", "-q", "other"]);
        team.git("other", &["config", "core.fileMode", "false"]);
        team.write("README.md", "# Runbooks\n");
        team.write("runbooks/a/one.md", "# One\n\nFirst.\n");
        team.write("tools/run.sh", "#!/bin/sh\n");
        team.git("other", &["add", "-A"]);
        team.git("other", &["update-index", "--chmod=+x", "tools/run.sh"]);
        team.git("other", &["commit", "-qm", "start"]);
        team.git("other", &["push", "-q", "../remote.git", "main"]);
        team
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Replaces the git configuration of the one who proposes, which all share.
    fn config(&self, text: &str) {
        std::fs::write(self.path("gitconfig"), text).unwrap();
    }

    fn more_config(&self, text: &str) {
        let before = std::fs::read_to_string(self.path("gitconfig")).unwrap();
        self.config(&(before + text));
    }

    /// Git as a person runs it, in a folder of the team's.
    fn git(&self, dir: &str, args: &[&str]) -> String {
        let (good, text) = self.try_git(dir, args);
        assert!(good, "{args:?}: {text}");
        text
    }

    fn try_git(&self, dir: &str, args: &[&str]) -> (bool, String) {
        let mut command = Command::new("git");
        command.current_dir(self.path(dir)).args(args);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let output = command.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).trim_end().to_owned())
    }

    /// Writes a file of the one who pushes.
    fn write(&self, path: &str, text: &str) {
        let path = self.path("other").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Someone else commits all they wrote, and pushes it to a branch.
    fn others_push(&self, branch: &str) -> String {
        self.git("other", &["add", "-A"]);
        let hookless = ["-c", "core.hooksPath=/nowhere"];
        self.git("other", &[&hookless[..], &["commit", "-q", "--allow-empty", "-m", "theirs"]].concat());
        self.git("other", &["-c", hookless[1], "push", "-q", "../remote.git", &format!("HEAD:refs/heads/{branch}")]);
        self.git("other", &["rev-parse", "HEAD"])
    }

    /// Someone else is on a branch of the remote.
    fn others_on(&self, branch: &str) {
        self.git("other", &["fetch", "-q", "../remote.git", branch]);
        self.git("other", &["checkout", "-q", "--detach", "FETCH_HEAD"]);
    }

    fn wanted(&self) -> Wanted {
        self.wanted_at("remote.git")
    }

    fn wanted_at(&self, source: &str) -> Wanted {
        Wanted { source: self.path(source).display().to_string(), branch: None, path: None, cache: self.path("cache") }
    }

    fn propose(&self, wish: &Wish) -> Proposed {
        propose(&self.wanted(), wish, NOW).unwrap()
    }

    fn fails(&self, wish: &Wish) -> ProposeError {
        propose(&self.wanted(), wish, NOW).unwrap_err()
    }

    /// The subjects of what a branch of the remote has more than main, the newest first.
    fn subjects(&self, branch: &str) -> Vec<String> {
        let text = self.git("remote.git", &["log", "--format=%s", &format!("main..{branch}")]);
        text.lines().map(str::to_owned).collect()
    }

    /// A file of the remote.
    fn shown(&self, branch: &str, path: &str) -> String {
        self.git("remote.git", &["show", &format!("{branch}:{path}")])
    }

    fn remote_has(&self, branch: &str) -> bool {
        self.try_git("remote.git", &["rev-parse", "--verify", "-q", &format!("refs/heads/{branch}")]).0
    }

    fn blob(&self, revision: &str, path: &str) -> String {
        self.git("remote.git", &["rev-parse", &format!("{revision}:{path}")])
    }

    /// An executable in a folder for hooks.
    fn hook(&self, folder: &str, name: &str, script: &str) {
        let path = self.path(folder).join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    /// What lies beside the clones.
    fn leftovers(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path("cache/runbooks")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> =
            names.filter(|name| ![".git", ".lock"].iter().any(|end| name.strip_suffix(end).is_some())).collect();
        names.sort();
        names
    }
}

fn edit(path: &str, content: &str) -> Edit {
    Edit { path: path.to_owned(), content: content.to_owned(), base_blob: None }
}

fn wish(edits: &[Edit]) -> Wish {
    Wish {
        branch: BRANCH.to_owned(),
        edits: edits.to_vec(),
        message: Message { subject: "Runbook for OOM".to_owned(), ..Message::default() },
        push: true,
        ..Wish::default()
    }
}

/// The runbook that most of these propose.
fn new_one() -> Wish {
    wish(&[edit("runbooks/a/two.md", "# Two\n")])
}

fn called(wish: Wish, subject: &str) -> Wish {
    Wish { message: Message { subject: subject.to_owned(), ..wish.message }, ..wish }
}

/// Takes the remote away, as a network does, and gives it back.
fn offline(team: &Team) {
    std::fs::rename(team.path("remote.git"), team.path("away.git")).unwrap();
}

fn online(team: &Team) {
    std::fs::rename(team.path("away.git"), team.path("remote.git")).unwrap();
}

fn write_file(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}
