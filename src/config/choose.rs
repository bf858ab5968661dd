//! Which model is used: our own settings, and the names in the environment that other programs use.
//!
//! *Invariant:* a model is used only where someone named one: a key that lies in the environment for other programs
//! switches nothing on. A key from such a name goes only to the server that it is for: `OPENAI_API_KEY` to OpenAI, or to
//! where `OPENAI_BASE_URL` points, and never to an address of `model.url` elsewhere; `model.key.env` can say otherwise.
//!
//! The rules, in order:
//!
//! - `model.provider: none` switches models off.
//! - Our own settings (`model.*`, or `KUBECTL_REACT_MODEL…`) beat all other names, each for itself.
//! - The provider is the one that is set; else the one of `model.url`; else Azure where `AZURE_OPENAI_ENDPOINT` (or
//!   `AZURE_API_BASE`) is set or `OPENAI_BASE_URL` points there, else OpenAI, else Ollama where `OLLAMA_HOST` is set: the
//!   first for which all is known.
//! - All is known with a name (`model.name`, `OPENAI_MODEL`, `AZURE_OPENAI_DEPLOYMENT`) and with a key, an address or Entra ID.
//! - Azure without a key is asked with a token of Entra ID; with an `api-version` that is a date, in its API before v1.

use std::path::PathBuf;

use super::address::{Address, is_azure, is_same_host};
use super::view::shown_address;
use super::{AuthChoice, ConfigError, ModelSettings, Origin, ProviderChoice, Setting, Settings};

/// The variable that holds our own key.
const OWN_KEY: &str = "KUBECTL_REACT_MODEL_KEY";
const OPENAI: &str = "https://api.openai.com/v1";
const OLLAMA: &str = "http://127.0.0.1:11434";

/// Who serves a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// OpenAI, or a server like it.
    OpenAi,
    /// Azure OpenAI.
    Azure,
    /// Ollama.
    Ollama,
}

impl Provider {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Provider::OpenAi => "openai",
            Provider::Azure => "azure",
            Provider::Ollama => "ollama",
        }
    }
}

/// How it is proven who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyFrom {
    /// The key stands in this variable.
    Env(String),
    /// The key stands in this file.
    File(PathBuf),
    /// By a token of Entra ID.
    Entra,
    /// Not at all.
    Nothing,
}

/// The model that is used, with the origin of each part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Who serves it.
    pub provider: Setting<Provider>,
    /// Its name; on Azure the deployment.
    pub name: Setting<String>,
    /// The address, up to the version; of Azure before v1 that of the resource.
    pub url: Setting<String>,
    /// Azure's `api-version`, where it is the API before v1.
    pub api_version: Option<Setting<String>>,
    /// How it is proven who asks.
    pub key: Setting<KeyFrom>,
    /// OpenAI's organisation.
    pub organisation: Option<Setting<String>>,
    /// OpenAI's project.
    pub project: Option<Setting<String>>,
}

impl Chosen {
    /// Each part, its value without secrets, and its origin.
    pub fn parts(&self) -> Vec<(&'static str, String, String)> {
        let mut parts = vec![
            ("provider", self.provider.as_str().to_owned(), self.provider.origin.to_string()),
            ("name", self.name.value.clone(), self.name.origin.to_string()),
            ("url", shown_address(&self.url), self.url.origin.to_string()),
        ];
        if let Some(version) = &self.api_version {
            parts.push(("apiVersion", version.value.clone(), version.origin.to_string()));
        }
        let key = match &*self.key {
            KeyFrom::Env(name) => format!("set (from {name})"),
            KeyFrom::File(path) => format!("set (from `{}`)", path.display()),
            KeyFrom::Entra => "a token of Entra ID".to_owned(),
            KeyFrom::Nothing => "none".to_owned(),
        };
        parts.push(("key", key, self.key.origin.to_string()));
        for (name, part) in [("organisation", &self.organisation), ("project", &self.project)] {
            if let Some(part) = part {
                parts.push((name, part.value.clone(), part.origin.to_string()));
            }
        }
        parts
    }
}

