//! Text in base64: what holds a secret inside is one outside.
//!
//! *Invariant:* runs of base64 are apart, and what is decoded is shorter than what it was, so the work is bounded by the
//! length of the text. Bytes that gzip made are secret whatever they are: Helm and others keep whole objects so.

use std::ops::Range;

use super::{Mode, patterns, seen};

/// Shorter runs are words.
const SHORTEST: usize = 20;

/// Whether there is base64 that may be a text.
pub(super) fn may_hold_text(text: &str) -> bool {
    runs(text).next().is_some()
}

/// Adds each run of base64 that has a secret in it.
pub(super) fn texts(text: &str, found: &mut Vec<Range<usize>>) {
    found.extend(runs(text).filter(|run| text.get(run.clone()).is_some_and(holds_secret)));
}

/// The runs of base64, with the `=` at their ends; numbers in hex and words have letters of one case.
fn runs(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < text.len() {
            let rest = text.as_bytes().get(at..)?;
            let start = at + rest.iter().position(|byte| digit(*byte).is_some())?;
            let rest = text.as_bytes().get(start..)?;
            let length = rest.iter().position(|byte| digit(*byte).is_none()).unwrap_or(rest.len());
            let padding = rest.iter().skip(length).take(2).take_while(|byte| **byte == b'=').count();
            let run = rest.get(..length)?;
            at = start + length + padding;
            if length >= SHORTEST && run.iter().any(u8::is_ascii_uppercase) && run.iter().any(u8::is_ascii_lowercase) {
                return Some(start..at);
            }
        }
        None
    })
}

fn holds_secret(base64: &str) -> bool {
    let bytes = decode(base64);
    if bytes.starts_with(&[0x1f, 0x8b, 8]) {
        return true;
    }
    let Ok(text) = String::from_utf8(bytes) else { return false };
    let plain = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    text.chars().all(plain) && patterns::may_hold_secret(&text) && !seen(&text, Mode::Prose).is_empty()
}

/// The bytes of as many whole digits as there are, in either alphabet.
fn decode(base64: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(base64.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for digit in base64.bytes().map_while(digit) {
        bits = bits << 6 | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.extend((bits >> count).to_le_bytes().first());
            bits &= (1 << count) - 1;
        }
    }
    bytes
}

fn digit(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_goes_where_a_secret_is_inside() {
        let table = [
            // `password=hunter2`, by itself and in a sentence; `-----BEGIN EC PRIVATE KEY-----` and the key's begin.
            ("cGFzc3dvcmQ9aHVudGVyMg==", true),
            ("data: cGFzc3dvcmQ9aHVudGVyMg, more", true),
            ("LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS0tLS0tCk1IY0NBUUVFSUp4QWJCOXhBd0U5", true),
            ("H4sIAAAAAAAA/0vOzyvOz0kFAGcB2XwEAAAA", true),
            // `the quick brown fox jumps`, `-----BEGIN CERTIFICATE-----`.
            ("dGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcw==", false),
            ("LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUQ=", false),
            ("cGFzc3dvcmQ9eA==", false),
            ("2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae", false),
        ];
        for (text, expected) in table {
            let mut found = Vec::new();
            texts(text, &mut found);
            assert_eq!(!found.is_empty(), expected, "{text}");
        }
    }
}
