//! Incidents as other processes leave them: killed, out of room, beside each other; and the commands that show them.
//!
//! The other process is this test binary, which plays a part where [`PART`] says so.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kubectl_react::cluster::snapshot_file;
use kubectl_react::diagnose::{self, Request};
use kubectl_react::incidents::{Head, State, Store, Writer};
use kubectl_react::model::chat::{ChatReply, Spent};
use kubectl_react::model::{Diagnosis, Exploration, Observation, Snapshot, Step, Turn, TurnOutcome, Usage};
use kubectl_react::redact::{Redacted, Redactor};

/// What the other process does: `forever`, `flood` or `many`.
const PART: &str = "REACT_TEST_INCIDENTS_PART";
/// Where.
const FOLDER: &str = "REACT_TEST_INCIDENTS_FOLDER";

/// The same key as the program finds in the state directory.
const KEY: [u8; 32] = [7; 32];

fn store(state: &Path) -> Store {
    Store::open(state.join("kubectl-react/incidents"), Redactor::new(KEY))
}

fn head() -> Head {
    Head {
        time: "2026-11-26T10:15:00Z".parse().unwrap(),
        context: "prod".to_owned(),
        namespace: None,
        targets: Vec::new(),
        selector: None,
        question: Some("why is the cart down?".to_owned()),
        prompt_version: "p1".to_owned(),
        model: "gpt".to_owned(),
        server: "models.example:443".to_owned(),
        start: serde_json::Value::Null,
    }
}

fn turn(number: usize) -> Turn {
    let reply = ChatReply { text: format!("thought {number} {}", "x".repeat(300)), ..ChatReply::default() };
    Turn {
        number,
        elapsed: 0,
        interrupts: 0,
        request: "ab".repeat(32),
        spent: Spent::default(),
        outcome: TurnOutcome::Reply(reply),
    }
}

fn step(number: usize) -> Step {
    Step {
        number,
        thought: "look at the pods".to_owned(),
        tool: "kubectl".to_owned(),
        action: "kubectl get pods -n shop".to_owned(),
        observation: Observation { text: format!("row {number}\n").repeat(20), ..Observation::default() },
        millis: 7,
    }
}

fn snapshot() -> Redacted<Snapshot> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/cart-without-secret.json");
    snapshot_file::read(&path, &Redactor::new(KEY)).unwrap()
}

/// What the detectors say, and what an agent might have added.
fn diagnosis(snapshot: &Snapshot) -> Diagnosis {
    let mut diagnosis = diagnose::derive(snapshot, &Request::default()).unwrap();
    let usage = Usage { model: "gpt".to_owned(), cost: Some(0.0123), ..Usage::default() };
    diagnosis.exploration = Some(Exploration { steps: vec![step(1), step(2)], usage, ..Exploration::default() });
    diagnosis
}

fn whole(store: &Store) -> String {
    let writer = store.begin(head()).unwrap();
    begin_to_work(&writer, 2);
    let snapshot = snapshot();
    let ending = writer.finish(&diagnosis(&snapshot), Some(&snapshot));
    assert_eq!(ending.notes, [""; 0]);
    ending.id.unwrap()
}

fn begin_to_work(writer: &Writer, turns: usize) {
    for number in 1..=turns {
        writer.turn(turn(number));
        writer.observation(&step(number));
    }
}

/// The part of the other process; in a usual run it has none.
#[test]
fn another_process() {
    let (Ok(part), Ok(folder)) = (std::env::var(PART), std::env::var(FOLDER)) else { return };
    let store = store(Path::new(&folder));
    match part.as_str() {
        "many" => (0..10).for_each(|_| assert!(whole(&store).starts_with("20261126-"))),
        "forever" => {
            let writer = store.begin(head()).unwrap();
            for number in 1.. {
                writer.turn(turn(number));
                writer.observation(&step(number));
            }
        }
        "flood" => {
            let writer = store.begin(head()).unwrap();
            begin_to_work(&writer, 200);
            let snapshot = snapshot();
            let ending = writer.finish(&diagnosis(&snapshot), Some(&snapshot));
            assert!(!ending.notes.is_empty(), "the room was to end");
            std::fs::write(Path::new(&folder).join("ended"), ending.notes.join("\n").len().to_string()).unwrap();
        }
        other => panic!("{other}"),
    }
}

fn other(part: &str, state: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "incidents::another_process", "--nocapture"]);
    command.env(PART, part).env(FOLDER, state).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Waits until something is so.
fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_mins(1), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn kill_9_leaves_what_was_there_and_the_neighbours() {
    let state = tempfile::tempdir().unwrap();
    let store = store(state.path());
    let neighbour = whole(&store);
    let before = store.load_whole(&neighbour).unwrap();
    // Several times, since where it is hit is chance.
    for round in 1..=5 {
        let mut child = other("forever", state.path()).spawn().unwrap();
        let running = || {
            let listed = store.list().unwrap();
            listed
                .iter()
                .find(|listed| listed.state == State::Running)
                .filter(|listed| listed.steps >= 3)
                .map(|l| l.id.clone())
        };
        until("another process writes", || running().is_some());
        let id = running().unwrap();
        assert!(store.delete(&id).is_err(), "a run that goes on is not deleted");
        // SIGKILL, on Unix.
        child.kill().unwrap();
        child.wait().unwrap();
        let incident = store.load_whole(&id).unwrap();
        assert_eq!(incident.state, State::Unfinished);
        assert!(incident.turns.len() >= 3 && incident.steps.len() >= 3, "{}", incident.turns.len());
        assert!(incident.turns.iter().zip(1..).all(|(turn, number)| turn.number == number), "in order, none lost");
        assert_eq!(incident.record.question.as_deref(), Some("why is the cart down?"));
        assert_eq!(store.list().unwrap().len(), 1 + round);
        assert_eq!(store.load_whole(&neighbour).unwrap(), before);
    }
}

/// A limit on the size of files stands for a disk that is full: a write ends in the middle of a line.
#[cfg(unix)]
#[test]
fn no_room_is_a_note_and_what_was_stored_stays() {
    for (blocks, finished) in [(8, false), (32, true)] {
        let state = tempfile::tempdir().unwrap();
        let store = store(state.path());
        let neighbour = whole(&store);
        let before = store.load_whole(&neighbour).unwrap();
        let limited = other("flood", state.path());
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\""), "sh"]);
        shell.arg(limited.get_program()).args(limited.get_args());
        shell.envs(limited.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let ended = shell.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert!(ended.success() && state.path().join("ended").exists(), "the run comes to its end: {ended}");
        let listed = store.list().unwrap();
        assert_eq!(listed.len(), 2);
        let id = &listed.iter().find(|listed| listed.id != neighbour).unwrap().id;
        let incident = store.load_whole(id).unwrap();
        assert!(!incident.turns.is_empty() && incident.turns.len() < 200, "{}", incident.turns.len());
        assert!(incident.damage.is_empty(), "no half line is left: {:?}", incident.damage);
        assert_eq!(incident.state == State::Finished, finished, "{blocks}: {:?}", incident.record.notes);
        if finished {
            assert!(
                incident.record.notes.iter().any(|note| note.contains("turns.jsonl")),
                "{:?}",
                incident.record.notes
            );
        }
        assert_eq!(store.load_whole(&neighbour).unwrap(), before);
    }
}

#[test]
fn two_processes_at_once_do_not_meet() {
    let state = tempfile::tempdir().unwrap();
    let children: Vec<_> = (0..3).map(|_| other("many", state.path()).spawn().unwrap()).collect();
    let store = store(state.path());
    // Whoever reads meanwhile sees no half of anything.
    until("they write", || {
        let listed = store.list().unwrap();
        assert!(listed.iter().filter(|listed| listed.state == State::Finished).all(|listed| listed.damage.is_empty()));
        listed.len() == 30 && listed.iter().all(|listed| listed.state == State::Finished)
    });
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    for listed in store.list().unwrap() {
        let incident = store.load_whole(&listed.id).unwrap();
        assert!(
            incident.damage.is_empty() && incident.turns.len() == 2 && incident.snapshot.is_some(),
            "{}",
            listed.id
        );
    }
}

/// A home whose state directory has the key that the store here uses.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("state/kubectl-react");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("redaction.key"), KEY).unwrap();
    home
}

