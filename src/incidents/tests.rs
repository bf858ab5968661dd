//! What is stored can be read, whatever happened while it was written.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::testing::{at, diagnosis, failure, head, redactor, snapshot, step, turn};
use super::*;
use crate::model::TurnOutcome;

fn store(folder: &Path) -> Store {
    Store::open(folder.join("incidents"), redactor())
}

/// An incident that came to its end.
fn finished(store: &Store, head: Head) -> String {
    let writer = store.begin(head).unwrap();
    writer.turn(turn(1));
    writer.turn(failure(2));
    writer.observation(&step(1));
    writer.observation(&step(2));
    let ending = writer.finish(&diagnosis(), Some(&snapshot()));
    assert_eq!((ending.id.as_deref(), ending.notes.as_slice()), (Some(writer.id()), &[][..]));
    writer.id().to_owned()
}

/// One that was killed after two turns and a step, as it lies there.
fn killed(store: &Store, head: Head) -> String {
    let writer = store.begin(head).unwrap();
    writer.saw(&snapshot());
    writer.turn(turn(1));
    writer.turn(turn(2));
    writer.observation(&step(1));
    writer.id().to_owned()
}

#[test]
fn what_was_stored_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    assert_eq!(store.list().unwrap(), []);
    let id = finished(&store, head());
    assert!(id.starts_with("20261126-101500-"), "{id}");
    let incident = store.load_whole(&id).unwrap();
    assert_eq!((incident.state, incident.damage.as_slice()), (State::Finished, &[][..]));
    assert_eq!(incident.turns, [turn(1), failure(2)]);
    assert_eq!(incident.steps, [step(1), step(2)]);
    assert_eq!(incident.snapshot.as_deref(), Some(&*snapshot()));
    let kept = incident.record.diagnosis.unwrap();
    assert_eq!(kept.exploration.as_ref().unwrap().incident.as_deref(), Some(id.as_str()), "it knows where it is kept");
    assert_eq!(incident.record.question.as_deref(), Some("why is it slow?"));
    assert_eq!(incident.record.plugin_version, env!("CARGO_PKG_VERSION"));
    let listed = store.list().unwrap();
    assert_eq!((listed.len(), listed[0].steps, listed[0].state), (1, 2, State::Finished));
    let names: BTreeSet<String> = fs::read_dir(store.folder().join(&id))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected = ["incident.json", "observations.jsonl", "snapshot.json.gz", "turns.jsonl"];
    assert_eq!(names, expected.map(str::to_owned).into(), "nothing unfinished is left");
}

#[cfg(unix)]
#[test]
fn it_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let id = finished(&store, head());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(store.folder()), mode(&store.folder().join(&id))), (0o700, 0o700));
    for entry in fs::read_dir(store.folder().join(&id)).unwrap() {
        assert_eq!(mode(&entry.as_ref().unwrap().path()), 0o600, "{entry:?}");
    }
}

#[test]
fn a_killed_run_is_unfinished_and_has_what_it_had() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let running = store.begin(head()).unwrap();
    running.turn(turn(1));
    assert_eq!(store.list().unwrap()[0].state, State::Running);
    assert!(matches!(store.delete(running.id()), Err(StoreError::Running(_))));
    drop(running);
    let id = killed(&store, at("2026-11-26T10:16:00Z"));
    let incident = store.load(&id).unwrap();
    assert_eq!((incident.state, incident.damage.as_slice()), (State::Unfinished, &[][..]));
    assert_eq!((incident.turns.len(), incident.steps.len()), (2, 1));
    assert_eq!((incident.record.context.as_str(), incident.record.diagnosis), ("prod", None));
    assert_eq!(store.load_whole(&id).unwrap().snapshot.as_deref(), Some(&*snapshot()), "it can be replayed");
    assert_eq!(store.delete(&id).unwrap(), id);
    assert_eq!(store.list().unwrap().len(), 1);
}

