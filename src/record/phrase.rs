//! A line of kubectl in two forms: as it was typed for the incident, and as a runbook has it, with `$NAME` in the place of
//! what another incident would call otherwise.
//!
//! *Invariant:* both forms come from the same words, so they differ in names and values alone; a name that a cause fills
//! ([`crate::runbook::params`]) gets that parameter, any other is declared with what to put there.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::finding::quote;
use crate::model::{Kind, ObjectRef};
use crate::runbook::params::{self, Values};

/// A piece of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The same in every incident.
    Text(String),
    /// The bare name of an object.
    Name(ObjectRef),
    /// `deployment/web`.
    Target(ObjectRef),
    /// A namespace.
    Namespace(String),
    /// A container.
    Container(String),
    /// A value that a person chose.
    Chosen {
        /// The parameter's name: `IMAGE`.
        name: &'static str,
        /// What was chosen.
        value: String,
    },
}

/// A line after `kubectl`, word by word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Phrase {
    words: Vec<Vec<Part>>,
}

impl Phrase {
    /// A line about what lives where `object` lives.
    pub fn at(object: &ObjectRef) -> Phrase {
        let mut phrase = Phrase::default();
        if let Some(namespace) = &object.namespace {
            phrase = phrase.word("-n").part(Part::Namespace(namespace.to_string()));
        }
        phrase
    }

    /// Adds words that are the same in every incident.
    #[must_use]
    pub fn word(mut self, text: &str) -> Phrase {
        self.words.extend(text.split(' ').map(|word| vec![Part::Text(word.to_owned())]));
        self
    }

    /// Adds a word of one part.
    #[must_use]
    pub fn part(self, part: Part) -> Phrase {
        self.parts(vec![part])
    }

    /// Adds a word of several parts.
    #[must_use]
    pub fn parts(mut self, parts: Vec<Part>) -> Phrase {
        self.words.push(parts);
        self
    }

    /// The line as it is for this incident.
    pub fn concrete(&self) -> String {
        let words = self.words.iter().map(|word| quote(&word.iter().map(concrete).collect::<String>()));
        std::iter::once("kubectl".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
    }

    /// The values that a person chose, with the parameter for each.
    pub(super) fn chosen(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.words.iter().flatten().filter_map(|part| match part {
            Part::Chosen { name, value } => Some((*name, value.as_str())),
            _ => None,
        })
    }

    /// The line as a runbook has it.
    pub(super) fn general(&self, names: &mut Names) -> String {
        let words = self.words.iter().map(|word| {
            let text: String = word.iter().map(|part| names.general(part)).collect();
            quote_open(&text)
        });
        std::iter::once("kubectl".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
    }
}

fn concrete(part: &Part) -> String {
    match part {
        Part::Text(text) | Part::Namespace(text) | Part::Container(text) => text.clone(),
        Part::Name(object) => object.name.to_string(),
        Part::Target(object) => target(object),
        Part::Chosen { value, .. } => value.clone(),
    }
}

/// `deployment/web`.
pub(super) fn target(object: &ObjectRef) -> String {
    format!("{}/{}", object.kind.argument(), object.name)
}

/// A word with placeholders, in quotes where a shell would read more into it than those.
fn quote_open(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,$".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { quote(word) }
}

/// Parameters, and what they stand for.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// What a cause fills.
    filled: Values,
    /// What was used, by parameter, with what to put there.
    used: BTreeMap<String, String>,
    /// What each stands for, so that the same is not called twice.
    given: BTreeMap<String, String>,
    /// Whether the line goes back: its values are those that were there before.
    back: bool,
}

impl Names {
    /// The names that a cause fills.
    pub(super) fn of(filled: Values) -> Names {
        Names { filled, ..Names::default() }
    }

    /// Writes lines that go back from now on: what they put in the place of values is what was there before.
    pub(super) fn go_back(&mut self, back: bool) {
        self.back = back;
    }

    /// The parameters that were used, with what to put there.
    pub(super) fn used(&self) -> &BTreeMap<String, String> {
        &self.used
    }

