//! The layers that a setting is looked for in.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use super::{ConfigError, Origin, Secret, Setting, agent, keys};

pub(super) struct Layers<'e> {
    pub(super) env: &'e dyn Fn(&str) -> Option<String>,
    pub(super) file: Option<File>,
}

impl Layers<'_> {
    pub(super) fn setting<T: FromStr<Err = String> + Default>(
        &self,
        key: &'static str,
        flag: Option<T>,
        name: &'static str,
    ) -> Result<Setting<T>, ConfigError> {
        if let Some(value) = flag {
            return Ok(Setting { value, origin: Origin::Flag(name) });
        }
        match self.found(key) {
            None => Ok(Setting { value: T::default(), origin: Origin::Default }),
            Some((text, origin)) => match text.parse() {
                Ok(value) => Ok(Setting { value, origin }),
                Err(reason) => Err(ConfigError::Value { key: key.to_owned(), origin, reason }),
            },
        }
    }

    /// A setting that is text, or not there.
    pub(super) fn optional(
        &self,
        key: &'static str,
        flag: Option<String>,
        name: &'static str,
    ) -> Setting<Option<String>> {
        if flag.is_some() {
            return Setting { value: flag, origin: Origin::Flag(name) };
        }
        match self.found(key) {
            None => Setting { value: None, origin: Origin::Default },
            Some((text, origin)) => Setting { value: Some(text), origin },
        }
    }

    /// Where a secret is to be had: the keys of the variable and of the file.
    pub(super) fn secret(&self, env: &'static str, file: &'static str) -> Secret {
        Secret { env: self.optional(env, None, ""), file: self.optional(file, None, "") }
    }

    fn found(&self, key: &str) -> Option<(String, Origin)> {
        let variable = keys().find(|(known, _)| *known == key).map_or("", |(_, variable)| variable);
        let from_env = (self.env)(variable).map(|text| (text, Origin::Env(variable)));
        let from_file = || {
            self.file.as_ref().and_then(|file| Some((file.values.get(key)?.clone(), Origin::File(file.path.clone()))))
        };
        from_env.or_else(from_file)
    }
}

pub(super) struct File {
    path: PathBuf,
    values: BTreeMap<String, String>,
}

impl File {
    pub(super) fn parse((path, text): (PathBuf, String)) -> Result<File, ConfigError> {
        let values = BTreeMap::new();
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
        let mut file = File { path, values };
        file.take("", map)?;
        Ok(file)
    }

    /// Takes the values of a mapping that stands at `prefix`.
    fn take(&mut self, prefix: &str, map: serde_json::Map<String, serde_json::Value>) -> Result<(), ConfigError> {
        for (word, value) in map {
            let key = format!("{prefix}{word}");
            let below = format!("{key}.");
            let is_value = keys().any(|(known, _)| *known == key);
            if !is_value && !keys().any(|(known, _)| known.starts_with(&below)) {
                return Err(ConfigError::UnknownKey { path: self.path.clone(), key });
            }
            let invalid = |key: String, reason: &str| {
                Err(ConfigError::Value { key, origin: Origin::File(self.path.clone()), reason: reason.to_owned() })
            };
            let is_secret = matches!(word.as_str(), "key" | "token") && !is_value;
            let text = match value {
                serde_json::Value::Null => continue,
                // What it is stays unsaid.
                serde_json::Value::String(_) if is_secret => {
                    return Err(ConfigError::Literal { path: self.path.clone(), key });
                }
                // A table, not levels of keys; it is read as what it is in a variable: JSON.
                table @ serde_json::Value::Object(_) if key == agent::PRICES => table.to_string(),
                serde_json::Value::Object(map) if !is_value => {
                    self.take(&below, map)?;
                    continue;
                }
                _ if !is_value => return invalid(key, "it is not a mapping"),
                serde_json::Value::String(text) => text,
                serde_json::Value::Number(number) => number.to_string(),
                serde_json::Value::Bool(switch) => switch.to_string(),
                _ => return invalid(key, "it is not a single value"),
            };
            self.values.insert(key, text);
        }
        Ok(())
    }
}
