//! Names with values in text: `password=x`, `"token": "x"`, `--password x`, `<secret>x</secret>`.
//!
//! *Invariant:* the text is read once from left to right; nothing is looked up twice, so a hostile text
//! costs no more than its length.

use std::ops::Range;

use super::Mode;
use super::names::{Naming, classify};
use super::values::{is_method, is_name, is_plain, is_random, is_tag, is_url, is_word, looks_secret};

/// Names longer than this are none.
const LONGEST_NAME: usize = 96;

/// Adds what is secret beside a `=` or `:`.
pub(super) fn assignments(text: &str, mode: Mode, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut done = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if !matches!(byte, b'=' | b':') || at < done {
            continue;
        }
        let Some(pair) = Pair::at(text, at) else { continue };
        if let Some(range) = pair.secret(text, mode) {
            done = range.end;
            found.push(range);
        }
    }
}

/// Adds what is secret after a flag: `--password x`.
pub(super) fn flags(text: &str, mode: Mode, found: &mut Vec<Range<usize>>) {
    for (at, _) in text.match_indices('-') {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        if before.is_some_and(|c| !(c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '(' | '['))) {
            continue;
        }
        let rest = text.get(at..).unwrap_or_default().trim_start_matches('-');
        let name = rest.find(|c: char| !is_name_char(c)).and_then(|end| rest.get(..end)).unwrap_or_default();
        if name.is_empty()
            || name.len() > LONGEST_NAME
            || !matches!(classify(name), Some(Naming::Secret | Naming::Auth))
        {
            continue;
        }
        let after = rest.get(name.len()..).unwrap_or_default();
        let value = after.trim_start_matches([' ', '\t']);
        if value.len() == after.len() || value.starts_with('-') {
            continue;
        }
        let mut value = Value::read(text, text.len() - value.len());
        if !value.quoted {
            // `exec [app --password x]: failed`
            let bare =
                text.get(value.range.clone()).unwrap_or_default().trim_end_matches([']', ')', '}', ',', ':', ';']);
            value.range.end = value.range.start + bare.len();
        }
        let content = value.content(text);
        let keep =
            is_plain(content) || is_url(content) || is_method(content) || content.starts_with(['|', '&', '>', '<']);
        if !keep && (mode == Mode::Strict || looks_secret(content)) {
            found.push(value.range);
        }
    }
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// A name, a separator and a value.
struct Pair {
    name: Range<usize>,
    naming: Naming,
    /// The name stands in quotes.
    quoted: bool,
    /// Nothing stands between the separator and the value.
    tight: bool,
    colon: bool,
    value: Value,
}

impl Pair {
    /// The pair whose separator is at `at`.
    fn at(text: &str, at: usize) -> Option<Pair> {
        let bytes = text.as_bytes();
        let colon = bytes.get(at) == Some(&b':');
        let next = bytes.get(at + 1);
        if colon && next == Some(&b'/') && bytes.get(at + 2) == Some(&b'/') {
            return None;
        }
        let length = if matches!((colon, next), (true, Some(b'=')) | (false, Some(b'>' | b'='))) { 2 } else { 1 };
        let (name, quoted) = name_before(text, at)?;
        let naming = classify(text.get(name.clone())?)?;
        let rest = text.get(at + length..)?;
        let value = rest.trim_start_matches([' ', '\t']);
        let tight = value.len() == rest.len();
        Some(Pair { name, naming, quoted, tight, colon, value: Value::read(text, text.len() - value.len()) })
    }

    /// The part of the value that is secret.
    fn secret(&self, text: &str, mode: Mode) -> Option<Range<usize>> {
        let value = self.value.content(text);
        if is_plain(value) || self.value.nested || is_url(value) {
            return None;
        }
        let name = text.get(self.name.clone()).unwrap_or_default();
        let exposed = match self.naming {
            Naming::Connection => false,
            Naming::Weak => is_random(value) && !is_checksum(value),
            Naming::Auth if is_method(value) || self.is_address(name, value) => false,
            // `secret="shop/cart-db"` names an object; so do Kubernetes' own logs.
            Naming::Secret if mode == Mode::Prose && is_reference(name) && value.contains('/') && is_name(value) => {
                false
            }
            Naming::Secret | Naming::Auth => self.certain(text, name, value, mode),
        };
        if !exposed {
            return None;
        }
        let line = mode == Mode::Strict && self.colon && !self.tight && !self.value.quoted && self.starts_line(text);
        Some(if line { to_line_end(text, self.value.range.start) } else { self.value.range.clone() })
    }

