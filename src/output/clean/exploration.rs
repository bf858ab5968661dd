//! What the agent found out, without what a terminal would obey: a model's words are no more to be trusted than a
//! cluster's.

use super::{line, text};
use crate::model::{
    Answer, Claim, DryRun, Exploration, Observation, Standing, StatedCause, Step, SuggestedChange, Usage,
};

pub(super) fn exploration(exploration: &Exploration) -> Exploration {
    let Exploration { question, steps, answer, ended, notes, usage, incident } = exploration;
    Exploration {
        question: question.as_deref().map(line),
        steps: steps.iter().map(step).collect(),
        answer: answer.as_ref().map(self::answer),
        ended: *ended,
        notes: notes.iter().map(|note| line(note)).collect(),
        usage: self::usage(usage),
        incident: incident.as_deref().map(line),
    }
}

fn step(step: &Step) -> Step {
    let Step { number, thought, tool, action, observation, millis } = step;
    let Observation { text: seen, failed, note, withheld } = observation;
    Step {
        number: *number,
        thought: line(thought),
        tool: line(tool),
        action: line(action),
        observation: Observation {
            text: text(seen),
            failed: *failed,
            note: note.as_deref().map(line),
            withheld: *withheld,
        },
        millis: *millis,
    }
}

fn answer(answer: &Answer) -> Answer {
    let Answer { summary, summary_standing, causes, changes, not_checked, undecided, confidence, contradictions } =
        answer;
    let lines = |lines: &[String]| lines.iter().map(|said| line(said)).collect();
    Answer {
        summary: text(summary),
        summary_standing: standing(summary_standing),
        causes: causes.iter().map(cause).collect(),
        changes: changes.iter().map(change).collect(),
        not_checked: lines(not_checked),
        undecided: undecided.as_deref().map(line),
        confidence: *confidence,
        contradictions: lines(contradictions),
    }
}

fn cause(cause: &StatedCause) -> StatedCause {
    let StatedCause { statement, object, explains, claims, standing } = cause;
    StatedCause {
        statement: line(statement),
        object: object.as_deref().map(line),
        explains: explains.as_deref().map(line),
        claims: claims.iter().map(claim).collect(),
        standing: self::standing(standing),
    }
}

fn claim(claim: &Claim) -> Claim {
    let Claim { text: said, step, quote, standing } = claim;
    Claim { text: line(said), step: *step, quote: line(quote), standing: self::standing(standing) }
}

fn standing(standing: &Standing) -> Standing {
    match standing {
        Standing::Supported => Standing::Supported,
        Standing::Unsupported { why } => Standing::Unsupported { why: line(why) },
        Standing::Unchecked => Standing::Unchecked,
    }
}

fn change(change: &SuggestedChange) -> SuggestedChange {
    let SuggestedChange { line: command, purpose, refused, risks, dry_run } = change;
    SuggestedChange {
        line: line(command),
        purpose: line(purpose),
        refused: refused.as_deref().map(line),
        risks: risks.iter().map(|risk| line(risk)).collect(),
        dry_run: dry_run.as_ref().map(|DryRun { accepted, said }| DryRun { accepted: *accepted, said: line(said) }),
    }
}

fn usage(usage: &Usage) -> Usage {
    Usage {
        model: line(&usage.model),
        server: line(&usage.server),
        prompt_version: line(&usage.prompt_version),
        currency: usage.currency.as_deref().map(line),
        ..usage.clone()
    }
}
