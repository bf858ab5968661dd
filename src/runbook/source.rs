//! Bytes become text, and text a head and a body.
//!
//! *Invariant:* whatever the bytes are, the answer is text of bounded size or a sentence that says why not.

use std::borrow::Cow;

use super::problem::{Gravity, Problem, Rule};

/// The largest file that is read: a thousand times a good runbook's length.
pub(super) const MAX_BYTES: usize = 1 << 20;
/// The largest front matter.
const MAX_FRONT: usize = 64 << 10;

/// A file that can't be read as a runbook at all.
pub(super) const FILE_UNREADABLE: Rule = Rule {
    id: "file-unreadable",
    severity: Gravity::Error,
    summary: "a file is too large, too deep or no text",
    doc: "A runbook is UTF-8 text of at most 1 MiB, with at most 1,000 headings, 1,000 fenced blocks and lists or quotes \
          nested at most 50 deep. What is larger was made by a program, not for a reader at night.",
};

/// Front matter that does not stand where it must.
pub(super) const FRONT_MATTER_PLACE: Rule = Rule {
    id: "front-matter-place",
    severity: Gravity::Error,
    summary: "front matter does not stand between two lines `---` at the top of the file",
    doc: "The first line is `---`, then comes YAML, then another line `---`. With anything before it, even a blank line, \
          other programs take it for text.",
};

/// What stands before the body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Head<'a> {
    /// Nothing.
    None,
    /// YAML, which begins on line 2.
    Yaml(&'a str),
    /// TOML between `+++`, as Hugo has it.
    Toml,
}

/// A file, cut in two.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    /// What stands before the body.
    pub(super) head: Head<'a>,
    /// The body.
    pub(super) body: &'a str,
    /// The line that the body begins on, from 1.
    pub(super) body_line: usize,
}

/// The text of a file, with `\n` at the ends of lines and without a byte order mark.
pub(super) fn text<'a>(path: &str, bytes: &'a [u8]) -> Result<Cow<'a, str>, Problem> {
    let refuse = |line, message: String| Problem::new(&FILE_UNREADABLE, path, line, message);
    if bytes.len() > MAX_BYTES {
        let message = format!("the file has {} KiB; at most {} KiB are read", bytes.len() >> 10, MAX_BYTES >> 10);
        return Err(
            refuse(1, message).hint("a runbook is for reading at night: keep it to a few pages, or cut it in several")
        );
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(refuse(1, "the file is UTF-16".to_owned()).hint("save it as UTF-8"));
    }
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        let message = format!("the file is binary: byte {} is NUL", at + 1);
        return Err(refuse(line_of(bytes, at), message).hint("a runbook is text"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        refuse(line_of(bytes, at), format!("the file is not UTF-8: byte {} begins no character", at + 1))
            .hint("save it as UTF-8")
    })?;
    Ok(if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    })
}

fn line_of(bytes: &[u8], at: usize) -> usize {
    1 + bytes.iter().take(at).filter(|byte| **byte == b'\n').count()
}

/// Whether YAML claims to be ours.
pub(super) fn claims_schema(yaml: &str) -> bool {
    yaml.lines().any(|line| {
        line.strip_prefix("schema:")
            .is_some_and(|value| value.trim_start().trim_start_matches(['"', '\'']).starts_with("runbook/"))
    })
}

/// Cuts a file into head and body; a head that is ours and stands wrong is a problem.
pub(super) fn split<'a>(path: &str, text: &'a str) -> Result<Parts<'a>, Problem> {
    let whole = Parts { head: Head::None, body: text, body_line: 1 };
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let fence = first.trim_end();
    if fence != "---" && fence != "+++" {
        return misplaced(path, text).map_or(Ok(whole), Err);
    }
    let mut at = 0;
    for (number, line) in rest.split_inclusive('\n').enumerate() {
        let word = line.trim_end();
        if word == fence || (fence == "---" && word == "...") {
            let head = rest.get(..at).unwrap_or_default();
            let body = rest.get(at + line.len()..).unwrap_or_default();
            if head.len() > MAX_FRONT {
                let message =
                    format!("the front matter has {} KiB; at most {} KiB are read", head.len() >> 10, MAX_FRONT >> 10);
                return Err(Problem::new(&FILE_UNREADABLE, path, 1, message));
            }
            let head = if fence == "---" { Head::Yaml(head) } else { Head::Toml };
            return Ok(Parts { head, body, body_line: number + 3 });
        }
        at += line.len();
    }
    if fence == "---" && rest.lines().take(200).any(claims_schema) {
        return Err(Problem::new(&FRONT_MATTER_PLACE, path, 1, "the front matter never ends")
            .hint("put a line `---` after its last key"));
    }
    Ok(whole)
}

/// Front matter of ours below the first line, or behind a line that only looks like `---`.
fn misplaced(path: &str, text: &str) -> Option<Problem> {
    let mut lines = text.lines().enumerate().skip_while(|(_, line)| line.trim().is_empty());
    let (number, first) = lines.next()?;
    let dashes = first.trim();
    let odd = dashes.len() >= 2 && dashes.chars().all(|c| matches!(c, '-' | '—' | '–' | '_' | '=' | '*'));
    let ours = |(_, line): (usize, &str)| claims_schema(line.trim_start());
    if !(odd && lines.take(200).any(ours) || claims_schema(dashes)) {
        return None;
    }
    let message = match number {
        0 => "the front matter does not begin with a line `---`",
        _ => "the front matter does not begin on the first line",
    };
    Some(Problem::new(&FRONT_MATTER_PLACE, path, number + 1, message).hint("make `---` the first line of the file"))
}
