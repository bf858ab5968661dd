//! Notices when a run goes in circles: the same call again, nothing but failures, words without deeds.
//!
//! *Invariant:* pure.

use std::collections::BTreeMap;

use crate::agent::tools::{arguments, kubectl};
use crate::model::chat::Call;

/// Turns that only repeat before the tools go.
const REPEATS: usize = 3;
/// Failures in a row.
const FAILURES: usize = 7;
/// Replies without a call that can be used.
pub(super) const IDLE: usize = 3;

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Guard {
    made: BTreeMap<(String, String), Made>,
    /// Turns that repeated something since the last new call, and whether this one does.
    repeats: usize,
    repeated: bool,
    failures: usize,
    idle: usize,
}

/// A call that was made.
#[derive(Debug)]
struct Made {
    step: usize,
    /// Whether it may be made once more.
    again: bool,
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
            Some(made) if !made.again => {
                self.repeated = true;
                Verdict::Repeat(made.step)
            }
            _ => Verdict::New,
        }
    }

    /// Notes what came of it. A call that failed may have failed in passing (a time-out, a server with too much to do):
    /// it may be made once more, unless it is one that nobody could have carried out.
    pub(super) fn acted(&mut self, call: &Call, step: usize, failed: bool) {
        let key = key(call);
        let again = failed && sound(call) && !self.made.contains_key(&key);
        self.made.insert(key, Made { step, again });
        self.failures = if failed { self.failures + 1 } else { 0 };
        (self.repeats, self.repeated, self.idle) = (0, false, 0);
    }

    /// A repeat that was in order: what it asks for is no longer in the conversation.
    pub(super) fn excuse(&mut self) {
        self.repeated = false;
    }

    /// Notes a reply that calls nothing; how many there were in a row.
    pub(super) fn idle(&mut self) -> usize {
        self.idle += 1;
        self.idle
    }

    /// Looks back on a turn: whether it goes in circles. However often one turn repeats, it counts once.
    pub(super) fn circles(&mut self) -> bool {
        self.repeats += usize::from(std::mem::take(&mut self.repeated));
        self.repeats >= REPEATS || self.failures >= FAILURES
    }
}

/// The same call, however it is written.
fn key(call: &Call) -> (String, String) {
    let Ok(arguments) = arguments(&call.arguments) else { return (call.name.clone(), squeezed(&call.arguments)) };
    let line = (call.name == kubectl::NAME).then(|| kubectl::canonical(&arguments)).flatten();
    (call.name.clone(), line.unwrap_or_else(|| squeezed(&arguments.to_string())))
}

/// Whether a call can be carried out at all, as far as it tells by itself.
fn sound(call: &Call) -> bool {
    let arguments = arguments(&call.arguments);
    arguments.is_ok_and(|arguments| call.name != kubectl::NAME || kubectl::canonical(&arguments).is_some())
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
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
    }

    #[test]
    fn a_line_is_the_same_however_it_is_written() {
        let written = |line: &str| key(&call(&serde_json::json!({ "command": line }).to_string()));
        let same = [
            "kubectl get pods -n shop",
            "get po -n shop",
            "-n shop get pods",
            "get pod --namespace=shop",
            "$ get Pods --namespace shop",
        ];
        for line in same {
            assert_eq!(written(line), written("get pods -n shop"), "{line}");
        }
        assert_eq!(
            written("get deploy/web svc/db -n a -o wide"),
            written("get -o wide svc/db deployments.apps/web -n a")
        );
        assert_eq!(written("logs web -n a --previous"), written("logs -p web --namespace a"));
        let others = [
            "get pods",
            "get pods -n shop-2",
            "get pods -A",
            "get pods -n shop -o wide",
            "describe pods -n shop",
            "get pods web -n shop",
        ];
        for line in others {
            assert_ne!(written(line), written("get pods -n shop"), "{line}");
        }
        let grep = |grep: &str| key(&call(&serde_json::json!({"command": "logs web", "grep": grep}).to_string()));
        assert_ne!(grep("a"), grep("b"));
        assert_ne!(grep("a"), written("logs web"));
    }

    #[test]
    fn a_turn_repeats_once_and_a_new_call_forgives() {
        let (old, mut guard) = (call(r#"{"command":"get pods"}"#), Guard::default());
        guard.acted(&old, 1, false);
        (0..4).for_each(|_| assert_eq!(guard.look(&old), Verdict::Repeat(1)));
        assert!(!guard.circles(), "four times in one turn");
        guard.look(&old);
        assert!(!guard.circles());
        guard.acted(&call(r#"{"command":"get nodes"}"#), 2, false);
        for turn in 1..=REPEATS {
            guard.look(&old);
            assert_eq!(guard.circles(), turn == REPEATS, "{turn}");
        }
    }

    #[test]
    fn what_failed_may_be_tried_once_more() {
        let (timeout, mut guard) = (call(r#"{"command":"get pods"}"#), Guard::default());
        guard.acted(&timeout, 1, true);
        assert_eq!(guard.look(&timeout), Verdict::New);
        guard.acted(&timeout, 2, true);
        assert_eq!(guard.look(&timeout), Verdict::Repeat(2));
        // What the grammar refuses fails again.
        let change = call(r#"{"command":"delete pod web"}"#);
        guard.acted(&change, 3, true);
        assert_eq!(guard.look(&change), Verdict::Repeat(3));
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
