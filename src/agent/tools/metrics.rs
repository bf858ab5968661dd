//! How Prometheus and Alertmanager are asked: GET, with a bound on time and bytes.
//!
//! *Invariant:* only the addresses of the settings are asked, and no path but those here.

use std::time::Duration;

use reqwest::Url;
use serde_json::Value;

use super::ToolError;

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(20);
/// The most that is read of an answer.
const MOST: usize = 32 << 20;

/// A server that answers in JSON.
#[derive(Clone, Debug)]
pub struct Server {
    client: reqwest::Client,
    base: Url,
    token: Option<String>,
}

impl Server {
    /// At this address, such as `http://prometheus.monitoring:9090`, also behind a path.
    ///
    /// # Errors
    /// When it is no address, or no connection can be made at all.
    pub fn new(url: &str, token: Option<String>) -> Result<Server, String> {
        let mut base = Url::parse(url).map_err(|error| format!("`{url}` is no address: {error}"))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(format!("`{url}` is no address of HTTP"));
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        // Whoever is asked for numbers has no reason to send us elsewhere.
        let client = reqwest::Client::builder().timeout(LIMIT).redirect(reqwest::redirect::Policy::none()).build();
        Ok(Server { client: client.map_err(|error| error.to_string())?, base, token })
    }

    /// Asks for a path below the address.
    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, ToolError> {
        let mut url = self.base.join(path).map_err(|error| ToolError::new(error.to_string()))?;
        url.query_pairs_mut().extend_pairs(query);
        let mut request = self.client.get(url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let failed = |error: reqwest::Error| ToolError::new(format!("no answer: {}", error.without_url()));
        let mut answer = request.send().await.map_err(failed)?;
        let status = answer.status();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            body.extend_from_slice(&chunk);
            if body.len() > MOST {
                return Err(ToolError::new("the answer is too large")
                    .hinted("ask for fewer series: aggregate with sum by or topk"));
            }
        }
        let value: Result<Value, _> = serde_json::from_slice(&body);
        match (status.is_success(), value) {
            (true, Ok(value)) => Ok(value),
            (true, Err(_)) => Err(ToolError::new("the answer is no JSON: is this the right address?")),
            (false, value) => {
                let said = value.ok().and_then(|value| Some(value.get("error")?.as_str()?.to_owned()));
                let said = said.map(|said| format!(": {said}")).unwrap_or_default();
                Err(ToolError::new(format!("it answered {}{said}", status.as_u16())))
            }
        }
    }
}
