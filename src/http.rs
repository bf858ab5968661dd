//! The HTTP client for whatever is asked with a key: models, tokens, metrics, forges, indexes.
//!
//! *Invariant:* it follows no redirects, since it carries a key; what is on this machine, or what it alone can ask, is not
//! asked through the system's proxy; no reason that it gives repeats an address, in which a password may stand.

use std::path::Path;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Proxy, Url};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// A client for `server`, or why there is none.
pub(crate) fn client(server: &Url, ca_file: Option<&Path>, proxy: Option<&str>) -> Result<Client, String> {
    builder(server, ca_file, proxy)?.build().map_err(|error| told(&error))
}

/// A client for what only this machine can ask, such as the identity that its cloud lends it: no proxy is to see that.
pub(crate) fn direct(ca_file: Option<&Path>) -> Result<Client, String> {
    trusting(plain().no_proxy(), ca_file)?.build().map_err(|error| told(&error))
}

/// The same as `client`, for whoever has wishes of their own.
pub(crate) fn builder(server: &Url, ca_file: Option<&Path>, proxy: Option<&str>) -> Result<ClientBuilder, String> {
    let builder = plain();
    let builder = match proxy {
        Some(proxy) => {
            let proxy = Proxy::all(proxy).map_err(|_| "the proxy's address is none".to_owned())?;
            builder.proxy(proxy)
        }
        None if is_local(server) => builder.no_proxy(),
        None => builder,
    };
    trusting(builder, ca_file)
}

fn plain() -> ClientBuilder {
    // Whoever made a client before has set it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .connect_timeout(CONNECT)
        .redirect(Policy::none())
        .user_agent(concat!("kubectl-react/", env!("CARGO_PKG_VERSION")))
}

/// With the certificates of the file, and of `SSL_CERT_FILE`, beside those of the system.
fn trusting(builder: ClientBuilder, ca_file: Option<&Path>) -> Result<ClientBuilder, String> {
    let mut certificates = Vec::new();
    if let Some(path) = ca_file {
        let wrong = |reason: String| format!("can't use the certificates of `{}`: {reason}", path.display());
        let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
        let found = Certificate::from_pem_bundle(&pem).map_err(|error| wrong(told(&error)))?;
        if found.is_empty() {
            return Err(wrong("there are none".to_owned()));
        }
        certificates.extend(found);
    }
    // What all programs on this machine are told to trust; that it is unusable is not ours to say.
    let shared = std::env::var_os("SSL_CERT_FILE").and_then(|path| std::fs::read(path).ok());
    certificates.extend(shared.and_then(|pem| Certificate::from_pem_bundle(&pem).ok()).unwrap_or_default());
    Ok(if certificates.is_empty() { builder } else { builder.tls_certs_merge(certificates) })
}

/// The deepest reason, which says more than "error sending request".
pub(crate) fn told(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return if error.is_connect() { "no connection in time" } else { "no answer in time" }.to_owned();
    }
    let mut source = std::error::Error::source(error);
    let mut told = "the request failed".to_owned();
    while let Some(reason) = source {
        told = reason.to_string();
        source = reason.source();
    }
    told
}

/// Whether it is this machine.
pub(crate) fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
