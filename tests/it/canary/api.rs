//! An API server that answers what is read, over HTTP.

use serde_json::{Value, json};

use super::objects::Planted;
use crate::agent::model_server::{Asked, ModelServer, Reply};

/// The server of a planted cluster.
pub(super) fn serve(planted: Planted) -> ModelServer {
    ModelServer::by(move |asked| answer(&planted, asked))
}

fn answer(planted: &Planted, asked: &Asked) -> Reply {
    let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
    if asked.method == "POST" {
        let mut review = asked.json();
        review["status"] = json!({"allowed": true, "resourceRules": [], "nonResourceRules": [], "incomplete": false});
        return Reply::json(201, &review);
    }
    match path {
        "/version" => return Reply::json(200, &json!({"major": "1", "minor": "34", "gitVersion": "v1.34.0"})),
        "/livez" | "/readyz" => return Reply::raw(200, "text/plain", "ok"),
        "/api" => return Reply::json(200, &json!({"kind": "APIVersions", "versions": ["v1"]})),
        "/api/v1" => {
            return Reply::json(200, &json!({"kind": "APIResourceList", "groupVersion": "v1", "resources": []}));
        }
        "/apis" => {
            let version = json!({"groupVersion": "example.com/v1", "version": "v1"});
            let group = json!({"name": "example.com", "versions": [version], "preferredVersion": version});
            return Reply::json(200, &json!({"kind": "APIGroupList", "groups": [group]}));
        }
        "/apis/example.com/v1" => {
            let resource = json!({"name": "databases", "singularName": "database", "kind": "Database", "namespaced": true, "verbs": ["get", "list"]});
            return Reply::json(
                200,
                &json!({"kind": "APIResourceList", "groupVersion": "example.com/v1", "resources": [resource]}),
            );
        }
        _ => {}
    }
    if path.ends_with("/log") {
        let log = if query.contains("previous=true") { &planted.previous } else { &planted.logs };
        return Reply::raw(200, "text/plain", log.clone());
    }
    of_objects(planted, path, asked.headers.get("accept").map_or("", String::as_str))
}

/// A list or one object, in the form that is asked for.
fn of_objects(planted: &Planted, path: &str, accept: &str) -> Reply {
    let named =
        planted.objects.iter().find(|object| path == format!("{}/{}", place(object), text(object, "/metadata/name")));
    if let Some(object) = named {
        return Reply::json(200, &shown(object, accept));
    }
    let all: Vec<&Value> = planted
        .objects
        .iter()
        .filter(|object| {
            let place = place(object);
            let without = place.replace(&format!("/namespaces/{}", text(object, "/metadata/namespace")), "");
            path == place || path == without && text(object, "/kind") != "Namespace"
        })
        .collect();
    if all.is_empty() && path.rsplit('/').next().is_some_and(|last| last.contains('-')) {
        return Reply::json(
            404,
            &json!({"kind": "Status", "status": "Failure", "reason": "NotFound", "message": "not found", "code": 404}),
        );
    }
    if accept.contains("as=Table") && path.ends_with("/secrets") {
        let row = |object: &&Value| json!({"cells": [text(object, "/metadata/name"), text(object, "/type")], "object": metadata_of(object)});
        let columns = json!([{"name": "Name"}, {"name": "Type"}]);
        let rows: Vec<Value> = all.iter().map(row).collect();
        return Reply::json(200, &json!({"kind": "Table", "metadata": {}, "columnDefinitions": columns, "rows": rows}));
    }
    let items: Vec<Value> = all.into_iter().map(|object| shown(object, accept)).collect();
    Reply::json(200, &json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": items}))
}

fn shown(object: &Value, accept: &str) -> Value {
    if accept.contains("as=PartialObjectMetadata") { metadata_of(object) } else { object.clone() }
}

fn metadata_of(object: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
}

fn text<'v>(object: &'v Value, path: &str) -> &'v str {
    object.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

/// Where the list is that an object is in.
fn place(object: &Value) -> String {
    let (version, kind) = (text(object, "/apiVersion"), text(object, "/kind").to_lowercase());
    let plural = match kind.as_str() {
        "ingress" | "storageclass" => format!("{kind}es"),
        _ => format!("{kind}s"),
    };
    let root = if version.contains('/') { format!("/apis/{version}") } else { format!("/api/{version}") };
    match text(object, "/metadata/namespace") {
        "" => format!("{root}/{plural}"),
        namespace => format!("{root}/namespaces/{namespace}/{plural}"),
    }
}
