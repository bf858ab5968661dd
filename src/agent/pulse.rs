//! The clock of a live run, and the patience of the person who watches it.
//!
//! *Invariant:* an interrupt counts only while a run is on; before that it ends the program.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use tokio::sync::Notify;

use super::run::{Pulse, Reading};

/// The clock of a live run; it begins with the first turn.
#[derive(Debug, Default)]
pub struct Live {
    begun: OnceLock<Instant>,
    running: AtomicBool,
    interrupts: AtomicU8,
    changed: Notify,
}

impl Live {
    /// Somebody interrupts; false where nothing runs that could end by it, or where it was told twice already.
    pub fn interrupt(&self) -> bool {
        if !self.running.load(Ordering::SeqCst) {
            return false;
        }
        let before = self.interrupts.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_waiters();
        before < 2
    }

    /// Nobody waits for the answer any more: a run ends, and none begins.
    pub fn give_up(&self) {
        self.interrupts.fetch_max(2, Ordering::SeqCst);
        self.changed.notify_waiters();
    }

    /// The run is over.
    pub fn over(&self) {
        self.running.store(false, Ordering::SeqCst);
    }
}

impl Pulse for Live {
    fn reading(&self, turn: usize) -> Reading {
        self.running.store(turn > 0, Ordering::SeqCst);
        Reading {
            elapsed: u64::try_from(self.begun.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX),
            interrupts: self.interrupts.load(Ordering::SeqCst),
        }
    }

    fn interrupted(&self, interrupts: u8) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            loop {
                let changed = self.changed.notified();
                tokio::pin!(changed);
                // Before the count is looked at, so that no interrupt falls between.
                changed.as_mut().enable();
                if self.interrupts.load(Ordering::SeqCst) > interrupts {
                    return;
                }
                changed.await;
            }
        })
    }

    fn passed(&self, millis: u64) -> BoxFuture<'_, ()> {
        let end = self.begun.get_or_init(Instant::now).checked_add(Duration::from_millis(millis));
        Box::pin(async move {
            match end {
                Some(end) => tokio::time::sleep_until(end.into()).await,
                None => std::future::pending().await,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::agent::budget::Limits;
    use crate::agent::chat::{Heard, Hearing, Identity, Model, ModelError};
    use crate::agent::replay::Recording;
    use crate::agent::testing::{Kept, redactor, start, toolbox};
    use crate::agent::{Start, World, run};
    use crate::model::chat::{ChatReply, ChatRequest, Spent};
    use crate::model::{Ended, TurnOutcome};
    use crate::redact::Redacted;

    /// A model that thinks for ever.
    #[derive(Default)]
    struct Silent(Identity);

    impl Model for Silent {
        fn identity(&self) -> &Identity {
            &self.0
        }

        fn turn<'a>(
            &'a self,
            _: &'a Redacted<ChatRequest>,
            heard: &'a Hearing<'a>,
        ) -> BoxFuture<'a, Result<ChatReply, ModelError>> {
            Box::pin(async move {
                heard(Heard::Asked(Spent { requests: 1, bytes_sent: 300 }));
                std::future::pending().await
            })
        }
    }

    #[tokio::test]
    async fn a_turn_is_cut_off_when_the_time_is_over_and_plays_again_so() {
        let start = Start { limits: Limits { seconds: 1, ..Limits::default() }, ..start() };
        let (pulse, journal, redactor, hands) = (Live::default(), Arc::new(Kept::default()), redactor(), toolbox(&[]));
        let world = World {
            model: &Silent::default(),
            hands: &hands,
            pulse: &pulse,
            journal: &*journal,
            events: &|_| {},
            redactor: &redactor,
        };
        let mut ended = run(&start, &world).await;
        assert_eq!(ended.ended, Ended::Time);
        assert!(ended.notes.iter().any(|note| note.contains("1 seconds are used up")), "{:?}", ended.notes);
        let turns = journal.turns.lock().unwrap().clone();
        assert!(turns.len() == 2 && turns.iter().all(|turn| turn.outcome == TurnOutcome::TimeUp), "{turns:?}");
        let recording = Recording { start, turns, steps: Vec::new(), millis: ended.usage.millis };
        assert_eq!((ended.usage.requests, ended.usage.bytes_sent), (2, 600));
        assert!(ended.usage.estimated && ended.usage.input_tokens > 0, "{:?}", ended.usage);
        // Whichever of what is ready at once would be looked at first.
        for _ in 0..20 {
            let again = recording.replay(&redactor, &|_| {}).await;
            ended.usage.millis = again.usage.millis;
            assert_eq!(again, ended);
        }
    }
}
