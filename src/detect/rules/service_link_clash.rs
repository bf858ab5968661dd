//! Programs that take a variable made for a Service for a setting of their own.

use crate::detect::logs::{Class, Failing, Fault, said, short};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "service-link-clash",
    summary: "Program reads a variable that Kubernetes made for a Service of that name",
    group: Group::Configuration,
    reads: &[Kind::Pod, Kind::Service],
    wants: None,
    doc: r"## What it detects
A container that ends with an error and shows, in the line that decides, the address `tcp://IP:PORT` of a
Service of its namespace, which neither its spec nor a ConfigMap gives it: the kubelet sets `NAME_PORT`,
`NAME_SERVICE_HOST` and the like in each container for each Service, and the program reads one of them as its
own setting.

## Why it matters
The program asks for a number and gets a URL. It begins when someone makes (or renames) a Service, with the next
restart of pods that no one touched.

## Evidence
The line of the log, and the Service with that cluster IP.

## Look-alikes
A server that does not answer at that address: `dependency-refused` (the line then says so, and it is no bad
value). A variable that is not set at all: `env-missing`.

The kubelet sets the same value as `NAME_PORT` and as `NAME_PORT_6379_TCP`: the first is named, as it is the one
that programs ask for by chance. A value that the spec or a ConfigMap sets itself is left out.

## What it does not see
A clash that the program does not show: only the value in its log, or termination message, proves it. Values
without `tcp://`, such as `NAME_SERVICE_HOST` (a bare address), and those of IPv6 Services. Values that come
from a Secret are never read, so one that holds this address looks alike. A container that runs and is only not
ready.

## What to do
Set `enableServiceLinks: false` in the pod template, set the variable in `env` (that wins), or rename the
Service. See what is set: `kubectl exec POD -- env`, or before it crashes
`kubectl debug POD -it --copy-to=look --container=APP -- env`. The variables of the Service `kubernetes`
(`KUBERNETES_PORT`) are set in any case.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    said(view, |class| matches!(class, Class::ServiceLink(_)))
        .iter()
        .filter_map(|failing| finding(view, failing))
        .collect()
}

fn finding(view: &View<'_>, failing: &Failing<'_>) -> Option<Finding> {
    let Fault::Said(Class::ServiceLink(link)) = &failing.fault else { return None };
    let service = ObjectRef::new(Kind::Service, failing.namespace(), &link.service);
    let summary = format!(
        "{}: it reads {} as its own setting, but Kubernetes sets it to {} for Service {} (enableServiceLinks): {}",
        failing.happens(),
        link.variable,
        link.value,
        link.service,
        short(&failing.text, 120)
    );
    let ip = view.get::<Service>(service.ns(), &service.name).map_or("", |service| service.spec.cluster_ip.as_str());
    let finding = failing.finding(view, Stage::Start, summary).field(&service, "spec.clusterIP", ip);
    let finding = failing.read_log(finding);
    Some(match failing.target(view) {
        Some((workload, _)) => finding.fix(
            "make no variables of Services, if the program reads none",
            &workload,
            &[
                "patch",
                &workload.kind.argument(),
                &workload.name,
                "-p",
                r#"{"spec":{"template":{"spec":{"enableServiceLinks":false}}}}"#,
            ],
        ),
        None => finding,
    })
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: board-1, namespace: shop}
spec: {enableServiceLinks: LINKS, containers: [{name: app, env: [{name: NAME, value: 'VALUE'}]}]}
status:
  phase: Running
  containerStatuses:
  - {name: app, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {reason: Error, exitCode: 1, finishedAt: '2026-01-01T11:59:00Z'}}}
---
kind: Service
metadata: {name: session-store, namespace: shop}
spec: {clusterIP: 10.96.0.7, ports: [{port: 6379}]}
---
kind: Log
namespace: shop
pod: board-1
container: app
lines: [\"ValueError: invalid literal for int() with base 10: 'tcp://10.96.0.7:6379'\"]
";

    fn pod(links: &str, name: &str, value: &str) -> String {
        POD.replace("LINKS", links).replace("NAME", name).replace("VALUE", value)
    }

    #[test]
    fn a_variable_of_a_service() {
        check(
            &super::DETECTOR,
            &pod("true", "LEVEL", "info"),
            "critical Pod shop/board-1: container app exits 1: it reads SESSION_STORE_PORT as its own setting, but Kubernetes sets it to tcp://10.96.0.7:6379 for Service session-store (enableServiceLinks): ValueError: invalid literal for int() with base 10: 'tcp://10.96.0.7:6379'",
        );
    }

    #[test]
    fn values_of_its_own() {
        check(&super::DETECTOR, &pod("false", "LEVEL", "info"), "");
        check(&super::DETECTOR, &pod("true", "SESSION_STORE_PORT", "x"), "");
        check(&super::DETECTOR, &pod("true", "STORE", "tcp://10.96.0.7:6379"), "");
        check(&super::DETECTOR, &pod("true", "LEVEL", "info").replace("10.96.0.7, ports", "10.96.0.8, ports"), "");
    }
}
