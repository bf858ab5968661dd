//! Vectors that come with the program: taken where they fit, and never where they don't.

use super::testing::{Books, Hash, WORDS};
use super::tests::{sync, texts};
use super::*;
use crate::retrieve::{Embedder, Shelf};

#[test]
fn vectors_that_were_shipped_need_no_model() {
    let (mut books, places) = Books::many(10);
    let model = Hash::new("m");
    let there = Embedded::in_memory(WORDS).unwrap();
    sync(&there, &books, &places, Some(&model));
    let shipped = there.export_vectors(&places, model.id()).unwrap();
    assert_eq!(model.count(), 40);

    books.0.insert(places[2].blob.clone(), ("title2 edited since".into(), vec!["one".into()]));
    let here = Embedded::in_memory(WORDS).unwrap();
    sync(&here, &books, &places[..8], None);
    assert!(!here.has_vectors(&places[..8], model.id()).unwrap());
    let import = |places| here.import_vectors(&shipped, places, model.id()).unwrap();
    assert_eq!(import(&places), 7, "neither what was edited nor what is not there");
    assert!(!here.has_vectors(&places, model.id()).unwrap());
    assert!(here.has_vectors(&places[3..8], model.id()).unwrap());
    sync(&here, &books, &places, None);
    assert_eq!(import(&places[8..]), 2);
    let report = sync(&here, &books, &places, Some(&model));
    assert_eq!((report.embedded, model.count()), (1, 2));
    assert!(here.has_vectors(&places, model.id()).unwrap());
    let query = texts(&model, "title7 section1");
    let (one, two) = (here.shelf(&places, Some(model.id())).unwrap(), there.shelf(&places, Some(model.id())).unwrap());
    assert_eq!(one.cosines(&query, &[7, 8]).unwrap(), two.cosines(&query, &[7, 8]).unwrap());
}

#[test]
fn shipped_vectors_that_are_damaged_or_foreign_are_not_taken() {
    let (books, places) = Books::many(3);
    let model = Hash::new("m");
    let there = Embedded::in_memory(WORDS).unwrap();
    sync(&there, &books, &places, Some(&model));
    let shipped = there.export_vectors(&places, model.id()).unwrap();
    let here = Embedded::in_memory(WORDS).unwrap();
    sync(&here, &books, &places, None);
    let mut flipped = shipped.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let mut longer = shipped.clone();
    longer.push(0);
    let head = shipped.iter().position(|byte| *byte == b'\n').unwrap();
    for damaged in
        [&shipped[..40], &shipped[..=head], &shipped[..shipped.len() - 1], &flipped, &longer, b"", b"\n", b"{}\n\0"]
    {
        let error = here.import_vectors(damaged, &places, model.id()).unwrap_err();
        assert!(matches!(error, ShippedError::Damaged), "{error}");
    }
    let other = Hash::new("n");
    let error = here.import_vectors(&shipped, &places, other.id()).unwrap_err();
    assert!(error.to_string().contains("another model (m)") && !error.hint().is_empty(), "{error}");
    assert!(!here.has_vectors(&places, model.id()).unwrap() && !here.has_vectors(&places, other.id()).unwrap());
    assert_eq!(here.import_vectors(&shipped, &places, model.id()).unwrap(), 3);
}

#[test]
fn nothing_shipped_for_nothing() {
    let index = Embedded::in_memory(WORDS).unwrap();
    let model = Hash::new("m");
    let shipped = index.export_vectors(&[], model.id()).unwrap();
    assert_eq!(index.import_vectors(&shipped, &[], model.id()).unwrap(), 0);
}
