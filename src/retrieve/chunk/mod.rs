//! What an index keeps of a runbook: its weighted terms, and the texts that get vectors.
//!
//! *Invariant:* both depend on the runbook alone. Whoever changes what comes out raises [`TERMS`] or [`CHUNKER`], and
//! every index is made again.

use crate::model::Runbook;
use crate::model::runbook::{Section, Signature};

use super::prose::{self, Kind, Line};
use super::text::{self, Bag};
use super::{Chunk, Derived, Terms};

/// Version of the terms.
pub const TERMS: u32 = 1;
/// Version of the chunks.
pub const CHUNKER: u32 = 1;
/// Both, as one word for an index.
pub const VERSION: &str = "terms-1 chunks-1";

/// At most this many chunks of a document, the whole document among them.
pub const MOST_CHUNKS: usize = 64;
/// About what a model with 256 tokens reads, beside the title.
const CHUNK: usize = 900;
/// A chunk that is broken off is not shorter than this.
const SHORTEST: usize = 300;
/// Less says nothing of its own.
const WORTH: usize = 40;
/// The text for the vector of the whole document; a model reads about half of it.
const WHOLE: usize = 2500;
/// Of a block that is no command: its first lines tell what it is.
const BLOCK: usize = 400;
/// What is looked at of one runbook.
const MOST_TEXT: usize = 256 * 1024;

/// What a term weighs by where it stands.
mod weight {
    pub(super) const TITLE: f32 = 4.0;
    pub(super) const NAME: f32 = 2.0;
    pub(super) const ALERT: f32 = 2.0;
    pub(super) const SIGNAL: f32 = 2.0;
    pub(super) const DESCRIPTION: f32 = 1.5;
    pub(super) const HEADING: f32 = 1.0;
    pub(super) const TAG: f32 = 1.0;
    pub(super) const TEXT: f32 = 1.0;
    /// Once more, where a message is quoted.
    pub(super) const QUOTE: f32 = 1.0;
    pub(super) const COMMAND: f32 = 0.4;
    pub(super) const DIAGRAM: f32 = 0.3;
}

/// Derives what an index keeps.
pub fn derive(runbook: &Runbook) -> Derived {
    let mut left = MOST_TEXT;
    let sections: Vec<(&Section, Vec<Line>)> = runbook
        .sections
        .iter()
        .map(|section| {
            let text = head(&section.text, left);
            left -= text.len();
            // Before the first heading the text begins at the line itself.
            (section, prose::lines(text, section.line + usize::from(section.level > 0)))
        })
        .collect();
    Derived { terms: terms(runbook, &sections), chunks: chunks(runbook, &sections) }
}

fn terms(runbook: &Runbook, sections: &[(&Section, Vec<Line>)]) -> Terms {
    let front = &runbook.front;
    let mut bag = Bag::default();
    bag.add(&front.title, weight::TITLE);
    bag.add(&front.name, weight::NAME);
    bag.add(&front.description, weight::DESCRIPTION);
    front.tags.iter().for_each(|tag| bag.add(tag, weight::TAG));
    signals(&front.signature, &mut bag);
    for (section, lines) in sections {
        let main = section.level == 1 && section.heading != front.title;
        bag.add(&section.heading, if main { weight::TITLE } else { weight::HEADING });
        let heading = section.heading.to_lowercase();
        let quoted = heading.contains("error message") || heading.contains("symptom");
        for line in lines {
            let weight = match line.kind {
                Kind::Prose | Kind::Block if quoted => weight::TEXT + weight::QUOTE,
                Kind::Prose | Kind::Block => weight::TEXT,
                Kind::Command => weight::COMMAND,
                Kind::Diagram => weight::DIAGRAM,
            };
            bag.add(&line.text, weight);
        }
        for quote in prose::quotes(head(&section.text, MOST_TEXT)) {
            bag.add(quote, weight::QUOTE);
        }
    }
    let length = bag.0.values().sum();
    Terms { counts: bag.0, length }
}

fn signals(signature: &Signature, bag: &mut Bag) {
    for text in signature.detectors.iter().chain(&signature.reasons) {
        bag.add(text, weight::SIGNAL);
    }
    signature.alerts.iter().for_each(|alert| bag.add(alert, weight::ALERT));
    signature.kinds.iter().for_each(|kind| bag.add(kind, weight::TAG));
    signature.exit_codes.iter().for_each(|code| bag.add(&format!("exit code {code}"), weight::SIGNAL));
    for pattern in &signature.logs {
        // Words of the pattern; its own marks are no letters, but for those behind a backslash.
        let mut words = String::with_capacity(pattern.len());
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            words.push(if c == '\\' { chars.next().filter(|c| !c.is_alphanumeric()).unwrap_or(' ') } else { c });
        }
        bag.add(&words, weight::SIGNAL);
    }
}

