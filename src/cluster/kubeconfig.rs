//! Finds the kubeconfig, the context in it, and lays the flags over both, as kubectl does.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use kube::config::{AuthInfo, Cluster, Kubeconfig, KubeconfigError};

use super::connect::ConnectOptions;
use super::error::{ConnectError, one_line};

/// The entries that count.
#[derive(Debug)]
pub(super) struct Chosen {
    /// The context's name; empty where only flags say where to go.
    pub(super) context: String,
    /// Its namespace.
    pub(super) namespace: String,
    /// Where to go.
    pub(super) cluster: Cluster,
    /// Who we are.
    pub(super) user: AuthInfo,
}

/// Reads the files of `--kubeconfig`, KUBECONFIG or the home directory; nothing where there are none.
pub(super) fn load(
    flag: Option<&Path>,
    variable: Option<OsString>,
    home: Option<PathBuf>,
) -> Result<Option<Kubeconfig>, ConnectError> {
    if let Some(path) = flag {
        return read(path)?.map(Some).ok_or_else(|| ConnectError::NoKubeconfig { looked: path.display().to_string() });
    }
    let listed: Vec<PathBuf> =
        variable.iter().flat_map(std::env::split_paths).filter(|path| !path.as_os_str().is_empty()).collect();
    let paths = if listed.is_empty() {
        home.map(|home| home.join(".kube").join("config")).into_iter().collect()
    } else {
        listed
    };
    let mut merged: Option<Kubeconfig> = None;
    for path in &paths {
        // Of a list, files that do not exist are passed over.
        let Some(next) = read(path)? else { continue };
        merged = Some(match merged {
            None => next,
            Some(before) => before.merge(next).map_err(|error| invalid(path, &error.to_string()))?,
        });
    }
    Ok(merged)
}

/// Where [`load`] looks, for people.
pub(super) fn looked(variable: Option<&OsString>) -> String {
    match variable.filter(|value| !value.is_empty()) {
        Some(value) => value.to_string_lossy().into_owned(),
        None => "~/.kube/config".to_owned(),
    }
}

fn read(path: &Path) -> Result<Option<Kubeconfig>, ConnectError> {
    let unreadable = |reason: String| ConnectError::UnreadableKubeconfig { path: path.to_owned(), reason };
    match Kubeconfig::read_from(path) {
        Ok(config) => Ok(Some(config)),
        Err(KubeconfigError::ReadConfig(error, _)) => match error.kind() {
            std::io::ErrorKind::NotFound => Ok(None),
            std::io::ErrorKind::PermissionDenied => Err(unreadable("permission denied".to_owned())),
            _ => Err(unreadable(one_line(&error.to_string()))),
        },
        Err(KubeconfigError::Parse(error)) => {
            // The library's own text quotes the file, and so perhaps a token.
            let place = error.location().map(|at| format!("; see line {}, column {}", at.line(), at.column()));
            Err(invalid(path, &format!("it is no kubeconfig in YAML{}", place.unwrap_or_default())))
        }
        Err(error) => Err(invalid(path, &error.to_string())),
    }
}

fn invalid(path: &Path, reason: &str) -> ConnectError {
    ConnectError::InvalidKubeconfig { path: format!("`{}`", path.display()), reason: one_line(reason) }
}

