//! What must not stand in a file that many can read: secrets, and characters that nobody sees.

use std::borrow::Cow;

use super::{File, Group, MOST, Tree};
use crate::printable::printable;
use crate::redact;
use crate::runbook::problem::{Gravity, Problem, Rule};

pub(super) const GROUP: Group = Group { rules: &[&HIDDEN_CHARACTER, &SECRET_IN_TEXT], check };

const HIDDEN_CHARACTER: Rule = Rule {
    id: "hidden-character",
    severity: Gravity::Error,
    summary: "a line has characters that nobody sees, or that turn the order of others",
    doc: "Zero-width and direction characters make a reviewer read one thing and a program another. In prose, what emoji are \
          made of is left alone. In files of collections this is a warning.",
};

const SECRET_IN_TEXT: Rule = Rule {
    id: "secret-in-text",
    severity: Gravity::Error,
    summary: "a line holds a secret",
    doc: "History is for ever, and so is a secret in it: take it out, and change it where it is used. The message says what \
          kind it seems to be and never repeats it.",
};

fn check(_: &Tree<'_>, file: &File<'_>, problems: &mut Vec<Problem>) {
    let mut fences = file.parsed.outline.fences.iter().flat_map(|fence| &fence.lines).map(|line| line.line).peekable();
    let before = problems.len();
    for (number, line) in file.parsed.text.lines().enumerate() {
        if problems.len() - before >= MOST {
            break;
        }
        let number = number + 1;
        while fences.next_if(|fence| *fence < number).is_some() {}
        let code = fences.peek() == Some(&number);
        if !line.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) {
            hidden(file, number, line, code, problems);
        }
        if is_key(line) || windows(line).any(|part| holds_secret(part, code)) {
            let message = format!("this line seems to hold {}", kind(line));
            problems.push(
                file.problem(&SECRET_IN_TEXT, number, message)
                    .hint("write a placeholder instead; if it was ever pushed, change the secret where it is used"),
            );
        }
    }
}

fn hidden(file: &File<'_>, number: usize, line: &str, code: bool, problems: &mut Vec<Problem>) {
    let emoji = |c: char| !code && matches!(c, '\u{fe0f}' | '\u{200d}');
    let shown =
        |c: char| c == '\t' || emoji(c) || printable(c.encode_utf8(&mut [0; 4])) == c.encode_utf8(&mut [0; 4]) as &str;
    if let Some((at, c)) = line.chars().enumerate().find(|(_, c)| !shown(*c)) {
        let message = format!("the character U+{:04X} is not seen", u32::from(c));
        let weight = if file.runbook.derived { Gravity::Warning } else { Gravity::Error };
        problems.push(file.problem(&HIDDEN_CHARACTER, number, message).at(at + 1).weighing(weight).hint("take it out"));
    }
}

fn holds_secret(text: &str, code: bool) -> bool {
    redact::secrets(text).into_iter().filter_map(|range| text.get(range)).any(|value| is_likely(value, code))
}

/// The text with `<redacted>` for each secret that somebody wrote into it.
pub(in crate::runbook) fn blanked(text: &str) -> Cow<'_, str> {
    let mut found = redact::private_keys(text);
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        for part in windows(line) {
            // Windows overlap, and are parts of the line.
            let start = at + (part.as_ptr().addr() - line.as_ptr().addr());
            let secrets = redact::secrets(part).into_iter();
            let secrets = secrets.filter(|range| part.get(range.clone()).is_some_and(|value| is_likely(value, true)));
            found.extend(secrets.map(|range| start + range.start..start + range.end));
        }
        at += line.len();
    }
    found.sort_by_key(|range| (range.start, range.end));
    let (mut out, mut done) = (String::new(), 0);
    for range in found.into_iter().filter(|range| !range.is_empty()) {
        if range.start >= done {
            out.push_str(text.get(done..range.start).unwrap_or_default());
            out.push_str("<redacted>");
        }
        done = done.max(range.end);
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(out)
}

/// A line in parts that overlap, since looking takes more than its share of time in a long one.
fn windows(line: &str) -> impl Iterator<Item = &str> {
    const WIDTH: usize = 1024;
    const OVERLAP: usize = 256;
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest?;
        let part = line.get(..line.floor_char_boundary(WIDTH))?;
        rest = line.get(line.floor_char_boundary(WIDTH - OVERLAP)..).filter(|_| part.len() < line.len());
        Some(part)
    })
}

/// The first line of a private key, whose other lines look like nothing.
fn is_key(line: &str) -> bool {
    line.contains("-----BEGIN ") && line.contains("PRIVATE KEY")
}

/// Whether what stands where a secret may stand is one. A runbook speaks about secrets all the time.
fn is_likely(value: &str, code: bool) -> bool {
    let stands_for =
        value.starts_with(['.', '$', '<', '{', '[', '(', '*', '%']) || value.contains("$(") || value.contains("${");
    let file = [".json", ".yaml", ".yml", ".pem", ".key", ".crt", ".txt", ".conf", ".env"];
    let file = file.iter().any(|ending| value.ends_with(ending));
    let letters = value.bytes().filter(u8::is_ascii_alphanumeric);
    let repeated = letters.clone().all(|byte| Some(byte) == letters.clone().next());
    let word = value.chars().all(|c| c.is_alphabetic() || c.is_ascii_punctuation() || c == ' ');
    !(stands_for || file || repeated || word && !code)
}

/// What it seems to be, by what stands around it.
fn kind(line: &str) -> &'static str {
    let lower = line.to_lowercase();
    let has = |word: &str| lower.contains(word);
    match () {
        () if is_key(line) => "a private key",
        () if line.contains("eyJ") => "a JSON web token",
        () if line.contains("AKIA") || line.contains("ASIA") => "an AWS access key",
        () if has("hooks.slack.com") || has("webhook.office.com") => "the address of a webhook",
        () if has("xox") || has("xapp-") => "a Slack token",
        () if has("ghp_") || has("gho_") || has("ghs_") || has("ghr_") || has("github_pat_") => "a GitHub token",
        () if has("glpat-") => "a GitLab token",
        () if has("authorization") || has("bearer") || has("basic ") => "credentials of a header",
        () if has("password") || has("passwd") || has("pwd") => "a password",
        () if has("://") && has("@") => "a password in an address",
        () if has("token") => "a token",
        () if has("key") => "a key",
        () => "a secret",
    }
}
