//! A parsed line: its verb, flags and words, and how it is written again.
//!
//! *Invariant:* [`Line`] is made by `resolve` only, so whoever holds one holds a line that broke no rule; what it
//! prints is read back to the same words.

use std::collections::BTreeSet;
use std::fmt;

use super::params::{self, Setting, Slot};
use super::refusal::{Reason, Refusal, shown};
use super::tables::{Takes, Verb, Words};
use crate::model::Kind;
use crate::model::finding::quote;

/// A flag as it was given.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) long: &'static str,
    pub(super) value: String,
}

/// An object or a type of objects that a line names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// The type as it was written: `deploy`, `Deployment`, `deployments.v1.apps`.
    pub kind: String,
    /// The name; none where all of the type are meant, or those of a selector.
    pub name: Option<String>,
}

impl Target {
    /// Whether its type is one of these, whatever group and version it was written with. Kubectl takes any case.
    pub fn is(&self, kinds: &[&str]) -> bool {
        let kind = self.kind.split('.').next().unwrap_or_default();
        kinds.iter().any(|name| name.eq_ignore_ascii_case(kind))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{}/{name}", self.kind),
            None => f.write_str(&self.kind),
        }
    }
}

/// What reads and changes have in common.
#[derive(Clone)]
pub struct Line {
    pub(super) verb: &'static Verb,
    pub(super) argv: Vec<String>,
    pub(super) slots: Vec<Slot>,
    pub(super) given: Vec<Given>,
    pub(super) positional: Vec<String>,
    pub(super) command: Vec<String>,
}

impl Line {
    /// The first word: `rollout` of `rollout status`.
    pub fn verb(&self) -> &'static str {
        self.verb.path.split(' ').next().unwrap_or_default()
    }

    /// The words that follow it: `status`; `secret generic` of `create secret generic`.
    pub fn subcommand(&self) -> Option<&'static str> {
        self.verb.path.split_once(' ').map(|(_, rest)| rest)
    }

    /// All words after `kubectl`, as they were written.
    pub fn argv(&self) -> Vec<String> {
        self.argv.clone()
    }

    /// The words after the verb that are neither flags nor their values.
    pub fn positional(&self) -> &[String] {
        &self.positional
    }

    /// What a container is to run: the words after `--`.
    pub fn container_command(&self) -> &[String] {
        &self.command
    }

    /// The value of a flag, by its long name; of several the last.
    pub fn flag(&self, long: &str) -> Option<&str> {
        self.values(long).last()
    }

    /// All values of a flag, by its long name.
    pub fn values(&self, long: &str) -> impl Iterator<Item = &str> {
        self.given.iter().filter(move |given| given.long == long).map(|given| given.value.as_str())
    }

    /// The line in one form, however it was written: its verb, what it names with types by their plural, and its flags
    /// by their long names, in order.
    pub fn canonical(&self) -> String {
        let plural = |kind: &str| {
            let known = Kind::from_word(kind).and_then(|kind| kind.info());
            known.map_or_else(|| kind.to_ascii_lowercase(), |info| [info.plural, ".", info.group()].concat())
        };
        let named = objects(self.verb, &self.positional);
        let target = |target: Target| [&plural(&target.kind), "/", &target.name.unwrap_or_default()].concat();
        let mut words: Vec<String> = self.targets().into_iter().map(target).collect();
        // The order of what is named does not matter, that of the other words does.
        words.sort_unstable();
        words.insert(0, self.verb.path.to_owned());
        words.extend(self.positional.iter().skip(named).cloned());
        let mut flags: Vec<String> =
            self.given.iter().map(|given| format!("--{}={}", given.long, given.value)).collect();
        flags.sort_unstable();
        words.extend(flags);
        words.extend(self.command.iter().cloned());
        words.join("\n")
    }

    /// Whether a flag was given, and not as `=false`.
    pub fn has(&self, long: &str) -> bool {
        self.flag(long).is_some_and(|value| value != "false")
    }

    /// The value of `--namespace`.
    pub fn namespace(&self) -> Option<&str> {
        self.flag("namespace")
    }

    /// Whether it is about all namespaces.
    pub fn all_namespaces(&self) -> bool {
        self.has("all-namespaces")
    }

    /// The value of `--context`; see [`Line::check_context`].
    pub fn context(&self) -> Option<&str> {
        self.flag("context")
    }

    /// Refuses a line that names another context than the one in use.
    pub fn check_context(&self, current: &str) -> Result<(), Refusal> {
        let Some(context) = self.context().filter(|context| *context != current) else { return Ok(()) };
        let message = format!("the line is for the context {}, but {} is in use", shown(context), shown(current));
        Err(Refusal::new(Reason::Context, 0, message).hinted("leave `--context` out of the line"))
    }

    /// The line as it does the same in whatever context it is pasted.
    pub fn in_context(&self, context: &str) -> String {
        let line = self.to_string();
        match line.strip_prefix("kubectl ").filter(|_| !context.is_empty() && self.context().is_none()) {
            Some(rest) => format!("kubectl --context {} {rest}", quote(context)),
            None => line,
        }
    }

    /// The names of its placeholders.
    pub fn params(&self) -> BTreeSet<&str> {
        self.argv.iter().flat_map(|word| params::names(word)).collect()
    }

    /// The objects and types that it names, those of manifests left out.
    pub fn targets(&self) -> Vec<Target> {
        let target = |kind: &str, name: Option<&str>| Target { kind: kind.to_owned(), name: name.map(str::to_owned) };
        let words = self.positional.get(..objects(self.verb, &self.positional)).unwrap_or_default();
        match self.verb.words {
            Words::Plain => Vec::new(),
            Words::Created(kind) => words.iter().map(|name| target(kind, Some(name))).collect(),
            Words::Names(kind) | Words::NameThenOne(kind) => words
                .iter()
                .map(|word| match word.split_once('/') {
                    Some((kind, name)) => target(kind, Some(name)),
                    None => target(kind, Some(word)),
                })
                .collect(),
            Words::Objects | Words::ObjectsThenPairs | Words::ObjectsThenOne | Words::ObjectsThenSelector => {
                if words.iter().any(|word| word.contains('/')) {
                    let split = words.iter().map(|word| word.split_once('/').unwrap_or((word, "")));
                    return split.map(|(kind, name)| target(kind, Some(name).filter(|n| !n.is_empty()))).collect();
                }
                let Some((kinds, names)) = words.split_first() else { return Vec::new() };
                let of = |kind: &str| match names {
                    [] => vec![target(kind, None)],
                    names => names.iter().map(|name| target(kind, Some(name))).collect(),
                };
                kinds.split(',').flat_map(of).collect()
            }
        }
    }

    /// Whether one of its targets is of one of these types.
    pub(super) fn targets_any(&self, kinds: &[&str]) -> bool {
        self.targets().iter().any(|target| target.is(kinds))
    }
}

