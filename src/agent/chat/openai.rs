//! Models behind chat completions: OpenAI, Azure OpenAI, and whoever speaks like them.
//!
//! *Invariant:* a turn ends within its time, however the server behaves; what a server refuses is not sent to it twice.

use std::time::Duration;

use futures::future::BoxFuture;
use reqwest::Client;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep, timeout_at};

use super::assemble::Gathered;
use super::known::{Known, Memory};
use super::protocol::{self, Mode};
use super::refusal::{No, Parameter};
use super::server::{Access, Server, Tools};
use super::wire::{self, Failure};
use super::{Heard, Hearing, Identity, Model, ModelError, retry};
use crate::http;
use crate::model::chat::{ChatReply, ChatRequest, Message, Spent, Tokens, ToolSpec};
use crate::redact::Redacted;

/// Of a connection that breaks, and of an answer that can't be read, less is to be hoped than of a busy server.
const TRIES_BROKEN: usize = 3;
/// There are not so many things to refuse.
const REFUSALS: usize = 16;

/// A model on a server.
pub struct OpenAi {
    server: Server,
    identity: Identity,
    client: Client,
    memory: Memory,
    /// Held while the server is asked what it can.
    probing: tokio::sync::Mutex<()>,
}

/// What a turn cost so far, and when it has to be over.
struct Turn<'a> {
    deadline: Instant,
    bytes: u64,
    tries: usize,
    heard: &'a Hearing<'a>,
}

/// Why a request has no answer.
enum Stop {
    /// It is over.
    Error(ModelError),
    /// Without this it may have one.
    Without(Parameter, String),
}

impl OpenAi {
    /// The model of this server. Nobody is asked yet.
    ///
    /// # Errors
    /// When the address, the key or a certificate can't be used.
    pub fn open(server: Server) -> Result<OpenAi, ModelError> {
        let name = server.name();
        let unusable = |reason: &str| ModelError::Unusable { server: name.clone(), reason: reason.to_owned() };
        let url = server.address().ok_or_else(|| unusable("`model.url` is no address of a server"))?;
        let secret = match &server.access {
            Access::Key(key) => Some(key.as_str()),
            Access::Open | Access::Entra(_) => None,
        };
        if server.request(secret).is_none() {
            return Err(unusable("the key holds what can't be sent, such as a line break"));
        }
        let client = http::client(&url, server.ca_file.as_deref(), server.proxy.as_deref());
        let client = client.map_err(|reason| ModelError::Unreachable { server: name.clone(), reason })?;
        let memory = Memory::open(&server.url, &server.model, server.cache.as_deref());
        let identity = Identity { model: server.model.clone(), server: name, window: server.window };
        Ok(OpenAi { server, identity, client, memory, probing: tokio::sync::Mutex::new(()) })
    }

    /// How tools are called; none where that was not found out yet.
    pub fn mode(&self) -> Option<Mode> {
        match self.server.tools {
            Tools::Always(mode) => Some(mode),
            Tools::Auto => self.memory.known().mode,
        }
    }

    async fn run(&self, request: &ChatRequest, turn: &mut Turn<'_>) -> Result<ChatReply, ModelError> {
        let (mode, probed) = self.settled(turn).await?;
        let (mode, gathered) = self.converse(request, mode, turn).await?;
        let (text, calls) = protocol::decode(request, mode, &gathered.text, gathered.calls());
        if mode != Mode::Native && !text.is_empty() {
            // What was read as it came is JSON, or has the marks of its form.
            (turn.heard)(Heard::Said(&text));
        }
        let tokens = gathered.tokens.map(|tokens| sum(tokens, probed));
        let finish = gathered.finish();
        Ok(ChatReply { text, calls, finish, tokens, bytes_sent: turn.bytes, tries: turn.tries })
    }

