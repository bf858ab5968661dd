//! Where an answer passes over what the detectors proved, or denies it.
//!
//! A claim of health is looked for by words, in every sentence: one of [`WELL`] without a negation before it, of the
//! whole or of an object that a cause is about. A sentence that limits itself (`all else`, `but`, `once`) is let pass:
//! to mark what is right would cost more trust than it saves.
//!
//! *Invariant:* pure, and never silent: a question or an open end excuses from naming all causes, not from denying one.

use super::Seen;
use super::names;
use super::quotes::{self, Found};
use super::read::{Knowledge, Readings};
use crate::agent::start::Known;
use crate::model::{Answer, Claim, Kind, Severity, Standing, StatedCause};

/// Causes that are told one by one.
const TOLD: usize = 3;

/// What a quote needs at least to speak of a cause.
const ENOUGH: usize = 12;

/// The words of a sentence such as `There are no problems`, which is about all.
const BRIEF: usize = 5;

/// Words that say that something is well.
const WELL: &[&str] = &[
    "all checks passed",
    "are fine",
    "are ok",
    "are okay",
    "are well",
    "are working",
    "exists",
    "healthy",
    "is fine",
    "is ok",
    "is okay",
    "is resolved",
    "is up",
    "is well",
    "is working",
    "no issue",
    "no issues",
    "no problem",
    "no problems",
    "nothing is broken",
    "nothing is wrong",
    "nothing wrong",
    "operational",
    "works",
];

/// Before such words, what turns them round.
const NOT: &[&str] = &[
    "aren't", "can't", "cannot", "doesn't", "don't", "hardly", "isn't", "longer", "neither", "never", "no", "none",
    "nor", "not", "nothing",
];

/// What makes a sentence one of less than all, or of another time.
const LIMITS: &[&str] = &[
    "after",
    "although",
    "apart",
    "before",
    "besides",
    "but",
    "could",
    "else",
    "except",
    "however",
    "if",
    "lacks",
    "once",
    "only",
    "other",
    "otherwise",
    "others",
    "remaining",
    "rest",
    "should",
    "though",
    "unless",
    "until",
    "when",
    "while",
    "will",
    "without",
    "would",
];

/// Of what a claim of health is one of the whole.
const WHOLE: &[&str] = &["all", "cluster", "everything", "namespace", "nothing", "system", "systems"];

/// What says of where a sentence speaks; `-n` too.
const PLACE: &[&str] = &["in", "of", "namespace", "with", "n"];

/// Where an answer contradicts the detectors, in a sentence for each.
pub(super) fn contradictions(answer: &Answer, seen: &Seen<'_>, read: &Readings) -> Vec<String> {
    let broken: Vec<(usize, &Known)> =
        seen.causes.iter().enumerate().filter(|(_, known)| known.severity > Severity::Info).collect();
    let must_tell = !seen.asked && answer.undecided.is_none();
    if answer.causes.is_empty() && !broken.is_empty() && must_tell {
        let what = if broken.len() == 1 { "one cause".to_owned() } else { format!("{} causes", broken.len()) };
        return vec![format!("it names no cause, and the detectors proved {what}")];
    }
    let mut found = Vec::new();
    let passed: Vec<&Known> =
        broken.iter().map(|(_, known)| *known).filter(|known| must_tell && !tells(answer, known)).collect();
    for known in passed.iter().take(TOLD) {
        found.push(format!("it says nothing of what the detectors proved: {}", known.summary));
    }
    if passed.len() > TOLD {
        found.push(format!("nor of {} more", passed.len() - TOLD));
    }
    found.extend(denied(answer, &broken, read));
    found.extend(broken.iter().filter(|(at, known)| strays(answer, *at, known, seen, read)).map(|(at, known)| {
        format!("what it says of cause {} differs: no claim quotes what was read of it ({})", at + 1, known.summary)
    }));
    found
}

/// Whether a cause of the answer is about this one.
fn tells(answer: &Answer, known: &Known) -> bool {
    let names = [Some(&known.object), known.culprit.as_ref()];
    answer.causes.iter().any(|cause| {
        cause.explains.as_ref() == Some(&known.fingerprint)
            || names.iter().flatten().any(|object| {
                names::stands(&cause.statement, &object.name)
                    || cause.object.as_ref().is_some_and(|text| names::stands(text, &object.name))
            })
    })
}

/// Sentences that call well what is broken.
fn denied(answer: &Answer, broken: &[(usize, &Known)], read: &Readings) -> Vec<String> {
    let causes = answer
        .causes
        .iter()
        .flat_map(|cause| std::iter::once(&cause.statement).chain(cause.claims.iter().map(|claim| &claim.text)));
    let texts = std::iter::once(&answer.summary).chain(&answer.undecided).chain(causes);
    let mut found: Vec<String> = Vec::new();
    for sentence in texts.flat_map(|text| sentences(text)) {
        // Who is well stands beside the word for it: `api works, web does not`.
        let parts: Vec<&str> = sentence.split(", ").filter(|part| !is_limited(sentence) && says_well(part)).collect();
        let denies = |known: &&Known| parts.iter().any(|part| concerns(part, known, read));
        if let Some(known) = broken.iter().map(|(_, known)| *known).find(|known| denies(known)) {
            let told = format!("it says \"{sentence}\", and the detectors proved: {}", known.summary);
            if !found.contains(&told) {
                found.push(told);
            }
        }
    }
    found
}

pub(super) fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(['\n', ';', '!', '?']).flat_map(|line| line.split(". "));
    parts.map(|part| part.trim().trim_end_matches('.')).filter(|part| !part.is_empty())
}

