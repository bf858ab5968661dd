//! Whether the model answers, how it calls tools, and whether it streams.
//!
//! *Invariant:* nothing of the cluster is sent, and a model that is slow is not told as broken.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::check::Check;
use crate::agent::chat::{Heard, Model, ModelError};
use crate::config;
use crate::model::chat::{ChatReply, ChatRequest, Message, ToolSpec};
use crate::redact::Redactor;

/// The tool that it is asked to call.
const TOOL: &str = "ready";
/// Room for a model that thinks before it speaks.
const ROOM: u32 = 1024;
/// A model is waited for so long, whatever `model.timeout` says.
const PATIENCE: Duration = Duration::from_secs(90);

/// What came of the last request, while it came.
#[derive(Clone, Copy)]
struct Stream {
    asked: Instant,
    events: usize,
    /// When the first of them came.
    first: Option<Duration>,
}

impl Stream {
    fn begin() -> Stream {
        Stream { asked: Instant::now(), events: 0, first: None }
    }

    fn hear(&mut self, piece: &Heard<'_>) {
        match piece {
            Heard::Asked(_) => *self = Stream::begin(),
            Heard::Streamed => {
                self.events += 1;
                self.first.get_or_insert_with(|| self.asked.elapsed());
            }
            Heard::Said(_) | Heard::Waits { .. } => {}
        }
    }

    fn told(&self) -> String {
        match self.first {
            Some(first) if self.events > 1 => {
                format!("streams ({} events, the first after {} ms)", self.events, first.as_millis())
            }
            _ => "answers in one piece".to_owned(),
        }
    }
}

/// Says why there is none to ask.
pub(super) fn none(missing: Option<String>) -> Check {
    let reason = missing.unwrap_or_default();
    let (why, what_to_do) = reason.split_once(": ").map_or((reason.as_str(), None), |(why, todo)| (why, Some(todo)));
    let why = if why.is_empty() { String::new() } else { format!(", for {why}") };
    Check::note("model", format!("none is used{why}; a diagnosis is what the detectors prove")).hint_if(what_to_do)
}

