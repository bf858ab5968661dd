//! A sentence model of the BERT kind in this process: an ONNX file with its `tokenizer.json`, run by `rten`.
//!
//! *Invariant:* the bytes that are run are the bytes that the digest is of; what was opened has passed [`check`](super::check).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rten::{Model, NodeId, ValueOrView};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, Tensor};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::check::{SENTENCES, Trial};
use super::pull::Precision;
use super::tokens::{Batch, LONGEST, Tokens};
use super::vector::unit;
use crate::retrieve::{EmbedError, Embedder, ModelId};
use crate::runbook::repo::hex;

/// What the default model is called.
pub(super) const DEFAULT_NAME: &str = "all-MiniLM-L6-v2";
/// The name of the file with the weights, where there are several.
const WEIGHTS: &str = "model.onnx";
const TOKENIZER: &str = "tokenizer.json";
/// No sentence model that is worth its time on a processor is larger.
const LARGEST: u64 = 1 << 31;
/// Files of the default model that are published: digest of the weights, kind, and how near they are to the reference.
const KNOWN: &[(&str, &str, f32)] = &[
    ("8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6", "int8", 0.998),
    ("6fd5d72fe4589f189f8ebc006442dbb529bb7ce38f8082112682524616046452", "f32", 0.9999),
];
/// Its tokenizer.
const KNOWN_TOKENIZER: &str = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037";
/// How near any other file of the default model is: what quantising all of it costs.
const LIKENESS: f32 = 0.98;
/// Another model's vectors have nothing to do with these; one that is nearer is the default one, gone wrong.
const UNLIKENESS: f32 = 0.5;

/// What is known of a folder before it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// all-MiniLM-L6-v2, as it was published: what we ship and download.
    Default,
    /// Any sentence model: what a person chose.
    Any,
}

/// Why a model can't be used.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// No ONNX file.
    #[error("no model in `{}`: there is no ONNX file", .0.display())]
    NoWeights(PathBuf),
    /// Several ONNX files, none of which is called `model.onnx`.
    #[error("which of the models in `{}`? {}", folder.display(), names.join(", "))]
    SeveralWeights {
        /// Where.
        folder: PathBuf,
        /// The files.
        names: Vec<String>,
    },
    /// A file that can't be read.
    #[error("can't read `{}`: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that is no tokenizer or no model, or none that we can run.
    #[error("can't use `{}`: {reason}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// It runs and gives what it should not.
    #[error("`{}` is not to be trusted: {reason}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What it gives.
        reason: String,
    },
}

impl LocalError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            LocalError::NoWeights(_) => {
                "get the default model with `kubectl react runbooks model pull`, or name a folder that holds \
                 `model.onnx` and `tokenizer.json` in `embedder.dir`"
            }
            LocalError::SeveralWeights { .. } => "call the one to use `model.onnx`",
            LocalError::Unreadable { .. } => "look at the rights of the file and its folder",
            LocalError::Unusable { .. } | LocalError::Wrong { .. } => {
                "take another file of this model, or the default one: `kubectl react runbooks model pull`"
            }
        }
    }
}

/// How a sentence's vector is made of its tokens' vectors.
#[derive(Clone, Copy, Debug)]
enum Pooling {
    Mean,
    First,
}

/// What the files beside a model say of it.
#[derive(Clone, Copy, Debug)]
struct Shape {
    longest: usize,
    pooling: Pooling,
}

/// A sentence model in this process.
pub struct Local {
    id: ModelId,
    engine: Engine,
}

struct Engine {
    tokens: Tokens,
    model: Model,
    ids: NodeId,
    mask: NodeId,
    types: Option<NodeId>,
    output: NodeId,
    pooling: Pooling,
}

impl Local {
    /// Opens the model in `folder`, and tries it.
    pub fn open(folder: &Path, expect: Expect) -> Result<Local, LocalError> {
        let path = weights(folder)?;
        let bytes = read(&path)?;
        let tokenizer = tokenizer(folder, &path)?;
        let shape = Shape { longest: longest(folder), pooling: pooling(folder) };
        let weights = Sha256::digest(&bytes);
        let (weights, digest) = (hex(&weights), digest(&weights, &tokenizer.1, shape));
        let known = KNOWN.iter().find(|(digest, ..)| *digest == weights);
        let published = known.is_some() && hex(&Sha256::digest(&tokenizer.1)) == KNOWN_TOKENIZER;
        let unpublished = (!published).then(|| {
            format!("these are not the files of {DEFAULT_NAME} as it was published; to use them, name their folder in `embedder.dir`")
        });
        let engine = Engine::load(&path, bytes, tokenizer, shape)?;
        let trial = engine.trial().map_err(|reason| LocalError::Wrong { path: path.clone(), reason })?;
        let likeness = trial.likeness();
        let least = known.map(|known| known.2).or((likeness > Some(UNLIKENESS)).then_some(LIKENESS));
        let fault = trial.fault().or_else(|| least.and_then(|least| unlike(likeness, least)));
        if let Some(reason) = fault.or_else(|| (expect == Expect::Default).then_some(unpublished).flatten()) {
            return Err(LocalError::Wrong { path, reason });
        }
        let name = match known {
            Some((_, kind, _)) => format!("{DEFAULT_NAME} ({kind})"),
            None if likeness.is_some_and(|likeness| likeness >= LIKENESS) => DEFAULT_NAME.to_owned(),
            None => folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned(),
        };
        let dimensions = trial.alone.iter().map(Vec::len).max().unwrap_or(0);
        Ok(Local { id: ModelId { name, digest, dimensions }, engine })
    }

