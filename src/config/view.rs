//! All settings as rows: key, value, and where it comes from.
//!
//! *Invariant:* no secret is among them: a setting names the variable or the file that has one, and what stands in an
//! address before its host or after its path is left out.

use reqwest::Url;

use super::{COLOR, ColorChoice, INCIDENTS_KEEP, OUTPUT, PAGE_SIZE, Setting, Settings, metrics};

/// A setting as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Entry {
    /// Its key in the file.
    pub key: &'static str,
    /// Its value; empty where there is none.
    pub value: String,
    /// Where it comes from.
    pub origin: String,
}

pub(super) fn entry<T>(key: &'static str, setting: &Setting<T>, shown: impl Fn(&T) -> String) -> Entry {
    Entry { key, value: shown(&setting.value), origin: setting.origin.to_string() }
}

pub(super) fn optional(key: &'static str, setting: &Setting<Option<String>>) -> Entry {
    entry(key, setting, |value| value.clone().unwrap_or_default())
}

/// An address without user, password and query. One that is none may be anything, a key too.
pub(super) fn address(key: &'static str, setting: &Setting<Option<String>>) -> Entry {
    entry(key, setting, |value| value.as_deref().map(shown_address).unwrap_or_default())
}

/// An address for people.
pub(super) fn shown_address(text: &str) -> String {
    match Url::parse(text) {
        Ok(mut url) if url.has_host() => {
            let _ = (url.set_username(""), url.set_password(None));
            url.set_query(None);
            url.set_fragment(None);
            let shown = url.to_string();
            if text.ends_with('/') { shown } else { shown.trim_end_matches('/').to_owned() }
        }
        // A folder, or git's `git@host:path`.
        _ => text.to_owned(),
    }
}

impl Settings {
    /// All of them, in the order of the documents.
    pub fn entries(&self) -> Vec<Entry> {
        let color = |choice: &ColorChoice| match choice {
            ColorChoice::Auto => "auto".to_owned(),
            ColorChoice::Always => "always".to_owned(),
            ColorChoice::Never => "never".to_owned(),
        };
        let mut entries = vec![
            entry(OUTPUT, &self.output, ToString::to_string),
            entry(COLOR, &self.color, color),
            entry(PAGE_SIZE, &self.page_size, |size| size.0.to_string()),
        ];
        entries.extend(self.runbooks.entries());
        entries.extend(self.chroma.entries());
        entries.extend(self.embedder.entries());
        entries.push(entry(INCIDENTS_KEEP, &self.incidents_keep, |keep| keep.0.to_string()));
        entries.extend(self.model.entries());
        entries.extend(self.agent.entries());
        entries.extend(self.prometheus.entries(&metrics::PROMETHEUS));
        entries.extend(self.alertmanager.entries(&metrics::ALERTMANAGER));
        entries.extend(self.redaction.entries());
        entries.extend(self.forge.entries());
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Flags, keys};

    #[test]
    fn every_setting_is_shown_and_no_secret_of_an_address() {
        let env = |name: &str| match name {
            "KUBECTL_REACT_MODEL_URL" => Some("https://me:pw@h.example/v1?key=s".to_owned()),
            "KUBECTL_REACT_RUNBOOKS" => Some("git@github.com:a/b.git".to_owned()),
            "KUBECTL_REACT_MAX_COST" => Some("0.5".to_owned()),
            _ => None,
        };
        let entries = Settings::layered(&Flags::default(), &env, None).unwrap().entries();
        let shown: Vec<&str> = entries.iter().map(|entry| entry.key).collect();
        assert_eq!(shown, keys().map(|(key, _)| *key).collect::<Vec<_>>());
        let row = |key: &str| {
            let entry = entries.iter().find(|entry| entry.key == key).unwrap();
            (entry.value.as_str(), entry.origin.as_str())
        };
        assert_eq!(row("model.url"), ("https://h.example/v1", "KUBECTL_REACT_MODEL_URL"));
        assert_eq!(row("runbooks.repo"), ("git@github.com:a/b.git", "KUBECTL_REACT_RUNBOOKS"));
        assert_eq!(row("agent.maxCost"), ("0.50", "KUBECTL_REACT_MAX_COST"));
        assert_eq!(row("agent.maxSteps"), ("20", "the default"));
        assert_eq!(row("model.timeout"), ("120s", "the default"));
    }
}
