//! What changed between the snapshot of an incident and one taken when it was over, as lines of kubectl.
//!
//! *Invariant:* pure. Only what people and their tools write is told: no status, nothing that a controller makes, no counters.
//! Of a Secret, that it changed and never what. What can't be put as a line is told in words.

mod created;
mod fields;
mod lines;
mod objects;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::causes::path;
use crate::graph::View;
use crate::model::{Cause, ObjectRef, Time};
use crate::record::phrase::Phrase;

/// Something that is not as it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// What changed.
    pub object: ObjectRef,
    /// How, in words: `image of app`.
    pub what: String,
    /// The line that does the same, where there is one.
    pub line: Option<Phrase>,
    /// The line that goes back.
    pub back: Option<Phrase>,
    /// A manifest that the line applies: its file name, and the YAML.
    pub manifest: Option<(String, String)>,
    /// The field manager, where the API tells: `kubectl-set`.
    pub by: Option<String>,
    /// When, where the API tells.
    pub time: Option<Time>,
    /// Whether it lies on the path of the cause, and not merely beside it.
    pub on_path: bool,
}

impl Difference {
    fn new(object: &ObjectRef, what: impl Into<String>) -> Difference {
        Difference {
            object: object.clone(),
            what: what.into(),
            line: None,
            back: None,
            manifest: None,
            by: None,
            time: None,
            on_path: false,
        }
    }

    fn line(mut self, line: Phrase) -> Difference {
        self.line = Some(line);
        self
    }

    fn back(mut self, line: Phrase) -> Difference {
        self.back = Some(line);
        self
    }
}

/// What changed for a cause: on its path first, then beside it in the same namespaces.
pub fn differences(before: &View<'_>, after: &View<'_>, cause: &Cause) -> Vec<Difference> {
    let mut on_path = path::around(before, cause);
    on_path.extend(path::around(after, cause));
    let namespaces: BTreeSet<&str> =
        on_path.iter().filter_map(|object| object.namespace.as_deref()).collect::<BTreeSet<_>>();
    let mut found = Vec::new();
    for object in objects::all(before, after) {
        let near = on_path.contains(&object);
        let beside = object.namespace.as_deref().is_some_and(|namespace| namespaces.contains(namespace));
        if !near && !beside || objects::is_made(before, after, &object) {
            continue;
        }
        let mut here = of(before, after, &object);
        // What merely stands beside counts where it came or went: an edit of an unrelated workload is not the fix.
        if !near && before.meta(&object).is_some() && after.meta(&object).is_some() {
            here.clear();
        }
        for difference in &mut here {
            difference.on_path = near;
            (difference.by, difference.time) = objects::editor(before, after, &object);
        }
        found.extend(here);
    }
    if found.is_empty() {
        found.extend(lines::replaced(before, after, cause));
    }
    found.sort_by_key(|difference| (!difference.on_path, objects::rank(difference.object.kind)));
    found
}

/// What changed at one object.
fn of(before: &View<'_>, after: &View<'_>, object: &ObjectRef) -> Vec<Difference> {
    match (objects::value(before, object), objects::value(after, object)) {
        (None, Some(value)) => vec![created::made(after, object, &value)],
        (Some(value), None) => vec![created::gone(before, object, &value)],
        (Some(old), Some(new)) => {
            let leaves = fields::leaves(&old, &new);
            let mut found = lines::of(before, after, object, leaves);
            if found.is_empty() && objects::generation_moved(before, after, object) {
                found.push(Difference::new(object, "its spec, in a field of which nothing is kept"));
            }
            found
        }
        (None, None) => Vec::new(),
    }
}
