//! Markdown for a terminal: pages of detectors, runbooks, and what a model writes.
//!
//! *Invariant:* pure. A reference such as `&#27;` becomes its character only while markdown is read, so every text is
//! made harmless after that. Blocks of code are neither wrapped nor cut, so that commands can be pasted; without colours
//! there is no escape sequence, and what colours would say is said by indents and backticks.

mod lines;
mod table;

use pulldown_cmark::{CowStr, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd};

use super::Style;
use super::paint::{Marks, Paint};
use crate::printable::{one_line, printable};
use lines::Piece;
use table::Table;

/// A line has so many columns behind what it begins with, however narrow the terminal and deep the list.
const LEAST: usize = 20;

/// A page: what stands under a heading is set in, and lines of a paragraph are one.
pub fn page(source: &str, style: &Style) -> String {
    let style = Style { width: style.width.clamp(40, 100), ..*style };
    let text = Prose::new(&style, String::new(), Manner::Page).read(source);
    if text.is_empty() { text } else { format!("{}\n", text.trim_end()) }
}

/// What a model says, beneath a label that is `indent` wide: dense, and its lines are lines.
pub(super) fn answer(source: &str, style: &Style, indent: usize) -> String {
    Prose::new(style, " ".repeat(indent), Manner::Answer).read(source)
}

/// What the text is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Page,
    Answer,
}

struct Prose {
    out: String,
    paint: Paint,
    width: usize,
    manner: Manner,
    /// What every line begins with.
    base: String,
    /// Under a heading.
    section: &'static str,
    /// What lists and quotes begin lines with.
    prefixes: Vec<String>,
    /// The mark of an item whose first line is not written yet.
    mark: Option<String>,
    /// The next number of each open list; none of one with dashes.
    lists: Vec<Option<u64>>,
    pieces: Vec<Piece>,
    marks: Marks,
    /// The targets of open links, and where their texts begin.
    links: Vec<(String, usize)>,
    /// The block of code that is read.
    code: Option<String>,
    table: Option<Table>,
}

impl Prose {
    fn new(style: &Style, base: String, manner: Manner) -> Prose {
        Prose {
            out: String::new(),
            paint: Paint::new(style),
            width: style.width,
            manner,
            base,
            section: "",
            prefixes: Vec::new(),
            mark: None,
            lists: Vec::new(),
            pieces: Vec::new(),
            marks: Marks::default(),
            links: Vec::new(),
            code: None,
            table: None,
        }
    }

