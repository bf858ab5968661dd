//! Objects, tables and logs of a cluster that is there.
//!
//! *Invariant:* every answer passes the redactor before anything else sees it; lists end at their bound and say so;
//! of a Secret nothing but the metadata is asked for.

use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::discovery;
use super::error::ServeError;
use super::source::{Listing, LogQuery, Type, Which, built_in, find};
use super::table::Table;
use super::value::{name, near};
use crate::cluster::error::ReadError;
use crate::cluster::lines::Lines;
use crate::cluster::list::encode;
use crate::cluster::read::{JSON, ReadClient, TABLE};
use crate::model::{SecretKeys, Time};
use crate::redact::Redactor;

/// The form that holds the metadata of objects alone.
const METADATA: &str = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";

/// Objects on a page.
const PAGE: usize = 500;
/// Rows of a table that are read.
pub(super) const MOST_ROWS: usize = 10_000;
/// Bytes of a log that are looked at.
const LOG_BYTES: usize = 64 << 20;

/// A cluster that is there.
pub(super) struct Live {
    pub(super) client: ReadClient,
    pub(super) redactor: Redactor,
    types: OnceCell<Vec<Type>>,
}

impl Live {
    pub(super) fn new(client: ReadClient, redactor: Redactor) -> Live {
        Live { client, redactor, types: OnceCell::new() }
    }

    /// All types that the server serves, asked for once.
    pub(super) async fn types(&self) -> Result<&[Type], ServeError> {
        let types = self.types.get_or_try_init(|| discovery::discover(&self.client)).await;
        types.map(Vec::as_slice).map_err(|error| ServeError::read(&error, &self.redactor))
    }

    pub(super) async fn type_of(&self, word: &str) -> Result<Type, ServeError> {
        // What every cluster has needs no question.
        if let Some(known) = find(word, built_in()) {
            return Ok(known);
        }
        let types = self.types().await?;
        let known = || types.iter().map(|of| of.plural.as_str());
        find(word, types.iter().cloned())
            .ok_or_else(|| ServeError::UnknownType { word: word.to_owned(), near: near(word, known()) })
    }

    /// Asks, and reads the answer as JSON.
    pub(super) async fn ask(&self, path: &str, accept: &str) -> Result<Value, ReadError> {
        let body = self.client.get(path, accept).await?;
        let value = serde_json::from_slice(&body).map_err(|error| ReadError::Unreadable(error.to_string()));
        self.client.give_back(body);
        value
    }

    pub(super) async fn list(&self, of: &Type, which: &Which, most: usize) -> Result<Listing, ServeError> {
        let failed = |error| ServeError::of(error, of, which.namespace.as_deref(), None, &self.redactor);
        let accept = if of.is_secret() { METADATA_LIST } else { JSON };
        let mut listing = Listing::default();
        let mut token = None;
        loop {
            let limit = PAGE.min(most.saturating_sub(listing.items.len())).max(1);
            let path = query(&of.path(which.namespace.as_deref(), None), which, limit, token.as_deref());
            let mut body = self.ask(&path, accept).await.map_err(failed)?;
            if let Some(Value::Array(items)) = body.get_mut("items").map(Value::take) {
                listing.items.extend(items.into_iter().map(|item| self.masked(of, item)));
            }
            token = body.pointer("/metadata/continue").and_then(Value::as_str).map(str::to_owned);
            token = token.filter(|token| !token.is_empty());
            if token.is_none() || listing.items.len() >= most {
                listing.more = token.map(|_| remaining(&body));
                return Ok(listing);
            }
        }
    }

    pub(super) async fn object(&self, of: &Type, namespace: &str, name: &str) -> Result<Value, ServeError> {
        let accept = if of.is_secret() { METADATA } else { JSON };
        self.one(of, namespace, name, accept).await
    }

    pub(super) async fn metadata(&self, of: &Type, namespace: &str, name: &str) -> Result<Value, ServeError> {
        let found = self.ask(&of.path(Some(namespace), Some(name)), METADATA).await;
        found.map_err(|error| ServeError::of(error, of, Some(namespace), Some(name), &self.redactor))
    }

    async fn one(&self, of: &Type, namespace: &str, name: &str, accept: &str) -> Result<Value, ServeError> {
        match self.ask(&of.path(Some(namespace), Some(name)), accept).await {
            Ok(object) => Ok(self.masked(of, object)),
            Err(error) => Err(self.with_near(of, namespace, name, error).await),
        }
    }

    /// The error, with near names where there is no such object.
    async fn with_near(&self, of: &Type, namespace: &str, wanted: &str, error: ReadError) -> ServeError {
        let mut error = ServeError::of(error, of, Some(namespace), Some(wanted), &self.redactor);
        if let ServeError::NotFound { near: names, .. } = &mut error {
            let path = format!("{}?limit={PAGE}", of.path(Some(namespace), None));
            if let Ok(list) = self.ask(&path, METADATA_LIST).await {
                let items = list.get("items").and_then(Value::as_array);
                *names = near(wanted, items.into_iter().flatten().map(name));
            }
        }
        error
    }

