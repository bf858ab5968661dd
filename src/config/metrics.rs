//! Where Prometheus and Alertmanager are, for the agent's tools.

use super::Secret;
use super::Setting;
use super::layers::Layers;

pub(super) const KEYS: &[(&str, &str)] = &[
    (PROMETHEUS.url, "KUBECTL_REACT_PROMETHEUS_URL"),
    (PROMETHEUS.token_env, "KUBECTL_REACT_PROMETHEUS_TOKEN_ENV"),
    (PROMETHEUS.token_file, "KUBECTL_REACT_PROMETHEUS_TOKEN_FILE"),
    (ALERTMANAGER.url, "KUBECTL_REACT_ALERTMANAGER_URL"),
    (ALERTMANAGER.token_env, "KUBECTL_REACT_ALERTMANAGER_TOKEN_ENV"),
    (ALERTMANAGER.token_file, "KUBECTL_REACT_ALERTMANAGER_TOKEN_FILE"),
];

/// The keys of one server.
pub(super) struct Keys {
    url: &'static str,
    token_env: &'static str,
    token_file: &'static str,
}

pub(super) const PROMETHEUS: Keys =
    Keys { url: "prometheus.url", token_env: "prometheus.token.env", token_file: "prometheus.token.file" };
pub(super) const ALERTMANAGER: Keys =
    Keys { url: "alertmanager.url", token_env: "alertmanager.token.env", token_file: "alertmanager.token.file" };

/// A server of metrics or alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricsSettings {
    /// Its address, also behind a path; none where it is not asked.
    pub url: Setting<Option<String>>,
    /// Its bearer token.
    pub token: Secret,
}

impl MetricsSettings {
    pub(super) fn layered(layers: &Layers<'_>, keys: &Keys) -> MetricsSettings {
        MetricsSettings {
            url: layers.optional(keys.url, None, ""),
            token: layers.secret(keys.token_env, keys.token_file),
        }
    }

    pub(super) fn entries(&self, keys: &Keys) -> [super::Entry; 3] {
        use super::view::{address, optional};
        [
            address(keys.url, &self.url),
            optional(keys.token_env, &self.token.env),
            optional(keys.token_file, &self.token.file),
        ]
    }
}