    /// For people.
    pub fn name(&self) -> &str {
        &self.id.name
    }

    /// Whether it is what a download in this precision gives, or more.
    pub(super) fn is(&self, precision: Precision) -> bool {
        precision == Precision::Int8 || self.id.name.ends_with("(f32)")
    }
}

impl Embedder for Local {
    fn id(&self) -> &ModelId {
        &self.id
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let vectors = self.engine.embed(texts).map_err(|reason| EmbedError(format!("{}: {reason}", self.id.name)))?;
        if let Some(vector) = vectors.iter().find(|vector| vector.len() != self.id.dimensions) {
            return Err(EmbedError(format!("{}: a vector of {} dimensions", self.id.name, vector.len())));
        }
        Ok(vectors)
    }
}

/// What is wrong where a file of the default model gives other vectors than it.
fn unlike(likeness: Option<f32>, least: f32) -> Option<String> {
    match likeness {
        Some(likeness) if likeness >= least => None,
        Some(likeness) => Some(format!(
            "it gives other vectors than {DEFAULT_NAME} does: cosine {likeness:.3}, where {least} is the least"
        )),
        None => Some(format!("its vectors are not as long as those of {DEFAULT_NAME}")),
    }
}

impl Engine {
    fn load(path: &Path, bytes: Vec<u8>, tokenizer: (PathBuf, Vec<u8>), shape: Shape) -> Result<Engine, LocalError> {
        let unusable = |reason: String| LocalError::Unusable { path: path.to_owned(), reason };
        let tokens = Tokens::read(&tokenizer.1, shape.longest)
            .map_err(|reason| LocalError::Unusable { path: tokenizer.0, reason })?;
        let model = Model::load(bytes).map_err(|error| unusable(error.to_string()))?;
        let mut engine = Engine {
            ids: input(&model, "input_ids").ok_or_else(|| unusable("it has no input `input_ids`".to_owned()))?,
            mask: input(&model, "attention_mask")
                .ok_or_else(|| unusable("it has no input `attention_mask`".to_owned()))?,
            types: input(&model, "token_type_ids"),
            output: *model.output_ids().first().ok_or_else(|| unusable("it has no output".to_owned()))?,
            pooling: shape.pooling,
            tokens,
            model,
        };
        let takes = 2 + usize::from(engine.types.is_some());
        if engine.model.input_ids().len() != takes {
            return Err(unusable("it takes more than token numbers, a mask and token types".to_owned()));
        }
        let named = |name: &str| {
            let mut outputs = engine.model.output_ids().iter();
            outputs.find(|id| engine.model.node_info(**id).is_some_and(|node| node.name() == Some(name))).copied()
        };
        if let Some(output) = named("last_hidden_state").or_else(|| named("token_embeddings")) {
            engine.output = output;
        }
        Ok(engine)
    }

