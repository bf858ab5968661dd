//! One line on standard error that says how far it is, for a person who waits.
//!
//! *Invariant:* nothing is written unless standard error is a terminal and the wait is long enough to be
//! noticed; the line is gone before anything else is written.

use std::io::IsTerminal;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::terminal::report;
use crate::model::event::Event;
use crate::printable::one_line;

/// Who gets an answer sooner need not read that we work on it.
const PATIENCE: Duration = Duration::from_millis(300);
const REFRESH: Duration = Duration::from_millis(100);

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
    ended: bool,
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
        move |text| shared.state.lock().unwrap_or_else(PoisonError::into_inner).text = text
    }

    /// Shows an event.
    pub(super) fn show(&self, event: &Event) {
        if let Some(text) = sentence(event) {
            self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).text = one_line(&text).into_owned();
        }
    }

    /// What takes the events.
    pub(super) fn sink(&self) -> impl Fn(Event) + Send + Sync + 'static {
        let shared = Arc::clone(&self.shared);
        move |event| {
            if let Some(text) = sentence(&event) {
                shared.state.lock().unwrap_or_else(PoisonError::into_inner).text = text;
            }
        }
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
    let mut drawn = false;
    while !state.ended {
        state = shared.ended.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        wait = REFRESH;
        if !state.ended && !state.text.is_empty() {
            report(&format!("\r\u{1b}[K{}", state.text));
            drawn = true;
        }
    }
    if drawn {
        report("\r\u{1b}[K");
    }
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
