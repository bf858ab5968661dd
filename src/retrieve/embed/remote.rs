//! Vectors from an embeddings endpoint: OpenAI, Azure OpenAI, or whoever answers in the same shape.
//!
//! *Invariant:* what is embedded here leaves the process: each text is blanked right before it is sent, whoever handed it
//! over. An answer is used where it has a vector of one length for each text; it is brought to length 1, whatever the
//! server gave.

use std::thread;
use std::time::Duration;

use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::check::SENTENCES;
use super::vector::{cosine, unit};
use crate::redact::{Addresses, blank};
use crate::retrieve::http::{Answer, Ask, Http};
use crate::retrieve::{EmbedError, Embedder, ModelId};
use crate::runbook::repo::hex;

/// Texts in one request.
const TEXTS: usize = 96;
/// A text is cut here: a token is at least a byte, and models take 8,191 tokens.
const BYTES: usize = 8000;
/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(30);
/// How often a request is tried.
const TRIES: u32 = 5;
/// The longest pause that a server may ask for.
const LONGEST_PAUSE: u64 = 60;

/// A key, and how it is sent.
#[derive(Clone)]
pub enum Key {
    /// OpenAI, and tokens of Entra ID.
    Bearer(String),
    /// Azure OpenAI.
    ApiKey(String),
}

/// An embeddings endpoint.
#[derive(Clone)]
pub struct Endpoint {
    /// Up to the version: `https://api.openai.com/v1`, `https://NAME.openai.azure.com/openai/v1`; with
    /// [`api_version`](Endpoint::api_version), up to the deployment: `https://NAME.openai.azure.com/openai/deployments/NAME`.
    pub url: String,
    /// The model, or on Azure the deployment.
    pub model: String,
    /// What it wants to see.
    pub key: Option<Key>,
    /// `api-version`, for deployments of Azure before v1.
    pub api_version: Option<String>,
    /// Shorter vectors than the model's own, where it can do that.
    pub dimensions: Option<usize>,
    /// What is blanked beside secrets.
    pub hidden: Addresses,
}

/// Why an endpoint can't be used.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The settings name no address.
    #[error("`{0}` is no address of an embeddings endpoint")]
    Address(String),
    /// Nobody answers.
    #[error("can't reach {url}: {reason}")]
    Unreachable {
        /// Where.
        url: String,
        /// Why.
        reason: String,
    },
    /// The key is refused.
    #[error("{url} refuses the key (status {status})")]
    Forbidden {
        /// Where.
        url: String,
        /// 401 or 403.
        status: u16,
    },
    /// The server says no.
    #[error("{url} does not embed (status {status}): {text}")]
    Refused {
        /// Where.
        url: String,
        /// The status.
        status: u16,
        /// What it says.
        text: String,
    },
    /// The answer is no good.
    #[error("{url} gives no usable vectors: {reason}")]
    Nonsense {
        /// Where.
        url: String,
        /// What is wrong.
        reason: String,
    },
}

impl RemoteError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            RemoteError::Address(_) | RemoteError::Unreachable { .. } => "look at `embedder.url`",
            RemoteError::Forbidden { .. } => "set the key that the embedder's settings name",
            RemoteError::Refused { .. } | RemoteError::Nonsense { .. } => {
                "look at `embedder.url` and `embedder.model`: it must be a model for embeddings"
            }
        }
    }
}

impl From<RemoteError> for EmbedError {
    fn from(error: RemoteError) -> EmbedError {
        EmbedError(error.to_string())
    }
}

/// An embeddings endpoint that has answered.
pub struct Remote {
    id: ModelId,
    client: Client,
}

struct Client {
    http: Http,
    url: Url,
    shown: String,
    headers: Vec<(&'static str, String)>,
    endpoint: Endpoint,
    pause: fn(Duration),
}

#[derive(Deserialize)]
struct Vectors {
    data: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    #[serde(default)]
    index: Option<usize>,
    embedding: Vec<f32>,
}

impl Remote {
    /// Asks for two vectors, to learn their length and to see that they are some.
    pub fn open(endpoint: Endpoint) -> Result<Remote, RemoteError> {
        Remote::with(endpoint, thread::sleep)
    }

