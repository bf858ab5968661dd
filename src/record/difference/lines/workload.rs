//! A workload's replicas, pauses, restarts and revisions.
//!
//! *Invariant:* a Deployment that has the template of an older revision again was rolled back, whoever did it.

use serde_json::Value;

use super::{on, take};
use crate::causes::path;
use crate::graph::View;
use crate::model::kinds::{Deployment, Pod, ReplicaSet};
use crate::model::{Cause, Kind, ObjectRef};
use crate::record::difference::Difference;
use crate::record::difference::fields::{At, Leaf};
use crate::record::phrase::{Part, Phrase};

pub(super) fn paused(object: &ObjectRef, rest: &mut Vec<Leaf>) -> Option<Difference> {
    let taken = take(rest, |leaf| object.kind == Kind::Deployment && leaf.told() == "spec.paused");
    let paused = taken.first()?.new.as_ref().and_then(Value::as_bool).unwrap_or_default();
    let (verb, back, what) = if paused {
        ("rollout pause", "rollout resume", "rollout paused")
    } else {
        ("rollout resume", "rollout pause", "rollout resumed")
    };
    Some(Difference::new(object, what).line(on(object, verb)).back(on(object, back)))
}

pub(super) fn replicas(object: &ObjectRef, rest: &mut Vec<Leaf>) -> Vec<Difference> {
    let scales = matches!(object.kind, Kind::Deployment | Kind::StatefulSet);
    let taken = take(rest, |leaf| scales && leaf.told() == "spec.replicas");
    let line = |value: Option<&Value>| {
        let value = value.and_then(Value::as_i64).unwrap_or(1).to_string();
        on(object, "scale").parts(vec![Part::Text("--replicas=".into()), Part::Chosen { name: "REPLICAS", value }])
    };
    let number = |value: Option<&Value>| value.and_then(Value::as_i64).unwrap_or(1);
    let of = |leaf: &Leaf| {
        let (old, new) = (leaf.old.as_ref(), leaf.new.as_ref());
        Difference::new(object, format!("replicas {} → {}", number(old), number(new))).line(line(new)).back(line(old))
    };
    taken.iter().map(of).collect()
}

/// `rollout restart` leaves its time in the template, and nothing else.
pub(super) fn restart(object: &ObjectRef, rest: &mut Vec<Leaf>) -> Option<Difference> {
    const MARK: &str = "kubectl.kubernetes.io/restartedAt";
    let is = |leaf: &Leaf| matches!(leaf.path.last(), Some(At::Field(name)) if name == MARK);
    let taken = take(rest, is);
    let alone = !taken.is_empty() && rest.is_empty();
    alone.then(|| Difference::new(object, "restarted").line(on(object, "rollout restart")))
}

/// The template is an earlier one again: whoever did it, `rollout undo` is the line for it.
pub(super) fn rollback(
    before: &View<'_>,
    after: &View<'_>,
    object: &ObjectRef,
    rest: &mut Vec<Leaf>,
) -> Option<Difference> {
    let of = |leaf: &Leaf| matches!(leaf.path.as_slice(), [At::Field(spec), At::Field(template), ..] if spec == "spec" && template == "template");
    if !rest.iter().any(of) {
        return None;
    }
    let new = after.get::<Deployment>(object.ns(), &object.name)?;
    let own = |set: &&ReplicaSet| {
        set.metadata.controller().is_some_and(|owner| owner.kind == "Deployment" && owner.name == *object.name)
    };
    let mut sets: Vec<&ReplicaSet> = before.within::<ReplicaSet>(object.ns()).iter().filter(own).collect();
    let revision = |set: &ReplicaSet| {
        let text = set.metadata.annotations.get("deployment.kubernetes.io/revision");
        text.and_then(|text| text.parse::<i64>().ok()).unwrap_or_default()
    };
    sets.sort_by_key(|set| std::cmp::Reverse(revision(set)));
    // The newest is the one that failed.
    let (index, set) =
        sets.iter().enumerate().skip(1).find(|(_, set)| set.spec.template.spec == new.spec.template.spec)?;
    take(rest, of);
    let (line, what) = if index == 1 {
        (on(object, "rollout undo"), "rolled back to the revision before".to_owned())
    } else {
        let to = revision(set).to_string();
        let line = on(object, "rollout undo")
            .parts(vec![Part::Text("--to-revision=".into()), Part::Chosen { name: "REVISION", value: to.clone() }]);
        (line, format!("rolled back to revision {to}"))
    };
    Some(Difference::new(object, what).line(line).back(on(object, "rollout undo")))
}

/// Nothing that is kept differs, and yet the pods are others: they were deleted, and made anew.
pub(in crate::record::difference) fn replaced(
    before: &View<'_>,
    after: &View<'_>,
    cause: &Cause,
) -> Option<Difference> {
    let mut pods = path::named(cause).into_iter().filter(|object| object.kind == Kind::Pod);
    let pod = pods.find(|pod| {
        let uid = |view: &View<'_>| view.get::<Pod>(pod.ns(), &pod.name).map(|pod| pod.metadata.uid.clone());
        uid(before).is_some() && uid(before) != uid(after)
    })?;
    let line = Phrase::at(&pod).word("delete pod").part(Part::Name(pod.clone()));
    Some(Difference { on_path: true, ..Difference::new(&pod, "deleted, and made anew by its controller").line(line) })
}
