//! What a forge means by a no.
//!
//! *Invariant:* pure. Status and headers decide before words do, and words that nobody knows are passed on.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use serde_json::Value;

use super::ForgeKind;
use crate::printable::one_line;

/// The most that is passed on of what a forge said, in characters.
const WORDS: usize = 300;

/// A no.
#[derive(Debug, thiserror::Error)]
#[error("{} at {host} {} ({status}){}", kind.name(), self.what(), self.words())]
pub struct Refusal {
    /// Who said it.
    pub kind: ForgeKind,
    /// Its host.
    pub host: String,
    /// The status of HTTP.
    pub status: u16,
    /// What is meant.
    pub why: Why,
    /// Its own words, on one line; empty where it had none.
    pub said: String,
    /// Where the token is from, by name.
    pub token: String,
    /// Whether it was the pull request that was refused, and not the look for an open one.
    pub creating: bool,
}

/// What is meant by a no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The token is wrong, has expired or was revoked.
    Token,
    /// It may not do that.
    Permission,
    /// It is not authorised for the organisation's single sign-on.
    SingleSignOn,
    /// Too many requests.
    RateLimit {
        /// How long to wait, where it says so.
        seconds: Option<u64>,
    },
    /// There is no such repository, for this token.
    Missing,
    /// The address of the repository is an old one.
    Moved,
    /// There is a pull request of this branch already.
    Exists,
    /// A rule of the branch is against it.
    Protected,
    /// The branch has nothing that the base lacks.
    NothingNew,
    /// One of the branches is not there.
    NoBranch,
    /// Drafts are not to be had there.
    NoDrafts,
    /// It does not take what was sent.
    Invalid,
    /// It has trouble of its own.
    Broken,
    /// The answer is none of its API.
    Odd,
}

impl Refusal {
    fn what(&self) -> String {
        match self.why {
            Why::Token => format!("does not accept the token of {}", self.token),
            Why::Permission => format!("does not allow it to the token of {}", self.token),
            Why::SingleSignOn => {
                format!("wants the token of {} authorised for the organisation's single sign-on", self.token)
            }
            Why::RateLimit { seconds: Some(seconds) } => {
                format!("had too many requests, and wants none for {seconds} s")
            }
            Why::RateLimit { seconds: None } => "had too many requests".to_owned(),
            Why::Missing if self.creating => "takes no pull request".to_owned(),
            Why::Missing => format!("shows no such repository to the token of {}", self.token),
            Why::Moved => "has the repository under another address".to_owned(),
            Why::Exists => "says that there is a pull request already, and lists none".to_owned(),
            Why::Protected => "refuses the pull request by a rule of the branch".to_owned(),
            Why::NothingNew => "finds nothing in the branch that the base lacks".to_owned(),
            Why::NoBranch => "does not have one of the branches".to_owned(),
            Why::NoDrafts => "has no drafts there".to_owned(),
            Why::Invalid => "does not take the pull request".to_owned(),
            Why::Broken => "has trouble of its own".to_owned(),
            Why::Odd => "gave an answer that is none of its API".to_owned(),
        }
    }

    fn words(&self) -> String {
        if self.said.is_empty() { String::new() } else { format!(": {}", self.said) }
    }

