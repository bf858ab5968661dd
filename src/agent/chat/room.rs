//! How much a model may say in a turn.
//!
//! *Invariant:* what is set is what is asked for; else nobody gets less than a request gives, and more only where the window
//! has it.

use std::sync::atomic::{AtomicU32, Ordering};

/// Tokens for a model that thinks first: what it thinks counts as said.
const THINKING: u32 = 16_000;
/// The most that is given without being told to.
const MOST: u32 = 64_000;
/// Bytes of a request for one token, reckoned so that it rather has fewer.
const BYTES: usize = 3;

/// The room of one model.
#[derive(Debug)]
pub(super) struct Room {
    /// What the user says.
    set: Option<u32>,
    /// Tokens that the model holds, question and answer together.
    window: u32,
    /// What it turned out to need, in this process.
    needs: AtomicU32,
}

impl Room {
    pub(super) fn new(set: Option<u32>, window: u32) -> Room {
        Room { set, window, needs: AtomicU32::new(0) }
    }

    /// The tokens for the reply to so many bytes, of which a request gives `given`.
    pub(super) fn tokens(&self, given: Option<u32>, thinks: bool, bytes: usize) -> Option<u32> {
        let Some(given) = given.filter(|_| self.set.is_none()) else { return self.set };
        let least = if thinks { THINKING } else { 0 };
        let needed = self.needs.load(Ordering::Relaxed).max(least);
        let free = self.window.saturating_sub(u32::try_from(bytes / BYTES).unwrap_or(u32::MAX));
        Some(given.max(needed.min(free)))
    }

    /// The model used up so many tokens and said nothing: from now on it gets twice as many. Whether that is more.
    pub(super) fn widen(&self, used: u32) -> bool {
        let needs = used.saturating_mul(2).min(MOST);
        self.set.is_none() && needs > used && self.needs.fetch_max(needs, Ordering::Relaxed) < needs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_how_much_it_may_be() {
        // What is set and the window; what is given, whether it thinks, bytes asked; and what comes of it.
        let table = [
            ((Some(20_000), 8_000), (Some(4_000), false, 0), Some(20_000)),
            ((Some(900), 200_000), (Some(4_000), true, 0), Some(900)),
            ((Some(900), 200_000), (None, true, 0), Some(900)),
            ((None, 200_000), (None, true, 0), None),
            ((None, 200_000), (Some(4_000), false, 0), Some(4_000)),
            ((None, 200_000), (Some(4_000), true, 90_000), Some(16_000)),
            ((None, 16_384), (Some(4_000), true, 18_000), Some(10_384)),
            ((None, 16_384), (Some(4_000), true, 60_000), Some(4_000)),
            ((None, 16_384), (Some(4_000), true, usize::MAX), Some(4_000)),
        ];
        for ((set, window), (given, thinks, bytes), expected) in table {
            let room = Room::new(set, window);
            assert_eq!(room.tokens(given, thinks, bytes), expected, "{room:?} {given:?} {thinks} {bytes}");
        }
    }

    #[test]
    fn what_it_turned_out_to_need_is_remembered() {
        let room = Room::new(None, 200_000);
        assert!(room.widen(4_000));
        assert_eq!(room.tokens(Some(4_000), false, 0), Some(8_000));
        assert!(!room.widen(4_000), "it has that already");
        assert!(room.widen(8_000) && room.widen(60_000) && !room.widen(MOST));
        assert_eq!(room.tokens(Some(4_000), true, 0), Some(MOST));
        assert!(!Room::new(Some(500), 200_000).widen(500), "the user said how much");
    }
}
