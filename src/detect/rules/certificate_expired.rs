//! Certificates in use that are not valid any more, or not yet.

use crate::detect::certificates::{by_secret, certificate, holders_text, place, span, wants};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "certificate-expired",
    summary: "Certificate in use has expired or is not valid yet",
    group: Group::Network,
    reads: &[Kind::Ingress, Kind::Secret],
    wants: Some(wants),
    doc: r"## What it detects
A TLS Secret used by an Ingress or Gateway, or mounted by a running pod, whose certificate's
`notAfter` is past, or whose `notBefore` is still to come.

## Why it matters
Browsers warn and clients refuse to connect: for users the host is down, though everything runs.

## Evidence
`notAfter` (or `notBefore`) of the certificate in the Secret, and who uses it. The Secret's key is
never read; of the certificate only the public part.

## Look-alikes
One that ends within days is `certificate-expires`; one for other hosts `certificate-wrong-name`; a Secret that is
missing or holds no certificate `ingress-tls-missing`; a program whose log tells of a TLS error `tls-failed`. A pod or
controller that has not loaded a renewed certificate yet may go on serving the old one. Where a load balancer before
the cluster ends TLS, users see its certificate and not this one.

## What it does not see
Only the first certificate of `tls.crt` (else of another `.crt`, `.pem` or `.cert` key): not the chain, not the CA.
Certificates of nodes, API server, webhooks and images, and an ingress controller's default one, are not read. Mounted
Secrets count only if their type is `kubernetes.io/tls` and Secrets may be listed. Secrets that may not be read are
silent.

## What to do
Renew the certificate and replace the Secret's content; see that what uses it loads it again. If cert-manager keeps
it, `kubectl describe certificate` and its CertificateRequest tell why it was not renewed.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (secret, uses) in by_secret(view) {
        let Some((key, certificate)) = certificate(view, &secret) else { continue };
        let now = view.now();
        let (what, field, time) = match (*certificate.not_after, *certificate.not_before) {
            (Some(end), _) if end <= now => (
                format!("expired {} ago, at {end}", span(now.as_second().saturating_sub(end.as_second()))),
                "notAfter",
                end,
            ),
            (_, Some(start)) if start > now => (
                format!("is not valid before {start}, in {}", span(start.as_second().saturating_sub(now.as_second()))),
                "notBefore",
                start,
            ),
            _ => continue,
        };
        let object = place(&secret, &uses);
        let summary = format!("the certificate in Secret {}, used by {}, {what}", secret.name, holders_text(&uses));
        let mut finding = Finding::new(object, Severity::Critical, Stage::Route, summary)
            .key(&*secret.name)
            .culprit(secret.clone())
            .field(&secret, format!("data[{key}].{field}"), time.to_string());
        for used in uses.iter().take(3) {
            finding = finding.field(&used.holder, &used.path, &*secret.name);
        }
        findings.push(finding.since(Some(time).filter(|time| *time <= now)).look(
            "see who keeps the Secret",
            &secret,
            &["describe", "secret", &secret.name],
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::{check, check_wants};

    const SHOP: &str = "
kind: Ingress
metadata: {name: shop, namespace: shop}
spec: {tls: [{hosts: [shop.example], secretName: shop-tls}]}
---
kind: Secret
metadata: {name: shop-tls, namespace: shop}
type: kubernetes.io/tls
---
kind: SecretKeys
namespace: shop
name: shop-tls
keys: [{name: ca.crt}, {name: tls.crt, certificate: {names: [shop.example], notBefore: '2025-01-01T00:00:00Z', notAfter: 'END'}}]
";

    #[test]
    fn expired() {
        let expected = "critical Ingress shop/shop: the certificate in Secret shop-tls, used by Ingress shop (shop.example), expired 3 days ago, at 2025-12-29T12:00:00Z <- Secret shop/shop-tls";
        check(&super::DETECTOR, &SHOP.replace("END", "2025-12-29T12:00:00Z"), expected);
    }

    #[test]
    fn not_valid_yet() {
        let yaml = SHOP.replace("END", "2030-01-01T00:00:00Z").replace("2025-01-01T00", "2026-01-01T15");
        check(
            &super::DETECTOR,
            &yaml,
            "critical Ingress shop/shop: the certificate in Secret shop-tls, used by Ingress shop (shop.example), is not valid before 2026-01-01T15:00:00Z, in 3 hours <- Secret shop/shop-tls",
        );
    }

    #[test]
    fn valid_or_unused() {
        check(&super::DETECTOR, &SHOP.replace("END", "2026-01-02T00:00:00Z"), "");
        check(
            &super::DETECTOR,
            &SHOP.replace("END", "2025-12-29T12:00:00Z").replace("secretName: shop-tls", "secretName: other"),
            "",
        );
    }

    #[test]
    fn mounted_by_a_pod() {
        let pod = "---\nkind: Pod\nmetadata: {name: api, namespace: shop}\nspec: {volumes: [{name: tls, secret: {secretName: shop-tls}}]}\nstatus: {phase: Running}\n";
        let yaml = SHOP
            .replace("END", "2025-12-29T12:00:00Z")
            .replace("{tls: [{hosts: [shop.example], secretName: shop-tls}]}", "{}")
            + pod;
        check(
            &super::DETECTOR,
            &yaml,
            "critical Pod shop/api: the certificate in Secret shop-tls, used by Pod api, expired 3 days ago, at 2025-12-29T12:00:00Z <- Secret shop/shop-tls",
        );
        check_wants(&super::DETECTOR, &yaml, "keys of Secret shop/shop-tls");
    }
}
