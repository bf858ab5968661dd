//! Why there is no pull request.
//!
//! *Invariant:* no message holds a token, nor an address with a password; what a forge said is on one line and harmless
//! for a terminal.

use super::ForgeKind;
use super::refusal::{Refusal, Why};

/// Why there is no pull request.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// The remote is no repository on a forge.
    #[error("`{remote}` is no repository on a forge: {reason}")]
    NoForge {
        /// It, without a password.
        remote: String,
        /// Why.
        reason: &'static str,
    },
    /// Nobody says which API a host speaks.
    #[error("it is not known which forge {host} is")]
    Unknown {
        /// The host.
        host: String,
    },
    /// Nobody lends a token.
    #[error("there is no token for {} at {host}", kind.name())]
    NoToken {
        /// The forge.
        kind: ForgeKind,
        /// Its host.
        host: String,
        /// What was asked, by name.
        tried: Vec<String>,
    },
    /// What was found can't be one.
    #[error("what {from} holds is no token: it is empty, or has characters that no token has")]
    BadToken {
        /// Where it is from.
        from: String,
    },
    /// The API is not behind https.
    #[error("the API at {host} is not behind https, and a token is sent over nothing else")]
    Insecure {
        /// Its host.
        host: String,
    },
    /// The API can't be asked at all.
    #[error("the API can't be asked: {0}")]
    Api(String),
    /// It does not answer.
    #[error("{} at {host} can't be reached: {reason}", kind.name())]
    Unreachable {
        /// The forge.
        kind: ForgeKind,
        /// Its host.
        host: String,
        /// Why.
        reason: String,
    },
    /// It said no.
    #[error(transparent)]
    Refused(#[from] Box<Refusal>),
}

impl ForgeError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            ForgeError::NoForge { .. } => "open the pull request where the repository is hosted".to_owned(),
            ForgeError::Unknown { .. } => "name it in the settings: github, gitlab, azure or gitea".to_owned(),
            ForgeError::NoToken { tried, .. } => format!("asked in this order: {}", tried.join(", ")),
            ForgeError::BadToken { .. } => "a token is one word; look whether it was copied whole".to_owned(),
            ForgeError::Insecure { .. } => "give the address of its API with https://".to_owned(),
            ForgeError::Api(_) => return None,
            ForgeError::Unreachable { .. } => {
                "is the network there? HTTPS_PROXY and NO_PROXY hold, and SSL_CERT_FILE for a certificate of your own"
                    .to_owned()
            }
            ForgeError::Refused(refusal) => refusal.hint(),
        })
    }

    /// Whether there is one already.
    pub(super) fn says_exists(&self) -> bool {
        matches!(self, ForgeError::Refused(refusal) if refusal.why == Why::Exists)
    }

    /// Whether it takes no drafts.
    pub(super) fn says_no_drafts(&self) -> bool {
        matches!(self, ForgeError::Refused(refusal) if refusal.why == Why::NoDrafts)
    }
}
