//! For a person at a terminal, perhaps at 3 a.m.: what is broken and why, then what to do.
//!
//! *Invariant:* commands are never wrapped or cut, so that they can be pasted.

mod exploration;

use super::paint::Paint;
use super::{Style, words};
use crate::model::{Advice, Cause, Change, Command, Consequence, Diagnosis, Evidence, Exploration, Gap, Time, Verdict};
use crate::printable::wrapping;

/// Causes shown in full.
const IN_FULL: usize = 10;
/// So many causes are listed once more at the end, in so many lines.
const LISTED: usize = 5;
const LINES: usize = 40;
/// Of one cause: consequences, quotes, changes.
const CONSEQUENCES: usize = 8;
const QUOTES: usize = 4;
const CHANGES: usize = 4;
/// Runbooks of one cause.
const RUNBOOKS: usize = 2;
/// Lines of one quote.
const QUOTE_LINES: usize = 3;
/// Groups of gaps, and names in each.
const GAPS: usize = 4;
const GAP_NAMES: usize = 8;

/// Where what follows a label begins.
const INDENT: usize = 10;

pub(super) fn render(diagnosis: &Diagnosis, style: &Style) -> String {
    let mut page = Page::new(style);
    page.verdict(diagnosis);
    let full = if style.verbose { usize::MAX } else { IN_FULL };
    for cause in diagnosis.causes.iter().take(full) {
        page.out.push('\n');
        page.cause(cause, diagnosis);
    }
    page.index(&diagnosis.causes, full);
    if let Some(exploration) = &diagnosis.exploration {
        page.exploration(exploration, false);
    }
    page.end(diagnosis);
    page.out
}

/// What the agent found out alone; without its steps and notes where they were followed as they came.
pub(super) fn exploration(exploration: &Exploration, style: &Style, followed: bool) -> String {
    let mut page = Page::new(style);
    page.exploration(exploration, followed);
    page.out
}

struct Page {
    out: String,
    paint: Paint,
    width: usize,
    verbose: bool,
}

impl Page {
    fn new(style: &Style) -> Page {
        Page { out: String::new(), paint: Paint::new(style), width: style.width.clamp(40, 120), verbose: style.verbose }
    }

    fn verdict(&mut self, diagnosis: &Diagnosis) {
        let (paint, healthy) = (self.paint, diagnosis.verdict == Verdict::Healthy);
        let emphasis = |text: &str| if healthy { paint.good(text) } else { paint.bold(text) };
        let (verdict, place) = (words::verdict(diagnosis), words::place(diagnosis));
        if textwrap::core::display_width(&verdict) + 2 + textwrap::core::display_width(&place) <= self.width {
            self.line(&format!("{}, {}", emphasis(&verdict), paint.dim(&place)));
        } else {
            self.wrapped(&verdict, "", "", emphasis);
            self.wrapped(&place, "", "", |text| paint.dim(text));
        }
    }

    fn cause(&mut self, cause: &Cause, diagnosis: &Diagnosis) {
        let (paint, now) = (self.paint, diagnosis.taken_at);
        let label = words::severity(cause.severity);
        let lead =
            format!("{}{}", paint.severity(cause.severity, label), " ".repeat(INDENT.saturating_sub(label.len())));
        let headline = words::sentence(&cause.object, &cause.summary);
        self.wrapped(&headline, &lead, &" ".repeat(INDENT), |text| paint.bold(text));
        let since = cause.since.map(|since| words::since(since, now));
        let facts: Vec<String> = since.into_iter().chain(words::multitude(cause)).collect();
        if !facts.is_empty() {
            self.labelled(if cause.since.is_some() { "since" } else { "" }, &facts.join(", "));
        }
        if let Some(culprit) = cause.culprit.as_ref().filter(|culprit| !cause.summary.contains(&*culprit.name)) {
            self.labelled("at", &culprit.to_string());
        }
        self.changes(&cause.changes, cause, diagnosis);
        self.quotes(&cause.evidence, now);
        self.consequences(&cause.consequences);
        for unknown in &cause.unknown {
            self.labelled("unknown", unknown);
        }
        self.runbooks(cause);
        self.commands(&cause.commands);
        self.commands(&words::runbook_commands(cause));
        self.line(&paint.dim(&format!("  kubectl react explain {}", cause.detector)));
    }

    fn consequences(&mut self, consequences: &[Consequence]) {
        let (shown, rest) = self.limit(consequences, CONSEQUENCES);
        for (at, consequence) in shown.iter().enumerate() {
            self.labelled(
                if at == 0 { "breaks" } else { "" },
                &words::sentence(&consequence.object, &consequence.summary),
            );
            if let Some(path) = words::path(consequence) {
                self.beneath(&path);
            }
        }
        self.more(rest, "consequence");
    }

