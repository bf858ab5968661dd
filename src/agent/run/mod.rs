//! The loop: ask, act, observe, until there is an answer or the budget is used up.
//!
//! *Invariant:* all that a run depends on comes through [`World`], so a recording of it gives the same run; and whatever
//! happens, it ends with an [`Exploration`] and never with an error.

mod ear;
mod guard;
mod reply;
mod shorten;
mod talk;

use futures::future::BoxFuture;

use super::budget;
use super::chat::{Heard, Model, ModelError, turn};
use super::prompt;
use super::start::Start;
use super::tools::Hands;
use crate::model::chat::Spent;
use crate::model::event::Event;
use crate::model::{Answer, Ended, Exploration, Step, Turn, TurnOutcome, Usage};
use crate::redact::Redactor;
use ear::Ear;
use guard::Guard;
use talk::{Talk, Withheld};

/// Calls that one turn may make; more are refused.
const CALLS: usize = 4;
/// Turns after the tools are gone.
const LAST_TURNS: usize = 3;
/// Turns beyond the steps: repairs and narration.
const MORE_TURNS: usize = 10;
/// The time for an answer when the time is over, in milliseconds: at least, and at most.
const LAST_MILLIS: (u64, u64) = (2_000, 60_000);
/// Tokens that an answer takes.
const ANSWER: u64 = 1_500;
/// Tokens that a question takes, its answer included, however short it is made.
const LEAST: u64 = 3_000;
/// How often a conversation that is too long is made shorter.
const SHORTER: usize = 4;

/// What a run acts on.
pub struct World<'a> {
    /// Who is asked.
    pub model: &'a dyn Model,
    /// Who carries out calls.
    pub hands: &'a dyn Hands,
    /// Time, and people's patience.
    pub pulse: &'a dyn Pulse,
    /// Who keeps it.
    pub journal: &'a dyn Journal,
    /// Who watches.
    pub events: &'a (dyn Fn(Event) + Send + Sync),
    /// Masks what is secret.
    pub redactor: &'a Redactor,
}

/// Time, and people's patience.
pub trait Pulse: Send + Sync {
    /// As it is before turn `turn`, from 1; 0 at the end.
    fn reading(&self, turn: usize) -> Reading;

    /// Waits until somebody interrupts once more than `interrupts` times.
    fn interrupted(&self, interrupts: u8) -> BoxFuture<'_, ()>;

    /// Waits until so many milliseconds of the run have passed.
    fn passed(&self, millis: u64) -> BoxFuture<'_, ()>;
}

/// A look at the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Milliseconds since the run began.
    pub elapsed: u64,
    /// How often somebody has interrupted.
    pub interrupts: u8,
}

/// Who keeps what happens.
pub trait Journal: Send + Sync {
    /// A turn.
    fn turn(&self, turn: &Turn);
    /// A step.
    fn step(&self, step: &Step);
}

/// Runs the agent to its end.
pub async fn run(start: &Start, world: &World<'_>) -> Exploration {
    let mut run = Run::new(start, world);
    if let Some((kept, of)) = run.talk.cut_question(start) {
        run.note(format!("the question is too long for the model's window: {kept} of its {of} bytes are asked"));
    }
    let ended = run.go().await;
    (world.events)(Event::AiAnswerEnd);
    let mut usage = run.usage;
    usage.millis = world.pulse.reading(0).elapsed;
    // What a model says may quote what nobody should read.
    let answer = run.answer.map(|answer| world.redactor.seal_texts(answer).into_inner());
    Exploration {
        question: start.question.clone(),
        steps: run.steps,
        answer,
        ended,
        notes: run.notes,
        usage,
        incident: None,
    }
}

struct Run<'a> {
    start: &'a Start,
    world: &'a World<'a>,
    talk: Talk,
    guard: Guard,
    steps: Vec<Step>,
    usage: Usage,
    notes: Vec<String>,
    answer: Option<Answer>,
    /// Why the tools are gone.
    withdrawn: Option<Ended>,
    /// Turns since.
    last_turns: usize,
    /// When a turn is cut off, in milliseconds of the run.
    until: u64,
    /// Whether an answer was sent back to be mended.
    sent_back: bool,
    turn: usize,
    shortened: usize,
}

