//! Whatever a cluster or a file says: no panic, no hang, no control sequence on a terminal.

use std::path::Path;

use kubectl_react::cluster::snapshot_file;
use kubectl_react::diagnose::{Request, derive};
use kubectl_react::model::Snapshot;
use kubectl_react::output::{Format, Style, render};
use kubectl_react::redact::Redactor;
use proptest::prelude::*;
use serde_json::{Value, json};

/// The recorded outage: real objects of all kinds, of which one namespace is kept to be quick.
fn recorded() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/outage.json.gz");
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
enum Harm {
    Remove,
    Null,
    Empty,
    Other(Value),
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        Just(Harm::Remove),
        Just(Harm::Null),
        Just(Harm::Empty),
        Just(Harm::Other(json!("\u{1b}]0;title\u{7}\u{1b}[31mred\u{9b}2J\u{202e}desrever\r\n\u{0}"))),
        Just(Harm::Other(json!("x".repeat(200_000)))),
        Just(Harm::Other(json!(i64::MAX))),
        Just(Harm::Other(json!(i64::MIN))),
        Just(Harm::Other(json!("-9223372036854775808"))),
        Just(Harm::Other(json!("99999999999999999999Ei"))),
        Just(Harm::Other(json!("9999-12-30T22:00:00Z"))),
        Just(Harm::Other(json!("-009999-01-02T01:59:59Z"))),
        Just(Harm::Other(json!(["a", {"b": []}, null]))),
        ".{0,12}".prop_map(|text| Harm::Other(json!(text))),
    ]
}

/// Harms the field that `choices` lead to: each one says which child to go to.
fn apply(value: &mut Value, choices: &[usize], harm: &Harm) {
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
fn survive(value: Value) -> Result<(), TestCaseError> {
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
        prop_assert!(bad.is_none(), "{format:?} prints {bad:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn harmed_objects_never_panic(harms in prop::collection::vec((prop::collection::vec(0_usize..1000, 1..9), harm()), 1..40)) {
        let mut value = recorded();
        for (choices, harm) in &harms {
            // Below `objects`: the rest of the file is the loader's business.
            apply(&mut value["objects"], choices, harm);
        }
        survive(value)?;
    }
}

#[test]
fn the_recorded_outage_itself_survives() {
    survive(recorded()).unwrap();
}
