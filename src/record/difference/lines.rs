//! Fields that changed as the lines that change them.
//!
//! *Invariant:* each leaf becomes part of exactly one line, and the line that goes back restores what was there. The line with
//! a verb of its own comes before `patch`, since a reviewer reads it faster.

use serde_json::Value;

use super::fields::{self, At, Leaf};
use super::{Difference, created};
use crate::causes::path;
use crate::graph::View;
use crate::model::kinds::{Deployment, Pod, ReplicaSet, Service};
use crate::model::{Cause, Kind, ObjectRef};
use crate::record::phrase::{self, Part, Phrase};

/// The lines for what changed at an object that was there before and is there now.
pub(super) fn of(before: &View<'_>, after: &View<'_>, object: &ObjectRef, leaves: Vec<Leaf>) -> Vec<Difference> {
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
        Kind::ConfigMap => found.extend(config_map(before, after, object)),
        Kind::Secret => found.extend(secret(before, after, object)),
        Kind::Deployment => found.extend(rollback(before, after, object, &mut rest)),
        _ => {}
    }
    if object.kind == Kind::ConfigMap {
        take(&mut rest, |leaf| matches!(leaf.path.first(), Some(At::Field(name)) if name == "data"));
    }
    if object.kind == Kind::PersistentVolumeClaim {
        take(&mut rest, |leaf| leaf.told() == "spec.volumeName");
    }
    if object.kind == Kind::Node {
        found.extend(node(object, &mut rest));
    }
    if object.kind == Kind::Service {
        found.extend(selector(before, after, object, &mut rest));
    }
    found.extend(paused(object, &mut rest));
    found.extend(images(object, &mut rest));
    found.extend(environment(object, &mut rest));
    found.extend(resources(object, &mut rest));
    found.extend(replicas(object, &mut rest));
    found.extend(restart(object, &mut rest));
    found.extend(marks(object, &mut rest));
    found.extend(patch(object, &rest));
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

