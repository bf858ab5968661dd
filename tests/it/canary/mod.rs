//! Nothing that was planted in a cluster comes out: the real program reads a cluster that has a secret wherever one can
//! be, asks a model that wants to see all of it, and every byte that leaves is looked at.
//!
//! What has neither a name nor a form, such as a word in a log, is known to nobody and is not planted. The clone of the
//! team's runbooks is a copy of what is theirs, and is not looked at.

mod api;
mod objects;
mod plants;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command as Process;

use assert_cmd::Command;
use serde_json::{Value, json};

use crate::agent::model_server::{Asked, ModelServer, Reply, calls};
use plants::Plants;

/// What the model asks for, line by line.
const LINES: &[&str] = &[
    "kubectl get pod cart-1 -n shop -o yaml",
    "kubectl describe pod cart-1 -n shop",
    "kubectl logs cart-1 -n shop -c app --tail=100",
    "kubectl logs cart-1 -n shop -c app --previous",
    "kubectl get events -n shop",
    "kubectl events -n shop",
    "kubectl get deployment cart -n shop -o json",
    "kubectl describe deployment cart -n shop",
    "kubectl get configmap cart -n shop -o yaml",
    "kubectl describe configmap cart -n shop",
    "kubectl get secret cart-db -n shop -o yaml",
    "kubectl get secrets -n shop",
    "kubectl get secret cart-db -n shop -o jsonpath='{.data.password}'",
    "kubectl describe secret cart-db -n shop",
    "kubectl describe secret sh.helm.release.v1.cart.v1 -n shop",
    "kubectl get pods -n shop -o jsonpath='{.items[*].spec.containers[*].env}'",
    "kubectl get pods -n shop -o jsonpath='{.items[0].spec.containers[0].env[0].value}'",
    "kubectl get pods -n shop -o custom-columns=N:.metadata.name,E:.spec.containers[0].args",
    "kubectl get pods -n shop --show-labels",
    "kubectl get pods -n shop -L example.com/api-token",
    "kubectl get databases -n shop -o yaml",
    "kubectl describe database db -n shop",
    "kubectl get node node-1 -o yaml",
    "kubectl describe node node-1",
    "kubectl get ingress -n shop -o yaml",
    "kubectl get pv pv-1 -o yaml",
    "kubectl describe pv pv-1",
    "kubectl get storageclass fast -o yaml",
    "kubectl get validatingwebhookconfigurations -o yaml",
    "kubectl get service cart -n shop -o yaml",
    "kubectl get serviceaccount cart -n shop -o yaml",
    "kubectl get cronjob nightly -n shop -o yaml",
    "kubectl get namespace shop -o yaml",
    "kubectl get pvc -n shop -o yaml",
    "kubectl get configmap cart -n shop -o jsonpath='{.data}'",
];

/// All that a run of the program may be given, and what comes out.
struct Stage {
    home: tempfile::TempDir,
    plants: Plants,
    model_key: String,
    api: ModelServer,
    model: ModelServer,
    embedder: ModelServer,
    /// What left, by where.
    seen: Vec<(String, Vec<u8>)>,
}

impl Stage {
    fn new() -> Stage {
        let mut plants = Plants::default();
        let planted = objects::cluster(&mut plants);
        let stage = Stage {
            home: tempfile::tempdir().unwrap(),
            model_key: plants.form("the model's key", &["sk", "-"], 32),
            api: api::serve(planted),
            model: ModelServer::by(curious()),
            embedder: ModelServer::by(embeds),
            plants,
            seen: Vec::new(),
        };
        std::fs::create_dir(stage.home.path().join("work")).unwrap();
        stage
    }

    /// Runs the program; what it prints has left.
    fn run(&mut self, args: &[&str], env: &[(&str, &str)]) -> String {
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
            .env("NO_PROXY", "127.0.0.1,localhost")
            .envs(env.iter().copied());
        let output = command.args(args).output().unwrap();
        let told = format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        self.seen.push((format!("{}, standard output", args.join(" ")), output.stdout));
        self.seen.push((format!("{}, standard error", args.join(" ")), output.stderr));
        told
    }

