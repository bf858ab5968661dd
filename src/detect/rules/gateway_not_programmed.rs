//! Gateways that don't serve.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "gateway-not-programmed",
    summary: "Gateway is not accepted or not programmed by its controller",
    group: Group::Network,
    reads: &[Kind::Gateway],
    wants: None,
    doc: r"## What it detects
A Gateway (Gateway API) that its controller refuses or could not put into effect (`Accepted` or
`Programmed` false), one of whose listeners is refused (a certificate that is missing, a port in
conflict), or that no controller has looked at for a minute.

## Why it matters
No route of this Gateway, or of this listener, gets traffic.

## Evidence
The condition with reason and message.

## Look-alikes
In its first minute a Gateway that nobody has looked at is not reported; one that waits for an address or for
resources (`AddressNotAssigned`, `NoResources`, `Pending`) gets two minutes. A route that the Gateway refuses is
`route-parent-missing`, one without a backend `route-backend-missing`, one without a ReferenceGrant
`route-references-refused`. A certificate that is there and has ended is `certificate-expired`.

## What it does not see
More than the conditions say: traffic, and the pods and load balancer behind the Gateway (`load-balancer-pending`),
are not tried here. The GatewayClass is not looked at: one that does not exist shows as a Gateway that nobody took,
one that is not accepted as `custom-not-ready`. Of several listeners the first that is refused is named. A controller
that is down leaves its old conditions, and is silent.

## What to do
Do what the message says (`kubectl describe gateway NAME`). For a certificate: see the Secret, and the ReferenceGrant
where it is in another namespace. If nobody looks at it: `kubectl get gatewayclass` shows whether its
`gatewayClassName` exists and is accepted; then look for the controller's pods.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.all::<Gateway>()
        .iter()
        .filter(|gateway| !gateway.metadata.deleting())
        .filter_map(|gateway| finding(view, gateway))
        .collect()
}

fn finding(view: &View<'_>, gateway: &Gateway) -> Option<Finding> {
    let object = gateway.object_ref();
    let class = &gateway.spec.gateway_class_name;
    let late = view.age(*gateway.metadata.creation_timestamp).is_none_or(|age| age >= SETTLED);
    let refused = ["Accepted", "Programmed"]
        .iter()
        .find_map(|kind| condition(&gateway.status.conditions, kind).filter(|c| c.is_false()));
    let listener = gateway.status.listeners.iter().find_map(|listener| {
        let refused = ["ResolvedRefs", "Conflicted", "Accepted", "Programmed"].iter().find_map(|kind| {
            condition(&listener.conditions, kind)
                .filter(|c| if *kind == "Conflicted" { c.is_true() } else { c.is_false() })
        })?;
        Some((listener, refused))
    });
    let seen = gateway.status.conditions.iter().any(|c| c.status != "Unknown");
    let (summary, path, said) = if let Some((listener, said)) = listener {
        let message = said.message.trim_end_matches('.');
        (
            format!(
                "listener {} does not serve ({}={}, {}): {message}",
                listener.name, said.kind, said.status, said.reason
            ),
            format!("status.listeners[{}].conditions[{}].message", listener.name, said.kind),
            said,
        )
    } else if let Some(said) = refused {
        let waits = matches!(said.reason.as_str(), "Pending" | "AddressNotAssigned" | "NoResources")
            && view.age(*said.last_transition_time).is_some_and(|age| age < 2 * SETTLED);
        if waits {
            return None;
        }
        (
            format!(
                "Gateway of class {class} does not serve ({}=False, {}): {}",
                said.kind,
                said.reason,
                said.message.trim_end_matches('.')
            ),
            format!("status.conditions[{}].message", said.kind),
            said,
        )
    } else if !seen && late {
        let finding = Finding::new(
            object.clone(),
            Severity::Critical,
            Stage::Route,
            format!("no controller has taken the Gateway: nobody serves gatewayClassName {class}"),
        );
        return Some(describe(
            finding.field(&object, "spec.gatewayClassName", class).since(*gateway.metadata.creation_timestamp),
            &object,
        ));
    } else {
        return None;
    };
    let finding = Finding::new(object.clone(), Severity::Critical, Stage::Route, summary)
        .field(&object, path, &said.message)
        .since(*said.last_transition_time);
    Some(describe(finding, &object))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: Gateway
metadata: {name: public, namespace: infra, creationTimestamp: '2026-01-01T11:00:00Z'}
spec: {gatewayClassName: envoy}
status: {conditions: [{type: Accepted, status: ACCEPTED, reason: REASON, message: said.}], listeners: [{name: https, conditions: [{type: ResolvedRefs, status: RESOLVED, reason: InvalidCertificateRef, message: Secret tls not found}]}]}
";

    fn yaml(accepted: &str, reason: &str, resolved: &str) -> String {
        YAML.replace("ACCEPTED", accepted).replace("REASON", reason).replace("RESOLVED", resolved)
    }

    #[test]
    fn does_not_serve() {
        let table = [
            ("'False'", "Invalid", "'True'", "Gateway of class envoy does not serve (Accepted=False, Invalid): said"),
            (
                "'True'",
                "Accepted",
                "'False'",
                "listener https does not serve (ResolvedRefs=False, InvalidCertificateRef): Secret tls not found",
            ),
            (
                "Unknown",
                "Pending",
                "'True'",
                "no controller has taken the Gateway: nobody serves gatewayClassName envoy",
            ),
        ];
        for (accepted, reason, resolved, expected) in table {
            check(
                &super::DETECTOR,
                &yaml(accepted, reason, resolved),
                &format!("critical Gateway infra/public: {expected}"),
            );
        }
    }

    #[test]
    fn serves() {
        check(&super::DETECTOR, &yaml("'True'", "Accepted", "'True'"), "");
        check(&super::DETECTOR, &yaml("Unknown", "Pending", "'True'").replace("11:00:00Z", "11:59:30Z"), "");
    }
}
