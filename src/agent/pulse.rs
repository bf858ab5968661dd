//! The clock of a live run, and the patience of the person who watches it.
//!
//! *Invariant:* an interrupt counts only while a run is on; before that it ends the program.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Instant;

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
}
