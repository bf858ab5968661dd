//! The library that comes with the plugin; the build script puts its files into the binary.

use super::{Collection, Entry, Reader};
use crate::model::Library;

/// `(path, text)`, sorted by path.
static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/runbooks.rs"));

/// The library that comes with the plugin. Its commit is the plugin's version.
pub fn builtin() -> Collection {
    let entries = FILES.iter().map(|(path, text)| Entry {
        path: (*path).to_owned(),
        blob: super::blob_id(text.as_bytes()),
        size: text.len() as u64,
    });
    Collection {
        library: Library::Builtin,
        source: "built-in".to_owned(),
        commit: format!("v{}", env!("CARGO_PKG_VERSION")),
        entries: entries.collect(),
        synced: None,
        stale: None,
        notes: Vec::new(),
        reader: Reader::Builtin,
    }
}

pub(super) fn bytes(path: &str) -> Vec<u8> {
    let found = FILES.binary_search_by_key(&path, |(path, _)| path);
    found.ok().and_then(|at| FILES.get(at)).map(|(_, text)| text.as_bytes().to_vec()).unwrap_or_default()
}