    fn general(&mut self, part: &Part) -> String {
        match part {
            Part::Text(text) => text.clone(),
            Part::Namespace(namespace) => self.namespace(namespace),
            Part::Container(name) => self.known("CONTAINER", name, "the container"),
            Part::Name(object) => self.name(object),
            Part::Target(object) => {
                let namespace = object.namespace.as_deref();
                let here = namespace.is_none() || namespace == self.filled.get("NAMESPACE").map(String::as_str);
                if here && self.filled.get("WORKLOAD") == Some(&target(object)) {
                    return self.say("WORKLOAD", "the workload as `TYPE/NAME`");
                }
                format!("{}/{}", object.kind.argument(), self.name(object))
            }
            Part::Chosen { name, value } if self.back && !name.starts_with("OLD_") && !is_key(name) => {
                self.give(&format!("OLD_{name}"), value, &format!("{} as it was before", plain(name)))
            }
            Part::Chosen { name, value } => self.give(name, value, &chosen(name, value)),
        }
    }

    fn namespace(&mut self, namespace: &str) -> String {
        let is = |name: &str| self.filled.get(name).is_some_and(|value| value == namespace);
        if is("NAMESPACE") {
            return self.say("NAMESPACE", "the namespace");
        }
        if is("CULPRIT_NAMESPACE") {
            return self.say("CULPRIT_NAMESPACE", "namespace of the object to blame");
        }
        self.give("OTHER_NAMESPACE", namespace, "namespace of the object that is changed")
    }

    fn name(&mut self, object: &ObjectRef) -> String {
        if object.kind == Kind::Namespace {
            return self.namespace(&object.name);
        }
        let Some(name) = params::name(object.kind) else {
            return self.give("NAME", &object.name, &format!("name of the {}", object.kind.as_str()));
        };
        let what = format!("name of the {}", object.kind.as_str());
        self.known(name, &object.name, &what)
    }

    /// The parameter that a cause fills, where it fills it with this; else one of our own.
    fn known(&mut self, name: &str, value: &str, what: &str) -> String {
        if self.filled.get(name).is_some_and(|filled| filled == value) || !self.filled.contains_key(name) {
            return self.give(name, value, what);
        }
        self.give(&format!("OTHER_{name}"), value, &format!("{what} that is changed"))
    }

    fn say(&mut self, name: &str, what: &str) -> String {
        self.used.entry(name.to_owned()).or_insert_with(|| what.to_owned());
        format!("${name}")
    }

