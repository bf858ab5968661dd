//! What a server means when it says no.
//!
//! *Invariant:* pure. What is to be left out is a parameter that was sent. The words of a server are someone else's: they come out on one line, cut, without the key.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use crate::printable::one_line;

/// The longest reason that is told.
const LONGEST: usize = 300;

/// A no, by what can be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum No {
    /// Ask again later.
    Busy,
    /// Nothing is left to spend: later is as bad as now.
    Spent,
    /// The key.
    Unauthorized,
    /// The model or deployment.
    UnknownModel,
    /// Too long; the window, where it was named.
    TooLong(Option<u32>),
    /// The content filter.
    Filtered,
    /// Ask again without this parameter.
    Without(Parameter),
    /// All else.
    Other,
}

/// What can be left out or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Parameter {
    Temperature,
    MaxTokens,
    MaxCompletionTokens,
    StreamOptions,
    Stream,
    Stop,
    ToolChoice,
    Tools,
    ResponseFormat,
    ReasoningEffort,
}

impl Parameter {
    const ALL: [(Parameter, &str); 10] = [
        (Parameter::MaxCompletionTokens, "max_completion_tokens"),
        (Parameter::MaxTokens, "max_tokens"),
        (Parameter::Temperature, "temperature"),
        (Parameter::StreamOptions, "stream_options"),
        (Parameter::ResponseFormat, "response_format"),
        (Parameter::ToolChoice, "tool_choice"),
        (Parameter::Tools, "tools"),
        (Parameter::Stream, "stream"),
        (Parameter::Stop, "stop"),
        (Parameter::ReasoningEffort, "reasoning_effort"),
    ];

    /// Its name in a request.
    pub(super) fn as_str(self) -> &'static str {
        Parameter::ALL.iter().find(|(parameter, _)| *parameter == self).map_or("", |(_, name)| name)
    }

    /// Those that are in the body of a request.
    pub(super) fn sent(body: &Map<String, Value>) -> Vec<Parameter> {
        let sent = Parameter::ALL.iter().filter(|(_, name)| body.contains_key(*name));
        sent.map(|(parameter, _)| *parameter).collect()
    }
}

/// What a server said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Its words, as they are.
    message: String,
    /// `code`, `type` and those of the inner error, in lower case.
    codes: Vec<String>,
    parameter: String,
    /// llama.cpp says its window in a field.
    window: Option<u32>,
}

impl Told {
    /// Reads a body, in whatever form it is.
    pub(super) fn read(body: &[u8]) -> Told {
        match serde_json::from_slice(body) {
            Ok(value) => Told::of(&value),
            Err(_) => Told { message: String::from_utf8_lossy(body).into_owned(), ..Told::default() },
        }
    }

    /// The forms: `{"error": {…}}`, `{"error": "…"}`, `{"message": …}`, `{"detail": …}`, and a list of one of these.
    pub(super) fn of(value: &Value) -> Told {
        let value = value.get(0).unwrap_or(value);
        let error = value.get("error").filter(|error| !error.is_null()).unwrap_or(value);
        let text = |value: Option<&Value>| match value {
            Some(Value::String(text)) => text.clone(),
            None | Some(Value::Null) => String::new(),
            Some(other) => other.to_string(),
        };
        let message = if error.is_string() {
            text(Some(error))
        } else {
            let named = ["message", "detail", "msg", "error"].iter().find_map(|key| error.get(*key));
            text(Some(named.unwrap_or(error)))
        };
        let inner = error.get("innererror").or_else(|| error.get("inner_error"));
        let codes =
            [error.get("code"), error.get("type"), inner.and_then(|inner| inner.get("code")), value.get("code")];
        Told {
            message,
            codes: codes.into_iter().map(|code| text(code).to_lowercase()).filter(|code| !code.is_empty()).collect(),
            parameter: text(error.get("param")),
            window: error.get("n_ctx").and_then(Value::as_u64).and_then(|window| window.try_into().ok()),
        }
    }

    /// A status that stands in it, as some servers write it into their streams.
    pub(super) fn status(&self) -> Option<u16> {
        self.codes.iter().find_map(|code| code.parse().ok()).filter(|status| (400..600).contains(status))
    }

    /// Its words for people: one line, cut, without the secrets.
    pub(super) fn reason(&self, secrets: &[&str]) -> String {
        clean(&self.message, secrets)
    }

    fn is(&self, codes: &[&str]) -> bool {
        self.codes.iter().any(|code| codes.contains(&code.as_str()))
    }

