//! Settings: a flag beats the environment, which beats the config file, which beats the default.
//!
//! *Invariant:* resolved once, at the start, and handed down; each value knows where it comes from.

use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use etcetera::BaseStrategy;

use crate::output::Format;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nothing was said.
    Default,
    /// The config file.
    File(PathBuf),
    /// An environment variable.
    Env(&'static str),
    /// The command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("the default"),
            Origin::File(path) => write!(f, "`{}`", path.display()),
            Origin::Env(name) => f.write_str(name),
            Origin::Flag(name) => write!(f, "`{name}`"),
        }
    }
}

/// A value, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
}

impl<T> Deref for Setting<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// When output is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// On a terminal that has colours and no wish against them.
    #[default]
    Auto,
    /// In files and pipes too.
    Always,
    /// Nowhere.
    Never,
}

impl FromStr for ColorChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<ColorChoice, String> {
        match text {
            "auto" => Ok(ColorChoice::Auto),
            "always" => Ok(ColorChoice::Always),
            "never" => Ok(ColorChoice::Never),
            _ => Err(format!("`{text}` is none of auto, always, never")),
        }
    }
}

/// Objects in one page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSize(pub u32);

impl Default for PageSize {
    fn default() -> PageSize {
        PageSize(crate::cluster::PAGE_SIZE)
    }
}

impl FromStr for PageSize {
    type Err = String;

    fn from_str(text: &str) -> Result<PageSize, String> {
        let size = text.parse().ok().filter(|size| (10..=100_000).contains(size));
        size.map(PageSize).ok_or_else(|| format!("`{text}` is no number from 10 to 100000"))
    }
}

/// What the command line says of settings.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--output`
    pub output: Option<Format>,
    /// `--color`
    pub color: Option<ColorChoice>,
}

/// All settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How a diagnosis is written.
    pub output: Setting<Format>,
    /// When output is coloured.
    pub color: Setting<ColorChoice>,
    /// Objects in one page of a list.
    pub page_size: Setting<PageSize>,
}

/// What is wrong with a setting.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is there and can't be read.
    #[error("can't read the config file `{}`: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no YAML mapping.
    #[error("the config file `{}` is not valid: {reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A key that we don't know.
    #[error("the config file `{}` has the unknown key `{key}`", path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
    },
    /// A value that we can't use.
    #[error("`{key}` in {origin} is not valid: {reason}")]
    Value {
        /// The key.
        key: &'static str,
        /// Where it stands.
        origin: Origin,
        /// Why.
        reason: String,
    },
}

impl ConfigError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            ConfigError::UnknownKey { key, .. } => Some(match nearest(key, KEYS.iter().map(|(key, _)| *key)) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("known keys: {}", KEYS.map(|(key, _)| key).join(", ")),
            }),
            ConfigError::Invalid { .. } => Some("it is YAML, such as `output: markdown`".to_owned()),
            ConfigError::Unreadable { .. } | ConfigError::Value { .. } => None,
        }
    }
}

const OUTPUT: &str = "output";
const COLOR: &str = "color";
const PAGE_SIZE: &str = "pageSize";

/// The keys of the file, and the variables that stand for them.
const KEYS: [(&str, &str); 3] =
    [(OUTPUT, "KUBECTL_REACT_OUTPUT"), (COLOR, "KUBECTL_REACT_COLOR"), (PAGE_SIZE, "KUBECTL_REACT_PAGE_SIZE")];

impl Settings {
    /// Reads the file and the environment, and lays the flags over them.
    ///
    /// # Errors
    /// When one of them holds what can't be used.
    pub fn resolve(flags: &Flags) -> Result<Settings, ConfigError> {
        let env = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let path = env("KUBECTL_REACT_CONFIG").map(PathBuf::from);
        let asked = path.is_some();
        let file = match path.or_else(default_path) {
            None => None,
            Some(path) => match fs::read_to_string(&path) {
                Ok(text) => Some((path, text)),
                Err(error)
                    if !asked && matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
                {
                    None
                }
                Err(source) => return Err(ConfigError::Unreadable { path, source }),
            },
        };
        Settings::layered(flags, &env, file)
    }

    fn layered(
        flags: &Flags,
        env: &dyn Fn(&str) -> Option<String>,
        file: Option<(PathBuf, String)>,
    ) -> Result<Settings, ConfigError> {
        let layers = Layers { env, file: file.map(File::parse).transpose()? };
        Ok(Settings {
            output: layers.setting(OUTPUT, flags.output, "--output")?,
            color: layers.setting(COLOR, flags.color, "--color")?,
            page_size: layers.setting(PAGE_SIZE, None, "")?,
        })
    }
}

struct Layers<'e> {
    env: &'e dyn Fn(&str) -> Option<String>,
    file: Option<File>,
}

impl Layers<'_> {
    fn setting<T: FromStr<Err = String> + Default>(
        &self,
        key: &'static str,
        flag: Option<T>,
        name: &'static str,
    ) -> Result<Setting<T>, ConfigError> {
        if let Some(value) = flag {
            return Ok(Setting { value, origin: Origin::Flag(name) });
        }
        let variable = KEYS.iter().find(|(known, _)| *known == key).map_or("", |(_, variable)| variable);
        let from_env = (self.env)(variable).map(|text| (text, Origin::Env(variable)));
        let from_file = || {
            self.file.as_ref().and_then(|file| Some((file.values.get(key)?.clone(), Origin::File(file.path.clone()))))
        };
        match from_env.or_else(from_file) {
            None => Ok(Setting { value: T::default(), origin: Origin::Default }),
            Some((text, origin)) => match text.parse() {
                Ok(value) => Ok(Setting { value, origin }),
                Err(reason) => Err(ConfigError::Value { key, origin, reason }),
            },
        }
    }
}

