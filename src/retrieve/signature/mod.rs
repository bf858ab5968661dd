//! Matches what a fault shows against what a runbook says it is about: exactly, and with the reason in words.
//!
//! *Invariant:* it needs no index and no model. What narrows a signature (kinds, labels) never makes it match.

use std::cmp::Ordering;

use regex::{Regex, RegexBuilder};

use crate::model::Selector;
use crate::model::runbook::Signature;

use super::query::Signals;

/// What a match of this kind is worth. A reason says less than an alert: many faults share one.
mod worth {
    pub(super) const DETECTOR: f32 = 1.0;
    pub(super) const ALERT: f32 = 0.95;
    pub(super) const LOG: f32 = 0.9;
    pub(super) const REASON_AND_CODE: f32 = 0.85;
    pub(super) const REASON: f32 = 0.75;
    pub(super) const CODE: f32 = 0.65;
}
/// What each further signal adds, as long as the next better kind is not reached.
const FURTHER: f32 = 0.01;
/// How much further signals add at most.
const MOST_FURTHER: f32 = 0.04;

/// Exit codes that every program may end with for any reason.
const COMMON_CODES: &[u8] = &[0, 1, 2];

/// Memory for one compiled pattern.
const PATTERN_SIZE: usize = 1 << 20;
/// A longer line is looked at up to here.
const LONGEST_LINE: usize = 4096;

/// That a signature matches.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// 0 to 1; 1 is the detector.
    pub score: f32,
    /// Each signal that matched: `detector oom-killed`, `reason OOMKilled, exit code 137`.
    pub why: Vec<String>,
    /// How many conditions narrow the signature: the narrower of two is the better.
    pub narrowed: usize,
}

impl Match {
    /// The better one first.
    pub fn order(&self, other: &Match) -> Ordering {
        other.score.total_cmp(&self.score).then(other.narrowed.cmp(&self.narrowed))
    }
}

/// Whether a signature matches, and why. A pattern that can't be used is told to `note`.
pub fn matches(signature: &Signature, signals: &Signals, note: &mut dyn FnMut(String)) -> Option<Match> {
    let narrowed = narrows(signature, signals, note)?;
    let mut found: Vec<(f32, String)> = Vec::new();
    let same = |a: &Vec<String>, b: &Vec<String>| -> Vec<String> {
        a.iter().filter(|item| b.contains(item)).cloned().collect()
    };
    for detector in same(&signature.detectors, &signals.detectors) {
        found.push((worth::DETECTOR, format!("detector {detector}")));
    }
    for alert in same(&signature.alerts, &signals.alerts) {
        found.push((worth::ALERT, format!("alert {alert}")));
    }
    found.extend(log(signature, signals, note));
    found.extend(reason_and_code(signature, signals));
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (best, _) = found.first()?;
    let further = (FURTHER * (found.len() - 1) as f32).min(MOST_FURTHER);
    let score = (best + further).min(1.0);
    Some(Match { score, why: found.into_iter().map(|(_, why)| why).collect(), narrowed })
}

/// How many conditions narrow it; nothing where one does not hold.
fn narrows(signature: &Signature, signals: &Signals, note: &mut dyn FnMut(String)) -> Option<usize> {
    let mut narrowed = 0;
    if !signature.kinds.is_empty() && !signals.kinds.is_empty() {
        let common = signature.kinds.iter().any(|kind| signals.kinds.iter().any(|own| own.eq_ignore_ascii_case(kind)));
        if !common {
            return None;
        }
        narrowed += 1;
    }
    if let Some(selector) = &signature.labels {
        let labels = signals.labels.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        match Selector::parse(selector) {
            Ok(selector) if selector.matches(&labels) => narrowed += 1,
            Ok(_) => return None,
            Err(part) => {
                note(format!("the label selector `{selector}` can't be read at `{part}`"));
                return None;
            }
        }
    }
    Some(narrowed)
}

/// Reasons and exit codes belong together: where both sides have both, both must fit.
fn reason_and_code(signature: &Signature, signals: &Signals) -> Option<(f32, String)> {
    let reason = signature.reasons.iter().find(|reason| signals.reasons.contains(reason));
    let code = signature.exit_codes.iter().find(|code| signals.exit_codes.contains(code));
    let both = |a: bool, b: bool| !a && !b;
    let codes = both(signature.exit_codes.is_empty(), signals.exit_codes.is_empty());
    let reasons = both(signature.reasons.is_empty(), signals.reasons.is_empty());
    match (reason, code) {
        (Some(reason), Some(code)) => Some((worth::REASON_AND_CODE, format!("reason {reason}, exit code {code}"))),
        (Some(reason), None) if !codes => Some((worth::REASON, format!("reason {reason}"))),
        (None, Some(code)) if !reasons && !COMMON_CODES.contains(code) => {
            Some((worth::CODE, format!("exit code {code}")))
        }
        _ => None,
    }
}

/// The first pattern that a line of a log matches.
fn log(signature: &Signature, signals: &Signals, note: &mut dyn FnMut(String)) -> Option<(f32, String)> {
    if signals.log_lines.is_empty() {
        return None;
    }
    signature.logs.iter().find_map(|pattern| {
        let regex = match compile(pattern) {
            Ok(regex) => regex,
            Err(error) => {
                note(format!("the log pattern `{pattern}` can't be used: {error}"));
                return None;
            }
        };
        let line = signals.log_lines.iter().find(|line| regex.is_match(super::chunk::head(line, LONGEST_LINE)))?;
        let line = super::chunk::head(line.trim(), 120);
        Some((worth::LOG, format!("log line \"{line}\" matches `{pattern}`")))
    })
}

/// Compiles a pattern for lines of logs. Matching takes time in the order of the line, whatever the pattern is.
///
/// # Errors
/// With the engine's words on one line: the syntax, or that it needs too much memory.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(pattern).size_limit(PATTERN_SIZE).dfa_size_limit(PATTERN_SIZE).nest_limit(64).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "it needs too much memory".to_owned(),
        other => other.to_string().lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned(),
    })
}

#[cfg(test)]
mod tests;
