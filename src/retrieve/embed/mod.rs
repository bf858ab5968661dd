//! Turns text into unit vectors: a sentence model in this process ([`Local`]), or an endpoint ([`Remote`]).
//!
//! *Invariant:* no vector comes from a model that was not tried first: a file that gives other vectors than it should, or
//! other ones for a text alone than for the same text among others, is refused when it is opened. Nothing is opened
//! before the first text that needs a vector.

#[cfg(feature = "fastembed")]
mod catalogue;
mod check;
mod download;
mod find;
mod local;
mod pull;
mod remote;
mod tokens;
mod vector;

#[cfg(feature = "fastembed")]
pub use catalogue::{Catalogue, CatalogueError, Provider, Source};
pub use find::{Candidate, Origin, find};
pub use local::{Expect, Local, LocalError};
pub use pull::{Precision, PullError, Pulled, Sources, Step, pull};
pub use remote::{Endpoint, Key, Remote, RemoteError};
pub use vector::unit;

use std::sync::{Arc, OnceLock};

use super::{EmbedError, Embedder};

/// What opens an embedder when it is first needed.
type Open = Box<dyn Fn() -> Result<Arc<dyn Embedder>, EmbedError> + Send + Sync>;

/// An embedder that is opened when it is first asked for: a search that a signature answers never loads a model.
pub struct Lazy {
    open: Open,
    opened: OnceLock<Result<Arc<dyn Embedder>, String>>,
}

impl Lazy {
    /// What `open` opens, later.
    pub fn new(open: impl Fn() -> Result<Arc<dyn Embedder>, EmbedError> + Send + Sync + 'static) -> Lazy {
        Lazy { open: Box::new(open), opened: OnceLock::new() }
    }

    /// The embedder; the first call opens it, and what it came to stays.
    pub fn get(&self) -> Result<Arc<dyn Embedder>, EmbedError> {
        let opened = self.opened.get_or_init(|| (self.open)().map_err(|error| error.0));
        opened.clone().map_err(EmbedError)
    }

    /// Whether it was asked for.
    pub fn is_open(&self) -> bool {
        self.opened.get().is_some()
    }
}

#[cfg(test)]
mod tests;
