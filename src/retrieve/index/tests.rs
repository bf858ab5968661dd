//! The embedded index: by difference, with others, and when something breaks.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rusqlite::Connection;

use super::testing::{Books, Hash, WORDS, place, runbook};
use super::*;
use crate::model::{Library, Place};
use crate::retrieve::{Document, Embedder, Near, Shelf};

pub(super) fn sync(index: &Embedded, books: &Books, places: &[Place], embedder: Option<&dyn Embedder>) -> Report {
    index.sync(places, &mut |place| books.load(place), embedder, &mut |_| {}).unwrap()
}

pub(super) fn texts(embedder: &Hash, text: &str) -> Vec<f32> {
    embedder.embed(&[text]).unwrap().remove(0)
}

/// The paths of the documents by their best cosine.
fn ranked(shelf: &impl Shelf, query: &[f32]) -> Vec<String> {
    let mut near = shelf.nearest(query, 10).unwrap();
    near.sort_by(|a, b| b.cosine.total_cmp(&a.cosine).then(a.document.cmp(&b.document)));
    let mut paths: Vec<String> = Vec::new();
    for Near { document, .. } in near {
        let path = &shelf.documents()[document as usize].place.path;
        if !paths.contains(path) {
            paths.push(path.clone());
        }
    }
    paths
}

#[test]
fn what_was_put_in_is_found_again() {
    let index = Embedded::in_memory(WORDS).unwrap();
    let (books, places) = Books::many(20);
    let model = Hash::new("m");
    let report = sync(&index, &books, &places, Some(&model));
    assert_eq!(report, Report { added: 20, embedded: 20, ..Report::default() });

    let shelf = index.shelf(&places, Some(model.id())).unwrap();
    let Document { place, title, name, kinds, length, .. } = &shelf.documents()[3];
    assert_eq!(place, &places[3]);
    assert_eq!((title.as_str(), name.as_str()), ("title3 common", "runbooks/00003"));
    assert_eq!(kinds, &["Pod"]);
    assert_eq!(length.to_bits(), 15.0_f32.to_bits());
    assert_eq!(shelf.front(3).unwrap(), books.load(place).unwrap().front);
    let signatures = shelf.signatures().unwrap();
    assert_eq!((signatures.len(), signatures[7].0, &signatures[7].1.exit_codes), (20, 7, &vec![137]));

    let postings = shelf.postings(&["title3".into(), "nowhere".into(), "all2".into(), "common".into()]).unwrap();
    assert_eq!(postings[0], [(3, 3.0)]);
    assert_eq!(postings[1], []);
    assert_eq!(postings[2], [(2, 3.0), (5, 3.0), (8, 3.0), (11, 3.0), (14, 3.0), (17, 3.0)]);
    assert_eq!(postings[3].len(), 20);

    assert_eq!(ranked(&shelf, &texts(&model, "title7 common"))[0], "runbooks/00007.md");
    assert_eq!(shelf.nearest(&texts(&model, "x"), 1).unwrap().len(), 80, "every chunk of every document");
    let chunk = shelf.chunk(7, 2).unwrap();
    assert_eq!(
        (chunk.heading.as_str(), chunk.text.as_str(), chunk.line),
        ("Part 2", "title7 common\nsection1 word0 all1", 20)
    );
    assert_eq!(shelf.chunks(7).unwrap()[2], chunk);
    assert!(shelf.chunk(7, 9).is_err());
    let vector = shelf.vector(7).unwrap().unwrap();
    let own = shelf.cosines(&vector, &[7]).unwrap()[0];
    assert!(own.chunk == 0 && (own.cosine - 1.0).abs() < 1e-5, "{own:?}");
    assert!(shelf.vector(99).is_err());
    assert!(shelf.chunk(99, 0).is_err());
}

#[test]
fn cosines_of_some_are_those_of_all() {
    let index = Embedded::in_memory(WORDS).unwrap();
    let (books, places) = Books::many(30);
    let model = Hash::new("m");
    sync(&index, &books, &places, Some(&model));
    let shelf = index.shelf(&places, Some(model.id())).unwrap();
    let query = texts(&model, "title7 section1 all2");
    let some = shelf.cosines(&query, &[4, 2, 29]).unwrap();
    let all: Vec<Near> =
        shelf.nearest(&query, 1).unwrap().into_iter().filter(|near| [4, 2, 29].contains(&near.document)).collect();
    assert_eq!(some, all, "to the last bit");
    for near in some {
        let plain: f32 = texts(&model, &shelf.chunk(near.document, near.chunk).unwrap().text)
            .iter()
            .zip(&query)
            .map(|(a, b)| a * b)
            .sum();
        assert!((plain - near.cosine).abs() < 0.005, "{plain} {near:?}");
    }
    assert!(shelf.cosines(&query[1..], &[0]).is_err(), "a query of another length");
}

