//! Unpacks a release archive the way krew does, refusing what krew refuses.

use std::fs;
use std::io::{Cursor, Read};
use std::path::Path;

use flate2::read::{DeflateDecoder, GzDecoder};

/// A file or, with a name that ends in `/`, a folder.
struct Entry {
    name: String,
    mode: u32,
    data: Vec<u8>,
}

/// krew tells the kinds apart by their first bytes, not by their name.
pub(super) fn unpack(archive: &[u8], into: &Path) -> Result<(), String> {
    let entries = match archive {
        [0x1f, 0x8b, ..] => entries_of_tar_gz(archive)?,
        [b'P', b'K', 3, 4, ..] => entries_of_zip(archive)?,
        _ => return Err("neither .tar.gz nor .zip".to_owned()),
    };
    for entry in entries {
        refuse_suspicious(&entry.name)?;
        write(&entry, &into.join(&entry.name)).map_err(|error| format!("{}: {error}", entry.name))?;
    }
    Ok(())
}

fn refuse_suspicious(name: &str) -> Result<(), String> {
    if name.contains("..") {
        return Err(format!("refusing to unpack the suspicious entry {name}"));
    }
    if name.starts_with(['/', '\\']) {
        return Err(format!("refusing to unpack the absolute entry {name}"));
    }
    Ok(())
}

fn write(entry: &Entry, path: &Path) -> std::io::Result<()> {
    if entry.name.ends_with('/') {
        return fs::create_dir_all(path);
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, &entry.data)?;
    set_mode(path, entry.mode)
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) -> std::io::Result<()> {
    Ok(())
}

const BLOCK: usize = 512;

fn entries_of_tar_gz(archive: &[u8]) -> Result<Vec<Entry>, String> {
    let mut tar = Vec::new();
    GzDecoder::new(archive).read_to_end(&mut tar).map_err(|error| error.to_string())?;
    let mut entries = Vec::new();
    let mut rest = tar.as_slice();
    while let Some((header, after)) = rest.split_at_checked(BLOCK) {
        if header.iter().all(|&byte| byte == 0) {
            break;
        }
        let name = text(header, 0..100);
        let size = usize::try_from(octal(header, 124..136)?).map_err(|error| error.to_string())?;
        let data = after.get(..size).ok_or_else(|| format!("{name}: cut short"))?;
        match header[156] {
            b'0' | 0 | b'5' => {}
            kind => {
                return Err(format!("{name}: unable to handle file type {:?}", char::from(kind)));
            }
        }
        let mode = u32::try_from(octal(header, 100..108)?).map_err(|error| error.to_string())?;
        entries.push(Entry { name, mode, data: data.to_vec() });
        rest = after.get(size.next_multiple_of(BLOCK)..).unwrap_or_default();
    }
    Ok(entries)
}

