//! One request and its answer: bytes out, events in.
//!
//! *Invariant:* an answer is whole or it is none: a stream that breaks off or stands still before it said why it ends is a
//! failure, whatever came of it. What comes is bounded.
//!
//! async-openai's own client can't be used for this: it hides the status and headers of a refusal (so `Retry-After`, 401
//! and the inner errors of Azure), waits as long as any server says, and takes a plain answer to be an empty stream. Only
//! its feature `middleware` would let us look. Addresses and headers are made by its configurations: `server.rs`.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Response, Url};
use serde_json::Value;
use tokio::time::{Instant, timeout};

use super::assemble::Gathered;
use super::refusal::{No, Parameter, Told};
use super::sse::Events;
use super::{Heard, Hearing, retry};
use crate::http::told;

/// The most that is read of a refusal.
const REFUSAL: usize = 64 << 10;
/// The most that is read of an answer that is no stream.
const WHOLE: usize = 4 << 20;
/// The most that is read of a stream, which has some hundred bytes around each token.
const STREAM: usize = 16 << 20;
/// How long is waited for what may come after the end: what it cost, and the mark of the end.
const AFTER: Duration = Duration::from_secs(2);

/// A request that is ready.
pub(super) struct Ask<'a> {
    pub(super) client: &'a Client,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// Parameters that are in it.
    pub(super) sent: &'a [Parameter],
    /// What must not be repeated in a message.
    pub(super) secrets: &'a [&'a str],
    /// How long nothing may come once the model has begun; until then it thinks, whatever its server sends meanwhile.
    pub(super) idle: Duration,
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The server says no; how long it wants to be left alone.
    No { no: No, reason: String, wait: Option<Duration> },
    /// There is no connection.
    NoConnection(String),
    /// The connection broke.
    Broken(String),
    /// Nothing came for too long.
    Stalled(String),
    /// What came can't be read.
    Garbled(String),
}

impl Failure {
    /// Why, in words.
    pub(super) fn reason(&self) -> &str {
        match self {
            Failure::No { reason, .. }
            | Failure::NoConnection(reason)
            | Failure::Broken(reason)
            | Failure::Stalled(reason)
            | Failure::Garbled(reason) => reason,
        }
    }
}

/// Asks, and reads the answer to its end. `heard` is told of each piece.
pub(super) async fn ask(ask: Ask<'_>, heard: &Hearing<'_>) -> Result<Gathered, Failure> {
    let request = ask.client.post(ask.url).headers(ask.headers).header(CONTENT_TYPE, "application/json").body(ask.body);
    let mut response = request.send().await.map_err(|error| {
        let reason = told(&error);
        if error.is_connect() { Failure::NoConnection(reason) } else { Failure::Broken(reason) }
    })?;
    let status = response.status();
    if !status.is_success() {
        let wait = retry::wish(response.headers(), Timestamp::now());
        if status.is_redirection() {
            let reason = format!("it sends us elsewhere (status {})", status.as_u16());
            return Err(Failure::No { no: No::Other, reason, wait });
        }
        let body = beginning(&mut response, ask.idle).await;
        let told = Told::read(&body);
        let reason = format!("{} (status {})", told.reason(ask.secrets), status.as_u16());
        return Err(Failure::No { no: told.meaning(status.as_u16(), ask.sent), reason, wait });
    }
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let mut reader = Reader { gathered: Gathered::default(), sent: ask.sent, secrets: ask.secrets, heard };
    if kind.starts_with("text/event-stream") {
        reader.stream(&mut response, ask.idle, Vec::new()).await?;
    } else {
        reader.unlabelled(&mut response, ask.idle).await?;
    }
    if reader.gathered.is_answer() {
        Ok(reader.gathered)
    } else {
        Err(Failure::Garbled("there is no choice in its answer".to_owned()))
    }
}

/// As much of a refusal as comes.
async fn beginning(response: &mut Response, idle: Duration) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < REFUSAL {
        match timeout(idle, response.chunk()).await {
            Ok(Ok(Some(part))) => body.extend_from_slice(&part),
            _ => break,
        }
    }
    body.truncate(REFUSAL);
    body
}

