//! A ChromaDB server that a team shares: it holds the vectors, and finds those that are near.
//!
//! Documents and terms are in the [`Embedded`] file as ever. Of Chroma's search only the candidates are taken; their vectors
//! are fetched and scored here, so that both indexes rank alike.
//!
//! *Invariant:* an entry never changes: its id says of which model, derivation, blob and chunk it is. Only what a reader's
//! own commit has is looked at, and nothing but [`Chroma::prune`] deletes.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Embedded, IndexError};
use crate::retrieve::http::{Answer, Ask, Http};
use crate::retrieve::{ModelId, ShelfError};

/// Where the server is, and what to use of it.
#[derive(Clone)]
pub struct Settings {
    /// `index.chroma.url`.
    pub url: String,
    /// `index.chroma.tenant`.
    pub tenant: String,
    /// `index.chroma.database`.
    pub database: String,
    /// `index.chroma.collection`.
    pub collection: String,
    /// `index.chroma.token`.
    pub token: Option<String>,
}

impl Settings {
    /// A server with everything else as Chroma has it.
    pub fn new(url: &str) -> Settings {
        Settings {
            url: url.to_owned(),
            tenant: "default_tenant".to_owned(),
            database: "default_database".to_owned(),
            collection: "runbooks".to_owned(),
            token: None,
        }
    }
}

/// Why Chroma can't be used. The embedded index can: whoever gets this goes on with it, and says so.
#[derive(Debug, thiserror::Error)]
pub enum ChromaError {
    /// The settings name no address.
    #[error("`{0}` is no address of a Chroma server")]
    Address(String),
    /// Nobody answers.
    #[error("can't reach Chroma at {url}: {reason}")]
    Unreachable {
        /// The server.
        url: String,
        /// Why.
        reason: String,
    },
    /// The server wants another token.
    #[error("Chroma at {url} refuses the token (status {status})")]
    Forbidden {
        /// The server.
        url: String,
        /// 401 or 403.
        status: u16,
    },
    /// The server says no.
    #[error("Chroma at {url} can't {what} (status {status}): {text}")]
    Refused {
        /// The server.
        url: String,
        /// What it was asked.
        what: &'static str,
        /// The status.
        status: u16,
        /// What it says.
        text: String,
    },
    /// The answer is none of Chroma's.
    #[error("what answers at {url} is no Chroma server: {reason}")]
    Nonsense {
        /// The server.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The file beside it.
    #[error(transparent)]
    Index(#[from] IndexError),
}

impl ChromaError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            ChromaError::Forbidden { .. } => "set `index.chroma.token`",
            ChromaError::Index(_) => "look at the disk and the rights of the cache folder",
            _ => "look at `index.chroma.url`; without it the index is one file in the cache folder",
        }
    }
}

impl From<ChromaError> for ShelfError {
    fn from(error: ChromaError) -> ShelfError {
        ShelfError(error.to_string())
    }
}

/// A collection on a Chroma server, for the vectors of one model.
pub struct Chroma {
    http: Http,
    /// As it is shown: without what may be a password in it.
    shown: String,
    api: Url,
    headers: Vec<(&'static str, String)>,
    pub(super) collection: Collection,
    pub(super) batch: usize,
    pub(super) model: ModelId,
}

/// What the server says of a collection.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Collection {
    pub(super) id: String,
    #[serde(default)]
    dimension: Option<usize>,
}

#[derive(Deserialize)]
struct Limits {
    max_batch_size: usize,
}

/// Entries as `get` answers them.
#[derive(Deserialize)]
pub(super) struct Entries {
    pub(super) ids: Vec<String>,
    #[serde(default)]
    pub(super) embeddings: Option<Vec<Option<Vec<f32>>>>,
    #[serde(default)]
    pub(super) metadatas: Option<Vec<Option<Metadata>>>,
}

/// What an entry says of itself, as far as we read it.
#[derive(Deserialize)]
pub(super) struct Metadata {
    #[serde(default)]
    pub(super) blob: String,
    #[serde(default)]
    pub(super) commit: String,
    #[serde(default)]
    pub(super) index: String,
}

#[derive(Deserialize)]
struct Found {
    ids: Vec<Vec<String>>,
}

/// No more than this is sent or fetched at once: an answer of vectors is some kilobytes for each.
const MOST_AT_ONCE: usize = 500;

/// How long an answer may take: without it there is another index.
const LIMIT: Duration = Duration::from_secs(10);
/// How long the server may take to write a batch.
const LIMIT_TO_WRITE: Duration = Duration::from_mins(1);

