//! `--events`: what a program reads along.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::agent::model_server::{ModelServer, calls, text};
use crate::agent::{SNAPSHOT, answer, explores, react, settings, told};

/// Runs it with these events, and gives its lines.
fn events(server: &ModelServer) -> (String, Vec<Value>) {
    let home = tempfile::tempdir().unwrap();
    let arguments = ["diagnose", "--from", SNAPSHOT, "--explain=always", "--events"];
    let (code, out, err) = told(&react(home.path(), server).args(arguments).output().unwrap());
    assert_eq!(code, 0, "{err}");
    let lines = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (out, lines)
}

#[test]
fn what_a_model_says_is_masked_and_moves_no_cursor() {
    let mut hostile = answer();
    hostile["summary"] = json!("It \u{9b}2Jwaits\u{202e} for \u{1b}[31ma Secret.");
    let said = "I saw\npassword=hunter2hunter2\nand \u{9b}2J\u{202e}more";
    let script = vec![
        calls(&[("kubectl", json!({"command": "kubectl get pods -n shop"}))]).saying(said).into(),
        calls(&[("finish", hostile)]).into(),
    ];
    let (out, lines) = events(&ModelServer::scripted(script));
    assert!(!out.contains("hunter2hunter2"), "{out}");
    assert!(out.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{202e}'), "{out:?}");
    let message: String =
        lines.iter().filter(|line| line["type"] == "ai_message").filter_map(|line| line["text"].as_str()).collect();
    assert!(message.starts_with("I saw\npassword=<redacted:") && message.contains("\u{202e}more"), "{message:?}");
}

#[test]
fn the_last_one_is_the_object_of_the_other_form() {
    let (_, lines) = events(&ModelServer::scripted(explores()));
    let (home, server) = (tempfile::tempdir().unwrap(), ModelServer::scripted(explores()));
    let arguments = ["diagnose", "--from", SNAPSHOT, "--explain=always", "-o", "json"];
    let (_, out, _) = told(&react(home.path(), &server).args(arguments).output().unwrap());
    let (mut one, mut other) =
        (lines.last().unwrap()["diagnosis"].clone(), serde_json::from_str::<Value>(&out).unwrap());
    for diagnosis in [&mut one, &mut other] {
        // What differs from run to run.
        let found = diagnosis["exploration"].as_object_mut().unwrap();
        found.remove("incident");
        let usage = found["usage"].as_object_mut().unwrap();
        for name in ["millis", "started", "server"] {
            usage.remove(name);
        }
        for step in found["steps"].as_array_mut().unwrap() {
            step.as_object_mut().unwrap().remove("millis");
        }
    }
    assert_eq!(one, other);
}

#[test]
fn an_error_is_an_event_too() {
    let (home, server) = (tempfile::tempdir().unwrap(), ModelServer::scripted(Vec::new()));
    let (code, out, err) =
        told(&react(home.path(), &server).args(["diagnose", "--from", "/nowhere", "--events"]).output().unwrap());
    let event: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &event["type"], &event["schemaVersion"]), (2, &json!("error"), &json!("kubectl-react/event/v1")));
    assert!(err.contains(event["message"].as_str().unwrap()), "{err}");
}

#[test]
fn the_schema_knows_every_event() {
    let (home, server) = (tempfile::tempdir().unwrap(), ModelServer::scripted(Vec::new()));
    let (code, out, _) = told(&react(home.path(), &server).args(["schema", "--events"]).output().unwrap());
    assert_eq!(code, 0);
    let schema: Value = serde_json::from_str(&out).unwrap();
    let kinds: Vec<&Value> =
        schema["oneOf"].as_array().unwrap().iter().map(|kind| &kind["properties"]["type"]["const"]).collect();
    for line in events(&ModelServer::scripted(explores())).1 {
        assert!(kinds.contains(&&line["type"]), "{}: {kinds:?}", line["type"]);
    }
    assert!(kinds.contains(&&json!("error")));
}

#[test]
fn where_nobody_reads_no_model_is_paid_for() {
    for form in [&["--events"][..], &[]] {
        let home = tempfile::tempdir().unwrap();
        let server = ModelServer::by(|asked| text("I wonder.").reply(asked));
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_kubectl-react"))
            .args(["diagnose", "--from", SNAPSHOT, "--explain=always"])
            .args(form)
            .env_clear()
            .envs(settings(home.path(), &server))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), server.asked().len()), (Some(0), 0), "{form:?}");
    }
}
