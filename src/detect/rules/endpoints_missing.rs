//! Services without a selector for which nobody keeps endpoints.

use crate::detect::calls::{Call, Client, calls, clients, complaint};
use crate::detect::endpoints::leads;
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "endpoints-missing",
    summary: "Service has no selector, and nobody gave it endpoints",
    group: Group::Network,
    reads: &[Kind::Service, Kind::EndpointSlice, Kind::Pod],
    wants: Some(wants),
    doc: r"## What it detects
A Service without a selector for which there is no EndpointSlice with an address, while an Ingress or a route leads
to it, or a workload that names it fails or complains of it in its log.

## Why it matters
Without a selector no controller makes endpoints: connections are refused or time out until somebody
writes an EndpointSlice (or Endpoints) for the Service.

## Evidence
The missing `spec.selector`, the field of the workload or Ingress that names the Service, and the log line.

## Look-alikes
A Service whose selector matches nothing is `service-selects-nothing`, one whose pods are not ready
`service-no-endpoints`, and one with endpoints that lead nowhere `endpoints-stale`. Silent are Services of type
ExternalName, and those owned by another object, whose controller makes the endpoints.

## What it does not see
A Service that nothing leads to and whose clients don't complain. It looks away in the Service's first minute, and
under -n from clients in other namespaces.

## What to do
If its pods run in the namespace: give it a selector. For something outside: create an EndpointSlice with
the label `kubernetes.io/service-name`.",
    run,
};

/// Services without selector and without any address.
fn bare<'a>(view: &View<'a>) -> Vec<&'a Service> {
    let empty = |service: &&Service| {
        service.spec.selector.is_empty()
            && service.spec.kind != "ExternalName"
            && !service.metadata.deleting()
            && service.metadata.controller().is_none()
            && view.snapshot.knows(Kind::EndpointSlice, &service.metadata.namespace)
            && view.age(*service.metadata.creation_timestamp).is_none_or(|age| age >= SETTLED)
            && !view
                .slices_of(service)
                .iter()
                .any(|slice| slice.endpoints.iter().any(|endpoint| !endpoint.addresses.is_empty()))
    };
    view.all::<Service>().iter().filter(empty).collect()
}

/// The calls of such Services.
fn called<'a>(view: &View<'a>) -> Vec<(Client<'a>, Call<'a>)> {
    let services: Vec<ObjectRef> = bare(view).into_iter().map(Resource::object_ref).collect();
    if services.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for client in clients(view) {
        let to = calls(view, &client).into_iter().filter(|call| services.contains(&call.service));
        found.extend(to.map(|call| (client.clone(), call)));
    }
    found
}

fn wants(view: &View<'_>) -> Vec<Want> {
    called(view).iter().filter_map(|(client, call)| client.log_wants(call.container)).collect()
}

fn run(view: &View<'_>) -> Vec<Finding> {
    let called = called(view);
    bare(view).into_iter().filter_map(|service| finding(view, service, &called)).collect()
}

fn finding(view: &View<'_>, service: &Service, called: &[(Client<'_>, Call<'_>)]) -> Option<Finding> {
    let object = service.object_ref();
    let suffers = called
        .iter()
        .filter(|(_, call)| call.service == object)
        .map(|(client, call)| (client, call, complaint(view, client, call)))
        .find(|(client, call, told)| told.is_some() || client.ails(call.container));
    let leads = leads(view, &object);
    let needs = match (&suffers, leads) {
        (Some((client, ..)), _) => format!("{} needs it", client.title()),
        (None, Some(from)) => format!("{} {} leads to it", from.kind, from.name),
        (None, None) => return None,
    };
    let summary =
        format!("Service {} has no selector, and no endpoints were made for it by hand; {needs}", object.name);
    let mut finding = Finding::new(object.clone(), Severity::Critical, Stage::Serve, summary)
        .field(&object, "spec.selector", "none")
        .since(*service.metadata.creation_timestamp)
        .look(
            "see its endpoints",
            &object,
            &["get", "endpointslices", "-l", &format!("kubernetes.io/service-name={}", object.name)],
        )
        .look("see which labels the pods carry", &object, &["get", "pods", "--show-labels"]);
    if let Some((_, call, told)) = suffers {
        finding = finding.field(&call.at, &call.path, &call.quote);
        if let Some((log, line)) = told {
            finding = finding.log(log, line);
        }
    }
    Some(finding)
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::{check, check_wants};

    const CRM: &str = "
kind: Service
metadata: {name: crm, namespace: shop, creationTimestamp: '2026-01-01T11:00:00Z'}
spec: {ports: [{port: 8443}], clusterIP: 10.96.0.9}
---
kind: Pod
metadata: {name: sync, namespace: shop}
spec: {containers: [{name: app, env: [{name: CRM_URL, value: 'http://crm:8443'}]}]}
status: {phase: Running, conditions: [{type: Ready, status: 'True'}], containerStatuses: [{name: app, ready: true, state: {running: {}}}]}
";
    const LOG: &str = "---\nkind: Log\nnamespace: shop\npod: sync\ncontainer: app\nlines: ['dial tcp: crm:8443: connection refused']\n";
    const FOUND: &str = "critical Service shop/crm: Service crm has no selector, and no endpoints were made for it by hand; Pod sync needs it";

    #[test]
    fn forgotten() {
        check(&super::DETECTOR, &format!("{CRM}{LOG}"), FOUND);
        check_wants(&super::DETECTOR, CRM, "log shop/sync app");
    }

    #[test]
    fn nobody_suffers() {
        check(&super::DETECTOR, CRM, "");
    }

    #[test]
    fn kept_by_hand_or_new_or_owned() {
        let slice = "---\nkind: EndpointSlice\nmetadata: {name: crm-1, namespace: shop, labels: {kubernetes.io/service-name: crm}}\nendpoints: [{addresses: [192.0.2.1]}]\n";
        check(&super::DETECTOR, &format!("{CRM}{slice}{LOG}"), "");
        check(&super::DETECTOR, &format!("{}{LOG}", CRM.replace("11:00:00", "11:59:30")), "");
        let owned = CRM.replace(
            "creationTimestamp",
            "ownerReferences: [{kind: Cluster, name: pg, controller: true}], creationTimestamp",
        );
        check(&super::DETECTOR, &format!("{owned}{LOG}"), "");
        let gap = "---\nkind: Gap\nwhat: endpointslices\nreason: forbidden\nof: EndpointSlice\n";
        check(&super::DETECTOR, &format!("{CRM}{gap}{LOG}"), "");
    }
}
