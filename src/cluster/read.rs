//! The one client of an API server: it asks, waits within bounds, asks again where that helps.
//!
//! *Invariant:* it can't write; see [`super::allow`]. A call ends within the request time-out,
//! whatever the server does, and never holds more than [`MAX_BODY`] of an answer.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use kube::client::Body;
use tokio::sync::OnceCell;

use super::allow::{NotSent, ReadOnly, SecretBody};
use super::error::{ConnectError, ReadError, one_line};
use super::fault::Fault;
use super::secret;
use crate::model::SecretKeys;

/// The plain form of an answer.
pub const JSON: &str = "application/json";
/// The form with the columns that `kubectl get` shows, and the metadata of each object.
pub const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

/// The most that one answer may hold. Pages are a few MiB; an object is 1.5 MiB at most.
const MAX_BODY: usize = 256 << 20;
/// How many answers' places are kept for the next ones, and how large each may be.
const SPARE: usize = 4;
const LARGEST_SPARE: usize = 16 << 20;
/// How often one question is asked.
const TRIES: u32 = 4;
/// The time-out where there is none.
pub(super) const LONGEST: Duration = Duration::from_hours(1);
/// The wait before the second try; it doubles with each.
const BACK_OFF: Duration = Duration::from_millis(100);

/// Reads from an API server. Cheap to clone.
#[derive(Clone)]
pub struct ReadClient {
    pub(super) client: ReadOnly,
    pub(super) settings: Arc<Settings>,
    version: Arc<OnceCell<String>>,
    spare: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl std::fmt::Debug for ReadClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadClient").field("server", &self.settings.server).finish_non_exhaustive()
    }
}

/// What a client is told once.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// The server's address, for messages.
    pub(super) server: String,
    /// The context, for messages.
    pub(super) context: String,
    /// The proxy's address without credentials, for messages.
    pub(super) proxy: Option<String>,
    /// The program that gave the credentials, for messages.
    pub(super) plugin: Option<String>,
    /// When the client certificate ends, for messages.
    pub(super) certificate_ends: Option<crate::model::Time>,
    /// The most that one question may take, with all its tries.
    pub(super) timeout: Option<Duration>,
    /// The wait before the second try.
    pub(super) back_off: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            server: String::new(),
            context: String::new(),
            proxy: None,
            plugin: None,
            certificate_ends: None,
            timeout: Some(Duration::from_secs(30)),
            back_off: BACK_OFF,
        }
    }
}

/// How long an answer is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// The request time-out, asking again where that helps.
    Full,
    /// At most this long, asking again where that helps: for what must not hold up the rest.
    Within(Duration),
    /// At most this long, asking once.
    Once(Duration),
}

impl ReadClient {
    /// Puts the allow-list around a client of whatever answers: the network, or a test.
    pub(super) fn new(client: kube::Client, settings: Settings) -> ReadClient {
        ReadClient {
            client: ReadOnly::around(client),
            settings: Arc::new(settings),
            version: Arc::default(),
            spare: Arc::default(),
        }
    }

    /// The server's address.
    pub fn server(&self) -> &str {
        &self.settings.server
    }

    /// The program that gave the credentials, where one did.
    pub fn plugin(&self) -> Option<&str> {
        self.settings.plugin.as_deref()
    }

    /// When the client certificate ends, where there is one.
    pub fn certificate_ends(&self) -> Option<crate::model::Time> {
        self.settings.certificate_ends
    }

    /// Gets `path`, in the form that `accept` asks for.
    pub async fn get(&self, path: &str, accept: &str) -> Result<Vec<u8>, ReadError> {
        self.ask(path, accept, Patience::Full).await
    }

    /// Gets `path` with this much patience.
    pub(super) async fn ask(&self, path: &str, accept: &str, patience: Patience) -> Result<Vec<u8>, ReadError> {
        let request = || Request::get(path).header(ACCEPT, accept).body(Body::empty());
        self.bounded(request, patience).await
    }

    /// Gives back an answer that was read, so that the next one takes its place: a large cluster is a
    /// hundred megabytes of answers, and fresh memory for each of them costs as much as reading it.
    pub(super) fn give_back(&self, mut body: Vec<u8>) {
        body.clear();
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < SPARE && body.capacity() <= LARGEST_SPARE {
            spare.push(body);
        }
    }

    /// What a Secret holds, by name. Its values are dropped while the answer is parsed.
    pub async fn secret_keys(&self, namespace: &str, name: &str) -> Result<SecretKeys, ReadError> {
        let path = format!("/api/v1/namespaces/{namespace}/secrets/{name}");
        let leave = SecretBody::to_be_dropped_while_parsed();
        let request = || Request::get(&path).header(ACCEPT, JSON).extension(leave).body(Body::empty());
        let body = self.bounded(request, Patience::Full).await?;
        secret::parse_keys(&body).map_err(|error| ReadError::Unreadable(error.to_string()))
    }