/// Why there is none: what is missing.
type Missing = String;
type Env<'e> = &'e dyn Fn(&str) -> Option<String>;

/// The model that is used, where one is configured.
///
/// # Errors
/// When what is set can't be used: an address that is none.
pub fn resolve(settings: &Settings, env: Env<'_>) -> Result<Option<Chosen>, ConfigError> {
    choose(&settings.model, env).map(Result::ok)
}

/// What is missing for a model to be used; nothing where one is.
pub fn missing(settings: &Settings, env: Env<'_>) -> Option<String> {
    choose(&settings.model, env).ok()?.err()
}

fn choose(own: &ModelSettings, env: Env<'_>) -> Result<Result<Chosen, Missing>, ConfigError> {
    let set = |names: &[&str]| names.iter().any(|name| value(env, name).is_some());
    let fixed = |provider| vec![Setting { value: provider, origin: own.provider.origin.clone() }];
    let guessed = |provider, origin: &Origin| Setting { value: provider, origin: origin.clone() };
    let providers = match *own.provider {
        ProviderChoice::None => return Ok(Err(format!("{} switches it off", own.provider.origin))),
        ProviderChoice::OpenAi => fixed(Provider::OpenAi),
        ProviderChoice::Azure => fixed(Provider::Azure),
        ProviderChoice::Ollama => fixed(Provider::Ollama),
        ProviderChoice::Auto => match &*own.url {
            Some(url) if is_azure(url) => vec![guessed(Provider::Azure, &own.url.origin)],
            Some(_) => vec![guessed(Provider::OpenAi, &own.url.origin)],
            None => {
                let mut providers = Vec::new();
                let theirs = azure_of_openai(env);
                if let Some(found) = first(env, AZURE_URLS).or_else(|| theirs.clone()) {
                    providers.push(guessed(Provider::Azure, &found.origin));
                }
                let openai = set(OPENAI_KEYS) || set(OPENAI_URLS) || has_own_key(own, env);
                if providers.is_empty() || (openai && theirs.is_none()) {
                    providers.push(guessed(Provider::OpenAi, &Origin::Default));
                }
                if set(&["OLLAMA_HOST"]) {
                    providers.push(guessed(Provider::Ollama, &Origin::Env("OLLAMA_HOST")));
                }
                providers
            }
        },
    };
    let mut missing = None;
    for provider in providers {
        let tried = match provider.value {
            Provider::OpenAi => openai(own, env, provider)?,
            Provider::Azure => azure(own, env, provider)?,
            Provider::Ollama => ollama(own, env, provider)?,
        };
        match tried {
            Ok(chosen) => return Ok(Ok(chosen)),
            Err(reason) => missing = missing.or(Some(reason)),
        }
    }
    Ok(Err(missing.unwrap_or_default()))
}

const OPENAI_URLS: &[&str] = &["OPENAI_BASE_URL", "OPENAI_API_BASE", "OPENAI_ENDPOINT"];
const OPENAI_KEYS: &[&str] = &["OPENAI_API_KEY"];
const AZURE_URLS: &[&str] = &["AZURE_OPENAI_ENDPOINT", "AZURE_API_BASE"];
const AZURE_KEYS: &[&str] = &["AZURE_OPENAI_API_KEY", "AZURE_API_KEY"];
const AZURE_VERSIONS: &[&str] = &["AZURE_OPENAI_API_VERSION", "OPENAI_API_VERSION", "AZURE_API_VERSION"];

