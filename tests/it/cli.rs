//! The command line as a user meets it: the real program, a recorded snapshot, no cluster.

use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;

/// A shop whose cart lacks a Secret.
fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/cart-without-secret.json")
}

/// Shared by all tests: the index of the built-in library is made once.
const CACHE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/cache");

/// The plugin in a home of its own.
fn react(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-react"));
    command
        .env_clear()
        .env("HOME", home)
        .env("XDG_CACHE_HOME", CACHE)
        .env("XDG_STATE_HOME", home.join("state"))
        .env("XDG_CONFIG_HOME", home.join("config"));
    command
}

fn run(args: &[&str]) -> (i32, String, String) {
    let home = tempfile::tempdir().unwrap();
    told(&react(home.path()).args(args).output().unwrap())
}

fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

fn from(args: &[&str]) -> (i32, String, String) {
    let fixture = fixture();
    run(&[&["diagnose", "--from", fixture.to_str().unwrap()], args].concat())
}

#[test]
fn a_recorded_outage_is_diagnosed_without_a_cluster() {
    let (code, out, err) = from(&[]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(
        out.starts_with("1 cause in 2 namespaces (4 pods, 1 node), context prod-weu, 2026-11-23 08:43 UTC\n"),
        "{out}"
    );
    assert!(out.contains("shop/cart"), "{out}");
    assert!(!out.contains('\u{1b}'), "colours in a pipe");
    assert!(!out.contains("hunter2"), "{out}");
}

#[test]
fn a_namespace_that_is_not_there_is_not_healthy() {
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/demo/outage.json.gz");
    let (code, out, err) = run(&["diagnose", "--from", demo, "-n", "payment"]);
    let expected = "error: namespace `payment` not found\nhint: did you mean `payments`?\n";
    assert_eq!((code, out.as_str(), err.as_str()), (2, "", expected));
}

#[test]
fn every_format_holds_the_cause() {
    for format in ["json", "yaml", "markdown", "name"] {
        let (code, out, err) = from(&["-o", format]);
        assert_eq!((code, err.as_str()), (0, ""), "{format}");
        assert!(out.contains("cart"), "{format}: {out}");
    }
    let json: serde_json::Value = serde_json::from_str(&from(&["-o", "json"]).1).unwrap();
    assert_eq!(json["schemaVersion"], "kubectl-react/diagnosis/v1");
    assert_eq!(json["verdict"], "unhealthy");
}

#[test]
fn the_same_snapshot_gives_the_same_bytes() {
    for format in ["text", "json"] {
        assert_eq!(from(&["-o", format]), from(&["-o", format]));
    }
}

#[test]
fn exit_codes_speak_only_when_asked() {
    let table: &[(&[&str], i32)] = &[
        (&[], 0),
        (&["--exit-code"], 1),
        (&["--exit-code", "--fail-on", "critical"], 1),
        (&["--exit-code", "-n", "kube-system"], 0),
        (&["--nope"], 2),
    ];
    for (args, expected) in table {
        assert_eq!(from(args).0, *expected, "{args:?}");
    }
}

#[test]
fn errors_are_a_line_and_a_hint() {
    let fixture = fixture();
    let fixture = fixture.to_str().unwrap();
    let table: &[(&[&str], &str)] = &[
        (
            &["diagnose", "--from", "/no/where"],
            "error: there is no file `/no/where`\nhint: make a snapshot with `kubectl react snapshot FILE`\n",
        ),
        (
            &["diagnose", "--from", fixture, "--context", "x"],
            "error: `--from` reads no cluster, so `--context` can't be used with it\nhint: leave out `--from` or `--context`\n",
        ),
        (
            &["diagnose", "-n", "a", "-A"],
            "error: the argument `--namespace <NAME>` cannot be used with `--all-namespaces`\nhint: see `kubectl react diagnose --help`\n",
        ),
        (&["diagnos"], "error: unrecognized subcommand `diagnos`\nhint: a similar subcommand exists: `diagnose`\n"),
        (&["explain", "oom-kiled"], "error: there is no detector `oom-kiled`\nhint: did you mean `oom-killed`?\n"),
        (
            &["diagnose"],
            "error: no kubeconfig: `~/.kube/config` does not exist\nhint: set KUBECONFIG or pass `--kubeconfig`; without a cluster, use `--from FILE`\n",
        ),
    ];
    for (args, expected) in table {
        let (code, out, err) = run(args);
        assert_eq!((code, out.as_str(), err.as_str()), (2, "", *expected), "{args:?}");
    }
}

#[test]
fn under_json_an_error_is_json_too() {
    for args in [&["diagnose", "--from", "/no/where", "-o", "json"][..], &["diagnose", "--output=json", "--nope"]] {
        let (code, out, err) = run(args);
        let json: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, &json["schemaVersion"]), (2, &"kubectl-react/error/v1".into()));
        assert_eq!(
            err,
            format!(
                "error: {}\nhint: {}\n",
                json["error"]["message"].as_str().unwrap(),
                json["error"]["hint"].as_str().unwrap()
            )
        );
    }
}

