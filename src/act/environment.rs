//! What of our environment kubectl is given.
//!
//! *Invariant:* what it needs to find the cluster, to log in and to reach it, and nothing else: above all no key of a
//! model, and no preferences that add flags or aliases to a line.

use std::ffi::{OsStr, OsString};

/// Homes, paths, proxies, certificates.
const NAMES: &[&str] = &[
    "ALL_PROXY",
    "APPDATA",
    "COMSPEC",
    "CURL_CA_BUNDLE",
    "DBUS_SESSION_BUS_ADDRESS",
    "HOME",
    "HOMEDRIVE",
    "HOMEPATH",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "KUBECONFIG",
    "KUBERNETES_SERVICE_HOST",
    "KUBERNETES_SERVICE_PORT",
    "LANG",
    "LOCALAPPDATA",
    "LOGNAME",
    "NO_PROXY",
    "PATH",
    "PATHEXT",
    "PROGRAMDATA",
    "PROGRAMFILES",
    "REQUESTS_CA_BUNDLE",
    "SSH_AUTH_SOCK",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "SYSTEMDRIVE",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "TMPDIR",
    "USER",
    "USERNAME",
    "USERPROFILE",
    "USE_GKE_GCLOUD_AUTH_PLUGIN",
    "WINDIR",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
];

/// What credential plugins read.
const BEGINNINGS: &[&str] = &[
    "AAD_",
    "AWS_",
    "AZURE_",
    "CLOUDSDK_",
    "DIGITALOCEAN_",
    "GOOGLE_",
    "IDENTITY_",
    "IMDS_",
    "MSI_",
    "OCI_",
    "OIDC_",
    "TELEPORT_",
    "TSH_",
];

/// Preferences of newer versions of kubectl can add flags to a line; these turn them off.
pub(super) const OFF: [(&str, &str); 2] = [("KUBECTL_KUBERC", "false"), ("KUBERC", "off")];

/// Those of `all` that kubectl is given.
pub(super) fn pruned(all: impl Iterator<Item = (OsString, OsString)>) -> Vec<(OsString, OsString)> {
    all.filter(|(name, _)| wanted(name)).collect()
}

fn wanted(name: &OsStr) -> bool {
    let Some(name) = name.to_str().map(str::to_ascii_uppercase) else { return false };
    let known = NAMES.contains(&name.as_str()) || BEGINNINGS.iter().any(|begin| name.starts_with(begin));
    // A key of a model stands under a cloud's name too: AZURE_OPENAI_API_KEY.
    known && !["OPENAI", "COGNITIVE", "AI_", "BEDROCK"].iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_of_the_cluster_go_with_it_and_those_of_a_model_do_not() {
        let table = [
            ("HOME", true),
            ("https_proxy", true),
            ("KUBECONFIG", true),
            ("AWS_PROFILE", true),
            ("AZURE_CLIENT_ID", true),
            ("GOOGLE_APPLICATION_CREDENTIALS", true),
            ("OPENAI_API_KEY", false),
            ("AZURE_OPENAI_API_KEY", false),
            ("AZURE_AI_KEY", false),
            ("AWS_BEARER_TOKEN_BEDROCK", false),
            ("KUBECTL_REACT_CHROMA_TOKEN_ENV", false),
            ("KUBE_EDITOR", false),
            ("KUBECTL_EXTERNAL_DIFF", false),
            ("GITHUB_TOKEN", false),
            ("LD_PRELOAD", false),
        ];
        for (name, expected) in table {
            let kept = pruned([(name.into(), "x".into())].into_iter());
            assert_eq!(!kept.is_empty(), expected, "{name}");
        }
        assert!(NAMES.is_sorted() && BEGINNINGS.is_sorted());
    }
}