/// Asks one small turn, and waits `limit` for it.
pub(super) async fn check(model: Arc<dyn Model>, limit: Duration) -> Check {
    let redactor = match config::redaction_key() {
        Ok(key) => Redactor::new(key),
        Err(error) => return Check::failed("model", format!("there are no random numbers: {error}")),
    };
    let request = redactor.seal_texts(question());
    let (began, stream, known) = (Instant::now(), Mutex::new(Stream::begin()), model.mode().is_some());
    let heard = |piece: Heard<'_>| stream.lock().unwrap_or_else(PoisonError::into_inner).hear(&piece);
    let limit = limit.min(PATIENCE);
    let answer = timeout(limit, model.turn(&request, &heard)).await;
    let took = began.elapsed();
    let who = format!("{} at {}", model.identity().model, model.identity().server);
    match answer {
        Ok(Ok(reply)) => {
            let mode = match model.mode() {
                Some(mode) if known => format!(" ({mode})"),
                Some(mode) => format!(" ({mode}, found out now)"),
                None => String::new(),
            };
            let streams = stream.lock().unwrap_or_else(PoisonError::into_inner).told();
            told(&format!("{who}: {} ms", took.as_millis()), &reply, &mode, &streams)
        }
        // A turn ends by itself at `model.timeout`, which may be the same moment.
        Ok(Err(error)) if took < limit || !matches!(error, ModelError::Unreachable { .. }) => {
            Check::failed("model", error.to_string()).hint_if(error.hint())
        }
        _ => Check::warning("model", format!("{who}: no answer within {} s", limit.as_secs_f32()))
            .hint("look whether its server is busy; for a model that takes longer, raise `model.timeout`"),
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

fn told(who: &str, reply: &ChatReply, mode: &str, streams: &str) -> Check {
    let calls = reply.calls.iter().any(|call| call.name == TOOL);
    let tokens = reply
        .tokens
        .map_or("no usage told".to_owned(), |tokens| format!("{} tokens in, {} out", tokens.input, tokens.output));
    let tries = if reply.tries > 1 { format!(", asked {} times", reply.tries) } else { String::new() };
    let tools = if calls { "calls tools" } else { "did not call the tool" };
    let said = format!("{who}{tries}, {tools}{mode}, {streams}, {tokens}");
    if calls {
        return Check::ok("model", said);
    }
    Check::warning("model", said).hint(
        "a model that does not call tools explores little: take another one, or set `model.tools` to another of \
         native, schema, text",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::agent::chat::model_server::{Asked, ModelServer, Piece, Reply, calls, text};
    use crate::agent::chat::{Mode, OpenAi, Server, Tools};
    use crate::cli::doctor::check::Standing;

    async fn of(server: &ModelServer, tools: Tools) -> Check {
        let server = Server { tools, ..Server::new(format!("{}/v1", server.url()), "m") };
        check(Arc::new(OpenAi::open(server).unwrap()), Duration::from_secs(30)).await
    }

    /// Without the times.
    fn said(check: &Check) -> String {
        let words: Vec<&str> = check.said.split(' ').collect();
        let word = |(at, word): (usize, &&str)| {
            let is_time = words.get(at + 1).is_some_and(|next| next.starts_with("ms"));
            if is_time { "N".to_owned() } else { (*word).to_owned() }
        };
        let line = words.iter().enumerate().map(word).collect::<Vec<_>>().join(" ");
        line.split_once(": ").map_or(line.clone(), |(_, rest)| rest.to_owned())
    }

    fn refuses(what: &str) -> Reply {
        Reply::json(400, &json!({"error": {"message": format!("m does not support {what}")}}))
    }

    #[tokio::test]
    async fn how_a_model_calls_tools_and_whether_it_streams_is_said() {
        let called = |asked: &Asked| if asked.last().contains("ping") { "ping" } else { TOOL };
        let native = move |asked: &Asked| calls(&[(called(asked), json!({}))]).reply(asked);
        let schema = move |asked: &Asked| match asked.json().get("tools") {
            Some(_) => refuses("tools"),
            None => text(&json!({"thought": "t", "tool": called(asked), "arguments": {}}).to_string()).reply(asked),
        };
        let plain = move |asked: &Asked| match asked.json() {
            Value::Object(body) if body.contains_key("tools") => refuses("tools"),
            Value::Object(body) if body.contains_key("response_format") => refuses("response_format"),
            _ => text(&format!("Action: {}\nAction Input: {{}}", called(asked))).reply(asked),
        };
        let whole = move |asked: &Asked| Reply::json(200, &calls(&[(called(asked), json!({}))]).whole(asked));
        let table: Vec<(ModelServer, Tools, &str)> = vec![
            (
                ModelServer::by(native),
                Tools::Auto,
                "N ms, asked 2 times, calls tools (native, found out now), streams (5 events, the first after N ms), \
                 200 tokens in, 20 out",
            ),
            (
                ModelServer::by(native),
                Tools::Always(Mode::Native),
                "N ms, calls tools (native), streams (5 events, the first after N ms), 100 tokens in, 10 out",
            ),
            (
                ModelServer::by(schema),
                Tools::Auto,
                "N ms, asked 3 times, calls tools (schema, found out now), streams (4 events, the first after N ms), \
                 200 tokens in, 20 out",
            ),
            (
                ModelServer::by(plain),
                Tools::Always(Mode::Text),
                "N ms, calls tools (text), streams (7 events, the first after N ms), 100 tokens in, 10 out",
            ),
            (
                ModelServer::by(whole),
                Tools::Always(Mode::Native),
                "N ms, calls tools (native), answers in one piece, 100 tokens in, 10 out",
            ),
        ];
        for (server, tools, expected) in table {
            let check = of(&server, tools).await;
            assert_eq!((check.standing, said(&check).as_str()), (Standing::Ok, expected));
            assert!(check.said.starts_with("m at 127.0.0.1:"), "{check:?}");
        }
    }

    #[tokio::test]
    async fn a_model_without_tools_is_told_with_what_to_set() {
        let server = ModelServer::scripted(vec![text("hello").usage(None).into()]);
        let check = of(&server, Tools::Always(Mode::Native)).await;
        assert_eq!(check.standing, Standing::Warning);
        assert!(
            check.said.contains("did not call the tool (native), streams (") && check.said.ends_with("no usage told")
        );
        assert!(check.hints[0].contains("`model.tools`"), "{check:?}");
    }

    #[tokio::test]
    async fn a_slow_model_is_not_a_broken_one() {
        let stalls = |_: &Asked| Reply { status: 200, headers: Vec::new(), pieces: vec![Piece::Stall] };
        // Whether the turn ends first or the check.
        for timeout in [Duration::from_millis(300), Duration::from_mins(1)] {
            let server = ModelServer::by(stalls);
            let slow = Server {
                tools: Tools::Always(Mode::Native),
                timeout,
                ..Server::new(format!("{}/v1", server.url()), "m")
            };
            let check = check(Arc::new(OpenAi::open(slow).unwrap()), Duration::from_millis(300)).await;
            assert_eq!(check.standing, Standing::Warning, "{check:?}");
            assert!(check.said.ends_with("no answer within 0.3 s") && check.hints[0].contains("`model.timeout`"));
        }
        let server = ModelServer::by(|_: &Asked| Reply::json(401, &json!({"error": {"message": "wrong key"}})));
        assert_eq!(of(&server, Tools::Always(Mode::Native)).await.standing, Standing::Failed);
    }

    #[test]
    fn why_none_is_used_is_said_with_what_to_do() {
        let check = none(Some("no model is named: set `model.name`, or OPENAI_MODEL".to_owned()));
        let said = "none is used, for no model is named; a diagnosis is what the detectors prove";
        assert_eq!((check.standing, check.said.as_str()), (Standing::Note, said));
        assert_eq!(check.hints, ["set `model.name`, or OPENAI_MODEL"]);
        let check = none(Some("`/c.yaml` switches it off".to_owned()));
        assert!(check.said.starts_with("none is used, for `/c.yaml` switches it off; ") && check.hints.is_empty());
    }
}
