//! Turns with a model, recorded and played again.
//!
//! *Invariant:* what is played is what was recorded, or nothing: a question whose digest is another one gets an error
//! that names the turn, never somebody else's answer.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::FutureExt;
use futures::future::BoxFuture;
use sha2::{Digest, Sha256};

use super::{Identity, Model, ModelError};
use crate::model::chat::{ChatReply, ChatRequest};
use crate::model::{Turn, TurnError, TurnOutcome};
use crate::redact::Redacted;

/// SHA-256 of a sealed request, in hex digits: what tells one question from another.
pub fn digest(request: &Redacted<ChatRequest>) -> String {
    // A request is strings, numbers and JSON: it can always be written.
    let bytes = serde_json::to_vec(&**request).unwrap_or_default();
    let mut digest = String::with_capacity(64);
    for byte in Sha256::digest(&bytes) {
        let _ = write!(digest, "{byte:02x}");
    }
    digest
}

/// A model of which every turn is noted down.
pub struct Recording {
    model: Arc<dyn Model>,
    note: Box<dyn Fn(Turn) + Send + Sync>,
    turns: AtomicUsize,
}

impl Recording {
    /// Asks `model`, and gives each turn to `note` before its answer is used.
    pub fn new(model: Arc<dyn Model>, note: impl Fn(Turn) + Send + Sync + 'static) -> Recording {
        Recording { model, note: Box::new(note), turns: AtomicUsize::new(0) }
    }
}

impl Model for Recording {
    fn identity(&self) -> &Identity {
        self.model.identity()
    }

    fn turn<'a>(
        &'a self,
        request: &'a Redacted<ChatRequest>,
        said: &'a (dyn Fn(&str) + Send + Sync),
    ) -> BoxFuture<'a, Result<ChatReply, ModelError>> {
        async move {
            let number = self.turns.fetch_add(1, Ordering::SeqCst) + 1;
            let answer = self.model.turn(request, said).await;
            let outcome = match &answer {
                Ok(reply) => TurnOutcome::Reply(reply.clone()),
                Err(error) => TurnOutcome::Error(written(error)),
            };
            (self.note)(Turn { number, request: digest(request), outcome });
            answer
        }
        .boxed()
    }
}

/// Recorded turns, given back in order.
pub struct Recorded {
    identity: Identity,
    turns: Vec<Turn>,
    next: AtomicUsize,
}

impl Recorded {
    /// Plays `turns` in the name of `identity`.
    pub fn new(identity: Identity, turns: Vec<Turn>) -> Recorded {
        Recorded { identity, turns, next: AtomicUsize::new(0) }
    }

    /// How many turns were not asked for yet.
    pub fn left(&self) -> usize {
        self.turns.len().saturating_sub(self.next.load(Ordering::SeqCst))
    }

    fn play(&self, request: &Redacted<ChatRequest>) -> Result<ChatReply, ModelError> {
        let at = self.next.fetch_add(1, Ordering::SeqCst);
        let Some(turn) = self.turns.get(at) else {
            let number = at + 1;
            return Err(ModelError::Replay(format!(
                "turn {number} was not recorded: the recording ends after {}",
                self.turns.len()
            )));
        };
        if turn.number != at + 1 {
            return Err(ModelError::Replay(format!(
                "turn {} is missing in the recording: turn {} follows {at}",
                at + 1,
                turn.number
            )));
        }
        let asked = digest(request);
        if asked != turn.request {
            return Err(ModelError::Replay(format!(
                "turn {} asks something else than was recorded (sha256 {} instead of {})",
                turn.number,
                short(&asked),
                short(&turn.request)
            )));
        }
        match &turn.outcome {
            TurnOutcome::Reply(reply) => Ok(reply.clone()),
            TurnOutcome::Error(error) => Err(read(error)),
        }
    }
}

impl Model for Recorded {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn turn<'a>(
        &'a self,
        request: &'a Redacted<ChatRequest>,
        said: &'a (dyn Fn(&str) + Send + Sync),
    ) -> BoxFuture<'a, Result<ChatReply, ModelError>> {
        let answer = self.play(request);
        if let Ok(reply) = &answer
            && !reply.text.is_empty()
        {
            said(&reply.text);
        }
        futures::future::ready(answer).boxed()
    }
}

