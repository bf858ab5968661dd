//! What the terminal can: colours, width; and the only writing to standard output and error.
//!
//! *Invariant:* data goes to standard output and all else to standard error; colours and progress only where
//! a terminal takes them.

use std::io::{self, IsTerminal, Write};

use anstream::AutoStream;
use terminal_size::{Height, Width, terminal_size_of};

use super::error::CommandError;
use crate::config::{ColorChoice, Settings};
use crate::output::Style;

/// Columns where nothing says how many there are.
const WIDTH: usize = 80;
/// Longer lines are harder to read.
const WIDEST: usize = 120;
/// Columns of a line that is cut, where it goes into a log.
const LOG: usize = 200;

/// Writes data to standard output.
pub(super) fn print(text: &str, style: &Style) -> Result<(), CommandError> {
    // On old Windows consoles the stream turns colours into calls.
    let choice = if style.color { anstream::ColorChoice::Always } else { anstream::ColorChoice::Never };
    let mut out = AutoStream::new(io::stdout().lock(), choice);
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Writes to standard error; nothing can be done where that fails.
pub(super) fn report(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// How text on standard output looks.
pub(super) fn style(settings: &Settings, verbose: bool) -> Style {
    Style { color: color(*settings.color, &env, io::stdout().is_terminal()), width: width(), verbose }
}

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn color(choice: ColorChoice, env: &dyn Fn(&str) -> Option<String>, terminal: bool) -> bool {
    let set = |name: &str| env(name).is_some_and(|value| !value.is_empty());
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto if set("NO_COLOR") => false,
        ColorChoice::Auto if env("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0") => true,
        ColorChoice::Auto => terminal && env("TERM").as_deref() != Some("dumb"),
    }
}

/// Columns of text on standard output.
pub(super) fn width() -> usize {
    columns(terminal_size_of(io::stdout()), &env, WIDTH).min(WIDEST)
}

/// Columns of a line on standard error that is cut and not wrapped: a log has room for more than a screen.
pub(super) fn line_width() -> usize {
    // One that does not know its size is a terminal still.
    let otherwise = if io::stderr().is_terminal() { WIDTH } else { LOG };
    columns(terminal_size_of(io::stderr()), &env, otherwise)
}

/// Columns of the terminal; of what takes its place, what `COLUMNS` says, or `otherwise`.
fn columns(terminal: Option<(Width, Height)>, env: &dyn Fn(&str) -> Option<String>, otherwise: usize) -> usize {
    let told = || env("COLUMNS")?.trim().parse().ok().filter(|columns| *columns > 0);
    terminal.map(|(width, _)| usize::from(width.0)).or_else(told).unwrap_or(otherwise)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_follow_the_wish_then_the_terminal() {
        use ColorChoice::{Always, Auto, Never};
        type Row<'a> = (ColorChoice, &'a [(&'a str, &'a str)], bool, bool);
        let table: &[Row<'_>] = &[
            (Auto, &[], true, true),
            (Auto, &[], false, false),
            (Auto, &[("NO_COLOR", "1")], true, false),
            (Auto, &[("NO_COLOR", "")], true, true),
            (Auto, &[("TERM", "dumb")], true, false),
            (Auto, &[("CLICOLOR_FORCE", "1")], false, true),
            (Auto, &[("CLICOLOR_FORCE", "0")], false, false),
            (Auto, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], true, false),
            (Always, &[("NO_COLOR", "1")], false, true),
            (Never, &[("CLICOLOR_FORCE", "1")], true, false),
        ];
        for (choice, env, terminal, expected) in table {
            let env = |name: &str| env.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            assert_eq!(color(*choice, &env, *terminal), *expected, "{choice:?} {terminal}");
        }
    }

    #[test]
    fn columns_are_the_terminals_then_what_columns_says() {
        type Row<'a> = (Option<u16>, Option<&'a str>, usize);
        let table: &[Row<'_>] = &[
            (Some(100), None, 100),
            (Some(100), Some("60"), 100),
            (None, Some("60"), 60),
            (None, Some(" 60 "), 60),
            (None, Some("0"), 80),
            (None, Some(""), 80),
            (None, Some("wide"), 80),
            (None, None, 80),
        ];
        for (terminal, told, expected) in table {
            let terminal = terminal.map(|width| (Width(width), Height(24)));
            let env = |name: &str| told.filter(|_| name == "COLUMNS").map(str::to_owned);
            assert_eq!(columns(terminal, &env, WIDTH), *expected, "{terminal:?} {told:?}");
        }
    }
}
