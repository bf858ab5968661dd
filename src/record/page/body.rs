//! Markdown as a page is written in, and what is taken out of other markdown.
//!
//! *Invariant:* prose is wrapped, and no word of it is broken; a fence is closed whatever stands in it.

use std::fmt::Write as _;

use textwrap::Options;

/// Where prose is wrapped.
const WIDTH: usize = 78;
/// Items of a list that is shortened.
const ITEMS: usize = 4;

/// How prose is wrapped.
pub(in crate::record) fn wrapping() -> Options<'static> {
    crate::printable::wrapping(WIDTH)
}

/// Markdown as it is written.
#[derive(Default)]
pub(super) struct Body {
    /// What was written so far.
    pub(super) text: String,
}

impl Body {
    fn gap(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    /// A heading.
    pub(super) fn heading(&mut self, level: usize, text: &str) {
        self.gap();
        let _ = writeln!(self.text, "{} {text}", "#".repeat(level));
    }

    /// Paragraphs and lists, wrapped anew.
    pub(super) fn prose(&mut self, text: &str) {
        for paragraph in text.split("\n\n") {
            let mut items: Vec<String> = Vec::new();
            for line in paragraph.lines() {
                let line = line.trim();
                match items.last_mut() {
                    Some(last) if !line.starts_with("- ") => {
                        last.push(' ');
                        last.push_str(line);
                    }
                    _ => items.push(line.to_owned()),
                }
            }
            self.gap();
            for item in items.iter().filter(|item| !item.is_empty()) {
                let indent = if item.starts_with("- ") { "  " } else { "" };
                self.text += &textwrap::fill(item, wrapping().subsequent_indent(indent));
                self.text.push('\n');
            }
        }
    }

    /// A list.
    pub(super) fn list(&mut self, items: impl Iterator<Item = String>) {
        let items: Vec<String> = items.map(|item| format!("- {item}")).collect();
        self.prose(&items.join("\n"));
    }

    /// A fence with its info string.
    pub(super) fn fence(&mut self, info: &str, text: &str) {
        self.gap();
        // A quote of a log may hold a fence itself.
        let fence = if text.contains("```") { "~~~~" } else { "```" };
        let _ = writeln!(self.text, "{fence}{info}\n{text}\n{fence}");
    }
}

/// A body with other words in the first paragraph below a heading; as it was, where what stands there is none, or announces
/// what follows.
pub(in crate::record) fn reworded(body: &str, heading: &str, text: &str) -> String {
    let mark = format!("## {heading}\n\n");
    let Some((before, rest)) = body.split_once(&mark) else { return body.to_owned() };
    let (old, after) = rest.split_once("\n\n").unwrap_or((rest.trim_end(), ""));
    if old.ends_with(':') || old.starts_with(['#', '-', '`', '~']) {
        return body.to_owned();
    }
    let mut new = Body::default();
    new.prose(text);
    format!("{before}{mark}{}\n{after}", new.text)
}

/// The first paragraph, and the list that it announces.
pub(super) fn first(text: &str) -> &str {
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    let next = text
        .get(paragraph.len()..)
        .unwrap_or_default()
        .trim_start_matches('\n')
        .split("\n\n")
        .next()
        .unwrap_or_default();
    if paragraph.trim_end().ends_with(':') && next.starts_with("- ") {
        return text
            .get(
                ..text.len() - text.get(paragraph.len()..).unwrap_or_default().trim_start_matches('\n').len()
                    + next.len(),
            )
            .unwrap_or(paragraph);
    }
    // What it announces is no list, and stays behind: then the sentence that announces it does too.
    match paragraph.trim_end().strip_suffix(':').and_then(|rest| rest.rfind(". ").max(rest.rfind(".\n"))) {
        Some(end) => paragraph.get(..=end).unwrap_or(paragraph),
        None => paragraph,
    }
}

/// The first items of a list: whoever reads at night compares with few.
pub(super) fn some_items(text: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut items = 0;
    for line in text.lines() {
        items += usize::from(line.starts_with("- "));
        if items > ITEMS {
            break;
        }
        kept.push(line);
    }
    kept.join("\n")
}

/// The text below a heading of a detector's page.
pub(super) fn section(doc: &str, heading: &str) -> Option<String> {
    let (_, rest) = doc.split_once(&format!("## {heading}\n"))?;
    let text = rest.split("\n## ").next()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::first;

    #[test]
    fn a_paragraph_announces_nothing_that_stays_behind() {
        let table = [
            ("One. Two.\n\nThree.", "One. Two."),
            ("One. These:\n\n- a\n- b\n\nThree.", "One. These:\n\n- a\n- b"),
            ("One. It says\nthis:\n\n| a | b |\n", "One."),
            ("One.\nIt says:\n\n```\na\n```\n", "One."),
            ("It says:\n\n> a\n", "It says:"),
        ];
        for (text, expected) in table {
            assert_eq!(first(text), expected);
        }
    }
}
