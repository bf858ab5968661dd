//! The krew manifest and the release archives: can krew install what we publish?
//!
//! `rules` is what krew asks of a manifest, and `broken` breaks each rule once; `archive`
//! and `install` do what krew does with an archive; `package` tries them on what
//! `packaging/build` made, and `template` on what every release starts from.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod archive;
mod broken;
mod install;
mod manifest;
mod package;
mod rules;
#[cfg(unix)]
mod template;
