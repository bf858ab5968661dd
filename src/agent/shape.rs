//! Text of a tool, shaped for a model: cut with a note, and never able to end the frame that it stands in.
//!
//! *Invariant:* what is left out is said, with how to see it.

use crate::model::Observation;

/// A text that was cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// What is left.
    pub(super) text: String,
    /// What is not.
    pub(super) note: Option<String>,
}

/// At most about `most` bytes of a text: its first lines, and its last where more would be lost than is gained.
pub(super) fn cut(text: &str, most: usize, step: usize) -> Cut {
    if text.len() <= most {
        return Cut { text: text.to_owned(), note: None };
    }
    let lines: Vec<&str> = text.lines().collect();
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
    if first + last == 0 {
        let text = head(text, most);
        return Cut { note: Some(format!("showing the first {} bytes of {}", text.len(), text.len().max(most))), text };
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
        let one = super::cut(&"é".repeat(5_000), 1_000, 1);
        assert!(one.text.len() <= 1_010 && one.note.is_some());
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