/// Picks the context, its cluster and its user, and lays the flags over them.
pub(super) fn choose(config: Kubeconfig, options: &ConnectOptions) -> Result<Chosen, ConnectError> {
    let asked = options.context.clone().or(config.current_context).filter(|name| !name.is_empty());
    let names = || config.contexts.iter().map(|named| named.name.clone()).collect::<Vec<_>>();
    let (name, context) = match asked {
        Some(name) => {
            match config.contexts.iter().find(|named| named.name == name).and_then(|named| named.context.clone()) {
                Some(context) => (name, Some(context)),
                None => return Err(ConnectError::ContextNotFound { context: name, known: names() }),
            }
        }
        None if options.server.is_some() || options.cluster.is_some() => (String::new(), None),
        None => return Err(ConnectError::NoContext { known: names() }),
    };
    let cluster_name = options.cluster.clone().or_else(|| context.as_ref().map(|context| context.cluster.clone()));
    let cluster = cluster_name.as_ref().and_then(|name| {
        config.clusters.iter().find(|named| named.name == *name).and_then(|named| named.cluster.clone())
    });
    let mut cluster = match (cluster, cluster_name) {
        (Some(cluster), _) => cluster,
        (None, None) => Cluster::default(),
        (None, Some(_)) if options.server.is_some() && options.cluster.is_none() => Cluster::default(),
        (None, Some(name)) => {
            let known = config.clusters.iter().map(|named| named.name.clone()).collect();
            return Err(ConnectError::EntryNotFound { what: "cluster", name, known });
        }
    };
    let user_name = options.user.clone().or_else(|| context.as_ref().and_then(|context| context.user.clone()));
    let user = user_name.as_ref().and_then(|name| {
        config.auth_infos.iter().find(|named| named.name == *name).and_then(|named| named.auth_info.clone())
    });
    let mut user = match (user, user_name) {
        (None, Some(name)) if options.user.is_some() => {
            let known = config.auth_infos.iter().map(|named| named.name.clone()).collect();
            return Err(ConnectError::EntryNotFound { what: "user", name, known });
        }
        // A context without a user that exists is anonymous to kubectl too.
        (user, _) => user.unwrap_or_default(),
    };
    lay_over_cluster(&mut cluster, options);
    lay_over_user(&mut user, options);
    let namespace = context.and_then(|context| context.namespace).filter(|namespace| !namespace.is_empty());
    Ok(Chosen { context: name, namespace: namespace.unwrap_or_else(|| "default".to_owned()), cluster, user })
}

fn lay_over_cluster(cluster: &mut Cluster, options: &ConnectOptions) {
    if options.server.is_some() {
        cluster.server.clone_from(&options.server);
    }
    if options.tls_server_name.is_some() {
        cluster.tls_server_name.clone_from(&options.tls_server_name);
    }
    if let Some(path) = &options.certificate_authority {
        cluster.certificate_authority_data = None;
        cluster.certificate_authority = Some(path.to_string_lossy().into_owned());
        cluster.insecure_skip_tls_verify = None;
    }
    if options.insecure_skip_tls_verify {
        cluster.insecure_skip_tls_verify = Some(true);
        cluster.certificate_authority = None;
        cluster.certificate_authority_data = None;
    }
    if options.disable_compression {
        cluster.disable_compression = Some(true);
    }
}

fn lay_over_user(user: &mut AuthInfo, options: &ConnectOptions) {
    // A token or a password stands in place of what would get one.
    if let Some(token) = &options.token {
        user.token = Some(token.clone().into());
        (user.token_file, user.username, user.password, user.exec, user.auth_provider) = (None, None, None, None, None);
    }
    if options.username.is_some() || options.password.is_some() {
        (user.token, user.token_file, user.exec, user.auth_provider) = (None, None, None, None);
        user.username = options.username.clone().or(user.username.take());
        user.password = options.password.clone().map(Into::into).or(user.password.take());
    }
    if let Some(path) = &options.client_certificate {
        user.client_certificate_data = None;
        user.client_certificate = Some(path.to_string_lossy().into_owned());
    }
    if let Some(path) = &options.client_key {
        user.client_key_data = None;
        user.client_key = Some(path.to_string_lossy().into_owned());
    }
    if options.as_user.is_some() {
        user.impersonate.clone_from(&options.as_user);
    }
    if options.as_uid.is_some() {
        user.impersonate_uid.clone_from(&options.as_uid);
    }
    if !options.as_groups.is_empty() {
        user.impersonate_groups = Some(options.as_groups.clone());
    }
    for extra in &options.as_user_extra {
        let (key, value) = extra.split_once('=').unwrap_or((extra, ""));
        let all = user.impersonate_user_extra.get_or_insert_default();
        all.entry(key.to_owned()).or_default().push(value.to_owned());
    }
}
