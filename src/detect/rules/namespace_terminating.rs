//! Namespaces whose deletion does not come to an end.

use crate::detect::nodes;
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "namespace-terminating",
    summary: "Namespace is stuck in Terminating",
    group: Group::Nodes,
    reads: &[Kind::Namespace, Kind::APIService],
    wants: None,
    doc: r"## What it detects
A namespace in phase `Terminating` whose conditions say what holds it up: objects with finalizers
that nobody removes, or an aggregated API that does not answer, so that what it holds can't be known.

## Why it matters
Nothing can be made in the namespace, and its name can't be used again. Tools that install into it
fail with messages that don't name the reason.

## Evidence
The namespace's conditions (`NamespaceFinalizersRemaining`, `NamespaceDeletionDiscoveryFailure`, …),
and the object or the APIService that holds it up.

## Look-alikes
A deletion takes its time: while pods end and Kubernetes' own finalizers work, two minutes are given. A finalizer of
somebody else is told after ten seconds, an API that does not answer after five, so a slow controller may be named that
is still at work. The API's own fault is `api-service-unavailable`; an object that is stuck outside such a namespace is
`object-finalizer-stuck`, a pod `pod-terminating`.

## What it does not see
A namespace without conditions that say what is left: the namespace controller may be down
(`control-plane-lease-expired`). The object is named only if its kind was read: custom resources of at most 100 kinds
that report conditions, 500 objects of each, and not those of an API that is down. Under -n the objects of other
namespaces are not read. Whether the finalizer's owner still lives is not proved.

## What to do
`kubectl get namespace NAME -o yaml` shows the conditions with the kinds that are left. For a finalizer: bring back the
controller that it belongs to, or remove the finalizer from the object when that controller is gone for good. For an
API: mend its Service, or delete the APIService. Don't clear the namespace's own finalizer: what it holds stays behind.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let ending = view.all::<Namespace>().iter().filter(|namespace| namespace.status.phase == "Terminating");
    ending.filter_map(|namespace| finding(view, namespace)).collect()
}

fn finding(view: &View<'_>, namespace: &Namespace) -> Option<Finding> {
    let object = namespace.object_ref();
    let since = *namespace.metadata.deletion_timestamp;
    let age = view.age(since).filter(|age| *age >= 5)?;
    let of = |kind: &str| condition(&namespace.status.conditions, kind).filter(|condition| condition.is_true());
    let discovery = of("NamespaceDeletionDiscoveryFailure").or(of("NamespaceDeletionGroupVersionParsingFailure"));
    let held = of("NamespaceFinalizersRemaining");
    let refused = of("NamespaceDeletionContentFailure");
    let left = of("NamespaceContentRemaining");
    let names = held.map(|condition| finalizers(&condition.message)).unwrap_or_default();
    let foreign: Vec<String> = names.iter().filter(|name| !nodes::built_in(name)).cloned().collect();
    let all = nodes::held_up(view);
    let stuck = all.iter().filter(|(other, _)| other.ns() == &*object.name);
    let culprit = stuck
        .clone()
        .find(|(_, meta)| meta.finalizers.iter().any(|name| foreign.contains(name)))
        .or_else(|| stuck.clone().next());
    let failing = discovery.and_then(|condition| {
        let spoken_of =
            |api: &APIService| condition.message.contains(&format!(" {}/{}", api.spec.group, api.spec.version));
        let broken = |api: &&APIService| !api.spec.group.is_empty() && spoken_of(api);
        view.all::<APIService>().iter().find(broken)
    });
    let (summary, said, blame) = if let Some(condition) = discovery {
        let which = failing.map_or_else(
            || condition.message.trim_end_matches('.').to_owned(),
            |api| format!("APIService {} does not answer", api.metadata.name),
        );
        let also = if foreign.is_empty() {
            String::new()
        } else {
            format!("; objects with finalizer {} remain too", list(&foreign))
        };
        (
            format!("stuck in Terminating, what is in it can't be known ({}): {which}{also}", condition.reason),
            condition,
            failing.map(Resource::object_ref),
        )
    } else if let Some(condition) = held.filter(|_| age >= if foreign.is_empty() { 2 * SETTLED } else { 10 }) {
        let names = if foreign.is_empty() { &names } else { &foreign };
        let whose = culprit
            .map_or_else(|| "objects in it".to_owned(), |(object, _)| format!("{} {}", object.kind, object.name));
        (format!("stuck in Terminating: finalizer {} of {whose} is not removed", list(names)), condition, None)
    } else if let Some(condition) = refused.or(left).filter(|_| age >= 2 * SETTLED) {
        (format!("stuck in Terminating: {}", condition.message.trim_end_matches('.')), condition, None)
    } else {
        return None;
    };
    let mut finding = Finding::new(object.clone(), Severity::Warning, Stage::Admit, summary)
        .field(&object, format!("status.conditions[{}].message", said.kind), &said.message)
        .since(since);
    if let Some((other, meta)) = culprit.filter(|_| blame.is_none()) {
        finding = finding.culprit(other.clone()).field(other, "metadata.finalizers", meta.finalizers.join(", "));
        let patch = r#"{"metadata":{"finalizers":null}}"#;
        let argv = ["patch", &other.kind.argument(), &other.name, "--type=merge", "-p", patch];
        finding = finding.fix("let it go, only if the owner of the finalizer is gone for good", other, &argv);
    }
    finding = blame.into_iter().fold(finding, Finding::culprit);
    Some(describe(finding, &object))
}

