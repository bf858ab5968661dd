//! Ingresses and Gateways whose TLS Secret does not exist, or holds no certificate.

use crate::detect::certificates::{Use, doors, wants};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "ingress-tls-missing",
    summary: "TLS Secret of an Ingress or Gateway is missing or has no certificate",
    group: Group::Network,
    reads: &[Kind::Ingress, Kind::Secret],
    wants: Some(wants),
    doc: r"## What it detects
An Ingress (`spec.tls[].secretName`) or a Gateway's listener that names a Secret which does not exist,
or which exists without the keys `tls.crt` and `tls.key`.

## Why it matters
The controller falls back to its own self-signed certificate, or closes the host: browsers warn, and
clients refuse to connect.

## Evidence
The name in the Ingress or Gateway; the keys of the Secret where it exists; Secrets of nearly that name.

## Look-alikes
Where cert-manager is asked for the certificate, its own finding (`custom-not-ready`) says why there is none
yet: then this one is a symptom, and silent for the first two minutes. A certificate that is there and ran out
is `certificate-expired`, one for another host `certificate-wrong-name`.

## What it does not see
The Secret's content: only the names and sizes of its keys, and what its certificate says, are used. Without the
right to list Secrets, or to read this one, nothing is said. Whether certificate and key belong together is not
checked. A controller with a default certificate of its own may serve the host all the same.

## What to do
Correct the name, or create the Secret: `kubectl create secret tls NAME --cert=FILE --key=FILE` in the namespace
of the Ingress. With cert-manager, `kubectl describe certificate NAME` tells what it waits for.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let mut seen = std::collections::BTreeSet::new();
    let uses = doors(view).into_iter().filter(|used| seen.insert((used.holder.clone(), used.secret.clone())));
    uses.filter_map(|used| missing(view, &used).or_else(|| incomplete(view, &used))).collect()
}

fn missing(view: &View<'_>, used: &Use) -> Option<Finding> {
    let (object, secret) = (&used.holder, &used.secret);
    if !view.absent(secret) {
        return None;
    }
    let meta = view.meta(object)?;
    let issued =
        meta.annotations.keys().any(|key| key.starts_with("cert-manager.io/") || key == "kubernetes.io/tls-acme");
    if issued && view.age(*meta.creation_timestamp).is_some_and(|age| age < 120) {
        return None;
    }
    // A Secret of the right type is the better guess.
    let secrets = view.within::<Secret>(secret.ns());
    let tls =
        secrets.iter().filter(|other| other.kind == "kubernetes.io/tls").map(|other| other.metadata.name.as_str());
    let near = meant(&secret.name, tls.clone())
        .or_else(|| meant(&secret.name, secrets.iter().map(|other| other.metadata.name.as_str())))
        .or_else(|| tls.clone().next().filter(|_| tls.count() == 1));
    let hint = near.map(|near| format!("; did you mean Secret {near}?")).unwrap_or_default();
    let hosts = if used.hosts.is_empty() { String::new() } else { format!(" for {}", list(&used.hosts)) };
    let summary = format!(
        "{} {} takes its certificate{hosts} from TLS Secret {}, which does not exist{hint}",
        object.kind, object.name, secret.name
    );
    let finding = Finding::new(object.clone(), Severity::Critical, Stage::Route, summary)
        .key(&*secret.name)
        .culprit(secret.clone())
        .field(object, &used.path, &*secret.name)
        .since(*meta.creation_timestamp)
        .look("see which TLS Secrets there are", secret, &["get", "secrets", "--field-selector=type=kubernetes.io/tls"])
        .fix("name the right Secret", object, &["edit", &object.kind.argument(), &object.name]);
    Some(if issued {
        finding.symptom().unknown("why cert-manager has not issued it: see the Certificate")
    } else {
        finding
    })
}

fn incomplete(view: &View<'_>, used: &Use) -> Option<Finding> {
    let (object, secret) = (&used.holder, &used.secret);
    let keys = view.snapshot.keys_of(secret.ns(), &secret.name)?;
    let lacking = ["tls.crt", "tls.key"]
        .into_iter()
        .find(|wanted| !keys.keys.iter().any(|key| key.name == *wanted && key.size > 0))?;
    let names: Vec<String> = keys.keys.iter().map(|key| key.name.clone()).collect();
    let has = if names.is_empty() { "it is empty".to_owned() } else { format!("it has {}", list(&names)) };
    let summary = format!(
        "TLS Secret {} of {} {} has no key {lacking} with content; {has}",
        secret.name, object.kind, object.name
    );
    let finding = Finding::new(object.clone(), Severity::Critical, Stage::Route, summary)
        .key(&*secret.name)
        .culprit(secret.clone())
        .field(object, &used.path, &*secret.name)
        .field(secret, "data", list(&names))
        .look("see its keys", secret, &["describe", "secret", &secret.name]);
    Some(finding)
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::{check, check_wants};

    const LOGIN: &str = "
kind: Ingress
metadata: {name: login, namespace: shop, annotations: {A: ''}}
spec: {tls: [{hosts: [login.example], secretName: NAME}]}
---
kind: Secret
metadata: {name: login-tls, namespace: shop}
type: Opaque
";

    #[test]
    fn missing() {
        let expected = "critical Ingress shop/login: Ingress login takes its certificate for login.example from TLS Secret login-tls-2025, which does not exist; did you mean Secret login-tls? <- Secret shop/login-tls-2025";
        check(&super::DETECTOR, &LOGIN.replace("NAME", "login-tls-2025"), expected);
    }

    #[test]
    fn without_a_certificate() {
        let keys = "---\nkind: SecretKeys\nnamespace: shop\nname: login-tls\nkeys: [{name: cert.pem, size: 9}, {name: tls.key, size: 9}]";
        check(
            &super::DETECTOR,
            &(LOGIN.replace("NAME", "login-tls") + keys),
            "critical Ingress shop/login: TLS Secret login-tls of Ingress login has no key tls.crt with content; it has cert.pem and tls.key <- Secret shop/login-tls",
        );
        check(&super::DETECTOR, &(LOGIN.replace("NAME", "login-tls") + &keys.replace("cert.pem", "tls.crt")), "");
    }

    #[test]
    fn there_or_unknown() {
        check(&super::DETECTOR, &LOGIN.replace("NAME", "login-tls"), "");
        check(&super::DETECTOR, &LOGIN.replace("NAME", "''"), "");
        check(
            &super::DETECTOR,
            &(LOGIN.replace("NAME", "gone") + "---\nkind: Gap\nwhat: secrets\nreason: forbidden\nof: Secret"),
            "",
        );
        check_wants(&super::DETECTOR, &LOGIN.replace("NAME", "login-tls"), "keys of Secret shop/login-tls");
    }
}
