//! Fenced blocks: what their info string says, and the commands in them.
//!
//! *Invariant:* lines are joined as a shell would join them, so what runs is what a reader pastes. A block whose info
//! string can't be read has no role.

use std::fmt;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;

use crate::model::runbook::{BlockLine, Role};

/// A fenced block as it stands in the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fence {
    /// The first word of its info string: `sh`.
    pub language: String,
    /// The JSON attributes after it, in order; those that nobody here knows are kept.
    pub attributes: Vec<(String, Value)>,
    /// Why the attributes could not be read.
    pub fault: Option<String>,
    /// The heading of level 2 that it stands below.
    pub section: String,
    /// Its lines, with their numbers in the file.
    pub lines: Vec<BlockLine>,
    /// Where it opens, from 1.
    pub line: usize,
    /// Whether the last line is still growing.
    growing: bool,
}

/// Languages whose blocks are commands.
const SHELLS: &[&str] = &["sh", "bash", "shell"];

/// The roles by their words.
pub(super) const ROLES: &[(&str, Role)] =
    &[("diagnose", Role::Diagnose), ("fix", Role::Fix), ("verify", Role::Verify), ("rollback", Role::Rollback)];

/// The sections whose commands have a role without saying so.
const SECTIONS: &[(&str, Role)] = &[
    ("Diagnosis", Role::Diagnose),
    ("Mitigation", Role::Fix),
    ("Verification", Role::Verify),
    ("Rollback", Role::Rollback),
];

impl Fence {
    /// Adds text of the block that begins on `line`.
    pub(super) fn push(&mut self, text: &str, line: usize) {
        for (number, part) in text.split_inclusive('\n').enumerate() {
            let (part, ends) = part.strip_suffix('\n').map_or((part, false), |part| (part, true));
            match self.lines.last_mut().filter(|_| self.growing) {
                Some(last) => last.text.push_str(part),
                None => self.lines.push(BlockLine { text: part.to_owned(), line: line + number }),
            }
            self.growing = !ends;
        }
    }

    /// Whether its lines are commands.
    pub fn is_shell(&self) -> bool {
        SHELLS.iter().any(|shell| self.language.eq_ignore_ascii_case(shell))
    }

    /// Whether it is YAML.
    pub fn is_yaml(&self) -> bool {
        ["yaml", "yml"].iter().any(|yaml| self.language.eq_ignore_ascii_case(yaml))
    }

    /// An attribute that is text.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.as_str())
    }

    /// What it is for: as it says, or by its section.
    pub(super) fn role(&self) -> Option<Role> {
        if !self.is_shell() || self.fault.is_some() {
            return None;
        }
        match self.attributes.iter().find(|(key, _)| key == "react") {
            Some((_, said)) => ROLES.iter().find(|(word, _)| said.as_str() == Some(word)).map(|(_, role)| *role),
            None => {
                SECTIONS.iter().find(|(heading, _)| self.section.eq_ignore_ascii_case(heading)).map(|(_, role)| *role)
            }
        }
    }

    /// Its text, line by line.
    pub fn text(&self) -> String {
        self.lines.iter().flat_map(|line| [line.text.as_str(), "\n"]).collect()
    }

    /// Its commands: continued lines joined, without comments and empty lines.
    pub fn commands(&self) -> Vec<BlockLine> {
        let mut commands = Vec::new();
        let mut open: Option<(BlockLine, Option<char>)> = None;
        for line in &self.lines {
            let mut part = line.text.as_str();
            let (mut command, quote) = match open.take() {
                Some(open) => open,
                None if matches!(part.trim_start().chars().next(), None | Some('#')) => continue,
                None => (BlockLine { text: String::new(), line: line.line }, None),
            };
            if quote.is_none() {
                let begin = part.trim_start();
                if begin.len() < part.len() && !command.text.is_empty() && !command.text.ends_with([' ', '\t']) {
                    command.text.push(' ');
                }
                part = begin;
            }
            let (quote, goes_on) = scan(part, quote);
            command.text.push_str(if goes_on { part.strip_suffix('\\').unwrap_or(part) } else { part.trim_end() });
            if goes_on {
                open = Some((command, quote));
            } else {
                commands.push(command);
            }
        }
        // Nothing follows: the backslash stays, for whoever reads the command to stumble over.
        commands.extend(open.map(|(command, _)| BlockLine { text: command.text + "\\", ..command }));
        commands
    }
}

/// The quote that is open at the end of a line, and whether the line goes on in the next one.
fn scan(part: &str, mut quote: Option<char>) -> (Option<char>, bool) {
    let mut chars = part.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', None | Some('"')) if chars.next().is_none() => return (quote, true),
            ('\\', None | Some('"')) => {}
            ('\'' | '"', None) => quote = Some(c),
            _ if Some(c) == quote => quote = None,
            _ => {}
        }
    }
    (quote, false)
}

/// Reads the line that opens a fence.
pub(super) fn open(opening: &str, line: usize, section: String) -> Fence {
    let info = opening.trim_start_matches([' ', '\t', '>']).trim_start_matches(['`', '~']).trim();
    let at = info.find(|c: char| c.is_whitespace() || c == '{').unwrap_or(info.len());
    let language = info.get(..at).unwrap_or_default().to_owned();
    let rest = info.get(at..).unwrap_or_default().trim();
    let mut fence = Fence { language, section, line, ..Fence::default() };
    if rest.starts_with('{') {
        match serde_json::from_str::<Attributes>(rest) {
            Ok(Attributes(attributes)) => fence.attributes = attributes,
            Err(error) => {
                fence.fault = Some(error.to_string().split(" at line ").next().unwrap_or_default().to_owned());
            }
        }
    }
    fence
}

/// A JSON object whose keys stand once each: of two roles a reader would see one and a program take the other.
struct Attributes(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Attributes, D::Error> {
        struct Once;

        impl<'de> Visitor<'de> for Once {
            type Value = Attributes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Attributes, A::Error> {
                let mut attributes: Vec<(String, Value)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if attributes.iter().any(|(known, _)| *known == name) {
                        return Err(serde::de::Error::custom(format!("`{name}` stands twice")));
                    }
                    attributes.push((name, value));
                }
                Ok(Attributes(attributes))
            }
        }

        deserializer.deserialize_map(Once)
    }
}