/// A run that is killed leaves each file cut at any byte, or not at all.
#[test]
fn a_file_that_is_cut_anywhere_takes_nothing_else_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let whole = finished(&store, at("2026-11-26T10:00:00Z"));
    let before = store.load_whole(&whole).unwrap();
    let other = finished(&store, at("2026-11-26T10:01:00Z"));
    let partial = killed(&store, head());
    for (name, folder) in [(&other, other.clone()), (&partial, format!("{partial}.partial"))] {
        let folder = store.folder().join(folder);
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            for cut in 0..bytes.len() {
                fs::write(&path, &bytes[..cut]).unwrap();
                let listed = store.list().unwrap();
                assert_eq!(listed.len(), 3, "{} at {cut}", path.display());
                let incident = store.load_whole(name).unwrap();
                let lines = bytes[..cut].split(|byte| *byte == b'\n').count() - 1;
                if path.ends_with("turns.jsonl") {
                    // A line without its end may be whole.
                    assert!(incident.turns.len() == lines || incident.turns.len() == lines + 1, "at {cut}");
                } else {
                    assert_eq!(incident.turns.len(), 2, "{} at {cut}", path.display());
                }
                let lost = !path.ends_with("lock") && incident.damage.is_empty();
                let silent = path.extension().is_some_and(|end| end == "jsonl") || bytes[cut..].trim_ascii().is_empty();
                assert!(!lost || silent, "{} at {cut}: {:?}", path.display(), incident.damage);
            }
            fs::remove_file(&path).unwrap();
            assert_eq!(store.list().unwrap().len(), 3, "without {}", path.display());
            fs::write(&path, &bytes).unwrap();
        }
    }
    assert_eq!(store.load_whole(&whole).unwrap(), before, "the neighbour is as it was");
}

#[test]
fn the_snapshot_of_the_beginning_stays_or_gives_way() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let mut later = (*snapshot()).clone();
    later.context = "later".to_owned();
    let later = redactor().seal(later);
    for (last, expected) in [(None, "prod"), (Some(&later), "later")] {
        let writer = store.begin(head()).unwrap();
        writer.saw(&snapshot());
        assert_eq!(writer.finish(&diagnosis(), last).notes, [""; 0]);
        writer.saw(&later);
        assert_eq!(store.load_whole(writer.id()).unwrap().snapshot.unwrap().context, expected);
    }
}

/// `/dev/full` says what a full disk says.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_note() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let writer = store.begin(head()).unwrap();
    let partial = store.folder().join(format!("{}.partial", writer.id()));
    std::os::unix::fs::symlink("/dev/full", partial.join("turns.jsonl")).unwrap();
    writer.turn(turn(1));
    writer.turn(turn(2));
    writer.observation(&step(1));
    let full = "the incident can't be kept whole: turns.jsonl: No space left on device (os error 28)";
    assert_eq!(writer.notes(), [full]);
    std::os::unix::fs::symlink("/dev/full", partial.join(".snapshot.json.gz.tmp")).unwrap();
    let ending = writer.finish(&diagnosis(), Some(&snapshot()));
    let snap = "the incident can't be kept whole: snapshot.json.gz: No space left on device (os error 28)";
    assert_eq!((ending.id.as_deref(), ending.notes), (Some(writer.id()), vec![full.to_owned(), snap.to_owned()]));
    fs::remove_file(store.folder().join(writer.id()).join("turns.jsonl")).unwrap();
    let incident = store.load_whole(writer.id()).unwrap();
    assert_eq!((incident.state, incident.steps.len(), incident.snapshot), (State::Finished, 2, None));
    assert_eq!(incident.record.notes, [full, snap], "whoever reads it later is told too");

    // With no room at all the run stays unfinished, and what it had is there.
    let writer = store.begin(at("2026-11-26T10:16:00Z")).unwrap();
    writer.observation(&step(1));
    let partial = store.folder().join(format!("{}.partial", writer.id()));
    fs::create_dir(partial.join(".incident.json.tmp")).unwrap();
    let ending = writer.finish(&diagnosis(), Some(&snapshot()));
    assert_eq!((ending.id, ending.notes.len()), (None, 1));
    drop(writer);
    let incident = store.load("latest").unwrap();
    assert_eq!((incident.state, incident.steps.len(), incident.record.diagnosis), (State::Unfinished, 1, None));
}

#[test]
fn a_line_that_can_not_be_written_whole_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    let mut journal = files::Journal::new(path.clone());
    journal.add(&1).unwrap();
    // Half a line, as a full disk leaves it, and what follows an error.
    fs::write(&path, "1\n").unwrap();
    journal.add(&2).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "1\n2\n");
}

