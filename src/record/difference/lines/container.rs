//! A container's image, variables and resources.
//!
//! *Invariant:* a variable that comes from elsewhere, and a value that was masked, are in no line.

use serde_json::Value;

use super::{chosen, field, on, take, text};
use crate::model::ObjectRef;
use crate::record::difference::fields::{At, Leaf};
use crate::record::difference::{Difference, created};
use crate::record::phrase::Part;

/// The container that a path goes through, and what is below it.
fn in_container(leaf: &Leaf) -> Option<(String, &[At])> {
    let index = leaf
        .path
        .iter()
        .position(|at| matches!(at, At::Field(name) if name == "containers" || name == "initContainers"))?;
    let At::Item { is, .. } = leaf.path.get(index + 1)? else { return None };
    Some((is.as_str()?.to_owned(), leaf.path.get(index + 2..)?))
}

pub(super) fn images(object: &ObjectRef, rest: &mut Vec<Leaf>) -> Vec<Difference> {
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
pub(super) fn environment(object: &ObjectRef, rest: &mut Vec<Leaf>) -> Vec<Difference> {
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

pub(super) fn resources(object: &ObjectRef, rest: &mut Vec<Leaf>) -> Vec<Difference> {
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
