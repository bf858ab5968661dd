//! The names of objects in what a model wrote.

use crate::kubectl;
use crate::model::{Kind, Step};

/// Words that stand beside names and are none.
const PLAIN: &[&str] = &[
    "in",
    "the",
    "of",
    "namespace",
    "ns",
    "container",
    "named",
    "cluster",
    "on",
    "context",
    "and",
    "or",
    "for",
    "its",
    "key",
    "image",
    "v1",
    "apps",
    "none",
];

/// Whether `name` stands in `text` as a whole word.
pub(super) fn stands(text: &str, name: &str) -> bool {
    let part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text.get(at + name.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

/// Whether a call that was answered is about the object of this name: the log of `deploy/web` need not say whose it is.
///
/// Only of verbs that fail where it is not there; `auth can-i` and `events --for` answer for anything.
pub(super) fn answered(step: &Step, name: &str) -> bool {
    let asks = |line: &kubectl::Command| {
        matches!(line.verb(), "get" | "describe" | "logs" | "rollout" | "top") && !line.has("ignore-not-found")
    };
    let Ok(line) = kubectl::parse(&step.action) else { return false };
    let targets = line.targets();
    let mut named = targets.iter().filter_map(|target| target.name.as_deref());
    !step.observation.failed && asks(&line) && named.any(|of| of == name || line.namespace() == Some(name))
}

/// The names in a reference such as `deployment/web -n shop`, `Pod web in namespace shop`.
pub(super) fn of_object(text: &str) -> Vec<&str> {
    let apart = |letter: char| {
        letter.is_whitespace() || matches!(letter, '/' | ',' | '(' | ')' | '"' | '\'' | '`' | ':' | '=' | '[' | ']')
    };
    text.split(apart).map(|word| word.trim_matches('.')).filter(|word| is_name(word)).collect()
}

/// The names that a sentence surely means as names: `deployment/web`, `pod shop/web-7d4`.
pub(super) fn in_text(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for word in text.split_whitespace() {
        let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let mut parts = word.split('/');
        if let (Some(kind), Some(name), None) = (parts.next(), parts.next(), parts.next())
            && is_kind(kind)
            && is_name(name)
        {
            names.push(name);
        }
    }
    names
}

/// A type with its group as kubectl prints it, too.
fn is_kind(word: &str) -> bool {
    Kind::from_word(word).is_some() || word.split_once('.').is_some_and(|(kind, _)| Kind::from_word(kind).is_some())
}

fn is_name(word: &str) -> bool {
    let form = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '-' | '.');
    word.len() > 1
        && !word.starts_with('-')
        && word.chars().all(form)
        && word.chars().any(|letter| letter.is_ascii_lowercase())
        && !PLAIN.contains(&word)
        && !is_kind(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Observation;

    #[test]
    fn a_call_that_was_answered_is_about_its_objects() {
        for (action, failed, about) in [
            ("kubectl logs deploy/web -n shop --tail=20", false, true),
            ("kubectl logs web -n shop", false, true),
            ("kubectl get deploy db web -n shop", false, true),
            ("kubectl logs deploy/web -n shop", true, false),
            ("kubectl get deploy api -n web", false, true),
            ("kubectl get deploy -n web", false, false),
            ("kubectl get deploy web --ignore-not-found", false, false),
            ("kubectl events --for deploy/web", false, false),
            ("kubectl auth can-i get deploy/web", false, false),
            ("the web", false, false),
        ] {
            let observation = Observation { text: "listening".to_owned(), failed, ..Observation::default() };
            let step = Step { action: action.to_owned(), observation, ..Step::default() };
            assert_eq!(answered(&step, "web"), about, "{action}");
        }
    }

    #[test]
    fn names_are_told_from_words() {
        let objects: [(&str, &[&str]); 6] = [
            ("deployment/web -n shop", &["web", "shop"]),
            ("Deployment web in namespace shop", &["web", "shop"]),
            ("deployment.apps/web", &["web"]),
            ("pod/web-7d4 (container app)", &["web-7d4", "app"]),
            ("Node node-2", &["node-2"]),
            ("", &[]),
        ];
        for (text, names) in objects {
            assert_eq!(of_object(text), names, "{text}");
        }
        let texts: [(&str, &[&str]); 3] = [
            ("the Service points at pod/web-1, which is gone.", &["web-1"]),
            ("reads /etc/config and 3/4 pods are ready", &[]),
            ("`secret/db` and (configmap/app-config)", &["db", "app-config"]),
        ];
        for (text, names) in texts {
            assert_eq!(in_text(text), names, "{text}");
        }
        assert!(stands("pods web-7d4 and web", "web") && !stands("pods web-7d4", "web") && stands("(web)", "web"));
    }
}
