//! Figures that can be counted by hand, and the floor on the small corpus.

use std::fs;
use std::path::Path;

use crate::retrieve::testing::runbook;

use super::*;

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/retrieval"))
}

fn bench() -> (Bench, Vec<Judged>) {
    let mut runbooks = Vec::new();
    for entry in fs::read_dir(folder().join("corpus")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        runbooks.push(runbook(&name, &fs::read_to_string(path).unwrap()));
    }
    let queries = Judged::read(&fs::read_to_string(folder().join("queries.jsonl")).unwrap()).unwrap();
    (Bench::new(&runbooks), queries)
}

/// A floor: a little below what is reached, so that a regression is seen and a trade between two queries is not.
#[test]
fn words_alone_find_most_of_the_small_corpus() {
    let (bench, queries) = bench();
    let own = bench.run(Method::Lexical, &queries, None).unwrap();
    let plain = bench.run(Method::Bm25, &queries, None).unwrap();
    let [hit1, hit3] = own.hit;
    let [kept, refused] = own.at_threshold.unwrap();
    assert!(hit1 >= 0.85 && hit3 >= 0.94 && own.mrr >= 0.9 && own.ndcg >= 0.9, "{own}");
    assert!(own.auroc >= 0.94, "{own}");
    assert!(kept >= 0.8 && refused >= 0.75, "{own}");
    assert!(hit1 > plain.hit[0] && own.mrr > plain.mrr && own.auroc > plain.auroc, "{own}\n{plain}");
}

#[test]
fn queries_name_documents_that_exist() {
    let (bench, queries) = bench();
    for query in &queries {
        for name in query.relevant.iter().chain(&query.partial) {
            assert!(bench.names.contains(name), "{}: {name}", query.id);
        }
    }
    assert!(queries.iter().filter(|query| query.relevant.is_empty()).count() >= 10);
}

fn judged(relevant: &[&str], partial: &[&str]) -> Judged {
    let strings = |words: &[&str]| words.iter().map(ToString::to_string).collect();
    Judged { id: String::new(), query: String::new(), relevant: strings(relevant), partial: strings(partial) }
}

fn reply(documents: &[&str], confidence: f32) -> Reply {
    Reply {
        documents: documents.iter().map(ToString::to_string).collect(),
        confidence,
        answers: Some(confidence > 0.5),
    }
}

#[test]
fn measures_are_what_they_are_called() {
    let queries = [judged(&["a", "b"], &["c"]), judged(&["d"], &[]), judged(&[], &[]), judged(&[], &[])];
    let replies = [reply(&["x", "a", "a", "c"], 0.9), reply(&["d"], 0.4), reply(&["a"], 0.3), reply(&["a"], 0.6)];
    let scores = score(&queries, &replies);
    let near = |a: [f64; 2], b: [f64; 2]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9);
    assert!(near(scores.hit, [0.5, 1.0]));
    assert!(near(scores.recall, [0.5, 0.75]));
    assert!((scores.mrr - 0.75).abs() < 1e-9);
    let log = |at: f64| (at + 1.0).log2();
    let first = (2.0 / log(2.0) + 1.0 / log(3.0)) / (2.0 / log(1.0) + 2.0 / log(2.0) + 1.0 / log(3.0));
    assert!((scores.ndcg - f64::midpoint(first, 1.0)).abs() < 1e-9, "{}", scores.ndcg);
    assert!((scores.auroc - 0.75).abs() < 1e-9);
    assert!((scores.abstained - 0.5).abs() < 1e-9);
    assert!(near(scores.at_threshold.unwrap(), [0.5, 0.5]));
}

#[test]
fn a_method_that_needs_a_model_says_so() {
    let (bench, _) = bench();
    assert!(bench.ask(Method::Dense, "x", None).is_err());
    let table = bench.table(&[judged(&["a"], &[])], None).unwrap();
    assert_eq!(table.lines().count(), 3, "{table}");
    assert!(Judged::read("{\"id\":\"a\",\"query\":\"b\"}\nno").unwrap_err().starts_with("line 2: "));
}
