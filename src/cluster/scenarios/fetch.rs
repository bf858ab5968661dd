//! Fetching, told as what a server may do to us.

use std::time::Duration;

use serde_json::json;

use crate::cluster::testing::{Fake, error, reply};
use crate::cluster::{Bounds, fetch};
use crate::model::snapshot::SecretKey;
use crate::model::{Kind, ObjectRef, Scope, Snapshot, Want};
use crate::redact::Redactor;

fn log_of(pod: &str) -> Want {
    Want::Log { pod: ObjectRef::new(Kind::Pod, "shop", pod), container: "app".to_owned(), previous: false }
}

fn keys_of(name: &str) -> Want {
    Want::SecretKeys { namespace: "shop".to_owned(), name: name.to_owned() }
}

fn path_of(pod: &str) -> String {
    format!("/api/v1/namespaces/shop/pods/{pod}/log")
}

async fn fetched(fake: &Fake, wants: &[Want], bounds: &Bounds) -> Snapshot {
    let mut snapshot = Snapshot::new("2026-11-23T03:00:00Z".parse().unwrap(), "test", Scope::default());
    fetch(&fake.client(), wants, bounds, &Redactor::new([7; 32]), &mut snapshot, &|_| ()).await;
    snapshot
}

fn gaps(snapshot: &Snapshot) -> Vec<String> {
    snapshot.gaps.iter().map(|gap| format!("{}: {}", gap.what, gap.reason)).collect()
}

#[tokio::test]
async fn a_log_tail_is_read_and_redacted() {
    let fake = Fake::new()
        .on(
            &path_of("web"),
            [reply(200, "starting\npostgres://app:hunter2pass@db:5432/x refused\n\u{1b}[31mbye\u{1b}[0m\n")],
        )
        .on(&format!("{}?previous=true", path_of("web")), [reply(200, "last words")]);
    let Want::Log { pod, container, .. } = log_of("web") else { unreachable!() };
    let before = Want::Log { pod: pod.clone(), container, previous: true };
    let snapshot = fetched(&fake, &[log_of("web"), before, log_of("web")], &Bounds::default()).await;
    let lines = &snapshot.log(&pod, "app", false).unwrap().lines;
    assert_eq!((lines[0].as_str(), lines[2].as_str()), ("starting", "bye"));
    assert!(lines[1].contains("db:5432") && !lines[1].contains("hunter2pass"), "{}", lines[1]);
    assert_eq!(snapshot.log(&pod, "app", true).unwrap().lines, ["last words"]);
    let expected = "/api/v1/namespaces/shop/pods/web/log?container=app&tailLines=500&limitBytes=65536";
    let mut asked = fake.asked();
    asked.sort();
    assert_eq!(asked, [expected.to_owned(), format!("{expected}&previous=true")]);
}

#[tokio::test]
async fn a_log_that_is_not_there_yet_is_no_gap() {
    let fake = Fake::new().on(&path_of("a"), [error(400)]).on(&path_of("b"), [error(404)]);
    let snapshot = fetched(&fake, &[log_of("a"), log_of("b")], &Bounds::default()).await;
    assert_eq!((snapshot.logs, snapshot.gaps), (vec![], vec![]));
}

#[tokio::test]
async fn the_end_of_a_log_of_long_lines_is_what_is_read() {
    let long = "x".repeat(100);
    let fake = Fake::new()
        .on(&path_of("web"), [reply(200, &long)])
        .on(&format!("{}?tailLines=31", path_of("web")), [reply(200, "the end")]);
    let bounds = Bounds { log_bytes: 100, ..Bounds::default() };
    let snapshot = fetched(&fake, &[log_of("web")], &bounds).await;
    assert_eq!(snapshot.logs[0].lines, ["the end"]);
    assert_eq!(fake.asked().len(), 3, "500, 125 and 31 lines");
}

#[tokio::test]
async fn failures_are_gaps_and_many_of_one_kind_are_one() {
    let wants: Vec<Want> = (0..9).map(|n| log_of(&format!("web-{n}"))).chain([keys_of("db")]).collect();
    let fake = Fake::new().on(&path_of("web-3"), [error(500)]).otherwise(error(403));
    let snapshot = fetched(&fake, &wants, &Bounds::default()).await;
    let expected = [
        "8 logs: forbidden",
        "keys of Secret shop/db: forbidden",
        "log of shop/web-3 (app): the API server answered 500: as the test wills",
    ];
    assert_eq!(gaps(&snapshot), expected);
    assert_eq!(fake.asked().len(), wants.len(), "a node that is gone is asked once");
}

#[tokio::test]
async fn the_most_important_is_read_and_the_rest_is_a_gap() {
    let wants: Vec<Want> = ["c", "b", "a"].map(log_of).into();
    let fake = Fake::new().otherwise(reply(200, "0123456789"));
    let snapshot = fetched(&fake, &wants, &Bounds { requests: 2, ..Bounds::default() }).await;
    let pods: Vec<String> = snapshot.logs.iter().map(|log| log.pod.to_string()).collect();
    assert_eq!(pods, ["Pod shop/b", "Pod shop/c"]);
    assert_eq!(gaps(&snapshot), ["log of shop/a (app): more than 2 things to read"]);

    let snapshot = fetched(&fake, &wants, &Bounds { bytes: 15, ..Bounds::default() }).await;
    assert_eq!(snapshot.logs.len(), 1);
    assert_eq!(
        gaps(&snapshot),
        ["log of shop/a (app): more than 0 MiB to read", "log of shop/b (app): more than 0 MiB to read"]
    );
}

