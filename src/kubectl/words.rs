//! Splits a line into words as a POSIX shell does, and refuses whatever a shell would act upon.
//!
//! *Invariant:* a word that comes out of here is the one that `sh` and `bash` read, and neither of them would
//! expand, run, redirect or match anything for it, but for `$NAME`.

use std::iter::Peekable;
use std::str::CharIndices;

use super::params;
use super::refusal::{Reason, Refusal, is_invisible, shown};

/// The longest line that is read, in bytes.
pub(super) const LONGEST_LINE: usize = 8 * 1024;

/// A word of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Without its quotes; placeholders stand in it as `$NAME`.
    pub(super) text: String,
    /// Where it begins in the line.
    pub(super) at: usize,
    /// Whether any of it was quoted.
    pub(super) quoted: bool,
}

/// The words of a line.
pub(super) fn split(line: &str) -> Result<Vec<Word>, Refusal> {
    if line.len() > LONGEST_LINE {
        let message = format!("the line has {} bytes, more than {LONGEST_LINE}", line.len());
        return Err(Refusal::new(Reason::TooLong, LONGEST_LINE, message)
            .hinted("a long patch belongs in a manifest: `kubectl apply -f FILE.yaml`"));
    }
    for (at, letter) in line.char_indices() {
        never(letter, at)?;
    }
    let mut lexer = Lexer { chars: line.char_indices().peekable(), word: None, words: Vec::new() };
    while let Some((at, letter)) = lexer.chars.next() {
        lexer.bare(at, letter)?;
    }
    lexer.finish()?;
    Ok(lexer.words)
}

/// Characters that stand nowhere in a line, quoted or not.
fn never(letter: char, at: usize) -> Result<(), Refusal> {
    let code = u32::from(letter);
    match letter {
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
            Err(Refusal::new(Reason::Newline, at, "a line break: one command is one line")
                .hinted("write each command on its own line"))
        }
        '\t' => Ok(()),
        _ if letter.is_control() => {
            Err(Refusal::new(Reason::ControlCharacter, at, format!("a control character (U+{code:04X})")))
        }
        _ if is_invisible(letter) => {
            Err(Refusal::new(Reason::Invisible, at, format!("an invisible character or odd space (U+{code:04X})"))
                .hinted("type the line anew; copied text often carries these"))
        }
        _ => Ok(()),
    }
}

/// A word that is being read.
#[derive(Default)]
struct Part {
    at: usize,
    text: String,
    quoted: bool,
    /// What stands outside quotes, a `q` for each character inside.
    bare: String,
    /// Where placeholders begin in `text`, and end.
    marks: Vec<(usize, usize)>,
}

struct Lexer<'a> {
    chars: Peekable<CharIndices<'a>>,
    word: Option<Part>,
    words: Vec<Word>,
}