    /// How this server's model calls tools: as it is set, as it is known, or as it shows now; and what asking cost.
    async fn settled(&self, turn: &mut Turn<'_>) -> Result<(Mode, Tokens), ModelError> {
        if let Some(mode) = self.mode() {
            return Ok((mode, Tokens::default()));
        }
        let _held = self.probing.lock().await;
        if let Some(mode) = self.mode() {
            return Ok((mode, Tokens::default()));
        }
        if self.server.is_official() {
            return Ok((Mode::Native, Tokens::default()));
        }
        let probe = probe();
        let (mut mode, mut tokens) = (Mode::Native, Tokens::default());
        while mode != Mode::Text {
            let heard = turn.heard;
            let silent = &|piece: Heard<'_>| {
                if !matches!(piece, Heard::Said(_)) {
                    heard(piece);
                }
            };
            let mut asked = Turn { heard: silent, ..*turn };
            let answer = self.converse(&probe, mode, &mut asked).await;
            (turn.bytes, turn.tries) = (asked.bytes, asked.tries);
            let (used, gathered) = match answer {
                Ok(answer) => answer,
                // The filter says nothing about tools; the turn itself will tell.
                Err(ModelError::Filtered { .. }) => return Ok((Mode::Native, tokens)),
                Err(error) => return Err(error),
            };
            tokens = sum(tokens, gathered.tokens.unwrap_or_default());
            mode = used;
            let pinged = match mode {
                Mode::Native => gathered.calls().iter().any(|call| call.name == PING),
                Mode::Schema => {
                    let (_, calls) = protocol::decode(&probe, mode, &gathered.text, Vec::new());
                    calls.iter().any(|call| call.name == PING)
                }
                Mode::Text => true,
            };
            if pinged {
                break;
            }
            mode = mode.next().unwrap_or(Mode::Text);
        }
        self.memory.learn(|known| known.mode.replace(mode) != Some(mode));
        Ok((mode, tokens))
    }

    /// Asks in this mode, or in the next one where the server refuses it, without what it refuses.
    async fn converse(
        &self,
        request: &ChatRequest,
        mut mode: Mode,
        turn: &mut Turn<'_>,
    ) -> Result<(Mode, Gathered), ModelError> {
        let mut refused = String::new();
        for _ in 0..REFUSALS {
            let body = self.body(request, mode, &self.memory.known());
            match self.asked(&Value::Object(body.clone()), mode, turn).await {
                Ok(gathered) => return Ok((mode, gathered)),
                Err(Stop::Error(error)) => return Err(error),
                Err(Stop::Without(parameter, reason)) => {
                    let Some(other) = self.without(parameter, mode, &body) else {
                        return Err(self.unusable(reason));
                    };
                    (mode, refused) = (other, reason);
                }
            }
        }
        Err(self.unusable(refused))
    }

    /// The mode to go on in without this parameter; nothing where that would be the same request.
    fn without(&self, parameter: Parameter, mode: Mode, body: &Map<String, Value>) -> Option<Mode> {
        let sent = body.contains_key(parameter.as_str());
        let fall = || {
            let next = mode.next().filter(|_| self.server.tools == Tools::Auto)?;
            self.memory.learn(|known| known.mode.replace(next) != Some(next));
            Some(next)
        };
        match (parameter, mode) {
            (Parameter::Tools, Mode::Native) | (Parameter::ResponseFormat, Mode::Schema) => fall(),
            (Parameter::Tools | Parameter::ResponseFormat, _) => None,
            _ if !sent => None,
            (parameter, _) => self.memory.learn(|known| known.refuse(parameter)).then_some(mode),
        }
    }

    fn body(&self, request: &ChatRequest, mode: Mode, known: &Known) -> Map<String, Value> {
        let mut body = protocol::encode(request, mode);
        body.insert("model".to_owned(), self.server.model.clone().into());
        body.insert(Parameter::Temperature.as_str().to_owned(), 0.into());
        let most = [request.max_output_tokens, self.server.max_output_tokens].into_iter().flatten().min();
        if let Some(most) = most {
            let name =
                if known.refuses(Parameter::MaxTokens) { Parameter::MaxCompletionTokens } else { Parameter::MaxTokens };
            body.insert(name.as_str().to_owned(), most.into());
        }
        // The crate does not do that for bodies of our own.
        body.insert(Parameter::Stream.as_str().to_owned(), true.into());
        if !known.refuses(Parameter::Stream) {
            body.insert(Parameter::StreamOptions.as_str().to_owned(), json!({"include_usage": true}));
        }
        body.retain(|name, _| !known.refused.contains(name));
        body
    }

    /// Asks until there is an answer, or no hope for one.
    async fn asked(&self, body: &Value, mode: Mode, turn: &mut Turn<'_>) -> Result<Gathered, Stop> {
        let body = body.to_string().into_bytes();
        let (mut tries, mut renewed) = (0, false);
        loop {
            tries += 1;
            let failure = match self.once(&body, mode, turn).await? {
                Ok(gathered) => return Ok(gathered),
                Err(failure) => failure,
            };
            let (most, wish) = match &failure {
                Failure::No { no: No::Unauthorized, .. } if !renewed => match &self.server.access {
                    Access::Entra(entra) => {
                        entra.forget().await;
                        renewed = true;
                        (usize::MAX, Some(Duration::ZERO))
                    }
                    Access::Open | Access::Key(_) => (0, None),
                },
                Failure::No { no: No::Busy, wait, .. } => (retry::TRIES, *wait),
                Failure::Broken(_) | Failure::Garbled(_) => (TRIES_BROKEN, None),
                Failure::NoConnection(_) => (2, None),
                Failure::No { .. } | Failure::Stalled(_) => (0, None),
            };
            let wait = wish.unwrap_or_else(|| retry::pause(tries, retry::chance()));
            let in_time = Instant::now().checked_add(wait).is_some_and(|then| then < turn.deadline);
            if tries >= most || !in_time {
                return Err(self.stop(failure, wish.filter(|_| !in_time)));
            }
            (turn.heard)(Heard::Waits { reason: failure.reason(), pause: wait });
            sleep(wait).await;
        }
    }

    async fn once(&self, body: &[u8], mode: Mode, turn: &mut Turn<'_>) -> Result<Result<Gathered, Failure>, Stop> {
        let late = || {
            let reason = format!("no answer within {} s", self.server.timeout.as_secs_f32());
            Stop::Error(ModelError::Unreachable { server: self.identity.server.clone(), reason })
        };
        let secret = match &self.server.access {
            Access::Open => None,
            Access::Key(key) => Some(key.clone()),
            Access::Entra(entra) => {
                let token = timeout_at(turn.deadline, entra.token()).await.map_err(|_| late())?;
                let reason = |reason| ModelError::Unauthorized { server: self.identity.server.clone(), reason };
                Some(token.map_err(|error| Stop::Error(reason(error)))?)
            }
        };
        let request = self.server.request(secret.as_deref());
        let (url, headers) = request.ok_or_else(|| Stop::Error(self.unusable("its address is none".to_owned())))?;
        turn.tries += 1;
        turn.bytes += body.len() as u64;
        (turn.heard)(Heard::Asked(Spent { requests: turn.tries, bytes_sent: turn.bytes }));
        let secrets: Vec<&str> = secret.iter().map(String::as_str).collect();
        let (client, idle) = (&self.client, self.server.idle);
        let ask = wire::Ask { client, url, headers, body: body.to_vec(), secrets: &secrets, idle };
        let said = |text: &str| {
            if mode == Mode::Native {
                (turn.heard)(Heard::Said(text));
            }
        };
        timeout_at(turn.deadline, wire::ask(ask, &said)).await.map_err(|_| late())
    }

    /// What there is no more to do about.
    fn stop(&self, failure: Failure, asked_for: Option<Duration>) -> Stop {
        let server = self.identity.server.clone();
        Stop::Error(match failure {
            Failure::NoConnection(reason) | Failure::Broken(reason) | Failure::Stalled(reason) => {
                ModelError::Unreachable { server, reason }
            }
            Failure::Garbled(reason) => ModelError::Unusable { server, reason },
            Failure::No { no, reason, .. } => match no {
                No::Busy | No::Spent => {
                    let reason = match asked_for {
                        Some(wait) => format!("{reason}; it asks for a pause of {} s", wait.as_secs_f32()),
                        None => reason,
                    };
                    ModelError::Overloaded { server, reason }
                }
                No::Unauthorized => ModelError::Unauthorized { server, reason },
                No::UnknownModel => ModelError::NoModel { server, model: self.identity.model.clone(), reason },
                No::TooLong(window) => ModelError::TooLong { reason, window },
                No::Filtered => ModelError::Filtered { server, reason },
                No::Without(parameter) => return Stop::Without(parameter, reason),
                No::Other => ModelError::Unusable { server, reason },
            },
        })
    }

    fn unusable(&self, reason: String) -> ModelError {
        ModelError::Unusable { server: self.identity.server.clone(), reason }
    }
}

