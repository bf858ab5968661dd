//! Custom resources that say of themselves that they are not well.

use crate::detect::nodes;
use crate::detect::prelude::*;
use crate::model::kinds::Custom;

pub(super) const DETECTOR: Detector = Detector {
    id: "custom-not-ready",
    summary: "A custom resource reports that it is not ready, failed or degraded",
    group: Group::Custom,
    reads: &[Kind::CustomResourceDefinition],
    wants: None,
    doc: r"## What it detects
A custom resource (cert-manager, Flux, Argo CD, KEDA, Crossplane, External Secrets and all others that follow the
conventions) with a condition `Ready`, `Available`, `Synced`, `Healthy` or the like that is false or unknown, one like
`Stalled`, `Degraded` or `Failed` that is true, or a health of `Degraded` or `Missing`.

## Why it matters
What the resource stands for (a certificate, a deployment from git, a database) is not there or not
up to date; the message says why, and nobody reads it.

## Evidence
The condition with reason and message, word for word, and the newest warning about the object.

## Look-alikes
A resource that is being worked on: reasons that say so, and conditions that are unknown, get ten minutes, others two,
but five seconds are enough where the reason names an error. Resources that are suspended, paused (by their spec, an
annotation or a condition), switched off or being deleted, a run that has not ended (`Succeeded=Unknown`), and conditions
about an older generation, are left out. A kind that is not served is `crd-not-established`; a Gateway
or HTTPRoute has `gateway-not-programmed` and `route-parent-missing`.

## What it does not see
Kinds whose schema has neither `status.conditions` nor `status.health`, and conditions by other names. At most 100
kinds and 500 objects of each are read, each within five seconds. A controller that is down leaves its old
`Ready=True`, and is silent. Under `-n` namespaced resources of other namespaces are not read.

## What to do
Do what the message says. Where it names another object, that one is looked at first. `kubectl describe KIND NAME`
shows all conditions and events; if nothing moves, read the log of the controller.",
    run,
};

/// Conditions that are good when true.
const GOOD: &[&str] =
    &["Ready", "Available", "Synced", "Healthy", "Reconciled", "Accepted", "Programmed", "Valid", "Succeeded"];
/// Conditions that are bad when true.
const BAD: &[&str] = &["Stalled", "Degraded", "Failed", "Failure", "Error", "ReconcileError"];
/// Words of a reason that say that it won't end well by itself.
const ERRORS: &str = "fail error invalid notfound doesnotexist missing denied forbidden unauthorized expired backoff \
    stalled conflict refused exceeded unknown unreachable bad";
/// Words of a reason that say that something is going on.
const PROGRESS: &str = "progress reconciling pending creating issuing waiting initializ provisioning starting updating \
    dependencynotready scal requeue retry";

fn run(view: &View<'_>) -> Vec<Finding> {
    let faults: Vec<(&Custom, Fault<'_>)> =
        view.snapshot.objects.custom.iter().filter_map(|object| Some((object, fault(view, object)?))).collect();
    faults.iter().map(|(object, fault)| finding(view, object, fault, &faults)).collect()
}

/// What a resource says of itself.
struct Fault<'a> {
    condition: Option<&'a Condition>,
    word: &'a str,
    message: &'a str,
}

fn fault<'a>(view: &View<'a>, object: &'a Custom) -> Option<Fault<'a>> {
    let behind = object.observed_generation > 0 && object.observed_generation < object.metadata.generation;
    if object.suspended || object.metadata.deleting() || behind || paused(object) {
        return None;
    }
    let current = |c: &&Condition| c.observed_generation == 0 || c.observed_generation >= object.metadata.generation;
    let bad = |c: &&Condition| {
        let kind = c.kind.as_str();
        // Argo CD's conditions have no status: that they are there says it.
        let bare = c.status.is_empty() && kind.ends_with("Error");
        // What runs to its end has not succeeded before, however long it takes.
        let runs = kind == "Succeeded" && c.status == "Unknown" && !erroneous(c);
        bare || (GOOD.contains(&kind) && (c.is_false() || c.status == "Unknown") && !runs)
            || (BAD.contains(&kind) && c.is_true())
    };
    let meant = |c: &&Condition| !has(&c.reason, "paused suspended");
    let late = |c: &&Condition| {
        let since = c.last_transition_time.or(*object.metadata.creation_timestamp);
        view.age(since).is_none_or(|age| age >= patience(c))
    };
    let mut found: Vec<&Condition> =
        object.conditions.iter().filter(current).filter(bad).filter(meant).filter(late).collect();
    // The one that names an error says most, then the one that says that it is not ready.
    found.sort_by_key(|c| (!erroneous(c), c.message.is_empty(), c.kind != "Ready"));
    if let Some(condition) = found.first() {
        return Some(Fault { condition: Some(condition), word: &condition.kind, message: &condition.message });
    }
    let sick = matches!(object.health.as_str(), "Degraded" | "Missing");
    let settled = view.age(*object.metadata.creation_timestamp).is_none_or(|age| age >= 2 * SETTLED);
    (sick && settled).then_some(Fault { condition: None, word: &object.health, message: &object.health_message })
}

