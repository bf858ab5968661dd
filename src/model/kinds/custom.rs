//! Objects of kinds that we don't know, as far as they say how they are.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::lenient::slim;
use crate::model::{Condition, Kind, List, Meta, ObjectRef};

/// A custom resource: its metadata and what its `status` says.
#[derive(Clone, Debug, PartialEq)]
pub struct Custom {
    /// `Certificate.cert-manager.io`.
    pub kind: Kind,
    /// Metadata.
    pub metadata: Meta,
    /// `status.conditions`.
    pub conditions: List<Condition>,
    /// `status.health.status`, as Argo CD has it.
    pub health: String,
    /// `status.health.message`.
    pub health_message: String,
    /// `status.observedGeneration`.
    pub observed_generation: i64,
    /// `spec.suspend` or `spec.paused`: it waits on purpose.
    pub suspended: bool,
}

slim! {
    /// The parts of a custom resource that are read.
    pub struct Wire {
        /// Group and version.
        pub api_version: String,
        /// The kind.
        pub kind: String,
        /// Metadata.
        pub metadata: Meta,
        /// What is asked for.
        pub spec: WireSpec,
        /// What is.
        pub status: WireStatus,
    }

    /// `spec`.
    pub struct WireSpec {
        /// Flux, KEDA, Argo Rollouts.
        pub suspend: serde_json::Value,
        /// Cluster API and others.
        pub paused: serde_json::Value,
    }

    /// `status`.
    pub struct WireStatus {
        /// Conditions; some kinds keep something else under this name.
        pub conditions: serde_json::Value,
        /// Health.
        pub health: serde_json::Value,
        /// The generation it speaks of.
        pub observed_generation: serde_json::Value,
    }
}

impl From<Wire> for Custom {
    fn from(wire: Wire) -> Custom {
        let group = wire.api_version.rsplit_once('/').map_or("", |(group, _)| group);
        let kind = if group.is_empty() || wire.kind.contains('.') {
            wire.kind.clone()
        } else {
            format!("{}.{group}", wire.kind)
        };
        let text = |value: &serde_json::Value, key: &str| {
            value.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned()
        };
        let on = |value: &serde_json::Value| value.as_bool() == Some(true);
        Custom {
            kind: Kind::parse(&kind),
            conditions: serde_json::from_value(wire.status.conditions).unwrap_or_default(),
            health: text(&wire.status.health, "status"),
            health_message: text(&wire.status.health, "message"),
            observed_generation: wire.status.observed_generation.as_i64().unwrap_or_default(),
            suspended: on(&wire.spec.suspend) || on(&wire.spec.paused),
            metadata: wire.metadata,
        }
    }
}

impl<'de> Deserialize<'de> for Custom {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Wire::deserialize(d).map(Custom::from)
    }
}

impl Serialize for Custom {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let name = self.kind.as_str();
        let (kind, group) = name.split_once('.').unwrap_or((name, ""));
        Wire {
            api_version: if group.is_empty() { String::new() } else { format!("{group}/v0") },
            kind: kind.to_owned(),
            metadata: self.metadata.clone(),
            spec: WireSpec {
                suspend: if self.suspended { true.into() } else { serde_json::Value::Null },
                ..WireSpec::default()
            },
            status: WireStatus {
                conditions: if self.conditions.is_empty() {
                    serde_json::Value::Null
                } else {
                    serde_json::to_value(&self.conditions).unwrap_or_default()
                },
                health: if self.health.is_empty() {
                    serde_json::Value::Null
                } else {
                    serde_json::json!({ "status": self.health, "message": self.health_message })
                },
                observed_generation: if self.observed_generation == 0 {
                    serde_json::Value::Null
                } else {
                    self.observed_generation.into()
                },
            },
        }
        .serialize(s)
    }
}

impl Custom {
    /// What it is called.
    pub fn object_ref(&self) -> ObjectRef {
        ObjectRef::new(self.kind, &self.metadata.namespace, &self.metadata.name)
    }
}
