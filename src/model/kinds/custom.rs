//! Objects of kinds that we don't know, as far as they say how they are.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::lenient::slim;
use crate::model::list::Share;
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
    /// `spec.suspend`, `spec.paused`, `spec.running: false` or `spec.runStrategy: Halted`: it waits on purpose.
    pub suspended: bool,
    /// The Secret that it is to make, of its namespace.
    pub secret: String,
    /// What `spec` refers to: `issuerRef`, `sourceRef`, `dependsOn`.
    pub references: List<CustomReference>,
    /// `status.resources`, as Argo CD has it: what it stands for.
    pub resources: List<CustomPart>,
}

slim! {
    /// What a custom resource refers to.
    pub struct CustomReference {
        /// The kind, without its group.
        pub kind: String,
        /// The namespace; its own where absent.
        pub namespace: String,
        /// The name.
        pub name: String,
    }

    /// An object that a custom resource stands for.
    pub struct CustomPart {
        /// Its group; empty for the core group.
        pub group: String,
        /// Its kind.
        pub kind: String,
        /// Its namespace.
        pub namespace: String,
        /// Its name.
        pub name: String,
        /// How it is.
        pub health: CustomHealth,
    }

    /// How an object is.
    pub struct CustomHealth {
        /// `Healthy`, `Degraded`, `Missing`, `Progressing`.
        pub status: String,
        /// Why.
        pub message: String,
    }

    /// The parts of a custom resource that are read.
    pub struct Wire {
        /// Group and version.
        pub api_version: String,
        /// The kind.
        pub kind: String,
        /// Metadata.
        pub metadata: Meta,
        /// What is asked for.
        pub spec: serde_json::Value,
        /// What is.
        pub status: WireStatus,
    }

    /// `status`.
    pub struct WireStatus {
        /// Conditions; some kinds keep something else under this name.
        pub conditions: serde_json::Value,
        /// Health.
        pub health: serde_json::Value,
        /// The generation it speaks of.
        pub observed_generation: serde_json::Value,
        /// What it stands for.
        pub resources: serde_json::Value,
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
        let (secret, references) = (secret(&wire), references(&wire));
        Custom {
            kind: Kind::parse(&kind),
            conditions: serde_json::from_value(wire.status.conditions).unwrap_or_default(),
            health: text(&wire.status.health, "status"),
            health_message: text(&wire.status.health, "message"),
            observed_generation: wire.status.observed_generation.as_i64().unwrap_or_default(),
            suspended: ["suspend", "paused"].iter().any(|key| wire.spec.get(key).is_some_and(on))
                || wire.spec.get("running").and_then(serde_json::Value::as_bool) == Some(false)
                || text(&wire.spec, "runStrategy") == "Halted",
            secret,
            references,
            resources: serde_json::from_value(wire.status.resources).unwrap_or_default(),
            metadata: wire.metadata,
        }
    }
}

impl Share for Custom {
    fn share(&mut self, with: &Custom) {
        self.metadata.share(&with.metadata);
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
            spec: self.spec(),
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
                resources: if self.resources.is_empty() {
                    serde_json::Value::Null
                } else {
                    serde_json::to_value(&self.resources).unwrap_or_default()
                },
            },
        }
        .serialize(s)
    }
}

/// Where the spec of a kind names the Secret that it is to make. Only kinds of which it is known
/// count: others name under the same fields a Secret that they read.
fn secret_path(kind: &str) -> &'static [&'static str] {
    match kind.split('.').next().unwrap_or_default() {
        "Certificate" => &["secretName"],
        "ExternalSecret" => &["target", "name"],
        "SealedSecret" => &["template", "metadata", "name"],
        "VaultStaticSecret" | "VaultDynamicSecret" | "VaultPKISecret" => &["destination", "name"],
        "AzureKeyVaultSecret" => &["output", "secret", "name"],
        _ => &["writeConnectionSecretToRef", "name"],
    }
}

fn secret(wire: &Wire) -> String {
    let at = secret_path(&wire.kind).iter().try_fold(&wire.spec, |value, key| value.get(key));
    // These two name it after themselves where nothing else is said.
    let own = ["ExternalSecret", "SealedSecret"].contains(&wire.kind.split('.').next().unwrap_or_default());
    match at.and_then(|value| value.as_str()) {
        Some(name) => name.to_owned(),
        None if own => wire.metadata.name.clone(),
        None => String::new(),
    }
}

/// How many references of one resource are kept.
const REFERENCES: usize = 16;

