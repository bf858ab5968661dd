//! Custom resource definitions that the API server does not serve.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "crd-not-established",
    summary: "CustomResourceDefinition is not served: its names are not accepted",
    group: Group::Custom,
    reads: &[Kind::CustomResourceDefinition],
    wants: None,
    doc: r"## What it detects
A CustomResourceDefinition whose condition `NamesAccepted` or `Established` is false: another
definition of its group has a kind, plural or short name of it already.

## Why it matters
The API server does not serve the kind, or serves it without the names that people and programs use.

## Evidence
The condition with reason (`ShortNamesConflict`, `KindConflict`, …) and message.

## Look-alikes
A definition that is being deleted is left out, and one that is not established yet in its first fifteen seconds. A
custom resource that is not well is `custom-not-ready`. A kind that no definition has at all (`no matches for kind`)
is no fault of a definition: install it.

## What it does not see
Conditions other than `NamesAccepted` and `Established`: a schema that is not structural, a conversion webhook that
does not answer, an API approval that is missing. The definition that holds the name is guessed from the names of its
group, and is not always the one.

## What to do
`kubectl get crd` and `kubectl describe crd NAME` show both. Rename what is in conflict, or delete the definition that
holds the name: that deletes all its objects too.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let definitions =
        view.all::<CustomResourceDefinition>().iter().filter(|definition| !definition.metadata.deleting());
    let finding = |definition: &CustomResourceDefinition| {
        let of = |kind: &str| condition(&definition.status.conditions, kind).filter(|condition| condition.is_false());
        let bad = of("NamesAccepted").or_else(|| {
            of("Established").filter(|_| view.age(*definition.metadata.creation_timestamp).is_none_or(|age| age >= 15))
        })?;
        let object = definition.object_ref();
        let (severity, what) = if of("Established").is_some() {
            (Severity::Critical, "is not served")
        } else {
            (Severity::Warning, "is served without all of its names")
        };
        let names = &definition.spec.names;
        let taken = |other: &&CustomResourceDefinition| {
            let theirs = &other.spec.names;
            other.metadata.name != definition.metadata.name
                && other.spec.group == definition.spec.group
                && (theirs.kind == names.kind
                    || theirs.plural == names.plural
                    || theirs.short_names.iter().any(|short| names.short_names.contains(short))
                    || bad.message.contains(&format!("\"{}\"", theirs.plural.trim_end_matches('s'))))
        };
        let holder = view.all::<CustomResourceDefinition>().iter().find(taken);
        let by = holder.map(|other| format!(", by {}", other.metadata.name)).unwrap_or_default();
        let summary =
            format!("custom resource definition {what} ({}): {}{by}", bad.reason, bad.message.trim_end_matches('.'));
        let finding = Finding::new(object.clone(), severity, Stage::Admit, summary)
            .field(&object, format!("status.conditions[{}].message", bad.kind), &bad.message)
            .since(*bad.last_transition_time);
        Some(describe(finding, &object))
    };
    definitions.filter_map(finding).collect()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.acme.io}
spec: {group: acme.io, names: {kind: Gadget, plural: gadgets, shortNames: [wd]}}
status: {conditions: [{type: NamesAccepted, status: ACCEPTED, reason: ShortNamesConflict, message: '\"wd\" is already in use'}, {type: Established, status: ACCEPTED, reason: NotAccepted}]}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.acme.io}
spec: {group: acme.io, names: {kind: Widget, plural: widgets, shortNames: [wd]}}
status: {conditions: [{type: NamesAccepted, status: 'True'}, {type: Established, status: 'True'}]}
";

    #[test]
    fn short_name_in_use() {
        check(
            &super::DETECTOR,
            &YAML.replace("ACCEPTED", "'False'"),
            "critical CustomResourceDefinition gadgets.acme.io: custom resource definition is not served (ShortNamesConflict): \"wd\" is already in use, by widgets.acme.io",
        );
    }

    #[test]
    fn accepted() {
        check(&super::DETECTOR, &YAML.replace("ACCEPTED", "'True'"), "");
    }
}