impl Model for OpenAi {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn turn<'a>(
        &'a self,
        request: &'a Redacted<ChatRequest>,
        heard: &'a Hearing<'a>,
    ) -> BoxFuture<'a, Result<ChatReply, ModelError>> {
        Box::pin(async move {
            let mut turn = Turn { deadline: Instant::now() + self.server.timeout, bytes: 0, tries: 0, heard };
            self.run(request, &mut turn).await
        })
    }
}

/// The tool that a server is tried with.
const PING: &str = "ping";

/// The smallest question that only a call answers.
fn probe() -> ChatRequest {
    let parameters = json!({
        "type": "object",
        "properties": {"word": {"type": "string"}},
        "required": ["word"],
        "additionalProperties": false,
    });
    ChatRequest {
        messages: vec![
            Message::System { text: "You are a program that calls tools.".to_owned() },
            Message::User { text: "Call the tool ping with the word \"pong\".".to_owned() },
        ],
        tools: vec![ToolSpec { name: PING.to_owned(), description: "Says a word.".to_owned(), parameters }],
        must_call: None,
        // Enough for a model that thinks first.
        max_output_tokens: Some(1000),
    }
}

fn sum(a: Tokens, b: Tokens) -> Tokens {
    Tokens { input: a.input + b.input, cached: a.cached + b.cached, output: a.output + b.output }
}
