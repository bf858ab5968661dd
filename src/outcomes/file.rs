//! The file: locked, appended to, read.
//!
//! *Invariant:* folder and files are for their owner only (0700, 0600). Whoever writes holds the lock; a line that can't
//! be written whole is taken back, and one that a killed process left cut is ended before the next.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use super::{History, MemoryError, Outcome};

/// More is no file of ours, in bytes.
const LARGEST: u64 = 64 << 20;
/// How long it waits between two tries for the lock.
const PAUSE: Duration = Duration::from_millis(5);

/// How long another process is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// A person asked for just this.
    Person,
    /// It is by the way, and nobody may notice.
    Hurry,
}

impl Patience {
    fn tries(self) -> u32 {
        match self {
            Patience::Person => 2000,
            Patience::Hurry => 20,
        }
    }
}

fn options() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "modes are of Unix"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes the folder, and holds the memory until the answer is dropped.
pub(super) fn hold(folder: &Path, patience: Patience) -> Result<File, MemoryError> {
    let path = folder.join("outcomes.lock");
    let failed = |source| MemoryError::Write { path: path.clone(), source };
    let mut folders = fs::DirBuilder::new();
    folders.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folders, 0o700);
    folders.create(folder).map_err(failed)?;
    let file = options().write(true).create(true).truncate(false).open(&path).map_err(failed)?;
    for _ in 0..patience.tries() {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
    Err(MemoryError::Held(path))
}

/// Adds lines, all or none, and says how many the file has then. The caller holds the lock.
pub(super) fn append(path: &Path, outcomes: &[Outcome]) -> io::Result<usize> {
    if outcomes.is_empty() {
        return Ok(0);
    }
    let mut file = options().read(true).append(true).create(true).open(path)?;
    let before = file.metadata()?.len();
    let mut bytes = Vec::new();
    let mut content = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    (&mut file).take(LARGEST).read_to_end(&mut content)?;
    if content.last().is_some_and(|last| *last != b'\n') {
        bytes.push(b'\n');
    }
    for outcome in outcomes {
        serde_json::to_writer(&mut bytes, outcome)?;
        bytes.push(b'\n');
    }
    if let Err(error) = file.write_all(&bytes) {
        // What is cut is no line.
        let _ = file.set_len(before);
        return Err(error);
    }
    let lines = |bytes: &[u8]| bytes.split(|byte| *byte == b'\n').count().saturating_sub(1);
    Ok(lines(&content) + lines(&bytes))
}

/// Reads all lines; those that can't be read are counted.
pub(super) fn read(path: &Path) -> io::Result<History> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(History::default()),
        Err(error) => return Err(error),
        Ok(file) => drop(file.take(LARGEST).read_to_end(&mut bytes)?),
    }
    let mut history = History::default();
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match serde_json::from_slice(line) {
            Ok(outcome) => history.outcomes.push(outcome),
            Err(_) => history.damaged += 1,
        }
    }
    Ok(history)
}

/// Puts these lines in the place of all. The caller holds the lock.
pub(super) fn replace(path: &Path, outcomes: &[Outcome]) -> io::Result<()> {
    let fresh = path.with_extension("tmp");
    let written = options().write(true).create(true).truncate(true).open(&fresh).and_then(|file| {
        let mut out = BufWriter::new(&file);
        for outcome in outcomes {
            serde_json::to_writer(&mut out, outcome)?;
            out.write_all(b"\n")?;
        }
        out.flush()?;
        drop(out);
        file.sync_data()?;
        fs::rename(&fresh, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&fresh);
    }
    written
}

/// The end of the file, about so many bytes of it from the start of a line, and whether that is all.
pub(super) fn end(path: &Path, bytes: u64) -> io::Result<(Vec<u8>, bool)> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let from = length.saturating_sub(bytes);
    file.seek(SeekFrom::Start(from))?;
    let mut read = Vec::new();
    file.take(LARGEST).read_to_end(&mut read)?;
    if from > 0 {
        // The first line may be cut.
        let begin = read.iter().position(|byte| *byte == b'\n').map_or(read.len(), |at| at + 1);
        read.drain(..begin);
    }
    Ok((read, from == 0))
}
