//! Settings: a flag beats the environment, which beats the config file, which beats the default.
//!
//! *Invariant:* resolved once, at the start, and handed down; each value knows where it comes from.

mod agent;
mod choose;
mod folders;
mod forge;
mod layers;
mod metrics;
mod model;
mod numbers;
mod redaction;
mod view;

use std::fmt;
use std::fs;
use std::io;
use std::ops::Deref;
use std::path::PathBuf;
use std::str::FromStr;

pub use agent::{AgentFlags, AgentSettings, Currency, Price, Prices};
pub use choose::{Chosen, KeyFrom, Provider, missing, resolve};
pub use folders::{cache_dir, config_file, redaction_key, state_dir};
pub use forge::{ForgeChoice, ForgeSettings};
use layers::{File, Layers};
pub use metrics::MetricsSettings;
pub use model::{AuthChoice, ModelSettings, ProviderChoice, ToolsChoice};
pub use numbers::{Bounded, Money, MoneyLimit, Seconds, TokenCount};
pub use redaction::{RedactionSettings, Switch};
pub use view::Entry;

use crate::near::nearest;
use crate::output::Format;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nothing was said.
    Default,
    /// The config file.
    File(PathBuf),
    /// An environment variable.
    Env(&'static str),
    /// The command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("the default"),
            Origin::File(path) => write!(f, "`{}`", path.display()),
            Origin::Env(name) => f.write_str(name),
            Origin::Flag(name) => write!(f, "`{name}`"),
        }
    }
}

/// A value, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
}

impl<T> Deref for Setting<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// When output is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// On a terminal that has colours and no wish against them.
    #[default]
    Auto,
    /// In files and pipes too.
    Always,
    /// Nowhere.
    Never,
}

impl FromStr for ColorChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<ColorChoice, String> {
        match text {
            "auto" => Ok(ColorChoice::Auto),
            "always" => Ok(ColorChoice::Always),
            "never" => Ok(ColorChoice::Never),
            _ => Err(format!("`{text}` is none of auto, always, never")),
        }
    }
}

/// Objects in one page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSize(pub u32);

impl Default for PageSize {
    fn default() -> PageSize {
        PageSize(crate::cluster::PAGE_SIZE)
    }
}

impl FromStr for PageSize {
    type Err = String;

    fn from_str(text: &str) -> Result<PageSize, String> {
        let size = text.parse().ok().filter(|size| (10..=100_000).contains(size));
        size.map(PageSize).ok_or_else(|| format!("`{text}` is no number from 10 to 100000"))
    }
}

/// How many incidents are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep(pub usize);

impl Default for Keep {
    fn default() -> Keep {
        Keep(200)
    }
}

impl FromStr for Keep {
    type Err = String;

    fn from_str(text: &str) -> Result<Keep, String> {
        let number = text.parse().ok().filter(|number| (1..=100_000).contains(number));
        number.map(Keep).ok_or_else(|| format!("`{text}` is no number from 1 to 100000"))
    }
}

/// What the command line says of settings.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--output`
    pub output: Option<Format>,
    /// `--color`
    pub color: Option<ColorChoice>,
    /// `--runbooks`
    pub runbooks: Option<String>,
    /// Those of the agent.
    pub agent: AgentFlags,
}

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

/// Where a secret is to be had; its value is read when it is needed and never kept in settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// The environment variable that holds it.
    pub env: Setting<Option<String>>,
    /// The file that holds it.
    pub file: Setting<Option<String>>,
}

impl Secret {
    /// Its value; `None` where nothing says where it is, or the variable is not set.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn read(&self) -> io::Result<Option<String>> {
        if let Some(path) = &*self.file {
            return fs::read_to_string(path).map(|text| Some(text.trim().to_owned()));
        }
        Ok(self.env.as_ref().and_then(|name| std::env::var(name).ok()).filter(|value| !value.is_empty()))
    }
}

/// All settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How a diagnosis is written.
    pub output: Setting<Format>,
    /// When output is coloured.
    pub color: Setting<ColorChoice>,
    /// Objects in one page of a list.
    pub page_size: Setting<PageSize>,
    /// Where the team's runbooks are.
    pub runbooks: RunbookSettings,
    /// A ChromaDB server that holds the vectors.
    pub chroma: ChromaSettings,
    /// What turns text into vectors.
    pub embedder: EmbedderSettings,
    /// How many incidents are kept.
    pub incidents_keep: Setting<Keep>,
    /// The model that the agent asks.
    pub model: ModelSettings,
    /// What the agent may spend, and when it speaks.
    pub agent: AgentSettings,
    /// Where pull requests are opened.
    pub forge: ForgeSettings,
    /// What the agent asks for metrics.
    pub prometheus: MetricsSettings,
    /// What the agent asks for alerts.
    pub alertmanager: MetricsSettings,
    /// What is masked beside secrets.
    pub redaction: RedactionSettings,
}

/// What is wrong with a setting.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is there and can't be read.
    #[error("can't read the config file `{}`: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no YAML mapping.
    #[error("the config file `{}` is not valid: {reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A key that we don't know.
    #[error("the config file `{}` has the unknown key `{key}`", path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
    },
    /// A key or token that stands in the file itself.
    #[error("the config file `{}` holds a secret at `{key}`", path.display())]
    Literal {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
    },
    /// A value that we can't use.
    #[error("`{key}` in {origin} is not valid: {reason}")]
    Value {
        /// The key.
        key: String,
        /// Where it stands.
        origin: Origin,
        /// Why.
        reason: String,
    },
}

