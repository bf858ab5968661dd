//! Names with values in text: `password=x`, `"token": "x"`, `--password x`, `<secret>x</secret>`.
//!
//! *Invariant:* the text is read from left to right, and what a value is shows within `extent::LOOK_AHEAD` bytes; to its end it
//! is read only where it is secret, and nothing in it is looked at again. So a hostile text costs no more than its length.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::extent::{Value, to_line_end};
use super::names::{Naming, classify};
use super::values::{is_method, is_name, is_plain, is_random, is_tag, is_url, is_word, looks_secret};
use super::{Mode, holds_settings};

/// Names longer than this are none.
pub(super) const LONGEST_NAME: usize = 96;

/// So far before a `value` its name is looked for.
const LOOK_BACK: usize = 256;

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

/// Adds what is secret after a flag: `--password x`, `["--password", "x"]`.
pub(super) fn flags(text: &str, mode: Mode, found: &mut Vec<Range<usize>>) {
    let mut done = 0;
    for (at, _) in text.match_indices('-') {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        if at < done || before.is_some_and(|c| !(c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '(' | '['))) {
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
        let Some((rest, listed)) = rest.get(name.len()..).and_then(after_flag) else { continue };
        let start = text.len() - rest.len();
        let value = Value::read(text, start);
        let shown = in_sentence(text, &value);
        let content = text.get(shown).unwrap_or_default().trim();
        let keep = content.starts_with(['-', '|', '&', '>', '<'])
            || is_plain(content)
            || is_url(content)
            || is_method(content);
        if keep || !(mode == Mode::Strict || listed || looks_secret(content)) {
            continue;
        }
        let range = in_sentence(text, &value.whole(text, start));
        done = range.end;
        found.push(range);
    }
}

/// A bare value without what the sentence around it adds: `exec [app --password x]: failed`.
fn in_sentence(text: &str, value: &Value) -> Range<usize> {
    let Range { start, end } = value.range.clone();
    let whole = text.get(start..end).unwrap_or_default();
    let bare = if value.quoted { whole } else { whole.trim_end_matches([']', ')', '}', ',', ':', ';']) };
    start..start + bare.len()
}

/// What follows a flag, and whether it plainly is its value: the next of a list of words in quotes.
fn after_flag(after: &str) -> Option<(&str, bool)> {
    let rest = after.trim_start_matches([' ', '\t']);
    if rest.len() < after.len() && !rest.starts_with(['\n', '\r']) {
        return Some((rest, false));
    }
    let rest = after.trim_start_matches(['\\', '"', '\'', ' ']);
    if let Some(item) = rest.strip_prefix(',').filter(|_| rest.len() < after.len()) {
        let item = item.trim_start();
        return item.trim_start_matches('\\').starts_with(['"', '\'']).then_some((item, true));
    }
    let line = rest.trim_start_matches('\r').strip_prefix('\n')?.trim_start();
    // In prose it may be another item of anything.
    Some((line.strip_prefix("- ")?, false))
}