/// Enough of a digest for people.
fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// An error as it is recorded.
fn written(error: &ModelError) -> TurnError {
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
fn read(error: &TurnError) -> ModelError {
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
    use std::sync::Mutex;

    use super::*;
    use crate::model::chat::{Call, Message};
    use crate::redact::Redactor;

    /// A model that answers with what stands in its list, one after the other.
    struct Scripted {
        identity: Identity,
        answers: Mutex<Vec<Result<ChatReply, ModelError>>>,
    }

    impl Model for Scripted {
        fn identity(&self) -> &Identity {
            &self.identity
        }

        fn turn<'a>(
            &'a self,
            _: &'a Redacted<ChatRequest>,
            _: &'a (dyn Fn(&str) + Send + Sync),
        ) -> BoxFuture<'a, Result<ChatReply, ModelError>> {
            let answer = self.answers.lock().unwrap().remove(0);
            futures::future::ready(answer).boxed()
        }
    }

    fn request(text: &str) -> Redacted<ChatRequest> {
        let messages = vec![Message::User { text: text.to_owned() }];
        Redactor::new([1; 32]).seal_texts(ChatRequest { messages, ..ChatRequest::default() })
    }

    fn reply(text: &str) -> ChatReply {
        let call = Call { id: "1".to_owned(), name: "kubectl".to_owned(), arguments: "{}".to_owned() };
        ChatReply { text: text.to_owned(), calls: vec![call], ..ChatReply::default() }
    }

    fn errors() -> Vec<ModelError> {
        let (server, model, reason) = (|| "s:1".to_owned(), "m".to_owned(), || "why".to_owned());
        vec![
            ModelError::Unreachable { server: server(), reason: reason() },
            ModelError::Unauthorized { server: server(), reason: reason() },
            ModelError::NoModel { server: server(), model, reason: reason() },
            ModelError::Overloaded { server: server(), reason: reason() },
            ModelError::TooLong { reason: reason(), window: Some(8192) },
            ModelError::Filtered { server: server(), reason: reason() },
            ModelError::Unusable { server: server(), reason: reason() },
            ModelError::Replay(reason()),
        ]
    }

    /// Records these answers to the questions `0`, `1`, ….
    async fn record(answers: Vec<Result<ChatReply, ModelError>>) -> Vec<Turn> {
        let turns = Arc::new(Mutex::new(Vec::new()));
        let count = answers.len();
        let model = Arc::new(Scripted { identity: Identity::default(), answers: Mutex::new(answers) });
        let theirs = Arc::clone(&turns);
        let recording = Recording::new(model, move |turn| theirs.lock().unwrap().push(turn));
        for number in 0..count {
            let _ = recording.turn(&request(&number.to_string()), &|_| {}).await;
        }
        turns.lock().unwrap().clone()
    }

    #[tokio::test]
    async fn what_was_recorded_is_played_errors_too() {
        let mut answers = vec![Ok(reply("first")), Ok(reply(""))];
        answers.extend(errors().into_iter().map(Err));
        let turns = record(answers.clone()).await;
        // As it comes back from a file.
        let lines: Vec<String> = turns.iter().map(|turn| serde_json::to_string(turn).unwrap()).collect();
        let turns: Vec<Turn> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let recorded = Recorded::new(Identity { model: "m".to_owned(), ..Identity::default() }, turns);
        let heard = Mutex::new(String::new());
        for (number, expected) in answers.iter().enumerate() {
            assert_eq!(recorded.left(), answers.len() - number);
            let said = |text: &str| heard.lock().unwrap().push_str(text);
            assert_eq!(recorded.turn(&request(&number.to_string()), &said).await, *expected, "{number}");
        }
        assert_eq!((recorded.left(), heard.lock().unwrap().as_str()), (0, "first"));
        let error = recorded.turn(&request("more"), &|_| {}).await.unwrap_err();
        assert_eq!(error.to_string(), "turn 11 was not recorded: the recording ends after 10");
    }

    #[tokio::test]
    async fn another_question_gets_no_answer() {
        let turns = record(vec![Ok(reply("a")), Ok(reply("b"))]).await;
        let recorded = Recorded::new(Identity::default(), turns.clone());
        recorded.turn(&request("0"), &|_| {}).await.unwrap();
        let error = recorded.turn(&request("something else"), &|_| {}).await.unwrap_err().to_string();
        assert!(error.starts_with("turn 2 asks something else than was recorded (sha256 "), "{error}");
        // A line that was lost is seen too.
        let recorded = Recorded::new(Identity::default(), turns.into_iter().skip(1).collect());
        let error = recorded.turn(&request("1"), &|_| {}).await.unwrap_err().to_string();
        assert_eq!(error, "turn 1 is missing in the recording: turn 2 follows 0");
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
