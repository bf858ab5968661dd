//! Of a Secret: its type, its keys, their sizes, and what a certificate in it says of itself.

use serde_json::Value;

use crate::cluster::serve::Server;
use crate::cluster::serve::source::Source;
use crate::cluster::serve::value::{name, namespace, text};
use crate::model::SecretKeys;

pub(super) async fn body(server: &Server, secret: &Value, out: &mut String) {
    let kind = text(secret, "type");
    if !kind.is_empty() {
        out.push_str(&format!("Type: {kind}\n"));
    }
    let keys = match &server.source {
        Source::Live(live) => {
            live.secret_keys(namespace(secret), name(secret)).await.map_err(|error| error.to_string())
        }
        Source::Saved(saved) => saved
            .secret_keys(namespace(secret), name(secret))
            .cloned()
            .ok_or_else(|| "not in this snapshot: its keys".to_owned()),
    };
    match keys {
        Ok(keys) => listed(&keys, out),
        Err(error) => out.push_str(&format!("Keys: unknown ({error})\n")),
    }
}

fn listed(keys: &SecretKeys, out: &mut String) {
    out.push_str(if keys.keys.is_empty() { "Keys: <none>\n" } else { "Keys (values are never read):\n" });
    for key in &*keys.keys {
        out.push_str(&format!("  {} has {} bytes\n", key.name, key.size));
        if let Some(certificate) = &key.certificate {
            let until = certificate.not_after.map(|time| time.to_string()).unwrap_or_default();
            let from = certificate.not_before.map(|time| time.to_string()).unwrap_or_default();
            let names = certificate.names.join(", ");
            out.push_str(&format!(
                "    certificate of {}, for {names}, from {from} until {until}\n",
                certificate.subject
            ));
        }
    }
}
