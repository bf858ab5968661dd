//! The texts of an incident that someone else wrote, for the redactor.
//!
//! *Invariant:* what a model, a person or a program said passes here before it is stored, also where it was redacted
//! before: masking twice changes nothing.

use super::Record;
use crate::model::{Cause, Diagnosis, Evidence, Exploration, Observation, Step, Turn, TurnError, TurnOutcome};
use crate::redact::Texts;

type Show<'a> = &'a mut dyn FnMut(&mut String);

impl Texts for Turn {
    fn each_text(&mut self, show: Show<'_>) {
        match &mut self.outcome {
            TurnOutcome::Reply(reply) => reply.each_text(show),
            TurnOutcome::Error(TurnError { kind: _, server, model: _, reason, window: _ }) => {
                show(server);
                show(reason);
            }
            TurnOutcome::Cancelled | TurnOutcome::TimeUp => {}
        }
    }
}

impl Texts for Step {
    fn each_text(&mut self, show: Show<'_>) {
        let Step { number: _, thought, tool: _, action, observation, millis: _ } = self;
        let Observation { text, failed: _, note, withheld: _ } = observation;
        show(thought);
        show(action);
        show(text);
        note.iter_mut().for_each(show);
    }
}

impl Texts for Record {
    fn each_text(&mut self, show: Show<'_>) {
        self.targets.iter_mut().for_each(&mut *show);
        self.question.iter_mut().for_each(&mut *show);
        self.notes.iter_mut().for_each(&mut *show);
        self.start.iter_mut().for_each(|start| start.each_text(show));
        if let Some(diagnosis) = &mut self.diagnosis {
            of_diagnosis(diagnosis, show);
        }
    }
}

fn of_diagnosis(diagnosis: &mut Diagnosis, show: Show<'_>) {
    diagnosis.causes.iter_mut().for_each(|cause| of_cause(cause, show));
    diagnosis.gaps.iter_mut().for_each(|gap| show(&mut gap.reason));
    if let Some(exploration) = &mut diagnosis.exploration {
        of_exploration(exploration, show);
    }
}

fn of_cause(cause: &mut Cause, show: Show<'_>) {
    show(&mut cause.summary);
    cause.evidence.iter_mut().for_each(|Evidence { quote, .. }| show(quote));
    cause.consequences.iter_mut().for_each(|consequence| show(&mut consequence.summary));
    cause.changes.iter_mut().for_each(|change| show(&mut change.what));
    let advised = cause.runbooks.iter_mut().flat_map(|advice| &mut advice.commands);
    cause.commands.iter_mut().chain(advised).for_each(|command| show(&mut command.line));
    cause.unknown.iter_mut().for_each(show);
}

fn of_exploration(exploration: &mut Exploration, show: Show<'_>) {
    let Exploration { question, steps, answer, ended: _, notes, usage: _, incident: _ } = exploration;
    question.iter_mut().for_each(&mut *show);
    for step in steps {
        step.each_text(show);
    }
    notes.iter_mut().for_each(&mut *show);
    if let Some(answer) = answer {
        answer.each_text(show);
    }
}
