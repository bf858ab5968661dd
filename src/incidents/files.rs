//! Files that are there whole or not at all, and for their owner only.
//!
//! *Invariant:* a name appears on the disk when all that it stands for is there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use flate2::{Compression, GzBuilder};
use serde::Serialize;

/// More than this is no file of ours.
pub(super) const LARGEST: u64 = 1 << 30;

fn folders() -> fs::DirBuilder {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "modes are of Unix"))]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Makes a folder and those above it, where they are not there.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    folders().recursive(true).create(path)
}

/// Makes a folder that must not be there.
pub(super) fn new_folder(path: &Path) -> io::Result<()> {
    folders().create(path)
}

/// How files are opened to be written.
pub(super) fn to_write() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Asks that what was written is on the disk. A file system that can't say so is taken at its word.
pub(super) fn sync(file: &File) -> io::Result<()> {
    match file.sync_data() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        other => other,
    }
}

/// Asks that the names in a folder are on the disk; not every system can.
pub(super) fn sync_folder(path: &Path) {
    if cfg!(unix)
        && let Ok(folder) = File::open(path)
    {
        let _ = folder.sync_all();
    }
}

/// Writes a file whole, or leaves what was there.
pub(super) fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let unfinished = beside(path);
    let written = to_write().truncate(true).open(&unfinished).and_then(|file| {
        let mut out = BufWriter::new(&file);
        write(&mut out)?;
        out.flush()?;
        drop(out);
        sync(&file)?;
        fs::rename(&unfinished, path)
    });
    if written.is_err() {
        // Best effort: it takes room that others need, and the error that matters is the first.
        let _ = fs::remove_file(&unfinished);
    }
    written
}

fn beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".tmp");
    path.with_file_name(name)
}

/// JSON, compressed; the same data gives the same bytes.
pub(super) fn zip(out: impl Write, data: &impl Serialize) -> io::Result<()> {
    let mut gzip = GzBuilder::new().mtime(0).write(BufWriter::new(out), Compression::default());
    serde_json::to_writer(&mut gzip, data)?;
    gzip.finish()?.flush()
}

/// What [`zip`] was given, as JSON, where it is at most so many bytes; what is not compressed is taken as it is.
pub(super) fn unzip(stored: &[u8], most: u64) -> io::Result<Vec<u8>> {
    if stored.starts_with(&[0x1f, 0x8b]) { bounded(MultiGzDecoder::new(stored), most) } else { Ok(stored.to_vec()) }
}

/// Reads a file of at most so many bytes.
pub(super) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    bounded(File::open(path)?, most)
}

fn bounded(from: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let why = format!("it holds more than {} MiB", most >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    Ok(bytes)
}

/// A file to which lines are added.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: Option<File>,
    /// How much of it is whole lines.
    whole: u64,
}

impl Journal {
    /// The file is made with its first line.
    pub(super) fn new(path: PathBuf) -> Journal {
        Journal { path, file: None, whole: 0 }
    }

    /// Adds a line, and waits until it is on the disk. A line that can't be written whole is taken back.
    pub(super) fn add(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        if self.file.is_none() {
            self.file = Some(to_write().append(true).open(&self.path)?);
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        match file.write_all(&bytes).and_then(|()| sync(file)) {
            Ok(()) => {
                self.whole += bytes.len() as u64;
                Ok(())
            }
            Err(error) => {
                let _ = file.set_len(self.whole);
                Err(error)
            }
        }
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}
