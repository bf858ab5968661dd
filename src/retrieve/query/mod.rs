//! What is asked: a text, or what a cause shows.
//!
//! *Invariant:* a query carries no name of an object, no address and no hash of a cause: what is embedded by a server
//! elsewhere says what is wrong and not where.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::runbook::Status;
use crate::model::{Cause, ObjectRef, Source};

use super::chunk::head;
use super::clean;

/// How many runbooks are returned where nobody says.
pub const LIMIT: usize = 5;

/// What is asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// Free text: a symptom, an event, an alert, a line of a log, a question.
    pub text: String,
    /// What a signature can match exactly.
    pub signals: Signals,
    /// What may be returned.
    pub filter: Filter,
    /// At most this many runbooks.
    pub limit: usize,
}

/// What a signature can match exactly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signals {
    /// Ids of detectors.
    pub detectors: Vec<String>,
    /// Kinds of the objects; empty where that is not known.
    pub kinds: Vec<String>,
    /// Reasons of container states, conditions or events.
    pub reasons: Vec<String>,
    /// Exit codes of containers.
    pub exit_codes: Vec<u8>,
    /// Names of alerts.
    pub alerts: Vec<String>,
    /// Lines of logs.
    pub log_lines: Vec<String>,
    /// Labels of the object.
    pub labels: BTreeMap<String, String>,
}

impl Signals {
    /// Whether there is nothing that a signature could match: what only narrows one does not count.
    pub fn is_empty(&self) -> bool {
        self.detectors.is_empty()
            && self.reasons.is_empty()
            && self.exit_codes.is_empty()
            && self.alerts.is_empty()
            && self.log_lines.is_empty()
    }
}

/// What may be returned; empty lets all through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Runbooks about one of these kinds, and those that name none.
    pub kinds: Vec<String>,
    /// Runbooks of these states.
    pub statuses: Vec<Status>,
    /// Runbooks for this platform, and those that name none.
    pub platform: Option<String>,
}

/// As much of a cause as is asked with: about what a model reads.
const MOST_TEXT: usize = 900;
/// As much of a text as is embedded; a model reads less.
const MOST_ASKED: usize = 4000;
/// One quote.
const QUOTE: usize = 300;

impl Query {
    /// The text that is embedded: without what is of one run.
    pub fn asked(&self) -> String {
        let text = clean::clean(head(&self.text, MOST_ASKED));
        if text.is_empty() { head(self.text.trim(), MOST_ASKED).to_owned() } else { text }
    }

    /// Asks with a text. Where it is the name of an alert or a reason, or labels an alert, a signature can match it.
    pub fn from_text(text: &str) -> Query {
        let text = text.trim();
        let mut signals = Signals::default();
        if is_name(text) {
            signals.alerts.push(text.to_owned());
            signals.reasons.push(text.to_owned());
        }
        signals.alerts.extend(labelled(text, "alertname").filter(|name| !name.is_empty()));
        if text.len() <= 40
            && let Some(code) = exit_code(text)
        {
            signals.exit_codes.push(code);
        }
        Query { text: text.to_owned(), signals, filter: Filter::default(), limit: LIMIT }
    }

    /// Asks with a cause: its sentence, reasons, exit codes and what proves it.
    pub fn from_cause(cause: &Cause) -> Query {
        let names = Names::of(cause);
        let mut signals = Signals { detectors: vec![cause.detector.clone()], ..Signals::default() };
        let objects = [Some(&cause.object), cause.culprit.as_ref()].into_iter().flatten().chain(&cause.members);
        let kinds: BTreeSet<&str> = objects.map(|object| object.kind.as_str()).collect();
        signals.kinds = kinds.into_iter().map(str::to_owned).collect();
        let mut pieces = vec![names.without(&cause.summary)];
        for evidence in &cause.evidence {
            let quote = evidence.quote.trim();
            match &evidence.source {
                Source::Event { reason, .. } => push_new(&mut signals.reasons, reason),
                Source::Field { path, .. } if ends_with_field(path, "reason") => push_new(&mut signals.reasons, quote),
                Source::Field { path, .. } if ends_with_field(path, "exitCode") => {
                    if let Ok(code) = quote.parse() {
                        push_new(&mut signals.exit_codes, &code);
                    }
                }
                Source::Log { .. } => push_new(&mut signals.log_lines, quote),
                Source::Field { .. } => {}
            }
            if let Some(code) = exit_code(quote) {
                push_new(&mut signals.exit_codes, &code);
            }
            if let Some(reason) = reason(quote) {
                push_new(&mut signals.reasons, reason);
            }
            pieces.push(names.without(head(quote, QUOTE)));
        }
        let reasons = signals.reasons.iter().map(String::as_str);
        let codes: Vec<String> = signals.exit_codes.iter().map(|code| format!("exit code {code}")).collect();
        pieces.insert(1, reasons.chain(codes.iter().map(String::as_str)).collect::<Vec<_>>().join(", "));
        let mut text = String::new();
        for piece in pieces {
            let piece = piece.trim();
            if !piece.is_empty() && !text.contains(piece) && text.len() + piece.len() < MOST_TEXT {
                text.push_str(if text.is_empty() { "" } else { "\n" });
                text.push_str(piece);
            }
        }
        Query { text, signals, filter: Filter::default(), limit: LIMIT }
    }
}

