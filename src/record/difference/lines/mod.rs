//! Fields that changed as the lines that change them: a file for each kind of them.
//!
//! *Invariant:* each leaf becomes part of exactly one line, and the line that goes back restores what was there. The line with
//! a verb of its own comes before `patch`, since a reviewer reads it faster.

mod config;
mod container;
mod network;
mod node;
mod patch;
mod workload;

use serde_json::Value;

use super::fields::{At, Leaf};
use super::{Difference, created};
use crate::graph::View;
use crate::model::{Kind, ObjectRef};
use crate::record::phrase::{Part, Phrase};

pub(super) use workload::replaced;

/// The lines for what changed at an object that was there before and is there now.
pub(in crate::record::difference) fn of(
    before: &View<'_>,
    after: &View<'_>,
    object: &ObjectRef,
    leaves: Vec<Leaf>,
) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut rest = leaves;
    // An object whose spec can't be changed was made anew.
    let uid = |view: &View<'_>| view.meta(object).map(|meta| meta.uid.clone()).filter(|uid| !uid.is_empty());
    let anew = uid(before).is_some() && uid(after).is_some() && uid(before) != uid(after);
    if matches!(object.kind, Kind::Pod | Kind::Job) && anew {
        let what = if rest.is_empty() {
            "deleted, and made anew as it was".to_owned()
        } else {
            format!("deleted, and made anew with {}", list(&rest))
        };
        let line = Phrase::at(object).word("delete").word(&object.kind.argument()).part(Part::Name(object.clone()));
        return vec![Difference::new(object, what).line(line)];
    }
    match object.kind {
        Kind::ConfigMap => found.extend(config::config_map(before, after, object)),
        Kind::Secret => found.extend(config::secret(before, after, object)),
        Kind::Deployment => found.extend(workload::rollback(before, after, object, &mut rest)),
        _ => {}
    }
    if object.kind == Kind::ConfigMap {
        take(&mut rest, |leaf| matches!(leaf.path.first(), Some(At::Field(name)) if name == "data"));
    }
    if object.kind == Kind::PersistentVolumeClaim {
        take(&mut rest, |leaf| leaf.told() == "spec.volumeName");
    }
    if object.kind == Kind::Node {
        found.extend(node::node(object, &mut rest));
    }
    if object.kind == Kind::Service {
        found.extend(network::selector(before, after, object, &mut rest));
    }
    found.extend(workload::paused(object, &mut rest));
    found.extend(container::images(object, &mut rest));
    found.extend(container::environment(object, &mut rest));
    found.extend(container::resources(object, &mut rest));
    found.extend(workload::replicas(object, &mut rest));
    found.extend(workload::restart(object, &mut rest));
    found.extend(patch::marks(object, &mut rest));
    found.extend(patch::patch(object, &rest));
    found
}

/// Takes the leaves for which `is` holds out of the list.
fn take(rest: &mut Vec<Leaf>, is: impl Fn(&Leaf) -> bool) -> Vec<Leaf> {
    let (taken, left) = std::mem::take(rest).into_iter().partition(|leaf| is(leaf));
    *rest = left;
    taken
}

/// `image of app, memory limit of app`, shortened.
fn list(leaves: &[Leaf]) -> String {
    let mut told: Vec<String> = leaves.iter().take(3).map(|leaf| format!("another `{}`", leaf.told())).collect();
    if leaves.len() > 3 {
        told.push(format!("{} more", leaves.len() - 3));
    }
    told.join(", ")
}

/// A line that begins `kubectl -n NS VERB… KIND/NAME`.
fn on(object: &ObjectRef, verb: &str) -> Phrase {
    Phrase::at(object).word(verb).part(Part::Target(object.clone()))
}

fn field(at: Option<&At>) -> Option<&str> {
    match at {
        Some(At::Field(name)) => Some(name),
        _ => None,
    }
}

fn text(value: Option<&Value>) -> Option<&str> {
    value.and_then(Value::as_str)
}

/// A value that a person chose; a masked one is not it, and stays open.
fn chosen(name: &'static str, value: &str) -> Part {
    let shown = if created::is_masked(value) { format!("${name}") } else { value.to_owned() };
    Part::Chosen { name, value: shown }
}