    /// What to do next.
    pub(super) fn hint(&self) -> String {
        let needs = match self.kind {
            ForgeKind::GitHub => "`repo` (classic), or `Pull requests: write` for this repository (fine-grained)",
            ForgeKind::GitLab => "the scope `api`, and the role Developer in the project",
            ForgeKind::AzureDevOps => "`Code (read & write)`",
            ForgeKind::Gitea => "`write:repository` and `write:issue`",
        };
        match self.why {
            Why::Token => {
                format!("make a new one, or leave {} unset for the next source; it needs {needs}", self.token)
            }
            Why::Permission => format!("it needs {needs}"),
            Why::SingleSignOn => {
                "authorise it under Settings, Developer settings, Personal access tokens, Configure SSO".to_owned()
            }
            Why::RateLimit { .. } => "wait, and run it again: the branch is pushed, nothing is lost".to_owned(),
            Why::Missing if self.creating => {
                format!("is the branch pushed? A token that may only read is told the same: it needs {needs}")
            }
            Why::Missing => {
                format!("check the repository's address; a private one is only shown to a token with {needs}")
            }
            Why::Moved => "`git remote -v` shows the old address; use the one in the browser".to_owned(),
            Why::Exists => "run it again, or look for it on the forge: it may be from a fork".to_owned(),
            Why::Protected => "ask whoever keeps the repository's rules, or name another branch".to_owned(),
            Why::NothingNew => "is all of it merged already?".to_owned(),
            Why::NoBranch => "push the branch first, and look whether the base is there".to_owned(),
            Why::NoDrafts => "open it as one that is ready".to_owned(),
            Why::Invalid => "open it by hand: the branch is pushed".to_owned(),
            Why::Broken => "run it again later: what is there already is found".to_owned(),
            Why::Odd => "is it the address of the API, and does nothing stand before it that wants a login?".to_owned(),
        }
    }
}

/// What the status, the headers and the body of a no mean.
pub(super) fn judge(kind: ForgeKind, status: u16, headers: &HeaderMap, body: &[u8], creating: bool) -> (Why, String) {
    let said = said(body);
    let low = said.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| low.contains(word));
    let spent = headers.get("x-ratelimit-remaining").is_some_and(|left| left == "0");
    let waits = headers.contains_key(RETRY_AFTER);
    let why = match status {
        // Azure shows its page for people to whom it does not know.
        203 | 301..=399 if kind == ForgeKind::AzureDevOps => Why::Token,
        200..=299 => Why::Odd,
        301..=399 => Why::Moved,
        401 => Why::Token,
        429 => Why::RateLimit { seconds: seconds(headers) },
        403 if spent || waits || has(&["rate limit"]) => Why::RateLimit { seconds: seconds(headers) },
        503 if waits => Why::RateLimit { seconds: seconds(headers) },
        403 if headers.contains_key("x-github-sso") || has(&["saml"]) => Why::SingleSignOn,
        400..=499 if creating && has(&PROTECTED) => Why::Protected,
        403 => Why::Permission,
        404 | 410 => Why::Missing,
        409 => Why::Exists,
        400 | 422 if has(&["already exists"]) => Why::Exists,
        400 | 422 if has(&["draft pull requests are not supported"]) => Why::NoDrafts,
        400 | 422 if has(&["no commits between", "no changes between"]) => Why::NothingNew,
        400 | 422 if creating && has(&["head invalid", "base invalid", "does not exist", "tf401398"]) => Why::NoBranch,
        500.. => Why::Broken,
        _ => Why::Invalid,
    };
    (why, said)
}

/// How forges say that a branch has rules.
const PROTECTED: [&str; 5] =
    ["protected branch", "branch is protected", "branch protection", "rule violation", "tf402455"];

/// The seconds that a forge wants to be left alone.
fn seconds(headers: &HeaderMap) -> Option<u64> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    number("retry-after").or_else(|| {
        let reset = number("x-ratelimit-reset").or_else(|| number("ratelimit-reset"))?;
        let date = headers.get(DATE).and_then(|date| DateTimeParser::new().parse_timestamp(date.as_bytes()).ok());
        // By its own clock, where it tells it.
        let now = u64::try_from(date.unwrap_or_else(Timestamp::now).as_second()).ok()?;
        Some(reset.saturating_sub(now))
    })
}

