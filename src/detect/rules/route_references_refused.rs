//! Routes whose references the Gateway's controller refuses.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "route-references-refused",
    summary: "HTTPRoute refers to something that its Gateway's controller refuses",
    group: Group::Network,
    reads: &[Kind::HTTPRoute],
    wants: None,
    doc: r"## What it detects
An HTTPRoute with the condition `ResolvedRefs` false for another reason than a missing Service: a
reference into another namespace without a ReferenceGrant (`RefNotPermitted`), a kind or protocol
that the controller does not know; or the condition `PartiallyInvalid` true.

## Why it matters
The rules that use the reference answer with an error (500), or are left out where the route is only partially
invalid.

## Evidence
The condition with reason and message, as the Gateway's controller wrote it.

## Look-alikes
Missing Services and ports are `route-backend-missing`, routes that are not accepted at all
`route-parent-missing`. A Gateway's own certificate reference that is refused: `gateway-not-programmed`.

The condition is as old as the controller's last look: a ReferenceGrant that was made since may not be in it
yet, or the controller does not run any more.

## What it does not see
A missing backend of another kind than Service: its reason is `BackendNotFound`, which is left out here. Only
the first bad condition of a route is quoted. ReferenceGrants themselves are not read. Routes other than
HTTPRoute. A route whose controller writes no conditions.

## What to do
For `RefNotPermitted`: make a ReferenceGrant in the namespace of what is referred to, with `from` (group
gateway.networking.k8s.io, kind HTTPRoute, the route's namespace) and `to` (kind Service). See
`kubectl get referencegrants -A`. For `InvalidKind` or `UnsupportedProtocol` correct the reference, or the
Service's `appProtocol`.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let routes = view.all::<HTTPRoute>().iter().filter(|route| !route.metadata.deleting());
    let finding = |route: &HTTPRoute| {
        let bad = |c: &&Condition| match c.kind.as_str() {
            "ResolvedRefs" => c.is_false() && c.reason != "BackendNotFound",
            "PartiallyInvalid" => c.is_true(),
            _ => false,
        };
        let said = route.status.parents.iter().flat_map(|parent| &parent.conditions).find(bad)?;
        let object = route.object_ref();
        let summary = format!(
            "HTTPRoute has a reference that is refused ({}={}, {}): {}",
            said.kind,
            said.status,
            said.reason,
            said.message.trim_end_matches('.')
        );
        let finding = Finding::new(object.clone(), Severity::Critical, Stage::Route, summary)
            .field(&object, format!("status.parents[].conditions[{}].message", said.kind), &said.message)
            .since(*said.last_transition_time);
        Some(describe(finding, &object))
    };
    routes.filter_map(finding).collect()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: HTTPRoute
metadata: {name: web, namespace: shop}
status: {parents: [{conditions: [{type: ResolvedRefs, status: STATUS, reason: REASON, message: backend is in namespace bank.}]}]}
";

    #[test]
    fn not_permitted() {
        check(
            &super::DETECTOR,
            &YAML.replace("STATUS", "'False'").replace("REASON", "RefNotPermitted"),
            "critical HTTPRoute shop/web: HTTPRoute has a reference that is refused (ResolvedRefs=False, RefNotPermitted): backend is in namespace bank",
        );
    }

    #[test]
    fn resolved_or_missing() {
        check(&super::DETECTOR, &YAML.replace("STATUS", "'True'").replace("REASON", "ResolvedRefs"), "");
        check(&super::DETECTOR, &YAML.replace("STATUS", "'False'").replace("REASON", "BackendNotFound"), "");
    }
}
