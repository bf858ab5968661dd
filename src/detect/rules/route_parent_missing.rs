//! `HTTPRoute`s that no Gateway takes.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "route-parent-missing",
    summary: "HTTPRoute names a Gateway that does not exist or does not take it",
    group: Group::Network,
    reads: &[Kind::HTTPRoute, Kind::Gateway],
    wants: None,
    doc: r"## What it detects
An HTTPRoute whose Gateway does not exist, whose Gateway has no listener of the given `sectionName`, or
which its Gateway refuses (condition Accepted is False: no matching host name, namespace not allowed).

## Why it matters
The route is not served by that Gateway: requests for its hosts get 404 there, or another route's answer.

## Evidence
`spec.parentRefs` and, where a controller says so, the condition's message.

## Look-alikes
A Gateway that exists and does not work itself, or whose controller is gone: `gateway-not-programmed`. A route
that is accepted and leads nowhere: `route-backend-missing`, `route-references-refused`.

A route with several parents may still be served by the others: each parent is judged by itself. A parent is
known in the status by its name and `sectionName` only, so two Gateways of one name in different namespaces can
be mixed up. A condition is as old as the controller's last look.

## What it does not see
Parents of other kinds (a mesh's Service, a ListenerSet), and routes other than HTTPRoute. The `port` of a
parentRef. A route to which no controller has given any condition: where Gateway and listener exist, this is
silent. Host names and `allowedRoutes` are not compared here; the controller's word is taken. With -n, Gateways
of other namespaces.

## What to do
See `kubectl get gateways -A` and `kubectl describe httproute NAME`. Name the right Gateway, with its namespace,
and listener. For `NotAllowedByListeners` let the listener's `allowedRoutes.namespaces` take the route's
namespace: it takes only the Gateway's own where nothing is set. For `NoMatchingListenerHostname` align
`hostnames` with the listener's.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for route in view.all::<HTTPRoute>().iter().filter(|route| !route.metadata.deleting()) {
        let object = route.object_ref();
        for parent in route.spec.parent_refs.iter().filter(|parent| parent.kind.is_empty() || parent.kind == "Gateway")
        {
            let namespace = if parent.namespace.is_empty() { object.ns() } else { &parent.namespace };
            let gateway = ObjectRef::new(Kind::Gateway, namespace, &parent.name);
            let status = route.status.parents.iter().find(|status| {
                status.parent_ref.name == parent.name && status.parent_ref.section_name == parent.section_name
            });
            let accepted = status
                .and_then(|status| condition(&status.conditions, "Accepted"))
                .filter(|accepted| accepted.is_false());
            let wrong = match view.get::<Gateway>(namespace, &parent.name) {
                None if view.absent(&gateway) => {
                    let near =
                        meant(&parent.name, view.all::<Gateway>().iter().map(|gateway| gateway.metadata.name.as_str()));
                    let hint = near.map(|near| format!("; did you mean Gateway {near}?")).unwrap_or_default();
                    format!("names Gateway {}, which does not exist in namespace {namespace}{hint}", parent.name)
                }
                Some(found)
                    if !parent.section_name.is_empty()
                        && !found.spec.listeners.iter().any(|listener| listener.name == parent.section_name) =>
                {
                    let names: Vec<String> =
                        found.spec.listeners.iter().map(|listener| listener.name.clone()).collect();
                    format!(
                        "names listener {} of Gateway {}, which has only {}",
                        parent.section_name,
                        parent.name,
                        list(&names)
                    )
                }
                _ => match accepted {
                    Some(accepted) => format!(
                        "is not accepted by Gateway {} ({}): {}",
                        parent.name,
                        accepted.reason,
                        accepted.message.trim_end_matches('.')
                    ),
                    None => continue,
                },
            };
            let mut finding = Finding::new(
                object.clone(),
                Severity::Critical,
                Stage::Route,
                format!("HTTPRoute {} {wrong}", object.name),
            )
            .key(format!("{namespace}/{}/{}", parent.name, parent.section_name))
            .culprit(gateway)
            .field(&object, "spec.parentRefs[].name", &parent.name)
            .since(*route.metadata.creation_timestamp)
            .look("see which Gateways there are", &object, &["get", "gateways", "-A"]);
            if let Some(accepted) = accepted {
                finding = finding.field(&object, "status.parents[].conditions[Accepted]", &accepted.message);
            }
            findings.push(finding);
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const SHOP: &str = "
kind: HTTPRoute
metadata: {name: shop, namespace: shop}
spec: {parentRefs: [{name: GATEWAY, namespace: infra, sectionName: SECTION}]}
status: {parents: [{parentRef: {name: GATEWAY, namespace: infra, sectionName: SECTION}, conditions: [{type: Accepted, status: 'ACCEPTED', reason: NoMatchingListenerHostname, message: No host matches.}]}]}
---
kind: Gateway
metadata: {name: public, namespace: infra}
spec: {listeners: [{name: https, port: 443}]}
";

    #[track_caller]
    fn shop(gateway: &str, section: &str, accepted: &str, expected: &str) {
        check(
            &super::DETECTOR,
            &SHOP.replace("GATEWAY", gateway).replace("SECTION", section).replace("ACCEPTED", accepted),
            expected,
        );
    }

    #[test]
    fn gateway_listener_or_refused() {
        shop(
            "publik",
            "https",
            "True",
            "critical HTTPRoute shop/shop: HTTPRoute shop names Gateway publik, which does not exist in namespace infra; did you mean Gateway public? <- Gateway infra/publik",
        );
        shop(
            "public",
            "http",
            "True",
            "critical HTTPRoute shop/shop: HTTPRoute shop names listener http of Gateway public, which has only https <- Gateway infra/public",
        );
        shop(
            "public",
            "https",
            "False",
            "critical HTTPRoute shop/shop: HTTPRoute shop is not accepted by Gateway public (NoMatchingListenerHostname): No host matches <- Gateway infra/public",
        );
    }

    #[test]
    fn taken() {
        shop("public", "https", "True", "");
    }
}
