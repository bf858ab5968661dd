//! What follows from what, as data: objects and findings in YAML, causes as an indented list.

use kubectl_react::causes::{Focus, explain};
use kubectl_react::graph;
use kubectl_react::model::{Finding, Kind, ObjectRef, Severity, Stage, Time};
use serde::Deserialize;

use crate::support::snapshot;

/// A finding, written short.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Short {
    at: String,
    says: String,
    stage: Stage,
    #[serde(default)]
    symptom: bool,
    #[serde(default)]
    proven: bool,
    #[serde(default)]
    blames: Option<String>,
    #[serde(default)]
    since: Option<Time>,
    #[serde(default)]
    key: String,
}

fn object(text: &str) -> ObjectRef {
    let (kind, name) = text.split_once(' ').unwrap();
    let (namespace, name) = name.split_once('/').unwrap_or(("", name));
    ObjectRef::new(Kind::parse(kind), namespace, name)
}

#[track_caller]
fn check(objects: &str, findings: &str, expected: &str) {
    check_in(objects, findings, None, expected);
}

#[track_caller]
fn check_in(objects: &str, findings: &str, namespace: Option<&str>, expected: &str) {
    let snapshot = snapshot(objects);
    let view = graph::build(&snapshot);
    let findings: Vec<Short> = serde_saphyr::from_str(findings).unwrap();
    let findings = findings
        .into_iter()
        .map(|short| {
            let mut finding = Finding::new(object(&short.at), Severity::Warning, short.stage, &short.says)
                .since(short.since)
                .key(&short.key);
            finding.detector.clone_from(&short.says);
            finding.symptom = short.symptom;
            finding.proven = short.proven;
            finding.culprit = short.blames.as_deref().map(object);
            finding
        })
        .collect();
    let mut lines = Vec::new();
    for cause in explain(&view, findings, &Focus::new(namespace)).causes {
        lines.push(format!("{}: {} x{}", cause.object, cause.summary, cause.count));
        for consequence in cause.consequences {
            let path: Vec<String> = consequence.path.iter().map(ToString::to_string).collect();
            lines.push(format!("  {} ({})", consequence.summary, path.join(" → ")));
        }
    }
    let wanted: Vec<&str> = expected.lines().filter(|line| !line.trim().is_empty()).collect();
    assert!(lines == wanted, "expected:\n{}\nfound:\n{}\n", wanted.join("\n"), lines.join("\n"));
}

const SHOP: &str = "
kind: Deployment
metadata: {name: web, namespace: shop, uid: d}
spec: {template: {metadata: {labels: {app: web}}}}
---
kind: ReplicaSet
metadata: {name: web-6f, namespace: shop, ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web, controller: true}]}
---
kind: Pod
metadata: {name: web-6f-a, namespace: shop, labels: {app: web}, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-6f, controller: true}]}
spec: {nodeName: n1, volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]}
---
kind: Pod
metadata: {name: web-6f-b, namespace: shop, labels: {app: web}, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-6f, controller: true}]}
spec: {nodeName: n2}
---
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}}
---
kind: Ingress
metadata: {name: front, namespace: shop}
spec: {rules: [{http: {paths: [{backend: {service: {name: web}}}]}}]}
---
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop}
spec: {storageClassName: fast}
---
kind: Node
metadata: {name: n1}
---
kind: Node
metadata: {name: n2}
---
kind: Pod
metadata: {name: other, namespace: blog}
spec: {nodeName: n1}
";

#[test]
fn a_cascade_folds_under_its_root_and_replicas_count() {
    check(
        SHOP,
        "
- {at: Pod shop/web-6f-a, says: no-secret, stage: start, blames: Secret shop/db}
- {at: Pod shop/web-6f-b, says: no-secret, stage: start, blames: Secret shop/db}
- {at: Deployment shop/web, says: missing-replicas, stage: ready, symptom: true}
- {at: Service shop/web, says: no-endpoints, stage: serve, symptom: true}
- {at: Ingress shop/front, says: no-backend, stage: route, symptom: true}
",
        "
Deployment shop/web: no-secret x2
  missing-replicas (Deployment shop/web)
  no-endpoints (Service shop/web → Deployment shop/web)
  no-backend (Ingress shop/front → Service shop/web → Deployment shop/web)
",
    );
}

