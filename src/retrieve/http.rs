//! HTTP for code that waits: requests run on a thread of their own.
//!
//! *Invariant:* it may be used from anywhere, inside an async runtime too. An answer is bounded in size and time. What
//! is on this machine is never asked through a proxy.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Url};
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::http;

/// How long a connection may take: whoever waits can do without the server.
const CONNECT: Duration = Duration::from_secs(3);
/// How long a download may stand still.
const STILL: Duration = Duration::from_secs(30);
/// The largest answer: vectors of some thousands of chunks as text.
const LARGEST: usize = 256 << 20;

/// A client for one server.
pub(crate) struct Http {
    client: Client,
    runtime: Handle,
    /// Dropped with the client: the thread ends.
    _running: oneshot::Sender<()>,
}

/// An answer, whatever its status.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The seconds that the server wants to be left alone.
    pub(crate) retry_after: Option<u64>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_slice(&self.body).map_err(|error| format!("an answer that can't be read: {error}"))
    }

    /// The beginning of the text, on one line, for a message.
    pub(crate) fn excerpt(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        text.split_whitespace().collect::<Vec<_>>().join(" ").chars().filter(|c| !c.is_control()).take(200).collect()
    }
}

/// What is asked.
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// Names and values.
    pub(crate) headers: &'a [(&'static str, String)],
    /// JSON.
    pub(crate) body: Option<Vec<u8>>,
    /// How long it may take, to the last byte.
    pub(crate) limit: Duration,
}

impl Http {
    /// A client for the server of `url`. It follows no redirects: it carries a key.
    pub(crate) fn new(url: &Url) -> Result<Http, String> {
        Http::with(url, Policy::none())
    }

    /// A client for downloads: they may take long, and lead elsewhere.
    pub(crate) fn for_downloads(url: &Url) -> Result<Http, String> {
        Http::with(url, Policy::limited(5))
    }

    fn with(url: &Url, redirects: Policy) -> Result<Http, String> {
        let builder = http::builder(url, None, None)?.connect_timeout(CONNECT).read_timeout(STILL).redirect(redirects);
        let client = builder.build().map_err(|error| told(&error))?;
        let (running, mut stop) = oneshot::channel::<()>();
        let (started, start) = mpsc::channel();
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            match runtime {
                Ok(runtime) => {
                    let _ = started.send(Ok(runtime.handle().clone()));
                    let _ = runtime.block_on(&mut stop);
                }
                Err(error) => drop(started.send(Err(error.to_string()))),
            }
        };
        thread::Builder::new().name("http".to_owned()).spawn(run).map_err(|error| error.to_string())?;
        let runtime = start.recv().map_err(|error| error.to_string())??;
        Ok(Http { client, runtime, _running: running })
    }

    /// The client, for what is more than a question and an answer.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Runs what needs a runtime, and does not wait for it.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(work);
    }

    /// Runs to its end what needs a runtime.
    pub(crate) fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Result<T, String> {
        let (send, receive) = mpsc::channel();
        self.runtime.spawn(async move { send.send(work.await) });
        receive.recv().map_err(|_| "the request was given up".to_owned())
    }

    /// Asks, and waits for the answer.
    pub(crate) fn ask(&self, ask: Ask<'_>) -> Result<Answer, String> {
        let mut request = self.client.request(ask.method, ask.url).timeout(ask.limit);
        for (name, value) in ask.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = ask.body {
            request = request.header("content-type", "application/json").body(body);
        }
        self.run(answer(request))?
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Result<Answer, String> {
    let mut response = request.send().await.map_err(|error| told(&error))?;
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|error| told(&error))? {
        if body.len() + part.len() > LARGEST {
            return Err(format!("its answer is larger than {} MiB", LARGEST >> 20));
        }
        body.extend_from_slice(&part);
    }
    Ok(Answer { status: response.status().as_u16(), retry_after, body })
}

/// The deepest reason, as a sentence about the server.
pub(crate) fn told(error: &reqwest::Error) -> String {
    if error.is_timeout() { "it does not answer in time".to_owned() } else { http::told(error) }
}
