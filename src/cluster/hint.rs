//! What to do next, for each error that keeps us from a cluster.
//!
//! *Invariant:* a hint names a command, a flag or a file; where we know nothing of use there is none.

use super::error::{ConnectError, one_line};

impl ConnectError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoKubeconfig { .. } => {
                "set KUBECONFIG or pass `--kubeconfig`; without a cluster, use `--from FILE`".to_owned()
            }
            Self::UnreadableKubeconfig { .. } => "check the path and its permissions".to_owned(),
            Self::InvalidKubeconfig { .. } => "see it with `kubectl config view`".to_owned(),
            Self::NoContext { known } => {
                format!("pass `--context`, or run `kubectl config use-context NAME`; {}", listing("contexts", known))
            }
            Self::ContextNotFound { known, .. } => listing("contexts", known),
            Self::EntryNotFound { what, known, .. } => listing(if *what == "user" { "users" } else { "clusters" }, known),
            Self::InvalidSetting { .. } => return None,
            Self::Credentials { .. } => "renew the entry in the kubeconfig".to_owned(),
            Self::Unreachable { .. } | Self::UnknownHost { .. } => {
                "check that the cluster runs and that this is the right context (`kubectl config get-contexts`); \
                 a VPN or a proxy may be missing"
                    .to_owned()
            }
            Self::TimedOut { .. } => {
                "check the network, a VPN or a firewall; `--request-timeout` allows for more time".to_owned()
            }
            Self::Untrusted { .. } => {
                "the kubeconfig's `certificate-authority-data` must be that of this cluster; fetch the kubeconfig anew, \
                 or pass `--certificate-authority` or `--tls-server-name`"
                    .to_owned()
            }
            Self::NotKubernetes { .. } => "check `server` in the kubeconfig; a login page or a proxy may stand before it".to_owned(),
            Self::Unhealthy { .. } => "try again; the API server, or what it stores its data in, is not ready".to_owned(),
            Self::Unauthorized { plugin: Some(plugin), .. } => login(plugin),
            Self::Unauthorized { plugin: None, .. } => {
                "log in again, or fetch the kubeconfig anew: the token or certificate has expired or was revoked".to_owned()
            }
            Self::Impersonation { .. } => "`--as` needs the right to impersonate".to_owned(),
            Self::PluginMissing { install: Some(install), .. } => install.clone(),
            Self::PluginMissing { command, .. } => format!("install `{}` and put it on the PATH", base_name(command)),
            Self::PluginFailed { command, .. } => login(command),
            Self::PluginTimedOut { command, .. } | Self::PluginNeedsTerminal { command } => without_terminal(command),
            Self::AuthProvider { name, .. } if name == "azure" => {
                "convert the kubeconfig: `kubelogin convert-kubeconfig -l azurecli`".to_owned()
            }
            Self::AuthProvider { name, .. } if name == "gcp" => {
                "install `gke-gcloud-auth-plugin` and run `gcloud container clusters get-credentials` again".to_owned()
            }
            Self::AuthProvider { .. } => "use an `exec` credential plugin in its place".to_owned(),
            Self::Proxy { .. } => {
                "check `proxy-url` in the kubeconfig, HTTPS_PROXY and NO_PROXY".to_owned()
            }
        })
    }
}

/// `contexts: a, b, c and 4 more`.
fn listing(what: &str, names: &[String]) -> String {
    const SHOWN: usize = 8;
    if names.is_empty() {
        return format!("the kubeconfig has no {what}");
    }
    let shown = names.iter().take(SHOWN).map(|name| format!("`{}`", one_line(name))).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => format!("{what}: {shown}"),
        more => format!("{what}: {shown} and {more} more"),
    }
}

/// The program without its folder and extension.
fn base_name(command: &str) -> &str {
    let file = command.rsplit(['/', '\\']).next().unwrap_or(command);
    file.strip_suffix(".exe").unwrap_or(file)
}

fn is_kubelogin(command: &str) -> bool {
    base_name(command).contains("kubelogin")
}

/// How to get new credentials from a plugin.
fn login(command: &str) -> String {
    match base_name(command) {
        name if is_kubelogin(name) => {
            "log in again (`az login`), or use that login: `kubelogin convert-kubeconfig -l azurecli`; \
             in a pod or in CI: `-l workloadidentity`"
                .to_owned()
        }
        "aws" | "aws-iam-authenticator" => "log in again: `aws sso login`, or renew the AWS credentials".to_owned(),
        "gke-gcloud-auth-plugin" | "gcloud" => "log in again: `gcloud auth login`".to_owned(),
        name => format!("log in again with `{name}`, then try `kubectl get --raw /version`"),
    }
}

/// How to get credentials from a plugin where no one can be asked.
fn without_terminal(command: &str) -> String {
    if is_kubelogin(command) {
        return "log in another way: `kubelogin convert-kubeconfig -l azurecli`, or `-l workloadidentity` in a pod or in CI".to_owned();
    }
    format!("run this once on a terminal, or configure `{}` so that it asks nothing", base_name(command))
}