    fn read(mut self, source: &str) -> String {
        for event in Parser::new_ext(source, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
            match event {
                Event::Start(tag) => self.start(tag),
                Event::End(tag) => self.end(tag),
                Event::Code(text) => self.inline_code(&text),
                // Placeholders such as `<POD>` are HTML to markdown, and text to people.
                Event::Text(text)
                | Event::InlineHtml(text)
                | Event::InlineMath(text)
                | Event::DisplayMath(text)
                | Event::FootnoteReference(text) => self.text(&text),
                Event::Html(text) => self.html(&text),
                Event::SoftBreak if self.manner == Manner::Page => self.push(" "),
                Event::SoftBreak | Event::HardBreak => self.pieces.push(Piece::new_line()),
                Event::Rule => {
                    self.block();
                    self.line(&"-".repeat(20));
                }
                Event::TaskListMarker(done) => self.push(if done { "[x] " } else { "[ ] " }),
            }
        }
        self.flush();
        self.out
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph | Tag::HtmlBlock => self.block(),
            Tag::Heading { level, .. } => {
                self.section = "";
                self.block();
                self.marks.strong = true;
                if self.manner == Manner::Page && level > HeadingLevel::H1 {
                    self.section = "  ";
                }
            }
            Tag::BlockQuote(_) => {
                self.block();
                self.prefixes.push("| ".to_owned());
            }
            Tag::CodeBlock(_) => {
                self.block();
                self.code = Some(String::new());
            }
            Tag::List(first) => {
                // One within an item stands right beneath its text.
                if self.lists.is_empty() {
                    self.block();
                } else {
                    self.flush();
                }
                self.lists.push(first);
            }
            Tag::Item => {
                self.flush();
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        let mark = format!("{number}. ");
                        *number = number.saturating_add(1);
                        mark
                    }
                    _ => "- ".to_owned(),
                };
                self.prefixes.push(" ".repeat(mark.len()));
                self.mark = Some(mark);
            }
            Tag::Emphasis => self.marks.emphasis = true,
            Tag::Strong => self.marks.strong = true,
            Tag::Link { dest_url, link_type, .. } => self.link(link_type, &dest_url),
            Tag::Image { dest_url, .. } => self.links.push((dest_url.into_string(), self.pieces.len())),
            Tag::Table(_) => {
                self.block();
                self.table = Some(Table::default());
            }
            Tag::TableHead | Tag::TableRow => self.table.iter_mut().for_each(Table::row),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => self.flush(),
            TagEnd::Heading(_) => {
                let section = std::mem::take(&mut self.section);
                self.flush();
                self.section = section;
                self.marks.strong = false;
            }
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.prefixes.pop();
            }
            TagEnd::CodeBlock => self.block_of_code(),
            TagEnd::List(_) => {
                self.lists.pop();
            }
            TagEnd::Item => {
                self.flush();
                self.mark = None;
                self.prefixes.pop();
            }
            TagEnd::Emphasis => self.marks.emphasis = false,
            TagEnd::Strong => self.marks.strong = false,
            TagEnd::Link | TagEnd::Image => self.end_of_link(),
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.pieces);
                self.table.iter_mut().for_each(|table| table.cell(cell.clone()));
            }
            TagEnd::Table => {
                let room = self.room();
                for line in self.table.take().map(|table| table.lines(self.paint, room)).unwrap_or_default() {
                    self.line(&line);
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(code) = &mut self.code {
            code.push_str(text);
            return;
        }
        self.push(&one_line(text));
    }

    fn push(&mut self, text: &str) {
        self.pieces.push(Piece::new(text, self.marks));
    }

    /// Without colours the backticks say that it is code.
    fn inline_code(&mut self, text: &str) {
        let text = one_line(text);
        let shown = if self.paint.colors() { text.into_owned() } else { format!("`{text}`") };
        self.pieces.push(Piece::new(&shown, Marks { code: true, ..self.marks }));
    }

    fn html(&mut self, text: &CowStr<'_>) {
        for line in printable(text).lines() {
            self.push(line);
            self.pieces.push(Piece::new_line());
        }
    }

    fn link(&mut self, kind: LinkType, target: &str) {
        // `<redacted:1a2b3c4d~16>` is a link to markdown, and a placeholder here.
        let is_address = target.contains("://") || target.starts_with("mailto:");
        let bare = matches!(kind, LinkType::Autolink | LinkType::Email);
        if bare && !is_address && kind == LinkType::Autolink {
            self.push("<");
            self.links.push((">".to_owned(), usize::MAX));
        } else {
            let shown = if bare || target.starts_with('#') { "" } else { target };
            self.links.push((shown.to_owned(), self.pieces.len()));
        }
    }

    /// A link's target, where its text does not say it.
    fn end_of_link(&mut self) {
        let Some((target, start)) = self.links.pop() else { return };
        if start == usize::MAX {
            self.push(&target);
            return;
        }
        let text: String = self.pieces.iter().skip(start).map(|piece| piece.text.as_str()).collect();
        let target = one_line(&target).into_owned();
        if !target.is_empty() && text != target {
            self.push(&if text.is_empty() { target } else { format!(" ({target})") });
        }
    }

    fn block_of_code(&mut self) {
        let Some(code) = self.code.take() else { return };
        for line in printable(code.trim_end_matches('\n')).split('\n') {
            self.line(&self.paint.look(format!("  {line}").trim_end()));
        }
    }

    /// Begins a block: what was open ends, and a page has a blank line before it.
    fn block(&mut self) {
        self.flush();
        let first = self.mark.is_some() || self.out.is_empty() || self.out.ends_with("\n\n");
        if self.manner == Manner::Page && !first {
            self.out.push('\n');
        }
    }

    /// Writes the paragraph that was read.
    fn flush(&mut self) {
        let pieces = std::mem::take(&mut self.pieces);
        for line in lines::wrapped(pieces, self.room()) {
            self.line(&lines::painted(&line, self.paint));
        }
    }

    /// Columns behind what a line begins with; so many that a word has room.
    fn room(&self) -> usize {
        let prefix = self.base.len() + self.section.len() + self.prefixes.iter().map(String::len).sum::<usize>();
        self.width.saturating_sub(prefix).max(LEAST)
    }

    fn line(&mut self, text: &str) {
        let mut line = format!("{}{}", self.base, self.section);
        match self.mark.take() {
            Some(mark) => {
                let (_, outer) =
                    self.prefixes.split_last().map_or((None, &[][..]), |(last, outer)| (Some(last), outer));
                line.extend(outer.iter().map(String::as_str));
                line.push_str(&mark);
            }
            None => line.extend(self.prefixes.iter().map(String::as_str)),
        }
        line.push_str(text);
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }
}

#[cfg(test)]
mod tests;
