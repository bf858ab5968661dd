//! A Service's selector.
//!
//! *Invariant:* `set selector` writes the whole of it, as kubectl does.

use super::take;
use crate::graph::View;
use crate::model::ObjectRef;
use crate::model::kinds::Service;
use crate::record::difference::Difference;
use crate::record::difference::fields::{At, Leaf};
use crate::record::phrase::{Part, Phrase};

/// The verb replaces the whole selector, so it is given whole.
pub(super) fn selector(
    before: &View<'_>,
    after: &View<'_>,
    object: &ObjectRef,
    rest: &mut Vec<Leaf>,
) -> Option<Difference> {
    let is = |leaf: &Leaf| {
        let [At::Field(spec), At::Field(selector), ..] = leaf.path.as_slice() else { return false };
        spec == "spec" && selector == "selector"
    };
    if take(rest, is).is_empty() {
        return None;
    }
    let pairs = |view: &View<'_>| {
        let service = view.get::<Service>(object.ns(), &object.name);
        let pairs = service.into_iter().flat_map(|service| service.spec.selector.iter());
        pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",")
    };
    let (old, new) = (pairs(before), pairs(after));
    let line = |name: &'static str, value: &str| {
        Phrase::at(object)
            .word("set selector service")
            .part(Part::Name(object.clone()))
            .part(Part::Chosen { name, value: value.to_owned() })
    };
    let difference = Difference::new(object, format!("selector {old} → {new}"));
    if new.is_empty() {
        return Some(difference);
    }
    let difference = difference.line(line("SELECTOR", &new));
    Some(if old.is_empty() { difference } else { difference.back(line("OLD_SELECTOR", &old)) })
}
