//! Slim pictures of Kubernetes objects: the fields that a detector reads, under the API's names.
//!
//! *Invariant:* adding a field here is all it takes to have it collected, saved and seen by
//! detectors. The meaning of each is that of the Kubernetes API reference.

mod cluster;
mod config;
mod custom;
mod event;
mod network;
mod pod;
mod policy;
mod storage;
mod workload;

pub use cluster::*;
pub use config::*;
pub use custom::{Custom, CustomPart, CustomReference};
pub use event::*;
pub use network::*;
pub use pod::*;
pub use policy::*;
pub use storage::*;
pub use workload::*;

use serde::{Deserialize, Serialize};

use super::list::unshared;

unshared!(IntOrString, Present);

/// A value that the API gives as a number or a string: a port and its name, a count and a share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum IntOrString {
    /// A number.
    Int(i64),
    /// A name or a percentage.
    Text(String),
}

impl std::fmt::Display for IntOrString {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            IntOrString::Int(number) => write!(f, "{number}"),
            IntOrString::Text(text) => f.write_str(text),
        }
    }
}

/// Something that is there, of which nothing else is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Present;

impl Serialize for Present {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        s.serialize_map(Some(0))?.end()
    }
}

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(d)?;
        Ok(Present)
    }
}