/// The names in `…finalizers remaining: a.io/x in 1 resource instances, b.io/y in 2 resource instances`.
fn finalizers(message: &str) -> Vec<String> {
    let list = message.split_once("remaining: ").map_or("", |(_, list)| list);
    list.split(", ").filter_map(|part| Some(part.split_once(" in ")?.0.trim().to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: Namespace
metadata: {name: shop, deletionTimestamp: '2026-01-01T11:59:DELETED'}
status: {phase: Terminating, conditions: [{type: TYPE, status: 'True', reason: REASON, message: 'MESSAGE'}]}
---
kind: ConfigMap
metadata: {name: held, namespace: shop, deletionTimestamp: '2026-01-01T11:59:00Z', finalizers: [FINALIZER]}
---
kind: APIService
metadata: {name: v1.}
spec: {version: v1}
---
kind: APIService
metadata: {name: v1.things.acme.io}
spec: {group: things.acme.io, version: v1}
";

    fn yaml(deleted: &str, kind: &str, message: &str, finalizer: &str) -> String {
        YAML.replace("DELETED", deleted)
            .replace("TYPE", kind)
            .replace("MESSAGE", message)
            .replace("FINALIZER", finalizer)
            .replace("REASON", "DiscoveryFailed")
    }

    #[test]
    fn finalizer_of_somebody_else() {
        let message = "Some content in the namespace has finalizers remaining: acme.io/hold in 1 resource instances";
        check(
            &super::DETECTOR,
            &yaml("30Z", "NamespaceFinalizersRemaining", message, "acme.io/hold"),
            "warning Namespace shop: stuck in Terminating: finalizer acme.io/hold of ConfigMap held is not removed <- ConfigMap shop/held",
        );
    }

    #[test]
    fn api_that_does_not_answer() {
        let message = "Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: things.acme.io/v1: stale GroupVersion discovery";
        check(
            &super::DETECTOR,
            &yaml("30Z", "NamespaceDeletionDiscoveryFailure", message, "kubernetes.io/pvc-protection"),
            "warning Namespace shop: stuck in Terminating, what is in it can't be known (DiscoveryFailed): APIService v1.things.acme.io does not answer <- APIService v1.things.acme.io",
        );
    }

    #[test]
    fn it_takes_its_time() {
        check(
            &super::DETECTOR,
            &yaml(
                "30Z",
                "NamespaceContentRemaining",
                "Some resources are remaining: pods. has 3 resource instances",
                "x",
            ),
            "",
        );
        let message = "Some content in the namespace has finalizers remaining: kubernetes.io/pvc-protection in 1 resource instances";
        check(
            &super::DETECTOR,
            &yaml("30Z", "NamespaceFinalizersRemaining", message, "kubernetes.io/pvc-protection"),
            "",
        );
    }
}