    /// What leaves by the way of `home` and the servers: files, and requests but for the header that is their key's.
    fn leaks(&self) -> Vec<String> {
        let mut seen = self.seen.clone();
        for file in files(self.home.path()) {
            let inner = file.strip_prefix(self.home.path()).unwrap().display().to_string();
            // A copy of the team's repository, and what a person writes there.
            if !inner.starts_with("runbooks.git") && !inner.starts_with("work/team") && !inner.contains("/repos/") {
                seen.push((inner, unzipped(&std::fs::read(&file).unwrap())));
            }
        }
        for (name, server) in [("model", &self.model), ("embedder", &self.embedder), ("API server", &self.api)] {
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
        let mut leaks = Vec::new();
        for (place, bytes) in seen {
            for plant in self.plants.found(&bytes) {
                leaks.push(format!("{plant}: in {place}"));
            }
        }
        leaks
    }
}

/// Calls for every line, a few in a turn, then ends.
fn curious() -> impl FnMut(&Asked) -> Reply + Send {
    move |asked| {
        let said = asked.json();
        let done = said["messages"].as_array().map_or(0, |all| all.iter().filter(|m| m["role"] == "tool").count());
        let tools = said["tools"].as_array().map_or(0, Vec::len);
        if tools < 2 || done >= LINES.len() + 2 {
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

fn files(folder: &Path) -> Vec<PathBuf> {
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

fn git(folder: &Path, args: &[&str]) {
    let output = Process::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"])
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A runbook of the team's, in which somebody left more than they should.
fn runbook(stage: &mut Stage) {
    let home = stage.home.path().to_owned();
    git(&home, &["init", "-q", "--bare", "-b", "main", "runbooks.git"]);
    git(&home, &["clone", "-q", "runbooks.git", "work/team"]);
    let folder = home.join("work/team");
    let key = stage.plants.key("runbook: key");
    let mut word = |what: &str| stage.plants.word(&format!("runbook: {what}"));
    let text = format!(
        "---\nname: cart-login\ntitle: The cart can't log in\ndescription: The database refuses the cart, see https://me:{}@wiki.example.com/\nstatus: approved\nseverity: critical\nmatch:\n  detectors: [container-exits, dependency-auth-failed, replicas-missing]\n---\n\n## Meaning\n\nThe password is wrong. The right one is password={} since May.\n\n## Diagnosis\n\n```sh\nkubectl get pods -n <NAMESPACE> --token={}\n```\n\n## Mitigation\n\n```sh\npsql postgres://app:{}@db/cart\n```\n\n```yaml\ndb:\n  password: {}\n```\n\n{key}\n",
        word("front matter"),
        word("text"),
        word("command"),
        word("fence"),
        word("YAML"),
    );
    std::fs::write(folder.join("cart-login.md"), text).unwrap();
    git(&folder, &["add", "-A"]);
    git(&folder, &["commit", "-qm", "the cart"]);
    git(&folder, &["push", "-q", "origin", "HEAD"]);
}

#[test]
fn nothing_planted_leaves() {
    let mut stage = Stage::new();
    runbook(&mut stage);
    let (api, home) = (stage.api.url(), stage.home.path().to_owned());
    let token = stage.plants.form("the API server's token", &[""], 40);
    let proxy = format!("http://me:{}@127.0.0.1:9", stage.plants.word("proxy"));
    let embedder = stage.plants.form("the embedder's key", &["sk", "-"], 32);
    let env = [("HTTPS_PROXY", proxy.as_str()), ("HTTP_PROXY", &proxy), ("EMBEDDER_KEY", &embedder)];
    let key = stage.plants.key("question: key");
    let question = format!(
        "why does the login with password={} fail? The key is\n{key}\nand the token {}",
        stage.plants.word("question: pair"),
        stage.plants.token("question: token"),
    );
    let live = ["--server", &api, "--token", &token];

    let diagnose = |more: &[&'static str]| -> Vec<String> {
        let words = ["diagnose"].iter().copied().chain(live).chain(more.iter().copied());
        words.map(str::to_owned).collect()
    };
    let mut told = Vec::new();
    for more in [
        &["-v", "--explain=always"][..],
        &["-n", "shop", "-o", "json", "--explain=always"],
        &["--events", "--explain=always"],
        &["-o", "yaml", "--no-llm"],
        &["-o", "markdown", "-v", "--no-llm"],
    ] {
        let mut args = diagnose(more);
        if !more.contains(&"--no-llm") {
            args.extend(["-q".to_owned(), question.clone()]);
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        told.push(stage.run(&args, &env));
    }
    for (args, expected) in [(&["snapshot", "out.json.gz"][..], "wrote"), (&["doctor"], "model")] {
        let args: Vec<&str> = args.iter().copied().chain(live).collect();
        let text = stage.run(&args, &env);
        assert!(text.contains(expected), "{args:?}: {text}");
    }
    for args in [
        &["diagnose", "--from", "out.json.gz", "--no-llm", "-v"][..],
        &["incidents", "list"],
        &["incidents", "show", "latest", "--steps", "-v"],
        &["incidents", "show", "latest", "--steps", "-o", "json"],
        &["incidents", "show", "latest", "--steps", "-o", "yaml"],
        &["incidents", "show", "latest", "--steps", "-o", "markdown"],
        &["incidents", "export", "latest", "-f", "incident.json.gz"],
        &["incidents", "show", "--from", "incident.json.gz"],
        &["incidents", "replay", "latest", "-o", "json"],
        &["runbooks", "index"],
        &["runbooks", "list"],
        &["runbooks", "list", "-o", "json"],
        &["runbooks", "search", "the cart can't log in"],
        &["runbooks", "search", "the cart can't log in", "-o", "json"],
        &["runbooks", "show", "cart-login"],
        &["runbooks", "show", "cart-login", "-o", "json"],
        &["runbooks", "lint", "team"],
        &["runbooks", "lint", "team", "--format", "json"],
        &["runbooks", "stats"],
        &["config"],
        &["config", "-o", "json"],
        &["config", "validate"],
        &["version"],
    ] {
        told.push(stage.run(args, &env));
    }
    let search = format!("login with password={}", stage.plants.word("search"));
    stage.run(&["runbooks", "search", &search], &env);

    looked_at(&stage, &told, &home);
    let leaks = stage.leaks();
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
}

/// That the secrets were near: the places that hold them were read and sent, with placeholders.
fn looked_at(stage: &Stage, told: &[String], home: &Path) {
    let asked = stage.model.asked();
    let sent: String = asked.iter().map(|asked| String::from_utf8_lossy(&asked.body).into_owned()).collect();
    for word in [
        "DB_PASSWORD",
        "postgres://app:<redacted:",
        "AccountName=cart;AccountKey=<redacted:",
        "--password",
        "client_secret=",
        "db_host=db",
        "application.yaml",
        "adminPassword",
        "Failed to pull image",
        "volumeAttributes",
        "KubeletNotReady",
        "auth-url",
        "cart-login",
        "hooks.example.com",
        "helm.sh/release.v1",
    ] {
        assert!(sent.contains(word), "{word} was never sent\n{}", told.first().map_or("", String::as_str));
    }
    assert!(
        stage
            .embedder
            .asked()
            .iter()
            .any(|asked| String::from_utf8_lossy(&asked.body).contains("The cart can't log in"))
    );
    let kept = files(home).iter().filter(|file| file.ends_with("observations.jsonl")).count();
    assert!(kept >= 3, "{kept} incidents: {}", told.join("\n"));
}
