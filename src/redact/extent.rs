//! How far the value beside a name goes.
//!
//! *Invariant:* no more than [`LOOK_AHEAD`] bytes are read unless somebody asks for all of a value.

use std::ops::Range;

use super::head;
use super::pairs::is_name_char;

/// So much of a value tells what it is.
pub(super) const LOOK_AHEAD: usize = 1024;

/// Where a value stands.
#[derive(Clone)]
pub(super) struct Value {
    pub(super) range: Range<usize>,
    pub(super) quoted: bool,
    /// It is an object, and its parts are looked at for themselves.
    pub(super) nested: bool,
    /// There is more of it than was read.
    pub(super) cut: bool,
}

impl Value {
    /// Reads as much of the value that begins at `start` as tells what it is.
    pub(super) fn read(text: &str, start: usize) -> Value {
        Value::within(text, start, LOOK_AHEAD)
    }

    /// All of it, where it began at `start`.
    pub(super) fn whole(self, text: &str, start: usize) -> Value {
        if self.cut { Value::within(text, start, text.len()) } else { self }
    }

    fn within(text: &str, start: usize, most: usize) -> Value {
        let window = head(text, start.saturating_add(most));
        let bounded = window.len() < text.len();
        let rest = window.get(start..).unwrap_or_default();
        let slashes = rest.len() - rest.trim_start_matches('\\').len();
        let inner = rest.get(slashes..).unwrap_or_default();
        if let Some(quote @ ('"' | '\'' | '`')) = inner.chars().next() {
            let from = start + slashes + quote.len_utf8();
            let end = closing(window, from, slashes, quote);
            let range = from..end.unwrap_or_else(|| to_line_end(window, from).end);
            return Value { range, quoted: true, nested: false, cut: bounded && end.is_none() };
        }
        if rest.starts_with('[') && rest.get(1..).is_some_and(|list| list.trim_start().starts_with(['"', '\''])) {
            let end = rest.find(']');
            let range = start + 1..start + end.unwrap_or(rest.len());
            return Value { range, quoted: true, nested: false, cut: bounded && end.is_none() };
        }
        let nested = rest.starts_with(['{', '[']) && !rest.starts_with("{{");
        let length = bare_length(rest);
        Value { range: start..start + length, quoted: false, nested, cut: bounded && length == rest.len() }
    }

    pub(super) fn content<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.range.clone()).unwrap_or_default().trim()
    }
}

/// Where a quoted value ends: at the next quote with as many backslashes before it.
fn closing(text: &str, from: usize, slashes: usize, quote: char) -> Option<usize> {
    let rest = text.get(from..)?;
    let mut run = 0;
    for (at, c) in rest.char_indices() {
        match c {
            '\\' => run += 1,
            c if c == quote && run <= slashes => return Some(from + at - run),
            _ => run = 0,
        }
    }
    None
}

pub(super) fn to_line_end(text: &str, from: usize) -> Range<usize> {
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
