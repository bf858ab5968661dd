//! From a cluster.

use serde_json::{Value, json};

use super::{grep, live, refused, serve, text};
use crate::cluster::testing::{Fake, Reply, error, list, object, page, reply};

const POD: &str = "/api/v1/namespaces/shop/pods/web-1";
const PODS: &str = "/api/v1/namespaces/shop/pods";

/// Pods as the server's table: name, ready, status.
fn pods(rows: &[(&str, &str, &str)], next: &str, left: usize) -> Reply {
    let row = |(name, ready, status): &(&str, &str, &str)| {
        let mut object = object("shop", name);
        object["metadata"]["labels"] = json!({"app": "web"});
        json!({ "cells": [name, ready, status, 0, "5m", "10.0.0.1"], "object": object })
    };
    let mut columns: Vec<Value> =
        ["Name", "Ready", "Status", "Restarts", "Age"].map(|name| json!({"name": name})).to_vec();
    columns.push(json!({"name": "IP", "priority": 1}));
    let metadata = json!({"continue": next, "remainingItemCount": left});
    let rows: Vec<Value> = rows.iter().map(row).collect();
    reply(200, &json!({"kind": "Table", "metadata": metadata, "columnDefinitions": columns, "rows": rows}).to_string())
}

fn pod() -> Value {
    json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {"name": "web-1", "namespace": "shop", "uid": "u1", "labels": {"app": "web"},
            "creationTimestamp": "2026-11-26T10:00:00Z", "managedFields": [{"manager": "x"}]},
        "spec": {"nodeName": "node-1", "containers": [
            {"name": "app", "image": "web:1", "env": [{"name": "DB", "valueFrom": {"secretKeyRef": {"name": "db", "key": "url"}}}]},
            {"name": "proxy", "image": "proxy:2"}]},
        "status": {"phase": "Running", "containerStatuses": [
            {"name": "app", "ready": false, "restartCount": 3, "image": "web:1", "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "startedAt": "2026-11-26T10:00:00Z",
                    "finishedAt": "2026-11-26T10:01:00Z"}}},
            {"name": "proxy", "ready": true, "restartCount": 0, "image": "proxy:2", "state": {"running": {}}}],
            "conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}]}
    })
}

fn discovery() -> Fake {
    let groups = json!({"items": [{"metadata": {"name": "example.com"}, "versions": [{"version": "v1", "resources": [
        {"resource": "widgets", "singularResource": "widget", "responseKind": {"kind": "Widget"}, "scope": "Namespaced",
            "shortNames": ["wd"], "verbs": ["get", "list"], "categories": ["all"]}]}]}]});
    Fake::new().on("/api", [reply(200, "{\"items\":[]}")]).on("/apis", [reply(200, &groups.to_string())])
}

#[tokio::test]
async fn tables_are_those_of_the_server() {
    let fake =
        Fake::new().on(PODS, [pods(&[("web-1", "0/1", "CrashLoopBackOff"), ("web-2", "1/1", "Running")], "", 0)]);
    let server = live(&fake);
    let table = [
        (
            "get pods",
            "NAME    READY   STATUS             RESTARTS   AGE\n\
             web-1   0/1     CrashLoopBackOff   0          5m\n\
             web-2   1/1     Running            0          5m\n",
        ),
        (
            "get po -o wide --no-headers",
            "web-1   0/1   CrashLoopBackOff   0   5m   10.0.0.1\nweb-2   1/1   Running            0   5m   10.0.0.1\n",
        ),
        (
            "get pods --show-labels -L app --no-headers",
            "web-1   0/1   CrashLoopBackOff   0   5m   web   app=web\nweb-2   1/1   Running            0   5m   web   app=web\n",
        ),
        (
            "get pods --show-kind --no-headers --sort-by=.metadata.name",
            "pod/web-1   0/1   CrashLoopBackOff   0   5m\npod/web-2   1/1   Running            0   5m\n",
        ),
        ("get deployments.apps", "No resources found in shop namespace.\n"),
        ("get nodes", "No resources found\n"),
    ];
    for (line, expected) in table {
        assert_eq!(text(&server, line).await, expected, "{line}");
    }
    text(&server, "get pods -l app=web,tier!=db --field-selector=status.phase=Running").await;
    let last = fake.asked().pop().unwrap();
    assert!(
        last.contains("limit=500&labelSelector=app%3Dweb%2Ctier%21%3Ddb&fieldSelector=status.phase%3DRunning"),
        "{last}"
    );
    let found = grep(&server, "get pods", "crash").await;
    assert_eq!(found.text.lines().count(), 2, "the head stays");
    assert_eq!(found.note.as_deref(), Some("1 of 2 lines match `crash`"));
}