/// How many of the words after a verb name objects.
pub(super) fn objects(verb: &Verb, positional: &[String]) -> usize {
    let pair =
        |word: &String| word.contains('=') || word.ends_with('-') || (verb.path == "taint" && word.contains(':'));
    match verb.words {
        Words::Plain => 0,
        Words::Objects | Words::Names(_) | Words::Created(_) => positional.len(),
        Words::ObjectsThenPairs => positional.iter().position(pair).unwrap_or(positional.len()),
        Words::ObjectsThenOne | Words::ObjectsThenSelector => positional.len().saturating_sub(1),
        Words::NameThenOne(_) => positional.len().min(1),
    }
}

/// A word as it is written in a line.
pub(super) fn written(word: &str) -> String {
    let plain = params::without(word);
    if plain.is_empty() && !word.is_empty() || !plain.is_empty() && quote(&plain) == plain {
        return word.to_owned();
    }
    quote(word)
}

/// What the value of a flag is to placeholders in it.
pub(super) fn setting_of(takes: Takes, value: &str) -> Setting {
    match takes {
        Takes::Selector => Setting::Selector,
        Takes::Json => Setting::Structure,
        Takes::Output(..) | Takes::Condition if value.contains('=') && !value.starts_with("condition=") => {
            Setting::Structure
        }
        _ if value.contains(['{', '[']) => Setting::Structure,
        _ => Setting::Plain,
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("kubectl")?;
        self.argv.iter().try_for_each(|word| write!(f, " {}", written(word)))
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_string(), f)
    }
}

// The words say it all: the rest is read from them.
impl PartialEq for Line {
    fn eq(&self, other: &Line) -> bool {
        self.argv == other.argv
    }
}

impl Eq for Line {}
