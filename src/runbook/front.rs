//! Front matter: checked against the published schema, every fault of it at once and with its line.
//!
//! *Invariant:* front matter with a fault may still be read, to be shown; it is never given the right to change
//! anything (`Level::Suggest` at most).

use std::collections::BTreeSet;

use crate::model::runbook::{FrontMatter, Level};

use super::derive;
use super::markdown::Outline;
use super::problem::{Gravity, Problem, Rule};
use super::schema::{FRONT, Kind, Pattern, Shape};
use super::source::Head;
use super::yaml::{self, Node, Scalar, Value};
use crate::near::nearest;

/// Front matter that the schema does not allow.
pub(super) const FRONT_MATTER: Rule = Rule {
    id: "front-matter",
    severity: Gravity::Error,
    summary: "front matter does not keep to the schema",
    doc: "`kubectl react runbooks schema` prints the JSON Schema. A line `# yaml-language-server: $schema=…` or the key \
          `$schema` lets an editor show the same faults while you write.",
};

/// What front matter gave.
pub(super) struct Front {
    /// Nothing where it can't be understood.
    pub(super) matter: Option<FrontMatter>,
    /// The level as it is written, whatever faults there are.
    pub(super) level: Level,
    /// Its tree, for lines.
    pub(super) tree: Option<Node>,
    /// Everything that is wrong with it.
    pub(super) problems: Vec<Problem>,
}

/// More faults than anyone mends at once.
const MOST: usize = 100;

/// Front matter begins on the second line of a file.
const OFFSET: usize = 1;

/// Reads front matter that claims to be ours.
pub(super) fn read(path: &str, text: &str) -> Front {
    let mut problems = Vec::new();
    let tree = match yaml::read(text) {
        Ok(tree) => tree,
        Err(fault) => {
            let message = format!("the front matter is no YAML that is read here: {}", fault.message);
            problems.push(Problem::new(&FRONT_MATTER, path, fault.line + OFFSET, message).at(fault.column));
            return Front { matter: None, level: Level::None, tree: None, problems };
        }
    };
    Check { path, problems: &mut problems }.node(&FRONT, &tree, "");
    let mut json = tree.to_json();
    without_unknown(&FRONT, &mut json);
    let mut matter = serde_json::from_value::<FrontMatter>(json).ok();
    let level = matter.as_ref().map(|matter| matter.automation.level).unwrap_or_default();
    if !problems.is_empty()
        && let Some(matter) = &mut matter
    {
        matter.automation.level = level.min(Level::Suggest);
        // Patterns are compiled: no more and no longer ones than the schema allows.
        matter.signature.logs.truncate(10);
        matter.signature.logs.retain(|pattern| pattern.chars().count() <= 200);
    }
    Front { matter, level, tree: Some(tree), problems }
}

/// Derives front matter for a file that has none of ours.
pub(super) fn derived(path: &str, head: &Head<'_>, outline: &Outline) -> Front {
    // What can't be read of it is someone else's business: the body tells enough.
    let tree = match head {
        Head::Yaml(text) => yaml::read(text).ok(),
        Head::None | Head::Toml => None,
    };
    let matter = derive::front_matter(path, tree.as_ref(), outline);
    Front { matter: Some(matter), level: Level::None, tree, problems: Vec::new() }
}

/// What an unknown key says is not understood, which is a fault, but no reason to show nothing.
fn without_unknown(shape: &Shape, json: &mut serde_json::Value) {
    if let serde_json::Value::Object(map) = json
        && shape.others.is_none()
    {
        map.retain(|name, _| shape.keys.contains_key(name));
        for (name, value) in map {
            if let Some(inner) = shape.keys.get(name) {
                without_unknown(inner, value);
            }
        }
    }
}

struct Check<'a> {
    path: &'a str,
    problems: &'a mut Vec<Problem>,
}

