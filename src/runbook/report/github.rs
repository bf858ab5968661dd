//! Commands of a GitHub workflow: `::error file=…,line=…,title=…::message` becomes an annotation of the pull request.

use std::fmt::Write as _;

use super::Report;
use crate::printable::one_line;
use crate::runbook::problem::{Gravity, Problem};

pub(super) fn render(report: &Report) -> String {
    let mut text = String::new();
    for problem in &report.problems {
        let Problem { rule, severity, path, line, column, message, hint } = problem;
        let command = match severity {
            Gravity::Error => "error",
            Gravity::Warning => "warning",
            Gravity::Note => "notice",
        };
        let column = column.map(|column| format!(",col={column}")).unwrap_or_default();
        let hint = hint.as_deref().map(|hint| format!("\nhint: {}", one_line(hint))).unwrap_or_default();
        let message = data(&format!("{}{hint}", one_line(message)));
        let _ = writeln!(
            text,
            "::{command} file={},line={line}{column},title={}::{message}",
            property(path),
            property(rule)
        );
    }
    text
}

/// What may follow the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A value between the two `::`.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
