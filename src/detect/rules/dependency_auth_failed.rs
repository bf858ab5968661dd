//! Containers that fail because a server does not accept their credentials.

use crate::detect::logs::service::{Standing, callee, title};
use crate::detect::logs::{Class, Failing, said, telling};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "dependency-auth-failed",
    summary: "Program fails because a server does not accept its credentials",
    group: Group::Configuration,
    reads: &[Kind::Pod],
    wants: None,
    doc: r"## What it detects
A container that crashes or is not ready because a server refuses its user, password, token or key:
`password authentication failed`, `access denied for user`, `WRONGPASS`, `401 Unauthorized` and the like.

## Why it matters
The connection works; the credentials don't. Restarts change nothing, and may lock the account.

## Evidence
The line of the log, and the Secrets that the container's variables come from.

## Look-alikes
A right that the Kubernetes API denies is `rbac-denied`; a certificate that is not trusted is `tls-failed`; a registry
that refuses the pull `image-pull-unauthorized`. An account that is locked, has expired, or may not use the database
answers with the same words. A Secret that was edited after the pods read it is `config-not-reloaded`.

## What it does not see
Values of Secrets are never read, so which side is wrong, the client's or the server's, can't be told. Secrets that
are mounted as files, and credentials that are written in a ConfigMap or in the image, are not named. The server is
named only where a Service of the cluster is meant; its own log is not read. A program that logs the refusal and stays
ready is silent.

## What to do
Compare the Secret with what the server was set up with. Most databases keep the password of their first start: a
changed Secret does not change it there. After a change restart what reads it as a variable: `kubectl rollout restart
deployment NAME`.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    said(view, |class| matches!(class, Class::Auth)).iter().map(|failing| finding(view, failing)).collect()
}

fn finding(view: &View<'_>, failing: &Failing<'_>) -> Finding {
    let namespace = failing.namespace();
    let secrets = secrets(failing);
    let from = if secrets.is_empty() {
        String::new()
    } else {
        format!(
            "; its credentials come from {}",
            list(&secrets.iter().map(|(what, ..)| what.clone()).collect::<Vec<_>>())
        )
    };
    let whom = match callee(view, failing) {
        Some((_, Standing::Service(service))) => title(service, namespace),
        _ => "a server".to_owned(),
    };
    let stage = if failing.present() && !failing.container.init { Stage::Ready } else { Stage::Start };
    let summary =
        format!("{}: {whom} refuses its credentials: {}{from}", failing.happens(), telling(&failing.text, 140));
    let mut finding = failing.finding(view, stage, summary);
    for (_, path, quote) in secrets.iter().take(2) {
        finding = finding.field(&failing.pod(), failing.container.spec_path(path), quote);
    }
    failing.read_log(finding)
}

/// The Secrets that the container's variables come from: title, path and quote.
fn secrets(failing: &Failing<'_>) -> Vec<(String, String, String)> {
    let spec = failing.container.spec;
    let mut found: Vec<(String, String, String)> = Vec::new();
    for variable in &spec.env {
        if let Some(key) = variable.value_from.as_ref().and_then(|from| from.secret_key_ref.as_ref()) {
            found.push((
                format!("Secret {} (key {})", key.name, key.key),
                format!("env[{}].valueFrom.secretKeyRef", variable.name),
                format!("name: {}, key: {}", key.name, key.key),
            ));
        }
    }
    for source in spec.env_from.iter().filter_map(|source| source.secret_ref.as_ref()) {
        found.push((format!("Secret {}", source.name), "envFrom".to_owned(), source.name.clone()));
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {containers: [{name: app, env: [{name: DB_HOST, value: 'db:5432'}, {name: DB_PASSWORD, valueFrom: {secretKeyRef: {name: db-app, key: password}}}]}]}
status:
  phase: Running
  containerStatuses:
  - {name: app, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {reason: Error, exitCode: 1, finishedAt: '2026-01-01T11:59:00Z'}}}
---
kind: Service
metadata: {name: db, namespace: shop}
spec: {clusterIP: 10.96.0.7, ports: [{port: 5432}]}
---
kind: Log
namespace: shop
pod: web-1
container: app
lines: ['FATAL: LINE']
";

    #[test]
    fn wrong_password() {
        check(
            &super::DETECTOR,
            &POD.replace("LINE", r#"password authentication failed for user "app""#),
            r#"critical Pod shop/web-1: container app exits 1: Service db refuses its credentials: password authentication failed for user "app"; its credentials come from Secret db-app (key password)"#,
        );
    }

    #[test]
    fn another_error() {
        check(&super::DETECTOR, &POD.replace("LINE", "relation users does not exist"), "");
    }
}
