//! The passage of a runbook to quote: of the chunk that fits best, the lines that say most of what was asked.
//!
//! *Invariant:* a passage is text of the chunk, whole lines where they are short enough.

use super::chunk::head;
use super::dense::Dense;
use super::lexical::Lexical;
use super::{Chunk, Shelf, ShelfError};

/// About two lines of a terminal.
const LONGEST: usize = 300;
/// What the nearest meaning is worth beside words, as a share of the best words.
const MEANING: f32 = 0.5;

/// A quote.
pub(super) struct Passage {
    pub(super) heading: String,
    pub(super) text: String,
    pub(super) line: usize,
}

/// Finds it.
pub(super) fn best(
    document: u32,
    lexical: &Lexical,
    dense: Option<&Dense>,
    shelf: &dyn Shelf,
) -> Result<Passage, ShelfError> {
    let chunks = shelf.chunks(document)?;
    let nearest = dense.and_then(|dense| dense.chunk(document));
    // The whole document is quoted only where it is the one chunk.
    let first = usize::from(chunks.len() > 1);
    let fits: Vec<(u32, &Chunk, f32)> =
        (0_u32..).zip(&chunks).skip(first).map(|(n, chunk)| (n, chunk, lexical.fit(body(chunk)))).collect();
    let most = fits.iter().map(|fit| fit.2).fold(0.0, f32::max);
    let value = |(number, _, fit): &(u32, &Chunk, f32)| {
        let meant = if nearest == Some(*number) { MEANING * most.max(f32::MIN_POSITIVE) } else { 0.0 };
        fit + meant
    };
    let mut chosen: Option<&(u32, &Chunk, f32)> = None;
    for fit in &fits {
        if chosen.is_none_or(|chosen| value(fit) > value(chosen)) {
            chosen = Some(fit);
        }
    }
    let Some((_, chunk, _)) = chosen else {
        return Ok(Passage { heading: String::new(), text: String::new(), line: 1 });
    };
    Ok(Passage { heading: chunk.heading.clone(), text: lines(chunk, lexical), line: chunk.line })
}

/// The text behind the title.
fn body(chunk: &Chunk) -> &str {
    chunk.text.split_once('\n').map_or(chunk.text.as_str(), |(_, body)| body)
}

/// The lines of a chunk that fit best, as many as there is room for.
fn lines(chunk: &Chunk, lexical: &Lexical) -> String {
    let lines: Vec<&str> =
        body(chunk).lines().filter(|line| *line != chunk.heading && !line.trim().is_empty()).collect();
    let fits: Vec<f32> = lines.iter().map(|line| lexical.fit(line)).collect();
    let mut best: (f32, String) = (-1.0, String::new());
    for start in 0..lines.len() {
        let mut text = String::new();
        let mut fit = 0.0;
        for (line, own) in lines.iter().zip(&fits).skip(start) {
            if !text.is_empty() && text.len() + line.len() >= LONGEST {
                break;
            }
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(line.trim());
            fit += own;
        }
        if fit > best.0 {
            best = (fit, text);
        }
    }
    let text = best.1;
    if text.len() <= LONGEST {
        return text;
    }
    let cut = head(&text, LONGEST);
    let cut = cut.rsplit_once(' ').map_or(cut, |(cut, _)| cut);
    format!("{cut} …")
}