    /// Whether it is a host of that name with its port: `dial tcp auth:8080: connection refused`.
    fn is_address(&self, name: &str, value: &str) -> bool {
        let port = value.strip_suffix(':').unwrap_or(value);
        let number = (2..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
        self.colon && self.tight && !self.quoted && !self.value.quoted && name == "auth" && number
    }

    /// Whether the pair is one, and no part of a sentence: `failed to fetch token: unexpected status`.
    fn certain(&self, text: &str, name: &str, value: &str, mode: Mode) -> bool {
        if !self.colon {
            return true;
        }
        if self.tight && !self.quoted && !self.value.quoted {
            let before = text.get(..self.name.start).and_then(|text| text.chars().next_back());
            let image = before.is_some_and(|c| matches!(c, '/' | '@')) || is_tag(value);
            let dashed = name.contains(['-', '.']) && name.bytes().all(|byte| !byte.is_ascii_uppercase());
            return !image && (!dashed || looks_secret(value));
        }
        if self.quoted && self.value.quoted || mode == Mode::Strict || looks_secret(value) {
            return !value.ends_with(':') || self.value.quoted;
        }
        // What is left: `password: word`. It is a pair where nothing follows and no word precedes.
        let ends = text.get(self.value.range.end..).is_none_or(|rest| {
            rest.trim_start_matches(['"', '\'', '`', ')', '}', ']'])
                .trim_start_matches([' ', '\t'])
                .chars()
                .next()
                .is_none_or(|c| matches!(c, '\n' | '\r' | ',' | ';'))
        });
        ends && self.starts(text) && !is_word(value)
    }

    /// Whether the name stands first on its line, or after an opening or a comma.
    fn starts(&self, text: &str) -> bool {
        let before =
            text.get(..self.name.start).unwrap_or_default().trim_end_matches([' ', '\t', '"', '\'', '`', '\\']);
        before.chars().next_back().is_none_or(|c| matches!(c, '\n' | '\r' | ',' | ';' | '{' | '[' | '(' | '-'))
    }

    /// Whether the name stands first on its line, as in YAML.
    fn starts_line(&self, text: &str) -> bool {
        let before = text.get(..self.name.start).unwrap_or_default().trim_end_matches([' ', '-', '"', '\'']);
        before.is_empty() && text.contains('\n') || before.ends_with('\n')
    }
}

/// Whether a name may stand for an object rather than for a secret value.
fn is_reference(name: &str) -> bool {
    let name = name.rsplit(['.', '/']).next().unwrap_or(name);
    ["secret", "secrets", "imagepullsecret", "imagepullsecrets", "tls-secret", "pullsecret"]
        .iter()
        .any(|word| word.eq_ignore_ascii_case(name))
}

/// Hex digests are public more often than not: `checksum/secret`, `key: <sha256>`.
fn is_checksum(value: &str) -> bool {
    matches!(value.len(), 32 | 40 | 64 | 128) && value.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The name that ends before `at`, and whether it stands in quotes.
fn name_before(text: &str, at: usize) -> Option<(Range<usize>, bool)> {
    let head = text.get(..at)?.trim_end_matches([' ', '\t']);
    let head = head.strip_suffix(']').unwrap_or(head);
    let bare = head.strip_suffix(['"', '\'', '`']).map(|head| head.trim_end_matches('\\'));
    let end = bare.unwrap_or(head).len();
    let bytes = text.as_bytes();
    let mut start = end;
    while start > 0 && bytes.get(start - 1).is_some_and(|byte| is_name_char(char::from(*byte))) {
        start -= 1;
        if end - start > LONGEST_NAME {
            return None;
        }
    }
    (start < end).then_some((start..end, bare.is_some()))
}

/// Where a value stands.
struct Value {
    range: Range<usize>,
    quoted: bool,
    /// It is an object, and its parts are looked at for themselves.
    nested: bool,
}

impl Value {
    /// Reads the value that begins at `start`.
    fn read(text: &str, start: usize) -> Value {
        let rest = text.get(start..).unwrap_or_default();
        let slashes = rest.len() - rest.trim_start_matches('\\').len();
        let inner = rest.get(slashes..).unwrap_or_default();
        if let Some(quote @ ('"' | '\'' | '`')) = inner.chars().next() {
            let from = start + slashes + quote.len_utf8();
            return Value { range: from..closing(text, from, slashes, quote), quoted: true, nested: false };
        }
        if rest.starts_with('[') && rest.get(1..).is_some_and(|list| list.trim_start().starts_with(['"', '\''])) {
            let end = rest.find(']').unwrap_or(rest.len());
            return Value { range: start + 1..start + end, quoted: true, nested: false };
        }
        let nested = rest.starts_with(['{', '[']) && !rest.starts_with("{{");
        Value { range: start..start + bare_length(rest), quoted: false, nested }
    }

    fn content<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.range.clone()).unwrap_or_default().trim()
    }
}

