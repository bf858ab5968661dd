//! Claims of a storage class that does not exist.

use crate::detect::prelude::*;
use crate::detect::storage::{self, Wait};

pub(super) const DETECTOR: Detector = Detector {
    id: "claim-class-missing",
    summary: "Claim names a StorageClass that does not exist",
    group: Group::Storage,
    reads: &[Kind::PersistentVolumeClaim, Kind::StorageClass, Kind::PersistentVolume],
    wants: None,
    doc: r"## What it detects
A pending PersistentVolumeClaim whose `storageClassName` is the name of no StorageClass, and of no
volume that was made by hand.

## Why it matters
Nobody makes a volume for it, and every pod that uses it waits.

## Evidence
`spec.storageClassName`, and the event `storageclass.storage.k8s.io … not found`.

## Look-alikes
A claim that names no class is `claim-no-class`; one whose class exists, `claim-not-provisioned`. A class name that
only volumes made by hand carry is legal without a StorageClass: then the volumes are judged, as `claim-no-volume` or
`volume-released`.

## What it does not see
Without the right to list StorageClasses only a `ProvisioningFailed` event counts. In the first ten seconds a claim
without an event is silent. A bound claim whose class was deleted since is well, and silent; it can't grow any more.

## What to do
`kubectl get storageclass` shows what there is. A claim's class can't be changed: delete the claim and make it again
with a class that exists (one that is near is named), or create the class. A StatefulSet's `volumeClaimTemplates`
can't be changed either: `kubectl delete statefulset NAME --cascade=orphan`, and apply it again.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.all::<PersistentVolumeClaim>().iter().filter_map(|claim| finding(view, claim)).collect()
}

fn finding(view: &View<'_>, claim: &PersistentVolumeClaim) -> Option<Finding> {
    let Some(Wait::ClassMissing(name)) = storage::wait(view, claim) else { return None };
    let classes = view.all::<StorageClass>();
    let known: Vec<String> = classes
        .iter()
        .map(|class| {
            if class.is_default() { format!("{} (default)", class.metadata.name) } else { class.metadata.name.clone() }
        })
        .collect();
    let near = meant(name, classes.iter().map(|class| class.metadata.name.as_str()));
    let hint = match near {
        Some(near) => format!("; did you mean {near}?"),
        None if known.is_empty() => "; the cluster has no StorageClass".to_owned(),
        None => format!("; there is {}", list(&known)),
    };
    let object = claim.object_ref();
    let mut finding = storage::finding(
        view,
        claim,
        format!("StorageClass {name} does not exist (storageclass.storage.k8s.io \"{name}\" not found){hint}"),
    )
    .culprit(ObjectRef::new(Kind::StorageClass, "", name))
    .field(&object, "spec.storageClassName", name);
    if let Some(event) = storage::event(view, claim, "ProvisioningFailed") {
        finding = finding.event(event);
    }
    Some(finding.look(
        "see the classes that there are",
        &ObjectRef::new(Kind::StorageClass, "", ""),
        &["get", "storageclass"],
    ))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: StorageClass
metadata: {name: standard, annotations: {storageclass.kubernetes.io/is-default-class: 'true'}}
provisioner: ebs.csi.aws.com
---
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop, creationTimestamp: '2026-01-01T11:50:00Z'}
spec: {storageClassName: WANTED}
status: {phase: Pending}
";

    #[test]
    fn misspelt() {
        check(
            &super::DETECTOR,
            &YAML.replace("WANTED", "standart"),
            "warning PersistentVolumeClaim shop/data: StorageClass standart does not exist (storageclass.storage.k8s.io \"standart\" not found); did you mean standard? <- StorageClass standart",
        );
        check(
            &super::DETECTOR,
            &YAML.replace("WANTED", "fast-ssd"),
            "warning PersistentVolumeClaim shop/data: StorageClass fast-ssd does not exist (storageclass.storage.k8s.io \"fast-ssd\" not found); there is standard (default) <- StorageClass fast-ssd",
        );
    }

    #[test]
    fn volumes_made_by_hand_carry_the_name() {
        check(
            &super::DETECTOR,
            &(YAML.replace("WANTED", "manual")
                + "---\nkind: PersistentVolume\nmetadata: {name: pv-1}\nspec: {storageClassName: manual}\nstatus: {phase: Available}\n"),
            "",
        );
    }

    #[test]
    fn a_volume_of_a_provisioner_that_is_bound_tells_nothing() {
        let bound = "---\nkind: PersistentVolume\nmetadata: {name: pv-1, annotations: {pv.kubernetes.io/provisioned-by: x}}\nspec: {storageClassName: manual}\nstatus: {phase: Bound}\n";
        check(
            &super::DETECTOR,
            &(YAML.replace("WANTED", "manual") + bound),
            "warning PersistentVolumeClaim shop/data: StorageClass manual does not exist (storageclass.storage.k8s.io \"manual\" not found); there is standard (default) <- StorageClass manual",
        );
        let by_hand = bound.replace(", annotations: {pv.kubernetes.io/provisioned-by: x}", "");
        check(&super::DETECTOR, &(YAML.replace("WANTED", "manual") + &by_hand), "");
    }

    #[test]
    fn classes_can_not_be_read() {
        check(
            &super::DETECTOR,
            &(YAML.replace("WANTED", "fast") + "---\nkind: Gap\nof: StorageClass\nwhat: classes\n"),
            "",
        );
    }
}
