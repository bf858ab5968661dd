//! A snapshot as a file: JSON, compressed, as `kubectl react snapshot FILE` writes and `--from FILE` reads it.
//!
//! *Invariant:* only what is redacted is written, and all that is read is redacted again, since a file may
//! have been made by hand. The same snapshot gives the same bytes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use flate2::{Compression, GzBuilder};
use serde::Deserialize;

use crate::model::Snapshot;
use crate::model::snapshot::SCHEMA_VERSION;
use crate::redact::{Redacted, Redactor};

/// More than this is no snapshot: 100,000 pods are a tenth of it.
const LARGEST: u64 = 1 << 30;

/// Why a snapshot file can't be written or read.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotFileError {
    /// There is none.
    #[error("there is no file `{}`", .0.display())]
    Missing(PathBuf),
    /// The path is one of a directory.
    #[error("`{}` is a directory", .0.display())]
    Directory(PathBuf),
    /// There is nothing in it.
    #[error("`{}` is empty", .0.display())]
    Empty(PathBuf),
    /// It ends before its end.
    #[error("`{}` is cut off or damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and how.
        reason: String,
    },
    /// It holds more than any cluster has.
    #[error("`{}` holds more than 1 GiB", .0.display())]
    TooLarge(PathBuf),
    /// It is something else.
    #[error("`{}` is no snapshot: {reason}", path.display())]
    NoSnapshot {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        reason: String,
    },
    /// Its format is not ours.
    #[error("`{}` is a snapshot of the format `{version}`; this version reads `{SCHEMA_VERSION}`", path.display())]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// Its format.
        version: String,
    },
    /// The system refuses.
    #[error("can't {action} `{}`: {source}", path.display())]
    Io {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl SnapshotFileError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Missing(_) | Self::NoSnapshot { .. } | Self::Empty(_) | Self::Directory(_) => {
                "make a snapshot with `kubectl react snapshot FILE`"
            }
            Self::Damaged { .. } => {
                "copy it again in binary mode, or take a new one with `kubectl react snapshot FILE`"
            }
            Self::OtherVersion { .. } => "update the plugin: `kubectl krew upgrade react`",
            Self::TooLarge(_) => "take a smaller one: `kubectl react snapshot FILE -n NAMESPACE`",
            Self::Io { action: "write", source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "the folder must be there: make it, or name another"
            }
            Self::Io { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

/// Writes `snapshot` to `path`, whole or not at all; to standard output where `path` is `-`.
///
/// # Errors
/// When the system refuses.
pub fn write(path: &Path, snapshot: &Redacted<Snapshot>) -> Result<(), SnapshotFileError> {
    let failed = |source| SnapshotFileError::Io { action: "write", path: path.to_owned(), source };
    if path == Path::new("-") {
        return encode(io::stdout().lock(), snapshot).map_err(failed);
    }
    // What a link leads to is written, not the link; pipes and devices can't be replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match fs::metadata(&target) {
        Ok(meta) if meta.is_dir() => return Err(SnapshotFileError::Directory(path.to_owned())),
        Ok(meta) if !meta.is_file() => {
            return OpenOptions::new()
                .write(true)
                .open(&target)
                .and_then(|file| encode(file, snapshot))
                .map_err(failed);
        }
        _ => {}
    }
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let unfinished = target.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let written = create(&unfinished).and_then(|file| {
        encode(&file, snapshot)?;
        file.sync_all()?;
        fs::rename(&unfinished, &target)
    });
    written.map_err(|error| {
        // Best effort: the error that matters is the first.
        let _ = fs::remove_file(&unfinished);
        failed(error)
    })
}

/// A new file that no one else may read.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn encode(out: impl Write, snapshot: &Snapshot) -> io::Result<()> {
    let mut gzip = GzBuilder::new().mtime(0).write(BufWriter::new(out), Compression::default());
    serde_json::to_writer(&mut gzip, snapshot)?;
    gzip.finish()?.flush()
}

/// Reads the snapshot at `path`, compressed or not; from standard input where `path` is `-`.
///
/// # Errors
/// When there is none, or it can't be read whole.
pub fn read(path: &Path, redactor: &Redactor) -> Result<Redacted<Snapshot>, SnapshotFileError> {
    let bytes = load(path)?;
    Ok(redactor.seal(decode(path, &bytes)?))
}

fn load(path: &Path) -> Result<Vec<u8>, SnapshotFileError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => SnapshotFileError::Missing(path.to_owned()),
        io::ErrorKind::IsADirectory => SnapshotFileError::Directory(path.to_owned()),
        _ => SnapshotFileError::Io { action: "read", path: path.to_owned(), source },
    };
    let stored = if path == Path::new("-") {
        bounded(io::stdin().lock())
    } else {
        if fs::metadata(path).map_err(failed)?.is_dir() {
            return Err(SnapshotFileError::Directory(path.to_owned()));
        }
        bounded(File::open(path).map_err(failed)?)
    }
    .map_err(failed)?;
    let plain = match stored {
        Some(stored) if stored.starts_with(&[0x1f, 0x8b]) => bounded(MultiGzDecoder::new(stored.as_slice()))
            .map_err(|error| SnapshotFileError::Damaged { path: path.to_owned(), reason: error.to_string() })?,
        stored => stored,
    };
    let plain = plain.ok_or_else(|| SnapshotFileError::TooLarge(path.to_owned()))?;
    if plain.trim_ascii().is_empty() {
        return Err(SnapshotFileError::Empty(path.to_owned()));
    }
    Ok(plain)
}

