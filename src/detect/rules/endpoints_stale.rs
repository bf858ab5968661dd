//! Services without a selector whose hand-kept addresses are not those of the pods behind them.

use crate::detect::endpoints::{declared, identity, resolve};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "endpoints-stale",
    summary: "Hand-kept endpoints of a Service point at an address that no backend has",
    group: Group::Network,
    reads: &[Kind::Service, Kind::EndpointSlice, Kind::Pod],
    wants: None,
    doc: r"## What it detects
A Service without a selector, whose EndpointSlice (or Endpoints) is kept by hand and holds an address
that no pod has, while a ready pod of the namespace plainly is the backend: its application label or
its workload's name is the Service's name. Or a slice that names a pod which is gone.

## Why it matters
A pod gets a new address whenever it is replaced; a list kept by hand does not follow. Connections
time out while the pod is well.

## Evidence
The address in the slice, the missing `spec.selector`, and the pod's own address.

## Look-alikes
A Service for something outside the cluster is meant to hold a foreign address: without a pod that is plainly meant,
nothing is said. A database that was moved into the cluster under its old name, while the old server goes on outside,
looks the same. A Service whose selector takes no pod is `service-selects-nothing`; an ExternalName is
`external-name-unknown`.

## What it does not see
Whether anything answers at the address. Slices that Kubernetes keeps (`managed-by` ends with `.k8s.io`) are trusted;
those of another operator count as kept by hand. A backend by another label or name than the Service's is not
recognised. Of several wrong addresses the first is named. Addresses of nodes are not compared.

## What to do
Give the Service a selector and delete the hand-kept slice (or Endpoints), so that the controller keeps it. For a
server outside, correct the address: `kubectl edit endpointslice NAME`. Endpoints objects are deprecated since
Kubernetes 1.33.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let services = view.all::<Service>().iter().filter(|service| {
        service.spec.selector.is_empty() && service.spec.kind != "ExternalName" && !service.metadata.deleting()
    });
    services
        .filter_map(|service| {
            view.slices_of(service)
                .into_iter()
                .filter(|slice| by_hand(slice))
                .find_map(|slice| finding(view, service, slice))
        })
        .collect()
}

/// Whether a person keeps it, directly or as Endpoints that are mirrored.
fn by_hand(slice: &EndpointSlice) -> bool {
    let by = slice.metadata.labels.get("endpointslice.kubernetes.io/managed-by");
    !slice.managed() || by.is_some_and(|by| by.starts_with("endpointslicemirroring-controller"))
}

