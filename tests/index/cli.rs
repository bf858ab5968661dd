//! The golden queries through the command line: the same answers from the file and from a ChromaDB server, and from
//! the file where the server doesn't serve.

use std::env;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::chroma::{count, settings};
use crate::model;

/// Runbooks of the small corpus; all of it takes minutes where nothing is optimised.
const RUNBOOKS: [&str; 6] = [
    "certificate-expired",
    "claim-stays-pending",
    "image-cannot-be-pulled",
    "ingress-502",
    "probe-kills-slow-start",
    "quota-exceeded",
];
/// Queries of the small corpus: what these runbooks answer, and one that none does.
const QUERIES: [&str; 4] = ["q07", "q13", "q34", "q61"];

/// A team's folder, and the home of who uses it.
struct Home {
    root: tempfile::TempDir,
    model: PathBuf,
}

impl Home {
    /// None where there is no model.
    fn new() -> Option<Home> {
        let model = model::folder()?;
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("team")).unwrap();
        for name in RUNBOOKS {
            let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/retrieval/corpus/{name}.md"));
            fs::copy(from, root.path().join(format!("team/{name}.md"))).unwrap();
        }
        Some(Home { root, model })
    }

    /// What a search answers with a config that has `index`.
    fn search(&self, index: &Value, query: &str) -> Value {
        let config = self.root.path().join("config.json");
        let mut settings = serde_json::json!({"embedder": {"kind": "local", "dir": self.model}});
        if !index.is_null() {
            settings["index"] = index.clone();
        }
        fs::write(&config, settings.to_string()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-react"));
        command.env("HOME", self.root.path()).env("KUBECTL_REACT_CONFIG", &config).env_remove("XDG_CACHE_HOME");
        command.args(["runbooks", "search", "-o", "json", "--runbooks"]).arg(self.root.path().join("team")).arg(query);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// The judged queries: text, and the runbooks that answer it.
fn queries() -> Vec<(String, Vec<String>)> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/retrieval/queries.jsonl");
    let all: Vec<Value> =
        fs::read_to_string(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let wanted = all.into_iter().filter(|query| QUERIES.contains(&query["id"].as_str().unwrap()));
    wanted
        .map(|query| {
            let relevant = query["relevant"].as_array().unwrap().iter().map(|stem| stem.as_str().unwrap().to_owned());
            (query["query"].as_str().unwrap().to_owned(), relevant.collect())
        })
        .collect()
}

fn notes(answer: &Value) -> String {
    answer["notes"].to_string()
}

/// All but what is told of how it was found.
fn without_notes(mut answer: Value) -> Value {
    answer.as_object_mut().unwrap().remove("notes");
    answer
}

#[test]
fn the_file_and_the_server_give_the_same_answers() {
    let (Some(settings), Some(here), Some(there)) = (settings("cli"), Home::new(), Home::new()) else { return };
    let chroma = serde_json::json!({"chroma": {
        "url": settings.url, "tenant": settings.tenant, "database": settings.database,
    }});
    let queries = queries();
    assert_eq!(queries.len(), QUERIES.len());
    for (query, relevant) in queries {
        let (from_file, from_server) = (here.search(&Value::Null, &query), there.search(&chroma, &query));
        assert_eq!(from_file, from_server, "{query}");
        assert!(from_file["notes"].is_null() && from_file["results"][0]["why"]["dense"].is_number(), "{from_file:#}");
        assert_eq!(from_file["abstained"], relevant.is_empty(), "{query}");
        let first = from_file["results"][0]["path"].as_str().unwrap();
        let stem = first.rsplit('/').next().unwrap().trim_end_matches(".md");
        assert!(relevant.is_empty() || relevant.iter().any(|right| right == stem), "{query}: {first}");
    }
    assert!(count(&settings) >= RUNBOOKS.len(), "the vectors are on the server");
}

/// The address of a server that wants a token that we don't have.
fn refusing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(
                b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\nconnection: close\r\ncontent-type: application/json\r\n\r\n{}",
            );
        }
    });
    url
}

#[test]
fn where_the_server_does_not_serve_the_file_answers_and_says_so() {
    let Some(home) = Home::new() else { return };
    let (query, _) = queries().remove(0);
    let expected = home.search(&Value::Null, &query);
    assert!(expected["results"][0]["why"]["dense"].is_number(), "{expected:#}");
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    for (url, told) in [(closed, "can't reach Chroma"), (refusing(), "status 401")] {
        let answer = home.search(&serde_json::json!({"chroma": {"url": url}}), &query);
        let notes = notes(&answer);
        assert!(notes.contains(told) && notes.contains("the local index answers"), "{notes}");
        assert_eq!(without_notes(answer), expected, "{told}");
    }
}
