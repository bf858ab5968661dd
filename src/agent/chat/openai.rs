//! Models behind chat completions: OpenAI, Azure OpenAI, and whoever speaks like them.
//!
//! *Invariant:* a turn ends within its time, however the server behaves; what a server refuses is not sent to it twice.

use std::sync::OnceLock;
use std::time::Duration;

use futures::future::BoxFuture;
use reqwest::Client;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep, timeout_at};

use super::assemble::Gathered;
use super::known::{Known, Memory};
use super::probe::{self, Shown};
use super::protocol::{self, Mode};
use super::refusal::{No, Parameter};
use super::room::Room;
use super::server::{Access, Server, Tools};
use super::wire::{self, Failure};
use super::{Heard, Hearing, Identity, Model, ModelError, retry};
use crate::http;
use crate::model::chat::{ChatReply, ChatRequest, Finish, Spent, Tokens};
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
    room: Room,
    /// How tools are called in this process, where the server did not show it.
    assumed: OnceLock<Mode>,
    /// Held while the server is asked what it can.
    probing: tokio::sync::Mutex<()>,
}

/// What a turn cost so far, and when it has to be over.
struct Turn<'a> {
    deadline: Instant,
    bytes: u64,
    tries: usize,
    /// Tokens that the last request had for its reply; 0 where it did not say.
    room: u32,
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
        let room = Room::new(server.max_output_tokens, server.window);
        let (assumed, probing) = (OnceLock::new(), tokio::sync::Mutex::new(()));
        Ok(OpenAi { server, identity, client, memory, room, assumed, probing })
    }

    async fn run(&self, request: &ChatRequest, turn: &mut Turn<'_>) -> Result<ChatReply, ModelError> {
        let (mut mode, mut spent) = self.settled(turn).await?;
        let mut again = true;
        loop {
            let (used, gathered) = self.converse(request, mode, turn).await?;
            let (text, calls) = protocol::decode(request, used, &gathered.text, gathered.calls());
            let (finish, tokens) = (gathered.finish(), gathered.tokens.map(|tokens| sum(tokens, spent)));
            // All that it may say went into its thoughts.
            let starved = finish == Finish::Length && text.is_empty() && calls.is_empty();
            if starved && std::mem::take(&mut again) && self.room.widen(turn.room) {
                (mode, spent) = (used, tokens.unwrap_or(spent));
                continue;
            }
            if used != Mode::Native && !text.is_empty() {
                // What was read as it came is JSON, or has the marks of its form.
                (turn.heard)(Heard::Said(&text));
            }
            return Ok(ChatReply { text, calls, finish, tokens, bytes_sent: turn.bytes, tries: turn.tries });
        }
    }

    /// How tools are called, as far as that can be told without asking.
    fn told(&self) -> Option<Mode> {
        let official = self.server.is_official().then_some(Mode::Native);
        self.mode().or_else(|| self.assumed.get().copied()).or(official)
    }

    /// How this server's model calls tools: as it is set, as it is known, or as it shows now; and what asking cost.
    async fn settled(&self, turn: &mut Turn<'_>) -> Result<(Mode, Tokens), ModelError> {
        if let Some(mode) = self.told() {
            return Ok((mode, Tokens::default()));
        }
        let _held = self.probing.lock().await;
        if let Some(mode) = self.told() {
            return Ok((mode, Tokens::default()));
        }
        let (mut mode, mut tokens) = (Mode::Native, Tokens::default());
        while mode != Mode::Text {
            let (used, shown) = self.probed(mode, turn, &mut tokens).await?;
            mode = used;
            match shown {
                Shown::Calls => break,
                Shown::Words => mode = mode.next().unwrap_or(Mode::Text),
                // What is not known is not kept for the next run.
                Shown::Nothing => return Ok((*self.assumed.get_or_init(|| mode), tokens)),
            }
        }
        self.memory.learn(|known| known.mode.replace(mode) != Some(mode));
        Ok((mode, tokens))
    }

    /// What the server shows in this mode, or in the next one where it refuses it: with more room where it was cut.
    async fn probed(
        &self,
        mut mode: Mode,
        turn: &mut Turn<'_>,
        tokens: &mut Tokens,
    ) -> Result<(Mode, Shown), ModelError> {
        for room in probe::ROOMS {
            let heard = turn.heard;
            // Of a question that is not the user's, only what it costs is told.
            let silent = &|piece: Heard<'_>| {
                if matches!(piece, Heard::Asked(_) | Heard::Waits { .. }) {
                    heard(piece);
                }
            };
            let mut asked = Turn { heard: silent, ..*turn };
            let answer = self.converse(&probe::question(room), mode, &mut asked).await;
            (turn.bytes, turn.tries) = (asked.bytes, asked.tries);
            let (used, gathered) = match answer {
                Ok(answer) => answer,
                // The filter says nothing about tools; the turn itself will tell.
                Err(ModelError::Filtered { .. }) => return Ok((Mode::Native, Shown::Nothing)),
                Err(error) => return Err(error),
            };
            *tokens = sum(*tokens, gathered.tokens.unwrap_or_default());
            mode = used;
            let shown = probe::shown(mode, &gathered);
            if shown != Shown::Nothing {
                return Ok((mode, shown));
            }
        }
        Ok((mode, Shown::Nothing))
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
            let room = [Parameter::MaxTokens, Parameter::MaxCompletionTokens].map(|name| body.get(name.as_str()));
            let room = room.into_iter().flatten().find_map(Value::as_u64);
            turn.room = room.and_then(|room| room.try_into().ok()).unwrap_or_default();
            match self.asked(body, mode, turn).await {
                Ok(gathered) => return Ok((mode, gathered)),
                Err(Stop::Error(error)) => return Err(error),
                Err(Stop::Without(parameter, reason)) => {
                    let Some(other) = self.without(parameter, mode) else {
                        return Err(self.unusable(reason));
                    };
                    (mode, refused) = (other, reason);
                }
            }
        }
        Err(self.unusable(refused))
    }

    /// The mode to go on in without this parameter; nothing where that would be the same request.
    fn without(&self, parameter: Parameter, mode: Mode) -> Option<Mode> {
        let fall = || {
            let next = mode.next().filter(|_| self.server.tools == Tools::Auto)?;
            self.memory.learn(|known| known.mode.replace(next) != Some(next));
            Some(next)
        };
        match (parameter, mode) {
            (Parameter::Tools, Mode::Native) | (Parameter::ResponseFormat, Mode::Schema) => fall(),
            (Parameter::Tools | Parameter::ResponseFormat, _) => None,
            (parameter, _) => self.memory.learn(|known| known.refuse(parameter)).then_some(mode),
        }
    }

    fn body(&self, request: &ChatRequest, mode: Mode, known: &Known) -> Map<String, Value> {
        let mut body = protocol::encode(request, mode);
        body.insert("model".to_owned(), self.server.model.clone().into());
        body.insert(Parameter::Temperature.as_str().to_owned(), 0.into());
        if let Some(effort) = &self.server.reasoning_effort {
            body.insert(Parameter::ReasoningEffort.as_str().to_owned(), effort.clone().into());
        }
        let bytes = serde_json::to_vec(&body).map_or(0, |body| body.len());
        if let Some(most) = self.room.tokens(request.max_output_tokens, known.thinks(), bytes) {
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
    async fn asked(&self, body: Map<String, Value>, mode: Mode, turn: &mut Turn<'_>) -> Result<Gathered, Stop> {
        let sent = Parameter::sent(&body);
        let body = Value::Object(body).to_string().into_bytes();
        let (mut tries, mut renewed) = (0, false);
        loop {
            tries += 1;
            let failure = match self.once(&body, &sent, mode, turn).await? {
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

    async fn once(
        &self,
        body: &[u8],
        sent: &[Parameter],
        mode: Mode,
        turn: &mut Turn<'_>,
    ) -> Result<Result<Gathered, Failure>, Stop> {
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
        let in_address = self.server.secrets();
        let secrets: Vec<&str> = secret.iter().chain(&in_address).map(String::as_str).collect();
        let (client, idle) = (&self.client, self.server.idle);
        let ask = wire::Ask { client, url, headers, body: body.to_vec(), sent, secrets: &secrets, idle };
        let heard = |piece: Heard<'_>| {
            if mode == Mode::Native || !matches!(piece, Heard::Said(_)) {
                (turn.heard)(piece);
            }
        };
        timeout_at(turn.deadline, wire::ask(ask, &heard)).await.map_err(|_| late())
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

    fn mode(&self) -> Option<Mode> {
        match self.server.tools {
            Tools::Always(mode) => Some(mode),
            Tools::Auto => self.memory.known().mode,
        }
    }

    fn turn<'a>(
        &'a self,
        request: &'a Redacted<ChatRequest>,
        heard: &'a Hearing<'a>,
    ) -> BoxFuture<'a, Result<ChatReply, ModelError>> {
        Box::pin(async move {
            let mut turn = Turn { deadline: Instant::now() + self.server.timeout, bytes: 0, tries: 0, room: 0, heard };
            self.run(request, &mut turn).await
        })
    }
}

fn sum(a: Tokens, b: Tokens) -> Tokens {
    Tokens { input: a.input + b.input, cached: a.cached + b.cached, output: a.output + b.output }
}