/// What a forge says in its own words.
fn said(body: &[u8]) -> String {
    let mut words = Vec::new();
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(object)) => {
            for key in ["message", "error_description", "error", "errors"] {
                if let Some(value) = object.get(key) {
                    gather(value, &mut words);
                }
            }
        }
        Ok(value) => gather(&value, &mut words),
        // A page for people says nothing in its beginning.
        Err(_) => {
            let text = String::from_utf8_lossy(body);
            if !text.trim_start().starts_with('<') {
                words.push(text.into_owned());
            }
        }
    }
    words.dedup();
    let text = words.iter().map(|word| one_line(word).trim().to_owned()).filter(|word| !word.is_empty());
    let text = text.collect::<Vec<_>>().join("; ");
    let short: String = text.chars().take(WORDS).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

/// GitHub's errors are words or objects; GitLab's messages are words, lists, or lists by field.
fn gather(value: &Value, words: &mut Vec<String>) {
    match value {
        Value::String(text) => words.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| gather(value, words)),
        Value::Object(fields) => match (fields.get("message"), fields.get("field"), fields.get("code")) {
            (Some(message), _, _) => gather(message, words),
            (None, Some(Value::String(field)), Some(Value::String(code))) => words.push(format!("{field} {code}")),
            _ => {
                for (field, value) in fields {
                    let mut below = Vec::new();
                    gather(value, &mut below);
                    words.extend(below.into_iter().map(|word| format!("{field} {word}")));
                }
            }
        },
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderName;
    use serde_json::json;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn words_are_found_in_every_form() {
        let table = [
            (json!({"message": "Not Found", "documentation_url": "https://docs"}), "Not Found"),
            (
                json!({"message": "Validation Failed", "errors": [{"resource": "PullRequest", "field": "head", "code": "invalid"}]}),
                "Validation Failed; head invalid",
            ),
            (
                json!({"message": "Validation Failed", "errors": [{"resource": "PullRequest", "code": "custom", "message": "No commits between main and x"}]}),
                "Validation Failed; No commits between main and x",
            ),
            (json!({"message": "Problems", "errors": ["one", "two"]}), "Problems; one; two"),
            (
                json!({"message": ["Another open merge request already exists"]}),
                "Another open merge request already exists",
            ),
            (
                json!({"message": {"title": ["can't be blank", "is too short"]}}),
                "title can't be blank; title is too short",
            ),
            (
                json!({"error": "insufficient_scope", "error_description": "needs more"}),
                "needs more; insufficient_scope",
            ),
            (json!({"message": "a\u{1b}[31m\nb"}), "a b"),
            (json!({"message": ""}), ""),
            (json!(null), ""),
        ];
        for (body, expected) in table {
            assert_eq!(said(body.to_string().as_bytes()), expected, "{body}");
        }
        assert_eq!(said(b"<!DOCTYPE html><p>Sign in"), "");
        assert_eq!(said(b"upstream\r\nis down"), "upstream is down");
        assert_eq!(said(&[b'x'; 1000]).chars().count(), WORDS + 1);
    }

    /// Headers, and the seconds that they ask for.
    type Row<'a> = (&'a [(&'static str, &'a str)], Option<u64>);

    #[test]
    fn waiting_is_told_in_three_ways() {
        let date = ("date", "Thu, 26 Nov 2026 12:00:00 GMT");
        let noon = date.1.parse::<String>().unwrap();
        let noon = DateTimeParser::new().parse_timestamp(&noon).unwrap().as_second();
        let (reset, past) = ((noon + 9).to_string(), (noon - 9).to_string());
        let table: [Row<'_>; 6] = [
            (&[("retry-after", "7"), ("x-ratelimit-reset", &reset), date], Some(7)),
            (&[("x-ratelimit-reset", &reset), date], Some(9)),
            (&[("ratelimit-reset", &reset), date], Some(9)),
            (&[("x-ratelimit-reset", &past), date], Some(0)),
            (&[("retry-after", "soon"), date], None),
            (&[date], None),
        ];
        for (pairs, expected) in table {
            assert_eq!(seconds(&headers(pairs)), expected, "{pairs:?}");
        }
    }
}