#[test]
fn only_the_difference_is_read_and_embedded() {
    let index = Embedded::in_memory(WORDS).unwrap();
    let (mut books, mut places) = Books::many(10);
    let model = Hash::new("m");
    sync(&index, &books, &places, Some(&model));
    assert_eq!(model.count(), 40);
    let again = index.sync(&places, &mut |_| panic!("nothing is read again"), Some(&model), &mut |_| panic!("no work"));
    assert_eq!(again.unwrap(), Report { kept: 10, ..Report::default() });

    // Another commit: one edited, one deleted, one renamed.
    books.0.insert("e".repeat(40), ("title4 edited".into(), vec!["new".into()]));
    places[4].blob = "e".repeat(40);
    places[6].path = "runbooks/renamed.md".into();
    places.remove(9);
    for place in &mut places {
        place.commit = "c2".into();
    }
    let report = sync(&index, &books, &places, Some(&model));
    assert_eq!(report, Report { added: 2, kept: 7, embedded: 1, unused: 3, ..Report::default() });
    assert_eq!(model.count(), 2, "what was renamed has its vectors");
}

#[test]
fn a_reader_sees_its_own_commit_only() {
    let index = Embedded::in_memory(WORDS).unwrap();
    let mut books = Books::default();
    let model = Hash::new("m");
    books.0.insert("a".repeat(40), ("old advice".into(), vec!["restart".into()]));
    books.0.insert("b".repeat(40), ("new advice".into(), vec!["drain".into()]));
    let old = [place("x.md", "c1", &"a".repeat(40))];
    let new = [place("x.md", "c2", &"b".repeat(40))];
    sync(&index, &books, &old, Some(&model));
    sync(&index, &books, &new, Some(&model));
    for (places, title, term, other) in [(&old, "old advice", "old", "new"), (&new, "new advice", "new", "old")] {
        let shelf = index.shelf(places, Some(model.id())).unwrap();
        assert_eq!(shelf.documents().len(), 1);
        assert_eq!(shelf.documents()[0].title, title);
        assert_eq!(shelf.documents()[0].place, places[0]);
        assert_eq!(shelf.postings(&[term.into(), other.into()]).unwrap(), [vec![(0, 3.0)], vec![]]);
        assert_eq!(shelf.nearest(&texts(&model, "old new"), 10).unwrap().len(), 2);
        assert_eq!(shelf.vocabulary(term).unwrap(), [term]);
        assert_eq!(shelf.vocabulary(other).unwrap(), Vec::<String>::new());
        assert_eq!(shelf.vocabulary("a").unwrap(), ["advice"]);
    }
    assert!(index.shelf(&[], Some(model.id())).unwrap().documents().is_empty());
}

#[test]
fn libraries_may_have_the_same_file() {
    let index = Embedded::in_memory(WORDS).unwrap();
    let (books, mut places) = Books::many(2);
    places.push(Place { library: Library::Builtin, commit: "v1".into(), ..places[0].clone() });
    places.push(places[1].clone());
    let model = Hash::new("m");
    let report = sync(&index, &books, &places, Some(&model));
    assert_eq!(report.added, 2);
    let shelf = index.shelf(&places, Some(model.id())).unwrap();
    assert_eq!(shelf.documents().len(), 3, "each place once");
    assert_eq!(shelf.postings(&["title0".into()]).unwrap(), [vec![(0, 3.0), (2, 3.0)]]);
    assert_eq!(shelf.nearest(&texts(&model, "title0"), 10).unwrap().len(), 12);
}

#[test]
fn another_model_embeds_again_and_loses_nothing() {
    let index = Embedded::in_memory(WORDS).unwrap();
    let (books, places) = Books::many(5);
    let (one, mut two) = (Hash::new("one"), Hash::new("two"));
    sync(&index, &books, &places, Some(&one));
    two.limit = 4;
    let report = sync(&index, &books, &places, Some(&two));
    assert_eq!(report.failure.as_deref(), Some("the model is tired"));
    assert_eq!((report.embedded, report.without_vectors), (0, 5));
    let shelf = index.shelf(&places, Some(one.id())).unwrap();
    assert_eq!(shelf.nearest(&texts(&one, "title1"), 10).unwrap().len(), 20, "the first one's are there");
    two.limit = usize::MAX;
    let report = sync(&index, &books, &places, Some(&two));
    assert_eq!((report.embedded, report.without_vectors, report.added), (5, 0, 0));
    let mut shelf = index.shelf(&places, Some(two.id())).unwrap();
    assert_eq!(ranked(&shelf, &texts(&two, "title1 common"))[0], "runbooks/00001.md");
    shelf.set_model(Some(one.id())).unwrap();
    assert_eq!(ranked(&shelf, &texts(&one, "title1 common"))[0], "runbooks/00001.md");
    shelf.set_model(None).unwrap();
    assert_eq!(shelf.nearest(&texts(&one, "title1"), 10).unwrap(), []);
}

