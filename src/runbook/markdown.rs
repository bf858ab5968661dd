//! The syntax tree of a body, flattened to what a runbook needs: headings, fences, links, first paragraphs.
//!
//! *Invariant:* `CommonMark` decides what is a heading or a fence, never the look of a line; every part knows its line.

use std::collections::BTreeSet;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd};

use super::fence::{self, Fence};
use super::problem::Problem;
use super::source::FILE_UNREADABLE;

/// More headings than any runbook has.
const MAX_HEADINGS: usize = 1_000;
/// More fenced blocks than any runbook has.
const MAX_FENCES: usize = 1_000;
/// More lists in lists and quotes in quotes than anyone can read.
const MAX_DEPTH: usize = 50;

/// What a body is made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outline {
    /// Its headings, in order.
    pub headings: Vec<Heading>,
    /// Its fenced blocks, in order.
    pub fences: Vec<Fence>,
    /// Its links and images.
    pub links: Vec<Link>,
    /// Anchors that HTML in it sets.
    pub anchors: BTreeSet<String>,
    /// The first paragraph below each heading (by its number), or before the first one.
    pub(super) paragraphs: Vec<(Option<usize>, String)>,
}

/// A heading.
#[derive(Clone, Debug, PartialEq)]
pub struct Heading {
    /// Its text, without markup.
    pub text: String,
    /// 1 for `#`.
    pub level: u8,
    /// From 1, in the file.
    pub line: usize,
    /// Whether it stands in no list or quote, so that a section begins there.
    pub outermost: bool,
    /// Its bytes in the body.
    pub(super) range: Range<usize>,
}

/// A link or an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Where it leads.
    pub target: String,
    /// From 1, in the file.
    pub line: usize,
    /// From 1.
    pub column: usize,
}

/// The lines of a text.
pub(super) struct Lines {
    starts: Vec<usize>,
    first: usize,
}

impl Lines {
    /// Of a text that begins on line `first` of its file.
    pub(super) fn new(text: &str, first: usize) -> Lines {
        let after = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Lines { starts: std::iter::once(0).chain(after).collect(), first }
    }

    /// The line in the file that a byte stands on.
    pub(super) fn line(&self, at: usize) -> usize {
        self.index(at) + self.first
    }

    /// The byte's place in its line, from 1.
    fn column(&self, at: usize) -> usize {
        at - self.starts.get(self.index(at)).copied().unwrap_or_default() + 1
    }

    fn index(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at).saturating_sub(1)
    }
}

/// Reads a body that begins on line `first` of its file.
///
/// # Errors
/// Where it is nested deeper or has more parts than a runbook may have.
pub(super) fn outline(path: &str, body: &str, first: usize) -> Result<Outline, Problem> {
    let lines = Lines::new(body, first);
    if let Some((number, _)) = body.lines().enumerate().find(|(_, line)| markers(line) > MAX_DEPTH) {
        return Err(too_deep(path, number + first));
    }
    let mut reader = Reader { body, lines, outline: Outline::default(), depth: 0, open: Vec::new(), at: At::Nothing };
    // Without extensions: tables and footnotes have nothing that is looked for here, and cost time in hostile files.
    for (event, range) in Parser::new_ext(body, Options::empty()).into_offset_iter() {
        let line = reader.lines.line(range.start);
        reader.take(event, range);
        if reader.depth > MAX_DEPTH {
            return Err(too_deep(path, line));
        }
        for (count, most, what) in [
            (reader.outline.headings.len(), MAX_HEADINGS, "headings"),
            (reader.outline.fences.len(), MAX_FENCES, "fenced blocks"),
        ] {
            if count > most {
                let message = format!("the file has more than {most} {what}");
                return Err(Problem::new(&FILE_UNREADABLE, path, line, message).hint("cut it in several runbooks"));
            }
        }
    }
    Ok(reader.outline)
}

fn too_deep(path: &str, line: usize) -> Problem {
    Problem::new(&FILE_UNREADABLE, path, line, format!("lists or quotes are nested deeper than {MAX_DEPTH}"))
}

