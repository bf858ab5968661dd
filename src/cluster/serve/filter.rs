//! Looks for lines on our side, so that a needle is found without sending the hay.
//!
//! *Invariant:* only redacted text is looked through: a pattern can't be used to guess a secret.

use std::collections::BTreeSet;

use regex::{Regex, RegexBuilder};

use super::Options;
use super::error::ServeError;
use super::value::count;

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
            out.push_str(lines.get(at).copied().unwrap_or_default());
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
        let bad = Options { grep: Some("(".to_owned()), context_lines: 0 };
        assert!(Grep::new(&bad).is_err());
        assert!(Grep::new(&Options::default()).unwrap().is_none());
    }
}
