//! Certificates whose names do not cover the host they are used for.

use crate::detect::certificates::{certificate, covers, doors};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "certificate-wrong-name",
    summary: "Certificate of an Ingress or Gateway is for other hosts",
    group: Group::Network,
    reads: &[Kind::Ingress, Kind::Secret],
    wants: None,
    doc: r"## What it detects
A host of an Ingress' `spec.tls[].hosts` (or of a Gateway's listener) that none of the names in the
certificate stands for. `*.shop.example` stands for one label more, not for two and not for none.

## Why it matters
Browsers warn of a wrong certificate, and clients refuse to connect.

## Evidence
The names in the certificate (`subjectAltName`) and the host in the Ingress.

## Look-alikes
A host of an Ingress rule that stands in no `tls` entry is `ingress-tls-host-mismatch`. A Secret without a certificate
is `ingress-tls-missing`. Users who see yet another certificate are answered by the controller's default one, or by a
load balancer before the cluster.

## What it does not see
Only alternative names count, as for browsers: a certificate that has none is not judged. Of each entry the first host
that is not covered is named. Entries without hosts, Gateway listeners without a hostname, and Secrets that pods mount
are silent, and so are Secrets that may not be read.

## What to do
Issue a certificate for the host, or name the Secret that has one: `kubectl get secrets
--field-selector=type=kubernetes.io/tls`.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for used in doors(view) {
        let Some((key, certificate)) =
            certificate(view, &used.secret).filter(|(_, certificate)| !certificate.names.is_empty())
        else {
            continue;
        };
        // A wildcard host wants the same wildcard.
        let Some(host) = used.hosts.iter().find(|host| !certificate.names.iter().any(|name| covers(name, host))) else {
            continue;
        };
        let (object, names) = (&used.holder, list(&certificate.names));
        let summary = format!(
            "{} {} serves {host} with the certificate in Secret {}, which is only for {names}",
            object.kind, object.name, used.secret.name
        );
        let finding = Finding::new(object.clone(), Severity::Critical, Stage::Route, summary)
            .key(format!("{}/{host}", used.secret.name))
            .culprit(used.secret.clone())
            .field(&used.secret, format!("data[{key}].subjectAltName"), names)
            .field(object, &used.path, &*used.secret.name)
            .look(
                "see which TLS Secrets there are",
                &used.secret,
                &["get", "secrets", "--field-selector=type=kubernetes.io/tls"],
            );
        findings.push(finding);
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const SHOP: &str = "
kind: Ingress
metadata: {name: shop, namespace: shop}
spec: {tls: [{hosts: [HOST], secretName: shop-tls}]}
---
kind: SecretKeys
namespace: shop
name: shop-tls
keys: [{name: tls.crt, certificate: {names: NAMES}}]
";

    #[test]
    fn for_another_host() {
        let yaml = SHOP.replace("HOST", "pay.shop.example").replace("NAMES", "[shop.example, '*.example']");
        check(
            &super::DETECTOR,
            &yaml,
            "critical Ingress shop/shop: Ingress shop serves pay.shop.example with the certificate in Secret shop-tls, which is only for shop.example and *.example <- Secret shop/shop-tls",
        );
    }

    #[test]
    fn covered_or_unknown() {
        check(&super::DETECTOR, &SHOP.replace("HOST", "pay.shop.example").replace("NAMES", "['*.shop.example']"), "");
        check(&super::DETECTOR, &SHOP.replace("HOST", "shop.example").replace("NAMES", "[]"), "");
    }
}
