//! Parameters, and what they stand for.
//!
//! *Invariant:* one name stands for one thing, and one thing has one name.

use std::collections::BTreeMap;

use super::{Part, target};
use crate::model::{Kind, ObjectRef};
use crate::runbook::params::{self, Values};

/// Parameters, and what they stand for.
#[derive(Clone, Debug, Default)]
pub(in crate::record) struct Names {
    /// What a cause fills.
    filled: Values,
    /// What was used, by parameter, with what to put there.
    used: BTreeMap<String, String>,
    /// What each stands for, so that the same is not called twice.
    given: BTreeMap<String, String>,
    /// Whether the line goes back: its values are those that were there before.
    back: bool,
}

impl Names {
    /// The names that a cause fills.
    pub(in crate::record) fn of(filled: Values) -> Names {
        Names { filled, ..Names::default() }
    }

    /// Writes lines that go back from now on: what they put in the place of values is what was there before.
    pub(in crate::record) fn go_back(&mut self, back: bool) {
        self.back = back;
    }

    /// The parameters that were used, with what to put there.
    pub(in crate::record) fn used(&self) -> &BTreeMap<String, String> {
        &self.used
    }

    pub(super) fn general(&mut self, part: &Part) -> String {
        match part {
            Part::Text(text) => text.clone(),
            Part::Namespace(namespace) => self.namespace(namespace),
            Part::Container(name) => self.known("CONTAINER", name, "the container"),
            Part::Name(object) => self.name(object),
            Part::Target(object) => {
                let namespace = object.namespace.as_deref();
                let here = namespace.is_none() || namespace == self.filled.get("NAMESPACE").map(String::as_str);
                if here && self.filled.get("WORKLOAD") == Some(&target(object)) {
                    return self.say("WORKLOAD", "the workload as `TYPE/NAME`");
                }
                format!("{}/{}", object.kind.argument(), self.name(object))
            }
            Part::Chosen { name, value } if self.back && !name.starts_with("OLD_") && !is_key(name) => {
                self.give(&format!("OLD_{name}"), value, &format!("{} as it was before", plain(name)))
            }
            Part::Chosen { name, value } => self.give(name, value, &chosen(name, value)),
        }
    }

    fn namespace(&mut self, namespace: &str) -> String {
        let is = |name: &str| self.filled.get(name).is_some_and(|value| value == namespace);
        if is("NAMESPACE") {
            return self.say("NAMESPACE", "the namespace");
        }
        if is("CULPRIT_NAMESPACE") {
            return self.say("CULPRIT_NAMESPACE", "namespace of the object to blame");
        }
        self.give("OTHER_NAMESPACE", namespace, "namespace of the object that is changed")
    }

    fn name(&mut self, object: &ObjectRef) -> String {
        if object.kind == Kind::Namespace {
            return self.namespace(&object.name);
        }
        let Some(name) = params::name(object.kind) else {
            return self.give("NAME", &object.name, &format!("name of the {}", object.kind.as_str()));
        };
        let what = format!("name of the {}", object.kind.as_str());
        self.known(name, &object.name, &what)
    }

    /// The parameter that a cause fills, where it fills it with this; else one of our own.
    fn known(&mut self, name: &str, value: &str, what: &str) -> String {
        if self.filled.get(name).is_some_and(|filled| filled == value) || !self.filled.contains_key(name) {
            return self.give(name, value, what);
        }
        self.give(&format!("OTHER_{name}"), value, &format!("{what} that is changed"))
    }

    fn say(&mut self, name: &str, what: &str) -> String {
        self.used.entry(name.to_owned()).or_insert_with(|| what.to_owned());
        format!("${name}")
    }

    fn give(&mut self, name: &str, value: &str, what: &str) -> String {
        for number in 1..100 {
            let name = if number == 1 { name.to_owned() } else { format!("{name}_{number}") };
            match self.given.get(&name) {
                Some(other) if other != value => {}
                _ => {
                    self.given.insert(name.clone(), value.to_owned());
                    return self.say(&name, what);
                }
            }
        }
        self.say(name, what)
    }
}

/// Whether a parameter says which field, and not what is in it: the same in both directions.
pub(in crate::record) fn is_key(name: &str) -> bool {
    matches!(name, "KEY" | "LABEL_KEY" | "VARIABLE" | "TAINT" | "VOLUME")
}

/// `TARGET_PORT` is `the target port`.
fn plain(name: &str) -> String {
    format!("the {}", name.to_lowercase().replace('_', " "))
}

/// What to put in the place of a value: what it is, and how much was enough where that is a number.
fn chosen(name: &str, value: &str) -> String {
    let what = match name {
        "IMAGE" => "image that exists, with its tag",
        "CPU_LIMIT" => "CPU limit",
        "MEMORY_LIMIT" => "memory limit",
        "CPU_REQUEST" => "CPU request",
        "MEMORY_REQUEST" => "memory request",
        "REPLICAS" => "number of pods",
        "VARIABLE" => "name of the variable",
        "KEY" => "the key",
        "SELECTOR" => "labels of the right pods as key=value, comma between several",
        "LABEL_KEY" => "the label",
        "TAINT" => "the taint as key=value:Effect",
        "REVISION" => "the revision to go back to",
        _ => {
            let words = name.to_lowercase().replace('_', " ");
            return with_number(&format!("the {words}"), value);
        }
    };
    with_number(what, value)
}

/// Whether a value is a number, with a unit or without.
pub(in crate::record) fn is_quantity(value: &str) -> bool {
    value.starts_with(|c: char| c.is_ascii_digit())
        && value.len() <= 8
        && !value.contains(['/', ':'])
        && value.chars().filter(|c| *c == '.').count() <= 1
}

/// With the value, where it is a quantity: names and addresses are the incident's own.
fn with_number(what: &str, value: &str) -> String {
    if is_quantity(value) { format!("{what}; {value} was right once") } else { what.to_owned() }
}
