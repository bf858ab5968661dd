//! The tables: which verbs there are, and which flags each of them takes.
//!
//! *Invariant:* what stands in no table is refused. A flag of `forbidden.rs` stands in no other table.

mod change;
mod create;
mod forbidden;
mod read;

pub(super) use forbidden::{forbidden, forbidden_short, refused_verb};

use super::refusal::Reason;

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing, or `=true` or `=false`.
    Nothing,
    /// Any text that does not begin with `-`.
    Text,
    /// The name of an object.
    Name,
    /// One `TYPE/NAME`.
    Object,
    /// A label or field selector.
    Selector,
    /// A number from 0 up.
    Number,
    /// A number; a negative one only after `=`.
    Signed,
    /// `30s`, `1h30m`, or 0.
    Duration,
    /// Such a time, or a number of seconds.
    Seconds,
    /// A patch, written out in JSON.
    Json,
    /// The name of a manifest of the same document.
    Manifest,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// One of these words, after `=` only: kubectl takes the flag without a value too.
    Attached(&'static [&'static str]),
    /// An output format: one of the first words, or of the second ones with `=` and a template.
    Output(&'static [&'static str], &'static [&'static str]),
    /// What `wait` waits for.
    Condition,
    /// It is refused at this verb: why, and what to do instead.
    Refused(Reason, &'static str, &'static str),
}

/// A flag.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flag {
    /// Its name without `--`.
    pub(super) long: &'static str,
    /// Its short form.
    pub(super) short: Option<char>,
    /// What it takes.
    pub(super) takes: Takes,
    /// Whether it may be given more than once.
    pub(super) many: bool,
}

impl Flag {
    const fn short(mut self, letter: char) -> Flag {
        self.short = Some(letter);
        self
    }

    const fn many(mut self) -> Flag {
        self.many = true;
        self
    }
}

const fn flag(long: &'static str, takes: Takes) -> Flag {
    Flag { long, short: None, takes, many: false }
}

const fn on(long: &'static str) -> Flag {
    flag(long, Takes::Nothing)
}

const fn text(long: &'static str) -> Flag {
    flag(long, Takes::Text)
}

const fn name(long: &'static str) -> Flag {
    flag(long, Takes::Name)
}

const fn number(long: &'static str) -> Flag {
    flag(long, Takes::Number)
}

const fn duration(long: &'static str) -> Flag {
    flag(long, Takes::Duration)
}

const fn one_of(long: &'static str, words: &'static [&'static str]) -> Flag {
    flag(long, Takes::OneOf(words))
}

/// What the words after the verb are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Words {
    /// No objects: a verb, a path of fields, nothing.
    Plain,
    /// `TYPE NAME…`, `TYPE[,TYPE]`, `TYPE/NAME…`.
    Objects,
    /// Objects, then `KEY=VALUE`, `KEY-` or (taints) `KEY:EFFECT`.
    ObjectsThenPairs,
    /// Objects, then one word: the account of `set serviceaccount`.
    ObjectsThenOne,
    /// Objects, then a selector, which may be one placeholder.
    ObjectsThenSelector,
    /// Names of this kind, or `TYPE/NAME`.
    Names(&'static str),
    /// One such name, then perhaps one word: the container of `logs`.
    NameThenOne(&'static str),
    /// The name of what is created.
    Created(&'static str),
}

/// A verb with its subcommand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verb {
    /// The words that call it: `rollout status`.
    pub(super) path: &'static str,
    /// Whether it changes the cluster.
    pub(super) changes: bool,
    /// What the words after it are.
    pub(super) words: Words,
    /// The least and the greatest number of them. The least does not hold where a selector, a file or a list is asked for.
    pub(super) count: (usize, usize),
    /// Its flags, in groups.
    pub(super) flags: &'static [&'static [Flag]],
    /// Whether `-- COMMAND` may follow, for a container to run.
    pub(super) command: bool,
    /// Whether it opens an editor.
    pub(super) interactive: bool,
}

impl Verb {
    /// Its flag of this name, or the one that every verb has.
    pub(super) fn flag(&self, long: &str) -> Option<&'static Flag> {
        self.all().find(|flag| flag.long == long)
    }

    /// Its flag of this letter, or the one that every verb has.
    pub(super) fn short(&self, letter: char) -> Option<&'static Flag> {
        self.all().find(|flag| flag.short == Some(letter))
    }

    /// Its flags, and those that every verb has.
    pub(super) fn all(&self) -> impl Iterator<Item = &'static Flag> + use<> {
        self.flags.iter().copied().flatten().chain(GLOBAL)
    }

    const fn with_command(mut self) -> Verb {
        self.command = true;
        self
    }

    const fn interactive(mut self) -> Verb {
        self.interactive = true;
        self
    }
}

