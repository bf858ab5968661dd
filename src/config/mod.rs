//! Settings: a flag beats the environment, which beats the config file, which beats the default.
//!
//! *Invariant:* resolved once, at the start, and handed down; each value knows where it comes from.

mod address;
mod agent;
mod choose;
mod error;
mod folders;
mod forge;
mod layers;
mod libraries;
mod metrics;
mod model;
mod numbers;
mod redaction;
mod setting;
mod view;

use std::fs;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;

pub use agent::{AgentFlags, AgentSettings, Currency, Price, Prices};
pub use choose::{Chosen, KeyFrom, Provider, missing, resolve};
pub use error::ConfigError;
pub use folders::{cache_dir, config_file, redaction_key, state_dir};
pub use forge::{ForgeChoice, ForgeSettings};
use layers::{File, Layers};
pub use libraries::{ChromaSettings, EmbedderKind, EmbedderSettings, RunbookSettings};
pub use metrics::MetricsSettings;
pub use model::{AuthChoice, EffortChoice, ModelSettings, ProviderChoice, ToolsChoice};
pub use numbers::{Bounded, Money, MoneyLimit, Seconds, TokenCount};
pub use redaction::{RedactionSettings, Switch};
pub use setting::{Origin, Secret, Setting};
pub use view::Entry;

use crate::output::Format;

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

const OUTPUT: &str = "output";
const COLOR: &str = "color";
const PAGE_SIZE: &str = "pageSize";

const INCIDENTS_KEEP: &str = "incidents.keep";

/// The keys of the file, and the variables that stand for them. A dot is a level of the file.
const KEYS: &[(&str, &str)] =
    &[(OUTPUT, "KUBECTL_REACT_OUTPUT"), (COLOR, "KUBECTL_REACT_COLOR"), (PAGE_SIZE, "KUBECTL_REACT_PAGE_SIZE")];

const INCIDENTS: (&str, &str) = (INCIDENTS_KEEP, "KUBECTL_REACT_INCIDENTS_KEEP");

/// All keys, with the variables that stand for them.
fn keys() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    let first = KEYS.iter().chain(libraries::KEYS).chain([&INCIDENTS]);
    first.chain(model::KEYS).chain(agent::KEYS).chain(metrics::KEYS).chain(redaction::KEYS).chain(forge::KEYS)
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
            runbooks: RunbookSettings::layered(&layers, flags),
            chroma: ChromaSettings::layered(&layers),
            embedder: EmbedderSettings::layered(&layers)?,
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
