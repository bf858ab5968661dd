//! A run again, from its recording: the model's turns, the tools' observations and the clock as they were.
//!
//! *Invariant:* nothing is asked and nothing is read; a run that would ask something else than was recorded says at which
//! turn.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::BoxFuture;

use super::chat::{Heard, Hearing, Identity, Model, ModelError, turn};
use super::run::{Journal, Pulse, Reading, World, run};
use super::start::Start;
use super::tools::Hands;
use crate::model::chat::{Call, ChatReply, ChatRequest, ToolSpec};
use crate::model::event::Event;
use crate::model::{Exploration, Observation, Step, Turn, TurnOutcome};
use crate::redact::{Redacted, Redactor};

/// What was recorded of a run.
#[derive(Clone, Debug)]
pub struct Recording {
    /// What it began with.
    pub start: Start,
    /// Its turns, in order.
    pub turns: Vec<Turn>,
    /// Its steps, in order.
    pub steps: Vec<Step>,
    /// How long it took, in milliseconds.
    pub millis: u64,
}

impl Recording {
    /// Runs it again.
    pub async fn replay(&self, redactor: &Redactor, events: &(dyn Fn(Event) + Send + Sync)) -> Exploration {
        let played = Played {
            recording: self,
            identity: Identity {
                model: self.start.model.clone(),
                server: self.start.server.clone(),
                window: self.start.window,
            },
            turn: AtomicUsize::new(0),
            shown: Mutex::new(0),
        };
        let world = World { model: &played, hands: &played, pulse: &played, journal: &played, events, redactor };
        run(&self.start, &world).await
    }
}

struct Played<'a> {
    recording: &'a Recording,
    identity: Identity,
    turn: AtomicUsize,
    /// Steps that were told already: one action is told before it is carried out.
    shown: Mutex<usize>,
}

impl Played<'_> {
    fn turn(&self, number: usize) -> Option<&Turn> {
        self.recording.turns.get(number.checked_sub(1)?)
    }

    fn step(&self, number: usize) -> Option<&Step> {
        self.recording.steps.get(number.checked_sub(1)?)
    }
}

impl Model for Played<'_> {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn turn<'a>(
        &'a self,
        request: &'a Redacted<ChatRequest>,
        heard: &'a Hearing<'a>,
    ) -> BoxFuture<'a, Result<ChatReply, ModelError>> {
        let number = self.turn.load(Ordering::SeqCst);
        Box::pin(async move {
            let Some(recorded) = Played::turn(self, number) else {
                return Err(ModelError::Replay(format!("the recording ends before turn {number}")));
            };
            if recorded.request != turn::digest(request) {
                return Err(ModelError::Replay(format!("turn {number} would ask something else than was recorded")));
            }
            if !recorded.spent.is_nothing() {
                heard(Heard::Asked(recorded.spent));
            }
            match &recorded.outcome {
                TurnOutcome::Reply(reply) => {
                    heard(Heard::Said(&reply.text));
                    Ok(reply.clone())
                }
                TurnOutcome::Error(error) => Err(turn::read(error)),
                TurnOutcome::Cancelled | TurnOutcome::TimeUp => std::future::pending().await,
            }
        })
    }
}

impl Hands for Played<'_> {
    fn specs(&self) -> Vec<ToolSpec> {
        self.recording.start.tools.clone()
    }

    fn told(&self, call: &Call) -> String {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        // A call that was refused as a repeat was told and made no step.
        let next = self.recording.steps.get(*shown).filter(|step| step.tool == call.name);
        next.map(|step| step.action.clone()).unwrap_or_default()
    }

    fn proves(&self, tool: &str) -> bool {
        !self.recording.start.advice.iter().any(|name| name == tool)
    }

    fn act<'a>(&'a self, number: usize, _: &'a Call) -> BoxFuture<'a, (Observation, u64)> {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = number;
        let missing =
            || (Observation { text: "error: not recorded".to_owned(), failed: true, ..Observation::default() }, 0);
        let answer = self.step(number).map_or_else(missing, |step| (step.observation.clone(), step.millis));
        Box::pin(async move { answer })
    }
}

