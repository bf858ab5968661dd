//! The agent's tools for metrics and alerts with the real things: the real program, a recorded snapshot, a model that
//! follows a script, a real Prometheus and a real Alertmanager.
//!
//! `tests/metrics/up` starts both, and `REACT_TEST_PROMETHEUS` and `REACT_TEST_ALERTMANAGER` are their addresses. Without
//! them the tests say that they are skipped; `./test` counts that, and fails on it in CI. *Invariant:* what is asserted
//! is what the model is sent and what the program prints, never what a tool returns inside.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]
#![expect(clippy::print_stderr, reason = "what is skipped is told")]

mod doctor;
mod errors;
mod tools;

#[path = "../support/model_server.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod model_server;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

use kubectl_react::model::Time;
use serde_json::{Value, json};

use model_server::{ModelServer, Turn, calls};

/// Where the real ones are.
pub(crate) struct Servers {
    pub(crate) prometheus: String,
    pub(crate) alertmanager: String,
}

/// The real ones; none where they don't run: then the test says so and ends.
pub(crate) fn servers() -> Option<Servers> {
    static SAID: Once = Once::new();
    let address = |name: &str| std::env::var(name).ok();
    let (Some(prometheus), Some(alertmanager)) = (address("REACT_TEST_PROMETHEUS"), address("REACT_TEST_ALERTMANAGER"))
    else {
        SAID.call_once(|| {
            eprintln!("skipped: real Prometheus and Alertmanager (REACT_TEST_PROMETHEUS is not set; run ./test)");
        });
        return None;
    };
    Some(Servers { prometheus, alertmanager })
}

/// Where nobody listens.
pub(crate) fn closed() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// Somebody's home, with a cluster that was read just now.
pub(crate) struct Home {
    root: tempfile::TempDir,
    /// When it was read.
    pub(crate) read: Time,
}

/// What a run came to.
pub(crate) struct Run {
    /// What it printed.
    pub(crate) diagnosis: Value,
    pub(crate) printed: String,
    pub(crate) errors: String,
    /// What the model was sent at last.
    sent: Value,
}

impl Run {
    /// What the model read of a step.
    pub(crate) fn observation(&self, step: usize) -> String {
        let messages = self.sent["messages"].as_array().unwrap().iter();
        let texts = messages.filter_map(|message| message["content"].as_str());
        let frame = format!("<observation step=\"{step}\">\n");
        let mut told = texts.rev().filter_map(|text| text.split_once(&frame));
        let (_, text) = told.next().unwrap();
        text.replacen("\n</observation>", "", 1)
    }
}

impl Home {
    pub(crate) fn new() -> Home {
        let home =
            Home { root: tempfile::tempdir().unwrap(), read: Time::from_second(Time::now().as_second()).unwrap() };
        let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/cart-without-secret.json");
        let mut snapshot: Value = serde_json::from_str(&fs::read_to_string(bundled).unwrap()).unwrap();
        snapshot["takenAt"] = home.read.to_string().into();
        fs::write(home.snapshot(), snapshot.to_string()).unwrap();
        home
    }

    fn snapshot(&self) -> PathBuf {
        self.root.path().join("snapshot.json")
    }

    /// The program, with these servers to ask.
    pub(crate) fn program(&self, prometheus: &str, alertmanager: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-react"));
        command
            .env_clear()
            .env("HOME", self.root.path())
            .env("KUBECTL_REACT_PROMETHEUS_URL", prometheus)
            .env("KUBECTL_REACT_ALERTMANAGER_URL", alertmanager);
        command
    }

    /// Diagnoses with a model that makes these calls, one by one, and ends with an answer of these claims.
    pub(crate) fn explore(&self, mut program: Command, tools: &[(&str, Value)], claims: &Value) -> Run {
        let mut script: Vec<Turn> = tools.iter().map(|call| calls(std::slice::from_ref(call)).into()).collect();
        // An answer that does not hold is sent back once.
        script.extend((0..2).map(|_| Turn::from(calls(&[("finish", answer(claims))]))));
        let server = ModelServer::scripted(script);
        program
            .env("KUBECTL_REACT_MODEL_TOOLS", "native")
            .env("OPENAI_BASE_URL", format!("{}/v1", server.url()))
            .env("OPENAI_API_KEY", "sk-canary-0123456789abcdef")
            .env("OPENAI_MODEL", "gpt-test")
            .args(["diagnose", "--explain=always", "-o", "json", "--from"])
            .arg(self.snapshot());
        let output = program.output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{errors}");
        let printed = String::from_utf8(output.stdout).unwrap();
        Run {
            diagnosis: serde_json::from_str(&printed).unwrap(),
            printed,
            errors,
            sent: server.asked().last().unwrap().json(),
        }
    }
}

fn answer(claims: &Value) -> Value {
    json!({
        "summary": "The cart waits for a Secret that nobody made.",
        "causes": [{
            "statement": "The Secret that the cart reads does not exist",
            "object": "deployment/cart -n shop",
            "explains": 1,
            "claims": claims,
        }],
        "changes": [],
        "not_checked": [],
        "undecided": "",
        "confidence": "high",
    })
}