struct File {
    path: PathBuf,
    values: std::collections::BTreeMap<String, String>,
}

impl File {
    fn parse((path, text): (PathBuf, String)) -> Result<File, ConfigError> {
        let mut values = std::collections::BTreeMap::new();
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        if lines.clone().all(|line| matches!(line.trim(), "" | "---")) {
            return Ok(File { path, values });
        }
        let parsed: serde_json::Value = match serde_saphyr::from_str(&text) {
            Ok(parsed) => parsed,
            Err(error) => {
                return Err(ConfigError::Invalid {
                    path,
                    reason: error.to_string().lines().next().unwrap_or_default().to_owned(),
                });
            }
        };
        let serde_json::Value::Object(map) = parsed else {
            return Err(ConfigError::Invalid { path, reason: "it is not a mapping".to_owned() });
        };
        for (key, value) in map {
            let Some((known, _)) = KEYS.iter().find(|(known, _)| *known == key) else {
                return Err(ConfigError::UnknownKey { path, key });
            };
            let text = match value {
                serde_json::Value::String(text) => text,
                serde_json::Value::Number(number) => number.to_string(),
                serde_json::Value::Null => continue,
                _ => {
                    return Err(ConfigError::Value {
                        key: known,
                        origin: Origin::File(path),
                        reason: "it is not a single value".to_owned(),
                    });
                }
            };
            values.insert(key, text);
        }
        Ok(File { path, values })
    }
}

/// `~/.config/kubectl-react/config.yaml`, on macOS too; on Windows in `%APPDATA%`.
fn default_path() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.config_dir().join("kubectl-react").join("config.yaml"))
}

/// `~/.local/state/kubectl-react`.
fn state_dir() -> Option<PathBuf> {
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

/// The word of `known` that `word` was meant to be, where one is near.
pub fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let word = word.to_ascii_lowercase();
    let near = known.map(|known| (distance(&word, &known.to_ascii_lowercase()), known));
    near.filter(|(distance, known)| *distance <= known.len().max(3) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// How many letters must be added, dropped or changed.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (at, x) in a.chars().enumerate() {
        let mut next = vec![at + 1];
        for ((y, up_left), up) in b.iter().zip(&row).zip(row.iter().skip(1)) {
            let left = next.last().copied().unwrap_or_default();
            next.push((up_left + usize::from(x != *y)).min(up + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(flags: &Flags, env: &[(&str, &str)], file: Option<&str>) -> Result<Settings, ConfigError> {
        let env = |name: &str| env.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Settings::layered(flags, &env, file.map(|text| (PathBuf::from("/c.yaml"), text.to_owned())))
    }

    #[test]
    fn a_flag_beats_the_environment_and_that_the_file() {
        let file = Some("output: yaml\ncolor: never\npageSize: 100\n");
        let settings =
            resolve(&Flags { output: Some(Format::Name), color: None }, &[("KUBECTL_REACT_COLOR", "always")], file)
                .unwrap();
        assert_eq!(settings.output, Setting { value: Format::Name, origin: Origin::Flag("--output") });
        assert_eq!(settings.color, Setting { value: ColorChoice::Always, origin: Origin::Env("KUBECTL_REACT_COLOR") });
        assert_eq!(settings.page_size, Setting { value: PageSize(100), origin: Origin::File("/c.yaml".into()) });
        let settings = resolve(&Flags::default(), &[], None).unwrap();
        assert_eq!((*settings.output, settings.output.origin), (Format::Text, Origin::Default));
    }

    #[test]
    fn faults_name_their_place_and_a_way_out() {
        let table = [
            ("outptu: json", "the config file `/c.yaml` has the unknown key `outptu`", Some("did you mean `output`?")),
            (
                "llm: {}",
                "the config file `/c.yaml` has the unknown key `llm`",
                Some("known keys: output, color, pageSize"),
            ),
            (
                "output: jsn",
                "`output` in `/c.yaml` is not valid: `jsn` is none of text, json, yaml, markdown, name",
                None,
            ),
            ("pageSize: 3", "`pageSize` in `/c.yaml` is not valid: `3` is no number from 10 to 100000", None),
            ("color: [a]", "`color` in `/c.yaml` is not valid: it is not a single value", None),
            (
                "- a",
                "the config file `/c.yaml` is not valid: it is not a mapping",
                Some("it is YAML, such as `output: markdown`"),
            ),
        ];
        for (file, message, hint) in table {
            let error = resolve(&Flags::default(), &[], Some(file)).unwrap_err();
            assert_eq!((error.to_string().as_str(), error.hint().as_deref()), (message, hint));
        }
        for empty in ["", "# nothing\n", "---\n", "output:\n"] {
            assert!(resolve(&Flags::default(), &[], Some(empty)).is_ok(), "{empty:?}");
        }
        let error = resolve(&Flags::default(), &[("KUBECTL_REACT_OUTPUT", "x")], None).unwrap_err();
        assert!(error.to_string().starts_with("`output` in KUBECTL_REACT_OUTPUT is not valid"), "{error}");
    }

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

    #[test]
    fn near_words_are_found() {
        let known = ["oom-killed", "image-pull", "node-down"];
        assert_eq!(nearest("oomkilled", known.into_iter()), Some("oom-killed"));
        assert_eq!(nearest("image-pul", known.into_iter()), Some("image-pull"));
        assert_eq!(nearest("quota", known.into_iter()), None);
    }
}
