//! Text of a tool, shaped for a model: cut with a note, and never able to end the frame that it stands in.
//!
//! *Invariant:* what is left out is said, with how to see it: no line is so long that it can't be shown.

use std::borrow::Cow;

use crate::model::Observation;

/// A text that was cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// What is left.
    pub(super) text: String,
    /// What is not.
    pub(super) note: Option<String>,
}

/// Room for the number of a piece.
const NUMBER: usize = 24;

/// A text of more than `most` bytes with its long lines in numbered pieces, each a line of its own. Pieces stay whole
/// if they come here again.
pub(super) fn broken(text: &str, most: usize) -> Cow<'_, str> {
    let longest = most / 4;
    if text.len() <= most || text.lines().all(|line| line.len() <= longest) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for line in text.lines() {
        if line.len() <= longest {
            out.push_str(line);
            out.push('\n');
            continue;
        }
        let (mut pieces, mut rest) = (Vec::new(), line);
        while !rest.is_empty() {
            // A character is at most four bytes.
            let (piece, more) = rest.split_at(rest.floor_char_boundary(longest.saturating_sub(NUMBER).max(4)));
            pieces.push(piece);
            rest = more;
        }
        for (piece, number) in pieces.iter().zip(1..) {
            out.push_str(&format!("[{number} of {}] {piece}\n", pieces.len()));
        }
    }
    Cow::Owned(out)
}

/// At most about `most` bytes of a text: its first lines, and its last where more would be lost than is gained.
pub(super) fn cut(text: &str, most: usize, step: usize) -> Cut {
    if text.len() <= most {
        return Cut { text: text.to_owned(), note: None };
    }
    let whole = broken(text, most);
    let lines: Vec<&str> = whole.lines().collect();
    // The head of a table says what its columns are, the end of a log what happened last.
    let (mut first, mut last, mut used) = (0, 0, 0);
    while first < lines.len() && used + lines[first].len() < most * 2 / 3 {
        used += lines[first].len() + 1;
        first += 1;
    }
    while last < lines.len() - first && used + lines[lines.len() - 1 - last].len() < most {
        used += lines[lines.len() - 1 - last].len() + 1;
        last += 1;
    }
    let left = lines.len() - first - last;
    let next = first + 1;
    let mut shown: Vec<String> = lines.iter().take(first).map(|line| (*line).to_owned()).collect();
    shown.push(format!("[… {left} lines left out …]"));
    shown.extend(lines.iter().skip(lines.len() - last).map(|line| (*line).to_owned()));
    let note = format!(
        "showing {} of {} lines; more with read_more {{\"step\": {step}, \"from\": {next}}}, or ask for less",
        first + last,
        lines.len()
    );
    Cut { text: shown.join("\n"), note: Some(note) }
}

/// At most `most` bytes, whole characters, with `…` where it is cut.
pub(super) fn head(text: &str, most: usize) -> String {
    match text.get(..text.floor_char_boundary(most)) {
        Some(head) if head.len() < text.len() => format!("{head}…"),
        _ => text.to_owned(),
    }
}

const TAG: &str = "observation";

/// Without what looks like the frame's own tags, in any case.
pub(super) fn unframed(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    if !lower.contains("<observation") && !lower.contains("</observation") {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, _) in lower.match_indices(TAG) {
        let before = text.get(done..at).unwrap_or_default();
        out.push_str(before);
        if before.ends_with('<') || before.ends_with("</") {
            out.push('_');
        }
        out.push_str(text.get(at..at + TAG.len()).unwrap_or_default());
        done = at + TAG.len();
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

/// What a model reads of a step.
pub(super) fn framed(step: usize, action: &str, observation: &Observation) -> String {
    let note = observation.note.as_ref().map(|note| format!("\n[{note}]")).unwrap_or_default();
    let text = observation.text.trim_end();
    let text = if text.is_empty() { "(empty)" } else { text };
    format!("step {step}: {action}\n<observation step=\"{step}\">\n{text}\n</observation>{note}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_keeps_both_ends_and_says_so() {
        let text = (1..=1000).map(|n| format!("line number {n}\n")).collect::<Vec<_>>().concat();
        let cut = cut(&text, 2_000, 4);
        assert!(cut.text.len() < 2_200, "{}", cut.text.len());
        assert!(cut.text.starts_with("line number 1\n") && cut.text.ends_with("line number 1000"));
        let note = cut.note.unwrap();
        assert!(
            note.starts_with("showing ") && note.contains("of 1000 lines; more with read_more {\"step\": 4"),
            "{note}"
        );
        assert_eq!(super::cut("short", 10, 1), Cut { text: "short".to_owned(), note: None });
    }

    #[test]
    fn a_long_line_is_shown_in_pieces() {
        let text = format!("first\n{}needle{}\nlast\n", "é".repeat(5_000), "x".repeat(5_000));
        let pieces = broken(&text, 1_000);
        assert_eq!(broken(&pieces, 1_000), pieces, "pieces stay whole");
        assert!(pieces.starts_with("first\n[1 of 67] éé") && pieces.ends_with("x\nlast\n"), "{pieces}");
        let bare: String = pieces.lines().map(|line| line.split_once("] ").map_or(line, |(_, piece)| piece)).collect();
        assert_eq!(bare, text.replace('\n', ""), "nothing is lost");
        let cut = super::cut(&text, 1_000, 1);
        assert!(cut.text.len() <= 1_100 && cut.text.ends_with("last"), "{}", cut.text.len());
        let note = cut.note.unwrap();
        assert!(note.contains("of 69 lines; more with read_more"), "{note}");
        assert_eq!(broken("a\nb", 1_000), "a\nb");
    }

    #[test]
    fn nothing_ends_the_frame() {
        for text in ["</observation>", "</OBSERVATION >", "a <observation step=\"0\"> b", "<</observation"] {
            let clean = unframed(text);
            assert!(
                !clean.to_lowercase().contains("</observation") && !clean.to_lowercase().contains("<observation"),
                "{clean}"
            );
        }
        assert_eq!(unframed("an observation"), "an observation");
    }
}
