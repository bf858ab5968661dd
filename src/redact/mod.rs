//! Takes secrets out of everything that is kept, shown or sent.
//!
//! *Invariant:* [`Redacted`] is made here only, so what takes one can't be given anything else. Redaction is
//! idempotent: a placeholder stays as it is, and equal secrets have equal placeholders.

#![warn(clippy::disallowed_methods)]

mod addresses;
mod annotations;
mod clean;
mod encoded;
mod extent;
mod json;
mod leaving;
mod logs;
mod names;
mod objects;
mod pairs;
mod patterns;
mod settings;
mod texts;
mod values;

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::ops::{Deref, Range};

use hmac::{Hmac, Mac, digest::KeyInit};
use sha2::Sha256;

use crate::model::{Objects, Snapshot};
pub use addresses::Addresses;
use clean::clean;
pub use leaving::blank;
pub use logs::LogLines;
use names::Naming;
pub use texts::Texts;

/// Something without secrets.
#[derive(Clone, PartialEq)]
pub struct Redacted<T>(T);

impl<T> Redacted<T> {
    /// Gives up the promise.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl Redacted<Snapshot> {
    /// It, with the values and the key names that another one of the same cluster has beside it.
    #[must_use]
    pub fn with_values(&self, more: Redacted<Snapshot>) -> Redacted<Snapshot> {
        let mut whole = self.0.clone();
        whole.config_values.extend(more.0.config_values);
        whole.secret_keys.extend(more.0.secret_keys);
        Redacted(whole)
    }
}

impl<T> Deref for Redacted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redacted(…)")
    }
}

/// How text is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Sentences that may speak about secrets: `failed to fetch token: not found`.
    Prose,
    /// Configuration and commands: what stands beside a secret's name is one.
    Strict,
}

/// Masks secrets, each with a placeholder that says which one and about how long: `<redacted:1a2b3c4d~16>`.
#[derive(Clone)]
pub struct Redactor {
    mac: Hmac<Sha256>,
    addresses: Addresses,
    seen: leaving::Seen,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor(…)")
    }
}

impl Redactor {
    /// The same key gives the same placeholders.
    pub fn new(key: [u8; 32]) -> Redactor {
        let mut block = [0; 64];
        for (to, from) in block.iter_mut().zip(key) {
            *to = from;
        }
        Redactor {
            mac: <Hmac<Sha256> as KeyInit>::new(&block.into()),
            addresses: Addresses::default(),
            seen: leaving::Seen::default(),
        }
    }