fn openai(
    own: &ModelSettings,
    env: Env<'_>,
    provider: Setting<Provider>,
) -> Result<Result<Chosen, Missing>, ConfigError> {
    let given = present(&own.url).or_else(|| first(env, OPENAI_URLS));
    let is_known = given.is_some();
    let given = given.unwrap_or_else(|| Setting { value: OPENAI.to_owned(), origin: Origin::Default });
    let address = Address::read(&given)?;
    let theirs = own.url.is_none() || address.host() == Some("api.openai.com");
    let Some(name) = present(&own.name).or_else(|| first(env, &["OPENAI_MODEL"])) else {
        return Ok(Err("no model is named: set `model.name`, or OPENAI_MODEL".to_owned()));
    };
    let key = match key(own, env, if theirs { OPENAI_KEYS } else { &[] }) {
        Ok(Some(key)) => key,
        Ok(None) if is_known && *own.auth != AuthChoice::Key => {
            Setting { value: KeyFrom::Nothing, origin: Origin::Default }
        }
        Ok(None) => {
            return Ok(Err(
                "there is neither a key (`model.key`, or OPENAI_API_KEY) nor an address (`model.url`)".to_owned()
            ));
        }
        Err(missing) => return Ok(Err(missing)),
    };
    let extra = |name: &'static str| first(env, &[name]).filter(|_| theirs);
    Ok(Ok(Chosen {
        provider,
        name,
        url: Setting { value: address.openai(), origin: given.origin },
        api_version: None,
        key,
        organisation: extra("OPENAI_ORG_ID"),
        project: extra("OPENAI_PROJECT_ID"),
    }))
}

fn azure(
    own: &ModelSettings,
    env: Env<'_>,
    provider: Setting<Provider>,
) -> Result<Result<Chosen, Missing>, ConfigError> {
    let theirs = azure_of_openai(env).filter(|_| own.url.is_none());
    let Some(given) = present(&own.url).or_else(|| first(env, AZURE_URLS)).or_else(|| theirs.clone()) else {
        return Ok(Err("there is no address: set `model.url`, or AZURE_OPENAI_ENDPOINT".to_owned()));
    };
    // An address under OpenAI's name brings OpenAI's names for the rest with it.
    let as_openai = theirs.is_some_and(|theirs| is_same_host(&theirs, &given));
    let mut address = Address::read(&given)?;
    let parts = address.azure();
    let in_address = |value: String| Setting { value, origin: given.origin.clone() };
    let names: &[&'static str] =
        if as_openai { &["AZURE_OPENAI_DEPLOYMENT", "OPENAI_MODEL"] } else { &["AZURE_OPENAI_DEPLOYMENT"] };
    let name = present(&own.name).or_else(|| parts.deployment.map(in_address)).or_else(|| first(env, names));
    let Some(name) = name else {
        return Ok(Err("no deployment is named: set `model.name`, or AZURE_OPENAI_DEPLOYMENT".to_owned()));
    };
    let version =
        present(&own.api_version).or_else(|| parts.version.map(in_address)).or_else(|| first(env, AZURE_VERSIONS));
    let is_v1 = parts.base.ends_with("/openai/v1");
    let version = version.filter(|version| !is_v1 && version.starts_with("20"));
    let resource = parts.base.strip_suffix("/openai").unwrap_or(&parts.base);
    let url = match &version {
        Some(_) => address.at(resource),
        None if is_v1 => address.at(&parts.base),
        None => address.at(&format!("{resource}/openai/v1")),
    };
    let keys: Vec<&'static str> = match &*own.url {
        Some(url) if !is_azure(url) => Vec::new(),
        _ if as_openai => [AZURE_KEYS, OPENAI_KEYS].concat(),
        _ => AZURE_KEYS.to_vec(),
    };
    let key = match key(own, env, &keys) {
        Ok(Some(key)) => key,
        Ok(None) if *own.auth == AuthChoice::Key => {
            return Ok(Err("there is no key: set `model.key`, or AZURE_OPENAI_API_KEY".to_owned()));
        }
        Ok(None) => Setting { value: KeyFrom::Entra, origin: Origin::Default },
        Err(missing) => return Ok(Err(missing)),
    };
    Ok(Ok(Chosen {
        provider,
        name,
        url: Setting { value: url, origin: given.origin },
        api_version: version,
        key,
        organisation: None,
        project: None,
    }))
}

