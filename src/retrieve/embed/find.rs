//! Where the weights are.
//!
//! *Invariant:* a folder that the settings name is the only one that is looked at.

use std::path::{Path, PathBuf};

use super::local::{DEFAULT_NAME, Expect, Local, LocalError};

/// Beside the program: where the archive has it.
const BESIDE: &str = "model";
/// In the model's folder: its vectors of the built-in library, where someone made them.
const SHIPPED: &str = "builtin.vectors";

/// A folder that should hold a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The folder.
    pub folder: PathBuf,
    /// Why it is looked at.
    pub origin: Origin,
}

/// Why a folder is looked at for a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `embedder.dir`.
    Setting,
    /// It lies beside the program.
    Program,
    /// It was downloaded.
    Cache,
}

impl Candidate {
    /// Opens the model in it.
    pub fn open(&self) -> Result<Local, LocalError> {
        Local::open(&self.folder, if self.origin == Origin::Setting { Expect::Any } else { Expect::Default })
    }

    /// Where its vectors of the built-in library lie, if it came with them.
    pub fn shipped(&self) -> PathBuf {
        self.folder.join(SHIPPED)
    }
}

/// The folder with the model: that of the settings, whatever is in it; else the one beside the program, or the one in
/// the cache folder of kubectl-react. `program` is where the program lies, links followed: krew installs a link.
pub fn find(setting: Option<&Path>, program: Option<&Path>, cache: Option<&Path>) -> Option<Candidate> {
    if let Some(folder) = setting {
        return Some(Candidate { folder: folder.to_owned(), origin: Origin::Setting });
    }
    let program = program.and_then(|path| path.canonicalize().ok()).and_then(|path| Some(path.parent()?.join(BESIDE)));
    let cache = cache.map(|cache| cached(cache, DEFAULT_NAME));
    let places = [(program, Origin::Program), (cache, Origin::Cache)];
    let mut candidates = places.into_iter().filter_map(|(folder, origin)| Some(Candidate { folder: folder?, origin }));
    candidates.find(|candidate| candidate.folder.is_dir())
}

/// Where a downloaded model lies.
pub(super) fn cached(cache: &Path, name: &str) -> PathBuf {
    cache.join("models").join(name)
}
