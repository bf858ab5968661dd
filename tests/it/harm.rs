//! Harm done to a recorded snapshot, and what must survive it; shared by the property tests and the
//! fuzz target (`fuzz/`).

use std::path::Path;

use kubectl_react::cluster::snapshot_file;
use kubectl_react::diagnose::{Request, derive};
use kubectl_react::model::Snapshot;
use kubectl_react::output::{Format, Style, render};
use kubectl_react::redact::Redactor;
use serde_json::{Value, json};

/// The recorded outage: real objects of all kinds, of which one namespace is kept to be quick.
pub(crate) fn recorded(project: &str) -> Value {
    let file = Path::new(project).join("demo/outage.json.gz");
    let snapshot = snapshot_file::read(&file, &Redactor::new([7; 32])).unwrap();
    let mut value = serde_json::to_value(&*snapshot).unwrap();
    for list in value["objects"].as_object_mut().unwrap().values_mut() {
        let list = list.as_array_mut().unwrap();
        list.retain(|object| object["metadata"]["namespace"].as_str().is_none_or(|ns| ns == "payments"));
        list.truncate(40);
    }
    value
}

/// What may happen to a field.
#[derive(Clone, Debug)]
pub(crate) enum Harm {
    Remove,
    Null,
    Empty,
    Other(Value),
}

/// What is put in the place of a value.
pub(crate) fn instead() -> Vec<Value> {
    vec![
        json!("\u{1b}]0;title\u{7}\u{1b}[31mred\u{9b}2J\u{202e}desrever\r\n\u{0}"),
        json!("x".repeat(200_000)),
        json!(i64::MAX),
        json!(i64::MIN),
        json!("-9223372036854775808"),
        json!("99999999999999999999Ei"),
        json!("9999-12-30T22:00:00Z"),
        json!("-009999-01-02T01:59:59Z"),
        json!(["a", {"b": []}, null]),
    ]
}

/// Harms the field that `choices` lead to: each one says which child to go to.
pub(crate) fn apply(value: &mut Value, choices: &[usize], harm: &Harm) {
    let (Some((choice, rest)), true) = (choices.split_first(), value.is_object() || value.is_array()) else {
        match harm {
            Harm::Remove | Harm::Null => *value = Value::Null,
            Harm::Empty => {
                *value = match value {
                    Value::Array(_) => json!([]),
                    Value::Object(_) => json!({}),
                    Value::Number(_) => json!(0),
                    _ => json!(""),
                }
            }
            Harm::Other(other) => *value = other.clone(),
        }
        return;
    };
    match value {
        Value::Array(list) if !list.is_empty() => {
            let index = choice % list.len();
            if rest.is_empty() && matches!(harm, Harm::Remove) {
                drop(list.remove(index));
            } else {
                apply(&mut list[index], rest, harm);
            }
        }
        Value::Object(map) if !map.is_empty() => {
            let key = map.keys().nth(choice % map.len()).unwrap().clone();
            if rest.is_empty() && matches!(harm, Harm::Remove) {
                drop(map.remove(&key));
            } else {
                apply(&mut map[&key], rest, harm);
            }
        }
        _ => {}
    }
}

/// Loads, diagnoses and prints; a snapshot that can't be read is refused, which is as good.
pub(crate) fn survive(value: Value) -> Result<(), String> {
    let Ok(snapshot) = serde_json::from_value::<Snapshot>(value) else { return Ok(()) };
    let sealed = Redactor::new([7; 32]).seal(snapshot);
    let diagnosis = derive(&sealed, &Request::default()).unwrap();
    for format in [Format::Text, Format::Json, Format::Yaml, Format::Markdown, Format::Name] {
        let text = render(&diagnosis, format, &Style { color: false, width: 80, ..Style::default() });
        let bad = text.chars().find(|c| {
            (c.is_control() && *c != '\n')
                || ('\u{202a}'..='\u{202e}').contains(c)
                || ('\u{2066}'..='\u{2069}').contains(c)
        });
        if bad.is_some() {
            return Err(format!("{format:?} prints {bad:?}"));
        }
    }
    Ok(())
}
