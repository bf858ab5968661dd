//! When a person last read it.

use jiff::civil::Date;

use super::{File, Group, Tree};
use crate::model::runbook::Status;
use crate::runbook::problem::{Gravity, Problem, Rule};

pub(super) const GROUP: Group = Group { rules: &[&REVIEW_DATE, &REVIEW_STALE], check };

const REVIEW_DATE: Rule = Rule {
    id: "review-date",
    severity: Gravity::Error,
    summary: "`reviewed` is no day that was",
    doc: "`reviewed` is the day on which a person last read the whole runbook: `\"2026-11-20\"`, in quotes, since some readers \
          of YAML make something else of a bare date.",
};

const REVIEW_STALE: Rule = Rule {
    id: "review-stale",
    severity: Gravity::Warning,
    summary: "the last review was long ago, or never",
    doc: "Clusters change and runbooks do not. Who reads a runbook and finds it true sets `reviewed` to that day.",
};

fn check(tree: &Tree<'_>, file: &File<'_>, problems: &mut Vec<Problem>) {
    if file.runbook.derived {
        return;
    }
    let line = file.parsed.line_of("reviewed");
    let today = tree.options.today;
    let Some(reviewed) = &file.runbook.front.reviewed else {
        if file.runbook.front.status == Status::Active {
            let line = file.parsed.line_of("status");
            let message = "it is active, and nothing says when a person last read it";
            problems.push(file.problem(&REVIEW_STALE, line, message).hint(format!("add `reviewed: \"{today}\"`")));
        }
        return;
    };
    // What does not even look like a date is told by the schema.
    let looks = reviewed.len() == 10 && reviewed.bytes().filter(|byte| *byte == b'-').count() == 2;
    match reviewed.parse::<Date>() {
        Err(_) if looks => {
            problems.push(file.problem(&REVIEW_DATE, line, format!("there is no day `{reviewed}`")));
        }
        Ok(day) if day > today => {
            problems.push(file.problem(&REVIEW_DATE, line, format!("`{reviewed}` is in the future")));
        }
        Ok(day) if file.runbook.front.status != Status::Deprecated => {
            let age = today.since(day).map_or(0, |span| span.get_days());
            if age > tree.options.max_age_days {
                let message = format!("the last review was {age} days ago, on {reviewed}");
                problems.push(
                    file.problem(&REVIEW_STALE, line, message).hint("read it, mend it, and set `reviewed` to today"),
                );
            }
        }
        _ => {}
    }
}
