//! What is remembered, through damage, repetition and other processes.

use std::fs;
use std::io::Write;

use super::*;

fn place(path: &str, blob: &str) -> Place {
    Place { library: Library::Team, path: path.to_owned(), commit: "c".repeat(40), blob: blob.to_owned() }
}

fn at(time: &str, path: &str, kind: Kind) -> Outcome {
    let name = path.rsplit('/').next().unwrap().trim_end_matches(".md").to_owned();
    let outcome = Outcome::of(&place(path, "b1"), &name, kind, By::Person, time.parse().unwrap());
    Outcome { fingerprint: Some("f1".to_owned()), detector: Some("oom-killed".to_owned()), ..outcome }
}

const MORNING: &str = "2026-11-26T08:00:00Z";
const EVENING: &str = "2026-11-26T20:00:00Z";
const NEXT_DAY: &str = "2026-11-27T08:00:00Z";

fn counts(memory: &Memory, path: &str) -> [u64; 4] {
    let tallies = memory.tally();
    let found = tallies.iter().find(|(key, _)| key.path == path).map(|(_, tally)| *tally).unwrap_or_default();
    [found.shown, found.used, found.helped, found.failed]
}

#[test]
fn outcomes_are_counted_by_runbook_whatever_its_bytes() {
    let state = tempfile::tempdir().unwrap();
    let memory = Memory::open(state.path().join("below"));
    assert_eq!(memory.history().unwrap(), History::default(), "no file is no failure");
    for kind in [Kind::Used, Kind::Helped, Kind::Helped, Kind::Failed] {
        memory.note(at(MORNING, "a/oom.md", kind)).unwrap();
    }
    memory.note(Outcome { blob: "b2".into(), ..at(MORNING, "a/oom.md", Kind::Helped) }).unwrap();
    memory.note(at(MORNING, "a/other.md", Kind::Failed)).unwrap();
    assert_eq!(counts(&memory, "a/oom.md"), [0, 1, 3, 1]);
    assert_eq!(counts(&memory, "a/other.md"), [0, 0, 0, 1]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(memory.folder()), mode(&memory.path())), (0o700, 0o600));
    }
}

#[test]
fn what_a_day_shows_again_counts_once() {
    let state = tempfile::tempdir().unwrap();
    let memory = Memory::open(state.path());
    let shown = |time, fingerprint: &str| Outcome {
        fingerprint: Some(fingerprint.to_owned()),
        ..at(time, "a/oom.md", Kind::Shown)
    };
    let table = [
        (vec![shown(MORNING, "f1"), shown(MORNING, "f1"), shown(MORNING, "f2")], 2),
        (vec![shown(EVENING, "f1"), shown(EVENING, "f3")], 1),
        (vec![shown(NEXT_DAY, "f1")], 1),
        (vec![shown(NEXT_DAY, "f1")], 0),
        (vec![], 0),
    ];
    for (outcomes, new) in table {
        assert_eq!(memory.note_shown(outcomes).unwrap(), new);
    }
    assert_eq!(counts(&memory, "a/oom.md"), [4, 0, 0, 0]);
    // The day's first lines may lie far from the end.
    memory.add(vec![at(NEXT_DAY, "a/other.md", Kind::Used); 2000], Patience::Person).unwrap();
    assert!(fs::metadata(memory.path()).unwrap().len() > 256 << 10);
    assert_eq!(memory.note_shown(vec![shown(NEXT_DAY, "f1")]).unwrap(), 0);
}

#[test]
fn damaged_lines_are_counted_and_the_rest_is_read() {
    let state = tempfile::tempdir().unwrap();
    let memory = Memory::open(state.path());
    memory.note(at(MORNING, "a.md", Kind::Helped)).unwrap();
    let mut file = fs::OpenOptions::new().append(true).open(memory.path()).unwrap();
    file.write_all(b"\xff\xfe{}\n[1]\n\n{\"time\":\"2026-11-26T08:00:00Z\",\"ki").unwrap();
    memory.note(at(EVENING, "a.md", Kind::Helped)).unwrap();
    let history = memory.history().unwrap();
    assert_eq!((history.outcomes.len(), history.damaged), (2, 3));
    assert_eq!(counts(&memory, "a.md"), [0, 0, 2, 0]);
}

#[test]
fn what_is_old_is_summed_and_no_count_is_lost() {
    let state = tempfile::tempdir().unwrap();
    let memory = Memory { most: 50, ..Memory::open(state.path()) };
    for number in 0..500 {
        let path = if number % 2 == 0 { "a.md" } else { "b.md" };
        let kind = if number % 5 == 0 { Kind::Failed } else { Kind::Helped };
        memory.note(at(MORNING, path, kind)).unwrap();
        let lines = fs::read_to_string(memory.path()).unwrap().lines().count();
        assert!(lines <= 51, "{lines} lines");
    }
    assert_eq!((counts(&memory, "a.md"), counts(&memory, "b.md")), ([0, 0, 200, 50], [0, 0, 200, 50]));
    assert_eq!(memory.history().unwrap().damaged, 0);
}

#[test]
fn two_at_once_lose_nothing() {
    let state = tempfile::tempdir().unwrap();
    let memory = Memory { most: 40, ..Memory::open(state.path()) };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..50).for_each(|_| memory.note(at(MORNING, "a.md", Kind::Used)).unwrap()));
        }
    });
    assert_eq!(counts(&memory, "a.md"), [0, 200, 0, 0]);
}

#[test]
fn what_can_not_be_kept_is_an_error_with_a_way_out() {
    let state = tempfile::tempdir().unwrap();
    fs::write(state.path().join("file"), "").unwrap();
    let nowhere = Memory::open(state.path().join("file"));
    let error = nowhere.note(at(MORNING, "a.md", Kind::Used)).unwrap_err();
    assert!(matches!(error, MemoryError::Write { .. }) && error.hint().is_some(), "{error}");
    assert!(nowhere.tally().is_empty());
    let memory = Memory::open(state.path());
    let _held = file::hold(memory.folder(), Patience::Hurry).unwrap();
    let error = memory.note_shown(vec![at(MORNING, "a.md", Kind::Shown)]).unwrap_err();
    assert!(matches!(error, MemoryError::Held(_)), "{error}");
}

#[test]
fn text_is_one_line_and_bounded() {
    let state = tempfile::tempdir().unwrap();
    let memory = Memory::open(state.path());
    let note = format!("a\u{1b}[31m\nb{}", "x".repeat(9000));
    memory.note(Outcome { note: Some(note), ..at(MORNING, "a.md", Kind::Used) }).unwrap();
    let kept = memory.history().unwrap().outcomes.remove(0).note.unwrap();
    assert!(kept.starts_with("a bx") && kept.len() == LONGEST, "{kept}");
}

#[test]
fn worth_is_smoothed() {
    let worth = |helped, failed| Tally { helped, failed, ..Tally::default() }.worth();
    let order = [worth(0, 5), worth(0, 1), worth(0, 0), worth(1, 0), worth(9, 1)];
    assert!(order.is_sorted(), "{order:?}");
    assert!((worth(0, 0) - 0.5).abs() < f32::EPSILON);
}