    fn give(&mut self, name: &str, value: &str, what: &str) -> String {
        for number in 1..100 {
            let name = if number == 1 { name.to_owned() } else { format!("{name}_{number}") };
            match self.given.get(&name) {
                Some(other) if other != value => {}
                _ => {
                    self.given.insert(name.clone(), value.to_owned());
                    return self.say(&name, what);
                }
            }
        }
        self.say(name, what)
    }
}

/// Whether a parameter says which field, and not what is in it: the same in both directions.
pub(super) fn is_key(name: &str) -> bool {
    matches!(name, "KEY" | "LABEL_KEY" | "VARIABLE" | "TAINT" | "VOLUME")
}

/// `TARGET_PORT` is `the target port`.
fn plain(name: &str) -> String {
    format!("the {}", name.to_lowercase().replace('_', " "))
}

/// What to put in the place of a value: what it is, and how much was enough where that is a number.
fn chosen(name: &str, value: &str) -> String {
    let what = match name {
        "IMAGE" => "image that exists, with its tag",
        "CPU_LIMIT" => "CPU limit",
        "MEMORY_LIMIT" => "memory limit",
        "CPU_REQUEST" => "CPU request",
        "MEMORY_REQUEST" => "memory request",
        "REPLICAS" => "number of pods",
        "VARIABLE" => "name of the variable",
        "KEY" => "the key",
        "SELECTOR" => "labels of the right pods as key=value, comma between several",
        "LABEL_KEY" => "the label",
        "TAINT" => "the taint as key=value:Effect",
        "REVISION" => "the revision to go back to",
        _ => {
            let words = name.to_lowercase().replace('_', " ");
            return with_number(&format!("the {words}"), value);
        }
    };
    with_number(what, value)
}

/// Whether a value is a number, with a unit or without.
pub(super) fn is_quantity(value: &str) -> bool {
    value.starts_with(|c: char| c.is_ascii_digit())
        && value.len() <= 8
        && !value.contains(['/', ':'])
        && value.chars().filter(|c| *c == '.').count() <= 1
}

/// With the value, where it is a quantity: names and addresses are the incident's own.
fn with_number(what: &str, value: &str) -> String {
    if is_quantity(value) { format!("{what}; {value} was right once") } else { what.to_owned() }
}

/// JSON with placeholders: scalars become values that a person chose, except for what names a container and what is
/// the same in every incident (`true`, `null`, and keys).
pub(super) fn json(value: &Value, parts: &mut Vec<Part>) {
    write(value, "", parts);
}

/// The same for the value of a field of this name.
pub(super) fn json_at(value: &Value, key: &str, parts: &mut Vec<Part>) {
    write(value, key, parts);
}

fn write(value: &Value, key: &str, parts: &mut Vec<Part>) {
    let text = |text: &str, parts: &mut Vec<Part>| match parts.last_mut() {
        Some(Part::Text(last)) => last.push_str(text),
        _ => parts.push(Part::Text(text.to_owned())),
    };
    match value {
        Value::Object(fields) => {
            // The name first, as people write it.
            let named = fields.iter().filter(|(name, _)| *name == "name");
            let others = fields.iter().filter(|(name, _)| *name != "name");
            for (index, (name, field)) in named.chain(others).enumerate() {
                let begin = if index == 0 { "{" } else { "," };
                if names_of_people(key) && !name.contains("kubernetes.io/") && fits(name) {
                    text(&format!("{begin}\""), parts);
                    parts.push(Part::Chosen {
                        name: if matches!(key, "data" | "stringData") { "KEY" } else { "LABEL_KEY" },
                        value: name.clone(),
                    });
                    text("\":", parts);
                } else {
                    text(&format!("{begin}{}:", Value::from(name.as_str())), parts);
                }
                // What a list's items are told apart by.
                let inner = if name == "name" { format!("{key}.name") } else { name.clone() };
                write(field, &inner, parts);
            }
            text(if fields.is_empty() { "{}" } else { "}" }, parts);
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                text(if index == 0 { "[" } else { "," }, parts);
                // The first word of a command is the program.
                let key = if key == "command" && index > 0 { "args" } else { key };
                write(item, key, parts);
            }
            text(if items.is_empty() { "[]" } else { "]" }, parts);
        }
        Value::String(word) if open(key, word) => {
            text("\"", parts);
            parts.push(match key {
                "containers.name" | "initContainers.name" => Part::Container(word.clone()),
                _ => Part::Chosen { name: parameter(key), value: word.clone() },
            });
            parts.push(Part::Text("\"".to_owned()));
        }
        Value::Number(number) if open(key, "") => {
            parts.push(Part::Chosen { name: parameter(key), value: number.to_string() });
        }
        other => text(&other.to_string(), parts),
    }
}

/// Whether the keys of a map are names that people gave.
fn names_of_people(key: &str) -> bool {
    matches!(key, "nodeSelector" | "labels" | "annotations" | "matchLabels" | "selector" | "data" | "stringData")
}

/// Whether a placeholder can hold it: it does not end its string.
pub(super) fn fits(word: &str) -> bool {
    !word.contains(['"', '\'', '`', '\\', '{', '}', '[', ']', '$', '\n']) && word.len() <= 200
}

/// Whether another incident would have another value here.
fn open(key: &str, word: &str) -> bool {
    // A value that a placeholder can't hold stays as it is.
    fits(word)
        && !matches!(
            key,
            "op" | "type" | "protocol" | "scheme" | "path" | "from" | "$patch" | "$retainKeys" | "whenUnsatisfiable"
        )
        && !word.starts_with('-')
        && (key != "value" || !word.is_empty())
}

