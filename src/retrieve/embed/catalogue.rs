//! The models of the `fastembed` library, run by ONNX Runtime, on a GPU where there is one.
//!
//! *Invariant:* the runtime is loaded from the file that the settings name, and first of all: the library would look for
//! one by itself, and end the process where there is none. What is opened has passed the same trial as any other model.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use fastembed::{
    EmbeddingModel, InitOptionsUserDefined, TextEmbedding, TextInitOptions, TokenizerFiles, UserDefinedEmbeddingModel,
};
use ort::ep::{self, ExecutionProviderDispatch};
use sha2::{Digest, Sha256};

use super::check::{SENTENCES, Trial};
use super::tokens::LONGEST;
use super::vector::unit;
use crate::retrieve::{EmbedError, Embedder, ModelId};
use crate::runbook::repo::hex;

/// What does the arithmetic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Provider {
    /// The processor.
    #[default]
    Cpu,
    /// A GPU of NVIDIA.
    Cuda,
    /// Apple's.
    CoreMl,
    /// Any GPU on Windows.
    DirectMl,
}

impl Provider {
    /// A runtime that can't is an error: it would go on with the processor, and nobody would know.
    fn dispatch(self) -> ExecutionProviderDispatch {
        match self {
            Provider::Cpu => ep::CPU::default().build(),
            Provider::Cuda => ep::CUDA::default().build().error_on_failure(),
            Provider::CoreMl => ep::CoreML::default().build().error_on_failure(),
            Provider::DirectMl => ep::DirectML::default().build().error_on_failure(),
        }
    }
}

/// Which model.
#[derive(Clone, Debug)]
pub enum Source {
    /// By its name in the catalogue, as the library spells it: `MultilingualE5Small`. It is downloaded at its first use.
    Named {
        /// The name.
        name: String,
        /// Where downloads lie.
        cache: PathBuf,
    },
    /// `model.onnx` and `tokenizer.json` in a folder.
    Folder(PathBuf),
}

/// Why a model of the catalogue can't be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The runtime is not there, or is none.
    #[error("can't load ONNX Runtime from `{}`: {reason}", path.display())]
    Runtime {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// There is no such model.
    #[error("`{0}` is no model of the catalogue")]
    Unknown(String),
    /// It can't be opened or gives what it should not.
    #[error("can't use the model `{name}`: {reason}")]
    Unusable {
        /// Which.
        name: String,
        /// Why.
        reason: String,
    },
}

impl CatalogueError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            CatalogueError::Runtime { .. } => {
                "set `embedder.runtime` to the library of ONNX Runtime 1.24 or later (`libonnxruntime.so`), of the same \
                 C library and processor as this program"
            }
            CatalogueError::Unknown(_) => "see the list of models of fastembed",
            CatalogueError::Unusable { .. } => "look at the network, the cache folder and the provider",
        }
    }
}

/// A model that ONNX Runtime runs.
pub struct Catalogue {
    id: ModelId,
    model: Mutex<TextEmbedding>,
}

impl Catalogue {
    /// Loads the runtime, then the model.
    pub fn open(source: &Source, runtime: &Path, provider: Provider) -> Result<Catalogue, CatalogueError> {
        load(runtime)?;
        let (name, digest, model) = match source {
            Source::Named { name, cache } => {
                let (name, model) = named(name, cache, provider)?;
                (name.clone(), hex(&Sha256::digest(format!("fastembed {name}"))), model)
            }
            Source::Folder(folder) => from_folder(folder, provider)?,
        };
        let mut catalogue =
            Catalogue { id: ModelId { name: name.clone(), digest, dimensions: 0 }, model: Mutex::new(model) };
        let unusable = |reason: String| CatalogueError::Unusable { name: name.clone(), reason };
        let trial = catalogue.trial().map_err(unusable)?;
        if let Some(reason) = trial.fault() {
            return Err(unusable(reason));
        }
        catalogue.id.dimensions = trial.alone.iter().map(Vec::len).max().unwrap_or(0);
        Ok(catalogue)
    }

