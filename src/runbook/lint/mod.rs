//! The rules that runbooks keep to, checked over all files of a tree at once.
//!
//! *Invariant:* pure: what files exist, which detectors there are and what day it is are handed in. A rule is a const
//! value with its page; a group of them shares a file and a check. Files of collections (derived front matter) are held
//! to what could do harm, and to nothing of our format.
//!
//! To add a rule: a const in the file of its group, its name in the group's list, a test beside it.

#![warn(clippy::disallowed_methods)]

mod automation;
mod commands;
mod dates;
mod headings;
mod links;
mod manifests;
mod names;
mod near;
mod params;
mod secrets;
mod signature;
#[cfg(test)]
mod testing;
mod todo;

use std::collections::BTreeMap;

use jiff::civil::Date;
use rayon::prelude::*;

use crate::kubectl::{self, Refusal};
use crate::model::Runbook;
use crate::model::runbook::{BlockLine, Role, Status};

use super::parse::Parsed;
use super::problem::{self, Gravity, Problem, Rule};
use super::{front, source};

pub use near::{Pair, near_duplicates};
pub(super) use secrets::blanked;

/// What the rules must be told.
pub struct Options<'a> {
    /// The ids of all detectors; none are checked where it is empty.
    pub detectors: &'a [&'a str],
    /// Names of runbooks outside of the tree that may be named as a successor: the built-in library's.
    pub others: &'a [&'a str],
    /// Whether there is a file or a folder of this path in the repository.
    pub exists: &'a (dyn Fn(&str) -> bool + Sync),
    /// Today.
    pub today: Date,
    /// How old a review may be.
    pub max_age_days: i32,
}

/// More faults of one kind in one file than anyone mends at once: the rest shows when these are gone.
const MOST: usize = 100;

/// Rules that share a check.
struct Group {
    rules: &'static [&'static Rule],
    check: fn(&Tree<'_>, &File<'_>, &mut Vec<Problem>),
}

const GROUPS: &[Group] = &[
    automation::GROUP,
    commands::GROUP,
    dates::GROUP,
    headings::GROUP,
    links::GROUP,
    manifests::GROUP,
    names::GROUP,
    params::GROUP,
    secrets::GROUP,
    signature::GROUP,
    todo::GROUP,
];

/// Rules that are checked elsewhere: while a file is read, and by the index.
const ELSEWHERE: &[&Rule] =
    &[&source::FILE_UNREADABLE, &source::FRONT_MATTER_PLACE, &front::FRONT_MATTER, &near::NEAR_DUPLICATE];

/// All rules, sorted by id.
pub fn rules() -> Vec<&'static Rule> {
    let mut rules: Vec<&Rule> = GROUPS.iter().flat_map(|group| group.rules).chain(ELSEWHERE).copied().collect();
    rules.sort_by_key(|rule| rule.id);
    rules
}

/// What is wrong with these files, in the order of a reader.
pub fn lint(files: &[Parsed], options: &Options<'_>) -> Vec<Problem> {
    let tree = Tree::new(files, options);
    let mut problems: Vec<Problem> = files.iter().flat_map(|file| file.problems.iter().cloned()).collect();
    // Rules see all files and write nothing.
    problems.par_extend(files.par_iter().flat_map_iter(|file| check(&tree, file)));
    problem::sort(&mut problems);
    problems
}

fn check(tree: &Tree<'_>, parsed: &Parsed) -> Vec<Problem> {
    let mut problems = Vec::new();
    let Some(runbook) = &parsed.runbook else { return problems };
    let file = File::new(parsed, runbook);
    for group in GROUPS {
        (group.check)(tree, &file, &mut problems);
    }
    problems
}

/// All files.
struct Tree<'a> {
    options: &'a Options<'a>,
    files: BTreeMap<&'a str, &'a Parsed>,
    /// The files that have a name, by path.
    named: BTreeMap<&'a str, Vec<&'a Runbook>>,
}

impl<'a> Tree<'a> {
    fn new(files: &'a [Parsed], options: &'a Options<'a>) -> Tree<'a> {
        let mut named: BTreeMap<&str, Vec<&Runbook>> = BTreeMap::new();
        for runbook in files.iter().filter_map(|file| file.runbook.as_ref()) {
            named.entry(&runbook.front.name).or_default().push(runbook);
        }
        for runbooks in named.values_mut() {
            runbooks.sort_by_key(|runbook| &runbook.place.path);
        }
        Tree { options, files: files.iter().map(|file| (file.place.path.as_str(), file)).collect(), named }
    }
}

/// A file that could be read, with its commands.
struct File<'a> {
    parsed: &'a Parsed,
    runbook: &'a Runbook,
    /// None of a file that isn't ours.
    commands: Vec<Line<'a>>,
}

/// A command of a block.
struct Line<'a> {
    at: &'a BlockLine,
    role: Option<Role>,
    command: Result<kubectl::Command, Refusal>,
}

impl<'a> File<'a> {
    fn new(parsed: &'a Parsed, runbook: &'a Runbook) -> File<'a> {
        let blocks = if runbook.derived { &[] } else { runbook.blocks.as_slice() };
        let lines = blocks.iter().flat_map(|block| block.lines.iter().map(|line| (line, block.role)));
        let commands = lines.map(|(at, role)| Line { at, role, command: kubectl::parse(&at.text) }).collect();
        File { parsed, runbook, commands }
    }

    fn problem(&self, rule: &Rule, line: usize, message: impl Into<String>) -> Problem {
        Problem::new(rule, &self.parsed.place.path, line, message)
    }

    /// What a fault of form weighs: in a draft, which nobody vouches for, less.
    fn weight(&self) -> Gravity {
        if self.runbook.front.status == Status::Draft { Gravity::Warning } else { Gravity::Error }
    }

    /// Changes with the lines that they stand on, of the roles that may hold any.
    fn changes(&self) -> impl Iterator<Item = (&Line<'a>, &kubectl::Change)> {
        self.commands.iter().filter_map(|line| match &line.command {
            Ok(kubectl::Command::Change(change)) => Some((line, change)),
            _ => None,
        })
    }
}

/// `a`, `b` and `c`.
fn list<T: AsRef<str>>(words: &[T]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests;
