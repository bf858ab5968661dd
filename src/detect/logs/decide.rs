//! Which line of a log decides, among the noise before and after it.
//!
//! *Invariant:* by shapes and levels alone. What closes, announces, advises or tells of metrics decides only where
//! nothing else does.

use std::sync::LazyLock;

use regex::Regex;

use super::Fault;
use super::class::{Class, classify, telling};
use super::judge::{Draft, evidence_of};
use super::line::{Level, bare, follows, orders, pattern, read};
use crate::model::{Evidence, LogTail};

/// The line of a text that decides, with what it complains of.
pub(super) fn decide(lines: &[String], cite: &dyn Fn(&str, usize) -> Evidence) -> Option<Draft> {
    let read: Vec<(String, Level)> = lines.iter().map(|line| read(line)).collect();
    let (at, class) = deciding(&read)?;
    let mut text = bare(&read.get(at)?.0);
    let mut evidence = vec![cite(lines.get(at)?, at)];
    if let Some((next, more)) = continued(&read, at, &text) {
        text = format!("{} {more}", text.trim_end());
        evidence.push(cite(lines.get(next)?, next));
    }
    let class = class.or_else(|| classify(&text));
    let around: Vec<&str> = read.iter().skip(at.saturating_sub(2)).take(5).map(|(text, _)| text.as_str()).collect();
    let fault = class.map_or(Fault::Exit, Fault::Said);
    Some(Draft { fault, text: telling(&text, 240), around: format!("{text}\n{}", around.join("\n")), evidence })
}

/// The line after the one that decides, where it goes on with it: what was announced (`the following is wrong:`), or
/// its detail.
fn continued(lines: &[(String, Level)], at: usize, text: &str) -> Option<(usize, String)> {
    let (next, level) = lines.get(at + 1)?;
    let announced = text.trim_end().ends_with(':');
    let own = bare(next);
    let detail = details(&own);
    let goes_on = announced && *level > Level::Noise && (*level > Level::Warn || next.starts_with(char::is_whitespace));
    let said = own.get(detail.unwrap_or_default()..)?.trim_start_matches(['-', '*', '•', ' ']);
    ((goes_on || detail.is_some()) && !said.is_empty() && !orders(next)).then(|| (at + 1, said.to_owned()))
}

/// Where a line begins to say the detail of the one before it.
fn details(line: &str) -> Option<usize> {
    line.to_ascii_lowercase().find("detail").filter(|_| follows(line))
}

/// Which line decides: one whose error has a known shape before one that only sounds bad; a
/// panic before an error before a warning; of equals the last.
fn deciding(lines: &[(String, Level)]) -> Option<(usize, Option<Class>)> {
    static LATE: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            r"(?i)giving up|gave up|retries|attempts|shut(ting)? ?down|abort(ed|ing)|roll(ed|ing) back|received signal|sigterm|exiting|stopp(ed|ing)|exit(ed)? (status|code|with)|(application|server|service|startup|process|command) .{0,30}(failed|terminated)|failed to (start|run|init\w*)|aborting|terminating",
            r"|(did|has|have) not (exit|end|finish|terminate|complete)|did ?n't (exit|end|finish)|\b(check|see|consult|inspect|read|view) (the |your |its )?([\w-]+ ){0,2}(logs?|output|log ?files?|documentation|docs|manual|readme)\b|please (make sure|ensure|verify|check)|for (more|further) (details|information)"
        ))
    });
    let mut best: Option<(i32, usize, Option<Class>)> = None;
    for (index, (text, level)) in lines.iter().enumerate() {
        let weight = match level {
            Level::Noise => continue,
            Level::Info => -2,
            Level::Warn => 0,
            Level::Plain => 2,
            Level::Bad => 3,
            Level::Error => 4,
            Level::Fatal => 6,
        };
        // What goes on with an error is read with it.
        let own = bare(text);
        let before =
            index.checked_sub(1).and_then(|before| lines.get(before)).is_some_and(|(_, level)| *level >= Level::Error);
        if follows(&own) && (before || details(&own).is_none()) {
            continue;
        }
        let class = classify(text);
        let late = class.is_none() && LATE.is_match(text);
        let shape = match &class {
            Some(Class::Config) => 4,
            // A key that is not used for its mode is why the server then refuses the client.
            Some(Class::FileOpen(Some(_))) => 7,
            Some(_) => 5,
            None if late => -3,
            None => 0,
        };
        let soft = if soft(text) || aside(text) { -6 } else { 0 };
        let score = weight + shape + soft;
        let more = |most: &i32| score > *most || score == *most && !late;
        if score >= 3 && best.as_ref().is_none_or(|(most, ..)| more(most)) {
            best = Some((score, index, class));
        }
    }
    best.map(|(_, index, class)| (index, class))
}

/// Whether a line is about what a program tells of itself: no program ends because nobody takes its metrics.
fn aside(line: &str) -> bool {
    static ASIDE: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            r"(?i)\b(export|upload|flush|push|send|report|ship)(s|er|ers|ed|ing|ting)?\b.{0,40}\b(telemetry|metrics?|traces?|spans?|otlp|usage (data|statistics))\b",
            r"|\b(telemetry|metrics?|traces?|spans?|otlp|usage (data|statistics))\b.{0,40}\b(export|upload|flush|push|send|report|ship)(s|er|ers|ed|ing|ting)?\b"
        ))
    });
    ASIDE.is_match(line)
}

/// Whether a line says itself that what failed does not matter.
pub fn soft(line: &str) -> bool {
    static SOFT: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i)\b(optional|ignor(ed|ing)|using defaults?|fall(ing)? ?back|continu(e|es|ing) (without|anyway)|skipp(ed|ing)|non-?fatal|not fatal|harmless|deprecated|disabling|(is|will be|now)? ?disabled|0 errors?|no errors?)\b",
        )
    });
    SOFT.is_match(line)
}

/// What a container needs and does not get, where its last lines say so.
pub(super) fn decide_dependency(log: &LogTail) -> Option<Draft> {
    let from = log.lines.len().saturating_sub(15);
    let last = log.lines.get(from..)?;
    let draft = decide(last, &|text, _| evidence_of(log, text))?;
    let needs = matches!(
        &draft.fault,
        Fault::Said(
            Class::Unreachable(_)
                | Class::UnknownHost(_)
                | Class::Auth
                | Class::Tls
                | Class::Forbidden(_)
                | Class::DiskFull(_)
                | Class::ReadOnly(_)
                | Class::Memory(_)
        )
    );
    needs.then_some(draft)
}