impl Lexer<'_> {
    fn part(&mut self, at: usize) -> &mut Part {
        self.word.get_or_insert_with(|| Part { at, ..Part::default() })
    }

    fn push_quoted(&mut self, at: usize, letter: char) {
        let part = self.part(at);
        part.text.push(letter);
        part.bare.push('q');
        part.quoted = true;
    }

    fn next_is(&mut self, wanted: impl Fn(char) -> bool) -> bool {
        self.chars.peek().is_some_and(|(_, letter)| wanted(*letter))
    }

    /// Outside quotes.
    fn bare(&mut self, at: usize, letter: char) -> Result<(), Refusal> {
        match letter {
            ' ' | '\t' => self.finish(),
            '\'' => self.single(at),
            '"' => self.double(at),
            '\\' => self.escape(at),
            '$' => self.dollar(at, false),
            _ if letter.is_ascii() => {
                self.operator(at, letter)?;
                let part = self.part(at);
                part.text.push(letter);
                part.bare.push(letter);
                Ok(())
            }
            _ => Err(beyond_ascii(at, letter)),
        }
    }

    /// Refuses what a shell acts upon outside quotes.
    fn operator(&mut self, at: usize, letter: char) -> Result<(), Refusal> {
        let refuse = |reason, message: &str, hint: &str| Err(Refusal::new(reason, at, message).hinted(hint));
        match letter {
            '|' if self.next_is(|next| next == '|') => {
                refuse(Reason::Or, "`||` joins two commands", "write each command on its own line")
            }
            '|' => refuse(
                Reason::Pipe,
                "`|` pipes into another program",
                "use a selector, `--tail` or `-o jsonpath='…'` to see less",
            ),
            '&' if self.next_is(|next| next == '&') => {
                refuse(Reason::And, "`&&` joins two commands", "write each command on its own line")
            }
            '&' => refuse(Reason::Background, "`&` starts it in the background", "quote it where it is text"),
            ';' => refuse(Reason::Semicolon, "`;` joins two commands", "write each command on its own line"),
            '<' | '>' => refuse(
                Reason::Redirection,
                "`<` and `>` redirect to or from a file",
                "a manifest goes into a `yaml` block with a name; quote a `>` that is text",
            ),
            '`' => refuse(Reason::CommandSubstitution, "a backtick runs another command", "write out what it prints"),
            '(' | ')' => refuse(
                Reason::Subshell,
                "`(` and `)` start a subshell",
                "quote them where they are text: `-l 'app in (a, b)'`",
            ),
            '*' | '?' | '[' | ']' => refuse(
                Reason::Glob,
                "`*`, `?`, `[` and `]` outside quotes match file names",
                "put single quotes around the word: `-o jsonpath='{.items[*].metadata.name}'`",
            ),
            '~' if self.word.as_ref().is_none_or(|part| part.text.is_empty() || part.text.ends_with(['=', ':'])) => {
                refuse(Reason::Tilde, "`~` stands for a home directory", "quote it where it is text")
            }
            '!' if !self.next_is(|next| next == '=') => {
                refuse(Reason::History, "`!` calls up the history of a shell", "put single quotes around the word")
            }
            '#' if self.word.is_none() => {
                refuse(Reason::Comment, "`#` begins a comment", "put the comment on a line of its own")
            }
            _ => Ok(()),
        }
    }

    /// A backslash outside quotes.
    fn escape(&mut self, at: usize) -> Result<(), Refusal> {
        match self.chars.next() {
            None => Err(Refusal::new(Reason::Unbalanced, at, "the line ends in `\\`")
                .hinted("a command that goes on is joined to one line first")),
            Some((_, '$')) => Err(dollar(at)),
            Some((at, '\t')) => Err(Refusal::new(Reason::ControlCharacter, at, "a tab inside a word")),
            Some((_, letter)) if !letter.is_ascii() => Err(beyond_ascii(at, letter)),
            Some((_, letter)) => {
                self.push_quoted(at, letter);
                Ok(())
            }
        }
    }

    fn single(&mut self, open: usize) -> Result<(), Refusal> {
        self.part(open).quoted = true;
        loop {
            match self.chars.next() {
                None => return Err(unbalanced(open, '\'')),
                Some((_, '\'')) => return Ok(()),
                Some((at, '\t')) => {
                    return Err(Refusal::new(Reason::ControlCharacter, at, "a tab inside a word"));
                }
                Some((at, '$')) if self.next_is(|next| next.is_ascii_uppercase()) => self.dollar(at, true)?,
                Some((at, letter)) => self.push_quoted(at, letter),
            }
        }
    }

    fn double(&mut self, open: usize) -> Result<(), Refusal> {
        self.part(open).quoted = true;
        loop {
            match self.chars.next() {
                None => return Err(unbalanced(open, '"')),
                Some((_, '"')) => return Ok(()),
                Some((at, '\t')) => {
                    return Err(Refusal::new(Reason::ControlCharacter, at, "a tab inside a word"));
                }
                Some((at, '$')) => self.dollar(at, true)?,
                Some((at, letter @ ('`' | '!'))) => {
                    self.operator(at, letter)?;
                    self.push_quoted(at, letter);
                }
                Some((at, '\\')) => match self.chars.peek().copied() {
                    Some((_, '$')) => return Err(dollar(at)),
                    Some((_, escaped @ ('"' | '\\' | '`'))) => {
                        self.chars.next();
                        self.push_quoted(at, escaped);
                    }
                    _ => self.push_quoted(at, '\\'),
                },
                Some((at, letter)) => self.push_quoted(at, letter),
            }
        }
    }

    /// A `$`: only a placeholder may follow.
    fn dollar(&mut self, at: usize, quoted: bool) -> Result<(), Refusal> {
        match self.chars.peek().map(|(_, next)| *next) {
            Some('A'..='Z') => {}
            Some('(') => {
                return Err(Refusal::new(Reason::CommandSubstitution, at, "`$(` runs another command")
                    .hinted("write out what it prints, or put a placeholder such as `$NAME` there"));
            }
            Some('{') => {
                return Err(Refusal::new(Reason::Expansion, at, "`${` expands a variable of a shell")
                    .hinted("a placeholder is written `$NAME`, without braces"));
            }
            _ => return Err(dollar(at)),
        }
        let part = self.part(at);
        part.quoted |= quoted;
        part.text.push('$');
        part.bare.push('q');
        let start = part.text.len() - 1;
        while let Some((_, letter)) = self.chars.next_if(|(_, letter)| params::in_name(*letter)) {
            let part = self.part(at);
            part.text.push(letter);
            part.bare.push('q');
        }
        let part = self.part(at);
        part.marks.push((start, part.text.len()));
        Ok(())
    }

    /// Ends the word that is being read.
    fn finish(&mut self) -> Result<(), Refusal> {
        let Some(part) = self.word.take() else { return Ok(()) };
        if let Some((_, inside)) = part.bare.split_once('{')
            && (inside.contains(',') || inside.contains(".."))
        {
            let message = format!("a shell makes several words of the braces in {}", shown(&part.text));
            return Err(Refusal::new(Reason::Brace, part.at, message).hinted("put single quotes around the word"));
        }
        if !params::spans(&part.text).eq(part.marks) || !params::clear(&part.text) {
            let message = format!("a placeholder in {} runs into the text beside it", shown(&part.text));
            return Err(Refusal::new(Reason::Placeholder, part.at, message).hinted(
                "a placeholder is `$` and upper-case letters, digits or `_`; \
                 what follows it must begin with another character, such as `-`, `/` or `.`",
            ));
        }
        self.words.push(Word { text: part.text, at: part.at, quoted: part.quoted });
        Ok(())
    }
}