    /// The server's version, `v1.34.4`; asked for once.
    pub async fn version(&self) -> Result<&str, ReadError> {
        #[derive(serde::Deserialize)]
        struct Version {
            #[serde(rename = "gitVersion")]
            git_version: String,
        }
        let ask = async || {
            // Asked first of all: a server that is not there is to be reported at once.
            let patience = Patience::Once(self.settings.timeout.unwrap_or(LONGEST));
            let body = self.ask("/version", JSON, patience).await?;
            let version: Version =
                serde_json::from_slice(&body).map_err(|error| ReadError::Unreadable(error.to_string()))?;
            Ok(one_line(&version.git_version))
        };
        self.version.get_or_try_init(ask).await.map(String::as_str)
    }

    /// Asks what we ourselves may do: `review` is one of [`super::allow::REVIEWS`], `question` its body.
    pub(super) async fn review(&self, review: &str, question: &[u8]) -> Result<Vec<u8>, ReadError> {
        let request = || {
            Request::post(review).header(ACCEPT, JSON).header(CONTENT_TYPE, JSON).body(Body::from(question.to_vec()))
        };
        self.bounded(request, Patience::Full).await
    }

    /// What an error says about the connection as a whole.
    pub(super) fn connect_error(&self, error: ReadError) -> ConnectError {
        let Settings { server, context, proxy, plugin, certificate_ends, timeout, .. } = &*self.settings;
        let server = server.clone();
        match error {
            ReadError::Connection(fault) => ConnectError::from_fault(fault, &server, proxy.as_deref()),
            ReadError::TimedOut(within) => ConnectError::TimedOut { server, within: timeout.unwrap_or(within) },
            ReadError::Status { code: 401, .. } => {
                let ended = certificate_ends.filter(|ends| *ends < crate::model::Time::now());
                let detail =
                    ended.map(|ends| format!(": the client certificate expired at {ends}")).unwrap_or_default();
                ConnectError::Unauthorized { server, context: context.clone(), detail, plugin: plugin.clone() }
            }
            error @ ReadError::Status { code: 500.., .. } => {
                ConnectError::Unhealthy { server, reason: error.to_string() }
            }
            other => ConnectError::NotKubernetes { server, reason: other.to_string() },
        }
    }

    async fn bounded(
        &self,
        request: impl Fn() -> http::Result<Request<Body>>,
        patience: Patience,
    ) -> Result<Vec<u8>, ReadError> {
        let timeout = self.settings.timeout;
        let (tries, within) = match patience {
            Patience::Full => (TRIES, timeout),
            Patience::Within(within) => (TRIES, Some(timeout.map_or(within, |timeout| timeout.min(within)))),
            Patience::Once(within) => (1, Some(timeout.map_or(within, |timeout| timeout.min(within)))),
        };
        let Some(within) = within else { return self.persist(request, tries, Duration::MAX).await };
        let asking = self.persist(request, tries, within);
        tokio::time::timeout(within, asking).await.unwrap_or(Err(ReadError::TimedOut(within)))
    }

