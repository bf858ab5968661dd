//! The sentence model as it is published.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Once;

use kubectl_react::retrieve::Embedder;
use kubectl_react::retrieve::embed::{Expect, Local, Precision, Sources, Step, pull};

/// The folder with the model, or none where there is none: then the test says so and ends.
pub(crate) fn folder() -> Option<PathBuf> {
    static SAID: Once = Once::new();
    let folder = env::var_os("REACT_TEST_MODEL").map(PathBuf::from);
    if folder.is_none() {
        SAID.call_once(|| eprintln!("skipped: sentence model (REACT_TEST_MODEL is not set; run ./test)"));
    }
    folder
}

fn testdata(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/retrieve/embed/testdata").join(name)).unwrap()
}

fn sentences() -> Vec<String> {
    serde_json::from_slice(&testdata("sentences.json")).unwrap()
}

/// What `sentence-transformers` gives for the sentences.
fn reference() -> Vec<Vec<f32>> {
    let numbers = testdata("reference.f32");
    let numbers: Vec<f32> =
        numbers.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect();
    numbers.chunks_exact(384).map(<[f32]>::to_vec).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// The least cosine to the reference, of the sentences one by one and all at once.
fn likeness(local: &Local) -> f32 {
    let sentences = sentences();
    let sentences: Vec<&str> = sentences.iter().map(String::as_str).collect();
    let one_by_one = sentences.iter().map(|sentence| local.embed(&[sentence]).unwrap().remove(0));
    let all = one_by_one.chain(local.embed(&sentences).unwrap());
    all.zip(reference().iter().cycle()).map(|(vector, reference)| cosine(&vector, reference)).fold(1.0, f32::min)
}

#[test]
fn its_vectors_are_those_of_the_reference_implementation() {
    let Some(folder) = folder() else { return };
    let local = Local::open(&folder, Expect::Default).unwrap();
    assert_eq!((local.name(), local.id().dimensions), ("all-MiniLM-L6-v2 (int8)", 384));
    let likeness = likeness(&local);
    eprintln!("int8: the least cosine to the reference is {likeness:.6}");
    assert!(likeness >= 0.998, "{likeness}");
}

#[test]
fn in_32_bits_they_are_the_same() {
    let Some(folder) = env::var_os("REACT_TEST_MODEL_F32").map(PathBuf::from) else {
        eprintln!("skipped: sentence model in 32 bits (REACT_TEST_MODEL_F32 is not set; run ./test --extra)");
        return;
    };
    let local = Local::open(&folder, Expect::Any).unwrap();
    let likeness = likeness(&local);
    eprintln!("f32: the least cosine to the reference is {likeness:.6}");
    assert!(likeness >= 0.9999, "{likeness}");
}

#[test]
fn the_order_and_the_neighbours_of_a_text_do_not_matter() {
    let Some(folder) = folder() else { return };
    let local = Local::open(&folder, Expect::Default).unwrap();
    let sentences = sentences();
    let texts: Vec<&str> = sentences.iter().cycle().take(70).map(String::as_str).collect();
    let vectors = local.embed(&texts).unwrap();
    for (vector, text) in vectors.iter().zip(&texts) {
        let first = texts.iter().position(|other| other == text).unwrap();
        assert!(cosine(vector, &vectors[first]) > 0.9999, "{text}");
    }
    assert_eq!(local.embed(&[]).unwrap().len(), 0);
    for text in ["", " ", "\0", "🦀", "x".repeat(1_000_000).as_str()] {
        let vector = local.embed(&[text]).unwrap().remove(0);
        assert!((cosine(&vector, &vector) - 1.0).abs() < 1e-4);
    }
}

/// The model with one file changed.
fn changed(folder: &Path, name: &str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in ["model.onnx", "tokenizer.json"] {
        fs::copy(folder.join(file), copy.path().join(file)).unwrap();
    }
    let path = copy.path().join(name);
    fs::write(&path, change(fs::read(&path).unwrap())).unwrap();
    copy
}

#[test]
fn a_wrong_file_is_refused() {
    let Some(folder) = folder() else { return };
    // The words have each other's numbers.
    let shuffled = changed(&folder, "tokenizer.json", |bytes| {
        let mut tokenizer: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let vocabulary = tokenizer["model"]["vocab"].as_object_mut().unwrap();
        for number in vocabulary.values_mut() {
            let old = number.as_u64().unwrap();
            *number = if old < 1000 { old } else { 1000 + (old - 1000 + 7777) % 29_000 }.into();
        }
        serde_json::to_vec(&tokenizer).unwrap()
    });
    let garbled = changed(&folder, "model.onnx", |mut bytes| {
        let middle = bytes.len() / 2;
        bytes[middle..middle + 400_000].iter_mut().for_each(|byte| *byte ^= 0x55);
        bytes
    });
    let half = changed(&folder, "model.onnx", |bytes| bytes[..bytes.len() / 2].to_vec());
    for (name, folder) in [("shuffled", &shuffled), ("garbled", &garbled), ("half", &half)] {
        let error =
            Local::open(folder.path(), Expect::Default).err().unwrap_or_else(|| unreachable!("{name} was taken"));
        eprintln!("{name}: {error}");
        assert!(!error.hint().is_empty());
    }
}

#[test]
fn another_file_is_another_model() {
    let Some(folder) = folder() else { return };
    let id = |folder: &Path| Local::open(folder, Expect::Any).unwrap().id().clone();
    let original = id(&folder);
    let other = changed(&folder, "tokenizer.json", |mut bytes| {
        bytes.push(b'\n');
        bytes
    });
    let shorter = changed(&folder, "tokenizer.json", |bytes| bytes);
    fs::write(shorter.path().join("sentence_bert_config.json"), r#"{"max_seq_length": 64}"#).unwrap();
    assert_ne!(id(other.path()).digest, original.digest);
    assert_ne!(id(shorter.path()).digest, original.digest);
    assert_eq!(id(&folder), original);
}

#[test]
fn it_is_downloaded_once() {
    if folder().is_none() {
        return;
    }
    let cache = tempfile::tempdir().unwrap();
    let home = env::home_dir();
    let sources = Sources::find(|name| env::var(name).ok(), home.as_deref());
    let mut steps = Vec::new();
    let pulled = pull(cache.path(), Precision::Int8, &sources, &mut |step| steps.push(step)).unwrap();
    assert!(pulled.new);
    assert_eq!(pulled.folder, cache.path().join("models/all-MiniLM-L6-v2"));
    let bytes = |step: &Step| matches!(step, Step::Bytes { name: "model.onnx", done, total } if done == total);
    assert!(steps.iter().any(bytes) && steps.contains(&Step::Trial), "{steps:?}");
    Local::open(&pulled.folder, Expect::Default).unwrap();
    let nothing = |step| unreachable!("{step:?}");
    let again = pull(cache.path(), Precision::Int8, &sources, &mut { nothing }).unwrap();
    assert_eq!((again.new, again.folder), (false, pulled.folder));
}
