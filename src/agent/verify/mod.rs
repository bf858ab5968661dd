//! Holds an answer against what was read: each quote, each name, and what the detectors proved.
//!
//! *Invariant:* pure, and the only place that calls a claim supported. A model's confidence counts for nothing here.

mod changes;
mod health;
mod names;
mod proof;
mod quotes;
mod read;

use crate::model::{Answer, Claim, Confidence, Standing, StatedCause, Step};

use super::start::Known;
use super::tools::{Finished, FinishedCause, FinishedClaim};
use quotes::Found;
use read::{Knowledge, Readings};

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

/// Checks an answer; gives it with its marks, and what is wrong in sentences for the model.
pub(super) fn verify(finished: Finished, seen: &Seen<'_>) -> (Answer, Vec<String>) {
    let read = Readings::of(seen);
    let stated = finished.causes.into_iter();
    let changes = finished.changes.into_iter().filter(|change| !change.line.trim().is_empty());
    let mut answer = Answer {
        summary: finished.summary.trim().to_owned(),
        causes: stated.map(|stated| cause(stated, seen, &read)).collect(),
        changes: changes.map(|stated| changes::change(stated, seen, &read)).collect(),
        not_checked: finished.not_checked,
        undecided: Some(finished.undecided.trim().to_owned()).filter(|text| !is_nothing(text)),
        confidence: finished.confidence,
        ..Answer::default()
    };
    answer.summary_standing = summary_standing(&answer, &read);
    answer.contradictions = health::contradictions(&answer, seen, &read);
    let problems = problems(&answer);
    // What is not proven is nothing to be sure of.
    let unproven = answer.causes.iter().any(|cause| cause.standing != Standing::Supported);
    if unproven || answer.summary_standing != Standing::Unchecked || !answer.contradictions.is_empty() {
        answer.confidence = Confidence::Low;
    }
    (answer, problems)
}

fn is_nothing(text: &str) -> bool {
    matches!(text.to_lowercase().trim_end_matches('.'), "" | "none" | "nothing" | "n/a" | "null" | "-")
}

fn cause(stated: FinishedCause, seen: &Seen<'_>, read: &Readings) -> StatedCause {
    let explains = explained(&stated.explains, seen);
    let claims: Vec<Claim> = stated.claims.into_iter().map(|stated| claim(stated, seen, read)).collect();
    let object = Some(stated.object.trim().to_owned()).filter(|text| !is_nothing(text));
    let standing = cause_standing(&stated.statement, object.as_deref(), &explains, &claims, read);
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
    read: &Readings,
) -> Standing {
    let unsupported = |why: String| Standing::Unsupported { why };
    if let Err(why) = explains {
        return unsupported(why.clone());
    }
    let object = object.unwrap_or_default();
    let texts = [object, statement].into_iter().chain(claims.iter().map(|claim| claim.text.as_str()));
    let why = names::of_object(object).into_iter().find_map(|name| unread(name, claims, read));
    if let Some(why) = why.or_else(|| texts.into_iter().find_map(|text| unread_in(text, claims, read))) {
        return unsupported(why);
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

/// Why a text names what was not read, or places it where it was not read.
fn unread_in(text: &str, claims: &[Claim], read: &Readings) -> Option<String> {
    names::in_text(text).into_iter().find_map(|mention| {
        mention.names().find_map(|name| unread(name, claims, read)).or_else(|| read.misplaced(&mention))
    })
}

/// Why a name can't be used; what was asked for and is not there can, where a claim quotes that.
fn unread(name: &str, claims: &[Claim], read: &Readings) -> Option<String> {
    let tells = |claim: &Claim| {
        claim.standing == Standing::Supported && claim.quote.contains("not found") && names::stands(&claim.quote, name)
    };
    match read.knowledge(name) {
        Knowledge::Read => None,
        Knowledge::Missing if claims.iter().any(tells) => None,
        Knowledge::Missing => Some(format!("`{name}` was asked for and not found, and no claim quotes that")),
        Knowledge::Never => Some(format!("`{name}` occurs in nothing that was read")),
    }
}

/// Whether the summary names what was not read; that something is not there may be said without a quote.
fn summary_standing(answer: &Answer, read: &Readings) -> Standing {
    let claims: Vec<Claim> = answer.causes.iter().flat_map(|cause| cause.claims.clone()).collect();
    let denies = |text: &str| ABSENT.iter().any(|absent| text.to_lowercase().contains(absent));
    let mut texts = health::sentences(&answer.summary).filter(|sentence| !denies(sentence));
    let why = texts.find_map(|sentence| unread_in(sentence, &claims, read));
    why.map_or(Standing::Unchecked, |why| Standing::Unsupported { why })
}

/// Words of a sentence that says that something is not there.
const ABSENT: &[&str] = &[
    "does not exist",
    "doesn't exist",
    "is missing",
    "is not there",
    "no such",
    "not found",
    "not in the cluster",
    "there is no ",
];

fn claim(stated: FinishedClaim, seen: &Seen<'_>, read: &Readings) -> Claim {
    let digits: String = stated.step.chars().filter(char::is_ascii_digit).collect();
    let named: usize = digits.parse().unwrap_or(0);
    let quote = quotes::bare(&stated.quote);
    let (step, standing) = match standing_of(quote, named, seen, read) {
        Ok(found) => (found, Standing::Supported),
        Err(why) => (named, Standing::Unsupported { why }),
    };
    Claim { text: stated.text.trim().to_owned(), step, quote: quote.to_owned(), standing }
}

/// The step in which the quote stands: the named one, or another.
fn standing_of(quote: &str, named: usize, seen: &Seen<'_>, read: &Readings) -> Result<usize, String> {
    match read.find(quote, named) {
        Ok(Some(number)) => return Ok(number),
        Ok(None) => {}
        Err(read::TooShort) => return Err("the quote is too short to prove anything".to_owned()),
    }
    let stands = |step: &Step| !step.observation.withheld && quotes::find(quote, &step.observation.text) == Found::Yes;
    let advice = seen.steps.iter().find(|(step, proves)| !*proves && stands(step));
    if let Some((step, _)) = advice {
        return Err(format!("step {} is a runbook, which proves nothing about this cluster", step.number));
    }
    if let Some((step, _)) = seen.steps.iter().find(|(step, _)| stands(step)) {
        return Err(format!("step {} has these words from the call itself, which proves nothing", step.number));
    }
    let made = named == 0
        || seen.steps.iter().any(|(step, proves)| step.number == named && *proves && !step.observation.withheld);
    Err(if made {
        format!("the quote does not stand in step {named}")
    } else {
        format!("there is no step {named} to quote")
    })
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
    if let Standing::Unsupported { why } = &answer.summary_standing {
        problems.push(format!("the summary: {why}"));
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
