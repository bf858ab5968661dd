//! The team's runbooks, and what finds them: where they are, what embeds them, where the vectors lie.

use std::str::FromStr;

use super::layers::Layers;
use super::view::{Entry, address, entry, optional};
use super::{ConfigError, Flags, Secret, Setting};

const RUNBOOKS_REPO: &str = "runbooks.repo";
const RUNBOOKS_BRANCH: &str = "runbooks.branch";
const RUNBOOKS_PATH: &str = "runbooks.path";
const CHROMA_URL: &str = "index.chroma.url";
const CHROMA_TENANT: &str = "index.chroma.tenant";
const CHROMA_DATABASE: &str = "index.chroma.database";
const CHROMA_COLLECTION: &str = "index.chroma.collection";
const CHROMA_TOKEN_ENV: &str = "index.chroma.token.env";
const CHROMA_TOKEN_FILE: &str = "index.chroma.token.file";
const EMBEDDER_KIND: &str = "embedder.kind";
const EMBEDDER_DIR: &str = "embedder.dir";
const EMBEDDER_URL: &str = "embedder.url";
const EMBEDDER_MODEL: &str = "embedder.model";
const EMBEDDER_API_VERSION: &str = "embedder.apiVersion";
const EMBEDDER_KEY_ENV: &str = "embedder.key.env";
const EMBEDDER_KEY_FILE: &str = "embedder.key.file";

pub(super) const KEYS: &[(&str, &str)] = &[
    (RUNBOOKS_REPO, "KUBECTL_REACT_RUNBOOKS"),
    (RUNBOOKS_BRANCH, "KUBECTL_REACT_RUNBOOKS_BRANCH"),
    (RUNBOOKS_PATH, "KUBECTL_REACT_RUNBOOKS_PATH"),
    (CHROMA_URL, "KUBECTL_REACT_CHROMA_URL"),
    (CHROMA_TENANT, "KUBECTL_REACT_CHROMA_TENANT"),
    (CHROMA_DATABASE, "KUBECTL_REACT_CHROMA_DATABASE"),
    (CHROMA_COLLECTION, "KUBECTL_REACT_CHROMA_COLLECTION"),
    (CHROMA_TOKEN_ENV, "KUBECTL_REACT_CHROMA_TOKEN_ENV"),
    (CHROMA_TOKEN_FILE, "KUBECTL_REACT_CHROMA_TOKEN_FILE"),
    (EMBEDDER_KIND, "KUBECTL_REACT_EMBEDDER"),
    (EMBEDDER_DIR, "KUBECTL_REACT_EMBEDDER_DIR"),
    (EMBEDDER_URL, "KUBECTL_REACT_EMBEDDER_URL"),
    (EMBEDDER_MODEL, "KUBECTL_REACT_EMBEDDER_MODEL"),
    (EMBEDDER_API_VERSION, "KUBECTL_REACT_EMBEDDER_API_VERSION"),
    (EMBEDDER_KEY_ENV, "KUBECTL_REACT_EMBEDDER_KEY_ENV"),
    (EMBEDDER_KEY_FILE, "KUBECTL_REACT_EMBEDDER_KEY_FILE"),
];

/// Where the team's runbooks are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunbookSettings {
    /// Path or URL of the repository; none where only the built-in library is used.
    pub repo: Setting<Option<String>>,
    /// The branch that is trusted; the remote's HEAD where none is named.
    pub branch: Setting<Option<String>>,
    /// The folder in the repository that has them.
    pub path: Setting<Option<String>>,
}

/// A ChromaDB server that holds the vectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChromaSettings {
    /// Its address; the embedded index is used where there is none.
    pub url: Setting<Option<String>>,
    /// Its tenant.
    pub tenant: Setting<Option<String>>,
    /// Its database.
    pub database: Setting<Option<String>>,
    /// The collection.
    pub collection: Setting<Option<String>>,
    /// The token.
    pub token: Secret,
}