/// How many lists and quotes a line opens or goes on with, looked at before the parser has to.
fn markers(line: &str) -> usize {
    let mut count = 0;
    let mut rest = line.trim_start_matches([' ', '\t']);
    loop {
        let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let after = match rest.strip_prefix(['>', '-', '*', '+']) {
            Some(after) if rest.starts_with('>') || after.starts_with([' ', '\t']) => after,
            _ if digits.len() < rest.len() => match digits.strip_prefix(['.', ')']) {
                Some(after) if after.starts_with([' ', '\t']) => after,
                _ => return count,
            },
            _ => return count,
        };
        count += 1;
        rest = after.trim_start_matches([' ', '\t']);
    }
}

/// What text belongs to.
enum At {
    Nothing,
    Heading { level: u8, text: String, range: Range<usize> },
    Fence(Box<Fence>),
    Paragraph(String),
}

struct Reader<'a> {
    body: &'a str,
    lines: Lines,
    outline: Outline,
    depth: usize,
    /// The headings of level 2 and below that the parser is under, by their outermost ones.
    open: Vec<String>,
    at: At,
}

impl Reader<'_> {
    fn take(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(Tag::BlockQuote(_) | Tag::Item) => self.depth += 1,
            Event::End(TagEnd::BlockQuote(_) | TagEnd::Item) => self.depth = self.depth.saturating_sub(1),
            Event::Start(Tag::Heading { level, .. }) => {
                self.at = At::Heading { level: level as u8, text: String::new(), range };
            }
            Event::End(TagEnd::Heading(_)) => self.heading(),
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) => {
                let line = self.lines.line(range.start);
                let opening = self.body.get(range).unwrap_or_default().lines().next().unwrap_or_default();
                let section = self.open.first().cloned().unwrap_or_default();
                self.at = At::Fence(Box::new(fence::open(opening, line, section)));
            }
            Event::End(TagEnd::CodeBlock) => {
                if let At::Fence(fence) = std::mem::replace(&mut self.at, At::Nothing) {
                    self.outline.fences.push(*fence);
                }
            }
            Event::Start(Tag::Paragraph) if self.depth == 0 && self.wants_paragraph() => {
                self.at = At::Paragraph(String::new());
            }
            Event::End(TagEnd::Paragraph) => {
                if let At::Paragraph(text) = std::mem::replace(&mut self.at, At::Nothing) {
                    self.outline.paragraphs.push((self.outline.headings.len().checked_sub(1), text.trim().to_owned()));
                }
            }
            Event::Start(Tag::Link { link_type, dest_url, .. } | Tag::Image { link_type, dest_url, .. })
                if !matches!(link_type, LinkType::Autolink | LinkType::Email) =>
            {
                let (line, column) = (self.lines.line(range.start), self.lines.column(range.start));
                self.outline.links.push(Link { target: dest_url.into_string(), line, column });
            }
            Event::Text(text) | Event::Code(text) => self.text(&text, self.lines.line(range.start)),
            Event::SoftBreak | Event::HardBreak => self.text(" ", 0),
            Event::Html(html) | Event::InlineHtml(html) => anchors(&html, &mut self.outline.anchors),
            _ => {}
        }
    }

    fn wants_paragraph(&self) -> bool {
        let here = self.outline.headings.len().checked_sub(1);
        self.outline.paragraphs.last().is_none_or(|(heading, _)| *heading != here)
    }

    fn text(&mut self, text: &str, line: usize) {
        match &mut self.at {
            At::Heading { text: to, .. } | At::Paragraph(to) => to.push_str(text),
            At::Fence(fence) => fence.push(text, line),
            At::Nothing => {}
        }
    }

    fn heading(&mut self) {
        let At::Heading { level, text, range } = std::mem::replace(&mut self.at, At::Nothing) else { return };
        let text = text.trim().to_owned();
        let outermost = self.depth == 0;
        if outermost && level == 2 {
            self.open = vec![text.clone()];
        } else if outermost && level < 2 {
            self.open.clear();
        }
        self.outline.headings.push(Heading { text, level, line: self.lines.line(range.start), outermost, range });
    }
}

/// The values of `id` and `name` in HTML.
fn anchors(html: &str, found: &mut BTreeSet<String>) {
    for attribute in [" id=", " name="] {
        for (at, _) in html.match_indices(attribute) {
            let value = html.get(at + attribute.len()..).unwrap_or_default();
            let value = match value.chars().next() {
                Some(quote @ ('"' | '\'')) => value.get(1..).and_then(|value| value.split(quote).next()),
                _ => value.split([' ', '>', '/']).next(),
            };
            found.extend(value.filter(|value| !value.is_empty()).map(str::to_owned));
        }
    }
}
