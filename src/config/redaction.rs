//! What is masked beside secrets.

use super::layers::Layers;
use super::{ConfigError, Entry, Setting};

const EMAILS: &str = "redact.emails";
const IPS: &str = "redact.ips";

pub(super) const KEYS: &[(&str, &str)] = &[(EMAILS, "KUBECTL_REACT_REDACT_EMAILS"), (IPS, "KUBECTL_REACT_REDACT_IPS")];

/// Yes or no.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Switch(pub bool);

impl std::str::FromStr for Switch {
    type Err = String;

    fn from_str(text: &str) -> Result<Switch, String> {
        match text {
            "true" => Ok(Switch(true)),
            "false" => Ok(Switch(false)),
            _ => Err(format!("`{text}` is neither true nor false")),
        }
    }
}

/// What is masked beside secrets in what leaves the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedactionSettings {
    /// E-mail addresses.
    pub emails: Setting<Switch>,
    /// Addresses of machines.
    pub ips: Setting<Switch>,
}

impl RedactionSettings {
    pub(super) fn layered(layers: &Layers<'_>) -> Result<RedactionSettings, ConfigError> {
        Ok(RedactionSettings { emails: layers.setting(EMAILS, None, "")?, ips: layers.setting(IPS, None, "")? })
    }

    pub(super) fn entries(&self) -> [Entry; 2] {
        use super::view::entry;
        [
            entry(EMAILS, &self.emails, |switch| switch.0.to_string()),
            entry(IPS, &self.ips, |switch| switch.0.to_string()),
        ]
    }
}