#[test]
fn another_derivation_makes_other_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.sqlite");
    let (books, places) = Books::many(5);
    let model = Hash::new("m");
    let old = Embedded::open(&path, WORDS).unwrap();
    sync(&old, &books, &places, Some(&model));
    model.count();
    let new = Embedded::open(&path, Deriver { version: "words-2", ..WORDS }).unwrap();
    let report = sync(&new, &books, &places, Some(&model));
    assert_eq!((report.added, report.embedded), (5, 0));
    assert_eq!(model.count(), 0, "the same texts have their vectors");
    assert_eq!(old.shelf(&places, None).unwrap().documents().len(), 5, "a program of the other version goes on");
    assert_eq!(new.prune(&places, None).unwrap(), 5);
    assert_eq!(old.shelf(&places, None).unwrap().documents().len(), 0);
    assert_eq!(new.shelf(&places, None).unwrap().documents().len(), 5);
}

#[test]
fn pruning_removes_what_is_not_kept() {
    let index = Embedded::in_memory(WORDS).unwrap();
    let (books, places) = Books::many(10);
    let (one, two) = (Hash::new("one"), Hash::new("two"));
    sync(&index, &books, &places, Some(&one));
    sync(&index, &books, &places, Some(&two));
    assert_eq!(index.prune(&places[..4], Some(two.id())).unwrap(), 6);
    let shelf = index.shelf(&places, Some(two.id())).unwrap();
    assert_eq!(shelf.documents().len(), 4);
    assert_eq!(
        shelf.postings(&["title9".into(), "common".into()]).unwrap().iter().map(Vec::len).collect::<Vec<_>>(),
        [0, 4]
    );
    assert_eq!(shelf.nearest(&texts(&two, "title1"), 10).unwrap().len(), 16);
    let count = |table: &str| -> i64 {
        index.lock().query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!(["document", "body", "vector", "model"].map(count), [4, 4, 4, 1]);
    assert_eq!(count("term"), 4 + 1 + 3 + 4 + 3);
    // What was removed comes back when it is wanted.
    assert_eq!(sync(&index, &books, &places, Some(&two)).added, 6);
}

#[test]
fn what_cannot_be_read_is_left_out_and_counted() {
    let index = Embedded::in_memory(WORDS).unwrap();
    let (mut books, places) = Books::many(5);
    books.0.remove(&places[2].blob);
    let report = sync(&index, &books, &places, None);
    assert_eq!(report, Report { added: 4, unread: 1, ..Report::default() });
    assert_eq!(index.shelf(&places, None).unwrap().documents().len(), 4);
}

#[test]
fn progress_ends_at_its_total() {
    let index = Embedded::in_memory(WORDS).unwrap();
    let (books, places) = Books::many(450);
    let mut seen = Vec::new();
    let report = index.sync(&places, &mut |place| books.load(place), Some(&Hash::new("m")), &mut |at| seen.push(at));
    assert_eq!(report.unwrap().added, 450);
    for phase in [Phase::Read, Phase::Embed] {
        let steps: Vec<Progress> = seen.iter().copied().filter(|at| at.phase == phase).collect();
        assert!(steps.len() > 2 && steps.is_sorted_by_key(|at| at.done));
        assert_eq!((steps[0].done, steps.last().unwrap().done), (0, 450));
        assert!(steps.iter().all(|at| at.total == 450));
    }
}

#[test]
fn the_file_is_there_the_next_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/index.sqlite");
    let (books, places) = Books::many(5);
    let model = Hash::new("m");
    let index = Embedded::open(&path, WORDS).unwrap();
    assert_eq!(index.note(), None);
    sync(&index, &books, &places, Some(&model));
    drop(index);
    let index = Embedded::open(&path, WORDS).unwrap();
    assert_eq!((index.note(), index.shelf(&places, None).unwrap().documents().len()), (None, 5));
    assert_eq!(sync(&index, &books, &places, Some(&model)).kept, 5);
}

