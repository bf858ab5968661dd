//! One line on standard error that says how far it is, for a person who waits.
//!
//! *Invariant:* nothing is written unless standard error is a terminal, the wait is long enough to be noticed, and there is
//! something new to say. It is one row of the terminal, since only that can be erased, and is gone before anything else is
//! written.

use std::io::IsTerminal;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::terminal::{line_width, report};
use crate::model::event::Event;
use crate::output::cut_end;
use crate::printable::one_line;

/// Who gets an answer sooner need not read that we work on it.
const PATIENCE: Duration = Duration::from_millis(300);
const REFRESH: Duration = Duration::from_millis(100);
/// Back to the first column, and nothing behind it.
const ERASE: &str = "\r\u{1b}[K";

/// The line; dropping it erases it.
pub(super) struct ProgressLine {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    text: String,
    /// Since when a person waits, where that is worth telling.
    since: Option<Instant>,
    ended: bool,
}

impl Shared {
    fn say(&self, text: &str, since: Option<Instant>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.text, state.since) = (one_line(text).into_owned(), since);
    }

    fn show(&self, event: &Event) {
        if let Some(text) = sentence(event) {
            // Of all that is waited for, a model alone gives no sign of life.
            let since = matches!(event, Event::Thinking { .. }).then(Instant::now);
            self.say(&text, since);
        }
    }
}

impl ProgressLine {
    /// Begins to wait.
    pub(super) fn start() -> ProgressLine {
        let shared = Arc::new(Shared::default());
        let wanted = std::io::stderr().is_terminal() && std::env::var("TERM").as_deref() != Ok("dumb");
        let theirs = Arc::clone(&shared);
        let thread = wanted.then(|| std::thread::spawn(move || draw(&theirs)));
        ProgressLine { shared, thread }
    }

    /// What takes sentences of one's own.
    pub(super) fn writer(&self) -> impl Fn(String) + Send + Sync + 'static {
        let shared = Arc::clone(&self.shared);
        move |text| shared.say(&text, None)
    }

    /// Shows an event.
    pub(super) fn show(&self, event: &Event) {
        self.shared.show(event);
    }

    /// What takes the events.
    pub(super) fn sink(&self) -> impl Fn(Event) + Send + Sync + 'static {
        let shared = Arc::clone(&self.shared);
        move |event| shared.show(&event)
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
        self.shared.ended.notify_all();
        if let Some(thread) = self.thread.take() {
            // A line that can't be erased is no reason to fail.
            let _ = thread.join();
        }
    }
}

fn draw(shared: &Shared) {
    let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
    let mut wait = PATIENCE;
    let mut drawn = String::new();
    while !state.ended {
        state = shared.ended.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        wait = REFRESH;
        let text = timed(&state.text, state.since.map(|since| since.elapsed()));
        if !state.ended
            && let Some(written) = redrawn(&mut drawn, &text, line_width())
        {
            report(&written);
        }
    }
    if !drawn.is_empty() {
        report(ERASE);
    }
}

/// The text with the seconds that it is true, from the first one on.
fn timed(text: &str, waited: Option<Duration>) -> String {
    match waited.map(|waited| waited.as_secs()) {
        None | Some(0) => text.to_owned(),
        Some(seconds) => format!("{text}, {seconds} s"),
    }
}

/// What is written to have `text` in a row of so many columns, where `drawn` does not stand there already.
fn redrawn(drawn: &mut String, text: &str, columns: usize) -> Option<String> {
    // In the last column a terminal may begin the next row.
    let row = cut_end(text, columns.saturating_sub(1));
    if row == *drawn {
        return None;
    }
    let written = format!("{ERASE}{row}");
    *drawn = row;
    Some(written)
}

/// What is going on; nothing where an event is not about that.
fn sentence(event: &Event) -> Option<String> {
    Some(match event {
        Event::Collecting { lists, of, objects } => {
            format!("reading the cluster: {lists} of {of} lists, {objects} objects")
        }
        Event::Fetching { done, of } => format!("reading logs and details: {done} of {of}"),
        Event::Explaining => "explaining".to_owned(),
        Event::Thinking { request } => format!("asking the model (request {request})"),
        Event::StartToolCalling { action, .. } => action.clone(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts with the columns that there are, and what is written.
    type Row<'a> = (&'a [(&'a str, usize)], &'a [&'a str]);

    #[test]
    fn only_what_is_new_is_written_and_it_is_one_row() {
        let table: &[Row<'_>] = &[
            (&[("", 80), ("", 80)], &[]),
            (&[("reading", 80), ("reading", 80), ("asking", 80)], &["reading", "asking"]),
            (&[("kubectl get pods", 11), ("kubectl get svc", 11)], &["kubectl g…"]),
            (&[("kubectl get pods", 11), ("kubectl get pods", 80)], &["kubectl g…", "kubectl get pods"]),
            (&[("漢字漢字", 9), ("漢字漢字", 8)], &["漢字漢字", "漢字漢…"]),
            (&[("漢字漢字", 1), ("漢字漢字", 0)], &[]),
        ];
        for (texts, expected) in table {
            let mut drawn = String::new();
            let written: Vec<String> =
                texts.iter().filter_map(|(text, columns)| redrawn(&mut drawn, text, *columns)).collect();
            let expected: Vec<String> = expected.iter().map(|row| format!("\r\u{1b}[K{row}")).collect();
            assert_eq!(written, expected, "{texts:?}");
        }
    }

    #[test]
    fn seconds_are_told_where_a_model_is_waited_for() {
        let table = [
            (None, "asking"),
            (Some(0), "asking"),
            (Some(999), "asking"),
            (Some(1000), "asking, 1 s"),
            (Some(14_999), "asking, 14 s"),
        ];
        for (millis, expected) in table {
            assert_eq!(timed("asking", millis.map(Duration::from_millis)), expected);
        }
        let shared = Shared::default();
        for (event, waits) in [(Event::Thinking { request: 2 }, true), (Event::Explaining, false)] {
            shared.show(&event);
            assert_eq!(shared.state.lock().unwrap().since.is_some(), waits, "{event:?}");
        }
        assert_eq!(shared.state.lock().unwrap().text, "explaining");
    }
}
