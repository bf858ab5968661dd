//! What retrieval is worth: judged queries over a corpus, beside the common methods.
//!
//! `cargo bench --bench retrieval` takes the small corpus of the project, and
//! `cargo bench --bench retrieval -- CORPUS QUERIES.jsonl …` any folder of markdown with queries as
//! `{"id", "query", "relevant": [stem], "partial": [stem]}`. `--profile dev` spares the long build; the figures are the same.
//! `REACT_RETRIEVAL_RESULTS=FILE` gets our answers to the last queries, as `{"id", "results": [{"doc", "score"}], "confidence"}`
//! lines: for a scorer that is not ours.
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
use kubectl_react::retrieve::eval::{Bench, Judged, Method};
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
        if let Some(file) = std::env::var_os("REACT_RETRIEVAL_RESULTS") {
            std::fs::write(file, results(&bench, &queries, model.as_ref())).unwrap();
        }
        println!("{}: {} queries\n{}", path.display(), queries.len(), bench.table(&queries, model.as_ref()).unwrap());
    }
}

fn results(bench: &Bench, queries: &[Judged], model: Option<&Arc<dyn Embedder>>) -> String {
    let method = if model.is_some() { Method::Ours } else { Method::Lexical };
    let line = |query: &Judged| {
        let reply = bench.ask(method, &query.query, model).unwrap();
        let all = reply.documents.iter().enumerate();
        let results: Vec<_> =
            all.map(|(rank, doc)| serde_json::json!({"doc": doc, "score": 1.0 - rank as f32 / 100.0})).collect();
        serde_json::json!({"id": query.id, "results": results, "confidence": reply.confidence}).to_string() + "\n"
    };
    queries.iter().map(line).collect()
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