    fn with(endpoint: Endpoint, pause: fn(Duration)) -> Result<Remote, RemoteError> {
        let client = Client::new(endpoint, pause)?;
        let [first, second]: [Vec<f32>; 2] = client
            .embed(&SENTENCES)?
            .try_into()
            .map_err(|_| client.nonsense("there are not as many vectors as texts"))?;
        let near = cosine(&first, &second);
        if near > 0.995 {
            return Err(client.nonsense("two sentences about different things give the same vector"));
        }
        let mut digest = Sha256::new();
        for part in [client.url.as_str(), &client.endpoint.model, &first.len().to_string()] {
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        }
        let digest = hex(&digest.finalize());
        let host = client.url.host_str().unwrap_or_default();
        let name = format!("{} at {host}", client.endpoint.model);
        Ok(Remote { id: ModelId { name, digest, dimensions: first.len() }, client })
    }
}

impl Embedder for Remote {
    fn id(&self) -> &ModelId {
        &self.id
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let vectors = self.client.embed(texts)?;
        if vectors.iter().any(|vector| vector.len() != self.id.dimensions) {
            return Err(self.client.nonsense("the length of its vectors changes").into());
        }
        Ok(vectors)
    }
}

impl Client {
    fn new(endpoint: Endpoint, pause: fn(Duration)) -> Result<Client, RemoteError> {
        let address = || RemoteError::Address(endpoint.url.clone());
        let url = Url::parse(&endpoint.url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let mut url = url.filter(Url::has_host).ok_or_else(address)?;
        url.path_segments_mut().map_err(|()| address())?.pop_if_empty().push("embeddings");
        if let Some(version) = &endpoint.api_version {
            url.query_pairs_mut().append_pair("api-version", version);
        }
        let mut shown = url.clone();
        let _ = (shown.set_username(""), shown.set_password(None), shown.set_query(None));
        let shown = shown.to_string();
        let headers = match &endpoint.key {
            Some(Key::Bearer(key)) => vec![("authorization", format!("Bearer {key}"))],
            Some(Key::ApiKey(key)) => vec![("api-key", key.clone())],
            None => Vec::new(),
        };
        let http = Http::new(&url).map_err(|reason| RemoteError::Unreachable { url: shown.clone(), reason })?;
        Ok(Client { http, url, shown, headers, endpoint, pause })
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, RemoteError> {
        let mut vectors = Vec::with_capacity(texts.len());
        for texts in texts.chunks(TEXTS) {
            vectors.extend(self.batch(texts)?);
        }
        Ok(vectors)
    }

    fn batch(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, RemoteError> {
        let sent = |text: &&str| {
            // Blanked while it is whole: half a secret looks like nothing.
            let text = blank(text, self.endpoint.hidden);
            match text.get(..text.floor_char_boundary(BYTES)) {
                // Servers refuse an empty text.
                None | Some("") => " ".to_owned(),
                Some(text) => text.to_owned(),
            }
        };
        let input: Vec<String> = texts.iter().map(sent).collect();
        let mut body = json!({"model": self.endpoint.model, "input": input, "encoding_format": "float"});
        if let (Some(dimensions), Some(body)) = (self.endpoint.dimensions, body.as_object_mut()) {
            body.insert("dimensions".to_owned(), dimensions.into());
        }
        let answer = self.ask(body.to_string().as_bytes())?;
        let mut answer: Vectors = answer.json().map_err(|reason| self.nonsense(&reason))?;
        // In the order of the texts, whatever order they came in.
        if answer.data.iter().all(|vector| vector.index.is_some()) {
            answer.data.sort_by_key(|vector| vector.index);
            if answer.data.iter().zip(0..).any(|(vector, number)| vector.index != Some(number)) {
                return Err(self.nonsense("its vectors are not numbered as the texts are"));
            }
        }
        if answer.data.len() != texts.len() {
            return Err(self.nonsense("there are not as many vectors as texts"));
        }
        let vectors = answer.data.into_iter().map(|vector| unit(vector.embedding));
        vectors.collect::<Option<Vec<_>>>().ok_or_else(|| self.nonsense("a vector has no direction"))
    }

    /// Asks until it is answered: a server that has too much to do is asked again, later each time.
    fn ask(&self, body: &[u8]) -> Result<Answer, RemoteError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let ask = Ask {
                method: Method::POST,
                url: self.url.clone(),
                headers: &self.headers,
                body: Some(body.to_vec()),
                limit: LIMIT,
            };
            let pause = match self.http.ask(ask) {
                Ok(answer) if answer.is_success() => return Ok(answer),
                Ok(answer) if tries < TRIES && (answer.status == 429 || answer.status >= 500) => {
                    answer.retry_after.map(|seconds| Duration::from_secs(seconds.min(LONGEST_PAUSE)))
                }
                Ok(answer) => return Err(self.refusal(&answer)),
                Err(_) if tries < 3 => None,
                Err(reason) => return Err(RemoteError::Unreachable { url: self.shown.clone(), reason }),
            };
            (self.pause)(pause.unwrap_or_else(|| Duration::from_millis(250 << tries)));
        }
    }

    fn refusal(&self, answer: &Answer) -> RemoteError {
        let (url, status) = (self.shown.clone(), answer.status);
        match status {
            401 | 403 => RemoteError::Forbidden { url, status },
            _ => RemoteError::Refused { url, status, text: answer.excerpt() },
        }
    }

    fn nonsense(&self, reason: &str) -> RemoteError {
        RemoteError::Nonsense { url: self.shown.clone(), reason: reason.to_owned() }
    }
}

#[cfg(test)]
#[path = "remote_tests.rs"]
mod tests;