fn react(home: &Path, args: &[&str]) -> (i32, String, String) {
    let output = assert_cmd::Command::new(env!("CARGO_BIN_EXE_kubectl-react"))
        .env_clear()
        .env("HOME", home)
        .env("XDG_STATE_HOME", home.join("state"))
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("XDG_CACHE_HOME", home.join("cache"))
        .current_dir(home)
        .args(args)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

#[test]
fn incidents_are_listed_shown_exported_replayed_and_deleted() {
    let home = home();
    let (code, out, err) = react(home.path(), &["incidents", "list"]);
    assert!(code == 0 && out.is_empty() && err.starts_with("no incidents in "), "{out}{err}");
    let store = store(&home.path().join("state"));
    let id = whole(&store);
    drop(store.begin(Head { time: "2026-11-26T09:00:00Z".parse().unwrap(), ..head() }).unwrap());

    let (code, out, err) = react(home.path(), &["incidents", "list"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let lines: Vec<Vec<&str>> = out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["ID", "AGE", "CONTEXT", "VERDICT", "CAUSES", "MODEL", "STEPS", "COST"]);
    assert_eq!((lines[1][0], &lines[1][2..]), (id.as_str(), &["prod", "unhealthy", "1", "gpt", "2", "0.0123"][..]));
    assert_eq!(lines[2][3], "unfinished");
    let (_, out, _) = react(home.path(), &["incidents", "list", "-o", "json"]);
    let rows: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&rows[0]["state"], &rows[0]["causes"], &rows[1]["state"]),
        (&"finished".into(), &1.into(), &"unfinished".into())
    );
    assert_eq!(react(home.path(), &["incidents", "list", "-o", "name"]).1.lines().next(), Some(id.as_str()));

    let (code, out, err) = react(home.path(), &["incidents", "show", "latest", "--steps"]);
    assert!(code == 0 && err.is_empty() && out.starts_with(&format!("Incident {id}\n")), "{out}{err}");
    for part in ["why is the cart down?", "shop/cart", "Step 2: kubectl get pods -n shop", "    row 2\n"] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let (_, out, _) = react(home.path(), &["incidents", "show", &id, "-o", "json", "--steps"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&json["schemaVersion"], &json["turns"][1]["number"]), (&"kubectl-react/incident/v1".into(), &2.into()));
    let markdown = react(home.path(), &["incidents", "show", &id, "-o", "markdown"]).1;
    assert!(markdown.starts_with(&format!("# Incident {id}\n")), "{markdown}");

    // Replayed, here and from a file elsewhere: the same bytes. What was stored here by hand has no beginning.
    let told = "note: what the run began with can't be read: its record is shown as it is\n";
    let (code, replayed, err) = react(home.path(), &["incidents", "replay", "latest", "-o", "json"]);
    assert_eq!((code, err.as_str()), (0, told), "{replayed}");
    let (code, _, err) = react(home.path(), &["incidents", "export", &id]);
    assert_eq!((code, err), (0, format!("wrote incident {id} to {id}.json.gz\n")));
    let elsewhere = tempfile::tempdir().unwrap();
    let file = home.path().join(format!("{id}.json.gz"));
    let file = file.to_str().unwrap();
    let again = react(elsewhere.path(), &["incidents", "replay", "--from", file, "-o", "json"]);
    assert_eq!(again, (0, replayed, told.to_owned()));
    assert!(react(elsewhere.path(), &["incidents", "show", "--from", file]).1.contains("shop/cart"));

    let (code, out, _) = react(home.path(), &["incidents", "delete", id.rsplit_once('-').unwrap().0]);
    assert_eq!((code, out), (0, format!("incident {id} deleted\n")));
    let (first, second) = (whole(&store), whole(&store));
    let (code, out, err) = react(home.path(), &["incidents", "delete", &first, "bogus", &second]);
    assert_eq!((code, out), (2, format!("incident {first} deleted\nincident {second} deleted\n")), "{err}");
    assert_eq!(err, "error: there is no incident `bogus`\nhint: `kubectl react incidents list` shows them\n");
    let (code, _, err) = react(home.path(), &["incidents", "delete", "--all"]);
    assert_eq!((code, err.lines().last()), (2, Some("hint: say it with `--yes`")));
    assert_eq!(react(home.path(), &["incidents", "delete", "--all", "--yes"]).0, 0);
    assert_eq!(store.ids().unwrap(), [""; 0]);
}

