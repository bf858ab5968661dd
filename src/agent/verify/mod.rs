//! Holds an answer against what was read: each quote, each name, and what the detectors proved.
//!
//! *Invariant:* pure, and the only place that calls a claim supported. A model's confidence counts for nothing here.

mod names;
mod quotes;

use crate::kubectl;
use crate::model::{Answer, Claim, Severity, Standing, StatedCause, Step, SuggestedChange};

use super::start::Known;
use super::tools::{Finished, FinishedCause, FinishedChange, FinishedClaim};
use quotes::Found;

/// What an answer is held against.
pub(super) struct Seen<'a> {
    /// Step 0.
    pub(super) evidence: &'a str,
    /// The steps, with whether each proves something about the cluster.
    pub(super) steps: Vec<(&'a Step, bool)>,
    /// What the detectors proved.
    pub(super) causes: &'a [Known],
    /// The context in use.
    pub(super) context: &'a str,
    /// Whether a question was asked, so that the answer need not be about all causes.
    pub(super) asked: bool,
}

impl Seen<'_> {
    /// The texts that prove something, by step.
    fn proofs(&self) -> impl Iterator<Item = (usize, &str)> {
        let steps = self.steps.iter().filter(|(step, proves)| *proves && !step.observation.withheld);
        std::iter::once((0, self.evidence)).chain(steps.map(|(step, _)| (step.number, step.observation.text.as_str())))
    }

    /// Whether a name was read: as an object, or as one that is missing.
    fn knows(&self, name: &str) -> bool {
        let read = |step: &Step| {
            let text = &step.observation.text;
            !step.observation.withheld && (!step.observation.failed || text.to_lowercase().contains("not found"))
        };
        let steps = self.steps.iter().filter(|(step, proves)| *proves && read(step));
        let known = |known: &&Known| {
            [Some(&known.object), known.culprit.as_ref()].into_iter().flatten().any(|object| *object.name == *name)
        };
        names::stands(self.evidence, name)
            || self.causes.iter().find(known).is_some()
            || steps
                .into_iter()
                .any(|(step, _)| names::stands(&step.observation.text, name) || names::answered(step, name))
    }
}

/// Checks an answer; gives it with its marks, and what is wrong in sentences for the model.
pub(super) fn verify(finished: Finished, seen: &Seen<'_>) -> (Answer, Vec<String>) {
    let causes: Vec<StatedCause> = finished.causes.into_iter().map(|stated| cause(stated, seen)).collect();
    let undecided = Some(finished.undecided.trim().to_owned()).filter(|text| !is_nothing(text));
    let mut answer = Answer {
        summary: finished.summary.trim().to_owned(),
        contradictions: contradictions(&causes, undecided.is_some(), seen),
        causes,
        changes: finished
            .changes
            .into_iter()
            .filter(|change| !change.line.trim().is_empty())
            .map(|c| change(c, seen))
            .collect(),
        not_checked: finished.not_checked,
        undecided,
        confidence: finished.confidence,
    };
    let problems = problems(&answer);
    // What is not proven is nothing to be sure of.
    if answer.causes.iter().any(|cause| cause.standing != Standing::Supported) || !answer.contradictions.is_empty() {
        answer.confidence = answer.confidence.min(crate::model::Confidence::Low);
    }
    (answer, problems)
}

fn is_nothing(text: &str) -> bool {
    matches!(text.to_lowercase().trim_end_matches('.'), "" | "none" | "nothing" | "n/a" | "null" | "-")
}

fn cause(stated: FinishedCause, seen: &Seen<'_>) -> StatedCause {
    let explains = explained(&stated.explains, seen);
    let claims: Vec<Claim> = stated.claims.into_iter().map(|stated| claim(stated, seen)).collect();
    let object = Some(stated.object.trim().to_owned()).filter(|text| !is_nothing(text));
    let standing = cause_standing(&stated.statement, object.as_deref(), &explains, &claims, seen);
    StatedCause {
        statement: stated.statement.trim().to_owned(),
        object,
        explains: explains.ok().flatten().map(|known| known.fingerprint.clone()),
        claims,
        standing,
    }
}

