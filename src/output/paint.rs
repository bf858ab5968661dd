//! Colours, where they are wanted.

use anstyle::{AnsiColor, Style as Ansi};

use super::Style;
use crate::model::Severity;

/// Words as markdown marks them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) strong: bool,
    pub(super) emphasis: bool,
    pub(super) code: bool,
}

/// Paints, or leaves text as it is.
#[derive(Clone, Copy)]
pub(super) struct Paint(bool);

impl Paint {
    pub(super) fn new(style: &Style) -> Paint {
        Paint(style.color)
    }

    /// Whether it paints.
    pub(super) fn colors(self) -> bool {
        self.0
    }

    pub(super) fn marked(self, text: &str, marks: Marks) -> String {
        if marks == Marks::default() {
            return text.to_owned();
        }
        let mut ansi = if marks.code { AnsiColor::Cyan.on_default() } else { Ansi::new() };
        if marks.strong {
            ansi = ansi.bold();
        }
        if marks.emphasis {
            ansi = ansi.italic();
        }
        self.paint(text, ansi)
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.paint(text, Ansi::new().bold())
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.paint(text, Ansi::new().dimmed())
    }

    pub(super) fn good(self, text: &str) -> String {
        self.paint(text, AnsiColor::Green.on_default())
    }

    /// What is not proven.
    pub(super) fn warn(self, text: &str) -> String {
        self.paint(text, AnsiColor::Yellow.on_default().bold())
    }

    /// A command that only looks.
    pub(super) fn look(self, text: &str) -> String {
        self.paint(text, AnsiColor::Cyan.on_default())
    }

    /// A command that changes something.
    pub(super) fn act(self, text: &str) -> String {
        self.paint(text, AnsiColor::Yellow.on_default())
    }

    pub(super) fn severity(self, severity: Severity, text: &str) -> String {
        let color = match severity {
            Severity::Critical => AnsiColor::Red,
            Severity::Warning => AnsiColor::Yellow,
            Severity::Info => AnsiColor::Blue,
        };
        self.paint(text, color.on_default().bold())
    }

    fn paint(self, text: &str, ansi: Ansi) -> String {
        if self.0 && !text.is_empty() { format!("{ansi}{text}{ansi:#}") } else { text.to_owned() }
    }
}
