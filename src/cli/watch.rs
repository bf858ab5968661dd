//! What a person sees while a diagnosis is made: progress, the causes as soon as they are proven, then a line for each step.
//!
//! *Invariant:* the answer goes to standard output and all else to standard error, so that a pipe gets the answer alone;
//! with `--events`, standard output has the events and nothing else.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use unicode_width::UnicodeWidthStr;

use super::error::CommandError;
use super::progress::ProgressLine;
use super::terminal;
use crate::agent::pulse::Live;
use crate::model::Diagnosis;
use crate::model::event::Event;
use crate::output::{self, Format, Style, cut_end};
use crate::printable::{one_line, printable, wrapping};
use crate::redact::Redactor;

/// What stands beneath a step.
const INDENT: &str = "     ";

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// How the answer is written.
    pub(super) format: Format,
    /// How text looks.
    pub(super) style: Style,
    /// The answer alone.
    pub(super) quiet: bool,
    /// Events in place of the answer.
    pub(super) events: bool,
}

/// Shows what happens.
pub(super) struct Watch {
    wanted: Wanted,
    eyes: Eyes,
    /// Ends the agent when nobody reads any more.
    pulse: Arc<Live>,
    shared: Arc<Mutex<State>>,
}

/// Who reads along: a person may see the addresses that this process read, a pipe may not where they are masked.
#[derive(Clone)]
struct Eyes {
    redactor: Redactor,
    out: bool,
    err: bool,
}

impl Eyes {
    /// As standard output may have it.
    fn out<T: Serialize + DeserializeOwned>(&self, data: T) -> serde_json::Result<T> {
        self.shown(data, self.out)
    }

    /// As standard error may have it; nothing where that can't be told.
    fn err(&self, event: Event) -> Option<Event> {
        self.shown(event, self.err).ok()
    }

    fn shown<T: Serialize + DeserializeOwned>(&self, data: T, person: bool) -> serde_json::Result<T> {
        match (self.redactor.hides_addresses(), person) {
            (false, _) => Ok(data),
            (true, true) => self.redactor.restored(data),
            (true, false) => self.redactor.leaving(data),
        }
    }
}

#[derive(Default)]
struct State {
    progress: Option<ProgressLine>,
    /// What was printed of the answer before the model was asked.
    printed: bool,
    action: String,
    thought: String,
}

impl Watch {
    /// Begins to watch.
    pub(super) fn start(wanted: Wanted, redactor: Redactor, pulse: &Arc<Live>) -> Watch {
        let progress = (!wanted.quiet && !wanted.events).then(ProgressLine::start);
        let eyes = Eyes { redactor, out: std::io::stdout().is_terminal(), err: std::io::stderr().is_terminal() };
        let pulse = Arc::clone(pulse);
        Watch { wanted, eyes, pulse, shared: Arc::new(Mutex::new(State { progress, ..State::default() })) }
    }

    /// Says something that a person should know.
    pub(super) fn note(&self, text: String) {
        self.sink()(Event::Note { text });
    }

    /// What takes the events.
    pub(super) fn sink(&self) -> impl Fn(Event) + Send + Sync + 'static {
        let (wanted, eyes, shared) = (self.wanted, self.eyes.clone(), Arc::clone(&self.shared));
        let pulse = Arc::clone(&self.pulse);
        move |event| {
            let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
            let written = if wanted.events {
                eyes.out(event).map_err(CommandError::from).and_then(print_event)
            } else {
                state.see(event, &wanted, &eyes)
            };
            if let Err(CommandError::BrokenPipe) = written {
                // A model costs money, and nobody is there to read it; the command ends when the answer can't be written.
                pulse.give_up();
            }
        }
    }

    /// Ends it, and writes what of the answer is not written yet.
    pub(super) fn end(self, diagnosis: &Diagnosis) -> Result<(), CommandError> {
        let mut state = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        state.progress = None;
        if self.wanted.events {
            return print_event(Event::Diagnosis { diagnosis: Box::new(self.eyes.out(diagnosis.clone())?) });
        }
        let (style, diagnosis) = (&self.wanted.style, self.eyes.out(diagnosis.clone())?);
        let text = if state.printed {
            let followed = self.eyes.err && self.eyes.out && !self.wanted.quiet;
            output::exploration(&diagnosis, style, followed)
        } else {
            output::render(&diagnosis, self.wanted.format, style)
        };
        terminal::print(&text, style)
    }
}

fn print_event(event: Event) -> Result<(), CommandError> {
    terminal::print(&output::event(event), &Style::default())
}

