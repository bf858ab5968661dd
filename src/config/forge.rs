//! The forge where pull requests are opened.

use std::fmt;
use std::str::FromStr;

use super::Setting;
use super::layers::Layers;
use super::view::{Entry, address, optional};

const KIND: &str = "forge.kind";
const URL: &str = "forge.url";
const TOKEN_ENV: &str = "forge.token.env";
const CA_FILE: &str = "forge.caFile";
const PROXY: &str = "forge.proxy";

pub(super) const KEYS: &[(&str, &str)] = &[
    (KIND, "KUBECTL_REACT_FORGE_KIND"),
    (URL, "KUBECTL_REACT_FORGE_URL"),
    (TOKEN_ENV, "KUBECTL_REACT_FORGE_TOKEN_ENV"),
    (CA_FILE, "KUBECTL_REACT_FORGE_CA_FILE"),
    (PROXY, "KUBECTL_REACT_FORGE_PROXY"),
];

/// Which API a forge speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForgeChoice {
    /// What the repository's host says.
    #[default]
    Auto,
    /// GitHub, GitHub Enterprise.
    GitHub,
    /// GitLab.
    GitLab,
    /// Azure DevOps.
    Azure,
    /// Gitea, Forgejo.
    Gitea,
    /// None: pull requests are opened by hand.
    None,
}

impl ForgeChoice {
    fn as_str(self) -> &'static str {
        match self {
            ForgeChoice::Auto => "auto",
            ForgeChoice::GitHub => "github",
            ForgeChoice::GitLab => "gitlab",
            ForgeChoice::Azure => "azure",
            ForgeChoice::Gitea => "gitea",
            ForgeChoice::None => "none",
        }
    }
}

impl fmt::Display for ForgeChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ForgeChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<ForgeChoice, String> {
        use ForgeChoice::{Auto, Azure, GitHub, GitLab, Gitea, None};
        let all = [Auto, GitHub, GitLab, Azure, Gitea, None];
        all.into_iter()
            .find(|choice| choice.as_str() == text)
            .ok_or_else(|| format!("`{text}` is none of auto, github, gitlab, azure, gitea, none"))
    }
}

/// The forge where pull requests are opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForgeSettings {
    /// Which API it speaks.
    pub kind: Setting<ForgeChoice>,
    /// Where its API is, where that is not what the repository's host says.
    pub url: Setting<Option<String>>,
    /// The variable that has the token, in the place of the usual ones.
    pub token_env: Setting<Option<String>>,
    /// Certificates to trust beside the system's.
    pub ca_file: Setting<Option<String>>,
    /// A proxy in the place of the system's.
    pub proxy: Setting<Option<String>>,
}

impl ForgeSettings {
    pub(super) fn layered(layers: &Layers<'_>) -> Result<ForgeSettings, super::ConfigError> {
        Ok(ForgeSettings {
            kind: layers.setting(KIND, None, "")?,
            url: layers.optional(URL, None, ""),
            token_env: layers.optional(TOKEN_ENV, None, ""),
            ca_file: layers.optional(CA_FILE, None, ""),
            proxy: layers.optional(PROXY, None, ""),
        })
    }

    pub(super) fn entries(&self) -> [Entry; 5] {
        [
            super::view::entry(KIND, &self.kind, ToString::to_string),
            address(URL, &self.url),
            optional(TOKEN_ENV, &self.token_env),
            optional(CA_FILE, &self.ca_file),
            address(PROXY, &self.proxy),
        ]
    }
}
