//! From the recorded outage.

use std::path::Path;
use std::sync::Arc;

use super::{grep, redactor, refused, serve, text};
use crate::cluster::serve::Server;
use crate::cluster::snapshot_file;
use crate::model::{Gap, Kind, Scope};

fn outage() -> Server {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/outage.json.gz");
    Server::saved(Arc::new(snapshot_file::read(&path, &redactor()).unwrap()), redactor())
}

#[tokio::test]
async fn tables_are_made_of_what_was_kept() {
    let server = outage();
    let pods = text(&server, "get pods -n payments").await;
    let first: Vec<&str> = pods.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(first, ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]);
    let of =
        |name: &str| pods.lines().find(|line| line.starts_with(name)).unwrap().split_whitespace().collect::<Vec<_>>();
    assert_eq!(of("ledger-f54cbdbf-5nkv6")[1..3], ["0/1", "CreateContainerConfigError"], "{pods}");
    assert_eq!(of("ledger-migrate-2-3-4br8h")[1..3], ["0/1", "Completed"], "{pods}");
    let all = serve(&server, "get pods -A").await.unwrap();
    assert!(all.note.unwrap().contains("look unhealthy and come first"));
    assert_eq!(text(&server, "get pods -n payments -l app=ledger -o name").await.lines().count(), 2);
    assert_eq!(text(&server, "get pods -A --field-selector=status.phase=Pending -o name").await.lines().count(), 3);
    assert_eq!(text(&server, "get pods -n default").await, "No resources found in default namespace.\n");
    for line in [
        "get nodes -o wide",
        "get deploy,rs -n shop",
        "get svc -A",
        "get all -n shop",
        "get ns",
        "get ing -A",
        "get cj -A",
        "get jobs -A",
        "get sa -A",
        "get cm -A",
        "get secrets -A",
        "get quota -A",
        "get leases -A",
        "get apiservices",
        "top node",
    ] {
        match serve(&server, line).await {
            Ok(served) => assert!(served.text.lines().count() > 1, "{line}: {}", *served.text),
            Err(error) => {
                assert!(line == "top node" && error.to_string().contains("not in this snapshot"), "{line}: {error}");
            }
        }
    }
}

#[tokio::test]
async fn objects_logs_and_events_are_those_of_the_snapshot() {
    let server = outage();
    let said = text(&server, "describe pod ledger-f54cbdbf-5nkv6 -n payments").await;
    for part in ["Status: CreateContainerConfigError", "secret/ledger-db: exists", "Events:\n", "Failed"] {
        assert!(said.contains(part), "{part}:\n{said}");
    }
    let secret = text(&server, "describe secret ledger-db -n payments").await;
    assert!(secret.contains("  db-password has 11 bytes"), "{secret}");
    let yaml = text(&server, "get deploy -n payments ledger -o yaml").await;
    assert!(yaml.starts_with("apiVersion: apps/v1\nkind: Deployment\n"), "{yaml}");
    let log = serve(&server, "logs deploy/checkout -n shop").await.unwrap();
    assert_eq!(log.text.lines().count(), 3);
    assert!(log.note.unwrap().contains("saved lines"));
    let events = text(&server, "events -n analytics").await;
    assert!(events.contains("Pod/daily-report-29412-x4lb7") && events.contains("not found"), "{events}");
    let found = grep(&server, "events -A", "manifest|not found").await;
    assert!(found.text.lines().count() > 1);
    assert_eq!(text(&server, "version").await, "Server Version: v1.34.4\n");
    assert!(text(&server, "rollout status deploy/ledger -n payments").await.contains("Waiting for deployment"));
    assert!(text(&server, "rollout history deploy/ledger -n payments").await.contains("REVISION"));
    assert!(text(&server, "get cm -n kube-system coredns -o yaml").await.contains("kubernetes cluster.local"));
}

#[tokio::test]
async fn what_is_not_held_is_never_an_empty_list() {
    let server = outage();
    let table = [
        (
            "logs -n platform audit-7dd7c68c9-482gc",
            "not in this snapshot: logs of platform/audit-7dd7c68c9-482gc (app)",
        ),
        ("get endpoints -A", "not in this snapshot: objects of the type `endpoints`"),
        ("auth can-i get pods", "not in this snapshot: what an account may do"),
        ("explain pod", "not in this snapshot: the schema of the API"),
        ("top pod -A", "not in this snapshot: metrics of nodes and pods"),
    ];
    for (line, expected) in table {
        let (message, hint) = refused(&server, line).await;
        assert_eq!(message, expected, "{line}");
        assert_eq!(hint, "take a new snapshot or run on the cluster");
    }
    let (message, hint) = refused(&server, "get pod ledger-f54cbdbf-5nkv7 -n payments").await;
    assert!(message.contains("not found in namespace payments") && hint.contains("ledger-f54cbdbf-5nkv6"), "{hint}");
}

#[tokio::test]
async fn gaps_and_other_namespaces_are_unknown() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/outage.json.gz");
    let mut snapshot = snapshot_file::read(&path, &redactor()).unwrap().into_inner();
    snapshot.scope = Scope::of(Some("shop"));
    snapshot.objects.services.clear();
    snapshot.gaps.push(Gap {
        what: "services".into(),
        namespace: None,
        reason: "forbidden".into(),
        kind: Some(Kind::Service),
    });
    let server = Server::saved(Arc::new(redactor().seal(snapshot)), redactor());
    assert_eq!(refused(&server, "get svc").await.0, "not in this snapshot: services of namespace shop (forbidden)");
    let other = "not in this snapshot: pods of namespace payments (the namespace was not read)";
    assert_eq!(refused(&server, "get pods -n payments").await.0, other);
    assert!(text(&server, "get pods").await.contains("checkout-"), "its own namespace is the default");
}
