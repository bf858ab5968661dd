//! Certificates in use that end within days and were not renewed in time.

use crate::detect::certificates::{by_secret, certificate, holders_text, place, span};
use crate::detect::prelude::*;

/// Seven days.
const SOON: i64 = 7 * 86_400;

pub(super) const DETECTOR: Detector = Detector {
    id: "certificate-expires",
    summary: "Certificate in use expires within a week",
    group: Group::Network,
    reads: &[Kind::Ingress, Kind::Secret],
    wants: None,
    doc: r"## What it detects
A TLS Secret used by an Ingress or Gateway, or mounted by a running pod, whose certificate ends within
seven days (for short-lived certificates: within a quarter of their life).

## Why it matters
Whatever should renew it has not: the usual issuers renew weeks ahead. Once it has ended, clients
refuse to connect.

## Evidence
`notAfter` of the certificate in the Secret, and who uses it.

## Look-alikes
One that has ended is `certificate-expired`. A certificate that a person renews by hand on the last day looks the
same. If cert-manager keeps it and can't renew it, `custom-not-ready` often names the reason.

## What it does not see
Only the first certificate of `tls.crt` (else of another `.crt`, `.pem` or `.cert` key), in Secrets that an Ingress or
Gateway names or a live pod mounts: not the chain, the CA, certificates of nodes, webhooks or images. Secrets that may
not be read are silent. That an issuer is late is seen only within the last week.

## What to do
Renew it now. If cert-manager keeps it, `kubectl describe certificate` tells why it has not been renewed.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (secret, uses) in by_secret(view) {
        let Some((key, certificate)) = certificate(view, &secret) else { continue };
        let Some(end) = *certificate.not_after else { continue };
        let left = end.as_second().saturating_sub(view.now().as_second());
        let life = certificate.not_before.map_or(i64::MAX, |start| end.as_second().saturating_sub(start.as_second()));
        if left <= 0 || left > SOON.min(life / 4) {
            continue;
        }
        let summary = format!(
            "the certificate in Secret {}, used by {}, expires in {}, at {end}",
            secret.name,
            holders_text(&uses),
            span(left)
        );
        let mut finding = Finding::new(place(&secret, &uses), Severity::Warning, Stage::Route, summary)
            .key(&*secret.name)
            .culprit(secret.clone())
            .field(&secret, format!("data[{key}].notAfter"), end.to_string());
        for used in uses.iter().take(3) {
            finding = finding.field(&used.holder, &used.path, &*secret.name);
        }
        findings.push(finding.look("see who keeps the Secret", &secret, &["describe", "secret", &secret.name]));
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const SHOP: &str = "
kind: Ingress
metadata: {name: shop, namespace: shop}
spec: {tls: [{secretName: shop-tls}]}
---
kind: Secret
metadata: {name: shop-tls, namespace: shop}
---
kind: SecretKeys
namespace: shop
name: shop-tls
keys: [{name: tls.crt, certificate: {notBefore: 'START', notAfter: 'END'}}]
";

    #[test]
    fn within_a_week() {
        let yaml = SHOP.replace("START", "2025-10-03T12:00:00Z").replace("END", "2026-01-04T12:00:00Z");
        check(
            &super::DETECTOR,
            &yaml,
            "warning Ingress shop/shop: the certificate in Secret shop-tls, used by Ingress shop, expires in 3 days, at 2026-01-04T12:00:00Z <- Secret shop/shop-tls",
        );
    }

    #[test]
    fn later_short_lived_or_past() {
        check(
            &super::DETECTOR,
            &SHOP.replace("START", "2025-10-03T12:00:00Z").replace("END", "2026-01-20T12:00:00Z"),
            "",
        );
        check(
            &super::DETECTOR,
            &SHOP.replace("START", "2026-01-01T00:00:00Z").replace("END", "2026-01-02T00:00:00Z"),
            "",
        );
        check(
            &super::DETECTOR,
            &SHOP.replace("START", "2025-10-03T12:00:00Z").replace("END", "2025-12-31T12:00:00Z"),
            "",
        );
    }
}
