//! Objects that were deleted and stay, because a finalizer is not removed.

use crate::detect::nodes;
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "object-finalizer-stuck",
    summary: "Deleted object stays, because nobody removes its finalizer",
    group: Group::Nodes,
    reads: &[Kind::Namespace],
    wants: None,
    doc: r"## What it detects
An object with a deletion time stamp that is not gone, since one of its finalizers is still there: a
custom resource whose controller was uninstalled first, a CustomResourceDefinition whose objects
don't go, a ConfigMap or Service that an operator holds.

## Why it matters
The object can't be made again under its name, and whatever waits for its end (a namespace, an
uninstall) waits too.

## Evidence
`metadata.deletionTimestamp` and `metadata.finalizers`.

## Look-alikes
Pods, claims and volumes have detectors of their own (`pod-terminating`, `claim-terminating`, `volume-terminating`);
what is in a namespace that is being deleted is told by `namespace-terminating`. Controllers need time to clean up:
fifteen seconds for built-in kinds, a minute for custom resources, half a minute for definitions and what goes with
them, five minutes for what Kubernetes' own finalizers do. A load balancer or a cluster in a cloud may take longer:
then the controller still works, and its log shows it.

## What it does not see
Whether the controller still lives and why it does not remove the finalizer: its pods and logs are not read here.
Custom resources are read of at most 100 kinds that report conditions, 500 objects of each; others are not seen. Nor
are objects of built-in kinds that this plugin does not list, and under -n those of other namespaces.

## What to do
`kubectl get KIND NAME -o yaml` shows the finalizers. Bring back the controller that the finalizer is named after, and
read its log. If it is gone for good, and you know what it would have cleaned up, remove the finalizer:
`kubectl patch KIND NAME --type=merge -p '{…}'`, as the suggested command spells it out.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let apart = [Kind::PersistentVolumeClaim, Kind::PersistentVolume];
    let held = nodes::held_up(view).into_iter().filter(|(object, _)| !apart.contains(&object.kind));
    let ending = |object: &ObjectRef| {
        view.get::<Namespace>("", object.ns()).is_some_and(|namespace| namespace.metadata.deleting())
    };
    held.filter(|(object, _)| !ending(object)).filter_map(|(object, meta)| finding(view, &object, meta)).collect()
}

fn finding(view: &View<'_>, object: &ObjectRef, meta: &Meta) -> Option<Finding> {
    let since = *meta.deletion_timestamp;
    let age = view.age(since)?;
    let foreign: Vec<String> = meta.finalizers.iter().filter(|name| !nodes::built_in(name)).cloned().collect();
    let definition = meta.finalizers.iter().any(|name| name.starts_with("customresourcecleanup."));
    let patience = match object.kind {
        _ if definition => 30,
        _ if foreign.is_empty() => 5 * SETTLED,
        Kind::Custom(_) if uninstalled(view, object) => 30,
        Kind::Custom(_) => SETTLED,
        _ => 15,
    };
    if age < patience {
        return None;
    }
    let names = if foreign.is_empty() { meta.finalizers.to_vec() } else { foreign };
    let instance = definition.then(|| instance(view, object)).flatten();
    let summary = match &instance {
        Some(instance) => {
            let held = view.meta(instance).map(|meta| meta.finalizers.to_vec()).unwrap_or_default();
            let held = if held.is_empty() { String::new() } else { format!(", held by its finalizer {}", list(&held)) };
            format!("deletion is stuck: its objects must go first, and {instance} does not{held} ({})", list(&names))
        }
        None if definition => {
            format!("deletion is stuck: objects of this kind must go first, and some don't ({})", list(&names))
        }
        None => format!("deletion is stuck (Terminating): finalizer {} is not removed by whoever set it", list(&names)),
    };
    let mut finding = Finding::new(object.clone(), Severity::Warning, Stage::Ready, summary)
        .of_deletion()
        .field(object, "metadata.deletionTimestamp", since.map(|time| time.to_string()).unwrap_or_default())
        .field(object, "metadata.finalizers", meta.finalizers.join(", "))
        .since(since);
    if definition {
        finding = instance.into_iter().fold(finding, Finding::culprit);
        let (plural, group) = object.name.split_once('.').unwrap_or((&object.name, ""));
        return Some(finding.look(
            "see the objects that are left",
            object,
            &["get", &format!("{plural}.{group}"), "-A"],
        ));
    }
    let patch = r#"{"metadata":{"finalizers":null}}"#;
    let argv = ["patch", &object.kind.argument(), &object.name, "--type=merge", "-p", patch];
    Some(describe(finding, object).fix("let it go, only if the owner of the finalizer is gone for good", object, &argv))
}

/// Whether the definition of a custom resource is being deleted too.
fn uninstalled(view: &View<'_>, object: &ObjectRef) -> bool {
    view.all::<CustomResourceDefinition>().iter().filter(|definition| definition.metadata.deleting()).any(
        |definition| {
            let spec = &definition.spec;
            Kind::parse(&format!("{}.{}", spec.names.kind, spec.group)) == object.kind
        },
    )
}

/// An object of a definition that is itself held up.
fn instance(view: &View<'_>, definition: &ObjectRef) -> Option<ObjectRef> {
    let spec = &view.get::<CustomResourceDefinition>("", &definition.name)?.spec;
    let kind = Kind::parse(&format!("{}.{}", spec.names.kind, spec.group));
    nodes::held_up(view).into_iter().map(|(object, _)| object).find(|object| object.kind == kind)
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
apiVersion: acme.io/v1
kind: Widget
metadata: {name: one, namespace: shop, deletionTimestamp: '2026-01-01T11:AGE', finalizers: [FINALIZER]}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.acme.io, finalizers: [customresourcecleanup.apiextensions.k8s.io] DELETED}
spec: {group: acme.io, names: {kind: Widget, plural: widgets}}
";

    fn yaml(age: &str, finalizer: &str, deleted: &str) -> String {
        YAML.replace("AGE", age).replace("FINALIZER", finalizer).replace(" DELETED", deleted)
    }

    #[test]
    fn its_controller_is_gone() {
        check(
            &super::DETECTOR,
            &yaml("50:00Z", "acme.io/cleanup", ""),
            "warning Widget.acme.io shop/one: deletion is stuck (Terminating): finalizer acme.io/cleanup is not removed by whoever set it",
        );
    }

    #[test]
    fn definition_waits_for_its_objects() {
        check(
            &super::DETECTOR,
            &yaml("59:40Z", "acme.io/cleanup", ", deletionTimestamp: '2026-01-01T11:58:00Z'"),
            "warning CustomResourceDefinition widgets.acme.io: deletion is stuck: its objects must go first, and Widget.acme.io shop/one does not, held by its finalizer acme.io/cleanup (customresourcecleanup.apiextensions.k8s.io) <- Widget.acme.io shop/one",
        );
    }

    #[test]
    fn it_takes_its_time() {
        check(&super::DETECTOR, &yaml("59:30Z", "acme.io/cleanup", ""), "");
        check(&super::DETECTOR, &yaml("57:00Z", "foregroundDeletion", ""), "");
    }

    #[test]
    fn its_namespace_is_being_deleted() {
        let namespace = "---\nkind: Namespace\nmetadata: {name: shop, deletionTimestamp: '2026-01-01T11:50:00Z'}\n";
        check(&super::DETECTOR, &(yaml("50:00Z", "acme.io/cleanup", "") + namespace), "");
    }
}
