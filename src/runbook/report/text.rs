//! For people: `path:line:column: error[rule]: message`, as compilers do, so that editors follow it.

use std::fmt::Write as _;

use super::{Counts, Report};
use crate::printable::one_line;
use crate::runbook::problem::Problem;

pub(super) fn render(report: &Report) -> String {
    let mut text = String::new();
    for problem in &report.problems {
        let Problem { rule, severity, path, line, column, message, hint } = problem;
        let column = column.map(|column| format!(":{column}")).unwrap_or_default();
        let (path, message) = (one_line(path), one_line(message));
        let _ = writeln!(text, "{path}:{line}{column}: {}[{rule}]: {message}", severity.word());
        if let Some(hint) = hint {
            let _ = writeln!(text, "  hint: {}", one_line(hint));
        }
    }
    let Counts { error, warning, note } = report.counts;
    let counted: Vec<String> = [(error, "error"), (warning, "warning"), (note, "note")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| plural(count, word))
        .collect();
    let counted = if counted.is_empty() { "nothing to mend".to_owned() } else { counted.join(", ") };
    let _ = writeln!(text, "{}: {counted}", plural(report.files, "file"));
    text
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}