#[test]
fn a_dead_node_takes_its_pods_but_not_what_was_broken_before() {
    check(
        SHOP,
        "
- {at: Node n1, says: node-down, stage: ready, since: '2026-01-01T11:50:00Z'}
- {at: Pod shop/web-6f-a, says: not-ready, stage: ready, symptom: true, since: '2026-01-01T11:51:00Z'}
- {at: Pod blog/other, says: no-config, stage: start, since: '2026-01-01T09:00:00Z'}
",
        "
Node n1: node-down x1
  not-ready (Deployment shop/web → Node n1)
Pod blog/other: no-config x1
",
    );
}

#[test]
fn two_faults_that_nothing_links_stay_two() {
    check(
        SHOP,
        "
- {at: Pod shop/web-6f-a, says: image, stage: pull, key: app}
- {at: Pod shop/web-6f-a, says: config, stage: start, key: sidecar}
- {at: Pod blog/other, says: image, stage: pull}
",
        "
Pod blog/other: image x1
Deployment shop/web: config x1
Deployment shop/web: image x1
",
    );
}

#[test]
fn a_claim_explains_the_pod_that_waits_for_it() {
    check(
        SHOP,
        "
- {at: PersistentVolumeClaim shop/data, says: no-class, stage: schedule, blames: StorageClass fast}
- {at: Pod shop/web-6f-a, says: unschedulable, stage: schedule, symptom: true}
",
        "
PersistentVolumeClaim shop/data: no-class x1
  unschedulable (Deployment shop/web → PersistentVolumeClaim shop/data)
",
    );
}

#[test]
fn who_blames_a_service_follows_from_what_broke_it() {
    check(
        SHOP,
        "
- {at: Pod blog/other, says: refused, stage: start, blames: Service shop/web}
- {at: Service shop/web, says: no-endpoints, stage: serve, symptom: true}
- {at: Pod shop/web-6f-a, says: image, stage: pull}
",
        "
Deployment shop/web: image x1
  refused (Pod blog/other → Service shop/web → Deployment shop/web)
  no-endpoints (Service shop/web → Deployment shop/web)
",
    );
}

#[test]
fn who_asks_for_a_port_that_a_service_lacks_does_not_follow_from_its_other_fault() {
    check(
        SHOP,
        "
- {at: Pod blog/other, says: wrong-port, stage: serve, blames: Service shop/web, proven: true}
- {at: Service shop/web, says: no-endpoints, stage: serve, symptom: true}
- {at: Pod shop/web-6f-a, says: image, stage: pull}
",
        "
Deployment shop/web: image x1
  no-endpoints (Service shop/web → Deployment shop/web)
Pod blog/other: wrong-port x1
",
    );
}

#[test]
fn a_circle_of_blame_keeps_one_root() {
    check(
        "
kind: Pod
metadata: {name: a, namespace: x, labels: {app: a}}
---
kind: Pod
metadata: {name: b, namespace: x, labels: {app: b}}
---
kind: Service
metadata: {name: a, namespace: x}
spec: {selector: {app: a}}
---
kind: Service
metadata: {name: b, namespace: x}
spec: {selector: {app: b}}
",
        "
- {at: Pod x/a, says: refused, stage: start, blames: Service x/b, since: '2026-01-01T11:00:00Z'}
- {at: Pod x/b, says: refused, stage: start, blames: Service x/a, since: '2026-01-01T11:30:00Z'}
",
        "
Pod x/a: refused x1
  refused (Pod x/b → Service x/a → Pod x/a)
",
    );
}

#[test]
fn a_namespace_shows_its_own_causes_what_they_refer_to_and_nodes() {
    let findings = "
- {at: Pod blog/other, says: image, stage: pull}
- {at: Pod shop/web-6f-a, says: config, stage: start}
- {at: Node n2, says: node-down, stage: ready}
- {at: StorageClass slow, says: odd, stage: schedule}
";
    check_in(
        SHOP,
        findings,
        Some("blog"),
        "
Pod blog/other: image x1
Node n2: node-down x1
",
    );
}
