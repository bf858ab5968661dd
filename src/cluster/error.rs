//! What can go wrong between us and an API server, each with its own line and its own hint.
//!
//! *Invariant:* a message is one line and holds no credential; it names the file, context, URL or
//! program that a person has to look at.

use std::path::PathBuf;
use std::time::Duration;

use super::fault::Fault;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// There is no kubeconfig file and we do not run in a cluster.
    #[error("no kubeconfig: `{looked}` does not exist")]
    NoKubeconfig {
        /// Where we looked.
        looked: String,
    },
    /// A kubeconfig file is there and can't be read.
    #[error("cannot read the kubeconfig `{path}`: {reason}", path = path.display())]
    UnreadableKubeconfig {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A kubeconfig file is no kubeconfig.
    #[error("the kubeconfig {path} is not valid: {reason}")]
    InvalidKubeconfig {
        /// The file, in backticks, or where the text came from.
        path: String,
        /// Why, with the line.
        reason: String,
    },
    /// No context was asked for, and the kubeconfig sets none.
    #[error("the kubeconfig sets no current context")]
    NoContext {
        /// Those there are.
        known: Vec<String>,
    },
    /// The context asked for is not in the kubeconfig.
    #[error("there is no context `{context}` in the kubeconfig")]
    ContextNotFound {
        /// The context asked for.
        context: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// The context, or a flag, names a cluster or user that is not in the kubeconfig.
    #[error("there is no {what} `{name}` in the kubeconfig")]
    EntryNotFound {
        /// `cluster` or `user`.
        what: &'static str,
        /// Its name.
        name: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// The server's address, or a flag's value, can't be used.
    #[error("{what} `{value}` is not valid: {reason}")]
    InvalidSetting {
        /// What it is: `the server address`.
        what: &'static str,
        /// Its value.
        value: String,
        /// Why.
        reason: String,
    },
    /// A certificate, key or token file is missing or broken.
    #[error("the credentials of context `{context}` cannot be used: {reason}")]
    Credentials {
        /// The context.
        context: String,
        /// Why.
        reason: String,
    },
    /// Nothing answers there.
    #[error("cannot reach the API server `{server}`: {reason}")]
    Unreachable {
        /// Its address.
        server: String,
        /// Why: `connection refused`.
        reason: String,
    },
    /// The server's name is in no DNS.
    #[error("cannot reach the API server `{server}`: its host name is unknown")]
    UnknownHost {
        /// Its address.
        server: String,
    },
    /// No answer came in time.
    #[error("the API server `{server}` did not answer within {}", seconds(*.within))]
    TimedOut {
        /// Its address.
        server: String,
        /// The request time-out.
        within: Duration,
    },
    /// The server's certificate proves nothing to us.
    #[error("the certificate of the API server `{server}` is not trusted: {reason}")]
    Untrusted {
        /// Its address.
        server: String,
        /// Why: `it is signed by an unknown authority`.
        reason: String,
    },
    /// What answers is no Kubernetes API server.
    #[error("what answers at `{server}` is not a Kubernetes API server: {reason}")]
    NotKubernetes {
        /// Its address.
        server: String,
        /// What it said.
        reason: String,
    },
    /// The server is there and can't work.
    #[error("the API server `{server}` cannot serve: {reason}")]
    Unhealthy {
        /// Its address.
        server: String,
        /// What it said.
        reason: String,
    },
    /// The server knows no one by these credentials.
    #[error("the API server `{server}` does not accept the credentials of context `{context}`{detail}")]
    Unauthorized {
        /// Its address.
        server: String,
        /// The context.
        context: String,
        /// `: the client certificate expired at …`, where we can tell.
        detail: String,
        /// The credential plugin that gave them.
        plugin: Option<String>,
    },
    /// The server does not let us act as someone else.
    #[error("not allowed to act as `{user}`: {reason}")]
    Impersonation {
        /// Who was asked for.
        user: String,
        /// What the server said.
        reason: String,
    },
    /// The program that gives the credentials is not installed.
    #[error("the credential plugin `{command}` of context `{context}` was not found")]
    PluginMissing {
        /// The program.
        command: String,
        /// The context.
        context: String,
        /// What the kubeconfig says about installing it.
        install: Option<String>,
    },
    /// The program that gives the credentials failed.
    #[error("the credential plugin `{command}` failed: {reason}")]
    PluginFailed {
        /// The program.
        command: String,
        /// Its exit status and last words.
        reason: String,
    },
    /// The program that gives the credentials did not end.
    #[error("the credential plugin `{command}` did not end within {}", seconds(*.within))]
    PluginTimedOut {
        /// The program.
        command: String,
        /// The time-out.
        within: Duration,
    },
    /// The program that gives the credentials wants to ask someone, and there is no terminal.
    #[error("the credential plugin `{command}` asks for a login, and there is no terminal to ask on")]
    PluginNeedsTerminal {
        /// The program.
        command: String,
    },
    /// Credentials of a kind that Kubernetes has dropped.
    #[error("the `auth-provider` `{name}` of context `{context}` is no longer supported")]
    AuthProvider {
        /// Its name.
        name: String,
        /// The context.
        context: String,
    },
    /// The proxy between us and the server does not let us through.
    #[error("the proxy `{proxy}` does not connect to the API server: {reason}")]
    Proxy {
        /// Its address, without credentials.
        proxy: String,
        /// Why.
        reason: String,
    },
}

impl ConnectError {
    /// What a failed request says about the connection.
    pub(super) fn from_fault(fault: Fault, server: &str, proxy: Option<&str>) -> ConnectError {
        let server = server.to_owned();
        match (fault, proxy) {
            (Fault::Untrusted(reason), _) => ConnectError::Untrusted { server, reason },
            (Fault::Proxy(reason) | Fault::Unreachable(reason), Some(proxy)) => {
                ConnectError::Proxy { proxy: proxy.to_owned(), reason }
            }
            (Fault::UnknownHost, Some(proxy)) => {
                ConnectError::Proxy { proxy: proxy.to_owned(), reason: "its host name is unknown".to_owned() }
            }
            (Fault::UnknownHost, None) => ConnectError::UnknownHost { server },
            (Fault::Proxy(reason) | Fault::Unreachable(reason), None) => ConnectError::Unreachable { server, reason },
        }
    }
}

/// Why a snapshot could not be taken at all. What merely makes it smaller is a [`crate::model::Gap`].
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The connection failed while reading: for every list, or as credentials ran out.
    #[error(transparent)]
    Connection(#[from] ConnectError),
    /// The namespace asked for is no name that a namespace can have.
    #[error("`{0}` is not a valid name of a namespace")]
    InvalidNamespace(String),
}

impl CollectError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Connection(error) => error.hint(),
            Self::InvalidNamespace(_) => Some("see those there are with `kubectl get namespaces`".to_owned()),
        }
    }
}

