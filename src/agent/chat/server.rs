//! Which server is asked, and how it wants to be addressed.
//!
//! *Invariant:* a key is in no `Debug` output, and in no address but where the user put it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_openai::config::{AzureConfig, Config, OpenAIConfig};
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};

use super::azure::Entra;
use super::protocol::Mode;

/// The form of the address and of the key's header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Api {
    /// `URL/chat/completions`, the key as a bearer token: OpenAI and all servers like it.
    #[default]
    OpenAi,
    /// `URL/chat/completions`, the key in `api-key`: Azure OpenAI since v1.
    AzureV1,
    /// `URL/openai/deployments/MODEL/chat/completions?api-version=…`: Azure OpenAI before v1.
    AzureDeployment {
        /// `api-version`: `2024-10-21`.
        version: String,
    },
}

/// What the server wants to see.
#[derive(Clone, Default)]
pub enum Access {
    /// Nothing.
    #[default]
    Open,
    /// A key.
    Key(String),
    /// A token of Entra ID.
    Entra(Arc<Entra>),
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Access::Open => "Open",
            Access::Key(_) => "Key(…)",
            Access::Entra(_) => "Entra",
        })
    }
}

/// How tools are offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tools {
    /// The server is asked once what it can.
    #[default]
    Auto,
    /// So, whatever it can.
    Always(Mode),
}

/// A server, and the model on it.
#[derive(Clone, Debug)]
pub struct Server {
    /// The model; on Azure the deployment.
    pub model: String,
    /// Up to the version: `https://api.openai.com/v1`; of [`Api::AzureDeployment`] the resource alone. A query goes with
    /// each request.
    pub url: String,
    /// Its form.
    pub api: Api,
    /// What it wants to see.
    pub access: Access,
    /// OpenAI's organisation.
    pub organisation: Option<String>,
    /// OpenAI's project.
    pub project: Option<String>,
    /// Tokens that the model holds, question and answer together.
    pub window: u32,
    /// The most that it may say in a turn, whatever a request says.
    pub max_output_tokens: Option<u32>,
    /// How much it is to think, such as `low`; as it likes where nothing is said.
    pub reasoning_effort: Option<String>,
    /// How tools are offered.
    pub tools: Tools,
    /// How long a turn may take, all tries together.
    pub timeout: Duration,
    /// How long a stream may stand still.
    pub idle: Duration,
    /// A file with certificates (PEM) that are trusted too.
    pub ca_file: Option<PathBuf>,
    /// The proxy; the system's where there is none.
    pub proxy: Option<String>,
    /// The folder in which is kept what servers can.
    pub cache: Option<PathBuf>,
}

impl Server {
    /// A server with an answer to everything else.
    pub fn new(url: impl Into<String>, model: impl Into<String>) -> Server {
        let model = model.into();
        Server {
            window: super::window(&model),
            url: url.into().trim_end_matches('/').to_owned(),
            api: Api::default(),
            access: Access::Open,
            organisation: None,
            project: None,
            max_output_tokens: None,
            reasoning_effort: None,
            tools: Tools::Auto,
            timeout: Duration::from_mins(2),
            // One that reasons is silent while it does: nothing but the turn's end ends it.
            idle: if super::window::reasons(&model) { Duration::MAX } else { Duration::from_mins(1) },
            ca_file: None,
            proxy: None,
            cache: None,
            model,
        }
    }

    /// Its address, where it is one.
    pub(super) fn address(&self) -> Option<Url> {
        Url::parse(&self.url).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
    }

    /// Host and port, for people.
    pub(super) fn name(&self) -> String {
        let Some(url) = self.address() else { return "its address".to_owned() };
        let host = url.host_str().unwrap_or_default();
        url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Whether it is one of those that can call tools for sure.
    pub(super) fn is_official(&self) -> bool {
        let host = self.address().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        host == "api.openai.com" || host.ends_with(".openai.azure.com") || host.ends_with(".openai.azure.us")
    }

    /// What stands in the query of its address, where gateways want their keys.
    pub(super) fn secrets(&self) -> Vec<String> {
        let Some(url) = self.address() else { return Vec::new() };
        url.query_pairs().map(|(_, value)| value.into_owned()).collect()
    }

    /// The address of chat completions, with its query, and the headers for a key or token.
    ///
    /// Nothing where the address is none or the key can't be sent.
    pub(super) fn request(&self, secret: Option<&str>) -> Option<(Url, HeaderMap)> {
        // The crate's own configurations panic on what can't stand in a header.
        for text in [secret, self.organisation.as_deref(), self.project.as_deref()].into_iter().flatten() {
            HeaderValue::from_str(text).ok()?;
        }
        let key = secret.unwrap_or_default();
        let mut base = self.address()?;
        let query = base.query().map(str::to_owned);
        base.set_query(None);
        let base = base.as_str().trim_end_matches('/');
        let openai = || {
            OpenAIConfig::new()
                .with_api_base(base)
                .with_api_key(key)
                .with_org_id(self.organisation.as_deref().unwrap_or_default())
                .with_project_id(self.project.as_deref().unwrap_or_default())
        };
        let config: Box<dyn Config> = match &self.api {
            Api::OpenAi | Api::AzureV1 => Box::new(openai()),
            Api::AzureDeployment { version } => Box::new(
                AzureConfig::new()
                    .with_api_base(base)
                    .with_deployment_id(self.model.clone())
                    .with_api_version(version.clone())
                    .with_api_key(key),
            ),
        };
        let mut url = Url::parse(&config.url("/chat/completions")).ok()?;
        url.set_query(query.as_deref());
        if !config.query().is_empty() {
            url.query_pairs_mut().extend_pairs(config.query());
        }
        let mut headers = config.headers();
        headers.remove(AUTHORIZATION);
        headers.remove("api-key");
        if let Some(secret) = secret {
            let azure_key = self.api != Api::OpenAi && !matches!(self.access, Access::Entra(_));
            let (name, value) =
                if azure_key { ("api-key", secret.to_owned()) } else { ("authorization", format!("Bearer {secret}")) };
            let mut value = HeaderValue::from_str(&value).ok()?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Some((url, headers))
    }
}