/// All of it, or nothing where it is too large.
fn bounded(from: impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    from.take(LARGEST + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= LARGEST).then_some(bytes))
}

/// What tells a snapshot from other JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    #[serde(default)]
    schema_version: Option<String>,
    #[serde(default)]
    kind: Option<String>,
}

fn decode(path: &Path, bytes: &[u8]) -> Result<Snapshot, SnapshotFileError> {
    let no_snapshot = |reason: String| SnapshotFileError::NoSnapshot { path: path.to_owned(), reason };
    let damaged = |error: serde_json::Error| {
        let reason = error.to_string();
        if error.is_eof() { SnapshotFileError::Damaged { path: path.to_owned(), reason } } else { no_snapshot(reason) }
    };
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(no_snapshot("it is not a JSON object".to_owned()));
    }
    let head: Head = serde_json::from_slice(bytes).map_err(damaged)?;
    match (head.schema_version, head.kind) {
        (Some(version), _) if version == SCHEMA_VERSION => serde_json::from_slice(bytes).map_err(damaged),
        (Some(version), _) if version.starts_with("kubectl-react/snapshot/") => {
            Err(SnapshotFileError::OtherVersion { path: path.to_owned(), version })
        }
        (Some(version), _) => Err(no_snapshot(format!("it says that it is `{version}`"))),
        (None, Some(kind)) => Err(no_snapshot(format!("it is a Kubernetes object of kind `{kind}`"))),
        (None, None) => Err(no_snapshot("it has no `schemaVersion`".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Scope, Time};

    fn redactor() -> Redactor {
        Redactor::new([1; 32])
    }

    fn snapshot() -> Snapshot {
        let taken_at: Time = "2026-11-23T08:43:00Z".parse().unwrap();
        let mut snapshot = Snapshot::new(taken_at, "test", Scope::default());
        let pod = serde_json::json!({"kind": "Pod", "metadata": {"name": "p", "namespace": "shop"}, "spec": {"containers": [
            {"name": "c", "env": [{"name": "DB_PASSWORD", "value": "hunter"}]}]}});
        snapshot.objects.add_json(pod).unwrap();
        snapshot
    }

    #[test]
    fn what_is_written_is_read_again_and_equal_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let (path, again) = (folder.path().join("a.json.gz"), folder.path().join("b.json.gz"));
        let sealed = redactor().seal(snapshot());
        write(&path, &sealed).unwrap();
        assert_eq!(*read(&path, &redactor()).unwrap(), *sealed);
        write(&again, &sealed).unwrap();
        write(&again, &sealed).unwrap();
        assert_eq!(fs::read(&path).unwrap(), fs::read(&again).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing unfinished is left");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_file_made_by_hand_is_redacted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hand.json");
        fs::write(&path, serde_json::to_vec(&snapshot()).unwrap()).unwrap();
        let read = read(&path, &redactor()).unwrap();
        assert!(!serde_json::to_string(&*read).unwrap().contains("hunter"));
    }

    #[test]
    fn each_fault_says_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let whole = folder.path().join("whole");
        write(&whole, &redactor().seal(snapshot())).unwrap();
        let whole = fs::read(whole).unwrap();
        let table: &[(&str, &[u8], &str)] = &[
            ("empty", b"", "is empty"),
            ("blank", b" \n", "is empty"),
            ("short.gz", &whole[..whole.len() / 2], "is cut off or damaged"),
            ("short.json", br#"{"schemaVersion":"kubectl-react/snapshot/v1","#, "is cut off or damaged"),
            ("text", b"hello", "is no snapshot: it is not a JSON object"),
            ("list", br#"{"kind":"List","items":[]}"#, "it is a Kubernetes object of kind `List`"),
            ("other", b"{}", "it has no `schemaVersion`"),
            (
                "diagnosis",
                br#"{"schemaVersion":"kubectl-react/diagnosis/v1"}"#,
                "it says that it is `kubectl-react/diagnosis/v1`",
            ),
            ("newer", br#"{"schemaVersion":"kubectl-react/snapshot/v9"}"#, "of the format `kubectl-react/snapshot/v9`"),
            ("types", br#"{"schemaVersion":"kubectl-react/snapshot/v1","takenAt":7}"#, "is no snapshot"),
        ];
        for (name, bytes, expected) in table {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            let error = read(&path, &redactor()).unwrap_err();
            assert!(error.to_string().contains(expected), "{name}: {error}");
            assert!(error.hint().is_some(), "{name}");
        }
        assert!(matches!(read(folder.path(), &redactor()), Err(SnapshotFileError::Directory(_))));
        assert!(matches!(read(&folder.path().join("none"), &redactor()), Err(SnapshotFileError::Missing(_))));
        assert!(matches!(write(folder.path(), &redactor().seal(snapshot())), Err(SnapshotFileError::Directory(_))));
        assert!(matches!(
            write(&folder.path().join("no/where"), &redactor().seal(snapshot())),
            Err(SnapshotFileError::Io { .. })
        ));
    }
}
