//! What is found, in which order, and when nothing is.

use std::cell::Cell;

use crate::model::Runbook;
use crate::retrieve::memory::Memory;
use crate::retrieve::testing::runbook;
use crate::retrieve::{EmbedError, ModelId, Signals, chunk};

use super::*;

/// A model with one dimension for each word of a list.
struct Words(ModelId);

const KNOWN: &[&str] = &["memory", "heap", "disk", "space", "certificate", "time"];

impl Embedder for Words {
    fn id(&self) -> &ModelId {
        &self.0
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let count = |text: &str, word: &&str| text.to_lowercase().matches(*word).count() as f32;
        let unit = |text: &&str| {
            let vector: Vec<f32> = KNOWN.iter().map(|word| count(text, word)).collect();
            let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(1.0);
            vector.iter().map(|x| x / length).collect()
        };
        Ok(texts.iter().map(unit).collect())
    }
}

fn model() -> Arc<dyn Embedder> {
    Arc::new(Words(ModelId { name: "words".into(), digest: String::new(), dimensions: KNOWN.len() }))
}

fn library() -> Vec<Runbook> {
    let page = |path: &str, title: &str, text: &str| runbook(path, &format!("# {title}\n\n## Meaning\n\n{text}\n"));
    let mut memory = page("a/oom.md", "Killed for memory", "The heap grew beyond the limit. Reason OOMKilled.");
    memory.front.signature.detectors = vec!["oom-killed".into()];
    memory.front.signature.kinds = vec!["Deployment".into()];
    let mut old = page("a/old-disk.md", "Disk is full (old)", "No space left on the device of the node.");
    old.front.status = Status::Deprecated;
    old.front.superseded_by = Some("disk".into());
    let mut disk = page("b/disk.md", "Disk is full", "No space left on the device; the node evicts pods.");
    disk.front.status = Status::Draft;
    disk.front.applies_to.platforms = vec!["eks".into()];
    vec![memory, old, disk, page("c/cert.md", "Certificate expired", "Its time is over; x509 says so.")]
}

fn ask(query: &Query, runbooks: &[Runbook], model: Option<&Arc<dyn Embedder>>) -> Answer {
    let mut shelf = Memory::new(runbooks, chunk::derive);
    if let Some(model) = model {
        shelf.embed(&**model).unwrap();
    }
    let mut sorted: Vec<&Runbook> = runbooks.iter().collect();
    sorted.sort_by(|a, b| a.place.cmp(&b.place));
    let signatures: Vec<(u32, &Signature)> =
        (0_u32..).zip(sorted.iter().map(|runbook| &runbook.front.signature)).collect();
    search(query, &shelf, &signatures, &|| model.cloned(), None).unwrap()
}

fn paths(answer: &Answer) -> Vec<&str> {
    answer.hits.iter().map(|hit| hit.place.path.as_str()).collect()
}

#[test]
fn words_alone_find_and_say_so() {
    let answer = ask(&Query::from_text("no space left on device"), &library(), None);
    assert_eq!(paths(&answer).first(), Some(&"b/disk.md"));
    assert!(!answer.abstained, "{answer:?}");
    assert_eq!(answer.notes, ["no embedding model: found by words alone"]);
    let hit = &answer.hits[0];
    assert_eq!((hit.why.dense, hit.line), (None, 1));
    assert!(hit.why.terms.contains(&"spac".to_owned()), "{:?}", hit.why);
    assert!(hit.passage.contains("No space left on the device"), "{}", hit.passage);
}

#[test]
fn words_and_meaning_find_together() {
    let model = model();
    let answer = ask(&Query::from_text("the heap needs more memory"), &library(), Some(&model));
    assert_eq!(paths(&answer).first(), Some(&"a/oom.md"));
    assert!(answer.notes.is_empty() && !answer.abstained, "{answer:?}");
    assert!(answer.hits[0].why.dense.unwrap() > 0.5);
}

#[test]
fn a_signature_is_first_and_asks_no_model() {
    let asked = Cell::new(false);
    let runbooks = library();
    let shelf = Memory::new(&runbooks, chunk::derive);
    let signatures: Vec<(u32, &Signature)> = (0_u32..).zip(runbooks.iter().map(|r| &r.front.signature)).collect();
    let signatures: Vec<(u32, &Signature)> = signatures.into_iter().filter(|(_, s)| !s.detectors.is_empty()).collect();
    let number = shelf.documents().iter().position(|document| document.name == "oom").unwrap();
    let signatures = [(u32::try_from(number).unwrap(), signatures[0].1)];
    let query = Query {
        // The words speak for another one.
        text: "certificate expired".into(),
        signals: Signals {
            detectors: vec!["oom-killed".into()],
            kinds: vec!["Deployment".into()],
            ..Signals::default()
        },
        limit: 3,
        ..Query::default()
    };
    let model = || {
        asked.set(true);
        None
    };
    let answer = search(&query, &shelf, &signatures, &model, None).unwrap();
    assert!(!asked.get());
    assert_eq!(paths(&answer)[..2], ["a/oom.md", "c/cert.md"]);
    assert_eq!(answer.hits[0].why.signature, ["detector oom-killed"]);
    assert_eq!((answer.hits[0].score, answer.confidence, answer.abstained), (1.0, 1.0, false));
    assert!(answer.hits[1].score < 1.0);
}

