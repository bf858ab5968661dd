//! From kubectl's flags and a kubeconfig to a client that is known to work.
//!
//! *Invariant:* one client for a run, so that a credential plugin runs once; nothing waits longer
//! than the request time-out, a login on a terminal apart.

use std::path::PathBuf;
use std::time::Duration;

use http::header::USER_AGENT;
use http::{HeaderValue, Uri};
use kube::client::ClientBuilder;
use kube::config::{AuthInfo, Cluster, Config, ExecAuthCluster};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::error::{ConnectError, ReadError, one_line};
use super::kubeconfig::{self, Chosen};
use super::read::{ReadClient, Settings};
use super::{exec, proxy, secret};

/// How long is waited where nothing is said about it.
const TIMEOUT: Duration = Duration::from_secs(30);

/// kubectl's connection flags.
#[derive(Clone, Debug, Default)]
pub struct ConnectOptions {
    /// `--kubeconfig`
    pub kubeconfig: Option<PathBuf>,
    /// `--context`
    pub context: Option<String>,
    /// `--cluster`
    pub cluster: Option<String>,
    /// `--user`
    pub user: Option<String>,
    /// `--server`
    pub server: Option<String>,
    /// `--token`
    pub token: Option<String>,
    /// `--tls-server-name`
    pub tls_server_name: Option<String>,
    /// `--certificate-authority`
    pub certificate_authority: Option<PathBuf>,
    /// `--client-certificate`
    pub client_certificate: Option<PathBuf>,
    /// `--client-key`
    pub client_key: Option<PathBuf>,
    /// `--username`
    pub username: Option<String>,
    /// `--password`
    pub password: Option<String>,
    /// `--insecure-skip-tls-verify`
    pub insecure_skip_tls_verify: bool,
    /// `--disable-compression`
    pub disable_compression: bool,
    /// `--as`
    pub as_user: Option<String>,
    /// `--as-group`
    pub as_groups: Vec<String>,
    /// `--as-uid`
    pub as_uid: Option<String>,
    /// `--as-user-extra`, each `key=value`
    pub as_user_extra: Vec<String>,
    /// `--request-timeout`: 30 seconds where it is absent, none where it is zero
    pub request_timeout: Option<Duration>,
    /// Whether standard input and standard error are terminals
    pub interactive: bool,
}

/// A client, and what it is connected to.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Reads from the server.
    pub client: ReadClient,
    /// The context's name; empty where only flags say where to go.
    pub context: String,
    /// The context's namespace, `default` where it has none.
    pub namespace: String,
    /// The server's address.
    pub server: String,
}

/// Connects, and asks the server for its version to see that it answers us.
pub async fn connect(options: &ConnectOptions) -> Result<Connection, ConnectError> {
    let timeout = options.request_timeout.map_or(Some(TIMEOUT), |timeout| Some(timeout).filter(|t| !t.is_zero()));
    let variable = std::env::var_os("KUBECONFIG");
    let found = kubeconfig::load(options.kubeconfig.as_deref(), variable.clone(), std::env::home_dir())?;
    let in_cluster = std::env::var_os("KUBERNETES_SERVICE_HOST").is_some();
    let (context, namespace, mut config, plugin) = match found {
        None if options.server.is_none() && in_cluster => inside()?,
        None if options.server.is_none() => {
            return Err(ConnectError::NoKubeconfig { looked: kubeconfig::looked(variable.as_ref()) });
        }
        found => outside(kubeconfig::choose(found.unwrap_or_default(), options)?, options, timeout).await?,
    };
    config.default_retry = false;
    // Every request has its time-out as a whole; a second one for a part of it would only race it.
    config.connect_timeout = None;
    // Audit logs name who asked.
    let ourselves = HeaderValue::from_static(concat!("kubectl-react/", env!("CARGO_PKG_VERSION")));
    config.headers.push((USER_AGENT, ourselves));
    let settings = Settings {
        server: shown(&config.cluster_url),
        context: context.clone(),
        proxy: config.proxy_url.as_ref().map(proxy::shown),
        plugin,
        certificate_ends: certificate_ends(&config.auth_info),
        timeout,
        ..Settings::default()
    };
    let server = settings.server.clone();
    let unusable = |error: kube::Error| ConnectError::Credentials { context: context.clone(), reason: broken(&error) };
    let client = ReadClient::new(ClientBuilder::try_from(config).map_err(unusable)?.build(), settings);
    match client.version().await {
        Err(ReadError::Status { code: 403, message }) if message.contains("cannot impersonate") => {
            return Err(ConnectError::Impersonation {
                user: options.as_user.clone().unwrap_or_default(),
                reason: message,
            });
        }
        // Who may not see the version may see enough.
        Ok(_) | Err(ReadError::Status { code: 403, .. }) => {}
        Err(error) => return Err(client.connect_error(error)),
    }
    Ok(Connection { client, context, namespace, server })
}

/// What leads to a client: the context, its namespace, the configuration, the plugin that ran.
type Configured = (String, String, Config, Option<String>);

/// As a pod of the cluster.
fn inside() -> Result<Configured, ConnectError> {
    let context = "in-cluster".to_owned();
    let config = Config::incluster().map_err(|error| ConnectError::Credentials {
        context: context.clone(),
        reason: one_line(&error.to_string()),
    })?;
    Ok((context, config.default_namespace.clone(), config, None))
}

