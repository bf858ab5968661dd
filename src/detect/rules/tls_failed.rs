//! Containers that fail because a certificate or a TLS handshake is refused.

use crate::detect::logs::service::{Standing, callee, title};
use crate::detect::logs::{Class, Failing, said, telling};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "tls-failed",
    summary: "Program fails because TLS does not come about: certificate or protocol",
    group: Group::Network,
    reads: &[Kind::Pod],
    wants: None,
    doc: r"## What it detects
A container that crashes or is not ready because a TLS connection fails: a certificate of an unknown
authority, expired, for another name; or one side that does not speak TLS at all.

## Why it matters
The connection is there and is refused on purpose. Restarts change nothing.

## Evidence
The line of the log, and the Service that it was connected to.

## Look-alikes
- Nobody answers at all: `dependency-refused`. The name does not resolve: `dependency-name-unknown`. The
  password or token is wrong: `dependency-auth-failed`.
- A certificate file that the program can't find or read: `file-missing`, `file-permission-denied`; one of its own
  that is not PEM: `container-exits`.
- The certificate of an Ingress or Gateway itself: `certificate-expired`, `certificate-wrong-name`.
- The API server can't trust a webhook: `webhook-failing`. A registry's certificate: `image-registry-unreachable`.
- A wrong clock on the node, or a proxy that opens TLS on the way out, gives the same words.

## What it does not see
Only the log (the tail of it) and the termination message tell: no certificate is opened and no connection is
made. Of many replicas only some are read. A program that logs the error and stays ready is not judged, and words
of a kind that is not known here come out as `container-exits`. The Service is named only where the line, the lines
around it or the container's variables name it.

## What to do
See the server's certificate: `kubectl get secret NAME -o jsonpath='{.data.tls\.crt}' | base64 -d`, and pass that to
`openssl x509 -noout -issuer -enddate -ext subjectAltName`. Unknown authority: give the client the CA (a mounted
ConfigMap or Secret). Expired: renew it, and see why it was not; a server may need a restart to read the new one.
Another name: connect by a name in the certificate, or issue it anew. Plain against TLS: correct the scheme or the
port.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    said(view, |class| matches!(class, Class::Tls)).iter().map(|failing| finding(view, failing)).collect()
}

fn finding(view: &View<'_>, failing: &Failing<'_>) -> Finding {
    let whom = match callee(view, failing) {
        Some((target, Standing::Service(service))) => {
            format!(" to {} ({})", title(service, failing.namespace()), target.text())
        }
        Some((target, Standing::Outside)) => format!(" to {}", target.text()),
        _ => String::new(),
    };
    let stage = if failing.present() && !failing.container.init { Stage::Ready } else { Stage::Start };
    let why = why(&format!("{}\n{}", failing.text, failing.around));
    let finding = failing.finding(
        view,
        stage,
        format!("{}: TLS{whom} fails: {why}: {}", failing.happens(), telling(&failing.text, 140)),
    );
    let finding = match callee(view, failing) {
        Some((_, Standing::Service(service))) => finding.culprit(service.object_ref()),
        _ => finding,
    };
    failing.read_log(finding)
}

/// What a TLS error comes to.
fn why(text: &str) -> &'static str {
    let text = text.to_ascii_lowercase();
    let any = |words: &[&str]| words.iter().any(|word| text.contains(word));
    match () {
        () if any(&[
            "has expired",
            "not yet valid",
            "expired certificate",
            "cert_has_expired",
            "certificate expired",
            "notafter",
        ]) =>
        {
            "the certificate has expired or is not valid yet"
        }
        () if any(&[
            "is valid for",
            "not valid for",
            "altname",
            "hostname mismatch",
            "doesn't match",
            "does not match",
            "no subject alternative",
            "cannot validate certificate for",
        ]) =>
        {
            "the certificate is for another name"
        }
        () if any(&[
            "unknown authority",
            "self signed",
            "self-signed",
            "issuer certificate",
            "verify the first",
            "pkix path",
            "unknown ca",
            "unable to find valid certification path",
            "certificate_verify_failed",
        ]) =>
        {
            "its authority is not trusted"
        }
        () if any(&[
            "http response to https",
            "wrong version number",
            "first record does not look like",
            "unrecognized ssl message",
            "plain http",
        ]) =>
        {
            "the other side does not speak TLS"
        }
        () if any(&["bad certificate", "certificate required", "client certificate"]) => {
            "the client's certificate is not accepted"
        }
        () => "the handshake is refused",
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {containers: [{name: app}]}
status:
  phase: Running
  containerStatuses:
  - {name: app, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {reason: Error, exitCode: 1, finishedAt: '2026-01-01T11:59:00Z'}}}
---
kind: Service
metadata: {name: api, namespace: shop}
spec: {clusterIP: 10.96.0.7, ports: [{port: 8443}]}
---
kind: Log
namespace: shop
pod: web-1
container: app
lines: ['FATAL LINE']
";

    #[test]
    fn certificates() {
        let table = [
            ("certificate signed by unknown authority", "its authority is not trusted"),
            ("certificate has expired or is not yet valid", "the certificate has expired or is not valid yet"),
            ("certificate is valid for api.data, not api", "the certificate is for another name"),
        ];
        for (error, why) in table {
            let line = format!("Get https://api:8443/: x509: {error}");
            check(
                &super::DETECTOR,
                &POD.replace("LINE", &line),
                &format!(
                    "critical Pod shop/web-1: container app exits 1: TLS to Service api (api:8443) fails: {why}: {line} <- Service shop/api"
                ),
            );
        }
    }

    #[test]
    fn another_error() {
        check(&super::DETECTOR, &POD.replace("LINE", "cannot open /etc/tls/tls.key: permission denied"), "");
    }
}
