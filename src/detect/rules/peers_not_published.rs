//! Peers that wait for each other's names, which they get only once they are ready.

use crate::detect::logs::{Class, complaining};
use crate::detect::prelude::*;

use super::dependency_name_unknown::{host_of, unnamed};
use crate::detect::logs::service::{Standing, resolve};

pub(super) const DETECTOR: Detector = Detector {
    id: "peers-not-published",
    summary: "Headless Service names only ready pods, and they need the names to become ready",
    group: Group::Network,
    reads: &[Kind::Pod, Kind::Service, Kind::EndpointSlice],
    wants: None,
    doc: r"## What it detects
A headless Service without `publishNotReadyAddresses` none of whose pods is ready, while one of these very pods says that
the name of the Service, or of a pod behind it (`db-1.db`), does not resolve.

## Why it matters
The pods find each other by name before they are ready (a quorum, a cluster that forms), and a headless Service gives a
name only to ready pods: each waits for the other for ever.

## Evidence
The Service's `spec.publishNotReadyAddresses`, and the line of the pod's log.

## Look-alikes
Clients of a Service whose pods are down are `dependency-name-unknown`. A StatefulSet whose Service does not exist is
`governing-service-missing`.

## What it does not see
Peers that ask by an address or through another Service. Whether something else keeps the pods from being ready: the
names are what the log complains of.

## What to do
Set `publishNotReadyAddresses: true` at the Service that the peers use, and keep another one for clients.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for failing in complaining(view, |class| matches!(class, Class::UnknownHost(_))) {
        let Some(host) = host_of(view, &failing) else { continue };
        let Standing::Service(service) = resolve(view, failing.namespace(), &host) else { continue };
        let object = service.object_ref();
        let own = view.pods_behind(service).iter().any(|pod| pod.metadata.name == failing.container.pod.metadata.name);
        let told = findings.iter().any(|finding| finding.object == object);
        if !own || told || service.spec.publish_not_ready_addresses || !unnamed(view, service) {
            continue;
        }
        let summary = format!(
            "headless Service {} names its pods only once they are ready, and they need the names to become ready ({host} does not resolve): publishNotReadyAddresses is not set",
            object.name
        );
        let patch = r#"{"spec":{"publishNotReadyAddresses":true}}"#;
        let finding = failing.finding(view, Stage::Start, "");
        let finding = Finding { object: object.clone(), summary, ..finding }
            .field(&object, "spec.publishNotReadyAddresses", "false")
            .fix("name the pods before they are ready", &object, &["patch", "service", &object.name, "-p", patch]);
        findings.push(finding);
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const RAFT: &str = r#"
kind: Service
metadata: {name: raft, namespace: shop}
spec: {clusterIP: None, selector: {app: raft}PUBLISH}
---
kind: Pod
metadata: {name: raft-0, namespace: shop, labels: {app: raft}}
spec: {hostname: raft-0, subdomain: raft, containers: [{name: app}]}
status:
  phase: Running
  conditions: [{type: Ready, status: 'False'}]
  containerStatuses:
  - {name: app, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {reason: Error, exitCode: 1, finishedAt: '2026-01-01T11:59:00Z'}}}
---
kind: Log
namespace: shop
pod: raft-0
container: app
lines: [starting, "fatal: dial tcp: lookup raft-0.raft: no such host"]
"#;

    #[test]
    fn each_waits_for_the_other() {
        check(
            &super::DETECTOR,
            &RAFT.replace("PUBLISH", ""),
            "critical Service shop/raft: headless Service raft names its pods only once they are ready, and they need the names to become ready (raft-0.raft does not resolve): publishNotReadyAddresses is not set",
        );
    }

    #[test]
    fn published_or_asked_by_another() {
        check(&super::DETECTOR, &RAFT.replace("PUBLISH", ", publishNotReadyAddresses: true"), "");
        let other = RAFT.replace("PUBLISH", "").replace("labels: {app: raft}", "labels: {app: other}");
        check(&super::DETECTOR, &other, "");
    }
}
