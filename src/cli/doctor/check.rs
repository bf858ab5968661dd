//! What a check found, and how it is written.
//!
//! *Invariant:* what is wrong says what to do about it.

use serde::Serialize;

use crate::output::Style;
use crate::printable::{one_line, wrapping};

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Standing {
    /// As it should.
    Ok,
    /// Something is not there that nobody has to have.
    Note,
    /// The answer is smaller than it could be.
    Warning,
    /// It does not work.
    Failed,
    /// It could not be looked at.
    Skipped,
}

impl Standing {
    fn word(self) -> &'static str {
        match self {
            Standing::Ok => "ok",
            Standing::Note => "note",
            Standing::Warning => "warn",
            Standing::Failed => "FAIL",
            Standing::Skipped => "skip",
        }
    }

    fn color(self) -> anstyle::Style {
        use anstyle::AnsiColor::{Cyan, Green, Red, Yellow};
        let color = match self {
            Standing::Ok => Green,
            Standing::Note => Cyan,
            Standing::Warning => Yellow,
            Standing::Failed => Red,
            Standing::Skipped => return anstyle::Style::new().dimmed(),
        };
        color.on_default()
    }
}

/// One line of the screen, with what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Check {
    /// What was looked at.
    pub(super) area: &'static str,
    /// How it stands.
    pub(super) standing: Standing,
    /// What was seen.
    pub(super) said: String,
    /// What to do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) hints: Vec<String>,
}

impl Check {
    pub(super) fn new(area: &'static str, standing: Standing, said: impl AsRef<str>) -> Check {
        Check { area, standing, said: one_line(said.as_ref()).into_owned(), hints: Vec::new() }
    }

    pub(super) fn ok(area: &'static str, said: impl AsRef<str>) -> Check {
        Check::new(area, Standing::Ok, said)
    }

    pub(super) fn note(area: &'static str, said: impl AsRef<str>) -> Check {
        Check::new(area, Standing::Note, said)
    }

    pub(super) fn warning(area: &'static str, said: impl AsRef<str>) -> Check {
        Check::new(area, Standing::Warning, said)
    }

    pub(super) fn failed(area: &'static str, said: impl AsRef<str>) -> Check {
        Check::new(area, Standing::Failed, said)
    }

    pub(super) fn skipped(area: &'static str, said: impl AsRef<str>) -> Check {
        Check::new(area, Standing::Skipped, said)
    }

    pub(super) fn hint(mut self, hint: impl AsRef<str>) -> Check {
        self.hints.push(one_line(hint.as_ref()).into_owned());
        self
    }

    pub(super) fn hint_if(self, hint: Option<impl AsRef<str>>) -> Check {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }
}

/// Where the text begins.
const MARGIN: usize = 17;

/// The screen: a line for each check, what to do below it.
pub(super) fn screen(checks: &[Check], style: &Style) -> String {
    let mut out = String::new();
    let indent = " ".repeat(MARGIN);
    let width = style.width.max(MARGIN + 20);
    for check in checks {
        let word = check.standing.word();
        let gap = " ".repeat(6 - word.len().min(5));
        let color = if style.color { check.standing.color() } else { anstyle::Style::new() };
        let wrapped = wrap(&check.said, width - MARGIN);
        let mut lines = wrapped.iter();
        let first = lines.next().map_or("", String::as_str);
        out += &format!("{color}{word}{color:#}{gap}{:<10} {first}\n", check.area);
        lines.for_each(|line| out += &format!("{indent}{line}\n"));
        for hint in &check.hints {
            for (at, line) in wrap(hint, width - MARGIN - 2).iter().enumerate() {
                out += &format!("{indent}{} {line}\n", if at == 0 { '→' } else { ' ' });
            }
        }
    }
    out
}

/// Breaks at blanks only: a path or a command must be copied whole.
fn wrap(text: &str, width: usize) -> Vec<String> {
    textwrap::wrap(text, wrapping(width)).into_iter().map(std::borrow::Cow::into_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_is_lines_with_what_to_do_below() {
        let checks = [
            Check::ok("cluster", "v1.34.4 at https://10.0.0.1:6443, context prod, 12 ms"),
            Check::failed(
                "runbooks",
                "a\nlong sentence that does not fit into eighty columns and goes on below itself",
            )
            .hint("run `git clone`"),
        ];
        let expected = "\
ok    cluster    v1.34.4 at https://10.0.0.1:6443, context prod, 12 ms
FAIL  runbooks   a long sentence that does not fit into eighty columns and goes
                 on below itself
                 → run `git clone`
";
        assert_eq!(screen(&checks, &Style::default()), expected);
        let coloured = screen(&checks, &Style { color: true, ..Style::default() });
        assert!(coloured.starts_with("\u{1b}[32mok\u{1b}[0m    cluster"), "{coloured:?}");
    }
}
