//! Text that a terminal, a ticket or a log can take: without what moves cursors, hides or reorders.
//!
//! Everything that a cluster says is someone else's text: a pod's name in an event, an image's tag, a
//! line of a log. *Invariant:* what comes out has no control character but the newline, and no
//! character that is invisible or changes the direction of others.

#![warn(clippy::disallowed_methods)]

use std::borrow::Cow;

use textwrap::{Options, WordSeparator, WordSplitter};

/// Strips escape sequences, control characters and invisible ones; tabs and lone carriage
/// returns become spaces, newlines stay.
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte == b'\n' || matches!(byte, 0x20..=0x7e)) || text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => skip_sequence(&mut rest),
            '\u{9b}' => skip_parameters(&mut rest),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => skip_string(&mut rest),
            '\r' if rest.as_str().starts_with('\n') => {}
            '\t' | '\r' | '\u{2028}' | '\u{2029}' => out.push(' '),
            c if is_plain(c) => out.push(c),
            _ => {}
        }
    }
    Cow::Owned(out)
}

/// The same on one line: newlines become spaces.
pub fn one_line(text: &str) -> Cow<'_, str> {
    let text = printable(text);
    if text.contains('\n') { Cow::Owned(text.replace('\n', " ")) } else { text }
}

/// How text is broken into lines: at blanks alone, since a name, a path or a command is copied and searched for whole.
pub fn wrapping(width: usize) -> Options<'static> {
    Options::new(width)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
}

/// Whether a character says what it shows, and does nothing else.
pub fn is_plain(c: char) -> bool {
    !(c != '\n' && c.is_control() || is_invisible(c))
}

/// Characters without a width of their own that hide text or turn its direction.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// After an escape: a control sequence, a string up to its end, or one more character.
fn skip_sequence(rest: &mut std::str::Chars<'_>) {
    let mut ahead = rest.clone();
    match ahead.next() {
        Some('[') => {
            *rest = ahead;
            skip_parameters(rest);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            *rest = ahead;
            skip_string(rest);
        }
        // `ESC ( B` and the like: intermediates, then one final character.
        Some(' '..='/') => {
            while let Some(' '..='/') = ahead.clone().next() {
                ahead.next();
            }
            if let Some('0'..='~') = ahead.clone().next() {
                ahead.next();
            }
            *rest = ahead;
        }
        Some('0'..='~') => *rest = ahead,
        _ => {}
    }
}

/// Parameters and the final character of a control sequence; what is not one stays.
fn skip_parameters(rest: &mut std::str::Chars<'_>) {
    let mut ahead = rest.clone();
    loop {
        match ahead.next() {
            Some(' '..='?') => {}
            Some('@'..='~') => {
                *rest = ahead;
                return;
            }
            _ => return,
        }
    }
}

/// Up to the string's end; without one on the same line only the introducer goes, so that an open
/// sequence can't swallow the rest of the text.
fn skip_string(rest: &mut std::str::Chars<'_>) {
    let mut ahead = rest.clone();
    while let Some(c) = ahead.next() {
        match c {
            '\u{7}' | '\u{9c}' => {
                *rest = ahead;
                return;
            }
            '\u{1b}' => {
                if ahead.next() == Some('\\') {
                    *rest = ahead;
                }
                return;
            }
            '\n' => return,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_moves_hides_or_reorders_goes() {
        let table = [
            ("plain", "plain"),
            ("größer → 日本", "größer → 日本"),
            ("\u{1b}[31;1mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}]0;never closed, and the rest stays", "0;never closed, and the rest stays"),
            ("\u{1b}P+q\u{1b}\\x", "x"),
            ("\u{1b}(Bx\u{1b}cy\u{1b}=z", "xyz"),
            ("\u{9b}2Jx", "x"),
            ("a\u{8}\u{7f}\u{0}b", "ab"),
            ("10%\r20%\r\nend", "10% 20%\nend"),
            ("a\tb", "a b"),
            ("user\u{202e}gpj.exe\u{202c}", "usergpj.exe"),
            ("zero\u{200b}width\u{feff}", "zerowidth"),
            ("\u{1b}[", ""),
            ("\u{1b}", ""),
        ];
        for (text, expected) in table {
            assert_eq!(printable(text), expected, "{text:?}");
        }
        assert_eq!(one_line("a\nb"), "a b");
    }

    proptest! {
        #[test]
        fn nothing_but_plain_characters_comes_out(text in "(?s).{0,80}") {
            let once = printable(&text).into_owned();
            prop_assert!(once.chars().all(is_plain));
            prop_assert_eq!(printable(&once), once.as_str());
        }
    }
}
