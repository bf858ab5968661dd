//! Who uses which TLS Secret, and what its certificate says.
//!
//! *Invariant:* pure; a certificate is known only where the Secret's keys were asked for and read.

use super::prelude::*;
use crate::model::snapshot::Certificate;

/// A use of a TLS Secret.
pub struct Use {
    /// Who uses it: an Ingress, a Gateway, a workload that mounts it.
    pub holder: ObjectRef,
    /// The field that names it.
    pub path: String,
    /// The Secret.
    pub secret: ObjectRef,
    /// The hosts it is used for; empty where the user doesn't say.
    pub hosts: Vec<String>,
}

/// All uses at the cluster's doors: Ingresses and Gateways.
pub fn doors(view: &View<'_>) -> Vec<Use> {
    let mut found = Vec::new();
    for ingress in view.all::<Ingress>() {
        for (index, tls) in ingress.spec.tls.iter().enumerate().filter(|(_, tls)| !tls.secret_name.is_empty()) {
            let secret = view.beside(ingress, Kind::Secret, &tls.secret_name);
            found.push(Use {
                holder: ingress.object_ref(),
                path: format!("spec.tls[{index}].secretName"),
                secret,
                hosts: tls.hosts.to_vec(),
            });
        }
    }
    for gateway in view.all::<Gateway>() {
        for listener in &gateway.spec.listeners {
            for secret in listener
                .tls
                .iter()
                .flat_map(|tls| &tls.certificate_refs)
                .filter(|secret| secret.kind.is_empty() || secret.kind == "Secret")
            {
                let namespace =
                    if secret.namespace.is_empty() { &gateway.metadata.namespace } else { &secret.namespace };
                let hosts = (!listener.hostname.is_empty()).then(|| listener.hostname.clone()).into_iter().collect();
                found.push(Use {
                    holder: gateway.object_ref(),
                    path: format!("spec.listeners[{}].tls.certificateRefs", listener.name),
                    secret: ObjectRef::new(Kind::Secret, namespace, &secret.name),
                    hosts,
                });
            }
        }
    }
    found
}

/// All uses: at the doors, and TLS Secrets that live pods mount.
pub fn uses(view: &View<'_>) -> Vec<Use> {
    let mut found = doors(view);
    let is_tls = |namespace: &str, name: &str| {
        view.get::<Secret>(namespace, name).is_some_and(|secret| secret.kind == "kubernetes.io/tls")
    };
    for pod in view.live_pods() {
        for volume in &pod.spec.volumes {
            let secrets = volume.secret.iter().map(|secret| secret.secret_name.as_str()).chain(
                volume
                    .projected
                    .iter()
                    .flat_map(|p| &p.sources)
                    .filter_map(|s| s.secret.as_ref())
                    .map(|secret| secret.name.as_str()),
            );
            for name in secrets.filter(|name| is_tls(&pod.metadata.namespace, name)) {
                let secret = view.beside(pod, Kind::Secret, name);
                if !found.iter().any(|known| known.secret == secret) {
                    found.push(Use {
                        holder: view.workload_of(pod),
                        path: format!("volumes[{}].secret.secretName", volume.name),
                        secret,
                        hosts: Vec::new(),
                    });
                }
            }
        }
    }
    found
}

/// The keys of the Secrets in use that are there.
pub fn wants(view: &View<'_>) -> Vec<Want> {
    let there = uses(view).into_iter().filter(|used| view.existence(&used.secret) != Existence::Absent);
    there
        .map(|used| Want::SecretKeys { namespace: used.secret.ns().to_owned(), name: used.secret.name.to_string() })
        .collect()
}

/// The server's certificate in a Secret, with the key that holds it.
pub fn certificate<'a>(view: &View<'a>, secret: &ObjectRef) -> Option<(&'a str, &'a Certificate)> {
    let keys = view.snapshot.keys_of(secret.ns(), &secret.name)?;
    let own = keys
        .keys
        .iter()
        .find(|key| key.name == "tls.crt")
        .or_else(|| keys.keys.iter().find(|key| key.certificate.is_some() && !key.name.starts_with("ca")))?;
    Some((&own.name, own.certificate.as_ref()?))
}

/// Uses by Secret: the holders of each, by name, each once.
pub fn by_secret(view: &View<'_>) -> Vec<(ObjectRef, Vec<Use>)> {
    let mut map: std::collections::BTreeMap<ObjectRef, Vec<Use>> = std::collections::BTreeMap::new();
    for used in uses(view) {
        let list = map.entry(used.secret.clone()).or_default();
        if !list.iter().any(|known| known.holder == used.holder) {
            list.push(used);
        }
    }
    map.into_iter().collect()
}

/// `Ingress shop (shop.example.com)` or `Ingress a and Ingress b`.
pub fn holders_text(uses: &[Use]) -> String {
    let titles: Vec<String> = uses.iter().map(|used| format!("{} {}", used.holder.kind, used.holder.name)).collect();
    let hosts = uses
        .first()
        .filter(|used| uses.len() == 1 && !used.hosts.is_empty())
        .map(|used| format!(" ({})", list(&used.hosts)));
    list(&titles) + &hosts.unwrap_or_default()
}

/// The object to report at: the one holder, or the Secret that several share.
pub fn place(secret: &ObjectRef, uses: &[Use]) -> ObjectRef {
    match uses {
        [one] => one.holder.clone(),
        _ => secret.clone(),
    }
}

/// Whether a name of a certificate stands for a host: `*.shop.example` for one label more.
pub fn covers(name: &str, host: &str) -> bool {
    let (name, host) = (name.to_ascii_lowercase(), host.to_ascii_lowercase());
    name == host
        || name.strip_prefix("*.").is_some_and(|base| host.split_once('.').is_some_and(|(_, rest)| rest == base))
}

/// A span of time for people: `3 days`, `5 hours`.
pub fn span(seconds: i64) -> String {
    let unit =
        |size: i64, word: &str| plural(usize::try_from(seconds.saturating_abs() / size).unwrap_or_default(), word);
    match seconds.saturating_abs() {
        0..=119 => unit(1, "second"),
        120..=7_199 => unit(60, "minute"),
        7_200..=172_799 => unit(3_600, "hour"),
        _ => unit(86_400, "day"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_one_label() {
        for (name, host, expected) in [
            ("a.example", "a.example", true),
            ("*.example", "A.example", true),
            ("*.example", "a.b.example", false),
            ("*.example", "example", false),
        ] {
            assert_eq!(covers(name, host), expected, "{name} {host}");
        }
    }
}
