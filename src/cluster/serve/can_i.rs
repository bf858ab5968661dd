//! `kubectl auth can-i`: what we ourselves may do, as the API server says it.
//!
//! *Invariant:* the question changes nothing and speaks of nobody else.

use serde_json::{Value, json};

use super::error::ServeError;
use super::source::Source;
use super::table::aligned;
use super::value::{items, on, shown, text};
use super::{Answer, Server};
use crate::cluster::allow::REVIEWS;
use crate::kubectl::Line;

pub(super) async fn can_i(server: &Server, line: &Line) -> Result<Answer, ServeError> {
    let Source::Live(live) = &server.source else {
        return Err(ServeError::missing("what an account may do"));
    };
    let namespace = server.namespace_of(line).unwrap_or_default();
    let ask = async |review: Option<&&str>, question: Value| -> Result<Value, ServeError> {
        let review = review.copied().unwrap_or_default();
        let answer = live.client.review(review, question.to_string().as_bytes()).await;
        let answer = answer.map_err(|error| ServeError::read(&error, &server.redactor))?;
        serde_json::from_slice(&answer).map_err(|error| ServeError::Server { message: error.to_string() })
    };
    if line.has("list") {
        let question = json!({ "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview",
            "spec": { "namespace": namespace } });
        return Ok(rules(&ask(REVIEWS.get(1), question).await?));
    }
    let [verb, object, rest @ ..] = line.positional() else {
        return Err(ServeError::bad("the line", "write `kubectl auth can-i VERB TYPE`"));
    };
    let attributes = if object.starts_with('/') {
        json!({ "nonResourceAttributes": { "verb": verb, "path": object } })
    } else {
        let (kind, name) = match object.split_once('/') {
            Some((kind, name)) => (kind, name),
            None => (object.as_str(), rest.first().map_or("", String::as_str)),
        };
        // A type that nobody knows is asked for by its word, as kubectl does.
        let (group, resource, namespaced) = match server.source.type_of(kind).await {
            Ok(of) => (of.group, of.plural, of.namespaced),
            Err(_) => match kind.split_once('.') {
                Some((resource, group)) => (group.to_owned(), resource.to_owned(), true),
                None => (String::new(), kind.to_owned(), true),
            },
        };
        json!({ "resourceAttributes": {
            "verb": verb, "group": group, "resource": resource, "name": name,
            "subresource": line.flag("subresource").unwrap_or_default(),
            "namespace": if namespaced { namespace.as_str() } else { "" },
        } })
    };
    let question =
        json!({ "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": attributes });
    let answer = ask(REVIEWS.first(), question).await?;
    let allowed = on(&answer, "status.allowed");
    let why = text(&answer, "status.reason");
    let why = if why.is_empty() || allowed { String::new() } else { format!(" - {why}") };
    Ok(Answer { prose: true, ..Answer::of(format!("{}{why}\n", if allowed { "yes" } else { "no" })) })
}

fn rules(answer: &Value) -> Answer {
    let words = |rule: &Value, path: &str| items(rule, path).iter().map(shown).collect::<Vec<_>>();
    let list = |words: Vec<String>| format!("[{}]", words.join(" "));
    let mut lines = vec![["RESOURCES", "NON-RESOURCE URLS", "RESOURCE NAMES", "VERBS"].map(str::to_owned).to_vec()];
    for rule in items(answer, "status.resourceRules") {
        let groups = words(rule, "apiGroups");
        let group = groups.first().cloned().unwrap_or_default();
        let full = |resource: String| if group.is_empty() { resource } else { format!("{resource}.{group}") };
        let resources: Vec<String> = words(rule, "resources").into_iter().map(full).collect();
        let names = list(words(rule, "resourceNames"));
        lines.push(vec![resources.join(","), "[]".to_owned(), names, list(words(rule, "verbs"))]);
    }
    for rule in items(answer, "status.nonResourceRules") {
        let urls = list(words(rule, "nonResourceURLs"));
        lines.push(vec![String::new(), urls, "[]".to_owned(), list(words(rule, "verbs"))]);
    }
    let answer_of = Answer::of(aligned(&lines)).headed(true);
    if on(answer, "status.incomplete") {
        return answer_of.noted("the server says that the list is incomplete");
    }
    answer_of
}