#[tokio::test]
async fn several_types_stand_one_below_the_other() {
    let fake = Fake::new()
        .on(PODS, [pods(&[("web-1", "1/1", "Running")], "", 0)])
        .on("/api/v1/namespaces/shop/services", [error(403)]);
    let said = text(&live(&fake), "get pods,svc").await;
    assert!(said.contains("pod/web-1") && said.contains("error: forbidden: services in namespace shop\n"), "{said}");
    let all = text(&live(&fake), "get all -A").await;
    assert!(!fake.asked().iter().any(|asked| asked.contains("secrets")), "{all}");
}

#[tokio::test]
async fn long_lists_are_paged_and_what_is_unhealthy_comes_first() {
    let names: Vec<String> = (0..101).map(|number| format!("web-{number}")).collect();
    let rows = |range: std::ops::Range<usize>| {
        let row = |name| if name == "web-77" { (name, "0/1", "Error") } else { (name, "1/1", "Running") };
        names[range].iter().map(|name| row(name.as_str())).collect::<Vec<_>>()
    };
    let fake = Fake::new()
        .on(&format!("{PODS}?limit=500"), [pods(&rows(0..50), "next", 51)])
        .on(&format!("{PODS}?limit=500&continue=next"), [pods(&rows(50..101), "", 0)]);
    let served = serve(&live(&fake), "get pods").await.unwrap();
    assert_eq!(served.text.lines().count(), 102);
    assert!(served.text.lines().nth(1).unwrap().starts_with("web-77"), "{}", *served.text);
    assert_eq!(served.note.as_deref(), Some("1 of 101 pods look unhealthy and come first"));
}

#[tokio::test]
async fn a_list_that_is_cut_says_so() {
    let items: Vec<Value> = (0..500).map(|number| object("shop", &format!("cm-{number}"))).collect();
    let cut = json!({"metadata": {"continue": "more", "remainingItemCount": 1234}, "items": items}).to_string();
    let fake = Fake::new().on("/api/v1/namespaces/shop/configmaps", [reply(200, &cut)]);
    let served = serve(&live(&fake), "get cm -o name").await.unwrap();
    assert_eq!(served.text.lines().count(), 500);
    let note = "showing 500 of 1,734 configmaps; narrow with -n, -l or --field-selector";
    assert_eq!(served.note.as_deref(), Some(note));
}

#[tokio::test]
async fn objects_come_in_every_form() {
    let fake = Fake::new().on(POD, [reply(200, &pod().to_string())]).on(PODS, [list(&[pod()])]);
    let server = live(&fake);
    let yaml = text(&server, "get pod web-1 -o yaml").await;
    assert!(yaml.starts_with("apiVersion: v1\nkind: Pod\nmetadata:\n") && !yaml.contains("managedFields"), "{yaml}");
    let table = [
        ("get pod web-1 -o name", "pod/web-1\n"),
        ("get pods -o jsonpath='{.items[*].metadata.name}'", "web-1"),
        (
            "get pod/web-1 -o jsonpath='{.status.containerStatuses[?(@.name==\"app\")].lastState.terminated.exitCode}'",
            "137",
        ),
        ("get pods -o custom-columns=NAME:.metadata.name,X:.spec.nothing", "NAME    X\nweb-1   <none>\n"),
        ("get pods -o name", "pod/web-1\n"),
    ];
    for (line, expected) in table {
        assert_eq!(text(&server, line).await, expected, "{line}");
    }
    let list: Value = serde_json::from_str(&text(&server, "get pods -o json").await).unwrap();
    assert_eq!((&list["kind"], &list["items"][0]["kind"]), (&json!("List"), &json!("Pod")));
}

