//! ConfigMaps and Secrets: what they hold by name, never by value.

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::model::lenient::slim;
use crate::model::list::unshared;
use crate::model::{List, Meta};

slim! {
    /// A ConfigMap: its keys.
    pub struct ConfigMap {
        /// Metadata.
        pub metadata: Meta,
        /// The keys of `data`.
        pub data: Keys,
        /// The keys of `binaryData`.
        pub binary_data: Keys,
        /// Whether it can't be changed.
        pub immutable: bool,
    }

    /// A Secret: that it is there, and its type. Its keys are in [`crate::model::SecretKeys`] where one was asked for.
    pub struct Secret {
        /// Metadata.
        pub metadata: Meta,
        /// `Opaque`, `kubernetes.io/tls`, …
        #[serde(rename = "type")]
        pub kind: String,
    }
}

impl ConfigMap {
    /// Whether it holds this key.
    pub fn has(&self, key: &str) -> bool {
        self.keys().any(|name| name == key)
    }

    /// Its keys.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.data.0.iter().chain(self.binary_data.0.iter()).map(String::as_str)
    }
}

/// The keys of a map whose values are dropped while they are read.
///
/// Written as a list of names; read from that or from the API's map.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Keys(pub List<String>);

unshared!(Keys);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Keys;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a map or a list of keys")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    map.next_value::<serde::de::IgnoredAny>()?;
                    keys.push(key);
                }
                Ok(Keys(keys.into()))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some(key) = seq.next_element::<String>()? {
                    keys.push(key);
                }
                Ok(Keys(keys.into()))
            }
        }
        d.deserialize_any(Names)
    }
}