#[test]
fn the_config_file_is_read_and_its_mistakes_are_told() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("config/kubectl-react");
    std::fs::create_dir_all(&folder).unwrap();
    let diagnose = || told(&react(home.path()).args(["diagnose", "--from"]).arg(fixture()).output().unwrap());
    std::fs::write(folder.join("config.yaml"), "output: name\n").unwrap();
    assert!(diagnose().1.ends_with("/cart\n"));
    std::fs::write(folder.join("config.yaml"), "outputs: name\n").unwrap();
    let (code, _, err) = diagnose();
    assert!(code == 2 && err.ends_with("has the unknown key `outputs`\nhint: did you mean `output`?\n"), "{err}");
}

#[test]
fn config_says_where_each_value_comes_from_and_no_secret() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("config/kubectl-react");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("config.yaml");
    std::fs::write(&file, "model: {name: gpt-4o}\nagent: {maxSteps: 7}\n").unwrap();
    let config = |args: &[&str]| {
        let mut command = react(home.path());
        command.env("OPENAI_API_KEY", "sk-canary").env("KUBECTL_REACT_MAX_COST", "0.5").arg("config").args(args);
        told(&command.output().unwrap())
    };
    let (code, out, err) = config(&[]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("agent.maxSteps  ") && out.contains("set (from OPENAI_API_KEY)"), "{out}");
    assert!(out.ends_with(&format!("the config file is `{}`\n", file.display())), "{out}");
    assert_eq!(config(&["view"]).1, out);
    let json: serde_json::Value = serde_json::from_str(&config(&["view", "-o", "json"]).1).unwrap();
    let row = |key: &str| {
        let rows = json["settings"].as_array().unwrap();
        rows.iter().find(|row| row["key"] == key).map(|row| (row["value"].clone(), row["origin"].clone())).unwrap()
    };
    assert_eq!(row("agent.maxSteps"), ("7".into(), format!("`{}`", file.display()).into()));
    assert_eq!(row("agent.maxCost"), ("0.50".into(), "KUBECTL_REACT_MAX_COST".into()));
    assert_eq!((&json["model"]["configured"], &json["model"]["window"]), (&true.into(), &128_000.into()));
    for args in [&[][..], &["-o", "yaml"], &["view", "-o", "json"], &["validate"]] {
        let (code, out, err) = config(args);
        assert!(code == 0 && !format!("{out}{err}").contains("sk-canary"), "{args:?} {out}{err}");
    }
    assert_eq!(config(&["validate"]).1, format!("`{}` is valid; the model is gpt-4o\n", file.display()));
    std::fs::write(&file, "model: {name: gpt-4o, key: sk-canary}\n").unwrap();
    let (code, out, err) = config(&["validate"]);
    assert!(code == 2 && out.is_empty() && !err.contains("sk-canary") && err.contains("{env: NAME}"), "{err}");
    std::fs::write(&file, "model: {name: gpt-4o, timeout: 5h}\n").unwrap();
    assert!(config(&["validate"]).2.contains("`5h` is no time from 1s to 60m"));
}

