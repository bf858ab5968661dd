//! The program with all that it may be given, and every way out of it watched.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command as Process;

use assert_cmd::Command;
use serde_json::{Value, json};

use super::plants::Plants;
use super::{LINES, api, objects};
use crate::agent::model_server::{Asked, ModelServer, Reply, calls};

/// All that a run of the program may be given, and what comes out.
pub(super) struct Stage {
    pub(super) home: tempfile::TempDir,
    pub(super) plants: Plants,
    model_key: String,
    pub(super) api: ModelServer,
    pub(super) model: ModelServer,
    pub(super) embedder: ModelServer,
    /// Prometheus and Alertmanager.
    pub(super) metrics: ModelServer,
    /// What left, by where.
    seen: Vec<(String, Vec<u8>)>,
}

impl Stage {
    pub(super) fn new() -> Stage {
        let mut plants = Plants::default();
        let planted = objects::cluster(&mut plants);
        let (series, alerts) = (planted.series.clone(), planted.alerts.clone());
        let stage = Stage {
            home: tempfile::tempdir().unwrap(),
            model_key: plants.form("the model's key", &["sk", "-"], 32),
            api: api::serve(planted),
            model: ModelServer::by(curious()),
            embedder: ModelServer::by(embeds),
            metrics: ModelServer::by(move |asked| {
                Reply::json(200, if asked.path.starts_with("/api/v2/alerts") { &alerts } else { &series })
            }),
            plants,
            seen: Vec::new(),
        };
        std::fs::create_dir(stage.home.path().join("work")).unwrap();
        stage
    }

    /// Runs the program; what it prints has left.
    pub(super) fn run(&mut self, args: &[&str], env: &[(&str, &str)]) -> String {
        let home = self.home.path();
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-react"));
        command
            .env_clear()
            .current_dir(home.join("work"))
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", home)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("RUST_LOG", "trace")
            .env("KUBECTL_REACT_MODEL_TOOLS", "native")
            .env("KUBECTL_REACT_MAX_STEPS", "100")
            .env("KUBECTL_REACT_MAX_TOKENS", "9000000")
            .env("OPENAI_BASE_URL", format!("{}/v1", self.model.url()))
            .env("OPENAI_API_KEY", &self.model_key)
            .env("OPENAI_MODEL", "gpt-test")
            .env("KUBECTL_REACT_RUNBOOKS", home.join("runbooks.git"))
            .env("KUBECTL_REACT_EMBEDDER", "openai")
            .env("KUBECTL_REACT_EMBEDDER_URL", format!("{}/v1", self.embedder.url()))
            .env("KUBECTL_REACT_EMBEDDER_MODEL", "embed-test")
            .env("KUBECTL_REACT_EMBEDDER_KEY_ENV", "EMBEDDER_KEY")
            .env("KUBECTL_REACT_PROMETHEUS_URL", self.metrics.url())
            .env("KUBECTL_REACT_ALERTMANAGER_URL", self.metrics.url())
            .env("NO_PROXY", "127.0.0.1,localhost")
            .envs(env.iter().copied());
        let output = command.args(args).output().unwrap();
        let shown: Vec<&str> = args.iter().map(|arg| arg.lines().next().unwrap_or_default()).collect();
        let shown = shown.join(" ");
        let told = format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        self.seen.push((format!("{shown}, standard output"), output.stdout));
        self.seen.push((format!("{shown}, standard error"), output.stderr));
        told
    }

