//! The servers of metrics and alerts that the agent asks, as the settings say.
//!
//! *Invariant:* a token is read when the server is opened, and in no message.

use crate::agent::tools::MetricsServer;
use crate::config::MetricsSettings;

/// The server, where one is configured. `keys` is what its settings begin with. Nobody is asked yet.
///
/// # Errors
/// When what is set can't be used: the address, or what should hold the token.
pub(super) fn server(keys: &str, settings: &MetricsSettings) -> Result<Option<MetricsServer>, String> {
    let Some(url) = settings.url.as_deref() else { return Ok(None) };
    let token = settings.token.read().map_err(|error| format!("`{keys}.token.file` can't be read: {error}"))?;
    if let (None, Some(name)) = (&token, settings.token.env.as_deref()) {
        return Err(format!("`{keys}.token.env` names `{name}`, which is not set"));
    }
    MetricsServer::new(url, token).map(Some).map_err(|why| format!("`{keys}.url` can't be used: {why}"))
}