/// What a resource refers to: objects under a key that ends in `Ref`, and what it depends on.
fn references(wire: &Wire) -> List<CustomReference> {
    let mut found = Vec::new();
    collect(&wire.spec, wire.kind.split('.').next().unwrap_or_default(), 0, &mut found);
    found.truncate(REFERENCES);
    found.into()
}

fn collect(value: &serde_json::Value, own: &str, depth: usize, found: &mut Vec<CustomReference>) {
    let Some(fields) = value.as_object().filter(|_| depth < 4 && found.len() < REFERENCES) else { return };
    for (key, value) in fields {
        if let Some(word) = key.strip_suffix("Ref") {
            // `issuerRef` without a kind means an Issuer.
            let mut letters = word.chars();
            let usual: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
            found.extend(reference(value, &usual).filter(|_| word != "writeConnectionSecretTo"));
        } else if key == "dependsOn" || key == "references" {
            found.extend(value.as_array().into_iter().flatten().filter_map(|value| reference(value, own)));
        }
        collect(value, own, depth.saturating_add(1), found);
    }
}

fn reference(value: &serde_json::Value, usual: &str) -> Option<CustomReference> {
    let text = |key: &str| value.get(key).and_then(|value| value.as_str()).filter(|text| !text.is_empty());
    Some(CustomReference {
        kind: text("kind").unwrap_or(usual).to_owned(),
        namespace: text("namespace").unwrap_or_default().to_owned(),
        name: text("name")?.to_owned(),
    })
}

impl Custom {
    /// The field that names the Secret that it is to make.
    pub fn secret_field(&self) -> String {
        format!("spec.{}", secret_path(self.kind.as_str()).join("."))
    }

    /// The part of `spec` that was read, as it is written.
    fn spec(&self) -> serde_json::Value {
        let mut spec = serde_json::Map::new();
        if self.suspended {
            spec.insert("suspend".to_owned(), true.into());
        }
        if !self.secret.is_empty() {
            let path = secret_path(self.kind.as_str());
            let value = path
                .iter()
                .rev()
                .fold(serde_json::Value::from(self.secret.as_str()), |value, key| serde_json::json!({ *key: value }));
            spec.extend(value.as_object().cloned().unwrap_or_default());
        }
        if !self.references.is_empty() {
            spec.insert("references".to_owned(), serde_json::to_value(&self.references).unwrap_or_default());
        }
        if spec.is_empty() { serde_json::Value::Null } else { spec.into() }
    }

    /// What it is called.
    pub fn object_ref(&self) -> ObjectRef {
        ObjectRef::new(self.kind, &self.metadata.namespace, &self.metadata.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A snapshot that was saved says the same as the cluster did.
    #[test]
    fn what_is_written_is_read_back() {
        let yaml = "
apiVersion: external-secrets.io/v1
kind: KIND
metadata: {name: db, namespace: shop}
spec:
  suspend: true
  SECRET
  secretStoreRef: {name: vault, kind: ClusterSecretStore}
  chart: {spec: {sourceRef: {name: charts}}}
  dependsOn: [{name: base, namespace: infra}]
status: {resources: [{group: apps, kind: Deployment, namespace: shop, name: web, health: {status: Degraded}}]}
";
        for (kind, secret) in [
            ("ExternalSecret", "target: {name: keys}"),
            ("Certificate", "secretName: keys"),
            ("Bucket", "writeConnectionSecretToRef: {name: keys, namespace: shop}"),
        ] {
            let yaml = yaml.replace("KIND", kind).replace("SECRET", secret);
            let read: Custom = serde_saphyr::from_str(&yaml).unwrap();
            assert_eq!(read.secret, "keys", "{kind}");
            let names: Vec<String> = read.references.iter().map(|r| format!("{} {}", r.kind, r.name)).collect();
            assert!(names.contains(&"Source charts".to_owned()), "{names:?}");
            assert!(names.contains(&"ClusterSecretStore vault".to_owned()), "{names:?}");
            assert!(names.contains(&format!("{kind} base")), "{names:?}");
            let again: Custom = serde_json::from_value(serde_json::to_value(&read).unwrap()).unwrap();
            assert_eq!(again, read);
        }
    }

    #[test]
    fn a_secret_that_is_read_is_not_made() {
        let yaml = "apiVersion: x.io/v1\nkind: Database\nmetadata: {name: db}\nspec: {secretName: password}\n";
        assert_eq!(serde_saphyr::from_str::<Custom>(yaml).unwrap().secret, "");
    }
}