#[tokio::test]
async fn logs_that_never_come_are_not_waited_for() {
    let wants: Vec<Want> = (0..30).map(|n| log_of(&format!("web-{n}"))).collect();
    let bounds = Bounds { time: Duration::from_millis(20), ..Bounds::default() };
    let snapshot = fetched(&Fake::new().silent(), &wants, &bounds).await;
    assert_eq!(gaps(&snapshot), ["30 logs: not read within 0.02s"]);
}

/// Valid until April 2026, for `shop.example.com`; made for this test.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----
MIIBfjCCASWgAwIBAgIBATAKBggqhkjOPQQDAjAbMRkwFwYDVQQDDBBzaG9wLmV4
YW1wbGUuY29tMB4XDTI2MDEwMTAwMDAwMFoXDTI2MDQwMTAwMDAwMFowGzEZMBcG
A1UEAwwQc2hvcC5leGFtcGxlLmNvbTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IA
BGJUmLofOBMro3ncGgoAcyvhdirP4fZzMO+ym9GUdEUMbgXJqYXUqYAfrjZY/FqT
33NxSt+TniQWkgXOgmeE84CjWjBYMDcGA1UdEQQwMC6CEHNob3AuZXhhbXBsZS5j
b22CFHd3dy5zaG9wLmV4YW1wbGUuY29thwQKAAABMB0GA1UdDgQWBBR/kgonUkAS
4H0qwlxcoL69yDOVTzAKBggqhkjOPQQDAgNHADBEAiBurw3RHqY/CdUG9Ur56mV4
QEdDnb5LFgK5xFij9hMZUgIgFYOcdFrS7UzdZJFAD6k5mU/NWBlek19p8f7jZnW4
ieg=
-----END CERTIFICATE-----
";

#[tokio::test]
async fn of_a_secret_only_names_sizes_and_the_public_certificate_stay() {
    let base64 = |text: &str| serde_json::to_value(k8s_openapi::ByteString(text.into())).unwrap();
    let secret = json!({
        "metadata": { "namespace": "shop", "name": "tls" },
        "data": {
            "tls.crt": base64(CERTIFICATE),
            "tls.key": base64("canary-1"),
            "password": base64("canary-2"),
            "ca.crt": base64("canary-3, no certificate"),
            "broken.crt": "%%%",
            "empty": "",
            "none": null,
        },
    });
    let fake = Fake::new().on("/api/v1/namespaces/shop/secrets/tls", [reply(200, &secret.to_string())]);
    let snapshot = fetched(&fake, &[keys_of("tls")], &Bounds::default()).await;
    let saved = serde_json::to_string(&snapshot).unwrap();
    assert!(!saved.contains("canary") && !saved.contains("Y2FuYXJ5"), "{saved}");
    let keys = &snapshot.keys_of("shop", "tls").unwrap().keys;
    let sizes: Vec<(&str, u64)> = keys.iter().map(|key| (key.name.as_str(), key.size)).collect();
    let length = u64::try_from(CERTIFICATE.len()).unwrap();
    let expected = [
        ("broken.crt", 0),
        ("ca.crt", 24),
        ("empty", 0),
        ("none", 0),
        ("password", 8),
        ("tls.crt", length),
        ("tls.key", 8),
    ];
    assert_eq!(sizes.len(), expected.len());
    for size in expected {
        assert!(sizes.contains(&size), "{size:?} in {sizes:?}");
    }
    let with: Vec<&SecretKey> = keys.iter().filter(|key| key.certificate.is_some()).collect();
    let [SecretKey { certificate: Some(certificate), .. }] = &with[..] else { panic!("{with:?}") };
    assert_eq!(certificate.subject, "CN=shop.example.com");
    assert_eq!(certificate.names[..], ["shop.example.com", "www.shop.example.com", "10.0.0.1"]);
    assert_eq!(certificate.not_after.unwrap().to_string(), "2026-04-01T00:00:00Z");
}

#[tokio::test]
async fn values_of_a_config_map_are_redacted_and_cut() {
    let data = json!({ "url": "postgres://app:hunter2pass@db:5432/x", "long": "ä".repeat(100_000) });
    let map = json!({ "metadata": { "namespace": "shop", "name": "app" }, "data": data });
    let fake = Fake::new().on("/api/v1/namespaces/shop/configmaps/app", [reply(200, &map.to_string())]);
    let want = Want::ConfigValues { namespace: "shop".to_owned(), name: "app".to_owned() };
    let snapshot = fetched(&fake, std::slice::from_ref(&want), &Bounds::default()).await;
    let [long, url] = &snapshot.config_values[..] else { panic!() };
    assert_eq!((long.key.as_str(), long.value.len()), ("long", 4096));
    assert!(url.value.contains("db:5432") && !url.value.contains("hunter2pass"), "{}", url.value);

    let mut again = snapshot.clone();
    fetch(&fake.client(), &[want], &Bounds::default(), &Redactor::new([7; 32]), &mut again, &|_| ()).await;
    assert_eq!(again, snapshot);
    assert_eq!(fake.asked().len(), 1, "what is known is not asked again");
}