/// The words of a sentence as they are compared; names stay whole.
fn words(sentence: &str) -> Vec<String> {
    let apart = |letter: char| !letter.is_alphanumeric() && !matches!(letter, '-' | '_' | '\'' | '.');
    let plain = sentence.replace('’', "'");
    let words = plain.split(apart).map(|word| word.trim_matches(['.', '\'', '-']).to_lowercase());
    words.filter(|word| !word.is_empty()).collect()
}

/// Whether a sentence speaks of less than all, or of another time.
fn is_limited(sentence: &str) -> bool {
    words(sentence).iter().any(|word| LIMITS.contains(&word.as_str()))
}

/// Whether a text says that something is well.
fn says_well(text: &str) -> bool {
    let words = words(text);
    WELL.iter().any(|well| {
        let well: Vec<&str> = well.split(' ').collect();
        words.windows(well.len()).enumerate().any(|(at, window)| {
            // `It exists there, and not here` is said in any order.
            let from = if well == ["exists"] { words.get(..) } else { words.get(at.saturating_sub(3)..at) };
            let before = from.unwrap_or_default();
            window.iter().eq(well.iter()) && !before.iter().any(|word| NOT.contains(&word.as_str()))
        })
    })
}

/// Whether a sentence is about what this cause is about: all, its namespace, or an object of it by its own kind.
fn concerns(sentence: &str, known: &Known, read: &Readings) -> bool {
    let words = words(sentence);
    let kind_before = |at: usize| at.checked_sub(1).and_then(|at| words.get(at)).and_then(|word| named_kind(word));
    let named = |kind: Kind, name: &str| {
        let at = words.iter().position(|word| *word == name.to_lowercase());
        at.is_some_and(|at| kind_before(at).is_none_or(|said| said == kind))
    };
    let objects = [Some(&known.object), known.culprit.as_ref()];
    let mentions = names::in_text(&known.summary);
    if objects.into_iter().flatten().any(|object| named(object.kind, &object.name))
        || mentions.iter().any(|mention| words.iter().any(|word| word == mention.name))
    {
        return true;
    }
    let brief = words.len() <= BRIEF && words.first().is_some_and(|word| matches!(word.as_str(), "no" | "there"));
    if !brief && !words.iter().any(|word| WHOLE.contains(&word.as_str())) {
        return false;
    }
    // `All pods in shop are fine` is about that namespace, `no problem with the image` about no cause at all.
    let place = known.object.namespace.as_deref();
    let scope = |pair: &&[String]| pair.first().is_some_and(|word| PLACE.contains(&word.as_str()));
    words.windows(2).filter(scope).filter_map(<[String]>::last).all(|name| {
        let general = WHOLE.contains(&name.as_str()) || matches!(name.as_str(), "the" | "this" | "your" | "its");
        general || Some(name.as_str()) == place || read.knowledge(name) != Knowledge::Read
    }) && !words.iter().any(|word| word == "with")
}

/// The kind that a word of a sentence means; short names are words first.
fn named_kind(word: &str) -> Option<Kind> {
    names::of_word(word).filter(|_| word.len() > 2)
}

/// Whether the answer explains this cause by nothing that was read of it.
fn strays(answer: &Answer, at: usize, known: &Known, seen: &Seen<'_>, read: &Readings) -> bool {
    let stated: Vec<&StatedCause> =
        answer.causes.iter().filter(|cause| cause.explains.as_ref() == Some(&known.fingerprint)).collect();
    let told = block(seen.evidence, at + 1);
    let of_it = |claim: &Claim| {
        claim.standing == Standing::Supported
            && quotes::length(&claim.quote) >= ENOUGH
            && (quotes::find(&claim.quote, &told) == Found::Yes || is_about(claim.step, known, &told, read))
    };
    !stated.is_empty() && !stated.iter().flat_map(|cause| &cause.claims).any(of_it)
}

/// What step 0 says of a cause.
fn block(evidence: &str, number: usize) -> String {
    let head = format!("cause {number} [");
    let mut lines = evidence.lines().skip_while(|line| !line.starts_with(&head));
    let first = lines.next().unwrap_or_default();
    let rest = lines.take_while(|line| line.starts_with(' '));
    std::iter::once(first).chain(rest).collect::<Vec<_>>().join("\n")
}

/// Whether a step is about an object of this cause, or asked for something that the cause names.
fn is_about(step: usize, known: &Known, told: &str, read: &Readings) -> bool {
    let Some(proof) = read.proof(step).filter(|proof| proof.number > 0) else { return false };
    let of = |object: &crate::model::ObjectRef| {
        [&proof.action, &proof.text]
            .into_iter()
            .any(|text| names::stands(text, &object.name) || text.contains(&format!("{}-", object.name)))
    };
    let targets = proof.line.as_ref().map(|line| line.targets()).unwrap_or_default();
    let mut names = targets.iter().filter_map(|target| target.name.as_deref());
    of(&known.object) || known.culprit.as_ref().is_some_and(of) || names.any(|name| names::stands(told, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_of_health_is_told_from_what_only_sounds_so() {
        let table = [
            ("Everything is healthy", true),
            ("All is well.", true),
            ("The Secret cart-db exists and is fine", true),
            ("Nothing is broken", true),
            ("No problems were found in the cluster", true),
            ("The cluster isn't healthy", false),
            ("It is not yet healthy", false),
            ("Nothing works", false),
            ("web no longer works", false),
            ("The pod is unhealthy", false),
            ("All else is healthy", false),
            ("Everything is healthy, but web crashes", false),
            ("The Secret exists without the key", false),
            ("Once the Secret exists, it starts", false),
            ("the Secret that the cart reads does not exist", false),
        ];
        for (sentence, well) in table {
            assert_eq!(says_well(sentence) && !is_limited(sentence), well, "{sentence}");
        }
    }
}