fn ollama(
    own: &ModelSettings,
    env: Env<'_>,
    provider: Setting<Provider>,
) -> Result<Result<Chosen, Missing>, ConfigError> {
    let given = present(&own.url).or_else(|| first(env, &["OLLAMA_HOST"]));
    let given = given.unwrap_or_else(|| Setting { value: OLLAMA.to_owned(), origin: Origin::Default });
    // `OLLAMA_HOST` is also what the server listens on: `0.0.0.0`, `:11434`.
    let plain = if given.contains("://") { given.value.clone() } else { format!("http://{}", given.value) };
    let plain = plain.replace("://0.0.0.0", "://127.0.0.1").replace("://:", "://127.0.0.1:");
    let (scheme, rest) = plain.split_once("://").unwrap_or(("http", &plain));
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let has_port = authority.rsplit(':').next().is_some_and(|port| port.parse::<u16>().is_ok());
    let port = if scheme == "http" && !has_port { ":11434" } else { "" };
    let plain = format!("{scheme}://{authority}{port}{path}");
    let address = Address::read(&Setting { value: plain, origin: given.origin.clone() })?;
    let Some(name) = present(&own.name).or_else(|| first(env, &["OPENAI_MODEL"])) else {
        return Ok(Err("no model is named: set `model.name`".to_owned()));
    };
    let key = match key(own, env, &[]) {
        Ok(key) => key.unwrap_or(Setting { value: KeyFrom::Nothing, origin: Origin::Default }),
        Err(missing) => return Ok(Err(missing)),
    };
    let url = Setting { value: address.openai(), origin: given.origin };
    Ok(Ok(Chosen { provider, name, url, api_version: None, key, organisation: None, project: None }))
}

/// Where the key is: our own, else one of these names. What is set and not there is missing, and not passed over.
fn key(own: &ModelSettings, env: Env<'_>, names: &[&'static str]) -> Result<Option<Setting<KeyFrom>>, Missing> {
    let auth = &own.auth;
    match **auth {
        AuthChoice::Entra => return Ok(Some(Setting { value: KeyFrom::Entra, origin: auth.origin.clone() })),
        AuthChoice::None => return Ok(Some(Setting { value: KeyFrom::Nothing, origin: auth.origin.clone() })),
        AuthChoice::Auto | AuthChoice::Key => {}
    }
    if let Some(path) = &*own.key.file {
        return Ok(Some(Setting { value: KeyFrom::File(path.into()), origin: own.key.file.origin.clone() }));
    }
    if let Some(name) = &*own.key.env {
        return match value(env, name) {
            Some(_) => Ok(Some(Setting { value: KeyFrom::Env(name.clone()), origin: own.key.env.origin.clone() })),
            None => Err(format!("the variable `{name}`, which {} names for the key, is not set", own.key.env.origin)),
        };
    }
    let mut all = std::iter::once(&OWN_KEY).chain(names);
    let found = all.find(|name| value(env, name).is_some());
    Ok(found.map(|name| Setting { value: KeyFrom::Env((*name).to_owned()), origin: Origin::Env(name) }))
}

fn has_own_key(own: &ModelSettings, env: Env<'_>) -> bool {
    own.key.file.is_some() || own.key.env.is_some() || value(env, OWN_KEY).is_some()
}

fn value(env: Env<'_>, name: &str) -> Option<String> {
    env(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// The first of the variables that is set.
fn first(env: Env<'_>, names: &[&'static str]) -> Option<Setting<String>> {
    names.iter().find_map(|name| Some(Setting { value: value(env, name)?, origin: Origin::Env(name) }))
}

fn present(setting: &Setting<Option<String>>) -> Option<Setting<String>> {
    Some(Setting { value: setting.value.clone()?, origin: setting.origin.clone() })
}

/// An address of Azure under OpenAI's name, as Azure's own pages say to set it.
fn azure_of_openai(env: Env<'_>) -> Option<Setting<String>> {
    first(env, OPENAI_URLS).filter(|url| is_azure(url))
}

#[cfg(test)]
#[path = "choose_tests.rs"]
mod tests;