#[tokio::test]
async fn custom_types_are_discovered_once() {
    let widget = json!({"metadata": {"name": "a", "namespace": "shop"}, "spec": {"size": 3}});
    let fake = discovery().on("/apis/example.com/v1/namespaces/shop/widgets", [list(&[widget])]);
    let server = live(&fake);
    for word in ["wd", "widget", "widgets.example.com", "widgets.v1.example.com", "Widget"] {
        assert_eq!(text(&server, &format!("get {word} -o name")).await, "widget.example.com/a\n", "{word}");
    }
    assert_eq!(fake.asked().iter().filter(|asked| asked.starts_with("/apis ")).count(), 1);
    let (message, hint) = refused(&server, "get widgest").await;
    assert_eq!((message.as_str(), hint.as_str()), ("the server has no resource type `widgest`", "near: widgets"));
    let types = text(&server, "api-resources").await;
    assert!(types.contains("widgets   wd           example.com/v1   true         Widget"), "{types}");
}

#[tokio::test]
async fn each_failure_says_what_it_is_and_what_to_do() {
    let fake = Fake::new()
        .on("/api/v1/namespaces/shop/pods/web-2", [error(404)])
        .on(PODS, [list(&[object("shop", "web-1"), object("shop", "cart")])])
        .on("/api/v1/nodes", [error(403)])
        .on("/apis/apps/v1/namespaces/shop/deployments", [reply(500, "{\"message\":\"etcd is gone\"}")]);
    let server = live(&fake);
    let table = [
        ("get pod web-2", "pods \"web-2\" not found in namespace shop", "near: web-1"),
        ("describe pod web-2", "pods \"web-2\" not found in namespace shop", "near: web-1"),
        ("get nodes", "forbidden: nodes", "auth can-i"),
        ("get deploy", "etcd is gone", ""),
        ("get pods --context=other", "the line is for the context `other`, but `test` is in use", "leave `--context`"),
        ("get pods -o go-template='{{.x}}'", "`-o go-template` is not supported", "jsonpath"),
        ("get pod web-1 --subresource=status", "`--subresource` is not supported", "-o yaml"),
        ("get pods -o jsonpath='{.a'", "the JSONPath `{.a` can't be read: a `{` is not closed", ""),
        ("explain pod --recursive", "`--recursive` is not supported", "name the field"),
        ("version --client", "`--client` is not supported", "server's version"),
    ];
    for (line, message, hint) in table {
        let (is, says) = refused(&server, line).await;
        assert!(is.contains(message) && says.contains(hint), "{line}: {is} | {says}");
    }
    assert_eq!(text(&server, "get pod web-2 --ignore-not-found").await, "");
}