#[test]
fn a_crash_in_the_middle_leaves_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.sqlite");
    let (books, places) = Books::many(2500);
    let index = Embedded::open(&path, WORDS).unwrap();
    let mut loaded = 0;
    let crash = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut load = |place: &Place| {
            loaded += 1;
            assert!(loaded < 2300, "the power fails");
            books.load(place)
        };
        index.sync(&places, &mut load, None, &mut |_| {})
    }));
    assert!(crash.is_err());
    drop(index);
    let index = Embedded::open(&path, WORDS).unwrap();
    assert_eq!(index.note(), None);
    assert_eq!(index.shelf(&places, None).unwrap().documents().len(), 2000, "two batches");
    assert_eq!(sync(&index, &books, &places, None).added, 500);
}

/// A full index at `path`, closed.
fn filled(path: &Path) -> (Books, Vec<Place>, Hash) {
    let (books, places) = Books::many(300);
    let model = Hash::new("m");
    let index = Embedded::open(path, WORDS).unwrap();
    sync(&index, &books, &places, Some(&model));
    drop(index);
    let db = Connection::open(path).unwrap();
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    (books, places, model)
}

#[test]
fn what_is_no_index_is_put_aside_and_made_anew() {
    type Harm = fn(&Path);
    let harms: [(&str, Harm); 7] = [
        ("garbage", |path| {
            fs::write(path, "no database at all, but long enough to be read as one ".repeat(50)).unwrap();
        }),
        ("half", |path| {
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        }),
        ("other version", |path| Connection::open(path).unwrap().pragma_update(None, "user_version", 99).unwrap()),
        ("other program", |path| Connection::open(path).unwrap().pragma_update(None, "application_id", 7).unwrap()),
        ("foreign tables", |path| {
            fs::remove_file(path).unwrap();
            Connection::open(path).unwrap().execute_batch("CREATE TABLE document (mine TEXT)").unwrap();
        }),
        ("a lost table", |path| Connection::open(path).unwrap().execute_batch("DROP TABLE posting").unwrap()),
        ("an empty first page", |path| {
            let mut bytes = fs::read(path).unwrap();
            bytes[100..4096].fill(0);
            fs::write(path, bytes).unwrap();
        }),
    ];
    for (name, harm) in harms {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.sqlite");
        let (books, places, model) = filled(&path);
        harm(&path);
        let index = Embedded::open(&path, WORDS).unwrap();
        assert!(index.note().is_some_and(|note| note.contains("is made anew")), "{name}: {:?}", index.note());
        assert!(index.shelf(&places, None).unwrap().documents().is_empty(), "{name}");
        assert!(folder.path().join("index.sqlite.damaged").exists(), "{name}");
        let report = sync(&index, &books, &places, Some(&model));
        assert_eq!((report.added, report.embedded), (300, 300), "{name}");
        drop(index);
        let index = Embedded::open(&path, WORDS).unwrap();
        assert_eq!(index.note(), None, "{name}: once is enough");
        assert_eq!(index.shelf(&places, None).unwrap().documents().len(), 300, "{name}");
    }
}

#[test]
fn damage_that_is_found_later_is_an_error_that_says_so() {
    type Harm = fn(&Connection);
    let harms: [(&str, Harm); 3] = [
        ("a vector", |db| {
            db.execute("UPDATE vector SET data = zeroblob(length(data)) WHERE id = 7", []).unwrap();
        }),
        ("a body", |db| {
            db.execute("UPDATE body SET chunks = x'0102'", []).unwrap();
        }),
        ("a field", |db| {
            db.execute("UPDATE document SET status = 'gone'", []).unwrap();
        }),
    ];
    for (what, harm) in harms {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.sqlite");
        let (books, places, model) = filled(&path);
        harm(&Connection::open(&path).unwrap());
        let mut index = Embedded::open(&path, WORDS).unwrap();
        let read = |index: &Embedded| -> Result<(), ShelfError> {
            let shelf = index.shelf(&places, Some(model.id()))?;
            shelf.nearest(&texts(&model, "x"), 1)?;
            shelf.chunk(0, 0)?;
            Ok(())
        };
        let error = read(&index).unwrap_err().to_string();
        assert_eq!(error, format!("the index is damaged: {what} is not what was written"));
        index.begin_anew(&error).unwrap();
        assert!(index.note().unwrap().ends_with(&error), "{:?}", index.note());
        sync(&index, &books, &places, Some(&model));
        read(&index).unwrap();
    }
}

