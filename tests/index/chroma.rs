//! A real ChromaDB server.

use std::env;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

use kubectl_react::model::Place;
use kubectl_react::retrieve::embed::{Expect, Local};
use kubectl_react::retrieve::index::{Chroma, ChromaSettings, Embedded, Report};
use kubectl_react::retrieve::{Embedder, Near, Shelf};
use serde_json::Value;

use crate::books::{Books, Hash, WORDS};

/// A database of its own on the server, or none where there is no server: then the test says so and ends.
pub(crate) fn settings(test: &str) -> Option<ChromaSettings> {
    static SAID: Once = Once::new();
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let Ok(url) = env::var("REACT_TEST_CHROMA") else {
        SAID.call_once(|| eprintln!("skipped: real ChromaDB (REACT_TEST_CHROMA is not set; run ./test)"));
        return None;
    };
    let unique = format!("{test}-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    Some(ChromaSettings { database: unique.clone(), tenant: format!("tenant-{unique}"), ..ChromaSettings::new(&url) })
}

/// The local part, and the vectors on the server.
fn put(chroma: &Chroma, index: &Embedded, books: &Books, places: &[Place], embedder: &dyn Embedder) -> Report {
    index.sync(places, &mut |place| books.load(place), None, &mut |_| {}).unwrap();
    let report = chroma.sync(index, places, embedder, &mut |_| {}).unwrap();
    assert_eq!(report.failure, None);
    report
}

fn index() -> Embedded {
    Embedded::in_memory(WORDS).unwrap()
}

fn query(embedder: &dyn Embedder, text: &str) -> Vec<f32> {
    embedder.embed(&[text]).unwrap().remove(0)
}

/// The best chunk of each document, the nearest first, as a search would take it.
fn best(near: Vec<Near>, number: usize) -> Vec<(u32, u32, u32)> {
    let mut near = near;
    near.sort_by(|a, b| b.cosine.total_cmp(&a.cosine).then(a.document.cmp(&b.document)));
    let mut best: Vec<(u32, u32, u32)> = Vec::new();
    for Near { document, chunk, cosine } in near {
        if best.iter().all(|(other, ..)| *other != document) {
            best.push((document, chunk, cosine.to_bits()));
        }
    }
    best.truncate(number);
    best
}

/// How many entries the server has.
pub(crate) fn count(settings: &ChromaSettings) -> usize {
    entries(settings).len()
}

/// Entries as the server has them.
fn entries(settings: &ChromaSettings) -> Vec<(String, Value)> {
    let base =
        format!("{}/api/v2/tenants/{}/databases/{}/collections", settings.url, settings.tenant, settings.database);
    let collection = ask("GET", &format!("{base}/{}", settings.collection), None);
    let body = serde_json::json!({"include": ["metadatas", "documents"], "limit": 5000});
    let all = ask("POST", &format!("{base}/{}/get", collection["id"].as_str().unwrap()), Some(&body));
    let ids = all["ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned());
    ids.zip(all["metadatas"].as_array().unwrap().iter().cloned()).collect()
}

fn ask(method: &str, url: &str, body: Option<&Value>) -> Value {
    let url = url.to_owned();
    let (method, body) = (method.parse().unwrap(), body.map(ToString::to_string));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let text = runtime.block_on(async move {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client.request(method, url);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        request.send().await.unwrap().text().await.unwrap()
    });
    serde_json::from_str(&text).unwrap()
}

#[test]
fn it_gives_what_the_embedded_index_gives_to_the_last_bit() {
    let Some(settings) = settings("same") else { return };
    let local = crate::model::folder().map(|folder| Local::open(&folder, Expect::Default).unwrap());
    let hash = Hash::new("hash", 384);
    let embedders: Vec<&dyn Embedder> =
        [&hash as &dyn Embedder].into_iter().chain(local.as_ref().map(|l| l as _)).collect();
    for embedder in embedders {
        let (books, places) = Books::many(120, "5a");
        let own = index();
        own.sync(&places, &mut |place| books.load(place), Some(embedder), &mut |_| {}).unwrap();
        let embedded = own.shelf(&places, Some(embedder.id())).unwrap();

        let chroma = Chroma::connect(&settings, embedder.id()).unwrap();
        let index = index();
        let report = put(&chroma, &index, &books, &places, embedder);
        assert_eq!((report.added, report.embedded), (120, 120));
        let shelf = chroma.shelf(&index, &places).unwrap();
        assert_eq!(shelf.documents(), embedded.documents());

        let golden = [
            "The container was OOMKilled",
            "Failed to pull image: manifest unknown",
            "disk pressure on node",
            "x509: certificate has expired or is not yet valid calling webhook",
            "no such host lookup",
            "exceeded quota for pods in system-3",
            "Multi-Attach error for volume",
            "the service selector finds no pod on system-7",
            "rollout is stuck",
            "apple pie",
        ];
        for text in golden {
            let query = query(embedder, text);
            let here = best(embedded.nearest(&query, 20).unwrap(), 10);
            let there = best(shelf.nearest(&query, 20).unwrap(), 10);
            assert_eq!(here, there, "{text}");
            let some = [0, 17, 119, 64];
            assert_eq!(embedded.cosines(&query, &some).unwrap(), shelf.cosines(&query, &some).unwrap(), "{text}");
        }
        let terms = ["killed".to_owned(), "(system-3)".to_owned()];
        assert_eq!(shelf.postings(&terms).unwrap(), embedded.postings(&terms).unwrap());
        assert_eq!(shelf.chunk(5, 2).unwrap(), embedded.chunk(5, 2).unwrap());
    }
}

#[test]
fn an_entry_says_where_it_is_from_and_is_put_there_once() {
    let Some(settings) = settings("trace") else { return };
    let model = Hash::new("tracing", 64);
    for _ in 0..2 {
        assert!(Chroma::look(&settings, model.id()).unwrap().is_none(), "looking makes nothing");
    }
    let chroma = Chroma::connect(&settings, model.id()).unwrap();
    let (mut books, mut places) = Books::many(30, "7c");
    let first = index();
    assert_eq!(put(&chroma, &first, &books, &places, &model).added, 30);
    let all = entries(&settings);
    assert_eq!(all.len(), 120);
    assert_eq!(Chroma::look(&settings, model.id()).unwrap().unwrap().count().unwrap(), 120);
    let (id, metadata) = &all[0];
    assert!(id.starts_with("tracing00000:words-1:"), "{id}");
    assert!(id.contains(metadata["blob"].as_str().unwrap()));
    let place = places.iter().find(|place| place.blob == metadata["blob"]).unwrap();
    assert_eq!((&metadata["path"], &metadata["commit"]), (&place.path.as_str().into(), &"c1".into()));
    for key in ["model", "library", "title", "heading", "line", "chunk", "index"] {
        assert!(!metadata[key].is_null(), "{key} in {metadata}");
    }

    // Another machine, with nothing: all is there already.
    let second = index();
    let report = put(&chroma, &second, &books, &places, &model);
    assert_eq!((report.added, report.embedded, report.kept), (0, 0, 30));
    // An edit is the one thing that is sent.
    books.0.insert("e".repeat(40), ("edited".into(), vec!["one".into()]));
    places[3] = Books::place(&places[3].path, "c2", &"e".repeat(40));
    let report = put(&chroma, &second, &books, &places, &model);
    assert_eq!((report.added, report.embedded, report.kept), (1, 1, 29));
    assert_eq!(entries(&settings).len(), 122);
    let unchanged: Vec<_> =
        entries(&settings).into_iter().filter(|(id, _)| all.iter().any(|(old, _)| old == id)).collect();
    assert_eq!(unchanged.len(), 120);
    assert!(unchanged.iter().all(|(id, metadata)| all.contains(&(id.clone(), metadata.clone()))), "none changes");
}

#[test]
fn a_reader_sees_its_own_commit_and_a_stale_clone_deletes_nothing_newer() {
    let Some(settings) = settings("stale") else { return };
    let model = Hash::new("m", 64);
    let chroma = Chroma::connect(&settings, model.id()).unwrap();
    let (mut books, old) = Books::many(40, "3d");
    let stale = index();
    put(&chroma, &stale, &books, &old, &model);
    // Elsewhere a newer commit is indexed: all are edited but one, and many are new.
    let (newer, mut new) = Books::many(400, "4e");
    books.0.extend(newer.0);
    for place in &mut new {
        place.commit = "c2".into();
    }
    new[0] = Place { commit: "c2".into(), ..old[0].clone() };
    let fresh = index();
    put(&chroma, &fresh, &books, &new, &model);

    let query = query(&model, "The kernel kills the process on system-1");
    let mine = chroma.shelf(&stale, &old).unwrap();
    let near = mine.nearest(&query, 10).unwrap();
    assert!(best(near, 10).len() == 10, "ten of its own are found among many that are not");
    let theirs = chroma.shelf(&fresh, &new).unwrap();
    assert_eq!(best(theirs.nearest(&query, 30).unwrap(), 30).len(), 30);

    // The stale clone knows the old commit only.
    assert_eq!(chroma.prune(&stale, &old, &|commit| commit == "c1").unwrap(), 0);
    assert_eq!(entries(&settings).len(), (40 + 399) * 4);
    assert_eq!(chroma.prune(&fresh, &new, &|_| true).unwrap(), 39 * 4);
    assert_eq!(entries(&settings).len(), 400 * 4);
    // What the stale clone lacks now, it puts there again.
    let seen = chroma.shelf(&stale, &old).unwrap().cosines(&query, &[0, 1]).unwrap();
    assert_eq!(seen.len(), 4, "the one that both have");
    assert_eq!(put(&chroma, &stale, &books, &old, &model).added, 39);
    assert_eq!(chroma.shelf(&stale, &old).unwrap().cosines(&query, &[0, 1]).unwrap().len(), 8);
}

#[test]
fn several_writers_do_no_harm() {
    let Some(settings) = settings("writers") else { return };
    let (books, places) = Books::many(100, "6f");
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let (settings, books, places) = (&settings, &books, &places);
            scope.spawn(move || {
                let model = Hash::new("m", 64);
                let chroma = Chroma::connect(settings, model.id()).unwrap();
                let own = &places[worker * 10..];
                let index = index();
                put(&chroma, &index, books, own, &model);
                let shelf = chroma.shelf(&index, own).unwrap();
                let all: Vec<u32> = (0..).take(own.len()).collect();
                assert_eq!(shelf.cosines(&query(&model, "x"), &all).unwrap().len(), own.len() * 4);
            });
        }
    });
    let all = entries(&settings);
    assert_eq!(all.len(), 400);
}

