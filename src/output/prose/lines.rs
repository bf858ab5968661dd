//! Marked words on lines of a width.
//!
//! *Invariant:* columns are counted as a terminal counts them. A mark never goes over the end of a line, so what stands
//! before the next one is never painted.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{Marks, Paint};

/// Text of one mark; a newline is one that stays.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) marks: Marks,
}

/// What stands between two blanks.
type Word = Vec<Piece>;

impl Piece {
    pub(super) fn new(text: &str, marks: Marks) -> Piece {
        Piece { text: text.to_owned(), marks }
    }

    pub(super) fn new_line() -> Piece {
        Piece::new("\n", Marks::default())
    }
}

/// The lines that the pieces make, none wider than `room` but for a word that must not be torn.
pub(super) fn wrapped(pieces: Vec<Piece>, room: usize) -> Vec<Vec<Word>> {
    let mut lines = Vec::new();
    for words in paragraphs(pieces) {
        let (mut line, mut used) = (Vec::new(), 0);
        for word in words.into_iter().flat_map(|word| torn(word, room)) {
            let width = width(&word);
            if used > 0 && used + 1 + width > room {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            used += width + usize::from(used > 0);
            line.push(word);
        }
        if !line.is_empty() {
            lines.push(line);
        }
    }
    lines
}

/// The words between newlines.
fn paragraphs(pieces: Vec<Piece>) -> Vec<Vec<Word>> {
    let mut all = vec![Vec::new()];
    let mut word: Word = Vec::new();
    let mut end = |word: &mut Word, line: bool| {
        if let (false, Some(words)) = (word.is_empty(), all.last_mut()) {
            words.push(std::mem::take(word));
        }
        if line {
            all.push(Vec::new());
        }
    };
    for piece in pieces {
        if piece.text == "\n" {
            end(&mut word, true);
            continue;
        }
        for (at, part) in piece.text.split(' ').enumerate() {
            if at > 0 {
                end(&mut word, false);
            }
            if !part.is_empty() {
                word.push(Piece::new(part, piece.marks));
            }
        }
    }
    end(&mut word, false);
    all
}

fn width(word: &[Piece]) -> usize {
    word.iter().map(|piece| piece.text.width()).sum()
}

/// A word that has no room on any line, in parts; but what is copied from a terminal stays whole.
fn torn(word: Word, room: usize) -> Vec<Word> {
    let whole = word.iter().any(|piece| piece.marks.code || piece.text.contains("://"));
    if whole || width(&word) <= room {
        return vec![word];
    }
    let (mut parts, mut part, mut used) = (Vec::new(), Word::new(), 0);
    for piece in word {
        let mut text = String::new();
        for c in piece.text.chars() {
            let columns = c.width().unwrap_or_default();
            if used + columns > room {
                part.push(Piece::new(&std::mem::take(&mut text), piece.marks));
                parts.push(std::mem::take(&mut part));
                used = 0;
            }
            used += columns;
            text.push(c);
        }
        part.push(Piece::new(&text, piece.marks));
    }
    parts.push(part);
    parts
}

/// A line as it is printed: neighbours of one mark are painted together.
pub(super) fn painted(line: &[Word], paint: Paint) -> String {
    let mut runs: Vec<Piece> = Vec::new();
    for (at, word) in line.iter().enumerate() {
        for (part, piece) in word.iter().enumerate() {
            let blank = at > 0 && part == 0;
            if let Some(last) = runs.last_mut().filter(|last| last.marks == piece.marks) {
                last.text.push_str(if blank { " " } else { "" });
                last.text.push_str(&piece.text);
                continue;
            }
            if blank {
                runs.push(Piece::new(" ", Marks::default()));
            }
            runs.push(piece.clone());
        }
    }
    runs.iter().map(|run| paint.marked(&run.text, run.marks)).collect()
}

/// What is printed of pieces that stand on one line.
pub(super) fn flat(pieces: &[Piece], paint: Paint) -> (String, usize) {
    let text = pieces.iter().map(|piece| paint.marked(piece.text.trim_matches('\n'), piece.marks)).collect();
    (text, width(pieces))
}