impl Pulse for Played<'_> {
    fn reading(&self, turn: usize) -> Reading {
        if turn == 0 {
            return Reading { elapsed: self.recording.millis, interrupts: 0 };
        }
        self.turn.store(turn, Ordering::SeqCst);
        // A run that somebody stopped at once has no turn for that.
        let stopped = Reading { elapsed: self.recording.millis, interrupts: 2 };
        Played::turn(self, turn).map_or(stopped, |turn| Reading { elapsed: turn.elapsed, interrupts: turn.interrupts })
    }

    fn interrupted(&self, _: u8) -> BoxFuture<'_, ()> {
        self.ended_with(&TurnOutcome::Cancelled)
    }

    fn passed(&self, _: u64) -> BoxFuture<'_, ()> {
        self.ended_with(&TurnOutcome::TimeUp)
    }
}

impl Played<'_> {
    /// Ready where the turn under way ended so when it was recorded.
    fn ended_with(&self, outcome: &TurnOutcome) -> BoxFuture<'_, ()> {
        let turn = Played::turn(self, self.turn.load(Ordering::SeqCst));
        let now = turn.is_some_and(|turn| turn.outcome == *outcome);
        Box::pin(async move {
            if !now {
                std::future::pending::<()>().await;
            }
        })
    }
}

impl Journal for Played<'_> {
    fn turn(&self, _: &Turn) {}

    fn step(&self, _: &Step) {}
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::agent::testing::{
        Clock, Kept, Line, Scripted, asks, calls, fails, finishes, redactor, says, start, toolbox,
    };

    const POD: (&str, &str) = ("kubectl get pods", "NAME READY\nweb-7d4-x 0/1\n");

    #[tokio::test]
    async fn a_recording_gives_the_same_bytes() {
        let lost = || ModelError::TooLong { reason: "long".to_owned(), window: Some(5_000) };
        let answer = json!({"summary": "s", "causes": [{"statement": "web-7d4-x is not ready", "object": "web", "explains": 1,
            "claims": [{"text": "t", "step": 1, "quote": "web-7d4-x 0/1"}]}]});
        let scripts: Vec<Vec<Line>> = vec![
            vec![asks("get pods"), finishes(answer.clone())],
            vec![
                asks("get pods"),
                asks("get pods"),
                asks("get nodes"),
                says("hm"),
                finishes(json!({})),
                finishes(answer.clone()),
            ],
            vec![asks("get pods"), fails(lost()), calls("nothing", "{}"), finishes(answer)],
            vec![fails(ModelError::Unusable { server: "s".to_owned(), reason: "r".to_owned() })],
        ];
        for (number, script) in scripts.into_iter().enumerate() {
            let clock = Clock((0..40).map(|turn| Reading { elapsed: turn * 137, interrupts: 0 }).collect());
            let (model, hands, redactor, kept) = (Scripted::new(script), toolbox(&[POD]), redactor(), Kept::default());
            let start = start();
            let world = World {
                model: &model,
                hands: &hands,
                pulse: &clock,
                journal: &kept,
                events: &|_| {},
                redactor: &redactor,
            };
            let live = run(&start, &world).await;
            let recording = Recording {
                start,
                turns: kept.turns.lock().unwrap().clone(),
                steps: kept.steps.lock().unwrap().clone(),
                millis: live.usage.millis,
            };
            // As it is kept: through JSON.
            let start = serde_json::from_str(&serde_json::to_string(&recording.start).unwrap()).unwrap();
            let again = Recording { start, ..recording.clone() }.replay(&redactor, &|_| {}).await;
            assert_eq!(
                serde_json::to_string(&again).unwrap(),
                serde_json::to_string(&live).unwrap(),
                "script {number}"
            );
            let mut other = recording;
            other.start.system.push('!');
            let changed = other.replay(&redactor, &|_| {}).await;
            assert_eq!(changed.notes, ["turn 1 would ask something else than was recorded"]);
        }
    }
}