#[test]
fn vectors_of_another_length_get_a_collection_of_their_own() {
    let Some(settings) = settings("lengths") else { return };
    let (books, places) = Books::many(10, "8a");
    for (model, collection) in [(Hash::new("a", 64), "runbooks"), (Hash::new("b", 32), "runbooks-32")] {
        let chroma = Chroma::connect(&settings, model.id()).unwrap();
        let index = index();
        put(&chroma, &index, &books, &places, &model);
        let near = chroma.shelf(&index, &places).unwrap().nearest(&query(&model, "quota"), 3).unwrap();
        assert_eq!(best(near, 3).len(), 3);
        assert_eq!(entries(&ChromaSettings { collection: collection.into(), ..settings.clone() }).len(), 40);
    }
    // Two models of one length share a collection, and neither sees the other's.
    let model = Hash::new("c", 64);
    let chroma = Chroma::connect(&settings, model.id()).unwrap();
    let index = index();
    put(&chroma, &index, &books, &places, &model);
    assert_eq!(entries(&settings).len(), 80);
    let near = chroma.shelf(&index, &places).unwrap().nearest(&query(&model, "quota"), 10).unwrap();
    assert_eq!(best(near, 10).len(), 10);
}

#[test]
fn a_server_that_lost_everything_is_filled_again() {
    let Some(settings) = settings("lost") else { return };
    let (books, places) = Books::many(10, "9b");
    let model = Hash::new("m", 64);
    let index = index();
    let chroma = Chroma::connect(&settings, model.id()).unwrap();
    put(&chroma, &index, &books, &places, &model);
    assert_eq!(put(&chroma, &index, &books, &places, &model).added, 0);
    let base = format!("{}/api/v2/tenants/{}/databases/{}", settings.url, settings.tenant, settings.database);
    ask("DELETE", &format!("{base}/collections/runbooks"), None);
    let error = chroma.shelf(&index, &places).unwrap().nearest(&query(&model, "x"), 1).unwrap_err();
    assert!(error.to_string().contains("can't search"), "{error}");
    let chroma = Chroma::connect(&settings, model.id()).unwrap();
    let report = put(&chroma, &index, &books, &places, &model);
    assert_eq!((report.added, report.embedded), (10, 0), "with the vectors that the file has");
    assert_eq!(chroma.shelf(&index, &places).unwrap().nearest(&query(&model, "x"), 10).unwrap().len(), 40);
}