/// The title, with an identifier in it also as words, which is how a model knows them.
fn title(runbook: &Runbook) -> String {
    let title = &runbook.front.title;
    let words = text::spaced(title);
    if words == *title { words } else { format!("{title} {words}") }
}

fn chunks(runbook: &Runbook, sections: &[(&Section, Vec<Line>)]) -> Vec<Chunk> {
    let title = title(runbook);
    let mut whole = format!("{title}\n");
    let mut builder = Builder { title: &title, chunks: Vec::new(), text: String::new(), heading: "", line: 1 };
    for (section, lines) in sections {
        let heading = if section.level > 1 { section.heading.as_str() } else { "" };
        let spoken = spoken(lines);
        for text in std::iter::once(heading).chain(spoken.iter().map(|line| line.1)) {
            if whole.len() < WHOLE && !text.is_empty() {
                whole.push_str(text);
                whole.push('\n');
            }
        }
        if !leads_away(heading) && !spoken.is_empty() {
            builder.section(&section.heading, heading, section.line, &spoken);
        }
    }
    builder.flush();
    let mut chunks = builder.chunks;
    // One chunk would be the whole document once more.
    if chunks.len() == 1 {
        chunks.clear();
    }
    let whole = head(whole.trim_end(), WHOLE).to_owned();
    chunks.insert(0, Chunk { heading: String::new(), text: whole, line: 1 });
    chunks.truncate(MOST_CHUNKS);
    chunks
}

/// Sections that only lead away.
fn leads_away(heading: &str) -> bool {
    let heading = heading.to_lowercase();
    ["references", "related", "further reading", "additional resources", "see also", "links"]
        .iter()
        .any(|start| heading.starts_with(start))
}

/// The lines that say something: all but commands and diagrams, and not all of a long block.
fn spoken(lines: &[Line]) -> Vec<(usize, &str)> {
    let mut spoken = Vec::new();
    let mut block = 0;
    for line in lines {
        match line.kind {
            Kind::Prose => block = 0,
            Kind::Block => block += line.text.len() + 1,
            Kind::Command | Kind::Diagram => continue,
        }
        if block <= BLOCK {
            spoken.push((line.at, line.text.as_str()));
        }
    }
    spoken
}

/// Fills chunks: small sections share one, long ones are broken at the ends of lines.
struct Builder<'a> {
    title: &'a str,
    chunks: Vec<Chunk>,
    text: String,
    heading: &'a str,
    line: usize,
}

impl<'a> Builder<'a> {
    /// `heading` is what to quote, `shown` what stands in the text.
    fn section(&mut self, heading: &'a str, shown: &str, at: usize, lines: &[(usize, &str)]) {
        let length: usize = lines.iter().map(|(_, text)| text.len() + 1).sum();
        if self.text.len() + shown.len() + length > CHUNK {
            self.flush();
        }
        if self.text.is_empty() {
            (self.heading, self.line) = (heading, at.max(1));
        }
        self.push(shown);
        for (line, text) in lines {
            let mut rest = *text;
            while !rest.is_empty() {
                if self.text.len() >= SHORTEST && self.text.len() + rest.len() > CHUNK {
                    self.flush();
                    (self.heading, self.line) = (heading, *line);
                    self.push(shown);
                }
                let piece = head(rest, CHUNK);
                self.push(piece);
                rest = rest.get(piece.len()..).unwrap_or_default();
            }
        }
    }

    fn push(&mut self, text: &str) {
        if !text.is_empty() {
            self.text.push_str(text);
            self.text.push('\n');
        }
    }

    fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        let text = text.trim();
        if text.len() > WORTH {
            let text = format!("{}\n{text}", self.title);
            self.chunks.push(Chunk { heading: self.heading.to_owned(), text, line: self.line });
        }
    }
}

/// At most `most` bytes of it, whole characters; at least one, so that who cuts pieces comes to an end.
pub(super) fn head(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    if end == 0 && most > 0 {
        end = text.chars().next().map_or(0, char::len_utf8);
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests;