fn dollar(at: usize) -> Refusal {
    Refusal::new(Reason::Dollar, at, "`$` outside single quotes, and no placeholder")
        .hinted("a placeholder is written `$NAME`, upper-case; leave out the `$` of a prompt")
}

fn unbalanced(at: usize, quote: char) -> Refusal {
    Refusal::new(Reason::Unbalanced, at, format!("the quote {quote} is not closed"))
}

/// A character beyond ASCII outside quotes: most are what an editor made of a dash or a quote.
fn beyond_ascii(at: usize, letter: char) -> Refusal {
    let code = u32::from(letter);
    let meant = match letter {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' | '\u{30fc}' => "-` or `--",
        '\u{2018}'..='\u{201b}' | '\u{2032}' | '\u{b4}' | '\u{2b9}' | '\u{ff07}' => "'",
        '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{ab}' | '\u{bb}' | '\u{ff02}' => "\"",
        '\u{2026}' => "...",
        _ => {
            let message = format!("{} (U+{code:04X}) outside quotes", shown(&letter.to_string()));
            return Refusal::new(Reason::NotAscii, at, message).hinted("put single quotes around the word");
        }
    };
    Refusal::new(Reason::LookAlike, at, format!("`{letter}` (U+{code:04X}) only looks like an ASCII character"))
        .hinted(format!("type `{meant}`; text editors and web pages put the other one there"))
}