    fn changes(&mut self, changes: &[Change], cause: &Cause, diagnosis: &Diagnosis) {
        let (shown, rest) = self.limit(changes, CHANGES);
        for (at, change) in shown.iter().enumerate() {
            let before = cause
                .since
                .filter(|since| since.as_second() > change.time.as_second())
                .map(|since| format!(", {} before", words::ago(change.time, since)));
            let by = change.by.as_ref().map(|by| format!(" (by {by})")).unwrap_or_default();
            let text = format!(
                "{}{}: {}, {}{by}",
                words::clock(change.time, diagnosis.taken_at),
                before.unwrap_or_default(),
                change.object,
                change.what
            );
            self.labelled(if at == 0 { "changed" } else { "" }, &text);
        }
        self.more(rest, "change");
    }

    fn quotes(&mut self, evidence: &[Evidence], now: Time) {
        let (shown, rest) = self.limit(evidence, QUOTES);
        for (at, evidence) in shown.iter().enumerate() {
            let room = (self.width - INDENT - 2) * QUOTE_LINES;
            let quote = if self.verbose { evidence.quote.clone() } else { cut(&evidence.quote, room) };
            let mut lines = quote.lines();
            let first = lines.next().unwrap_or_default();
            let rest: Vec<&str> = lines.collect();
            let end = if rest.is_empty() { "\"" } else { "" };
            self.labelled(if at == 0 { "because" } else { "" }, &format!("\"{first}{end}"));
            for (at, line) in rest.iter().enumerate() {
                let end = if at + 1 == rest.len() { "\"" } else { "" };
                self.labelled("", &format!("{line}{end}"));
            }
            let time = evidence.time.map(|time| format!(", {}", words::clock(time, now))).unwrap_or_default();
            self.beneath(&format!("— {}{time}", words::source(&evidence.source)));
        }
        self.more(rest, "quote");
    }

    fn runbooks(&mut self, cause: &Cause) {
        if let Some(none) = &cause.no_runbook {
            self.labelled("runbook", none);
        }
        let shown = if self.verbose { cause.runbooks.len() } else { RUNBOOKS };
        for Advice { place, title, status, why, superseded_by, .. } in cause.runbooks.iter().take(shown) {
            self.labelled("runbook", &format!("{title}{}", words::status(*status, superseded_by.as_deref())));
            self.beneath(&format!("— {}, by {why}", words::citation(place)));
        }
        self.more(cause.runbooks.len().saturating_sub(shown), "runbook");
    }

    fn commands(&mut self, commands: &[Command]) {
        for command in commands {
            let note = if command.changes { " (changes the cluster)" } else { "" };
            self.purpose(&format!("{}{note}", command.purpose));
            let line = if command.changes { self.paint.act(&command.line) } else { self.paint.look(&command.line) };
            self.line(&format!("  {line}"));
        }
    }

    /// What the command on the next line is for, as a comment that can be pasted with it.
    fn purpose(&mut self, text: &str) {
        let paint = self.paint;
        let lead = format!("  {}", paint.dim("# "));
        self.wrapped(text, &lead, &lead, |text| paint.dim(text));
    }

    /// All causes, a line each: what is left on the screen when the rest has scrolled away.
    fn index(&mut self, causes: &[Cause], full: usize) {
        if causes.len() < LISTED {
            return;
        }
        let all = format!("all {}, the worst first", words::count(causes.len(), "cause"));
        let told = if causes.len() > full {
            format!(" (the first {full} in full above, or --verbose)")
        } else {
            String::new()
        };
        let paint = self.paint;
        self.out.push('\n');
        self.wrapped(&format!("{all}{told}:"), "", "", |text| paint.dim(text));
        let (shown, rest) = self.limit(causes, LINES);
        for cause in shown {
            let label = words::severity(cause.severity);
            let lead =
                format!("{}{}", paint.severity(cause.severity, label), " ".repeat(INDENT.saturating_sub(label.len())));
            let many = words::multitude(cause).map(|many| format!(" {many}")).unwrap_or_default();
            let room = self.width.saturating_sub(INDENT + textwrap::core::display_width(&many));
            let text = words::cut_end(&words::sentence(&cause.object, &cause.summary), room);
            self.line(&format!("{lead}{text}{many}"));
        }
        self.more(rest, "cause");
    }

    fn end(&mut self, diagnosis: &Diagnosis) {
        let gaps = words::gaps(&diagnosis.gaps, if self.verbose { usize::MAX } else { GAP_NAMES });
        let silenced = words::silenced(diagnosis.silenced);
        let libraries = words::libraries(&diagnosis.libraries);
        if gaps.is_empty() && silenced.is_none() && libraries.is_empty() {
            return;
        }
        self.out.push('\n');
        let (shown, rest) = self.limit(&gaps, GAPS);
        for gap in shown {
            self.wrapped(gap, "not read: ", &" ".repeat(INDENT), str::to_owned);
        }
        if rest > 0 {
            self.line(&self.paint.dim(&format!("not read: {rest} more; `-o json` lists all")));
        }
        if diagnosis.verdict == Verdict::Unknown {
            self.rights(diagnosis);
        }
        if let Some(silenced) = silenced {
            self.line(&silenced);
        }
        for library in libraries {
            self.wrapped(&library, "runbooks: ", &" ".repeat(INDENT), str::to_owned);
        }
    }