/// Why one answer did not come.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is not on the list of what we may ask: it could change something, or show a secret.
    #[error("not allowed: {0}")]
    NotAllowed(String),
    /// The server answered with an error.
    #[error("{}", status_text(*.code, .message))]
    Status {
        /// The HTTP status.
        code: u16,
        /// The server's sentence, in one line.
        message: String,
    },
    /// No answer came in time.
    #[error("timed out after {}", seconds(*.0))]
    TimedOut(Duration),
    /// The connection failed.
    #[error("{0}")]
    Connection(Fault),
    /// The answer is larger than anything that we would hold in memory.
    #[error("the answer is larger than {0} MiB")]
    TooLarge(usize),
    /// The answer is not what the API's documentation says.
    #[error("the answer could not be understood: {0}")]
    Unreadable(String),
}

impl ReadError {
    /// The HTTP status, where there was an answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            ReadError::Status { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Whether there was no answer at all.
    pub(super) fn is_silence(&self) -> bool {
        matches!(self, ReadError::TimedOut(_) | ReadError::Connection(_))
    }
}

fn status_text(code: u16, message: &str) -> String {
    match code {
        403 => "forbidden".to_owned(),
        404 => "not found".to_owned(),
        410 => "the list changed faster than it could be read".to_owned(),
        429 => "the API server is overloaded (429)".to_owned(),
        _ if message.is_empty() => format!("the API server answered {code}"),
        _ => format!("the API server answered {code}: {message}"),
    }
}

/// `30s`, `1.5s`.
pub(super) fn seconds(duration: Duration) -> String {
    format!("{}s", duration.as_secs_f64())
}

/// One line of someone else's text, of a length that a message can bear.
pub(super) fn one_line(text: &str) -> String {
    const LONGEST: usize = 240;
    let mut line = String::new();
    for word in crate::printable::one_line(text).split_whitespace() {
        if line.len() + word.len() >= LONGEST {
            line.push('…');
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}
