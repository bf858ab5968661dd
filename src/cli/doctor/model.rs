//! Whether the model answers, calls tools and streams.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::check::Check;
use crate::agent::chat::{Heard, Model};
use crate::config;
use crate::model::chat::{ChatReply, ChatRequest, Message, ToolSpec};
use crate::redact::Redactor;

/// The tool that it is asked to call.
const TOOL: &str = "ready";
/// Room for a model that thinks before it speaks.
const ROOM: u32 = 1024;

/// Asks one small turn: nothing of the cluster is sent.
pub(super) async fn check(model: Option<Arc<dyn Model>>) -> Check {
    let Some(model) = model else {
        return Check::note("model", "none is configured: a diagnosis is what the detectors prove");
    };
    let redactor = match config::redaction_key() {
        Ok(key) => Redactor::new(key),
        Err(error) => return Check::failed("model", format!("there are no random numbers: {error}")),
    };
    let request = redactor.seal_texts(question());
    let (began, pieces) = (Instant::now(), AtomicUsize::new(0));
    let heard = |piece: Heard<'_>| {
        if matches!(piece, Heard::Said(_)) {
            pieces.fetch_add(1, Ordering::Relaxed);
        }
    };
    let answer = model.turn(&request, &heard).await;
    let millis = began.elapsed().as_millis();
    let who = format!("{} at {}", model.identity().model, model.identity().server);
    match answer {
        Ok(reply) => told(&who, &reply, pieces.load(Ordering::Relaxed), millis),
        Err(error) => Check::failed("model", error.to_string()).hint_if(error.hint()),
    }
}

fn question() -> ChatRequest {
    let text = format!(
        "This is a test of the connection. Say in one sentence that you are there, and call the tool `{TOOL}`."
    );
    ChatRequest {
        messages: vec![Message::User { text }],
        tools: vec![ToolSpec {
            name: TOOL.to_owned(),
            description: "Says that you are ready.".to_owned(),
            parameters: serde_json::json!({ "type": "object", "properties": {}, "additionalProperties": false }),
        }],
        must_call: None,
        max_output_tokens: Some(ROOM),
    }
}

fn told(who: &str, reply: &ChatReply, pieces: usize, millis: u128) -> Check {
    let calls = reply.calls.iter().any(|call| call.name == TOOL);
    let streams = match pieces {
        0 => "says only what it calls",
        1 => "answers in one piece",
        _ => "streams",
    };
    let tokens = reply
        .tokens
        .map_or("no usage told".to_owned(), |tokens| format!("{} tokens in, {} out", tokens.input, tokens.output));
    let tries = if reply.tries > 1 { format!(", asked {} times", reply.tries) } else { String::new() };
    let tools = if calls { "calls tools" } else { "did not call the tool" };
    let said = format!("{who}: {millis} ms{tries}, {tools}, {streams}, {tokens}");
    if calls {
        return Check::ok("model", said);
    }
    Check::warning("model", said)
        .hint("a model that does not call tools explores little: take another one, or another mode")
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use futures::future::BoxFuture;

    use super::*;
    use crate::agent::chat::{Hearing, Identity, ModelError};
    use crate::cli::doctor::check::Standing;
    use crate::model::chat::{Call, Tokens};
    use crate::redact::Redacted;

    struct Scripted {
        identity: Identity,
        pieces: usize,
        answer: Result<ChatReply, ModelError>,
    }

    impl Model for Scripted {
        fn identity(&self) -> &Identity {
            &self.identity
        }

        fn turn<'a>(
            &'a self,
            request: &'a Redacted<ChatRequest>,
            heard: &'a Hearing<'a>,
        ) -> BoxFuture<'a, Result<ChatReply, ModelError>> {
            assert_eq!(request.tools[0].name, TOOL);
            (0..self.pieces).for_each(|_| heard(Heard::Said("x")));
            futures::future::ready(self.answer.clone()).boxed()
        }
    }

    async fn of(pieces: usize, answer: Result<ChatReply, ModelError>) -> Check {
        let identity = Identity { model: "m".to_owned(), server: "s:443".to_owned(), window: 0 };
        check(Some(Arc::new(Scripted { identity, pieces, answer }))).await
    }

    #[tokio::test]
    async fn what_a_model_can_is_said() {
        let call = Call { id: "1".to_owned(), name: TOOL.to_owned(), arguments: "{}".to_owned() };
        let tokens = Some(Tokens { input: 60, cached: 0, output: 9 });
        let able = of(3, Ok(ChatReply { calls: vec![call], tokens, ..ChatReply::default() })).await;
        assert_eq!(able.standing, Standing::Ok);
        assert!(
            able.said.starts_with("m at s:443: ") && able.said.ends_with("calls tools, streams, 60 tokens in, 9 out"),
            "{able:?}"
        );
        let mute = of(1, Ok(ChatReply { text: "hello".to_owned(), ..ChatReply::default() })).await;
        assert_eq!((mute.standing, mute.hints.len()), (Standing::Warning, 1));
        assert!(mute.said.ends_with("did not call the tool, answers in one piece, no usage told"), "{mute:?}");
        let away = ModelError::Unreachable { server: "s:443".to_owned(), reason: "refused".to_owned() };
        let away = of(0, Err(away)).await;
        assert_eq!(
            (away.standing, away.said.as_str()),
            (Standing::Failed, "the model at s:443 can't be reached: refused")
        );
        assert_eq!(check(None).await.standing, Standing::Note);
    }
}
