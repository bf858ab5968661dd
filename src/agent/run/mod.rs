//! The loop: ask, act, observe, until there is an answer or the budget is used up.
//!
//! *Invariant:* all that a run depends on comes through [`World`], so a recording of it gives the same run; and whatever
//! happens, it ends with an [`Exploration`] and never with an error.

mod ear;
mod guard;
mod talk;

use futures::future::BoxFuture;

use super::budget;
use super::chat::{Heard, Model, ModelError, turn};
use super::prompt;
use super::start::Start;
use super::tools::{self, FINISH, Finished, Hands};
use super::verify::{Seen, verify};
use crate::model::chat::{Call, ChatReply, Finish, Spent};
use crate::model::event::Event;
use crate::model::{Answer, Ended, Exploration, Observation, Step, Turn, TurnOutcome, Usage};
use crate::redact::Redactor;
use ear::Ear;
use guard::{Guard, Verdict as Guarded};
use talk::Talk;

/// Calls that one turn may make; more are refused.
const CALLS: usize = 4;
/// Turns after the tools are gone.
const LAST_TURNS: usize = 3;
/// Turns beyond the steps: repairs and narration.
const MORE_TURNS: usize = 10;
/// The time for an answer when the time is over, in milliseconds: at least, and at most.
const LAST_MILLIS: (u64, u64) = (2_000, 60_000);
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
        } else if self.turn > limits.steps + MORE_TURNS || self.guard.circles() {
            Some(Ended::Circles)
        } else {
            budget::spent(limits, self.steps.len(), &self.usage, reading.elapsed)
        };
        if let Some(spent) = spent {
            let last = (self.start.limits.seconds.saturating_mul(1000) / 2).clamp(LAST_MILLIS.0, LAST_MILLIS.1);
            self.until = self.until.max(reading.elapsed + last);
            self.withdraw(spent);
        }
    }

    /// Takes the tools away, and asks for what there is.
    fn withdraw(&mut self, why: Ended) {
        let told = budget::told(why, &self.start.limits);
        self.note(format!("the model was stopped: {told}"));
        self.talk.tell(prompt::last_words(&told));
        self.withdrawn = Some(why);
    }

    fn note(&mut self, text: String) {
        (self.world.events)(Event::Note { text: text.clone() });
        self.notes.push(text);
    }

    async fn one_turn(&mut self, reading: Reading) -> Next {
        let last = self.withdrawn.is_some() || self.start.explain_only;
        let request = self.talk.request(self.start, last, &self.steps);
        let request = self.world.redactor.seal_texts(request);
        let sent = serde_json::to_vec(&*request).map_or(0, |body| body.len());
        (self.world.events)(Event::Thinking { request: self.turn });
        let ear = Ear::new(self.world, self.turn);
        let heard = |piece: Heard<'_>| ear.hear(piece);
        let outcome = tokio::select! {
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
                self.failed(&error)
            }
        }
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
    fn failed(&mut self, error: &ModelError) -> Next {
        match error {
            ModelError::TooLong { window, .. } if self.shortened < SHORTER => {
                self.shortened += 1;
                self.talk.shrink(*window);
                Next::On
            }
            ModelError::Filtered { reason, .. } => match self.talk.withhold() {
                Some(steps) => {
                    let which: Vec<String> = steps.iter().map(usize::to_string).collect();
                    self.note(format!("the content filter refused what step {} read: {reason}", which.join(", ")));
                    for step in self.steps.iter_mut().filter(|step| steps.contains(&step.number)) {
                        step.observation.withheld = true;
                    }
                    Next::On
                }
                None => self.broken(error),
            },
            _ => self.broken(error),
        }
    }

    fn broken(&mut self, error: &ModelError) -> Next {
        let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
        self.note(format!("{error}{hint}"));
        Next::Done(Ended::ModelFailed)
    }

    async fn heard(&mut self, reply: ChatReply, reading: Reading) -> Next {
        if reply.finish == Finish::Filtered && reply.calls.is_empty() && reply.text.trim().is_empty() {
            let reason = "the reply was filtered".to_owned();
            return self.failed(&ModelError::Filtered { server: self.start.server.clone(), reason });
        }
        let calls = self.talk.heard(&reply, self.turn);
        if calls.is_empty() {
            return self.narrated(&reply);
        }
        let cut = reply.finish == Finish::Length;
        let thought = one_or_two_sentences(&reply.text);
        for (at, call) in calls.iter().enumerate() {
            if at >= CALLS {
                self.talk.refuse(call, &format!("only {CALLS} calls in one turn"));
            } else if call.name == FINISH {
                if let Next::Done(ended) = self.finished(call, cut) {
                    return Next::Done(ended);
                }
            } else if self.withdrawn.is_some() || self.start.explain_only {
                self.talk.refuse(call, "the tools are gone: call `finish`");
            } else if self.steps.len() >= self.start.limits.steps {
                self.talk.refuse(call, "no steps are left: call `finish`");
            } else {
                self.act(call, if at == 0 { &thought } else { "" }, reading).await;
            }
        }
        Next::On
    }

    /// A reply that calls nothing.
    fn narrated(&mut self, reply: &ChatReply) -> Next {
        let text = reply.text.trim();
        if self.withdrawn.is_some() && !text.is_empty() && (self.last_turns >= LAST_TURNS || self.start.explain_only) {
            // Better than nothing: it is shown as what it is, an answer without proof.
            self.accept(Finished { summary: text.to_owned(), ..Finished::default() });
            return Next::Done(self.withdrawn.unwrap_or_default());
        }
        if self.withdrawn.is_none() && self.guard.idle() {
            self.withdraw(Ended::Circles);
            return Next::On;
        }
        let cut = reply.finish == Finish::Length;
        let again = if cut { "Your reply was cut off. Shorter: " } else { "" };
        let end = if self.withdrawn.is_some() || self.start.explain_only { "" } else { "one of the tools, or " };
        self.talk.tell(format!("{again}Call {end}`finish`. Text alone is not read by anyone."));
        Next::On
    }

    /// An answer: taken, or sent back once to be mended.
    fn finished(&mut self, call: &Call, cut: bool) -> Next {
        let finished = match tools::read_finish(&call.arguments) {
            Ok(finished) => finished,
            Err(_) if cut => {
                self.talk.refuse(call, "your reply was cut off: answer again, shorter");
                return Next::On;
            }
            Err(reason) => {
                self.talk.refuse(call, &format!("this can't be read: {reason}"));
                return if self.guard.idle() { self.give_up() } else { Next::On };
            }
        };
        let problems = self.accept(finished);
        let may_mend = self.withdrawn != Some(Ended::Interrupted) && self.last_turns < LAST_TURNS;
        if !problems.is_empty() && !self.sent_back && may_mend {
            self.sent_back = true;
            let list: Vec<String> = problems.iter().map(|problem| format!("- {problem}")).collect();
            self.talk.refuse(
                call,
                &format!(
                    "not accepted yet:\n{}\nMend it and call `finish` again: quote word for word, drop what you can't \
                     prove, or say what would decide it.",
                    list.join("\n")
                ),
            );
            return Next::On;
        }
        Next::Done(self.withdrawn.unwrap_or(Ended::Answered))
    }

    fn give_up(&mut self) -> Next {
        if let Some(why) = self.withdrawn {
            return Next::Done(why);
        }
        self.withdraw(Ended::Circles);
        Next::On
    }

    /// Checks and keeps an answer; gives what is wrong with it.
    fn accept(&mut self, finished: Finished) -> Vec<String> {
        let hands = self.world.hands;
        let steps = self.steps.iter().map(|step| (step, hands.proves(&step.tool))).collect();
        let seen = Seen {
            evidence: &self.start.brief.evidence,
            steps,
            causes: &self.start.causes,
            context: &self.start.context,
            asked: self.start.question.is_some(),
        };
        let (answer, problems) = verify(finished, &seen);
        self.answer = Some(answer);
        problems
    }

    /// Carries out a call, unless it was made before.
    async fn act(&mut self, call: &Call, thought: &str, reading: Reading) {
        let action = self.world.hands.told(call);
        if let Guarded::Repeat(step) = self.guard.look(call) {
            let why =
                format!("you asked this in step {step}: its answer stands there; ask something else, or `finish`");
            self.talk.refuse(call, &why);
            return;
        }
        let number = self.steps.len() + 1;
        (self.world.events)(Event::StartToolCalling {
            step: number,
            thought: thought.to_owned(),
            tool: call.name.clone(),
            action: action.clone(),
        });
        let (observation, millis) = tokio::select! {
            result = self.world.hands.act(number, call) => result,
            () = self.world.pulse.interrupted(reading.interrupts) => {
                (Observation { text: "error: interrupted".to_owned(), failed: true, ..Observation::default() }, 0)
            }
        };
        self.guard.acted(call, number, observation.failed);
        (self.world.events)(Event::ToolCallingResult {
            step: number,
            text: observation.text.clone(),
            bytes: observation.text.len(),
            millis,
            failed: observation.failed,
            note: observation.note.clone(),
        });
        let step = Step { number, thought: thought.to_owned(), tool: call.name.clone(), action, observation, millis };
        self.talk.observed(call, &step);
        self.world.journal.step(&step);
        self.steps.push(step);
    }
}

/// The beginning of what a model said: empty narration is cut.
fn one_or_two_sentences(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    super::shape::head(&text, 240)
}

#[cfg(test)]
mod injections;
#[cfg(test)]
mod tests;
