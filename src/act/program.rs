//! The user's own kubectl: where it is, and how it is run.
//!
//! *Invariant:* a run ends within its limit, waits for no one's input, and no more of what it says is kept than
//! [`MOST`].

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::process::Command;

use super::environment;
use crate::cluster::ConnectOptions;

/// How much of what it says is kept, of each stream.
const MOST: usize = 64 << 10;
/// It says its own version without asking anybody.
const VERSION_LIMIT: Duration = Duration::from_secs(5);

/// Which kubectl is run, and for which cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kubectl {
    /// The program.
    pub program: PathBuf,
    /// The context, which every run is held to.
    pub context: String,
    /// `--kubeconfig`, where it was given.
    pub kubeconfig: Option<PathBuf>,
    /// `--as`
    pub as_user: Option<String>,
    /// `--as-group`
    pub as_groups: Vec<String>,
    /// `--as-uid`
    pub as_uid: Option<String>,
}

impl Kubectl {
    /// The kubectl for a run that was connected by these flags.
    ///
    /// # Errors
    /// With the flag that can't be handed on: credentials would stand in the list of processes, and a server without its
    /// context is another one to a credential plugin.
    pub fn of(program: PathBuf, options: &ConnectOptions, context: &str) -> Result<Kubectl, &'static str> {
        let kept = [
            ("--token", options.token.is_some()),
            ("--username", options.username.is_some()),
            ("--password", options.password.is_some()),
            ("--server", options.server.is_some()),
            ("--cluster", options.cluster.is_some()),
            ("--user", options.user.is_some()),
            ("--certificate-authority", options.certificate_authority.is_some()),
            ("--client-certificate", options.client_certificate.is_some()),
            ("--client-key", options.client_key.is_some()),
            ("--tls-server-name", options.tls_server_name.is_some()),
            ("--insecure-skip-tls-verify", options.insecure_skip_tls_verify),
            ("--as-user-extra", !options.as_user_extra.is_empty()),
        ];
        match kept.into_iter().find(|(_, given)| *given) {
            Some((flag, _)) => Err(flag),
            None => Ok(Kubectl {
                program,
                context: context.to_owned(),
                kubeconfig: options.kubeconfig.clone(),
                as_user: options.as_user.clone(),
                as_groups: options.as_groups.clone(),
                as_uid: options.as_uid.clone(),
            }),
        }
    }

    /// The flags that hold a line to the cluster and the identity of this run.
    pub(super) fn flags(&self, names_context: bool) -> Vec<OsString> {
        let mut flags = Vec::new();
        let mut add = |name: &str, value: &OsStr| {
            let mut flag = OsString::from(name);
            flag.push(value);
            flags.push(flag);
        };
        if !names_context {
            add("--context=", OsStr::new(&self.context));
        }
        if let Some(path) = &self.kubeconfig {
            add("--kubeconfig=", path.as_os_str());
        }
        if let Some(user) = &self.as_user {
            add("--as=", OsStr::new(user));
        }
        self.as_groups.iter().for_each(|group| add("--as-group=", OsStr::new(group)));
        if let Some(uid) = &self.as_uid {
            add("--as-uid=", OsStr::new(uid));
        }
        flags
    }
}

/// Finds kubectl: what `KUBECTL_PATH` names (newer versions set it for their plugins), else the first one on the PATH.
pub fn locate(named: Option<&OsStr>, path: Option<&OsStr>) -> Option<PathBuf> {
    let named = named.map(PathBuf::from).filter(|program| program.is_absolute() && runs(program));
    named.or_else(|| {
        let folders = std::env::split_paths(path?).filter(|folder| folder.is_absolute()).collect::<Vec<_>>();
        let file = if cfg!(windows) { "kubectl.exe" } else { "kubectl" };
        folders.into_iter().map(|folder| folder.join(file)).find(|program| runs(program))
    })
}

/// Whether it is a program.
pub fn runs(path: &Path) -> bool {
    let Ok(meta) = std::fs::metadata(path) else { return false };
    #[cfg(unix)]
    let executable = std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o111 != 0;
    #[cfg(not(unix))]
    let executable = true;
    meta.is_file() && executable
}

