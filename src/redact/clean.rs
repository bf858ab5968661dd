//! Text without what hides a name from a reader of bytes: colours, and characters that nobody sees.
//!
//! *Invariant:* tabs, carriage returns and newlines stay, since they may be the fault itself; what is clean is borrowed.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use crate::printable::printable;

/// The text without escape sequences and invisible characters, those too that JSON and YAML write out: `\u001b[31m`.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    /// Sequences that are put together by taking out others are no accident; a few rounds are enough for an accident.
    const ROUNDS: usize = 4;
    let kept = |c: char| matches!(c, '\t' | '\r');
    let mut clean = Cow::Borrowed(text);
    if text.split(kept).any(|part| matches!(printable(part), Cow::Owned(_))) {
        let parts = text.split_inclusive(kept).flat_map(|part| match part.strip_suffix(kept) {
            Some(inner) => [printable(inner), Cow::Borrowed(part.get(inner.len()..).unwrap_or_default())],
            None => [printable(part), Cow::Borrowed("")],
        });
        clean = Cow::Owned(parts.collect());
    }
    for _ in 0..ROUNDS {
        match without_written(&clean) {
            Some(shorter) => clean = Cow::Owned(shorter),
            None => break,
        }
    }
    clean
}

fn without_written(text: &str) -> Option<String> {
    static WRITTEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)\\+(?:u001b|x1b|033|e)\[[0-9;:?]{0,32}[a-z]|\\+u(?:200[b-f]|202[a-e]|206[0-9a-f]|feff|00ad)")
            .ok()
    });
    let written = WRITTEN.as_ref().filter(|_| text.contains('\\'))?;
    match written.replace_all(text, "") {
        Cow::Owned(shorter) => Some(shorter),
        Cow::Borrowed(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_goes_and_the_rest_stays() {
        let table = [
            ("plain\ttext\r\nnext\r", "plain\ttext\r\nnext\r"),
            ("\u{1b}[31mpassword\u{1b}[0m=x\tb", "password=x\tb"),
            ("pass\u{200b}word=x", "password=x"),
            (r"\u001b[36mpassword\u001b[0m=x", "password=x"),
            (r"\\u001b[36mpassword\\x1b[0m=x", "password=x"),
            (r"\u00\u001b[0m1b[1mx", "x"),
            (r"C:\users\e", r"C:\users\e"),
        ];
        for (text, expected) in table {
            assert_eq!(clean(text), expected, "{text:?}");
            assert_eq!(matches!(clean(text), Cow::Borrowed(_)), text == expected, "{text:?}");
        }
    }
}