impl State {
    fn see(&mut self, event: Event, wanted: &Wanted, eyes: &Eyes) -> Result<(), CommandError> {
        if let Some(progress) = &self.progress {
            progress.show(&event);
        }
        let event = match event {
            Event::Causes { diagnosis } => eyes.out(diagnosis).ok().map(|diagnosis| Event::Causes { diagnosis }),
            other => eyes.err(other),
        };
        let Some(event) = event else { return Ok(()) };
        match event {
            // The causes are there in two seconds; a model takes its time.
            Event::Causes { diagnosis } if wanted.format == Format::Text && !wanted.quiet => {
                self.progress = None;
                terminal::print(&output::render(&diagnosis, Format::Text, &wanted.style), &wanted.style)?;
                self.printed = true;
                self.progress = Some(ProgressLine::start());
            }
            Event::StartToolCalling { thought, action, .. } => (self.thought, self.action) = (thought, action),
            Event::ToolCallingResult { step, text, bytes, millis, failed, note } if !wanted.quiet => {
                let (thought, action) = (one_line(&self.thought).into_owned(), one_line(&self.action).into_owned());
                let (cost, width) = (cost(bytes, millis, failed), terminal::line_width());
                if wanted.style.verbose {
                    self.say(&step_line(step, "", &action, &cost, width));
                    self.say(&beneath(&thought, &text, note.as_deref(), width));
                } else {
                    self.say(&step_line(step, &thought, &action, &cost, width));
                }
            }
            Event::Note { text } if !wanted.quiet => self.say(&format!("note: {}", one_line(&text))),
            _ => {}
        }
        Ok(())
    }

    /// Writes lines where the progress stood.
    fn say(&mut self, text: &str) {
        let had = self.progress.take().is_some();
        terminal::report(&format!("{text}\n"));
        self.progress = had.then(ProgressLine::start);
    }
}

fn cost(bytes: usize, millis: u64, failed: bool) -> String {
    let failed = if failed { "failed, " } else { "" };
    format!("({failed}{}, {:.1} s)", output::size(bytes), millis as f64 / 1000.0)
}

/// `  1  Is it ready?: kubectl get pods -n shop  (1.2 kB, 0.2 s)` on one line: the thought goes first where room is short,
/// then the end of the command.
fn step_line(step: usize, thought: &str, action: &str, cost: &str, columns: usize) -> String {
    let lead = format!("{step:>3}  ");
    let room = columns.saturating_sub(lead.len() + cost.width() + 2).max(20);
    let action = cut_end(action, room);
    let left = room.saturating_sub(action.width() + 3);
    let thought =
        if left >= 16 && !thought.is_empty() { format!("{}: ", cut_end(thought, left)) } else { String::new() };
    format!("{lead}{thought}{action}  {cost}")
}

/// The whole thought, what was read, and what was left out of that.
fn beneath(thought: &str, text: &str, note: Option<&str>, columns: usize) -> String {
    let thought = textwrap::wrap(thought, wrapping(columns.saturating_sub(INDENT.len()).max(20)));
    let (text, note) = (printable(text.trim_end()), note.map(|note| format!("[{}]", one_line(note))));
    let thought = thought.iter().map(AsRef::as_ref).filter(|line: &&str| !line.is_empty());
    let lines = thought.chain(text.lines()).chain(note.as_deref());
    lines.map(|line| format!("{INDENT}{line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_one_line_of_the_terminal() {
        let cases = [
            ("Is the database there?", "kubectl get svc -n shop"),
            ("", "kubectl get pods"),
            (&"x".repeat(200), &"y".repeat(200)),
            ("データベースはありますか", "kubectl get svc -n shop"),
            (&"🔥漢".repeat(50), &format!("kubectl get pods -l app={}", "漢字".repeat(50))),
        ];
        for (thought, action) in cases {
            for width in [40, 80, 120] {
                let line = step_line(12, thought, action, "(1.2 kB, 0.2 s)", width);
                assert!(line.width() <= width.max(45), "{width}: {line}");
                assert!(line.contains("(1.2 kB, 0.2 s)"), "{line}");
            }
        }
        assert_eq!(
            step_line(1, "Is it there?", "kubectl get svc -n shop", "(1.2 kB, 0.2 s)", 80),
            "  1  Is it there?: kubectl get svc -n shop  (1.2 kB, 0.2 s)"
        );
    }

    #[test]
    fn the_whole_thought_stands_beneath_where_all_is_wanted() {
        let thought = "Is the database there, and does anything select it?";
        assert_eq!(
            beneath(thought, "NAME  READY\ncart  0/1\n", Some("showing 2 of 9 lines"), 40),
            "     Is the database there, and does\n     anything select it?\n     NAME  READY\n     cart  0/1\n     [showing 2 of 9 lines]"
        );
        assert_eq!(beneath("", "cart", None, 40), "     cart");
    }
}