#[test]
fn pages_of_garbage_are_an_error_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.sqlite");
    let (books, places, model) = filled(&path);
    let whole = fs::read(&path).unwrap();
    for page in 1..whole.len() / 4096 {
        let mut bytes = whole.clone();
        bytes[page * 4096..(page + 1) * 4096]
            .iter_mut()
            .enumerate()
            .for_each(|(i, byte)| *byte = (i * page).to_le_bytes()[0]);
        let copy = folder.path().join("copy.sqlite");
        fs::write(&copy, bytes).unwrap();
        let mut index = Embedded::open(&copy, WORDS).unwrap();
        let read = |index: &Embedded| -> Result<usize, ShelfError> {
            let report = index.sync(&places, &mut |place| books.load(place), Some(&model), &mut |_| {})?;
            let shelf = index.shelf(&places, Some(model.id()))?;
            shelf.nearest(&texts(&model, "x"), 1)?;
            shelf.postings(&["common".into(), "title77".into()])?;
            Ok(report.added)
        };
        if let Err(error) = read(&index) {
            index.begin_anew(&error.0).unwrap();
            assert_eq!(read(&index).unwrap(), 300, "page {page}");
        }
        drop(index);
        for end in ["", "-wal", "-shm", ".damaged"] {
            let _ = fs::remove_file(format!("{}{end}", copy.display()));
        }
    }
}

#[test]
fn where_nothing_can_be_kept_the_index_is_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let index = Embedded::open(&file.join("index.sqlite"), WORDS).unwrap();
    assert!(index.note().unwrap().contains("can't be kept in"), "{:?}", index.note());
    let (books, places) = Books::many(3);
    assert_eq!(sync(&index, &books, &places, None).added, 3);
    assert_eq!(index.shelf(&places, None).unwrap().documents().len(), 3);
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_without_the_right_to_write_is_no_fault() {
    // Not even root writes there.
    let index = Embedded::open(Path::new("/proc/index.sqlite"), WORDS).unwrap();
    assert!(index.note().unwrap().contains("can't be kept in `/proc/index.sqlite`"), "{:?}", index.note());
}

#[test]
fn several_may_index_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.sqlite");
    let (books, places) = Books::many(600);
    let added = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let (path, books, places, added) = (&path, &books, &places, &added);
            scope.spawn(move || {
                let index = Embedded::open(path, WORDS).unwrap();
                let model = Hash::new(if worker == 3 { "other" } else { "m" });
                let own = &places[worker * 50..];
                let report = sync(&index, books, own, Some(&model));
                assert_eq!((report.failure, report.without_vectors), (None, 0));
                let shelf = index.shelf(own, Some(model.id())).unwrap();
                assert_eq!(shelf.documents().len(), own.len());
                assert_eq!(shelf.nearest(&texts(&model, "x"), 1).unwrap().len(), own.len() * 4);
                assert_eq!(shelf.postings(&["common".into()]).unwrap()[0].len(), own.len());
                added.fetch_add(report.added, Ordering::Relaxed);
            });
        }
    });
    let db = Connection::open(&path).unwrap();
    let count = |sql: &str| -> i64 { db.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(count("SELECT count(*) FROM document"), 600);
    assert_eq!(count("SELECT count(*) FROM body"), 600);
    assert_eq!(count("SELECT count(*) FROM vector"), 600 + 450);
    assert_eq!(count("SELECT count(*) FROM posting WHERE term = (SELECT id FROM term WHERE text = 'common')"), 600);
    let sound: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
}

#[test]
fn of_several_that_find_it_damaged_one_puts_it_aside() {
    for _ in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.sqlite");
        fs::write(&path, "garbage ".repeat(1000)).unwrap();
        let (books, places) = Books::many(20);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let index = Embedded::open(&path, WORDS).unwrap();
                    sync(&index, &books, &places, None);
                });
            }
        });
        let index = Embedded::open(&path, WORDS).unwrap();
        assert_eq!(index.shelf(&places, None).unwrap().documents().len(), 20);
        assert!(fs::read_to_string(folder.path().join("index.sqlite.damaged")).unwrap().starts_with("garbage"));
    }
}

#[test]
fn a_title_of_any_characters_comes_back() {
    let index = Embedded::in_memory(WORDS).unwrap();
    let of = place("x.md", "", &"a".repeat(40));
    let title = "\u{0}\u{202e}'; DROP TABLE document; -- ä✓\u{10ffff}";
    let report = index.sync(
        std::slice::from_ref(&of),
        &mut |place| Some(runbook(place, title, &["a\u{0}b"])),
        None,
        &mut |_| {},
    );
    assert_eq!(report.unwrap().added, 1);
    let shelf = index.shelf(std::slice::from_ref(&of), None).unwrap();
    assert_eq!(shelf.documents()[0].title, title);
    assert_eq!(shelf.chunk(0, 1).unwrap().text, format!("{title}\na\u{0}b"));
}