#[test]
fn a_snapshot_from_standard_input() {
    let home = tempfile::tempdir().unwrap();
    let input = std::fs::read(fixture()).unwrap();
    let output =
        react(home.path()).args(["diagnose", "--from", "-", "-o", "name"]).write_stdin(input).output().unwrap();
    let (code, out, err) = told(&output);
    assert!(code == 0 && out.ends_with("/cart\n") && err.is_empty(), "{out}{err}");
}

#[test]
fn help_and_version_are_for_kubectl_react() {
    let (code, out, err) = run(&["--help"]);
    assert!(code == 0 && err.is_empty() && out.contains("Usage: kubectl react [OPTIONS] <COMMAND>"), "{out}{err}");
    let (code, out, _) = run(&["diagnose", "-h"]);
    assert!(code == 0 && out.contains("Usage: kubectl react diagnose [OPTIONS] [TYPE[/NAME]]..."), "{out}");
    let (code, out, err) = run(&[]);
    assert!(code == 2 && out.is_empty() && err.contains("Usage: kubectl react"), "{err}");
    let (_, out, _) = run(&["version", "-o", "json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn every_detector_can_be_explained() {
    let (_, out, _) = run(&["explain", "-o", "json"]);
    let all: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap();
    assert!(!all.is_empty());
    let id = all[0]["id"].as_str().unwrap();
    let (code, page, _) = run(&["explain", id]);
    assert!(code == 0 && page.starts_with(&format!("{id}: ")) && page.contains("\nWhat it detects\n"), "{page}");
    assert!(run(&["explain"]).1.contains(id));
}

#[test]
fn the_schema_describes_what_is_printed() {
    let (code, out, _) = run(&["schema"]);
    let schema: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &schema["title"]), (0, &"Diagnosis".into()));
    let json: serde_json::Value = serde_json::from_str(&from(&["-o", "json"]).1).unwrap();
    for key in json.as_object().unwrap().keys() {
        assert!(schema["properties"].get(key).is_some(), "`{key}` is not in the schema");
    }
}

#[test]
#[cfg(unix)]
fn kubectls_name_for_completion_completes() {
    let home = tempfile::tempdir().unwrap();
    let link = home.path().join("kubectl_complete-react");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kubectl-react"), &link).unwrap();
    let complete =
        |words: &[&str]| String::from_utf8(Command::new(&link).args(words).output().unwrap().stdout).unwrap();
    assert!(complete(&["diag"]).starts_with("diagnose\t"));
    assert!(complete(&["diag"]).ends_with("\n:4\n"));
    assert_eq!(complete(&["diagnose", "--output", "js"]), "json\n:4\n");
    let (_, hidden, _) = run(&["__complete", "diagnose", "--output", "js"]);
    assert_eq!(hidden, "json\n:4\n");
}

#[test]
#[cfg(unix)]
fn completion_is_installed_beside_the_plugin() {
    let home = tempfile::tempdir().unwrap();
    let bin = home.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kubectl-react"), bin.join("kubectl-react")).unwrap();
    let install = || told(&react(home.path()).env("PATH", &bin).args(["completion", "install"]).output().unwrap());
    for _ in 0..2 {
        assert_eq!(install().0, 0);
        assert_eq!(std::fs::read_link(bin.join("kubectl_complete-react")).unwrap(), Path::new("kubectl-react"));
    }
    std::fs::remove_file(bin.join("kubectl_complete-react")).unwrap();
    std::fs::write(bin.join("kubectl_complete-react"), "mine").unwrap();
    assert_eq!(install().0, 2, "a file of someone else stays");
}

#[test]
fn a_reader_that_stops_reading_is_no_error() {
    use std::process::Stdio;
    let home = tempfile::tempdir().unwrap();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_kubectl-react"))
        .args(["schema"])
        .env("HOME", home.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

#[test]
fn the_key_stays_so_that_placeholders_are_the_same_in_every_run() {
    let home = tempfile::tempdir().unwrap();
    let diagnose =
        || react(home.path()).args(["diagnose", "-o", "json", "--from"]).arg(fixture()).output().unwrap().stdout;
    assert_eq!(diagnose(), diagnose());
    assert_eq!(std::fs::read(home.path().join("state/kubectl-react/redaction.key")).unwrap().len(), 32);
}
