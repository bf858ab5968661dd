//! What a reply asks for: calls are carried out, an answer is checked and taken or sent back.
//!
//! *Invariant:* each call of a reply has an answer in the conversation, and an answer that was given is never lost.

use super::guard::{IDLE, Verdict as Guarded};
use super::{CALLS, LAST_TURNS, Next, Reading, Run};
use crate::agent::chat::ModelError;
use crate::agent::shape;
use crate::agent::tools::{self, FINISH, Finished};
use crate::agent::verify::{Seen, verify};
use crate::model::chat::{Call, ChatReply, Finish};
use crate::model::event::Event;
use crate::model::{Ended, Observation, Step};

/// What a call is answered when the time is over.
const LATE: &str = "error: the time is over";

impl Run<'_> {
    /// Does what a reply asks for.
    pub(super) async fn heard(&mut self, reply: ChatReply, reading: Reading) -> Next {
        if reply.finish == Finish::Filtered && reply.calls.is_empty() && reply.text.trim().is_empty() {
            let reason = "the reply was filtered".to_owned();
            return self.failed(&ModelError::Filtered { server: self.start.server.clone(), reason }, 0);
        }
        let calls = self.talk.heard(&reply, self.turn);
        if calls.is_empty() {
            return self.narrated(&reply);
        }
        let cut = reply.finish == Finish::Length;
        let thought = one_or_two_sentences(&reply.text);
        let (mut answered, mut late) = (false, false);
        for (at, call) in calls.iter().enumerate() {
            if answered {
                self.talk.refuse(call, "your answer was sent back: mend it first");
            } else if at >= CALLS {
                self.talk.refuse(call, &format!("only {CALLS} calls in one turn"));
            } else if call.name == FINISH {
                if let Next::Done(ended) = self.finished(call, cut) {
                    return Next::Done(ended);
                }
                answered = true;
            } else if self.withdrawn.is_some() || self.start.explain_only {
                self.talk.refuse(call, "the tools are gone: call `finish`");
            } else if self.steps.len() >= self.start.limits.steps {
                self.talk.refuse(call, "no steps are left: call `finish`");
            } else if late {
                self.talk.refuse(call, LATE);
            } else {
                late = self.act(call, if at == 0 { &thought } else { "" }, reading).await;
            }
        }
        Next::On
    }

    /// A reply that calls nothing.
    fn narrated(&mut self, reply: &ChatReply) -> Next {
        let text = reply.text.trim();
        let reminded = self.guard.idle();
        let last = self.withdrawn.is_some() && (self.last_turns >= LAST_TURNS || self.start.explain_only);
        if self.answer.is_some() && self.withdrawn.is_some() && self.last_turns >= LAST_TURNS {
            // What was sent back stands as it is marked: words without proof are no better.
            return Next::Done(self.withdrawn.unwrap_or_default());
        }
        if !text.is_empty() && self.answer.is_none() && (last || self.start.explain_only && reminded > 1) {
            // Better than nothing: it is shown as what it is, an answer without proof.
            self.accept(Finished { summary: text.to_owned(), ..Finished::default() });
            return Next::Done(self.withdrawn.unwrap_or_default());
        }
        if self.withdrawn.is_none() && reminded >= IDLE {
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
                return if self.guard.idle() >= IDLE { self.give_up() } else { Next::On };
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

    /// Carries out a call, unless it was made before; whether the time was over before it answered.
    async fn act(&mut self, call: &Call, thought: &str, reading: Reading) -> bool {
        let action = self.world.hands.told(call);
        if let Guarded::Repeat(step) = self.guard.look(call) {
            if let Some(step) = self.steps.iter().find(|made| made.number == step && self.talk.lacks(made)) {
                // It no longer stands there in full.
                self.guard.excuse();
                self.talk.observed(call, step);
                return false;
            }
            let why =
                format!("you asked this in step {step}: its answer stands there; ask something else, or `finish`");
            self.talk.refuse(call, &why);
            return false;
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
            () = self.world.pulse.interrupted(reading.interrupts) => stopped("error: interrupted"),
            () = self.world.pulse.passed(self.until) => stopped(LATE),
        };
        // Told by what is recorded, so that a replay stops where the run did.
        let late = observation.failed && observation.text == LATE;
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
        late
    }
}

/// A call that was stopped.
fn stopped(text: &str) -> (Observation, u64) {
    (Observation { text: text.to_owned(), failed: true, ..Observation::default() }, 0)
}

/// The beginning of what a model said: empty narration is cut.
fn one_or_two_sentences(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    shape::head(&text, 240)
}