    pub(super) async fn table(
        &self,
        of: &Type,
        which: &Which,
        name: Option<&str>,
        whole: bool,
    ) -> Result<Table, ServeError> {
        let namespace = which.namespace.as_deref();
        let mut table = Table::default();
        let mut token: Option<String> = None;
        let path = of.path(namespace, name);
        loop {
            let mut path = match name {
                Some(_) => path.clone(),
                None => query(&path, which, PAGE, token.as_deref()),
            };
            if whole && !of.is_secret() {
                path.push_str(if path.contains('?') { "&" } else { "?" });
                path.push_str("includeObject=Object");
            }
            let body = match (self.ask(&path, TABLE).await, name) {
                // What other programs serve may have no tables.
                (Err(ReadError::Status { code: 406, .. }), _) => return self.computed(of, which, name).await,
                (Ok(body), _) if body.get("kind").and_then(Value::as_str) != Some("Table") => {
                    return self.computed(of, which, name).await;
                }
                (Ok(body), _) => body,
                (Err(error), Some(name)) => {
                    return Err(self.with_near(of, namespace.unwrap_or_default(), name, error).await);
                }
                (Err(error), None) => return Err(ServeError::of(error, of, namespace, None, &self.redactor)),
            };
            token = body.pointer("/metadata/continue").and_then(Value::as_str).map(str::to_owned);
            token = token.filter(|token| !token.is_empty() && name.is_none());
            let left = remaining(&body);
            table.append(Table::from_server(body, |object| self.redactor.json(object)));
            if token.is_none() || table.rows.len() >= MOST_ROWS {
                table.more = token.map(|_| left);
                return Ok(table);
            }
        }
    }

    async fn computed(&self, of: &Type, which: &Which, name: Option<&str>) -> Result<Table, ServeError> {
        let (items, more) = if let Some(name) = name {
            let namespace = which.namespace.as_deref().unwrap_or_default();
            (vec![self.object(of, namespace, name).await?], None)
        } else {
            let listing = self.list(of, which, MOST_ROWS).await?;
            (listing.items, listing.more)
        };
        let mut table = super::columns::table(of, items, Time::now());
        table.more = more;
        Ok(table)
    }

    /// The lines of a container's log, one by one, masked.
    pub(super) async fn log(
        &self,
        pod: (&str, &str),
        container: &str,
        wanted: &LogQuery,
        mut line: impl FnMut(Option<Time>, String),
    ) -> Result<Lines, ServeError> {
        let (namespace, name) = pod;
        let mut path =
            format!("/api/v1/namespaces/{namespace}/pods/{name}/log?container={}&timestamps=true", encode(container));
        let settings = [
            wanted.previous.then(|| "previous=true".to_owned()),
            wanted.tail.map(|lines| format!("tailLines={lines}")),
            wanted.since_seconds.map(|seconds| format!("sinceSeconds={seconds}")),
            wanted.since_time.as_deref().map(|time| format!("sinceTime={}", encode(time))),
            wanted.limit_bytes.map(|bytes| format!("limitBytes={bytes}")),
        ];
        for setting in settings.into_iter().flatten() {
            path.push('&');
            path.push_str(&setting);
        }
        let mut masked = self.redactor.log_lines();
        let read = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            let (time, rest) = match text.split_once(' ') {
                Some((stamp, rest)) => match stamp.parse() {
                    Ok(time) => (Some(time), rest),
                    Err(_) => (None, &*text),
                },
                None => text.parse().map_or((None, &*text), |time| (Some(time), "")),
            };
            line(time, masked.line(rest));
        };
        self.client.lines(&path, LOG_BYTES, read).await.map_err(|error| match error {
            ReadError::Status { code: 403, .. } => {
                ServeError::Forbidden { what: format!("logs of pod {namespace}/{name}") }
            }
            other => ServeError::read(&other, &self.redactor),
        })
    }

    /// The key names and sizes of a Secret.
    pub(super) async fn secret_keys(&self, namespace: &str, name: &str) -> Result<SecretKeys, ServeError> {
        let keys = self.client.secret_keys(namespace, name).await;
        keys.map_err(|error| match error {
            ReadError::Status { code: 403, .. } => ServeError::Forbidden { what: format!("secret {namespace}/{name}") },
            other => ServeError::read(&other, &self.redactor),
        })
    }

    /// The object with its type, masked. Items of a list come without their type.
    fn masked(&self, of: &Type, mut object: Value) -> Value {
        if let Some(fields) = object.as_object_mut() {
            fields.insert("apiVersion".to_owned(), json!(of.api_version()));
            fields.insert("kind".to_owned(), json!(of.kind));
        }
        self.redactor.json(&mut object);
        object
    }
}

/// The path of a page of a list.
fn query(path: &str, which: &Which, limit: usize, token: Option<&str>) -> String {
    let mut path = format!("{path}?limit={limit}");
    let selectors = [("labelSelector", &which.labels), ("fieldSelector", &which.fields)];
    for (key, value) in selectors.into_iter().filter_map(|(key, value)| Some((key, value.as_ref()?))) {
        path.push_str(&format!("&{key}={}", encode(value)));
    }
    if let Some(token) = token {
        path.push_str(&format!("&continue={}", encode(token)));
    }
    path
}

/// How many objects come after a page, where the server says so.
fn remaining(page: &Value) -> usize {
    let left = page.pointer("/metadata/remainingItemCount").and_then(Value::as_u64);
    left.and_then(|left| usize::try_from(left).ok()).unwrap_or_default()
}
