//! Whether a quote stands in a text: word for word, white space aside.
//!
//! A quote has to say something: a few letters stand in nearly every text. One that leaves words out may do so within a
//! line alone; over lines, any two halves make a sentence.

use super::proof::BAR;

/// Whether it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// It does, as nearly anything would.
    TooShort,
}

/// Shorter than this, a quote has to be whole words, and to say something.
const SHORT: usize = 12;
/// A short one of several words has this many letters; `not found` has fewer.
const WORDS: usize = 10;
/// Shorter than this, it proves nothing.
const TOO_SHORT: usize = 3;
/// A part between ellipses.
const PART: usize = 8;

/// A quote without the marks that a model puts around it.
pub(super) fn bare(quote: &str) -> &str {
    let mut text = quote.trim();
    for (open, close) in [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”')] {
        text = text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)).unwrap_or(text);
    }
    text.trim()
}

/// Looks for a quote; parts around an ellipsis have to stand in one line, in this order.
pub(super) fn find(quote: &str, text: &str) -> Found {
    let quote = squeezed(bare(quote));
    if quote.chars().filter(|letter| letter.is_alphanumeric()).count() < TOO_SHORT {
        return Found::TooShort;
    }
    if quote.contains(BAR) {
        return Found::No;
    }
    if stands(&quote, &squeezed(text)).is_some() {
        return if says_something(&quote, text) { Found::Yes } else { Found::TooShort };
    }
    let parts: Vec<&str> = quote.split("...").flat_map(|part| part.split('…')).map(str::trim).collect();
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    if parts.len() < 2 && !quote.contains('…') && !quote.contains("...") || parts.iter().any(|part| part.len() < PART)
    {
        return Found::No;
    }
    let in_order = |line: &str| {
        let line = squeezed(line);
        let mut rest = line.as_str();
        parts.iter().all(|part| match stands(part, rest) {
            Some(end) => {
                rest = rest.get(end..).unwrap_or_default();
                true
            }
            None => false,
        })
    };
    if text.lines().any(in_order) { Found::Yes } else { Found::No }
}

/// The length of a quote, as it is compared.
pub(super) fn length(quote: &str) -> usize {
    squeezed(bare(quote)).chars().count()
}

/// Whether a quote is long, has a number or several words, or is all that a line or a field says.
fn says_something(quote: &str, text: &str) -> bool {
    let several = quote.contains(' ') && quote.len() >= WORDS;
    if quote.len() >= SHORT || several || quote.contains(|letter: char| letter.is_ascii_digit()) {
        return true;
    }
    text.lines().map(|line| line.trim().trim_start_matches("- ")).any(|line| {
        let value = line.split_once(": ").or_else(|| line.split_once('=')).map_or(line, |(_, value)| value);
        let value = value.trim().trim_end_matches(',').trim_matches(['"', '\'']);
        squeezed(value) == quote || squeezed(line) == quote
    })
}

/// Where it ends; a short one has to be whole words.
fn stands(quote: &str, text: &str) -> Option<usize> {
    let whole = quote.len() < SHORT;
    let part_of_a_word = |letter: char| letter.is_alphanumeric();
    text.match_indices(quote).map(|(at, found)| (at, at + found.len())).find_map(|(start, end)| {
        let before = text.get(..start).and_then(|text| text.chars().next_back());
        let after = text.get(end..).and_then(|text| text.chars().next());
        let free = !before.is_some_and(part_of_a_word) && !after.is_some_and(part_of_a_word);
        (!whole || free).then_some(end)
    })
}

/// With one blank for any white space, and without the frames of tables.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_for_word_white_space_aside() {
        let text = "NAME      READY   STATUS\nweb-7d4   0/1     CrashLoopBackOff\napi-5     0/1     CreateContainerConfigError\nLast State:\n  Exit Code:  137\nError: dial tcp 10.0.0.1:5432: connection refused\n  reason: OOMKilled\nthe pods of cart were not found";
        let table = [
            ("web-7d4 0/1 CrashLoopBackOff", Found::Yes),
            ("\"Exit Code: 137\"", Found::Yes),
            ("`dial tcp 10.0.0.1:5432: connection refused`", Found::Yes),
            ("Last State: Exit Code: 137", Found::Yes),
            ("137", Found::Yes),
            ("OOMKilled", Found::Yes),
            ("reason: OOMKilled", Found::Yes),
            ("STATUS", Found::TooShort),
            ("the", Found::TooShort),
            ("cart", Found::TooShort),
            ("not found", Found::TooShort),
            ("13", Found::TooShort),
            ("", Found::TooShort),
            ("...", Found::TooShort),
            ("/1", Found::TooShort),
            ("Crash", Found::No),
            ("exit code: 137", Found::No),
            ("connection reset", Found::No),
            ("dial tcp ... connection refused", Found::Yes),
            ("connection refused ... dial tcp", Found::No),
            ("web-7d4 0/1 … connection refused", Found::No),
            ("Last State: … Exit Code:  137", Found::No),
            ("web-7d4 0/1 … CreateContainerConfigError", Found::No),
            ("web ... refused", Found::No),
            ("Error: dial tcp 10.0.0.1:5432...", Found::Yes),
        ];
        for (quote, found) in table {
            assert_eq!(find(quote, text), found, "{quote}");
        }
    }
}
