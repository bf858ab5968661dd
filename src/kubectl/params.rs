//! Placeholders: `$NAME` in a word, and what may be put in their place.
//!
//! *Invariant:* a value stays inside the word, the string and the selector that its placeholder stood in. The bound
//! line is then checked as if somebody had typed it, so nothing becomes possible that a written-out line could not do.

use std::collections::BTreeMap;

use super::refusal::{Reason, Refusal, is_invisible, shown};

/// What a placeholder's name is made of, after a first upper-case letter.
pub(super) fn in_name(letter: char) -> bool {
    letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_'
}

/// Where placeholders begin and end in a word.
pub(super) fn spans(text: &str) -> impl Iterator<Item = (usize, usize)> {
    text.match_indices('$').filter_map(|(start, _)| {
        let name = text.get(start + 1..)?;
        name.starts_with(|first: char| first.is_ascii_uppercase()).then(|| {
            let length = name.find(|letter| !in_name(letter)).unwrap_or(name.len());
            (start, start + 1 + length)
        })
    })
}

/// The names of the placeholders in a word.
pub(super) fn names(text: &str) -> impl Iterator<Item = &str> {
    spans(text).filter_map(|(start, end)| text.get(start + 1..end))
}

/// Whether there is a placeholder in a word.
pub(super) fn any(text: &str) -> bool {
    spans(text).next().is_some()
}

/// The word without its placeholders.
pub(super) fn without(text: &str) -> String {
    let mut rest = 0;
    let mut plain = String::new();
    for (start, end) in spans(text) {
        plain.push_str(text.get(rest..start).unwrap_or_default());
        rest = end;
    }
    plain + text.get(rest..).unwrap_or_default()
}

/// What a word is to a placeholder that stands in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Setting {
    /// A word as any other.
    Plain,
    /// A type, a name, or both.
    Object,
    /// A selector, or a word that holds one.
    Selector,
    /// JSON, a path of JSON, a template.
    Structure,
}

/// What a word is to the placeholders in it, and where in the word the value begins.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    pub(super) setting: Setting,
    pub(super) from: usize,
}

/// Whether the placeholders of a word are read by themselves: no text beside one could be part of its name.
pub(super) fn clear(text: &str) -> bool {
    spans(text).all(|(start, end)| {
        let before = text.get(..start).unwrap_or_default();
        let after = text.get(end..).unwrap_or_default();
        !before.ends_with('$') && !after.starts_with(|next: char| next.is_ascii_lowercase())
    })
}

/// Puts values in the place of placeholders; those that have none stay.
pub(super) fn fill(text: &str, at: usize, slot: Slot, values: &BTreeMap<String, String>) -> Result<String, Refusal> {
    let mut filled = String::new();
    let mut open = Vec::new();
    let mut rest = 0;
    for (start, end) in spans(text) {
        filled.push_str(text.get(rest..start).unwrap_or_default());
        rest = end;
        let name = text.get(start + 1..end).unwrap_or_default();
        let Some(value) = values.get(name) else {
            open.push(name);
            filled.push_str(text.get(start..end).unwrap_or_default());
            continue;
        };
        let place = Place {
            setting: slot.setting,
            before: text.get(slot.from..start).unwrap_or_default(),
            after: text.get(end..).unwrap_or_default(),
        };
        if let Err((what, hint)) = place.check(value) {
            let message = format!("the value {} of `${name}` {what}", shown(value));
            return Err(Refusal::new(Reason::Parameter, at, message).hinted(hint));
        }
        filled.push_str(value);
    }
    filled.push_str(text.get(rest..).unwrap_or_default());
    if !names(&filled).eq(open) || !clear(&filled) {
        let message = format!("a placeholder in {} runs into the value beside it", shown(&filled));
        return Err(Refusal::new(Reason::Parameter, at, message).hinted("bind all placeholders of a word at once"));
    }
    Ok(filled)
}

/// The longest value, in bytes.
const LONGEST_VALUE: usize = 1024;

/// Where in a word a placeholder stands.
struct Place<'a> {
    setting: Setting,
    before: &'a str,
    after: &'a str,
}

impl Place<'_> {
    /// What is wrong with a value here, and what to do.
    fn check(&self, value: &str) -> Result<(), (&'static str, &'static str)> {
        if value.is_empty() {
            return Err(("is empty", "give it a value"));
        }
        if value.len() > LONGEST_VALUE {
            return Err(("is too long", "a value has at most 1024 bytes"));
        }
        if value.starts_with('-') {
            return Err(("begins with `-`, so it could be read as a flag", "a value is a name or a number"));
        }
        if value.chars().any(|letter| letter.is_control() || is_invisible(letter)) {
            return Err(("has control or invisible characters", "a value is plain text on one line"));
        }
        if value.contains('$') {
            return Err(("holds a `$`", "a value is never expanded a second time"));
        }
        let whole = self.before.is_empty() && self.after.is_empty();
        match self.setting {
            Setting::Structure => self.check_structure(value),
            Setting::Object if value.contains([',', '=']) || value.ends_with('-') => {
                Err(("is no single object", "give one type, one name or one `TYPE/NAME`"))
            }
            Setting::Selector if !whole && !value.chars().all(in_label) => Err((
                "could change the selector around it",
                "inside a selector a value has letters, digits, `-`, `_`, `.` and `/`",
            )),
            _ if self.after.contains('=') && value.contains('=') => {
                Err(("holds a `=` before the one of the word", "a key has no `=`"))
            }
            _ => Ok(()),
        }
    }

    /// Nothing ends the string that the placeholder stands in; outside strings it is a number or a word.
    fn check_structure(&self, value: &str) -> Result<(), (&'static str, &'static str)> {
        if value.contains(['"', '\'', '`', '\\', '{', '}', '[', ']']) {
            return Err((
                "could break out of the JSON or template around it",
                "inside a patch or a path a value has no quotes, backslashes, braces or brackets",
            ));
        }
        let bare = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        if !in_string(self.before) && (!value.chars().all(bare) || value.eq_ignore_ascii_case("null")) {
            return Err((
                "stands outside of a string, where it could add fields",
                "put double quotes around the placeholder, or give it a number or a word",
            ));
        }
        Ok(())
    }
}

fn in_label(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "-_./".contains(letter)
}

/// Whether a string is open at the end of a piece of JSON, or of a template.
fn in_string(before: &str) -> bool {
    let mut open = None;
    let mut letters = before.chars();
    while let Some(letter) = letters.next() {
        match (open, letter) {
            (Some(_), '\\') => drop(letters.next()),
            (Some(quote), _) if quote == letter => open = None,
            (None, '"' | '\'' | '`') => open = Some(letter),
            _ => {}
        }
    }
    open.is_some()
}
