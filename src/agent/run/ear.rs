//! What is heard of a turn before it is over: told to those who watch, and counted.
//!
//! *Invariant:* of a model's words whole lines are told, and only as the redactor leaves them: a secret is not known for
//! one before its line is there.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::World;
use crate::agent::chat::Heard;
use crate::model::chat::Spent;
use crate::model::event::Event;

/// Pauses shorter than this, in milliseconds, are not told.
const PATIENCE: u128 = 2_000;
/// What begins and ends a block whose lines are no secrets each for itself: a key in PEM.
const BLOCK: (&str, &str) = ("-----BEGIN", "-----END");

/// Listens to one turn.
pub(super) struct Ear<'a> {
    world: &'a World<'a>,
    turn: usize,
    heard: Mutex<Sofar>,
}

#[derive(Default)]
struct Sofar {
    spent: Spent,
    /// The text as it comes.
    text: String,
    /// What of it is told, masked.
    told: String,
}

impl<'a> Ear<'a> {
    pub(super) fn new(world: &'a World<'a>, turn: usize) -> Ear<'a> {
        Ear { world, turn, heard: Mutex::default() }
    }

    fn heard(&self) -> MutexGuard<'_, Sofar> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the turn has cost.
    pub(super) fn spent(&self) -> Spent {
        self.heard().spent
    }

    pub(super) fn hear(&self, piece: Heard<'_>) {
        match piece {
            Heard::Asked(spent) => {
                let mut heard = self.heard();
                if !heard.told.is_empty() {
                    // What came of a try that broke off comes once more.
                    (self.world.events)(Event::Thinking { request: self.turn });
                }
                *heard = Sofar { spent, ..Sofar::default() };
            }
            Heard::Waits { reason, pause } if pause.as_millis() >= PATIENCE => {
                let text = format!("the model is asked again in {:.0} s: {reason}", pause.as_secs_f32());
                (self.world.events)(Event::Note { text });
            }
            Heard::Waits { .. } | Heard::Streamed => {}
            Heard::Said(text) => {
                let mut heard = self.heard();
                heard.text.push_str(text);
                if !text.contains('\n') || heard.text.matches(BLOCK.0).count() > heard.text.matches(BLOCK.1).count() {
                    return;
                }
                let end = heard.text.rfind('\n').map_or(0, |at| at + 1);
                let lines = heard.text.get(..end).unwrap_or_default().to_owned();
                self.tell(&mut heard, &lines);
            }
        }
    }

    /// The turn is over, and this is all that was said, masked already.
    pub(super) fn end(&self, text: &str) {
        self.tell(&mut self.heard(), text);
    }

    /// Tells what of a text is new.
    fn tell(&self, heard: &mut Sofar, text: &str) {
        let masked = self.world.redactor.text(text).into_owned();
        let new = masked.strip_prefix(&heard.told).unwrap_or(&masked);
        if !new.is_empty() {
            (self.world.events)(Event::AiMessage { text: new.to_owned() });
        }
        heard.told = masked;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::agent::testing::{Clock, Kept, Scripted, redactor, toolbox};

    /// What is told of what is heard, and of the whole text at its end.
    fn told(pieces: Vec<Heard<'_>>, whole: &str) -> Vec<String> {
        let told = Mutex::new(Vec::new());
        let events = |event: Event| {
            told.lock().unwrap().push(match event {
                Event::AiMessage { text } => text,
                Event::Thinking { request } => format!("request {request}"),
                Event::Note { text } => format!("note: {text}"),
                other => panic!("{other:?}"),
            });
        };
        let (model, hands, redactor) = (Scripted::new(Vec::new()), toolbox(&[]), redactor());
        let (pulse, journal) = (Clock::default(), Kept::default());
        let world = World {
            model: &model,
            hands: &hands,
            pulse: &pulse,
            journal: &journal,
            events: &events,
            redactor: &redactor,
        };
        let ear = Ear::new(&world, 3);
        for piece in pieces {
            ear.hear(piece);
        }
        ear.end(&redactor.text(whole));
        told.into_inner().unwrap()
    }

    #[test]
    fn whole_lines_are_told_as_they_come() {
        let said = |text| Heard::Said(text);
        assert_eq!(
            told(vec![said("It is "), said("slow.\nBe"), said("cause")], "It is slow.\nBecause"),
            ["It is slow.\n", "Because"]
        );
        assert_eq!(told(vec![said("one"), said(" two")], "one two"), ["one two"]);
        assert_eq!(told(Vec::new(), ""), Vec::<String>::new());
    }

    #[test]
    fn a_secret_is_masked_however_it_is_cut() {
        let whole = "The password=hun\nter2 is\npassword=hunter2hunter2\nhere\n";
        let pieces = ["The pass", "word=hun", "\nter2 is\npassword=hunt", "er2hunter2\nhere", "\n"];
        let text = told(pieces.map(Heard::Said).to_vec(), whole).concat();
        assert!(!text.contains("hunter2") && text.contains("<redacted:") && text.ends_with("here\n"), "{text}");
        let lines =
            ["a\n-----BEGIN PRIVATE KEY-----\n", "MIIEvQIBADANBgkqhkiG9w0BAQ\n", "-----END PRIVATE KEY-----\nb\n"];
        let text = told(lines.map(Heard::Said).to_vec(), &lines.concat()).concat();
        assert!(!text.contains("MIIEvQ") && text.starts_with("a\n") && text.ends_with("b\n"), "{text}");
    }

    #[test]
    fn what_is_asked_again_is_told_anew() {
        let asked = |requests| Heard::Asked(Spent { requests, bytes_sent: 0 });
        let waits = |seconds| Heard::Waits { reason: "busy", pause: Duration::from_secs(seconds) };
        let heard = vec![asked(1), Heard::Said("one\ntw"), waits(1), waits(7), asked(2), Heard::Said("one\ntwo")];
        assert_eq!(
            told(heard, "one\ntwo"),
            ["one\n", "note: the model is asked again in 7 s: busy", "request 3", "one\n", "two"]
        );
    }
}
