//! Which proxy leads to the server, by the rules that kubectl has.
//!
//! kube reads the same settings, and asks `NO_PROXY` about the proxy's own address where kubectl asks
//! about the server's; so the choice is made here and handed to it.

use std::net::IpAddr;

use http::Uri;

use super::error::ConnectError;

/// The proxy for `server`: the kubeconfig's `proxy-url`, else what the environment says.
pub(super) fn choose(
    server: &Uri,
    configured: Option<&str>,
    env: impl Fn(&str) -> Option<String>,
) -> Result<Option<Uri>, ConnectError> {
    if let Some(configured) = configured.filter(|url| !url.is_empty()) {
        return parse(configured).map(Some);
    }
    let set = |upper: &str, lower: &str| env(upper).or_else(|| env(lower)).filter(|value| !value.is_empty());
    let proxy = match server.scheme_str() {
        Some("https") => set("HTTPS_PROXY", "https_proxy"),
        _ => set("HTTP_PROXY", "http_proxy"),
    };
    let Some(proxy) = proxy else { return Ok(None) };
    let host = server.host().unwrap_or_default();
    let none = set("NO_PROXY", "no_proxy").unwrap_or_default();
    if is_local(host) || none.split(',').any(|rule| excludes(rule.trim(), host)) {
        return Ok(None);
    }
    parse(&proxy).map(Some)
}

/// The address without what may be a password in it.
pub(super) fn shown(proxy: &Uri) -> String {
    let authority = proxy.authority().map(http::uri::Authority::as_str).unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{}://{host}", proxy.scheme_str().unwrap_or("http"))
}

fn parse(url: &str) -> Result<Uri, ConnectError> {
    let whole = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
    let invalid = |reason: &str| {
        let value = whole.parse().map_or_else(|_| "…".to_owned(), |uri| shown(&uri));
        ConnectError::InvalidSetting { what: "the proxy", value, reason: reason.to_owned() }
    };
    let uri: Uri = whole.parse().map_err(|_| invalid("it is no URL"))?;
    match uri.scheme_str() {
        Some("http" | "https" | "socks5") => Ok(uri),
        _ => Err(invalid("only http, https and socks5 are known")),
    }
}

/// Addresses of this machine never go through a proxy that the environment names.
pub(super) fn is_local(host: &str) -> bool {
    let host = bare(host);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// Whether one entry of `NO_PROXY` speaks of this host.
fn excludes(rule: &str, host: &str) -> bool {
    let host = bare(host).to_ascii_lowercase();
    let rule = rule.to_ascii_lowercase();
    if rule == "*" {
        return true;
    }
    if let (Some((network, bits)), Ok(address)) = (rule.split_once('/'), host.parse::<IpAddr>()) {
        return network
            .parse::<IpAddr>()
            .is_ok_and(|network| in_network(address, network, bits.parse().unwrap_or(u32::MAX)));
    }
    if let (Ok(rule), Ok(address)) = (bare(&rule).parse::<IpAddr>(), host.parse::<IpAddr>()) {
        return rule == address;
    }
    // A port narrows the rule; the host decides here, as the API server is rarely one of two.
    let name = rule.split(':').next().unwrap_or_default().trim_start_matches("*.").trim_start_matches('.');
    !name.is_empty() && (host == name || host.strip_suffix(name).is_some_and(|head| head.ends_with('.')))
}

fn in_network(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        (IpAddr::V6(address), IpAddr::V6(network)) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(server: &str, configured: Option<&str>, env: &[(&str, &str)]) -> Option<String> {
        let env = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        choose(&server.parse().unwrap(), configured, env).unwrap().map(|uri| uri.to_string())
    }

    #[test]
    fn the_kubeconfig_comes_before_the_environment() {
        let env = [("HTTPS_PROXY", "http://env:1"), ("NO_PROXY", "*")];
        assert_eq!(chosen("https://api", Some("socks5://here:9"), &env), Some("socks5://here:9/".into()));
        assert_eq!(chosen("https://api", None, &env[..1]), Some("http://env:1/".into()));
        assert_eq!(chosen("https://api", Some(""), &[("https_proxy", "env:1")]), Some("http://env:1/".into()));
        assert_eq!(chosen("http://api", None, &env[..1]), None);
    }

    #[test]
    fn no_proxy_speaks_of_the_server() {
        let with =
            |server: &str, none: &str| chosen(server, None, &[("HTTPS_PROXY", "p:1"), ("NO_PROXY", none)]).is_none();
        assert!(with("https://api.corp.example:6443", "corp.example"));
        assert!(with("https://api.corp.example", "a,, .corp.example ,"));
        assert!(with("https://10.1.2.3:6443", "10.0.0.0/8"));
        assert!(with("https://10.1.2.3", "10.1.2.3"));
        assert!(with("https://[fd00::1]:6443", "fd00::/8"));
        assert!(with("https://127.0.0.1:6443", ""));
        assert!(with("https://localhost", ""));
        assert!(!with("https://api.corp.example", "p,orp.example,10.0.0.0/8"));
        assert!(!with("https://11.1.2.3", "10.0.0.0/8,10.0.0.0/99"));
    }

    #[test]
    fn a_password_is_not_shown() {
        assert_eq!(shown(&"http://ann:pw@proxy:8080/".parse().unwrap()), "http://proxy:8080");
        let error = choose(&"https://api".parse().unwrap(), Some("ftp://ann:pw@proxy"), |_| None).unwrap_err();
        assert_eq!(error.to_string(), "the proxy `ftp://proxy` is not valid: only http, https and socks5 are known");
    }
}
