//! The names of objects in what a model wrote.
//!
//! Prose is read with care: what surely is a name has a kind before it and a slash, or a form that words don't have.

use crate::model::Kind;

/// Words that stand beside names and are none.
const PLAIN: &[&str] = &[
    "in",
    "the",
    "of",
    "namespace",
    "ns",
    "container",
    "named",
    "cluster",
    "on",
    "context",
    "and",
    "or",
    "for",
    "its",
    "key",
    "image",
    "v1",
    "apps",
    "none",
];

/// What begins words of prose that look generated: `utf-8`, `step-3`, `http2`.
const TERMS: &[&str] = &[
    "aes", "amd", "arm", "base", "cause", "code", "cve", "day", "error", "exit", "gen", "http", "ipv", "iso", "layer",
    "level", "line", "md", "oauth", "phase", "port", "rfc", "sha", "ssl", "step", "tcp", "tier", "tls", "top", "udp",
    "utf", "v", "x",
];

/// Parts of words that have a hyphen and are no names: `anti-affinity`, `read-only`.
const PARTS: &[&str] = &[
    "account",
    "anti",
    "auto",
    "back",
    "based",
    "class",
    "client",
    "cluster",
    "container",
    "creation",
    "cross",
    "down",
    "host",
    "in",
    "level",
    "limit",
    "local",
    "long",
    "looking",
    "memory",
    "multi",
    "node",
    "non",
    "not",
    "off",
    "on",
    "one",
    "only",
    "out",
    "over",
    "pod",
    "pre",
    "pull",
    "re",
    "read",
    "ready",
    "related",
    "roll",
    "run",
    "scoped",
    "self",
    "server",
    "short",
    "side",
    "single",
    "so",
    "specific",
    "start",
    "time",
    "two",
    "under",
    "up",
    "well",
    "wide",
];

/// An object as a text names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mention<'a> {
    /// Its kind, where it is said with a slash.
    pub(super) kind: Option<Kind>,
    /// Where it is said to live.
    pub(super) namespace: Option<&'a str>,
    /// Its name.
    pub(super) name: &'a str,
}

impl<'a> Mention<'a> {
    /// What it names.
    pub(super) fn names(self) -> impl Iterator<Item = &'a str> {
        self.namespace.into_iter().chain(std::iter::once(self.name))
    }
}

/// Whether `name` stands in `text` as a whole word.
pub(super) fn stands(text: &str, name: &str) -> bool {
    let part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text.get(at + name.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

/// The names in a reference such as `deployment/web -n shop`, `Pod web in namespace shop`.
pub(super) fn of_object(text: &str) -> Vec<&str> {
    let apart = |letter: char| {
        letter.is_whitespace() || matches!(letter, '/' | ',' | '(' | ')' | '"' | '\'' | '`' | ':' | '=' | '[' | ']')
    };
    text.split(apart).map(|word| word.trim_matches('.')).filter(|word| is_name(word)).collect()
}

/// The objects that a text surely names: `deployment/web -n shop`, `Pod shop/web-1`, `Node node-2`, `web-7d4-x`.
pub(super) fn in_text(text: &str) -> Vec<Mention<'_>> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let before = words.get(..at).unwrap_or_default();
        let after = words.get(at + 1..).unwrap_or_default();
        let word = bare(word);
        let plain = Mention { kind: None, namespace: None, name: word };
        match word.split_once('/') {
            Some((kind, name)) if is_kind(kind) && is_name(name) => {
                found.push(Mention { kind: of_word(kind), namespace: place(after), name });
            }
            Some((namespace, name)) if is_name(namespace) && is_name(name) => {
                if follows_a_kind(before) || is_generated(name) {
                    found.push(Mention { kind: None, namespace: Some(namespace), name });
                }
            }
            Some(_) => {}
            None if !is_name(word) => {}
            None => {
                let flagged = before.last().is_some_and(|flag| matches!(flag.trim_matches('`'), "-n" | "--namespace"));
                if flagged || is_generated(word) || follows_a_kind(before) && is_clear(word) {
                    found.push(plain);
                }
            }
        }
    }
    found
}

/// A word without what a sentence puts around it.
fn bare(word: &str) -> &str {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let word = word.split(['\'', '’']).next().unwrap_or(word);
    match word.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.chars().all(|c| c.is_ascii_digit()) => host,
        _ => word,
    }
}

/// The namespace that the next words name.
fn place<'a>(after: &[&'a str]) -> Option<&'a str> {
    let word = match after {
        [flag, name, ..] if matches!(flag.trim_matches('`'), "-n" | "--namespace") => name,
        ["in", "namespace", name, ..] | ["in", "the", "namespace", name, ..] => name,
        _ => return None,
    };
    Some(bare(word)).filter(|name| is_name(name))
}

