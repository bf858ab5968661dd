//! A server for tests: it answers by path, and remembers what it was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response};
use kube::client::Body;
use serde_json::{Value, json};
use tower::BoxError;

use super::read::{ReadClient, Settings};
use crate::model::reference::KINDS;

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: Vec<u8>,
}

/// An answer with this status and body.
pub(super) fn reply(status: u16, body: &str) -> Reply {
    Reply { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
}

/// An error as the API server sends it.
pub(super) fn error(status: u16) -> Reply {
    reply(status, &json!({ "kind": "Status", "status": "Failure", "message": "as the test wills" }).to_string())
}

/// A list of these objects, with the token of the next page.
pub(super) fn page(items: &[Value], next: &str) -> Reply {
    reply(200, &json!({ "metadata": { "continue": next }, "items": items }).to_string())
}

/// A whole list.
pub(super) fn list(items: &[Value]) -> Reply {
    page(items, "")
}

/// An object of which the name is all that counts.
pub(super) fn object(namespace: &str, name: &str) -> Value {
    json!({ "metadata": { "namespace": namespace, "name": name } })
}

impl Reply {
    pub(super) fn header(mut self, name: &'static str, value: &'static str) -> Reply {
        self.headers.push((name, value));
        self
    }
}

#[derive(Default)]
struct State {
    /// Answers by path and a part of the query; the last one stays.
    answers: BTreeMap<String, Vec<Reply>>,
    asked: Vec<String>,
    otherwise: Option<Reply>,
    refuse: bool,
    silent: bool,
}

/// The server.
#[derive(Clone, Default)]
pub(super) struct Fake(Arc<Mutex<State>>);

impl Fake {
    /// A server of an empty cluster.
    pub(super) fn new() -> Fake {
        Fake::default()
    }

    /// Gives these answers, one after the other, for `path` or `path?part of the query`.
    pub(super) fn on(self, path: &str, replies: impl IntoIterator<Item = Reply>) -> Fake {
        let mut replies: Vec<Reply> = replies.into_iter().collect();
        replies.reverse();
        self.0.lock().unwrap().answers.insert(path.to_owned(), replies);
        self
    }

    /// Gives this answer to everything else.
    pub(super) fn otherwise(self, reply: Reply) -> Fake {
        self.0.lock().unwrap().otherwise = Some(reply);
        self
    }

    /// Breaks every connection for which there is no answer.
    pub(super) fn refuse(self) -> Fake {
        self.0.lock().unwrap().refuse = true;
        self
    }

    /// Never answers.
    pub(super) fn silent(self) -> Fake {
        self.0.lock().unwrap().silent = true;
        self
    }

    pub(super) fn client(&self) -> ReadClient {
        self.client_with(Some(Duration::from_secs(30)))
    }

    pub(super) fn client_with(&self, timeout: Option<Duration>) -> ReadClient {
        let fake = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let fake = fake.clone();
            let target = request.uri().path_and_query().unwrap().to_string();
            let accept = request.headers()[http::header::ACCEPT].to_str().unwrap().to_owned();
            async move { fake.answer(&target, &accept).await }
        });
        let settings = Settings {
            server: "https://fake:6443".to_owned(),
            context: "test".to_owned(),
            timeout,
            back_off: Duration::ZERO,
            ..Settings::default()
        };
        ReadClient::new(kube::Client::new(service, "default"), settings)
    }

    /// The paths with their queries, in order.
    pub(super) fn asked(&self) -> Vec<String> {
        self.0.lock().unwrap().asked.clone()
    }

    async fn answer(&self, target: &str, accept: &str) -> Result<Response<Body>, BoxError> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        // Answers come in another order than questions, and in the same one every time.
        for _ in 0..path.len() * 7 % 13 {
            tokio::task::yield_now().await;
        }
        let (reply, refuse, silent) = {
            let mut state = self.0.lock().unwrap();
            state.asked.push(if accept == super::JSON { target.to_owned() } else { format!("{target} {accept}") });
            let fits = |key: &&String| {
                let (its_path, part) = key.split_once('?').unwrap_or((key, ""));
                its_path == path && query.contains(part)
            };
            let key = state.answers.keys().filter(fits).max_by_key(|key| key.len()).cloned();
            let answer = key.and_then(|key| state.answers.get_mut(&key));
            let reply = answer.and_then(|left| if left.len() > 1 { left.pop() } else { left.last().cloned() });
            (reply.or_else(|| state.otherwise.clone()), state.refuse, state.silent)
        };
        if silent {
            std::future::pending::<()>().await;
        }
        if reply.is_none() && refuse {
            return Err(std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into());
        }
        let reply = reply.unwrap_or_else(|| empty(path));
        let mut response = Response::builder().status(reply.status);
        for (name, value) in reply.headers {
            response = response.header(name, value);
        }
        Ok(response.body(Body::from(reply.body)).unwrap())
    }
}

/// What an empty cluster answers.
fn empty(path: &str) -> Reply {
    let optional = KINDS.iter().filter(|info| info.optional).any(|info| {
        path.starts_with(&format!("/apis/{}", info.api_version)) && path.ends_with(&format!("/{}", info.plural))
    });
    match path {
        "/version" => reply(200, r#"{"gitVersion":"v1.34.4"}"#),
        _ if optional => error(404),
        _ if path.ends_with("/secrets") => table(&[]),
        _ => list(&[]),
    }
}

/// Secrets as a table: namespace, name, type.
pub(super) fn table(rows: &[(&str, &str, &str)]) -> Reply {
    let rows: Vec<Value> = rows
        .iter()
        .map(|(namespace, name, kind)| json!({ "cells": [name, kind, 1, "3d"], "object": object(namespace, name) }))
        .collect();
    let columns = ["Name", "Type", "Data", "Age"].map(|name| json!({ "name": name }));
    reply(200, &json!({ "kind": "Table", "metadata": {}, "columnDefinitions": columns, "rows": rows }).to_string())
}
