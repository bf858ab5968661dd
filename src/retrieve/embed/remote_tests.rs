//! Endpoints that answer as OpenAI and Azure OpenAI do, and some that don't.

use std::sync::Mutex;

use super::*;
use crate::retrieve::serving::{Reply, Server};

fn endpoint(url: String) -> Endpoint {
    Endpoint {
        url,
        model: "text-embedding-3-small".into(),
        key: None,
        api_version: None,
        dimensions: None,
        hidden: crate::redact::Addresses::default(),
    }
}

/// A vector for a text: where it has an `a`, where it has an `e`, and its length.
fn vector(text: &str) -> Vec<f64> {
    let share = |letter: char| text.matches(letter).count() as f64;
    vec![share('a') + 0.5, share('e') * -2.0, text.len() as f64 / 50.0]
}

fn embeddings(body: &serde_json::Value) -> Reply {
    let input = body["input"].as_array().unwrap();
    let data: Vec<_> = input
        .iter()
        .enumerate()
        .map(
            |(index, text)| json!({"object": "embedding", "index": index, "embedding": vector(text.as_str().unwrap())}),
        )
        .rev()
        .collect();
    let answer =
        json!({"object": "list", "data": data, "model": "m", "usage": {"prompt_tokens": 1, "total_tokens": 1}});
    Reply::of(200, answer.to_string())
}

fn open(endpoint: Endpoint) -> Result<Remote, RemoteError> {
    Remote::with(endpoint, |_| ())
}

fn refusal(url: String) -> (RemoteError, String) {
    let Err(error) = open(endpoint(url.clone())) else { panic!("it was taken") };
    let text = error.to_string().replace(&url, "URL");
    assert!(!error.hint().is_empty());
    (error, text)
}

