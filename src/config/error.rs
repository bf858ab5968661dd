//! What is wrong with a setting, and what to do.

use std::io;
use std::path::PathBuf;

use super::{Origin, keys};
use crate::near::nearest;

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
    /// A key or token that stands in the file itself.
    #[error("the config file `{}` holds a secret at `{key}`", path.display())]
    Literal {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
    },
    /// A value that we can't use.
    #[error("`{key}` in {origin} is not valid: {reason}")]
    Value {
        /// The key.
        key: String,
        /// Where it stands.
        origin: Origin,
        /// Why.
        reason: String,
    },
}

/// The words that may stand where `key` stands.
fn beside(key: &str) -> Vec<&'static str> {
    let parent = key.rsplit_once('.').map_or(String::new(), |(parent, _)| format!("{parent}."));
    let mut words: Vec<&str> = Vec::new();
    for (known, _) in keys() {
        let word = known.strip_prefix(&parent).and_then(|rest| rest.split('.').next());
        words.extend(word.filter(|word| !words.contains(word)));
    }
    words
}

impl ConfigError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            ConfigError::UnknownKey { key, .. } => Some(match nearest(key, keys().map(|(key, _)| *key)) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("known keys: {}", beside(key).join(", ")),
            }),
            ConfigError::Literal { key, .. } => Some(format!(
                "name the variable or the file that has it: `{key}: {{env: NAME}}` or `{key}: {{file: PATH}}`"
            )),
            ConfigError::Invalid { .. } => Some("it is YAML, such as `output: markdown`".to_owned()),
            ConfigError::Unreadable { .. } | ConfigError::Value { .. } => None,
        }
    }
}
