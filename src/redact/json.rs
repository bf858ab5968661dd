//! Objects as the API sends them, of kinds that we know and of others; and text that is about to leave.
//!
//! *Invariant:* every string of an object is looked at, by the name that it stands under; what an object holds in
//! bytes is counted and never kept. The same object as JSON and as a slim type loses the same secrets.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::objects::Arguments;
use super::{Mode, Redacted, Redactor, annotations, is_key_material, is_whole_secret};
use crate::printable::printable;

/// Fields that hold sentences.
const SENTENCES: &[&str] = &["message", "note", "description", "reason"];

/// Fields whose parent has the name of what they hold: `password: {value: x}`.
const WRAPPED: &[&str] = &["value", "inline", "data", "plaintext"];

impl Redactor {
    /// Masks an object as the API sends it, and drops what only repeats it.
    pub fn json(&self, object: &mut Value) {
        if let Some(fields) = object.as_object_mut() {
            bytes(fields);
        }
        self.walk("", object);
    }

    /// Seals text that holds objects, settings or tables: all of it is masked, line by line once more, where a line
    /// `KEY: VALUE` or `KEY=VALUE` tells by its key. Newlines and tabs stay, other control characters go.
    pub fn seal_text(&self, text: &str) -> Redacted<String> {
        self.seal_lines(text, true)
    }

    /// Seals text that holds sentences, as those of a log: `token: not found` is one.
    pub fn seal_prose(&self, text: &str) -> Redacted<String> {
        self.seal_lines(text, false)
    }

    fn seal_lines(&self, text: &str, strict: bool) -> Redacted<String> {
        let clean = text.split('\t').map(printable).collect::<Vec<_>>().join("\t");
        let masked = self.text(&clean);
        let mut sealed = String::with_capacity(masked.len());
        for (number, line) in masked.split('\n').enumerate() {
            if number > 0 {
                sealed.push('\n');
            }
            let line = match strict.then(|| self.setting(line)).flatten() {
                Some(masked) => Cow::Owned(masked),
                None if is_key_material(line) => Cow::Owned(self.mask(line)),
                None => Cow::Borrowed(line),
            };
            sealed.push_str(&line);
        }
        Redacted(sealed)
    }

    /// A line that sets something, without the secret that it sets.
    fn setting(&self, line: &str) -> Option<String> {
        let body = line.trim_start().trim_start_matches("- ").trim_start_matches("export ");
        let at = body.find(['=', ':'])?;
        let key = body.get(..at)?.trim_matches(['"', '\'']);
        let rest = body.get(at + 1..)?;
        let is_key = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
        let colon = body.as_bytes().get(at) == Some(&b':');
        if !is_key || key.is_empty() || colon && !rest.starts_with([' ', '\t']) {
            return None;
        }
        let value = rest.trim().trim_end_matches(',').trim_matches(['"', '\'']);
        // The value of a block stands below it.
        let block = colon && value.starts_with(['|', '>']);
        if block || !is_whole_secret(key, value) {
            return None;
        }
        let start = rest.find(value)?;
        let (before, after) = (rest.get(..start)?, rest.get(start + value.len()..)?);
        let head = line.get(..line.len() - rest.len())?;
        Some(format!("{head}{before}{}{after}", self.mask(value)))
    }

    fn walk(&self, key: &str, value: &mut Value) {
        match value {
            Value::String(text) => self.string(key, text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.walk(key, item)),
            Value::Object(fields) => self.fields(key, fields),
            _ => {}
        }
    }

    fn fields(&self, key: &str, fields: &mut Map<String, Value>) {
        if key == "metadata" {
            fields.remove("managedFields");
        }
        if fields.get("kind").and_then(Value::as_str) == Some("Secret") {
            secret(fields);
        }
        if key == "annotations" {
            fields.retain(|name, _| !annotations::repeats(name));
            for (name, value) in fields.iter_mut() {
                match value {
                    Value::String(text) => annotations::one(self, name, text),
                    other => self.walk(name, other),
                }
            }
            return;
        }
        // A variable, a header, a parameter: the value is what its name promises.
        for part in ["name", "key"] {
            let name = fields.get(part).and_then(Value::as_str).map(str::to_owned);
            if let (Some(name), Some(Value::String(text))) = (name, fields.get_mut("value")) {
                self.named(&name, text);
            }
        }
        for part in WRAPPED {
            if let Some(Value::String(text)) = fields.get_mut(*part) {
                self.named(key, text);
            }
        }
        let mut arguments = Arguments::default();
        for part in ["command", "args"] {
            let items = fields.get_mut(part).and_then(Value::as_array_mut);
            for item in items.into_iter().flatten() {
                if let Value::String(item) = item {
                    arguments.mask(self, item);
                }
            }
        }
        for (name, value) in fields.iter_mut() {
            self.walk(name, value);
        }
    }

