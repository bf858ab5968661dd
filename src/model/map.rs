//! A small sorted map of text, as labels, annotations and quantities are.
//!
//! *Invariant:* sorted by key, each key once. A cluster has five of these for each pod, of a few entries
//! each: a `BTreeMap` would take half a kilobyte for every one of them. Like lists, equal ones are shared.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::List;
use super::list::Share;

/// A sorted map of text.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Map(List<(String, String)>);

impl Map {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&String> {
        self.get_key_value(key).map(|(_, value)| value)
    }

    /// The key as it is kept, and its value.
    pub fn get_key_value(&self, key: &str) -> Option<(&String, &String)> {
        let index = self.0.binary_search_by(|(other, _)| other.as_str().cmp(key)).ok()?;
        self.0.get(index).map(|(key, value)| (key, value))
    }

    /// Whether there is such a key.
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keys and values, by key.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&String, &String)> + Clone {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// Changes the values.
    pub fn update(&mut self, mut change: impl FnMut(&str, &mut String)) {
        self.0.update(|(key, value)| change(key, value));
    }

    /// The keys, in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &String> + Clone {
        self.0.iter().map(|(key, _)| key)
    }

    /// The values, by key.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &String> + Clone {
        self.0.iter().map(|(_, value)| value)
    }

    /// Puts an entry in, in the place of one with the same key.
    pub fn insert(&mut self, key: String, value: String) {
        let mut entries = self.0.to_vec();
        match entries.binary_search_by(|(other, _)| other.cmp(&key)) {
            Ok(index) => entries.splice(index..=index, [(key, value)]).for_each(drop),
            Err(index) => entries.insert(index, (key, value)),
        }
        self.0 = entries.into();
    }

    /// Takes an entry out.
    pub fn remove(&mut self, key: &str) {
        self.retain(|other, _| other != key);
    }

    /// Keeps the entries for which `keep` holds.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &str) -> bool) {
        if self.0.iter().all(|(key, value)| keep(key, value)) {
            return;
        }
        self.0 = self.0.iter().filter(|(key, value)| keep(key, value)).cloned().collect();
    }
}

/// Of two entries with one key the later one counts, as in JSON.
impl FromIterator<(String, String)> for Map {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(entries: I) -> Map {
        let mut entries: Vec<(String, String)> = entries.into_iter().collect();
        // The API server writes maps in order.
        if !entries.is_sorted_by(|a, b| a.0 < b.0) {
            entries.reverse();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            entries.dedup_by(|a, b| a.0 == b.0);
        }
        Map(entries.into())
    }
}

impl<const N: usize> From<[(String, String); N]> for Map {
    fn from(entries: [(String, String); N]) -> Map {
        entries.into_iter().collect()
    }
}

impl<'m> IntoIterator for &'m Map {
    type Item = (&'m String, &'m String);
    type IntoIter = std::iter::Map<std::slice::Iter<'m, (String, String)>, fn(&(String, String)) -> (&String, &String)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(key, value)| (key, value))
    }
}

impl Share for Map {
    fn share(&mut self, with: &Map) {
        self.0.share(&with.0);
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for Map {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Map {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Map, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Map;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of text")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Map, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(entries.into_iter().collect())
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

#[cfg(test)]
mod tests {
    use super::Map;

    fn map(json: &str) -> Map {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn entries_are_sorted_and_the_last_of_a_key_counts() {
        let map = map(r#"{"b": "2", "a": "1", "b": "3"}"#);
        assert_eq!(format!("{map:?}"), r#"{"a": "1", "b": "3"}"#);
        assert_eq!((map.get("b"), map.get("c")), (Some(&"3".to_owned()), None));
        assert_eq!(serde_json::to_string(&map).unwrap(), r#"{"a":"1","b":"3"}"#);
    }

    #[test]
    fn entries_come_and_go() {
        let mut map = map(r#"{"b": "2"}"#);
        for (key, value) in [("a", "1"), ("c", "3"), ("b", "4")] {
            map.insert(key.to_owned(), value.to_owned());
        }
        map.retain(|key, _| key != "a");
        assert_eq!(format!("{map:?}"), r#"{"b": "4", "c": "3"}"#);
    }
}
