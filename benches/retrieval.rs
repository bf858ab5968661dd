//! What retrieval is worth: judged queries over a corpus, beside the common methods.
//!
//! `cargo bench --bench retrieval` takes the small corpus of the project, and
//! `cargo bench --bench retrieval -- CORPUS QUERIES.jsonl …` any folder of markdown with queries as
//! `{"id", "query", "relevant": [stem], "partial": [stem]}`. `--profile dev` spares the long build; the figures are the same.
//! The model is that of `REACT_TEST_MODEL`, else the one that `kubectl react runbooks model pull` got; without one the
//! methods that need none are measured.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark ends where something is not as it should be, and prints"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kubectl_react::config;
use kubectl_react::model::Runbook;
use kubectl_react::retrieve::Embedder;
use kubectl_react::retrieve::embed;
use kubectl_react::retrieve::eval::{Bench, Judged};
use kubectl_react::runbook::{self, repo};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/retrieval");
    let (corpus, queries) = match arguments.split_first() {
        Some((corpus, queries)) => (PathBuf::from(corpus), queries.iter().map(PathBuf::from).collect()),
        None => (own.join("corpus"), vec![own.join("queries.jsonl")]),
    };
    let mut bench = Bench::new(&read(&corpus));
    let model = model();
    match &model {
        Some(model) => bench.embed(&**model).unwrap(),
        None => println!("no model: `kubectl react runbooks model pull` gets it"),
    }
    for path in queries {
        let queries = Judged::read(&std::fs::read_to_string(&path).unwrap()).unwrap();
        println!("{}: {} queries\n{}", path.display(), queries.len(), bench.table(&queries, model.as_ref()).unwrap());
    }
}

fn read(folder: &Path) -> Vec<Runbook> {
    let collection = repo::folder(folder).unwrap();
    let entries: Vec<&repo::Entry> = collection.entries.iter().collect();
    let files = entries.iter().zip(collection.read(&entries).unwrap());
    files.filter_map(|(entry, bytes)| runbook::parse(collection.place(entry), &bytes).runbook).collect()
}

fn model() -> Option<Arc<dyn Embedder>> {
    let named = std::env::var_os("REACT_TEST_MODEL").map(PathBuf::from);
    let found = embed::find(named.as_deref(), None, config::cache_dir().as_deref())?;
    Some(Arc::new(found.open().unwrap()))
}
