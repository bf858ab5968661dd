//! A line that someone typed, as a phrase whose names can be taken out.
//!
//! *Invariant:* the phrase's concrete form means what the line meant; a word is taken for a name only where it is the whole
//! word, or the whole part of one.

use std::collections::BTreeSet;

use super::phrase::{self, Part, Phrase};
use crate::causes::path;
use crate::kubectl;
use crate::model::{Cause, Kind, ObjectRef};
use crate::runbook::params;

/// The line as a phrase; none where the grammar refuses it.
pub fn phrase(line: &str, cause: &Cause) -> Option<Phrase> {
    let command = kubectl::parse(line).ok()?;
    let known = path::named(cause);
    let container = params::of(cause).get("CONTAINER").cloned();
    let mut phrase = Phrase::default();
    let mut argv = command.argv().into_iter().peekable();
    // The object that a bare name after its kind means.
    let mut kind: Option<Kind> = (command.verb() == "logs").then_some(Kind::Pod);
    let mut before = String::new();
    while let Some(word) = argv.next() {
        // The context is that of whoever reads it later.
        if word == "--context" {
            argv.next();
            continue;
        }
        if word.starts_with("--context=") {
            continue;
        }
        let namespace = matches!(before.as_str(), "-n" | "--namespace");
        let part = match () {
            () if namespace => vec![Part::Namespace(word.clone())],
            () if before == "-c" || before == "--container" || before == "--containers" => {
                vec![Part::Container(word.clone())]
            }
            () if word.starts_with(['{', '[']) => json(&word),
            () => parts(&word, &known, kind, container.as_deref()),
        };
        if let Some(found) = Kind::from_word(&word) {
            kind = Some(found);
        }
        phrase = phrase.parts(part);
        before = word;
    }
    Some(phrase)
}

fn json(word: &str) -> Vec<Part> {
    match serde_json::from_str(word) {
        Ok(value) => {
            let mut parts = Vec::new();
            phrase::json(&value, &mut parts);
            parts
        }
        Err(_) => vec![Part::Text(word.to_owned())],
    }
}

fn parts(word: &str, known: &BTreeSet<ObjectRef>, kind: Option<Kind>, container: Option<&str>) -> Vec<Part> {
    let text = || vec![Part::Text(word.to_owned())];
    if let Some((flag, value)) = word.split_once('=').filter(|(flag, _)| flag.starts_with("--")) {
        // What a ConfigMap or a Secret is made of is nobody's business later.
        if let ("--from-literal", Some((key, value))) = (flag, value.split_once('=')) {
            let key = Part::Chosen { name: "KEY", value: key.to_owned() };
            let value = Part::Chosen { name: "VALUE", value: value.to_owned() };
            return vec![Part::Text(format!("{flag}=")), key, Part::Text("=".into()), value];
        }
        let value = match flag {
            "--namespace" => vec![Part::Namespace(value.to_owned())],
            "--container" | "--containers" => vec![Part::Container(value.to_owned())],
            _ => parts(value, known, None, None),
        };
        return std::iter::once(Part::Text(format!("{flag}="))).chain(value).collect();
    }
    if word.starts_with('-') {
        return text();
    }
    if let Some((of, name)) = word.split_once('/')
        && let Some(of) = Kind::from_word(of)
        && let Some(object) = known.iter().find(|object| object.kind == of && *object.name == *name)
    {
        return vec![Part::Target(object.clone())];
    }
    let mut named = known.iter().filter(|object| *object.name == *word);
    let of_kind = kind.and_then(|kind| known.iter().find(|object| object.kind == kind && *object.name == *word));
    if let Some(object) = of_kind.or_else(|| named.next().filter(|_| kind.is_some())) {
        return vec![Part::Name(object.clone())];
    }
    if let Some((key, value)) = word.split_once('=') {
        if container == Some(key) {
            let container = Part::Container(key.to_owned());
            return vec![container, Part::Text("=".into()), Part::Chosen { name: "IMAGE", value: value.to_owned() }];
        }
        let value = match known.iter().find(|object| *object.name == *value) {
            Some(object) => Part::Name(object.clone()),
            None => Part::Text(value.to_owned()),
        };
        return vec![Part::Text(format!("{key}=")), value];
    }
    text()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::phrase::Names;

    #[test]
    fn names_of_the_cause_become_parameters() {
        let cause: Cause = serde_saphyr::from_str(
            "{fingerprint: f, detector: d, severity: critical, stage: start, summary: s, count: 1, changes: [], commands: [], \
             object: {kind: Deployment, namespace: shop, name: cart}, culprit: {kind: Secret, namespace: shop, name: db}, \
             members: [{kind: Pod, namespace: shop, name: cart-1}], consequences: [], evidence: [{quote: x, source: {type: field, \
             object: {kind: Pod, namespace: shop, name: cart-1}, path: 'status.containerStatuses[app].state'}}]}",
        )
        .unwrap();
        let table = [
            ("kubectl --context prod -n shop describe pod cart-1", "kubectl -n $NAMESPACE describe pod $POD"),
            (
                "kubectl -n shop logs cart-1 -c app --previous",
                "kubectl -n $NAMESPACE logs $POD -c $CONTAINER --previous",
            ),
            ("kubectl -n shop rollout undo deployment/cart", "kubectl -n $NAMESPACE rollout undo $WORKLOAD"),
            (
                "kubectl -n shop set image deploy/cart app=r/x:2",
                "kubectl -n $NAMESPACE set image $WORKLOAD $CONTAINER=$IMAGE",
            ),
            (
                r#"kubectl -n shop patch secret db -p '{"stringData":{"user":"me"}}'"#,
                r#"kubectl -n $NAMESPACE patch secret $SECRET -p '{"stringData":{"$KEY":"$VALUE"}}'"#,
            ),
        ];
        for (line, expected) in table {
            let found = phrase(line, &cause).unwrap().general(&mut Names::of(params::of(&cause)));
            assert_eq!(found, expected);
        }
        assert!(phrase("rm -rf /", &cause).is_none());
    }
}