/// Where a quoted value ends: at the next quote with as many backslashes before it; the line's
/// end where there is none.
fn closing(text: &str, from: usize, slashes: usize, quote: char) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    let mut run = 0;
    for (at, c) in rest.char_indices() {
        match c {
            '\\' => run += 1,
            c if c == quote && run <= slashes => return from + at - run,
            _ => run = 0,
        }
    }
    to_line_end(text, from).end
}

fn to_line_end(text: &str, from: usize) -> Range<usize> {
    let rest = text.get(from..).unwrap_or_default();
    let line = rest.find(['\n', '\r']).and_then(|end| rest.get(..end)).unwrap_or(rest);
    from..from + line.trim_end().len()
}

/// The length of a value without quotes. `,`, `;` and `&` end it where another pair, a blank or nothing
/// follows: they may be part of a password.
fn bare_length(rest: &str) -> usize {
    let mut open = 0_usize;
    for (at, c) in rest.char_indices() {
        let after = rest.get(at + c.len_utf8()..).unwrap_or_default();
        let ends = match c {
            '"' | '\'' | '`' | '<' | '|' => true,
            ',' | ';' | '&' => ends_here(after),
            '(' | '[' | '{' => {
                open += 1;
                false
            }
            ')' | ']' | '}' if open > 0 => {
                open -= 1;
                false
            }
            ')' | ']' | '}' => {
                after.is_empty()
                    || after.starts_with([',', ';', ')', ']', '}', '"', '\''])
                    || after.starts_with(char::is_whitespace)
            }
            c => c.is_whitespace(),
        };
        if ends {
            return at;
        }
    }
    rest.len()
}

fn ends_here(after: &str) -> bool {
    let end = after.find(|c: char| !(is_name_char(c) || c == ' ')).unwrap_or(after.len());
    let next = after.get(end..).and_then(|rest| rest.chars().next());
    after.is_empty()
        || after.starts_with(char::is_whitespace)
        || after.starts_with(['"', '\'', '`', ')', ']', '}'])
        || end > 0 && matches!(next, Some('=' | ':'))
}

/// Adds what stands between the tags of a secret: `<password>x</password>`.
pub(super) fn tags(text: &str, found: &mut Vec<Range<usize>>) {
    for (close, _) in text.match_indices("</") {
        let head = text.get(..close).unwrap_or_default();
        let Some(open) = head.rfind('>') else { continue };
        let name = head.get(..open).and_then(|head| head.rsplit('<').next()).unwrap_or_default();
        let name = name.split([' ', ':']).next_back().unwrap_or_default();
        let value = head.get(open + 1..).unwrap_or_default();
        if name.len() <= LONGEST_NAME && classify(name) == Some(Naming::Secret) && !is_plain(value.trim()) {
            found.push(open + 1..close);
        }
    }
}