    /// What leaves by the way of `home` and the servers: files, and requests but for the header that is their key's.
    pub(super) fn left(&self) -> Vec<(String, Vec<u8>)> {
        let mut seen = self.seen.clone();
        for file in files(self.home.path()) {
            let inner = file.strip_prefix(self.home.path()).unwrap().display().to_string();
            // A copy of the team's repository, and what a person writes there.
            if !inner.starts_with("runbooks.git")
                && !inner.starts_with("records.git")
                && !inner.starts_with("work/team")
                && !inner.contains("/repos/")
            {
                seen.push((inner, unzipped(&std::fs::read(&file).unwrap())));
            }
        }
        let servers = [
            ("model", &self.model),
            ("embedder", &self.embedder),
            ("metrics", &self.metrics),
            ("API server", &self.api),
        ];
        for (name, server) in servers {
            for (number, asked) in server.asked().into_iter().enumerate() {
                let headers: Vec<String> = asked
                    .headers
                    .iter()
                    .filter(|(header, _)| *header != "authorization")
                    .map(|(header, value)| format!("{header}: {value}"))
                    .collect();
                let line = format!("{} {}\n{}\n", asked.method, asked.path, headers.join("\n"));
                seen.push((format!("{name}, request {number}"), [line.as_bytes(), &asked.body].concat()));
            }
        }
        seen
    }

    /// All that was pushed to a repository has left: files, messages and names. Gives how many branches.
    pub(super) fn history(&mut self, repository: &Path) -> usize {
        let git = |args: &[&str]| Process::new("git").current_dir(repository).args(args).output().unwrap().stdout;
        let branches = git(&["for-each-ref"]);
        let many = branches.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
        self.seen.push(("names of branches".to_owned(), branches));
        self.seen.push(("commits".to_owned(), git(&["log", "--all", "-p", "--format=fuller"])));
        many
    }

    /// Which secrets are in it.
    pub(super) fn leaks(&self) -> Vec<String> {
        let seen = self.left();
        let finder = self.plants.finder();
        let found = seen.iter().flat_map(|(place, bytes)| {
            finder.found(bytes).into_iter().map(move |plant| format!("{plant}: in {place}"))
        });
        found.collect()
    }
}

/// Calls for every line, a few in a turn, then ends.
fn curious() -> impl FnMut(&Asked) -> Reply + Send {
    move |asked| {
        let said = asked.json();
        let done = said["messages"].as_array().map_or(0, |all| all.iter().filter(|m| m["role"] == "tool").count());
        let tools = said["tools"].as_array().map_or(0, Vec::len);
        if tools < 2 || done >= LINES.len() + 4 {
            return calls(&[(
                "finish",
                json!({"summary": "The cart can't log in.", "causes": [], "not_checked": [], "confidence": "low"}),
            )])
            .reply(asked);
        }
        let mut asks: Vec<(&str, Value)> =
            LINES.iter().skip(done).take(4).map(|line| ("kubectl", json!({"command": line}))).collect();
        if asks.is_empty() {
            asks.push(("search_runbooks", json!({"query": "the cart can't log in to its database"})));
            asks.push(("read_runbook", json!({"name": "cart-login"})));
            asks.push(("query_prometheus", json!({"query": "logins_total"})));
            asks.push(("list_alerts", json!({})));
        }
        calls(&asks).saying("I want to see all of it.").reply(asked)
    }
}

/// A vector for each text, by its letters.
fn embeds(asked: &Asked) -> Reply {
    let vector = |text: &Value| {
        let mut vector = [0.01_f32; 16];
        for (at, byte) in text.as_str().unwrap_or_default().bytes().enumerate() {
            vector[usize::from(byte) % 16] += 1.0 + (at % 7) as f32;
        }
        vector
    };
    let body = asked.json();
    let data: Vec<Value> = body["input"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
        .map(|(index, text)| json!({"object": "embedding", "index": index, "embedding": vector(text)}))
        .collect();
    Reply::json(200, &json!({"object": "list", "data": data, "model": "embed-test"}))
}

pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// The bytes, without their gzip where they have one.
fn unzipped(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut plain) {
        Ok(_) => plain,
        Err(_) => bytes.to_vec(),
    }
}

pub(super) fn git(folder: &Path, args: &[&str]) {
    let output = Process::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"])
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}