#[test]
fn what_is_not_there_is_a_line_and_a_hint() {
    let home = home();
    let id = whole(&store(&home.path().join("state")));
    std::fs::write(home.path().join("other.json"), "{}").unwrap();
    std::fs::remove_file(home.path().join("state/kubectl-react/incidents").join(&id).join("snapshot.json.gz")).unwrap();
    let table: &[(&[&str], &str)] = &[
        (
            &["incidents", "show", "2027"],
            "error: there is no incident `2027`\nhint: `kubectl react incidents list` shows them\n",
        ),
        (
            &["incidents", "show"],
            "error: the following required arguments were not provided: <ID|--from <FILE>>\nhint: see `kubectl react incidents show --help`\n",
        ),
        (&["incidents", "show", "--from", "no"], "error: can't read `no`: No such file or directory (os error 2)\n"),
        (
            &["incidents", "show", "--from", "other.json"],
            "error: can't use `other.json`: it is no exported incident: missing field `schemaVersion` at line 1 column 2\nhint: `kubectl react incidents export ID -f FILE` writes one\n",
        ),
        (
            &["incidents", "delete"],
            "error: the following required arguments were not provided: <ID>...\nhint: see `kubectl react incidents delete --help`\n",
        ),
    ];
    for (args, expected) in table {
        let (code, out, err) = react(home.path(), args);
        assert_eq!((code, out.as_str(), err.as_str()), (2, "", *expected), "{args:?}");
    }
    let (code, _, err) = react(home.path(), &["incidents", "replay", &id]);
    assert_eq!(
        (code, err),
        (
            2,
            format!(
                "error: incident {id} has no snapshot\nhint: `kubectl react incidents show {id}` shows what is there\n"
            )
        )
    );
}

#[test]
fn what_was_lost_is_told_when_it_is_exported_and_shown_elsewhere() {
    let home = home();
    let id = whole(&store(&home.path().join("state")));
    let turns = home.path().join("state/kubectl-react/incidents").join(&id).join("turns.jsonl");
    let bytes = std::fs::read(&turns).unwrap();
    std::fs::write(&turns, &bytes[..bytes.len() - 9]).unwrap();
    let (code, _, err) = react(home.path(), &["incidents", "export", &id, "-f", "one.json.gz"]);
    let lost = "the last line of turns.jsonl is cut off";
    assert_eq!((code, err), (0, format!("note: {lost}\nwrote incident {id} to one.json.gz\n")));
    for command in ["show", "replay"] {
        let (code, out, err) = react(home.path(), &["incidents", command, "--from", "one.json.gz"]);
        assert!(code == 0 && format!("{out}{err}").contains(lost), "{command}: {out}{err}");
    }
    #[cfg(target_os = "linux")]
    assert_eq!(
        react(home.path(), &["incidents", "show", "--from", "/dev/zero"]),
        (2, String::new(), "error: can't read `/dev/zero`: it holds more than 256 MiB\n".to_owned())
    );
}

#[test]
fn the_doctor_works_without_a_cluster_and_says_what_to_do() {
    let home = home();
    let began = Instant::now();
    let (code, out, err) = react(home.path(), &["doctor"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(began.elapsed() < Duration::from_mins(1));
    for part in [
        "FAIL  cluster    no kubeconfig",
        "skip  rights",
        "warn  kubectl",
        "runbooks",
        "index",
        "embedder",
        "model",
        "ok    incidents  0 incidents",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert_eq!(react(home.path(), &["doctor", "--exit-code"]).0, 1);
    let (_, out, _) = react(home.path(), &["doctor", "-o", "json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["schemaVersion"], "kubectl-react/doctor/v1");
    let checks = json["checks"].as_array().unwrap();
    let areas: Vec<&str> = checks.iter().filter_map(|check| check["area"].as_str()).collect();
    assert_eq!(
        areas,
        [
            "cluster",
            "rights",
            "kubectl",
            "plugin",
            "config",
            "state",
            "cache",
            "runbooks",
            "index",
            "embedder",
            "model",
            "incidents"
        ]
    );
    for check in checks.iter().filter(|check| ["failed", "warning"].contains(&check["standing"].as_str().unwrap())) {
        assert!(check["hints"].as_array().is_some_and(|hints| !hints.is_empty()), "what to do about {check}");
    }

    // A config file that can't be read takes no other check with it.
    std::fs::create_dir_all(home.path().join("config/kubectl-react")).unwrap();
    std::fs::write(home.path().join("config/kubectl-react/config.yaml"), "outptu: json\n").unwrap();
    let (code, out, _) = react(home.path(), &["doctor"]);
    assert_eq!(code, 0);
    assert!(
        out.contains("FAIL  config") && out.contains("did you mean `output`?") && out.contains("skip  incidents"),
        "{out}"
    );
}
