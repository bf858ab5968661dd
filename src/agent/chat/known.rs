//! What is known of a server: how its model calls tools, and what it refuses. Found out once, and kept.
//!
//! *Invariant:* the file is disposable: one that can't be read is none, and one that can't be written is no failure. It
//! holds no key and nothing of a conversation.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::protocol::Mode;
use super::refusal::Parameter;
use super::window;

/// What servers can changes with their versions: after so many seconds it is asked again.
const LASTS: i64 = 7 * 24 * 3600;
/// Servers that are kept.
const MOST: usize = 100;

/// What is known of a model on a server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Known {
    /// How it calls tools; none where it was not asked.
    pub(super) mode: Option<Mode>,
    /// Parameters that it refuses.
    pub(super) refused: BTreeSet<String>,
    /// When that was found out, in seconds since 1970.
    since: i64,
}

impl Known {
    /// What can be told by the model's name: it saves a refusal.
    fn guess(model: &str) -> Known {
        let mut known = Known::default();
        if window::reasons(model) {
            known.refuse(Parameter::Temperature);
            known.refuse(Parameter::MaxTokens);
            known.refuse(Parameter::Stop);
        }
        known
    }

    /// Whether it is a model that thinks before it speaks: those refuse what the others know.
    pub(super) fn thinks(&self) -> bool {
        self.refuses(Parameter::Temperature) || self.refuses(Parameter::MaxTokens)
    }

    pub(super) fn refuses(&self, parameter: Parameter) -> bool {
        self.refused.contains(parameter.as_str())
    }

    /// Notes a refusal; `false` where it was known, so that asking again is of no use.
    pub(super) fn refuse(&mut self, parameter: Parameter) -> bool {
        self.refused.insert(parameter.as_str().to_owned())
    }
}

/// Where it is kept, in this process and in the cache.
#[derive(Debug)]
pub(super) struct Memory {
    key: String,
    file: Option<PathBuf>,
    known: Mutex<Known>,
}

impl Memory {
    /// What was kept of the model at this address.
    pub(super) fn open(address: &str, model: &str, folder: Option<&Path>) -> Memory {
        let key = format!("{} {model}", place(address));
        let file = folder.map(|folder| folder.join("models.json"));
        let now = Timestamp::now().as_second();
        let kept = file.as_deref().map(read).unwrap_or_default().remove(&key);
        let fresh = kept.filter(|known| (now - LASTS..=now).contains(&known.since));
        Memory { key, file, known: Mutex::new(fresh.unwrap_or_else(|| Known::guess(model))) }
    }

    pub(super) fn known(&self) -> Known {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes what is known, and keeps it where `change` says that it did.
    pub(super) fn learn(&self, change: impl FnOnce(&mut Known) -> bool) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = change(&mut known);
        if changed {
            known.since = Timestamp::now().as_second();
            if let Some(file) = &self.file {
                let _ = write(file, &self.key, &known);
            }
        }
        changed
    }
}

/// An address without what may be a secret in it: user, password and query.
fn place(address: &str) -> String {
    let Ok(mut url) = Url::parse(address) else { return address.to_owned() };
    let _ = (url.set_username(""), url.set_password(None));
    url.set_query(None);
    url.set_fragment(None);
    url.as_str().trim_end_matches('/').to_owned()
}

fn read(file: &Path) -> BTreeMap<String, Known> {
    fs::read(file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// Another run may write at the same time: the last one wins, and nothing is ever half written.
fn write(file: &Path, key: &str, known: &Known) -> std::io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut folders = fs::DirBuilder::new();
    folders.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folders, 0o700);
    folders.create(folder)?;
    let mut all = read(file);
    all.insert(key.to_owned(), known.clone());
    while all.len() > MOST {
        let oldest = all.iter().min_by_key(|(_, known)| known.since).map(|(key, _)| key.clone());
        oldest.and_then(|key| all.remove(&key));
    }
    let part = folder.join(format!("models.json.{}", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&part)?.write_all(&serde_json::to_vec_pretty(&all)?)?;
    fs::rename(&part, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(folder: &Path) -> Memory {
        Memory::open("https://a/v1", "m", Some(folder))
    }

    #[test]
    fn what_was_found_out_is_kept_for_the_next_run() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("cache");
        let memory = open(&cache);
        assert_eq!(memory.known(), Known::default());
        assert!(memory.learn(|known| known.refuse(Parameter::Temperature)));
        assert!(!memory.learn(|known| known.refuse(Parameter::Temperature)));
        memory.learn(|known| known.mode.replace(Mode::Schema).is_none());
        assert_eq!(open(&cache).known(), memory.known());
        assert_eq!(Memory::open("https://a/v1", "other", Some(&cache)).known(), Known::default());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&cache), mode(&cache.join("models.json"))), (0o700, 0o600));
        }
    }

    #[test]
    fn what_is_old_or_broken_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("models.json");
        let old = Timestamp::now().as_second() - LASTS - 1;
        fs::write(&file, format!(r#"{{"https://a/v1 m": {{"mode": "text", "since": {old}}}}}"#)).unwrap();
        assert_eq!(open(folder.path()).known().mode, None);
        fs::write(&file, "{").unwrap();
        let memory = open(folder.path());
        assert_eq!(memory.known().mode, None);
        assert!(memory.learn(|known| known.mode.replace(Mode::Native).is_none()));
        assert_eq!(open(folder.path()).known().mode, Some(Mode::Native));
        // A folder that can't be made is no failure.
        assert!(open(&file.join("below")).learn(|known| known.refuse(Parameter::Stop)));
    }

    #[test]
    fn the_file_does_not_grow_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("models.json");
        for number in 0..MOST + 5 {
            let known = Known { since: number.try_into().unwrap(), ..Known::default() };
            write(&file, &format!("{number:03}"), &known).unwrap();
        }
        let kept = read(&file);
        assert_eq!((kept.len(), kept.keys().next().unwrap().as_str()), (MOST, "005"));
    }

    #[test]
    fn no_secret_of_an_address_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let open = |address: &str| Memory::open(address, "m", Some(folder.path()));
        open("https://me:hunter2@a/v1?key=sk-secret").learn(|known| known.refuse(Parameter::Stop));
        let kept = fs::read_to_string(folder.path().join("models.json")).unwrap();
        assert!(kept.contains("\"https://a/v1 m\"") && !kept.contains("hunter2") && !kept.contains("sk-"), "{kept}");
        assert!(open("https://a/v1").known().refuses(Parameter::Stop));
    }

    #[test]
    fn models_that_reason_are_known_by_name() {
        let known = Memory::open("x", "o3-mini", None).known();
        assert!(known.refuses(Parameter::Temperature) && known.refuses(Parameter::MaxTokens) && known.thinks());
        assert!(!Memory::open("x", "gpt-4o", None).known().thinks());
    }
}
