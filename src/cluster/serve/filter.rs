//! Looks for lines on our side, so that a needle is found without sending the hay.
//!
//! *Invariant:* only redacted text is looked through: a pattern can't be used to guess a secret.

use std::borrow::Cow;
use std::collections::BTreeSet;

use regex::{Regex, RegexBuilder};

use super::Options;
use super::error::ServeError;
use super::value::count;

/// A line of more bytes is shown in parts.
const LONG: usize = 2_000;
/// What is shown before and after what was found in such a line, in bytes.
const AROUND: usize = 200;
/// Parts of one line.
const MOST_PARTS: usize = 5;

/// A pattern to look for.
pub(super) struct Grep {
    regex: Regex,
    pub(super) context: usize,
}

impl Grep {
    /// The pattern of the options, where there is one.
    pub(super) fn new(options: &Options) -> Result<Option<Grep>, ServeError> {
        /// Bytes that a compiled pattern may take.
        const LARGEST: usize = 1 << 20;
        let Some(pattern) = options.grep.as_deref().filter(|pattern| !pattern.is_empty()) else { return Ok(None) };
        let regex = RegexBuilder::new(pattern).case_insensitive(true).size_limit(LARGEST).build();
        let regex = regex.map_err(|error| {
            let reason = error.to_string();
            let last = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            ServeError::bad(format!("the pattern `{pattern}`"), last)
        })?;
        Ok(Some(Grep { regex, context: options.context_lines }))
    }

    pub(super) fn finds(&self, line: &str) -> bool {
        self.regex.is_match(line)
    }

    /// A line that is kept: of a long one the parts around what it finds, or its beginning where that is nothing.
    pub(super) fn around<'l>(&self, line: &'l str) -> Cow<'l, str> {
        if line.len() <= LONG {
            return Cow::Borrowed(line);
        }
        let mut parts: Vec<(usize, usize)> = Vec::new();
        for found in self.regex.find_iter(line) {
            let (from, to) = (found.start().saturating_sub(AROUND), found.end().min(found.start() + LONG) + AROUND);
            if let Some(part) = parts.last_mut().filter(|part| from <= part.1) {
                part.1 = to;
            } else if parts.len() < MOST_PARTS {
                parts.push((from, to));
            } else {
                break;
            }
        }
        if parts.is_empty() {
            parts.push((0, 2 * AROUND));
        }
        let (mut text, mut end) = (String::new(), 0);
        for (from, to) in parts {
            let (from, to) = (line.floor_char_boundary(from), line.ceil_char_boundary(to.min(line.len())));
            text.push_str(if from > end { "…" } else { "" });
            text.push_str(line.get(from..to).unwrap_or_default());
            end = to;
        }
        text.push_str(&if end < line.len() { format!("… (of {} bytes)", count(line.len())) } else { String::new() });
        Cow::Owned(text)
    }

    /// The lines that it finds with those around them, and what to say of the rest.
    pub(super) fn apply(&self, text: &str, head: bool) -> (String, String) {
        let lines: Vec<&str> = text.lines().collect();
        let body = usize::from(head);
        let found: Vec<usize> =
            (body..lines.len()).filter(|&at| lines.get(at).is_some_and(|line| self.finds(line))).collect();
        let mut kept: BTreeSet<usize> = if head { BTreeSet::from([0]) } else { BTreeSet::new() };
        for &at in &found {
            kept.extend(at.saturating_sub(self.context)..(at + self.context + 1).min(lines.len()));
        }
        let mut out = String::new();
        let mut last = None;
        for at in kept {
            if self.context > 0 && last.is_some_and(|last| last + 1 < at) {
                out.push_str("--\n");
            }
            out.push_str(&self.around(lines.get(at).copied().unwrap_or_default()));
            out.push('\n');
            last = Some(at);
        }
        let all = count(lines.len() - body.min(lines.len()));
        (out, format!("{} of {all} lines match `{}`", count(found.len()), self.regex.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_with_their_neighbours() {
        let text = "NAME\na 1\nb 2\nc ERROR\nd 4\ne 5\nf error\n";
        let grep = |pattern: &str, context_lines| {
            let options = Options { grep: Some(pattern.to_owned()), context_lines };
            Grep::new(&options).unwrap().unwrap().apply(text, true)
        };
        assert_eq!(grep("error", 0), ("NAME\nc ERROR\nf error\n".to_owned(), "2 of 6 lines match `error`".to_owned()));
        assert_eq!(grep("^c", 1).0, "NAME\n--\nb 2\nc ERROR\nd 4\n");
        assert_eq!(grep("nowhere", 2).0, "NAME\n");
        let long = format!("{}needle{}", "é".repeat(50_000), "x".repeat(90_000));
        let (found, note) = Grep::new(&Options { grep: Some("needle".to_owned()), context_lines: 0 })
            .unwrap()
            .unwrap()
            .apply(&format!("{long}\nother\n"), false);
        let around = format!("…{}needle{}… (of 190,006 bytes)\n", "é".repeat(100), "x".repeat(200));
        assert_eq!((found, note.as_str()), (around, "1 of 2 lines match `needle`"));
        let bad = Options { grep: Some("(".to_owned()), context_lines: 0 };
        assert!(Grep::new(&bad).is_err());
        assert!(Grep::new(&Options::default()).unwrap().is_none());
    }
}