#[tokio::test]
async fn describe_is_a_projection_with_references_and_events() {
    let event = |count, message: &str| {
        json!({"metadata": {"name": "e", "namespace": "shop"}, "involvedObject": {"kind": "Pod", "name": "web-1", "namespace": "shop"},
            "type": "Warning", "reason": "BackOff", "message": message, "count": count,
            "firstTimestamp": "2026-11-26T10:00:00Z", "lastTimestamp": "2026-11-26T10:05:00Z"})
    };
    let fake = Fake::new()
        .on(POD, [reply(200, &pod().to_string())])
        .on("/api/v1/nodes/node-1", [reply(200, "{}")])
        .on("/api/v1/namespaces/shop/secrets/db", [error(404)])
        .on("/api/v1/namespaces/shop/events", [list(&[event(3, "Back-off 10s"), event(4, "Back-off 20s")])]);
    let said = text(&live(&fake), "describe pod web-1").await;
    for part in [
        "# Pod shop/web-1 as kubectl-react sees it",
        "Status: CrashLoopBackOff",
        "    Last State: terminated, OOMKilled, exit code 137, from 2026-11-26T10:00:00Z to 2026-11-26T10:01:00Z",
        "    Restart Count: 3",
        "      DB from key url of secret/db",
        "  Ready=False: ContainersNotReady",
        "  node/node-1: exists",
        "  secret/db: MISSING",
        "(x7 over ",
    ] {
        assert!(said.contains(part), "{part} is missing:\n{said}");
    }
}

/// A log with a needle.
fn log(lines: usize, needle: usize) -> String {
    let line = |number: usize| {
        let what = if number == needle {
            "panic: the needle".to_owned()
        } else {
            format!("GET /cart/{number} 200 in {number}ms")
        };
        format!("2026-11-26T{:02}:{:02}:{:02}Z {what}\n", 10 + number / 3600 % 10, number / 60 % 60, number % 60)
    };
    (0..lines).map(line).collect()
}

#[tokio::test]
async fn logs_are_grouped_and_say_from_when_they_are() {
    let fake = Fake::new()
        .on(POD, [reply(200, &pod().to_string())])
        .on(&format!("{POD}/log"), [reply(200, &log(200, 120))])
        .on(
            &format!("{POD}/log?previous=true"),
            [reply(400, "{\"message\":\"previous terminated container not found\"}")],
        );
    let server = live(&fake);
    let served = serve(&server, "logs web-1").await.unwrap();
    assert_eq!(*served.text, "× 199, 10:00:00–10:03:19: GET /cart/0 200 in 0ms\npanic: the needle\n");
    assert_eq!(
        served.note.as_deref(),
        Some(
            "container app out of app, proxy; -c chooses another one; the last 200 lines as 2, 10:00:00–10:03:19 UTC; \
             --tail=N or --since=10m shows more, grep searches all of it; the container was restarted 3 times: \
             --previous shows the run before"
        )
    );
    let asked = fake.asked().pop().unwrap();
    assert!(asked.contains("log?container=app&timestamps=true&tailLines=200"), "{asked}");
    serve(&server, "logs web-1 -c proxy --since=10m --since-time=2026-11-26T10:00:00Z --limit-bytes=9").await.unwrap();
    let asked = fake.asked().pop().unwrap();
    let query = "container=proxy&timestamps=true&sinceSeconds=600&sinceTime=2026-11-26T10%3A00%3A00Z&limitBytes=9";
    assert!(asked.contains(query), "{asked}");
    assert_eq!(refused(&server, "logs web-1 -p").await.0, "previous terminated container not found");
    assert!(refused(&server, "logs web-1 -c ap").await.1.contains("app"));
    let all = text(&server, "logs web-1 --all-containers --tail=1").await;
    assert!(all.contains("[pod/web-1/app] ") && all.contains("[pod/web-1/proxy] "), "{all}");
}

#[tokio::test]
async fn a_needle_is_found_in_a_hundred_thousand_lines() {
    let fake = Fake::new()
        .on(POD, [reply(200, &pod().to_string())])
        .on(&format!("{POD}/log"), [reply(200, &log(100_000, 31_337))]);
    let served = grep(&live(&fake), "logs web-1", "NEEDLE").await;
    assert_eq!(*served.text, "panic: the needle\n");
    assert!(served.note.unwrap().contains("1 of 100,000 lines match, 18:42:17–18:42:17 UTC"));
    assert!(!fake.asked().pop().unwrap().contains("tailLines"));
}

