//! Collecting, told as what a server may do to us.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cluster::testing::{Fake, error, list, object, page, reply, table};
use crate::cluster::{Collect, CollectError, ReadClient, TABLE, collect, places_of, widen};
use crate::model::reference::KINDS;
use crate::model::{Kind, Snapshot};
use crate::redact::Redactor;

fn request(namespace: Option<&str>) -> Collect {
    Collect {
        context: "test".to_owned(),
        namespace: namespace.map(str::to_owned),
        fallback_namespace: "mine".to_owned(),
        taken_at: "2026-11-23T03:00:00Z".parse().unwrap(),
        page_size: 2,
    }
}

async fn try_collect(client: &ReadClient, namespace: Option<&str>) -> Result<Snapshot, CollectError> {
    collect(client, &request(namespace), &Redactor::new([7; 32]), &|_| ()).await
}

async fn collected(fake: &Fake, namespace: Option<&str>) -> Snapshot {
    try_collect(&fake.client(), namespace).await.unwrap()
}

fn gaps(snapshot: &Snapshot) -> Vec<String> {
    let place = |namespace: &Option<String>| namespace.as_ref().map(|ns| format!(" in {ns}")).unwrap_or_default();
    snapshot.gaps.iter().map(|gap| format!("{}{}: {}", gap.what, place(&gap.namespace), gap.reason)).collect()
}

fn pods(snapshot: &Snapshot) -> Vec<&str> {
    snapshot.objects.pods.iter().map(|pod| pod.metadata.name.as_str()).collect()
}

fn items(names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| object("shop", name)).collect()
}

#[tokio::test]
async fn an_empty_cluster_has_no_gaps_and_costs_one_request_for_each_kind() {
    let fake = Fake::new();
    let snapshot = collected(&fake, None).await;
    assert_eq!((snapshot.objects.len(), gaps(&snapshot)), (0, vec![]));
    assert_eq!(snapshot.server_version, "v1.34.4");
    assert_eq!(fake.asked().len(), KINDS.len() + 1);
}

#[tokio::test]
async fn pages_are_read_to_the_end() {
    let fake = Fake::new()
        .on("/api/v1/pods", [page(&items(&["c", "b"]), "t=1")])
        .on("/api/v1/pods?continue=t%3D1", [page(&items(&["a", "d"]), "t2")])
        .on("/api/v1/pods?continue=t2", [list(&items(&["e"]))]);
    let snapshot = collected(&fake, None).await;
    assert_eq!(pods(&snapshot), ["a", "b", "c", "d", "e"]);
    let asked: Vec<String> = fake.asked().into_iter().filter(|path| path.starts_with("/api/v1/pods")).collect();
    assert_eq!(
        asked,
        ["/api/v1/pods?limit=2", "/api/v1/pods?limit=2&continue=t%3D1", "/api/v1/pods?limit=2&continue=t2"]
    );
}

#[tokio::test]
async fn a_list_that_expired_is_begun_again_once() {
    let first = || page(&items(&["a", "b"]), "t");
    let fake =
        Fake::new().on("/api/v1/pods", [first()]).on("/api/v1/pods?continue=t", [error(410), list(&items(&["c"]))]);
    let snapshot = collected(&fake, None).await;
    assert_eq!((pods(&snapshot), gaps(&snapshot)), (vec!["a", "b", "c"], vec![]));

    let fake = Fake::new().on("/api/v1/pods", [first()]).on("/api/v1/pods?continue=t", [error(410)]);
    let snapshot = collected(&fake, None).await;
    assert_eq!(pods(&snapshot), ["a", "b"]);
    assert_eq!(gaps(&snapshot), ["pods: only 2 read: the list changed faster than it could be read"]);
    assert!(!snapshot.knows(Kind::Pod, "shop"));
}