    fn trial(&self) -> Result<Trial, String> {
        let one = |text| self.vectors(&[text])?.pop().ok_or_else(|| "it gives no vector".to_owned());
        let [first, second] = SENTENCES;
        let alone = [one(first)?, one(second)?];
        let together = self.vectors(&SENTENCES)?.try_into().map_err(|_| "it gives no vectors".to_owned())?;
        Ok(Trial { alone, together })
    }

    fn vectors(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, String> {
        let mut model = self.model.lock().unwrap_or_else(PoisonError::into_inner);
        // One batch: where weights are quantised at run time, the library allows no other.
        let vectors = model.embed(texts, Some(texts.len().max(1))).map_err(|error| error.to_string())?;
        vectors.into_iter().map(unit).collect::<Option<_>>().ok_or_else(|| "a vector has no direction".to_owned())
    }
}

impl Embedder for Catalogue {
    fn id(&self) -> &ModelId {
        &self.id
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let mut vectors = Vec::with_capacity(texts.len());
        for texts in texts.chunks(BATCH) {
            vectors.extend(self.vectors(texts).map_err(|reason| EmbedError(format!("{}: {reason}", self.id.name)))?);
        }
        Ok(vectors)
    }
}

/// Texts that are run at once.
const BATCH: usize = 32;

/// Loads the runtime; a second time does nothing.
fn load(runtime: &Path) -> Result<(), CatalogueError> {
    let failed = |reason: String| CatalogueError::Runtime { path: runtime.to_owned(), reason };
    if !runtime.is_file() {
        return Err(failed("there is no such file".to_owned()));
    }
    ort::init_from(runtime).map(drop).map_err(|error| failed(error.to_string()))
}

fn named(name: &str, cache: &Path, provider: Provider) -> Result<(String, TextEmbedding), CatalogueError> {
    let model: EmbeddingModel = name.parse().map_err(|_| CatalogueError::Unknown(name.to_owned()))?;
    let options = TextInitOptions::new(model)
        .with_cache_dir(cache.to_owned())
        .with_show_download_progress(false)
        .with_execution_providers(vec![provider.dispatch()]);
    let opened = TextEmbedding::try_new(options);
    let opened =
        opened.map_err(|error| CatalogueError::Unusable { name: name.to_owned(), reason: error.to_string() })?;
    Ok((name.to_owned(), opened))
}

fn from_folder(folder: &Path, provider: Provider) -> Result<(String, String, TextEmbedding), CatalogueError> {
    let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned();
    let unusable = |reason: String| CatalogueError::Unusable { name: name.clone(), reason };
    let read = |file: &str| std::fs::read(folder.join(file)).map_err(|error| unusable(format!("{file}: {error}")));
    let (weights, tokenizer) = (read("model.onnx")?, read("tokenizer.json")?);
    let mut digest = Sha256::new();
    digest.update("fastembed");
    digest.update(&weights);
    digest.update(&tokenizer);
    let digest = hex(&digest.finalize());
    let files = TokenizerFiles {
        tokenizer_file: tokenizer,
        config_file: b"{}".to_vec(),
        special_tokens_map_file: b"{}".to_vec(),
        tokenizer_config_file: format!(r#"{{"model_max_length": {LONGEST}, "pad_token": "[PAD]"}}"#).into_bytes(),
    };
    let model = UserDefinedEmbeddingModel::new(weights, files).with_pooling(fastembed::Pooling::Mean);
    let options =
        InitOptionsUserDefined::new().with_max_length(LONGEST).with_execution_providers(vec![provider.dispatch()]);
    let opened =
        TextEmbedding::try_new_from_user_defined(model, options).map_err(|error| unusable(error.to_string()))?;
    Ok((name.clone(), digest, opened))
}