/// Whether it goes on.
enum Next {
    On,
    Done(Ended),
}

impl<'a> Run<'a> {
    fn new(start: &'a Start, world: &'a World<'a>) -> Run<'a> {
        let usage = Usage {
            model: start.model.clone(),
            server: start.server.clone(),
            prompt_version: start.prompt_version.clone(),
            currency: start.price.is_some().then(|| start.currency.clone()).filter(|currency| !currency.is_empty()),
            ..Usage::default()
        };
        Run {
            start,
            world,
            talk: Talk::begin(start),
            guard: Guard::default(),
            steps: Vec::new(),
            usage,
            notes: Vec::new(),
            answer: None,
            withdrawn: None,
            last_turns: 0,
            until: start.limits.seconds.saturating_mul(1000),
            sent_back: false,
            turn: 0,
            shortened: 0,
        }
    }

    async fn go(&mut self) -> Ended {
        loop {
            self.turn += 1;
            let reading = self.world.pulse.reading(self.turn);
            // Before the clock is looked at: a replay has to come to it without a turn.
            let (left, why) = self.left();
            if left < LEAST {
                self.note("what is left of its budget is too little for one more question".to_owned());
                return self.withdrawn.unwrap_or(why);
            }
            if reading.interrupts > 1 {
                return Ended::Interrupted;
            }
            self.look_at_the_budget(reading);
            if self.withdrawn.is_some() {
                self.last_turns += 1;
                if self.last_turns > LAST_TURNS {
                    return self.withdrawn.unwrap_or_default();
                }
            }
            match self.one_turn(reading).await {
                Next::On => {}
                Next::Done(ended) => return ended,
            }
        }
    }

    fn look_at_the_budget(&mut self, reading: Reading) {
        if self.withdrawn.is_some() {
            return;
        }
        let limits = &self.start.limits;
        let spent = if reading.interrupts > 0 {
            Some(Ended::Interrupted)
        } else if self.turn > limits.steps.saturating_add(MORE_TURNS) || self.guard.circles() {
            Some(Ended::Circles)
        } else {
            // An answer has to be had for what is left after the turn.
            let next = self.talk.tokens(self.start).saturating_add(ANSWER);
            budget::spent(limits, self.steps.len(), &self.usage, reading.elapsed)
                .or_else(|| Some(self.left()).filter(|(left, _)| *left < next.saturating_mul(2)).map(|(_, why)| why))
        };
        if let Some(spent) = spent {
            let last = (self.start.limits.seconds.saturating_mul(1000) / 2).clamp(LAST_MILLIS.0, LAST_MILLIS.1);
            self.until = self.until.max(reading.elapsed + last);
            self.withdraw(spent);
        }
    }

    /// Tokens that may still be used, and what bounds them.
    fn left(&self) -> (u64, Ended) {
        budget::left(&self.start.limits, &self.usage, self.start.price.as_ref(), ANSWER)
    }

    /// Takes the tools away, and asks for what there is.
    fn withdraw(&mut self, why: Ended) {
        let told = budget::told(why, &self.start.limits, &self.start.currency);
        let more =
            if why == Ended::Interrupted { "; its best answer so far is asked for (Ctrl-C again ends it)" } else { "" };
        self.note(format!("the model was stopped: {told}{more}"));
        self.talk.tell(prompt::last_words(&told));
        self.withdrawn = Some(why);
    }

    fn note(&mut self, text: String) {
        (self.world.events)(Event::Note { text: text.clone() });
        self.notes.push(text);
    }

    async fn one_turn(&mut self, reading: Reading) -> Next {
        let last = self.is_last();
        let (left, _) = self.left();
        if self.withdrawn.is_some() {
            self.talk.bound(left);
        }
        let request = self.talk.request(self.start, last, &self.steps);
        let request = self.world.redactor.seal_texts(request);
        let sent = serde_json::to_vec(&*request).map_or(0, |body| body.len());
        (self.world.events)(Event::Thinking { request: self.turn });
        let ear = Ear::new(self.world, self.turn);
        let heard = |piece: Heard<'_>| ear.hear(piece);
        let outcome = tokio::select! {
            // The model first, so that a turn that is cut off has told what it cost, in a replay too.
            biased;
            answer = self.world.model.turn(&request, &heard) => match answer {
                // A model may repeat what it should not know.
                Ok(reply) => TurnOutcome::Reply(self.world.redactor.seal_texts(reply).into_inner()),
                Err(error) => TurnOutcome::Error(turn::written(&error)),
            },
            () = self.world.pulse.interrupted(reading.interrupts) => TurnOutcome::Cancelled,
            () = self.world.pulse.passed(self.until) => TurnOutcome::TimeUp,
        };
        // A reply says itself what it cost.
        let spent = if matches!(outcome, TurnOutcome::Reply(_)) { Spent::default() } else { ear.spent() };
        self.world.journal.turn(&Turn {
            number: self.turn,
            elapsed: reading.elapsed,
            interrupts: reading.interrupts,
            request: turn::digest(&request),
            spent,
            outcome: outcome.clone(),
        });
        match outcome {
            TurnOutcome::Reply(reply) => {
                ear.end(&reply.text);
                budget::add(&mut self.usage, sent, &reply, self.start.price.as_ref());
                self.count();
                self.heard(reply, reading).await
            }
            TurnOutcome::Cancelled => {
                self.unanswered(spent, sent);
                Next::On
            }
            TurnOutcome::TimeUp => {
                self.unanswered(spent, sent);
                match self.withdrawn {
                    Some(why) => Next::Done(why),
                    None => Next::On,
                }
            }
            TurnOutcome::Error(error) => {
                let error = turn::read(&error);
                self.unanswered(spent, if error.may_be_billed() { sent } else { 0 });
                self.failed(&error, sent)
            }
        }
    }

    /// Whether nothing but an answer is wanted.
    fn is_last(&self) -> bool {
        self.withdrawn.is_some() || self.start.explain_only
    }

    /// Counts a turn that has no reply, of whose request the server may have read and billed so many bytes.
    fn unanswered(&mut self, spent: Spent, billed: usize) {
        budget::add_unanswered(&mut self.usage, spent, billed, self.start.price.as_ref());
        self.count();
    }

    fn count(&self) {
        (self.world.events)(Event::TokenCount {
            input: self.usage.input_tokens,
            output: self.usage.output_tokens,
            cost: self.usage.cost,
        });
    }

    /// A turn that failed: made shorter, or without what a filter refuses, it may be asked again.
    fn failed(&mut self, error: &ModelError, sent: usize) -> Next {
        match error {
            ModelError::TooLong { window, .. } if self.shortened < SHORTER => {
                self.shortened += 1;
                self.talk.shrink(*window, sent);
                let shorter = self.talk.request(self.start, self.is_last(), &self.steps);
                let shorter =
                    serde_json::to_vec(&*self.world.redactor.seal_texts(shorter)).map_or(0, |body| body.len());
                if shorter < sent { Next::On } else { self.too_small() }
            }
            ModelError::TooLong { .. } => self.too_small(),
            ModelError::Filtered { reason, .. } => {
                let what = match self.talk.withhold(self.start) {
                    Some(Withheld::Step(number)) => {
                        for step in self.steps.iter_mut().filter(|step| step.number == number) {
                            step.observation.withheld = true;
                        }
                        format!("what step {number} read")
                    }
                    Some(Withheld::Evidence) => {
                        "the evidence of the detectors, so the model gets the causes alone".to_owned()
                    }
                    Some(Withheld::Advice) => "the runbooks that fit".to_owned(),
                    None => return self.broken(error),
                };
                self.note(format!("the content filter refused {what}: {reason}"));
                Next::On
            }
            _ => self.broken(error),
        }
    }

    /// What there is to say does not fit this model's window, however short it is made.
    fn too_small(&mut self) -> Next {
        let tokens = self.talk.window();
        self.note(format!(
            "the window of this model holds less than {tokens} tokens, too little to explore this (take a larger model, or \
             set `model.window` where it is larger)"
        ));
        Next::Done(self.withdrawn.unwrap_or(Ended::ModelFailed))
    }

    fn broken(&mut self, error: &ModelError) -> Next {
        let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
        self.note(format!("{error}{hint}"));
        Next::Done(Ended::ModelFailed)
    }
}

#[cfg(test)]
mod injections;
#[cfg(test)]
mod tests;