/// By a kubeconfig and flags.
async fn outside(
    chosen: Chosen,
    options: &ConnectOptions,
    timeout: Option<Duration>,
) -> Result<Configured, ConnectError> {
    let Chosen { context, namespace, cluster, mut user } = chosen;
    let server = address(&cluster, &user)?;
    let mut config = Config::new(server.clone());
    config.proxy_url = proxy::choose(&server, cluster.proxy_url.as_deref(), |name| std::env::var(name).ok())?;
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify.unwrap_or(false);
    // Compression is for the wire: to a server on this machine it costs both sides time and saves nothing.
    let near = config.proxy_url.is_none() && is_loopback(&server);
    config.disable_compression = cluster.disable_compression.unwrap_or(near);
    config.tls_server_name.clone_from(&cluster.tls_server_name);
    config.root_cert = authority(&cluster, &context)?;
    if let Some(provider) = &user.auth_provider
        && provider.name != "oidc"
    {
        return Err(ConnectError::AuthProvider { name: one_line(&provider.name), context });
    }
    let plugin = authenticate(&mut user, &cluster, &context, options.interactive, timeout).await?;
    config.auth_info = user;
    Ok((context, namespace, config, plugin))
}

/// Lets the plugin that the user entry names give its credentials, and puts them into the entry.
async fn authenticate(
    user: &mut AuthInfo,
    cluster: &Cluster,
    context: &str,
    terminal: bool,
    timeout: Option<Duration>,
) -> Result<Option<String>, ConnectError> {
    let Some(mut exec) = user.exec.take() else { return Ok(None) };
    // What stands in the entry itself comes first, and nothing needs to run for it.
    if user.token.is_some() || user.token_file.is_some() || (user.username.is_some() && user.password.is_some()) {
        return Ok(None);
    }
    if exec.provide_cluster_info {
        let known = ExecAuthCluster::try_from(cluster);
        exec.cluster = Some(known.map_err(|error| unusable(context, &error.to_string()))?);
    }
    let given = exec::run(&exec, context, terminal, timeout).await?;
    user.token = given.token.map(Into::into);
    if let (Some(certificate), Some(key)) = (given.client_certificate_data, given.client_key_data) {
        user.client_certificate_data = Some(secret::encode(certificate.into_bytes()));
        user.client_key_data = Some(secret::encode(key.into_bytes()).into());
        (user.client_certificate, user.client_key) = (None, None);
    }
    Ok(exec.command)
}

/// The server's address. One without a scheme is read as client-go reads it.
fn address(cluster: &Cluster, user: &AuthInfo) -> Result<Uri, ConnectError> {
    let given = cluster.server.as_deref().unwrap_or_default().trim();
    let invalid = |reason: &str| ConnectError::InvalidSetting {
        what: "the server address",
        value: one_line(given),
        reason: reason.to_owned(),
    };
    if given.is_empty() {
        return Err(invalid("the context's cluster names no server"));
    }
    let tls = cluster.certificate_authority.is_some()
        || cluster.certificate_authority_data.is_some()
        || cluster.insecure_skip_tls_verify == Some(true)
        || user.client_certificate.is_some()
        || user.client_certificate_data.is_some();
    let scheme = if tls { "https" } else { "http" };
    let whole = if given.contains("://") { given.to_owned() } else { format!("{scheme}://{given}") };
    let uri: Uri = whole.parse().map_err(|_| invalid("it is no URL"))?;
    match uri.scheme_str() {
        Some("https" | "http") if uri.host().is_some_and(|host| !host.is_empty()) => Ok(uri),
        _ => Err(invalid("it is no URL of http or https")),
    }
}

/// Whether an address is of this machine, as those of kind, minikube and of tunnels are.
fn is_loopback(server: &Uri) -> bool {
    let host = server.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The authority that the cluster's certificate must come from; that of the system where none is named.
fn authority(cluster: &Cluster, context: &str) -> Result<Option<Vec<Vec<u8>>>, ConnectError> {
    let pem = match (&cluster.certificate_authority_data, &cluster.certificate_authority) {
        (Some(data), _) if !data.is_empty() => {
            secret::decode(data).ok_or_else(|| unusable(context, "`certificate-authority-data` is no base64"))?
        }
        (_, Some(path)) if !path.is_empty() => std::fs::read(path)
            .map_err(|error| unusable(context, &format!("cannot read the certificate authority `{path}`: {error}")))?,
        _ => return Ok(None),
    };
    let certificates: Vec<Vec<u8>> =
        CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok).map(|der| der.to_vec()).collect();
    if certificates.is_empty() {
        return Err(unusable(context, "the certificate authority holds no certificate in PEM"));
    }
    Ok(Some(certificates))
}

fn unusable(context: &str, reason: &str) -> ConnectError {
    ConnectError::Credentials { context: context.to_owned(), reason: one_line(reason) }
}

/// The innermost reason why a client could not be made.
fn broken(error: &kube::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let text = match error {
        kube::Error::InferKubeconfig(error) => error.to_string(),
        _ => deepest.to_string(),
    };
    one_line(&text)
}

/// When the client certificate ends, where there is one.
fn certificate_ends(user: &AuthInfo) -> Option<crate::model::Time> {
    let pem = match (&user.client_certificate_data, &user.client_certificate) {
        (Some(data), _) => secret::decode(data)?,
        (None, Some(path)) => std::fs::read(path).ok()?,
        (None, None) => return None,
    };
    *secret::certificate_of(&pem)?.not_after
}

/// An address without what may be a password in it.
fn shown(server: &Uri) -> String {
    let path = server.path().trim_end_matches('/');
    format!("{}{path}", proxy::shown(server))
}
