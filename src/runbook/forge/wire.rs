//! One request to the API of a forge.
//!
//! *Invariant:* a token goes over https, or to this machine; no redirect is followed; a request ends, and an answer is
//! bounded. A rate limit is waited for when it is short.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method, RequestBuilder, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::refusal::{Refusal, Why, judge};
use super::remote::Remote;
use super::token::Token;
use super::{Connection, ForgeError, ForgeKind, Pause};
use crate::http;

/// How long a request may take, to the last byte.
const LIMIT: Duration = Duration::from_secs(30);
/// How long rate limits are waited for, in all.
const PATIENCE: Duration = Duration::from_secs(20);
/// The most that is read of an answer.
const MOST: usize = 16 << 20;

/// The API of a forge, with a token.
pub(super) struct Api<'a> {
    kind: ForgeKind,
    client: Client,
    base: Url,
    token: &'a Token,
    pause: &'a Pause,
}

/// What is asked.
pub(super) struct Ask<'a> {
    method: Method,
    /// Behind the base, each part as it is.
    path: &'a [&'a str],
    query: &'a [(&'a str, &'a str)],
    body: Option<Value>,
}

impl<'a> Ask<'a> {
    pub(super) fn get(path: &'a [&'a str], query: &'a [(&'a str, &'a str)]) -> Ask<'a> {
        Ask { method: Method::GET, path, query, body: None }
    }

    pub(super) fn send(method: Method, path: &'a [&'a str], query: &'a [(&'a str, &'a str)], body: Value) -> Ask<'a> {
        Ask { method, path, query, body: Some(body) }
    }
}

impl<'a> Api<'a> {
    pub(super) fn new(
        kind: ForgeKind,
        remote: &Remote,
        base: Option<&Url>,
        token: &'a Token,
        connection: &'a Connection,
    ) -> Result<Api<'a>, ForgeError> {
        let base = match base {
            Some(base) => base.clone(),
            None => remote.api(kind)?,
        };
        if !base.username().is_empty() || base.password().is_some() {
            return Err(ForgeError::Api("its address holds a name or a password; the token is enough".to_owned()));
        }
        if base.scheme() != "https" && !(base.scheme() == "http" && http::is_local(&base)) {
            return Err(ForgeError::Insecure { host: place(&base) });
        }
        let client = http::client(&base, connection.ca_file.as_deref(), connection.proxy.as_deref());
        Ok(Api { kind, client: client.map_err(ForgeError::Api)?, base, token, pause: &connection.pause })
    }

    /// What the forge answers.
    pub(super) async fn ask<T: DeserializeOwned>(&self, ask: Ask<'_>) -> Result<T, ForgeError> {
        let mut waited = Duration::ZERO;
        let creating = ask.method == Method::POST;
        loop {
            let (status, headers, body) = self.once(&ask).await.map_err(|error| ForgeError::Unreachable {
                kind: self.kind,
                host: place(&self.base),
                reason: http::told(&error),
            })?;
            if matches!(status, 200 | 201)
                && let Ok(answer) = serde_json::from_slice(&body)
            {
                return Ok(answer);
            }
            let (why, said) = judge(self.kind, status, &headers, &body, creating);
            if let Why::RateLimit { seconds: Some(seconds) } = why {
                let wait = Duration::from_secs(seconds.max(1));
                if waited.saturating_add(wait) <= PATIENCE {
                    (self.pause)(wait).await;
                    waited += wait;
                    continue;
                }
            }
            return Err(self.refused(status, why, said, creating));
        }
    }

    /// An answer that is none of the API.
    pub(super) fn odd(&self, what: &str) -> ForgeError {
        self.refused(200, Why::Odd, what.to_owned(), false)
    }

    fn refused(&self, status: u16, why: Why, said: String, creating: bool) -> ForgeError {
        let said = if why == Why::Odd && status != 200 { String::new() } else { said };
        let (host, token) = (place(&self.base), self.token.from().to_owned());
        Box::new(Refusal { kind: self.kind, host, status, why, said, token, creating }).into()
    }

    async fn once(&self, ask: &Ask<'_>) -> Result<(u16, HeaderMap, Vec<u8>), reqwest::Error> {
        let mut url = self.base.clone();
        url.set_query(None);
        url.set_fragment(None);
        // It has segments: it is http or https.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(ask.path);
        }
        if !ask.query.is_empty() {
            url.query_pairs_mut().extend_pairs(ask.query);
        }
        let mut request = self.token.onto(self.dressed(self.client.request(ask.method.clone(), url)), self.kind);
        if let Some(body) = &ask.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let mut response = request.timeout(LIMIT).send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await? {
            if body.len() + part.len() > MOST {
                // What is there is no JSON, and said to be odd.
                break;
            }
            body.extend_from_slice(&part);
        }
        Ok((status, headers, body))
    }

    fn dressed(&self, request: RequestBuilder) -> RequestBuilder {
        match self.kind {
            ForgeKind::GitHub => {
                request.header(ACCEPT, "application/vnd.github+json").header("X-GitHub-Api-Version", "2022-11-28")
            }
            _ => request.header(ACCEPT, "application/json"),
        }
    }
}

/// The page of a pull request, as the forge says.
pub(super) fn page(api: &Api<'_>, url: &str) -> Result<String, ForgeError> {
    match Url::parse(url) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url.into()),
        _ => Err(api.odd("the address of its page is none")),
    }
}

/// Host and port.
fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
