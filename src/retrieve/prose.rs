//! Markdown as its lines of prose and its fenced blocks.
//!
//! *Invariant:* no line is lost or made up, and each knows where it stands in the file. This is for weights and
//! quotes only; what runs comes from the parser.

/// What a line belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A sentence, an item, a row.
    Prose,
    /// A line of a block of commands.
    Command,
    /// A line of a diagram.
    Diagram,
    /// A line of another block: output, a message, a manifest.
    Block,
}

/// A line that is not empty.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) kind: Kind,
    /// Without marks of markdown.
    pub(super) text: String,
    /// Where it stands in the file, from 1.
    pub(super) at: usize,
}

/// What a line of commands begins with.
const PROGRAMS: &[&str] =
    &["$ ", "ceph ", "curl ", "etcdctl ", "helm ", "journalctl ", "kubectl ", "oc ", "sudo ", "systemctl "];
/// Languages of blocks of commands.
const SHELLS: &[&str] = &["bash", "console", "sh", "shell", "zsh"];

/// The lines of `markdown`, whose first one is line `first` of the file.
pub(super) fn lines(markdown: &str, first: usize) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut fence: Option<Fence> = None;
    let mut comment = false;
    for (at, raw) in markdown.lines().enumerate() {
        let trimmed = raw.trim();
        if let Some(open) = &mut fence {
            if trimmed.starts_with(&open.mark) && trimmed.trim_start_matches(open.letter).is_empty() {
                open.settle(&mut lines);
                fence = None;
            } else if !trimmed.is_empty() {
                lines.push(Line { kind: open.kind, text: trimmed.to_owned(), at: first + at });
            }
            continue;
        }
        if let Some(open) = Fence::open(trimmed, lines.len()) {
            fence = Some(open);
            continue;
        }
        let text = plain(trimmed, &mut comment);
        if !text.is_empty() {
            lines.push(Line { kind: Kind::Prose, text, at: first + at });
        }
    }
    if let Some(open) = fence {
        open.settle(&mut lines);
    }
    lines
}

/// A block that is open.
struct Fence {
    mark: String,
    letter: char,
    kind: Kind,
    /// The number of lines before it.
    before: usize,
}

impl Fence {
    fn open(line: &str, before: usize) -> Option<Fence> {
        let letter = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let info = line.trim_start_matches(letter);
        let length = line.len() - info.len();
        if length < 3 || info.contains('`') {
            return None;
        }
        let language = info.split(|c: char| c.is_whitespace() || c == '{').find(|word| !word.is_empty());
        let language = language.unwrap_or_default().to_ascii_lowercase();
        let kind = if language == "mermaid" {
            Kind::Diagram
        } else if SHELLS.contains(&language.as_str()) {
            Kind::Command
        } else {
            Kind::Block
        };
        Some(Fence { mark: letter.to_string().repeat(length), letter, kind, before })
    }

    /// A block without a language that has a command in it is one of commands.
    fn settle(&self, lines: &mut [Line]) {
        let own = lines.get_mut(self.before..).unwrap_or_default();
        if self.kind == Kind::Block
            && own.iter().any(|line| PROGRAMS.iter().any(|program| line.text.starts_with(program)))
        {
            for line in own {
                line.kind = Kind::Command;
            }
        }
    }
}

/// A line of prose without links' targets, comments and emphasis.
fn plain(line: &str, comment: &mut bool) -> String {
    let mut made = String::with_capacity(line.len());
    let mut rest = line;
    while !rest.is_empty() {
        if *comment {
            let Some((_, after)) = rest.split_once("-->") else { break };
            *comment = false;
            rest = after;
        }
        let (before, after) = match rest.split_once("<!--") {
            Some((before, after)) => {
                *comment = true;
                (before, after)
            }
            None => (rest, ""),
        };
        unlinked(before, &mut made);
        rest = after;
    }
    let text = made.replace(['`', '*'], "");
    let text = text.trim_start_matches(['#', '>', '-', '+', ' ', '|']);
    let words = text.split_whitespace().filter(|word| !word.contains("://"));
    words.collect::<Vec<_>>().join(" ")
}

/// `[text](target)` as `text`.
fn unlinked(text: &str, made: &mut String) {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("](") {
        let (head, label) = before.rsplit_once('[').unwrap_or((before, ""));
        made.push_str(head.strip_suffix('!').unwrap_or(head));
        made.push_str(label);
        rest = after.split_once(')').map_or("", |(_, tail)| tail);
    }
    made.push_str(rest);
}

/// What stands in backticks or in double quotes: names, and messages as they are printed.
pub(super) fn quotes(markdown: &str) -> Vec<&str> {
    let mut quotes = Vec::new();
    for line in markdown.lines().filter(|line| !line.trim_start().starts_with("```")) {
        quotes.extend(line.split('`').skip(1).step_by(2).filter(|text| !text.trim().is_empty()));
        quotes.extend(line.split('"').skip(1).step_by(2).filter(|text| text.len() >= 8));
    }
    quotes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_know_what_they_are_and_where() {
        let markdown = "A [link](https://x.y) and `code` **bold**.\n\n```text\nError: x\n```\n```\nkubectl get pods\nNAME\n```\n- item <!-- hidden\nstill --> shown\n```mermaid\nA-->B\n";
        let shown: Vec<_> = lines(markdown, 10).into_iter().map(|line| (line.at, line.kind, line.text)).collect();
        let line = |line, kind, text: &str| (line, kind, text.to_owned());
        assert_eq!(
            shown,
            [
                line(10, Kind::Prose, "A link and code bold."),
                line(13, Kind::Block, "Error: x"),
                line(16, Kind::Command, "kubectl get pods"),
                line(17, Kind::Command, "NAME"),
                line(19, Kind::Prose, "item"),
                line(20, Kind::Prose, "shown"),
                line(22, Kind::Diagram, "A-->B"),
            ]
        );
    }

    #[test]
    fn broken_markdown_is_text() {
        for text in ["](", "[", "](x", "`", "```", "~~~~\nx", "<!--", "-->", "![a](b", "\u{0}"] {
            let _ = lines(text, 1);
        }
        assert_eq!(lines("see [a](b", 1).first().map(|line| line.text.as_str()), Some("see a"));
    }

    #[test]
    fn quotes_are_code_and_messages() {
        assert_eq!(quotes("`a` or \"no space left\" or \"x\"\n```sh"), ["a", "no space left"]);
    }
}