impl Chroma {
    /// Finds the collection, or makes it, with tenant and database. Where it holds vectors of another length than the
    /// model's, a collection beside it is taken, with the length in its name.
    pub fn connect(settings: &Settings, model: &ModelId) -> Result<Chroma, ChromaError> {
        let mut chroma = Chroma::client(settings, model)?;
        chroma.collection = chroma.find(settings, &settings.collection)?;
        if chroma.collection.dimension.is_some_and(|dimension| dimension != model.dimensions) {
            chroma.collection = chroma.find(settings, &beside(settings, model))?;
        }
        chroma.open(settings)?;
        Ok(chroma)
    }

    /// The same where the collection is there; makes nothing.
    pub fn look(settings: &Settings, model: &ModelId) -> Result<Option<Chroma>, ChromaError> {
        let mut chroma = Chroma::client(settings, model)?;
        let mut found = chroma.there(settings, &settings.collection)?;
        if found.as_ref().and_then(|found| found.dimension).is_some_and(|dimension| dimension != model.dimensions) {
            found = chroma.there(settings, &beside(settings, model))?;
        }
        let is_there = found.is_some();
        chroma.collection = found.unwrap_or(chroma.collection);
        // Whatever is there: a server of another kind does not know the question.
        chroma.open(settings)?;
        Ok(is_there.then_some(chroma))
    }