/// The container that a path goes through, and what is below it.
fn in_container(leaf: &Leaf) -> Option<(String, &[At])> {
    let index = leaf
        .path
        .iter()
        .position(|at| matches!(at, At::Field(name) if name == "containers" || name == "initContainers"))?;
    let At::Item { is, .. } = leaf.path.get(index + 1)? else { return None };
    Some((is.as_str()?.to_owned(), leaf.path.get(index + 2..)?))
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

fn images(object: &ObjectRef, rest: &mut Vec<Leaf>) -> Vec<Difference> {
    let is = |leaf: &Leaf| {
        in_container(leaf).is_some_and(|(_, below)| below.len() == 1 && field(below.first()) == Some("image"))
            && text(leaf.new.as_ref()).is_some()
    };
    let line = |name: &str, image: &str| {
        on(object, "set image").parts(vec![
            Part::Container(name.to_owned()),
            Part::Text("=".into()),
            Part::Chosen { name: "IMAGE", value: image.to_owned() },
        ])
    };
    let of = |leaf: &Leaf| {
        let (name, _) = in_container(leaf)?;
        let (old, new) = (text(leaf.old.as_ref()).unwrap_or_default(), text(leaf.new.as_ref())?);
        let difference = Difference::new(object, format!("image of {name}: {old} → {new}")).line(line(&name, new));
        Some(if old.is_empty() { difference } else { difference.back(line(&name, old)) })
    };
    take(rest, is).iter().filter_map(of).collect()
}

/// Variables with a plain value; one that comes from elsewhere is a patch.
fn environment(object: &ObjectRef, rest: &mut Vec<Leaf>) -> Vec<Difference> {
    /// The plain value; that it is not there, too. One that comes from elsewhere is an error.
    fn plain(value: Option<&Value>) -> Result<Option<String>, ()> {
        match value {
            None => Ok(None),
            Some(Value::String(value)) => Ok(Some(value.clone())),
            Some(Value::Object(fields)) if !fields.contains_key("valueFrom") => {
                Ok(Some(text(fields.get("value")).unwrap_or_default().to_owned()))
            }
            Some(_) => Err(()),
        }
    }
    let variable = |leaf: &Leaf| -> Option<(String, String, Option<String>, Option<String>)> {
        let (container, below) = in_container(leaf)?;
        let (Some("env"), Some(At::Item { is, .. })) = (field(below.first()), below.get(1)) else { return None };
        let whole = below.len() == 2 || below.len() == 3 && field(below.get(2)) == Some("value");
        let (old, new) = (plain(leaf.old.as_ref()).ok()?, plain(leaf.new.as_ref()).ok()?);
        whole.then(|| Some((container, is.as_str()?.to_owned(), old, new))).flatten()
    };
    let line = |container: &str, name: &str, value: Option<&String>| {
        let line = on(object, "set env").word("-c").part(Part::Container(container.to_owned()));
        let name = Part::Chosen { name: "VARIABLE", value: name.to_owned() };
        line.parts(match value {
            Some(value) => vec![name, Part::Text("=".into()), chosen("VALUE", value)],
            None => vec![name, Part::Text("-".into())],
        })
    };
    let of = |leaf: &Leaf| {
        let (container, name, old, new) = variable(leaf)?;
        let what = match (&old, &new) {
            (None, _) => format!("variable {name} of {container} added"),
            (_, None) => format!("variable {name} of {container} removed"),
            _ => format!("variable {name} of {container}"),
        };
        let difference = Difference::new(object, what).line(line(&container, &name, new.as_ref()));
        let known = old.as_ref().is_none_or(|old| !created::is_masked(old));
        Some(if known { difference.back(line(&container, &name, old.as_ref())) } else { difference })
    };
    take(rest, |leaf| variable(leaf).is_some()).iter().filter_map(of).collect()
}

/// A value that a person chose; a masked one is not it, and stays open.
fn chosen(name: &'static str, value: &str) -> Part {
    let shown = if created::is_masked(value) { format!("${name}") } else { value.to_owned() };
    Part::Chosen { name, value: shown }
}

fn resources(object: &ObjectRef, rest: &mut Vec<Leaf>) -> Vec<Difference> {
    let of = |leaf: &Leaf| -> Option<(String, &'static str, String)> {
        let (container, below) = in_container(leaf)?;
        let [At::Field(first), At::Field(kind), At::Field(resource)] = below else { return None };
        let kind = match (first.as_str(), kind.as_str()) {
            ("resources", "limits") => "limits",
            ("resources", "requests") => "requests",
            _ => return None,
        };
        (leaf.new.is_some() && matches!(resource.as_str(), "cpu" | "memory"))
            .then(|| (container, kind, resource.clone()))
    };
    let taken = take(rest, |leaf| of(leaf).is_some());
    let mut containers: Vec<String> = taken.iter().filter_map(|leaf| Some(of(leaf)?.0)).collect();
    containers.dedup();
    containers
        .iter()
        .map(|container| {
            let mine: Vec<&Leaf> =
                taken.iter().filter(|leaf| of(leaf).is_some_and(|(of, ..)| of == *container)).collect();
            let line = |value: &dyn Fn(&Leaf) -> Option<String>| {
                let mut line = on(object, "set resources").word("-c").part(Part::Container(container.clone()));
                for flag in ["limits", "requests"] {
                    let mut parts = vec![Part::Text(format!("--{flag}="))];
                    for leaf in &mine {
                        let Some((_, kind, resource)) = of(leaf).filter(|(_, kind, _)| *kind == flag) else { continue };
                        let Some(value) = value(leaf) else { continue };
                        let comma = if parts.len() > 1 { "," } else { "" };
                        parts.push(Part::Text(format!("{comma}{resource}=")));
                        parts.push(Part::Chosen { name: amount(kind, &resource), value });
                    }
                    if parts.len() > 1 {
                        line = line.parts(parts);
                    }
                }
                line
            };
            let told = mine.iter().filter_map(|leaf| {
                let (_, kind, resource) = of(leaf)?;
                let old = text(leaf.old.as_ref()).unwrap_or("none");
                Some(format!("{resource} {} {old} → {}", kind.trim_end_matches('s'), text(leaf.new.as_ref())?))
            });
            let what = format!("{} of {container}", told.collect::<Vec<_>>().join(", "));
            let new = line(&|leaf| text(leaf.new.as_ref()).map(str::to_owned));
            let difference = Difference::new(object, what).line(new);
            // What was not set before can't be taken away by this verb; 0 is what unsets it.
            difference.back(line(&|leaf| Some(text(leaf.old.as_ref()).unwrap_or("0").to_owned())))
        })
        .collect()
}

fn amount(kind: &str, resource: &str) -> &'static str {
    match (kind, resource) {
        ("limits", "memory") => "MEMORY_LIMIT",
        ("limits", _) => "CPU_LIMIT",
        (_, "memory") => "MEMORY_REQUEST",
        _ => "CPU_REQUEST",
    }
}

