//! How Prometheus and Alertmanager are asked: GET, with a bound on time and bytes.
//!
//! *Invariant:* only the addresses of the settings are asked, and no path but those of the tools; what a server says to
//! refuse is passed on, and no reason repeats an address, in which a password may stand.

use std::time::Duration;

use reqwest::Url;
use serde_json::Value;

use super::ToolError;
use crate::http;

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(20);
/// The most that is read of an answer.
const MOST: usize = 32 << 20;
/// The most that is passed on of what is no JSON.
const WORDS: usize = 200;

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
        let mut base = Url::parse(url).map_err(|error| format!("it is no address: {error}"))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err("it is no address of HTTP".to_owned());
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        Ok(Server { client: http::client(&base, None, None)?, base, token })
    }

    /// Host and port.
    pub fn place(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        self.base.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Asks for a path below the address.
    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, ToolError> {
        let mut url = self.base.join(path).map_err(|error| ToolError::new(error.to_string()))?;
        url.query_pairs_mut().extend_pairs(query);
        let mut request = self.client.get(url).timeout(LIMIT);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let failed = |error: reqwest::Error| {
            ToolError::new(format!("no answer: {}", http::told(&error))).hinted("go on without this tool")
        };
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
            (true, Err(_)) => Err(ToolError::new("the answer is no JSON: the configured address may be wrong")
                .hinted("go on without this tool")),
            (false, value) => Err(refusal(status.as_u16(), value.ok().as_ref(), &body)),
        }
    }
}

/// What a server says that does not do what it is asked.
fn refusal(status: u16, value: Option<&Value>, body: &[u8]) -> ToolError {
    let words = match value {
        // Prometheus; then Alertmanager, where it refuses by its schema, and where it does so itself.
        Some(value) => ["error", "message"]
            .iter()
            .find_map(|key| value.get(key)?.as_str())
            .or_else(|| value.as_str())
            .map(str::to_owned),
        None => words(body),
    };
    let said = words.map(|words| format!(": {words}")).unwrap_or_default();
    let error = ToolError::new(format!("it answered {status}{said}"));
    match (status, value) {
        (401 | 403, _) => error.hinted("the configured token is missing, or not accepted: go on without this tool"),
        // With a word of its own it is the right server, which refuses this one question.
        (300..=399 | 404 | 405, None) => error.hinted("the configured address may be wrong: go on without this tool"),
        _ => error,
    }
}

/// The first line of a text for people; nothing of a page.
fn words(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    (!line.starts_with('<')).then(|| line.chars().take(WORDS).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_server_says_to_refuse_is_passed_on() {
        let json = [
            (400, json!({"status": "error", "error": "1:5: parse error"}), "it answered 400: 1:5: parse error"),
            (400, json!("bad matcher format: x"), "it answered 400: bad matcher format: x"),
            (422, json!({"code": 602, "message": "filter in query"}), "it answered 422: filter in query"),
            (503, json!({}), "it answered 503"),
        ];
        for (status, value, message) in json {
            let error = refusal(status, Some(&value), b"");
            assert_eq!((error.message.as_str(), error.hint), (message, None));
        }
        let text = [
            (404, "404 page not found\n", "it answered 404: 404 page not found", "address"),
            (302, "<a href=\"/login\">Found</a>", "it answered 302", "address"),
            (401, "Unauthorized", "it answered 401: Unauthorized", "token"),
        ];
        for (status, body, message, hint) in text {
            let error = refusal(status, None, body.as_bytes());
            assert_eq!(error.message, message);
            assert!(error.hint.unwrap().contains(hint), "{message}");
        }
    }

    #[test]
    fn an_address_is_one_of_http() {
        assert_eq!(Server::new("https://me:secret@prometheus/p", None).unwrap().place(), "prometheus:443");
        for url in ["prometheus:9090", "me:secret", "ftp://prometheus"] {
            let error = Server::new(url, None).unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