#[test]
fn what_is_deprecated_stands_behind_its_successor() {
    let answer =
        ask(&Query::from_text("Disk is full (old): no space left on the device of the node"), &library(), None);
    assert_eq!(paths(&answer)[..2], ["b/disk.md", "a/old-disk.md"]);
    let [new, old] = [&answer.hits[0], &answer.hits[1]];
    assert_eq!((new.status, old.status), (Status::Draft, Status::Deprecated));
    assert_eq!(old.superseded_by.as_deref(), Some("disk"));
    // Whether anything matches is told by the best, deprecated or not.
    assert!(!answer.abstained);
}

#[test]
fn a_deprecated_signature_is_behind_one_in_use() {
    let mut runbooks = library();
    for runbook in &mut runbooks[1..3] {
        runbook.front.signature.reasons = vec!["Evicted".into()];
    }
    let mut query = Query::from_text("something");
    query.signals.reasons = vec!["Evicted".into()];
    assert_eq!(paths(&ask(&query, &runbooks, None))[..2], ["b/disk.md", "a/old-disk.md"]);
}

#[test]
fn filters_hold() {
    let mut query = Query::from_text("disk space memory certificate");
    for (filter, expected) in [
        (
            Filter { kinds: vec!["StatefulSet".into()], ..Filter::default() },
            vec!["a/old-disk.md", "b/disk.md", "c/cert.md"],
        ),
        (Filter { statuses: vec![Status::Draft], ..Filter::default() }, vec!["b/disk.md"]),
        (Filter { platform: Some("aks".into()), ..Filter::default() }, vec!["a/old-disk.md", "a/oom.md", "c/cert.md"]),
        (
            Filter { platform: Some("eks".into()), statuses: vec![Status::Draft], ..Filter::default() },
            vec!["b/disk.md"],
        ),
    ] {
        query.filter = filter;
        let answer = ask(&query, &library(), None);
        let mut found = paths(&answer);
        found.sort_unstable();
        assert_eq!(found, expected, "{:?}", query.filter);
    }
}

#[test]
fn ties_go_to_the_team_then_by_path() {
    let page = |path: &str, library| {
        let mut runbook = runbook(path, "# Disk is full\n\n## Meaning\n\nNo space.\n");
        runbook.place.library = library;
        runbook.front.name = "disk".into();
        runbook.front.signature.detectors = vec!["disk-full".into()];
        runbook
    };
    let runbooks = [page("a.md", Library::Builtin), page("z.md", Library::Team), page("b.md", Library::Team)];
    let mut query = Query::from_text("disk is full");
    assert_eq!(paths(&ask(&query, &runbooks, None)), ["b.md", "z.md", "a.md"]);
    query.signals.detectors = vec!["disk-full".into()];
    assert_eq!(paths(&ask(&query, &runbooks, None)), ["b.md", "z.md", "a.md"]);
}

#[test]
fn what_nothing_is_about_is_refused_with_its_hits() {
    let model = model();
    for model in [None, Some(&model)] {
        let answer =
            ask(&Query::from_text("the printer is out of toner since the update of the driver"), &library(), model);
        assert!(answer.abstained, "{answer:?}");
        assert!(answer.confidence < answer.threshold);
    }
}

#[test]
fn a_slip_is_understood() {
    let answer = ask(&Query::from_text("certficate"), &library(), None);
    assert_eq!(paths(&answer), ["c/cert.md"]);
}

#[test]
fn a_model_that_fails_makes_the_answer_smaller() {
    struct Broken(ModelId);
    impl Embedder for Broken {
        fn id(&self) -> &ModelId {
            &self.0
        }
        fn embed(&self, _: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
            Err(EmbedError("no memory".into()))
        }
    }
    let runbooks = library();
    let shelf = Memory::new(&runbooks, chunk::derive);
    let broken: Arc<dyn Embedder> =
        Arc::new(Broken(ModelId { name: "broken".into(), digest: String::new(), dimensions: 1 }));
    let answer = search(&Query::from_text("disk full"), &shelf, &[], &|| Some(Arc::clone(&broken)), None).unwrap();
    assert_eq!(paths(&answer).first(), Some(&"b/disk.md"));
    assert_eq!(answer.notes, ["the embedding model failed, found by words alone: no memory"]);
}

