//! The vectors that come with the plugin, from the index's side and the user's.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Options, Retriever};
use crate::retrieve::embed::{Lazy, unit};
use crate::retrieve::{EmbedError, Embedder, ModelId, Query};
use crate::runbook::repo::Sync;

/// Counts the texts that it is given.
struct Counting {
    id: ModelId,
    texts: AtomicUsize,
}

impl Counting {
    fn new(name: &str) -> Arc<Counting> {
        let id = ModelId { name: name.to_owned(), digest: format!("digest of {name}"), dimensions: 8 };
        Arc::new(Counting { id, texts: AtomicUsize::new(0) })
    }

    fn count(&self) -> usize {
        self.texts.swap(0, Ordering::Relaxed)
    }
}

impl Embedder for Counting {
    fn id(&self) -> &ModelId {
        &self.id
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        self.texts.fetch_add(texts.len(), Ordering::Relaxed);
        let bytes = |text: &str| {
            (0..8_u8).map(|lane| text.bytes().filter(|byte| byte % 8 == lane).count() as f32).collect::<Vec<f32>>()
        };
        texts.iter().map(|text| unit(bytes(text)).ok_or_else(|| EmbedError("an empty text".to_owned()))).collect()
    }
}

fn retriever(model: &Arc<Counting>, shipped: Option<&Path>) -> Retriever {
    let model = Arc::clone(model);
    let options = Options {
        team: None,
        sync: Sync { skip: true, limit: None, interactive: false },
        builtin: true,
        cache: None,
        chroma: None,
        embedder: Some(Lazy::new(move || Ok(Arc::clone(&model) as Arc<dyn Embedder>))),
        shipped: shipped.map(Path::to_owned),
        standing: None,
    };
    Retriever::open(Arc::new(options)).unwrap()
}

fn notes(retriever: &Retriever) -> Vec<String> {
    retriever.states().into_iter().flat_map(|state| state.notes).collect()
}

#[test]
fn what_came_with_the_plugin_is_not_embedded_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("builtin.vectors");
    let model = Counting::new("m");
    let mut maker = retriever(&model, Some(&path));
    let report = maker.embed(&mut |_| {}).unwrap();
    assert_eq!((report.embedded, report.without_vectors), (maker.places().len(), 0), "without a file all are made");
    assert_eq!(notes(&maker), Vec::<String>::new());
    assert!(model.count() > maker.places().len());
    std::fs::write(&path, maker.shipped(model.id()).unwrap()).unwrap();

    let mut user = retriever(&model, Some(&path));
    let report = user.embed(&mut |_| {}).unwrap();
    assert_eq!((report.embedded, report.without_vectors, model.count()), (0, 0, 0));
    let query = Query::from_text("disk of the node fills up with logs");
    let found = user.search(&query).unwrap();
    assert_eq!(model.count(), 1, "the question");
    assert!(found.hits[0].why.dense.is_some());
    assert_eq!(found, maker.search(&query).unwrap());
    assert_eq!(notes(&user), Vec::<String>::new());
}

#[test]
fn what_is_damaged_or_of_another_model_is_told_and_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("builtin.vectors");
    let (model, other) = (Counting::new("m"), Counting::new("n"));
    let mut maker = retriever(&model, None);
    maker.embed(&mut |_| {}).unwrap();
    let good = maker.shipped(model.id()).unwrap();
    let mut damaged = good.clone();
    *damaged.last_mut().unwrap() ^= 1;
    for (bytes, model, told) in [(damaged, &model, "damaged"), (good, &other, "another model (m)")] {
        std::fs::write(&path, bytes).unwrap();
        let mut user = retriever(model, Some(&path));
        let report = user.embed(&mut |_| {}).unwrap();
        assert_eq!((report.embedded, report.without_vectors), (user.places().len(), 0), "{told}");
        let notes = notes(&user);
        assert!(notes.len() == 1 && notes[0].contains(told), "{notes:?}");
        user.embed(&mut |_| {}).unwrap();
        assert_eq!(self::notes(&user).len(), 1, "once");
    }
}

#[test]
fn a_signature_needs_no_model() {
    let model = Counting::new("m");
    let mut library = retriever(&model, None);
    let signed = library.answer(&Query::from_text("alertname=KubeContainerOOMKilled in shop"), &mut |_| {}).unwrap();
    assert!(!signed.abstained && !signed.hits[0].why.signature.is_empty(), "{signed:?}");
    assert_eq!(model.count(), 0);
    let asked = library.answer(&Query::from_text("disk of the node fills up with logs"), &mut |_| {}).unwrap();
    assert!(asked.hits[0].why.dense.is_some());
    assert!(model.count() > library.places().len());
}