    fn string(&self, key: &str, text: &mut String) {
        if SENTENCES.contains(&key) {
            self.apply(text, Mode::Prose);
        } else {
            self.named(key, text);
        }
    }

    fn named(&self, name: &str, text: &mut String) {
        if let Cow::Owned(masked) = self.value(name, text) {
            *text = masked;
        }
    }
}

/// A Secret, on its own or in what another object makes of it: without its data, in its annotations too.
fn secret(fields: &mut Map<String, Value>) {
    fields.remove("data");
    fields.remove("stringData");
    let annotations = fields.get_mut("metadata").and_then(|metadata| metadata.get_mut("annotations"));
    for (name, value) in annotations.and_then(Value::as_object_mut).into_iter().flatten() {
        if let Value::String(text) = value {
            annotations::on_secret(name, text);
        }
    }
}

/// Bytes are counted: they may be anything.
fn bytes(fields: &mut Map<String, Value>) {
    let Some(data) = fields.get_mut("binaryData").and_then(Value::as_object_mut) else { return };
    for value in data.values_mut() {
        let encoded = value.as_str().map_or(0, |text| text.trim_end_matches('=').len());
        *value = Value::String(format!("<{} bytes>", encoded * 3 / 4));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn redactor() -> Redactor {
        Redactor::new([7; 32])
    }

    #[test]
    fn an_object_keeps_what_diagnosis_needs_and_nothing_secret() {
        let mut pod = json!({
            "kind": "Pod",
            "metadata": {"name": "web", "managedFields": [{"manager": "x"}], "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": "{\"password\":\"canary-1\"}",
                "example.com/api-token": "canary2Ab9", "vault/agent-inject-secret-db": "secret/data/db"}},
            "spec": {"imagePullSecrets": [{"name": "registry"}], "containers": [{"name": "app",
                "command": ["server", "--password", "canary-3"], "args": ["--dsn=postgres://app:canary-4@db:5432/app"],
                "env": [{"name": "DB_PASSWORD", "value": "canary-5"}, {"name": "MODE", "value": "fast"},
                    {"name": "URL", "valueFrom": {"secretKeyRef": {"name": "db-secret", "key": "password"}}}],
                "livenessProbe": {"httpGet": {"path": "/h?token=canary-6", "httpHeaders": [
                    {"name": "Authorization", "value": "Bearer canary-7canary-7"}]}}}]},
            "status": {"message": "failed to fetch token: not found; password=canary-8"}
        });
        redactor().json(&mut pod);
        let text = pod.to_string();
        assert!(!text.contains("canary"), "{text}");
        for kept in ["fast", "db-secret", "\"key\":\"password\"", "@db:5432/app", "fetch token: not found", "registry"]
        {
            assert!(text.contains(kept), "{kept} is lost: {text}");
        }
        assert!(!text.contains("managedFields") && !text.contains("last-applied"), "{text}");
        let once = pod.clone();
        redactor().json(&mut pod);
        assert_eq!(pod, once, "masking is idempotent");
    }

    #[test]
    fn maps_are_masked_by_key_and_shape() {
        let mut map = json!({"kind": "ConfigMap", "binaryData": {"a.bin": "Y2FuYXJ5"}, "data": {
            "LOG_LEVEL": "debug", "api.token": "canary-1", "application.yaml": "db:\n  host: db\n  password: canary-2\n"}});
        redactor().json(&mut map);
        let text = map.to_string();
        assert!(!text.contains("canary") && !text.contains("Y2Fu"), "{text}");
        assert!(text.contains("debug") && text.contains("host: db") && text.contains("<6 bytes>"), "{text}");

        let mut secret = json!({"kind": "Secret", "data": {"a": "Y2FuYXJ5"}, "stringData": {"b": "canary"}});
        redactor().json(&mut secret);
        assert_eq!(secret, json!({"kind": "Secret"}));

        let mut custom = json!({"kind": "Database", "spec": {"clientSecret": "canary", "password": "canary", "secretName": "cart-tls"}});
        redactor().json(&mut custom);
        let text = custom.to_string();
        assert!(!text.contains("canary") && text.contains("\"secretName\":\"cart-tls\""), "{text}");
    }

    #[test]
    fn of_a_secret_the_annotations_are_counted_that_diagnosis_does_not_need() {
        let copies = json!({
            "kapp.k14s.io/original": "{\"stringData\":{\"a\":\"canary\"}}", "objectset.rio.cattle.io/applied": "H4sIcanary",
            "banzaicloud.com/last-applied": "canary", "example.com/last-applied-configuration": "canary"});
        let mut annotations = copies.clone();
        annotations["example.com/copy"] = "{\"kind\":\"Secret\",\"data\":{\"a\":\"canary\"}}".into();
        annotations["cert-manager.io/common-name"] = "shop.example.com".into();
        annotations["kubernetes.io/service-account.name"] = "cart".into();
        let mut secret =
            json!({"kind": "Secret", "metadata": {"annotations": annotations.clone()}, "data": {"a": "canary"}});
        let kept = json!({"cert-manager.io/common-name": "shop.example.com", "example.com/copy": "<39 bytes>",
            "kubernetes.io/service-account.name": "cart"});
        let mut inner = json!({"kind": "Bundle", "spec": {"objects": [secret.clone()]}});
        let mut objects = crate::model::Objects::default();
        let mut named = secret.clone();
        named["metadata"]["name"] = "cart".into();
        objects.add_json(named).unwrap();
        for _ in 0..2 {
            redactor().json(&mut secret);
            assert_eq!(secret, json!({"kind": "Secret", "metadata": {"annotations": kept.clone()}}));
            redactor().json(&mut inner);
            assert_eq!(inner["spec"]["objects"][0], secret);
            redactor().objects(&mut objects);
            let slim = serde_json::to_value(&objects.secrets[0].metadata.annotations).unwrap();
            assert_eq!(slim, kept, "the same as a slim type");
        }

        let mut pod = json!({"kind": "Pod", "metadata": {"annotations": copies}});
        redactor().json(&mut pod);
        assert_eq!(pod, json!({"kind": "Pod", "metadata": {"annotations": {}}}), "copies go on every kind");
    }

    #[test]
    fn a_value_has_the_name_beside_it_or_above_it() {
        let mut custom = json!({"kind": "Database", "spec": {
            "parameters": [{"key": "password", "value": "canary"}, {"name": "api-token", "value": "canary"},
                {"key": "mode", "value": "fast"}],
            "password": {"value": "canary"}, "credentials": [{"plaintext": "canary"}], "secret": {"inline": "canary"},
            "passwordRef": {"name": "cart-db", "key": "password"}, "size": {"value": "large"}}});
        redactor().json(&mut custom);
        let text = custom.to_string();
        assert!(!text.contains("canary"), "{text}");
        for kept in ["fast", "large", "\"name\":\"cart-db\"", "\"key\":\"password\""] {
            assert!(text.contains(kept), "{kept} is lost: {text}");
        }
    }

    #[test]
    fn text_is_sealed_line_by_line() {
        let table = [
            ("plain\ttext\nnext", true, "plain\ttext\nnext"),
            ("\u{1b}[31mred\u{202e}\r\nx", true, "red\nx"),
            ("message: failed to fetch token: denied", true, "message: failed to fetch token: denied"),
            ("  secretName: cart-tls", true, "  secretName: cart-tls"),
            ("  - key: password", true, "  - key: password"),
            ("token: not found", false, "token: not found"),
            ("  token-policy.json: |", true, "  token-policy.json: |"),
            ("  token-policy.json: '{\"ttl\": 3600}'", true, "  token-policy.json: '{\"ttl\": 3600}'"),
        ];
        for (text, strict, expected) in table {
            assert_eq!(*redactor().seal_lines(text, strict), expected, "{text}");
        }
        for text in
            ["password: canary", "  DB_PASSWORD=canary", "export API_TOKEN=canary", "  \"dbPassword\": \"canary\","]
        {
            let sealed = redactor().seal_text(text);
            assert!(!sealed.contains("canary") && sealed.contains("<redacted:"), "{text}: {}", *sealed);
            assert_eq!(*redactor().seal_text(&sealed), *sealed, "sealing is idempotent");
        }
    }
}