impl Check<'_> {
    fn say(&mut self, line: usize, column: usize, message: String, hint: Option<String>) {
        if self.problems.len() >= MOST {
            return;
        }
        let problem = Problem::new(&FRONT_MATTER, self.path, line + OFFSET, message).at(column);
        self.problems.push(Problem { hint, ..problem });
    }

    fn empty(&mut self, node: &Node, name: &str) {
        let hint = "give it a value, or leave the key out".to_owned();
        self.say(node.line, node.column, format!("{} is empty", title(name)), Some(hint));
    }

    fn node(&mut self, shape: &Shape, node: &Node, name: &str) {
        match (&node.value, shape.kind) {
            (_, Kind::Any) => {}
            (Value::Scalar { text, plain }, Kind::Text | Kind::Integer | Kind::Boolean) => {
                self.scalar(shape, node, name, text, *plain);
            }
            (Value::List(items), Kind::List) => self.list(shape, node, name, items),
            (Value::Map(entries), Kind::Map) => self.map(shape, node, name, entries),
            (Value::Scalar { text, plain }, _) if yaml::scalar(text, *plain) == Scalar::Null => {
                self.empty(node, name);
            }
            (_, expected) => {
                let expected = match expected {
                    Kind::List => "a list",
                    Kind::Map => "keys and values",
                    Kind::Integer => "a whole number",
                    Kind::Boolean => "true or false",
                    Kind::Text | Kind::Any => "text",
                };
                self.say(node.line, node.column, format!("{} must be {expected}", title(name)), None);
            }
        }
    }

    fn scalar(&mut self, shape: &Shape, node: &Node, name: &str, text: &str, plain: bool) {
        let (line, column) = (node.line, node.column);
        match (shape.kind, yaml::scalar(text, plain)) {
            (_, Scalar::Null) => self.empty(node, name),
            (Kind::Text, Scalar::Text) => self.text(shape, node, name, text),
            (Kind::Text, _) => {
                let message = format!("{} must be text, and `{}` is none", title(name), short(text));
                self.say(line, column, message, Some(format!("put it in quotes: \"{}\"", short(text))));
            }
            (Kind::Integer, Scalar::Int(value)) => {
                if shape.minimum.is_some_and(|least| value < least) || shape.maximum.is_some_and(|most| value > most) {
                    let range = match (shape.minimum, shape.maximum) {
                        (Some(least), Some(most)) => format!("{least} to {most}"),
                        (Some(least), None) => format!("{least} or more"),
                        (_, most) => format!("{} or less", most.unwrap_or_default()),
                    };
                    self.say(line, column, format!("{} must be {range}, and is {value}", title(name)), None);
                }
            }
            (Kind::Boolean, Scalar::Bool(_)) => {}
            (kind, _) => {
                let expected = if kind == Kind::Integer { "a whole number" } else { "true or false" };
                self.say(line, column, format!("{} must be {expected}, and is `{}`", title(name), short(text)), None);
            }
        }
    }

    fn text(&mut self, shape: &Shape, node: &Node, name: &str, text: &str) {
        if !shape.words.is_empty() {
            if !shape.words.iter().any(|word| word == text) {
                let hint =
                    nearest(text, shape.words.iter().map(String::as_str)).map(|word| format!("did you mean `{word}`?"));
                let message = format!("{} is `{}`; it must be {}", title(name), short(text), choice(&shape.words));
                self.say(node.line, node.column, message, hint);
            }
            return;
        }
        let length = text.chars().count();
        self.size(shape, node, name, length, "character");
        if let Some(Pattern { regex, words }) = &shape.pattern
            && !regex.is_match(text.trim_end_matches('\n'))
        {
            self.say(node.line, node.column, format!("{} {words}, and is `{}`", title(name), short(text)), None);
        }
    }

    fn size(&mut self, shape: &Shape, node: &Node, name: &str, size: usize, unit: &str) {
        let plural = |count: usize| if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") };
        let message = match (shape.least, shape.most) {
            (Some(least), _) if size < least => format!("{} has {}; it needs {least}", title(name), plural(size)),
            (_, Some(most)) if size > most => format!("{} has {}; it may have {most}", title(name), plural(size)),
            _ => return,
        };
        self.say(node.line, node.column, message, None);
    }

    fn list(&mut self, shape: &Shape, node: &Node, name: &str, items: &[Node]) {
        self.size(shape, node, name, items.len(), "item");
        let mut seen = BTreeSet::new();
        for item in items {
            if let Some(inner) = &shape.items {
                self.node(inner, item, &format!("{name}[]"));
            }
            if shape.unique
                && let Some(text) = item.text()
                && !seen.insert(text)
            {
                self.say(item.line, item.column, format!("{} has `{}` twice", title(name), short(text)), None);
            }
        }
    }

    fn map(&mut self, shape: &Shape, node: &Node, name: &str, entries: &[(yaml::Key, Node)]) {
        let below = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
        let mut seen = BTreeSet::new();
        for (key, value) in entries {
            if !seen.insert(key.name.as_str()) {
                self.say(key.line, key.column, format!("{} stands twice", title(&below(&key.name))), None);
            }
            if let Some(pattern) = &shape.names
                && !pattern.regex.is_match(&key.name)
            {
                let message = format!("the key `{}` {}", short(&below(&key.name)), pattern.words);
                self.say(key.line, key.column, message, None);
            }
            match (shape.keys.get(&key.name), &shape.others) {
                (Some(inner), _) => self.node(inner, value, &below(&key.name)),
                (None, Some(inner)) => self.node(inner, value, &below(&key.name)),
                (None, None) => {
                    let near = nearest(&key.name, shape.keys.keys().map(String::as_str));
                    let known = || choice(&shape.keys.keys().map(String::as_str).collect::<Vec<_>>());
                    let hint = near
                        .map_or_else(|| format!("the keys are {}", known()), |near| format!("did you mean `{near}`?"));
                    let message = format!("there is no key `{}`", short(&below(&key.name)));
                    self.say(key.line, key.column, message, Some(hint));
                }
            }
        }
        let missing: Vec<String> =
            shape.required.iter().filter(|key| !seen.contains(key.as_str())).map(|key| below(key)).collect();
        if let [rest @ .., last] = missing.as_slice() {
            let (keys, are) = if rest.is_empty() { ("the key", "is") } else { ("the keys", "are") };
            let all = rest.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
            let all = if rest.is_empty() { format!("`{last}`") } else { format!("{all} and `{last}`") };
            let line = if name.is_empty() { 0 } else { node.line };
            self.say(line, node.column, format!("{keys} {all} {are} missing"), None);
        }
        if shape.least.is_some_and(|least| entries.len() < least) {
            self.say(node.line, node.column, format!("{} says nothing", title(name)), None);
        }
    }
}

/// A key as a message names it.
fn title(name: &str) -> String {
    match name.strip_suffix("[]") {
        _ if name.is_empty() => "the front matter".to_owned(),
        Some(list) => format!("an item of `{}`", short(list)),
        None => format!("`{}`", short(name)),
    }
}

/// So much of it as a message can hold, on one line.
fn short(text: &str) -> String {
    let line = text.trim_end().replace('\n', " ");
    if line.chars().count() <= 60 { line } else { format!("{}…", line.chars().take(59).collect::<String>()) }
}

/// `a`, `b` or `c`.
fn choice<T: AsRef<str>>(words: &[T]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
}
