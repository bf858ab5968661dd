//! The feature `fastembed`, with the library of ONNX Runtime that PyPI carries: `tests/model/runtime` gets it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kubectl_react::retrieve::Embedder;
use kubectl_react::retrieve::embed::{Catalogue, CatalogueError, Expect, Local, Provider, Source};

/// The library, or none where there is none: then the test says so and ends.
fn runtime() -> Option<PathBuf> {
    let runtime = env::var_os("REACT_TEST_ONNXRUNTIME").map(PathBuf::from);
    if runtime.is_none() {
        eprintln!("skipped: ONNX Runtime (REACT_TEST_ONNXRUNTIME is not set; run ./test --extra)");
    }
    runtime
}

#[test]
fn what_is_no_runtime_is_an_error_and_not_the_end() {
    const TEST: &str = "catalogue::what_is_no_runtime_is_an_error_and_not_the_end";
    // A process has one runtime, and a neighbour may have loaded a good one.
    if env::var_os("REACT_TEST_NO_RUNTIME").is_none() {
        let mut alone = Command::new(env::current_exe().unwrap());
        let output = alone.args([TEST, "--exact"]).env("REACT_TEST_NO_RUNTIME", "yes").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let none = folder.path().join("libonnxruntime.so");
    let source = Source::Folder(folder.path().to_owned());
    let open = |runtime: &Path| Catalogue::open(&source, runtime, Provider::Cpu).err().unwrap();
    assert!(matches!(open(&none), CatalogueError::Runtime { .. }));
    fs::write(&none, "no library").unwrap();
    let error = open(&none);
    assert!(matches!(error, CatalogueError::Runtime { .. }), "{error}");
    assert!(error.hint().contains("ONNX Runtime"));
}

#[test]
fn it_gives_the_vectors_of_the_model_in_this_process() {
    let (Some(runtime), Some(folder)) = (runtime(), crate::model::folder()) else { return };
    let catalogue = Catalogue::open(&Source::Folder(folder.clone()), &runtime, Provider::Cpu).unwrap();
    let local = Local::open(&folder, Expect::Default).unwrap();
    assert_eq!(catalogue.id().dimensions, 384);
    assert_ne!(catalogue.id().digest, local.id().digest);
    let texts = ["OOMKilled", "the node is not ready, and its pods are evicted", "", "x509: certificate has expired"];
    let texts: Vec<&str> = texts.iter().copied().cycle().take(100).collect();
    let pairs = catalogue.embed(&texts).unwrap().into_iter().zip(local.embed(&texts).unwrap());
    for ((one, other), text) in pairs.zip(texts) {
        let cosine: f32 = one.iter().zip(&other).map(|(x, y)| x * y).sum();
        assert!(cosine > 0.999, "{text}: {cosine}");
    }
}

#[test]
fn a_name_that_the_catalogue_lacks_and_a_provider_that_is_not_there_are_errors() {
    let (Some(runtime), Some(folder)) = (runtime(), crate::model::folder()) else { return };
    let source = Source::Named { name: "NoSuchModel".into(), cache: env::temp_dir() };
    assert!(matches!(Catalogue::open(&source, &runtime, Provider::Cpu), Err(CatalogueError::Unknown(_))));
    let gpu = Catalogue::open(&Source::Folder(folder), &runtime, Provider::Cuda);
    assert!(matches!(gpu, Err(CatalogueError::Unusable { .. })), "PyPI's library has no CUDA");
}
