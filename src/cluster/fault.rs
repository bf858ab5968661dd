//! What an error of the HTTP client means to a person.
//!
//! The client's errors are nested five deep, and the library's own types in between are not ours
//! to name; so the chain is searched for the few causes that call for different action.

use std::error::Error;
use std::fmt;
use std::io;

use super::error::one_line;

/// Why a connection failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing listens there, there is no way to it, or the connection broke.
    Unreachable(String),
    /// The host's name is in no DNS.
    UnknownHost,
    /// The server's certificate is not trusted.
    Untrusted(String),
    /// The proxy refused.
    Proxy(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Unreachable(reason) => f.write_str(reason),
            Fault::UnknownHost => f.write_str("the host name is unknown"),
            Fault::Untrusted(reason) => write!(f, "the certificate is not trusted: {reason}"),
            Fault::Proxy(reason) => write!(f, "the proxy refused: {reason}"),
        }
    }
}

impl Fault {
    /// Finds the cause in an error's chain.
    pub(super) fn find(error: &(dyn Error + 'static)) -> Fault {
        let chain = chain(error);
        let proxy = chain
            .iter()
            .any(|error| error.to_string().starts_with("tunnel error") || error.to_string().starts_with("SOCKS"));
        if let Some(rustls) = chain.iter().find_map(|error| error.downcast_ref::<rustls::Error>()) {
            return tls(rustls);
        }
        if chain.iter().any(|error| error.to_string().starts_with("dns error")) {
            return Fault::UnknownHost;
        }
        let io = chain.iter().find_map(|error| error.downcast_ref::<io::Error>().filter(|io| io.get_ref().is_none()));
        let reason = match io.map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => "connection refused".to_owned(),
            Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => "the connection was reset".to_owned(),
            Some(io::ErrorKind::UnexpectedEof) => "the connection was closed".to_owned(),
            Some(io::ErrorKind::TimedOut) => "the connection timed out".to_owned(),
            Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable) => {
                "there is no route to it".to_owned()
            }
            _ => one_line(&chain.last().map(ToString::to_string).unwrap_or_default()),
        };
        if proxy { Fault::Proxy(reason.replace("tunnel error: ", "")) } else { Fault::Unreachable(reason) }
    }
}

/// The error and what lies beneath it. An `io::Error` hides the error that it wraps from
/// `source`, so it is asked for it.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    // Errors that contain themselves do not exist; a bound costs nothing.
    const DEEPEST: usize = 16;
    let mut chain = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next.filter(|_| chain.len() < DEEPEST) {
        chain.push(error);
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner as &'a (dyn Error + 'static)),
            None => error.source(),
        };
    }
    chain
}

fn tls(error: &rustls::Error) -> Fault {
    use rustls::CertificateError as Bad;
    let reason = match error {
        rustls::Error::InvalidCertificate(bad) => match bad {
            Bad::Expired | Bad::ExpiredContext { .. } => "it has expired".to_owned(),
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => "it is not valid yet; is the clock right?".to_owned(),
            Bad::UnknownIssuer => "it is signed by an authority that the kubeconfig does not name".to_owned(),
            Bad::NotValidForName => "it is for another host".to_owned(),
            Bad::NotValidForNameContext { presented, .. } => {
                format!("it is for another host ({})", one_line(&presented.join(", ")))
            }
            Bad::BadSignature => "its signature does not fit the authority that the kubeconfig names".to_owned(),
            other => one_line(&other.to_string()),
        },
        rustls::Error::InvalidMessage(_) => return Fault::Unreachable("it does not speak TLS".to_owned()),
        rustls::Error::AlertReceived(alert) => {
            return Fault::Unreachable(format!("it ended the TLS handshake ({alert:?})"));
        }
        other => return Fault::Unreachable(one_line(&other.to_string())),
    };
    Fault::Untrusted(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_says_what_is_wrong_with_it() {
        use rustls::CertificateError as Bad;
        let reason = |bad: Bad| {
            let wrapped =
                io::Error::other(io::Error::new(io::ErrorKind::InvalidData, rustls::Error::InvalidCertificate(bad)));
            Fault::find(&kube::Error::Service(Box::new(wrapped))).to_string()
        };
        assert_eq!(reason(Bad::Expired), "the certificate is not trusted: it has expired");
        assert_eq!(reason(Bad::NotValidForName), "the certificate is not trusted: it is for another host");
        assert!(reason(Bad::UnknownIssuer).contains("signed by an authority"));
        assert!(reason(Bad::BadEncoding).starts_with("the certificate is not trusted: "));
    }

    #[test]
    fn broken_connections_have_plain_words() {
        let reason =
            |kind: io::ErrorKind| Fault::find(&kube::Error::Service(Box::new(io::Error::from(kind)))).to_string();
        assert_eq!(reason(io::ErrorKind::ConnectionRefused), "connection refused");
        assert_eq!(reason(io::ErrorKind::ConnectionReset), "the connection was reset");
        assert_eq!(reason(io::ErrorKind::HostUnreachable), "there is no route to it");
    }
}
