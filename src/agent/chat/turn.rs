//! A turn as it is recorded: the digest of what was asked, and errors as data.
//!
//! *Invariant:* what is read is what was written; a kind of error that is not known stays an error.

use sha2::{Digest, Sha256};

use super::ModelError;
use crate::model::TurnError;
use crate::model::chat::ChatRequest;
use crate::redact::Redacted;

/// SHA-256 of a sealed request, in hex digits: what tells one question from another.
pub(in crate::agent) fn digest(request: &Redacted<ChatRequest>) -> String {
    // A request is strings, numbers and JSON: it can always be written.
    let bytes = serde_json::to_vec(&**request).unwrap_or_default();
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(&bytes) {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// An error as it is recorded.
pub(in crate::agent) fn written(error: &ModelError) -> TurnError {
    let of = |kind: &str, server: &str, model: &str, reason: &str, window: Option<u32>| TurnError {
        kind: kind.to_owned(),
        server: server.to_owned(),
        model: model.to_owned(),
        reason: reason.to_owned(),
        window,
    };
    match error {
        ModelError::Unreachable { server, reason } => of("unreachable", server, "", reason, None),
        ModelError::Unauthorized { server, reason } => of("unauthorized", server, "", reason, None),
        ModelError::NoModel { server, model, reason } => of("noModel", server, model, reason, None),
        ModelError::Overloaded { server, reason } => of("overloaded", server, "", reason, None),
        ModelError::TooLong { reason, window } => of("tooLong", "", "", reason, *window),
        ModelError::Filtered { server, reason } => of("filtered", server, "", reason, None),
        ModelError::Unusable { server, reason } => of("unusable", server, "", reason, None),
        ModelError::Replay(reason) => of("replay", "", "", reason, None),
    }
}

/// The error that was recorded.
pub(in crate::agent) fn read(error: &TurnError) -> ModelError {
    let TurnError { kind, server, model, reason, window } = error.clone();
    match kind.as_str() {
        "unreachable" => ModelError::Unreachable { server, reason },
        "unauthorized" => ModelError::Unauthorized { server, reason },
        "noModel" => ModelError::NoModel { server, model, reason },
        "overloaded" => ModelError::Overloaded { server, reason },
        "tooLong" => ModelError::TooLong { reason, window },
        "filtered" => ModelError::Filtered { server, reason },
        "replay" => ModelError::Replay(reason),
        // Of a later version: what it said is all that is known.
        _ => ModelError::Unusable { server, reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::chat::Message;
    use crate::redact::Redactor;

    fn request(text: &str) -> Redacted<ChatRequest> {
        let messages = vec![Message::User { text: text.to_owned() }];
        Redactor::new([1; 32]).seal_texts(ChatRequest { messages, ..ChatRequest::default() })
    }

    #[test]
    fn each_error_is_read_as_it_was_written() {
        let (server, model, reason) = (|| "s:1".to_owned(), "m".to_owned(), || "why".to_owned());
        let errors = [
            ModelError::Unreachable { server: server(), reason: reason() },
            ModelError::Unauthorized { server: server(), reason: reason() },
            ModelError::NoModel { server: server(), model, reason: reason() },
            ModelError::Overloaded { server: server(), reason: reason() },
            ModelError::TooLong { reason: reason(), window: Some(8192) },
            ModelError::Filtered { server: server(), reason: reason() },
            ModelError::Unusable { server: server(), reason: reason() },
            ModelError::Replay(reason()),
        ];
        for error in errors {
            let line = serde_json::to_string(&written(&error)).unwrap();
            assert_eq!(read(&serde_json::from_str(&line).unwrap()), error, "{line}");
        }
    }

    #[test]
    fn the_digest_is_of_all_that_is_asked() {
        let base = request("a");
        assert_eq!(digest(&base), digest(&request("a")));
        assert_eq!(digest(&base).len(), 64);
        let other = ChatRequest { must_call: Some("finish".to_owned()), ..base.clone().into_inner() };
        assert_ne!(digest(&base), digest(&Redactor::new([1; 32]).seal_texts(other)));
    }
}