/// Whether the last of these words says of what kind comes next: `Pod`, `Deployment named`.
fn follows_a_kind(before: &[&str]) -> bool {
    let Some((last, rest)) = before.split_last() else { return false };
    let last = if matches!(*last, "named" | "called") { rest.last().unwrap_or(last) } else { last };
    // Of the short names, `no` and `in` are words first.
    let word = last.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    word.len() > 2 && word.chars().all(|c| c.is_ascii_alphabetic()) && is_kind(word)
}

/// Whether it has the form of a name that a controller or a person counts up: `web-7d4-x`, `node-2`.
fn is_generated(word: &str) -> bool {
    let parts = || word.split('-');
    let begins =
        parts().next().is_some_and(|part| part.len() > 1 && part.starts_with(|c: char| c.is_ascii_lowercase()));
    begins && parts().count() > 1 && word.contains(|c: char| c.is_ascii_digit()) && !is_term(word)
}

/// Whether a word after a kind is more likely a name than a word.
fn is_clear(word: &str) -> bool {
    let numbered = word.contains(|c: char| c.is_ascii_digit());
    let mut parts = word.split('-');
    let (first, last) = (parts.next().unwrap_or_default(), parts.next_back());
    let hyphened = last.is_some_and(|last| !PARTS.contains(&first) && !PARTS.contains(&last));
    word.starts_with(|c: char| c.is_ascii_lowercase()) && if numbered { !is_term(word) } else { hyphened }
}

fn is_term(word: &str) -> bool {
    let head = word.split(|c: char| !c.is_ascii_lowercase()).next().unwrap_or_default();
    TERMS.contains(&head)
}

/// A type with its group as kubectl prints it, too.
fn is_kind(word: &str) -> bool {
    of_word(word).is_some()
}

/// The kind that a word means.
pub(super) fn of_word(word: &str) -> Option<Kind> {
    Kind::from_word(word).or_else(|| word.split_once('.').and_then(|(kind, _)| Kind::from_word(kind)))
}

fn is_name(word: &str) -> bool {
    let form = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '-' | '.');
    word.len() > 1
        && !word.starts_with('-')
        && word.chars().all(form)
        && word.chars().any(|letter| letter.is_ascii_lowercase())
        && !PLAIN.contains(&word)
        && !is_kind(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_words() {
        let objects: [(&str, &[&str]); 6] = [
            ("deployment/web -n shop", &["web", "shop"]),
            ("Deployment web in namespace shop", &["web", "shop"]),
            ("deployment.apps/web", &["web"]),
            ("pod/web-7d4 (container app)", &["web-7d4", "app"]),
            ("Node node-2", &["node-2"]),
            ("", &[]),
        ];
        for (text, names) in objects {
            assert_eq!(of_object(text), names, "{text}");
        }
        assert!(stands("pods web-7d4 and web", "web") && !stands("pods web-7d4", "web") && stands("(web)", "web"));
    }

    #[test]
    fn prose_names_what_has_a_kind_or_the_form_of_a_name() {
        let texts: [(&str, &[&str]); 17] = [
            ("the Service points at pod/web-1, which is gone.", &["web-1"]),
            ("reads /etc/config and 3/4 pods are ready", &[]),
            ("`secret/db` and (configmap/app-config)", &["db", "app-config"]),
            ("Pod cart-ghost-42 was OOMKilled on node node-99.", &["cart-ghost-42", "node-99"]),
            ("Pod payments/ledger-ghost-42", &["payments", "ledger-ghost-42"]),
            ("payments/ledger-ghost-42 died", &["payments", "ledger-ghost-42"]),
            ("the Deployment `cart-ghost` is gone", &["cart-ghost"]),
            ("a Secret named cart-db", &["cart-db"]),
            ("nodes of `-n ghost`", &["ghost"]),
            ("cart-ghost-42's log, and cart-7:8080", &["cart-ghost-42", "cart-7"]),
            ("Pod restarts, Service account, the Deployment cart and client/server", &[]),
            ("Pod anti-affinity, a node not-ready, Secret read-only, Pod re-creation", &[]),
            ("exit-1, utf-8, tls-1.3, step-3, Service http2, 2026-11-26, 3-node and node v1.31", &[]),
            ("no cart-ghost and/or tcp/udp", &[]),
            ("the node's disk is full", &[]),
            ("Two autoscalers work on Deployment `search`.", &[]),
            ("deployment/web -n shop", &["shop", "web", "shop"]),
        ];
        for (text, names) in texts {
            let found: Vec<&str> = in_text(text).into_iter().flat_map(Mention::names).collect();
            assert_eq!(found, names, "{text}");
        }
    }
}