#[tokio::test]
async fn a_long_log_is_counted_whole() {
    let fake = Fake::new()
        .on(POD, [reply(200, &pod().to_string())])
        .on(&format!("{POD}/log"), [reply(200, &log(100_000, 31))]);
    let served = serve(&live(&fake), "logs web-1 --since=5h").await.unwrap();
    let lines: Vec<&str> = served.text.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with("× 99999, ") && lines[1] == "panic: the needle", "{lines:?}");
    assert!(served.note.unwrap().contains("100,000 lines as 2, "));
}

#[tokio::test]
async fn the_log_of_a_workload_is_that_of_its_worst_pod() {
    let mut well = pod();
    well["metadata"]["name"] = json!("web-0");
    well["status"]["conditions"][0]["status"] = json!("True");
    let deployment = json!({"metadata": {"name": "web", "namespace": "shop"}, "spec": {"selector": {"matchLabels": {"app": "web"}}}});
    let fake = Fake::new()
        .on("/apis/apps/v1/namespaces/shop/deployments/web", [reply(200, &deployment.to_string())])
        .on(PODS, [list(&[well, pod()])])
        .on(&format!("{POD}/log"), [reply(200, "2026-11-26T10:00:00Z hello\n")]);
    let served = serve(&live(&fake), "logs deploy/web").await.unwrap();
    assert_eq!(*served.text, "hello\n");
    let note = served.note.unwrap();
    assert!(note.starts_with("pod web-1 (CrashLoopBackOff), one of 2; others: web-0 ("), "{note}");
}

#[tokio::test]
async fn events_are_sorted_and_counted() {
    let event = |name: &str, kind: &str, at: &str| {
        json!({"metadata": {"name": name, "namespace": "shop"}, "type": kind, "reason": "R", "message": format!("m {name}"),
            "involvedObject": {"kind": "Pod", "name": name, "namespace": "shop"}, "count": 1, "lastTimestamp": at})
    };
    let events = [event("new", "Warning", "2026-11-26T10:05:00Z"), event("old", "Normal", "2026-11-26T10:00:00Z")];
    let fake = Fake::new().on("/api/v1/namespaces/shop/events", [list(&events)]);
    let server = live(&fake);
    for line in ["events", "get events", "get ev"] {
        let said = text(&server, line).await;
        let lines: Vec<&str> = said.lines().collect();
        assert!(
            lines[0].starts_with("LAST SEEN") && lines[1].contains("Pod/old") && lines[2].contains("Pod/new"),
            "{said}"
        );
    }
    assert_eq!(text(&server, "events --types=Warning --no-headers").await.lines().count(), 1);
    text(&server, "events --for=pod/web-1").await;
    assert!(fake.asked().pop().unwrap().contains("involvedObject.kind%3DPod%2CinvolvedObject.name%3Dweb-1"));
}