fn push_new<T: PartialEq + ToOwned<Owned = O> + ?Sized, O: std::borrow::Borrow<T>>(to: &mut Vec<O>, value: &T) {
    if !to.iter().any(|had| had.borrow() == value) {
        to.push(value.to_owned());
    }
}

/// `status.containerStatuses[app].lastState.terminated.reason` ends with the field `reason`.
fn ends_with_field(path: &str, field: &str) -> bool {
    path == field || path.strip_suffix(field).is_some_and(|rest| rest.ends_with('.'))
}

/// Whether a text is one identifier of several words: `KubePodCrashLooping`, `etcdNoLeader`.
fn is_name(text: &str) -> bool {
    let capitals = text.chars().filter(char::is_ascii_uppercase).count();
    let small = text.chars().filter(char::is_ascii_lowercase).count();
    (6..=100).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && small >= 2
        && capitals >= 1
        && text.chars().skip(1).any(|c| c.is_ascii_uppercase())
}

/// The values of `label=value` and `label="value"`.
fn labelled<'a>(text: &'a str, label: &str) -> impl Iterator<Item = String> + use<'a> {
    let ends = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'));
    let found: Vec<&str> = text.match_indices(label).filter_map(|(at, _)| text.get(at + label.len()..)).collect();
    found.into_iter().filter_map(move |after| {
        let value = after.strip_prefix("\":").or_else(|| after.strip_prefix(['=', ':']))?;
        let value = value.trim_start_matches([' ', '"', '\'', '=', '~']);
        value.split(ends).next().map(str::to_owned)
    })
}

/// `exit code 137`, `exitCode: 137`, `exit status 2`, `Exit Code:    137`.
pub(super) fn exit_code(text: &str) -> Option<u8> {
    let lower = text.to_ascii_lowercase();
    ["exit code", "exitcode", "exit status", "exited with code", "exit"].iter().find_map(|mark| {
        let (_, after) = lower.split_once(mark)?;
        let after = after.trim_start_matches([' ', ':', '=', '"', '\t', '(']);
        let digits = after.split(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse().ok()
    })
}

/// `reason: OOMKilled`, `reason=OOMKilled`.
fn reason(text: &str) -> Option<&str> {
    let at = text.to_ascii_lowercase().find("reason")?;
    let after = text.get(at + "reason".len()..)?;
    let after = after.strip_prefix('"').unwrap_or(after).strip_prefix([':', '='])?;
    let word = after.trim_start_matches([' ', '"', '\t']).split(|c: char| !c.is_ascii_alphanumeric()).next()?;
    (word.len() >= 4 && word.starts_with(|c: char| c.is_ascii_uppercase())).then_some(word)
}

/// Namespaces whose objects have the same names everywhere; `coredns` says what is wrong.
const EVERYWHERE: &[&str] = &["kube-node-lease", "kube-public", "kube-system"];

/// The names of objects of a cause.
struct Names(BTreeSet<String>);

impl Names {
    fn of(cause: &Cause) -> Names {
        let objects = [Some(&cause.object), cause.culprit.as_ref()].into_iter().flatten();
        let objects = objects.chain(&cause.members).chain(cause.consequences.iter().map(|after| &after.object));
        let sources = cause.evidence.iter().map(|evidence| match &evidence.source {
            Source::Field { object, .. } | Source::Event { object, .. } | Source::Log { object, .. } => object,
        });
        let mut names = BTreeSet::new();
        for object in objects.chain(sources).filter(|object| !EVERYWHERE.contains(&object.ns())) {
            names.extend(Names::of_object(object));
        }
        Names(names)
    }

    fn of_object(object: &ObjectRef) -> impl Iterator<Item = String> {
        // Kinds of the whole cluster share words with their subject: `standard` is a storage class and a word.
        [object.ns(), &*object.name].map(str::to_owned).into_iter().filter(|name| !name.is_empty())
    }

    /// The text without these names, where they stand as whole words.
    fn without(&self, text: &str) -> String {
        let inside = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_');
        let mut made = String::with_capacity(text.len());
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find(|c| !inside(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            let bare = word.trim_end_matches('.');
            // A pod's name begins with that of its owner.
            let named =
                self.0.iter().any(|name| bare == name || bare.strip_prefix(name.as_str()).is_some_and(generated));
            made.push_str(if named { "" } else { word });
            let end = after.find(inside).unwrap_or(after.len());
            let (between, next) = after.split_at_checked(end).unwrap_or((after, ""));
            made.push_str(between);
            rest = next;
        }
        made.replace("\"\"", "").replace(" / ", " ").split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// What a controller puts behind a name: `-5d9c7b8f66-x2x7p`, `-0`.
fn generated(tail: &str) -> bool {
    let Some(tail) = tail.strip_prefix('-') else { return false };
    tail.split('-').all(|part| {
        (1..=10).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    }) && (tail.len() <= 17 && tail.bytes().any(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests;
