//! Servers that are none, or say no. The real one is in `tests/index`.

use super::*;
use crate::retrieve::index::testing::{Books, Hash, WORDS};
use crate::retrieve::serving::{Reply, Server};
use crate::retrieve::{Embedder, Shelf};

fn refusal(settings: &Settings) -> (ChromaError, String) {
    let model = Hash::new("m");
    let Err(error) = Chroma::connect(settings, model.id()) else { panic!("it was taken") };
    let text = error.to_string().replace(&settings.url, "URL");
    assert!(!error.hint().is_empty());
    (error, text)
}

#[test]
fn what_is_no_chroma_server_is_refused_by_what_it_says() {
    type Answer = fn() -> Reply;
    let cases: [(Answer, &str); 7] = [
        (|| Reply::of(200, "<html>Welcome to nginx</html>"), "what answers at URL is no Chroma server: an answer that"),
        (|| Reply::of(200, "{}"), "what answers at URL is no Chroma server: an answer that"),
        (|| Reply::of(200, "[1, 2]"), "what answers at URL is no Chroma server: an answer that"),
        (|| Reply::of(401, ""), "Chroma at URL refuses the token (status 401)"),
        (|| Reply::of(403, ""), "Chroma at URL refuses the token (status 403)"),
        (
            || Reply::of(404, "not\n\u{1b}[1mfound"),
            "Chroma at URL can't make the tenant or the database (status 404): not [1mfound",
        ),
        (|| Reply::of(500, ""), "Chroma at URL can't make the tenant or the database (status 500): "),
    ];
    for (answer, message) in cases {
        let server = Server::start(move |_| answer());
        let (_, text) = refusal(&Settings::new(&server.url()));
        assert!(text.starts_with(message), "{text}");
    }
}

#[test]
fn a_redirect_is_not_followed_with_the_token() {
    let other = Server::start(|_| Reply::of(200, "{}"));
    let to = other.url();
    let server = Server::start(move |_| Reply::of(307, "").with("location", to.clone()));
    let settings = Settings { token: Some("t".into()), ..Settings::new(&server.url()) };
    assert!(matches!(refusal(&settings).0, ChromaError::Refused { status: 307, .. }));
    assert!(other.asked().is_empty());
}

#[test]
fn nobody_there_is_said_without_the_password() {
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let (error, text) = refusal(&Settings::new(&format!("http://me:secret@{free}")));
    assert!(matches!(error, ChromaError::Unreachable { .. }));
    assert!(text.starts_with(&format!("can't reach Chroma at http://{free}: ")), "{text}");
    for url in ["", "chroma:8000", "localhost", "file:///x"] {
        assert!(matches!(refusal(&Settings::new(url)).0, ChromaError::Address(_)), "{url}");
    }
}

/// A server that has an empty collection, behind a path.
fn empty() -> Server {
    Server::start(|asked| {
        let path = asked.path.strip_prefix("/behind/api/v2").unwrap_or("");
        match (asked.method.as_str(), path) {
            ("GET", "/tenants/t%2F1/databases/d%20b/collections/books") => {
                Reply::of(200, r#"{"id": "c0", "dimension": null}"#)
            }
            ("GET", "/pre-flight-checks") => Reply::of(200, r#"{"max_batch_size": 100}"#),
            ("GET", "/tenants/t%2F1/databases/d%20b/collections/c0/count") => Reply::of(200, "0"),
            ("POST", "/tenants/t%2F1/databases/d%20b/collections/c0/get") => {
                Reply::of(200, r#"{"ids": [], "embeddings": [], "metadatas": []}"#)
            }
            ("POST", "/tenants/t%2F1/databases/d%20b/collections/c0/query") => {
                Reply::of(200, r#"{"ids": [["", "x", "y:z:1"]]}"#)
            }
            _ => Reply::of(404, "{}"),
        }
    })
}

fn behind(server: &Server) -> Settings {
    Settings {
        url: format!("{}/behind/", server.url()),
        tenant: "t/1".into(),
        database: "d b".into(),
        collection: "books".into(),
        token: Some("secret".into()),
    }
}

#[test]
fn the_token_goes_with_every_request_in_both_headers() {
    let server = empty();
    let model = Hash::new("m");
    let chroma = Chroma::connect(&behind(&server), model.id()).unwrap();
    assert_eq!(chroma.count().unwrap(), 0);
    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    for asked in asked {
        assert_eq!(
            (asked.headers["authorization"].as_str(), asked.headers["x-chroma-token"].as_str()),
            ("Bearer secret", "secret")
        );
    }
}

#[test]
fn ids_that_are_not_ours_are_passed_over() {
    let server = empty();
    let model = Hash::new("m");
    let chroma = Chroma::connect(&behind(&server), model.id()).unwrap();
    let index = Embedded::in_memory(WORDS).unwrap();
    let (books, places) = Books::many(3);
    index.sync(&places, &mut |place| books.load(place), None, &mut |_| {}).unwrap();
    let shelf = chroma.shelf(&index, &places).unwrap();
    let query = model.embed(&["x"]).unwrap().remove(0);
    assert_eq!(shelf.nearest(&query, 2).unwrap(), []);
    assert_eq!(shelf.documents().len(), 3);
    assert_eq!(chroma.shelf(&index, &[]).unwrap().nearest(&query, 2).unwrap(), []);
}

#[test]
fn a_server_that_takes_nothing_is_an_error() {
    let server = empty();
    let model = Hash::new("m");
    let chroma = Chroma::connect(&behind(&server), model.id()).unwrap();
    let index = Embedded::in_memory(WORDS).unwrap();
    let (books, places) = Books::many(3);
    index.sync(&places, &mut |place| books.load(place), None, &mut |_| {}).unwrap();
    let error = chroma.sync(&index, &places, &model, &mut |_| {}).unwrap_err();
    assert!(matches!(error, ChromaError::Refused { what: "take entries", status: 404, .. }), "{error}");
}

#[test]
fn it_works_inside_a_runtime() {
    let server = empty();
    let settings = behind(&server);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let count =
        runtime.block_on(async move { Chroma::connect(&settings, Hash::new("m").id()).unwrap().count().unwrap() });
    assert_eq!(count, 0);
}