fn finding(view: &View<'_>, service: &Service, slice: &EndpointSlice) -> Option<Finding> {
    let (object, at) = (service.object_ref(), slice.object_ref());
    let name = service.metadata.name.as_str();
    let pods = view.within::<Pod>(object.ns()).iter().filter(|pod| !pod.metadata.deleting() && !pod.finished());
    // The backend: of that name by label or workload, and not known to listen elsewhere only.
    let listens = |pod: &&Pod| {
        declared(&pod.spec).next().is_none()
            || service.spec.ports.iter().any(|port| {
                slice.ports.iter().any(|p| declared(&pod.spec).any(|(_, d)| d.container_port == p.port))
                    || resolve(port, &pod.spec).is_some_and(|n| declared(&pod.spec).any(|(_, d)| d.container_port == n))
            })
    };
    let is = |pod: &&Pod| {
        !pod.status.pod_ip.is_empty()
            && (identity(&pod.metadata.labels) == Some(name) || *view.workload_of(pod).name == *name)
    };
    let backends: Vec<&Pod> = pods.filter(is).filter(listens).collect();
    let gone = |endpoint: &&Endpoint| {
        endpoint
            .target_ref
            .as_ref()
            .is_some_and(|target| target.kind == "Pod" && view.absent(&view.beside(service, Kind::Pod, &target.name)))
    };
    let stale = |endpoint: &&Endpoint| {
        let theirs = |pod: &&Pod| endpoint.addresses.contains(&pod.status.pod_ip);
        !backends.iter().any(theirs) && (backends.iter().any(|pod| pod.ready()) || gone(endpoint))
    };
    let endpoint = slice.endpoints.iter().find(stale)?;
    let address = endpoint.addresses.first()?;
    let kept = if slice.managed() { "Endpoints".to_owned() } else { format!("EndpointSlice {}", at.name) };
    let mut summary = format!("Service {name} has no selector, and its hand-kept {kept} points at {address}");
    let mut finding_pod = None;
    if let Some(pod) = backends.iter().find(|pod| pod.ready()) {
        let workload = view.workload_of(pod);
        let (whose, now) = (format!("{} {}", workload.kind, workload.name), &pod.status.pod_ip);
        summary = format!("{summary}, a stale address: the pod of {whose} has {now}");
        finding_pod = Some(pod);
    } else if let Some(target) = &endpoint.target_ref {
        summary = format!("{summary}, a stale address: its pod {} no longer exists", target.name);
    }
    let mut finding = Finding::new(object.clone(), Severity::Critical, Stage::Serve, summary)
        .culprit(at.clone())
        .field(&at, "endpoints[].addresses", address)
        .field(&object, "spec.selector", "none")
        .look("see the pods' addresses", &object, &["get", "pods", "-o", "wide"]);
    if let Some(pod) = finding_pod {
        finding = finding.field(&pod.object_ref(), "status.podIP", &pod.status.pod_ip).since(pod_since(pod));
        let key = ["app.kubernetes.io/name", "app", "k8s-app", "name"]
            .into_iter()
            .find(|key| pod.metadata.labels.get(key).is_some_and(|value| value == name));
        if let Some(key) = key {
            let patch = format!(r#"{{"spec":{{"selector":{{"{key}":"{name}"}}}}}}"#);
            let (kind, slice) = if slice.managed() { ("endpoints", name) } else { ("endpointslice", &*at.name) };
            finding = finding.fix(
                "let the cluster keep the endpoints: select the pods",
                &object,
                &["patch", "service", name, "--type=merge", "-p", &patch],
            );
            finding = finding.fix("and delete the hand-kept ones", &object, &["delete", kind, slice]);
        }
    }
    Some(finding)
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const ERP: &str = "
kind: Service
metadata: {name: erp, namespace: old}
spec: {ports: [{port: 80, targetPort: 8080}], clusterIP: 10.96.0.7}
---
kind: EndpointSlice
metadata: {name: erp-manual, namespace: old, labels: {kubernetes.io/service-name: erp}}
ports: [{port: 8080}]
endpoints: [{addresses: [ADDRESS]}]
---
kind: Pod
metadata: {name: erp-1, namespace: old, labels: {app: LABEL}}
spec: {containers: [{name: app, ports: [{containerPort: 8080}]}]}
status: {phase: Running, podIP: 10.244.0.9, conditions: [{type: Ready, status: 'True'}]}
";

    #[test]
    fn the_pod_has_another_address() {
        let yaml = ERP.replace("ADDRESS", "192.0.2.77").replace("LABEL", "erp");
        let expected = "critical Service old/erp: Service erp has no selector, and its hand-kept EndpointSlice erp-manual points at 192.0.2.77, a stale address: the pod of Pod erp-1 has 10.244.0.9 <- EndpointSlice old/erp-manual";
        check(&super::DETECTOR, &yaml, expected);
    }

    #[test]
    fn outside_by_design() {
        check(&super::DETECTOR, &ERP.replace("ADDRESS", "192.0.2.77").replace("LABEL", "gateway"), "");
    }

    #[test]
    fn fresh() {
        check(&super::DETECTOR, &ERP.replace("ADDRESS", "10.244.0.9").replace("LABEL", "erp"), "");
    }

    #[test]
    fn names_a_pod_that_is_gone() {
        let yaml = ERP
            .replace("ADDRESS", "10.244.0.5], targetRef: {kind: Pod, name: erp-0}, nodeName: x, addresses2: [")
            .replace("LABEL", "gateway");
        check(
            &super::DETECTOR,
            &yaml,
            "critical Service old/erp: Service erp has no selector, and its hand-kept EndpointSlice erp-manual points at 10.244.0.5, a stale address: its pod erp-0 no longer exists <- EndpointSlice old/erp-manual",
        );
    }
}
