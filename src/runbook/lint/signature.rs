//! `match`: what is matched by machine must be right to the letter.

use regex::RegexBuilder;

use super::{File, Group, MOST, Tree};
use crate::model::Selector;
use crate::near::nearest;
use crate::runbook::problem::{Gravity, Problem, Rule};

pub(super) const GROUP: Group =
    Group { rules: &[&DETECTOR_UNKNOWN, &MATCH_NOTHING, &PATTERN_INVALID, &SELECTOR_INVALID], check };

const DETECTOR_UNKNOWN: Rule = Rule {
    id: "detector-unknown",
    severity: Gravity::Error,
    summary: "`match.detectors` names a detector that does not exist",
    doc: "`kubectl react explain` lists the detectors. A name that is none of them never matches.",
};

const MATCH_NOTHING: Rule = Rule {
    id: "match-nothing",
    severity: Gravity::Warning,
    summary: "`match` only narrows",
    doc: "`kinds` and `labels` narrow what the other keys match. Without one of `detectors`, `reasons`, `exitCodes`, `alerts` \
          and `logs` there is nothing to narrow, and the runbook is found by its words only.",
};

const PATTERN_INVALID: Rule = Rule {
    id: "pattern-invalid",
    severity: Gravity::Error,
    summary: "a pattern of `match.logs` does not compile, or matches every line",
    doc: "Patterns are regular expressions without look-around and back references, so that they take linear time. One that \
          matches the empty text matches everything.",
};

const SELECTOR_INVALID: Rule = Rule {
    id: "selector-invalid",
    severity: Gravity::Error,
    summary: "`match.labels` is no label selector",
    doc: "A selector as `kubectl get -l` takes it: `app=web,tier!=db,env in (a,b)`.",
};

/// The largest compiled pattern.
const SIZE: usize = 1 << 20;

fn check(tree: &Tree<'_>, file: &File<'_>, problems: &mut Vec<Problem>) {
    if file.runbook.derived {
        return;
    }
    let signature = &file.runbook.front.signature;
    let known = tree.options.detectors;
    let unknown = signature.detectors.iter().filter(|id| !known.is_empty() && !known.contains(&id.as_str()));
    for id in unknown.take(MOST) {
        let hint = nearest(id, known.iter().copied())
            .map_or_else(|| "`kubectl react explain` lists them".to_owned(), |near| format!("did you mean `{near}`?"));
        let line = file.parsed.line_of_item("match.detectors", id);
        problems.push(file.problem(&DETECTOR_UNKNOWN, line, format!("there is no detector `{id}`")).hint(hint));
    }
    // Of more the schema tells.
    for pattern in signature.logs.iter().take(10) {
        let line = file.parsed.line_of_item("match.logs", pattern);
        let compiled = RegexBuilder::new(pattern).size_limit(SIZE).nest_limit(50).build();
        match compiled {
            Err(regex::Error::CompiledTooBig(_)) => {
                problems.push(file.problem(&PATTERN_INVALID, line, "the pattern is too large when compiled"));
            }
            Err(error) => {
                // The last line of the message says what, those before draw where.
                let text = error.to_string();
                let what = text.lines().next_back().unwrap_or_default().trim_start_matches("error: ");
                problems.push(file.problem(&PATTERN_INVALID, line, format!("the pattern does not compile: {what}")));
            }
            Ok(compiled) if compiled.is_match("") => {
                problems.push(file.problem(
                    &PATTERN_INVALID,
                    line,
                    "the pattern matches the empty text, and so every line",
                ));
            }
            Ok(_) => {}
        }
    }
    if let Some(labels) = &signature.labels
        && let Some(part) = invalid(labels)
    {
        let line = file.parsed.line_of("match.labels");
        problems.push(file.problem(&SELECTOR_INVALID, line, format!("`{part}` is no requirement of a label selector")));
    }
    let empty = signature.detectors.is_empty()
        && signature.reasons.is_empty()
        && signature.exit_codes.is_empty()
        && signature.alerts.is_empty()
        && signature.logs.is_empty();
    if empty {
        let message = "`match` has none of `detectors`, `reasons`, `exitCodes`, `alerts` and `logs`";
        problems.push(file.problem(&MATCH_NOTHING, file.parsed.line_of("match"), message));
    }
}

/// The part of a selector that can't be read.
fn invalid(labels: &str) -> Option<String> {
    match Selector::parse(labels) {
        Err(part) => Some(part),
        Ok(selector) if selector.is_empty() => Some(labels.to_owned()),
        Ok(_) => None,
    }
}