/// The parameter for a field: `targetPort` is `TARGET_PORT`.
fn parameter(key: &str) -> &'static str {
    match key {
        "image" => "IMAGE",
        "memory" => "MEMORY",
        "cpu" => "CPU",
        "storage" => "SIZE",
        "targetPort" => "TARGET_PORT",
        "containerPort" => "CONTAINER_PORT",
        "port" | "number" => "PORT",
        "replicas" => "REPLICAS",
        "minReplicas" => "MIN_REPLICAS",
        "maxReplicas" => "MAX_REPLICAS",
        "mountPath" => "MOUNT_PATH",
        "subPath" => "SUB_PATH",
        "claimName" => "PVC",
        "serviceAccountName" => "ACCOUNT",
        "storageClassName" => "CLASS",
        "ingressClassName" => "INGRESS_CLASS",
        "priorityClassName" => "PRIORITY_CLASS",
        "runtimeClassName" => "RUNTIME_CLASS",
        "schedule" => "SCHEDULE",
        "volumes.name" | "volumeMounts.name" => "VOLUME",
        "env.name" => "VARIABLE",
        "ports.name" => "PORT_NAME",
        "service.name" => "SERVICE_NAME",
        "configMap.name" | "configMapRef.name" | "configMapKeyRef.name" => "CONFIGMAP_NAME",
        "secretName" | "secretRef.name" | "secretKeyRef.name" => "SECRET_NAME",
        "key" => "KEY",
        "effect" => "EFFECT",
        "host" | "hostname" => "HOST",
        "namespace" => "OTHER_NAMESPACE",
        "initialDelaySeconds"
        | "periodSeconds"
        | "timeoutSeconds"
        | "activeDeadlineSeconds"
        | "progressDeadlineSeconds" => "SECONDS",
        "failureThreshold" => "FAILURES",
        "command" => "PROGRAM",
        "args" => "ARGUMENT",
        key => match key.split_once('.') {
            Some((_, "name")) => "NAME",
            _ => "VALUE",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_two_forms() {
        let deployment = ObjectRef::new(Kind::Deployment, "shop", "web");
        let filled =
            [("NAMESPACE", "shop"), ("DEPLOYMENT", "web"), ("WORKLOAD", "deployment/web"), ("CONTAINER", "app")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut names = Names::of(filled.into());
        let line = Phrase::at(&deployment).word("set image").part(Part::Target(deployment.clone())).parts(vec![
            Part::Container("app".into()),
            Part::Text("=".into()),
            Part::Chosen { name: "IMAGE", value: "r.example/web:1.2".into() },
        ]);
        assert_eq!(line.concrete(), "kubectl -n shop set image deployment/web app=r.example/web:1.2");
        assert_eq!(line.general(&mut names), "kubectl -n $NAMESPACE set image $WORKLOAD $CONTAINER=$IMAGE");
        let other = Phrase::at(&ObjectRef::new(Kind::Service, "pay", "api"))
            .word("patch service")
            .part(Part::Name(ObjectRef::new(Kind::Service, "pay", "api")))
            .word("-p");
        let mut parts = Vec::new();
        json(
            &serde_json::json!({"spec": {"ports": [{"port": 80, "targetPort": 8080}], "type": "ClusterIP"}}),
            &mut parts,
        );
        let other = other.parts(parts);
        assert_eq!(
            other.concrete(),
            r#"kubectl -n pay patch service api -p '{"spec":{"ports":[{"port":80,"targetPort":8080}],"type":"ClusterIP"}}'"#
        );
        assert_eq!(
            other.general(&mut names),
            r#"kubectl -n $OTHER_NAMESPACE patch service $SERVICE -p '{"spec":{"ports":[{"port":$PORT,"targetPort":$TARGET_PORT}],"type":"ClusterIP"}}'"#
        );
        assert_eq!(names.used()["IMAGE"], "image that exists, with its tag");
        assert_eq!(names.used()["TARGET_PORT"], "the target port; 8080 was right once");
        for line in [line.concrete(), line.general(&mut names), other.concrete(), other.general(&mut names)] {
            crate::kubectl::parse(&line).unwrap();
        }
    }

    #[test]
    fn what_a_cause_calls_otherwise_gets_another_name() {
        let mut names = Names::of([("SERVICE".to_owned(), "web".to_owned())].into());
        let mut name = |name: &str| names.general(&Part::Name(ObjectRef::new(Kind::Service, "shop", name)));
        assert_eq!(
            [name("web"), name("api"), name("db"), name("api")],
            ["$SERVICE", "$OTHER_SERVICE", "$OTHER_SERVICE_2", "$OTHER_SERVICE"]
        );
    }
}