#[test]
fn vectors_come_in_the_order_of_the_texts_and_at_length_one() {
    let server = Server::start(|asked| embeddings(&asked.json()));
    let mut settings = endpoint(format!("{}/v1/", server.url()));
    settings.key = Some(Key::Bearer("sk-1".into()));
    let remote = open(settings).unwrap();
    assert_eq!((remote.id().name.as_str(), remote.id().dimensions), ("text-embedding-3-small at 127.0.0.1", 3));
    server.asked();
    let texts: Vec<String> = (0..200).map(|n| "ab".repeat(n)).collect();
    let vectors = remote.embed(&texts.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
    assert_eq!(vectors.len(), 200);
    for (text, vector_) in texts.iter().zip(&vectors) {
        let text = if text.is_empty() { " " } else { text };
        let expected = unit(serde_json::from_value(serde_json::json!(vector(text))).unwrap()).unwrap();
        assert!(cosine(vector_, &expected) > 0.9999, "{text}");
    }
    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    assert!(asked.iter().all(|asked| asked.method == "POST" && asked.path == "/v1/embeddings"));
    assert_eq!(asked[0].headers["authorization"], "Bearer sk-1");
    assert_eq!(asked[0].json()["model"], "text-embedding-3-small");
    assert_eq!(asked[0].json()["input"].as_array().unwrap().len(), 96);
    assert!(asked[0].json().get("dimensions").is_none());
}

#[test]
fn azure_is_asked_by_its_own_paths_and_header() {
    let server = Server::start(|asked| embeddings(&asked.json()));
    let cases = [
        ("/openai/v1", None, "/openai/v1/embeddings"),
        (
            "/openai/deployments/small",
            Some("2024-10-21"),
            "/openai/deployments/small/embeddings?api-version=2024-10-21",
        ),
    ];
    for (base, version, path) in cases {
        let mut settings = endpoint(format!("{}{base}", server.url()));
        settings.key = Some(Key::ApiKey("k".into()));
        settings.api_version = version.map(str::to_owned);
        settings.dimensions = Some(256);
        open(settings).unwrap();
        let asked = server.asked();
        assert_eq!((asked[0].path.as_str(), asked[0].headers["api-key"].as_str()), (path, "k"));
        assert!(!asked[0].headers.contains_key("authorization"));
        assert_eq!(asked[0].json()["dimensions"], 256);
    }
}

#[test]
fn a_server_that_has_too_much_to_do_is_asked_again_when_it_says() {
    static PAUSES: Mutex<Vec<Duration>> = Mutex::new(Vec::new());
    let mut times = 0;
    let server = Server::start(move |asked| {
        times += 1;
        match times {
            1 => Reply::of(429, "slow down").with("retry-after", "7"),
            2 => Reply::of(503, "").with("retry-after", "86400"),
            3 => Reply::of(500, ""),
            _ => embeddings(&asked.json()),
        }
    });
    Remote::with(endpoint(server.url()), |pause| PAUSES.lock().unwrap().push(pause)).unwrap();
    let pauses: Vec<u64> = PAUSES.lock().unwrap().iter().map(Duration::as_secs).collect();
    assert_eq!(pauses, [7, 60, 2]);
}

#[test]
fn it_is_not_asked_for_ever() {
    let server = Server::start(|_| Reply::of(503, "<html>busy\n\u{1b}[2J</html>"));
    let (error, text) = refusal(server.url());
    assert_eq!(text, "URL/embeddings does not embed (status 503): <html>busy [2J</html>");
    assert!(matches!(error, RemoteError::Refused { status: 503, .. }));
    assert_eq!(server.asked().len(), 5);
}

#[test]
fn what_is_no_embeddings_endpoint_is_refused() {
    type Answer = fn() -> Reply;
    let cases: [(Answer, &str); 8] = [
        (|| Reply::of(401, "no"), "URL/embeddings refuses the key (status 401)"),
        (|| Reply::of(404, "no such model"), "URL/embeddings does not embed (status 404): no such model"),
        (|| Reply::of(302, "").with("location", "http://127.0.0.1:9/"), "URL/embeddings does not embed (status 302): "),
        (|| Reply::of(200, "<html>"), "gives no usable vectors: an answer that can't be read"),
        (|| Reply::of(200, r#"{"data": []}"#), "there are not as many vectors as texts"),
        (
            || Reply::of(200, r#"{"data": [{"index": 0, "embedding": [1]}, {"index": 0, "embedding": [1]}]}"#),
            "its vectors are not numbered as the texts are",
        ),
        (|| Reply::of(200, r#"{"data": [{"embedding": [0, 0]}, {"embedding": [1, 0]}]}"#), "a vector has no direction"),
        (
            || Reply::of(200, r#"{"data": [{"embedding": [1, 1]}, {"embedding": [1, 1]}]}"#),
            "two sentences about different things give the same vector",
        ),
    ];
    for (answer, message) in cases {
        let server = Server::start(move |_| answer());
        let (_, text) = refusal(server.url());
        assert!(text.contains(message), "{text}");
    }
}

#[test]
fn vectors_that_change_their_length_are_an_error() {
    let mut times = 0;
    let server = Server::start(move |asked| {
        times += 1;
        if times == 1 { embeddings(&asked.json()) } else { Reply::of(200, r#"{"data": [{"embedding": [1, 2]}]}"#) }
    });
    let remote = open(endpoint(server.url())).unwrap();
    assert!(remote.embed(&["a"]).unwrap_err().0.contains("the length of its vectors changes"));
}

#[test]
fn nobody_there_is_said_without_the_password() {
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let (error, text) = refusal(format!("http://me:secret@{free}/v1"));
    assert!(matches!(error, RemoteError::Unreachable { .. }));
    assert!(text.starts_with(&format!("can't reach http://{free}/v1/embeddings: ")), "{text}");
    assert!(!text.contains("secret"));
    for url in ["", "no url", "ftp://a.example", "file:///etc/passwd", "http://"] {
        assert!(matches!(refusal(url.to_owned()).0, RemoteError::Address(_)), "{url}");
    }
}

#[test]
fn another_address_or_model_is_another_identity() {
    let server = Server::start(|asked| embeddings(&asked.json()));
    let id = |path: &str, model: &str| {
        let endpoint = Endpoint { model: model.into(), ..endpoint(format!("{}{path}", server.url())) };
        open(endpoint).unwrap().id().digest.clone()
    };
    assert_eq!(id("/v1", "a"), id("/v1/", "a"));
    assert_ne!(id("/v1", "a"), id("/v1", "b"));
    assert_ne!(id("/v1", "a"), id("/v2", "a"));
}

#[test]
fn it_works_inside_a_runtime() {
    let server = Server::start(|asked| embeddings(&asked.json()));
    let url = server.url();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let vectors = runtime.block_on(async move { open(endpoint(url)).unwrap().embed(&["a", "b"]).unwrap() });
    assert_eq!(vectors.len(), 2);
}