#[test]
fn a_state_directory_that_is_none_is_an_error_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("incidents"), "").unwrap();
    let store = store(folder.path());
    let error = store.begin(head()).unwrap_err();
    assert!(matches!(error, StoreError::Write { .. }) && error.hint().is_some(), "{error}");
    assert!(matches!(store.list(), Err(StoreError::Read { .. })));
}

#[test]
fn many_writers_at_once_do_not_meet() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let ids: Vec<String> = std::thread::scope(|scope| {
        let run = || (0..8).map(|_| finished(&store, head())).collect::<Vec<_>>();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(run)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 64);
    let listed = store.list().unwrap();
    assert_eq!(listed.len(), 64);
    assert!(listed.iter().all(|listed| listed.state == State::Finished && listed.damage.is_empty()));
}

#[test]
fn the_oldest_give_way_but_not_one_that_runs() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path()).keeping(3);
    let running = store.begin(at("2026-11-26T09:00:00Z")).unwrap();
    let ids: Vec<String> = (0..5).map(|minute| finished(&store, at(&format!("2026-11-26T10:0{minute}:00Z")))).collect();
    let left = store.ids().unwrap();
    assert_eq!(left.first(), ids.last());
    assert!(left.contains(&running.id().to_owned()) && !left.contains(&ids[0]), "{left:?}");
    // What a killed run began to delete goes with the next one.
    let trash = store.folder().join(format!("{}.trash", ids[0]));
    fs::create_dir(&trash).unwrap();
    assert!(!store.ids().unwrap().contains(&ids[0]));
    finished(&store, at("2026-11-26T10:06:00Z"));
    assert!(!trash.exists());
}

#[test]
fn an_incident_is_found_by_what_is_unique() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    assert!(matches!(store.load("latest"), Err(StoreError::Empty(_))));
    let (first, second) = (finished(&store, head()), finished(&store, at("2026-11-26T10:16:00Z")));
    fs::create_dir(store.folder().join("20261127-000000-zzzz")).unwrap();
    assert_eq!(store.load("latest").unwrap().id, second);
    assert_eq!(store.load(first.rsplit_once('-').unwrap().0).unwrap().id, first);
    let table = [
        ("", "there is no incident ``"),
        ("2027", "there is no incident `2027`"),
        ("../incidents", "there is no incident `../incidents`"),
        ("2026", "`2026` is the beginning of 2 incidents"),
    ];
    for (wanted, expected) in table {
        let error = store.load(wanted).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert!(error.hint().is_some(), "{wanted}");
    }
}

#[test]
fn no_secret_is_stored() {
    const SECRET: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let writer = store.begin(Head { question: Some(format!("is {SECRET} wrong?")), ..head() }).unwrap();
    let mut told = turn(1);
    if let TurnOutcome::Reply(reply) = &mut told.outcome {
        reply.text = format!("I saw {SECRET}");
        reply.calls[0].arguments = format!(r#"{{"line":"{SECRET}"}}"#);
    }
    writer.turn(told);
    let mut seen = step(1);
    seen.observation.text = format!("line\npassword: hunter2-{SECRET}\n");
    writer.observation(&seen);
    let mut concluded = diagnosis();
    let exploration = concluded.exploration.as_mut().unwrap();
    exploration.steps = vec![seen];
    let claim = crate::model::Claim { quote: SECRET.to_owned(), ..Default::default() };
    let cause = crate::model::StatedCause { claims: vec![claim], ..Default::default() };
    exploration.answer =
        Some(crate::model::Answer { summary: SECRET.to_owned(), causes: vec![cause], ..Default::default() });
    writer.finish(&concluded, None);
    let folder = store.folder().join(writer.id());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        assert!(!fs::read_to_string(&path).unwrap().contains(SECRET), "{}", path.display());
    }
    let exported = files::unzip(&store.load_whole("latest").unwrap().export().unwrap(), files::LARGEST).unwrap();
    assert!(!String::from_utf8(exported).unwrap().contains(SECRET));
}