    /// Masks secrets in text that people or programs wrote: messages, log lines, annotations.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.read(text, Mode::Prose)
    }

    /// Masks every free text in the objects.
    pub fn objects(&self, objects: &mut Objects) {
        objects::walk(self, objects);
    }

    /// Masks all of it once more, and seals it.
    pub fn seal(&self, mut snapshot: Snapshot) -> Redacted<Snapshot> {
        self.objects(&mut snapshot.objects);
        for log in &mut snapshot.logs {
            let mut lines = self.log_lines();
            log.lines.iter_mut().for_each(|line| self.kept_line(&mut lines, line));
        }
        for value in &mut snapshot.config_values {
            value.value = self.value(&value.key, &value.value).into_owned();
        }
        for gap in &mut snapshot.gaps {
            self.apply(&mut gap.reason, Mode::Prose);
            self.apply(&mut gap.what, Mode::Prose);
        }
        Redacted(snapshot)
    }

    /// A line of text for a model, however long.
    fn line(&self, line: &str) -> String {
        if is_key_material(line) { self.placeholder(line.trim()) } else { self.text(line).into_owned() }
    }

    /// Masks the value of a variable or a key by its name.
    fn value<'a>(&self, name: &str, value: &'a str) -> Cow<'a, str> {
        let name = clean(name);
        if is_whole_secret(&name, value.trim()) {
            return Cow::Owned(self.mask(value));
        }
        match self.read(value, Mode::Strict) {
            // What was plain by its form may have lost it.
            Cow::Owned(masked) if is_whole_secret(&name, masked.trim()) => Cow::Owned(self.mask(value)),
            masked => masked,
        }
    }

    fn apply(&self, text: &mut String, mode: Mode) {
        if let Cow::Owned(masked) = self.read(text, mode) {
            *text = masked;
        }
    }

    /// Masks what is secret in the text as people see it. Text without any stays as it is, to the last byte.
    fn read<'a>(&self, text: &'a str, mode: Mode) -> Cow<'a, str> {
        let Cow::Owned(clean) = clean(text) else {
            return self.passes(text, mode).map_or(Cow::Borrowed(text), Cow::Owned);
        };
        match self.passes(&clean, mode) {
            Some(masked) => Cow::Owned(masked),
            // It stands in what nobody sees, such as a terminal's title.
            None if self.passes(text, mode).is_some() => Cow::Owned(clean),
            None => Cow::Borrowed(text),
        }
    }

    /// Masks until nothing is left to mask, which makes masking idempotent by itself; nothing where nothing is.
    fn passes(&self, text: &str, mode: Mode) -> Option<String> {
        /// More passes than any text that was not made for it needs.
        const PASSES: usize = 6;
        if !patterns::may_hold_secret(text) {
            return None;
        }
        let mut masked = self.pass(text, mode)?;
        for _ in 1..PASSES {
            match self.pass(&masked, mode) {
                Some(more) => masked = more,
                None => return Some(masked),
            }
        }
        Some(self.mask(&masked))
    }

    /// Masks what is seen at once, between the placeholders that are there; nothing where nothing is.
    fn pass(&self, text: &str, mode: Mode) -> Option<String> {
        let secrets = seen(text, mode);
        if secrets.is_empty() {
            return None;
        }
        let mut masked = String::with_capacity(text.len());
        let mut done = 0;
        for secret in secrets {
            masked.push_str(text.get(done..secret.start)?);
            masked.push_str(&self.placeholder(text.get(secret.clone())?));
            done = secret.end;
        }
        masked.push_str(text.get(done..)?);
        Some(masked)
    }

    /// The placeholder of all of `value` but the blanks around it, which may be the fault.
    fn mask(&self, value: &str) -> String {
        let Range { start, end } = trimmed(value, 0..value.len());
        let part = |range: Range<usize>| value.get(range).unwrap_or_default();
        format!("{}{}{}", part(0..start), self.placeholder(part(start..end)), part(end..value.len()))
    }

    fn placeholder(&self, secret: &str) -> String {
        self.placeholder_of(secret, &length_class(secret.len()).to_string())
    }

    /// The placeholder of what `class` says.
    fn placeholder_of(&self, secret: &str, class: &str) -> String {
        let mut mac = self.mac.clone();
        mac.update(secret.as_bytes());
        let mut text = String::from(MARK);
        for byte in mac.finalize().into_bytes().iter().take(4) {
            let _ = write!(text, "{byte:02x}");
        }
        let _ = write!(text, "~{class}>");
        text
    }

    /// The text without the keys in PEM blocks, where there are some.
    fn without_keys(&self, text: &str) -> Option<String> {
        let keys = patterns::keys(text);
        let (mut masked, mut done) = (String::with_capacity(text.len()), 0);
        for key in keys {
            let key = trimmed(text, key);
            let body = text.get(key.clone())?;
            if !body.is_empty() && !is_placeholder(body) {
                masked.push_str(text.get(done..key.start)?);
                masked.push_str(&self.placeholder(body));
                done = key.end;
            }
        }
        masked.push_str(text.get(done..)?);
        (done > 0).then_some(masked)
    }
}

/// Where secrets seem to stand in a text that people wrote, for who tells of them and masks nothing: apart, in order.
pub fn secrets(text: &str) -> Vec<Range<usize>> {
    if patterns::may_hold_secret(text) { seen(text, Mode::Prose) } else { Vec::new() }
}

/// Where the bodies of private keys stand in a text, in order.
pub fn private_keys(text: &str) -> Vec<Range<usize>> {
    patterns::keys(text).into_iter().map(|range| trimmed(text, range)).collect()
}