    /// What right would let us know more.
    fn rights(&mut self, diagnosis: &Diagnosis) {
        let mut missing: Vec<&Gap> = diagnosis.gaps.iter().filter(|gap| gap.reason == "forbidden").collect();
        missing.sort_by_key(|gap| words::rank(gap));
        let kinds: Vec<&str> = missing.iter().filter_map(|gap| Some(gap.kind?.info()?.plural)).take(4).collect();
        let Some((gap, info)) = missing.first().and_then(|gap| Some((*gap, gap.kind?.info()?))) else { return };
        let text =
            format!("the right to list {} would tell; `deploy/rbac.yaml` is the least that serves", kinds.join(", "));
        self.wrapped(&text, "", "", str::to_owned);
        let context = if diagnosis.context.is_empty() {
            String::new()
        } else {
            format!(" --context {}", quoted(&diagnosis.context))
        };
        let place = match (&gap.namespace, info.namespaced) {
            (Some(namespace), true) => format!(" -n {}", quoted(namespace)),
            (None, true) => " -A".to_owned(),
            _ => String::new(),
        };
        let group = if info.group().is_empty() { String::new() } else { format!(".{}", info.group()) };
        let line = format!("kubectl{context} auth can-i list {}{group}{place}", info.plural);
        self.purpose("see whether you may");
        self.line(&format!("  {}", self.paint.look(&line)));
    }

    /// A label in the margin, and text beside it.
    fn labelled(&mut self, label: &str, text: &str) {
        self.labelled_as(&self.paint.dim(label), label, text);
    }

    /// The same with a label that is painted already; `plain` is as wide.
    fn labelled_as(&mut self, painted: &str, plain: &str, text: &str) {
        // One of eight letters begins a column sooner, so that all texts begin in one column.
        let margin = INDENT.saturating_sub(plain.len() + 1).min(2);
        let pad = INDENT.saturating_sub(margin + plain.len()).max(1);
        let lead = format!("{}{painted}{}", " ".repeat(margin), " ".repeat(pad));
        self.wrapped(text, &lead, &" ".repeat(INDENT), str::to_owned);
    }

    /// A remark on the line before.
    fn beneath(&mut self, text: &str) {
        let (paint, indent) = (self.paint, " ".repeat(INDENT + 2));
        self.wrapped(text, &indent, &indent, |text| paint.dim(text));
    }

    fn more(&mut self, rest: usize, noun: &str) {
        if rest > 0 {
            self.line(&self.paint.dim(&format!(
                "{}and {} more {noun}{}",
                " ".repeat(INDENT),
                rest,
                if rest == 1 { "" } else { "s" }
            )));
        }
    }

    fn limit<'a, T>(&self, all: &'a [T], most: usize) -> (&'a [T], usize) {
        // One more line says as much as `and 1 more`.
        if self.verbose || all.len() <= most + 1 {
            return (all, 0);
        }
        (all.get(..most).unwrap_or(all), all.len() - most)
    }

    /// Text from `lead` on, wrapped between words; `paint` colours each line of it.
    fn wrapped(&mut self, text: &str, lead: &str, indent: &str, paint: impl Fn(&str) -> String) {
        let room = self
            .width
            .saturating_sub(textwrap::core::display_width(indent).max(textwrap::core::display_width(lead)))
            .max(20);
        for (at, line) in textwrap::wrap(text, wrapping(room).break_words(true)).iter().enumerate() {
            let before = if at == 0 { lead } else { indent };
            self.line(&format!("{before}{}", paint(line)));
        }
    }

    fn line(&mut self, line: &str) {
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }
}

/// `text` in at most `room` columns: the middle goes, since both ends tell the most.
fn cut(text: &str, room: usize) -> String {
    let lines = text.lines().count();
    if textwrap::core::display_width(text) <= room && lines <= QUOTE_LINES {
        return text.to_owned();
    }
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let chars: Vec<char> = flat.chars().collect();
    let room = room.saturating_sub(3 + QUOTE_LINES * 4);
    if chars.len() <= room {
        return flat;
    }
    let tail = room * 2 / 5;
    let head: String = chars.iter().take(room - tail).collect();
    let tail: String = chars.iter().skip(chars.len() - tail).collect();
    format!("{} … {}", head.trim_end(), tail.trim_start())
}

/// A word of a command line as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
