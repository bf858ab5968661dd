//! The only grammar of commands in the project: a line of kubectl is a [`Read`], a [`Change`], or refused by name.
//!
//! The agent's tool, the blocks of runbooks and what a fix runs all go through [`parse`]. There is no shell: a line is
//! split into words as one would (`words.rs`), every word is held against tables of verbs and flags (`tables/`), and
//! what is in no table is refused. A new flag is a row in a table.
//!
//! *Invariant:* who takes a [`Read`] can't be given a change; neither can name another server, another identity or a
//! local file. A line means the same to kubectl as to us, and its [`Display`](std::fmt::Display) is read back to the
//! same words. Nothing here does IO.

#![warn(clippy::disallowed_methods)]

mod arguments;
mod line;
mod params;
mod refusal;
mod resolve;
mod risk;
mod secrets;
mod tables;
mod values;
mod words;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;

pub use line::{Line, Target};
pub use refusal::{Reason, Refusal};
pub use risk::Risk;
use words::Word;

/// A line that only reads. In this form a Secret is never printed; `describe secret` is for a reader that shows keys
/// and sizes only (kubectl's own prints the token of an old kind of service account).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read(Line);

impl Deref for Read {
    type Target = Line;

    fn deref(&self) -> &Line {
        &self.0
    }
}

/// A line that changes the cluster. That it parses says nothing about whether it may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change(Line);

impl Deref for Change {
    type Target = Line;

    fn deref(&self) -> &Line {
        &self.0
    }
}

impl Change {
    /// What makes it dangerous, sorted. Ask of a bound line: a placeholder may become anything.
    pub fn risks(&self) -> Vec<Risk> {
        risk::risks(&self.0)
    }

    /// Those of a runbook's line, where placeholders are the rule: one for a type says something where it is deleted only.
    pub fn open_risks(&self) -> Vec<Risk> {
        let deletes = self.verb() == "delete";
        self.risks().into_iter().filter(|risk| deletes || *risk != Risk::Open).collect()
    }

    /// Whether it waits for a person: opens an editor, or asks before each object.
    pub fn interactive(&self) -> bool {
        self.0.verb.interactive || self.has("edit") || self.has("interactive")
    }

    /// The value of `--dry-run`: `none`, `server` or `client`.
    pub fn dry_run(&self) -> Option<&str> {
        self.flag("dry-run")
    }

    /// Whether kubectl can let the server try it, with `--dry-run=server`.
    pub fn can_be_tried(&self) -> bool {
        let flag = self.0.verb.flag("dry-run");
        flag.is_some_and(|flag| matches!(flag.takes, tables::Takes::Attached(words) if words.contains(&"server")))
    }

    /// The manifests that it is given by name.
    pub fn manifests(&self) -> impl Iterator<Item = &str> {
        self.values("filename").chain(self.values("patch-file"))
    }
}

/// A line of kubectl.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// It only reads.
    Read(Read),
    /// It changes the cluster.
    Change(Change),
}

impl Deref for Command {
    type Target = Line;

    fn deref(&self) -> &Line {
        match self {
            Command::Read(read) => read,
            Command::Change(change) => change,
        }
    }
}

impl Command {
    /// Puts values in the place of placeholders; those without a value stay. A word stays one word, and the line is
    /// checked again as if somebody had typed it.
    pub fn bind(&self, values: &BTreeMap<String, String>) -> Result<Command, Refusal> {
        let mut at = "kubectl".len();
        let mut bound = Vec::new();
        for (word, slot) in self.argv.iter().zip(&self.slots) {
            at += 1;
            let text = params::fill(word, at, *slot, values)?;
            bound.push(Word { text, at, quoted: false });
            at += line::written(word).len();
        }
        let bound = command(&bound)?;
        // A name that becomes `KEY=VALUE` would leave the objects unnamed.
        if line::objects(bound.verb, &bound.positional) != line::objects(self.verb, &self.positional) {
            return Err(Refusal::new(
                Reason::Parameter,
                0,
                "a value makes a setting of what was a name, or the reverse",
            )
            .hinted("write the setting with its `=`: `KEY=$VALUE`"));
        }
        Ok(bound)
    }
}

/// Reads one line.
pub fn parse(line: &str) -> Result<Command, Refusal> {
    let words = words::split(line)?;
    let (first, rest) = words
        .split_first()
        .ok_or_else(|| Refusal::new(Reason::Empty, 0, "an empty line").hinted("a line begins with `kubectl`"))?;
    called(first)?;
    command(rest)
}

/// The first word is `kubectl`, and nothing else that might be it.
fn called(first: &Word) -> Result<(), Refusal> {
    if first.text == "kubectl" && !first.quoted {
        return Ok(());
    }
    let text = refusal::shown(&first.text);
    let name = first.text.split_once('=').map(|(name, _)| name);
    let is_name = |name: &str| name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    if name.is_some_and(is_name) {
        return Err(Refusal::new(Reason::Assignment, first.at, format!("{text} sets a variable of the environment"))
            .hinted("a line begins with `kubectl`"));
    }
    Err(Refusal::new(Reason::NotKubectl, first.at, format!("{text} is not `kubectl`"))
        .hinted("a line begins with the word `kubectl`: no path, alias or other program before it"))
}

/// A command of the words after `kubectl`.
fn command(words: &[Word]) -> Result<Command, Refusal> {
    let line = resolve::resolve(words)?;
    secrets::check(&line, words.first().map_or(0, |word| word.at))?;
    Ok(if line.verb.changes { Command::Change(Change(line)) } else { Command::Read(Read(line)) })
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Line::fmt(self, f)
    }
}

impl fmt::Display for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