#[tokio::test]
async fn a_list_without_an_end_is_left() {
    let fake = Fake::new().on("/api/v1/pods", [page(&items(&["a"]), "t")]);
    let snapshot = collected(&fake, None).await;
    assert_eq!(gaps(&snapshot), ["pods: only 2 read; the rest was left out"]);
}

#[tokio::test]
async fn a_passing_overload_leaves_no_trace() {
    let fake = Fake::new().on("/api/v1/pods", [error(429), error(503), list(&items(&["a"]))]);
    let snapshot = collected(&fake, None).await;
    assert_eq!((pods(&snapshot), gaps(&snapshot)), (vec!["a"], vec![]));
}

#[tokio::test]
async fn a_kind_that_fails_is_a_gap() {
    let fake = Fake::new()
        .on("/api/v1/services", [error(500)])
        .on("/apis/apps/v1/deployments", [error(404)])
        .on("/api/v1/nodes", [reply(200, r#"{"items":[{"metadata":"#)])
        .on("/api/v1/secrets", [reply(200, "<html>Sign in</html>")])
        .on("/apis/batch/v1/jobs", [reply(200, "\u{1b}[31m null")]);
    let snapshot = collected(&fake, None).await;
    let [deployments, jobs, nodes, secrets, services] = &gaps(&snapshot)[..] else { panic!("{:?}", snapshot.gaps) };
    assert_eq!(deployments, "deployments.apps: not found");
    assert!(jobs.starts_with("jobs.batch: the answer could not be understood: "), "{jobs}");
    assert!(nodes.starts_with("nodes: the answer could not be understood: EOF"), "{nodes}");
    assert!(secrets.starts_with("secrets: the answer could not be understood: "), "{secrets}");
    assert_eq!(services, "services: the API server answered 500: as the test wills");
    assert!(!snapshot.knows(Kind::Node, ""));
}

#[tokio::test]
async fn of_what_others_serve_only_a_refusal_is_a_gap() {
    let metrics = "/apis/metrics.k8s.io/v1beta1";
    let absent = Fake::new().on(&format!("{metrics}/pods"), [error(403)]).on(&format!("{metrics}/nodes"), [error(503)]);
    assert_eq!(gaps(&collected(&absent, None).await), Vec::<String>::new());
    assert_eq!(absent.asked().iter().filter(|path| path.contains("v1beta1/nodes")).count(), 1, "it is asked once");

    let resources = json!({ "resources": [{ "name": "pods" }, { "name": "nodes" }] });
    let there = absent.on(metrics, [reply(200, &resources.to_string())]);
    assert_eq!(gaps(&collected(&there, None).await), ["pods.metrics.k8s.io: forbidden"]);
}

#[tokio::test]
async fn without_a_right_to_all_pods_one_namespace_is_read() {
    let fake = Fake::new()
        .on("/api/v1/pods", [error(403)])
        .on("/api/v1/nodes", [error(403)])
        .on("/api/v1/namespaces", [error(403)])
        .on("/api/v1/namespaces/mine", [reply(200, &object("", "mine").to_string())])
        .on("/api/v1/services", [list(&items(&["of-another"]))])
        .on("/api/v1/namespaces/mine/pods", [list(&[object("mine", "web")])])
        .on("/api/v1/namespaces/mine/secrets", [error(403)])
        .on("/api/v1/namespaces/kube-system/pods", [error(403)]);
    let snapshot = collected(&fake, None).await;
    assert_eq!(snapshot.scope.namespace.as_deref(), Some("mine"));
    assert_eq!(pods(&snapshot), ["web"]);
    assert_eq!(snapshot.objects.services, [], "what has no pods here would look broken");
    assert_eq!(snapshot.objects.namespaces.len(), 1);
    let expected = [
        "all other namespaces: forbidden; read namespace `mine` only",
        "nodes: forbidden",
        "secrets in mine: forbidden",
    ];
    assert_eq!(gaps(&snapshot), expected);
}

#[tokio::test]
async fn a_kind_that_is_forbidden_everywhere_is_read_in_one_namespace() {
    let fake = Fake::new()
        .on("/api/v1/secrets", [error(403)])
        .on("/api/v1/namespaces/mine/secrets", [table(&[("mine", "db", "Opaque")])])
        .on("/api/v1/configmaps", [error(403)])
        .on("/api/v1/namespaces/mine/configmaps", [error(403)]);
    let snapshot = collected(&fake, None).await;
    assert_eq!(snapshot.scope.namespace, None);
    assert_eq!(snapshot.objects.secrets.len(), 1);
    assert_eq!(gaps(&snapshot), ["configmaps: forbidden", "secrets: forbidden; read namespace `mine` only"]);
}

#[tokio::test]
async fn without_any_right_there_is_still_a_snapshot() {
    let fake = Fake::new().on("/version", [reply(403, "{}")]).otherwise(error(403));
    let snapshot = collected(&fake, None).await;
    assert_eq!((snapshot.objects.len(), snapshot.server_version.as_str()), (0, ""));
    assert_eq!(gaps(&snapshot)[0], "all other namespaces: forbidden");
    for info in KINDS.iter().filter(|info| !info.optional) {
        assert!(!snapshot.knows(info.kind, "mine"), "{}", info.kind);
    }
}

#[tokio::test]
async fn credentials_that_end_are_an_error() {
    let fake = Fake::new().on("/apis/apps/v1/replicasets", [error(401)]);
    let error = try_collect(&fake.client(), None).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the API server `https://fake:6443` does not accept the credentials of context `test`"
    );
    assert!(error.hint().unwrap().starts_with("log in again"));
}

#[tokio::test]
async fn a_server_that_went_away_is_an_error_and_one_that_stumbles_is_a_gap() {
    let gone = try_collect(&Fake::new().refuse().client(), None).await.unwrap_err();
    assert_eq!(gone.to_string(), "cannot reach the API server `https://fake:6443`: connection refused");

    let silent = Fake::new().silent().client_with(Some(Duration::from_millis(5)));
    let error = try_collect(&silent, None).await.unwrap_err();
    assert_eq!(error.to_string(), "the API server `https://fake:6443` did not answer within 0.005s");

    let stumbling = Fake::new().on("/api/v1/nodes", [list(&[object("", "n")])]).refuse();
    let snapshot = collected(&stumbling, None).await;
    assert_eq!(snapshot.objects.nodes.len(), 1);
    assert!(gaps(&snapshot).contains(&"pods: connection refused".to_owned()) || !snapshot.knows(Kind::Pod, "a"));
}

#[tokio::test]
async fn of_secrets_nothing_but_tables_is_asked() {
    let fake =
        Fake::new().on("/api/v1/secrets", [table(&[("shop", "tls", "kubernetes.io/tls"), ("shop", "db", "Opaque")])]);
    let snapshot = collected(&fake, None).await;
    let found: Vec<_> = snapshot.objects.secrets.iter().map(|s| (s.metadata.name.as_str(), s.kind.as_str())).collect();
    assert_eq!(found, [("db", "Opaque"), ("tls", "kubernetes.io/tls")]);
    let asked: Vec<String> = fake.asked().into_iter().filter(|path| path.contains("secrets")).collect();
    assert_eq!(asked, [format!("/api/v1/secrets?limit=2 {TABLE}")]);
}

#[tokio::test]
async fn a_namespace_brings_what_it_stands_on() {
    let fake = Fake::new().on("/api/v1/namespaces/default/events", [error(403)]);
    let snapshot = collected(&fake, Some("shop")).await;
    assert_eq!(gaps(&snapshot), Vec::<String>::new());
    let elsewhere: Vec<String> = fake
        .asked()
        .into_iter()
        .filter(|path| path.contains("/namespaces/") && !path.contains("/namespaces/shop/"))
        .collect();
    let mut elsewhere: Vec<&str> = elsewhere.iter().map(String::as_str).collect();
    elsewhere.sort_unstable();
    let expected = [
        "/api/v1/namespaces/default/events?limit=2&fieldSelector=involvedObject.kind=Node",
        "/api/v1/namespaces/kube-system/pods?limit=2&labelSelector=k8s-app=kube-dns",
        "/api/v1/namespaces/kube-system/services?limit=2&labelSelector=k8s-app=kube-dns",
        "/apis/apps/v1/namespaces/kube-system/deployments?limit=2&labelSelector=k8s-app=kube-dns",
        "/apis/apps/v1/namespaces/kube-system/replicasets?limit=2&labelSelector=k8s-app=kube-dns",
        "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases?limit=2",
        "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices?limit=2&labelSelector=k8s-app=kube-dns",
    ];
    assert_eq!(elsewhere, expected);
    assert!(fake.asked().contains(&"/api/v1/nodes?limit=2".to_owned()));
}

#[tokio::test]
async fn what_a_namespace_names_is_read_whole_or_leaves_a_gap() {
    let fake = Fake::new()
        .on("/api/v1/namespaces/shop/pods", [list(&items(&["web"]))])
        .on("/api/v1/namespaces/data/pods", [list(&[object("data", "db")])])
        .on("/api/v1/namespaces/vault/pods", [error(403)]);
    let client = fake.client();
    let mut snapshot = try_collect(&client, Some("shop")).await.unwrap();
    let (asked, others) = (fake.asked().len(), ["data", "vault", "../nodes"].map(str::to_owned));
    widen(&client, &request(Some("shop")), &others, &Redactor::new([7; 32]), &mut snapshot, &|_| ()).await;
    assert_eq!(pods(&snapshot), ["db", "web"]);
    assert_eq!(snapshot.scope.beside, ["data"]);
    assert_eq!(gaps(&snapshot), ["namespace vault: forbidden"]);
    let asked: Vec<String> = fake.asked().split_off(asked);
    let namespaced = KINDS.iter().filter(|info| info.namespaced).count();
    assert_eq!(asked.len(), namespaced + 1, "one list for each kind of the one, one for the other");
    assert!(asked.iter().all(|path| path.contains("/namespaces/data/") || path.contains("/namespaces/vault/pods")));
}

#[tokio::test]
async fn a_service_is_looked_for_by_name_where_that_is_allowed() {
    let asked = "/api/v1/services?limit=10&fieldSelector=metadata.name%3Dcache";
    let names = ["cache", "no&such=1"].map(str::to_owned);
    let fake = Fake::new().on(asked, [list(&[object("data", "cache"), object("test", "cache")])]);
    assert_eq!(places_of(&fake.client(), &names).await, ["data", "test"]);
    assert_eq!(fake.asked(), [asked]);
    let refused = Fake::new().on(asked, [error(403)]);
    assert!(places_of(&refused.client(), &names).await.is_empty());
}

#[tokio::test]
async fn a_namespace_that_cannot_be_is_refused() {
    for name in ["../kube-system", "Shop", "", "a b", "-a", "a/secrets"] {
        let fake = Fake::new();
        let error = try_collect(&fake.client(), Some(name)).await.unwrap_err();
        assert!(matches!(error, CollectError::InvalidNamespace(_)));
        assert_eq!(fake.asked(), Vec::<String>::new());
    }
}

/// A definition of a kind that reports how it is.
fn definition(group: &str, plural: &str, kind: &str, versions: &[(&str, bool, bool)]) -> Value {
    let schema = json!({ "openAPIV3Schema": { "properties": { "status": { "properties": { "conditions": { "type": "array" } } } } } });
    let versions: Vec<Value> = versions
        .iter()
        .map(|(name, served, storage)| json!({ "name": name, "served": served, "storage": storage, "schema": schema }))
        .collect();
    json!({
        "metadata": { "name": format!("{plural}.{group}") },
        "spec": { "group": group, "scope": "Namespaced", "names": { "kind": kind, "plural": plural }, "versions": versions },
    })
}

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

fn with_definitions(definitions: &[Value]) -> Fake {
    Fake::new().on(DEFINITIONS, [list(definitions)])
}

#[tokio::test]
async fn custom_resources_are_read_in_the_version_that_is_stored() {
    let ready = json!({ "metadata": { "name": "web", "namespace": "shop" }, "status": { "conditions": [{ "type": "Ready", "status": "False" }] } });
    let fake = with_definitions(&[
        definition("cert-manager.io", "certificates", "Certificate", &[("v1alpha2", true, false), ("v1", true, true)]),
        definition("old.io", "things", "Thing", &[("v2", false, true), ("v1", true, false)]),
        definition("gateway.networking.k8s.io", "gateways", "Gateway", &[("v1", true, true)]),
    ])
    .on("/apis/cert-manager.io/v1/certificates", [list(&[ready, json!({ "metadata": 7 })])]);
    let snapshot = collected(&fake, None).await;
    let [web] = &snapshot.objects.custom[..] else { panic!("{:?}", snapshot.objects.custom) };
    assert_eq!(web.object_ref().to_string(), "Certificate.cert-manager.io shop/web");
    assert_eq!(web.conditions.len(), 1);
    assert!(fake.asked().contains(&"/apis/old.io/v1/things?limit=500".to_owned()), "what is stored is not served");
    assert_eq!(fake.asked().iter().filter(|path| path.contains("/gateways")).count(), 1, "it is known already");
}

#[tokio::test]
async fn custom_kinds_are_bounded_in_number_and_gaps() {
    let many: Vec<Value> =
        (0..104).map(|i| definition("many.io", &format!("k{i:03}"), "K", &[("v1", true, true)])).collect();
    let fake =
        with_definitions(&many).otherwise(error(403)).on("/apis/many.io/v1/k000", [page(&items(&["a"]), "more")]);
    let fake = KINDS.iter().filter(|info| info.kind != Kind::CustomResourceDefinition).fold(fake, |fake, info| {
        let reply = if info.kind == Kind::Secret { table(&[]) } else { list(&[]) };
        fake.on(&info.path(None), [reply])
    });
    let snapshot = collected(&fake, None).await;
    let expected = [
        "custom resources of 4 kinds: at most 100 custom kinds are read",
        "custom resources of 99 kinds (k001.many.io, k002.many.io, k003.many.io, …): forbidden",
        "k000.many.io: only 1 read; the rest was left out",
    ];
    assert_eq!(gaps(&snapshot), expected);
}

#[tokio::test]
async fn well_being_is_not_read() {
    let fake = Fake::new();
    collected(&fake, None).await;
    let events: Vec<String> = fake.asked().into_iter().filter(|path| path.contains("/events")).collect();
    assert_eq!(events.len(), 1);
    assert!(events[0].contains("reason!=Pulled") && !events[0].contains("reason!=Killing"), "{events:?}");
}

#[tokio::test]
async fn the_order_of_answers_makes_no_difference() {
    let answers = |step: usize| -> Fake {
        let kinds = ["nodes", "pods", "services", "configmaps"];
        (0..kinds.len()).fold(Fake::new(), |fake, i| {
            let kind = kinds[(i + step) % kinds.len()];
            let names: Vec<String> = (0..5).map(|n| format!("{kind}-{}", (n + step) % 5)).collect();
            let objects: Vec<Value> = names.iter().map(|name| object("shop", name)).collect();
            fake.on(&format!("/api/v1/{kind}"), [list(&objects)]).on("/api/v1/limitranges", [error(403)])
        })
    };
    let first = collected(&answers(0), None).await;
    assert_eq!(first.objects.len(), 20);
    for step in 1..4 {
        assert_eq!(collected(&answers(step), None).await, first);
    }
}
