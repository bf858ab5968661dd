//! Retrieval's machinery with the real things: the sentence model, and a real ChromaDB server.
//!
//! `tests/model/up` gets the model and `REACT_TEST_MODEL` names its folder; `tests/chroma/up` starts the server and
//! `REACT_TEST_CHROMA` is its address. Without one of them its tests say that they are skipped; `./test` counts that,
//! and fails on it in CI.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]
#![expect(clippy::print_stderr, reason = "what is skipped, and how long it took, is told")]

mod books;
#[cfg(feature = "fastembed")]
mod catalogue;
mod chroma;
mod cli;
mod model;
