//! The git server that `tests/git/up` starts: repositories on it, how they are reached, and what git must be told for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The server.
#[derive(Clone, Debug)]
pub(crate) struct GitServer {
    data: PathBuf,
}

/// A repository on it, with one commit on `main`.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    /// Where it lies: for a look at what was pushed, for its hooks and its settings.
    pub(crate) path: PathBuf,
    pub(crate) ssh: String,
    pub(crate) https: String,
}

impl GitServer {
    /// The server; none where it doesn't run.
    pub(crate) fn get() -> Option<GitServer> {
        std::env::var_os("REACT_TEST_GIT").map(|data| GitServer { data: data.into() })
    }

    /// One of its files: `ca.pem`, `key`, `known_hosts`, `credentials`, `gitconfig`.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.data.join(name)
    }

    fn line(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap().trim().to_owned()
    }

    /// The password of the one who is let in by https. No output may have it.
    pub(crate) fn password(&self) -> String {
        self.line("password")
    }

    /// What a program that runs git needs in its environment to be let in.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let path = |name| self.file(name).display().to_string();
        vec![
            ("GIT_CONFIG_GLOBAL", path("gitconfig")),
            ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
            ("GIT_SSL_CAINFO", path("ca.pem")),
            ("GIT_TERMINAL_PROMPT", "0".to_owned()),
        ]
    }

    /// A new repository of that name.
    pub(crate) fn repository(&self, name: &str) -> Repository {
        let path = self.data.join("repositories").join(format!("{name}.git"));
        let _ = fs::remove_dir_all(&path);
        let at = |url: &str| format!("{}/{name}.git", self.line(url));
        let repository = Repository { ssh: at("url.ssh"), https: at("url.https"), path };
        self.git(Path::new("/"), &["init", "-q", "--bare", &repository.path.display().to_string()]);
        let tree = self.git(&repository.path, &["write-tree"]);
        let commit = self.git(&repository.path, &["commit-tree", "-m", "start", &tree]);
        self.git(&repository.path, &["update-ref", "refs/heads/main", &commit]);
        repository
    }

    /// Git as a person runs it who is let in.
    pub(crate) fn git(&self, dir: &Path, args: &[&str]) -> String {
        let output = Command::new("git").current_dir(dir).args(args).envs(self.environment()).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}
