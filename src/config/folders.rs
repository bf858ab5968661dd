//! Where files of ours live, and the key of placeholders that is kept there.
//!
//! *Invariant:* folders that we make are for their owner alone (0700), files with secrets too (0600); the key is there
//! whole or not at all.

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
    close(folder);
    if let Some(key) = read_key(&path) {
        return Ok(key);
    }
    let key = fresh()?;
    Ok(match write_key(folder, &path, &key) {
        // Another run may have been first; its key is as good as ours, and kept.
        Ok(()) => read_key(&path).unwrap_or(key),
        Err(_) => key,
    })
}

/// Closes our folder to others, where it is there: one that was made by hand, or by something else, is often open.
fn close(folder: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let open = |meta: &fs::Metadata| meta.is_dir() && meta.permissions().mode() & 0o077 != 0;
        if fs::symlink_metadata(folder).is_ok_and(|meta| open(&meta)) {
            // That of somebody else stays as it is, and `doctor` says so.
            let _ = fs::set_permissions(folder, fs::Permissions::from_mode(0o700));
        }
    }
    #[cfg(not(unix))]
    let _ = folder;
}

fn read_key(path: &Path) -> Option<[u8; 32]> {
    let mut bytes = Vec::new();
    fs::File::open(path).ok()?.take(33).read_to_end(&mut bytes).ok()?;
    bytes.try_into().ok()
}

/// Writes the key whole, or not at all.
fn write_key(folder: &Path, path: &Path, key: &[u8; 32]) -> io::Result<()> {
    let mut folders = fs::DirBuilder::new();
    folders.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folders, 0o700);
    folders.create(folder)?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let unfinished = unfinished(folder);
    let written = options.open(&unfinished).and_then(|mut file| {
        file.write_all(key)?;
        file.sync_all()?;
        name(&unfinished, path)
    });
    // Best effort: the error that matters is the first.
    let _ = fs::remove_file(&unfinished);
    written
}

fn unfinished(folder: &Path) -> PathBuf {
    folder.join(format!(".redaction.key.{}.tmp", std::process::id()))
}

/// Gives a key its name, unless that is the one of another key.
fn name(unfinished: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(unfinished, path) {
        Ok(()) => Ok(()),
        // A key is 32 bytes, also where we may not read it.
        Err(_) if fs::metadata(path).is_ok_and(|meta| meta.len() == 32) => Ok(()),
        // What is there is what a full disk once left of one; or no file can have two names here.
        Err(_) => fs::rename(unfinished, path),
    }
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
        // One that was open is closed, and the key stays.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&state, fs::Permissions::from_mode(0o755)).unwrap();
            assert_eq!(kept_key(&state, || Ok([2; 32])).unwrap(), [1; 32]);
            assert_eq!(fs::metadata(&state).unwrap().permissions().mode() & 0o777, 0o700);
        }
        // A folder that can't be made is no failure.
        fs::write(folder.path().join("file"), "").unwrap();
        assert_eq!(kept_key(&folder.path().join("file/below"), || Ok([3; 32])).unwrap(), [3; 32]);
    }
    /// `/dev/full` says what a full disk says.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_leaves_no_half_of_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let there = || fs::read_dir(folder.path()).unwrap().count();
        std::os::unix::fs::symlink("/dev/full", unfinished(folder.path())).unwrap();
        assert_eq!(kept_key(folder.path(), || Ok([1; 32])).unwrap(), [1; 32], "this run has one of its own");
        assert_eq!(there(), 0);
        assert_eq!(kept_key(folder.path(), || Ok([2; 32])).unwrap(), [2; 32]);
        assert_eq!(kept_key(folder.path(), || Ok([3; 32])).unwrap(), [2; 32], "now it is kept");
        assert_eq!(there(), 1);
    }

    #[test]
    fn what_is_no_key_gives_way_to_one() {
        for bytes in [&[][..], &[7; 31], &[7; 33]] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("redaction.key"), bytes).unwrap();
            assert_eq!(kept_key(folder.path(), || Ok([1; 32])).unwrap(), [1; 32]);
            assert_eq!(kept_key(folder.path(), || Ok([2; 32])).unwrap(), [1; 32], "{} bytes", bytes.len());
        }
    }

    #[test]
    fn another_runs_key_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("redaction.key");
        let other = || {
            fs::write(&path, [9; 32]).unwrap();
            Ok([1; 32])
        };
        assert_eq!(kept_key(folder.path(), other).unwrap(), [9; 32]);
    }
}
