//! A plain folder of markdown, read as it lies there.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::{Collection, Entry, MAX_FILE, MAX_FILES, Reader, RepoError, Wanted, choose, relative};
use crate::model::Library;

/// Deeper folders are not looked into.
const MAX_DEPTH: usize = 32;

pub(super) fn read(root: &Path, wanted: &Wanted) -> Result<Collection, RepoError> {
    let mut notes = Vec::new();
    let mut files = Vec::new();
    walk(root, root, 0, &mut files, &mut notes)?;
    let mut entries = choose(files, wanted.path.as_deref(), &mut notes);
    entries.retain_mut(|entry| match bytes(root, &entry.path) {
        Ok(bytes) => {
            entry.blob = super::blob_id(&bytes);
            true
        }
        Err(error) => {
            notes.push(error.to_string());
            false
        }
    });
    Ok(Collection {
        library: Library::Team,
        source: wanted.source.clone(),
        commit: String::new(),
        entries,
        synced: None,
        stale: None,
        notes,
        reader: Reader::Folder(root.to_owned()),
    })
}

fn walk(
    root: &Path,
    folder: &Path,
    depth: usize,
    found: &mut Vec<Entry>,
    notes: &mut Vec<String>,
) -> Result<(), RepoError> {
    let unreadable =
        |path: &Path, error: std::io::Error| RepoError::Unreadable { path: path.to_owned(), reason: error.to_string() };
    let mut entries: Vec<_> =
        fs::read_dir(folder).map_err(|error| unreadable(folder, error))?.filter_map(Result::ok).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let Ok(meta) = fs::symlink_metadata(&path) else { continue };
        let Some(relative) = relative(root, &path) else {
            notes.push(format!("{} has a name that is no text, and is left out", path.display()));
            continue;
        };
        if meta.is_symlink() {
            // It may lead out of the folder, or back into it.
            if super::is_runbook(&relative) {
                notes.push(format!("{relative} is a symbolic link, and left out"));
            }
        } else if meta.is_dir() {
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            if !hidden && depth < MAX_DEPTH && found.len() < MAX_FILES * 2 {
                walk(root, &path, depth + 1, found, notes).or_else(|error| {
                    notes.push(error.to_string());
                    Ok::<(), RepoError>(())
                })?;
            }
        } else if meta.is_file() {
            found.push(Entry { path: relative, blob: String::new(), size: meta.len() });
        }
    }
    Ok(())
}

pub(super) fn bytes(root: &Path, path: &str) -> Result<Vec<u8>, RepoError> {
    let path: PathBuf = root.join(path);
    let mut bytes = Vec::new();
    // It may have grown since it was listed.
    let read = fs::File::open(&path).and_then(|file| file.take(MAX_FILE).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(bytes),
        Err(error) => Err(RepoError::Unreadable { path, reason: error.to_string() }),
    }
}