    /// Asks until there is an answer, or asking again would not help.
    async fn persist(
        &self,
        request: impl Fn() -> http::Result<Request<Body>>,
        tries: u32,
        within: Duration,
    ) -> Result<Vec<u8>, ReadError> {
        let mut attempt = 0;
        loop {
            let request = request().map_err(|error| ReadError::NotAllowed(one_line(&error.to_string())))?;
            attempt += 1;
            let (error, retry_after) = match self.once(request).await {
                Ok(body) => return Ok(body),
                Err(failed) => failed,
            };
            let wait = delay(self.settings.back_off, attempt, retry_after, chance());
            // A server that asks for more patience than there is has given its answer.
            if attempt >= tries || wait >= within || !is_passing(&error) {
                return Err(error);
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Asks once; an error comes with the wait that the server asks for.
    async fn once(&self, request: Request<Body>) -> Result<Vec<u8>, (ReadError, Option<Duration>)> {
        let answer = self.client.send(request).await.map_err(|error| (not_sent(error), None))?;
        let status = answer.status();
        let wait = retry_after(answer.headers());
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let body = read_body(answer.into_body(), spare.unwrap_or_default()).await.map_err(|error| (error, None))?;
        if status.is_success() { Ok(body) } else { Err((failure(status.as_u16(), &body), wait)) }
    }
}

/// Why a request was not sent, or not answered.
pub(super) fn not_sent(error: NotSent) -> ReadError {
    match error {
        NotSent::NotAllowed(refusal) => ReadError::NotAllowed(refusal.0),
        NotSent::Failed(error) => ReadError::Connection(Fault::find(&*error)),
    }
}

/// Reads a body that is not larger than [`MAX_BODY`] into `bytes`.
pub(super) async fn read_body(mut body: Body, mut bytes: Vec<u8>) -> Result<Vec<u8>, ReadError> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| ReadError::Connection(Fault::find(&error)))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > MAX_BODY {
            return Err(ReadError::TooLarge(MAX_BODY >> 20));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

/// The error that an answer stands for; its body is a `Status` object, or a proxy's page.
pub(super) fn failure(code: u16, body: &[u8]) -> ReadError {
    #[derive(serde::Deserialize)]
    struct Status {
        #[serde(default)]
        message: String,
    }
    let message = serde_json::from_slice::<Status>(body).map(|status| status.message).unwrap_or_default();
    ReadError::Status { code, message: one_line(&message) }
}

/// Whether the same question may be answered a moment later.
fn is_passing(error: &ReadError) -> bool {
    match error {
        ReadError::Status { code, .. } => matches!(code, 429 | 500 | 502..=504),
        ReadError::Connection(fault) => matches!(fault, Fault::Unreachable(_)),
        _ => false,
    }
}

/// The wait that the server asks for.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The wait before the next try. `chance`, in 0..1, keeps clients that failed together from
/// coming back together.
fn delay(base: Duration, tried: u32, retry_after: Option<Duration>, chance: f64) -> Duration {
    let doubled = base.saturating_mul(1 << (tried - 1).min(8));
    let spread = doubled.mul_f64(0.5 + chance);
    retry_after.map_or(spread, |wait| wait + spread)
}

fn chance() -> f64 {
    getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::testing::{Fake, reply};

    #[tokio::test]
    async fn an_overloaded_server_is_asked_again() {
        let fake =
            Fake::new().on("/api/v1/pods", [reply(429, "too many requests"), reply(503, "wait"), reply(200, "{}")]);
        assert_eq!(fake.client().get("/api/v1/pods", JSON).await.unwrap(), b"{}");
        assert_eq!(fake.asked().len(), 3);
    }

    #[tokio::test]
    async fn patience_ends() {
        let fake = Fake::new().on("/api/v1/pods", [reply(503, "{\"message\":\"etcd is\\nnot ready\"}")]);
        let error = fake.client().get("/api/v1/pods", JSON).await.unwrap_err();
        assert_eq!(error.to_string(), "the API server answered 503: etcd is not ready");
        assert_eq!(fake.asked().len(), 4);
    }

    #[tokio::test]
    async fn a_refusal_is_an_answer() {
        let fake = Fake::new().on("/api/v1/pods", [reply(403, "{}")]);
        assert_eq!(fake.client().get("/api/v1/pods", JSON).await.unwrap_err().to_string(), "forbidden");
        assert_eq!(fake.asked().len(), 1);
    }

    #[tokio::test]
    async fn a_wait_longer_than_the_time_out_is_not_waited() {
        let fake = Fake::new().on("/api/v1/pods", [reply(429, "{}").header("Retry-After", "3600")]);
        let error = fake.client().get("/api/v1/pods", JSON).await.unwrap_err();
        assert_eq!(error.to_string(), "the API server is overloaded (429)");
        assert_eq!(fake.asked().len(), 1);
    }

    #[tokio::test]
    async fn what_is_not_on_the_list_is_not_sent() {
        let fake = Fake::new();
        for path in ["/api/v1/namespaces/a/pods/b/exec", "/api/v1/namespaces/a/secrets/b", "/api/v1/nodes/n/proxy/pods"]
        {
            let error = fake.client().get(path, JSON).await.unwrap_err();
            assert!(matches!(error, ReadError::NotAllowed(_)), "{error}");
        }
        assert!(fake.client().get("/api/v1/pods?a b", JSON).await.is_err(), "no address at all");
        assert_eq!(fake.asked(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn silence_ends_with_the_time_out() {
        let fake = Fake::new().silent();
        let error = fake.client_with(Some(Duration::from_millis(10))).get("/api/v1/pods", JSON).await.unwrap_err();
        assert_eq!(error.to_string(), "timed out after 0.01s");
    }

    #[test]
    fn waits_grow_and_honour_the_server() {
        let base = Duration::from_millis(100);
        let waits = [1, 2, 3].map(|tried| delay(base, tried, None, 0.5).as_millis());
        assert_eq!(waits, [100, 200, 400]);
        assert_eq!(delay(base, 1, None, 0.0).as_millis(), 50);
        assert_eq!(delay(base, 1, Some(Duration::from_secs(2)), 0.5).as_millis(), 2100);
        assert!(delay(base, u32::MAX, None, 1.0) < Duration::from_mins(1));
    }
}