/// Whether it says of itself that somebody stopped it on purpose.
fn paused(object: &Custom) -> bool {
    let by_annotation =
        object.metadata.annotations.iter().any(|(key, value)| key.ends_with("/paused") && value == "true");
    let stopped = |c: &Condition| matches!(c.kind.as_str(), "Paused" | "Suspended") && c.is_true();
    by_annotation || object.conditions.iter().any(stopped)
}

fn has(text: &str, words: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    words.split_whitespace().any(|word| lower.contains(word))
}

fn erroneous(condition: &Condition) -> bool {
    has(&condition.reason, ERRORS) || condition.status.is_empty()
}

fn patience(condition: &Condition) -> i64 {
    match condition {
        c if c.status == "Unknown" || has(&c.reason, PROGRESS) => 10 * SETTLED,
        c if erroneous(c) => 5,
        _ => 2 * SETTLED,
    }
}

fn finding(view: &View<'_>, object: &Custom, fault: &Fault<'_>, faults: &[(&Custom, Fault<'_>)]) -> Finding {
    let at = object.object_ref();
    let first =
        fault.message.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim().trim_end_matches('.');
    let said = if first.is_empty() { String::new() } else { format!(": {first}") };
    let what = match fault.condition {
        Some(c) if c.reason.is_empty() => {
            format!("{}={}", c.kind, if c.status.is_empty() { "True" } else { &c.status })
        }
        Some(c) => format!("{}={}, {}", c.kind, if c.status.is_empty() { "True" } else { &c.status }, c.reason),
        None => format!("health {}", fault.word),
    };
    let kind = at.kind.as_str().split('.').next().unwrap_or_default();
    let mut finding =
        Finding::new(at.clone(), Severity::Warning, Stage::Ready, format!("{kind} is not well ({what}){said}"));
    finding = match fault.condition {
        Some(c) => {
            finding.field(&at, format!("status.conditions[{}]", c.kind), nodes::quote(c)).since(*c.last_transition_time)
        }
        None => finding.field(&at, "status.health", format!("{}: {}", fault.word, fault.message)),
    };
    if let Some(event) = view.events(&at).iter().find(|event| event.is_warning()) {
        finding = finding.event(event);
    }
    // Another resource that is not well, and that the message names by kind and name.
    let named = |(other, _): &&(&Custom, Fault<'_>)| {
        let other = other.object_ref();
        let word = other.kind.as_str().split('.').next().unwrap_or_default();
        let quoted = [
            format!("\"{}\"", other.name),
            format!("'{}'", other.name),
            format!("/{}", other.name),
            format!(" {} ", other.name),
        ];
        other != at
            && has(fault.message, &word.to_ascii_lowercase())
            && quoted.iter().any(|name| fault.message.contains(name.as_str()))
    };
    let secret = ObjectRef::new(Kind::Secret, at.ns(), &object.secret);
    if !object.secret.is_empty() && view.absent(&secret) {
        finding.summary = format!("{}; Secret {}, which it is to make, does not exist", finding.summary, secret.name);
        finding = finding.field(&at, object.secret_field(), &*secret.name);
    }
    if let Some((other, _)) = faults.iter().find(named) {
        finding = finding.culprit(other.object_ref());
    } else if let Some((part, health)) = sick_part(view, object, fault.message) {
        finding = finding.field(&at, format!("status.resources[{}/{}].health", part.kind, part.name), health);
        finding = finding.culprit(part);
    }
    describe(finding, &at)
}

/// The object of a known kind that makes it sick: which Argo CD lists, which the message names, or
/// which carries the label of its Flux resource and lacks pods.
fn sick_part(view: &View<'_>, object: &Custom, message: &str) -> Option<(ObjectRef, String)> {
    let part = object.resources.iter().find_map(|part| {
        let sick = matches!(part.health.status.as_str(), "Degraded" | "Missing" | "Progressing");
        let at = ObjectRef::new(Kind::parse(&part.kind), &part.namespace, &part.name);
        (sick && view.meta(&at).is_some()).then(|| (at, format!("{}: {}", part.health.status, part.health.message)))
    });
    // `timeout waiting for: [Deployment/shop/web status: 'InProgress']`
    let tokens = || message.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '/' | '-' | '.'));
    let named = || {
        tokens().find_map(|token| {
            let mut words = token.split('/');
            let (kind, namespace, name) = (words.next()?, words.next()?, words.next()?);
            let at = ObjectRef::new(Kind::parse(kind), namespace, name);
            view.meta(&at).is_some().then(|| (at, token.to_owned()))
        })
    };
    part.or_else(named).or_else(|| labelled(view, object, message))
}