const fn verb(
    path: &'static str,
    words: Words,
    count: (usize, usize),
    flags: &'static [&'static [Flag]],
    changes: bool,
) -> Verb {
    Verb { path, changes, words, count, flags, command: false, interactive: false }
}

const fn reads(path: &'static str, words: Words, count: (usize, usize), flags: &'static [&'static [Flag]]) -> Verb {
    verb(path, words, count, flags, false)
}

const fn changes(path: &'static str, words: Words, count: (usize, usize), flags: &'static [&'static [Flag]]) -> Verb {
    verb(path, words, count, flags, true)
}

/// As many words as one likes.
const MANY: usize = usize::MAX;

/// Flags of every verb; only these stand before it.
pub(super) const GLOBAL: &[Flag] =
    &[name("namespace").short('n'), text("context"), flag("request-timeout", Takes::Seconds)];

/// A selector of labels.
const SELECTOR: Flag = flag("selector", Takes::Selector).short('l');

/// A selector of fields.
const FIELD_SELECTOR: Flag = flag("field-selector", Takes::Selector);

/// All namespaces.
const ALL_NAMESPACES: Flag = on("all-namespaces").short('A');

/// Every verb.
pub(super) fn verbs() -> impl Iterator<Item = &'static Verb> {
    TABLES.iter().copied().flatten()
}

/// The tables of verbs, each sorted.
pub(super) const TABLES: &[&[Verb]] = &[read::VERBS, change::VERBS, create::VERBS];

/// The verb that these words call.
pub(super) fn find(path: &str) -> Option<&'static Verb> {
    verbs().find(|verb| verb.path == path)
}

/// The words that may follow these in a path.
pub(super) fn subcommands(path: &str) -> impl Iterator<Item = &'static str> {
    verbs().filter_map(move |verb| {
        let rest = if path.is_empty() { verb.path } else { verb.path.strip_prefix(path)?.strip_prefix(' ')? };
        rest.split(' ').next()
    })
}

/// The name of a subcommand that has several.
pub(super) fn canonical(path: &str, word: &str) -> &'static str {
    ALIASES.iter().find(|(verb, alias, _)| *verb == path && *alias == word).map_or("", |(_, _, name)| *name)
}

/// A verb, what its subcommand is called too, and its name.
pub(super) const ALIASES: &[(&str, &str, &str)] = &[
    ("create", "cj", "cronjob"),
    ("create", "cm", "configmap"),
    ("create", "deploy", "deployment"),
    ("create", "ing", "ingress"),
    ("create", "ns", "namespace"),
    ("create", "pc", "priorityclass"),
    ("create", "pdb", "poddisruptionbudget"),
    ("create", "resourcequota", "quota"),
    ("create", "sa", "serviceaccount"),
    ("create", "svc", "service"),
    ("set", "sa", "serviceaccount"),
    ("top", "no", "node"),
    ("top", "nodes", "node"),
    ("top", "po", "pod"),
    ("top", "pods", "pod"),
];