    /// What it means to a request that had these parameters.
    pub(super) fn meaning(&self, status: u16, sent: &[Parameter]) -> No {
        let text = self.message.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if self.is(&["content_filter", "content_policy_violation", "responsibleaipolicyviolation"])
            || has(&["content management policy", "responsibleaipolicyviolation"])
        {
            return No::Filtered;
        }
        if matches!(status, 400 | 413 | 422 | 429 | 500) && self.is_too_long(&text) {
            return No::TooLong(self.window.or_else(|| window_in(&text)));
        }
        match status {
            401 | 403 => return No::Unauthorized,
            _ if self.is(&["deploymentnotfound", "model_not_found"]) => return No::UnknownModel,
            404 if text.contains("model") && has(&["not found", "does not exist", "not exist"]) => {
                return No::UnknownModel;
            }
            400 if has(&["invalid model name", "model not found"]) => return No::UnknownModel,
            429 if self.is(&["insufficient_quota", "billing_hard_limit_reached"]) => return No::Spent,
            402 => return No::Spent,
            500 if has_no_tools(&text) => return No::Without(Parameter::Tools),
            501 => {}
            408 | 409 | 425 | 429 | 500.. => return No::Busy,
            _ => {}
        }
        if matches!(status, 400 | 404 | 405 | 422 | 501) {
            return self.unwanted(&text, sent).map_or(No::Other, No::Without);
        }
        No::Other
    }

    fn is_too_long(&self, text: &str) -> bool {
        /// How `OpenAI`, `vLLM`, `llama.cpp`, `Ollama`, `LiteLLM` and others say it.
        const WORDS: &[&str] = &[
            "maximum context length",
            "exceeds the available context size",
            "exceed the available context size",
            "exceeds the context length",
            "exceeds the maximum context",
            "exceeds context length",
            "exceeds the context window",
            "exceed context limit",
            "context length is only",
            "context length exceeded",
            "context window exceeded",
            "contextwindowexceeded",
            "longer than the maximum model length",
            "maximum model length",
            "prompt is too long",
            "input is too long",
            "inputs tokens + max_new_tokens",
            "exceeded model token limit",
            "request too large for",
        ];
        // How much it may say, and not how much it was told.
        if text.contains("max_tokens is too large") || text.contains("max_completion_tokens is too large") {
            return false;
        }
        self.is(&[
            "context_length_exceeded",
            "exceed_context_size_error",
            "string_above_max_length",
            "request_too_large",
        ]) || WORDS.iter().any(|words| text.contains(words))
    }

    /// The parameter that it does not want, of those that were sent.
    fn unwanted(&self, text: &str, sent: &[Parameter]) -> Option<Parameter> {
        const UNWANTED: &[&str] = &[
            "unsupported",
            "not supported",
            "does not support",
            "doesn't support",
            "do not support",
            "unrecognized",
            "unknown",
            "unexpected",
            "not permitted",
            "not allowed",
            "extra_forbidden",
            "extra inputs",
            "extra fields",
            "invalid parameter",
            "not implemented",
            "is too large",
            "cannot be used",
            "no such field",
        ];
        if has_no_tools(text) {
            return Some(Parameter::Tools);
        }
        let by_code = self.is(&["unsupported_parameter", "unsupported_value", "unknown_parameter"]);
        if !by_code && !UNWANTED.iter().any(|words| text.contains(words)) {
            return None;
        }
        let named = |word: &str| sent.iter().find(|parameter| parameter.as_str() == word).copied();
        // `tools[0].function.parameters` is no unwanted `tools`. The first one is what is complained of: after it may stand
        // what to use instead.
        let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let found = named(&self.parameter).or_else(|| words.find_map(named));
        found.or_else(|| named(Parameter::Stream.as_str()).filter(|_| text.contains("streaming")))
    }
}

/// Whether the server or the model can't call tools.
fn has_no_tools(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "does not support tools",
        "tool calling is not supported",
        "tools are not supported",
        "tool use is not supported",
        "no endpoints found that support tool use",
        "function calling is not",
        "does not support function",
        "enable-auto-tool-choice",
        "tool-call-parser",
        "tools param requires --jinja",
    ];
    WORDS.iter().any(|words| text.contains(words))
}

/// Someone's words on one line, cut, without the secrets.
pub(super) fn clean(text: &str, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| secret.len() > 3) {
        text = text.replace(secret, "…");
    }
    let line = one_line(&text);
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None if line.is_empty() => "it does not say why".to_owned(),
        None => line,
    }
}

fn window_in(text: &str) -> Option<u32> {
    static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        let patterns = [
            r"(?:maximum|max) context length (?:is|of) (?:only )?\(?([0-9][0-9,]*)",
            r"context length is only ([0-9][0-9,]*)",
            r"available context size \(([0-9][0-9,]*)",
            r"maximum model length of ([0-9][0-9,]*)",
            r"limit ([0-9][0-9,]*), requested",
            r"([0-9][0-9,]*) (?:tokens )?maximum",
            r"> ([0-9][0-9,]*) maximum",
        ];
        patterns.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect()
    });
    let found = PATTERNS.iter().find_map(|pattern| pattern.captures(text)?.get(1));
    found.and_then(|number| number.as_str().replace(',', "").parse().ok())
}

#[cfg(test)]
#[path = "refusal_tests.rs"]
mod tests;