    fn client(settings: &Settings, model: &ModelId) -> Result<Chroma, ChromaError> {
        let address = || ChromaError::Address(settings.url.clone());
        let url = Url::parse(&settings.url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let mut url = url.filter(Url::has_host).ok_or_else(address)?;
        url.path_segments_mut().map_err(|()| address())?.pop_if_empty().extend(["api", "v2"]);
        let mut shown = url.clone();
        let _ = (shown.set_username(""), shown.set_password(None));
        let shown = shown.as_str().trim_end_matches("/api/v2").to_owned();
        let unreachable = |reason| ChromaError::Unreachable { url: shown.clone(), reason };
        let mut headers = Vec::new();
        if let Some(token) = settings.token.as_deref().filter(|token| !token.is_empty()) {
            // Which one is read is the business of whatever stands before the server.
            headers.push(("authorization", format!("Bearer {token}")));
            headers.push(("x-chroma-token", token.to_owned()));
        }
        Ok(Chroma {
            http: Http::new(&url).map_err(unreachable)?,
            shown: shown.clone(),
            api: url,
            headers,
            collection: Collection { id: String::new(), dimension: None },
            batch: MOST_AT_ONCE,
            model: model.clone(),
        })
    }

    /// Asks for the server's limits, and turns to the collection.
    fn open(&mut self, settings: &Settings) -> Result<(), ChromaError> {
        let limits: Limits = self.read(&self.get(&["pre-flight-checks"], "say its limits")?)?;
        self.batch = limits.max_batch_size.clamp(1, MOST_AT_ONCE);
        self.api = self.at(&database(settings, &["collections", &self.collection.id]));
        Ok(())
    }

    /// The collection, where it is there.
    fn there(&self, settings: &Settings, name: &str) -> Result<Option<Collection>, ChromaError> {
        let there = self.send(Method::GET, &database(settings, &["collections", name]), None)?;
        if there.is_success() { self.read(&there).map(Some) } else { Ok(None) }
    }

    fn find(&self, settings: &Settings, name: &str) -> Result<Collection, ChromaError> {
        if let Some(there) = self.there(settings, name)? {
            return Ok(there);
        }
        self.make(&["tenants"], &settings.tenant)?;
        self.make(&["tenants", &settings.tenant, "databases"], &settings.database)?;
        // Whoever else makes it at this moment makes the same.
        let body = json!({
            "name": name,
            "get_or_create": true,
            "metadata": {"made_by": "kubectl-react"},
            "configuration": {"hnsw": {"space": "cosine", "ef_construction": 200, "ef_search": 200}},
        });
        let made = self.send(Method::POST, &database(settings, &["collections"]), Some(&body))?;
        self.read(&self.granted(made, "make the collection")?)
    }

    /// Makes a tenant or a database; that it is there is no fault.
    fn make(&self, path: &[&str], name: &str) -> Result<(), ChromaError> {
        let one: Vec<&str> = path.iter().copied().chain([name]).collect();
        if self.send(Method::GET, &one, None)?.is_success() {
            return Ok(());
        }
        let made = self.send(Method::POST, path, Some(&json!({"name": name})))?;
        if made.status == 409 {
            return Ok(());
        }
        self.granted(made, "make the tenant or the database").map(drop)
    }

    /// So many entries are in the collection, those of other commits and libraries included.
    pub fn count(&self) -> Result<usize, ChromaError> {
        self.read(&self.get(&["count"], "count its entries")?)
    }

    /// Which of `ids` are there.
    pub(super) fn present(&self, ids: &[String]) -> Result<BTreeSet<String>, ChromaError> {
        let mut present = BTreeSet::new();
        for ids in ids.chunks(self.batch) {
            present.extend(self.entries(&json!({"ids": ids, "include": []}))?.ids);
        }
        Ok(present)
    }

    /// Entries by what `get` takes.
    pub(super) fn entries(&self, body: &Value) -> Result<Entries, ChromaError> {
        self.post("get", body, "give entries")
    }

    /// The ids of the entries that are nearest, the nearest first.
    pub(super) fn near(&self, query: &[f32], number: usize) -> Result<Vec<String>, ChromaError> {
        let body = json!({"query_embeddings": [query], "n_results": number, "include": []});
        let found: Found = self.post("query", &body, "search")?;
        found.ids.into_iter().next().ok_or_else(|| self.nonsense("no answer to the query".to_owned()))
    }

    pub(super) fn upsert(&self, body: &Value) -> Result<(), ChromaError> {
        self.post::<Value>("upsert", body, "take entries").map(drop)
    }

    pub(super) fn delete(&self, ids: &[String]) -> Result<(), ChromaError> {
        for ids in ids.chunks(self.batch) {
            self.post::<Value>("delete", &json!({"ids": ids}), "delete entries")?;
        }
        Ok(())
    }

    /// What the file keeps of this collection.
    pub(super) fn memo_key(&self) -> String {
        format!("chroma:{}:{}", self.collection.id, self.model.digest)
    }

    pub(super) fn forget(&self, index: &Embedded) -> Result<(), IndexError> {
        index.remember(&self.memo_key(), "")
    }

    fn post<T: serde::de::DeserializeOwned>(
        &self,
        verb: &str,
        body: &Value,
        what: &'static str,
    ) -> Result<T, ChromaError> {
        let answer = self.send(Method::POST, &[verb], Some(body))?;
        self.read(&self.granted(answer, what)?)
    }

    fn get(&self, path: &[&str], what: &'static str) -> Result<Answer, ChromaError> {
        self.granted(self.send(Method::GET, path, None)?, what)
    }

    fn send(&self, method: Method, path: &[&str], body: Option<&Value>) -> Result<Answer, ChromaError> {
        let body = body.map(|body| body.to_string().into_bytes());
        let limit = if path.last() == Some(&"upsert") { LIMIT_TO_WRITE } else { LIMIT };
        let ask = Ask { method, url: self.at(path), headers: &self.headers, body, limit };
        let answer = self.http.ask(ask);
        let answer = answer.map_err(|reason| ChromaError::Unreachable { url: self.shown.clone(), reason })?;
        match answer.status {
            status @ (401 | 403) => Err(ChromaError::Forbidden { url: self.shown.clone(), status }),
            _ => Ok(answer),
        }
    }

    fn granted(&self, answer: Answer, what: &'static str) -> Result<Answer, ChromaError> {
        if answer.is_success() {
            return Ok(answer);
        }
        let (url, status, text) = (self.shown.clone(), answer.status, answer.excerpt());
        Err(ChromaError::Refused { url, what, status, text })
    }

    fn read<T: serde::de::DeserializeOwned>(&self, answer: &Answer) -> Result<T, ChromaError> {
        answer.json().map_err(|reason| self.nonsense(reason))
    }

    pub(super) fn nonsense(&self, reason: String) -> ChromaError {
        ChromaError::Nonsense { url: self.shown.clone(), reason }
    }

    fn at(&self, path: &[&str]) -> Url {
        let mut url = self.api.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(path);
        }
        url
    }
}

/// The collection for vectors of this model's length, beside one of another length.
fn beside(settings: &Settings, model: &ModelId) -> String {
    format!("{}-{}", settings.collection, model.dimensions)
}

fn database<'a>(settings: &'a Settings, path: &[&'a str]) -> Vec<&'a str> {
    ["tenants", &settings.tenant, "databases", &settings.database].into_iter().chain(path.iter().copied()).collect()
}

#[cfg(test)]
#[path = "chroma_tests.rs"]
mod tests;