/// The words that may stand where `key` stands.
fn beside(key: &str) -> Vec<&'static str> {
    let parent = key.rsplit_once('.').map_or(String::new(), |(parent, _)| format!("{parent}."));
    let mut words: Vec<&str> = Vec::new();
    for (known, _) in keys() {
        let word = known.strip_prefix(&parent).and_then(|rest| rest.split('.').next());
        words.extend(word.filter(|word| !words.contains(word)));
    }
    words
}

impl ConfigError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            ConfigError::UnknownKey { key, .. } => Some(match nearest(key, keys().map(|(key, _)| *key)) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("known keys: {}", beside(key).join(", ")),
            }),
            ConfigError::Literal { key, .. } => Some(format!(
                "name the variable or the file that has it: `{key}: {{env: NAME}}` or `{key}: {{file: PATH}}`"
            )),
            ConfigError::Invalid { .. } => Some("it is YAML, such as `output: markdown`".to_owned()),
            ConfigError::Unreadable { .. } | ConfigError::Value { .. } => None,
        }
    }
}

const OUTPUT: &str = "output";
const COLOR: &str = "color";
const PAGE_SIZE: &str = "pageSize";

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
const INCIDENTS_KEEP: &str = "incidents.keep";

/// The keys of the file, and the variables that stand for them. A dot is a level of the file.
const KEYS: [(&str, &str); 20] = [
    (OUTPUT, "KUBECTL_REACT_OUTPUT"),
    (COLOR, "KUBECTL_REACT_COLOR"),
    (PAGE_SIZE, "KUBECTL_REACT_PAGE_SIZE"),
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
    (INCIDENTS_KEEP, "KUBECTL_REACT_INCIDENTS_KEEP"),
];

/// All keys, with the variables that stand for them.
fn keys() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    KEYS.iter().chain(model::KEYS).chain(agent::KEYS).chain(metrics::KEYS).chain(redaction::KEYS).chain(forge::KEYS)
}

/// The config file, where there is one.
pub fn file_in_use() -> Option<PathBuf> {
    let asked = std::env::var("KUBECTL_REACT_CONFIG").ok().filter(|path| !path.is_empty()).map(PathBuf::from);
    asked.or_else(folders::config_file).filter(|path| path.is_file())
}

impl Settings {
    /// Reads the file and the environment, and lays the flags over them.
    ///
    /// # Errors
    /// When one of them holds what can't be used.
    pub fn resolve(flags: &Flags) -> Result<Settings, ConfigError> {
        let env = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let path = env("KUBECTL_REACT_CONFIG").map(PathBuf::from);
        let asked = path.is_some();
        let file = match path.or_else(folders::config_file) {
            None => None,
            Some(path) => match fs::read_to_string(&path) {
                Ok(text) => Some((path, text)),
                Err(error)
                    if !asked && matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
                {
                    None
                }
                Err(source) => return Err(ConfigError::Unreadable { path, source }),
            },
        };
        Settings::layered(flags, &env, file)
    }

    /// With a file's text and no environment, for tests of what uses settings.
    #[cfg(test)]
    pub(crate) fn from_file(flags: &Flags, path: PathBuf, text: String) -> Result<Settings, ConfigError> {
        Settings::layered(flags, &|_| None, Some((path, text)))
    }

    fn layered(
        flags: &Flags,
        env: &dyn Fn(&str) -> Option<String>,
        file: Option<(PathBuf, String)>,
    ) -> Result<Settings, ConfigError> {
        let layers = Layers { env, file: file.map(File::parse).transpose()? };
        Ok(Settings {
            output: layers.setting(OUTPUT, flags.output, "--output")?,
            color: layers.setting(COLOR, flags.color, "--color")?,
            page_size: layers.setting(PAGE_SIZE, None, "")?,
            runbooks: RunbookSettings {
                repo: layers.optional(RUNBOOKS_REPO, flags.runbooks.clone(), "--runbooks"),
                branch: layers.optional(RUNBOOKS_BRANCH, None, ""),
                path: layers.optional(RUNBOOKS_PATH, None, ""),
            },
            chroma: ChromaSettings {
                url: layers.optional(CHROMA_URL, None, ""),
                tenant: layers.optional(CHROMA_TENANT, None, ""),
                database: layers.optional(CHROMA_DATABASE, None, ""),
                collection: layers.optional(CHROMA_COLLECTION, None, ""),
                token: Secret {
                    env: layers.optional(CHROMA_TOKEN_ENV, None, ""),
                    file: layers.optional(CHROMA_TOKEN_FILE, None, ""),
                },
            },
            embedder: EmbedderSettings {
                kind: layers.setting(EMBEDDER_KIND, None, "")?,
                dir: layers.optional(EMBEDDER_DIR, None, ""),
                url: layers.optional(EMBEDDER_URL, None, ""),
                model: layers.optional(EMBEDDER_MODEL, None, ""),
                api_version: layers.optional(EMBEDDER_API_VERSION, None, ""),
                key: Secret {
                    env: layers.optional(EMBEDDER_KEY_ENV, None, ""),
                    file: layers.optional(EMBEDDER_KEY_FILE, None, ""),
                },
            },
            incidents_keep: layers.setting(INCIDENTS_KEEP, None, "")?,
            model: ModelSettings::layered(&layers, flags)?,
            agent: AgentSettings::layered(&layers, &flags.agent)?,
            prometheus: MetricsSettings::layered(&layers, &metrics::PROMETHEUS),
            alertmanager: MetricsSettings::layered(&layers, &metrics::ALERTMANAGER),
            redaction: RedactionSettings::layered(&layers)?,
            forge: ForgeSettings::layered(&layers)?,
        })
    }
}

#[cfg(test)]
mod tests;