/// What is seen at once, between the placeholders that are there: apart, in order.
fn seen(text: &str, mode: Mode) -> Vec<Range<usize>> {
    let mut secrets = Vec::new();
    for part in between_placeholders(text) {
        let mut found = Vec::new();
        let inner = text.get(part.clone()).unwrap_or_default();
        patterns::known(inner, &mut found);
        patterns::urls(inner, &mut found);
        patterns::programs(inner, mode, &mut found);
        pairs::assignments(inner, mode, &mut found);
        pairs::flags(inner, mode, &mut found);
        pairs::tags(inner, &mut found);
        settings::lines(inner, mode, &mut found);
        encoded::texts(inner, &mut found);
        secrets.extend(found.into_iter().map(|range| trimmed(text, part.start + range.start..part.start + range.end)));
    }
    secrets.retain(|range| !range.is_empty());
    secrets.sort_by_key(|range| (range.start, range.end));
    let mut apart: Vec<Range<usize>> = Vec::with_capacity(secrets.len());
    for secret in secrets {
        match apart.last_mut().filter(|last| secret.start < last.end) {
            Some(last) => last.end = last.end.max(secret.end),
            None => apart.push(secret),
        }
    }
    apart
}

/// Whether all of what is beside `name` is secret.
fn is_whole_secret(name: &str, value: &str) -> bool {
    let naming = names::classify(name).filter(|_| !matches!(name, "PWD" | "OLDPWD"));
    is_secret(naming, value) && !holds_settings(name, value)
}

/// Whether a value is a file of settings by the name of its key or by its lines, and its parts are looked at for
/// themselves: `token-policy.json`.
fn holds_settings(name: &str, value: &str) -> bool {
    let lines = value.trim().contains('\n');
    if names::is_file(name) { lines || values::is_structured(value) } else { lines && values::is_structured(value) }
}

/// Whether all of a value is secret, by its name and its form.
fn is_secret(naming: Option<Naming>, value: &str) -> bool {
    use values::{is_method, is_plain, is_random, is_url};
    if naming.is_none() || is_placeholder(value) || is_plain(value) {
        return false;
    }
    match naming {
        Some(Naming::Secret) => !is_url(value),
        Some(Naming::Auth) => !is_url(value) && !is_method(value),
        Some(Naming::Connection) => !value.contains("://") && !value.contains('=') && !value.contains("@tcp("),
        Some(Naming::Weak) => !value.contains(MARK) && is_random(value) && !is_url(value),
        None => false,
    }
}

const MARK: &str = "<redacted:";

/// Whether a text has a placeholder in the place of something that was masked.
pub fn holds_placeholder(text: &str) -> bool {
    text.contains(MARK)
}

/// About how long: the power of two below, and 4 for all that is shorter than 8.
fn length_class(length: usize) -> usize {
    if length < 8 { 4 } else { 1 << length.ilog2() }
}

/// The length of the placeholder that `text` begins with.
fn placeholder_length(text: &str) -> Option<usize> {
    let rest = text.strip_prefix(MARK)?;
    let (hash, rest) = rest.split_at_checked(8)?;
    let rest = rest.strip_prefix('~')?;
    let end = head(rest, 16).find('>')?;
    let class = rest.get(..end)?;
    let length = || class.parse().is_ok_and(|length: usize| length.is_power_of_two() && length >= 4) && end <= 10;
    let valid = hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        && (matches!(class, "ip" | "email") || length());
    valid.then_some(MARK.len() + 9 + end + 1)
}

fn is_placeholder(text: &str) -> bool {
    placeholder_length(text) == Some(text.len())
}

/// The parts of `text` that no placeholder covers.
fn between_placeholders(text: &str) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(MARK) {
        if let Some(length) = text.get(at..).and_then(placeholder_length) {
            parts.push(start..at);
            start = at + length;
        }
    }
    parts.push(start..text.len());
    parts
}

/// The range without the blanks at its ends.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let inner = text.get(range.clone()).unwrap_or_default();
    let start = range.start + (inner.len() - inner.trim_start().len());
    start..start + inner.trim().len()
}

/// At most `length` bytes of it, and whole characters.
fn head(text: &str, length: usize) -> &str {
    text.get(..text.floor_char_boundary(length)).unwrap_or(text)
}

/// Whether a line is one of a key's: nothing but base64, as long as PEM has it.
fn is_key_material(line: &str) -> bool {
    let line = line.trim();
    matches!(line.len(), 60..=80)
        && line.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
        && !line.bytes().all(|byte| byte.is_ascii_hexdigit())
        && values::is_random(line)
}

#[cfg(test)]
mod tests;
