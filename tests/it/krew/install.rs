//! Installs an archive as krew would, and refuses it where krew or krew-index would.

use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;
use sha2::{Digest, Sha256};

use super::archive::{TarEntry, tar_gz, unpack};
use super::manifest::Platform;

/// A platform's archive as krew leaves it on a disk.
pub(super) struct Installed {
    pub(super) store: PathBuf,
    pub(super) bin_dir: PathBuf,
    _root: tempfile::TempDir,
}

/// Checks and unpacks, and links the executable under the name that kubectl looks for.
/// `files` is absent in our manifest (a test holds that), so everything is installed.
pub(super) fn install(platform: &Platform, plugin: &str, archive: &[u8]) -> Result<Installed, String> {
    let hash = sha256_of(archive);
    if hash != platform.sha256 {
        return Err(format!("sha256 is {hash}, the manifest says {}", platform.sha256));
    }
    let root = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (store, bin_dir) = (root.path().join("store"), root.path().join("bin"));
    for folder in [&store, &bin_dir] {
        fs::create_dir(folder).map_err(|error| error.to_string())?;
    }
    unpack(archive, &store)?;
    require_licence(&store)?;
    let bin = store.join(&platform.bin);
    if !bin.is_file() {
        return Err(format!("{} is not in the archive", platform.bin));
    }
    if !is_executable(&bin) {
        return Err(format!("{} can't be executed", platform.bin));
    }
    link(&bin, &bin_dir.join(format!("kubectl-{}", plugin.replace('-', "_")))).map_err(|error| error.to_string())?;
    Ok(Installed { store, bin_dir, _root: root })
}

fn sha256_of(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// The names that krew-index takes for a licence, in any case: `LICENSE-MIT` is none.
fn require_licence(store: &Path) -> Result<(), String> {
    let accepted =
        Regex::new(r"(?i)^(licen[cs]e(\.txt|\.md)?|licenses.*|copying(\.txt)?)$").expect("a valid expression");
    let mut files = fs::read_dir(store).map_err(|error| error.to_string())?.flatten();
    let found = files.any(|file| accepted.is_match(&file.file_name().to_string_lossy()));
    found.then_some(()).ok_or_else(|| "no licence is installed".to_owned())
}

#[cfg(unix)]
pub(super) fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o111 == 0o111)
}

#[cfg(not(unix))]
pub(super) fn is_executable(path: &Path) -> bool {
    path.is_file()
}

#[cfg(unix)]
fn link(to: &Path, at: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(to, at)
}

#[cfg(not(unix))]
fn link(to: &Path, at: &Path) -> std::io::Result<()> {
    fs::copy(to, at.with_extension("exe")).map(|_| ())
}

/// For tests: a platform that installs this archive.
pub(super) fn platform(bin: &str, archive: &[u8]) -> Platform {
    Platform { selector: None, uri: String::new(), sha256: sha256_of(archive), bin: bin.to_owned(), files: None }
}

#[test]
fn what_krew_could_not_install_is_noticed() {
    let bin = ("kubectl-react", b'0', 0o755, b"x".as_slice());
    let licence = ("LICENSE", b'0', 0o644, b"x".as_slice());
    let cases: [(&str, Vec<TarEntry<'_>>, &str); 5] = [
        ("complete", vec![licence, bin], ""),
        ("no licence", vec![bin], "no licence"),
        ("one of two licences", vec![("LICENSE-MIT", b'0', 0o644, b"x"), bin], "no licence"),
        ("no executable", vec![licence], "not in the archive"),
        ("a file that can't be executed", vec![licence, ("kubectl-react", b'0', 0o644, b"x")], "can't be executed"),
    ];
    for (what, entries, reason) in cases {
        let archive = tar_gz(&entries);
        let result = install(&platform("kubectl-react", &archive), "react", &archive);
        assert_eq!(result.is_ok(), reason.is_empty(), "{what}");
        assert!(result.err().unwrap_or_default().contains(reason), "{what}");
    }
    let archive = tar_gz(&[licence, bin]);
    let error = install(&platform("kubectl-react", b"another"), "react", &archive).err().unwrap_or_default();
    assert!(error.contains("sha256"), "{error}");
}
