//! A line of kubectl in two forms: as it was typed for the incident, and as a runbook has it, with `$NAME` in the place of
//! what another incident would call otherwise.
//!
//! *Invariant:* both forms come from the same words, so they differ in names and values alone; a name that a cause fills
//! ([`crate::runbook::params`]) gets that parameter, any other is declared with what to put there.

mod json;
mod names;

use crate::model::ObjectRef;
use crate::model::finding::quote;

pub(super) use json::{fits, json, json_at};
pub(super) use names::{Names, is_key, is_quantity};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;

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
