//! A real model that is a fool, on a real server: llama.cpp with 270 million parameters, asked by the real program.
//!
//! `tests/llama/up` builds and starts it, and `REACT_TEST_LLAMA` is its address. Without it the tests say that they are
//! skipped; `./test --extra` counts that. *Invariant:* nothing that is asserted depends on what the model says: whatever
//! it is, the run ends in time, and what the detectors proved stands as it does without a model.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]
#![expect(clippy::print_stderr, reason = "what is skipped, and how long it took, is told")]

use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fixtures/cart-without-secret.json");
/// What the model is called there.
const MODEL: &str = "gemma-3-270m";
/// Seconds that the tools have.
const SECONDS: u64 = 60;
/// Seconds that one turn may take.
const TURN: u64 = 90;
/// Turns that begin before the time is over, or after it: the one that is under way, and two for an answer.
const TURNS: u64 = 3;

/// The server, for one test at a time: it does one thing after another, and each is bounded in time.
struct Server {
    url: String,
    _alone: MutexGuard<'static, ()>,
}

fn server() -> Option<Server> {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let Ok(url) = std::env::var("REACT_TEST_LLAMA") else {
        eprintln!("skipped: a real model (REACT_TEST_LLAMA is not set; run ./test --extra)");
        return None;
    };
    Some(Server { url, _alone: alone })
}

/// The program in a home of its own, with the model where there is a server.
fn react(home: &Path, server: Option<&Server>, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-react"));
    command.env_clear().env("HOME", home).args(arguments);
    if let Some(server) = server {
        command
            .env("OPENAI_BASE_URL", format!("{}/v1", server.url))
            .env("OPENAI_MODEL", MODEL)
            .env("KUBECTL_REACT_MODEL_WINDOW", "8192")
            .env("KUBECTL_REACT_MODEL_TIMEOUT", TURN.to_string())
            .env("KUBECTL_REACT_MODEL_MAX_OUTPUT_TOKENS", "256");
    }
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Explores with this way to call tools, and looks at all that was left.
fn explores(mode: &str) {
    let Some(server) = server() else { return };
    let (home, seconds) = (tempfile::tempdir().unwrap(), SECONDS.to_string());
    let (code, alone, _) = react(home.path(), None, &["diagnose", "--from", SNAPSHOT, "-o", "json"]);
    let alone: Value = serde_json::from_str(&alone).unwrap();
    assert_eq!((code, alone["causes"].as_array().map(Vec::len)), (Some(0), Some(1)));

    let config = home.path().join(".config/kubectl-react");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(config.join("config.yaml"), format!("model: {{tools: {mode}}}\n")).unwrap();
    let bounds = ["--max-steps", "3", "--max-seconds", &seconds];
    let arguments = ["diagnose", "--from", SNAPSHOT, "--explain=always", "-o", "json"];
    let began = Instant::now();
    let (code, printed, errors) = react(home.path(), Some(&server), &[&arguments[..], &bounds].concat());
    let took = began.elapsed();
    assert_eq!(code, Some(0), "{errors}");
    let with: Value = serde_json::from_str(&printed).unwrap();
    let found = &with["exploration"];
    eprintln!(
        "{mode}: {:.1} s, {} requests, {} tokens in, {} out, {} steps, ended: {}, answered: {}\n{:#}",
        took.as_secs_f64(),
        found["usage"]["requests"],
        found["usage"]["inputTokens"],
        found["usage"]["outputTokens"],
        found["steps"].as_array().map_or(0, Vec::len),
        found["ended"],
        !found["answer"].is_null(),
        found["notes"],
    );
    for part in ["causes", "verdict", "gaps", "scope"] {
        assert_eq!(with[part], alone[part], "{mode}: {part}");
    }
    assert!(took < Duration::from_secs(SECONDS + TURNS * TURN), "{mode}: {took:?}");
    assert!(found["steps"].as_array().is_none_or(|steps| steps.len() <= 3), "{found:#}");
    assert!(found["usage"]["requests"].as_u64().unwrap() > 0 && found["ended"] != "modelFailed", "{found:#}");
    kept(home.path(), &printed, mode);
}

/// The run is there, can be read, and plays again to the same bytes.
fn kept(home: &Path, printed: &str, mode: &str) {
    let (code, list, _) = react(home, None, &["incidents", "list"]);
    assert!(code == Some(0) && list.contains(MODEL), "{mode}: {list}");
    let (code, shown, errors) = react(home, None, &["incidents", "show", "latest", "--steps"]);
    assert!(code == Some(0) && shown.contains("cart"), "{mode}: {shown}{errors}");
    let (code, replayed, errors) = react(home, None, &["incidents", "replay", "latest", "-o", "json"]);
    assert_eq!((code, errors.as_str(), replayed.as_str()), (Some(0), "", printed), "{mode}");
}

#[test]
fn native_tools() {
    explores("native");
}

#[test]
fn a_schema() {
    explores("schema");
}

#[test]
fn plain_text() {
    explores("text");
}

#[test]
fn whatever_the_server_can() {
    explores("auto");
}

#[test]
fn doctor_says_what_it_can() {
    let Some(server) = server() else { return };
    let home = tempfile::tempdir().unwrap();
    let (code, printed, errors) = react(home.path(), Some(&server), &["doctor", "-o", "json"]);
    assert_eq!(code, Some(0), "{errors}");
    let report: Value = serde_json::from_str(&printed).unwrap();
    let model = report["checks"].as_array().unwrap().iter().find(|check| check["area"] == "model").unwrap();
    let said = model["said"].as_str().unwrap();
    eprintln!("{model}");
    assert!(["ok", "warning"].contains(&model["standing"].as_str().unwrap()), "{model}");
    assert!(said.starts_with(&format!("{MODEL} at 127.0.0.1:")) && said.contains(" tokens in, "), "{model}");
}
