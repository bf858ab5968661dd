//! A node's cordon and its taints.
//!
//! *Invariant:* one taint is one line.

use serde_json::Value;

use super::{take, text};
use crate::model::ObjectRef;
use crate::record::difference::Difference;
use crate::record::difference::fields::Leaf;
use crate::record::phrase::{Part, Phrase};

pub(super) fn node(object: &ObjectRef, rest: &mut Vec<Leaf>) -> Vec<Difference> {
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
