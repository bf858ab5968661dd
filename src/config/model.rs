//! Settings of the model that the agent asks. `choose.rs` says what comes of them together with the names that other
//! programs use.

use std::str::FromStr;

use super::layers::Layers;
use super::numbers::{Seconds, TokenCount};
use super::{ConfigError, Flags, Secret, Setting};

const NAME: &str = "model.name";
const PROVIDER: &str = "model.provider";
pub(super) const URL: &str = "model.url";
const API_VERSION: &str = "model.apiVersion";
const KEY_ENV: &str = "model.key.env";
const KEY_FILE: &str = "model.key.file";
const AUTH: &str = "model.auth";
const TOOLS: &str = "model.tools";
const WINDOW: &str = "model.window";
const TIMEOUT: &str = "model.timeout";
const CA_FILE: &str = "model.caFile";
const MAX_OUTPUT_TOKENS: &str = "model.maxOutputTokens";
const REASONING_EFFORT: &str = "model.reasoningEffort";

pub(super) const KEYS: &[(&str, &str)] = &[
    (NAME, "KUBECTL_REACT_MODEL"),
    (PROVIDER, "KUBECTL_REACT_MODEL_PROVIDER"),
    (URL, "KUBECTL_REACT_MODEL_URL"),
    (API_VERSION, "KUBECTL_REACT_MODEL_API_VERSION"),
    (KEY_ENV, "KUBECTL_REACT_MODEL_KEY_ENV"),
    (KEY_FILE, "KUBECTL_REACT_MODEL_KEY_FILE"),
    (AUTH, "KUBECTL_REACT_MODEL_AUTH"),
    (TOOLS, "KUBECTL_REACT_MODEL_TOOLS"),
    (WINDOW, "KUBECTL_REACT_MODEL_WINDOW"),
    (TIMEOUT, "KUBECTL_REACT_MODEL_TIMEOUT"),
    (CA_FILE, "KUBECTL_REACT_MODEL_CA_FILE"),
    (MAX_OUTPUT_TOKENS, "KUBECTL_REACT_MODEL_MAX_OUTPUT_TOKENS"),
    (REASONING_EFFORT, "KUBECTL_REACT_MODEL_REASONING_EFFORT"),
];

/// The model that the agent asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelSettings {
    /// Its name; on Azure the deployment.
    pub name: Setting<Option<String>>,
    /// Who serves it.
    pub provider: Setting<ProviderChoice>,
    /// The address of its server.
    pub url: Setting<Option<String>>,
    /// Azure's `api-version`, for its API before v1.
    pub api_version: Setting<Option<String>>,
    /// The key.
    pub key: Secret,
    /// How it is proven who asks.
    pub auth: Setting<AuthChoice>,
    /// How tools are called.
    pub tools: Setting<ToolsChoice>,
    /// Tokens that it holds; by its name where nothing is said.
    pub window: Setting<TokenCount>,
    /// How long a turn may take.
    pub timeout: Setting<Seconds>,
    /// A file with certificates that are trusted too.
    pub ca_file: Setting<Option<String>>,
    /// The most that it may say in a turn, its thoughts included.
    pub max_output_tokens: Setting<TokenCount>,
    /// How much it is to think.
    pub reasoning_effort: Setting<EffortChoice>,
}

impl ModelSettings {
    pub(super) fn layered(layers: &Layers<'_>, flags: &Flags) -> Result<ModelSettings, ConfigError> {
        Ok(ModelSettings {
            name: layers.optional(NAME, flags.agent.model.clone(), "--model"),
            provider: layers.setting(PROVIDER, None, "")?,
            url: layers.optional(URL, None, ""),
            api_version: layers.optional(API_VERSION, None, ""),
            key: layers.secret(KEY_ENV, KEY_FILE),
            auth: layers.setting(AUTH, None, "")?,
            tools: layers.setting(TOOLS, None, "")?,
            window: layers.setting(WINDOW, None, "")?,
            timeout: layers.setting(TIMEOUT, None, "")?,
            ca_file: layers.optional(CA_FILE, None, ""),
            max_output_tokens: layers.setting(MAX_OUTPUT_TOKENS, None, "")?,
            reasoning_effort: layers.setting(REASONING_EFFORT, None, "")?,
        })
    }

    pub(super) fn entries(&self) -> Vec<super::Entry> {
        use super::view::{address, entry, optional};
        let tokens = |count: &TokenCount| count.0.map(|count| count.to_string()).unwrap_or_default();
        vec![
            optional(NAME, &self.name),
            entry(PROVIDER, &self.provider, |provider| provider.as_str().to_owned()),
            address(URL, &self.url),
            optional(API_VERSION, &self.api_version),
            optional(KEY_ENV, &self.key.env),
            optional(KEY_FILE, &self.key.file),
            entry(AUTH, &self.auth, |auth| auth.as_str().to_owned()),
            entry(TOOLS, &self.tools, |tools| tools.as_str().to_owned()),
            entry(WINDOW, &self.window, tokens),
            entry(TIMEOUT, &self.timeout, ToString::to_string),
            optional(CA_FILE, &self.ca_file),
            entry(MAX_OUTPUT_TOKENS, &self.max_output_tokens, tokens),
            entry(REASONING_EFFORT, &self.reasoning_effort, |effort| effort.as_str().to_owned()),
        ]
    }
}

/// Words of a setting, the first one being the default.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum $name {
            #[default]
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// The word for it.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<$name, String> {
                match text {
                    $($word => Ok($name::$variant),)+
                    _ => Err(format!("`{text}` is none of {}", [$($word),+].join(", "))),
                }
            }
        }
    };
}

words! {
    /// Who serves the model.
    ProviderChoice {
        /// Whoever the address, the key and the environment speak of.
        Auto = "auto",
        /// OpenAI, or a server like it.
        OpenAi = "openai",
        /// Azure OpenAI.
        Azure = "azure",
        /// Ollama on this machine, or where `OLLAMA_HOST` says.
        Ollama = "ollama",
        /// No model is used.
        None = "none",
    }
}

words! {
    /// How it is proven who asks.
    AuthChoice {
        /// By a key where there is one; else, on Azure, by a token of Entra ID.
        Auto = "auto",
        /// By a key.
        Key = "key",
        /// By a token of Entra ID.
        Entra = "entra",
        /// Not at all.
        None = "none",
    }
}

words! {
    /// How tools are called.
    ToolsChoice {
        /// As the server can; it is asked once.
        Auto = "auto",
        /// By the API's own calls.
        Native = "native",
        /// By JSON of a schema.
        Schema = "schema",
        /// By text.
        Text = "text",
    }
}

words! {
    /// How much the model is to think before it speaks.
    EffortChoice {
        /// As it likes.
        Auto = "auto",
        /// As little as it can.
        Minimal = "minimal",
        /// A little.
        Low = "low",
        /// Some.
        Medium = "medium",
        /// Much.
        High = "high",
    }
}