#[test]
fn what_is_exported_is_read_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let id = finished(&store, head());
    let exported = store.load_whole(&id).unwrap().export().unwrap();
    assert_eq!(exported, store.load_whole(&id).unwrap().export().unwrap(), "the same bytes");
    let elsewhere = Store::open(folder.path().join("elsewhere"), crate::redact::Redactor::new([2; 32]));
    assert_eq!(elsewhere.import(&exported).unwrap(), store.load_whole(&id).unwrap());
    let plain = files::unzip(&exported, files::LARGEST).unwrap();
    assert!(elsewhere.import(&plain).is_ok(), "not compressed");
    for cut in [0, 1, 10, exported.len() / 2, exported.len() - 1] {
        let error = elsewhere.import(&exported[..cut]).unwrap_err();
        assert!(matches!(error, StoreError::NotExported(_)), "{cut}: {error}");
    }
    let newer = br#"{"schemaVersion":"kubectl-react/incident/v9"}"#;
    assert!(matches!(elsewhere.import(newer), Err(StoreError::OtherVersion(_))));
    let other = br#"{"schemaVersion":"kubectl-react/snapshot/v1"}"#;
    assert_eq!(
        elsewhere.import(other).unwrap_err().to_string(),
        "it is no exported incident: it says that it is `kubectl-react/snapshot/v1`"
    );
}

#[test]
fn what_was_lost_is_told_wherever_it_is_exported_to() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let id = finished(&store, head());
    for name in ["snapshot.json.gz", "turns.jsonl"] {
        let path = store.folder().join(&id).join(name);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 20]).unwrap();
    }
    let incident = store.load_whole(&id).unwrap();
    assert_eq!(
        incident.damage,
        ["the last line of turns.jsonl is cut off", "snapshot.json.gz can't be read: it is cut off"]
    );
    let elsewhere = Store::open(folder.path().join("elsewhere"), redactor());
    assert_eq!(elsewhere.import(&incident.export().unwrap()).unwrap(), incident);
}

#[test]
fn no_more_is_read_than_an_incident_has() {
    let mut part = Vec::new();
    files::zip(&mut part, &"0".repeat(1 << 20)).unwrap();
    let bomb = part.repeat(300);
    assert!(bomb.len() < 1 << 20, "it is small as long as nobody opens it");
    let folder = tempfile::tempdir().unwrap();
    let error = store(folder.path()).import(&bomb).unwrap_err();
    assert_eq!(error.to_string(), "it is no exported incident: it holds more than 256 MiB");
    assert!(error.hint().is_some());
    if cfg!(target_os = "linux") {
        let error = exported(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(error.to_string(), "can't read `/dev/zero`: it holds more than 256 MiB");
    }
}

#[test]
fn addresses_are_those_of_the_recording_where_it_is_replayed() {
    let hiding = || redactor().hiding(Addresses { emails: false, ips: true });
    let asks = || Head { question: Some("why does 10.0.0.7 fail?".to_owned()), ..head() };
    let folder = tempfile::tempdir().unwrap();
    let open = |redactor| Store::open(folder.path().join("incidents"), redactor);
    for (recorded, today) in [(redactor(), hiding()), (hiding(), redactor())] {
        let masked = recorded.hides_addresses();
        let id = finished(&open(recorded), asks());
        let question = |store: Store| store.load_whole(&id).unwrap().record.question.unwrap();
        let replayed = question(open(today.clone()).as_recorded());
        assert_eq!(replayed.contains("10.0.0.7"), !masked, "{replayed}");
        assert!(question(open(today)).contains("~ip>"), "what is shown is masked as it is today, or was then");
        let exported = open(redactor()).load_whole(&id).unwrap().export().unwrap();
        let imported = open(hiding()).as_recorded().import(&exported).unwrap();
        assert_eq!((imported.record.masked.ips, imported.record.question), (masked, Some(replayed)));
    }
}

#[test]
fn a_diagnosis_of_another_version_leaves_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let id = finished(&store, head());
    let path = store.folder().join(&id).join("incident.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"verdict\": \"unhealthy\"", "\"verdict\": \"cursed\"")).unwrap();
    let incident = store.load(&id).unwrap();
    assert_eq!((incident.record.context.as_str(), incident.record.diagnosis), ("prod", None));
    assert!(incident.damage[0].starts_with("the diagnosis can't be read: "), "{:?}", incident.damage);
    fs::write(&path, text.replace("kubectl-react/incident/v1", "kubectl-react/incident/v2")).unwrap();
    let incident = store.load(&id).unwrap();
    assert_eq!(incident.damage, ["incident.json can't be read: it is of the format `kubectl-react/incident/v2`"]);
    assert_eq!(incident.record.time, Some(head().time), "the id tells it");
}