    fn trial(&self) -> Result<Trial, String> {
        let [first, second] = SENTENCES;
        let one = |text| self.embed(&[text])?.pop().ok_or_else(|| "it gives no vector".to_owned());
        let alone = [one(first)?, one(second)?];
        let together = self.embed(&SENTENCES)?.try_into().map_err(|_| "it gives no vectors".to_owned())?;
        Ok(Trial { alone, together })
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, String> {
        let mut vectors = vec![Vec::new(); texts.len()];
        for batch in self.tokens.batches(texts)? {
            for (text, vector) in batch.texts.iter().zip(self.run(&batch)?) {
                if let Some(slot) = vectors.get_mut(*text) {
                    *slot = unit(vector).ok_or_else(|| "a vector has no direction".to_owned())?;
                }
            }
        }
        Ok(vectors)
    }

    fn run(&self, batch: &Batch) -> Result<Vec<Vec<f32>>, String> {
        let shape = [batch.texts.len(), batch.width];
        let tensor = |data: Vec<i32>| ValueOrView::from(NdTensor::from_data(shape, data));
        let mut inputs = vec![(self.ids, tensor(batch.ids.clone())), (self.mask, tensor(batch.mask.clone()))];
        if let Some(types) = self.types {
            inputs.push((types, tensor(vec![0; batch.ids.len()])));
        }
        let outputs = self.model.run(inputs, &[self.output], None).map_err(|error| error.to_string())?;
        let output: Option<Tensor<f32>> = outputs.into_iter().next().and_then(|output| output.try_into().ok());
        let output = output.ok_or_else(|| "its output is not of numbers".to_owned())?;
        let (shape, data) = (output.shape().to_vec(), output.to_vec());
        match *shape.as_slice() {
            [rows, width, size] if rows == batch.texts.len() && width == batch.width && size > 0 => {
                let rows = data.chunks_exact(width * size).zip(batch.mask.chunks_exact(width));
                Ok(rows.map(|(row, mask)| self.pool(row, mask, size)).collect())
            }
            // Pooled in the model already.
            [rows, size] if rows == batch.texts.len() && size > 0 => {
                Ok(data.chunks_exact(size).map(<[f32]>::to_vec).collect())
            }
            _ => Err(format!("its output has the shape {shape:?} for {} texts", batch.texts.len())),
        }
    }

    fn pool(&self, row: &[f32], mask: &[i32], size: usize) -> Vec<f32> {
        let tokens = row.chunks_exact(size).zip(mask).filter(|(_, mask)| **mask == 1).map(|(token, _)| token);
        match self.pooling {
            Pooling::First => tokens.take(1).flatten().copied().collect(),
            Pooling::Mean => {
                // Not divided by their number: the length becomes 1 in any case.
                let mut sum = vec![0.0; size];
                tokens.for_each(|token| sum.iter_mut().zip(token).for_each(|(sum, x)| *sum += x));
                sum
            }
        }
    }
}

fn input(model: &Model, name: &str) -> Option<NodeId> {
    let mut inputs = model.input_ids().iter();
    inputs.find(|id| model.node_info(**id).is_some_and(|node| node.name() == Some(name))).copied()
}

/// The ONNX file of a folder, or of its folder `onnx`, as the model hubs lay it.
fn weights(folder: &Path) -> Result<PathBuf, LocalError> {
    for folder in [folder.to_owned(), folder.join("onnx")] {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "onnx"))
            .collect();
        names.sort();
        match names.as_slice() {
            [] => {}
            [name] => return Ok(folder.join(name)),
            _ if names.iter().any(|name| name == WEIGHTS) => return Ok(folder.join(WEIGHTS)),
            _ => return Err(LocalError::SeveralWeights { folder, names }),
        }
    }
    Err(LocalError::NoWeights(folder.to_owned()))
}

/// The tokenizer lies beside the weights, or above them.
fn tokenizer(folder: &Path, weights: &Path) -> Result<(PathBuf, Vec<u8>), LocalError> {
    let beside = weights.with_file_name(TOKENIZER);
    let path = if beside.is_file() { beside } else { folder.join(TOKENIZER) };
    let bytes = read(&path)?;
    Ok((path, bytes))
}

fn read(path: &Path) -> Result<Vec<u8>, LocalError> {
    let unreadable = |source| LocalError::Unreadable { path: path.to_owned(), source };
    if fs::metadata(path).map_err(unreadable)?.len() > LARGEST {
        return Err(LocalError::Unusable { path: path.to_owned(), reason: "it is larger than 2 GiB".to_owned() });
    }
    fs::read(path).map_err(unreadable)
}

/// Over all that has a say in a vector.
fn digest(weights: &[u8], tokenizer: &[u8], shape: Shape) -> String {
    let mut digest = Sha256::new();
    digest.update(format!("{shape:?}"));
    digest.update(weights);
    digest.update(tokenizer);
    hex(&digest.finalize())
}

/// A part of the files that sentence-transformers lays beside a model.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Companion {
    max_seq_length: Option<usize>,
    max_position_embeddings: Option<usize>,
    pooling_mode_cls_token: bool,
}

fn companion(folder: &Path, name: &str) -> Companion {
    fs::read(folder.join(name)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// The longest text in tokens: our limit, or the model's own where that is less.
fn longest(folder: &Path) -> usize {
    let said = companion(folder, "sentence_bert_config.json").max_seq_length;
    let most = companion(folder, "config.json").max_position_embeddings;
    said.into_iter().chain(most).chain([LONGEST]).min().unwrap_or(LONGEST).max(8)
}

fn pooling(folder: &Path) -> Pooling {
    if companion(folder, "1_Pooling/config.json").pooling_mode_cls_token { Pooling::First } else { Pooling::Mean }
}
