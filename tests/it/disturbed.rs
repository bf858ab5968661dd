//! `diagnose` with a model that is disturbed: killed, interrupted, run twice at once. What was stored stays readable.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::agent::model_server::{self, ModelServer, Piece, Reply, calls};
use crate::agent::{SNAPSHOT, answer, explores, settings, told};

/// After so long something hangs that must not.
const PATIENCE: Duration = Duration::from_mins(1);

fn start(home: &Path, server: &ModelServer, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_kubectl-react"))
        .env_clear()
        .envs(settings(home, server))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn run(home: &Path, arguments: &[&str]) -> (i32, String, String) {
    let quiet = ModelServer::scripted(Vec::new());
    let told = told(&start(home, &quiet, arguments).wait_with_output().unwrap());
    assert!(quiet.asked().is_empty(), "no model is asked by {arguments:?}");
    told
}

/// Waits until so many requests have come.
fn asked(server: &ModelServer, times: usize) {
    let began = Instant::now();
    while server.asked().len() < times {
        assert!(began.elapsed() < PATIENCE, "{} requests and no more", server.asked().len());
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A reply that never comes.
fn never() -> model_server::Turn {
    Reply { status: 200, headers: Vec::new(), pieces: vec![Piece::Stall] }.into()
}

/// A step, and then `rest`.
fn one_step(rest: Vec<model_server::Turn>) -> ModelServer {
    let first = calls(&[("kubectl", json!({"command": "kubectl get pods -n shop"}))]).saying("Which pods?").into();
    ModelServer::scripted([vec![first], rest].into_iter().flatten().collect())
}

const EXPLORE: [&str; 4] = ["diagnose", "--from", SNAPSHOT, "--explain=always"];

#[test]
fn kill_9_leaves_an_incident_that_can_be_read() {
    let home = tempfile::tempdir().unwrap();
    let server = one_step(vec![never()]);
    let mut child = start(home.path(), &server, &EXPLORE);
    asked(&server, 2);
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
    let (code, list, err) = run(home.path(), &["incidents", "list", "-o", "json"]);
    assert_eq!(code, 0, "{err}");
    let list: Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 1, "{list:#}");
    let (code, shown, err) = run(home.path(), &["incidents", "show", "latest", "--steps"]);
    assert_eq!(code, 0, "{err}");
    assert!(shown.contains("kubectl get pods -n shop") && shown.contains("Which pods?"), "{shown}");
    // It plays again as far as it came.
    let (code, replayed, err) = run(home.path(), &["incidents", "replay", "latest", "-v"]);
    assert_eq!((code, err.as_str()), (0, "note: the run did not come to its end: it is replayed up to turn 1\n"));
    for part in ["shop/cart", "AGENT", "1 step, interrupted", "kubectl get pods -n shop", "cart-6c5d9f7b8-x1k2p"] {
        assert!(replayed.contains(part), "{part}: {replayed}");
    }
    // The next run is not disturbed by it.
    let server = ModelServer::scripted(explores());
    let (code, _, err) = told(&start(home.path(), &server, &EXPLORE).wait_with_output().unwrap());
    assert_eq!(code, 0, "{err}");
    let (code, _, err) = run(home.path(), &["incidents", "replay", "latest"]);
    assert_eq!((code, err.as_str()), (0, ""));
}

#[test]
fn a_replay_masks_as_the_run_did_and_prints_as_today() {
    const QUESTION: [&str; 2] = ["-q", "why does 10.1.2.3 fail?"];
    const MASKED: &[(&str, &str)] = &[("KUBECTL_REACT_REDACT_IPS", "true")];
    for (then, now) in [(&[][..], MASKED), (MASKED, &[])] {
        let home = tempfile::tempdir().unwrap();
        let react = |server: &ModelServer, env: &[(&str, &str)], arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-react"));
            command.env_clear().envs(settings(home.path(), server)).envs(env.iter().copied()).args(arguments);
            let (code, out, err) = told(&command.output().unwrap());
            assert_eq!(code, 0, "{arguments:?}: {err}");
            (out, err)
        };
        let diagnose = [&EXPLORE[..], &QUESTION, &["-o", "json"]].concat();
        let (live, _) = react(&ModelServer::scripted(explores()), then, &diagnose);
        let quiet = ModelServer::scripted(Vec::new());
        let (replayed, notes) = react(&quiet, now, &["incidents", "replay", "latest", "-o", "json"]);
        assert_eq!(notes, "", "nothing differs");
        let question = |text: &str| -> String {
            let diagnosis: Value = serde_json::from_str(text).unwrap();
            diagnosis["exploration"]["question"].as_str().unwrap().to_owned()
        };
        let masked = question(&replayed);
        assert!(masked.contains("~ip>") && !replayed.contains("10.1.2.3"), "masked then, or masked now: {masked}");
        assert_eq!(replayed, live.replace(&question(&live), &masked), "nothing else differs");
    }
}

#[test]
fn two_runs_at_once_store_two_incidents() {
    let home = tempfile::tempdir().unwrap();
    let servers = [ModelServer::scripted(explores()), ModelServer::scripted(explores())];
    let runs: Vec<Child> = servers.iter().map(|server| start(home.path(), server, &EXPLORE)).collect();
    let outputs: Vec<Output> = runs.into_iter().map(|run| run.wait_with_output().unwrap()).collect();
    for output in &outputs {
        let (code, out, err) = told(output);
        assert_eq!(code, 0, "{err}");
        assert!(out.contains("The cart waits for a Secret"), "{out}");
    }
    let (_, list, _) = run(home.path(), &["incidents", "list", "-o", "json"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 2, "{list:#?}");
    for one in list {
        let (code, _, err) = run(home.path(), &["incidents", "replay", one["id"].as_str().unwrap()]);
        assert_eq!((code, err.as_str()), (0, ""));
    }
}

#[cfg(unix)]
fn interrupt(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[cfg(unix)]
#[test]
fn once_interrupted_it_asks_for_the_best_answer() {
    let home = tempfile::tempdir().unwrap();
    let server = one_step(vec![never(), calls(&[("finish", answer())]).into()]);
    let child = start(home.path(), &server, &EXPLORE);
    asked(&server, 2);
    interrupt(&child);
    let (code, out, err) = told(&child.wait_with_output().unwrap());
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("The cart waits for a Secret"), "{out}{err}");
    assert_eq!(server.asked().len(), 3);
}

#[cfg(unix)]
#[test]
fn twice_interrupted_it_ends_with_what_the_detectors_proved() {
    let home = tempfile::tempdir().unwrap();
    let server = one_step(vec![never(), never()]);
    let child = start(home.path(), &server, &EXPLORE);
    asked(&server, 2);
    interrupt(&child);
    asked(&server, 3);
    interrupt(&child);
    let (_, out, err) = told(&child.wait_with_output().unwrap());
    assert!(out.contains("shop/cart"), "{out}{err}");
    let (code, shown, err) = run(home.path(), &["incidents", "show", "latest", "--steps"]);
    assert_eq!(code, 0, "{err}");
    assert!(shown.contains("kubectl get pods -n shop"), "{shown}");
}
