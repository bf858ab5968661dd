//! Without weights: those are tested in `tests/index`.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::check::{SENTENCES, Trial, reference};
use super::tokens::Tokens;
use super::vector::cosine;
use super::*;
use crate::retrieve::ModelId;

/// A tokenizer of five words that, like the published one, wants all padded and cut at 4.
const TOKENIZER: &str = r#"{
  "version": "1.0",
  "truncation": {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0},
  "padding": {"strategy": {"Fixed": 4}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 3,
    "pad_type_id": 0, "pad_token": "[PAD]"},
  "added_tokens": [],
  "normalizer": {"type": "Lowercase"},
  "pre_tokenizer": {"type": "Whitespace"},
  "post_processor": null,
  "decoder": null,
  "model": {"type": "WordLevel", "vocab": {"pod": 0, "node": 1, "oom": 2, "[PAD]": 3, "[UNK]": 4}, "unk_token": "[UNK]"}
}"#;

#[test]
fn the_tokenizers_own_padding_and_limit_are_not_followed() {
    let tokens = Tokens::read(TOKENIZER.as_bytes(), 6).unwrap();
    let long = "pod ".repeat(40);
    let batches = tokens.batches(&[&long, "oom", "Pod node", "", "word node"]).unwrap();
    assert_eq!(batches.len(), 1);
    let batch = &batches[0];
    assert_eq!(batch.texts, [3, 1, 2, 4, 0], "the shortest first");
    assert_eq!(batch.width, 6);
    assert_eq!(batch.ids[6..18], [2, 3, 3, 3, 3, 3, 0, 1, 3, 3, 3, 3]);
    assert_eq!(batch.mask[6..18], [1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0]);
    assert_eq!(batch.mask[24..], [1; 6]);
}

#[test]
fn batches_are_bounded_in_tokens_and_lose_no_text() {
    let tokens = Tokens::read(TOKENIZER.as_bytes(), 256).unwrap();
    let long = "pod ".repeat(1000);
    let texts: Vec<&str> = (0..100).map(|n| if n % 2 == 0 { long.as_str() } else { "oom" }).collect();
    let batches = tokens.batches(&texts).unwrap();
    assert!(batches.iter().all(|batch| batch.ids.len() <= 4096), "{}", batches.len());
    let mut seen: Vec<usize> = batches.iter().flat_map(|batch| batch.texts.clone()).collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..100).collect::<Vec<_>>());
}

#[test]
fn hostile_texts_are_cut_before_they_are_read() {
    let tokens = Tokens::read(TOKENIZER.as_bytes(), 8).unwrap();
    let huge = "ä".repeat(50_000_000);
    let batches = tokens.batches(&[&huge, "\0\u{fffd}\u{202e}", &" ".repeat(10_000_000)]).unwrap();
    assert!(batches.iter().all(|batch| batch.width <= 8));
}

#[test]
fn a_tokenizer_that_is_none_is_refused() {
    for bytes in ["", "{}", "[1, 2]", "\u{0}\u{1}", "{\"model\": {\"type\": \"WordPiece\"}}"] {
        assert!(Tokens::read(bytes.as_bytes(), 256).is_err(), "{bytes}");
    }
}

#[test]
fn the_sentences_of_the_check_are_the_first_of_the_list() {
    let list: Vec<String> = serde_json::from_str(include_str!("testdata/sentences.json")).unwrap();
    assert_eq!(list[..2], SENTENCES);
    for row in 0..list.len() {
        let vector = reference(row);
        assert_eq!(vector.len(), 384);
        assert!((cosine(&vector, &vector) - 1.0).abs() < 1e-5);
    }
    assert!(reference(list.len()).is_empty());
}

#[test]
fn a_trial_finds_what_is_wrong() {
    let (first, second) = (reference(0), reference(1));
    let trial = |alone: [&[f32]; 2], together: [&[f32]; 2]| Trial {
        alone: alone.map(<[f32]>::to_vec),
        together: together.map(<[f32]>::to_vec),
    };
    let good = trial([&first, &second], [&first, &second]);
    assert_eq!(good.fault(), None);
    assert!(good.likeness().unwrap() > 0.999);

    let alone_differs = trial([&second, &first], [&first, &second]);
    assert!(alone_differs.fault().unwrap().contains("alone"));
    assert!(alone_differs.likeness().unwrap() < 0.2);

    let all_the_same = trial([&first, &first], [&first, &first]);
    assert!(all_the_same.fault().unwrap().contains("the same vector"));

    let not_numbers = trial([&[f32::NAN; 384], &second], [&first, &second]);
    assert!(not_numbers.fault().is_some());

    let other_model = trial([&[1.0, 0.0], &[0.0, 1.0]], [&[1.0, 0.0], &[0.0, 1.0]]);
    assert_eq!(other_model.fault(), None);
    assert_eq!(other_model.likeness(), None);
}