/// The detectors' cause that is meant: by number, or by fingerprint.
fn explained<'a>(text: &str, seen: &'a Seen<'_>) -> Result<Option<&'a Known>, String> {
    let text = text.trim();
    if is_nothing(text) || text == "0" {
        return Ok(None);
    }
    if let Some(known) = seen.causes.iter().find(|known| known.fingerprint == text) {
        return Ok(Some(known));
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let number: Option<usize> = digits.parse().ok();
    let known = number.and_then(|number| number.checked_sub(1)).and_then(|at| seen.causes.get(at));
    known.map(Some).ok_or_else(|| format!("there is no cause `{text}` of the detectors"))
}

fn cause_standing(
    statement: &str,
    object: Option<&str>,
    explains: &Result<Option<&Known>, String>,
    claims: &[Claim],
    seen: &Seen<'_>,
) -> Standing {
    let unsupported = |why: String| Standing::Unsupported { why };
    if let Err(why) = explains {
        return unsupported(why.clone());
    }
    if let Some(name) = object.into_iter().flat_map(names::of_object).find(|name| !seen.knows(name)) {
        return unsupported(format!("`{name}` occurs in nothing that was read"));
    }
    if let Some(name) = names::in_text(statement).into_iter().find(|name| !seen.knows(name)) {
        return unsupported(format!("`{name}` occurs in nothing that was read"));
    }
    if claims.is_empty() {
        return unsupported("it has no claim with a quote".to_owned());
    }
    let failing = claims.iter().filter(|claim| claim.standing != Standing::Supported).count();
    match failing {
        0 => Standing::Supported,
        failing => unsupported(format!("{failing} of its {} claims are not supported", claims.len())),
    }
}

fn claim(stated: FinishedClaim, seen: &Seen<'_>) -> Claim {
    let digits: String = stated.step.chars().filter(char::is_ascii_digit).collect();
    let named: usize = digits.parse().unwrap_or(0);
    let quote = quotes::bare(&stated.quote);
    let mut step = named;
    let standing = match standing_of(quote, named, seen) {
        Ok(found) => {
            step = found;
            match names::in_text(&stated.text).into_iter().find(|name| !seen.knows(name)) {
                None => Standing::Supported,
                Some(name) => Standing::Unsupported { why: format!("`{name}` occurs in nothing that was read") },
            }
        }
        Err(why) => Standing::Unsupported { why },
    };
    Claim { text: stated.text.trim().to_owned(), step, quote: quote.to_owned(), standing }
}

/// The step in which the quote stands: the named one, or another.
fn standing_of(quote: &str, named: usize, seen: &Seen<'_>) -> Result<usize, String> {
    let mut texts: Vec<(usize, &str)> = seen.proofs().collect();
    texts.sort_by_key(|(number, _)| *number != named);
    let mut short = false;
    for (number, text) in texts {
        match quotes::find(quote, text) {
            Found::Yes => return Ok(number),
            Found::TooShort => short = true,
            Found::No => {}
        }
    }
    if short {
        return Err("the quote is too short to prove anything".to_owned());
    }
    let advice =
        seen.steps.iter().find(|(step, proves)| !*proves && quotes::find(quote, &step.observation.text) == Found::Yes);
    Err(match advice {
        Some((step, _)) => format!("step {} is a runbook, which proves nothing about this cluster", step.number),
        None if seen.proofs().all(|(number, _)| number != named) => format!("there is no step {named} to quote"),
        None => format!("the quote does not stand in step {named}"),
    })
}

/// Where an answer passes over what the detectors proved.
fn contradictions(causes: &[StatedCause], undecided: bool, seen: &Seen<'_>) -> Vec<String> {
    if seen.asked {
        return Vec::new();
    }
    let broken: Vec<&Known> = seen.causes.iter().filter(|known| known.severity > Severity::Info).collect();
    if causes.is_empty() && !broken.is_empty() && !undecided {
        let what = if broken.len() == 1 { "one cause".to_owned() } else { format!("{} causes", broken.len()) };
        return vec![format!("it names no cause, and the detectors proved {what}")];
    }
    let mut found = Vec::new();
    for known in broken.iter().take(3) {
        let names = [Some(&known.object), known.culprit.as_ref()];
        let about = |cause: &&StatedCause| {
            cause.explains.as_ref() == Some(&known.fingerprint)
                || names.iter().flatten().any(|object| {
                    names::stands(&cause.statement, &object.name)
                        || cause.object.as_ref().is_some_and(|text| names::stands(text, &object.name))
                })
        };
        if causes.iter().find(about).is_none() && !undecided {
            found.push(format!("it says nothing of what the detectors proved: {}", known.summary));
        }
    }
    found
}

fn change(stated: FinishedChange, seen: &Seen<'_>) -> SuggestedChange {
    let purpose = stated.purpose.trim().to_owned();
    let typed = stated.line.trim().trim_matches('`').trim_start_matches("$ ").to_owned();
    let refused = |why: String| SuggestedChange {
        line: typed.clone(),
        purpose: purpose.clone(),
        refused: Some(why),
        ..SuggestedChange::default()
    };
    let command = match kubectl::parse(&typed) {
        Ok(command) => command,
        Err(refusal) => return refused(refusal.message),
    };
    if let Err(refusal) = command.check_context(seen.context) {
        return refused(refusal.message);
    }
    let mut risks: Vec<String> = match &command {
        kubectl::Command::Change(change) => change.risks().iter().map(ToString::to_string).collect(),
        kubectl::Command::Read(_) => Vec::new(),
    };
    risks.extend(command.params().iter().map(|name| format!("`{name}` is to be filled in")));
    let targets = command.targets();
    // What a line creates need not have been there, but what it is made from.
    let creates = matches!(command.verb(), "create" | "run");
    let named = targets.iter().filter_map(|target| target.name.as_deref()).filter(|_| !creates);
    let from = command.flag("from").map(|from| from.split_once('/').map_or(from, |(_, name)| name));
    let unknown = named.chain(from).find(|name| !seen.knows(name));
    risks.extend(unknown.map(|name| format!("`{name}` occurs in nothing that was read")));
    SuggestedChange { line: command.in_context(seen.context), purpose, refused: None, risks, dry_run: None }
}

/// What is wrong, for the model to mend.
fn problems(answer: &Answer) -> Vec<String> {
    let mut problems = Vec::new();
    for (at, cause) in answer.causes.iter().enumerate() {
        for (number, claim) in cause.claims.iter().enumerate() {
            if let Standing::Unsupported { why } = &claim.standing {
                problems.push(format!("cause {}, claim {}: {why}", at + 1, number + 1));
            }
        }
        let all_claims_hold = cause.claims.iter().all(|claim| claim.standing == Standing::Supported);
        if let (Standing::Unsupported { why }, true) = (&cause.standing, all_claims_hold) {
            problems.push(format!("cause {}: {why}", at + 1));
        }
    }
    problems.extend(answer.contradictions.iter().cloned());
    for change in &answer.changes {
        if let Some(why) = &change.refused {
            problems.push(format!("the change `{}`: {why}", change.line));
        }
    }
    problems
}

#[cfg(test)]
mod tests;