async fn next(response: &mut Response, idle: Duration) -> Result<Option<Vec<u8>>, Failure> {
    match timeout(idle, response.chunk()).await {
        Ok(Ok(part)) => Ok(part.map(|part| part.to_vec())),
        Ok(Err(error)) => Err(Failure::Broken(told(&error))),
        Err(_) => Err(Failure::Stalled(format!("its answer stood still for {} s", idle.as_secs_f32()))),
    }
}

struct Reader<'a> {
    gathered: Gathered,
    sent: &'a [Parameter],
    secrets: &'a [&'a str],
    heard: &'a Hearing<'a>,
}

impl Reader<'_> {
    /// An answer that does not say that it is a stream: its first letter tells.
    async fn unlabelled(&mut self, response: &mut Response, idle: Duration) -> Result<(), Failure> {
        let mut body: Vec<u8> = Vec::new();
        while let Some(part) = next(response, if body.is_empty() { Duration::MAX } else { idle }).await? {
            body.extend_from_slice(&part);
            let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
            match first {
                None | Some(b'{' | b'[' | b'<') if body.len() <= WHOLE => {}
                None | Some(b'{' | b'[' | b'<') => return Err(Failure::Garbled("its answer is too long".to_owned())),
                Some(_) => return self.stream(response, idle, body).await,
            }
        }
        let value = serde_json::from_slice(&body);
        let value: Value = value.map_err(|error| Failure::Garbled(format!("its answer is no JSON: {error}")))?;
        self.take(&value)
    }

    async fn stream(&mut self, response: &mut Response, idle: Duration, begun: Vec<u8>) -> Result<(), Failure> {
        let mut events = Events::default();
        let (mut read, mut part, mut closing) = (0, Some(begun), None);
        while let Some(bytes) = part {
            read += bytes.len();
            let data = events.push(&bytes).ok().filter(|_| read <= STREAM);
            let data = data.ok_or_else(|| Failure::Garbled("its answer is too long".to_owned()))?;
            if self.events(data)? {
                return Ok(());
            }
            let patience = if self.gathered.has_ended() {
                let closing = *closing.get_or_insert_with(|| Instant::now() + AFTER);
                idle.min(closing.saturating_duration_since(Instant::now()))
            } else if self.gathered.has_begun() {
                idle
            } else {
                Duration::MAX
            };
            part = match next(response, patience).await {
                // The answer is there: all that is missing is what it cost.
                Err(_) if self.gathered.has_ended() => return Ok(()),
                next => next?,
            };
        }
        match self.events(events.end().into_iter().collect()) {
            _ if self.gathered.has_ended() => Ok(()),
            Ok(true) => Ok(()),
            Ok(false) => Err(Failure::Broken("its answer broke off".to_owned())),
            Err(failure) => Err(failure),
        }
    }

    /// Takes events; whether there is no use in more of them.
    fn events(&mut self, events: Vec<String>) -> Result<bool, Failure> {
        for data in events {
            let data = data.trim();
            if data == "[DONE]" {
                return Ok(true);
            }
            if data.is_empty() {
                continue;
            }
            let event = serde_json::from_str(data);
            let event: Value = event.map_err(|error| Failure::Garbled(format!("an event is no JSON: {error}")))?;
            (self.heard)(Heard::Streamed);
            self.take(&event)?;
        }
        Ok(self.gathered.is_full())
    }

    fn take(&mut self, event: &Value) -> Result<(), Failure> {
        let refused = event.get("error").is_some_and(|error| !error.is_null())
            || event.get("object").is_some_and(|object| object == "error");
        if refused {
            let told = Told::of(event);
            let no = told.meaning(told.status().unwrap_or(500), self.sent);
            return Err(Failure::No { no, reason: told.reason(self.secrets), wait: None });
        }
        let added = self.gathered.take(event);
        if !added.is_empty() {
            (self.heard)(Heard::Said(&added));
        }
        Ok(())
    }
}