/// The version of a kubectl: `v1.34.1`.
///
/// # Errors
/// When it can't be run, or says something else: why.
pub async fn client_version(program: &Path) -> Result<String, String> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Versions {
        client_version: Version,
    }
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Version {
        git_version: String,
    }
    let ran = run(program, ["version", "--client", "--output=json"].map(OsString::from), VERSION_LIMIT).await?;
    let versions: Versions =
        serde_json::from_slice(&ran.stdout).map_err(|_| "it does not say its version".to_owned())?;
    Ok(crate::printable::one_line(&versions.client_version.git_version).into_owned())
}

/// What a run came to.
pub(super) struct Ran {
    pub(super) success: bool,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

/// Runs kubectl with these words.
pub(super) async fn run(
    program: &Path,
    words: impl IntoIterator<Item = OsString>,
    limit: Duration,
) -> Result<Ran, String> {
    let mut command = Command::new(program);
    command
        .args(words)
        .env_clear()
        .envs(environment::pruned(std::env::vars_os()))
        .envs(environment::OFF)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| format!("can't run `{}`: {error}", program.display()))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let work = async {
        let (stdout, stderr) = tokio::join!(read(stdout), read(stderr));
        (stdout, stderr, child.wait().await)
    };
    let ended = tokio::time::timeout(limit, work).await;
    let (stdout, stderr, status) =
        ended.map_err(|_| format!("kubectl did not end within {} s", limit.as_secs_f32()))?;
    let status = status.map_err(|error| format!("kubectl can't be waited for: {error}"))?;
    // Then it is not the server that says no.
    if status.code().is_none() {
        return Err("kubectl was ended by a signal".to_owned());
    }
    Ok(Ran { success: status.success(), stdout, stderr })
}

/// Reads to the end; what is beyond [`MOST`] is dropped.
async fn read(source: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut all = Vec::new();
    let Some(mut source) = source else { return all };
    let mut chunk = [0; 4096];
    loop {
        let mut buffer = ReadBuf::new(&mut chunk);
        let read = std::future::poll_fn(|cx| Pin::new(&mut source).poll_read(cx, &mut buffer)).await;
        if read.is_err() || buffer.filled().is_empty() {
            return all;
        }
        let room = MOST.saturating_sub(all.len());
        all.extend(buffer.filled().iter().take(room));
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_identity_goes_with_it_and_credentials_do_not() {
        let options = ConnectOptions {
            kubeconfig: Some("/k".into()),
            as_user: Some("ann".to_owned()),
            as_groups: vec!["sre".to_owned()],
            ..ConnectOptions::default()
        };
        let kubectl = Kubectl::of("/k".into(), &options, "prod").unwrap();
        assert_eq!(kubectl.flags(false), ["--context=prod", "--kubeconfig=/k", "--as=ann", "--as-group=sre"]);
        assert_eq!(kubectl.flags(true), ["--kubeconfig=/k", "--as=ann", "--as-group=sre"]);
        let options = ConnectOptions { token: Some("t".to_owned()), ..options };
        assert_eq!(Kubectl::of("/k".into(), &options, "prod"), Err("--token"));
    }

    #[test]
    fn kubectl_is_found_where_it_is_named_or_on_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("a"), folder.path().join("b"));
        for place in [&first, &second] {
            std::fs::create_dir(place).unwrap();
            std::fs::write(place.join("kubectl"), "").unwrap();
        }
        let program = second.join("kubectl");
        std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let path = std::env::join_paths([Path::new("."), &first, &second]).unwrap();
        assert_eq!(locate(None, Some(&path)).as_deref(), Some(&*program), "one that can't run is passed over");
        assert_eq!(locate(Some(program.as_os_str()), None).as_deref(), Some(&*program));
        for other in ["kubectl", "/no/where"] {
            assert_eq!(locate(Some(OsStr::new(other)), None), None, "{other}");
        }
        assert_eq!(locate(None, None), None);
    }
}
