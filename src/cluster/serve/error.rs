//! Why a line was not answered, each with its own sentence and what to do instead.
//!
//! *Invariant:* a message is one line without secrets; what a server said went through the redactor.

use super::source::Type;
use crate::cluster::error::ReadError;
use crate::kubectl::Refusal;
use crate::redact::Redactor;

/// Why a line was not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServeError {
    /// We may not read it.
    #[error("forbidden: {what}")]
    Forbidden {
        /// What: `pods in namespace shop`.
        what: String,
    },
    /// There is no such object.
    #[error("{what} not found{}", .place.as_deref().map(|place| format!(" in namespace {place}")).unwrap_or_default())]
    NotFound {
        /// What: `pods "wbe"`.
        what: String,
        /// The namespace that was looked in.
        place: Option<String>,
        /// Names there that are near.
        near: Vec<String>,
    },
    /// The snapshot does not hold it, which says nothing about the cluster.
    #[error("not in this snapshot: {what}")]
    NotInSnapshot {
        /// What: `logs of shop/web-1 (app)`.
        what: String,
    },
    /// The server has no such type.
    #[error("the server has no resource type `{word}`")]
    UnknownType {
        /// The word.
        word: String,
        /// Types that are near.
        near: Vec<String>,
    },
    /// The line is for another context.
    #[error("{0}")]
    Context(Refusal),
    /// A flag or a form that is not served.
    #[error("{what} is not supported")]
    NotSupported {
        /// The flag.
        what: String,
        /// What to use in its place.
        instead: String,
    },
    /// A value that can't be read.
    #[error("{what} can't be read: {reason}")]
    BadValue {
        /// What it is: `the jsonpath`.
        what: String,
        /// Why.
        reason: String,
    },
    /// The server answered with an error, or not at all.
    #[error("{message}")]
    Server {
        /// What it said.
        message: String,
    },
}

impl ServeError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Forbidden { .. } => {
                "the account may not read this; `kubectl auth can-i --list` shows what it may".to_owned()
            }
            Self::NotFound { near, what, .. } if near.is_empty() => {
                let plural = what.split(' ').next().unwrap_or_default();
                format!("see what there is with `kubectl get {plural} -A`")
            }
            Self::NotInSnapshot { .. } => "take a new snapshot or run on the cluster".to_owned(),
            Self::UnknownType { near, .. } if near.is_empty() => "`kubectl api-resources` lists the types".to_owned(),
            Self::NotFound { near, .. } | Self::UnknownType { near, .. } => format!("near: {}", near.join(", ")),
            Self::Context(refusal) => return refusal.hint().map(str::to_owned),
            Self::NotSupported { instead, .. } => instead.clone(),
            Self::BadValue { .. } | Self::Server { .. } => return None,
        })
    }

    pub(super) fn unsupported(what: impl Into<String>, instead: impl Into<String>) -> ServeError {
        ServeError::NotSupported { what: what.into(), instead: instead.into() }
    }

    pub(super) fn bad(what: impl Into<String>, reason: impl Into<String>) -> ServeError {
        ServeError::BadValue { what: what.into(), reason: reason.into() }
    }

    pub(super) fn missing(what: impl Into<String>) -> ServeError {
        ServeError::NotInSnapshot { what: what.into() }
    }

    /// What a failed read of objects of this type says; of one object where it has a name.
    pub(super) fn of(
        error: ReadError,
        of: &Type,
        namespace: Option<&str>,
        name: Option<&str>,
        redactor: &Redactor,
    ) -> ServeError {
        let what = match name {
            Some(name) => format!("{} \"{name}\"", of.plural_argument()),
            None => of.plural_argument(),
        };
        let place = namespace.filter(|_| of.namespaced).map(str::to_owned);
        match error {
            ReadError::Status { code: 403, .. } => {
                let place = place.map(|place| format!(" in namespace {place}")).unwrap_or_default();
                ServeError::Forbidden { what: format!("{what}{place}") }
            }
            ReadError::Status { code: 404, .. } if name.is_some() => {
                ServeError::NotFound { what, place, near: Vec::new() }
            }
            ReadError::Status { code: 404, .. } => {
                ServeError::UnknownType { word: of.plural_argument(), near: Vec::new() }
            }
            other => ServeError::read(&other, redactor),
        }
    }

    /// What any other failed read says.
    pub(super) fn read(error: &ReadError, redactor: &Redactor) -> ServeError {
        let message = match error {
            ReadError::Status { message, .. } if !message.is_empty() => message.clone(),
            other => other.to_string(),
        };
        ServeError::Server { message: redactor.text(&message).into_owned() }
    }
}