#[test]
fn vectors_without_a_direction_have_no_unit() {
    assert_eq!(unit(vec![3.0, 4.0]), Some(vec![0.6, 0.8]));
    assert_eq!(unit(vec![0.0; 3]), None);
    assert_eq!(unit(vec![f32::NAN, 1.0]), None);
    assert_eq!(unit(vec![f32::INFINITY, 1.0]), None);
    assert_eq!(unit(Vec::new()), None);
    assert_eq!(unit(vec![f32::MAX, 0.0]), Some(vec![1.0, 0.0]));
}

fn refusal(folder: &Path) -> String {
    let Err(error) = Local::open(folder, Expect::Any) else { panic!("{} was taken", folder.display()) };
    assert!(!error.hint().is_empty());
    error.to_string().replace(&folder.display().to_string(), "DIR")
}

#[test]
fn a_folder_that_holds_no_model_is_refused_by_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    assert_eq!(refusal(&folder.path().join("none")), "no model in `DIR`: there is no ONNX file");
    assert_eq!(refusal(folder.path()), "no model in `DIR`: there is no ONNX file");
    write("a.onnx", "no model");
    assert!(refusal(folder.path()).starts_with("can't read `DIR/tokenizer.json`"));
    write("tokenizer.json", "no tokenizer");
    assert!(refusal(folder.path()).starts_with("can't use `DIR/tokenizer.json`: "));
    write("tokenizer.json", TOKENIZER);
    assert!(refusal(folder.path()).starts_with("can't use `DIR/a.onnx`: "));
    write("b.onnx", "");
    assert_eq!(refusal(folder.path()), "which of the models in `DIR`? a.onnx, b.onnx");
    write("model.onnx", "");
    assert!(refusal(folder.path()).starts_with("can't use `DIR/model.onnx`: "));
}

#[test]
fn the_weights_are_looked_for_in_the_setting_then_beside_the_program_then_in_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let (setting, cache) = (root.join("mine"), root.join("cache"));
    let program = root.join("store/kubectl-react");
    fs::create_dir_all(root.join("store")).unwrap();
    fs::write(&program, "").unwrap();
    let look = |setting: Option<&Path>| find(setting, Some(&program), Some(&cache)).map(|found| found.origin);
    assert_eq!(look(None), None);
    fs::create_dir_all(cache.join("models/all-MiniLM-L6-v2")).unwrap();
    assert_eq!(look(None), Some(Origin::Cache));
    fs::create_dir_all(root.join("store/model")).unwrap();
    assert_eq!(look(None), Some(Origin::Program));
    assert_eq!(look(Some(&setting)), Some(Origin::Setting), "a folder that is not there is an error, not passed over");
    let found = find(None, Some(&program), None).unwrap();
    assert_eq!(found.folder, root.join("store/model"));
}

#[cfg(unix)]
#[test]
fn the_program_is_looked_for_where_its_link_leads() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    fs::create_dir_all(root.join("store/model")).unwrap();
    fs::create_dir_all(root.join("bin")).unwrap();
    fs::write(root.join("store/kubectl-react"), "").unwrap();
    std::os::unix::fs::symlink(root.join("store/kubectl-react"), root.join("bin/kubectl-react")).unwrap();
    let found = find(None, Some(&root.join("bin/kubectl-react")), None).unwrap();
    assert_eq!(found, Candidate { folder: root.join("store/model"), origin: Origin::Program });
}

/// An embedder that gives what it is told.
struct Fixed(ModelId);

impl Embedder for Fixed {
    fn id(&self) -> &ModelId {
        &self.0
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        Ok(texts.iter().map(|_| vec![1.0]).collect())
    }
}

#[test]
fn a_lazy_embedder_is_opened_once_and_only_when_asked_for() {
    let opened = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&opened);
    let lazy = Lazy::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
        Ok(Arc::new(Fixed(ModelId { name: "fixed".into(), digest: "0".into(), dimensions: 1 })) as Arc<dyn Embedder>)
    });
    assert!(!lazy.is_open());
    assert_eq!(lazy.get().unwrap().embed(&["a"]).unwrap(), [[1.0]]);
    assert_eq!(lazy.get().unwrap().id().name, "fixed");
    assert_eq!(opened.load(Ordering::Relaxed), 1);

    let broken = Lazy::new(|| Err(EmbedError("no weights".into())));
    assert_eq!(broken.get().err().unwrap().to_string(), "no weights");
    assert_eq!(broken.get().err().unwrap().to_string(), "no weights");
}
