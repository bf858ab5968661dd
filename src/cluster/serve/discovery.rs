//! What types of objects a server has.
//!
//! *Invariant:* the order is the server's, which is that of preference: of a type in several versions the first counts.

use std::collections::BTreeSet;

use serde_json::Value;

use super::source::Type;
use super::value::{items, on, text};
use crate::cluster::error::ReadError;
use crate::cluster::read::{JSON, ReadClient};

/// All groups in one answer (Kubernetes 1.27 and later), or what older servers answer.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                          application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// Asks for all types.
pub(super) async fn discover(client: &ReadClient) -> Result<Vec<Type>, ReadError> {
    let mut types = Vec::new();
    for path in ["/api", "/apis"] {
        let answer = read(client, path, AGGREGATED).await?;
        if answer.get("items").is_some() {
            types.extend(aggregated(&answer));
            continue;
        }
        for version in versions(&answer) {
            // A group whose server is down hides its own types only.
            if let Ok(list) = read(client, &format!("{path}/{version}"), JSON).await {
                types.extend(listed(&version, &list));
            }
        }
    }
    let mut seen = BTreeSet::new();
    types.retain(|of| seen.insert((of.group.clone(), of.plural.clone())));
    Ok(types)
}

async fn read(client: &ReadClient, path: &str, accept: &str) -> Result<Value, ReadError> {
    let body = client.get(path, accept).await?;
    serde_json::from_slice(&body).map_err(|error| ReadError::Unreadable(error.to_string()))
}

fn words(value: &Value, path: &str) -> Vec<String> {
    items(value, path).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn aggregated(answer: &Value) -> Vec<Type> {
    let mut types = Vec::new();
    for group in items(answer, "items") {
        for version in items(group, "versions") {
            for resource in items(version, "resources") {
                types.push(Type {
                    group: text(group, "metadata.name").to_owned(),
                    version: text(version, "version").to_owned(),
                    plural: text(resource, "resource").to_owned(),
                    singular: text(resource, "singularResource").to_owned(),
                    kind: text(resource, "responseKind.kind").to_owned(),
                    namespaced: text(resource, "scope") == "Namespaced",
                    short: words(resource, "shortNames"),
                    categories: words(resource, "categories"),
                    verbs: words(resource, "verbs"),
                });
            }
        }
    }
    types
}

/// The versions to ask for, each group's preferred one first.
fn versions(answer: &Value) -> Vec<String> {
    let mut versions = words(answer, "versions");
    for group in items(answer, "groups") {
        versions.push(text(group, "preferredVersion.groupVersion").to_owned());
        versions.extend(items(group, "versions").iter().map(|version| text(version, "groupVersion").to_owned()));
    }
    let mut seen = BTreeSet::new();
    versions.retain(|version| !version.is_empty() && seen.insert(version.clone()));
    versions
}

fn listed(api_version: &str, list: &Value) -> Vec<Type> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let resources = items(list, "resources").iter().filter(|resource| !text(resource, "name").contains('/'));
    let of = |resource: &Value| Type {
        group: group.to_owned(),
        version: version.to_owned(),
        plural: text(resource, "name").to_owned(),
        singular: Some(text(resource, "singularName"))
            .filter(|name| !name.is_empty())
            .map_or_else(|| text(resource, "kind").to_ascii_lowercase(), str::to_owned),
        kind: text(resource, "kind").to_owned(),
        namespaced: on(resource, "namespaced"),
        short: words(resource, "shortNames"),
        categories: words(resource, "categories"),
        verbs: words(resource, "verbs"),
    };
    resources.map(of).collect()
}
