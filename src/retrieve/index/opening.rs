//! Opens the file, or puts aside what is no good and begins anew.
//!
//! *Invariant:* a file that is put aside is renamed, not deleted, and at most one is kept; no two processes do it at once.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::{IndexError, schema};

/// How long another process may hold the file: it writes in batches of less than a second.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open index.
pub(super) struct Opened {
    pub(super) db: Connection,
    /// What there is to say of how it was opened.
    pub(super) note: Option<String>,
}

/// Opens the index at `path`; where that can't be, one in memory.
pub(super) fn open(path: &Path) -> Result<Opened, IndexError> {
    match at(path) {
        Ok(opened) => Ok(opened),
        Err(reason) => {
            let note = format!("the index can't be kept in `{}`: {reason}", path.display());
            memory(Some(note))
        }
    }
}

/// An index that lives as long as the process.
pub(super) fn memory(note: Option<String>) -> Result<Opened, IndexError> {
    let mut db = Connection::open_in_memory()?;
    schema::prepare(&mut db)?;
    Ok(Opened { db, note })
}

/// Puts aside what is at `path` and begins with an empty index.
pub(super) fn anew(path: &Path, damage: &str) -> Result<Opened, IndexError> {
    let lock = lock(path);
    let aside = put_aside(path);
    drop(lock);
    let mut opened = match aside {
        Ok(()) => open(path)?,
        Err(error) => memory(Some(format!("`{}` can't be put aside: {error}", path.display())))?,
    };
    opened.note.get_or_insert_with(|| anew_note(path, damage));
    Ok(opened)
}

fn anew_note(path: &Path, damage: &str) -> String {
    format!("the index `{}` is made anew: {damage}", path.display())
}

fn at(path: &Path) -> Result<Opened, String> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let _lock = lock(path);
    let damage = match connect(path) {
        Ok(db) => return Ok(Opened { db, note: None }),
        Err(IndexError::Damaged(damage)) => damage,
        Err(IndexError::Sqlite(error)) => return Err(error.to_string()),
    };
    put_aside(path).map_err(|error| format!("it is no good ({damage}), and can't be put aside: {error}"))?;
    let db = connect(path).map_err(|error| error.to_string())?;
    Ok(Opened { db, note: Some(anew_note(path, &damage)) })
}

/// One process at a time opens the file, so that none puts aside what another has just made. A file system that
/// has no locks does without.
fn lock(path: &Path) -> Option<File> {
    let file = File::options().create(true).truncate(false).write(true).open(with(path, ".lock")).ok()?;
    file.lock().ok()?;
    Some(file)
}

fn connect(path: &Path) -> Result<Connection, IndexError> {
    whole(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(PATIENCE)?;
    // Readers and a writer at once. A file system that can't do that answers with the mode it stays in.
    let _mode: String = db.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    db.pragma_update(None, "synchronous", "normal")?;
    schema::prepare(&mut db)?;
    Ok(db)
}

/// Refuses what can't be a whole SQLite file, which SQLite itself would see only once it reads the part that is missing.
fn whole(path: &Path) -> Result<(), IndexError> {
    use std::io::Read;
    let Ok(mut file) = File::open(path) else { return Ok(()) };
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let logged = fs::metadata(with(path, "-wal")).is_ok_and(|wal| wal.len() > 0);
    let mut head = [0_u8; 32];
    if length == 0 || logged || file.read_exact(&mut head).is_err() {
        return Ok(());
    }
    let number = |at: usize, bytes: usize| {
        let bytes = head.iter().skip(at).take(bytes);
        bytes.fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
    };
    let page = match number(16, 2) {
        1 => 65536,
        size => size,
    };
    if head.starts_with(b"SQLite format 3\0") && page * number(28, 4) > length {
        return Err(IndexError::Damaged("its end is missing".to_owned()));
    }
    Ok(())
}

fn put_aside(path: &Path) -> io::Result<()> {
    fs::rename(path, with(path, ".damaged"))?;
    for end in ["-wal", "-shm"] {
        match fs::remove_file(with(path, end)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn with(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    name.into()
}