pub(super) fn is_name_char(c: char) -> bool {
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
    /// Where the value begins, with its quote.
    start: usize,
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
        let naming = match text.get(name.clone())? {
            word if word.eq_ignore_ascii_case("value") => classify(name_beside(text, name.start)?)?,
            word => classify(word)?,
        };
        let rest = text.get(at + length..)?;
        let value = rest.trim_start_matches([' ', '\t']);
        let tight = value.len() == rest.len();
        let start = text.len() - value.len();
        Some(Pair { name, naming, quoted, tight, colon, value: Value::read(text, start), start })
    }

    /// The part of the value that is secret.
    fn secret(&self, text: &str, mode: Mode) -> Option<Range<usize>> {
        let value = self.value.content(text);
        let name = text.get(self.name.clone()).unwrap_or_default();
        if !self.value.cut && is_plain(value) || self.value.nested || is_url(value) || holds_settings(name, value) {
            return None;
        }
        let exposed = match self.naming {
            Naming::Connection => false,
            Naming::Weak => is_random(value) && !is_checksum(value),
            Naming::Auth if is_method(value) || self.is_address(name, value) => false,
            Naming::Secret if is_checksum(value) && self.is_of_checksum(text) => false,
            // `secret="shop/cart-db"` names an object; so do Kubernetes' own logs.
            Naming::Secret
                if mode == Mode::Prose
                    && is_reference(name)
                    && is_name(value)
                    && (value.contains('/') || self.is_missing(text)) =>
            {
                false
            }
            Naming::Secret | Naming::Auth => self.certain(text, name, value, mode),
        };
        if !exposed {
            return None;
        }
        let line = mode == Mode::Strict && self.colon && !self.tight && !self.value.quoted && self.starts_line(text);
        Some(if line {
            to_line_end(text, self.value.range.start)
        } else {
            self.value.clone().whole(text, self.start).range
        })
    }

    /// Whether the name is that of a checksum: `checksum/secret`.
    fn is_of_checksum(&self, text: &str) -> bool {
        let before = text.get(..self.name.start).unwrap_or_default();
        ["checksum/", "hash/", "sha256/"].iter().any(|end| before.ends_with(end))
    }

    /// Whether the text says of the value that there is none such: `secret=cart-db not found`.
    fn is_missing(&self, text: &str) -> bool {
        let after = text.get(self.value.range.end..).unwrap_or_default();
        let after = after.trim_start_matches(['\\', '"', '\'', '`', ' ', ':', ',']);
        ["not found", "is not found", "was not found", "does not exist", "doesn't exist", "is missing"]
            .iter()
            .any(|said| after.starts_with(said))
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
pub(super) fn is_reference(name: &str) -> bool {
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

/// The name of a `value` at `at`, right before it: `{"name": "DB_PASSWORD", "value": …`, `key="DbPassword" value=…`, or in
/// the line above.
fn name_beside(text: &str, at: usize) -> Option<&str> {
    static BESIDE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r#"(?i)\b(?:name|key)\\*["']?\s{0,8}[:=]\s{0,8}\\*["']?(?P<name>[a-z0-9_.\-]{1,96})\\*["']?[\s,;]{0,64}\\*["']?$"#,
        )
        .ok()
    });
    let from = text.floor_char_boundary(at.saturating_sub(LOOK_BACK));
    let found = BESIDE.as_ref()?.captures(text.get(from..at)?)?;
    Some(found.name("name")?.as_str())
}

/// Adds what stands between the tags of a secret: `<password>x</password>`.
pub(super) fn tags(text: &str, found: &mut Vec<Range<usize>>) {
    let mut open = None;
    let mut tag = None;
    for (at, mark) in text.match_indices(['<', '>']) {
        if mark == ">" {
            tag = open.take().map(|open| (open + 1..at, at + 1));
            continue;
        }
        open = Some(at);
        if !text.get(at..).is_some_and(|rest| rest.starts_with("</")) {
            continue;
        }
        let Some((name, start)) = tag.take() else { continue };
        let name = text.get(name).and_then(|name| name.rsplit([' ', ':']).next()).unwrap_or_default();
        let value = text.get(start..at).unwrap_or_default();
        if name.len() <= LONGEST_NAME && classify(name) == Some(Naming::Secret) && !is_plain(value.trim()) {
            found.push(start..at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::extent::LOOK_AHEAD;

    /// How many bytes are read for the values of all pairs.
    fn work(text: &str) -> usize {
        let pairs = text.match_indices(['=', ':']).filter_map(|(at, _)| Pair::at(text, at));
        pairs.map(|pair| pair.value.range.len()).sum()
    }

    #[test]
    fn a_hostile_text_costs_no_more_than_its_length() {
        for part in ["key:(", "key:[\"", "key:{", "token=is(", "key:x\\,y", "key=`", "name:\"password\" value:("] {
            let (once, twice) = (work(&part.repeat(4000)), work(&part.repeat(8000)));
            assert!(
                once <= 4000 * LOOK_AHEAD && twice <= 2 * once + LOOK_AHEAD * LOOK_AHEAD,
                "{part}: {once}, then {twice}"
            );
        }
    }

    #[test]
    fn a_long_value_goes_to_its_end() {
        let long = "a1".repeat(LOOK_AHEAD);
        for (text, expected) in [
            (format!("token={long} b"), 6..6 + long.len()),
            (format!("token=\"{long} b\" c"), 7..9 + long.len()),
            (format!("--token {long}] b"), 8..8 + long.len()),
        ] {
            let mut found = Vec::new();
            assignments(&text, Mode::Prose, &mut found);
            flags(&text, Mode::Prose, &mut found);
            assert_eq!(found, [expected]);
        }
    }
}
