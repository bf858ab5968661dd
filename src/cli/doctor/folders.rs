//! The folders that we keep things in, and the config file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::check::Check;
use crate::config::{self, ConfigError};

/// Whether the config file can be used.
pub(super) fn config(error: Option<&ConfigError>) -> Check {
    if let Some(error) = error {
        return Check::failed("config", error.to_string()).hint_if(error.hint());
    }
    let path = std::env::var_os("KUBECTL_REACT_CONFIG").map(PathBuf::from).or_else(config::config_file);
    match path {
        Some(path) if path.is_file() => Check::ok("config", path.display().to_string()),
        Some(path) => Check::ok("config", format!("none: the defaults are used (it would be {})", path.display())),
        None => Check::note("config", "none, and no place for one: HOME is not set"),
    }
}

/// The folders.
pub(super) fn checks() -> Vec<Check> {
    vec![
        folder("state", config::state_dir(), "incidents can't be kept"),
        folder("cache", config::cache_dir(), "clones and the index are made anew in every run"),
    ]
}

fn folder(area: &'static str, folder: Option<PathBuf>, loss: &str) -> Check {
    let Some(folder) = folder else {
        return Check::warning(area, format!("no folder: HOME is not set; {loss}")).hint("set HOME");
    };
    let shown = folder.display();
    let meta = match fs::metadata(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Check::ok(area, format!("{shown} (not there yet)"));
        }
        Err(error) => return Check::failed(area, format!("{shown}: {error}; {loss}")).hint("look at its rights"),
        Ok(meta) => meta,
    };
    if !meta.is_dir() {
        return Check::failed(area, format!("{shown} is no folder; {loss}")).hint("move it away");
    }
    if let Err(error) = written(&folder) {
        return Check::failed(area, format!("{shown} can't be written: {error}; {loss}"))
            .hint("look at its rights, its owner, and the room on the disk");
    }
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o777;
        if mode & 0o077 != 0 {
            return Check::warning(area, format!("{shown} is open to others (mode {mode:03o})"))
                .hint(format!("chmod 700 {}", crate::model::finding::quote(&shown.to_string())));
        }
    }
    Check::ok(area, shown.to_string())
}

/// Writes a file there, and takes it away.
fn written(folder: &Path) -> io::Result<()> {
    let path = folder.join(format!(".doctor.{}.tmp", std::process::id()));
    let tried = fs::write(&path, [0; 4096]);
    let _ = fs::remove_file(&path);
    tried
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::cli::doctor::check::Standing;

    #[test]
    fn each_state_of_a_folder_is_told() {
        let here = tempfile::tempdir().unwrap();
        let made = |name: &str, mode: u32| {
            let path = here.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
            Some(path)
        };
        fs::write(here.path().join("file"), "").unwrap();
        let table = [
            (made("private", 0o700), Standing::Ok, "private"),
            (made("open", 0o755), Standing::Warning, "is open to others (mode 755)"),
            (Some(here.path().join("none")), Standing::Ok, "(not there yet)"),
            (Some(here.path().join("file")), Standing::Failed, "is no folder; a loss"),
            (Some(here.path().join("file/below")), Standing::Failed, "a loss"),
            (None, Standing::Warning, "no folder: HOME is not set; a loss"),
        ];
        for (path, standing, said) in table {
            let check = folder("state", path, "a loss");
            assert!(check.standing == standing && check.said.contains(said), "{check:?}");
            assert_eq!(check.hints.is_empty(), standing == Standing::Ok, "{check:?}");
        }
        assert_eq!(fs::read_dir(here.path().join("private")).unwrap().count(), 0, "nothing is left");
    }
}