#[test]
fn odd_queries_are_answered() {
    let long = "no space left on device 0123456789abcdef ".repeat(5_000);
    for text in ["", " ", "?!", "10.0.0.1", "\u{0}\u{7}", "ß", long.as_str()] {
        let answer = ask(&Query::from_text(text), &library(), Some(&model()));
        assert!((0.0..=1.0).contains(&answer.confidence), "{answer:?}");
        assert!(answer.hits.iter().all(|hit| (0.0..=1.0).contains(&hit.score)), "{answer:?}");
    }
    let none = ask(&Query::from_text("disk"), &[], None);
    assert!(none.abstained && none.hits.is_empty());
}

#[test]
fn an_answer_is_json_in_camel_case() {
    let answer = ask(&Query { limit: 1, ..Query::from_text("disk is full (old)") }, &library()[1..2], None);
    let json = serde_json::to_value(&answer).unwrap();
    let hit = &json["results"][0];
    assert_eq!(hit["path"], "a/old-disk.md");
    assert_eq!(hit["supersededBy"], "disk");
    assert_eq!(hit["status"], "deprecated");
    assert!(hit["why"]["lexical"].is_number() && hit["why"].get("dense").is_none());
    assert!(json["abstained"].is_boolean() && json["threshold"].is_number());
}

/// What did better goes before its equal, and before nothing else.
#[test]
fn outcomes_decide_between_equals_only() {
    let page = |path: &str, text: &str, detectors: &[&str]| {
        let mut page = runbook(path, &format!("# Killed\n\n## Meaning\n\n{text}\n"));
        page.front.signature.detectors = detectors.iter().map(|&id| id.to_owned()).collect();
        page.front.signature.alerts.clear();
        page
    };
    let same = "The heap grew beyond the limit.";
    let runbooks = [
        page("a.md", same, &["oom-killed"]),
        page("b.md", same, &["oom-killed"]),
        page("c.md", same, &["oom-killed"]),
        {
            let mut by_reason = page("d.md", same, &[]);
            by_reason.front.signature.reasons = vec!["OOMKilled".into()];
            by_reason
        },
        page("e.md", "Heap, limit, memory: killed.", &[]),
    ];
    let shelf = Memory::new(&runbooks, chunk::derive);
    let signatures: Vec<(u32, &Signature)> =
        (0_u32..).zip(runbooks.iter().map(|runbook| &runbook.front.signature)).collect();
    let order = |detectors: &[&str], text: &str, standing: Option<Standing<'_>>| {
        let detectors = detectors.iter().map(|&id| id.to_owned()).collect();
        let reasons = if text.contains("OOMKilled") { vec!["OOMKilled".to_owned()] } else { Vec::new() };
        let signals = Signals { detectors, reasons, ..Signals::default() };
        let query = Query { text: text.to_owned(), signals, limit: 9, ..Query::default() };
        let answer = search(&query, &shelf, &signatures, &|| None, standing).unwrap();
        answer.hits.iter().map(|hit| hit.place.path.trim_end_matches(".md").to_owned()).collect::<String>()
    };
    let did = |document: &Document| match document.place.path.as_str() {
        "b.md" => 0.4,
        "c.md" => 0.9,
        "d.md" | "e.md" => 1.0,
        _ => 0.5,
    };
    let text = "heap limit";
    assert_eq!(order(&["oom-killed"], text, None).get(..3), Some("abc"));
    let ranked = order(&["oom-killed"], text, Some(&did));
    assert_eq!((ranked.find('c'), ranked.find('b') > ranked.find('a')), (Some(0), true), "{ranked}");
    // Another score is another rank, however well the other one did.
    assert_eq!(order(&["oom-killed"], "heap limit OOMKilled", Some(&did)).get(..4), Some("cabd"));
    assert!(ranked.find('e') > Some(2), "what only its words speak for stays behind: {ranked}");
    // Without a signature an equal score is a tie too.
    let by_words = order(&[], text, None);
    assert!(by_words.find('a') < by_words.find('c'), "{by_words}");
    let by_words = order(&[], text, Some(&did));
    assert!(by_words.find('c') < by_words.find('a') && by_words.find('a') < by_words.find('b'), "{by_words}");
    assert_eq!(order(&["oom-killed"], text, Some(&|_| 0.5)), order(&["oom-killed"], text, None));
}
