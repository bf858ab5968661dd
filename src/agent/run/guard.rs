//! Notices when a run goes in circles: the same call again, nothing but failures, words without deeds.
//!
//! *Invariant:* pure.

use std::collections::BTreeMap;

use crate::agent::tools::arguments;
use crate::model::chat::Call;

/// Repeats that are refused before the tools go.
const REPEATS: usize = 3;
/// Failures in a row.
const FAILURES: usize = 7;
/// Replies without a call that can be used.
pub(super) const IDLE: usize = 3;

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Guard {
    made: BTreeMap<(String, String), usize>,
    repeats: usize,
    failures: usize,
    idle: usize,
}

/// What to do with a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Make it.
    New,
    /// It was made in this step.
    Repeat(usize),
}

impl Guard {
    /// Looks at a call before it is made.
    pub(super) fn look(&mut self, call: &Call) -> Verdict {
        match self.made.get(&key(call)) {
            Some(step) => {
                self.repeats += 1;
                Verdict::Repeat(*step)
            }
            None => Verdict::New,
        }
    }

    /// Notes what came of it.
    pub(super) fn acted(&mut self, call: &Call, step: usize, failed: bool) {
        self.made.insert(key(call), step);
        self.failures = if failed { self.failures + 1 } else { 0 };
        self.idle = 0;
    }

    /// A repeat that was in order: what it asks for is no longer in the conversation.
    pub(super) fn excuse(&mut self) {
        self.repeats = self.repeats.saturating_sub(1);
    }

    /// Notes a reply that calls nothing; how many there were in a row.
    pub(super) fn idle(&mut self) -> usize {
        self.idle += 1;
        self.idle
    }

    /// Whether it goes in circles.
    pub(super) fn circles(&self) -> bool {
        self.repeats >= REPEATS || self.failures >= FAILURES
    }
}

/// The same call, however its arguments are written.
fn key(call: &Call) -> (String, String) {
    let arguments = arguments(&call.arguments).map_or_else(|_| call.arguments.clone(), |value| value.to_string());
    (call.name.clone(), arguments.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(arguments: &str) -> Call {
        Call { id: String::new(), name: "kubectl".to_owned(), arguments: arguments.to_owned() }
    }

    #[test]
    fn a_call_is_the_same_however_it_is_written() {
        let mut guard = Guard::default();
        assert_eq!(guard.look(&call(r#"{"command":"get pods"}"#)), Verdict::New);
        guard.acted(&call(r#"{"command":"get pods"}"#), 1, false);
        assert_eq!(guard.look(&call("{ \"command\": \"get  pods\" }")), Verdict::Repeat(1));
        assert_eq!(guard.look(&call(r#"{"command":"get nodes"}"#)), Verdict::New);
        guard.look(&call(r#"{"command":"get pods"}"#));
        assert!(!guard.circles());
        guard.look(&call(r#"{"command":"get pods"}"#));
        assert!(guard.circles());
    }

    #[test]
    fn nothing_but_failures_and_words_ends_it() {
        let mut guard = Guard::default();
        for at in 0..FAILURES {
            assert!(!guard.circles());
            guard.acted(&call(&format!("{{\"command\":\"get {at}\"}}")), at, true);
        }
        assert!(guard.circles());
        assert_eq!([guard.idle(), guard.idle(), guard.idle()], [1, 2, 3]);
    }
}