#[tokio::test]
async fn the_rest_of_the_verbs() {
    let deployment = json!({"metadata": {"name": "web", "namespace": "shop", "uid": "d1", "generation": 2},
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}},
        "status": {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 1, "availableReplicas": 2}});
    let set = |name: &str, revision: &str, cause: &str| {
        json!({"metadata": {"name": name, "namespace": "shop", "annotations": {
            "deployment.kubernetes.io/revision": revision, "kubernetes.io/change-cause": cause},
            "ownerReferences": [{"kind": "Deployment", "name": "web", "uid": "d1"}]},
            "spec": {"template": {"spec": {"containers": [{"name": "app", "image": format!("web:{revision}")}]}}}})
    };
    let review = json!({"status": {"allowed": false, "reason": "no such right"}});
    let usage = json!({"metadata": {"name": "web-1", "namespace": "shop"}, "containers": [
        {"name": "app", "usage": {"cpu": "12345678n", "memory": "65536Ki"}}]});
    let fake = Fake::new()
        .on("/apis/apps/v1/namespaces/shop/deployments/web", [reply(200, &deployment.to_string())])
        .on("/apis/apps/v1/namespaces/shop/replicasets", [list(&[set("b", "10", "x"), set("a", "9", "")])])
        .on("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", [reply(201, &review.to_string())])
        .on("/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods", [list(&[usage])])
        .on("/apis/metrics.k8s.io/v1beta1/nodes", [error(404)])
        .on(POD, [reply(200, &pod().to_string())])
        .on("/api/v1/namespaces/shop/pods/gone", [error(404)]);
    let server = live(&fake);
    let table = [
        (
            "rollout status deploy/web",
            "Waiting for deployment \"web\" rollout to finish: 1 out of 3 new replicas have been updated...\n",
        ),
        (
            "rollout history deploy/web",
            "deployment.apps/web\nREVISION   CHANGE-CAUSE   IMAGES\n9          <none>         web:9\n10         x              web:10\n",
        ),
        ("auth can-i delete pods", "no - no such right\n"),
        ("top pod", "NAME    CPU(cores)   MEMORY(bytes)\nweb-1   13m          64Mi\n"),
        ("version", "Server Version: v1.34.4\n"),
        ("wait pod/web-1 --for=condition=Ready", "pod/web-1: condition not met (Ready=False: ContainersNotReady)\n"),
        ("wait pod/web-1 --for=jsonpath='{.status.phase}'=Running", "pod/web-1: condition met (it is Running)\n"),
        ("wait pod/gone --for=delete", "pod/gone: condition met (it is not there)\n"),
    ];
    for (line, expected) in table {
        assert_eq!(text(&server, line).await, expected, "{line}");
    }
    assert!(text(&server, "rollout history deploy/web --revision=9").await.contains("image: web:9"));
    assert!(refused(&server, "top node").await.0.starts_with("the metrics API is not available"));
}

#[tokio::test]
async fn explain_reads_the_schema() {
    let schema = json!({"components": {"schemas": {
        "a": {"description": "A pod.", "x-kubernetes-group-version-kind": [{"group": "", "kind": "Pod", "version": "v1"}],
            "properties": {"spec": {"description": "What is asked for.", "allOf": [{"$ref": "#/components/schemas/b"}]}}},
        "b": {"type": "object", "required": ["containers"], "properties": {"containers": {"type": "array", "description": "List. More.",
            "items": {"$ref": "#/components/schemas/b"}}, "hostname": {"type": "string", "description": "Its name."}}}}}});
    let fake = Fake::new().on("/openapi/v3/api/v1", [reply(200, &schema.to_string())]);
    let server = live(&fake);
    let said = text(&server, "explain pod.spec").await;
    let fields = "FIELDS:\n  containers <[]Object> -required-: List\n  hostname <string>: Its name.\n";
    assert!(said.starts_with("KIND: Pod\nVERSION: v1\nFIELD: spec <Object>\n") && said.ends_with(fields), "{said}");
    assert!(text(&server, "explain pod.spec.containers.hostname").await.contains("FIELD: hostname <string>"));
    assert_eq!(refused(&server, "explain pod.spec.hostnam").await.1, "near: hostname");
}

#[tokio::test]
async fn older_servers_are_discovered_group_by_group() {
    let fake = Fake::new()
        .on("/api", [reply(200, "{\"versions\":[\"v1\"]}")])
        .on("/api/v1", [reply(200, "{\"resources\":[{\"name\":\"endpoints\",\"kind\":\"Endpoints\",\"namespaced\":true},{\"name\":\"pods/log\"}]}")])
        .on("/apis", [reply(200, "{\"groups\":[]}")])
        .on("/api/v1/namespaces/shop/endpoints", [page(&[object("shop", "web")], "")]);
    assert_eq!(text(&live(&fake), "get endpoints -o name").await, "endpoints/web\n");
}
