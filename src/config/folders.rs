//! Where files of ours live, and the key of placeholders that is kept there.
//!
//! *Invariant:* folders that we make are for their owner alone (0700), files with secrets too (0600).

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

/// `~/.config/kubectl-react/config.yaml`, on macOS too; on Windows in `%APPDATA%`.
pub fn config_file() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.config_dir().join("kubectl-react").join("config.yaml"))
}

/// `~/.cache/kubectl-react`: what can be made again.
pub fn cache_dir() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.cache_dir().join("kubectl-react"))
}

/// `~/.local/state/kubectl-react`: what can't be made again.
pub fn state_dir() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.state_dir().unwrap_or_else(|| strategy.data_dir()).join("kubectl-react"))
}

/// The key of placeholders, kept so that a secret has the same one in every run.
///
/// Where it can't be kept, this run has one of its own: placeholders are then equal within it only.
///
/// # Errors
/// When the system has no random numbers.
pub fn redaction_key() -> io::Result<[u8; 32]> {
    let fresh = || {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map(|()| key).map_err(|error| io::Error::other(error.to_string()))
    };
    match state_dir() {
        Some(folder) => kept_key(&folder, fresh),
        None => fresh(),
    }
}

fn kept_key(folder: &Path, fresh: impl Fn() -> io::Result<[u8; 32]>) -> io::Result<[u8; 32]> {
    let path = folder.join("redaction.key");
    if let Some(key) = read_key(&path) {
        return Ok(key);
    }
    let key = fresh()?;
    match write_key(folder, &path, &key) {
        // Another run may have been first; its key is as good as ours, and kept.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(read_key(&path).unwrap_or(key)),
        Ok(()) | Err(_) => Ok(key),
    }
}

fn read_key(path: &Path) -> Option<[u8; 32]> {
    let mut bytes = Vec::new();
    fs::File::open(path).ok()?.take(33).read_to_end(&mut bytes).ok()?;
    bytes.try_into().ok()
}

fn write_key(folder: &Path, path: &Path, key: &[u8; 32]) -> io::Result<()> {
    let mut folders = fs::DirBuilder::new();
    folders.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folders, 0o700);
    folders.create(folder)?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state/kubectl-react");
        assert_eq!(kept_key(&state, || Ok([1; 32])).unwrap(), [1; 32]);
        assert_eq!(kept_key(&state, || Ok([2; 32])).unwrap(), [1; 32]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&state), mode(&state.join("redaction.key"))), (0o700, 0o600));
        }
        // A folder that can't be made is no failure.
        fs::write(folder.path().join("file"), "").unwrap();
        assert_eq!(kept_key(&folder.path().join("file/below"), || Ok([3; 32])).unwrap(), [3; 32]);
    }
}
