//! Nothing secret leaves, whatever is asked, and nothing but reading is asked for.

use serde_json::json;

use super::{grep, live, read, serve};
use crate::cluster::serve::{Options, Server};
use crate::cluster::testing::{Fake, list, reply, table};

const CANARY: &str = "c4n4ry";

/// A cluster with a canary wherever one can be.
fn planted() -> Fake {
    let secret = format!("{CANARY}-Zx9");
    let pod = json!({
        "metadata": {"name": "web-1", "namespace": "shop", "creationTimestamp": "2026-11-26T10:00:00Z", "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": format!("{{\"password\":\"{secret}\"}}"),
            "example.com/api-token": format!("{secret}aB3dE5fG7h")}},
        "spec": {"containers": [{"name": "app", "image": "web", "command": ["run", "--password", secret.clone()],
            "args": [format!("--url=postgres://app:{secret}@db/app")],
            "env": [{"name": "DB_PASSWORD", "value": secret.clone()}],
            "readinessProbe": {"httpGet": {"path": format!("/r?token={secret}"), "port": 80}}}]},
        "status": {"phase": "Failed", "message": format!("login with password={secret} failed"),
            "conditions": [{"type": "Ready", "status": "False", "message": format!("api_key={secret} refused")}]}});
    let event = json!({"metadata": {"name": "e", "namespace": "shop"}, "type": "Warning", "reason": "Failed",
        "involvedObject": {"kind": "Pod", "name": "web-1", "namespace": "shop"}, "lastTimestamp": "2026-11-26T10:00:00Z",
        "message": format!("pull https://user:{secret}@registry/x failed")});
    let map = json!({"metadata": {"name": "cfg", "namespace": "shop"}, "data": {
        "API_TOKEN": secret.clone(), "app.properties": format!("db.host=db\ndb.password={secret}\n")}});
    let encoded = "YzRuNHJ5LVp4OQ==";
    let body = json!({"metadata": {"name": "db", "namespace": "shop"}, "type": "Opaque", "data": {"url": encoded}});
    let log = format!(
        "2026-11-26T10:00:00Z connecting with password={secret}\n2026-11-26T10:00:01Z Authorization: Bearer {secret}{secret}\n"
    );
    let columns = json!([{"name": "Name"}, {"name": "Message"}]);
    let rows = json!([{"cells": ["web-1", format!("password={secret}")], "object": pod.clone()}]);
    let pods = json!({"kind": "Table", "columnDefinitions": columns, "rows": rows, "items": [pod.clone()]});
    Fake::new()
        .on("/api/v1/namespaces/shop/pods", [reply(200, &pods.to_string())])
        .on("/api/v1/namespaces/shop/pods/web-1", [reply(200, &pod.to_string())])
        .on("/api/v1/namespaces/shop/pods/web-1/log", [reply(200, &log)])
        .on("/api/v1/namespaces/shop/events", [list(&[event])])
        .on("/api/v1/namespaces/shop/configmaps", [list(std::slice::from_ref(&map))])
        .on("/api/v1/namespaces/shop/configmaps/cfg", [reply(200, &map.to_string())])
        .on("/api/v1/namespaces/shop/secrets", [table(&[("shop", "db", "Opaque")])])
        .on("/api/v1/namespaces/shop/secrets/db", [reply(200, &body.to_string())])
}

const LINES: &[&str] = &[
    "get pods",
    "get pods -o yaml",
    "get pods -o json",
    "get pod web-1 -o yaml",
    "get pods --sort-by=.status.message",
    "get pods -o jsonpath='{..value}{..command}{..args}{..message}'",
    "get pods -o custom-columns='X:.spec.containers[*].env[*].value,Y:.status.message'",
    "describe pod web-1",
    "logs web-1",
    "logs web-1 --timestamps --prefix",
    "events",
    "get events",
    "events -o yaml",
    "get cm -o yaml",
    "get cm cfg -o jsonpath='{.data}'",
    "describe cm cfg",
    "get secrets",
    "get secret db -o name",
    "describe secret db",
    "describe secret",
    "wait pod/web-1 --for=condition=Ready",
    "wait pod/web-1 --for=jsonpath='{.status.message}'",
];

fn is_clean(text: &str) -> bool {
    !text.contains(CANARY) && !text.contains("YzRuNHJ5")
}

#[tokio::test]
async fn nothing_secret_leaves() {
    let fake = planted();
    let server = live(&fake);
    for line in LINES {
        match serve(&server, line).await {
            Ok(served) => {
                assert!(is_clean(&served.text), "{line}:\n{}", *served.text);
                assert!(served.note.as_deref().is_none_or(is_clean), "{line}");
                assert!(!served.text.is_empty(), "{line}");
            }
            Err(error) => panic!("{line}: {error}"),
        }
        // A pattern must not tell by its matches what was masked.
        let found = grep(&server, line, CANARY).await;
        let body = found.text.lines().skip(1).count();
        assert!(is_clean(&found.text) && body == 0, "{line}: {}", *found.text);
    }
    let keys = serve(&server, "describe secret db").await.unwrap();
    assert!(keys.text.contains("url has 10 bytes"), "{}", *keys.text);
    for asked in fake.asked().iter().filter(|asked| asked.contains("/secrets")) {
        let bare = asked.contains("as=Table") || asked.contains("as=PartialObjectMetadata");
        assert!(bare || asked.ends_with("/secrets/db"), "{asked}");
    }
}

#[tokio::test]
async fn control_characters_go() {
    let hostile = json!({"metadata": {"name": "web-1", "namespace": "shop"}, "status": {"message": "a\u{1b}]0;x\u{7}b\u{202e}c"}});
    let fake = Fake::new()
        .on("/api/v1/namespaces/shop/pods/web-1", [reply(200, &hostile.to_string())])
        .on("/api/v1/namespaces/shop/pods/web-1/log", [reply(200, "2026-11-26T10:00:00Z \u{1b}[2Jhello\u{200b}\n")]);
    let server: Server = live(&fake);
    for line in ["get pod web-1 -o yaml", "get pod web-1 -o jsonpath='{.status.message}'", "describe pod web-1"] {
        let served = server.serve(&read(line), &Options::default()).await.unwrap();
        let plain = |c: char| c == '\n' || !c.is_control() && c != '\u{202e}' && c != '\u{200b}';
        assert!(served.text.chars().all(plain), "{line}: {:?}", *served.text);
    }
}