/// A workload that a Flux resource made, waits for, and that lacks pods.
fn labelled(view: &View<'_>, object: &Custom, message: &str) -> Option<(ObjectRef, String)> {
    let (_, group) = object.kind.as_str().split_once('.')?;
    let waits = has(message, "timeout timed deadline not-ready health");
    let prefix = group.ends_with("toolkit.fluxcd.io").then_some(group).filter(|_| waits)?;
    let ours = |workload: &Workload<'_>| {
        let label = |word: &str| workload.meta.labels.get(&format!("{prefix}/{word}")).map(String::as_str);
        label("name") == Some(object.metadata.name.as_str())
            && label("namespace") == Some(object.metadata.namespace.as_str())
            && workload.ready < workload.desired
    };
    let workload = view.workloads().find(ours)?;
    let health = format!("ready: {}, desired: {}", workload.ready, workload.desired);
    Some((workload.object, health))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: web, namespace: shop, generation: 2, creationTimestamp: '2026-01-01T10:00:00Z'}
spec: {suspend: SUSPEND}
status: {observedGeneration: 2, conditions: [{type: TYPE, status: STATUS, reason: REASON, lastTransitionTime: '2026-01-01T11:TIMEZ', message: 'MESSAGE'}]}
";

    fn yaml(kind: &str, status: &str, reason: &str, time: &str, message: &str) -> String {
        YAML.replace("TYPE", kind)
            .replace("STATUS", status)
            .replace("REASON", reason)
            .replace("TIME", time)
            .replace("MESSAGE", message)
            .replace("SUSPEND", "false")
    }

    #[test]
    fn not_well() {
        let table = [
            ("Ready", "'False'", "IncorrectIssuer", "57:00", "Ready=False, IncorrectIssuer"),
            ("Ready", "'False'", "SecretSyncedError", "59:50", "Ready=False, SecretSyncedError"),
            ("Stalled", "'True'", "X", "50:00", "Stalled=True, X"),
            ("ComparisonError", "''", "''", "50:00", "ComparisonError=True"),
        ];
        for (kind, status, reason, time, what) in table {
            let expected = format!(
                "warning Certificate.cert-manager.io shop/web: Certificate is not well ({what}): no such issuer"
            );
            check(&super::DETECTOR, &yaml(kind, status, reason, time, "no such issuer."), &expected);
        }
    }

    #[test]
    fn another_resource_is_to_blame() {
        let issuer = "---\napiVersion: cert-manager.io/v1\nkind: ClusterIssuer\nmetadata: {name: letsencrypt}\nstatus: {conditions: [{type: Ready, status: 'False', reason: ErrRegister, message: no account}]}\n";
        check(
            &super::DETECTOR,
            &(yaml("Ready", "'False'", "IssuerNotReady", "50:00", "ClusterIssuer \"letsencrypt\" is not ready") + issuer),
            "warning Certificate.cert-manager.io shop/web: Certificate is not well (Ready=False, IssuerNotReady): ClusterIssuer \"letsencrypt\" is not ready <- ClusterIssuer.cert-manager.io letsencrypt
             warning ClusterIssuer.cert-manager.io letsencrypt: ClusterIssuer is not well (Ready=False, ErrRegister): no account",
        );
    }

    #[test]
    fn health() {
        let yaml = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web, namespace: argocd}\nstatus: {health: {status: HEALTH}}\n";
        check(
            &super::DETECTOR,
            &yaml.replace("HEALTH", "Degraded"),
            "warning Application.argoproj.io argocd/web: Application is not well (health Degraded)",
        );
        check(&super::DETECTOR, &yaml.replace("HEALTH", "Progressing"), "");
    }

    #[test]
    fn what_it_stands_for_is_to_blame() {
        let web = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop, labels: {kustomize.toolkit.fluxcd.io/name: apps, kustomize.toolkit.fluxcd.io/namespace: flux}}\nspec: {replicas: 1}\n";
        let argo = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web, namespace: argocd}\nstatus: {health: {status: Degraded}, resources: [{group: '', kind: Service, namespace: shop, name: web, health: {status: Healthy}}, {group: apps, kind: Deployment, namespace: shop, name: web, health: {status: Degraded}}]}\n";
        check(
            &super::DETECTOR,
            &format!("{argo}{web}"),
            "warning Application.argoproj.io argocd/web: Application is not well (health Degraded) <- Deployment shop/web",
        );
        let flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux}\nstatus: {conditions: [{type: Ready, status: 'False', reason: HealthCheckFailed, message: MESSAGE}]}\n";
        for message in [
            "health check failed after 30s: timeout waiting for: [Deployment/shop/web status: InProgress]",
            "timed out",
        ] {
            let yaml = flux.replace("MESSAGE", &format!("'{message}'"));
            check(
                &super::DETECTOR,
                &format!("{yaml}{web}"),
                &format!(
                    "warning Kustomization.kustomize.toolkit.fluxcd.io flux/apps: Kustomization is not well (Ready=False, HealthCheckFailed): {message} <- Deployment shop/web"
                ),
            );
        }
    }

    #[test]
    fn the_secret_that_it_should_make() {
        let yaml = yaml("Ready", "'False'", "SecretSyncedError", "50:00", "denied")
            .replace("{suspend: false}", "{secretName: keys}");
        check(
            &super::DETECTOR,
            &yaml,
            "warning Certificate.cert-manager.io shop/web: Certificate is not well (Ready=False, SecretSyncedError): denied; Secret keys, which it is to make, does not exist",
        );
        let there = "---\nkind: Secret\nmetadata: {name: keys, namespace: shop}\n";
        check(
            &super::DETECTOR,
            &format!("{yaml}{there}"),
            "warning Certificate.cert-manager.io shop/web: Certificate is not well (Ready=False, SecretSyncedError): denied",
        );
    }

    #[test]
    fn stopped_on_purpose_or_still_running() {
        check(&super::DETECTOR, &yaml("Synced", "'False'", "ReconcilePaused", "00:00", "paused"), "");
        let paused = yaml("Healthy", "'False'", "RolloutHealthy", "00:00", "not healthy")
            .replace("conditions: [", "conditions: [{type: Paused, status: 'True'}, ");
        check(&super::DETECTOR, &paused, "");
        let halted = yaml("Ready", "'False'", "VMINotExists", "00:00", "x");
        check(&super::DETECTOR, &halted.replace("suspend: false", "runStrategy: Halted"), "");
        check(&super::DETECTOR, &halted.replace("suspend: false", "running: false"), "");
        check(&super::DETECTOR, &yaml("Succeeded", "Unknown", "Running", "00:00", "3 of 4 tasks"), "");
        let expected = "warning Certificate.cert-manager.io shop/web: Certificate is not well (Succeeded=Unknown, ImagePullFailed): x";
        check(&super::DETECTOR, &yaml("Succeeded", "Unknown", "ImagePullFailed", "00:00", "x"), expected);
    }

    #[test]
    fn well_or_on_its_way() {
        check(&super::DETECTOR, &yaml("Ready", "'True'", "Ready", "00:00", ""), "");
        check(&super::DETECTOR, &yaml("Ready", "'False'", "Issuing", "55:00", "issuing"), "");
        check(&super::DETECTOR, &yaml("Ready", "'False'", "Oops", "59:00", "x"), "");
        check(
            &super::DETECTOR,
            &yaml("Ready", "'False'", "Oops", "00:00", "x").replace("suspend: false", "suspend: true"),
            "",
        );
        check(
            &super::DETECTOR,
            &yaml("Ready", "'False'", "Oops", "00:00", "x").replace("generation: 2", "generation: 3"),
            "",
        );
    }
}
