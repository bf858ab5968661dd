//! The address of a model's server, as people copy it: from a portal, an example, another program.
//!
//! *Invariant:* what is left is where the API begins; the rest of a query is kept, since gateways want their keys there.

use reqwest::Url;

use super::model::URL;
use super::{ConfigError, Setting};

/// What is asked there, and is ours to add.
const ENDINGS: &[&str] = &["/chat/completions", "/completions", "/responses", "/embeddings", "/models"];
/// Azure's API for models of all vendors; it has no version in common with the others.
const INFERENCE: &str = "/models/chat/completions";
const DEPLOYMENTS: &str = "/openai/deployments/";
const API_VERSION: &str = "api-version";

/// An address in its parts.
#[derive(Debug)]
pub(super) struct Address {
    url: Url,
    /// Its path, up to where the API begins.
    base: String,
}

/// What an address on Azure names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Azure {
    /// The path of the resource, or of its API since v1.
    pub(super) base: String,
    pub(super) deployment: Option<String>,
    pub(super) version: Option<String>,
}

impl Address {
    pub(super) fn read(given: &Setting<String>) -> Result<Address, ConfigError> {
        let url = Url::parse(given).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let mut url = url.ok_or_else(|| ConfigError::Value {
            key: URL.to_owned(),
            origin: given.origin.clone(),
            reason: "it is no address such as https://api.openai.com/v1".to_owned(),
        })?;
        url.set_fragment(None);
        let path = url.path().trim_end_matches('/');
        let base = ENDINGS.iter().find_map(|ending| path.strip_suffix(ending)).unwrap_or(path).to_owned();
        Ok(Address { url, base })
    }

    pub(super) fn host(&self) -> Option<&str> {
        self.url.host_str()
    }

    /// Where an API like OpenAI's begins.
    pub(super) fn openai(self) -> String {
        let base = if self.base.is_empty() { "/v1".to_owned() } else { self.base.clone() };
        self.at(&base)
    }

    /// What the portal shows to be copied: the resource, a deployment's whole address, or one of the newer APIs.
    pub(super) fn azure(&mut self) -> Azure {
        let named = self.url.query_pairs().find(|(name, _)| name == API_VERSION).map(|(_, value)| value.into_owned());
        let rest: Vec<(String, String)> =
            self.url.query_pairs().filter(|(name, _)| name != API_VERSION).map(|(n, v)| (n.into(), v.into())).collect();
        self.url.set_query(None);
        if !rest.is_empty() {
            self.url.query_pairs_mut().extend_pairs(rest);
        }
        let path = self.url.path().trim_end_matches('/');
        if let Some(base) = path.strip_suffix(INFERENCE) {
            return Azure { base: base.to_owned(), deployment: None, version: None };
        }
        match path.split_once(DEPLOYMENTS) {
            Some((base, rest)) => {
                let deployment = rest.split('/').next().filter(|name| !name.is_empty()).map(str::to_owned);
                Azure { base: base.to_owned(), deployment, version: named }
            }
            None => Azure { base: self.base.clone(), deployment: None, version: named },
        }
    }

    /// The same server with another path.
    pub(super) fn at(mut self, path: &str) -> String {
        self.url.set_path(path);
        self.url.as_str().trim_end_matches('/').to_owned()
    }
}

fn host(url: &str) -> Option<String> {
    Url::parse(url).ok()?.host_str().map(str::to_owned)
}

/// Whether it is the address of one of Azure's hosts.
pub(super) fn is_azure(url: &str) -> bool {
    let host = host(url).unwrap_or_default();
    let services = ["openai", "cognitiveservices", "services.ai"];
    let clouds = ["azure.com", "azure.us", "azure.cn"];
    services.iter().any(|service| clouds.iter().any(|cloud| host.ends_with(&format!(".{service}.{cloud}"))))
}

pub(super) fn is_same_host(one: &str, other: &str) -> bool {
    host(one).is_some_and(|one| host(other) == Some(one))
}