fn text(header: &[u8], field: std::ops::Range<usize>) -> String {
    let bytes = header[field].split(|&byte| byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(bytes).into_owned()
}

fn octal(header: &[u8], field: std::ops::Range<usize>) -> Result<u64, String> {
    let digits = text(header, field);
    u64::from_str_radix(digits.trim(), 8).map_err(|error| format!("{digits:?}: {error}"))
}

/// Reads the list at the end of the file, as every reader of zip files does.
fn entries_of_zip(archive: &[u8]) -> Result<Vec<Entry>, String> {
    let end = archive.windows(4).rposition(|bytes| bytes == b"PK\x05\x06").ok_or("no list of entries")?;
    let count = number(archive, end + 10, 2)?;
    let mut at = number(archive, end + 16, 4)?;
    let mut entries = Vec::new();
    for _ in 0..count {
        let field = |offset, length| number(archive, at + offset, length);
        let (name_length, extra, comment) = (field(28, 2)?, field(30, 2)?, field(32, 2)?);
        let name = String::from_utf8_lossy(slice(archive, at + 46, name_length)?).into_owned();
        let mode = u32::try_from(field(38, 4)? >> 16).map_err(|error| error.to_string())?;
        let local = field(42, 4)?;
        let start = local + 30 + number(archive, local + 26, 2)? + number(archive, local + 28, 2)?;
        let packed = slice(archive, start, field(20, 4)?)?;
        let data = inflate(field(10, 2)?, packed).map_err(|error| format!("{name}: {error}"))?;
        entries.push(Entry { name, mode, data });
        at += 46 + name_length + extra + comment;
    }
    Ok(entries)
}

fn inflate(method: usize, packed: &[u8]) -> Result<Vec<u8>, String> {
    let mut data = Vec::new();
    match method {
        0 => Cursor::new(packed).read_to_end(&mut data),
        8 => DeflateDecoder::new(packed).read_to_end(&mut data),
        other => return Err(format!("packed by unknown method {other}")),
    }
    .map_err(|error| error.to_string())?;
    Ok(data)
}

/// A little-endian number.
fn number(archive: &[u8], at: usize, length: usize) -> Result<usize, String> {
    Ok(slice(archive, at, length)?.iter().rev().fold(0, |value, &byte| value << 8 | usize::from(byte)))
}

fn slice(archive: &[u8], at: usize, length: usize) -> Result<&[u8], String> {
    at.checked_add(length).and_then(|end| archive.get(at..end)).ok_or_else(|| "cut short".to_owned())
}

/// Name, tar's type of entry, mode and content.
pub(super) type TarEntry<'a> = (&'a str, u8, u32, &'a [u8]);

/// For tests: an archive with these entries, however bad they are.
pub(super) fn tar_gz(entries: &[TarEntry<'_>]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, kind, mode, data) in entries {
        let mut header = vec![0; BLOCK];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..107].copy_from_slice(format!("{mode:07o}").as_bytes());
        header[124..135].copy_from_slice(format!("{:011o}", data.len()).as_bytes());
        header[156] = *kind;
        tar.extend(header);
        tar.extend_from_slice(data);
        tar.resize(tar.len().next_multiple_of(BLOCK), 0);
    }
    tar.resize(tar.len() + 2 * BLOCK, 0);
    let mut packed = Vec::new();
    let mut encoder = flate2::read::GzEncoder::new(tar.as_slice(), flate2::Compression::fast());
    encoder.read_to_end(&mut packed).expect("memory can be read");
    packed
}

#[test]
fn a_plain_file_is_unpacked_with_its_mode() {
    let folder = tempfile::tempdir().expect("a folder");
    unpack(&tar_gz(&[("bin/tool", b'0', 0o755, b"content")]), folder.path()).expect("a good archive");
    let path = folder.path().join("bin/tool");
    assert_eq!(fs::read(&path).expect("unpacked"), b"content");
    assert!(super::install::is_executable(&path));
}

#[test]
fn what_krew_refuses_is_refused() {
    let one = |name, kind| tar_gz(&[(name, kind, 0o755, b"x")]);
    let cases = [
        ("a parent", one("../tool", b'0'), "suspicious"),
        ("a parent within", one("a/../../tool", b'0'), "suspicious"),
        ("a path from the root", one("/tool", b'0'), "absolute"),
        ("a path from the root of Windows", one("\\tool", b'0'), "absolute"),
        ("a symbolic link", one("tool", b'2'), "file type"),
        ("a hard link", one("tool", b'1'), "file type"),
        ("a device", one("tool", b'3'), "file type"),
        ("another kind of archive", b"\xfd7zXZ".to_vec(), "neither"),
        ("nothing", Vec::new(), "neither"),
    ];
    for (what, archive, reason) in cases {
        let folder = tempfile::tempdir().expect("a folder");
        let error = unpack(&archive, folder.path()).expect_err(what);
        assert!(error.contains(reason), "{what}: {error}");
        assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 0, "{what}");
    }
}
