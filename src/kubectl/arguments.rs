//! The words after a verb: objects, settings, paths; each must look like what kubectl takes it for.
//!
//! *Invariant:* what names an object is a type, a name or both, and nothing that could lead elsewhere in a path.

use super::params;
use super::refusal::{Reason, Refusal, shown};
use super::tables::{Verb, Words};
use super::values;
use super::words::Word;

/// Checks the words after a verb, of which the first so many name objects.
pub(super) fn check(verb: &Verb, words: &[&Word], texts: &[String], named: usize) -> Result<(), Refusal> {
    let (objects, others) = texts.split_at_checked(named).unwrap_or((texts, &[]));
    let at = |index: usize| words.get(index).map_or(0, |word| word.at);
    let refuse = |index: usize, what: &str| {
        let text = shown(texts.get(index).map_or("", |text| text));
        Err(Refusal::new(Reason::Resource, at(index), format!("{text} {what}")))
    };
    let wrong = match verb.words {
        Words::Plain => {
            return match others.iter().position(|word| !values::is_path(word)) {
                Some(index) => refuse(index, "is no verb, type or path of fields"),
                None => Ok(()),
            };
        }
        Words::Objects | Words::ObjectsThenPairs | Words::ObjectsThenOne | Words::ObjectsThenSelector => {
            values::objects(objects).map_err(|(index, (reason, message, hint))| {
                Refusal::new(reason, at(index), message).maybe_hinted(hint)
            })?;
            None
        }
        Words::Created(_) => objects.iter().position(|word| !values::is_name(word)),
        Words::Names(_) | Words::NameThenOne(_) => {
            objects.iter().position(|word| !values::is_name(word) && values::object(word).is_err())
        }
    };
    let one = matches!(verb.words, Words::ObjectsThenOne | Words::NameThenOne(_));
    let other = others.iter().position(|word| one && !values::is_name(word)).map(|index| index + named);
    if verb.words == Words::ObjectsThenSelector {
        let pairs = |word: &String| word.contains('=') || params::without(word).is_empty();
        if let Some(index) = others.iter().position(|word| !pairs(word)) {
            return refuse(index + named, "is no selector: `KEY=VALUE`, with a comma between several");
        }
    }
    wrong.or(other).map_or(Ok(()), |index| refuse(index, "is no name of an object"))
}

/// What a verb lacks.
pub(super) fn needs(words: Words) -> &'static str {
    match words {
        Words::Plain => "more words: `kubectl auth can-i VERB TYPE`, `kubectl explain TYPE`",
        Words::Objects => "an object: `TYPE NAME` or `TYPE/NAME`",
        Words::ObjectsThenPairs => "an object and what to set: `TYPE NAME KEY=VALUE`",
        Words::ObjectsThenOne => "an object and a name",
        Words::ObjectsThenSelector => "an object and a selector: `TYPE NAME KEY=VALUE`",
        Words::Names(_) | Words::NameThenOne(_) | Words::Created(_) => "a name",
    }
}
