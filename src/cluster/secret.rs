//! Secrets, without what is secret.
//!
//! *Invariant:* a value is never stored: the list is asked for without data, and where key names
//! are read the value is measured, and forgotten, while the answer is parsed.

use std::fmt;

use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::model::kinds::Secret;
use crate::model::snapshot::{Certificate, SecretKey};
use crate::model::{Meta, Objects, SecretKeys, Time};

/// Reads a table of Secrets: the metadata of each, and the column `Type`.
pub(super) fn parse_table(json: &[u8]) -> serde_json::Result<Objects> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Table<'a> {
        column_definitions: Vec<Column>,
        #[serde(borrow, default)]
        rows: Option<Vec<&'a RawValue>>,
    }
    #[derive(Deserialize)]
    struct Column {
        name: String,
    }
    #[derive(Deserialize)]
    struct Row {
        #[serde(default)]
        cells: Vec<serde_json::Value>,
        object: Object,
    }
    #[derive(Deserialize)]
    struct Object {
        metadata: Meta,
    }
    let table: Table<'_> = serde_json::from_slice(json)?;
    let kind = table.column_definitions.iter().position(|column| column.name == "Type");
    let secret = |row: &&RawValue| -> Option<Secret> {
        let row: Row = serde_json::from_str(row.get()).ok()?;
        let kind = kind.and_then(|index| row.cells.get(index)).and_then(|cell| cell.as_str());
        Some(Secret { metadata: row.object.metadata, kind: kind.unwrap_or_default().to_owned() })
    };
    let secrets = table.rows.unwrap_or_default().iter().filter_map(secret).collect();
    Ok(Objects { secrets, ..Objects::default() })
}

/// Reads one Secret: its key names, the size of each value, and what a certificate says.
pub(super) fn parse_keys(json: &[u8]) -> serde_json::Result<SecretKeys> {
    #[derive(Deserialize)]
    struct Body {
        metadata: Name,
        #[serde(default)]
        data: Option<Data>,
    }
    #[derive(Deserialize)]
    struct Name {
        name: String,
        namespace: String,
    }
    let body: Body = serde_json::from_slice(json)?;
    let keys = body.data.map(|data| data.0).unwrap_or_default();
    Ok(SecretKeys { namespace: body.metadata.namespace, name: body.metadata.name, keys: keys.into() })
}

/// The field `data`.
struct Data(Vec<SecretKey>);

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Data;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the data of a Secret")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Data, A::Error> {
                let mut keys = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    keys.push(map.next_value_seed(Value { name })?);
                }
                Ok(Data(keys))
            }
        }
        d.deserialize_map(Keys)
    }
}

/// One value, of which the size is kept, and what it says if it is a certificate.
struct Value {
    name: String,
}

impl<'de> DeserializeSeed<'de> for Value {
    type Value = SecretKey;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<SecretKey, D::Error> {
        d.deserialize_any(self)
    }
}

impl Visitor<'_> for Value {
    type Value = SecretKey;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text in base64")
    }

    fn visit_str<E>(self, base64: &str) -> Result<SecretKey, E> {
        let certificate = holds_certificate(&self.name).then(|| decode(base64)).flatten();
        let certificate = certificate.and_then(|pem| certificate_of(&pem));
        Ok(SecretKey { name: self.name, size: decoded_size(base64), certificate })
    }

    fn visit_unit<E>(self) -> Result<SecretKey, E> {
        Ok(SecretKey { name: self.name, ..SecretKey::default() })
    }
}

/// Whether a key of this name holds a certificate by custom. A private key's name never does.
fn holds_certificate(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let ends = |suffix| key.ends_with(suffix);
    (ends(".crt") || ends(".pem") || ends(".cert") || key == "cert" || key == "ca") && !key.contains("key")
}

fn decoded_size(base64: &str) -> u64 {
    let padding = base64.bytes().rev().take_while(|byte| *byte == b'=').count();
    let size = (base64.len() / 4 * 3).saturating_sub(padding);
    u64::try_from(size).unwrap_or(u64::MAX)
}

/// The bytes of a base64 text; line breaks in it are passed over, as Go does.
pub(super) fn decode(base64: &str) -> Option<Vec<u8>> {
    let plain: String = base64.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let text = StrDeserializer::<serde::de::value::Error>::new(&plain);
    k8s_openapi::ByteString::deserialize(text).ok().map(|bytes| bytes.0)
}

/// The bytes as a base64 text.
pub(super) fn encode(bytes: Vec<u8>) -> String {
    let text = serde_json::to_value(k8s_openapi::ByteString(bytes));
    text.ok().and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The public part of the first certificate in a PEM text: a server's own, before its chain.
pub(super) fn certificate_of(pem: &[u8]) -> Option<Certificate> {
    let block = x509_parser::pem::Pem::iter_from_buffer(pem).flatten().find(|block| block.label == "CERTIFICATE")?;
    let certificate = block.parse_x509().ok()?;
    let time = |time: x509_parser::time::ASN1Time| Time::from_second(time.timestamp()).ok();
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.map(|names| names.value.general_names.iter().filter_map(name).collect()).unwrap_or_default();
    let mut found = Certificate { subject: certificate.subject().to_string(), names, ..Certificate::default() };
    found.not_before.0 = time(certificate.validity().not_before);
    found.not_after.0 = time(certificate.validity().not_after);
    Some(found)
}

fn name(name: &x509_parser::extensions::GeneralName<'_>) -> Option<String> {
    use x509_parser::extensions::GeneralName;
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(std::net::IpAddr::from);
            let v6 = <[u8; 16]>::try_from(*bytes).map(std::net::IpAddr::from);
            v4.or(v6).ok().map(|address| address.to_string())
        }
        _ => None,
    }
}
