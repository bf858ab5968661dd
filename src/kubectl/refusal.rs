//! Why a line is refused: which rule, in words, and what to do instead.
//!
//! *Invariant:* whatever of the line is quoted in a message is short and has no control characters.

use std::fmt::Write as _;

/// The rule that a line breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the words say it; `Reason::name` prints them")]
pub enum Reason {
    TooLong,
    Empty,
    Newline,
    ControlCharacter,
    Invisible,
    LookAlike,
    NotAscii,
    Pipe,
    Or,
    And,
    Background,
    Semicolon,
    Redirection,
    CommandSubstitution,
    Subshell,
    Expansion,
    Dollar,
    Glob,
    Brace,
    Tilde,
    History,
    Comment,
    Unbalanced,
    Assignment,
    NotKubectl,
    Placeholder,
    NoVerb,
    RefusedVerb,
    UnknownVerb,
    FlagBeforeVerb,
    ForbiddenFlag,
    UnknownFlag,
    RepeatedFlag,
    MissingValue,
    EmptyWord,
    LeadingDash,
    BadValue,
    DoubleDash,
    Arguments,
    Resource,
    Endless,
    Interactive,
    LocalFile,
    SecretData,
    Context,
    Parameter,
}

impl Reason {
    /// What it is called, in words joined by `-`.
    pub fn name(self) -> String {
        let mut name = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }
}

/// A line that is no command of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The rule that it breaks.
    pub reason: Reason,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
    /// Where in the line, in bytes from 0.
    pub at: usize,
}

impl Refusal {
    pub(super) fn new(reason: Reason, at: usize, message: impl Into<String>) -> Refusal {
        Refusal { reason, message: message.into(), hint: None, at }
    }

    /// Says what to write instead.
    pub(super) fn hinted(mut self, hint: impl Into<String>) -> Refusal {
        self.hint = Some(hint.into());
        self
    }

    /// Says what to write instead, if anybody knows.
    pub(super) fn maybe_hinted(self, hint: Option<String>) -> Refusal {
        Refusal { hint: hint.or(self.hint), ..self }
    }

    /// What to write instead.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

/// The longest piece of a line that a message quotes, in characters.
const LONGEST_QUOTE: usize = 60;

/// A piece of the line as a message may quote it.
pub(super) fn shown(text: &str) -> String {
    let mut short = String::from("`");
    for letter in text.chars().take(LONGEST_QUOTE) {
        if letter.is_control() || is_invisible(letter) {
            let _ = write!(short, "\\u{{{:x}}}", u32::from(letter));
        } else {
            short.push(letter);
        }
    }
    if text.chars().nth(LONGEST_QUOTE).is_some() {
        short.push('…');
    }
    short.push('`');
    short
}

/// A character that nobody sees, or that changes how its neighbours are seen.
pub(super) fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
        || (letter != ' ' && letter.is_whitespace() && !letter.is_control())
}
