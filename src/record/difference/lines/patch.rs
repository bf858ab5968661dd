//! Labels and annotations, and all that has no verb of its own: as patches.
//!
//! *Invariant:* items that have names are found by those, others by their place.

use serde_json::Value;

use super::{chosen, field, take, text};
use crate::model::{Kind, ObjectRef};
use crate::record::difference::fields::{self, At, Leaf};
use crate::record::difference::{Difference, created};
use crate::record::phrase::{self, Part, Phrase};

/// Labels and annotations of the object itself.
pub(super) fn marks(object: &ObjectRef, rest: &mut Vec<Leaf>) -> Vec<Difference> {
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
pub(super) fn patch(object: &ObjectRef, rest: &[Leaf]) -> Option<Difference> {
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