/// What turns text into vectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbedderSettings {
    /// Which one.
    pub kind: Setting<EmbedderKind>,
    /// A folder with a model in ONNX format and its tokenizer.
    pub dir: Setting<Option<String>>,
    /// The address of an embeddings endpoint.
    pub url: Setting<Option<String>>,
    /// The model (of Azure the deployment) there.
    pub model: Setting<Option<String>>,
    /// Azure's `api-version`, for the addresses that want one.
    pub api_version: Setting<Option<String>>,
    /// The key.
    pub key: Secret,
}

/// What turns text into vectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EmbedderKind {
    /// A model in this process; none where its files are not there.
    #[default]
    Local,
    /// An OpenAI or Azure OpenAI endpoint, or one like it.
    OpenAi,
    /// Nothing: runbooks are found by signature and by words.
    None,
}

impl FromStr for EmbedderKind {
    type Err = String;

    fn from_str(text: &str) -> Result<EmbedderKind, String> {
        match text {
            "local" => Ok(EmbedderKind::Local),
            "openai" => Ok(EmbedderKind::OpenAi),
            "none" => Ok(EmbedderKind::None),
            _ => Err(format!("`{text}` is none of local, openai, none")),
        }
    }
}

impl RunbookSettings {
    pub(super) fn layered(layers: &Layers<'_>, flags: &Flags) -> RunbookSettings {
        RunbookSettings {
            repo: layers.optional(RUNBOOKS_REPO, flags.runbooks.clone(), "--runbooks"),
            branch: layers.optional(RUNBOOKS_BRANCH, None, ""),
            path: layers.optional(RUNBOOKS_PATH, None, ""),
        }
    }

    pub(super) fn entries(&self) -> [Entry; 3] {
        [
            address(RUNBOOKS_REPO, &self.repo),
            optional(RUNBOOKS_BRANCH, &self.branch),
            optional(RUNBOOKS_PATH, &self.path),
        ]
    }
}

impl ChromaSettings {
    pub(super) fn layered(layers: &Layers<'_>) -> ChromaSettings {
        ChromaSettings {
            url: layers.optional(CHROMA_URL, None, ""),
            tenant: layers.optional(CHROMA_TENANT, None, ""),
            database: layers.optional(CHROMA_DATABASE, None, ""),
            collection: layers.optional(CHROMA_COLLECTION, None, ""),
            token: layers.secret(CHROMA_TOKEN_ENV, CHROMA_TOKEN_FILE),
        }
    }

    pub(super) fn entries(&self) -> [Entry; 6] {
        [
            address(CHROMA_URL, &self.url),
            optional(CHROMA_TENANT, &self.tenant),
            optional(CHROMA_DATABASE, &self.database),
            optional(CHROMA_COLLECTION, &self.collection),
            optional(CHROMA_TOKEN_ENV, &self.token.env),
            optional(CHROMA_TOKEN_FILE, &self.token.file),
        ]
    }
}

impl EmbedderSettings {
    pub(super) fn layered(layers: &Layers<'_>) -> Result<EmbedderSettings, ConfigError> {
        Ok(EmbedderSettings {
            kind: layers.setting(EMBEDDER_KIND, None, "")?,
            dir: layers.optional(EMBEDDER_DIR, None, ""),
            url: layers.optional(EMBEDDER_URL, None, ""),
            model: layers.optional(EMBEDDER_MODEL, None, ""),
            api_version: layers.optional(EMBEDDER_API_VERSION, None, ""),
            key: layers.secret(EMBEDDER_KEY_ENV, EMBEDDER_KEY_FILE),
        })
    }

    pub(super) fn entries(&self) -> [Entry; 7] {
        let kind = |kind: &EmbedderKind| match kind {
            EmbedderKind::Local => "local".to_owned(),
            EmbedderKind::OpenAi => "openai".to_owned(),
            EmbedderKind::None => "none".to_owned(),
        };
        [
            entry(EMBEDDER_KIND, &self.kind, kind),
            optional(EMBEDDER_DIR, &self.dir),
            address(EMBEDDER_URL, &self.url),
            optional(EMBEDDER_MODEL, &self.model),
            optional(EMBEDDER_API_VERSION, &self.api_version),
            optional(EMBEDDER_KEY_ENV, &self.key.env),
            optional(EMBEDDER_KEY_FILE, &self.key.file),
        ]
    }
}
