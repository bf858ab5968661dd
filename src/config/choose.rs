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
//!   `AZURE_API_BASE`) is set, else OpenAI, else Ollama where `OLLAMA_HOST` is set: the first for which all is known.
//! - All is known with a name (`model.name`, `OPENAI_MODEL`, `AZURE_OPENAI_DEPLOYMENT`) and with a key, an address or Entra ID.
//! - Azure without a key is asked with a token of Entra ID; with an `api-version` that is a date, in its API before v1.

use std::path::PathBuf;

use reqwest::Url;

use super::model::URL;
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
                if let Some(found) = first(env, AZURE_URLS) {
                    providers.push(guessed(Provider::Azure, &found.origin));
                }
                if providers.is_empty() || set(&["OPENAI_API_KEY"]) || set(OPENAI_URLS) || has_own_key(own, env) {
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
    let mut url = parse(&given)?;
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix("/chat/completions").unwrap_or(path).to_owned();
    url.set_path(if path.is_empty() { "/v1" } else { &path });
    let theirs = own.url.is_none() || url.host_str() == Some("api.openai.com");
    let Some(name) = present(&own.name).or_else(|| first(env, &["OPENAI_MODEL"])) else {
        return Ok(Err("no model is named: set `model.name`, or OPENAI_MODEL".to_owned()));
    };
    let keys: &[&'static str] = if theirs { &["OPENAI_API_KEY"] } else { &[] };
    let key = match key(own, env, keys) {
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
        url: Setting { value: text(&url), origin: given.origin },
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
    let Some(given) = present(&own.url).or_else(|| first(env, AZURE_URLS)) else {
        return Ok(Err("there is no address: set `model.url`, or AZURE_OPENAI_ENDPOINT".to_owned()));
    };
    let mut url = parse(&given)?;
    let path = url.path().trim_end_matches('/').to_owned();
    // What the portal shows to be copied is the whole address of a deployment.
    let (base, deployment) = match path.split_once("/openai/deployments/") {
        Some((base, rest)) => (base.to_owned(), rest.split('/').next().filter(|name| !name.is_empty())),
        None => (path.clone(), None),
    };
    let named = url.query_pairs().find(|(name, _)| name == "api-version").map(|(_, version)| version.into_owned());
    url.set_query(None);
    let in_address = |value: String| Setting { value, origin: given.origin.clone() };
    let name = present(&own.name).or_else(|| first(env, &["AZURE_OPENAI_DEPLOYMENT"]));
    let Some(name) = name.or_else(|| deployment.map(str::to_owned).map(in_address)) else {
        return Ok(Err("no deployment is named: set `model.name`, or AZURE_OPENAI_DEPLOYMENT".to_owned()));
    };
    let version = present(&own.api_version).or_else(|| named.map(in_address)).or_else(|| first(env, AZURE_VERSIONS));
    let is_v1 = base.ends_with("/openai/v1");
    let version = version.filter(|version| !is_v1 && version.starts_with("20"));
    match &version {
        Some(_) => url.set_path(base.strip_suffix("/openai").unwrap_or(&base)),
        None if is_v1 => url.set_path(&base),
        None => url.set_path(&format!("{}/openai/v1", base.strip_suffix("/openai").unwrap_or(&base))),
    }
    let theirs = own.url.is_none() || is_azure(&given);
    let key = match key(own, env, if theirs { AZURE_KEYS } else { &[] }) {
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
        url: Setting { value: text(&url), origin: given.origin },
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
    let mut url = parse(&Setting { value: plain.clone(), origin: given.origin.clone() })?;
    let authority = plain.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let has_port = authority.rsplit(':').next().is_some_and(|port| port.parse::<u16>().is_ok());
    if url.scheme() == "http" && !has_port {
        let _ = url.set_port(Some(11434));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(if path.is_empty() { "/v1" } else { &path });
    let Some(name) = present(&own.name).or_else(|| first(env, &["OPENAI_MODEL"])) else {
        return Ok(Err("no model is named: set `model.name`".to_owned()));
    };
    let key = match key(own, env, &[]) {
        Ok(key) => key.unwrap_or(Setting { value: KeyFrom::Nothing, origin: Origin::Default }),
        Err(missing) => return Ok(Err(missing)),
    };
    let url = Setting { value: text(&url), origin: given.origin };
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

fn parse(given: &Setting<String>) -> Result<Url, ConfigError> {
    let url = Url::parse(given).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| ConfigError::Value {
        key: URL.to_owned(),
        origin: given.origin.clone(),
        reason: "it is no address such as https://api.openai.com/v1".to_owned(),
    })
}

fn text(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

fn is_azure(url: &str) -> bool {
    let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    let services = ["openai", "cognitiveservices", "services.ai"];
    let clouds = ["azure.com", "azure.us", "azure.cn"];
    services.iter().any(|service| clouds.iter().any(|cloud| host.ends_with(&format!(".{service}.{cloud}"))))
}

#[cfg(test)]
#[path = "choose_tests.rs"]
mod tests;
