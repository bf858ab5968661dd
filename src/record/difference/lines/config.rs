//! The keys of a ConfigMap, and that those of a Secret changed.
//!
//! *Invariant:* of a Secret's value, that it changed; of a masked one of a ConfigMap, no more.

use crate::graph::View;
use crate::model::ObjectRef;
use crate::record::difference::{Difference, created, objects};
use crate::record::phrase::{self, Part, Phrase};

pub(super) fn config_map(before: &View<'_>, after: &View<'_>, object: &ObjectRef) -> Vec<Difference> {
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
pub(super) fn secret(before: &View<'_>, after: &View<'_>, object: &ObjectRef) -> Option<Difference> {
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
    let edited = objects::editor(before, after, object).1.is_some();
    edited.then(|| Difference::new(object, "its value changed"))
}