fn paused(object: &ObjectRef, rest: &mut Vec<Leaf>) -> Option<Difference> {
    let taken = take(rest, |leaf| object.kind == Kind::Deployment && leaf.told() == "spec.paused");
    let paused = taken.first()?.new.as_ref().and_then(Value::as_bool).unwrap_or_default();
    let (verb, back, what) = if paused {
        ("rollout pause", "rollout resume", "rollout paused")
    } else {
        ("rollout resume", "rollout pause", "rollout resumed")
    };
    Some(Difference::new(object, what).line(on(object, verb)).back(on(object, back)))
}

fn replicas(object: &ObjectRef, rest: &mut Vec<Leaf>) -> Vec<Difference> {
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
fn restart(object: &ObjectRef, rest: &mut Vec<Leaf>) -> Option<Difference> {
    const MARK: &str = "kubectl.kubernetes.io/restartedAt";
    let is = |leaf: &Leaf| matches!(leaf.path.last(), Some(At::Field(name)) if name == MARK);
    let taken = take(rest, is);
    let alone = !taken.is_empty() && rest.is_empty();
    alone.then(|| Difference::new(object, "restarted").line(on(object, "rollout restart")))
}

/// The template is an earlier one again: whoever did it, `rollout undo` is the line for it.
fn rollback(before: &View<'_>, after: &View<'_>, object: &ObjectRef, rest: &mut Vec<Leaf>) -> Option<Difference> {
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

/// The verb replaces the whole selector, so it is given whole.
fn selector(before: &View<'_>, after: &View<'_>, object: &ObjectRef, rest: &mut Vec<Leaf>) -> Option<Difference> {
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

fn node(object: &ObjectRef, rest: &mut Vec<Leaf>) -> Vec<Difference> {
    let mut found = Vec::new();
    let name = || Part::Name(object.clone());
    for leaf in take(rest, |leaf| leaf.told() == "spec.unschedulable") {
        let cordoned = leaf.new.as_ref().and_then(Value::as_bool).unwrap_or_default();
        let (verb, back, what) =
            if cordoned { ("cordon", "uncordon", "cordoned") } else { ("uncordon", "cordon", "uncordoned") };
        let line = |verb: &str| Phrase::default().word(verb).part(name());
        found.push(Difference::new(object, what).line(line(verb)).back(line(back)));
    }
    let taint = |value: &Value| -> Option<String> {
        let of = |name: &str| text(value.get(name)).unwrap_or_default();
        // Cordoning sets its own.
        (of("key") != "node.kubernetes.io/unschedulable").then(|| match of("value") {
            "" => format!("{}:{}", of("key"), of("effect")),
            value => format!("{}={value}:{}", of("key"), of("effect")),
        })
    };
    for leaf in take(rest, |leaf| leaf.told() == "spec.taints") {
        let all = |value: &Option<Value>| -> Vec<String> {
            value.iter().filter_map(Value::as_array).flatten().filter_map(taint).collect()
        };
        let (old, new) = (all(&leaf.old), all(&leaf.new));
        let line = |taint: &str, off: bool| {
            let mut parts = vec![Part::Chosen { name: "TAINT", value: taint.to_owned() }];
            parts.extend(off.then(|| Part::Text("-".into())));
            Phrase::default().word("taint nodes").part(name()).parts(parts)
        };
        for gone in old.iter().filter(|taint| !new.contains(taint)) {
            found.push(
                Difference::new(object, format!("taint {gone} taken off"))
                    .line(line(gone, true))
                    .back(line(gone, false)),
            );
        }
        for come in new.iter().filter(|taint| !old.contains(taint)) {
            found.push(
                Difference::new(object, format!("taint {come} added")).line(line(come, false)).back(line(come, true)),
            );
        }
    }
    found
}

/// Labels and annotations of the object itself.
fn marks(object: &ObjectRef, rest: &mut Vec<Leaf>) -> Vec<Difference> {
    let is = |leaf: &Leaf| matches!(leaf.path.as_slice(), [At::Field(meta), At::Field(_), At::Field(_)] if meta == "metadata");
    let of = |leaf: &Leaf| {
        let label = field(leaf.path.get(1)) == Some("labels");
        let (verb, noun) = if label { ("label", "label") } else { ("annotate", "annotation") };
        let key = field(leaf.path.get(2))?;
        let line = |value: Option<&Value>| {
            let name = if key.contains("kubernetes.io/") {
                Part::Text(key.to_owned())
            } else {
                Part::Chosen { name: "LABEL_KEY", value: key.to_owned() }
            };
            let line = Phrase::at(object).word(verb).word(&object.kind.argument()).part(Part::Name(object.clone()));
            match text(value) {
                Some(value) => {
                    line.parts(vec![name, Part::Text("=".into()), chosen("LABEL_VALUE", value)]).word("--overwrite")
                }
                None => line.parts(vec![name, Part::Text("-".into())]),
            }
        };
        let what = match (&leaf.old, &leaf.new) {
            (None, _) => format!("{noun} {key} added"),
            (_, None) => format!("{noun} {key} removed"),
            _ => format!("{noun} {key}"),
        };
        Some(Difference::new(object, what).line(line(leaf.new.as_ref())).back(line(leaf.old.as_ref())))
    };
    take(rest, is).iter().filter_map(of).collect()
}

/// A field, with what was and what is in it where that is short.
fn changed(leaf: &Leaf) -> String {
    let short = |value: &Option<Value>| match value {
        None => Some("none".to_owned()),
        Some(Value::String(text)) if text.len() <= 40 && !text.contains('`') => Some(text.clone()),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => Some(value.to_string()),
        Some(_) => None,
    };
    if let (Some(old), Some(new)) = (short(&leaf.old), short(&leaf.new)) {
        return format!("`{}` {old} → {new}", leaf.told());
    }
    let how = match (&leaf.old, &leaf.new) {
        (None, _) => "set",
        (_, None) => "removed",
        _ => "changed",
    };
    format!("`{}` {how}", leaf.told())
}

/// All that has no verb of its own.
fn patch(object: &ObjectRef, rest: &[Leaf]) -> Option<Difference> {
    if rest.is_empty() {
        return None;
    }
    let leaves: Vec<&Leaf> = rest.iter().collect();
    let told: Vec<String> = rest.iter().take(4).map(changed).collect();
    let more = if rest.len() > 4 { format!(" and {} more", rest.len() - 4) } else { String::new() };
    let difference = Difference::new(object, told.join(", ") + &more);
    // A custom resource knows no strategic patch.
    let strategic = !matches!(object.kind, Kind::Custom(_) | Kind::Gateway | Kind::HTTPRoute);
    if fields::needs_places(rest) {
        let new = json_patch(object, rest, false);
        return Some(Difference { line: new, back: json_patch(object, rest, true), ..difference });
    }
    let line = |back: bool| {
        let mut json = Vec::new();
        phrase::json(&fields::patch(&leaves, back), &mut json);
        let line = Phrase::at(object).word("patch").word(&object.kind.argument()).part(Part::Name(object.clone()));
        let line = if strategic { line } else { line.word("--type=merge") };
        line.word("-p").parts(json)
    };
    let masked = |value: &Option<Value>| value.as_ref().is_some_and(|value| created::is_masked(&value.to_string()));
    let new = if rest.iter().any(|leaf| masked(&leaf.new)) { None } else { Some(line(false)) };
    let old = if rest.iter().any(|leaf| masked(&leaf.old)) { None } else { Some(line(true)) };
    Some(Difference { line: new, back: old, ..difference })
}

/// A JSON patch: by places, where items have no names.
fn json_patch(object: &ObjectRef, rest: &[Leaf], back: bool) -> Option<Phrase> {
    let mut parts = vec![Part::Text("[".into())];
    for (index, leaf) in rest.iter().enumerate() {
        let (old, new) = if back { (&leaf.new, &leaf.old) } else { (&leaf.old, &leaf.new) };
        if new.as_ref().is_some_and(|new| created::is_masked(&new.to_string())) {
            return None;
        }
        let op = match (old, new) {
            (Some(_), Some(_)) => "replace",
            (None, _) => "add",
            (_, None) => "remove",
        };
        let comma = if index == 0 { "" } else { "," };
        let path = Value::from(fields::pointer(leaf)?);
        parts.push(Part::Text(format!("{comma}{{\"op\":\"{op}\",\"path\":{path}")));
        if let Some(new) = new {
            parts.push(Part::Text(",\"value\":".into()));
            let mut names = leaf.path.iter().rev().filter_map(|at| field(Some(at)));
            let (last, above) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
            let key = if last == "name" { format!("{above}.name") } else { last.to_owned() };
            phrase::json_at(new, &key, &mut parts);
        }
        parts.push(Part::Text("}".into()));
    }
    parts.push(Part::Text("]".into()));
    let line = Phrase::at(object).word("patch").word(&object.kind.argument()).part(Part::Name(object.clone()));
    Some(line.word("--type=json -p").parts(parts))
}

fn config_map(before: &View<'_>, after: &View<'_>, object: &ObjectRef) -> Vec<Difference> {
    let (old, new) = (created::config_values(before, object), created::config_values(after, object));
    let get = |values: &[(String, String)], key: &str| {
        values.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone())
    };
    let mut keys: Vec<&String> = old.iter().chain(&new).map(|(key, _)| key).collect();
    keys.sort();
    keys.dedup();
    let line = |key: &str, value: Option<&String>| {
        let mut parts = vec![
            Part::Text("{\"data\":{\"".into()),
            Part::Chosen { name: "KEY", value: key.to_owned() },
            Part::Text("\":".into()),
        ];
        match value {
            None => parts.push(Part::Text("null".into())),
            Some(value) => {
                let fits = phrase::fits(value);
                let shown = if fits && !value.is_empty() && !created::is_masked(value) {
                    value.clone()
                } else {
                    "$VALUE".to_owned()
                };
                parts.extend([
                    Part::Text("\"".into()),
                    Part::Chosen { name: "VALUE", value: shown },
                    Part::Text("\"".into()),
                ]);
            }
        }
        parts.push(Part::Text("}}".into()));
        Phrase::at(object).word("patch configmap").part(Part::Name(object.clone())).word("--type=merge -p").parts(parts)
    };
    keys.into_iter()
        .filter_map(|key| {
            let (old, new) = (get(&old, key), get(&new, key));
            let what = match (&old, &new) {
                (None, Some(_)) => format!("key {key} added"),
                (Some(_), None) => format!("key {key} removed"),
                (Some(old), Some(new)) if old != new => format!("value of key {key}"),
                _ => return None,
            };
            // A value that was not read on one side differs for that alone.
            if old.as_deref() == Some("")
                && new.as_deref().is_some_and(|new| !new.is_empty())
                && !was_read(before, object)
            {
                return None;
            }
            let difference = Difference::new(object, what).line(line(key, new.as_ref()));
            let masked = old.as_ref().is_some_and(|old| created::is_masked(old));
            Some(if masked { difference } else { difference.back(line(key, old.as_ref())) })
        })
        .collect()
}

/// Whether the values of a ConfigMap are in the snapshot.
fn was_read(view: &View<'_>, object: &ObjectRef) -> bool {
    view.snapshot.config_values.iter().any(|value| value.namespace == object.ns() && *value.name == *object.name)
}

/// Of a Secret, that it is another one, or has other keys. Values are never compared: none is held.
fn secret(before: &View<'_>, after: &View<'_>, object: &ObjectRef) -> Option<Difference> {
    let keys = |view: &View<'_>| {
        let keys = view.snapshot.keys_of(object.ns(), &object.name)?;
        Some(keys.keys.iter().map(|key| (key.name.clone(), key.size)).collect::<Vec<_>>())
    };
    let line = |key: &str| {
        Phrase::at(object).word("patch secret").part(Part::Name(object.clone())).word("--type=merge -p").parts(vec![
            Part::Text("{\"stringData\":{\"".into()),
            Part::Chosen { name: "KEY", value: key.to_owned() },
            Part::Text("\":\"".into()),
            Part::Chosen { name: "VALUE", value: "$VALUE".to_owned() },
            Part::Text("\"}}".into()),
        ])
    };
    if let (Some(old), Some(new)) = (keys(before), keys(after)) {
        let changed = new.iter().find(|key| !old.contains(key)).map(|(name, _)| name.clone());
        if let Some(name) = changed {
            let what = if old.iter().any(|(old, _)| *old == name) { "value of key" } else { "added key" };
            return Some(Difference::new(object, format!("{what} {name}")).line(line(&name)));
        }
        if old != new {
            return Some(Difference::new(object, "a key was removed"));
        }
    }
    let edited = super::objects::editor(before, after, object).1.is_some();
    edited.then(|| Difference::new(object, "its value changed"))
}

/// Nothing that is kept differs, and yet the pods are others: they were deleted, and made anew.
pub(super) fn replaced(before: &View<'_>, after: &View<'_>, cause: &Cause) -> Option<Difference> {
    let mut pods = path::named(cause).into_iter().filter(|object| object.kind == Kind::Pod);
    let pod = pods.find(|pod| {
        let uid = |view: &View<'_>| view.get::<Pod>(pod.ns(), &pod.name).map(|pod| pod.metadata.uid.clone());
        uid(before).is_some() && uid(before) != uid(after)
    })?;
    let line = Phrase::at(&pod).word("delete pod").part(Part::Name(pod.clone()));
    Some(Difference { on_path: true, ..Difference::new(&pod, "deleted, and made anew by its controller").line(line) })
}
